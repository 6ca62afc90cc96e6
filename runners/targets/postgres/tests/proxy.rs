//! A network between target and server that is cut at a message which the test chooses.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Where it is cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// The message does not reach the server.
    Before,
    /// It does, and the answer does not come back.
    After,
}

type Plan = Arc<Mutex<Option<(Cut, Vec<u8>)>>>;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Plan,
    cuts: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, plan: Plan::default(), cuts: Arc::default() };
        let (plan, cuts) = (Arc::clone(&proxy.plan), Arc::clone(&proxy.cuts));
        drop(thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server_port)).unwrap();
                let (plan, cuts) = (Arc::clone(&plan), Arc::clone(&cuts));
                drop(thread::spawn(move || pass(&client, &server, &plan, &cuts)));
            }
        }));
        proxy
    }

    /// Cuts at the next piece of what is sent that holds these bytes.
    pub(crate) fn arm(&self, cut: Cut, at: &str) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((cut, at.as_bytes().to_vec()));
    }

    /// How often it was cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn pass(client: &TcpStream, server: &TcpStream, plan: &Plan, cuts: &AtomicU64) {
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
        if let Some((cut, _)) = cut {
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
