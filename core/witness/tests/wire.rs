//! Our client and our witness, over a real socket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use placet_core::audit::{Ed25519Signer, HeadStore, Signer as _, VerifierKey, Witness as _};
use placet_core::error::Code;
use placet_core::gate::{Comparison, Gate};
use placet_core::store::{Batch, MemoryStore, Store as _};
use placet_core::testing::{ManualClock, MemoryHeads, Office};
use placet_witness::{FrontOptions, HttpWitness, REQUEST_BYTES_MAX, WitnessFront, WitnessServer};

use crate::story::gate_on;

/// A witness that runs, and how to reach it.
struct Running {
    front: WitnessFront,
    key: VerifierKey,
}

impl Running {
    fn url(&self) -> String {
        format!("http://{}", self.front.address())
    }

    fn client(&self) -> HttpWitness {
        HttpWitness::at(&self.url(), vec![self.key.clone()])
            .unwrap()
            .with_timeout_ms(60_000)
            .unwrap()
    }

    /// Sends these bytes, and returns all that comes back until the line is closed.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut line = TcpStream::connect(self.front.address()).unwrap();
        // It may answer and close before it has read all.
        let _sent = line.write_all(bytes);
        let mut answer = Vec::new();
        let _read = line.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn witness_of(gate: &Gate, heads: Arc<dyn HeadStore>, options: FrontOptions) -> Running {
    let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
    let clock = ManualClock::at("2026-02-07T12:00:00Z".parse().unwrap());
    let server = WitnessServer::new(Arc::new(signer), heads, Arc::new(clock)).unwrap();
    let server = server.with_log(gate.origin(), vec![gate.verifier_key().clone()]);
    let key = server.key().clone();
    let address = "127.0.0.1:0".parse().unwrap();
    Running { front: WitnessFront::start(Arc::new(server), address, options).unwrap(), key }
}

fn witness(gate: &Gate) -> Running {
    witness_of(gate, Arc::new(MemoryHeads::default()), FrontOptions::default())
}

#[test]
fn a_log_is_cosigned_and_a_log_that_went_back_is_found() {
    let store = Arc::new(MemoryStore::default());
    let gate = gate_on(Arc::<MemoryStore>::clone(&store));
    let office = Office::found(&gate).unwrap();
    let running = witness(&gate);
    let client = running.client();
    assert!(matches!(gate.compare_with(&client).unwrap(), Comparison::Unseen));
    for _ in 0..3 {
        office.pending(&gate).unwrap();
        let taken = gate.anchor(&client).unwrap();
        assert!(taken.is_cosigned);
        assert_eq!(taken.checkpoint.cosigned_at(&running.key).unwrap(), 1_770_465_600);
        taken.checkpoint.verify(&[gate.verifier_key().clone()]).unwrap();
    }
    assert!(matches!(gate.compare_with(&client).unwrap(), Comparison::Continues { .. }));

    let old = MemoryStore::default();
    for entry in store.log_read(0, 9).unwrap() {
        old.commit(Batch::default().append(entry)).unwrap();
    }
    let back = gate_on(Arc::new(old));
    let Comparison::RolledBack(found) = back.compare_with(&client).unwrap() else { panic!() };
    assert_eq!((found.own_size, found.is_fork()), (9, false));
    assert_eq!(back.anchor(&client).unwrap_err().code(), Code::RolledBack);
}

#[test]
fn a_witness_that_does_not_tell_what_it_saw_is_handed_the_right_proof_after_its_409() {
    let (gate, office) = Office::in_memory().unwrap();
    let running = witness(&gate);
    // Nothing is served there.
    let blind = running.client().with_monitoring_prefix(&format!("{}/x", running.url())).unwrap();
    let first = gate.anchor(&blind).unwrap().size;
    office.pending(&gate).unwrap();
    assert!(blind.latest(gate.origin()).unwrap().is_none());
    assert!(gate.anchor(&blind).unwrap().size > first);
    // The same for a log that went back: the witness names its size, and that is all there is.
    let back = gate_on(Arc::new(MemoryStore::default()));
    let error = back.anchor(&blind).unwrap_err();
    assert_eq!(error.code(), Code::RolledBack);
    assert!(error.to_string().contains("says that it has seen"), "{error}");
}

#[test]
fn who_is_not_known_or_not_there_is_told_apart() {
    let (gate, _) = Office::in_memory().unwrap();
    let (other, _) = Office::in_memory().unwrap();
    let stranger = Ed25519Signer::from_seed("witness.example/w1", &[9; 32]).unwrap();
    let public = stranger.verifier_key().public_key();
    let wrong = VerifierKey::from_ed25519_cosigner("witness.example/w1", public).unwrap();
    let running = witness(&gate);
    // Its answer is not signed with the key that we were given.
    let misled = HttpWitness::at(&running.url(), vec![wrong]).unwrap();
    let error = gate.anchor(&misled).unwrap_err();
    assert_eq!(error.code(), Code::WitnessRefused);
    assert!(error.to_string().contains("not a cosignature"), "{error}");

    let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
    let clock = ManualClock::at("2026-02-07T12:00:00Z".parse().unwrap());
    let heads = Arc::new(MemoryHeads::default());
    let nobody = WitnessServer::new(Arc::new(signer), heads, Arc::new(clock)).unwrap();
    let (key, address) = (nobody.key().clone(), "127.0.0.1:0".parse().unwrap());
    let front = WitnessFront::start(Arc::new(nobody), address, FrontOptions::default()).unwrap();
    let client = HttpWitness::at(&format!("http://{}", front.address()), vec![key]).unwrap();
    let error = other.anchor(&client).unwrap_err();
    assert_eq!(error.code(), Code::WitnessRefused);
    assert!(error.to_string().contains("does not know this log"), "{error}");
    drop(front);
    assert_eq!(other.anchor(&client).unwrap_err().code(), Code::WitnessUnavailable);
}

#[test]
fn many_heads_over_many_lines_at_once_leave_one_history() {
    let (gate, office) = Office::in_memory().unwrap();
    let heads = Arc::new(MemoryHeads::default());
    let memory: Arc<dyn HeadStore> = Arc::<MemoryHeads>::clone(&heads);
    let running = witness_of(&gate, memory, FrontOptions::default());
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..5 {
                    office.pending(&gate).unwrap();
                    match gate.anchor(&running.client()) {
                        Ok(taken) => assert!(taken.is_cosigned),
                        // Others were faster twice.
                        Err(error) => assert_eq!(error.code(), Code::Conflict, "{error}"),
                    }
                }
            });
        }
    });
    assert!(matches!(gate.compare_with(&running.client()).unwrap(), Comparison::Continues { .. }));
    assert!(heads.read(gate.origin()).unwrap().is_some());
}

