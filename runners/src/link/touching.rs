//! Before a target is touched, and what went wrong there.

use placet_core::runner::{Failure, JobId};
use placet_target::{Access, SqlFailure, SqlSession, StopReason};

use super::Answer;
use crate::bindings::sql::{DbError, Error};
use crate::convert::clean;
use crate::line::check_lease;
use crate::state::{Phase, State};

impl State {
    /// Asks the kernel whether the run may still touch its target. Before every touch.
    pub(crate) fn may_touch(&mut self) -> Result<(), Error> {
        let reach = self.reach().map_err(|error| Error::Denied(error.to_string()))?;
        // Before the touch, so that no step begins after its deadline.
        let asked = check_lease(&*reach.lease, reach.deadline, &reach.stop);
        match (reach.stop.raised(), asked) {
            (Some(reason), _) => Err(self.fail(SqlFailure::Stopped(reason), None)),
            // Nobody can say: this touch does not happen, and the next one is asked for anew.
            (None, Err(error)) => Err(self.fail(SqlFailure::Unavailable(error), None)),
            (None, Ok(())) => Ok(()),
        }
    }

    /// Opens a session of its own.
    pub(crate) fn open_session(&mut self, access: Access) -> Result<Box<dyn SqlSession>, Error> {
        let reach = self.reach().map_err(|error| Error::Denied(error.to_string()))?;
        let opened = match reach.target.sql() {
            Ok(target) => target.open(access, &reach.stop),
            Err(error) => Err(SqlFailure::Unavailable(error)),
        };
        opened.map_err(|failure| self.fail(failure, None))
    }

    /// Opens a session that writes, and asks once more: it holds now what a verification needs, so that who lost
    /// the lease meanwhile is late.
    pub(super) fn open_writer(&mut self) -> wasmtime::Result<Result<Box<dyn SqlSession>, Error>> {
        let access = Access::ReadWrite(self.attempt()?);
        let opened = self.open_session(access);
        Ok(opened.and_then(|session| self.may_touch().map(|()| session)))
    }

    /// Which attempt this call is for. An error ends the plugin's call.
    pub(super) fn attempt(&self) -> wasmtime::Result<JobId> {
        let reach = self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        let is_run = matches!(self.phase, Phase::Execute | Phase::Verify);
        // A dry run is no attempt, and hinders none.
        Ok(if is_run { reach.id } else { JobId { attempt: 0, ..reach.id } })
    }

    pub(super) fn refuse<T>(&mut self, why: &str) -> Answer<T> {
        self.note_refusal(why)?;
        Ok(Err(Error::Denied(why.to_owned())))
    }

    /// Counts what was refused, and notes it of a run. An error ends the plugin's call.
    pub(super) fn note_refusal(&mut self, why: &str) -> wasmtime::Result<()> {
        self.count_refusal()?;
        if self.phase == Phase::Execute {
            let step = self.next_step_id();
            self.ledger.note_failure(Failure { step, ..Failure::new("denied", why) });
        }
        Ok(())
    }

    pub(super) fn next_step_id(&self) -> Option<String> {
        let reach = self.reach.as_ref()?;
        reach.approved.get(self.ledger.steps_done).map(|step| step.id.clone())
    }

    /// Notes what went wrong and says it to the plugin.
    pub(crate) fn fail(&mut self, failure: SqlFailure, step: Option<String>) -> Error {
        let failure = self.shown(failure);
        let message = failure.message();
        let noted = Failure { step, ..Failure::new("runner_fault", message.clone()) };
        let (noted, said) = match failure {
            SqlFailure::Unavailable(error) => {
                let help = error.help().map(|help| serde_json::json!({ "help": help }).to_string());
                let code = error.code().as_str().to_owned();
                let plain = error.to_string();
                self.ledger.unavailable.get_or_insert(error);
                let noted =
                    Failure { code, message: plain, details: help, retryable: true, ..noted };
                (noted, Error::Connection(message))
            }
            SqlFailure::Database { code, message, position, retryable } => {
                let details = self.position(position);
                let said = DbError {
                    code: code.clone(),
                    severity: "error".to_owned(),
                    message: message.clone(),
                    position,
                };
                (Failure { code, message, retryable, details, ..noted }, Error::Db(said))
            }
            SqlFailure::Refused(why) => {
                (Failure { code: "denied".to_owned(), ..noted }, Error::Denied(why))
            }
            SqlFailure::Stopped(reason) => {
                self.ledger.stopped = Some(reason);
                (Failure { code: reason.code().to_owned(), ..noted }, stopped(reason))
            }
            SqlFailure::Limit(why) => {
                (Failure { code: "limit".to_owned(), ..noted }, Error::Limit(why))
            }
        };
        self.ledger.note_failure(noted);
        said
    }

    /// What the database said, as it may be kept and shown: it quotes values of rows, and names that anybody chose. So
    /// its words are cleaned and bounded, as those of plugins, and left out where columns are masked.
    fn shown(&self, failure: SqlFailure) -> SqlFailure {
        let is_masked = self.reach.as_ref().is_some_and(|reach| !reach.settings.mask.is_empty());
        match failure {
            SqlFailure::Database { code, position, retryable, message: _ } if is_masked => {
                let at = position.map_or_else(String::new, |at| format!(" at character {at}"));
                let message = format!(
                    "the database refused it{at} with `{code}`; its words are not shown, because this environment \
                     masks columns"
                );
                SqlFailure::Database { code, message, position, retryable }
            }
            SqlFailure::Database { code, position, retryable, message } => {
                let (code, message) = (clean(&code), clean(&message));
                SqlFailure::Database { code, message, position, retryable }
            }
            SqlFailure::Refused(why) => SqlFailure::Refused(clean(&why)),
            SqlFailure::Limit(why) => SqlFailure::Limit(clean(&why)),
            other @ (SqlFailure::Unavailable(_) | SqlFailure::Stopped(_)) => other,
        }
    }

    /// Notes a failure that the host itself found, under a code of its own.
    pub(super) fn fail_as(&mut self, code: &str, why: &str, step: Option<String>) -> Error {
        self.ledger.note_failure(Failure { step, ..Failure::new(code, why) });
        Error::Denied(why.to_owned())
    }

    /// Where in the whole payload the step under way went wrong; its beginning when nothing is known.
    fn position(&self, in_statement: Option<u32>) -> Option<String> {
        if self.phase != Phase::Execute {
            return None;
        }
        let reach = self.reach.as_ref()?;
        let before = reach.texts.characters_before(&reach.approved, self.ledger.steps_done)?;
        let within = usize::try_from(in_statement.unwrap_or(1)).ok()?;
        let position = before.saturating_add(within);
        Some(serde_json::json!({ "position": position }).to_string())
    }
}

const fn stopped(reason: StopReason) -> Error {
    match reason {
        StopReason::Timeout => Error::Timeout,
        StopReason::Cancelled | StopReason::LeaseLost | StopReason::Unavailable => Error::Cancelled,
    }
}
