//! From a place to a client that is logged in.

use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;

use core::time::Duration;

use placet_target::StopSignal;

use crate::wire::answer::error_of;
use crate::wire::cursor::Cursor;
use crate::wire::link::{Carrier, Link, Patience, TICK};
use crate::wire::login::Way;
use crate::wire::place::At;
use crate::wire::trust::Trust;
use crate::wire::{Fault, Place};

// What client and server agree on; the names are those of the manual. Several statements in one text
// (CLIENT_MULTI_STATEMENTS) and LOCAL INFILE (CLIENT_LOCAL_FILES) are never asked for, and rows that an UPDATE finds as
// it would leave them do not count as changed (no CLIENT_FOUND_ROWS).
const LONG_PASSWORD: u32 = 1;
const LONG_FLAG: u32 = 1 << 2;
const CONNECT_WITH_DB: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const TRANSACTIONS: u32 = 1 << 13;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;

/// `utf8mb4_general_ci`, which every server knows.
const CHARACTER_SET: u8 = 45;

/// The longest packet that is taken: a text or blob of 16 MiB, and what goes with it.
pub(crate) const PACKET_BYTES_MAX: u32 = 17 << 20;

/// The longest packet of a login.
const LOGIN_BYTES_MAX: usize = 1 << 16;

/// What the server says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// The number of this connection.
    pub(crate) id: u32,
    pub(crate) is_mariadb: bool,
    pub(crate) version: (u16, u16, u16),
}

struct Greeting {
    server: Server,
    capabilities: u32,
    challenge: Vec<u8>,
    way: Vec<u8>,
}

/// Connects, encrypts and logs in, in so many milliseconds for each of the three.
pub(crate) fn connect(
    place: &Place,
    trust: &Trust,
    stop: &StopSignal,
    ms: u64,
) -> Result<(Link, Server), Fault> {
    let config = trust.config(place)?;
    let patience = Patience::until(stop, Some(ms));
    let carrier = carrier(place, ms, &patience)?;
    carrier.set_up().map_err(|_| Fault::Broken("the connection cannot be set up"))?;
    let mut link = Link::new(carrier);
    let patience = Patience::until(stop, Some(ms));
    let greeting = greeting(&link.packet(LOGIN_BYTES_MAX, &patience)?)?;
    let mut wanted = LONG_PASSWORD
        | LONG_FLAG
        | CONNECT_WITH_DB
        | PROTOCOL_41
        | TRANSACTIONS
        | SECURE_CONNECTION
        | PLUGIN_AUTH;
    let needed = PROTOCOL_41 | CONNECT_WITH_DB | SECURE_CONNECTION | PLUGIN_AUTH;
    if greeting.capabilities & needed != needed {
        return Err(Fault::Broken("the server is older than placet knows"));
    }
    if let (Some(config), At::Host(host, _)) = (config, &place.at) {
        if greeting.capabilities & SSL == 0 {
            return Err(Fault::Broken("the server offers no TLS"));
        }
        wanted |= SSL;
        link.send(&hello(wanted))?;
        link.encrypt(config, host, &Patience::until(stop, Some(ms)))?;
    }
    log_in(&mut link, place, &greeting, wanted, &Patience::until(stop, Some(ms)))?;
    Ok((link, greeting.server))
}

/// Looking up a name and connecting cannot be interrupted: a thread does it, and nobody waits for that one.
fn carrier(place: &Place, ms: u64, patience: &Patience) -> Result<Carrier, Fault> {
    const UNREACHABLE: Fault = Fault::Broken("the server cannot be reached");
    patience.look()?;
    match &place.at {
        #[cfg(unix)]
        At::Socket(path) => UnixStream::connect(path).map(Carrier::Socket).map_err(|_| UNREACHABLE),
        #[cfg(not(unix))]
        At::Socket(_) => Err(UNREACHABLE),
        At::Host(host, port) => {
            let (tell, told) = mpsc::channel();
            let (host, port) = (host.clone(), *port);
            let work = move || {
                let addresses = (host.as_str(), port).to_socket_addrs().into_iter().flatten();
                let found = addresses.into_iter().find_map(|address| {
                    TcpStream::connect_timeout(&address, Duration::from_millis(ms.max(1))).ok()
                });
                // Nobody may wait any more.
                drop(tell.send(found));
            };
            let _worker = thread::Builder::new().spawn(work).map_err(|_| UNREACHABLE)?;
            loop {
                match told.recv_timeout(TICK) {
                    Ok(found) => return found.map(Carrier::Tcp).ok_or(UNREACHABLE),
                    Err(mpsc::RecvTimeoutError::Timeout) => patience.look()?,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Err(UNREACHABLE),
                }
            }
        }
    }
}

