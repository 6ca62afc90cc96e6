//! From an approval to a run, and from a run to its end.

use super::change::Header;
use super::ended::Ended;
use super::quorum::{Approval, Standing};
use super::refusal::lease_lost;
use super::state::{Approved, Executing, State};
use crate::authz::{Execute, Permit};
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{RunId, UserId};
use crate::runner::Outcome;

impl Approved {
    /// Refuses somebody who approved, where the quorum keeps approvers from starting the run.
    pub(crate) fn check_executor(&self, header: &Header, user: UserId) -> Result<(), Error> {
        if !self.quorum.exclude.executor || self.approvals.iter().all(|given| given.user != user) {
            return Ok(());
        }
        Err(Error::new(
            Code::Refused,
            format!("`{user}` approved `{}` and cannot run it", header.id),
        )
        .with_help("ask somebody else who may execute here"))
    }

    /// Starts a run of exactly what was approved, by those approvals that were `counted` at this moment. All of them
    /// are kept: another attempt, or the run at the next target, asks again who approved.
    pub(crate) fn start(
        self,
        header: &mut Header,
        permit: Permit<Execute>,
        counted: &[Approval],
        (run, now): (RunId, Timestamp),
    ) -> Result<Executing, Error> {
        let (started_by, _) = permit.spend_on(&header.scope())?;
        self.check_executor(header, started_by)?;
        let is_agreed = match self.by_rule {
            // A rule agrees to artifacts, and to no change of a target's own data.
            Some(_) => header.artifact.is_some(),
            None => self.quorum.standing(counted, &self.digest) == Standing::Reached,
        };
        self.check_has_person(header, counted)?;
        if header.change_digest()? != self.digest || !is_agreed {
            return Err(Error::new(
                Code::DigestMismatch,
                format!("what would run of `{}` is not what was approved", header.id),
            )
            .with_help("submit it again, so that it is approved as it is now"));
        }
        let target = self.next_target(header)?.clone();
        header.fence = header.fence.saturating_add(1);
        header.attempts = header.attempts.saturating_add(1);
        Ok(Executing {
            target,
            approved: self,
            run,
            attempt: header.attempts,
            fence: header.fence,
            started_by,
            started_at: now,
            cancel_requested: false,
        })
    }
}

impl Executing {
    /// Writes the ending down. Only the holder of the fence may. A batch that succeeded here and not yet everywhere is
    /// approved for the next target.
    pub(crate) fn finish(
        self,
        header: &Header,
        fence: u64,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<State, Error> {
        if self.fence != fence {
            return Err(lease_lost(header.id));
        }
        Ok(Ended::of(self, now, outcome).into_state(header))
    }
}
