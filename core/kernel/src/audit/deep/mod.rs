//! The whole state compared with the whole log: `verify --deep`.
//!
//! Each leaf names the records that it wrote, with salted digests before and after. So the log alone says
//! which records there must be, byte for byte, and what each leaf must have found. What no leaf names is
//! derived, and is made again here from what leaves do name; the table in `kinds` says how, kind by kind.

mod kinds; // which kind is checked how: the table to extend
mod derived; // what is made again from other records
mod texts; // what can be erased, beside what cannot
mod tiles; // the hashes of the log
mod log_index; // the index of the log
mod ledger; // what the log says of each record, a share of them at a time
mod frontier; // the root of a log that is read once
mod report; // what was found
mod walk; // the log read, the records scanned, and both compared
mod origin; // whose bytes stand where they do not belong

pub use report::{DeepFault, DeepFinding, DeepProgress, DeepReport, DeepStep};
pub(crate) use texts::check as check_texts;

use super::checkpoint::Checkpoint;
use crate::error::Error;
use crate::store::Store;

/// How [`verify_deep`] goes about it.
///
/// ```
/// use placet_core::audit::{Checkpoint, DeepOptions, verify_deep};
/// use placet_core::gate::Gate;
/// use placet_core::store::MemoryStore;
/// # use placet_core::testing::{Bench, Office};
/// # let store = std::sync::Arc::new(MemoryStore::default());
/// # let gate = Gate::new(Bench::on(store.clone())?.parts);
/// # let office = Office::found(&gate)?;
/// # office.approved(&gate)?;
///
/// // A head that somebody else kept: the log must still begin with it.
/// let kept = Checkpoint::open_note(&gate.checkpoint()?, gate.origin(), gate.verifier_key())?;
/// let options = DeepOptions::default().with_head(kept).with_memory_bytes_max(8 << 20);
/// let report = verify_deep(&*store, &options, |_| Ok(()))?;
/// assert!(report.is_whole());
/// assert_eq!(report.entries_after_head, Some(0));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeepOptions {
    /// About how much memory it may take for what the log says of each record, in bytes. Where that does not fit, log
    /// and records are read again for each part. What is read at a time, some hundred leaves or some ten records,
    /// comes on top.
    pub memory_bytes_max: usize,
    /// How many findings are told one by one; what is beyond is counted.
    pub findings_max: usize,
    /// Heads that were kept elsewhere, and that the log must begin with.
    pub heads: Vec<Checkpoint>,
    #[cfg(feature = "testing")]
    blind_to: Option<DeepFault>,
}

impl Default for DeepOptions {
    fn default() -> Self {
        Self {
            memory_bytes_max: 256 << 20,
            findings_max: 1_000,
            heads: Vec::new(),
            #[cfg(feature = "testing")]
            blind_to: None,
        }
    }
}

impl DeepOptions {
    /// Sets [`Self::memory_bytes_max`].
    #[must_use]
    pub fn with_memory_bytes_max(self, memory_bytes_max: usize) -> Self {
        Self { memory_bytes_max, ..self }
    }

    /// Sets [`Self::findings_max`].
    #[must_use]
    pub fn with_findings_max(self, findings_max: usize) -> Self {
        Self { findings_max, ..self }
    }

    /// Adds a head that the log must begin with. Open it with the log's key before: nothing is verified here.
    #[must_use]
    pub fn with_head(mut self, head: Checkpoint) -> Self {
        self.heads.push(head);
        self
    }

    /// A check that overlooks one fault, so that a test can show that it would notice.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub fn blind_to(self, fault: DeepFault) -> Self {
        Self { blind_to: Some(fault), ..self }
    }

    #[cfg(feature = "testing")]
    fn sees(&self, fault: DeepFault) -> bool {
        self.blind_to != Some(fault)
    }

    #[cfg(not(feature = "testing"))]
    #[expect(clippy::unused_self, reason = "it is asked where tests can blind it")]
    fn sees(&self, _fault: DeepFault) -> bool {
        true
    }
}

/// Compares every record of `store` with the log: which are gone, which nobody wrote, which are others, older ones
/// or those of another name, and whether each leaf found what the one before it had left. Where heads are given,
/// the log must begin with them. It needs no gate and no key, and changes nothing; others may write meanwhile.
///
/// `progress` is told now and then how far it is; its error ends the check and is handed on.
///
/// A fault that is found is in the report, not an error. Fails with the errors of the store, among them
/// [`crate::error::Code::StoreDamaged`] where the store itself finds that bytes are not what was written, and with
/// [`crate::error::Code::NewerFormat`] when a newer version wrote the log.
///
/// What only paces work is checked for its form and for what it is about: who waits for a target, which node holds a
/// lease and how often it was renewed may be changed without being found. It makes somebody wait, or declares a run
/// unknown too early or too late; nothing is approved, run or ended by it.
///
/// ```
/// use placet_core::audit::{DeepFault, DeepOptions, verify_deep};
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// # use placet_core::{gate::Gate, testing::{Bench, Office}};
/// # let store = std::sync::Arc::new(MemoryStore::default());
/// # let gate = Gate::new(Bench::on(store.clone())?.parts);
/// # let office = Office::found(&gate)?;
/// # let request = office.approved(&gate)?.header.id;
///
/// // Somebody writes past the gate.
/// let key = Key::from_segments(&["request", &request.to_string()]);
/// # let mut value = store.get(&key)?.expect("it is there").value;
/// # let at = value.len() / 2;
/// # value[at] ^= 1;
/// store.commit(Batch::default().put(key, value))?;
///
/// let report = verify_deep(&*store, &DeepOptions::default(), |_| Ok(()))?;
/// assert_eq!(report.findings[0].fault, DeepFault::Changed);
/// assert_eq!(report.findings[0].record, Some(format!("request/{request}")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify_deep(
    store: &dyn Store,
    options: &DeepOptions,
    mut progress: impl FnMut(&DeepProgress) -> Result<(), Error>,
) -> Result<DeepReport, Error> {
    walk::Check::new(store, options, &mut progress)?.run()
}
