//! What was erased is in no file, once the closed store was compacted; also where that is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use placet_core::store::{Batch, Store as _};
use placet_store_sled::{Options, SledStore};

use crate::erased_story::a_thousand_texts_go;
use crate::images::{Content, quick_folder};
use crate::story::{Numbers, key, seed, times};

const FOLDER: &str = "PLACET_TEST_COMPACTED";

#[test]
fn a_thousand_texts_are_in_no_file_then() {
    let folder = quick_folder();
    let path = folder.path();
    a_thousand_texts_go(path, &|| Arc::new(SledStore::open(path).unwrap()), &|| {
        SledStore::compact(path, &Options::default(), |_| Ok(())).unwrap();
    });
}

/// Not a test of its own: the child of the test below. Compacts again and again, and says how far it is.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    loop {
        let told = SledStore::compact(&folder, &Options::default(), |_| {
            std::io::stdout().write_all(b"copied\n").unwrap();
            Ok(())
        });
        told.unwrap();
        std::io::stdout().write_all(b"compacted\n").unwrap();
    }
}

#[test]
fn a_store_whose_compacting_is_killed_is_whole() {
    let folder = quick_folder();
    let store = SledStore::open(folder.path()).unwrap();
    for number in 0..400_usize {
        let bytes = if number % 100 == 0 { 70_000 } else { 5_000 };
        let value = vec![u8::try_from(number % 251).unwrap(); bytes];
        let batch = Batch::default().put(key(&[&number.to_string()]), value).append(vec![3; 30]);
        store.commit(batch).unwrap();
    }
    let due = Content::scanned(&store).unwrap();
    let commits = store.get(&key(&["7"])).unwrap().unwrap().version;
    drop(store);
    let mut numbers = Numbers(seed(0x5eed_c0de_dead_0001));
    let kills = times("PLACET_KILLS", 10);
    let mut between = 0;
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "erased::child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wait = usize::try_from(1 + numbers.below(5)).unwrap();
        let told = lines.by_ref().map_while(Result::ok).filter(|line| line.contains("cop"));
        assert_eq!(told.take(wait).count(), wait, "the child goes on");
        // A little later, somewhere in its next steps.
        for _ in 0..numbers.below(2_000_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let made = ["compacting", "compacted"].map(|name| folder.path().join(name).exists());
        between += usize::from(made.contains(&true));
        let options = Options::default().with_full_check(true);
        let store = SledStore::open_with(folder.path(), &options).unwrap();
        assert!(Content::scanned(&store).unwrap() == due, "kill {kill}");
        assert_eq!(store.get(&key(&["7"])).unwrap().unwrap().version, commits);
    }
    // Where a kill falls is chance; each step by itself is failed in `compact.rs`.
    println!("{kills} kills, {between} of them between two steps");
}
