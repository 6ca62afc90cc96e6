//! A command, done: the gate decides.

use placet::Gate;
use placet::error::{Code, Error};
use placet::identity::Caller;
use placet::org::command::OrgCommand as C;

use super::command::OrgCommand;
use super::resolve::resolve;

/// Does one command. What it made is answered by its id.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what makes nothing with an id is done by the other function"
)]
pub(crate) fn perform(
    gate: &Gate,
    caller: &Caller,
    command: OrgCommand,
) -> Result<Option<String>, Error> {
    let command = &resolve(gate, caller, command)?;
    match command {
        C::CreateEnvironment(command) => gate.manage(caller, command).map(made),
        C::PutQuorumRule(command) => gate.manage(caller, command).map(made),
        C::PutBlockingRule(command) => gate.manage(caller, command).map(made),
        C::CreateModule(command) => gate.manage(caller, command).map(made),
        C::CreateTeam(command) => gate.manage(caller, command).map(made),
        C::AddMember(command) => gate.manage(caller, command).map(made),
        C::CreateRole(command) => gate.manage(caller, command).map(made),
        C::CreatePermission(command) => gate.manage(caller, command).map(made),
        C::AssignRole(command) => gate.manage(caller, command).map(made),
        C::CreateUser(command) => gate.administer(caller, command).map(made),
        C::CreateProject(command) => gate.administer(caller, command).map(made),
        _ => quietly(gate, caller, command),
    }
}

/// Does one that makes nothing with an id.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a command that a later version has is none that this program can name"
)]
fn quietly(gate: &Gate, caller: &Caller, command: &C) -> Result<Option<String>, Error> {
    match command {
        C::UpdateEnvironment(command) => gate.manage(caller, command).map(done),
        C::RemoveEnvironment(command) => gate.manage(caller, command).map(done),
        C::SetQuorum(command) => gate.manage(caller, command).map(done),
        C::RemoveRule(command) => gate.manage(caller, command).map(done),
        C::SetAutoApproveAi(command) => gate.manage(caller, command).map(done),
        C::SetWorkflow(command) => gate.manage(caller, command).map(|_| None),
        C::RetireWorkflow(command) => gate.manage(caller, command).map(done),
        C::SetAllowedWorkflows(command) => gate.manage(caller, command).map(done),
        C::SetArtifactForm(command) => gate.manage(caller, command).map(done),
        C::SetRunnerSettings(command) => gate.manage(caller, command).map(done),
        C::ApplyRoleTemplate(command) => gate.manage(caller, command).map(|_| None),
        C::SetExecution(command) => gate.manage(caller, command).map(done),
        C::SetPromotion(command) => gate.manage(caller, command).map(done),
        C::UpdateModule(command) => gate.manage(caller, command).map(done),
        C::RemoveModule(command) => gate.manage(caller, command).map(done),
        C::RenameTeam(command) => gate.manage(caller, command).map(done),
        C::RemoveTeam(command) => gate.manage(caller, command).map(done),
        C::AssignModule(command) => gate.manage(caller, command).map(done),
        C::UnassignModule(command) => gate.manage(caller, command).map(done),
        C::EndMembership(command) => gate.manage(caller, command).map(done),
        C::RemoveRole(command) => gate.manage(caller, command).map(done),
        C::RemovePermission(command) => gate.manage(caller, command).map(done),
        C::AllowRole(command) => gate.manage(caller, command).map(done),
        C::DisallowRole(command) => gate.manage(caller, command).map(done),
        C::EndGrant(command) => gate.manage(caller, command).map(done),
        C::SetGovernance(command) => gate.manage(caller, command).map(done),
        C::SetUserActive(command) => gate.administer(caller, command).map(done),
        C::RenameProject(command) => gate.administer(caller, command).map(done),
        C::GrantGlobalRole(command) => gate.administer(caller, command).map(done),
        C::RevokeGlobalRole(command) => gate.administer(caller, command).map(done),
        C::SetRetention(command) => gate.administer(caller, command).map(done),
        C::SetPlatformGovernance(command) => gate.administer(caller, command).map(done),
        C::GrantPlugin(command) => gate.administer(caller, command).map(done),
        C::RevokePluginGrant(command) => gate.administer(caller, command).map(done),
        _ => Err(Error::new(Code::Internal, "this command has no place")),
    }
}

fn done((): ()) -> Option<String> {
    None
}

/// The id of what was made.
#[expect(clippy::unnecessary_wraps, reason = "the counterpart of `done`")]
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over an id")]
fn made(id: impl ToString) -> Option<String> {
    Some(id.to_string())
}
