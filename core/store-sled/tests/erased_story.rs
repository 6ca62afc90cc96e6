//! A thousand texts are erased, on any store: they are in no file then, and what was proven stays. Other stores use it too.

use std::path::Path;
use std::sync::Arc;

use placet_core::audit::{DeepOptions, LogProof, verify_deep};
use placet_core::gate::{Erasure, Gate};
use placet_core::id::RequestId;
use placet_core::request::Change;
use placet_core::runner::{Failure, Outcome};
use placet_core::store::Store;
use placet_core::testing::{Bench, Office, Seen};

const SECRET: &str = "Ana Quispe 4711";

/// How often the secret is in the files of `folder`.
fn says(folder: &Path) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found += says(&path);
            continue;
        }
        // A server removes files of its own meanwhile.
        let Ok(bytes) = std::fs::read(path) else { continue };
        let mut rest = bytes.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == b'A') {
            found += usize::from(rest[at..].starts_with(SECRET.as_bytes()));
            rest = &rest[at + 1..];
        }
    }
    found
}

/// A request that says the secret wherever a request can say something, and is over.
fn failed(bench: &Bench, gate: &Gate, office: &Office, long: usize) -> RequestId {
    let payload = format!("\"UPDATE salary -- {SECRET} {}\"", "x".repeat(long));
    let (runner, target) = ("sql".parse().unwrap(), "shop".parse().unwrap());
    let change = Change::new(runner, target, &payload, gate.limits()).unwrap();
    let mut new = office.request(change);
    new.title = format!("the salary of {SECRET}");
    let header = gate.draft_and_submit(&office.ana, &new).unwrap().header;
    let id = header.id;
    for number in 0..4 {
        gate.comment(&office.ana, id, &format!("{SECRET} agreed {number}")).unwrap();
    }
    let digest = header.change_digest().unwrap();
    gate.approve(&office.bo, id, digest, Some(&format!("spoke to {SECRET}"))).unwrap();
    let mut failure = Failure::new("sql.23505", format!("duplicate key: {SECRET}"));
    failure.details = Some(format!("row of {SECRET}"));
    bench.runner.ends_with(Outcome::Failed(failure));
    bench.runner.notes(&format!("at {SECRET}"));
    gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();
    id
}

/// `open` opens the store, whose files are all in `folder`, and `compact` compacts it while it is closed.
pub(crate) fn a_thousand_texts_go(
    folder: &Path,
    open: &dyn Fn() -> Arc<dyn Store>,
    compact: &dyn Fn(),
) {
    let bench = Bench::on(open()).unwrap();
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    let ids: Vec<RequestId> = (0..84)
        .map(|number| failed(&bench, &gate, &office, if number == 0 { 70_000 } else { 10 }))
        .collect();
    let store = Arc::clone(&bench.parts.store);
    let entries = store.log_read(0, usize::MAX).unwrap();
    let proven = (0_u64..).zip(entries);
    let proofs: Vec<(Vec<u8>, LogProof)> =
        proven.map(|(index, entry)| (entry, gate.prove(index).unwrap())).collect();
    let erase = |id: &RequestId| gate.erase(&office.root, Erasure::Request(*id)).unwrap();
    let erased: u64 = ids.iter().map(erase).sum();
    assert!(erased >= 1_000, "{erased}");
    drop((store, gate, bench));
    let before = says(folder);
    assert!(before > 0, "the files still hold older bytes");
    compact();
    assert_eq!(says(folder), 0);
    println!(
        "{erased} texts were erased; the files held {before} copies before they were compacted"
    );

    let store = open();
    let gate = Gate::new(Bench::on(Arc::clone(&store)).unwrap().parts);
    for (index, (entry, proof)) in proofs.iter().enumerate() {
        let index = u64::try_from(index).unwrap();
        assert_eq!(store.log_read(index, 1).unwrap().as_slice(), std::slice::from_ref(entry));
        proof.verify(entry, gate.origin(), gate.verifier_key()).unwrap();
    }
    let last = proofs.last().unwrap().1.verify(
        &proofs.last().unwrap().0,
        gate.origin(),
        gate.verifier_key(),
    );
    let options = DeepOptions::default().with_head(last.unwrap());
    let report = verify_deep(&*store, &options, |_| Ok(())).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
}
