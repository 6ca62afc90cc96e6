//! A command, done: what it names is looked up, and the gate decides.

use placet::authz::PermissionContext;
use placet::clock::Timestamp;
use placet::error::{Code, Error};
use placet::identity::Caller;
use placet::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreateEnvironment, CreateModule, CreateProject,
    CreateRole, CreateTeam, CreateUser, DisallowRole, EndGrant, EndMembership, GrantGlobalRole,
    RemoveEnvironment, RemoveModule, RemovePermission, RemoveRole, RemoveTeam, RenameProject,
    RenameTeam, RetentionClass, RevokeGlobalRole, SetExecution, SetPromotion, SetQuorum,
    SetRetention, SetUserActive, UnassignModule, UpdateEnvironment, UpdateModule,
};
use placet::org::{ExecutionMode, Interval};
use placet::request::Quorum;
use placet::{Gate, Organisation};

use super::command::{Kept, OrgCommand};
use super::running;
use crate::names::{Named as _, Names};

/// Does one command. What it made is answered by its id.
pub(crate) fn perform(
    gate: &Gate,
    caller: &Caller,
    command: OrgCommand,
) -> Result<Option<String>, Error> {
    let desk = Desk { gate, caller, names: Names::new(gate, caller) };
    desk.platform(command)
}

struct Desk<'a> {
    gate: &'a Gate,
    caller: &'a Caller,
    names: Names<'a>,
}

/// A command that makes nothing with an id.
fn done((): ()) -> Option<String> {
    None
}

