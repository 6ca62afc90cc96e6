//! How far long work is.

/// How far a work over the entries of a log is. Whoever is told may end the work by answering with an error.
///
/// ```
/// use placet_core::audit::verify_export_with;
/// use placet_core::error::{Code, Error};
/// # use std::collections::BTreeMap;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let mut files = BTreeMap::new();
/// # gate.export(&office.root, |path, bytes| {
/// #     files.insert(path.to_owned(), bytes.to_vec());
/// #     Ok(())
/// # })?;
/// let read = |path: &str| Ok(files.get(path).cloned());
///
/// let mut shown = Vec::new();
/// verify_export_with(read, gate.origin(), gate.verifier_key(), |at| {
///     shown.push(format!("{} of {}", at.done, at.total));
///     Ok(())
/// })?;
/// assert!(!shown.is_empty());
///
/// // Whoever does not want to wait stops it.
/// let stop = |_| Err(Error::new(Code::Cancelled, "stopped by the operator"));
/// let stopped = verify_export_with(read, gate.origin(), gate.verifier_key(), stop);
/// assert_eq!(stopped.expect_err("it was stopped").code(), Code::Cancelled);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// How many entries are done.
    pub done: u64,
    /// How many there are in all.
    pub total: u64,
}

impl Progress {
    /// So many of so many entries.
    pub(crate) const fn at(done: u64, total: u64) -> Self {
        Self { done, total }
    }
}
