//! A database that the host can reach.

use core::fmt;

use placet_core::runner::JobId;

use crate::{SqlFailure, SqlSession, StopSignal};

/// A database that the host can reach. It holds address and credential; plugins know only its name.
///
/// ```
/// use placet_target::{Access, SqlFailure, SqlSession, SqlTarget, StopSignal};
/// use placet_target_sqlite::SqliteTarget;
///
/// /// While the shop is closed for an inventory, nothing writes.
/// #[derive(Debug)]
/// struct Closed(SqliteTarget);
///
/// impl SqlTarget for Closed {
///     fn dialect(&self) -> &str {
///         self.0.dialect()
///     }
///
///     fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
///         match access {
///             Access::ReadOnly => self.0.open(access, stop),
///             Access::ReadWrite(_) => Err(SqlFailure::Refused("the shop is closed".to_owned())),
///         }
///     }
/// }
///
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let target = Closed(SqliteTarget::new(file.path()));
/// assert!(target.open(Access::ReadOnly, &StopSignal::new()).is_ok());
/// # use placet_core::{id::{RequestId, RunId}, runner::JobId};
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// let id = JobId { request, revision: 1, attempt: 1, fence: 1, run };
/// assert!(target.open(Access::ReadWrite(id), &StopSignal::new()).is_err());
/// ```
pub trait SqlTarget: Send + Sync + fmt::Debug {
    /// The dialect: `sqlite`, `postgresql`, `mysql` or a word of the target's own.
    fn dialect(&self) -> &str;

    /// Opens a session of its own for one call. A session of [`Access::ReadOnly`] must refuse every write,
    /// best by a credential that cannot. Long work must stop soon after `stop` was raised.
    ///
    /// A session of [`Access::ReadWrite`] holds, from before it writes until its end, something that
    /// [`SqlSession::marker`] and [`SqlSession::steps`] for the same attempt need: a lock in the database that goes with
    /// its session. The host asks for the lease once more after it was opened, so that whoever lost the lease meanwhile
    /// writes nothing.
    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure>;
}

/// What a session may do.
///
/// ```
/// use placet_target::{Access, SqlFailure, SqlTarget, StopSignal};
/// use placet_target_sqlite::SqliteTarget;
///
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let target = SqliteTarget::new(file.path());
/// let mut session = target.open(Access::ReadOnly, &StopSignal::new())?;
/// assert!(session.query("SELECT 1", &[], 1, 1_024).is_ok());
/// assert!(matches!(session.begin(), Err(SqlFailure::Refused(_))));
/// # Ok::<(), SqlFailure>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a target must handle both")]
pub enum Access {
    /// Queries and the marker.
    ReadOnly,
    /// Transactions too, for this attempt. A dry run has the attempt 0.
    ReadWrite(JobId),
}
