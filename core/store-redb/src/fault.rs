//! redb's failures and panics, in the words of the contract.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use placet_core::store::{StoreError, StoreErrorKind};

/// Why a step with redb did not end well: redb's own words, or ours.
#[derive(Debug)]
pub(crate) enum Fault {
    Redb(redb::Error),
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        })*
    };
}

from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError);

/// Runs `step` with redb. redb asserts on some damage; an assertion must not reach the host.
pub(crate) fn guarded<T>(
    what: &str,
    step: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Fault::Store(error))) => Err(error),
        Ok(Err(Fault::Redb(cause))) => Err(from_redb(what, cause)),
        Err(panic) => Err(damaged(format!("{what} failed: {}", panic_text(panic.as_ref())))),
    }
}

/// Stored bytes are not what was written.
pub(crate) fn damaged(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, message)
        .with_help("stop writing, keep a copy of the file, and restore the last good backup")
}

/// The answer after a failure.
pub(crate) fn poisoned(fault: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Poisoned, format!("the store stopped after a failure: {fault}"))
        .with_help("look at the disk, then open the store again; read before you repeat a write")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "foreign enums that grow")]
fn from_redb(what: &str, cause: redb::Error) -> StoreError {
    match cause {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StoreError::new(
            StoreErrorKind::Locked,
            "the file is open already, here or in another process",
        )
        .with_help(
            "close the other one, or share one open store; several nodes need the PostgreSQL store",
        )
        .with_source(cause),
        // What is not there, or cannot be, was cut off or written over.
        redb::Error::Io(io)
            if matches!(io.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
        {
            damaged(format!("{what} failed: {io}")).with_source(io)
        }
        redb::Error::Io(io) => unavailable(what, io),
        redb::Error::Corrupted(said) => damaged(format!("{what} failed: {said}")),
        // This store never wrote an older one.
        redb::Error::UpgradeRequired(_) => damaged(format!("{what} failed: {cause}")),
        cause => StoreError::new(StoreErrorKind::Unavailable, format!("{what} failed: {cause}"))
            .with_help("look at the cause, then open again")
            .with_source(cause),
    }
}

/// The file cannot be used.
pub(crate) fn unavailable(what: &str, cause: std::io::Error) -> StoreError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
    let help = match cause.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the process the right to write the file, and to create it in its folder"
        }
        ErrorKind::IsADirectory => "name a file, not a folder; it is created where it is not there",
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "create the folder; the file is created in it"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free space on the disk, then open again"
        }
        _ => "look at the cause, then open again",
    };
    StoreError::new(StoreErrorKind::Unavailable, format!("{what} failed"))
        .with_help(help)
        .with_source(cause)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "redb gave up without a reason".to_owned())
}
