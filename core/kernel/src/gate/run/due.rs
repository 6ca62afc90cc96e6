//! Runs that the gate starts: of what enough people agreed to, where the environment says so.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::execute::Ticket;
use super::start::Start;
use crate::audit::Event;
use crate::authz::{Action, Answer, Reason};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::Note;
use crate::gate::txn::Txn;
use crate::id::{RequestId, UserId};
use crate::identity::Caller;
use crate::org::ExecutionMode;
use crate::request::{Approved, Header, Request, State, StateName, action};
use crate::store::Key;
use crate::store::records::{self, Record};
use crate::workflow::Verb;

/// Says that a request waits for the gate to run it. It is there as long as that is so.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Due {
    pub(crate) request: RequestId,
}

impl Record for Due {
    const KIND: &'static str = "due";

    fn path(&self) -> Vec<String> {
        vec![self.request.to_string()]
    }
}

impl Gate {
    /// Starts the run of one request that is due, or nothing where none is. A request is due when enough people
    /// agreed to it and its environment has [`ExecutionMode::Automatic`] for its runner. Call it now and then, and
    /// again until there is nothing; hand each ticket to [`Self::drive`].
    ///
    /// It goes the way of [`Self::execute`], with all that is judged and compared there, on behalf of somebody who may
    /// execute: who asked, else who approved last. Where neither may, and where it is refused, it is not run: the request
    /// stays `APPROVED` with the reason in its history, and waits for a person. A target that is busy, and a runner that
    /// is not installed here, is asked again once the others had their turn: a call goes on where the last one stopped.
    ///
    /// When one cannot be started, the others are all the same. Then the first such error is returned once nothing else
    /// is due.
    ///
    /// ```
    /// use placet_core::org::ExecutionMode;
    /// use placet_core::org::command::SetExecution;
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (project, environment, mode) = (office.project, office.environment, ExecutionMode::Automatic);
    /// let rule = SetExecution { project, environment, runner: None, mode, attempts_max: None };
    /// gate.manage(&office.root, &rule)?;
    /// assert!(gate.run_due()?.is_none());
    ///
    /// let id = office.approved(&gate)?.header.id;
    /// while let Some(ticket) = gate.run_due()? {
    ///     let request = gate.drive(ticket, &Seen::default())?;
    ///     assert_eq!((request.header.id, request.state.name().as_str()), (id, "SUCCEEDED"));
    /// }
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn run_due(&self) -> Result<Option<Ticket>, Error> {
        let last = || self.due_after.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, mut first_error) = (last().clone(), None);
        // From where the last call stopped to the end, and then what is before: whatever is busy is asked once a round.
        let rest = self.next_due(begun.clone(), None, &mut first_error)?;
        let found = match (rest, &begun) {
            (None, Some(until)) => self.next_due(None, Some(until), &mut first_error)?,
            (found, _) => found,
        };
        if let Some((key, ticket)) = found {
            *last() = Some(key);
            return Ok(Some(ticket));
        }
        *last() = None;
        first_error.map_or(Ok(None), Err)
    }

    /// Starts the first request that is due and can be started, of those after `after` and up to `until`.
    fn next_due(
        &self,
        mut after: Option<Key>,
        until: Option<&Key>,
        first_error: &mut Option<Error>,
    ) -> Result<Option<(Key, Ticket)>, Error> {
        let prefix = records::key_of::<Due>(&[]);
        let page = self.parts.limits.page_rows_max.max(1);
        loop {
            let found = self.parts.store.scan(&prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                if until.is_some_and(|until| key > *until) {
                    return Ok(None);
                }
                let due = records::decode::<Due>(&key, &stored.value);
                match due.and_then(|due| self.start_due(due.request)) {
                    Ok(Some(ticket)) => return Ok(Some((key, ticket))),
                    Ok(None) => {}
                    Err(error) => {
                        let _first = first_error.get_or_insert(error);
                    }
                }
                after = Some(key);
            }
            if !full {
                return Ok(None);
            }
        }
    }

    fn start_due(&self, id: RequestId) -> Result<Option<Ticket>, Error> {
        let found = self.consult(|txn| {
            let request = txn.request(id)?;
            let State::Approved(approved) = &request.state else { return Ok(None) };
            if !approved.is_automatic {
                return Ok(None);
            }
            let deciding = txn.deciding_set()?;
            txn.check_is_ready(deciding)?;
            let workflow = txn.workflow(&request.header)?;
            if workflow.way(&request.header.step, Verb::Execute).is_none() {
                // It is passed on first.
                return Ok(None);
            }
            let (by, approved) = (txn.on_behalf_of(&request)?, approved.clone());
            Ok(Some((request.header.runner, by, approved)))
        })?;
        let Some((runner, by, approved)) = found else { return Ok(None) };
        // Another node may have it.
        if self.installed(&runner)?.is_none() {
            return Ok(None);
        }
        let Some(user) = by else {
            let why =
                Error::new(Code::Denied, "neither who asked nor who approved last may execute");
            return self.hold_back(id, &approved, &why).map(|()| None);
        };
        let caller = Caller::authenticated(user).via("automatic".parse()?);
        match self.start(&caller, id, Start::Due) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(error) if matches!(error.code(), Code::TargetBusy | Code::WrongState) => Ok(None),
            Err(error) if is_for_good(error.code()) => {
                self.hold_back(id, &approved, &error).map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Leaves it to people to run what was approved so, and says why. What was approved anew meanwhile is another thing.
    fn hold_back(&self, id: RequestId, tried: &Approved, why: &Error) -> Result<(), Error> {
        let reason = why.to_string();
        self.attempt(|txn| {
            let mut request = txn.request(id)?;
            let State::Approved(approved) = &mut request.state else { return Ok(((), None)) };
            if approved != tried {
                return Ok(((), None));
            }
            approved.is_automatic = false;
            let (from, comment) = (Some(StateName::Approved), Some(reason.as_str()));
            let note = Note { caller: None, verb: action::HOLD_BACK, from, comment };
            let request = txn.save(request, &note)?;
            let mut leaf = Self::request_leaf(txn, Event::RunHeldBack, None, &request);
            leaf.facts.insert("because".to_owned(), why.code().as_str().to_owned());
            Ok(((), Some(leaf)))
        })
    }
}

/// Whether an error stays until somebody does something: to try again would only tell it again.
const fn is_for_good(code: Code) -> bool {
    matches!(
        code,
        Code::Denied
            | Code::Refused
            | Code::Blocked
            | Code::DigestMismatch
            | Code::UnknownTarget
            | Code::UnsoundWorkflow
            | Code::QuorumUnsatisfiable
            | Code::ArtifactNotApproved
            | Code::PluginNotGranted
            | Code::InvalidInput
            | Code::InvalidPayload
            | Code::TooLarge
            | Code::InUse
    )
}

impl Request {
    /// Whether the gate starts its next run.
    pub(crate) const fn is_due(&self) -> bool {
        matches!(&self.state, State::Approved(approved) if approved.is_automatic)
    }
}

impl Txn<'_> {
    /// Whether the gate starts the runs of what is approved now.
    pub(in crate::gate) fn is_automatic(&mut self, header: &Header) -> Result<bool, Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let (mode, _) = shelf.book.execution(header.environment_id, &header.runner);
        Ok(mode == ExecutionMode::Automatic)
    }

    /// Keeps the row that says that a request is due as the request says it. `was` is what is stored.
    pub(in crate::gate) fn keep_due(
        &mut self,
        was: Option<&Request>,
        request: &Request,
    ) -> Result<(), Error> {
        let due = Due { request: request.header.id };
        match (was.is_some_and(Request::is_due), request.is_due()) {
            (false, true) => self.put(&due),
            (true, false) => self.remove(&due),
            (true, true) | (false, false) => Ok(()),
        }
    }

    /// Who may execute a request that is due: who asked, else who approved last.
    fn on_behalf_of(&mut self, request: &Request) -> Result<Option<UserId>, Error> {
        let State::Approved(approved) = &request.state else { return Ok(None) };
        let (scope, about) = (request.header.scope(), self.about(&request.header)?);
        let last = approved.approvals.last().map(|approval| approval.user);
        for user in [Some(request.header.requester), last].into_iter().flatten() {
            // An approver whom the quorum keeps from the run is not the one.
            let is_kept_away = approved.check_executor(&request.header, user).is_err();
            if is_kept_away {
                continue;
            }
            // As the start asks: one whom a policy keeps from such a plan is not the one either.
            if let Answer::Denied(denial) =
                self.quietly_about(user, &Action::EXECUTE, scope, &about)?
            {
                if denial.reasons.iter().any(Reason::is_a_doubt) {
                    let sentence = format!("nobody can tell whether `{user}` may execute there");
                    return Err(Error::new(Code::WrongState, sentence)
                        .with_help("repair what keeps the policies from deciding")
                        .with_detail("reason", denial.codes().join(", ")));
                }
                continue;
            }
            let caller = Caller::authenticated(user);
            match self.way(&caller, &request.header, Verb::Execute, None) {
                Ok(_) => return Ok(Some(user)),
                // The workflow keeps them from it.
                Err(error) if matches!(error.code(), Code::Refused | Code::InvalidInput) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
