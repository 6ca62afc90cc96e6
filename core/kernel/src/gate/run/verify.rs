//! Reading in the target what became of a run. Nothing is run again.

use super::drive::word;
use super::start::check_plugin;
use crate::audit::Event;
use crate::authz::Execute;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::request::plan::{PlanLink, guarded};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, action};
use crate::runner::{Outcome, own};
use crate::workflow::Verb;

impl Gate {
    /// Asks the runner to read in the target what became of the latest run. An unknown outcome is
    /// resolved by it where the target can tell; a known one stays, with what was read beside it, so that
    /// a contradiction is seen.
    /// Returns the request and what was read. It takes the action `execute`.
    ///
    /// Fails with [`crate::error::Code::WrongState`] when no run of it ended, and with
    /// [`crate::error::Code::DigestMismatch`] when the plugin is not the one that was approved.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::request::StateName;
    /// use placet_core::runner::{Failure, Outcome};
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office, Seen};
    ///
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let gate = Gate::new(bench.parts);
    /// let office = Office::found(&gate)?;
    /// bench.runner.ends_with(Outcome::Unknown(Failure::new("timeout", "the answer was lost")));
    /// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
    /// let id = gate.drive(ticket, &Seen::default())?.header.id;
    ///
    /// let (request, read) = gate.verify(&office.bo, id)?; // the target says that it was done
    /// assert!(matches!(read, Outcome::Succeeded(_)));
    /// assert_eq!(request.state.name(), StateName::Succeeded);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn verify(&self, caller: &Caller, id: RequestId) -> Result<(Request, Outcome), Error> {
        let (header, job, plan) = self.consult(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            txn.ask::<Execute>(caller.user(), scope, &subject(id))?.spend_on(&scope)?;
            if own::is_own(&request.header.runner) {
                let sentence = format!("how `{id}` ended was recorded with what it did");
                return Err(Error::new(Code::WrongState, sentence)
                    .with_help("there is no target to read: look at the organisation"));
            }
            let Some(ended) = request.state.ended() else {
                return Err(request.wrong_state("verified"));
            };
            let revision = txn.revision(&request.header)?;
            revision.check_digests(&request.header)?;
            txn.check_granted(&request.header.runner)?;
            let plan = revision.plan_at(&ended.target)?.clone();
            let run = Some((ended.run, ended.attempt, ended.fence));
            let job = self.job(txn, &request.header, (&revision, &ended.target), run)?;
            Ok((request.header, job, plan))
        })?;
        check_plugin(&header, self.installed(&header.runner)?)?;
        let link = PlanLink::of_run(self, job.id);
        let read = guarded(|| Ok(self.parts.runner.verify(&job, &plan, &link)))?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            txn.ask::<Execute>(caller.user(), scope, &subject(id))?.spend_on(&scope)?;
            let from = Some(request.state.name());
            let same = request.state.ended().filter(|ended| ended.fence == job.id.fence);
            let Some(ended) = same.cloned() else {
                return Err(request.wrong_state("verified"));
            };
            if ended.is_resolved_by(&read) {
                txn.end_run(job.id, &read)?;
                txn.end_turn(&job.target, id, job.id.fence)?;
            }
            let mut header = request.header;
            let state = ended.read(&header, read.clone(), txn.now);
            txn.check_run_way(caller, &header, (Verb::Verify, state.name()), None)?;
            txn.arrive(&mut header, Verb::Verify, state.name())?;
            let (caller, comment) = (Some(caller), None);
            let note = Note { caller, verb: action::VERIFY, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let mut leaf = Self::request_leaf(txn, Event::RunVerified, caller, &request);
            leaf.run = Some(job.id.run);
            leaf.fence = Some(job.id.fence);
            leaf.outcome = Some(word(&read).to_owned());
            Ok(((request, read.clone()), leaf))
        })
    }
}
