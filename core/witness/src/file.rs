//! A file elsewhere that holds the latest head of one log.

use std::path::PathBuf;

use placet_core::audit::{HeadStore, SignedNote, WitnessError};

use crate::slot::Slot;

/// Remembers one log's latest head in a file, which anybody can read: it is the signed checkpoint.
///
/// Put it on another disk, or in a folder of another machine, and not into the backup of the store. It is written
/// whole, synced and renamed; a lock beside it (`….lock`) keeps processes apart.
///
/// ```
/// use placet_core::testing::Office;
/// use placet_witness::FileWitness;
///
/// # let elsewhere = tempfile::tempdir()?;
/// let path = elsewhere.path().join("changes.checkpoint");
/// let (gate, _) = Office::in_memory()?;
/// gate.anchor(&FileWitness::at(&path))?;
/// assert!(std::fs::read_to_string(path)?.starts_with(gate.origin()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileWitness {
    shown: String,
    slot: Slot,
}

impl FileWitness {
    /// The file at `path`; it and its folder are made when the first head comes.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { shown: path.display().to_string(), slot: Slot::at(path) }
    }
}

impl HeadStore for FileWitness {
    fn place(&self) -> &str {
        &self.shown
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        self.slot.read()?.map(|note| of_log(note, origin)).transpose()
    }

    fn replace(
        &self,
        _origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        self.slot.replace(expected, new)
    }
}

/// The note, where it is of the log `origin`. A place for one log that keeps another's head has not "never seen" this
/// one: somebody gave it to two logs.
pub(crate) fn of_log(note: SignedNote, origin: &str) -> Result<SignedNote, WitnessError> {
    let kept = note.claimed_origin();
    if kept == origin {
        return Ok(note);
    }
    let sentence = format!("it keeps the heads of another log, `{kept}`");
    Err(WitnessError::refused(sentence, "give each log a file or a branch of its own"))
}
