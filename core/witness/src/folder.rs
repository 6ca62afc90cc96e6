//! A folder with a file for each log.

use std::path::PathBuf;

use placet_core::audit::{HeadStore, SignedNote, WitnessError};
use placet_core::digest::Digest;

use crate::file::of_log;
use crate::slot::Slot;

/// Remembers the latest head of each log, in `<SHA-256 of the origin>/checkpoint`. That is the layout of the monitoring
/// prefix of C2SP tlog-witness: any web server can serve the folder.
///
/// ```
/// use placet_core::testing::Office;
/// use placet_witness::HeadFolder;
///
/// # let folder = tempfile::tempdir()?;
/// let heads = HeadFolder::at(folder.path());
/// let (gate, _) = Office::in_memory()?;
/// gate.anchor(&heads)?;
/// let name = placet_core::digest::Digest::of(gate.origin().as_bytes()).to_string();
/// assert!(folder.path().join(name).join("checkpoint").is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeadFolder {
    path: PathBuf,
    shown: String,
}

impl HeadFolder {
    /// The folder at `path`; it is made when the first head comes.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { shown: path.display().to_string(), path }
    }

    fn slot(&self, origin: &str) -> Slot {
        // Hex: no origin can name a place outside the folder.
        let name = Digest::of(origin.as_bytes()).to_string();
        Slot::at(self.path.join(name).join("checkpoint"))
    }
}

impl HeadStore for HeadFolder {
    fn place(&self) -> &str {
        &self.shown
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        self.slot(origin).read()?.map(|note| of_log(note, origin)).transpose()
    }

    fn replace(
        &self,
        origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        self.slot(origin).replace(expected, new)
    }
}
