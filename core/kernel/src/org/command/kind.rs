//! Every command by its name, and as data: so that one can be asked for, agreed to, and carried out later.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AddMember, AdoptPolicies, AllowRole, ApplyRoleTemplate, AssignModule, AssignRole,
    CreateEnvironment, CreateModule, CreatePermission, CreateProject, CreateRole, CreateTeam,
    CreateUser, DisallowRole, EndGrant, EndMembership, GrantGlobalRole, GrantPlugin,
    ProjectCommand, PutBlockingRule, PutQuorumRule, RemoveEnvironment, RemoveModule,
    RemovePermission, RemoveRole, RemoveRule, RemoveTeam, RenameProject, RenameTeam,
    RetireWorkflow, RevokeGlobalRole, RevokePluginGrant, SetAllowedWorkflows, SetArtifactForm,
    SetAutoApproveAi, SetExecution, SetGovernance, SetPlatformGovernance, SetPromotion, SetQuorum,
    SetRetention, SetRunnerSettings, SetUserActive, SetWorkflow, UnassignModule, UpdateEnvironment,
    UpdateModule, sealed,
};
use crate::digest::canonical_json;
use crate::error::{Code, Error};
use crate::gate::PlatformCommand;
use crate::id::ProjectId;

/// Does something with a command, whichever it is.
pub(crate) trait Visitor {
    /// What comes of it.
    type Output;

    fn project<C: ProjectCommand>(self, command: &C) -> Self::Output;
    fn platform<C: PlatformCommand>(self, command: &C) -> Self::Output;
    fn policies(self, command: &AdoptPolicies) -> Self::Output;
}

macro_rules! commands {
    (
        project { $($project:ident = $project_text:literal,)* }
        platform { $($platform:ident = $platform_text:literal,)* }
        policies { $policies:ident = $policies_text:literal, }
    ) => {
        /// The kind of a command that changes the organisation. Its text form never changes.
        ///
        /// ```
        /// use placet_core::org::command::CommandKind;
        /// assert_eq!(CommandKind::SetQuorum.as_str(), "set_quorum");
        /// assert_eq!("assign_role".parse::<CommandKind>()?, CommandKind::AssignRole);
        /// assert!(CommandKind::ALL.len() > CommandKind::RIGHTS.len());
        /// # Ok::<(), placet_core::error::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        #[non_exhaustive]
        pub enum CommandKind {
            $(#[doc = concat!("[`", stringify!($project), "`].")] $project,)*
            $(#[doc = concat!("[`", stringify!($platform), "`].")] $platform,)*
            #[doc = concat!("[`", stringify!($policies), "`].")] $policies,
        }

        impl CommandKind {
            /// Every kind.
            pub const ALL: &'static [Self] =
                &[$(Self::$project,)* $(Self::$platform,)* Self::$policies];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$project => $project_text,)*
                    $(Self::$platform => $platform_text,)*
                    Self::$policies => $policies_text,
                }
            }

            /// Whether it is about one project, and not about the platform.
            pub const fn is_of_a_project(self) -> bool {
                match self {
                    $(Self::$project => true,)*
                    $(Self::$platform => false,)*
                    Self::$policies => false,
                }
            }
        }

        /// A command as data: what [`Gate::propose`](crate::gate::Gate::propose) asks for.
        ///
        /// ```
        /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
        /// use placet_core::org::command::{CommandKind, CreateTeam, OrgCommand};
        /// let command = CreateTeam { project: office.project, name: "Storage".parse()? };
        /// let command = OrgCommand::from(command);
        /// assert_eq!(command.kind(), CommandKind::CreateTeam);
        /// // It reads back as it was written.
        /// assert_eq!(OrgCommand::from_payload(&command.to_payload()?)?.to_payload()?, command.to_payload()?);
        /// # Ok::<(), placet_core::error::Error>(())
        /// ```
        #[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(tag = "command", content = "with")]
        #[non_exhaustive]
        pub enum OrgCommand {
            $(#[doc = concat!("[`", stringify!($project), "`].")] #[serde(rename = $project_text)] $project($project),)*
            $(#[doc = concat!("[`", stringify!($platform), "`].")] #[serde(rename = $platform_text)] $platform($platform),)*
            #[doc = concat!("[`", stringify!($policies), "`].")] #[serde(rename = $policies_text)] $policies($policies),
        }

        impl OrgCommand {
            /// Its kind.
            pub const fn kind(&self) -> CommandKind {
                match self {
                    $(Self::$project(_) => CommandKind::$project,)*
                    $(Self::$platform(_) => CommandKind::$platform,)*
                    Self::$policies(_) => CommandKind::$policies,
                }
            }

            /// The project that it is about; nothing where it is about the platform.
            pub fn project(&self) -> Option<ProjectId> {
                match self {
                    $(Self::$project(command) => Some(ProjectCommand::project(command)),)*
                    $(Self::$platform(_) => None,)*
                    Self::$policies(_) => None,
                }
            }

            pub(crate) fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
                match self {
                    $(Self::$project(command) => visitor.project(command),)*
                    $(Self::$platform(command) => visitor.platform(command),)*
                    Self::$policies(command) => visitor.policies(command),
                }
            }
        }

        commands!(each $($project)* $($platform)* $policies);
    };
    (each $($name:ident)*) => {$(
        impl sealed::Sealed for $name {
            const KIND: CommandKind = CommandKind::$name;
        }

        impl From<$name> for OrgCommand {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        }
    )*};
}

