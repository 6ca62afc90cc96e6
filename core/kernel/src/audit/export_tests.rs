//! Exports: whole, at an earlier size, brought up to date, interrupted, and of a log that was rolled back.

use std::collections::BTreeSet;

use super::*;
use crate::audit::{Ed25519Signer, MerkleTree, Signer as _, hash_tile, tiles_of, verify_export};

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed("example.com/log", &[7; 32]).unwrap()
}

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| number.to_string().into_bytes()).collect()
}

fn signed(tree: &MerkleTree, size: u64) -> SignedNote {
    let head = Checkpoint::new("example.com/log", size, tree.root_at(size).unwrap()).unwrap();
    head.sign(&[&signer()]).unwrap()
}

fn slice(entries: &[Vec<u8>], from: u64, limit: usize) -> Vec<Vec<u8>> {
    entries.iter().skip(usize::try_from(from).unwrap()).take(limit).cloned().collect()
}

type ReadTile<'a> = Box<dyn Fn(TilePath) -> Result<Option<Vec<u8>>, Error> + 'a>;

fn tree_of(entries: &[Vec<u8>]) -> MerkleTree {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

fn tiled(tree: &MerkleTree) -> TiledTree<ReadTile<'_>> {
    TiledTree::new(tree.len(), Box::new(|path| Ok(hash_tile(tree, path))))
}

/// A folder in memory that keeps account, and stops after so many steps.
#[derive(Debug, Default)]
struct Folder {
    files: BTreeMap<String, Vec<u8>>,
    written: Vec<String>,
    steps: Vec<(u64, u64)>,
    writes_left: Option<usize>,
}

impl Destination for Folder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        self.files.read(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if let Some(left) = &mut self.writes_left {
            if *left == 0 {
                // Half a file, as a power cut leaves it.
                self.files.write(path, &bytes[..bytes.len() / 2])?;
                return Err(Error::new(Code::StoreUnavailable, "the disk is gone"));
            }
            *left -= 1;
        }
        self.written.push(path.to_owned());
        self.files.write(path, bytes)
    }

    fn progress(&mut self, at: Progress) -> Result<(), Error> {
        self.steps.push((at.done, at.total));
        Ok(())
    }
}

impl Folder {
    fn head(&self) -> Option<Checkpoint> {
        let key = signer();
        let bytes = self.files.get("checkpoint")?;
        Some(Checkpoint::open(bytes, "example.com/log", key.verifier_key()).unwrap())
    }

    /// Exports the first `size` of `entries` into this folder; answers how many entries were read.
    fn bring_to(&mut self, entries: &[Vec<u8>], size: u64) -> Result<usize, Error> {
        let tree = tree_of(entries);
        let mut asked = 0;
        let read = |from, limit| {
            asked += limit;
            Ok(slice(entries, from, limit))
        };
        let earlier = self.head();
        export(&tiled(&tree), &signed(&tree, size), earlier.as_ref(), read, self)?;
        Ok(asked)
    }

    fn assert_whole(&self, size: u64) {
        let read = |path: &str| self.files.read(path);
        let whole = verify_export(read, "example.com/log", signer().verifier_key()).unwrap();
        assert_eq!(whole.checkpoint().size(), size);
    }
}

#[test]
fn an_export_at_an_earlier_size_has_the_tiles_of_that_size() {
    let mut folder = Folder::default();
    folder.bring_to(&entries(600), 515).unwrap();
    assert_eq!(
        folder.written,
        [
            "tile/entries/000",
            "tile/0/000",
            "tile/entries/001",
            "tile/0/001",
            "tile/entries/002.p/3",
            "tile/0/002.p/3",
            "tile/1/000.p/2",
            "checkpoint",
        ]
    );
    assert_eq!(folder.files["tile/entries/002.p/3"], b"\0\x03512\0\x03513\0\x03514");
    assert_eq!(folder.files["tile/0/001"].len(), 8192);
    let tile = |path: &str| folder.files[path].chunks(32).map(|hash| hash.try_into().unwrap());
    let full: MerkleTree = tile("tile/0/001").map(Digest::from_bytes).collect();
    assert_eq!(&folder.files["tile/1/000.p/2"][32..], full.root().as_bytes());
}

