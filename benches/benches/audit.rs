//! What the log costs: an entry in a commit, the time and the memory of verifying a whole export, one proof out of ten
//! million entries.
//! `cargo bench -p placet-benches --bench audit`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a bench measures real time and tells what it measured"
)]

use core::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use placet::store::{Batch, Key, MemoryStore, Store};
use placet::store_sled::SledStore;
use placet_benches::{Spread, print_table};
use placet_core::audit::{
    CHECKPOINT_PATH, Checkpoint, Ed25519Signer, MerkleTree, Signer as _, TilePath, TiledTree,
    encode_bundle, export, hash_tile, leaf_hash, node_hash, tiles_of, verify_export,
};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ORIGIN: &str = "example.com/log";
/// The length of an entry: about that of an approval's.
const ENTRY_BYTES: usize = 600;
/// How many entries the verified export has: 60 MB of them, in memory.
const ENTRIES: u64 = 100_000;
const COMMITS: u32 = 2_000;
const ROUNDS: usize = 9;
/// The folder of tiles that a process of its own verifies, and says how much memory that took.
const VERIFIED: &str = "PLACET_BENCH_VERIFIED";

fn main() -> Outcome<()> {
    if let Some(folder) = std::env::var_os(VERIFIED) {
        return verify_alone(folder.as_ref());
    }
    let folder = tempfile::tempdir()?;
    println!("## A commit, with and without its entry of {ENTRY_BYTES} bytes\n");
    let mut rows = Vec::new();
    commits("memory", &MemoryStore::default(), &mut rows)?;
    commits("sled", &SledStore::open(folder.path().join("store"))?, &mut rows)?;
    print_table(&["store", "a commit without", "with its entry", "p50 to p50"], &rows);
    verification()?;
    memory()?;
    proofs()
}

/// Commits of one record each, in turn without and with an entry: whatever the disk does hits both.
fn commits(name: &str, store: &dyn Store, rows: &mut Vec<Vec<String>>) -> Outcome<()> {
    let mut spent = [Vec::new(), Vec::new()];
    for number in 0..COMMITS {
        for (with_entry, spent) in spent.iter_mut().enumerate() {
            let key = Key::from_segments(&["record", &(number % 100).to_string()]);
            let batch = Batch::default().put(key, vec![7; 500]);
            let batch = if with_entry == 1 { batch.append(entry(number.into())) } else { batch };
            let begun = Instant::now();
            store.commit(batch)?;
            spent.push(begun.elapsed());
        }
    }
    let [without, with] = spent.map(Spread::of);
    let ratio = with.p50.as_secs_f64() / without.p50.as_secs_f64();
    rows.push(vec![name.to_owned(), without.to_string(), with.to_string(), format!("{ratio:.2}x")]);
    Ok(())
}

fn entry(number: u64) -> Vec<u8> {
    let mut entry = format!("{{\"number\":{number},\"rest\":\"").into_bytes();
    entry.resize(ENTRY_BYTES - 2, b'x');
    entry.extend(b"\"}");
    entry
}

/// A whole verification, beside SHA-256 over the same bundles, a bundle at a time.
fn verification() -> Outcome<()> {
    let signer = Ed25519Signer::from_seed(ORIGIN, &[7; 32])?;
    let tree: MerkleTree = (0..ENTRIES).map(|number| leaf_hash(&entry(number))).collect();
    let head = Checkpoint::new(ORIGIN, ENTRIES, tree.root())?.sign(&[&signer])?;
    let tiled = TiledTree::new(ENTRIES, |path| Ok(hash_tile(&tree, path)));
    let mut files = BTreeMap::new();
    let read = |from: u64, limit: usize| Ok((from..).take(limit).map(entry).collect());
    export(&tiled, &head, None, read, &mut files)?;
    let bundles: Vec<&Vec<u8>> =
        files.iter().filter(|(path, _)| path.contains("entries")).map(|(_, bytes)| bytes).collect();
    let bytes: usize = bundles.iter().map(|bundle| bundle.len()).sum();

    let (mut bare, mut leaves, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for bundle in &bundles {
            black_box(Digest::of(bundle));
        }
        bare.push(begun.elapsed());
        let begun = Instant::now();
        for number in 0..ENTRIES {
            // The same entry each time: in the cache, so that hashing alone is counted.
            black_box((number, leaf_hash(black_box(&[7; ENTRY_BYTES]))));
        }
        leaves.push(begun.elapsed());
        let begun = Instant::now();
        let read = |path: &str| Ok(files.get(path).cloned());
        black_box(verify_export(read, ORIGIN, signer.verifier_key())?);
        whole.push(begun.elapsed());
    }
    let [bare, leaves, whole] = [bare, leaves, whole].map(Spread::of);
    let rate = |spent: Spread| bytes as f64 / spent.p50.as_secs_f64() / 1e6;
    println!("\n## {ENTRIES} entries, {:.0} MB, on one core\n", bytes as f64 / 1e6);
    let rows = [
        ("bare SHA-256 over the bundles", bare),
        ("the leaf hashes alone", leaves),
        ("the whole verification", whole),
    ]
    .map(|(name, spent)| {
        let (rate, ratio) = (rate(spent), bare.p50.as_secs_f64() / spent.p50.as_secs_f64());
        vec![
            name.to_owned(),
            spent.to_string(),
            format!("{rate:.0} MB/s"),
            format!("{:.0}", ENTRIES as f64 / spent.p50.as_secs_f64()),
            format!("{ratio:.2}x"),
        ]
    });
    print_table(&["", "time", "bytes", "entries a second", "to the bare loop"], &rows);
    Ok(())
}

