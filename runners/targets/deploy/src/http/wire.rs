//! One exchange over one connection.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread;

use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use placet_target::points;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, interval, timeout};
use tokio_rustls::TlsConnector;

use crate::Exchange;
use crate::http::address::is_allowed;
use crate::http::endpoint::{Endpoint, Prepared};
use crate::http::failure::{HttpFailure, Trouble};
use crate::http::request::HttpResponse;
use crate::http::sent::{Track, Tracked};
use crate::http::url::Host;
use crate::points::{ANSWER_BEGUN, ANSWER_WHOLE};

/// Between two looks at the stop signal.
const LOOK: Duration = Duration::from_millis(25);

/// How many addresses of one name are tried.
const ADDRESSES_MAX: usize = 4;

/// The smallest buffer that the HTTP library takes.
const BUFFER_BYTES_MIN: usize = 8 << 10;

/// Sends and waits, until the time is over or somebody says stop. Either way the connection is gone afterwards.
pub(super) fn exchange(
    endpoint: &Endpoint,
    prepared: Prepared,
    call: &Exchange,
) -> Result<HttpResponse, HttpFailure> {
    let track = Arc::new(Track::default());
    let is_write = prepared.is_write;
    let work = bounded(endpoint, prepared, call, &track);
    let ended = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_cause| Trouble::Unusable)
        .and_then(|runtime| drive(runtime, work));
    ended.map_err(|trouble| trouble.told(track.progress(is_write)))
}

/// Waits on this thread, or on another one where this one belongs to somebody's runtime.
fn drive(
    runtime: Runtime,
    work: impl Future<Output = Result<HttpResponse, Trouble>> + Send,
) -> Result<HttpResponse, Trouble> {
    let ended = if Handle::try_current().is_err() {
        runtime.block_on(work)
    } else {
        thread::scope(|scope| {
            let waiter = thread::Builder::new().spawn_scoped(scope, || runtime.block_on(work));
            waiter
                .map_err(|_cause| Trouble::Unusable)?
                .join()
                // Where it stood nobody knows; what was sent is noted beside it.
                .unwrap_or(Err(Trouble::Lost))
        })
    };
    // Waits for nobody: not for a name server that does not answer either.
    runtime.shutdown_background();
    ended
}

async fn bounded(
    endpoint: &Endpoint,
    prepared: Prepared,
    call: &Exchange,
    track: &Arc<Track>,
) -> Result<HttpResponse, Trouble> {
    let stopped = async {
        let mut looks = interval(LOOK);
        loop {
            looks.tick().await;
            if let Some(reason) = call.stop.raised() {
                break reason;
            }
        }
    };
    let limit = call.time_left.min(endpoint.limits.duration);
    tokio::select! {
        biased;
        ended = timeout(limit, converse(endpoint, prepared, (call, limit), track)) => {
            ended.unwrap_or(Err(Trouble::Late))
        }
        reason = stopped => Err(Trouble::Stopped(reason)),
    }
}

async fn converse(
    endpoint: &Endpoint,
    prepared: Prepared,
    (call, limit): (&Exchange, Duration),
    track: &Arc<Track>,
) -> Result<HttpResponse, Trouble> {
    let begun = Instant::now();
    // A process that stood still goes on where it was, before any timer is looked at.
    let may_send = || match call.stop.raised() {
        Some(reason) => Err(Trouble::Stopped(reason)),
        None if begun.elapsed() >= limit => Err(Trouble::Late),
        None => Ok(()),
    };
    let stream = connect(endpoint).await?;
    let Some(tls) = &endpoint.tls else {
        may_send()?;
        return speak(endpoint, prepared, stream, track).await;
    };
    let connector = TlsConnector::from(Arc::clone(tls));
    let stream =
        connector.connect(endpoint.server.clone(), stream).await.map_err(|error| of_tls(&error))?;
    may_send()?;
    speak(endpoint, prepared, stream, track).await
}

/// Looks the name up once, looks at what came, and goes there and nowhere else.
async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Trouble> {
    let addresses: Vec<IpAddr> = match &endpoint.base.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => {
            let (resolver, name) = (Arc::clone(&endpoint.resolver), name.clone());
            let asked = tokio::task::spawn_blocking(move || resolver.resolve(&name)).await;
            asked.map_err(|_panicked| Trouble::Unresolved)?.map_err(|_cause| Trouble::Unresolved)?
        }
    };
    let is_fine = |address: &IpAddr| is_allowed(*address, endpoint.is_private_allowed);
    // A public name that also leads inside is somebody's attempt.
    if !addresses.iter().all(is_fine) {
        return Err(Trouble::RefusedAddress);
    }
    let mut trouble = Trouble::Unresolved;
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        let Ok(stream) = TcpStream::connect(SocketAddr::new(address, endpoint.base.port)).await
        else {
            trouble = Trouble::Unconnected;
            continue;
        };
        // Where the socket says that it is counts, not what was asked for.
        let Ok(peer) = stream.peer_addr() else { return Err(Trouble::Unconnected) };
        if peer.ip() != address || !is_fine(&peer.ip()) {
            return Err(Trouble::RefusedAddress);
        }
        return Ok(stream);
    }
    Err(trouble)
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    endpoint: &Endpoint,
    prepared: Prepared,
    stream: S,
    track: &Arc<Track>,
) -> Result<HttpResponse, Trouble> {
    let stream = TokioIo::new(Tracked { inner: stream, track: Arc::clone(track) });
    let limits = endpoint.limits;
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(limits.headers)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(BUFFER_BYTES_MIN))
        .handshake(stream)
        .await
        .map_err(|_cause| Trouble::Lost)?;
    // Its errors reach whoever waits for the answer. It goes with the runtime of this call.
    let _task = tokio::spawn(async { drop(connection.await) });
    let answer = sender.send_request(prepared.request).await.map_err(|error| of_http(&error))?;
    let status = answer.status().as_u16();
    track.answered(status);
    points::reached(ANSWER_BEGUN);
    read(endpoint, status, answer).await
}

/// Reads the whole answer, or nothing of it.
async fn read(
    endpoint: &Endpoint,
    status: u16,
    answer: Response<Incoming>,
) -> Result<HttpResponse, Trouble> {
    let (head, mut body) = answer.into_parts();
    endpoint.check_head(status, &head.headers)?;
    let most = endpoint.limits.response_bytes;
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_cut| Trouble::Lost)?;
        // What comes after a body as headers is nobody's business.
        let Ok(data) = frame.into_data() else { continue };
        if whole.len().saturating_add(data.len()) > most {
            return Err(Trouble::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    points::reached(ANSWER_WHOLE);
    endpoint.clean(status, &head.headers, &whole)
}

fn of_tls(error: &io::Error) -> Trouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Trouble::Certificate,
        _ => Trouble::Tls,
    }
}

fn of_http(error: &hyper::Error) -> Trouble {
    if error.is_parse_too_large() {
        Trouble::TooLarge
    } else if error.is_parse() {
        Trouble::Protocol
    } else {
        Trouble::Lost
    }
}
