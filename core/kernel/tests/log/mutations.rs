//! Ten thousand single changes to an exported log, of which none may pass.
//!
//! An export has no texts that can be erased: those are changed in `deep` and, as part of one request, in `evidence`.
//! `PLACET_SEED` repeats a run, `PLACET_CASES` makes it longer.

use core::hash::{BuildHasher as _, Hasher as _};
use std::collections::BTreeMap;
use std::hash::RandomState;

use placet_core::audit::{
    CHECKPOINT_PATH, Checkpoint, Ed25519Signer, decode_bundle, encode_bundle, leaf_hash,
    verify_export,
};
use placet_core::error::{Code, Error};

use super::folder::{Dice, Folder, ORIGIN, exported, key, signer};

const CASES: u64 = 10_000;
const ENTRIES: u64 = 260;

#[expect(clippy::disallowed_methods, reason = "whoever runs a test may ask for more of it")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// What a verifier has to name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    /// The first entry that is wrong, and its file.
    Leaf(usize),
    /// One of the files that were changed, and no entry: all entries are as they were.
    File,
    /// Only that something is wrong: whoever has the log's key signed what is not so.
    Anything,
}

/// What was done: files that are others now, or gone.
struct Change {
    told: String,
    files: BTreeMap<String, Option<Vec<u8>>>,
    due: Due,
}

/// Which files a broken verifier does not look at.
type Blind = fn(&str) -> bool;

fn is_bundle(path: &str) -> bool {
    path.starts_with("tile/entries/")
}

fn is_hash_tile(path: &str) -> bool {
    path.starts_with("tile/") && !is_bundle(path)
}

/// Where each bundle begins.
fn first_of(path: &str) -> usize {
    let index = path.trim_start_matches("tile/entries/").split('.').next().unwrap();
    index.parse::<usize>().unwrap() * 256
}

/// The first entry that is not what it was.
fn first_wrong(folder: &Folder, files: &BTreeMap<String, Option<Vec<u8>>>) -> Due {
    for (path, changed) in files.iter().filter(|(path, _)| is_bundle(path)) {
        let before: Vec<_> = decode_bundle(&folder[path]).collect();
        let now: Vec<_> = decode_bundle(changed.as_deref().unwrap_or_default()).collect();
        let same = before.iter().zip(&now).take_while(|(before, now)| before == now).count();
        if same < before.len() {
            return Due::Leaf(first_of(path) + same);
        }
    }
    Due::File
}

impl Change {
    fn of(folder: &Folder, told: String, files: BTreeMap<String, Option<Vec<u8>>>) -> Self {
        let due = first_wrong(folder, &files);
        Self { told, files, due }
    }

    fn any(dice: &mut Dice, folder: &Folder) -> Self {
        let paths: Vec<&String> = folder.keys().collect();
        let path = paths[dice.below(paths.len())];
        match dice.below(12) {
            0 => Self::order(dice, folder),
            1 => Self::checkpoint(dice, folder),
            2..=4 if is_bundle(path) => Self::entries(dice, folder, path),
            _ => Self::bytes(dice, folder, path),
        }
    }

    fn bytes(dice: &mut Dice, folder: &Folder, path: &str) -> Self {
        let bytes = &folder[path];
        let (told, changed) = match dice.below(8) {
            0 => ("removed".to_owned(), None),
            1 => {
                let cut = dice.below(bytes.len());
                (format!("cut to {cut} bytes"), Some(bytes[..cut].to_vec()))
            }
            2 => {
                let extra = u8::try_from(dice.below(256)).unwrap();
                (format!("followed by {extra}"), Some([bytes.as_slice(), &[extra]].concat()))
            }
            _ => {
                let (at, bit) = (dice.below(bytes.len()), dice.below(8));
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                (format!("bit {bit} of byte {at} flipped"), Some(flipped))
            }
        };
        let told = format!("{path}: {told}");
        Self::of(folder, told, BTreeMap::from([(path.to_owned(), changed)]))
    }

    /// Entries removed, inserted, doubled, swapped or written anew, in a bundle that can be read.
    fn entries(dice: &mut Dice, folder: &Folder, path: &str) -> Self {
        let mut now: Vec<Vec<u8>> = entries_of(&folder[path]);
        let at = dice.below(now.len());
        let forged = format!("forged {}", dice.roll()).into_bytes();
        let told = match dice.below(5) {
            0 => {
                now.remove(at);
                format!("{path}: entry {at} removed")
            }
            1 => {
                now.insert(at, forged);
                format!("{path}: an entry inserted at {at}")
            }
            2 => {
                now.insert(at, now[at].clone());
                format!("{path}: entry {at} doubled")
            }
            3 => {
                now[at] = forged;
                format!("{path}: entry {at} written anew")
            }
            _ => {
                let other = (at + 1 + dice.below(now.len() - 1)) % now.len();
                now.swap(at, other);
                format!("{path}: entries {at} and {other} swapped")
            }
        };
        let changed = Some(encode_bundle(&now).unwrap());
        Self::of(folder, told, BTreeMap::from([(path.to_owned(), changed)]))
    }

