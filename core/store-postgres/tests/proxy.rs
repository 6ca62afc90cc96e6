//! A network between store and server that cuts, or holds back, at the next COMMIT of a group.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How COMMIT looks on its way to the server.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// How a client asks whether the server speaks TLS. The one behind this proxy says no.
const ENCRYPT: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

/// What happens to the next COMMIT.
#[derive(Debug)]
pub(crate) enum Cut {
    /// It does not reach the server.
    Before,
    /// It reaches the server, and the answer does not come back.
    After,
    /// It reaches the server, and what comes back is that the server gave up: its disk is full.
    Panic,
    /// It waits, while the client's connection is closed, until somebody sends to the other end.
    Held(Receiver<()>),
}

#[derive(Debug, Default)]
struct Plan {
    next: Mutex<Option<Cut>>,
    cuts: AtomicU64,
    refuses: AtomicBool,
}

impl Plan {
    fn take(&self) -> Option<Cut> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    plan: Arc<Plan>,
}

impl Proxy {
    pub(crate) fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::<Plan>::default();
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.refuses.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)) else { continue };
                let plan = Arc::clone(&shared);
                thread::spawn(move || pass(&client, &server, &plan));
            }
        });
        Self { port, plan }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts at the next COMMIT.
    pub(crate) fn arm(&self, cut: Cut) {
        *self.plan.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    /// Holds the next COMMIT back until something is sent to what this returns.
    pub(crate) fn hold(&self) -> Sender<()> {
        let (release, released) = channel();
        self.arm(Cut::Held(released));
        release
    }

    /// How many COMMITs were cut or held.
    pub(crate) fn cuts(&self) -> u64 {
        self.plan.cuts.load(Ordering::SeqCst)
    }

    /// Takes no more connections, or takes them again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.plan.refuses.store(refuses, Ordering::SeqCst);
    }
}

/// Passes bytes both ways until one side ends or the plan says otherwise.
fn pass(client: &TcpStream, server: &TcpStream, plan: &Plan) {
    let mute = Arc::new(AtomicBool::new(false));
    // What is sent in small pieces must not wait for an answer to the piece before.
    let _quick = [client.set_nodelay(true), server.set_nodelay(true)];
    let back = {
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let mute = Arc::clone(&mute);
        thread::spawn(move || {
            let mut bytes = [0; 8 << 10];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                // Reads on without passing on: the server must be able to finish.
                if !mute.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            if !mute.load(Ordering::SeqCst) {
                let _closed = to.shutdown(Shutdown::Both);
            }
        })
    };
    let last_words = forward(client, server, plan, &mute);
    let _closed = server.shutdown(Shutdown::Write);
    if let (Some(words), mut client) = (last_words, client) {
        // Only when the server has done its part.
        back.join().unwrap();
        drop(client.write_all(&words));
        let _closed = client.shutdown(Shutdown::Both);
        return;
    }
    let _closed = client.shutdown(Shutdown::Both);
    back.join().unwrap();
}

/// What a server says with its last breath.
fn panic_message() -> Vec<u8> {
    let fields = b"SPANIC\0VPANIC\0C53100\0Mno space left\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [b"E".as_slice(), &length, fields].concat()
}

/// Where the first message ends, if all of it is there. The very first one of a connection has no letter.
fn end_of_first(bytes: &[u8], has_letter: bool) -> Option<usize> {
    let letter = usize::from(has_letter);
    let length = bytes.get(letter..letter + 4)?.try_into().map(u32::from_be_bytes).ok()?;
    let end = letter + usize::try_from(length).ok()?;
    (bytes.len() >= end).then_some(end)
}

/// Passes whole messages on, until the plan says otherwise. Returns what the client is to hear at the end.
fn forward(
    mut client: &TcpStream,
    mut server: &TcpStream,
    plan: &Plan,
    mute: &AtomicBool,
) -> Option<Vec<u8>> {
    let mut bytes = [0; 8 << 10];
    let (mut waiting, mut has_begun) = (Vec::new(), false);
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        waiting.extend_from_slice(&bytes[..count]);
        while let Some(end) = end_of_first(&waiting, has_begun) {
            let message: Vec<u8> = waiting.drain(..end).collect();
            // The question whether there is TLS comes before the connection begins.
            has_begun |= message != ENCRYPT;
            let is_commit = message == COMMIT;
            let cut = if is_commit { plan.take() } else { None };
            if let Some(cut) = cut {
                mute.store(true, Ordering::SeqCst);
                return cut_at(cut, &message, (client, server), plan);
            }
            if server.write_all(&message).is_err() {
                return None;
            }
        }
    }
    None
}

fn cut_at(
    cut: Cut,
    commit: &[u8],
    (client, mut server): (&TcpStream, &TcpStream),
    plan: &Plan,
) -> Option<Vec<u8>> {
    let is_panic = matches!(cut, Cut::Panic);
    match cut {
        Cut::Before => {}
        Cut::After | Cut::Panic => drop(server.write_all(commit)),
        Cut::Held(released) => {
            drop(client.shutdown(Shutdown::Both));
            plan.cuts.fetch_add(1, Ordering::SeqCst);
            let _released = released.recv();
            drop(server.write_all(commit));
            return None;
        }
    }
    plan.cuts.fetch_add(1, Ordering::SeqCst);
    is_panic.then(panic_message)
}
