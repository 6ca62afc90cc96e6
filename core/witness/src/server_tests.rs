use core::sync::atomic::{AtomicUsize, Ordering};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Barrier, Mutex};

use placet_core::audit::{Checkpoint, Ed25519Signer, MerkleTree, SignedNote, leaf_hash};
use placet_core::testing::{ManualClock, MemoryHeads};

use super::*;
use crate::disk::{Disk, RealDisk};
use crate::slot::Slot;

const ORIGIN: &str = "example.com/log";

fn log(leaves: &[&str]) -> MerkleTree {
    leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect()
}

fn signed(tree: &MerkleTree, seed: u8) -> SignedNote {
    let signer = Ed25519Signer::from_seed(ORIGIN, &[seed; 32]).unwrap();
    Checkpoint::new(ORIGIN, tree.len(), tree.root()).unwrap().sign(&[&signer]).unwrap()
}

/// A request of the log `tree` that continues its first `old` leaves.
fn request(tree: &MerkleTree, old: u64) -> String {
    let proof = tree.consistency_proof(old, tree.len()).unwrap();
    Submission::new(old, signed(tree, 7), proof).unwrap().to_string()
}

fn server(heads: Arc<dyn HeadStore>) -> WitnessServer {
    let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
    let clock = ManualClock::at("2026-02-07T12:00:00Z".parse().unwrap());
    let log = Ed25519Signer::from_seed(ORIGIN, &[7; 32]).unwrap();
    let server = WitnessServer::new(Arc::new(signer), heads, Arc::new(clock)).unwrap();
    server.with_log(ORIGIN, vec![log.verifier_key().clone()])
}

fn status(server: &WitnessServer, body: &str) -> u16 {
    server.add_checkpoint(body.as_bytes()).status
}

#[test]
fn a_head_that_continues_the_last_one_is_cosigned_and_served() {
    let witness = server(Arc::new(MemoryHeads::default()));
    let hash = Digest::of(ORIGIN.as_bytes()).to_string();
    assert_eq!(witness.checkpoint(&hash).status, 404);
    let (two, three) = (log(&["a", "b"]), log(&["a", "b", "c"]));
    for (tree, old) in [(&two, 0), (&two, 2), (&three, 2), (&three, 3)] {
        let answer = witness.handle("POST", "/add-checkpoint", request(tree, old).as_bytes());
        assert_eq!((answer.status, answer.content_type), (200, "text/plain; charset=utf-8"));
        // What C2SP tlog-witness lets a client do: put it behind the note, and verify.
        let whole = format!("{}{}", signed(tree, 7), answer.body);
        let note = SignedNote::parse(whole.as_bytes()).unwrap();
        assert_eq!(note.cosigned_at(witness.key()).unwrap(), 1_770_465_600);
        let served = witness.handle("GET", &format!("/{hash}/checkpoint"), &[]);
        assert_eq!((served.status, served.body), (200, whole), "with the signatures of both");
    }
}

