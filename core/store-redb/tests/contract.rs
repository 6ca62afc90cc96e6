use std::cell::Cell;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use placet_core::store::{Batch, CommitError, Store as _, StoreErrorKind};
use placet_core::testing::conformance;
use placet_store_redb::{PAIR_BYTES_MAX, RedbStore};
use redb::{Database, TableDefinition};

use crate::story::{key, refusal, write};

#[test]
fn conforms() {
    let folder = tempfile::tempdir().unwrap();
    let stores = Cell::new(0_u32);
    conformance::check(|| {
        stores.set(stores.get() + 1);
        RedbStore::open(folder.path().join(stores.get().to_string())).unwrap()
    });
}

#[test]
fn keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    conformance::check_reopen(|| RedbStore::open(folder.path().join("store")).unwrap());
}

#[test]
fn is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = RedbStore::open(&path).unwrap();
    let (kind, text) = refusal(&path);
    assert_eq!(kind, StoreErrorKind::Locked);
    assert!(text.contains("is open already"), "{text}");
    write(&store, "a", 1);
    drop(store);
    RedbStore::open(&path).unwrap();
}

const PROBED: &str = "PLACET_TEST_PROBED";

/// Not a test of its own: the child of the tests below. Says how the opening failed.
#[test]
fn child_that_opens() {
    let Ok(path) = std::env::var(PROBED) else { return };
    println!("refused: {:?}", refusal(path.as_ref()).0);
}

/// How the opening of `path` fails in another process.
fn refused_elsewhere(path: &Path, prepare: impl FnOnce(&mut std::process::Command)) -> String {
    // By this name on Linux anybody can run it, wherever it stands.
    let linux = std::path::PathBuf::from("/proc/self/exe");
    let binary = if linux.exists() { linux } else { std::env::current_exe().unwrap() };
    let mut child = std::process::Command::new(binary);
    child
        .args(["--exact", "contract::child_that_opens", "--nocapture"])
        .current_dir("/")
        .env(PROBED, path);
    prepare(&mut child);
    String::from_utf8_lossy(&child.output().unwrap().stdout).into_owned()
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = RedbStore::open(&path).unwrap();
    let said = refused_elsewhere(&path, |_| {});
    assert!(said.contains("refused: Locked"), "{said}");
    write(&store, "a", 1);
}

/// In a child, because root may write anywhere: as root, the child is nobody.
#[test]
#[cfg(unix)]
fn names_a_file_or_folder_that_is_read_only() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("store");
    drop(RedbStore::open(&path).unwrap());
    let rights = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    rights(outer.path(), 0o755);
    rights(&path, 0o444);
    rights(&folder, 0o555);
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    for tried in [path, folder.join("new")] {
        let said = refused_elsewhere(&tried, |child| {
            if is_root {
                child.uid(NOBODY).gid(NOBODY);
            }
        });
        assert!(said.contains("refused: Unavailable"), "{said}");
    }
    rights(&folder, 0o755);
}

#[test]
fn names_what_is_wrong_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, StoreErrorKind::Unavailable, "a folder: {text}");
    let (kind, text) = refusal(&folder.path().join("missing/store"));
    assert_eq!(kind, StoreErrorKind::Unavailable, "no folder: {text}");
    assert_eq!(refusal("/proc/placet".as_ref()).0, StoreErrorKind::Unavailable);
}

#[test]
fn names_what_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let text_file = folder.path().join("text");
    for text in ["x".to_owned(), "not a database. ".repeat(1_000)] {
        std::fs::write(&text_file, &text).unwrap();
        let (kind, said) = refusal(&text_file);
        assert_eq!(kind, StoreErrorKind::Damaged, "{said}");
        assert!(std::fs::read(&text_file).unwrap() == text.as_bytes(), "it was not touched");
    }

    // Somebody else's, with tables of its own; once none of ours, once one of our name.
    for name in ["theirs", "meta"] {
        let path = folder.path().join(name);
        let db = Database::create(&path).unwrap();
        let writing = db.begin_write().unwrap();
        writing.open_table(TableDefinition::<u8, u8>::new(name)).unwrap().insert(1, 1).unwrap();
        writing.commit().unwrap();
        drop(db);
        let (kind, said) = refusal(&path);
        assert_eq!(kind, StoreErrorKind::Unavailable, "{said}");
        assert!(said.contains("another program"), "{said}");
    }

    // Created, and nothing more: the process ended before the first step after that.
    let path = folder.path().join("unfinished");
    drop(Database::create(&path).unwrap());
    write(&RedbStore::open(&path).unwrap(), "a", 1);
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    write(&RedbStore::open(&path).unwrap(), "a", 1);
    let set_format = |format| {
        let db = Database::open(&path).unwrap();
        let writing = db.begin_write().unwrap();
        let meta = TableDefinition::<&str, u64>::new("meta");
        writing.open_table(meta).unwrap().insert("format", format).unwrap();
        writing.commit().unwrap();
    };
    set_format(2);
    let (kind, text) = refusal(&path);
    assert_eq!(kind, StoreErrorKind::NewerFormat);
    assert!(text.contains("format 2"), "{text}");
    set_format(1);
    assert_eq!(RedbStore::open(&path).unwrap().log_len().unwrap(), 1, "nothing is lost");
}

#[test]
fn refuses_a_value_that_is_too_long_and_applies_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("store")).unwrap();
    // Never touched, so it takes no memory.
    let batch = Batch::default()
        .put(key(&["a"]), vec![1])
        .put(key(&["b"]), vec![0; PAIR_BYTES_MAX])
        .append(vec![1]);
    let Err(CommitError::Store(error)) = store.commit(batch) else { panic!("it was taken") };
    assert!(error.help().unwrap().contains("nothing was written"));
    assert_eq!((store.get(&key(&["a"])).unwrap(), store.log_len().unwrap()), (None, 0));
    write(&store, "a", 1);
}

#[test]
fn many_callers_share_syncs_and_one_caller_waits_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("store")).unwrap();
    let before = store.sync_count();
    for number in 0..20 {
        write(&store, "a", number);
    }
    assert_eq!(store.sync_count() - before, 40, "two for each commit");

    let before = store.sync_count();
    let (callers, rounds) = (32_u32, 10_u64);
    let start = Barrier::new(32);
    thread::scope(|scope| {
        for caller in 0..callers {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..rounds {
                    write(store, &format!("b{caller}"), number);
                }
            });
        }
    });
    let commits = u64::from(callers) * rounds;
    let syncs = store.sync_count() - before;
    println!("{commits} commits, {syncs} syncs");
    assert_eq!(store.log_len().unwrap(), commits + 20);
    // How many share depends on the disk.
    assert!((2 * rounds..=2 * commits).contains(&syncs), "{syncs} syncs for {commits} commits");
}
