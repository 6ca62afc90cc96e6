//! Commands that need approval themselves: who is stopped, where they are reviewed, and the way out.

use serde::{Deserialize, Serialize};

use super::administer::{PlatformCommand, PlatformDesk};
use super::room::{GOVERNANCE_BYTES, check_room};
use crate::audit::Event;
use crate::authz::{Action, Audit, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::request::draft::NewRequest;
use crate::gate::txn::Txn;
use crate::id::{ProjectId, UserId};
use crate::identity::Caller;
use crate::org::command::{CommandKind, OrgCommand, SetPlatformGovernance, check_level};
use crate::org::{Governance, UserKind};
use crate::request::Change;
use crate::runner::{Plan, own};
use crate::store::records::Record;
use crate::workflow::Definition;

/// The governance of the platform.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PlatformGovernance(pub(super) Governance);

impl Record for PlatformGovernance {
    const KIND: &'static str = "governance";

    fn path(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Gate {
    /// Which commands of the platform need approval themselves. For PLATFORM_ADMIN and AUDITOR. That of a project
    /// stands in [`crate::gate::Organisation::governance`].
    ///
    /// Fails with [`Code::Denied`] for everybody else.
    ///
    /// ```
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// assert!(gate.platform_governance(&office.root)?.is_none());
    /// assert!(gate.platform_governance(&office.ana).is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn platform_governance(&self, caller: &Caller) -> Result<Option<Governance>, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "platform")?;
            permit.spend_on(&Scope::Platform)?;
            txn.platform_governance()
        })
    }
}

