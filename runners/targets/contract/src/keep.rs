//! Rows that are kept before a statement changes them, so that they can be put back.

use placet_core::id::RequestId;
use placet_core::runner::JobId;

/// The most bytes that a driver holds of rows that it keeps, or of the statements that put those of one attempt back:
/// 64 MiB. What would take more is refused, counted while it is read.
///
/// ```
/// use placet_target::{KEPT_BYTES_MAX, SqlFailure};
///
/// /// What is left after a row of so many bytes.
/// fn room_after(bytes: u64, room: u64) -> Result<u64, SqlFailure> {
///     let why = || SqlFailure::Limit(format!("more than {KEPT_BYTES_MAX} bytes"));
///     room.checked_sub(bytes).ok_or_else(why)
/// }
/// assert_eq!(room_after(100, KEPT_BYTES_MAX).unwrap(), (64 << 20) - 100);
/// assert!(room_after(1, 0).is_err());
/// ```
pub const KEPT_BYTES_MAX: u64 = 64 << 20;

/// Names an attempt whose changes are to be put back.
///
/// ```
/// # use placet_core::{id::{RequestId, RunId}, runner::JobId};
/// use placet_target::Attempt;
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// let id = JobId { request, revision: 2, attempt: 1, fence: 7, run };
/// assert_eq!(Attempt::of(&id), Attempt { request, revision: 2, attempt: 1 });
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the key of the marker row")]
pub struct Attempt {
    /// The request.
    pub request: RequestId,
    /// Which revision of it.
    pub revision: u32,
    /// Which attempt at the revision, from 1.
    pub attempt: u32,
}

impl Attempt {
    /// The attempt that `id` names.
    pub const fn of(id: &JobId) -> Self {
        Self { request: id.request, revision: id.revision, attempt: id.attempt }
    }
}

/// What one statement does to rows, read from its text by the review: one table, and a condition that means the
/// same rows in a query.
///
/// ```
/// use placet_target::{Touch, TouchKind};
///
/// // UPDATE shop.orders AS o SET cents = 0 WHERE o.paid
/// let touch = Touch {
///     kind: TouchKind::Update,
///     table: vec!["shop".to_owned(), "orders".to_owned()],
///     alias: Some("o".to_owned()),
///     columns: vec!["cents".to_owned()],
///     condition: Some("o.paid".to_owned()),
/// };
/// assert_eq!(touch.table.last().map(String::as_str), Some("orders"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a target must look at every part")]
pub struct Touch {
    /// What it does.
    pub kind: TouchKind,
    /// The table: schema, where the text names one, and name. As the database knows them: without quotes, in
    /// the case that it would look for.
    pub table: Vec<String>,
    /// The name that the condition uses for the table, if it is another one.
    pub alias: Option<String>,
    /// For INSERT the columns that it names, in order, none where it names none; for UPDATE those that it sets.
    pub columns: Vec<String>,
    /// The text of the condition, as it stands in the statement. Without one, every row is meant.
    pub condition: Option<String>,
}

/// What a statement does to rows.
///
/// ```
/// use placet_target::TouchKind;
/// assert_ne!(TouchKind::Update, TouchKind::Delete);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a target must handle each")]
pub enum TouchKind {
    /// New rows.
    Insert,
    /// Other values.
    Update,
    /// Rows less.
    Delete,
}

/// Whether what a statement changes can be put back afterwards.
///
/// ```
/// use placet_target::Keepable;
/// let no = Keepable::No("the table has no primary key".to_owned());
/// assert_ne!(no, Keepable::Yes);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "yes, or no and why")]
pub enum Keepable {
    /// It can.
    Yes,
    /// It cannot, and why.
    No(String),
}
