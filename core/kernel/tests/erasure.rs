//! Texts go, and what was proven stays.

use std::sync::Arc;

use placet_core::audit::{Leaf, LogProof, MerkleTree, leaf_hash, verify_consistency};
use placet_core::error::Code;
use placet_core::gate::{Erasure, Gate};
use placet_core::id::RequestId;
use placet_core::org::UserKind;
use placet_core::org::command::{CreateUser, RetentionClass, SetRetention, SetUserActive};
use placet_core::request::Change;
use placet_core::runner::{Failure, Outcome};
use placet_core::store::{Key, MemoryStore, Store as _};
use placet_core::testing::{Bench, Office, Seen, record_digest};

struct Stage {
    store: Arc<MemoryStore>,
    bench: Bench,
    gate: Gate,
    office: Office,
}

const SECRET: &str = "Ana Quispe 4711";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl Stage {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let bench = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap();
        let gate = Gate::new(bench.parts.clone());
        let office = Office::found(&gate).unwrap();
        Self { store, bench, gate, office }
    }

    /// A request that says the secret wherever a request can say something, and is over.
    fn failed(&self) -> RequestId {
        let (gate, office) = (&self.gate, &self.office);
        let payload = format!("\"UPDATE salary -- {SECRET}\"");
        let change = |payload: &str| {
            let (runner, target) = ("sql".parse().unwrap(), "shop".parse().unwrap());
            Change::new(runner, target, payload, gate.limits()).unwrap()
        };
        let mut new = office.request(change("\"first\""));
        new.title = format!("the salary of {SECRET}");
        let id = gate.draft(&office.ana, &new).unwrap().header.id;
        gate.edit(&office.ana, id, &new.title, &change(&payload)).unwrap();
        gate.plan(&office.ana, id).unwrap();
        let header = gate.submit(&office.ana, id).unwrap().header;
        gate.comment(&office.ana, id, &format!("{SECRET} agreed")).unwrap();
        let digest = header.change_digest().unwrap();
        gate.approve(&office.bo, id, digest, Some(&format!("spoke to {SECRET}"))).unwrap();
        let mut failure = Failure::new("sql.23505", format!("duplicate key: {SECRET}"));
        failure.details = Some(format!("row of {SECRET}"));
        self.bench.runner.ends_with(Outcome::Failed(failure));
        self.bench.runner.notes(&format!("at {SECRET}"));
        gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();
        id
    }

    /// How many stored values and log entries hold `text`.
    fn says(&self, text: &str) -> usize {
        let values = self.store.scan(&Key::from_segments(&[]), None, usize::MAX).unwrap();
        let values = values.into_iter().map(|(_, stored)| stored.value);
        let entries = self.store.log_read(0, usize::MAX).unwrap();
        let holds = |bytes: &Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        values.chain(entries).filter(holds).count()
    }

    /// Every entry with its proof under the present head.
    fn proofs(&self) -> Vec<(Vec<u8>, LogProof)> {
        let entries = self.store.log_read(0, usize::MAX).unwrap();
        let proven = (0_u64..).zip(entries);
        proven.map(|(index, entry)| (entry, self.gate.prove(index).unwrap())).collect()
    }

    fn verify(&self, proofs: &[(Vec<u8>, LogProof)]) {
        let entries = self.store.log_read(0, usize::MAX).unwrap();
        let tree: MerkleTree = entries.iter().map(|entry| leaf_hash(entry)).collect();
        for (index, (entry, proof)) in proofs.iter().enumerate() {
            assert_eq!(entries[index], *entry);
            let (origin, key) = (self.gate.origin(), self.gate.verifier_key());
            let head = proof.verify(entry, origin, key).unwrap();
            let consistent = tree.consistency_proof(head.size(), tree.len()).unwrap();
            verify_consistency(head.size(), tree.len(), &consistent, &head.root(), &tree.root())
                .unwrap();
        }
    }

    /// Every record is the one that its last leaf names.
    fn verify_records(&self) {
        let entries = self.store.log_read(0, usize::MAX).unwrap();
        let leaves = entries.iter().map(|entry| Leaf::from_bytes(entry).unwrap());
        let mut last = std::collections::BTreeMap::new();
        for change in leaves.flat_map(|leaf| leaf.records) {
            last.insert(change.name, change.after);
        }
        for (name, after) in last {
            let key = Key::from_segments(&name.split('/').collect::<Vec<_>>());
            let stored = self.store.get(&key).unwrap();
            assert_eq!(stored.map(|stored| record_digest(&stored.value)), after, "{name}");
        }
    }
}