#[test]
fn only_what_is_new_is_written_and_read() {
    let entries = entries(800);
    let mut folder = Folder::default();
    let mut before = 0;
    for size in [0, 1, 44, 256, 300, 512, 513, 800, 800] {
        folder.written.clear();
        folder.steps.clear();
        let read = folder.bring_to(&entries, size).unwrap();
        folder.assert_whole(size);
        let paths = |size| tiles_of(size).map(|path| path.to_string()).collect::<BTreeSet<_>>();
        let mut due: BTreeSet<_> = paths(size).difference(&paths(before)).cloned().collect();
        if size != before || size == 0 {
            due.insert("checkpoint".to_owned());
        }
        let written: BTreeSet<_> = folder.written.iter().cloned().collect();
        assert_eq!(written, due, "from {before} to {size}");
        assert_eq!(written.len(), folder.written.len(), "each once");
        // From the start of the bundle that was not full.
        let due = if size == before { 0 } else { size - before / 256 * 256 };
        assert_eq!(u64::try_from(read).unwrap(), due);
        assert!(folder.steps.last().is_none_or(|last| *last == (size, size)));
        before = size;
    }
}

#[test]
fn an_export_that_was_interrupted_goes_on_where_it_ended() {
    let entries = entries(700);
    // 001, 002.p/188 and their tiles, tile/1/000.p/2, the checkpoint.
    for writes in 0..6 {
        let mut folder = Folder::default();
        folder.bring_to(&entries, 300).unwrap();
        folder.writes_left = Some(writes);
        folder.bring_to(&entries, 700).unwrap_err();
        if writes < 5 {
            // Whoever reads meanwhile finds the head of before, and all that is below it.
            folder.assert_whole(300);
        } else {
            // A folder whose files are not replaced at once: the operator takes the half checkpoint away.
            folder.files.remove("checkpoint");
        }
        (folder.writes_left, folder.written) = (None, Vec::new());
        let read = folder.bring_to(&entries, 700).unwrap();
        folder.assert_whole(700);
        let left: usize = if writes < 5 { 6 - writes } else { 1 };
        assert_eq!(folder.written.len(), left, "after {writes}: {:?}", folder.written);
        let due = [444, 188, 188, 0, 0, 0];
        assert_eq!(read, due[writes], "after {writes}");
    }
}

#[test]
fn whoever_stops_an_export_loses_nothing_but_the_rest() {
    struct Stopped(BTreeMap<String, Vec<u8>>);
    impl Destination for Stopped {
        fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
            self.0.read(path)
        }
        fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
            self.0.write(path, bytes)
        }
        fn progress(&mut self, at: Progress) -> Result<(), Error> {
            if at.done == 512 { Err(Error::new(Code::Cancelled, "stopped")) } else { Ok(()) }
        }
    }
    let entries = entries(700);
    let tree = tree_of(&entries);
    let mut stopped = Stopped(BTreeMap::new());
    let read = |from, limit| Ok(slice(&entries, from, limit));
    let head = signed(&tree, 700);
    let error = export(&tiled(&tree), &head, None, read, &mut stopped).unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert!(!stopped.0.contains_key("checkpoint"), "no head before its tiles");
    let mut folder = Folder { files: stopped.0, ..Folder::default() };
    assert_eq!(folder.bring_to(&entries, 700).unwrap(), 188);
    folder.assert_whole(700);
}

#[test]
fn a_log_that_was_rolled_back_or_rewritten_does_not_go_over_an_export() {
    let entries = entries(300);
    let mut other = entries.clone();
    other[5] = b"other".to_vec();
    let mut folder = Folder::default();
    folder.bring_to(&entries, 290).unwrap();
    let before = folder.files.clone();
    for (log, size) in [(&entries, 280), (&other, 290), (&other, 300)] {
        let error = folder.bring_to(log, size).unwrap_err();
        assert_eq!((error.code(), error.help().is_some()), (Code::LogTampered, true));
        assert_eq!(folder.files, before, "the evidence is still there");
    }
}

#[test]
fn an_export_does_not_write_what_the_log_does_not_have() {
    let entries = entries(300);
    let tree = tree_of(&entries);
    let fails = |entries: &[Vec<u8>], note: &SignedNote| {
        let read = |from, limit| Ok(slice(entries, from, limit));
        export(&tiled(&tree), note, None, read, &mut BTreeMap::new()).unwrap_err()
    };
    let mut changed = entries.clone();
    changed[257] = b"other".to_vec();
    let error = fails(&changed, &signed(&tree, 300));
    assert_eq!((error.code(), error.details()["leaf"].as_str()), (Code::LogTampered, "257"));
    let error = fails(&entries[..299], &signed(&tree, 300));
    assert_eq!((error.code(), error.details()["leaf"].as_str()), (Code::LogTampered, "299"));

    let stranger: MerkleTree = [leaf_hash(b"another log")].into_iter().collect();
    assert_eq!(fails(&entries, &signed(&stranger, 1)).code(), Code::InvalidInput);
}
