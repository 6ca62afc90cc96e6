use std::cell::Cell;
use std::sync::Barrier;
use std::thread;

use placet_core::store::{Batch, CommitError, Key, Store as _, StoreErrorKind};
use placet_core::testing::conformance;
use placet_store_sled::{Durability, KEY_BYTES_MAX, Options, SledStore};

use crate::story::{key, refusal, write, write_all};

#[test]
fn conforms() {
    let folder = tempfile::tempdir().unwrap();
    let stores = Cell::new(0_u32);
    conformance::check(|| {
        stores.set(stores.get() + 1);
        SledStore::open(folder.path().join(stores.get().to_string())).unwrap()
    });
}

#[test]
fn conforms_when_relaxed() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default().with_durability(Durability::Relaxed).with_queue_batches_max(2);
    let stores = Cell::new(0_u32);
    conformance::check(|| {
        stores.set(stores.get() + 1);
        SledStore::open_with(folder.path().join(stores.get().to_string()), &options).unwrap()
    });
    let again = folder.path().join("again");
    conformance::check_reopen(|| SledStore::open_with(&again, &options).unwrap());
}

#[test]
fn keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    conformance::check_reopen(|| SledStore::open(folder.path()).unwrap());
}

#[test]
fn is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, StoreErrorKind::Locked);
    assert!(text.contains("is open already"), "{text}");
    write(&store, "a", 1);
    drop(store);
    SledStore::open(folder.path()).unwrap();
}

#[test]
fn names_what_is_wrong_with_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    assert_eq!(refusal(&file).0, StoreErrorKind::Unavailable);
    assert_eq!(refusal(&file.join("below")).0, StoreErrorKind::Unavailable);
    // Nobody can create a folder there, whatever the rights of the test.
    assert_eq!(refusal("/proc/placet".as_ref()).0, StoreErrorKind::Unavailable);
}

const READ_ONLY: &str = "PLACET_TEST_READ_ONLY";

/// Not a test of its own: the child of the test below. Says how the opening failed.
#[test]
fn child_that_may_not_write() {
    let Ok(folder) = std::env::var(READ_ONLY) else { return };
    println!("refused: {:?}", refusal(folder.as_ref()).0);
}

/// In a child, because root may write anywhere: as root, the child is nobody.
#[test]
#[cfg(unix)]
fn names_a_folder_that_is_read_only() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    const NOBODY: u32 = 65_534;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("store");
    drop(SledStore::open(&folder).unwrap());
    let rights = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    rights(outer.path(), 0o755);
    rights(&folder.join("lock"), 0o444);
    rights(&folder, 0o555);
    let new_folder = folder.join("new");
    for tried in [&folder, &new_folder] {
        // By this name on Linux nobody can run it too, wherever it stands.
        let linux = std::path::PathBuf::from("/proc/self/exe");
        let binary = if linux.exists() { linux } else { std::env::current_exe().unwrap() };
        let mut child = Command::new(binary);
        child
            .args(["--exact", "contract::child_that_may_not_write", "--nocapture"])
            .current_dir("/")
            .env(READ_ONLY, tried);
        let is_root = std::fs::write(folder.join("probe"), "").is_ok();
        if is_root {
            child.uid(NOBODY).gid(NOBODY);
        }
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("refused: Unavailable"), "{said}");
    }
    rights(&folder, 0o755);
}

#[test]
fn refuses_a_key_that_is_too_long_and_applies_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let long = Key::from_bytes(vec![b'k'; KEY_BYTES_MAX + 1]);
    let batch =
        Batch::default().put(key(&["a"]), vec![1]).put(long.clone(), vec![1]).append(vec![1]);
    let Err(CommitError::Store(error)) = store.commit(batch) else { panic!("it was taken") };
    assert!(error.help().unwrap().contains("1024"));
    assert_eq!((store.get(&key(&["a"])).unwrap(), store.log_len().unwrap()), (None, 0));
    assert_eq!(store.get(&long).unwrap(), None);
    store
        .commit(Batch::default().put(Key::from_bytes(vec![b'k'; KEY_BYTES_MAX]), vec![1]))
        .unwrap();
}

#[test]
fn many_callers_share_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let before = store.sync_count();
    let (callers, rounds) = (64_u32, 10_u64);
    let start = Barrier::new(64);
    thread::scope(|scope| {
        for caller in 0..callers {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                write_all(store, &caller.to_string(), 0..rounds);
            });
        }
    });
    let commits = u64::from(callers) * rounds;
    let syncs = store.sync_count() - before;
    println!("{commits} commits, {syncs} syncs");
    assert_eq!(store.log_len().unwrap(), commits);
    // How many share one depends on the disk; what waits together does, and that is tested inside.
    assert!(syncs <= commits, "{syncs} syncs for {commits} commits");
    assert!(syncs >= rounds, "each caller waits for its sync before it goes on");
}

#[test]
fn one_caller_syncs_once_for_each_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let before = store.sync_count();
    write_all(&store, "a", 0..20);
    assert_eq!(store.sync_count() - before, 20);
    drop(store);

    let options = Options::default().with_durability(Durability::Relaxed);
    let store = SledStore::open_with(folder.path(), &options).unwrap();
    let before = store.sync_count();
    write_all(&store, "a", 20..40);
    assert_eq!(store.sync_count(), before, "relaxed");
}

/// sled stores long pages in files of their own, and does not sync those. There must never be one.
#[test]
fn no_page_is_long_enough_for_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let blobs = || std::fs::read_dir(folder.path().join("blobs")).unwrap().count();
    // The longest keys, as different as they can be, with values of a whole chunk and of many.
    let long_key = |number: u32| {
        let mut bytes = number.wrapping_mul(0x9e37_79b9).to_be_bytes().to_vec();
        bytes.resize(KEY_BYTES_MAX - 4, u8::try_from(number % 251).unwrap());
        bytes.extend_from_slice(&number.to_be_bytes());
        Key::from_bytes(bytes)
    };
    for round in 0..60_u32 {
        let mut batch = Batch::default().append(vec![2; 8_000]);
        for number in round * 12..round * 12 + 12 {
            batch = batch.put(long_key(number), vec![3; 8_000]);
        }
        store.commit(batch.put(key(&["payload"]), vec![4; 300_000])).unwrap();
        assert_eq!(blobs(), 0, "round {round}");
    }
    for number in (0..700_u32).step_by(3) {
        store
            .commit(
                Batch::default().remove(long_key(number)).put(long_key(number + 1), vec![5; 8_192]),
            )
            .unwrap();
    }
    assert_eq!(blobs(), 0, "after removals, when pages are merged");
    drop(store);
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(blobs(), 0, "after opening again");
    assert_eq!(store.log_len().unwrap(), 60);
    assert!(store.get(&long_key(1)).unwrap().unwrap().value == vec![5; 8_192]);
}
