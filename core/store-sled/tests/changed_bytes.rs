//! Whatever happens to the bytes of a store's files: what it holds is unchanged, or it says that it is
//! damaged. Never is something missing, older or different in silence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use placet_core::store::{StoreError, StoreErrorKind};
use placet_store_sled::{Options, Sabotage, SledStore};

use crate::images::{Content, Image, quick_folder, small_segments};
use crate::story::{Numbers, copy, seed, times, without_panics_of_sled};

/// How a file is changed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Change {
    /// One bit is another one.
    Flip,
    /// Some bytes are others, anywhere in a row.
    Noise,
    /// One sector of 512 bytes has only zeros.
    Zeros,
    /// One sector is what stood in another one.
    Moved,
    /// The file ends here.
    Cut,
    /// The file is gone.
    Gone,
}

impl Change {
    pub(crate) fn any(numbers: &mut Numbers) -> Self {
        match numbers.below(20) {
            0..8 => Self::Flip,
            8..11 => Self::Noise,
            11..15 => Self::Zeros,
            15..17 => Self::Moved,
            17..19 => Self::Cut,
            _ => Self::Gone,
        }
    }

    /// Changes the file and says where.
    pub(crate) fn make(self, path: &Path, numbers: &mut Numbers) -> u64 {
        let mut raw = std::fs::read(path).unwrap();
        let length = raw.len();
        // sled's file has a tail of zeros, where hardly anything can happen.
        let used = raw.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let mut anywhere = || numbers.below(u64::try_from(used.max(1)).unwrap());
        let at = anywhere();
        let sector = |at: u64| {
            let start = usize::try_from(at).unwrap() / 512 * 512;
            start..(start + 512).min(length)
        };
        let place = usize::try_from(at).unwrap().min(length.saturating_sub(1));
        match self {
            Self::Flip => raw[place] ^= 1 << (at % 8),
            Self::Noise => {
                let count = usize::try_from(1 + numbers.below(64)).unwrap();
                let end = (place + count).min(length);
                raw[place..end].fill_with(|| u8::try_from(numbers.below(256)).unwrap());
            }
            Self::Zeros => raw[sector(at)].fill(0),
            Self::Moved => {
                let (from, to) = (sector(anywhere()), sector(at));
                let count = from.len().min(to.len());
                raw.copy_within(from.start..from.start + count, to.start);
            }
            Self::Cut => raw.truncate(place),
            Self::Gone => {
                std::fs::remove_file(path).unwrap();
                return 0;
            }
        }
        std::fs::write(path, raw).unwrap();
        at
    }
}

/// What a change came to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Ending {
    Unharmed,
    NamedAtOpening,
    NamedAtReading,
    Silent,
}

/// Opens a store and compares what it holds with what is due.
fn ending(folder: &Path, due: &Content, options: &Options, scans: bool, what: &str) -> Ending {
    let is_damaged = |error: &StoreError| {
        assert_eq!(error.kind(), StoreErrorKind::Damaged, "{what}: {error}: {error:?}");
    };
    let store = match SledStore::open_with(folder, options) {
        Ok(store) => store,
        Err(error) => {
            is_damaged(&error);
            return Ending::NamedAtOpening;
        }
    };
    let found = if scans { Content::scanned(&store) } else { Content::gotten(&store, due) };
    match found {
        Ok(found) if found == *due => Ending::Unharmed,
        Ok(_) => Ending::Silent,
        Err(error) => {
            is_damaged(&error);
            Ending::NamedAtReading
        }
    }
}

/// The files of a store, but for the lock, which is empty.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if std::fs::metadata(&path).unwrap().len() > 0 {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Which file is changed: most often that with the data.
pub(crate) fn any_file(part: &Path, numbers: &mut Numbers) -> PathBuf {
    let files = files(part);
    let data = part.join("db");
    let other = usize::try_from(numbers.below(u64::try_from(files.len()).unwrap())).unwrap();
    if numbers.below(10) < 7 { data } else { files[other].clone() }
}

type Tally = BTreeMap<(String, Change, Ending), u32>;

/// Makes one change after another, as often as `changes`, until `ends` says that it is enough: it is told
/// how each ended, whether the opening had read everything, and what was changed.
fn play(
    changes: u64,
    numbers: &mut Numbers,
    options: &Options,
    ends: impl Fn(Ending, bool, &str) -> bool,
) -> Tally {
    without_panics_of_sled();
    let base = quick_folder();
    let images = Image::all(base.path(), numbers);
    let part = base.path().join("part");
    let mut tally = Tally::new();
    let restored = |image: &Image| {
        if part.exists() {
            std::fs::remove_dir_all(&part).unwrap();
        }
        copy(&image.folder, &part);
        part.clone()
    };
    for image in &images {
        let control = ending(&restored(image), &image.due, options, true, "control");
        assert_eq!(control, Ending::Unharmed, "{}", image.name);
    }
    for number in 0..changes {
        // The longest is copied less often.
        let turn = usize::try_from(numbers.below(11)).unwrap() / 2;
        let image = &images[turn];
        let part = restored(image);
        let change = Change::any(numbers);
        let path = any_file(&part, numbers);
        let at = change.make(&path, numbers);
        let file = path.strip_prefix(&part).unwrap().to_string_lossy().into_owned();
        let what = format!("change {number}: {}: {change:?} of {file} at {at}", image.name);
        let full_check = numbers.below(4) == 0;
        let options = options.clone().with_full_check(full_check);
        let ending = ending(&part, &image.due, &options, numbers.below(2) == 0, &what);
        let file = file.split(['.', '/']).next().unwrap().to_owned();
        *tally.entry((file, change, ending)).or_default() += 1;
        if ends(ending, full_check, &what) {
            break;
        }
    }
    tally
}

#[test]
fn changed_bytes_change_nothing_or_are_named() {
    let mut numbers = Numbers(seed(0x5eed_0123_4567_89ab));
    let changes = times("PLACET_CHANGES", 2_000);
    let tally = play(changes, &mut numbers, &small_segments(), |ending, full_check, what| {
        assert_ne!(ending, Ending::Silent, "{what}");
        // Only a sound store owes this: one that does not compare may stumble over the damage later.
        assert!(
            !full_check || ending != Ending::NamedAtReading,
            "{what}: not found by a full check"
        );
        false
    });
    for ((file, change, ending), count) in &tally {
        println!("{count:5} {file:6} {change:?}: {ending:?}");
    }
    let count = |ending| tally.iter().filter(|((_, _, e), _)| *e == ending).map(|(_, n)| n).sum();
    let [unharmed, opening, reading]: [u32; 3] =
        [Ending::Unharmed, Ending::NamedAtOpening, Ending::NamedAtReading].map(count);
    println!(
        "{changes} changes: {unharmed} without harm, {opening} named at the opening, {reading} at the first read, 0 silent"
    );
    assert!(opening > 0 && reading > 0 && unharmed > 0);
}

/// The test above is worth something: it notices a store that does not compare.
#[test]
fn a_store_that_does_not_check_is_caught() {
    let mut numbers = Numbers(0x5eed_0123_4567_89ab);
    let options = small_segments().with_sabotage(Sabotage::SkipCheck);
    let tally = play(2_000, &mut numbers, &options, |ending, _, what| {
        if ending == Ending::Silent {
            println!("caught: {what}");
        }
        ending == Ending::Silent
    });
    let tries: u32 = tally.values().sum();
    println!("{tries} changes until one was silent");
    assert!(tally.keys().any(|(_, _, ending)| *ending == Ending::Silent));
}
