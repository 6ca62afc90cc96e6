//! A network between target and server that cuts at the next COMMIT, or holds a packet back.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long an order may take on its way, on a machine however busy. Reached only where none comes.
const PATIENCE: Duration = Duration::from_mins(2);

/// What happens to the next packet that holds the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// It does not reach the server.
    Before,
    /// It reaches the server, and the answer does not come back.
    After,
    /// It reaches the server after an order to kill a query that was sent later.
    Overtaken,
}

/// Where the next cut is.
type Plan = Option<(Cut, &'static [u8])>;

/// A network that cuts once.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Arc<Mutex<Plan>>,
    was_cut: Arc<AtomicBool>,
    clients: Arc<Mutex<Vec<TcpStream>>>,
    /// How many orders to kill a query the server has answered.
    kills: Arc<(Mutex<u32>, Condvar)>,
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}

impl Proxy {
    pub(crate) fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self {
            port,
            plan: Arc::default(),
            was_cut: Arc::default(),
            clients: Arc::default(),
            kills: Arc::default(),
        };
        let here = proxy.clone();
        drop(thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server_port)).unwrap();
                here.carry(client, server);
            }
        }));
        proxy
    }

    /// Cuts at the next packet of a client with this text in it.
    pub(crate) fn cut(&self, cut: Cut, text: &'static [u8]) {
        self.was_cut.store(false, Ordering::SeqCst);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some((cut, text));
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut.load(Ordering::SeqCst)
    }

    /// Ends the connections of all clients; the server does not learn of it before it answers.
    pub(crate) fn end(&self) {
        for client in self.clients.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(client.shutdown(Shutdown::Both));
        }
    }

    fn taken(&self, bytes: &[u8]) -> Option<Cut> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let (cut, text) = (*plan)?;
        has(bytes, text).then(|| {
            *plan = None;
            cut
        })
    }

    fn carry(&self, client: TcpStream, server: TcpStream) {
        let kept = client.try_clone().unwrap();
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        let is_deaf = Arc::new(AtomicBool::new(false));
        let (mut from_server, mut to_client) =
            (server.try_clone().unwrap(), client.try_clone().unwrap());
        let deaf = Arc::clone(&is_deaf);
        let kills_here = Arc::new(AtomicBool::new(false));
        let (kills, killed) = (Arc::clone(&self.kills), Arc::clone(&kills_here));
        drop(thread::spawn(move || {
            let mut bytes = [0; 1 << 14];
            while let Ok(count @ 1..) = from_server.read(&mut bytes) {
                // The server has answered: only now does the client lose its connection.
                if deaf.load(Ordering::SeqCst) || to_client.write_all(&bytes[..count]).is_err() {
                    break;
                }
                if killed.load(Ordering::SeqCst) {
                    *kills.0.lock().unwrap() += 1;
                    kills.1.notify_all();
                }
            }
            drop(to_client.shutdown(Shutdown::Both));
        }));
        let (mut client, mut server, here) = (client, server, self.clone());
        drop(thread::spawn(move || {
            let mut bytes = [0; 1 << 14];
            while let Ok(count @ 1..) = client.read(&mut bytes) {
                let cut = here.taken(&bytes[..count]);
                if cut == Some(Cut::Before) {
                    here.was_cut.store(true, Ordering::SeqCst);
                    break;
                }
                if cut == Some(Cut::After) {
                    is_deaf.store(true, Ordering::SeqCst);
                    here.was_cut.store(true, Ordering::SeqCst);
                }
                if cut == Some(Cut::Overtaken) {
                    here.was_cut.store(true, Ordering::SeqCst);
                    let (kills, more) = &*here.kills;
                    let count = kills.lock().unwrap();
                    let (count, late) =
                        more.wait_timeout_while(count, PATIENCE, |count| *count == 0).unwrap();
                    drop(count);
                    // Nobody ordered it. Without a connection, the test ends too.
                    if late.timed_out() {
                        break;
                    }
                }
                if has(&bytes[..count], b"KILL QUERY") {
                    kills_here.store(true, Ordering::SeqCst);
                }
                if server.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            drop(server.shutdown(Shutdown::Both));
            drop(client.shutdown(Shutdown::Both));
        }));
    }
}
