//! An export of 600 entries, tampered with in every way that we could think of.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::audit::{
    ENTRY_BYTES_MAX, Ed25519Signer, MerkleTree, Signer as _, edge, encode_bundle, export, hash_tile,
};
use crate::digest::Digest;
use crate::error::Code;

const LOG: &str = "example.com/log";

type Folder = BTreeMap<String, Vec<u8>>;

/// Numbers that look random and are the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let rolled = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(rolled).unwrap() % limit
    }
}

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(LOG, &[7; 32]).unwrap()
}

/// Entries of 0 to 299 bytes, no two of them the same.
fn entries(count: usize) -> Vec<Vec<u8>> {
    let mut dice = Dice(42);
    (0..count)
        .map(|number| {
            let mut entry = number.to_string().into_bytes();
            let length = dice.below(300);
            entry.extend((0..length).map(|_| u8::try_from(dice.below(256)).unwrap()));
            if number == 3 { Vec::new() } else { entry }
        })
        .collect()
}

fn tree_of(entries: &[Vec<u8>]) -> MerkleTree {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

fn folder_of(entries: &[Vec<u8>]) -> Folder {
    let tree = tree_of(entries);
    let head = Checkpoint::new(LOG, tree.len(), tree.root()).unwrap();
    let mut folder = Folder::new();
    let tiled = TiledTree::new(tree.len(), |path| Ok(hash_tile(&tree, path)));
    let read = |from, limit| {
        let from = usize::try_from(from).unwrap();
        Ok(entries[from..from + limit].to_vec())
    };
    export(&tiled, &head.sign(&[&signer()]).unwrap(), None, read, &mut folder).unwrap();
    folder
}

type Read<'a> = Box<dyn Fn(&str) -> Result<Option<Vec<u8>>, Error> + 'a>;

fn verify(folder: &Folder) -> Result<Verified<Read<'_>>, Error> {
    let read: Read<'_> = Box::new(|path| Ok(folder.get(path).cloned()));
    verify_export(read, LOG, signer().verifier_key())
}