#[test]
fn each_wrong_request_gets_its_own_status_and_leaves_nothing() {
    let heads = Arc::new(MemoryHeads::default());
    let witness = server(Arc::<MemoryHeads>::clone(&heads));
    let (two, three) = (log(&["a", "b"]), log(&["a", "b", "c"]));
    let submit = |old, note, proof| Submission::new(old, note, proof).unwrap().to_string();
    let proof = three.consistency_proof(2, 3).unwrap();
    let empty = Checkpoint::new(ORIGIN, 0, Digest::of(b"not nothing")).unwrap();
    let signer = Ed25519Signer::from_seed(ORIGIN, &[7; 32]).unwrap();
    // Nothing was cosigned yet.
    assert_eq!(status(&witness, &submit(0, empty.sign(&[&signer]).unwrap(), Vec::new())), 422);
    assert_eq!(status(&witness, &submit(0, signed(&three, 7), proof.clone())), 422);
    let answer = witness.add_checkpoint(request(&three, 2).as_bytes());
    assert_eq!(
        (answer.status, answer.content_type, &*answer.body),
        (409, "text/x.tlog.size", "0\n")
    );
    assert_eq!(status(&witness, &request(&two, 0)), 200);
    let kept = heads.read(ORIGIN).unwrap();

    let stranger = Ed25519Signer::from_seed("other.example/log", &[7; 32]).unwrap();
    let other = Checkpoint::new("other.example/log", 2, two.root()).unwrap();
    let other = other.sign(&[&stranger]).unwrap();
    // A right signature, and beside it a wrong one in the name of the same key.
    let wrong = signed(&two, 7).signatures()[0].clone();
    let forged = signed(&three, 7).with_signature(wrong).unwrap();
    let rewritten = log(&["a", "x", "c"]);
    let cases = [
        ("not a request".to_owned(), 400),
        (request(&three, 2).replace("old 2", "old 02"), 400),
        (submit(4, signed(&three, 7), Vec::new()), 400),
        (submit(0, other, Vec::new()), 404),
        (submit(2, signed(&three, 9), proof.clone()), 403),
        (submit(2, forged, proof.clone()), 403),
        (request(&three, 0), 409),
        (request(&three, 1), 409),
        (request(&three, 3), 409),
        (submit(2, signed(&three, 7), Vec::new()), 422),
        (submit(2, signed(&rewritten, 7), rewritten.consistency_proof(2, 3).unwrap()), 422),
        (submit(2, signed(&log(&["a", "x"]), 7), Vec::new()), 422),
        (submit(2, signed(&two, 7), proof), 422),
    ];
    for (body, expected) in cases {
        let answer = witness.add_checkpoint(body.as_bytes());
        assert_eq!(answer.status, expected, "{body}\n{answer:?}");
        if expected == 409 {
            assert_eq!((answer.content_type, &*answer.body), ("text/x.tlog.size", "2\n"));
        }
        assert!(answer.body.ends_with('\n') && answer.body.lines().count() == 1, "{answer:?}");
    }
    let long = vec![b'x'; REQUEST_BYTES_MAX + 1];
    assert_eq!(witness.add_checkpoint(&long).status, 413);
    for (method, path, expected) in [
        ("GET", "/add-checkpoint", 405),
        ("POST", "/", 404),
        ("GET", "/../checkpoint", 404),
        ("PUT", "/00/checkpoint", 405),
        ("POST", "/sign-subtree", 404),
    ] {
        assert_eq!(witness.handle(method, path, &[]).status, expected, "{method} {path}");
    }
    assert_eq!(heads.read(ORIGIN).unwrap(), kept);
}

#[test]
fn signatures_of_strangers_are_not_kept() {
    let heads = Arc::new(MemoryHeads::default());
    let witness = server(Arc::<MemoryHeads>::clone(&heads));
    let tree = log(&["a"]);
    let stranger = Ed25519Signer::from_seed("stranger.example", &[9; 32]).unwrap();
    let line = SignedNote::sign("another text\n", &[&stranger]).unwrap();
    let note = signed(&tree, 7).with_signature(line.signatures()[0].clone()).unwrap();
    assert_eq!(status(&witness, &Submission::new(0, note, Vec::new()).unwrap().to_string()), 200);
    let kept = heads.read(ORIGIN).unwrap().unwrap();
    let names: Vec<_> = kept.signatures().iter().map(|line| line.name().to_owned()).collect();
    assert_eq!(names, [ORIGIN, "witness.example/w1"]);
}

// Two at once.

/// Lets two threads look before either of them writes.
#[derive(Debug)]
struct Together {
    heads: MemoryHeads,
    both_looked: Barrier,
    looks: AtomicUsize,
    is_one_step: bool,
}

impl HeadStore for Together {
    fn place(&self) -> &'static str {
        "together"
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        let read = self.heads.read(origin);
        if self.looks.fetch_add(1, Ordering::SeqCst) < 2 {
            self.both_looked.wait();
        }
        read
    }

    fn replace(
        &self,
        origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        let now = self.heads.read(origin)?;
        // Broken: what was checked is not looked at again.
        let expected = if self.is_one_step { expected } else { now.as_ref() };
        self.heads.replace(origin, expected, new)
    }
}

/// How many of two contradicting heads are cosigned when both are handed over at once.
fn cosigned_at_once(is_one_step: bool) -> usize {
    let heads = MemoryHeads::default();
    let (looks, both_looked) = (AtomicUsize::new(0), Barrier::new(2));
    let heads = Together { heads, both_looked, looks, is_one_step };
    let witness = server(Arc::new(heads));
    let forks = [log(&["a", "b", "c"]), log(&["a", "b", "x"])].map(|tree| request(&tree, 0));
    std::thread::scope(|threads| {
        let witness = &witness;
        let both = forks.each_ref().map(|body| threads.spawn(move || status(witness, body)));
        both.into_iter().map(|thread| thread.join().unwrap()).filter(|it| *it == 200).count()
    })
}

