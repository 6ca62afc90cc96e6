//! Everything that is stored of one project, read together at one epoch.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::workflows::Workflows;
use super::{
    BlockingRule, Environment, ExecutionMode, ExecutionRule, GlobalRole, GlobalRoleGrant,
    Governance, Grant, Membership, Module, NO_SETTINGS, Permission, Project, PromotionRule,
    QuorumRule, Role, Row, RunnerSettings, Slug, Team, User,
};
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, RuleId,
    TeamId, UserId,
};
use crate::request::{ArtifactType, Group, Quorum};
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;
use crate::workflow::{Definition, Form};

/// A counter that every change to a project's organisation bumps. Decisions are made at one epoch, and
/// their commit expects it unchanged: no decision outlives the facts it was made from.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Epoch {
    pub(crate) of: String,
    pub(crate) count: u64,
    // When it was bumped. No decision that rests on it is made at an earlier instant, whatever the clock says.
    pub(crate) at: Timestamp,
}

impl Epoch {
    /// The first epoch of `of`: a project's id, or [`PLATFORM`].
    pub(crate) fn first(of: impl Into<String>, at: Timestamp) -> Self {
        Self { of: of.into(), count: 0, at }
    }

    /// The epoch after this one.
    pub(crate) fn next(self, at: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), at, ..self }
    }
}

impl Record for Epoch {
    const KIND: &'static str = "epoch";

    fn path(&self) -> Vec<String> {
        vec![self.of.clone()]
    }
}

/// A [`Row`] and the project that it is stored under.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ProjectRow {
    pub(crate) project: ProjectId,
    pub(crate) row: Row,
}

impl Record for ProjectRow {
    const KIND: &'static str = "org";

    fn path(&self) -> Vec<String> {
        let (table, first, second) = match &self.row {
            Row::Environment(row) => ("project_environments", row.id.to_string(), None),
            Row::Module(row) => ("project_modules", row.id.to_string(), None),
            Row::Team(row) => ("teams", row.id.to_string(), None),
            Row::TeamModule(row) => {
                ("team_modules", row.team_id.to_string(), Some(row.module_id.to_string()))
            }
            Row::Membership(row) => ("team_members", row.id.to_string(), None),
            Row::Role(row) => ("project_roles", row.id.to_string(), None),
            Row::Permission(row) => ("project_permissions", row.id.to_string(), None),
            Row::RolePermission(row) => (
                "project_role_permissions",
                row.role_id.to_string(),
                Some(row.permission_id.to_string()),
            ),
            Row::Grant(row) => ("user_project_roles", row.id.to_string(), None),
            Row::Quorum(row) => ("quorums", row.environment_id.to_string(), None),
            Row::AutoApproval(row) => ("auto_approvals", row.environment_id.to_string(), None),
            Row::Workflow(row) => {
                let Definition { name, version, .. } = &row.definition;
                ("workflows", name.to_string(), Some(format!("{version:010}")))
            }
            Row::AllowedWorkflows(row) => {
                ("allowed_workflows", row.environment_id.to_string(), None)
            }
            Row::ArtifactForm(row) => ("artifact_forms", row.artifact_type.to_string(), None),
            Row::QuorumRule(row) => ("quorum_rules", row.id.to_string(), None),
            Row::BlockingRule(row) => ("blocking_rules", row.id.to_string(), None),
            Row::Governance(_) => ("governance", "commands".to_owned(), None),
            Row::Promotion(row) => ("promotions", row.environment_id.to_string(), None),
            Row::Execution(row) => (
                "executions",
                row.environment_id.to_string(),
                row.runner.as_ref().map(ToString::to_string),
            ),
            Row::RunnerSettings(row) => {
                ("runner_settings", row.environment_id.to_string(), Some(row.runner.to_string()))
            }
        };
        let head = [self.project.to_string(), table.to_owned(), first];
        head.into_iter().chain(second).collect()
    }
}

const ERASED_EMAIL: &str = "erased@erased.invalid";
const ERASED_EMAIL_JSON: &str = "\"erased@erased.invalid\"";

impl User {
    /// Whether what names the user was erased.
    pub(crate) fn is_erased(&self) -> bool {
        self.email.as_str() == ERASED_EMAIL
    }
}

impl Record for User {
    const KIND: &'static str = "user";
    const ERASABLE: &'static [Erasable] =
        &[erasable("/email", ERASED_EMAIL_JSON), erasable("/display_name", "\"(erased)\"")];

    fn path(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}

impl Record for Project {
    const KIND: &'static str = "project";

    fn path(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}

impl Record for GlobalRoleGrant {
    const KIND: &'static str = "global_role";

    fn path(&self) -> Vec<String> {
        vec![self.role.as_str().to_owned(), self.user_id.to_string()]
    }
}

/// Keeps a value unique: its key is the value, its body the holder.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Unique {
    pub(crate) what: String,
    pub(crate) value: String,
    pub(crate) holder: String,
}

impl Record for Unique {
    const KIND: &'static str = "unique";

