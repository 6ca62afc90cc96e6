//! Long values have files of their own, as long as something names them.

use std::path::{Path, PathBuf};

use placet_core::store::{Batch, CommitError, Store as _, StoreErrorKind};
use placet_store_sled::{BATCH_BYTES_MAX, Durability, Options, SledStore};

use crate::story::key;

/// The files with long values.
fn files(folder: &Path) -> Vec<PathBuf> {
    let levels = std::fs::read_dir(folder.join("values")).unwrap();
    let files = levels.flat_map(|level| std::fs::read_dir(level.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

fn put(store: &SledStore, name: &str, value: Vec<u8>) {
    store.commit(Batch::default().put(key(&[name]), value)).unwrap();
}

#[test]
fn one_file_for_one_content_until_nobody_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let (long, other) = (vec![7; 100_000], vec![8; 100_000]);
    put(&store, "a", long.clone());
    put(&store, "b", long.clone());
    store.commit(Batch::default().append(long.clone())).unwrap();
    assert_eq!(files(folder.path()).len(), 1, "two values and a log entry share it");
    put(&store, "a", other.clone());
    store.commit(Batch::default().remove(key(&["b"]))).unwrap();
    assert_eq!(files(folder.path()).len(), 2, "the log still names the first one");
    put(&store, "a", Vec::new());
    assert_eq!(files(folder.path()).len(), 1);
    // Twice in one batch, and away and back in another.
    store
        .commit(Batch::default().put(key(&["a"]), other.clone()).put(key(&["b"]), other.clone()))
        .unwrap();
    store.commit(Batch::default().remove(key(&["a"])).put(key(&["c"]), other.clone())).unwrap();
    store.commit(Batch::default().remove(key(&["b"]))).unwrap();
    drop(store);
    let store = SledStore::open(folder.path()).unwrap();
    assert!(store.get(&key(&["c"])).unwrap().unwrap().value == other);
    assert!(store.log_read(0, 1).unwrap() == [long]);
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn what_a_crash_left_over_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    put(&store, "a", vec![7; 100_000]);
    drop(store);
    let kept = files(folder.path());
    let level = kept[0].parent().unwrap();
    std::fs::write(level.join("unfinished"), "half").unwrap();
    std::fs::write(level.join("0".repeat(62)), "written, and never named").unwrap();
    std::fs::write(level.join("a note"), "not ours").unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    std::fs::remove_file(level.join("a note")).unwrap();
    assert_eq!(files(folder.path()), kept);
    assert!(store.get(&key(&["a"])).unwrap().unwrap().value == vec![7; 100_000]);
}

/// A power cut could bring back who named it.
#[test]
fn relaxed_keeps_a_file_until_it_is_certain_that_nobody_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default().with_durability(Durability::Relaxed);
    let store = SledStore::open_with(folder.path(), &options).unwrap();
    put(&store, "a", vec![7; 100_000]);
    put(&store, "a", Vec::new());
    assert_eq!(files(folder.path()).len(), 1);
    let before = store.sync_count();
    while store.sync_count() == before {
        put(&store, "b", vec![1; 60_000]);
    }
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    put(&store, "a", vec![7; 100_000]);
    put(&store, "b", vec![8; 100_000]);
    let [changed, gone] = <[PathBuf; 2]>::try_from(files(folder.path())).unwrap();
    let mut raw = std::fs::read(&changed).unwrap();
    raw[5_000] ^= 1;
    std::fs::write(&changed, raw).unwrap();
    std::fs::remove_file(gone).unwrap();
    for name in ["a", "b"] {
        assert_eq!(store.get(&key(&[name])).unwrap_err().kind(), StoreErrorKind::Damaged);
    }
    // Written again it is whole again: what stands there is not trusted.
    put(&store, "c", vec![7; 100_000]);
    put(&store, "d", vec![8; 100_000]);
    for name in ["a", "b", "c", "d"] {
        assert_eq!(store.get(&key(&[name])).unwrap().unwrap().value.len(), 100_000);
    }
}

#[test]
fn a_batch_may_not_be_too_long_but_for_long_values() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let batch = |bytes: usize| {
        let put =
            |batch: Batch, number: usize| batch.put(key(&[&number.to_string()]), vec![1; bytes]);
        (0..40).fold(Batch::default().append(vec![2]), put)
    };
    const { assert!(40 * 60_000 > BATCH_BYTES_MAX) };
    let Err(CommitError::Store(error)) = store.commit(batch(60_000)) else {
        panic!("it was taken")
    };
    assert!(error.help().unwrap().contains("nothing was written"));
    assert_eq!(store.log_len().unwrap(), 0);
    store.commit(batch(70_000)).unwrap();
    store.commit(batch(50_000)).unwrap();
    assert_eq!(store.log_len().unwrap(), 2);
    assert_eq!(files(folder.path()).len(), 0);
}
