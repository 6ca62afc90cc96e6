//! Packets over a socket. Whoever waits looks at the stop signal every 25 ms.

use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use placet_target::StopSignal;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::wire::{Ending, Fault};

/// Between two looks at the stop signal.
pub(crate) const TICK: Duration = Duration::from_millis(25);

/// The longest piece of a packet; a longer packet goes on in the next piece.
const PIECE_BYTES_MAX: usize = 0xff_ff_ff;

/// How much of a packet that nobody wants is looked at.
const SKIMMED_BYTES_MAX: usize = 512;

/// How long somebody waits for bytes, and what for. A server that sends a byte now and then does not make it longer.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    stop: Option<StopSignal>,
    until: Option<Instant>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "ends waits for a server, and must not follow a clock that somebody sets"
)]
fn now() -> Instant {
    Instant::now()
}

impl Patience {
    /// Until the signal is raised, and no longer than `ms`.
    pub(crate) fn until(stop: &StopSignal, ms: Option<u64>) -> Self {
        Self { stop: Some(stop.clone()), until: ms.and_then(after) }
    }

    /// So long, whatever is raised.
    pub(crate) fn of_ms(ms: u64) -> Self {
        Self { stop: None, until: after(ms) }
    }

    /// Looks at the signal and at the time.
    pub(crate) fn look(&self) -> Result<(), Fault> {
        match self.stop.as_ref().and_then(StopSignal::raised) {
            Some(reason) => Err(Fault::Stopped(reason, Ending::Unheard)),
            None if self.until.is_some_and(|until| now() >= until) => {
                Err(Fault::Late(Ending::Unheard))
            }
            None => Ok(()),
        }
    }
}

fn after(ms: u64) -> Option<Instant> {
    now().checked_add(Duration::from_millis(ms))
}

/// What carries the bytes.
pub(crate) enum Carrier {
    Tcp(TcpStream),
    #[cfg(unix)]
    Socket(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Closed,
}

impl Carrier {
    /// Lets reads and writes give up after one tick.
    pub(crate) fn set_up(&self) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TICK))?;
                stream.set_write_timeout(Some(TICK))
            }
            #[cfg(unix)]
            Self::Socket(stream) => {
                stream.set_read_timeout(Some(TICK))?;
                stream.set_write_timeout(Some(TICK))
            }
            Self::Tls(_) | Self::Closed => Ok(()),
        }
    }
}

impl Read for Carrier {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(to),
            #[cfg(unix)]
            Self::Socket(stream) => stream.read(to),
            Self::Tls(stream) => read_encrypted(stream, to),
            Self::Closed => Ok(0),
        }
    }
}

impl Write for Carrier {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(from),
            #[cfg(unix)]
            Self::Socket(stream) => stream.write(from),
            Self::Tls(stream) => stream.write(from),
            Self::Closed => Ok(0),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            #[cfg(unix)]
            Self::Socket(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
            Self::Closed => Ok(()),
        }
    }
}

/// Reads once from the socket, and what is whole of it: whoever waits looks at the time between two reads.
fn read_encrypted(
    stream: &mut StreamOwned<ClientConnection, TcpStream>,
    to: &mut [u8],
) -> std::io::Result<usize> {
    let (connection, socket) = (&mut stream.conn, &mut stream.sock);
    if connection.wants_write() {
        let _sent = connection.write_tls(socket)?;
    }
    if connection.wants_read() {
        let _read = connection.read_tls(socket)?;
        let state = connection.process_new_packets();
        let _state = state.map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))?;
    }
    connection.reader().read(to)
}

/// Packets over a socket.
pub(crate) struct Link {
    carrier: Carrier,
    /// The number that the next piece bears, in either direction.
    next: u8,
    /// What came, of which so many bytes are used up.
    came: Vec<u8>,
    used: usize,
    /// The pieces so far of a packet in several.
    pieces: Vec<u8>,
}