fn greeting(packet: &[u8]) -> Result<Greeting, Fault> {
    if packet.first() == Some(&0xff) {
        return Err(error_of(packet));
    }
    let mut cursor = Cursor(packet);
    if cursor.u8()? != 10 {
        return Err(Fault::Malformed);
    }
    let version = String::from_utf8_lossy(cursor.up_to_zero()).into_owned();
    let id = cursor.u32()?;
    let mut challenge = cursor.bytes(8)?.to_vec();
    let _filler = cursor.u8()?;
    let low = cursor.u16()?;
    let _character_set_and_status: [u8; 3] = cursor.array()?;
    let high = cursor.u16()?;
    let length = usize::from(cursor.u8()?);
    let _reserved = cursor.bytes(10)?;
    // Twenty bytes in all, and a zero that does not count.
    let rest = cursor.bytes(length.saturating_sub(8).max(13))?;
    challenge.extend(rest.iter().take(12));
    let way = cursor.up_to_zero().to_vec();
    let is_mariadb = version.contains("MariaDB");
    let version = version.strip_prefix("5.5.5-").unwrap_or(&version);
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    let mut part = || parts.next().flatten().unwrap_or(0);
    let server = Server { id, is_mariadb, version: (part(), part(), part()) };
    let capabilities = u32::from(low) | u32::from(high) << 16;
    Ok(Greeting { server, capabilities, challenge, way })
}

/// How every answer to a greeting begins; alone it asks for TLS.
fn hello(wanted: u32) -> Vec<u8> {
    let mut packet = wanted.to_le_bytes().to_vec();
    packet.extend(PACKET_BYTES_MAX.to_le_bytes());
    packet.push(CHARACTER_SET);
    packet.extend([0; 23]);
    packet
}

fn log_in(
    link: &mut Link,
    place: &Place,
    greeting: &Greeting,
    wanted: u32,
    patience: &Patience,
) -> Result<(), Fault> {
    // A way that is not known yet is taken up once the server insists on it for this user.
    let mut way = Way::named(&greeting.way).unwrap_or(Way::Native);
    let answer = way.answer(&place.password, &greeting.challenge);
    let mut packet = hello(wanted);
    packet.extend_from_slice(place.user.as_bytes());
    packet.push(0);
    packet.push(u8::try_from(answer.len()).map_err(|_| Fault::Malformed)?);
    packet.extend(answer);
    packet.extend_from_slice(place.database.as_bytes());
    packet.push(0);
    packet.extend_from_slice(way.name());
    packet.push(0);
    link.send(&packet)?;
    // A switch to another way, two words about it, and the last one.
    for _ in 0..6 {
        let packet = link.packet(LOGIN_BYTES_MAX, patience)?;
        match packet.as_slice() {
            [0x00, ..] => return Ok(()),
            [0xff, ..] => return Err(error_of(&packet)),
            [0xfe, rest @ ..] => {
                let mut cursor = Cursor(rest);
                way = Way::named(cursor.up_to_zero())?;
                let challenge = cursor.0.strip_suffix(&[0]).unwrap_or(cursor.0);
                link.send(&way.answer(&place.password, challenge))?;
            }
            // The server remembers the password; the last word follows.
            [0x01, 0x03] => {}
            // It does not, and asks for the password itself.
            [0x01, 0x04] if way == Way::CachingSha2 && link.is_private() => {
                let mut password = place.password.as_bytes().to_vec();
                password.push(0);
                link.send(&password)?;
            }
            [0x01, 0x04] => {
                return Err(Fault::Broken(
                    "the server asks for the password itself, and the connection is not encrypted",
                ));
            }
            _ => return Err(Fault::Malformed),
        }
    }
    Err(Fault::Malformed)
}
