//! Where the answers of approved queries go. Plugins never see them.

mod lines; // rows, as text
mod mask; // columns whose values are not shown
mod folder; // a folder of files

use core::fmt;

use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::runner::{Artifact, JobId};
use sha2::{Digest as _, Sha256};

pub use folder::FolderResults;
pub(crate) use lines::{header, line};
pub(crate) use mask::{Mask, table_and_column};

/// The media type of answers: JSON values, one a line.
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";

/// The name of what the step of this number, from 1, answers in an attempt.
pub(crate) fn answer_name(id: &JobId, number: usize) -> String {
    format!("{}/{}.{}/{number}.ndjson", id.request, id.revision, id.attempt)
}

/// Keeps the answers of approved queries for whoever may read them; who that is, is the host's to say.
///
/// An answer is text: one JSON array a line, first the names of the columns, then each row. Numbers are written out,
/// bytes are `{"hex": "…"}`, a masked value is `{"masked": true}`, and everything else is a text as the database
/// writes it. The same rows are always the same bytes. The run's outcome names their digest.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use placet_core::{error::Error, runner::Artifact};
/// use placet_runners::{ResultSink, ResultWriter};
///
/// /// Keeps answers in memory.
/// #[derive(Debug, Default)]
/// struct Memory(Arc<Mutex<Vec<(Artifact, Vec<u8>)>>>);
///
/// #[derive(Debug)]
/// struct One(Arc<Mutex<Vec<(Artifact, Vec<u8>)>>>, Vec<u8>);
///
/// impl ResultSink for Memory {
///     fn begin(&self, _name: &str) -> Result<Box<dyn ResultWriter>, Error> {
///         Ok(Box::new(One(self.0.clone(), Vec::new())))
///     }
/// }
///
/// impl ResultWriter for One {
///     fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
///         self.1.extend(bytes);
///         Ok(())
///     }
///     fn finish(self: Box<Self>, artifact: &Artifact) -> Result<(), Error> {
///         self.0.lock().unwrap().push((artifact.clone(), self.1));
///         Ok(())
///     }
/// }
/// let sink = Memory::default();
/// sink.begin("req_1/1.1/1.ndjson")?.write(b"[\"id\"]\n")?;
/// assert!(sink.0.lock().unwrap().is_empty(), "what was not finished is not kept");
/// # Ok::<(), Error>(())
/// ```
pub trait ResultSink: Send + Sync + fmt::Debug {
    /// Begins to keep an answer. The name holds letters, digits, `_`, `-`, `.` and `/`, and is another one for each
    /// attempt and step.
    ///
    /// Fails with a code and a sentence that may be shown to approvers: no address, no path.
    fn begin(&self, name: &str) -> Result<Box<dyn ResultWriter>, Error>;
}

/// Takes one answer. Dropped before [`Self::finish`], nothing of it is kept.
///
/// ```
/// use placet_runners::{FolderResults, ResultSink};
///
/// let folder = tempfile::tempdir().unwrap();
/// let mut half = FolderResults::new(folder.path()).begin("req_1/1.1/1.ndjson")?;
/// half.write(b"[\"id\"]\n")?;
/// drop(half);
/// assert!(!folder.path().join("req_1/1.1/1.ndjson").exists());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait ResultWriter: Send + fmt::Debug {
    /// Takes the next bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Keeps the whole answer, which `artifact` describes. On `Ok`, it survives a crash.
    fn finish(self: Box<Self>, artifact: &Artifact) -> Result<(), Error>;
}

/// One answer on its way to the sink, counted and digested as it goes.
#[derive(Debug)]
pub(crate) struct Answer {
    name: String,
    writer: Box<dyn ResultWriter>,
    hasher: Sha256,
    size_bytes: u64,
}

impl Answer {
    pub(crate) fn begin(sink: &dyn ResultSink, name: String) -> Result<Self, Error> {
        let writer = sink.begin(&name)?;
        Ok(Self { name, writer, hasher: Sha256::new(), size_bytes: 0 })
    }

    /// How large it is so far, in bytes.
    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hasher.update(bytes);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size_bytes = self.size_bytes.saturating_add(length);
        self.writer.write(bytes)
    }

    pub(crate) fn finish(self) -> Result<Artifact, Error> {
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        let (name, size_bytes) = (self.name, self.size_bytes);
        let artifact = Artifact { name, media_type: MEDIA_TYPE.to_owned(), digest, size_bytes };
        self.writer.finish(&artifact)?;
        Ok(artifact)
    }
}
