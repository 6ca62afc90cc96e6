//! Our client over TLS: it hands a head to whoever the right authority vouches for, at the right address, and to nobody else.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::audit::{Ed25519Signer, VerifierKey};
use placet_core::error::Code;
use placet_core::gate::{Comparison, Gate};
use placet_core::testing::{ManualClock, MemoryHeads, Office};
use placet_witness::{FrontOptions, HttpWitness, WitnessFront, WitnessServer};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::{Authority, ELSEWHERE, HERE};

/// A witness behind TLS, and how many requests got through to it.
struct Encrypted {
    front: WitnessFront,
    key: VerifierKey,
}

/// One end of TLS in front of it, which shows a certificate.
struct Door {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Encrypted {
    fn of(gate: &Gate) -> Self {
        let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
        let clock = ManualClock::at("2026-02-07T12:00:00Z".parse().unwrap());
        let heads = Arc::new(MemoryHeads::default());
        let server = WitnessServer::new(Arc::new(signer), heads, Arc::new(clock)).unwrap();
        let server = server.with_log(gate.origin(), vec![gate.verifier_key().clone()]);
        let key = server.key().clone();
        let address = "127.0.0.1:0".parse().unwrap();
        let options = FrontOptions::default();
        Self { front: WitnessFront::start(Arc::new(server), address, options).unwrap(), key }
    }

    fn door(&self, (certificate, key): &(PathBuf, PathBuf)) -> Door {
        let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (config, count, behind) =
            (Arc::new(config), Arc::clone(&requests), self.front.address());
        // It ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for line in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                pass_on(StreamOwned::new(connection, line), behind, &count);
            }
        });
        Door { url, requests }
    }

    /// Our client, which trusts this authority and no other.
    fn client(&self, door: &Door, root: &Path) -> HttpWitness {
        let client = HttpWitness::at(&door.url, vec![self.key.clone()]).unwrap();
        let client = client.with_roots(&std::fs::read(root).unwrap()).unwrap();
        client.with_timeout_ms(60_000).unwrap()
    }
}

/// Hands one request on, and its answer back. Whoever does not like the certificate sends none.
fn pass_on(
    mut line: StreamOwned<ServerConnection, TcpStream>,
    behind: SocketAddr,
    requests: &AtomicUsize,
) {
    let Some(request) = request(&mut line) else { return };
    requests.fetch_add(1, Ordering::SeqCst);
    let mut plain = TcpStream::connect(behind).unwrap();
    let request = String::from_utf8(request).unwrap();
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    plain.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).unwrap();
    line.write_all(&answer).unwrap();
    line.conn.send_close_notify();
    let _gone = line.flush();
}

/// One whole request; nothing where the line ends before.
fn request(line: &mut impl Read) -> Option<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_lowercase();
            let length = head.lines().find_map(|row| row.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end.saturating_add(4).saturating_add(length) {
                return Some(bytes);
            }
        }
        match line.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend(part.iter().take(read)),
        }
    }
}

#[test]
fn a_head_is_cosigned_over_tls() {
    let Some(authority) = Authority::found() else { return };
    let (gate, office) = Office::in_memory().unwrap();
    let witness = Encrypted::of(&gate);
    let door = witness.door(&authority.sign("witness", HERE));
    let client = witness.client(&door, &authority.root());
    for _ in 0..2 {
        office.pending(&gate).unwrap();
        let taken = gate.anchor(&client).unwrap();
        assert_eq!(taken.checkpoint.cosigned_at(&witness.key).unwrap(), 1_770_465_600);
    }
    assert!(matches!(gate.compare_with(&client).unwrap(), Comparison::Continues { .. }));
    assert!(door.requests.load(Ordering::SeqCst) >= 5, "all of it went that way");
}

#[test]
fn whoever_is_not_vouched_for_gets_no_word_of_ours() {
    let (Some(authority), Some(other)) = (Authority::found(), Authority::found()) else { return };
    let (gate, _) = Office::in_memory().unwrap();
    let witness = Encrypted::of(&gate);
    let here = authority.sign("witness", HERE);
    let shown = [
        ("another authority", here.clone(), other.root()),
        ("another address", authority.sign("elsewhere", ELSEWHERE), authority.root()),
        ("its time is over", authority.sign_expired("expired", HERE), authority.root()),
        ("nobody vouches for it", other.sign_itself("alone", HERE), authority.root()),
    ];
    for (why, certificate, root) in &shown {
        let door = witness.door(certificate);
        let client = witness.client(&door, root);
        let error = gate.anchor(&client).unwrap_err();
        assert_eq!(error.code(), Code::WitnessUnavailable, "{why}: {error}");
        assert_eq!(gate.compare_with(&client).unwrap_err().code(), Code::WitnessUnavailable);
        assert_eq!(door.requests.load(Ordering::SeqCst), 0, "{why}");
    }
    // The door is not what keeps them out.
    let door = witness.door(&here);
    gate.anchor(&witness.client(&door, &authority.root())).unwrap();
}

#[test]
fn an_answer_that_is_not_encrypted_is_none() {
    let Some(authority) = Authority::found() else { return };
    let (gate, _) = Office::in_memory().unwrap();
    let witness = Encrypted::of(&gate);
    // The very witness, without TLS before it.
    let url = format!("https://{}", witness.front.address());
    let door = Door { url, requests: Arc::default() };
    let client = witness.client(&door, &authority.root());
    assert_eq!(gate.anchor(&client).unwrap_err().code(), Code::WitnessUnavailable);
}