/// What the verifier says: the leaf or the leaves it names, otherwise the file.
fn blamed(folder: &Folder) -> String {
    let Err(error) = verify(folder) else { return "nothing".to_owned() };
    assert_eq!(error.code(), Code::LogTampered, "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
    let detail = |name: &str| error.details().get(name).cloned();
    match (detail("leaf"), detail("leaf_first"), detail("leaf_last")) {
        (Some(leaf), ..) => format!("leaf {leaf}"),
        (None, Some(first), Some(last)) => format!("leaves {first} to {last}"),
        _ => detail("path").unwrap(),
    }
}

/// What the verifier has to say when the byte `at` of `path` is the first that is wrong.
fn owner(path: &str, at: usize, entries: &[Vec<u8>]) -> String {
    let Some(tile) = path.parse::<TilePath>().ok().filter(|path| path.level().is_none()) else {
        return path.to_owned();
    };
    let mut end = 0;
    for (index, entry) in entries.iter().enumerate().skip(usize::try_from(tile.start()).unwrap()) {
        end += 2 + entry.len();
        if at < end {
            return format!("leaf {index}");
        }
    }
    path.to_owned()
}

#[test]
fn what_was_exported_verifies() {
    for size in [0, 1, 2, 255, 256, 257, 512, 600] {
        let entries = entries(size);
        let folder = folder_of(&entries);
        let verified = verify(&folder).unwrap();
        assert_eq!(verified.checkpoint().root(), tree_of(&entries).root());
    }
}

#[test]
fn any_flipped_byte_is_found_and_named() {
    let entries = entries(600);
    let folder = folder_of(&entries);
    let paths: Vec<_> = folder.keys().cloned().collect();
    for seed in 1..=400 {
        let mut dice = Dice(seed);
        dice.below(2);
        let path = &paths[dice.below(paths.len())];
        let at = dice.below(folder[path].len());
        let mask = u8::try_from(1 + dice.below(255)).unwrap();

        let mut tampered = folder.clone();
        tampered.get_mut(path).unwrap()[at] ^= mask;
        let expected = owner(path, at, &entries);
        assert_eq!(blamed(&tampered), expected, "seed {seed}: byte {at} of {path} ^ {mask}");
    }
}

#[test]
fn any_flipped_byte_of_a_small_log_is_found_and_named() {
    let entries: Vec<_> = ["ana asks", "", "bo agrees", "it runs"].map(Into::into).into();
    let folder = folder_of(&entries);
    for (path, bytes) in &folder {
        for at in 0..bytes.len() {
            let mut tampered = folder.clone();
            tampered.get_mut(path).unwrap()[at] ^= 1;
            assert_eq!(blamed(&tampered), owner(path, at, &entries), "byte {at} of {path}");
        }
    }
}

#[test]
fn missing_shorter_and_longer_files_are_found_and_named() {
    let entries = entries(600);
    let folder = folder_of(&entries);
    let mut dice = Dice(7);
    for (path, bytes) in &folder {
        let mut missing = folder.clone();
        missing.remove(path);
        assert_eq!(blamed(&missing), owner(path, 0, &entries), "without {path}");

        let mut longer = folder.clone();
        longer.get_mut(path).unwrap().push(b'\n');
        assert_eq!(blamed(&longer), *path, "{path} with one byte more");

        for at in [0, 1, bytes.len() - 1, dice.below(bytes.len()), dice.below(bytes.len())] {
            let mut shorter = folder.clone();
            shorter.get_mut(path).unwrap().truncate(at);
            assert_eq!(blamed(&shorter), owner(path, at, &entries), "{at} bytes of {path}");
        }
    }
}

#[test]
fn entries_that_change_places_are_found() {
    let mut changed = entries(600);
    let folder = folder_of(&changed);
    changed.swap(300, 301);
    let mut tampered = folder;
    tampered.insert("tile/entries/001".to_owned(), bundle(&changed[256..512]));
    assert_eq!(blamed(&tampered), "leaf 300");
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    encode_bundle(entries).unwrap()
}

/// Somebody rewrites an entry and then as many of the files above it as they can.
#[test]
fn a_forger_who_rewrites_tiles_too_is_found() {
    let honest = folder_of(&entries(70_000));
    let mut forged = entries(70_000);
    forged[777].push(b'!');
    let forged = folder_of(&forged);
    let with = |paths: &[&str]| {
        let mut folder = honest.clone();
        for path in paths {
            folder.insert((*path).to_owned(), forged[*path].clone());
        }
        blamed(&folder)
    };
    assert_eq!(with(&["tile/entries/003"]), "leaf 777");
    assert_eq!(with(&["tile/0/003"]), "tile/0/003");
    assert_eq!(with(&["tile/entries/003", "tile/0/003"]), "leaves 768 to 1023");
    let up_to_level_1 = ["tile/entries/003", "tile/0/003", "tile/1/000"];
    assert_eq!(with(&up_to_level_1), "leaves 0 to 65535");
    let all = ["tile/entries/003", "tile/0/003", "tile/1/000", "tile/2/000.p/1"];
    assert_eq!(with(&all), "checkpoint");

    // Two files that have nothing to do with each other: the level above says which is wrong.
    let mut folder = honest.clone();
    folder.insert("tile/entries/003".to_owned(), forged["tile/entries/003"].clone());
    folder.get_mut("tile/0/009").unwrap()[0] ^= 1;
    assert_eq!(blamed(&folder), "leaf 777");
    folder.get_mut("tile/0/002").unwrap()[0] ^= 1;
    assert_eq!(blamed(&folder), "tile/0/002");
}

#[test]
fn a_log_that_was_rewritten_or_cut_does_not_continue_the_head_that_a_witness_kept() {
    let first = entries(600);
    let head = |entries: &[Vec<u8>], origin: &str| {
        let tree = tree_of(entries);
        Checkpoint::new(origin, tree.len(), tree.root()).unwrap()
    };
    let folder = folder_of(&first);
    let verified = verify(&folder).unwrap();
    for size in [0, 1, 300, 600] {
        verified.continues(&head(&first[..size], LOG)).unwrap();
    }
    let mut other = first.clone();
    other[5].push(b'!');
    for refused in [head(&other, LOG), head(&entries(601), LOG), head(&first, "example.com/b")] {
        assert_eq!(verified.continues(&refused).unwrap_err().code(), Code::LogTampered);
    }
}

/// Whoever changes the folder after it was verified cannot change what it continues.
#[test]
fn tiles_that_change_after_the_verification_prove_nothing() {
    let (first, mut other) = (entries(600), entries(600));
    other[5].push(b'!');
    let (folder, forged) = (folder_of(&first), folder_of(&other));
    let late = core::cell::Cell::new(false);
    let read = |path: &str| Ok(if late.get() { &forged } else { &folder }.get(path).cloned());
    let verified = verify_export(read, LOG, signer().verifier_key()).unwrap();
    let tree = tree_of(&other[..300]);
    late.set(true);
    let forged_head = Checkpoint::new(LOG, 300, tree.root()).unwrap();
    assert_eq!(verified.continues(&forged_head).unwrap_err().code(), Code::LogTampered);
}

/// At most this many hashes may be in memory at once, beside one bundle and one tile.
fn held_max(size: u64) -> usize {
    (0..8).filter(|level| size >> (8 * level) > 0).count() * 256
}

#[test]
fn memory_does_not_grow_with_the_log() {
    let read = |path: &str| -> Result<Option<Vec<u8>>, Error> {
        if path == "checkpoint" {
            return Ok(Some(endless::HEAD.with_borrow(Clone::clone)));
        }
        Ok(Some(endless::file(path.parse().unwrap())))
    };
    for size in [300, 70_000, 200_000] {
        endless::sign(size);
        edge::counted::take();
        verify_export(read, LOG, signer().verifier_key()).unwrap();
        let held = edge::counted::take();
        assert!(held <= held_max(size), "{held} hashes for {size} leaves");
        // Also while it looks for what is wrong.
        let wrong = |path: &str| {
            let good = read(path)?;
            Ok(if path == "tile/entries/001.p/44" || path == "tile/entries/200" {
                good.map(|mut bytes| {
                    bytes[2] ^= 1;
                    bytes
                })
            } else {
                good
            })
        };
        if size != 70_000 {
            let found = verify_export(wrong, LOG, signer().verifier_key()).unwrap_err();
            let first = if size == 300 { "256" } else { "51200" };
            assert_eq!(found.details()["leaf"], first);
            let held = edge::counted::take();
            assert!(held <= held_max(size), "{held} hashes for {size} leaves");
        }
    }
    // What the verifier did before: every hash of the tree. The bound would notice.
    let tree: MerkleTree = (0..300_u32).map(|one| leaf_hash(&one.to_be_bytes())).collect();
    let kept: u64 = (0..9).map(|level| tree.len() >> level).sum();
    assert!(usize::try_from(kept).unwrap() > held_max(300) - 256);
    let kept: u64 = (0..17).map(|level| 70_000 >> level).sum();
    assert!(usize::try_from(kept).unwrap() > held_max(70_000));
}

/// Logs of equal entries, of any length, of which no file is ever kept.
mod endless {
    use core::cell::RefCell;

    use super::*;
    use crate::audit::node_hash;

    thread_local!(pub(super) static HEAD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });

    impl crate::audit::walk::Subtrees for Alike {
        fn hash(&self, level: u32, _index: u64) -> Result<Digest, Error> {
            Ok((0..level).fold(leaf_hash(b"again"), |below, _| node_hash(&below, &below)))
        }
    }

    struct Alike;

    pub(super) fn sign(size: u64) {
        let root = crate::audit::walk::root(&Alike, size).unwrap();
        let head = Checkpoint::new(LOG, size, root).unwrap().sign(&[&signer()]).unwrap();
        HEAD.set(head.to_string().into_bytes());
    }

    pub(super) fn file(path: TilePath) -> Vec<u8> {
        use crate::audit::walk::Subtrees as _;

        let width = usize::from(path.width());
        let Some(level) = path.level() else {
            return encode_bundle(&vec![b"again"; width]).unwrap();
        };
        let hash = Alike.hash(8 * u32::from(level), 0).unwrap();
        hash.as_bytes().repeat(width)
    }
}