impl Txn<'_> {
    pub(in crate::gate) fn platform_governance(&mut self) -> Result<Option<Governance>, Error> {
        Ok(self.get::<PlatformGovernance>(&[])?.map(|row| row.0))
    }

    /// The governance that asks for approval of commands of that kind; of `project`, or of the platform.
    fn governing(
        &mut self,
        kind: CommandKind,
        project: Option<ProjectId>,
    ) -> Result<Option<Governance>, Error> {
        let governance = match project {
            None => self.platform_governance()?,
            Some(project) => self.shelf(project)?.and_then(|shelf| shelf.book.governance.clone()),
        };
        Ok(governance.filter(|governance| governance.governs(kind)))
    }

    /// Refuses a command that needs approval, whoever calls.
    pub(in crate::gate) fn check_needs_no_approval(
        &mut self,
        kind: CommandKind,
        project: Option<ProjectId>,
    ) -> Result<(), Error> {
        match self.governing(kind, project)? {
            None => Ok(()),
            Some(governance) => Err(Error::new(
                Code::ApprovalRequired,
                format!("`{kind}` needs approval here, and nobody does it alone"),
            )
            .with_help("propose it: it becomes a request that others approve")
            .with_detail("command", kind)
            .with_detail("reviewed_in", governance.scope())),
        }
    }

    /// Where `command` is reviewed.
    pub(in crate::gate) fn reviewed_in(
        &mut self,
        command: &OrgCommand,
    ) -> Result<Governance, Error> {
        self.governing(command.kind(), command.project())?.ok_or_else(|| {
            Error::new(Code::Refused, format!("nothing asks for approval of `{}`", command.kind()))
                .with_help("carry it out: it takes the right to, and no request")
        })
    }

    /// Whether a removed module or environment is one that commands are reviewed in.
    pub(in crate::gate) fn is_reviewed_in(
        &mut self,
        project: ProjectId,
        removed: &str,
    ) -> Result<bool, Error> {
        let own = self.shelf(project)?.and_then(|shelf| shelf.book.governance.clone());
        let found = [own, self.platform_governance()?];
        Ok(found.iter().flatten().any(|row| {
            row.module_id.to_string() == removed || row.environment_id.to_string() == removed
        }))
    }

    /// Refuses that `own` becomes the governance of `project`, where the platform rests on another.
    pub(in crate::gate) fn check_still_guards(
        &mut self,
        project: ProjectId,
        own: Option<&Governance>,
    ) -> Result<(), Error> {
        match self.platform_governance()? {
            Some(platform) if platform.project_id == project => check_guards(&platform, own),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses a governance that nobody could act under now: somebody must be able to propose, enough others to
    /// approve, and somebody to run it. `rule` is what its commands take.
    pub(in crate::gate) fn check_can_be_changed(
        &mut self,
        governance: &Governance,
        rule: &Action,
    ) -> Result<(), Error> {
        let (project, scope) = (governance.project_id, governance.scope());
        let shelf = self.shelf(project)?.ok_or_else(|| not_found("project"))?;
        let level = if *rule == Action::MANAGE { Scope::project(project) } else { Scope::Platform };
        let users: Vec<UserId> = shelf.granted_users().collect();
        let locked = |why: &str| {
            Error::new(Code::QuorumUnsatisfiable, format!("nobody could change it again: {why}"))
                .with_help(
                    "somebody needs `request`, enough others `approve` and somebody `execute` where it is \
                     reviewed, the first and the last with the right to carry such commands out",
                )
        };
        let mut rulers = Vec::new();
        for user in users {
            if self.quietly(user, rule, level)?.is_allowed() {
                rulers.push(user);
            }
        }
        let mut runs = false;
        for user in &rulers {
            runs = runs || self.quietly(*user, &Action::EXECUTE, scope)?.is_allowed();
        }
        if !runs {
            return Err(locked("nobody could run such a request"));
        }
        let mut why = locked("nobody could propose such a request");
        let plan = Plan::new(vec![own::step("null")?], Vec::new());
        for user in rulers {
            if !self.quietly(user, &Action::REQUEST, scope)?.is_allowed() {
                continue;
            }
            let header = self.imagined(governance, user)?;
            let enough = self.quorum_for(&header, &[&plan]).and_then(|(quorum, _)| {
                self.check_satisfiable(&header, &quorum)?;
                check_room(&header, &quorum, GOVERNANCE_BYTES)
            });
            match enough {
                Ok(()) => return Ok(()),
                Err(error)
                    if matches!(error.code(), Code::QuorumUnsatisfiable | Code::TooLarge) =>
                {
                    why = locked(&error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Err(why)
    }

    /// The request that `user` would propose.
    fn imagined(
        &self,
        governance: &Governance,
        user: UserId,
    ) -> Result<crate::request::Header, Error> {
        let Governance { project_id, module_id, environment_id, .. } = *governance;
        let payload = "null";
        let change = Change {
            runner: own::name()?,
            target: own::target()?,
            then: Vec::new(),
            payload: payload.to_owned(),
        };
        let new = NewRequest {
            project: project_id,
            module: module_id,
            environment: environment_id,
            title: String::new(),
            change,
        };
        let id = crate::id::RequestId::from_u128(0);
        let (author, nonce) = ((user, UserKind::Person), Digest::of(payload.as_bytes()));
        Ok(new.header(id, &Definition::change(), author, (nonce, self.now)))
    }
}

impl PlatformCommand for SetPlatformGovernance {
    type Output = ();
    const EVENT: Event = Event::PlatformGovernanceSet;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        check_level(&self.commands, false)?;
        let words: Vec<&str> = self.commands.iter().map(|kind| kind.as_str()).collect();
        desk.note("commands", &words.join(" "));
        desk.note("project", &self.project);
        let (project, txn) = (self.project, desk.txn());
        let missing = || not_found(&format!("project `{project}`"));
        let shelf = txn.shelf(project)?.ok_or_else(missing)?;
        let row = Governance {
            project_id: project,
            module_id: shelf.book.module(self.module)?.id,
            environment_id: shelf.book.environment(self.environment)?.id,
            commands: self.commands.clone(),
        };
        if row.commands.is_empty() {
            return match txn.platform_governance()? {
                None => Ok(()),
                Some(there) => txn.remove(&PlatformGovernance(there)),
            };
        }
        check_guards(&row, shelf.book.governance.as_ref())?;
        txn.check_can_be_changed(&row, &Action::ADMINISTER)?;
        txn.put(&PlatformGovernance(row))
    }
}

/// Refuses a governance of the platform unless the project in which it is reviewed governs its own rights, and has
/// them reviewed in the same place: where that took fewer people, they could name the approvers of the platform.
fn check_guards(platform: &Governance, own: Option<&Governance>) -> Result<(), Error> {
    let project = platform.project_id;
    let refused = |sentence: String| {
        Error::new(Code::Refused, sentence).with_help(
            "let that project govern all of `CommandKind::RIGHTS`, reviewed in the same module and environment; to \
             loosen or to move it, take the governance of the platform away first",
        )
    };
    let open = CommandKind::RIGHTS.iter().find(|kind| !own.is_some_and(|own| own.governs(**kind)));
    if let Some(kind) = open {
        return Err(refused(format!(
            "whoever manages project `{project}` would do `{kind}` alone, and so could make the approvers of the platform"
        )));
    }
    if own.is_some_and(|own| own.scope() != platform.scope()) {
        return Err(refused(format!(
            "the rights of project `{project}` would be reviewed elsewhere than the platform, maybe by fewer"
        )));
    }
    Ok(())
}
