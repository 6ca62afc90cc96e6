//! Changed files and records, judged by `verify --deep`: what is changed counts for nothing, or is refused or found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use placet_core::audit::{Checkpoint, DeepFault, DeepOptions, verify_deep};
use placet_core::gate::Gate;
use placet_core::store::{Batch, Store};
use placet_core::testing::{Bench, Office, Seen};
use placet_store_sled::SledStore;

use crate::changed_bytes::{Change, any_file};
use crate::images::{Content, quick_folder, small_segments};
use crate::story::{Numbers, copy, seed, times, without_panics_of_sled};

#[path = "../../kernel/tests/deep/says.rs"]
mod says;

/// What became of a change.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Ending {
    Refused,
    Found,
    Unharmed,
    Silent,
}

/// Lets a gate work in `folder`, and returns what is there then and its head.
fn work_in(folder: &Path) -> (Content, Checkpoint) {
    work_and(folder, |_| ())
}

/// The same; `and` happens when half of the work is done (`earlier`), and when all of it is and the store is not closed
/// yet (`killed`).
fn work_and(folder: &Path, and: impl Fn(&str)) -> (Content, Checkpoint) {
    let store = Arc::new(SledStore::open_with(folder, &small_segments()).unwrap());
    let gate = Gate::new(Bench::on(Arc::<SledStore>::clone(&store)).unwrap().parts);
    let office = Office::found(&gate).unwrap();
    for _ in 0..3 {
        let id = office.approved(&gate).unwrap().header.id;
        gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();
    }
    and("earlier");
    let running = office.approved(&gate).unwrap().header.id;
    drop(gate.execute(&office.bo, running).unwrap());
    assert!(gate.projects(&office.bo).unwrap().is_empty());
    let asked = office.pending(&gate).unwrap().header;
    let refused = gate.approve(&office.ana, asked.id, asked.change_digest().unwrap(), None);
    assert!(refused.is_err());
    let head = gate.checkpoint().unwrap();
    let head = Checkpoint::open_note(&head, gate.origin(), gate.verifier_key()).unwrap();
    and("killed");
    (Content::scanned(&store).unwrap(), head)
}

/// Whether both say the same, whatever their bytes.
fn says_the_same(one: &Content, other: &Content) -> bool {
    let keys: BTreeSet<_> = one.pairs.keys().chain(other.pairs.keys()).collect();
    let mut all = keys.into_iter();
    one.log == other.log
        && all.all(|key| {
            says::logical(key, one.pairs.get(key)) == says::logical(key, other.pairs.get(key))
        })
}

/// Who looks at a changed folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Look {
    /// The store, which compares what it reads with what it wrote, and then the check.
    Both,
    /// The store alone.
    Store,
}

fn ending(folder: &Path, look: Look, due: &Content, head: &Checkpoint) -> Ending {
    let Ok(store) = SledStore::open_with(folder, &small_segments()) else { return Ending::Refused };
    let kept = DeepOptions::default().with_head(head.clone());
    if look == Look::Both {
        let Ok(report) = verify_deep(&store, &kept, |_| Ok(())) else { return Ending::Refused };
        if !report.is_whole() || report.entries_after_head != Some(0) {
            return Ending::Found;
        }
    }
    match Content::scanned(&store) {
        Ok(found) if says_the_same(&found, due) => Ending::Unharmed,
        Ok(_) => Ending::Silent,
        Err(_) => Ending::Refused,
    }
}

/// Makes `changes`, each in a copy of a folder that was closed or in one that a kill left behind, or puts an earlier copy in
/// its place, and counts how they end. The first one that nobody tells of is the last.
fn play(look: Look, changes: u64) -> BTreeMap<Ending, u64> {
    without_panics_of_sled();
    let base = quick_folder();
    let [closed, killed, earlier, part] =
        ["closed", "killed", "earlier", "part"].map(|name| base.path().join(name));
    let (due, head) = work_and(&closed, |name| copy(&closed, &base.path().join(name)));
    let restored = |from: &Path| {
        if part.exists() {
            std::fs::remove_dir_all(&part).unwrap();
        }
        copy(from, &part);
    };
    for image in [&closed, &killed] {
        restored(image);
        assert_eq!(ending(&part, look, &due, &head), Ending::Unharmed, "{}", image.display());
    }
    let mut numbers = Numbers(seed(0x5eed_dee9_0000_0001));
    let mut tally = BTreeMap::new();
    for number in 0..changes {
        let what = if numbers.below(20) == 0 {
            restored(&earlier);
            "the whole folder".to_owned()
        } else {
            restored(if numbers.below(2) == 0 { &closed } else { &killed });
            let change = Change::any(&mut numbers);
            let path = any_file(&part, &mut numbers);
            let at = change.make(&path, &mut numbers);
            format!("{change:?} of {} at {at}", path.display())
        };
        let ended = ending(&part, look, &due, &head);
        *tally.entry(ended).or_default() += 1;
        if ended == Ending::Silent {
            println!("silent: change {number}: {what}");
            break;
        }
    }
    println!("{changes} changes, {look:?}: {tally:?}");
    tally
}