#[test]
fn a_request_that_is_too_long_or_no_request_is_answered_and_the_others_are_served() {
    let (gate, _) = Office::in_memory().unwrap();
    let running = witness(&gate);
    let long = REQUEST_BYTES_MAX + 1;
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {long}\r\n\r\n"
    );
    let answer = running.raw(&[head.into_bytes(), vec![b'x'; long]].concat());
    // Where it closed before all was read, the answer may be lost on the way.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Some of it looks like the beginning of a request: the rest is not waited for long.
    let options = FrontOptions::default().with_request_ms_max(100);
    let brief = witness_of(&gate, Arc::new(MemoryHeads::default()), options);
    for noise in
        [&b"\r\n\r\n"[..], b"\0\0\0\0", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\xff: x\r\n\r\n"]
    {
        let answer = brief.raw(&[noise, b"\r\n\r\n"].concat());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let answer =
        running.raw(b"GET /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(gate.anchor(&running.client()).unwrap().is_cosigned);
}

#[test]
fn who_sends_slowly_is_not_waited_for() {
    let (gate, _) = Office::in_memory().unwrap();
    // One line at a time: whoever holds it keeps all others out.
    let options = FrontOptions::default().with_connections_max(1).with_request_ms_max(100);
    let running = witness_of(&gate, Arc::new(MemoryHeads::default()), options);
    for begun in [
        "POST /add-che",
        "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold",
    ] {
        let mut line = TcpStream::connect(running.front.address()).unwrap();
        line.write_all(begun.as_bytes()).unwrap();
        // This ends when the witness gives up; a witness that waits for ever fails by the harness's limit.
        let mut answer = String::new();
        let _read = line.read_to_string(&mut answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    // Its place is free again. On a busy machine an honest sender may be too slow for it as well, and comes again.
    let mut tries = (0..100).filter_map(|_| gate.anchor(&running.client()).ok());
    assert!(tries.any(|anchored| anchored.is_cosigned));
}

#[test]
fn it_answers_on_loopback_only() {
    let (gate, _) = Office::in_memory().unwrap();
    let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
    let clock = ManualClock::at(gate.now());
    let heads = Arc::new(MemoryHeads::default());
    let server = Arc::new(WitnessServer::new(Arc::new(signer), heads, Arc::new(clock)).unwrap());
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let error = WitnessFront::start(server, everywhere, FrontOptions::default()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
}
