//! Asking for a command that needs approval itself.

use crate::audit::Event;
use crate::authz::{Administer, Manage, Scope, Submit};
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::request::draft::{Beginning, NewRequest, not_proposed};
use crate::gate::txn::Txn;
use crate::id::UserId;
use crate::identity::Caller;
use crate::org::command::OrgCommand;
use crate::request::{Change, Header, Request, action};
use crate::runner::own;
use crate::workflow::Definition;

impl Gate {
    /// Writes a request for a command of the organisation, in state `DRAFT`, where that needs approval: it is
    /// reviewed as any other request in the module and environment that the governance names. It takes the right to
    /// carry the command out, and the action `request` there.
    ///
    /// Submit it as any other. [`Self::execute`] carries it out in the one commit that records the run, and takes
    /// the right to carry it out from whoever runs it, and still from its authors; the command's own rules count
    /// as they are at that moment, and one that refuses ends the run as failed. Nobody who wrote, approved or runs it
    /// gains by it what they could not give to themselves.
    ///
    /// Fails with [`crate::error::Code::Refused`] for a command that needs no approval, and with what its rules
    /// refuse now.
    ///
    /// ```
    /// use std::collections::BTreeSet;
    /// use placet_core::org::command::{CommandKind, CreateTeam, OrgCommand, SetGovernance};
    /// use placet_core::request::StateName;
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// office.let_all_manage(&gate)?;
    /// let (project, module, environment) = (office.project, office.module, office.environment);
    /// let commands = BTreeSet::from([CommandKind::CreateTeam]);
    /// gate.manage(&office.root, &SetGovernance { project, module, environment, commands })?;
    ///
    /// let team = OrgCommand::from(CreateTeam { project, name: "Storage".parse()? });
    /// let id = gate.propose(&office.ana, &team, "a team for storage")?.header.id;
    /// let asked = gate.submit(&office.ana, id)?.header;
    /// gate.approve(&office.bo, id, asked.change_digest()?, None)?;
    /// let done = gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    /// assert_eq!(done.state.name(), StateName::Succeeded);
    /// assert_eq!(gate.organisation(&office.root, project)?.teams.len(), 2);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn propose(
        &self,
        caller: &Caller,
        command: &OrgCommand,
        title: &str,
    ) -> Result<Request, Error> {
        let payload = command.to_payload()?;
        let change =
            Change { runner: own::name()?, target: own::target()?, then: Vec::new(), payload };
        self.transact(|txn| {
            let user = caller.user();
            txn.ask_to_command(user, command)?;
            let governance = txn.reviewed_in(command)?;
            let scope = governance.scope();
            let what = format!("place where `{}` is reviewed", command.kind());
            txn.ask::<Submit>(user, scope, &what)?.spend_on(&scope)?;
            self.check_change(txn, title, &change)?;
            // What its rules refuse now is better told now than after it was agreed to.
            txn.rehearse(command, user)?;
            let new = NewRequest {
                project: governance.project_id,
                module: governance.module_id,
                environment: governance.environment_id,
                title: title.to_owned(),
                change: change.clone(),
            };
            let workflow = Definition::change();
            let begins = Beginning {
                workflow: &workflow.name,
                action: action::DRAFT,
                event: Event::RequestDrafted,
            };
            let header = self.new_header(txn, caller, &new, &workflow)?;
            let (request, mut leaf) =
                Self::write_draft(txn, caller, (header, change.clone()), &begins)?;
            leaf.facts.insert("command".to_owned(), command.kind().to_string());
            Ok((request, leaf))
        })
    }
}

impl Txn<'_> {
    /// Refuses another text of a request for a command that is not one itself, or that is reviewed elsewhere.
    pub(in crate::gate) fn check_is_proposal(
        &mut self,
        author: UserId,
        header: &Header,
        change: &Change,
    ) -> Result<(), Error> {
        let is_one = [&header.runner, &change.runner].into_iter().all(own::is_own);
        // One target: of a batch each run would carry it out again.
        if !is_one || change.target != header.target || !change.then.is_empty() {
            return Err(not_proposed());
        }
        let command = OrgCommand::from_payload(&change.payload)?;
        self.ask_to_command(author, &command)?;
        self.check_reviewed_here(&command, header)?;
        self.rehearse(&command, author)
    }

    /// Asks whether `user` may carry `command` out.
    pub(in crate::gate) fn ask_to_command(
        &mut self,
        user: UserId,
        command: &OrgCommand,
    ) -> Result<(), Error> {
        match command.project() {
            None => {
                let permit = self.ask::<Administer>(user, Scope::Platform, "platform")?;
                permit.spend_on(&Scope::Platform).map(drop)
            }
            Some(project) => {
                let scope = Scope::project(project);
                let permit = self.ask::<Manage>(user, scope, &format!("project `{project}`"))?;
                permit.spend_on(&scope).map(drop)
            }
        }
    }
}
