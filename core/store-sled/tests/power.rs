//! What was acknowledged survives a power cut: the writes of a real process are recorded, and disks are
//! put together from them as they may be if the power fails at any moment.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use placet_core::store::{CommitError, Store as _, StoreError};
use placet_store_sled::{Durability, Options, Sabotage, SledStore};

use crate::images::{Content, batch, quick_folder};
use crate::lost_power::Disk;
use crate::story::{Numbers, seed, times, without_panics_of_sled};
use crate::traced::{self, Event};

const FOLDER: &str = "PLACET_TEST_POWER_FOLDER";
const KIND: &str = "PLACET_TEST_POWER_KIND";
/// With these, a group of one huge batch goes over several borders in sled's file.
const SHORT_SEGMENT_BYTES: usize = 512 << 10;

/// How much is written.
struct Shape {
    /// What the batches are called; see `images.rs`.
    word: &'static str,
    callers: u64,
    /// Of each caller.
    commits: u64,
    /// How often the store is opened and lost.
    lives: u64,
}

fn shape(kind: &str) -> Shape {
    match kind {
        "long" => Shape { word: "long", callers: 4, commits: 15, lives: 3 },
        // One caller: each group is one batch, whoever is quicker.
        "huge, short segments" => Shape { word: "huge", callers: 1, commits: 4, lives: 1 },
        _ => Shape { word: "", callers: 4, commits: 60, lives: 5 },
    }
}

