//! Who sits where: the eleven tables of the organisation, their rules, and the commands that change them.

mod text;
mod interval;
mod user;
mod project;
mod team;
mod role;
mod conditions;
mod rule;
mod governance;
mod running;
mod settings;
mod plugin;
mod narrowing;
mod row;
mod workflows;
pub(crate) mod book;
pub mod command;

pub use conditions::{Conditions, FindingIs};
pub use governance::Governance;
pub use interval::Interval;
pub use narrowing::{AllowedWorkflows, ArtifactForm};
pub(crate) use plugin::CAPABILITIES_MAX;
pub use plugin::{GrantStanding, PluginGrant};
pub use project::{Criticality, Environment, Module, Project};
pub use role::{GlobalRole, GlobalRoleGrant, Grant, Permission, Role, RolePermission};
pub use row::{AutoApproval, EnvironmentQuorum, Row, WorkflowRow};
pub use rule::{Block, BlockingRule, QuorumRule, RULES_MAX};
pub use running::{ExecutionMode, ExecutionRule, PromotionRule};
pub(crate) use settings::NO_SETTINGS;
pub use settings::RunnerSettings;
pub use team::{Membership, Team, TeamModule, TeamRole};
pub use text::{Email, Name, Slug};
pub(crate) use text::{define_text, is_slug, known_text};
pub use user::{User, UserKind};