    fn path(&self) -> Vec<String> {
        vec![self.what.clone(), self.value.clone()]
    }
}

/// Says that requests refer to a module or an environment, which therefore stays.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Used {
    pub(crate) id: String,
}

impl Record for Used {
    const KIND: &'static str = "used";

    fn path(&self) -> Vec<String> {
        vec![self.id.clone()]
    }
}

/// All rows of one project, by their ids.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) project: Project,
    pub(crate) environments: BTreeMap<EnvironmentId, Environment>,
    pub(crate) modules: BTreeMap<ModuleId, Module>,
    pub(crate) teams: BTreeMap<TeamId, Team>,
    pub(crate) team_modules: BTreeSet<(TeamId, ModuleId)>,
    pub(crate) memberships: BTreeMap<MembershipId, Membership>,
    pub(crate) roles: BTreeMap<RoleId, Role>,
    pub(crate) permissions: BTreeMap<PermissionId, Permission>,
    pub(crate) role_permissions: BTreeSet<(RoleId, PermissionId)>,
    pub(crate) grants: BTreeMap<GrantId, Grant>,
    pub(crate) quorums: BTreeMap<EnvironmentId, Quorum>,
    pub(crate) auto_approvals: BTreeMap<EnvironmentId, bool>,
    pub(crate) workflows: Workflows,
    pub(crate) allowed_workflows: BTreeMap<EnvironmentId, BTreeSet<Slug>>,
    pub(crate) artifact_forms: BTreeMap<ArtifactType, Form>,
    pub(crate) quorum_rules: BTreeMap<RuleId, QuorumRule>,
    pub(crate) blocking_rules: BTreeMap<RuleId, BlockingRule>,
    pub(crate) governance: Option<Governance>,
    pub(crate) promotions: BTreeMap<EnvironmentId, PromotionRule>,
    pub(crate) executions: BTreeMap<(EnvironmentId, Option<Slug>), ExecutionRule>,
    pub(crate) runner_settings: BTreeMap<(EnvironmentId, Slug), RunnerSettings>,
}

impl Book {
    pub(crate) const fn new(project: Project) -> Self {
        Self {
            project,
            environments: BTreeMap::new(),
            modules: BTreeMap::new(),
            teams: BTreeMap::new(),
            team_modules: BTreeSet::new(),
            memberships: BTreeMap::new(),
            roles: BTreeMap::new(),
            permissions: BTreeMap::new(),
            role_permissions: BTreeSet::new(),
            grants: BTreeMap::new(),
            quorums: BTreeMap::new(),
            auto_approvals: BTreeMap::new(),
            workflows: Workflows::new(),
            allowed_workflows: BTreeMap::new(),
            artifact_forms: BTreeMap::new(),
            quorum_rules: BTreeMap::new(),
            blocking_rules: BTreeMap::new(),
            governance: None,
            promotions: BTreeMap::new(),
            executions: BTreeMap::new(),
            runner_settings: BTreeMap::new(),
        }
    }

    pub(crate) fn insert(&mut self, row: Row) {
        match row {
            Row::Environment(row) => drop(self.environments.insert(row.id, row)),
            Row::Module(row) => drop(self.modules.insert(row.id, row)),
            Row::Team(row) => drop(self.teams.insert(row.id, row)),
            Row::TeamModule(row) => {
                self.team_modules.insert((row.team_id, row.module_id));
            }
            Row::Membership(row) => drop(self.memberships.insert(row.id, row)),
            Row::Role(row) => drop(self.roles.insert(row.id, row)),
            Row::Permission(row) => drop(self.permissions.insert(row.id, row)),
            Row::RolePermission(row) => {
                self.role_permissions.insert((row.role_id, row.permission_id));
            }
            Row::Grant(row) => drop(self.grants.insert(row.id, row)),
            Row::Quorum(row) => {
                self.quorums.insert(row.environment_id, row.quorum);
            }
            Row::AutoApproval(row) => {
                self.auto_approvals.insert(row.environment_id, row.is_on);
            }
            Row::Workflow(row) => self.workflows.insert(row),
            Row::AllowedWorkflows(row) => {
                self.allowed_workflows.insert(row.environment_id, row.workflows);
            }
            Row::ArtifactForm(row) => {
                self.artifact_forms.insert(row.artifact_type, row.form);
            }
            Row::QuorumRule(row) => drop(self.quorum_rules.insert(row.id, row)),
            Row::BlockingRule(row) => drop(self.blocking_rules.insert(row.id, row)),
            Row::Governance(row) => self.governance = Some(row),
            Row::Promotion(row) => {
                self.promotions.insert(row.environment_id, row);
            }
            Row::RunnerSettings(row) => {
                let key = (row.environment_id, row.runner.clone());
                drop(self.runner_settings.insert(key, row));
            }
            Row::Execution(row) => {
                self.executions.insert((row.environment_id, row.runner.clone()), row);
            }
        }
    }

