//! What was compiled, loaded and ignored.

use std::sync::{Mutex, PoisonError};

/// How many notes are kept.
const NOTES_MAX: usize = 16;

/// Where the compiled components of a host came from. What other hosts of the same process hold already is taken
/// from them, and not counted.
///
/// ```
/// use placet_runners::{Grant, WasmRunner, shipped};
/// let (sql, grant) = (shipped::sql(), Grant::none().with("sql"));
/// let runner =
///     WasmRunner::builder().plugin("sql".parse()?, sql.component, sql.manifest, grant).build()?;
/// runner.warm_up()?;
/// let compilations = runner.compilations();
/// // There is no folder to load it from.
/// assert_eq!((compilations.compiled, compilations.loaded), (1, 0));
/// assert!(compilations.notes.is_empty());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Compilations {
    /// How many were compiled, in this process or by the compiler.
    pub compiled: u64,
    /// How many were loaded from the folder.
    pub loaded: u64,
    /// How many files of the folder did not check and were ignored. Each is a warning: somebody changed a file, or a
    /// disk did.
    pub ignored: u64,
    /// How many could not be kept in the folder.
    pub unkept: u64,
    /// What was ignored or not kept, and why: the first sixteen.
    pub notes: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<Compilations>);

impl Counts {
    pub(super) fn read(&self) -> Compilations {
        // Numbers and whole texts: none can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note_compiled(&self) {
        self.note(|counts| counts.compiled = counts.compiled.saturating_add(1), None);
    }

    pub(super) fn note_loaded(&self) {
        self.note(|counts| counts.loaded = counts.loaded.saturating_add(1), None);
    }

    pub(super) fn note_ignored(&self, why: String) {
        self.note(|counts| counts.ignored = counts.ignored.saturating_add(1), Some(why));
    }

    pub(super) fn note_unkept(&self, why: String) {
        self.note(|counts| counts.unkept = counts.unkept.saturating_add(1), Some(why));
    }

    fn note(&self, count: impl FnOnce(&mut Compilations), note: Option<String>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counts);
        if counts.notes.len() < NOTES_MAX {
            counts.notes.extend(note);
        }
    }
}