/// The most memory of a process that verifies a log: a short one and one a hundred times as long.
fn memory() -> Outcome<()> {
    let mut rows = Vec::new();
    for size in [10_000, 1_000_000] {
        let folder = tempfile::tempdir()?;
        let signer = Ed25519Signer::from_seed(ORIGIN, &[7; 32])?;
        let tree: MerkleTree = (0..size).map(|number| leaf_hash(&entry(number))).collect();
        for path in tiles_of(size) {
            // Entries are made when they are asked for: the tiles are what has to be kept.
            let Some(tile) = hash_tile(&tree, path) else { continue };
            let path = folder.path().join(path.to_string());
            fs::create_dir_all(path.parent().ok_or("a tile is in a folder")?)?;
            fs::write(path, tile)?;
        }
        let head = Checkpoint::new(ORIGIN, size, tree.root())?.sign(&[&signer])?;
        fs::write(folder.path().join(CHECKPOINT_PATH), head.to_string())?;
        let ran = Command::new(std::env::current_exe()?).env(VERIFIED, folder.path()).output()?;
        if !ran.status.success() {
            return Err(String::from_utf8_lossy(&ran.stderr).into());
        }
        let peak = String::from_utf8(ran.stdout)?.trim().to_owned();
        let log = format!("{:.0} MB", (size * ENTRY_BYTES as u64) as f64 / 1e6);
        rows.push(vec![size.to_string(), log, peak]);
    }
    println!("\n## The most memory of a process that verifies an export\n");
    print_table(&["entries", "of together", "memory"], &rows);
    Ok(())
}

/// The child of [`memory`]: verifies the log in `folder`, whose entries are made on the way.
fn verify_alone(folder: &Path) -> Outcome<()> {
    let read = |path: &str| {
        let tile = path.parse::<TilePath>().ok().filter(|path| path.level().is_none());
        if let Some(tile) = tile {
            let entries: Vec<_> = (tile.start()..).take(tile.width().into()).map(entry).collect();
            return encode_bundle(&entries).map(Some);
        }
        let unreadable = |source| {
            Error::new(Code::StoreUnavailable, format!("`{path}` cannot be read"))
                .with_source(source)
        };
        fs::read(folder.join(path)).map(Some).map_err(unreadable)
    };
    let signer = Ed25519Signer::from_seed(ORIGIN, &[7; 32])?;
    black_box(verify_export(read, ORIGIN, signer.verifier_key())?);
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    println!("{:.1} MiB", kib / 1_024.0);
    Ok(())
}

/// Proofs from the tiles of a log of equal leaves, which need not be kept.
fn proofs() -> Outcome<()> {
    const SIZE: u64 = 10_000_000;
    let mut heights = vec![leaf_hash(b"the same again")];
    for _ in 0..63 {
        heights.extend(heights.last().map(|below| node_hash(below, below)));
    }
    let (tiles, bytes) = (Cell::new(0_usize), Cell::new(0));
    let read = |path: TilePath| {
        let hash = path.level().and_then(|level| heights.get(usize::from(level) * 8));
        let tile = hash.map(|hash| hash.as_bytes().repeat(usize::from(path.width())));
        tiles.set(tiles.get() + 1);
        bytes.set(bytes.get() + tile.as_ref().map_or(0, Vec::len));
        Ok(tile)
    };
    let log = TiledTree::new(SIZE, read);
    let mut rows = Vec::new();
    for name in ["inclusion", "consistency"] {
        let (mut spent, mut most) = (Vec::new(), (0, 0));
        for number in 0..2_000 {
            let place = number * 4_999_u64 % SIZE;
            tiles.set(0);
            bytes.set(0);
            let begun = Instant::now();
            black_box(if name == "inclusion" {
                log.inclusion_proof(place, SIZE)?
            } else {
                log.consistency_proof(place + 1, SIZE)?
            });
            spent.push(begun.elapsed());
            most = most.max((tiles.get(), bytes.get()));
        }
        let told = format!("{} ({} KiB)", most.0, most.1.div_ceil(1_024));
        rows.push(vec![name.to_owned(), Spread::of(spent).to_string(), told]);
    }
    println!("\n## A proof out of {SIZE} entries, from tiles in memory\n");
    print_table(&["proof", "time", "most tiles read"], &rows);
    Ok(())
}
