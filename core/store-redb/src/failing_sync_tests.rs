//! When the disk says no.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::sync::Arc;

use placet_core::store::{Batch, CommitError, Key, Store as _, StoreErrorKind};

use crate::store::RedbStore;

#[test]
fn a_failed_sync_stops_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let broken = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&broken);
    let store = RedbStore::open_syncing(
        &path,
        Box::new(move || {
            if seen.load(Ordering::SeqCst) {
                return Err(io::Error::other("the disk said no"));
            }
            Ok(())
        }),
    )
    .unwrap();
    let key = Key::from_segments(&["a"]);
    let put = |value| Batch::default().put(key.clone(), vec![value]).append(vec![value]);
    store.commit(put(1)).unwrap();
    broken.store(true, Ordering::SeqCst);
    let Err(CommitError::Store(error)) = store.commit(put(2)) else { panic!("it was taken") };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);

    // The disk is well again, and nobody believes it.
    broken.store(false, Ordering::SeqCst);
    let Err(CommitError::Store(error)) = store.commit(put(3)) else { panic!("it was taken") };
    assert_eq!(error.kind(), StoreErrorKind::Poisoned);
    assert!(error.to_string().contains("the disk said no"), "{error}");
    assert_eq!(store.get(&key).unwrap_err().kind(), StoreErrorKind::Poisoned);
    assert_eq!(store.scan(&key, None, 1).unwrap_err().kind(), StoreErrorKind::Poisoned);
    assert_eq!(store.log_len().unwrap_err().kind(), StoreErrorKind::Poisoned);
    assert_eq!(store.log_read(0, 1).unwrap_err().kind(), StoreErrorKind::Poisoned);
    drop(store);

    // What was acknowledged is there; what was not is there whole or not at all.
    let store = RedbStore::open(&path).unwrap();
    let value = store.get(&key).unwrap().unwrap().value;
    assert!(value == [1] || value == [2], "{value:?}");
    assert_eq!(store.log_len().unwrap(), u64::from(value[0]));
    store.commit(put(4)).unwrap();
}
