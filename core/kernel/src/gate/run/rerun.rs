//! Running again what is known to have failed: a new attempt, authorized and compared anew.

use super::execute::Ticket;
use super::start::Start;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Approved, Failed, Header, Run};
use crate::runner::Outcome;

impl Gate {
    /// Starts another attempt at a request whose last run is known to have failed. All that [`Self::execute`] looks
    /// at is looked at again: the caller's right (it takes the action `execute`), the digests of payload, plan and
    /// plugin, and each counted approver. The attempt has a number, a run, a fence and a marker of its own.
    ///
    /// One that is unknown is never run again: [`Self::verify`] it first. The approvals are good until
    /// [`attempts_max`](crate::limits::Limits::attempts_max) runs failed, or as many as the environment's
    /// [`SetExecution`](crate::org::command::SetExecution) allows. Of a batch, only what is not done is run: the
    /// target at which it failed, and then the others after it.
    ///
    /// Fails as [`Self::execute`] does, with [`Code::WrongState`] unless the request is `FAILED`, and with
    /// [`Code::Refused`] after too many attempts; where steps took effect that must not be done twice; and where the
    /// target, or the run itself after it had been given up, says anything else than that it failed.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::StateName;
    /// use placet_core::runner::{Failure, Outcome};
    /// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
    /// # let bench = Bench::on(std::sync::Arc::new(MemoryStore::default()))?;
    /// # let (gate, runner) = (Gate::new(bench.parts), bench.runner);
    /// # let office = Office::found(&gate)?;
    /// # let (id, seen) = (office.approved(&gate)?.header.id, Seen::default());
    /// runner.ends_with(Outcome::Failed(Failure::new("sql.40001", "serialization failure")));
    /// gate.drive(gate.execute(&office.bo, id)?, &seen)?;
    ///
    /// let request = gate.drive(gate.rerun(&office.bo, id)?, &seen)?;
    /// assert_eq!((request.state.name(), request.header.attempts), (StateName::Succeeded, 2));
    /// // What succeeded is done.
    /// assert_eq!(gate.rerun(&office.bo, id).unwrap_err().code(), Code::WrongState);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn rerun(&self, caller: &Caller, id: RequestId) -> Result<Ticket, Error> {
        self.start(caller, id, Start::Again)
    }
}

impl Txn<'_> {
    /// What was approved, where another attempt at it can only do what the first should have done.
    pub(in crate::gate) fn repeatable(
        &mut self,
        header: &Header,
        failed: Failed,
    ) -> Result<Approved, Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let (_, here) = shelf.book.execution(header.environment_id, &header.runner);
        let everywhere = self.gate.parts.limits.attempts_max;
        let limit = here.map_or(everywhere, |here| here.min(everywhere));
        let done = u32::try_from(failed.ended.approved.done.len()).unwrap_or(u32::MAX);
        let failures = header.attempts.saturating_sub(done);
        if failures >= limit {
            return Err(refused(header, &format!("failed {failures} times"))
                .with_detail("failures", failures)
                .with_detail("attempts_max", limit));
        }
        let target = &failed.ended.target;
        failed.check_undone(header, self.revision(header)?.plan_at(target)?)?;
        // Whatever was recorded later than a run's end changed nothing then: here it does.
        for attempt in 1..=header.attempts {
            let revision = format!("{:010}", header.revision);
            let path = [&header.id.to_string(), &revision, &format!("{attempt:010}")];
            let run = self.get::<Run>(&path.map(String::as_str))?;
            let late = run.filter(|run| run.target == *target).and_then(|run| run.late);
            if matches!(late, Some(Outcome::Succeeded(_) | Outcome::Unknown(_))) {
                let what = format!("may have taken effect: attempt {attempt} said so too late");
                return Err(refused(header, &what));
            }
        }
        Ok(failed.ended.approved)
    }
}

fn refused(header: &Header, what: &str) -> Error {
    Error::new(Code::Refused, format!("`{}` {what}", header.id))
        .with_help("look at its runs and at the target; draft a new request for what is left to do")
}