/// Not a test of its own: the child of the tests below. Says each number once it is acknowledged, and ends
/// without closing anything.
#[test]
#[expect(clippy::exit, reason = "it ends as if it had been killed")]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let kind = std::env::var(KIND).unwrap();
    let Shape { word, callers, commits, lives: _ } = shape(&kind);
    let store = SledStore::open_with(folder, &options(&kind)).unwrap();
    let start = store.log_len().unwrap();
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let store = &store;
            scope.spawn(move || {
                for number in start..start + commits {
                    let text = format!("{word}{caller} {number}");
                    let committed = store.commit(batch(&text)).unwrap();
                    let line = format!("ack {} {text}\n", committed.log_index.unwrap());
                    // One call for one line, past the harness: it is looked for in the trace.
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
    std::process::exit(0);
}

fn options(kind: &str) -> Options {
    match kind {
        "relaxed" => Options::default().with_durability(Durability::Relaxed),
        "unsynced" => Options::default().with_sabotage(Sabotage::SkipSync),
        "huge, short segments" => Options::default().with_segment_bytes(SHORT_SEGMENT_BYTES),
        _ => Options::default(),
    }
}

/// Runs this very test binary as the child, and returns what it did to `folder`.
fn live(folder: &Path, kind: &str, trace: &Path) -> Option<Vec<Event>> {
    let tracer = traced::tracer(trace)?;
    let ended = Command::new(&tracer[0])
        .args(&tracer[1..])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "power::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(KIND, kind)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success());
    Some(traced::read(trace, folder))
}

/// The acknowledgements in what was said: log index and entry.
fn acknowledged(said: &str) -> Option<(u64, String)> {
    let (index, text) = said.split_once("ack ")?.1.trim_end().split_once(' ')?;
    Some((index.parse().ok()?, text.to_owned()))
}

/// How an image was found.
enum Found {
    /// All that was acknowledged, and so many entries beyond.
    Whole(usize),
    /// Everything is as it was at an earlier time.
    Earlier,
    Broken(String),
}

/// Opens an image and compares it with what was acknowledged.
fn find(folder: &Path, kind: &str, said: &[(u64, String)]) -> Found {
    let read = || -> Result<Content, StoreError> {
        let healthy = if kind == "unsynced" { "full" } else { kind };
        let store = SledStore::open_with(folder, &options(healthy))?;
        let found = Content::scanned(&store)?;
        // It goes on, and closes.
        match store.commit(batch("0 0")) {
            Ok(_) => Ok(found),
            Err(CommitError::Store(error)) => Err(error),
            Err(CommitError::Conflict { .. }) => panic!("nothing was expected"),
        }
    };
    let found = match read() {
        Ok(found) => found,
        Err(error) => return Found::Broken(error.to_string()),
    };
    let mut due = Content::default();
    for entry in &found.log {
        due.apply(&batch(std::str::from_utf8(entry).unwrap()));
    }
    if due != found {
        return Found::Broken("what is there is not what the log says".to_owned());
    }
    let is_there = |(index, text): &(u64, String)| {
        found
            .log
            .get(usize::try_from(*index).unwrap())
            .is_some_and(|entry| entry == text.as_bytes())
    };
    if said.iter().all(is_there) {
        Found::Whole(found.log.len().saturating_sub(said.len()))
    } else {
        Found::Earlier
    }
}

/// Plays `images` power cuts and hands what is found to `judge`, until it says that it is enough. Returns how
/// many were played; nothing where nothing can be traced.
fn play(
    kind: &str,
    images: u64,
    numbers: &mut Numbers,
    mut judge: impl FnMut(Found, &str) -> bool,
) -> Option<u64> {
    without_panics_of_sled();
    let base = quick_folder();
    let base: PathBuf = std::fs::canonicalize(base.path()).unwrap();
    let (folder, trace, image) = (base.join("store"), base.join("trace"), base.join("image"));
    std::fs::create_dir(&folder).unwrap();
    let mut said = Vec::new();
    let mut played = 0;
    let keeps = matches!(kind, "full" | "long");
    let Shape { word: _, callers, commits, lives } = shape(kind);
    for life in 0..lives {
        let mut disk = Disk::of(&folder);
        let events = live(&folder, kind, &trace)?;
        let share = images * (life + 1) / lives - images * life / lives;
        let end = u64::try_from(events.len()).unwrap();
        let mut moments: Vec<u64> = (0..share).map(|_| numbers.below(end)).collect();
        moments.sort_unstable();
        let mut moments = moments.into_iter().peekable();
        for (moment, event) in (0..).zip(events) {
            if let Event::Said(text) = &event {
                said.extend(acknowledged(text));
            }
            disk.apply(event);
            while moments.next_if_eq(&moment).is_some() {
                played += 1;
                let before = numbers.0;
                disk.cut(numbers, &image);
                let found = find(&image, kind, &said);
                std::fs::remove_dir_all(&image).unwrap();
                if keeps && !matches!(found, Found::Whole(_)) {
                    // Another run has other calls, so the image is what can be looked at again.
                    let kept = std::env::temp_dir().join(format!("placet-image-{before:x}"));
                    disk.cut(&mut Numbers(before), &kept);
                    println!("the image is kept in `{}`", kept.display());
                }
                if judge(found, &format!("image {played}, life {life}, call {moment} of {end}")) {
                    return Some(played);
                }
            }
        }
    }
    println!("{kind}: {played} images, {} acknowledged commits in {lives} lives", said.len());
    assert_eq!(u64::try_from(said.len()).unwrap(), lives * callers * commits);
    Some(played)
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let mut numbers = Numbers(seed(0x5eed_c001_0ff0_0001));
    let mut beyond = 0;
    play("full", times("PLACET_IMAGES", 500), &mut numbers, |found, what| {
        match found {
            Found::Whole(more) => beyond += u64::from(more > 0),
            Found::Earlier => panic!("{what}: something acknowledged is lost"),
            Found::Broken(how) => panic!("{what}: {how}"),
        }
        false
    });
    println!("in {beyond} of them stood something that was not acknowledged yet, whole");
}

/// The same with batches so long that a group goes over several segments of sled's file: while one is written,
/// sled may use parts again whose content it has just written elsewhere, and not synced.
#[test]
fn long_batches_survive_a_power_cut() {
    let mut numbers = Numbers(seed(0x5eed_c001_0ff0_0004));
    play("long", times("PLACET_IMAGES", 500) / 10, &mut numbers, |found, what| {
        match found {
            Found::Whole(_) => {}
            Found::Earlier => panic!("{what}: something acknowledged is lost"),
            Found::Broken(how) => panic!("{what}: {how}"),
        }
        false
    });
}

/// What [`Durability::Relaxed`] says: the end can be lost, and what is left existed.
#[test]
fn relaxed_loses_only_the_end() {
    let mut numbers = Numbers(seed(0x5eed_c001_0ff0_0002));
    let mut earlier = 0;
    // Where sled's own thread is quick and the writers are slow, little is there to lose.
    for _ in 0..TRIES {
        let played =
            play("relaxed", times("PLACET_IMAGES", 500) / 5, &mut numbers, |found, what| {
                match found {
                    Found::Whole(_) => {}
                    Found::Earlier => earlier += 1,
                    Found::Broken(how) => panic!("{what}: {how}"),
                }
                false
            });
        println!("in {earlier} of them the end was lost");
        if played.is_none() || earlier > 0 {
            return;
        }
    }
    panic!("in {TRIES} tries no end was lost");
}

/// The tests above are worth something: they notice a store that does not sync.
#[test]
fn a_store_that_does_not_sync_is_caught() {
    caught("unsynced", 0x5eed_c001_0ff0_0003);
}

/// And they notice a group that goes over several borders in sled's file. See `folder.rs`.
#[test]
fn segments_that_are_too_short_are_caught() {
    caught("huge, short segments", 0x5eed_c001_0ff0_0005);
}

/// How many times a broken store is written to, at most, and how many power cuts are played each time. Of 20 runs with
/// segments that are too short, 14 were caught in the first try and six in the second: about one image in a hundred
/// shows it.
const TRIES: u64 = 50;
const IMAGES_OF_A_TRY: u64 = 100;

fn caught(kind: &str, default: u64) {
    let (mut numbers, mut images) = (Numbers(seed(default)), 0);
    for number in 1..=TRIES {
        let mut caught = false;
        let played = play(kind, IMAGES_OF_A_TRY, &mut numbers, |found, what| {
            match found {
                Found::Whole(_) => return false,
                Found::Earlier => println!("caught: {what}: something acknowledged is lost"),
                Found::Broken(how) => println!("caught: {what}: {how}"),
            }
            caught = true;
            true
        });
        let Some(played) = played else { return };
        images += played;
        if caught {
            println!("caught in try {number}, by image {images}");
            return;
        }
    }
    panic!("{images} images in {TRIES} tries, and nothing was lost");
}
