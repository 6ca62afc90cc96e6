//! Every command that changes the organisation, once for the command line and once for a file of commands: the
//! words are the same.

use clap::Subcommand;
use placet::authz::PermissionString;
use placet::clock::Timestamp;
use placet::id::{GrantId, MembershipId};
use placet::org::{Criticality, Email, GlobalRole, Name, Slug, TeamRole, UserKind};
use serde::Deserialize;

use super::governing::{
    ApplyRoleTemplate, RetireWorkflow, SetAutoApproveAi, SetGovernance, SetWorkflow,
};
use super::granting::GrantPlugin;
use super::narrowing::{SetAllowedWorkflows, SetArtifactForm};
use super::rules::{PutBlockingRule, PutQuorumRule, RemoveRule};
use super::running::{SetExecution, SetPromotion, SetRunnerSettings};
use super::words::{Kept, member, person, word};

/// One command. Projects, modules, environments, teams, roles, permissions and users are named by id, or by code,
/// name, text or e-mail address.
#[derive(Clone, Debug, Deserialize, Subcommand)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum OrgCommand {
    /// Add a user to the platform.
    CreateUser {
        /// An e-mail address that nobody else has.
        #[arg(long)]
        email: Email,
        /// What people see.
        #[arg(long)]
        name: Name,
        /// `person`, or `agent` for a program that acts by itself.
        #[arg(long, default_value = "person", value_parser = word::<UserKind>)]
        #[serde(default = "person")]
        kind: UserKind,
    },
    /// Let a user act, or no longer.
    SetUserActive {
        /// The user.
        #[arg(long)]
        user: String,
        /// `true` or `false`.
        #[arg(long, action = clap::ArgAction::Set)]
        active: bool,
    },
    /// Add a project.
    CreateProject {
        /// A code that no other project has.
        #[arg(long)]
        code: Slug,
        /// What people see.
        #[arg(long)]
        name: Name,
    },
    /// Give a project another name. Its code stays.
    RenameProject {
        /// The project.
        #[arg(long)]
        project: String,
        /// What people see.
        #[arg(long)]
        name: Name,
    },
    /// Give a user a role over the whole platform.
    GrantGlobalRole {
        /// The user.
        #[arg(long)]
        user: String,
        /// `PLATFORM_ADMIN` or `AUDITOR`.
        #[arg(long, value_parser = word::<GlobalRole>)]
        role: GlobalRole,
    },
    /// Take a role over the whole platform away.
    RevokeGlobalRole {
        /// The user.
        #[arg(long)]
        user: String,
        /// `PLATFORM_ADMIN` or `AUDITOR`.
        #[arg(long, value_parser = word::<GlobalRole>)]
        role: GlobalRole,
    },
    /// Say for how many days texts are kept that a request which is over no longer needs.
    SetRetention {
        /// `content` or `comment`.
        #[arg(long, value_parser = word::<Kept>)]
        class: Kept,
        /// How many days. The default is: for good.
        #[arg(long)]
        keep_days: Option<u32>,
    },
    /// Say what the plugin of a runner may reach.
    GrantPlugin(GrantPlugin),
    /// Take away what the plugin of a runner may reach: nothing is begun with it from then on.
    RevokePluginGrant {
        /// The name that the plugin is installed under.
        #[arg(long)]
        runner: Slug,
    },
    /// Add an environment to a project.
    CreateEnvironment {
        /// The project.
        #[arg(long)]
        project: String,
        /// A code that no other environment of it has.
        #[arg(long)]
        code: Slug,
        /// What people see.
        #[arg(long)]
        name: Name,
        /// Its place in lists, the smallest first.
        #[arg(long)]
        priority: u32,
        /// `low`, `medium`, `high` or `critical`.
        #[arg(long, value_parser = word::<Criticality>)]
        criticality: Criticality,
    },
    /// Change an environment. Its code stays.
    UpdateEnvironment {
        /// The project.
        #[arg(long)]
        project: String,
        /// The environment.
        #[arg(long)]
        environment: String,
        /// What people see.
        #[arg(long)]
        name: Name,
        /// Its place in lists, the smallest first.
        #[arg(long)]
        priority: u32,
        /// `low`, `medium`, `high` or `critical`.
        #[arg(long, value_parser = word::<Criticality>)]
        criticality: Criticality,
    },
    /// Remove an environment that nothing refers to.
    RemoveEnvironment {
        /// The project.
        #[arg(long)]
        project: String,
        /// The environment.
        #[arg(long)]
        environment: String,
    },
    /// Say how many people must approve in an environment.
    SetQuorum {
        /// The project.
        #[arg(long)]
        project: String,
        /// The environment.
        #[arg(long)]
        environment: String,
        /// How many different people.
        #[arg(long)]
        people: u8,
        /// Only holders of this role count.
        #[arg(long)]
        role: Option<String>,
    },
    /// Say from where changes are promoted to an environment.
    SetPromotion(SetPromotion),
    /// Say who starts runs in an environment, and how often.
    SetExecution(SetExecution),
    /// Give a runner its settings in an environment.
    SetRunnerSettings(SetRunnerSettings),
    /// Add a rule that says which quorum holds where, or change one.
    PutQuorumRule(PutQuorumRule),
    /// Add a rule that stops approvals, or change one.
    PutBlockingRule(PutBlockingRule),
    /// Remove a rule about approvals.
    RemoveRule(RemoveRule),
    /// Store a workflow, or its next version.
    SetWorkflow(SetWorkflow),
    /// Let nothing new begin with a workflow.
    RetireWorkflow(RetireWorkflow),
    /// Say which workflows requests may go through in an environment.
    SetAllowedWorkflows(SetAllowedWorkflows),
    /// Say what artifacts of a type must hold before they are submitted.
    SetArtifactForm(SetArtifactForm),
    /// Say which commands of a project need approval themselves.
    SetGovernance(SetGovernance),
    /// Say which commands of the platform need approval themselves, and in which project they get it.
    SetPlatformGovernance(SetGovernance),
    /// Make the roles that a workflow asks for by name.
    ApplyRoleTemplate(ApplyRoleTemplate),
    /// Let artifacts of agents need nobody's approval in an environment, or no longer.
    SetAutoApproveAi(SetAutoApproveAi),
    /// Add a module to a project.
    CreateModule {
        /// The project.
        #[arg(long)]
        project: String,
        /// A code that no other module of it has.
        #[arg(long)]
        code: Slug,
        /// What people see.
        #[arg(long)]
        name: Name,
    },
    /// Give a module another name. Its code stays.
    UpdateModule {
        /// The project.
        #[arg(long)]
        project: String,
        /// The module.
        #[arg(long)]
        module: String,
        /// What people see.
        #[arg(long)]
        name: Name,
    },
    /// Remove a module that nothing refers to.
    RemoveModule {
        /// The project.
        #[arg(long)]
        project: String,
        /// The module.
        #[arg(long)]
        module: String,
    },
    /// Add a team to a project.
    CreateTeam {
        /// The project.
        #[arg(long)]
        project: String,
        /// A name that no other team of it has.
        #[arg(long)]
        name: Name,
    },
    /// Give a team another name.
    RenameTeam {
        /// The project.
        #[arg(long)]
        project: String,
        /// The team.
        #[arg(long)]
        team: String,
        /// A name that no other team of it has.
        #[arg(long)]
        name: Name,
    },
    /// Remove a team without members and modules.
    RemoveTeam {
        /// The project.
        #[arg(long)]
        project: String,
        /// The team.
        #[arg(long)]
        team: String,
    },
    /// Let a team look after a module.
    AssignModule {
        /// The project.
        #[arg(long)]
        project: String,
        /// The team.
        #[arg(long)]
        team: String,
        /// The module.
        #[arg(long)]
        module: String,
    },
    /// Let a team look after a module no longer.
    UnassignModule {
        /// The project.
        #[arg(long)]
        project: String,
        /// The team.
        #[arg(long)]
        team: String,
        /// The module.
        #[arg(long)]
        module: String,
    },
    /// Put a user in a team, for a time.
    AddMember {
        /// The project.
        #[arg(long)]
        project: String,
        /// The team.
        #[arg(long)]
        team: String,
        /// The user.
        #[arg(long)]
        user: String,
        /// `LEADER_PRIMARY`, `LEADER_TEMP` or `MEMBER`.
        #[arg(long, default_value = "MEMBER", value_parser = word::<TeamRole>)]
        #[serde(default = "member")]
        role: TeamRole,
        /// The first instant, in RFC 3339. The default is now.
        #[arg(long)]
        from: Option<Timestamp>,
        /// The first instant after it. The default is: no end.
        #[arg(long)]
        until: Option<Timestamp>,
    },
    /// End a membership.
    EndMembership {
        /// The project.
        #[arg(long)]
        project: String,
        /// The membership, `mem_…`.
        #[arg(long)]
        membership: MembershipId,
        /// When, in RFC 3339. The default is now.
        #[arg(long)]
        at: Option<Timestamp>,
    },
    /// Add a role to a project.
    CreateRole {
        /// The project.
        #[arg(long)]
        project: String,
        /// A name that no other role of it has.
        #[arg(long)]
        name: Name,
    },
    /// Remove a role that nobody holds and that has no permissions.
    RemoveRole {
        /// The project.
        #[arg(long)]
        project: String,
        /// The role.
        #[arg(long)]
        role: String,
    },
    /// Add a permission to a project's catalogue.
    CreatePermission {
        /// `project:module:environment:action` by codes, with `*` for all: `shop:*:prod:approve`.
        #[arg(long)]
        permission: PermissionString,
    },
    /// Remove a permission that no role has.
    RemovePermission {
        /// The project.
        #[arg(long)]
        project: String,
        /// The permission, as text or id.
        #[arg(long)]
        permission: String,
    },
    /// Give a role a permission.
    AllowRole {
        /// The project.
        #[arg(long)]
        project: String,
        /// The role.
        #[arg(long)]
        role: String,
        /// The permission, as text or id.
        #[arg(long)]
        permission: String,
    },
    /// Take a permission from a role.
    DisallowRole {
        /// The project.
        #[arg(long)]
        project: String,
        /// The role.
        #[arg(long)]
        role: String,
        /// The permission, as text or id.
        #[arg(long)]
        permission: String,
    },
    /// Grant a user a role of a project, for a time.
    AssignRole {
        /// The project.
        #[arg(long)]
        project: String,
        /// The user.
        #[arg(long)]
        user: String,
        /// The role.
        #[arg(long)]
        role: String,
        /// The first instant, in RFC 3339. The default is now.
        #[arg(long)]
        from: Option<Timestamp>,
        /// The first instant after it. The default is: no end.
        #[arg(long)]
        until: Option<Timestamp>,
    },
    /// End a grant.
    EndGrant {
        /// The project.
        #[arg(long)]
        project: String,
        /// The grant, `gra_…`.
        #[arg(long)]
        grant: GrantId,
        /// When, in RFC 3339. The default is now.
        #[arg(long)]
        at: Option<Timestamp>,
    },
}
