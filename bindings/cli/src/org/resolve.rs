//! A command in words becomes one of the kernel: what it names is looked up.

use placet::Gate;
use placet::Organisation;
use placet::authz::PermissionContext;
use placet::clock::Timestamp;
use placet::error::{Code, Error};
use placet::id::ProjectId;
use placet::identity::Caller;
use placet::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreateEnvironment, CreateModule, CreateProject,
    CreateRole, CreateTeam, CreateUser, DisallowRole, EndGrant, EndMembership, GrantGlobalRole,
    OrgCommand as Resolved, RemoveEnvironment, RemoveModule, RemovePermission, RemoveRole,
    RemoveTeam, RenameProject, RenameTeam, RetentionClass, RevokeGlobalRole, RevokePluginGrant,
    SetExecution, SetPromotion, SetQuorum, SetRetention, SetUserActive, UnassignModule,
    UpdateEnvironment, UpdateModule,
};
use placet::org::{ExecutionMode, Interval};
use placet::request::Quorum;

use super::command::OrgCommand;
use super::running;
use super::words::Kept;
use crate::names::{Named as _, Names};

/// The command of the kernel. Nothing is done yet.
pub(super) fn resolve(
    gate: &Gate,
    caller: &Caller,
    command: OrgCommand,
) -> Result<Resolved, Error> {
    Desk { gate, names: Names::new(gate, caller) }.platform(command)
}

