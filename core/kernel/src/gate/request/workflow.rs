//! The way that a request takes through its workflow: looked up, checked, and written into its header.

use std::sync::Arc;

use serde_json::Value;

use super::plan::guarded;
use crate::error::{Code, Error};
use crate::gate::decide::not_found;
use crate::gate::find::subject;
use crate::gate::txn::Txn;
use crate::identity::Caller;
use crate::org::Name;
use crate::request::{Header, Request, StateName};
use crate::runner::own;
use crate::workflow::{Definition, FormFault, Requirement, StateCode, Transition, Verb};

impl Txn<'_> {
    /// The workflow that a request goes through, in the version that it started with.
    pub(in crate::gate) fn workflow(&mut self, header: &Header) -> Result<Arc<Definition>, Error> {
        if let Some(built_in) = Definition::built_in(header.workflow.as_str()) {
            return Ok(Arc::clone(built_in));
        }
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found(&subject(header.id)))?;
        let (name, version) = (&header.workflow, header.workflow_version);
        shelf.book.workflows.version(name, version).cloned().ok_or_else(|| {
            Error::new(
                Code::StoreDamaged,
                format!("version {version} of the workflow `{name}` is not stored"),
            )
            .with_help("restore the store from a backup")
        })
    }

    /// Takes the way that `verb` is from where the request is, and notes where it leads. The workflow only narrows:
    /// ask whether the caller may first, and let the typed state decide.
    ///
    /// Fails with [`Code::WrongState`] where the workflow has no such way from here, with [`Code::Refused`] for
    /// who lacks its roles or is no author where one is asked for, and with [`Code::InvalidInput`] without a
    /// comment where it takes one. What only one verb can look at (dependants, target, quorum, copy) that verb
    /// looks at.
    pub(in crate::gate) fn follow(
        &mut self,
        caller: &Caller,
        header: &mut Header,
        verb: Verb,
        comment: Option<&str>,
    ) -> Result<(), Error> {
        let way = self.way(caller, header, verb, comment)?;
        let workflow = self.workflow(header)?;
        let runs = |code: &StateCode| {
            let state = workflow.state(code);
            state.is_some_and(|state| state.phases.contains(&StateName::Executing))
        };
        // A run that looks like what was approved leads to its end once it got there.
        let is_start = matches!(verb, Verb::Execute | Verb::Rerun);
        if !(is_start && runs(&way.from) && !runs(&way.to)) {
            header.step = way.to;
        }
        self.taken = Some(way.action);
        Ok(())
    }

    /// The way that `verb` is from where the request is, for this caller. It fails as [`Self::follow`] does.
    pub(in crate::gate) fn way(
        &mut self,
        caller: &Caller,
        header: &Header,
        verb: Verb,
        comment: Option<&str>,
    ) -> Result<Transition, Error> {
        let workflow = self.workflow(header)?;
        let Some(way) = workflow.way(&header.step, verb) else {
            return Err(no_way(header, &workflow, &format!("a way to {verb} it")));
        };
        self.check_way(caller, header, way, comment)?;
        Ok(way.clone())
    }

    /// Refuses the caller a way that they may not take.
    pub(in crate::gate) fn check_way(
        &mut self,
        caller: &Caller,
        header: &Header,
        way: &Transition,
        comment: Option<&str>,
    ) -> Result<(), Error> {
        self.check_roles(caller, header, way)?;
        for requirement in &way.requires {
            match requirement {
                Requirement::Comment => {
                    self.gate.check_comment(comment.unwrap_or_default(), true)?;
                }
                Requirement::Author => header.check_is_author(caller.user())?,
                Requirement::Complete => self.check_complete(header)?,
                // Their verbs look at these: no other verb may require them.
                Requirement::NoDependants
                | Requirement::ValidTarget
                | Requirement::Quorum
                | Requirement::Copy => {}
            }
        }
        Ok(())
    }

    /// Refuses a payload that lacks what the form asks for; where there is none, one that says nothing.
    fn check_complete(&mut self, header: &Header) -> Result<(), Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found(&subject(header.id)))?;
        let workflow = self.workflow(header)?;
        let (form, of) = match &header.artifact {
            Some(version) => {
                let of = &version.artifact_type;
                (shelf.book.artifact_forms.get(of), of.to_string())
            }
            None => (workflow.form.as_ref(), workflow.name.to_string()),
        };
        let payload = self.revision(header)?.change.payload;
        let Some(form) = form else { return check_says_something(&payload) };
        let forms = &self.gate.parts.forms;
        let faults = guarded(|| forms.check_payload(form, &payload))?;
        let what = format!("the payload does not fit the form of `{of}`");
        FormFault::refuse(&faults, Code::InvalidPayload, &what)
    }

    /// Refuses a request whose workflow its environment does not take any more. Commands go through `change` always:
    /// else the project would be locked.
    pub(in crate::gate) fn check_workflow_allowed(&mut self, header: &Header) -> Result<(), Error> {
        if own::is_own(&header.runner) {
            return Ok(());
        }
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found(&subject(header.id)))?;
        shelf.book.check_allowed(header.environment_id, &header.workflow)
    }

    /// Refuses somebody who holds none of the roles that a way takes.
    pub(in crate::gate) fn check_roles(
        &mut self,
        caller: &Caller,
        header: &Header,
        way: &Transition,
    ) -> Result<(), Error> {
        if way.roles.is_empty() {
            return Ok(());
        }
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found(&subject(header.id)))?;
        let (user, now) = (caller.user(), self.now);
        let named = shelf.book.roles.values().filter(|role| way.roles.contains(&role.name));
        if named.into_iter().any(|role| shelf.holds_role(user, role.id, now).is_some()) {
            return Ok(());
        }
        let roles: Vec<&str> = way.roles.iter().map(Name::as_str).collect();
        Err(Error::new(
            Code::Refused,
            format!("`{}` takes one of the roles `{}` here", way.action, roles.join("`, `")),
        )
        .with_help("ask somebody who holds one, or an administrator of the project for it")
        .with_detail("action", &way.action)
        .with_detail("roles", roles.join(", ")))
    }

    /// Notes where a run took the request to. Success at one target of a batch takes it back to where the run was
    /// started: another state of the same phase may let people run it who may not there, or let nobody.
    pub(in crate::gate) fn arrive(
        &mut self,
        header: &mut Header,
        verb: Verb,
        phase: StateName,
    ) -> Result<(), Error> {
        let workflow = self.workflow(header)?;
        let arrival = if phase == StateName::Approved {
            let home = header.ran_from.as_ref().and_then(|step| workflow.state(step));
            let home = home.filter(|state| state.phases.contains(&phase));
            home.or_else(|| workflow.arrival(&header.step, verb, phase))
        } else {
            workflow.arrival(&header.step, verb, phase)
        };
        // As the workflow calls what the run did; `taken` already, where somebody was asked whether they may say it.
        let leads = |way: &&Transition| {
            way.verb == verb && arrival.is_some_and(|state| state.code == way.to)
        };
        if let Some(way) = workflow.ways_from(&header.step).find(leads) {
            self.taken = Some(way.action.clone());
        }
        let Some(state) = arrival else {
            return Err(Error::new(
                Code::Internal,
                format!("the workflow `{}` has no state for {phase}", header.workflow),
            ));
        };
        header.step = state.code.clone();
        Ok(())
    }

    /// Whether the caller may look after a run that is in `phase` then, where the workflow says who may: by the way
    /// that leads there, and not by another of the same verb.
    pub(in crate::gate) fn check_run_way(
        &mut self,
        caller: &Caller,
        header: &Header,
        (verb, phase): (Verb, StateName),
        comment: Option<&str>,
    ) -> Result<(), Error> {
        let workflow = self.workflow(header)?;
        // A target of a batch is done as the last of them is.
        let told = if phase == StateName::Approved { StateName::Succeeded } else { phase };
        let leads = |way: &&Transition| {
            let end = workflow.state(&way.to);
            way.verb == verb && end.is_some_and(|end| end.phases.contains(&told))
        };
        let way = workflow.ways_from(&header.step).find(leads);
        // Every workflow can end what it began: a verb that is not listed takes nothing more.
        match way.or_else(|| workflow.way(&header.step, verb)) {
            Some(way) => {
                self.check_way(caller, header, way, comment)?;
                self.taken = Some(way.action.clone());
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes the way of an edit. Answers whether what was sent back stays sent back, and is no draft again.
    pub(in crate::gate) fn edit_way(
        &mut self,
        header: &mut Header,
        phase: StateName,
    ) -> Result<bool, Error> {
        let workflow = self.workflow(header)?;
        let to = workflow.state(&header.step).and_then(|state| state.edit_to.clone());
        let Some(state) = to.as_ref().and_then(|code| workflow.state(code)) else {
            return Err(no_way(header, &workflow, "a way to edit it"));
        };
        header.step = state.code.clone();
        let is_draft = state.phases.contains(&StateName::Draft);
        Ok(phase == StateName::ChangesRequested && !is_draft)
    }

    /// Refuses to write a request whose state people see is not one of its phase: a verb forgot to take its way.
    pub(in crate::gate) fn check_step(&mut self, request: &Request) -> Result<(), Error> {
        let workflow = self.workflow(&request.header)?;
        let (step, phase) = (&request.header.step, request.state.name());
        if workflow.state(step).is_some_and(|state| state.phases.contains(&phase)) {
            return Ok(());
        }
        Err(Error::new(
            Code::Internal,
            format!("`{}` would be {phase} and look like {step}", request.header.id),
        ))
    }
}

/// Refuses a payload that says nothing at all.
fn check_says_something(payload: &str) -> Result<(), Error> {
    let says = serde_json::from_str::<Value>(payload).is_ok_and(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    });
    if says {
        return Ok(());
    }
    Err(Error::new(Code::InvalidPayload, "the payload says nothing")
        .with_help("write what it is about before you submit it"))
}

/// The refusal of a step that the workflow does not have where the request is.
fn no_way(header: &Header, workflow: &Definition, what: &str) -> Error {
    let ways: Vec<&str> = workflow.ways_from(&header.step).map(|way| way.action.as_str()).collect();
    let help = if ways.is_empty() {
        "this is an end; draft a new request".to_owned()
    } else {
        format!("from here lead: {}", ways.join(", "))
    };
    Error::new(
        Code::WrongState,
        format!(
            "`{}` is {}, and its workflow `{}` has no {what} there",
            header.id, header.step, workflow.name
        ),
    )
    .with_help(help)
    .with_detail("step", &header.step)
    .with_detail("workflow", format!("{}/{}", workflow.name, workflow.version))
}
