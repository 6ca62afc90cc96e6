//! Rows of a project, each with its table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    AllowedWorkflows, ArtifactForm, BlockingRule, Environment, ExecutionRule, Governance, Grant,
    Interval, Membership, Module, Permission, PromotionRule, QuorumRule, Role, RolePermission,
    RunnerSettings, Slug, Team, TeamModule,
};
use crate::digest::Digest;
use crate::id::EnvironmentId;
use crate::request::Quorum;
use crate::workflow::Definition;

/// How many approvals an environment asks for.
///
/// ```
/// use placet_core::id::EnvironmentId;
/// use placet_core::org::EnvironmentQuorum;
/// use placet_core::request::Quorum;
/// let rule = EnvironmentQuorum { environment_id: EnvironmentId::from_u128(1), quorum: Quorum::n_of(2, None)? };
/// assert_eq!(rule.quorum.people(), 2);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct EnvironmentQuorum {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// What it asks for.
    pub quorum: Quorum,
}

/// Whether artifacts that agents alone made are approved by rule in an environment.
///
/// ```
/// use placet_core::id::EnvironmentId;
/// use placet_core::org::{AutoApproval, Row};
/// let off = Row::from(AutoApproval { environment_id: EnvironmentId::from_u128(1), is_on: false });
/// assert!(matches!(off, Row::AutoApproval(row) if !row.is_on));
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct AutoApproval {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Whether it is on.
    pub is_on: bool,
}

/// One version of a workflow of a project.
///
/// ```
/// use placet_core::org::WorkflowRow;
/// use placet_core::workflow::Definition;
///
/// let row = WorkflowRow { definition: Definition::artifact(), is_retired: false };
/// assert_eq!(row.definition.version, 1);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct WorkflowRow {
    /// What it says.
    pub definition: Definition,
    /// Whether nothing new begins with it.
    pub is_retired: bool,
}

/// A row of a project, as it is stored: one kind of record, so that one scan reads the whole project.
///
/// ```
/// use placet_core::id::{ModuleId, ProjectId};
/// use placet_core::org::{Module, Row};
/// let (id, project_id) = (ModuleId::from_u128(1), ProjectId::from_u128(2));
/// let row = Row::from(Module { id, project_id, code: "pagos".parse()?, name: "Pagos".parse()? });
/// assert!(matches!(row, Row::Module(_)));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "table", content = "row")]
#[non_exhaustive]
pub enum Row {
    /// `project_environments`.
    Environment(Environment),
    /// `project_modules`.
    Module(Module),
    /// `teams`.
    Team(Team),
    /// `team_modules`.
    TeamModule(TeamModule),
    /// `team_members`.
    Membership(Membership),
    /// `project_roles`.
    Role(Role),
    /// `project_permissions`.
    Permission(Permission),
    /// `project_role_permissions`.
    RolePermission(RolePermission),
    /// `user_project_roles`.
    Grant(Grant),
    /// The quorum of an environment.
    Quorum(EnvironmentQuorum),
    /// Which quorum holds for which requests.
    QuorumRule(QuorumRule),
    /// What stops an approval.
    BlockingRule(BlockingRule),
    /// Whether an environment approves by rule.
    AutoApproval(AutoApproval),
    /// A version of a workflow.
    Workflow(WorkflowRow),
    /// Which workflows requests may go through in an environment.
    AllowedWorkflows(AllowedWorkflows),
    /// What artifacts of a type must say.
    ArtifactForm(ArtifactForm),
    /// Which commands need approval.
    Governance(Governance),
    /// From where changes come to an environment.
    Promotion(PromotionRule),
    /// How changes are executed in an environment.
    Execution(ExecutionRule),
    /// `runner_settings`
    RunnerSettings(RunnerSettings),
}

macro_rules! rows {
    ($($name:ident from $row:ident,)*) => {$(
        impl From<$row> for Row {
            fn from(row: $row) -> Self {
                Self::$name(row)
            }
        }
    )*};
}

rows! {
    Environment from Environment,
    Module from Module,
    Team from Team,
    TeamModule from TeamModule,
    Membership from Membership,
    Role from Role,
    Permission from Permission,
    RolePermission from RolePermission,
    Grant from Grant,
    Quorum from EnvironmentQuorum,
    QuorumRule from QuorumRule,
    BlockingRule from BlockingRule,
    AutoApproval from AutoApproval,
    Workflow from WorkflowRow,
    AllowedWorkflows from AllowedWorkflows,
    ArtifactForm from ArtifactForm,
    Governance from Governance,
    Promotion from PromotionRule,
    Execution from ExecutionRule,
    RunnerSettings from RunnerSettings,
}

