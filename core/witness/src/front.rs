//! The network of a witness of our own: HTTP/1.1 on loopback, with limits.

use core::convert::Infallible;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use placet_core::error::{Code, Error};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};

use crate::server::{Answer, REQUEST_BYTES_MAX, WitnessServer};

/// How much a witness takes from whoever asks.
///
/// ```
/// use placet_witness::FrontOptions;
/// let options = FrontOptions::default().with_connections_max(8).with_request_ms_max(2_000);
/// assert_eq!((options.connections_max, options.request_ms_max), (8, 2_000));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FrontOptions {
    /// How many connections are open at once; others wait to be taken. Default 64.
    pub connections_max: usize,
    /// How long a request may take to arrive, headers and body each, in milliseconds. Default 10,000.
    pub request_ms_max: u64,
    /// How long a connection may be open, whatever it does, in milliseconds. Default 300,000.
    pub connection_ms_max: u64,
}

impl Default for FrontOptions {
    fn default() -> Self {
        Self { connections_max: 64, request_ms_max: 10_000, connection_ms_max: 300_000 }
    }
}

impl FrontOptions {
    /// Sets how many connections are open at once.
    #[must_use]
    pub fn with_connections_max(mut self, count: usize) -> Self {
        self.connections_max = count;
        self
    }

    /// Sets how long a request may take to arrive, in milliseconds.
    #[must_use]
    pub fn with_request_ms_max(mut self, ms: u64) -> Self {
        self.request_ms_max = ms;
        self
    }

    /// Sets how long a connection may be open, in milliseconds.
    #[must_use]
    pub fn with_connection_ms_max(mut self, ms: u64) -> Self {
        self.connection_ms_max = ms;
        self
    }
}

/// A witness that answers HTTP on an address of this machine, on a thread of its own, until it is dropped.
///
/// Its requests are not encrypted, so it takes loopback addresses only: put a proxy that speaks TLS before it.
///
/// ```
/// # use std::sync::Arc;
/// # use placet_core::audit::Ed25519Signer;
/// # use placet_core::testing::{ManualClock, MemoryHeads, Office};
/// # use placet_witness::{FrontOptions, WitnessFront, WitnessServer};
/// # let (gate, _) = Office::in_memory()?;
/// # let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32])?;
/// # let clock = ManualClock::at("2026-02-07T12:00:00Z".parse()?);
/// # let server = WitnessServer::new(Arc::new(signer), Arc::new(MemoryHeads::default()), Arc::new(clock))?;
/// let server = server.with_log(gate.origin(), vec![gate.verifier_key().clone()]);
/// let front = WitnessFront::start(Arc::new(server), "127.0.0.1:0".parse()?, FrontOptions::default())?;
/// assert_ne!(front.address().port(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WitnessFront {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WitnessFront {
    /// Begins to answer for `server` at `address`; port 0 takes a free one.
    ///
    /// Fails with `invalid_input` for an address that is not loopback, and with `internal` when the address or a thread
    /// cannot be had.
    pub fn start(
        server: Arc<WitnessServer>,
        address: SocketAddr,
        options: FrontOptions,
    ) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            let sentence =
                format!("the witness does not answer at `{address}`: requests are not encrypted");
            return Err(Error::new(Code::InvalidInput, sentence)
                .with_help("use 127.0.0.1 or ::1, and put a proxy that speaks TLS before it"));
        }
        let unusable = |source: std::io::Error| {
            Error::new(Code::Internal, format!("the witness cannot answer at `{address}`"))
                .with_help("look at the cause: somebody else may have the port")
                .with_source(source)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(unusable)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("placet-witness".to_owned()).spawn(move || {
            drop(runtime.spawn(accept(listener, server, options)));
            // An error means that the sender is gone, which says the same.
            let _stopped = runtime.block_on(stopped);
            // A request whose record is being written ends by itself: it only missed its answer.
            runtime.shutdown_background();
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread.map_err(unusable)?) })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for WitnessFront {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, server: Arc<WitnessServer>, options: FrontOptions) {
    let places = Arc::new(Semaphore::new(options.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(&server);
                drop(tokio::spawn(async move {
                    serve(stream, server, options).await;
                    drop(place);
                }));
            }
            // Out of files, most likely: others must end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TcpStream, server: Arc<WitnessServer>, options: FrontOptions) {
    let limit = Duration::from_millis(options.request_ms_max);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(response(answer(request, server, limit).await)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever breaks off or is late hears nothing; there is nobody to tell.
    let _ended =
        tokio::time::timeout(Duration::from_millis(options.connection_ms_max), connection).await;
}

async fn answer(request: Request<Incoming>, server: Arc<WitnessServer>, limit: Duration) -> Answer {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BYTES_MAX).collect();
    let body = match tokio::time::timeout(limit, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Answer::refusal(413, "the request is too long, or broke off"),
        Err(_late) => return Answer::refusal(408, "the request did not arrive in time"),
    };
    let (method, path) = (head.method.as_str().to_owned(), head.uri.path().to_owned());
    // Beside this thread: it waits for the disk.
    let answered = tokio::task::spawn_blocking(move || server.handle(&method, &path, &body)).await;
    answered.unwrap_or_else(|_panicked| Answer::refusal(500, "the witness failed"))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = HeaderValue::from_static(answer.content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
