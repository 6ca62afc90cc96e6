//! The memory of a verification, as the operating system counts it: as much for a long log as for a short one.
//!
//! `PLACET_LEAVES` makes the long one longer.
#![expect(
    clippy::disallowed_methods,
    reason = "this test runs programs, and whoever runs it may ask for more of it"
)]

use std::fs;
use std::io::Write as _;
use std::process::Command;

use placet_core::audit::{
    Checkpoint, MerkleTree, TilePath, TiledTree, encode_bundle, leaf_hash, node_hash, verify_export,
};
use placet_core::digest::Digest;
use placet_core::error::Error;

use super::folder::{ORIGIN, key, signer};

const SHORT: u64 = 10_000;
/// What a long log may take more than a short one, in KiB: what a memory allocator does not give back.
const MORE_KIB_MAX: u64 = 1_024;

/// About as long as the entry of an approval.
const ENTRY: [u8; 600] = [b'x'; 600];

/// A log of equal entries, of which no file is ever kept.
struct Alike {
    // By height.
    hashes: Vec<Digest>,
}

impl Alike {
    fn new() -> Self {
        let mut hashes = vec![leaf_hash(&ENTRY)];
        for _ in 0..63 {
            let below = hashes[hashes.len() - 1];
            hashes.push(node_hash(&below, &below));
        }
        Self { hashes }
    }

    fn file(&self, path: TilePath) -> Vec<u8> {
        let width = usize::from(path.width());
        match path.level() {
            Some(level) => self.hashes[usize::from(level) * 8].as_bytes().repeat(width),
            None => encode_bundle(&vec![ENTRY; width]).unwrap(),
        }
    }

    fn verify(&self, size: u64) {
        let root = TiledTree::new(size, |path| Ok(Some(self.file(path)))).root().unwrap();
        let head = Checkpoint::new(ORIGIN, size, root).unwrap().sign(&[&signer()]).unwrap();
        let head = head.to_string().into_bytes();
        let read = |path: &str| -> Result<Option<Vec<u8>>, Error> {
            let tile = path.parse::<TilePath>();
            Ok(Some(tile.map_or_else(|_| head.clone(), |path| self.file(path))))
        };
        assert_eq!(verify_export(read, ORIGIN, &key()).unwrap().checkpoint().size(), size);
    }
}

/// Not a test of its own: the child of the test below. Verifies a log and says how much memory that took at most.
#[test]
fn child() {
    let Ok(asked) = std::env::var("PLACET_TEST_VERIFIED") else { return };
    let (who, size) = asked.split_once(' ').unwrap();
    let (log, size) = (Alike::new(), size.parse().unwrap());
    log.verify(size);
    // Broken: one that keeps the hash of each entry.
    let kept: MerkleTree = (0..size).filter(|_| who == "broken").map(|_| log.hashes[0]).collect();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let told = format!("peak {} kept {}\n", peak.trim().trim_end_matches(" kB"), kept.len());
    std::io::stdout().write_all(told.as_bytes()).unwrap();
}

/// The most memory that a process took which verified a log of `size` entries, in KiB.
fn peak_kib(who: &str, size: u64) -> u64 {
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "log::memory::child", "--nocapture", "--test-threads=1"])
        .env("PLACET_TEST_VERIFIED", format!("{who} {size}"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    let (_, peak) = told.split_once("peak ").unwrap_or_else(|| panic!("no peak: {told}"));
    peak.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_verification_of_a_long_log_takes_no_more_memory_than_one_of_a_short_log() {
    if !cfg!(target_os = "linux") {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI runs on Linux");
        eprintln!("SKIPPED: only Linux says how much memory a process took");
        return;
    }
    let long = std::env::var("PLACET_LEAVES").map_or(100_000, |leaves| leaves.parse().unwrap());
    let [short_kib, long_kib] = [SHORT, long].map(|size| peak_kib("sound", size));
    eprintln!("at most {short_kib} KiB for {SHORT} entries, {long_kib} KiB for {long}");
    assert!(long_kib <= short_kib + MORE_KIB_MAX, "{short_kib} KiB, and {long_kib} KiB for {long}");
    // The limit notices one that keeps 64 bytes an entry.
    let [short_kib, long_kib] = [SHORT, long].map(|size| peak_kib("broken", size));
    eprintln!("one that keeps hashes: {short_kib} KiB and {long_kib} KiB");
    assert!(long_kib > short_kib + MORE_KIB_MAX, "{short_kib} KiB, and {long_kib} KiB for {long}");
}