    /// Two files, each under the name of the other; or two entries of two bundles.
    fn order(dice: &mut Dice, folder: &Folder) -> Self {
        let is_of = [is_bundle, is_hash_tile][dice.below(2)];
        let mut paths: Vec<&String> = folder.keys().filter(|path| is_of(path)).collect();
        let one = paths.remove(dice.below(paths.len()));
        let other = paths[dice.below(paths.len())];
        if is_bundle(one) && dice.below(2) == 0 {
            let (mut ones, mut others) = (entries_of(&folder[one]), entries_of(&folder[other]));
            let (at, there) = (dice.below(ones.len()), dice.below(others.len()));
            core::mem::swap(&mut ones[at], &mut others[there]);
            let told = format!("entry {at} of {one} and {there} of {other} swapped");
            let files = [(one, ones), (other, others)];
            let files = files.map(|(path, now)| (path.clone(), Some(encode_bundle(&now).unwrap())));
            return Self::of(folder, told, files.into());
        }
        let files = [(one, other), (other, one)];
        let files = files.map(|(path, from)| (path.clone(), Some(folder[from].clone())));
        Self::of(folder, format!("{one} and {other} swapped"), files.into())
    }

    /// Another head: of a stranger, of another log, or one that the log's own key signed and that is not so.
    fn checkpoint(dice: &mut Dice, folder: &Folder) -> Self {
        let good = Checkpoint::open(&folder[CHECKPOINT_PATH], ORIGIN, &key()).unwrap();
        let (log, stranger) = (signer(), Ed25519Signer::from_seed(ORIGIN, &[8; 32]).unwrap());
        let root = leaf_hash(&dice.roll().to_be_bytes());
        let (told, head, by, due) = match dice.below(4) {
            0 => ("signed by a stranger", good, &stranger, Due::File),
            1 => {
                let head = Checkpoint::new("another.test/log", ENTRIES, good.root());
                ("of another log", head.unwrap(), &log, Due::File)
            }
            2 => {
                let head = Checkpoint::new(ORIGIN, ENTRIES, root).unwrap();
                ("with another root", head, &log, Due::File)
            }
            _ => {
                let size = 1 + u64::try_from(dice.below(1_000)).unwrap();
                let size = if size == ENTRIES { size + 1 } else { size };
                let head = Checkpoint::new(ORIGIN, size, good.root()).unwrap();
                ("of another size", head, &log, Due::Anything)
            }
        };
        let changed = head.sign(&[by]).unwrap().to_string().into_bytes();
        let files = BTreeMap::from([(CHECKPOINT_PATH.to_owned(), Some(changed))]);
        Self { told: format!("a head {told}"), files, due }
    }

    /// What a verifier says, which gets to see the files of which `blind` says so as they were.
    fn judged(&self, folder: &Folder, blind: Blind) -> Result<(), Error> {
        let read = |path: &str| {
            let changed = self.files.get(path).filter(|_| !blind(path));
            Ok(changed.cloned().unwrap_or_else(|| folder.get(path).cloned()))
        };
        verify_export(read, ORIGIN, &key()).map(drop)
    }
}

fn entries_of(bundle: &[u8]) -> Vec<Vec<u8>> {
    decode_bundle(bundle).map(|entry| entry.unwrap().to_vec()).collect()
}

fn whole() -> Folder {
    let entries: Vec<_> = (0..ENTRIES).map(|one| format!("entry {one}").into_bytes()).collect();
    exported(&entries)
}

fn seen(_path: &str) -> bool {
    false
}

#[test]
fn each_of_ten_thousand_single_changes_is_found_and_its_first_entry_named() {
    let folder = whole();
    // A new map hashes with numbers of the system's.
    let seed = number("PLACET_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let cases = number("PLACET_CASES").unwrap_or(CASES);
    eprintln!("PLACET_SEED={seed} repeats these {cases} changes");
    let mut dice = Dice(seed);
    let (mut leaves, mut heads, mut orders) = (0_u64, 0_u64, 0_u64);
    for case in 0..cases {
        let change = Change::any(&mut dice, &folder);
        let told = format!("PLACET_SEED={seed}, change {case}: {}", change.told);
        let is_same = change.files.iter().all(|(path, bytes)| bytes.as_ref() == folder.get(path));
        assert!(!is_same, "{told}: nothing was changed");
        let Err(error) = change.judged(&folder, seen) else { panic!("{told}: not found") };
        assert_eq!(error.code(), Code::LogTampered, "{told}");
        let path = error.details().get("path").unwrap();
        let leaf = error.details().get("leaf").map(|leaf| leaf.parse::<usize>().unwrap());
        match change.due {
            Due::Leaf(first) => {
                assert_eq!((leaf, first_of(path)), (Some(first), first / 256 * 256), "{told}");
            }
            Due::File => {
                assert_eq!((leaf, change.files.contains_key(path)), (None, true), "{told}: {path}");
            }
            Due::Anything => {}
        }
        leaves += u64::from(matches!(change.due, Due::Leaf(_)));
        heads += u64::from(change.files.contains_key(CHECKPOINT_PATH));
        orders += u64::from(change.files.len() > 1);
    }
    eprintln!(
        "{cases} changes, {cases} found: {leaves} of entries, {heads} of heads, {orders} of two files"
    );
    assert!(leaves > cases / 4 && heads > cases / 20 && orders > cases / 50);
}

/// The test above is worth something: it notices a verifier that does not look at one kind of file.
#[test]
fn a_verifier_that_does_not_look_is_caught() {
    let folder = whole();
    let blind: [(_, Blind); 3] = [
        ("entries", is_bundle),
        ("hash tiles", is_hash_tile),
        ("the checkpoint", |path| path == CHECKPOINT_PATH),
    ];
    for (what, blind) in blind {
        let mut dice = Dice(1);
        let missed = |_: &u64| {
            let change = Change::any(&mut dice, &folder);
            change.judged(&folder, blind).is_ok()
        };
        let first = (0..200).find(missed);
        eprintln!("a verifier that does not look at {what} missed change {first:?}");
        assert!(first.is_some(), "nobody noticed that it does not look at {what}");
    }
}
