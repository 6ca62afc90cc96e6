//! Old copies of a store, put back: each is found by a witness when the gate is opened on it.
//!
//! `PLACET_COPIES=200` takes as many copies, `PLACET_SEED=7` plays one run again.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use placet_core::audit::{SignedNote, Submission, Witness, WitnessError};
use placet_core::gate::{Comparison, Gate, Rollback};
use placet_core::store::{Batch, Key, Store};
use placet_core::testing::{Chance, Office};
use placet_store_sled::{Durability, Options, SledStore};
use placet_witness::FileWitness;

use crate::story::{gate_on, number, say};

/// What is tried here does not depend on when the disk has what: the copies are those of stores that were closed.
fn open(folder: &Path) -> Arc<dyn Store> {
    let options = Options::default().with_durability(Durability::Relaxed);
    Arc::new(SledStore::open_with(folder, &options).unwrap())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            copy_sparsely(&entry.path(), &target);
        }
    }
}

/// A file of a store is mostly zeros that nobody wrote: they take no place on the disk.
fn copy_sparsely(from: &Path, to: &Path) {
    let (bytes, file) = (fs::read(from).unwrap(), fs::File::create(to).unwrap());
    file.set_len(bytes.len().try_into().unwrap()).unwrap();
    for (block, at) in bytes.chunks(65_536).zip((0_u64..).step_by(65_536)) {
        if block.iter().any(|byte| *byte != 0) {
            std::os::unix::fs::FileExt::write_all_at(&file, block, at).unwrap();
        }
    }
}

/// How a witness judges a gate that was opened on an old copy.
fn found(gate: &Gate, witness: &dyn Witness) -> Option<Rollback> {
    match gate.compare_with(witness).unwrap() {
        Comparison::RolledBack(found) => Some(*found),
        Comparison::Unseen | Comparison::Continues { .. } => None,
    }
}

/// Broken: its latest head is always the one that it is given.
#[derive(Debug, Default)]
struct Parrot {
    given: Mutex<Option<SignedNote>>,
}

impl Parrot {
    fn give(&self, gate: &Gate) {
        *self.given.lock().unwrap() = Some(gate.checkpoint().unwrap());
    }
}

impl Witness for Parrot {
    fn name(&self) -> &'static str {
        "parrot"
    }

    fn latest(&self, _origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        Ok(self.given.lock().unwrap().clone())
    }

    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError> {
        *self.given.lock().unwrap() = Some(submission.note().clone());
        Ok(None)
    }
}

/// The rule of this file: whoever misses one of the copies is no witness.
fn judge(name: &str, missed: usize, copies: usize) -> Result<(), String> {
    if missed == 0 { Ok(()) } else { Err(format!("`{name}` missed {missed} of {copies} copies")) }
}

fn seed() -> u64 {
    let now = UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let seed = number("PLACET_SEED").unwrap_or(u64::try_from(now % (1 << 40)).unwrap());
    say(&format!("PLACET_SEED={seed}"));
    seed
}

#[test]
fn every_old_copy_of_a_store_is_found_when_it_is_opened() {
    let copies = usize::try_from(number("PLACET_COPIES").unwrap_or(40)).unwrap();
    let mut chance = Chance::new(seed());
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let witness = FileWitness::at(folder.path().join("elsewhere").join("checkpoint"));
    let parrot = Parrot::default();

    let gate = gate_on(open(&live));
    let office = Office::found(&gate).unwrap();
    drop(gate);
    // The log grows, is handed over now and then, and is copied at moments that nobody chose.
    let mut sizes = Vec::new();
    for number in 0..copies {
        copy(&live, &folder.path().join(format!("copy-{number}")));
        let gate = gate_on(open(&live));
        sizes.push(gate.anchor(&witness).unwrap().size);
        for _ in 0..=chance.below(2) {
            let body = chance.below(1_000_000).to_string();
            gate.draft(&office.ana, &office.request(office.change(&body).unwrap())).unwrap();
        }
    }
    let gate = gate_on(open(&live));
    let seen = gate.anchor(&witness).unwrap().size;
    assert!(found(&gate, &witness).is_none(), "the store that goes on is sound");
    gate.anchor(&parrot).unwrap();

    let (mut missed, mut missed_by_parrot) = (0, 0);
    for (number, size) in sizes.iter().enumerate() {
        let back = gate_on(open(&folder.path().join(format!("copy-{number}"))));
        match found(&back, &witness) {
            Some(rollback) => {
                assert_eq!((rollback.seen_size, rollback.own_size), (seen, *size));
                for head in [&rollback.seen, &rollback.own] {
                    head.verify(&[back.verifier_key().clone()]).unwrap();
                }
            }
            None => missed += 1,
        }
        parrot.give(&back);
        missed_by_parrot += usize::from(found(&back, &parrot).is_none());
    }
    judge("file", missed, copies).unwrap();
    // A witness that remembers nothing of its own is noticed by the same rule.
    assert_eq!(
        judge("parrot", missed_by_parrot, copies),
        Err(format!("`parrot` missed {copies} of {copies} copies"))
    );
}

/// A sound store of its own with the first `len` entries of the log, some of them changed: what somebody can make who
/// has the folder and the key.
fn rewritten(
    store: &dyn Store,
    folder: &Path,
    len: usize,
    changed: Option<usize>,
) -> Arc<dyn Store> {
    let copy = open(folder);
    for (at, mut entry) in store.log_read(0, len).unwrap().into_iter().enumerate() {
        if changed == Some(at) {
            *entry.last_mut().unwrap() ^= 1;
        }
        copy.commit(Batch::default().append(entry)).unwrap();
    }
    let mut batch = Batch::default();
    for (key, stored) in store.scan(&Key::from_segments(&[]), None, usize::MAX).unwrap() {
        batch = batch.put(key, stored.value);
    }
    copy.commit(batch).unwrap();
    copy
}

#[test]
fn newest_rows_that_were_cut_and_rows_that_were_changed_are_found() {
    let mut chance = Chance::new(seed());
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let gate = gate_on(Arc::clone(&store));
    let office = Office::found(&gate).unwrap();
    office.pending(&gate).unwrap();
    let witness = FileWitness::at(folder.path().join("elsewhere").join("checkpoint"));
    let len = usize::try_from(gate.anchor(&witness).unwrap().size).unwrap();
    for number in 0..20_usize {
        let kept = usize::try_from(chance.below(u64::try_from(len).unwrap())).unwrap();
        let at = |what: &str| folder.path().join(format!("{what}-{number}"));
        let cut = gate_on(rewritten(&*store, &at("cut"), kept, None));
        let rollback = found(&cut, &witness).expect("a log that was cut");
        assert!(
            !rollback.is_fork() && rollback.own_size == u64::try_from(kept).unwrap(),
            "{kept} of {len}: {} {} fork {}",
            rollback.own_size,
            rollback.seen_size,
            rollback.is_fork()
        );
        let changed = gate_on(rewritten(&*store, &at("changed"), len, Some(kept)));
        let rollback = found(&changed, &witness).expect("a row that was changed");
        assert!(
            rollback.is_fork(),
            "{kept} of {len}: {} {}",
            rollback.own_size,
            rollback.seen_size
        );
    }
    // What was copied whole is the same log.
    let whole = gate_on(rewritten(&*store, &folder.path().join("whole"), len, None));
    assert!(found(&whole, &witness).is_none());
}
