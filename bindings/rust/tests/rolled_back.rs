//! A store that was put back is found at the opening, and a witness never holds anybody up.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use placet::audit::{SignedNote, Submission, Witness, WitnessError};
use placet::error::Code;
use placet::witnesses::FileWitness;
use placet::{Gate, GateBuilder};
use placet_core::testing::{MemoryHeads, Office};

/// A gate in `folder` that does nothing by itself, with a file elsewhere as its witness.
fn witnessed(folder: &Path) -> GateBuilder {
    let witness = FileWitness::at(folder.join("elsewhere").join("changes.checkpoint"));
    Gate::builder(folder.join("placet")).witness(Arc::new(witness)).housekeeping(false)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_old_copy_is_warned_about_with_both_heads_and_refused_where_the_host_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, old) = (folder.path().join("placet").join("store"), folder.path().join("old"));
    let gate = witnessed(folder.path()).open().unwrap();
    let office = Office::found(&gate).unwrap();
    drop(gate);
    copy(&store, &old);
    let gate = witnessed(folder.path()).open().unwrap();
    let len = gate.wait_for_log(0, 0).unwrap();
    let change = office.change(r#"{"sql": "SELECT 1"}"#).unwrap();
    gate.draft(&office.ana, &office.request(change)).unwrap();
    let seen = gate.anchor().remove(0).result.unwrap().size;
    assert!(seen > len && gate.warnings().is_empty());
    drop(gate);
    std::fs::remove_dir_all(&store).unwrap();
    copy(&old, &store);

    let error = witnessed(folder.path()).refuse_rollback().open().unwrap_err();
    assert_eq!(error.code(), Code::RolledBack);
    assert!(error.help().is_some() && error.details().contains_key("seen"));
    let gate = witnessed(folder.path()).open().unwrap();
    assert_eq!(gate.wait_for_log(0, 0).unwrap(), len, "who refuses writes nothing");
    let warning = gate.warnings().remove(0);
    assert_eq!(
        (warning.code, warning.message.as_str()),
        (Code::RolledBack, error.to_string().as_str())
    );
    let evidence = warning.evidence.unwrap();
    assert_eq!((evidence.own_size, evidence.seen_size), (len, seen));
    for head in [&evidence.own, &evidence.seen] {
        head.verify(&[gate.verifier_key().clone()]).unwrap();
    }
    // It goes on, and is told again as another log; the witness keeps what it saw.
    let change = office.change(r#"{"sql": "SELECT 2"}"#).unwrap();
    gate.draft(&office.ana, &office.request(change)).unwrap();
    assert_eq!(gate.anchor().remove(0).result.unwrap_err().code(), Code::RolledBack);
    assert!(gate.warnings().remove(0).evidence.is_some());
}

#[test]
fn a_witness_that_cannot_be_asked_is_a_warning_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("elsewhere");
    std::fs::write(&in_the_way, "not a folder").unwrap();
    let gate = witnessed(folder.path()).open().unwrap();
    let warning = gate.warnings().remove(0);
    assert_eq!(warning.code, Code::WitnessUnavailable);
    assert!(warning.help.is_some() && warning.evidence.is_none());
    std::fs::remove_file(&in_the_way).unwrap();
    gate.anchor().remove(0).result.unwrap();
    assert!(gate.warnings().is_empty());
    drop(gate);
    // Whoever insists is not let in without an answer; one that answers is enough.
    std::fs::remove_dir_all(&in_the_way).unwrap();
    std::fs::write(&in_the_way, "not a folder").unwrap();
    let error = witnessed(folder.path()).refuse_rollback().open().unwrap_err();
    assert_eq!(error.code(), Code::WitnessUnavailable);
    let second = witnessed(folder.path()).witness(Arc::new(MemoryHeads::default()));
    assert_eq!(second.refuse_rollback().open().unwrap().warnings().len(), 1);
}

/// Counts what it is handed, and holds it as long as the test wants, or panics.
#[derive(Debug, Default)]
struct Slow {
    memory: MemoryHeads,
    taken: Mutex<Vec<u64>>,
    handed: Condvar,
    holds: Mutex<bool>,
    released: Condvar,
    panics: AtomicBool,
}

impl Slow {
    fn hold(&self, holds: bool) {
        *self.holds.lock().unwrap() = holds;
        self.released.notify_all();
    }

    /// Waits until it was handed this many heads.
    fn wait_for(&self, count: usize) -> Vec<u64> {
        let taken = self.taken.lock().unwrap();
        self.handed.wait_while(taken, |taken| taken.len() < count).unwrap().clone()
    }
}

impl Witness for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn latest(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        assert!(!self.panics.load(Ordering::SeqCst), "a driver of the host's");
        self.memory.latest(origin)
    }

    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError> {
        self.taken.lock().unwrap().push(submission.checkpoint().size());
        self.handed.notify_all();
        let held = self.holds.lock().unwrap();
        drop(self.released.wait_while(held, |holds| *holds).unwrap());
        self.memory.anchor(submission)
    }
}

#[test]
fn housekeeping_hands_over_what_is_new_and_no_commit_waits_for_a_witness() {
    let folder = tempfile::tempdir().unwrap();
    let slow = Arc::new(Slow::default());
    slow.hold(true);
    let witness = Arc::<Slow>::clone(&slow);
    let builder = Gate::builder(folder.path()).witness(witness).anchor_every_ms(1);
    let gate = builder.open().unwrap();
    assert_eq!(slow.wait_for(1), [0]);
    // The witness has not answered yet, and everything goes on.
    let office = Office::found(&gate).unwrap();
    let len = gate.wait_for_log(0, 0).unwrap();
    slow.hold(false);
    while slow.wait_for(1).last() != Some(&len) {
        std::thread::park_timeout(core::time::Duration::from_millis(1));
    }
    // Nothing is new: nothing is handed over, however often it looks.
    let handed = slow.wait_for(1).len();
    std::thread::park_timeout(core::time::Duration::from_millis(50));
    assert_eq!(slow.wait_for(1).len(), handed);
    let change = office.change(r#"{"sql": "SELECT 1"}"#).unwrap();
    gate.draft(&office.ana, &office.request(change)).unwrap();
    assert_eq!(slow.wait_for(handed + 1).last(), Some(&(len + 1)));
    drop(gate);
    // Closed is closed: the folder can be opened again at once.
    assert!(Gate::open(folder.path()).is_ok());
}

#[test]
fn a_witness_that_panics_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let slow = Arc::new(Slow::default());
    slow.panics.store(true, Ordering::SeqCst);
    let witness = Arc::<Slow>::clone(&slow);
    let gate = Gate::builder(folder.path()).witness(witness).housekeeping(false).open().unwrap();
    assert_eq!(gate.warnings().remove(0).code, Code::WitnessUnavailable);
    slow.panics.store(false, Ordering::SeqCst);
    gate.anchor().remove(0).result.unwrap();
    assert!(gate.warnings().is_empty());
}