struct Desk<'a> {
    gate: &'a Gate,
    names: Names<'a>,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function takes some of the commands; the last one takes what is left, one by one"
)]
impl Desk<'_> {
    fn platform(&self, command: OrgCommand) -> Result<Resolved, Error> {
        match command {
            OrgCommand::CreateUser { email, name: display_name, kind } => {
                Ok(CreateUser { kind, email, display_name }.into())
            }
            OrgCommand::SetUserActive { user, active } => {
                let user = self.names.user(&user)?;
                Ok(SetUserActive { user, active }.into())
            }
            OrgCommand::CreateProject { code, name } => Ok(CreateProject { code, name }.into()),
            OrgCommand::RenameProject { project, name } => {
                let project = self.names.project(&project)?;
                Ok(RenameProject { project, name }.into())
            }
            OrgCommand::GrantGlobalRole { user, role } => {
                let user = self.names.user(&user)?;
                Ok(GrantGlobalRole { user, role }.into())
            }
            OrgCommand::RevokeGlobalRole { user, role } => {
                let user = self.names.user(&user)?;
                Ok(RevokeGlobalRole { user, role }.into())
            }
            OrgCommand::SetRetention { class, keep_days } => {
                let class = match class {
                    Kept::Content => RetentionClass::Content,
                    Kept::Comment => RetentionClass::Comment,
                };
                Ok(SetRetention { class, keep_days }.into())
            }
            OrgCommand::GrantPlugin(asked) => Ok(asked.resolve()?.into()),
            OrgCommand::RevokePluginGrant { runner } => Ok(RevokePluginGrant { runner }.into()),
            other => self.places(other),
        }
    }

    fn places(&self, command: OrgCommand) -> Result<Resolved, Error> {
        match command {
            OrgCommand::CreateEnvironment { project, code, name, priority, criticality } => {
                let project = self.names.project(&project)?;
                let new = CreateEnvironment { project, code, name, priority, criticality };
                Ok(new.into())
            }
            OrgCommand::UpdateEnvironment { project, environment, name, priority, criticality } => {
                let (project, environment) =
                    self.of(&project, |shop| shop.environment_id(&environment))?;
                let row = UpdateEnvironment { project, environment, name, priority, criticality };
                Ok(row.into())
            }
            OrgCommand::RemoveEnvironment { project, environment } => {
                let (project, environment) =
                    self.of(&project, |shop| shop.environment_id(&environment))?;
                Ok(RemoveEnvironment { project, environment }.into())
            }
            OrgCommand::SetQuorum { project, environment, people, role } => {
                let (project, (environment, role)) = self.of(&project, |shop| {
                    let role = role.as_deref().map(|role| shop.role_id(role)).transpose()?;
                    Ok((shop.environment_id(&environment)?, role))
                })?;
                let quorum = Quorum::n_of(people, role)?;
                Ok(SetQuorum { project, environment, quorum }.into())
            }
            OrgCommand::SetPromotion(asked) => {
                let running::SetPromotion { project, environment, from, soak_ms, only_promoted } =
                    asked;
                let (project, (environment, from)) = self.of(&project, |shop| {
                    Ok((shop.environment_id(&environment)?, shop.environment_id(&from)?))
                })?;
                let rule = SetPromotion { project, environment, from, soak_ms, only_promoted };
                Ok(rule.into())
            }
            OrgCommand::SetExecution(asked) => {
                let running::SetExecution { project, environment, runner, automatic, attempts_max } =
                    asked;
                let (project, environment) =
                    self.of(&project, |shop| shop.environment_id(&environment))?;
                let mode = if automatic { ExecutionMode::Automatic } else { ExecutionMode::Manual };
                let rule = SetExecution { project, environment, runner, mode, attempts_max };
                Ok(rule.into())
            }
            OrgCommand::CreateModule { project, code, name } => {
                let project = self.names.project(&project)?;
                Ok(CreateModule { project, code, name }.into())
            }
            OrgCommand::UpdateModule { project, module, name } => {
                let (project, module) = self.of(&project, |shop| shop.module_id(&module))?;
                Ok(UpdateModule { project, module, name }.into())
            }
            OrgCommand::RemoveModule { project, module } => {
                let (project, module) = self.of(&project, |shop| shop.module_id(&module))?;
                Ok(RemoveModule { project, module }.into())
            }
            other => self.teams(other),
        }
    }

    fn teams(&self, command: OrgCommand) -> Result<Resolved, Error> {
        match command {
            OrgCommand::CreateTeam { project, name } => {
                let project = self.names.project(&project)?;
                Ok(CreateTeam { project, name }.into())
            }
            OrgCommand::RenameTeam { project, team, name } => {
                let (project, team) = self.of(&project, |shop| shop.team_id(&team))?;
                Ok(RenameTeam { project, team, name }.into())
            }
            OrgCommand::RemoveTeam { project, team } => {
                let (project, team) = self.of(&project, |shop| shop.team_id(&team))?;
                Ok(RemoveTeam { project, team }.into())
            }
            OrgCommand::AssignModule { project, team, module } => {
                let (project, (team, module)) =
                    self.of(&project, |shop| Ok((shop.team_id(&team)?, shop.module_id(&module)?)))?;
                Ok(AssignModule { project, team, module }.into())
            }
            OrgCommand::UnassignModule { project, team, module } => {
                let (project, (team, module)) =
                    self.of(&project, |shop| Ok((shop.team_id(&team)?, shop.module_id(&module)?)))?;
                Ok(UnassignModule { project, team, module }.into())
            }
            OrgCommand::AddMember { project, team, user, role, from, until } => {
                let (project, team) = self.of(&project, |shop| shop.team_id(&team))?;
                let (user, valid) = (self.names.user(&user)?, self.span(from, until)?);
                Ok(AddMember { project, team, user, role, valid }.into())
            }
            OrgCommand::EndMembership { project, membership, at } => {
                let project = self.names.project(&project)?;
                Ok(EndMembership { project, membership, at }.into())
            }
            other => self.governing(other),
        }
    }

    fn governing(&self, command: OrgCommand) -> Result<Resolved, Error> {
        let names = &self.names;
        Ok(match command {
            OrgCommand::PutQuorumRule(asked) => asked.resolve(names)?.into(),
            OrgCommand::PutBlockingRule(asked) => asked.resolve(names)?.into(),
            OrgCommand::RemoveRule(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetWorkflow(asked) => asked.resolve(names)?.into(),
            OrgCommand::RetireWorkflow(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetAllowedWorkflows(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetArtifactForm(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetRunnerSettings(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetGovernance(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetPlatformGovernance(asked) => asked.resolve_platform(names)?.into(),
            OrgCommand::ApplyRoleTemplate(asked) => asked.resolve(names)?.into(),
            OrgCommand::SetAutoApproveAi(asked) => asked.resolve(names)?.into(),
            other => return self.rights(other),
        })
    }

    fn rights(&self, command: OrgCommand) -> Result<Resolved, Error> {
        match command {
            OrgCommand::CreateRole { project, name } => {
                let project = self.names.project(&project)?;
                Ok(CreateRole { project, name }.into())
            }
            OrgCommand::RemoveRole { project, role } => {
                let (project, role) = self.of(&project, |shop| shop.role_id(&role))?;
                Ok(RemoveRole { project, role }.into())
            }
            OrgCommand::CreatePermission { permission } => {
                let PermissionContext::Project(code) = permission.context() else {
                    let sentence = format!("`{permission}` is not a permission of a project");
                    return Err(Error::new(Code::InvalidInput, sentence)
                        .with_help("write the project's code as its first part"));
                };
                let shop = self.names.organisation(code.as_str())?;
                Ok(shop.create_permission(&permission)?.into())
            }
            OrgCommand::RemovePermission { project, permission } => {
                let (project, permission) =
                    self.of(&project, |shop| shop.permission_id(&permission))?;
                Ok(RemovePermission { project, permission }.into())
            }
            OrgCommand::AllowRole { project, role, permission } => {
                let (project, (role, permission)) = self.of(&project, |shop| {
                    Ok((shop.role_id(&role)?, shop.permission_id(&permission)?))
                })?;
                Ok(AllowRole { project, role, permission }.into())
            }
            OrgCommand::DisallowRole { project, role, permission } => {
                let (project, (role, permission)) = self.of(&project, |shop| {
                    Ok((shop.role_id(&role)?, shop.permission_id(&permission)?))
                })?;
                Ok(DisallowRole { project, role, permission }.into())
            }
            OrgCommand::AssignRole { project, user, role, from, until } => {
                let (project, role) = self.of(&project, |shop| shop.role_id(&role))?;
                let (user, valid) = (self.names.user(&user)?, self.span(from, until)?);
                Ok(AssignRole { project, user, role, valid }.into())
            }
            OrgCommand::EndGrant { project, grant, at } => {
                let project = self.names.project(&project)?;
                Ok(EndGrant { project, grant, at }.into())
            }
            _ => Err(Error::new(Code::Internal, "this command has no place")),
        }
    }

    /// The project's id, and what `pick` finds in its organisation.
    fn of<T>(
        &self,
        project: &str,
        pick: impl FnOnce(&Organisation) -> Result<T, Error>,
    ) -> Result<(ProjectId, T), Error> {
        let shop = self.names.organisation(project)?;
        Ok((shop.project.id, pick(&shop)?))
    }

    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Interval, Error> {
        Interval::new(from.unwrap_or_else(|| self.gate.now()), until)
    }
}