/// The id of what was made.
#[expect(clippy::unnecessary_wraps, reason = "the counterpart of `done`")]
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over an id")]
fn made(id: impl ToString) -> Option<String> {
    Some(id.to_string())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function takes some of the commands; the last one takes what is left, one by one"
)]
impl Desk<'_> {
    fn platform(&self, command: OrgCommand) -> Result<Option<String>, Error> {
        let (gate, caller) = (self.gate, self.caller);
        match command {
            OrgCommand::CreateUser { email, name: display_name, kind } => {
                gate.administer(caller, &CreateUser { kind, email, display_name }).map(made)
            }
            OrgCommand::SetUserActive { user, active } => {
                let user = self.names.user(&user)?;
                gate.administer(caller, &SetUserActive { user, active }).map(done)
            }
            OrgCommand::CreateProject { code, name } => {
                gate.administer(caller, &CreateProject { code, name }).map(made)
            }
            OrgCommand::RenameProject { project, name } => {
                let project = self.names.project(&project)?;
                gate.administer(caller, &RenameProject { project, name }).map(done)
            }
            OrgCommand::GrantGlobalRole { user, role } => {
                let user = self.names.user(&user)?;
                gate.administer(caller, &GrantGlobalRole { user, role }).map(done)
            }
            OrgCommand::RevokeGlobalRole { user, role } => {
                let user = self.names.user(&user)?;
                gate.administer(caller, &RevokeGlobalRole { user, role }).map(done)
            }
            OrgCommand::SetRetention { class, keep_days } => {
                let class = match class {
                    Kept::Content => RetentionClass::Content,
                    Kept::Comment => RetentionClass::Comment,
                };
                gate.administer(caller, &SetRetention { class, keep_days }).map(done)
            }
            other => self.places(other),
        }
    }

    fn places(&self, command: OrgCommand) -> Result<Option<String>, Error> {
        let (gate, caller) = (self.gate, self.caller);
        match command {
            OrgCommand::CreateEnvironment { project, code, name, priority, criticality } => {
                let project = self.names.project(&project)?;
                let new = CreateEnvironment { project, code, name, priority, criticality };
                gate.manage(caller, &new).map(made)
            }
            OrgCommand::UpdateEnvironment { project, environment, name, priority, criticality } => {
                let (project, environment) =
                    self.of(&project, |shop| shop.environment_id(&environment))?;
                let row = UpdateEnvironment { project, environment, name, priority, criticality };
                gate.manage(caller, &row).map(done)
            }
            OrgCommand::RemoveEnvironment { project, environment } => {
                let (project, environment) =
                    self.of(&project, |shop| shop.environment_id(&environment))?;
                gate.manage(caller, &RemoveEnvironment { project, environment }).map(done)
            }
            OrgCommand::SetQuorum { project, environment, people, role } => {
                let (project, (environment, role)) = self.of(&project, |shop| {
                    let role = role.as_deref().map(|role| shop.role_id(role)).transpose()?;
                    Ok((shop.environment_id(&environment)?, role))
                })?;
                let quorum = Quorum::n_of(people, role)?;
                gate.manage(caller, &SetQuorum { project, environment, quorum }).map(done)
            }
            OrgCommand::SetPromotion(asked) => {
                let running::SetPromotion { project, environment, from, soak_ms, only_promoted } =
                    asked;
                let (project, (environment, from)) = self.of(&project, |shop| {
                    Ok((shop.environment_id(&environment)?, shop.environment_id(&from)?))
                })?;
                let rule = SetPromotion { project, environment, from, soak_ms, only_promoted };
                gate.manage(caller, &rule).map(done)
            }
            OrgCommand::SetExecution(asked) => {
                let running::SetExecution { project, environment, runner, automatic, attempts_max } =
                    asked;
                let (project, environment) =
                    self.of(&project, |shop| shop.environment_id(&environment))?;
                let mode = if automatic { ExecutionMode::Automatic } else { ExecutionMode::Manual };
                let rule = SetExecution { project, environment, runner, mode, attempts_max };
                gate.manage(caller, &rule).map(done)
            }
            OrgCommand::CreateModule { project, code, name } => {
                let project = self.names.project(&project)?;
                gate.manage(caller, &CreateModule { project, code, name }).map(made)
            }
            OrgCommand::UpdateModule { project, module, name } => {
                let (project, module) = self.of(&project, |shop| shop.module_id(&module))?;
                gate.manage(caller, &UpdateModule { project, module, name }).map(done)
            }
            OrgCommand::RemoveModule { project, module } => {
                let (project, module) = self.of(&project, |shop| shop.module_id(&module))?;
                gate.manage(caller, &RemoveModule { project, module }).map(done)
            }
            other => self.teams(other),
        }
    }

    fn teams(&self, command: OrgCommand) -> Result<Option<String>, Error> {
        let (gate, caller) = (self.gate, self.caller);
        match command {
            OrgCommand::CreateTeam { project, name } => {
                let project = self.names.project(&project)?;
                gate.manage(caller, &CreateTeam { project, name }).map(made)
            }
            OrgCommand::RenameTeam { project, team, name } => {
                let (project, team) = self.of(&project, |shop| shop.team_id(&team))?;
                gate.manage(caller, &RenameTeam { project, team, name }).map(done)
            }
            OrgCommand::RemoveTeam { project, team } => {
                let (project, team) = self.of(&project, |shop| shop.team_id(&team))?;
                gate.manage(caller, &RemoveTeam { project, team }).map(done)
            }
            OrgCommand::AssignModule { project, team, module } => {
                let (project, (team, module)) =
                    self.of(&project, |shop| Ok((shop.team_id(&team)?, shop.module_id(&module)?)))?;
                gate.manage(caller, &AssignModule { project, team, module }).map(done)
            }
            OrgCommand::UnassignModule { project, team, module } => {
                let (project, (team, module)) =
                    self.of(&project, |shop| Ok((shop.team_id(&team)?, shop.module_id(&module)?)))?;
                gate.manage(caller, &UnassignModule { project, team, module }).map(done)
            }
            OrgCommand::AddMember { project, team, user, role, from, until } => {
                let (project, team) = self.of(&project, |shop| shop.team_id(&team))?;
                let (user, valid) = (self.names.user(&user)?, self.span(from, until)?);
                gate.manage(caller, &AddMember { project, team, user, role, valid }).map(made)
            }
            OrgCommand::EndMembership { project, membership, at } => {
                let project = self.names.project(&project)?;
                gate.manage(caller, &EndMembership { project, membership, at }).map(done)
            }
            other => self.rights(other),
        }
    }

    fn rights(&self, command: OrgCommand) -> Result<Option<String>, Error> {
        let (gate, caller) = (self.gate, self.caller);
        match command {
            OrgCommand::CreateRole { project, name } => {
                let project = self.names.project(&project)?;
                gate.manage(caller, &CreateRole { project, name }).map(made)
            }
            OrgCommand::RemoveRole { project, role } => {
                let (project, role) = self.of(&project, |shop| shop.role_id(&role))?;
                gate.manage(caller, &RemoveRole { project, role }).map(done)
            }
            OrgCommand::CreatePermission { permission } => {
                let PermissionContext::Project(code) = permission.context() else {
                    let sentence = format!("`{permission}` is not a permission of a project");
                    return Err(Error::new(Code::InvalidInput, sentence)
                        .with_help("write the project's code as its first part"));
                };
                let shop = self.names.organisation(code.as_str())?;
                gate.manage(caller, &shop.create_permission(&permission)?).map(made)
            }
            OrgCommand::RemovePermission { project, permission } => {
                let (project, permission) =
                    self.of(&project, |shop| shop.permission_id(&permission))?;
                gate.manage(caller, &RemovePermission { project, permission }).map(done)
            }
            OrgCommand::AllowRole { project, role, permission } => {
                let (project, (role, permission)) = self.of(&project, |shop| {
                    Ok((shop.role_id(&role)?, shop.permission_id(&permission)?))
                })?;
                gate.manage(caller, &AllowRole { project, role, permission }).map(done)
            }
            OrgCommand::DisallowRole { project, role, permission } => {
                let (project, (role, permission)) = self.of(&project, |shop| {
                    Ok((shop.role_id(&role)?, shop.permission_id(&permission)?))
                })?;
                gate.manage(caller, &DisallowRole { project, role, permission }).map(done)
            }
            OrgCommand::AssignRole { project, user, role, from, until } => {
                let (project, role) = self.of(&project, |shop| shop.role_id(&role))?;
                let (user, valid) = (self.names.user(&user)?, self.span(from, until)?);
                gate.manage(caller, &AssignRole { project, user, role, valid }).map(made)
            }
            OrgCommand::EndGrant { project, grant, at } => {
                let project = self.names.project(&project)?;
                gate.manage(caller, &EndGrant { project, grant, at }).map(done)
            }
            _ => Err(Error::new(Code::Internal, "this command has no place")),
        }
    }

    /// The project's id, and what `pick` finds in its organisation.
    fn of<T>(
        &self,
        project: &str,
        pick: impl FnOnce(&Organisation) -> Result<T, Error>,
    ) -> Result<(placet::id::ProjectId, T), Error> {
        let shop = self.names.organisation(project)?;
        Ok((shop.project.id, pick(&shop)?))
    }

    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Interval, Error> {
        Interval::new(from.unwrap_or_else(|| self.gate.now()), until)
    }
}