impl Row {
    /// What the audit log says of this row: ids, codes and numbers, never names.
    pub(crate) fn note_facts(&self, facts: &mut BTreeMap<String, String>) {
        let mut note = |name: &str, value: String| drop(facts.insert(name.to_owned(), value));
        let span = |valid: Interval| {
            valid
                .until()
                .map_or_else(|| format!("{}/..", valid.from()), |u| format!("{}/{u}", valid.from()))
        };
        match self {
            Self::Environment(row) => {
                note("environment", row.id.to_string());
                note("criticality", format!("{:?}", row.criticality).to_lowercase());
            }
            Self::Module(row) => note("module", row.id.to_string()),
            Self::Team(row) => note("team", row.id.to_string()),
            Self::TeamModule(row) => {
                note("team", row.team_id.to_string());
                note("module", row.module_id.to_string());
            }
            Self::Membership(row) => {
                note("membership", row.id.to_string());
                note("team", row.team_id.to_string());
                note("user", row.user_id.to_string());
                note("team_role", row.role.as_str().to_owned());
                note("valid", span(row.valid));
            }
            Self::Role(row) => note("role", row.id.to_string()),
            Self::Permission(row) => {
                note("permission", row.id.to_string());
                note("action", row.action.to_string());
                row.module_id.iter().for_each(|id| note("module", id.to_string()));
                row.environment_id.iter().for_each(|id| note("environment", id.to_string()));
            }
            Self::RolePermission(row) => {
                note("role", row.role_id.to_string());
                note("permission", row.permission_id.to_string());
            }
            Self::Grant(row) => {
                note("grant", row.id.to_string());
                note("user", row.user_id.to_string());
                note("role", row.role_id.to_string());
                note("valid", span(row.valid));
            }
            Self::Quorum(_)
            | Self::QuorumRule(_)
            | Self::BlockingRule(_)
            | Self::AutoApproval(_)
            | Self::Workflow(_)
            | Self::AllowedWorkflows(_)
            | Self::ArtifactForm(_)
            | Self::Governance(_)
            | Self::Promotion(_)
            | Self::Execution(_)
            | Self::RunnerSettings(_) => self.note_rule_facts(facts),
        }
    }

    /// The same of rows that say how changes are reviewed and run.
    fn note_rule_facts(&self, facts: &mut BTreeMap<String, String>) {
        let mut note = |name: &str, value: String| drop(facts.insert(name.to_owned(), value));
        match self {
            Self::Quorum(row) => {
                note("environment", row.environment_id.to_string());
                note("people", row.quorum.people().to_string());
                row.quorum.role().iter().for_each(|role| note("role", role.to_string()));
            }
            Self::AutoApproval(row) => {
                note("environment", row.environment_id.to_string());
                note("auto_approve_ai", if row.is_on { "on" } else { "off" }.to_owned());
            }
            Self::Workflow(row) => {
                note("workflow", row.definition.name.to_string());
                note("version", row.definition.version.to_string());
            }
            Self::QuorumRule(row) => {
                note("rule", row.id.to_string());
                note("position", row.position.to_string());
                note("people", row.quorum.people().to_string());
            }
            Self::AllowedWorkflows(row) => {
                note("environment", row.environment_id.to_string());
                let names: Vec<&str> = row.workflows.iter().map(Slug::as_str).collect();
                note("workflows", names.join(" "));
            }
            Self::ArtifactForm(row) => note("artifact_type", row.artifact_type.to_string()),
            Self::BlockingRule(row) => note("rule", row.id.to_string()),
            Self::Governance(row) => {
                note("module", row.module_id.to_string());
                note("environment", row.environment_id.to_string());
                let words: Vec<&str> = row.commands.iter().map(|kind| kind.as_str()).collect();
                note("commands", words.join(" "));
            }
            Self::Promotion(row) => {
                note("environment", row.environment_id.to_string());
                note("from", row.from.to_string());
                note("soak_ms", row.soak_ms.to_string());
                note("only_promoted", row.only_promoted.to_string());
            }
            Self::Execution(row) => {
                note("environment", row.environment_id.to_string());
                note("mode", row.mode.as_str().to_owned());
                row.runner.iter().for_each(|runner| note("runner", runner.to_string()));
                row.attempts_max.iter().for_each(|most| note("attempts_max", most.to_string()));
            }
            Self::RunnerSettings(row) => {
                note("environment", row.environment_id.to_string());
                note("runner", row.runner.to_string());
                note("settings", Digest::of(row.settings.as_bytes()).to_string());
            }
            Self::Environment(_)
            | Self::Module(_)
            | Self::Team(_)
            | Self::TeamModule(_)
            | Self::Membership(_)
            | Self::Role(_)
            | Self::Permission(_)
            | Self::RolePermission(_)
            | Self::Grant(_) => {}
        }
    }
}
