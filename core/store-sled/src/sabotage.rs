//! Ways to break the store on purpose.

/// What is left out. A test that does not notice it would not notice a real mistake either.
///
/// ```
/// use placet_store_sled::{Options, Sabotage, SledStore};
/// # let folder = tempfile::tempdir()?;
/// let broken = Options::default().with_sabotage(Sabotage::SkipSync);
/// let store = SledStore::open_with(folder.path(), &broken)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Sabotage {
    /// No file is brought to the disk before a commit is acknowledged.
    SkipSync,
    /// What is there is not compared with what was written.
    SkipCheck,
}
