//! One server.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::http::{Endpoint, EndpointBuilder};
use crate::testing::fault::{Fault, Scope};
use crate::testing::product::{Ending, Product, World};
use crate::testing::wire::{Reply, Seen};

/// Between two bytes that drip.
const DRIP: Duration = Duration::from_millis(20);

/// A server of one product on a free port of 127.0.0.1, which is gone when this value is.
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::testing::{Fault, Product, ProductServer, Scope};
/// use placet_target_deploy::{Exchange, HttpFailureKind, HttpRequest};
///
/// let server = ProductServer::start(Product::Rundeck);
/// let rundeck = server.endpoint().build()?;
/// let act = Exchange::writing(Duration::from_secs(60), &StopSignal::new());
/// let run = HttpRequest::new("POST", "/api/41/job/7/run").with_body(r#"{"options":{"tag":"1.2"}}"#);
///
/// server.fail(Scope::Writes, Fault::LoseReply, 1);
/// let lost = rundeck.send(&run, &act).unwrap_err();
/// assert_eq!((lost.kind(), server.begun()), (HttpFailureKind::Unknown, 1));
/// assert_eq!(rundeck.send(&run, &act)?.status, 200);
/// assert_eq!(server.begun(), 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ProductServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    product: Product,
    world: Mutex<World>,
    seen: Mutex<Vec<Seen>>,
    faults: Mutex<Vec<(Scope, Fault, usize)>>,
    // How often held answers were let go.
    released: Mutex<u64>,
    letting_go: Condvar,
    is_over: AtomicBool,
    // So that nobody is waited for at the end.
    streams: Mutex<Vec<TcpStream>>,
    connections: Mutex<Vec<JoinHandle<()>>>,
    tls: Option<Arc<ServerConfig>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProductServer {
    /// Starts one without encryption.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn start(product: Product) -> Self {
        Self::serve(product, None)
    }

    /// Starts one that shows this certificate, both in PEM form.
    ///
    /// # Panics
    ///
    /// If no port is free, or certificate and key cannot be used.
    #[expect(clippy::expect_used, reason = "a test that cannot begin is over")]
    pub fn start_tls(product: Product, certificate: &str, key: &str) -> Self {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("the key can be read");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the versions are known")
            .with_no_client_auth()
            .with_single_cert(chain.expect("the certificate can be read"), key)
            .expect("certificate and key fit");
        Self::serve(product, Some(Arc::new(config)))
    }

    #[expect(clippy::expect_used, reason = "a test that cannot begin is over")]
    fn serve(product: Product, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("the port has a number");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let world = World { base: format!("{scheme}://{address}"), ..World::default() };
        let shared = Arc::new(Shared {
            product,
            world: Mutex::new(world),
            seen: Mutex::default(),
            faults: Mutex::default(),
            released: Mutex::default(),
            letting_go: Condvar::new(),
            is_over: AtomicBool::new(false),
            streams: Mutex::default(),
            connections: Mutex::default(),
            tls,
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Its address, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        lock(&self.shared.world).base.clone()
    }

    /// An endpoint for it, with its credential and the rules that its product needs.
    pub fn endpoint(&self) -> EndpointBuilder {
        let endpoint = Endpoint::builder(&self.url()).allow_private_addresses();
        let endpoint = self.shared.product.credentials(endpoint);
        let endpoint =
            if self.shared.tls.is_none() { endpoint.allow_plain_http() } else { endpoint };
        self.shared.product.rules(endpoint)
    }

    /// How many deployments were begun, or issues created, whatever was answered.
    pub fn begun(&self) -> usize {
        let world = lock(&self.shared.world);
        world.works.len().saturating_add(world.issues.len())
    }

    /// Each request that came, also those without a credential.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// Meets the next so many requests with a fault.
    pub fn fail(&self, scope: Scope, fault: Fault, times: usize) {
        lock(&self.shared.faults).push((scope, fault, times));
    }

    /// Lets every answer go that is held back.
    pub fn release(&self) {
        let mut released = lock(&self.shared.released);
        *released = released.saturating_add(1);
        drop(released);
        self.shared.letting_go.notify_all();
    }

    /// Has what is begun from here on end so, after it was looked at so often.
    pub fn ends(&self, ending: Ending, after_looks: u32) {
        let mut world = lock(&self.shared.world);
        (world.ending, world.looks) = (ending, after_looks);
    }
}

impl ProductServer {
    /// Ends it, and tells each request that came, with all that came after it.
    pub fn finish(mut self) -> Vec<Seen> {
        self.end();
        self.seen()
    }

    fn end(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.release();
        for stream in lock(&self.shared.streams).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        // Wakes who waits for the next connection.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
        let connections = core::mem::take(&mut *lock(&self.shared.connections));
        for connection in connections {
            drop(connection.join());
        }
    }
}

impl Drop for ProductServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.is_over.load(Ordering::Acquire) {
            return;
        }
        let (Ok(copy), Ok(closer)) = (stream.try_clone(), stream.try_clone()) else { continue };
        lock(&shared.streams).push(copy);
        let serving = Arc::clone(shared);
        // It ends with its connection, which the server closes at the latest when it is dropped.
        let connection = thread::spawn(move || {
            match serving.tls.clone().map(ServerConnection::new) {
                None => drop(serving.serve(stream)),
                Some(Ok(tls)) => drop(serving.serve(StreamOwned::new(tls, stream))),
                Some(Err(_unable)) => {}
            }
            // The copy would keep it open.
            drop(closer.shutdown(Shutdown::Both));
        });
        lock(&shared.connections).push(connection);
    }
}