commands! {
    project {
        CreateEnvironment = "create_environment",
        UpdateEnvironment = "update_environment",
        RemoveEnvironment = "remove_environment",
        SetQuorum = "set_quorum",
        PutQuorumRule = "put_quorum_rule",
        PutBlockingRule = "put_blocking_rule",
        RemoveRule = "remove_rule",
        SetAutoApproveAi = "set_auto_approve_ai",
        SetWorkflow = "set_workflow",
        RetireWorkflow = "retire_workflow",
        SetAllowedWorkflows = "set_allowed_workflows",
        SetArtifactForm = "set_artifact_form",
        ApplyRoleTemplate = "apply_role_template",
        SetExecution = "set_execution",
        SetRunnerSettings = "set_runner_settings",
        SetPromotion = "set_promotion",
        CreateModule = "create_module",
        UpdateModule = "update_module",
        RemoveModule = "remove_module",
        CreateTeam = "create_team",
        RenameTeam = "rename_team",
        RemoveTeam = "remove_team",
        AssignModule = "assign_module",
        UnassignModule = "unassign_module",
        AddMember = "add_member",
        EndMembership = "end_membership",
        CreateRole = "create_role",
        RemoveRole = "remove_role",
        CreatePermission = "create_permission",
        RemovePermission = "remove_permission",
        AllowRole = "allow_role",
        DisallowRole = "disallow_role",
        AssignRole = "assign_role",
        EndGrant = "end_grant",
        SetGovernance = "set_governance",
    }
    platform {
        CreateUser = "create_user",
        SetUserActive = "set_user_active",
        CreateProject = "create_project",
        RenameProject = "rename_project",
        GrantGlobalRole = "grant_global_role",
        RevokeGlobalRole = "revoke_global_role",
        SetRetention = "set_retention",
        SetPlatformGovernance = "set_platform_governance",
        GrantPlugin = "grant_plugin",
        RevokePluginGrant = "revoke_plugin_grant",
    }
    policies {
        AdoptPolicies = "adopt_policies",
    }
}

impl CommandKind {
    /// The kinds of a project that say who could approve there, how many must, and what stops an approval: whoever governs fewer than these
    /// leaves a way around.
    pub const RIGHTS: &'static [Self] = &[
        Self::UpdateEnvironment,
        Self::SetQuorum,
        Self::PutQuorumRule,
        Self::PutBlockingRule,
        Self::RemoveRule,
        Self::AssignModule,
        Self::UnassignModule,
        Self::AddMember,
        Self::EndMembership,
        Self::CreatePermission,
        Self::AllowRole,
        Self::DisallowRole,
        Self::AssignRole,
        Self::EndGrant,
    ];
}

impl OrgCommand {
    /// The command as the payload of a request: canonical JSON.
    ///
    /// Fails with [`Code::Internal`] where it has no such form.
    pub fn to_payload(&self) -> Result<String, Error> {
        let bytes = canonical_json(self)?;
        String::from_utf8(bytes).map_err(|source| {
            Error::new(Code::Internal, "a command has no text form").with_source(source)
        })
    }

    /// The command that a payload is.
    ///
    /// Fails with [`Code::InvalidPayload`] for anything else, also for one that is written in another way than
    /// [`Self::to_payload`] writes it: what people agree to has one form.
    pub fn from_payload(payload: &str) -> Result<Self, Error> {
        let refused = |sentence: String| {
            Error::new(Code::InvalidPayload, sentence)
                .with_help("propose the command; its payload is made from it")
        };
        let command: Self = serde_json::from_str(payload)
            .map_err(|source| refused(format!("this is no command: {source}")))?;
        if command.to_payload()? == payload {
            return Ok(command);
        }
        Err(refused("this command is not in its canonical form".to_owned()))
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CommandKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let shown = crate::letters::shown(text);
            Error::new(Code::InvalidInput, format!("`{shown}` is no kind of command"))
                .with_help("name one such as `set_quorum`")
        })
    }
}

impl TryFrom<String> for CommandKind {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<CommandKind> for String {
    fn from(kind: CommandKind) -> Self {
        kind.as_str().to_owned()
    }
}