    pub(crate) fn environment(&self, id: EnvironmentId) -> Result<&Environment, Error> {
        self.environments.get(&id).ok_or_else(|| self.missing("environment", id))
    }

    /// Refuses to go from one environment to another unless it is the next by priority.
    pub(crate) fn check_stage(&self, from: EnvironmentId, to: EnvironmentId) -> Result<(), Error> {
        let (from, to) = (self.environment(from)?, self.environment(to)?);
        let between =
            |row: &&Environment| row.priority > from.priority && row.priority < to.priority;
        let sentence = match self.environments.values().find(between) {
            Some(skipped) => {
                format!("from `{}` to `{}` skips `{}`", from.code, to.code, skipped.code)
            }
            None if from.priority < to.priority => return Ok(()),
            None => format!("`{}` does not come after `{}`", to.code, from.code),
        };
        Err(Error::new(Code::InvalidInput, sentence)
            .with_help("go from stage to stage, in the order of their priorities"))
    }

    /// How changes of `runner` are executed in an environment: by the rule for that runner, else by that for all.
    pub(crate) fn execution(
        &self,
        environment: EnvironmentId,
        runner: &Slug,
    ) -> (ExecutionMode, Option<u32>) {
        let rule = self.executions.get(&(environment, Some(runner.clone())));
        let rule = rule.or_else(|| self.executions.get(&(environment, None)));
        rule.map_or((ExecutionMode::default(), None), |rule| (rule.mode, rule.attempts_max))
    }

    /// The settings of `runner` in an environment.
    pub(crate) fn settings(&self, environment: EnvironmentId, runner: &Slug) -> &str {
        let row = self.runner_settings.get(&(environment, runner.clone()));
        row.map_or(NO_SETTINGS, |row| &row.settings)
    }

    /// Refuses a request in an environment whose requests go through other workflows.
    pub(crate) fn check_allowed(
        &self,
        environment: EnvironmentId,
        workflow: &Slug,
    ) -> Result<(), Error> {
        match self.allowed_workflows.get(&environment) {
            Some(allowed) if !allowed.contains(workflow) => {
                let code = &self.environment(environment)?.code;
                let names: Vec<&str> = allowed.iter().map(Slug::as_str).collect();
                let sentence = format!("requests in `{code}` do not go through `{workflow}`");
                Err(Error::new(Code::Refused, sentence)
                    .with_help(format!("draft it through one of: {}", names.join(", ")))
                    .with_detail("workflows", names.join(", ")))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn module(&self, id: ModuleId) -> Result<&Module, Error> {
        self.modules.get(&id).ok_or_else(|| self.missing("module", id))
    }

    pub(crate) fn team(&self, id: TeamId) -> Result<&Team, Error> {
        self.teams.get(&id).ok_or_else(|| self.missing("team", id))
    }

    pub(crate) fn role(&self, id: RoleId) -> Result<&Role, Error> {
        self.roles.get(&id).ok_or_else(|| self.missing("role", id))
    }

    pub(crate) fn permission(&self, id: PermissionId) -> Result<&Permission, Error> {
        self.permissions.get(&id).ok_or_else(|| self.missing("permission", id))
    }

    /// A group in words, by the names that people know.
    pub(crate) fn group_text(&self, group: &Group) -> String {
        let team = |id: &TeamId| match self.teams.get(id) {
            Some(team) => format!("team `{}`", team.name),
            None => format!("team `{id}`"),
        };
        match group {
            Group::Anyone => "those who may approve there".to_owned(),
            Group::ProjectRole(id) => match self.roles.get(id) {
                Some(role) => format!("`{}`", role.name),
                None => format!("`{id}`"),
            },
            Group::TeamRole { team: Some(id), role } => {
                format!("{} of {}", role.as_str(), team(id))
            }
            Group::TeamRole { team: None, role } => {
                format!("{} of a team of the module", role.as_str())
            }
            Group::Team(id) => team(id),
            Group::Person(id) => format!("`{id}`"),
        }
    }

    /// The rules that say which quorum holds, the first to be asked first.
    pub(crate) fn rules_in_order(&self) -> Vec<&QuorumRule> {
        let mut rules: Vec<_> = self.quorum_rules.values().collect();
        rules.sort_by_key(|rule| (rule.position, rule.id));
        rules
    }

    pub(crate) fn missing(&self, what: &str, id: impl core::fmt::Display) -> Error {
        let code = &self.project.code;
        Error::new(Code::NotFound, format!("project `{code}` has no {what} `{id}`"))
            .with_help(format!("name a {what} of this project"))
    }
}

/// The name of an epoch or of a platform-wide row.
pub(crate) const PLATFORM: &str = "platform";

/// The path of a user's global role row.
pub(crate) fn global_role_path(role: GlobalRole, user: UserId) -> [String; 2] {
    [role.as_str().to_owned(), user.to_string()]
}