impl Shared {
    /// One connection has one request.
    fn serve(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let Some(seen) = Seen::read(&mut stream)? else { return Ok(()) };
        let place = {
            let mut all = lock(&self.seen);
            all.push(seen.clone());
            all.len().saturating_sub(1)
        };
        let fault = self.next_fault(&seen);
        let is_left_out = matches!(fault, Some(Fault::ServerError | Fault::LoseRequest));
        let reply = if !self.knows(&seen) {
            Reply::json(401, &json!({ "message": "401 Unauthorized" }))
        } else if is_left_out {
            Reply::json(500, &json!({ "message": "500 Internal Server Error" }))
        } else {
            self.shared_answer(&seen)
        };
        self.send(&mut stream, fault, &reply, &seen)?;
        // What still comes is a second request, which nobody should have sent.
        let mut rest = Vec::new();
        let _closed = stream.read_to_end(&mut rest);
        if let Some(seen) = lock(&self.seen).get_mut(place) {
            seen.left_over.extend(rest);
        }
        Ok(())
    }

    fn shared_answer(&self, seen: &Seen) -> Reply {
        let mut world = lock(&self.world);
        self.product.answer(&mut world, seen)
    }

    fn knows(&self, seen: &Seen) -> bool {
        self.product.knows(seen)
    }

    fn next_fault(&self, seen: &Seen) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let is_met = |scope: Scope| scope == Scope::All || self.product.writes(seen);
        let found = faults.iter_mut().find(|(scope, _, times)| *times > 0 && is_met(*scope));
        found.map(|(_, fault, times)| {
            *times = times.saturating_sub(1);
            fault.clone()
        })
    }

    fn send(
        &self,
        stream: &mut impl Write,
        fault: Option<Fault>,
        reply: &Reply,
        seen: &Seen,
    ) -> io::Result<()> {
        // A 204 has no body (RFC 9110, section 15.3.5): nothing of it could be cut, slow or too large.
        let full = Reply { status: 200, ..reply.clone() };
        let reply = if reply.status == 204 && fault.as_ref().is_some_and(Fault::is_about_the_body) {
            &full
        } else {
            reply
        };
        let bytes = reply.bytes();
        let half =
            bytes.len().saturating_sub(reply.body.len()).saturating_add(reply.body.len() / 2);
        match fault {
            None | Some(Fault::ServerError) => stream.write_all(&bytes)?,
            Some(Fault::LoseReply | Fault::LoseRequest) => return Err(closed()),
            Some(Fault::DuplicateReply) => stream.write_all(&[&*bytes, &*bytes].concat())?,
            Some(Fault::HoldReply) => {
                self.hold();
                stream.write_all(&bytes)?;
            }
            Some(Fault::Redirect { to }) => {
                stream.write_all(&Reply::empty(302).with_header("Location", to).bytes())?;
            }
            Some(Fault::OversizedBody { bytes }) => {
                stream.write_all(&reply.head(bytes))?;
                stream.write_all(&vec![b'x'; bytes])?;
            }
            Some(Fault::ManyHeaders { count }) => {
                let many = (0..count).fold(reply.clone(), |reply, number| {
                    reply.with_header(&format!("X-Header-{number}"), "x")
                });
                stream.write_all(&many.bytes())?;
            }
            Some(Fault::DripBody) => {
                stream.write_all(&reply.head(1 << 20))?;
                self.drip(stream, b" ")?;
            }
            Some(Fault::DripHead) => self.drip(stream, b"HTTP/1.1 200 O")?,
            Some(Fault::CutBody) => {
                let bytes = if reply.body.is_empty() { reply.head(9) } else { bytes };
                stream.write_all(bytes.get(..half).unwrap_or(&bytes))?;
                stream.flush()?;
                return Err(closed());
            }
            Some(Fault::CutHead) => {
                stream.write_all(bytes.get(..9).unwrap_or_default())?;
                stream.flush()?;
                return Err(closed());
            }
            Some(Fault::Garbage) => stream.write_all(b"220 mail.example.org ESMTP\r\n\r\n")?,
            Some(Fault::Compressed) => {
                let reply = reply.clone().with_header("Content-Encoding", "gzip");
                stream.write_all(&reply.bytes())?;
            }
            Some(Fault::Echo) => stream.write_all(&echo(reply, seen).bytes())?,
        }
        stream.flush()
    }

    /// Waits until somebody lets go, or the server is over.
    fn hold(&self) {
        let mut released = lock(&self.released);
        let before = *released;
        while *released == before && !self.is_over.load(Ordering::Acquire) {
            released = self.letting_go.wait(released).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn drip(&self, stream: &mut impl Write, start: &[u8]) -> io::Result<()> {
        for byte in start.iter().chain(core::iter::repeat(&b' ')) {
            if self.is_over.load(Ordering::Acquire) {
                break;
            }
            stream.write_all(&[*byte])?;
            stream.flush()?;
            thread::park_timeout(DRIP);
        }
        Ok(())
    }
}

/// Everything that came, in every form in which a server repeats things.
fn echo(reply: &Reply, seen: &Seen) -> Reply {
    let mut echo = Reply { status: 200, body: seen.head.clone(), ..reply.clone() };
    echo.body.extend_from_slice(&seen.body);
    echo.body.extend_from_slice(
        json!({ "head": String::from_utf8_lossy(&seen.head) }).to_string().as_bytes(),
    );
    for (number, (name, value)) in seen.headers.iter().enumerate() {
        echo = echo.with_header(&format!("X-Echo-{number}"), format!("{name} {value}"));
        echo = echo.with_header(name, value);
    }
    echo.headers.retain(|(name, _)| !["content-length", "connection"].contains(&&**name));
    echo.with_header("Set-Cookie", "session=0123456789")
}

fn closed() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionAborted)
}