#[test]
fn changed_files_are_refused_or_found_or_say_the_same() {
    let tally = play(Look::Both, times("PLACET_CHANGES", 300));
    assert!(!tally.contains_key(&Ending::Silent), "{tally:?}");
    // Bytes by the store, a folder of an earlier day by the check.
    assert!(tally.contains_key(&Ending::Refused) && tally.contains_key(&Ending::Found));
}

/// The test above is worth something: it notices when the check is left out.
#[test]
fn without_the_check_a_change_is_silent() {
    assert!(play(Look::Store, 300).contains_key(&Ending::Silent));
}

/// Whoever opens the folder with the store itself gets past all that it checks: the check finds it.
#[test]
fn what_the_store_itself_writes_past_the_gate_is_found() {
    let base = quick_folder();
    let (due, head) = work_in(base.path());
    let mut numbers = Numbers(seed(0x5eed_dee9_0000_0002));
    let options = DeepOptions::default().with_head(head);
    let mut tally: BTreeMap<DeepFault, u64> = BTreeMap::new();
    let keys: Vec<_> = due.pairs.keys().collect();
    let any = |numbers: &mut Numbers| {
        keys[usize::try_from(numbers.below(u64::try_from(keys.len()).unwrap())).unwrap()].clone()
    };
    for number in 0..times("PLACET_CHANGES", 100) {
        let (one, other) = (any(&mut numbers), any(&mut numbers));
        let (batch, undone) = match numbers.below(3) {
            0 => (Batch::default().remove(one.clone()), vec![one.clone()]),
            1 => {
                let batch = Batch::default().put(one.clone(), due.pairs[&other].clone());
                (batch, vec![one.clone()])
            }
            _ => {
                let added = one.child(&numbers.below(10).to_string());
                let batch = Batch::default().put(added.clone(), due.pairs[&one].clone());
                (batch, vec![added])
            }
        };
        let store = SledStore::open_with(base.path(), &small_segments()).unwrap();
        store.commit(batch).unwrap();
        let report = verify_deep(&store, &options, |_| Ok(())).unwrap();
        let found = Content::scanned(&store).unwrap();
        assert!(!report.is_whole() || says_the_same(&found, &due), "change {number} at {one:?}");
        for finding in &report.findings {
            *tally.entry(finding.fault).or_default() += 1;
        }
        let restored =
            undone.iter().fold(Batch::default(), |batch, key| match due.pairs.get(key) {
                Some(value) => batch.put(key.clone(), value.clone()),
                None => batch.remove(key.clone()),
            });
        store.commit(restored).unwrap();
    }
    println!("found: {tally:?}");
    for fault in [DeepFault::Missing, DeepFault::Added, DeepFault::Swapped] {
        assert!(tally.contains_key(&fault), "{tally:?}");
    }
}

/// A folder that is put back as it was is whole: only who kept a head can tell.
#[test]
fn a_folder_of_an_earlier_day_is_found_by_a_head() {
    let base = quick_folder();
    let (life, earlier) = (base.path().join("life"), base.path().join("earlier"));
    let (before, _) = work_in(&life);
    copy(&life, &earlier);
    let store = Arc::new(SledStore::open_with(&life, &small_segments()).unwrap());
    let bench = Bench::on(Arc::<SledStore>::clone(&store)).unwrap();
    let gate = Gate::new(bench.parts);
    // Nobody renews the lease of the run, and its end is one entry more.
    assert!(gate.tick().unwrap().is_empty());
    bench.clock.advance_ms(gate.limits().lease_ms);
    assert_eq!(gate.tick().unwrap().len(), 1);
    let head = gate.checkpoint().unwrap();
    let head = Checkpoint::open_note(&head, gate.origin(), gate.verifier_key()).unwrap();
    assert_eq!(head.size(), u64::try_from(before.log.len() + 1).unwrap());
    let store = SledStore::open_with(&earlier, &small_segments()).unwrap();
    let store: &dyn Store = &store;
    let alone = verify_deep(store, &DeepOptions::default(), |_| Ok(())).unwrap();
    assert!(alone.is_whole(), "{:?}", alone.findings);
    let kept = DeepOptions::default().with_head(head);
    let report = verify_deep(store, &kept, |_| Ok(())).unwrap();
    assert_eq!(report.findings[0].fault, DeepFault::LogCut);
}
