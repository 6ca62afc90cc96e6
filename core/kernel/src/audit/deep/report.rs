//! What a deep check found, and how far it is.

use core::fmt;

use crate::digest::Digest;

/// What is wrong with a record, or with the log.
///
/// ```
/// use placet_core::audit::DeepFault;
/// assert_eq!(DeepFault::Swapped.as_str(), "swapped");
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum DeepFault {
    /// The log is shorter than a head that was kept.
    LogCut,
    /// The log does not begin with a head that was kept.
    LogRewritten,
    /// An entry of the log is not a leaf.
    NotALeaf,
    /// A leaf found another record than the leaf before it had left: something between them is missing, was added or
    /// is out of order.
    BrokenChain,
    /// A record that a leaf left is not there.
    Missing,
    /// A record is there that no leaf left.
    Added,
    /// A record has other bytes than its last leaf left, and none that any leaf left.
    Changed,
    /// A record has the bytes that an earlier leaf left.
    Older,
    /// A record has the bytes that a leaf left under another name.
    Swapped,
    /// A record that no leaf names is not what the records and leaves say that it must be.
    Unfit,
    /// A text beside a record is not the one that the record commits to, or stands there although it was erased.
    TextChanged,
    /// A text that the record commits to is gone, and no leaf tells that it was erased.
    TextRemoved,
}

impl DeepFault {
    /// The stable text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogCut => "log_cut",
            Self::LogRewritten => "log_rewritten",
            Self::NotALeaf => "not_a_leaf",
            Self::BrokenChain => "broken_chain",
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Older => "older",
            Self::Swapped => "swapped",
            Self::Unfit => "unfit",
            Self::TextChanged => "text_changed",
            Self::TextRemoved => "text_removed",
        }
    }
}

impl fmt::Display for DeepFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, and where. Printed, it is a sentence.
///
/// ```
/// use placet_core::audit::{DeepOptions, verify_deep};
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// # use placet_core::{gate::Gate, testing::{Bench, Office}};
/// # let store = std::sync::Arc::new(MemoryStore::default());
/// # let gate = Gate::new(Bench::on(store.clone())?.parts);
/// # let office = Office::found(&gate)?;
/// # let name = format!("user/{}", office.bo.user());
/// let key = Key::from_segments(&["user", &office.bo.user().to_string()]);
/// store.commit(Batch::default().remove(key))?;
/// let report = verify_deep(&*store, &DeepOptions::default(), |_| Ok(()))?;
/// let told = report.findings[0].to_string();
/// assert!(told.starts_with(&format!("`{name}` is missing; leaf")), "{told}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DeepFinding {
    /// What is wrong.
    pub fault: DeepFault,
    /// The record's name, as leaves name it; nothing where the log itself is meant.
    pub record: Option<String>,
    /// The last leaf that names the record, or the entry of the log that is wrong. Counted from 0.
    pub leaf: Option<u64>,
    /// The digest that should be there.
    pub expected: Option<Digest>,
    /// The digest that is.
    pub found: Option<Digest>,
    /// Whose bytes were found, and which leaf had left them there, where that is known.
    pub source: Option<(String, u64)>,
    /// What more there is to say, in words of ours.
    pub why: Option<String>,
}

impl DeepFinding {
    pub(super) const fn new(fault: DeepFault, record: Option<String>, leaf: Option<u64>) -> Self {
        Self { fault, record, leaf, expected: None, found: None, source: None, why: None }
    }

    pub(super) fn with_digests(self, expected: Option<Digest>, found: Option<Digest>) -> Self {
        Self { expected, found, ..self }
    }

    pub(super) fn with_why(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }
}