#[test]
fn what_a_request_says_goes_and_what_was_proven_stays() {
    let stage = Stage::new();
    let id = stage.failed();
    assert!(stage.says(SECRET) >= 6, "it is said in many places");
    let (proofs, root) = (stage.proofs(), &stage.office.root);
    let erased = stage.gate.erase(root, Erasure::Request(id)).unwrap();
    assert!(erased >= 12, "{erased}");
    assert_eq!(stage.says(SECRET), 0);
    stage.verify(&proofs);
    stage.verify_records();
    // What happened is still told, and by whom.
    let view = stage.gate.view(&stage.office.ana, id).unwrap();
    assert_eq!(view.header.title, "(erased)");
    assert_eq!(view.state.name().as_str(), "FAILED");
    let steps = stage.gate.history(&stage.office.ana, id).unwrap();
    assert!(steps.iter().any(|step| step.action == "APPROVE"));
    // The leaves that tell of it name what went: each once.
    let leaves = stage.gate.trail(&stage.office.ana, id).unwrap();
    let named = leaves.iter().flat_map(|(_, leaf)| &leaf.erased);
    let named: std::collections::BTreeSet<_> = named.collect();
    assert_eq!(u64::try_from(named.len()).unwrap(), erased);
    // Another time there is nothing to erase, and nothing is written.
    let before = stage.store.log_len().unwrap();
    assert_eq!(stage.gate.erase(root, Erasure::Request(id)).unwrap(), 0);
    assert_eq!(stage.store.log_len().unwrap(), before);
}

#[test]
fn what_runs_of_earlier_revisions_said_goes_too() {
    let stage = Stage::new();
    let (gate, office) = (&stage.gate, &stage.office);
    let id = office.pending_artifact(gate, 7).unwrap().header.id;
    let approve = || {
        let digest = gate.view(&office.bo, id).unwrap().digest.unwrap();
        gate.approve(&office.bo, id, digest, None).unwrap();
    };
    approve();
    for again in [false, true, true] {
        let why = Failure::new("sql.40001", format!("in the row of {SECRET}"));
        stage.bench.runner.ends_with(Outcome::Failed(why));
        stage.bench.runner.notes(&format!("at {SECRET}"));
        let ticket = if again { gate.rerun(&office.bo, id) } else { gate.execute(&office.bo, id) };
        gate.drive(ticket.unwrap(), &Seen::default()).unwrap();
    }
    gate.revert(&office.bo, id, None).unwrap();
    let change = office.change("\"another\"").unwrap();
    gate.edit(&office.ana, id, "another", &change).unwrap();
    gate.submit(&office.ana, id).unwrap();
    gate.reject(&office.bo, id, "not now").unwrap();
    assert!(stage.says(SECRET) >= 6);
    gate.erase(&office.root, Erasure::Request(id)).unwrap();
    assert_eq!(stage.says(SECRET), 0);
    stage.verify_records();
}

#[test]
fn a_thousand_commitments_go_and_every_proof_stays() {
    let stage = Stage::new();
    let ids: Vec<RequestId> = (0..80).map(|_| stage.failed()).collect();
    let proofs = stage.proofs();
    let erase = |id: &RequestId| stage.gate.erase(&stage.office.root, Erasure::Request(*id));
    let erased: u64 = ids.iter().map(|id| erase(id).unwrap()).sum();
    assert!(erased >= 1_000, "{erased}");
    assert_eq!(stage.says(SECRET), 0);
    stage.verify(&proofs);
    stage.verify_records();
}