#[test]
fn whoever_watches_is_told_each_step_and_can_stop_it() {
    let folder = folder_of(&entries(600));
    let read = |path: &str| Ok(folder.get(path).cloned());
    let key = signer();
    let mut steps = Vec::new();
    verify_export_with(read, LOG, key.verifier_key(), |at| {
        steps.push((at.done, at.total));
        Ok(())
    })
    .unwrap();
    assert_eq!(steps, [(256, 600), (512, 600), (600, 600)]);
    let stopped = verify_export_with(read, LOG, key.verifier_key(), |at| match at.done {
        512 => Err(Error::new(Code::Cancelled, "stopped")),
        _ => Ok(()),
    });
    assert_eq!(stopped.unwrap_err().code(), Code::Cancelled);
}

#[test]
fn a_head_without_a_log_behind_it_ends_at_the_first_entry() {
    let head = Checkpoint::new(LOG, i64::MAX.unsigned_abs(), Digest::of(b"no tree")).unwrap();
    let note = head.sign(&[&signer()]).unwrap().to_string().into_bytes();
    assert_eq!(blamed(&Folder::from([("checkpoint".to_owned(), note)])), "leaf 0");
}

#[test]
fn a_folder_that_cannot_be_read_is_not_called_tampered() {
    let folder = folder_of(&entries(5));
    let failing = |path: &str| {
        if path == "tile/0/000.p/5" {
            return Err(Error::new(Code::StoreUnavailable, "the disk is gone"));
        }
        Ok(folder.get(path).cloned())
    };
    let error = verify_export(failing, LOG, signer().verifier_key()).unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
}

#[test]
fn entries_as_long_as_the_format_allows_verify() {
    let entries = vec![vec![1; ENTRY_BYTES_MAX], vec![2; ENTRY_BYTES_MAX]];
    verify(&folder_of(&entries)).unwrap();
}

proptest! {
    #[test]
    fn no_file_makes_the_verifier_panic(which: usize, bytes: Vec<u8>) {
        let mut folder = folder_of(&entries(300));
        let paths: Vec<_> = folder.keys().cloned().collect();
        folder.insert(paths[which % paths.len()].clone(), bytes);
        prop_assert!(verify(&folder).is_err());
    }
}
