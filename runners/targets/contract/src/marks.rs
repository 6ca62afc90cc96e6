//! What stands in the target once something was done: our own proof, beside the data.

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::runner::JobId;

/// The row that stands in the target once an attempt was committed.
///
/// ```
/// # use placet_core::{clock::Timestamp, digest::Digest, id::{RequestId, RunId}, runner::JobId};
/// # use placet_target::{Access, Marker, SqlTarget, StopSignal};
/// # use placet_target_sqlite::SqliteTarget;
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// let id = JobId { request, revision: 1, attempt: 1, fence: 1, run };
/// # let mut session = SqliteTarget::new(file.path()).open(Access::ReadWrite(id), &StopSignal::new())?;
/// let marker = Marker { id, digest: Digest::of(b"the plan"), at: Timestamp::MIN };
/// session.begin()?;
/// session.commit(&marker).unwrap();
/// assert_eq!(session.marker(&id)?, Some(true));
/// assert_eq!(session.marker(&JobId { attempt: 2, ..id })?, Some(false));
/// # Ok::<(), placet_target::SqlFailure>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a target must write every column")]
pub struct Marker {
    /// Request, revision, attempt (the key) and fence.
    pub id: JobId,
    /// The digest of the plan that was executed.
    pub digest: Digest,
    /// When the host committed, in UTC.
    pub at: Timestamp,
}

/// The row that stands in the target for one step of an attempt whose steps are committed one by one.
///
/// ```
/// # use placet_core::{clock::Timestamp, digest::Digest, id::{RequestId, RunId}, runner::JobId};
/// use placet_target::StepMark;
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// let id = JobId { request, revision: 1, attempt: 1, fence: 1, run };
/// let (body, at) = ("CREATE INDEX CONCURRENTLY by_day ON orders (day)", Timestamp::MIN);
/// let mark = StepMark { id, step: "s1".to_owned(), digest: Digest::of(body.as_bytes()), at };
/// assert_eq!(mark.step, "s1");
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a target must write every column")]
pub struct StepMark {
    /// Request, revision, attempt and fence.
    pub id: JobId,
    /// The step. With request, revision and attempt it is the key.
    pub step: String,
    /// The digest of the step's text.
    pub digest: Digest,
    /// When the host began with it, in UTC.
    pub at: Timestamp,
}

/// How far a step came, as the target's own rows tell.
///
/// ```
/// use placet_target::{StepSeen, StepState};
///
/// let seen = StepSeen { step: "s1".to_owned(), state: StepState::Intended };
/// let says = match seen.state {
///     StepState::Done => "it took effect",
///     StepState::Intended => "it was begun, and nobody can tell",
/// };
/// assert_eq!(says, "it was begun, and nobody can tell");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a target must fill every part")]
pub struct StepSeen {
    /// The step.
    pub step: String,
    /// How far it came.
    pub state: StepState,
}

/// How far a step came. A step without a row was not begun.
///
/// ```
/// use placet_target::StepState;
/// assert!(StepState::Intended < StepState::Done);
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "each leads to another outcome")]
pub enum StepState {
    /// It was about to be sent. Whether it took effect cannot be told.
    Intended,
    /// It took effect.
    Done,
}