impl fmt::Display for DeepFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record.as_deref().unwrap_or("the log");
        match self.fault {
            DeepFault::LogCut => f.write_str("the log was cut")?,
            DeepFault::LogRewritten => f.write_str("the log was rewritten")?,
            DeepFault::NotALeaf => f.write_str("an entry of the log is not a leaf")?,
            DeepFault::BrokenChain => {
                write!(f, "`{record}` was not what the leaf before had left")?;
            }
            DeepFault::Missing => write!(f, "`{record}` is missing")?,
            DeepFault::Added => write!(f, "`{record}` was added past the log")?,
            DeepFault::Changed => write!(f, "`{record}` was changed past the log")?,
            DeepFault::Older => write!(f, "`{record}` is what it was before")?,
            DeepFault::Swapped => write!(f, "`{record}` holds another record")?,
            DeepFault::Unfit => write!(f, "`{record}` does not fit what the log says")?,
            DeepFault::TextChanged => write!(f, "a text of `{record}` was changed past the log")?,
            DeepFault::TextRemoved => write!(f, "a text of `{record}` was removed without a leaf")?,
        }
        if let Some(leaf) = self.leaf {
            write!(f, "; leaf {leaf}")?;
        }
        if let Some((name, leaf)) = &self.source {
            write!(f, "; the bytes are those of `{name}` after leaf {leaf}")?;
        }
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        Ok(())
    }
}

/// What a deep check came to.
///
/// ```
/// use placet_core::audit::DeepOptions;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// office.approved(&gate)?;
/// let report = gate.verify_deep(&office.root, &DeepOptions::default(), |_| Ok(()))?;
/// assert!(report.is_whole() && report.findings.is_empty());
/// assert!(report.records > 10 && report.passes == 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeepReport {
    /// What is wrong, first what concerns the log.
    pub findings: Vec<DeepFinding>,
    /// How many findings there were, at least, beyond those that are told.
    pub findings_left_out: u64,
    /// How many entries the log had when the check began.
    pub entries: u64,
    /// The root hash of the Merkle tree of these entries.
    pub root: Digest,
    /// How many of them came after the largest head that was given: nobody elsewhere vouches for these yet.
    pub entries_after_head: Option<u64>,
    /// How many records there are.
    pub records: u64,
    /// How often log and records were read.
    pub passes: u64,
}

impl DeepReport {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty() && self.findings_left_out == 0
    }
}

/// What a deep check reads at the moment.
///
/// ```
/// use placet_core::audit::DeepStep;
/// assert_ne!(DeepStep::Log, DeepStep::Records);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeepStep {
    /// The log, from its beginning.
    Log,
    /// The records, in the order of their keys.
    Records,
    /// The log once more, for the index that is made from it.
    Index,
    /// The log once more, for whose bytes the wrong ones are.
    Origins,
}

impl DeepStep {
    /// The word for it.
    ///
    /// ```
    /// use placet_core::audit::DeepStep;
    /// let steps = [DeepStep::Log, DeepStep::Records, DeepStep::Index, DeepStep::Origins];
    /// assert_eq!(steps.map(DeepStep::as_str), ["log", "records", "index", "origins"]);
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Records => "records",
            Self::Index => "index",
            Self::Origins => "origins",
        }
    }
}

/// How far a deep check is.
///
/// ```
/// use placet_core::audit::{DeepOptions, DeepStep};
/// use placet_core::error::{Code, Error};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let mut shown = Vec::new();
/// gate.verify_deep(&office.root, &DeepOptions::default(), |now| {
///     shown.push((now.step, now.done, now.total));
///     Ok(())
/// })?;
/// assert_eq!(shown[0].0, DeepStep::Log);
/// assert_eq!(Some(shown[0].1), shown[0].2);
///
/// // An error ends it.
/// let enough = |_: &_| Err(Error::new(Code::Cancelled, "enough"));
/// let error = gate.verify_deep(&office.root, &DeepOptions::default(), enough).unwrap_err();
/// assert_eq!(error.code(), Code::Cancelled);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DeepProgress {
    /// Which pass it is, from 1.
    pub pass: u64,
    /// How many passes there will be, as far as is known now.
    pub passes: u64,
    /// What it reads.
    pub step: DeepStep,
    /// How many entries or records of this step are done.
    pub done: u64,
    /// How many there are, where that is known: a store does not count its records.
    pub total: Option<u64>,
}
