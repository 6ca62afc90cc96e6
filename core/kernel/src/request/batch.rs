//! A change over several targets: what is done of it, and which target is next.

use serde::{Deserialize, Serialize};

use super::change::Header;
use super::state::Approved;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{RunId, UserId};
use crate::org::Slug;

/// A target at which a change took effect.
/// ```
/// # use placet_core::{request::State, testing::{Office, Seen}}; let (gate, office) = Office::in_memory()?;
/// # let change = office.change("1")?.and_then_at(["shop-2".parse()?], gate.limits())?;
/// # let id = gate.draft_and_submit(&office.ana, &office.request(change))?.header.id;
/// # gate.approve(&office.bo, id, gate.view(&office.ana, id)?.digest.unwrap(), None)?;
/// let after_the_canary = gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
/// let State::Approved(approved) = after_the_canary.state else { unreachable!() };
/// assert!(approved.done.iter().map(|done| done.target.as_str()).eq(["shop"]));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Done {
    /// The target.
    pub target: Slug,
    /// The run that changed it.
    pub run: RunId,
    /// When that ended, or was declared to have.
    pub at: Timestamp,
    /// The person who said so, where nobody else could tell.
    pub declared_by: Option<UserId>,
}

impl Approved {
    /// The target that it runs at next. Those before it are done, in their order.
    pub(crate) fn next_target<'h>(&self, header: &'h Header) -> Result<&'h Slug, Error> {
        let mut targets = header.targets();
        let is_in_order = self.done.iter().all(|done| targets.next() == Some(&done.target));
        targets.next().filter(|_| is_in_order).ok_or_else(|| {
            let sentence = format!("what is done of `{}` is not how a batch goes", header.id);
            Error::new(Code::DigestMismatch, sentence)
                .with_help("do not run it; compare the store with the audit log")
        })
    }

    /// Refuses what is not meant for a batch that has begun.
    pub(crate) fn check_not_begun(&self, header: &Header) -> Result<(), Error> {
        let Some(first) = self.done.first() else { return Ok(()) };
        let sentence = format!("`{}` took effect at `{}` already", header.id, first.target);
        Err(Error::new(Code::WrongState, sentence)
            .with_help("run it at the other targets, or withdraw it and draft a new request"))
    }
}