#[test]
fn of_two_contradicting_heads_at_once_one_is_cosigned() {
    assert_eq!(cosigned_at_once(true), 1);
}

#[test]
fn a_witness_that_checks_and_records_in_two_steps_is_caught() {
    assert_eq!(cosigned_at_once(false), 2, "the broken variant must vouch for both");
}

// Killed in between.

/// Stops for good before or after its `stops_at`th step, as a process that is killed does; what is not synced then is
/// gone where the power goes too.
#[derive(Debug)]
struct MortalDisk {
    steps: AtomicUsize,
    stops_at: usize,
    does_last: bool,
    syncs_folders: bool,
    unsynced: Mutex<BTreeMap<PathBuf, Option<Vec<u8>>>>,
}

impl MortalDisk {
    fn new(stops_at: usize, does_last: bool) -> Self {
        let (steps, unsynced) = (AtomicUsize::new(0), Mutex::default());
        Self { steps, stops_at, does_last, syncs_folders: true, unsynced }
    }

    fn step(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        if step < self.stops_at || step == self.stops_at && self.does_last {
            work()?;
        }
        if step < self.stops_at { Ok(()) } else { Err(io::Error::other("killed")) }
    }

    /// The machine goes off: names that were not synced are the old ones.
    fn lose_power(&self) {
        let unsynced = core::mem::take(&mut *self.unsynced.lock().unwrap());
        for (path, before) in unsynced {
            match before {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
    }
}

impl Disk for MortalDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        RealDisk.read(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Killed in the middle of it: a part is there.
        self.step(|| RealDisk.write(path, bytes)).inspect_err(|_| {
            let _torn = RealDisk.write(path, bytes.get(..bytes.len() / 2).unwrap_or_default());
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| {
            let before = RealDisk.read(to)?;
            self.unsynced.lock().unwrap().insert(to.to_owned(), before);
            RealDisk.rename(from, to)
        })
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step(|| {
            if self.syncs_folders {
                self.unsynced.lock().unwrap().clear();
            }
            RealDisk.sync_folder(path)
        })
    }
}

#[derive(Debug)]
struct OneLog {
    slot: Slot,
    // Broken: says yes first, and writes then.
    answers_early: bool,
}

impl HeadStore for OneLog {
    fn place(&self) -> &'static str {
        "one log"
    }

    fn read(&self, _origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        self.slot.read()
    }

    fn replace(
        &self,
        _origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        let replaced = self.slot.replace(expected, new);
        if self.answers_early { Ok(true) } else { replaced }
    }
}

/// Two contradicting heads, the second after a stop at each step in turn. Returns at how many steps both were cosigned.
fn contradictions(answers_early: bool, syncs_folders: bool) -> usize {
    let base = log(&["a", "b"]);
    let forks = [log(&["a", "b", "c"]), log(&["a", "b", "x", "y"])].map(|tree| request(&tree, 2));
    let mut found = Vec::new();
    for (stops_at, does_last) in (0..12).flat_map(|at| [(at, false), (at, true)]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let on = |disk: Arc<dyn Disk>, answers_early| {
            let slot = Slot::on(disk, path.clone());
            server(Arc::new(OneLog { slot, answers_early }))
        };
        assert_eq!(status(&on(Arc::new(RealDisk), false), &request(&base, 0)), 200);
        let disk = Arc::new(MortalDisk { syncs_folders, ..MortalDisk::new(stops_at, does_last) });
        let before = on(Arc::<MortalDisk>::clone(&disk), answers_early);
        let first = status(&before, &forks[0]);
        disk.lose_power();
        // The next process, on a disk that works.
        let after = on(Arc::new(RealDisk), false);
        let second = status(&after, &forks[1]);
        assert!(first == 200 || first == 503, "{first}");
        // Whoever heard nothing asks again, and is served or told the truth.
        let again = status(&after, &forks[0]);
        assert!([200, 409].contains(&again), "{again}");
        let cosigned = [first, again].contains(&200);
        if cosigned && second == 200 {
            found.push((stops_at, does_last));
        }
    }
    found.len()
}

#[test]
fn a_witness_that_is_killed_at_any_step_never_vouches_for_two_histories() {
    assert_eq!(contradictions(false, true), 0);
}

#[test]
fn a_witness_that_answers_before_it_has_recorded_is_caught() {
    assert!(contradictions(true, true) > 0, "the broken variant must vouch for both");
    assert!(contradictions(false, false) > 0, "names that are not synced must be missed");
}
