//! Ten thousand single changes to an exported log, of which none may pass.
//!
//! `PLACET_SEED` repeats a run, `PLACET_CASES` makes it longer.

use core::hash::{BuildHasher as _, Hasher as _};
use std::hash::RandomState;

use placet_core::audit::{decode_bundle, encode_bundle, verify_export};
use placet_core::error::Code;

use super::folder::{Dice, Folder, ORIGIN, exported, key};

const CASES: u64 = 10_000;

#[expect(clippy::disallowed_methods, reason = "whoever runs a test may ask for more of it")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// What was done, and what the verifier has to name.
struct Change {
    told: String,
    path: String,
    bytes: Option<Vec<u8>>,
    /// The first entry that is wrong; nothing where all entries are as they were.
    leaf: Option<usize>,
}

/// Where each bundle begins.
fn first_of(path: &str) -> usize {
    path.rsplit_once('/').map_or(0, |_| {
        let index = path.trim_start_matches("tile/entries/").split('.').next().unwrap();
        index.parse::<usize>().unwrap() * 256
    })
}

fn change(dice: &mut Dice, folder: &Folder, paths: &[String]) -> Change {
    let path = paths[dice.below(paths.len())].clone();
    let bytes = &folder[&path];
    if path.starts_with("tile/entries/") && dice.below(2) == 0 {
        return change_entries(dice, path, bytes);
    }
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
    let leaf = path.starts_with("tile/entries/").then(|| {
        let before: Vec<_> = decode_bundle(bytes).collect();
        let now: Vec<_> = decode_bundle(changed.as_deref().unwrap_or_default()).collect();
        let same = before.iter().zip(&now).take_while(|(before, now)| before == now).count();
        (same < before.len()).then(|| first_of(&path) + same)
    });
    Change { told, path, bytes: changed, leaf: leaf.flatten() }
}

/// Entries removed, inserted, doubled or swapped, in a bundle that can be read.
fn change_entries(dice: &mut Dice, path: String, bytes: &[u8]) -> Change {
    let before: Vec<Vec<u8>> = decode_bundle(bytes).map(|entry| entry.unwrap().to_vec()).collect();
    let mut now = before.clone();
    let at = dice.below(now.len());
    let told = match dice.below(4) {
        0 => {
            now.remove(at);
            format!("entry {at} removed")
        }
        1 => {
            now.insert(at, format!("forged {}", dice.roll()).into_bytes());
            format!("an entry inserted at {at}")
        }
        2 => {
            now.insert(at, now[at].clone());
            format!("entry {at} doubled")
        }
        _ => {
            let other = (at + 1 + dice.below(now.len() - 1)) % now.len();
            now.swap(at, other);
            format!("entries {at} and {other} swapped")
        }
    };
    let same = before.iter().zip(&now).take_while(|(before, now)| before == now).count();
    let leaf = (same < before.len()).then(|| first_of(&path) + same);
    Change { told, path, bytes: Some(encode_bundle(&now).unwrap()), leaf }
}

#[test]
fn each_of_ten_thousand_single_changes_is_found_and_its_first_entry_named() {
    let entries: Vec<Vec<u8>> = (0..260).map(|one| format!("entry {one}").into_bytes()).collect();
    let folder = exported(&entries);
    let paths: Vec<String> = folder.keys().cloned().collect();
    let key = key();
    // A new map hashes with numbers of the system's.
    let seed = number("PLACET_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let cases = number("PLACET_CASES").unwrap_or(CASES);
    eprintln!("PLACET_SEED={seed} repeats these {cases} changes");
    let mut dice = Dice(seed);
    let mut leaves = 0;
    for case in 0..cases {
        let change = change(&mut dice, &folder, &paths);
        let told = format!("PLACET_SEED={seed}, change {case}: {}: {}", change.path, change.told);
        let (path, bytes, leaf) = (change.path, change.bytes, change.leaf);
        if bytes.as_ref() == folder.get(&path) {
            continue; // equal entries swapped: nothing was changed
        }
        let read = |asked: &str| {
            Ok(if asked == path { bytes.clone() } else { folder.get(asked).cloned() })
        };
        let Err(error) = verify_export(read, ORIGIN, &key) else { panic!("{told}: not found") };
        assert_eq!(error.code(), Code::LogTampered, "{told}");
        assert_eq!(error.details().get("path"), Some(&path), "{told}");
        let named = error.details().get("leaf").map(|leaf| leaf.parse::<usize>().unwrap());
        assert_eq!(named, leaf, "{told}: {error}");
        leaves += usize::from(leaf.is_some());
    }
    assert!(u64::try_from(leaves).unwrap() > cases / 4, "{leaves} changes of entries");
}

/// A verifier that looks at the entries and the signature only would let tiles pass: the changes reach those too.
#[test]
fn a_verifier_that_does_not_look_at_tiles_would_be_caught() {
    let entries: Vec<Vec<u8>> = (0..260).map(|one| format!("entry {one}").into_bytes()).collect();
    let folder = exported(&entries);
    let paths: Vec<String> = folder.keys().cloned().collect();
    let mut dice = Dice(1);
    let blind = (0..1_000).filter(|_| {
        let change = change(&mut dice, &folder, &paths);
        !change.path.starts_with("tile/entries/") && change.path != "checkpoint"
    });
    assert!(blind.count() > 300);
}
