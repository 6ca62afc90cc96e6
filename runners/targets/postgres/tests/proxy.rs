//! A network between target and server that is cut, or holds a message back, where the test chooses.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Where it is cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// The message does not reach the server.
    Before,
    /// It does, and the answer does not come back.
    After,
    /// It is held back until the test lets it go.
    Held,
}

/// How a server is asked to end the query of another session: the first eight bytes, see the protocol's `CancelRequest`.
pub(crate) const CANCEL: [u8; 8] = [0, 0, 0, 16, 4, 210, 22, 46];

/// The longest that something is held back. Reached only where nobody lets it go.
const HELD_MAX: Duration = Duration::from_mins(2);

type Release = Arc<(Mutex<bool>, Condvar)>;
type Plan = Arc<Mutex<Option<(Cut, Vec<u8>)>>>;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Plan,
    cuts: Arc<AtomicU64>,
    release: Release,
}

impl Proxy {
    pub(crate) fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (plan, cuts, release) = (Plan::default(), Arc::default(), Release::default());
        let proxy = Self { port, plan, cuts, release };
        let (plan, cuts) = (Arc::clone(&proxy.plan), Arc::clone(&proxy.cuts));
        let release = Arc::clone(&proxy.release);
        drop(thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server_port)).unwrap();
                let (plan, cuts) = (Arc::clone(&plan), Arc::clone(&cuts));
                let release = Arc::clone(&release);
                drop(thread::spawn(move || pass(&client, &server, (&plan, &cuts, &release))));
            }
        }));
        proxy
    }

    /// Cuts at the next piece of what is sent that holds these bytes.
    pub(crate) fn arm(&self, cut: Cut, at: impl AsRef<[u8]>) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((cut, at.as_ref().to_vec()));
    }

    /// Lets go what is held back.
    pub(crate) fn let_go(&self) {
        *self.release.0.lock().unwrap() = true;
        self.release.1.notify_all();
    }

    /// How often it was cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn pass(
    client: &TcpStream,
    server: &TcpStream,
    (plan, cuts, release): (&Plan, &AtomicU64, &Release),
) {
    let is_mute = Arc::new(AtomicBool::new(false));
    let _quick = [client.set_nodelay(true), server.set_nodelay(true)];
    let back = {
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let is_mute = Arc::clone(&is_mute);
        thread::spawn(move || {
            let mut bytes = [0; 8 << 10];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                // Reads on without passing on: the server must be able to finish.
                if !is_mute.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            let _closed = to.shutdown(Shutdown::Both);
        })
    };
    let mut bytes = vec![0; 64 << 10];
    let (mut from, mut to) = (client, server);
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let piece = &bytes[..count];
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            plan.as_ref().is_some_and(|(_, at)| piece.windows(at.len()).any(|window| window == at));
        let cut = if is_due { plan.take() } else { None };
        drop(plan);
        if let Some((Cut::Held, _)) = cut {
            cuts.fetch_add(1, Ordering::SeqCst);
            let is_let_go = release.0.lock().unwrap();
            drop(release.1.wait_timeout_while(is_let_go, HELD_MAX, |is_let_go| !*is_let_go));
        } else if let Some((cut, _)) = cut {
            is_mute.store(true, Ordering::SeqCst);
            if cut == Cut::After {
                to.write_all(piece).unwrap();
            }
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if to.write_all(piece).is_err() {
            break;
        }
    }
    // The server does what it has been sent, and then sees that there is nobody any more.
    let _closed = server.shutdown(Shutdown::Write);
    back.join().unwrap();
}
