//! sled's failures and panics, in the words of the contract.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use placet_core::store::{StoreError, StoreErrorKind};

/// Runs `step` of sled. sled asserts on some damage; an assertion must not reach the host.
pub(crate) fn guarded<T>(
    what: &str,
    step: impl FnOnce() -> Result<T, sled::Error>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(cause)) => Err(from_sled(what, cause)),
        Err(panic) => Err(damaged(format!("{what} failed: {}", panic_text(panic.as_ref())))),
    }
}

/// Stored bytes are not what was written.
pub(crate) fn damaged(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, message)
        .with_help("stop writing, keep a copy of the folder, and restore the last good backup")
}

/// The files cannot be used.
pub(crate) fn unavailable(what: &str, path: &Path, cause: std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
    let help = match cause.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the process the right to write in this folder"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "name a folder; it is created where it is not there"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free space on the disk, then open again"
        }
        _ => "look at the cause, then open again",
    };
    StoreError::new(StoreErrorKind::Unavailable, format!("cannot {what} `{}`", path.display()))
        .with_help(help)
        .with_source(cause)
}

/// A file could not be read or written.
pub(crate) fn lost(what: &str, cause: std::io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, format!("{what} failed"))
        .with_help("look at the cause (disk full, rights, hardware), then open again")
        .with_source(cause)
}

fn from_sled(what: &str, cause: sled::Error) -> StoreError {
    match cause {
        sled::Error::Io(cause) => lost(what, cause),
        sled::Error::Unsupported(cause) => {
            StoreError::new(StoreErrorKind::NewerFormat, format!("{what} failed: {cause}"))
                .with_help("open the folder with the version that wrote it")
        }
        cause @ (sled::Error::Corruption { .. }
        | sled::Error::CollectionNotFound(_)
        | sled::Error::ReportableBug(_)) => damaged(format!("{what} failed: {cause}")),
    }
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "sled gave up without a reason".to_owned())
}