#[test]
fn a_user_who_left_is_forgotten_and_the_address_is_free() {
    let stage = Stage::new();
    let (root, bo) = (&stage.office.root, stage.office.bo.user());
    let active = stage.gate.erase(root, Erasure::User(bo)).unwrap_err();
    assert_eq!(active.code(), Code::WrongState);
    stage.gate.administer(root, &SetUserActive { user: bo, active: false }).unwrap();
    assert_eq!(stage.gate.erase(root, Erasure::User(bo)).unwrap(), 2);
    assert_eq!(stage.says("bo@example.org"), 0);
    stage.verify_records();
    // Nobody can tell any more that the address was here: its digest is gone too.
    let digest = placet_core::digest::Digest::of(b"bo@example.org").to_string();
    assert_eq!(stage.says(&digest), 0);
    let again = CreateUser {
        kind: UserKind::Person,
        email: "bo@example.org".parse().unwrap(),
        display_name: "Another Bo".parse().unwrap(),
    };
    assert_ne!(stage.gate.administer(root, &again).unwrap(), bo);
}

#[test]
fn only_an_administrator_erases_and_only_what_is_over() {
    let stage = Stage::new();
    let id = stage.failed();
    for caller in [&stage.office.ana, &stage.office.bo] {
        let refused = stage.gate.erase(caller, Erasure::Request(id)).unwrap_err();
        assert!(matches!(refused.code(), Code::Denied | Code::NotFound), "{refused}");
    }
    assert!(stage.says(SECRET) > 0);
    let pending = stage.office.pending(&stage.gate).unwrap().header.id;
    let refused = stage.gate.erase(&stage.office.root, Erasure::Request(pending)).unwrap_err();
    assert_eq!(refused.code(), Code::WrongState);
    let nobody = RequestId::from_u128(99);
    let missing = stage.gate.erase(&stage.office.root, Erasure::Request(nobody)).unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[test]
fn what_is_kept_for_a_time_goes_after_it() {
    let stage = Stage::new();
    let root = &stage.office.root;
    let expired = || stage.gate.erase_expired(|_| Ok(())).unwrap();
    let keep = |class, keep_days| {
        stage.gate.administer(root, &SetRetention { class, keep_days }).unwrap();
    };
    let id = stage.failed();
    let open = stage.office.pending(&stage.gate).unwrap().header.id;
    assert_eq!(expired(), 0, "nobody ordered anything");
    keep(RetentionClass::Content, Some(30));
    stage.bench.clock.advance_ms(30 * DAY_MS - 1);
    assert_eq!(expired(), 0, "a millisecond too early");
    stage.bench.clock.advance_ms(1);
    assert!(expired() > 0);
    assert_eq!(expired(), 0, "once is enough");
    let history = stage.gate.history(&stage.office.ana, id).unwrap();
    let comments = history.iter().filter_map(|step| step.comment.as_deref());
    assert!(comments.clone().any(|text| text.contains(SECRET)), "comments are another class");
    keep(RetentionClass::Comment, Some(31));
    stage.bench.clock.advance_ms(DAY_MS);
    keep(RetentionClass::Comment, None);
    assert_eq!(expired(), 0, "ordered otherwise in time");
    keep(RetentionClass::Comment, Some(31));
    assert!(expired() > 0);
    assert_eq!(stage.says(SECRET), 0);
    // What is not over is kept, however old.
    let title = stage.gate.view(&stage.office.ana, open).unwrap().header.title;
    assert_ne!(title, "(erased)");
    stage.verify_records();
}

#[test]
fn work_that_is_stopped_goes_on_the_next_time() {
    let stage = Stage::new();
    let (first, second) = (stage.failed(), stage.failed());
    let order = SetRetention { class: RetentionClass::Content, keep_days: Some(0) };
    stage.gate.administer(&stage.office.root, &order).unwrap();
    let stop = || placet_core::error::Error::new(Code::Refused, "the host stops");
    stage.gate.erase_expired(|_| Err(stop())).unwrap_err();
    let title = |id| stage.gate.view(&stage.office.ana, id).unwrap().header.title;
    assert_eq!(title(first), "(erased)");
    assert_ne!(title(second), "(erased)");
    assert!(stage.gate.erase_expired(|_| Ok(())).unwrap() > 0);
    assert_eq!(title(second), "(erased)");
}
