//! A memory of heads, and the exam that every such memory takes.
#![expect(clippy::panic, reason = "an exam that is failed says so")]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::audit::{
    Checkpoint, Ed25519Signer, HeadStore, MerkleTree, SignedNote, WitnessError, leaf_hash,
};
use crate::error::Error;

/// Heads in memory: a witness for tests.
///
/// ```
/// use placet_core::testing::{MemoryHeads, Office};
///
/// let (gate, _) = Office::in_memory()?;
/// assert!(gate.anchor(&MemoryHeads::default())?.size > 0);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryHeads {
    heads: Mutex<BTreeMap<String, SignedNote>>,
}

impl HeadStore for MemoryHeads {
    fn place(&self) -> &'static str {
        "memory"
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        Ok(self.heads.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned())
    }

    fn replace(
        &self,
        origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let is_expected = heads.get(origin) == expected;
        if is_expected {
            heads.insert(origin.to_owned(), new.clone());
        }
        Ok(is_expected)
    }
}

/// How many times two replace the same head at once.
const RACES: u8 = 12;

/// Asks a memory that is empty whether it keeps the contract of [`HeadStore`].
///
/// # Panics
///
/// Panics where it does not, and says what is wrong.
///
/// ```
/// placet_core::testing::check_heads(&placet_core::testing::MemoryHeads::default());
/// ```
pub fn check_heads(heads: &dyn HeadStore) {
    if let Err(why) = check(heads) {
        panic!("`{}`: {why}", heads.place());
    }
}

fn check(heads: &dyn HeadStore) -> Result<(), Box<dyn core::error::Error>> {
    let origin = "exam.example/log";
    let [first, second, third] = [head(origin, 1)?, head(origin, 2)?, head(origin, 3)?];
    let replaced = |expected: Option<&SignedNote>, new| heads.replace(origin, expected, new);
    assert!(heads.read(origin)?.is_none(), "the exam begins with an empty memory");
    assert!(!replaced(Some(&first), &second)?, "it replaced a head that was never there");
    assert!(heads.read(origin)?.is_none(), "a refusal left something");
    assert!(replaced(None, &first)?, "it refused the first head");
    assert_eq!(heads.read(origin)?, Some(first.clone()), "it does not keep what it took");
    assert!(!replaced(None, &second)?, "it took a first head twice");
    assert!(!replaced(Some(&third), &second)?, "it replaced another head than was expected");
    assert_eq!(heads.read(origin)?, Some(first.clone()), "a refusal changed something");
    assert!(replaced(Some(&first), &second)?, "it refused the next head");
    assert!(replaced(Some(&second), &second)?, "it refused the same head once more");
    let mut kept = second;
    // From 1 on: 0 is the log of the heads above.
    for race in 1..=RACES {
        let pair = [head_of(origin, race, 1)?, head_of(origin, race, 2)?];
        let expected = &kept;
        let took = std::thread::scope(|threads| {
            let both = pair
                .each_ref()
                .map(|new| threads.spawn(move || heads.replace(origin, Some(expected), new)));
            both.map(|thread| thread.join().unwrap_or_else(|_| panic!("it panicked")))
        });
        let [one, other] = took;
        let (one, other) = (one?, other?);
        assert!(one != other, "of two at once exactly one takes its place: {one}, {other}");
        let [first, last] = pair;
        kept = if one { first } else { last };
        assert_eq!(heads.read(origin)?, Some(kept.clone()), "it kept another than the one it told");
    }
    Ok(())
}

fn head(origin: &str, size: u8) -> Result<SignedNote, Error> {
    head_of(origin, 0, size)
}

/// The head of one of many logs.
fn head_of(origin: &str, log: u8, size: u8) -> Result<SignedNote, Error> {
    let tree: MerkleTree = (0..size).map(|leaf| leaf_hash(&[log, leaf])).collect();
    let signer = Ed25519Signer::from_seed(origin, &[7; 32])?;
    Checkpoint::new(origin, tree.len(), tree.root())?.sign(&[&signer])
}
