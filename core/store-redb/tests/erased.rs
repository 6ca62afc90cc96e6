//! What was erased is not in the file, once the closed store was compacted.

use std::sync::Arc;

use placet_core::store::{Batch, Key, Store as _, StoreError, StoreErrorKind};
use placet_store_redb::RedbStore;

#[path = "../../store-sled/tests/erased_story.rs"]
mod erased_story;

#[test]
fn a_thousand_texts_are_in_no_file_then() {
    // In memory where there is such a place: what is searched need not reach a disk.
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.unwrap();
    let file = folder.path().join("store.redb");
    erased_story::a_thousand_texts_go(
        folder.path(),
        &|| Arc::new(RedbStore::open(&file).unwrap()),
        &|| {
            RedbStore::compact(&file, |_| Ok(())).unwrap();
        },
    );
}

#[test]
fn a_compaction_that_ended_early_leaves_the_store_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.redb");
    let key = Key::from_segments(&["a"]);
    let store = RedbStore::open(&file).unwrap();
    store.commit(Batch::default().put(key.clone(), vec![1]).append(vec![2])).unwrap();
    let due = store.get(&key).unwrap();
    let locked = RedbStore::compact(&file, |_| Ok(())).unwrap_err();
    assert_eq!(locked.kind(), StoreErrorKind::Locked);
    drop(store);
    let enough = |_: u64| Err(StoreError::new(StoreErrorKind::Unavailable, "enough"));
    RedbStore::compact(&file, enough).unwrap_err();
    // As a kill before the rename leaves it: part of a new file, which nobody takes for the store.
    let part = folder.path().join("store.redb.compacting");
    std::fs::write(&part, b"part of it").unwrap();
    let store = RedbStore::open(&file).unwrap();
    assert!(!part.exists(), "it may hold what is erased later");
    assert_eq!(store.get(&key).unwrap(), due);
    drop(store);
    RedbStore::compact(&file, |_| Ok(())).unwrap();
    let store = RedbStore::open(&file).unwrap();
    assert_eq!((store.get(&key).unwrap(), store.log_read(0, 9).unwrap()), (due, vec![vec![2]]));
}
