//! A log and those who remember its heads: what a witness saw is not taken back.

use std::sync::{Arc, Mutex};

use placet_core::audit::{
    Ed25519Signer, HeadStore as _, SignedNote, Submission, Witness, WitnessError,
};
use placet_core::error::Code;
use placet_core::gate::{Comparison, Gate, Rollback};
use placet_core::store::{Batch, Key, MemoryStore, Store as _};
use placet_core::testing::{Bench, MemoryHeads, Office};

/// A gate on `store`, always of the same log.
fn gate_on(store: &Arc<MemoryStore>) -> Gate {
    Gate::new(Bench::on(Arc::<MemoryStore>::clone(store)).unwrap().parts)
}

/// A store with the first `len` entries of `store`'s log, and all of its records.
fn cut(store: &MemoryStore, len: u64) -> Arc<MemoryStore> {
    let copy = MemoryStore::default();
    for entry in store.log_read(0, usize::try_from(len).unwrap()).unwrap() {
        copy.commit(Batch::default().append(entry)).unwrap();
    }
    for (key, stored) in store.scan(&Key::from_segments(&[]), None, usize::MAX).unwrap() {
        copy.commit(Batch::default().put(key, stored.value)).unwrap();
    }
    Arc::new(copy)
}

#[track_caller]
fn rollback(gate: &Gate, witness: &dyn Witness) -> Rollback {
    match gate.compare_with(witness).unwrap() {
        Comparison::RolledBack(found) => *found,
        other @ (Comparison::Unseen | Comparison::Continues { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn a_log_that_grows_is_continued_and_one_that_was_cut_is_found_with_both_heads() {
    let (store, witness) = (Arc::new(MemoryStore::default()), MemoryHeads::default());
    let gate = gate_on(&store);
    let office = Office::found(&gate).unwrap();
    let first = gate.anchor(&witness).unwrap().size;
    office.pending(&gate).unwrap();
    let Comparison::Continues { size } = gate.compare_with(&witness).unwrap() else { panic!() };
    assert_eq!(size, first);
    let len = gate.anchor(&witness).unwrap().size;
    for kept in 0..len {
        let back = gate_on(&cut(&store, kept));
        let found = rollback(&back, &witness);
        assert_eq!((found.own_size, found.seen_size, found.is_fork()), (kept, len, false));
        let error = back.anchor(&witness).unwrap_err();
        assert_eq!(error.code(), Code::RolledBack);
        for name in ["seen", "own"] {
            let head = SignedNote::parse(error.details()[name].as_bytes()).unwrap();
            head.verify(&[gate.verifier_key().clone()]).unwrap();
        }
    }
    assert!(matches!(gate.compare_with(&witness).unwrap(), Comparison::Continues { .. }));
}

#[test]
fn a_log_that_was_cut_and_grew_past_what_was_seen_is_found_as_another_one() {
    let (store, witness) = (Arc::new(MemoryStore::default()), MemoryHeads::default());
    let gate = gate_on(&store);
    let office = Office::found(&gate).unwrap();
    let before = store.log_len().unwrap();
    office.pending(&gate).unwrap();
    let seen = gate.anchor(&witness).unwrap();
    let other = cut(&store, before);
    for number in 0..20_u8 {
        other.commit(Batch::default().append(vec![number])).unwrap();
    }
    let back = gate_on(&other);
    let found = rollback(&back, &witness);
    assert!(found.is_fork());
    // Two signed heads of one size with different roots: nobody needs to believe anybody.
    assert_eq!((found.own_size, found.seen_size), (seen.size, seen.size));
    let roots =
        [&found.own, &found.seen].map(|head| head.to_string().lines().nth(2).unwrap().to_owned());
    assert_ne!(roots[0], roots[1]);
    assert_eq!(back.anchor(&witness).unwrap_err().code(), Code::RolledBack);
}

/// Answers as it was told, in turn; then as the memory behind it.
#[derive(Debug, Default)]
struct Scripted {
    memory: MemoryHeads,
    answers: Mutex<Vec<WitnessError>>,
    asked: Mutex<Vec<u64>>,
    tells_nothing: bool,
}

impl Witness for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn latest(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        if self.tells_nothing { Ok(None) } else { self.memory.read(origin) }
    }

    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError> {
        self.asked.lock().unwrap().push(submission.earlier_size());
        let answer = self.answers.lock().unwrap().pop();
        match answer {
            Some(answer) => Err(answer),
            None => self.memory.anchor(submission),
        }
    }
}

#[test]
fn a_witness_that_tells_its_size_only_is_handed_the_right_proof_the_second_time() {
    let (gate, office) = Office::in_memory().unwrap();
    let witness = Scripted { tells_nothing: true, ..Scripted::default() };
    let first = gate.anchor(&witness).unwrap().size;
    office.pending(&gate).unwrap();
    let second = gate.anchor(&witness).unwrap().size;
    assert!(second > first);
    // From nothing; from nothing, which was wrong; from what it said.
    assert_eq!(*witness.asked.lock().unwrap(), [0, 0, first]);
}

#[test]
fn what_a_witness_says_is_told_apart() {
    let cases: [(WitnessError, Code); 4] = [
        (WitnessError::unreachable("no answer", "look"), Code::WitnessUnavailable),
        (WitnessError::refused("no", "look"), Code::WitnessRefused),
        (WitnessError::Conflict { size: 1 }, Code::Conflict),
        // It has seen more than there is, and shows nothing.
        (WitnessError::Conflict { size: 1 << 40 }, Code::RolledBack),
    ];
    for (answer, code) in cases {
        let (gate, _) = Office::in_memory().unwrap();
        let witness = Scripted::default();
        if code == Code::Conflict {
            witness.answers.lock().unwrap().push(WitnessError::Conflict { size: 2 });
        }
        witness.answers.lock().unwrap().push(answer);
        let error = gate.anchor(&witness).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.help().is_some() && error.to_string().contains("scripted"), "{error}");
    }
}

#[test]
fn a_head_that_somebody_else_signed_is_no_evidence() {
    let (gate, _) = Office::in_memory().unwrap();
    let witness = MemoryHeads::default();
    let stranger = Ed25519Signer::from_seed(gate.origin(), &[9; 32]).unwrap();
    let head = SignedNote::sign(&gate.checkpoint().unwrap().to_string(), &[&stranger]).unwrap();
    assert!(witness.replace(gate.origin(), None, &head).unwrap());
    let error = gate.compare_with(&witness).unwrap_err();
    assert_eq!(error.code(), Code::LogTampered);
    assert_eq!(gate.anchor(&witness).unwrap_err().code(), Code::LogTampered);
    assert_eq!(witness.read(gate.origin()).unwrap(), Some(head), "nothing was handed over");
}

/// What happens between the look and the handing over.
type Happens<'a> = Box<dyn FnOnce(&MemoryHeads) + Send + 'a>;

/// A witness beside which another node does something, once.
struct Meanwhile<'a>(MemoryHeads, Mutex<Option<Happens<'a>>>);

impl core::fmt::Debug for Meanwhile<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl Witness for Meanwhile<'_> {
    fn name(&self) -> &'static str {
        "meanwhile"
    }

    fn latest(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        let latest = self.0.read(origin);
        let happens = self.1.lock().unwrap().take();
        if let Some(happens) = happens {
            happens(&self.0);
        }
        latest
    }

    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError> {
        self.0.anchor(submission)
    }
}

#[test]
fn another_node_that_anchored_meanwhile_is_followed() {
    let store = Arc::new(MemoryStore::default());
    let [one, other] = [(); 2].map(|()| gate_on(&store));
    let office = Office::found(&one).unwrap();
    let happens: Happens<'_> = Box::new(|heads| {
        office.pending(&other).unwrap();
        other.anchor(heads).unwrap();
    });
    let witness = Meanwhile(MemoryHeads::default(), Mutex::new(Some(happens)));
    let taken = one.anchor(&witness).unwrap();
    assert_eq!(taken.size, store.log_len().unwrap());
}