/// What became of a read or a write that may give up.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else it is, the connection is gone")]
fn waits(done: std::io::Result<usize>) -> Result<Option<usize>, Fault> {
    match done {
        Ok(0) => Err(Fault::Broken("the connection ended")),
        Ok(count) => Ok(Some(count)),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(None),
            _ => Err(Fault::Broken("the connection broke")),
        },
    }
}

impl Link {
    pub(crate) const fn new(carrier: Carrier) -> Self {
        Self { carrier, next: 0, came: Vec::new(), used: 0, pieces: Vec::new() }
    }

    /// Says that a new exchange begins.
    pub(crate) fn begin(&mut self) {
        self.next = 0;
        self.pieces.clear();
    }

    /// Whether others on the way can read what is sent.
    pub(crate) fn is_private(&self) -> bool {
        match &self.carrier {
            #[cfg(unix)]
            Carrier::Socket(_) => true,
            Carrier::Tls(_) => true,
            Carrier::Tcp(_) | Carrier::Closed => false,
        }
    }

    /// Nothing is sent and nothing comes any more.
    pub(crate) fn close(&mut self) {
        self.carrier = Carrier::Closed;
    }

    /// Goes on encrypted. What came before and was not read yet is nobody's word.
    pub(crate) fn encrypt(
        &mut self,
        config: Arc<ClientConfig>,
        host: &str,
        patience: &Patience,
    ) -> Result<(), Fault> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Fault::Broken("the host of the target is no name that TLS knows"))?;
        let connection = ClientConnection::new(config, name)
            .map_err(|_| Fault::Broken("TLS cannot be set up"))?;
        let Carrier::Tcp(stream) = core::mem::replace(&mut self.carrier, Carrier::Closed) else {
            return Err(Fault::Malformed);
        };
        if self.used < self.came.len() {
            return Err(Fault::Malformed);
        }
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            patience.look()?;
            if stream.conn.wants_write() {
                let _sent = waits(stream.conn.write_tls(&mut stream.sock))?;
            } else if waits(stream.conn.read_tls(&mut stream.sock))?.is_some()
                && stream.conn.process_new_packets().is_err()
            {
                // So that the server learns why.
                drop(stream.conn.write_tls(&mut stream.sock));
                return Err(Fault::Broken("the server's certificate is not trusted"));
            }
        }
        self.carrier = Carrier::Tls(Box::new(stream));
        Ok(())
    }

    /// Sends one packet.
    pub(crate) fn send(&mut self, payload: &[u8]) -> Result<(), Fault> {
        // At least 64 bytes in each millisecond, and half a minute for nothing.
        let most = u64::try_from(payload.len() / 64).unwrap_or(u64::MAX).saturating_add(30_000);
        let patience = Patience::of_ms(most);
        let mut bytes = Vec::with_capacity(payload.len().saturating_add(8));
        let mut rest = payload;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(PIECE_BYTES_MAX));
            let [a, b, c, _] = u32::try_from(piece.len()).unwrap_or(0).to_le_bytes();
            bytes.extend([a, b, c, self.next]);
            bytes.extend_from_slice(piece);
            self.next = self.next.wrapping_add(1);
            rest = after;
            // A packet that fills its last piece ends with an empty one.
            if piece.len() < PIECE_BYTES_MAX {
                break;
            }
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            patience.look()?;
            let count = waits(self.carrier.write(rest))?.unwrap_or(0);
            rest = rest.get(count..).unwrap_or_default();
        }
        while waits(self.carrier.flush().map(|()| 1))?.is_none() {
            patience.look()?;
        }
        Ok(())
    }

    /// The next packet, of at most so many bytes. After an error of `patience` it can be asked for again.
    pub(crate) fn packet(&mut self, max: usize, patience: &Patience) -> Result<Vec<u8>, Fault> {
        loop {
            let length = self.head(patience)?;
            if self.pieces.len().saturating_add(length) > max {
                return Err(Fault::Limit("a row of the answer is too large".to_owned()));
            }
            self.fill(length.saturating_add(4), patience)?;
            self.check_number()?;
            let start = self.used.saturating_add(4);
            let end = start.saturating_add(length);
            let piece = self.came.get(start..end).ok_or(Fault::Malformed)?;
            self.pieces.extend_from_slice(piece);
            self.used = end;
            if length < PIECE_BYTES_MAX {
                return Ok(core::mem::take(&mut self.pieces));
            }
        }
    }

    /// Waits for the first byte of the next packet, and takes nothing.
    pub(crate) fn wait(&mut self, patience: &Patience) -> Result<(), Fault> {
        self.fill(1, patience)
    }

    /// The beginning of the next packet, and how long it was. The rest is thrown away as it comes.
    pub(crate) fn skim(&mut self, patience: &Patience) -> Result<(Vec<u8>, usize), Fault> {
        let mut seen = core::mem::take(&mut self.pieces);
        let mut whole = seen.len();
        loop {
            let length = self.head(patience)?;
            self.check_number()?;
            self.used = self.used.saturating_add(4);
            whole = whole.saturating_add(length);
            let mut left = length;
            while left > 0 {
                self.fill(1, patience)?;
                let came = self.came.get(self.used..).unwrap_or_default();
                let part = came.get(..left.min(came.len())).unwrap_or_default();
                let room = SKIMMED_BYTES_MAX.saturating_sub(seen.len()).min(part.len());
                seen.extend_from_slice(part.get(..room).unwrap_or_default());
                left = left.saturating_sub(part.len());
                self.used = self.used.saturating_add(part.len());
            }
            if length < PIECE_BYTES_MAX {
                return Ok((seen, whole));
            }
        }
    }

    /// How long the next piece is.
    fn head(&mut self, patience: &Patience) -> Result<usize, Fault> {
        self.fill(4, patience)?;
        match self.came.get(self.used..) {
            Some([a, b, c, _, ..]) => usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).ok(),
            Some(_) | None => None,
        }
        .ok_or(Fault::Malformed)
    }

    fn check_number(&mut self) -> Result<(), Fault> {
        if self.came.get(self.used.saturating_add(3)) != Some(&self.next) {
            return Err(Fault::Malformed);
        }
        self.next = self.next.wrapping_add(1);
        Ok(())
    }

    /// Waits until so many unused bytes are there.
    fn fill(&mut self, count: usize, patience: &Patience) -> Result<(), Fault> {
        if self.used > 1 << 16 || self.used == self.came.len() {
            self.came.drain(..self.used);
            self.used = 0;
        }
        while self.came.len().saturating_sub(self.used) < count {
            patience.look()?;
            let mut part = [0; 1 << 14];
            let read = waits(self.carrier.read(&mut part))?.unwrap_or(0);
            self.came.extend_from_slice(part.get(..read).unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::{Carrier, Fault, Link, Patience, TICK};

    /// A byte before each tick is over: nothing is silent, and nothing is said.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a server that lets us wait")]
    fn a_server_that_drips_is_late() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let carrier = Carrier::Socket(near);
        carrier.set_up().unwrap();
        let mut link = Link::new(carrier);
        let dripping = thread::spawn(move || {
            let packet = [&[250, 0, 0, 0][..], &[7; 250]].concat();
            for byte in packet {
                if far.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(TICK / 2);
            }
        });
        let heard = link.packet(1 << 10, &Patience::of_ms(200));
        assert!(matches!(heard, Err(Fault::Late(_))), "{heard:?}");
        // What nobody wants does not take longer, either.
        let skimmed = link.skim(&Patience::of_ms(200));
        assert!(matches!(skimmed, Err(Fault::Late(_))), "{skimmed:?}");
        drop(link);
        dripping.join().unwrap();
    }
}
