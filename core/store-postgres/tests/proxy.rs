//! A network between store and server that cuts, or holds back, at the next COMMIT of a group.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How COMMIT looks on its way to the server.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// What happens to the next COMMIT.
#[derive(Debug)]
pub(crate) enum Cut {
    /// It does not reach the server.
    Before,
    /// It reaches the server, and the answer does not come back.
    After,
    /// It waits, while the client's connection is closed, until somebody sends to the other end.
    Held(Receiver<()>),
}

#[derive(Debug, Default)]
struct Plan {
    next: Mutex<Option<Cut>>,
    cuts: AtomicU64,
    refuses: AtomicBool,
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
            let _closed = to.shutdown(Shutdown::Both);
        })
    };
    forward(client, server, plan, &mute);
    let _closed = client.shutdown(Shutdown::Both);
    let _closed = server.shutdown(Shutdown::Write);
    back.join().unwrap();
}

fn forward(mut client: &TcpStream, mut server: &TcpStream, plan: &Plan, mute: &AtomicBool) {
    let mut bytes = [0; 8 << 10];
    // The last bytes may be the beginning of a COMMIT, and wait for its rest.
    let mut waiting: Vec<u8> = Vec::new();
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        waiting.extend_from_slice(&bytes[..count]);
        let found = waiting.windows(COMMIT.len()).position(|window| window == COMMIT);
        let Some(at) = found else {
            let begun =
                (1..COMMIT.len()).rev().find(|length| waiting.ends_with(&COMMIT[..*length]));
            let ready = waiting.len() - begun.unwrap_or(0);
            if server.write_all(&waiting[..ready]).is_err() {
                return;
            }
            waiting.drain(..ready);
            continue;
        };
        let cut = plan.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(cut) = cut {
            mute.store(true, Ordering::SeqCst);
            match cut {
                Cut::Before => drop(server.write_all(&waiting[..at])),
                Cut::After => drop(server.write_all(&waiting)),
                Cut::Held(released) => {
                    drop(server.write_all(&waiting[..at]));
                    drop(client.shutdown(Shutdown::Both));
                    plan.cuts.fetch_add(1, Ordering::SeqCst);
                    let _released = released.recv();
                    drop(server.write_all(&waiting[at..]));
                    return;
                }
            }
            plan.cuts.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if server.write_all(&waiting).is_err() {
            return;
        }
        waiting.clear();
    }
}
