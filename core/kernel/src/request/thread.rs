//! What was asked about a request and wants an answer: a chain of comments that is open or resolved.

use serde::{Deserialize, Serialize};

use super::change::Header;
use crate::clock::Timestamp;
use crate::id::{RequestId, UserId};
use crate::store::records::Record;

/// What a thread is about.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::ThreadPlace;
/// let id = office.pending(&gate)?.header.id;
/// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Step(1), "is there an index?")?;
/// assert_eq!((thread.place, thread.revision), (ThreadPlace::Step(1), 1));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "on", content = "number")]
#[expect(clippy::exhaustive_enums, reason = "whoever shows a thread says what it is about")]
pub enum ThreadPlace {
    /// The request as a whole.
    Request,
    /// One revision of it, counted from 1.
    Revision(u32),
    /// One step of the plan of the present revision, counted from 1.
    Step(u32),
}

/// Who resolved a thread.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # use placet_core::request::ThreadPlace;
/// let id = office.pending(&gate)?.header.id;
/// gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?;
/// let resolution = gate.resolve_thread(&office.ana, id, 0)?.resolution;
/// assert!(resolution.is_some_and(|done| done.by == office.ana.user()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Resolution {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

impl Resolution {
    pub(crate) const fn new(by: UserId, at: Timestamp) -> Self {
        Self { by, at }
    }
}

/// A question about a request, with what was answered. Its texts are comments in the request's history.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::ThreadPlace;
/// let id = office.pending(&gate)?.header.id;
/// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?;
/// assert!(thread.is_open());
/// assert_eq!(gate.history(&office.ana, id)?[thread.posts[0] as usize].thread, Some(thread.number));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Thread {
    /// The request.
    pub request: RequestId,
    /// Its place among the request's threads, from 0.
    pub number: u32,
    /// What it is about.
    pub place: ThreadPlace,
    /// The revision that it is about: the one that it names, else the one at which it was opened.
    pub revision: u32,
    /// When the plan was made whose step it is about.
    pub plan_at: Option<Timestamp>,
    /// Who opened it.
    pub opened_by: UserId,
    /// When.
    pub opened_at: Timestamp,
    /// Who resolved it. Nobody while it is open.
    pub resolution: Option<Resolution>,
    /// Its texts, oldest first: the numbers of these steps in the request's history.
    pub posts: Vec<u32>,
}

impl Thread {
    /// Whether it wants an answer.
    pub const fn is_open(&self) -> bool {
        self.resolution.is_none()
    }

    /// Whether it is about a revision or a plan that is not the request's present one.
    pub fn is_outdated(&self, header: &Header) -> bool {
        match self.place {
            ThreadPlace::Request => false,
            ThreadPlace::Revision(revision) => revision != header.revision,
            ThreadPlace::Step(_) => {
                self.revision != header.revision
                    || self.plan_at != header.plan.as_ref().map(|plan| plan.at)
            }
        }
    }
}

impl Record for Thread {
    const KIND: &'static str = "thread";

    fn path(&self) -> Vec<String> {
        vec![self.request.to_string(), format!("{:010}", self.number)]
    }
}

/// How many threads a request has.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # use placet_core::request::ThreadPlace;
/// let id = office.pending(&gate)?.header.id;
/// gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?;
/// gate.resolve_thread(&office.ana, id, 0)?;
/// gate.open_thread(&office.ana, id, ThreadPlace::Request, "and when?")?;
/// let count = gate.view(&office.ana, id)?.header.threads;
/// assert_eq!((count.all, count.open), (2, 1));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ThreadCount {
    /// All of them.
    pub all: u32,
    /// Those that are open, also about earlier revisions.
    pub open: u32,
}

impl ThreadCount {
    pub(crate) const fn is_empty(&self) -> bool {
        self.all == 0
    }
}
