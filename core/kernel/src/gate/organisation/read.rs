//! Looking at the organisation: what the commands need the ids of, and what an auditor reads.

use core::fmt;

use crate::authz::{Action, Audit, PermissionContext, PermissionString, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::request::read::{Cursor, Page};
use crate::id::{EnvironmentId, ProjectId};
use crate::identity::Caller;
use crate::org::book::Book;
use crate::org::command::CreatePermission;
use crate::org::{
    AllowedWorkflows, ArtifactForm, AutoApproval, BlockingRule, Environment, ExecutionRule,
    GlobalRoleGrant, Governance, Grant, Membership, Module, Permission, Project, PromotionRule,
    QuorumRule, Role, RolePermission, RunnerSettings, Team, TeamModule, User,
};
use crate::request::Quorum;
use crate::store::records;

/// Everything that is stored of one project's organisation, at one moment.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let shop = gate.organisation(&office.root, office.project)?;
/// assert_eq!(shop.project.code.as_str(), "shop");
/// // The modules that the first team looks after, by code.
/// let mine = shop.team_modules.iter().filter(|link| link.team_id == shop.teams[0].id);
/// let codes: Vec<_> = mine
///     .filter_map(|link| shop.modules.iter().find(|module| module.id == link.module_id))
///     .map(|module| module.code.as_str())
///     .collect();
/// assert_eq!(codes, ["pagos"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Organisation {
    /// The project.
    pub project: Project,
    /// Its environments, by priority.
    pub environments: Vec<Environment>,
    /// Its modules.
    pub modules: Vec<Module>,
    /// Its teams.
    pub teams: Vec<Team>,
    /// Which team looks after which module.
    pub team_modules: Vec<TeamModule>,
    /// Who is in which team, and when.
    pub memberships: Vec<Membership>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its catalogue of permissions.
    pub permissions: Vec<Permission>,
    /// Which role has which permission.
    pub role_permissions: Vec<RolePermission>,
    /// Who holds which role, and when.
    pub grants: Vec<Grant>,
    /// Which approvals are enough, by environment. Where there is none, [`Quorum::default`] holds.
    pub quorums: Vec<(EnvironmentId, Quorum)>,
    /// Where it was said whether artifacts of agents are approved by rule. Elsewhere they are not.
    pub auto_approvals: Vec<AutoApproval>,
    /// Through which workflows requests may go, by environment. Where there is none, any.
    pub allowed_workflows: Vec<AllowedWorkflows>,
    /// What artifacts must say, by type.
    pub artifact_forms: Vec<ArtifactForm>,
    /// Which quorum holds for which requests: the first that fits, before what the environment says.
    pub quorum_rules: Vec<QuorumRule>,
    /// What stops approvals.
    pub blocking_rules: Vec<BlockingRule>,
    /// Which commands need approval themselves, where any do.
    pub governance: Option<Governance>,
    /// From where changes come to which environment.
    pub promotions: Vec<PromotionRule>,
    /// How changes are executed in which environment. Where there is no rule, somebody starts each run.
    pub executions: Vec<ExecutionRule>,
    /// The settings of its runners.
    pub runner_settings: Vec<RunnerSettings>,
}

impl Organisation {
    /// A permission of this project's catalogue as `context:module:environment:action`, by codes.
    ///
    /// Fails with [`Code::NotFound`] where its module or environment is not in this organisation, and with
    /// [`Code::InvalidInput`] for a project whose code is a context, as older versions let it be.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let shop = gate.organisation(&office.root, office.project)?;
    /// let mut texts = Vec::new();
    /// for permission in &shop.permissions {
    ///     texts.push(shop.permission_string(permission)?.to_string());
    /// }
    /// texts.sort();
    /// assert_eq!(texts, ["shop:*:*:approve", "shop:*:*:execute", "shop:*:*:read", "shop:*:*:request"]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn permission_string(&self, permission: &Permission) -> Result<PermissionString, Error> {
        if permission.project_id != self.project.id {
            return Err(self.missing("permission", &permission.id));
        }
        let module = permission.module_id.map(|id| {
            let found = self.modules.iter().find(|row| row.id == id);
            found.map(|row| row.code.clone()).ok_or_else(|| self.missing("module", &id))
        });
        let environment = permission.environment_id.map(|id| {
            let found = self.environments.iter().find(|row| row.id == id);
            found.map(|row| row.code.clone()).ok_or_else(|| self.missing("environment", &id))
        });
        PermissionString::of(
            self.project.code.clone(),
            module.transpose()?,
            environment.transpose()?,
            permission.action.clone(),
        )
    }

    /// The command that adds what a text permits to this project's catalogue: its codes become ids.
    ///
    /// Fails with [`Code::NotFound`] where the project has no such module or environment, and with
    /// [`Code::InvalidInput`] where the text is about another project, about all or about the platform, or leaves
    /// the action open.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let shop = gate.organisation(&office.root, office.project)?;
    /// let command = shop.create_permission(&"shop:pagos:dev:deploy".parse()?)?;
    /// assert_eq!((command.module, command.environment), (Some(office.module), Some(office.environment)));
    /// gate.manage(&office.root, &command)?;
    ///
    /// let error = shop.create_permission(&"shop:pagos:moon:deploy".parse()?).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// assert_eq!(error.to_string(), "project `shop` has no environment `moon`");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn create_permission(&self, text: &PermissionString) -> Result<CreatePermission, Error> {
        let code = &self.project.code;
        if *text.context() != PermissionContext::Project(code.clone()) {
            let sentence = format!("`{text}` is not a permission of project `{code}`");
            return Err(Error::new(Code::InvalidInput, sentence)
                .with_help(format!("write `{code}` as its first part")));
        }
        let Some(action) = text.action().cloned() else {
            return Err(Error::new(Code::InvalidInput, format!("`{text}` names no action"))
                .with_help("write a permission for each action"));
        };
        let module = text.module().map(|code| {
            let found = self.modules.iter().find(|row| row.code == *code);
            found.map(|row| row.id).ok_or_else(|| self.missing("module", code))
        });
        let environment = text.environment().map(|code| {
            let found = self.environments.iter().find(|row| row.code == *code);
            found.map(|row| row.id).ok_or_else(|| self.missing("environment", code))
        });
        let (module, environment) = (module.transpose()?, environment.transpose()?);
        Ok(CreatePermission { project: self.project.id, module, environment, action })
    }

    fn missing(&self, what: &str, which: &dyn fmt::Display) -> Error {
        let code = &self.project.code;
        Error::new(Code::NotFound, format!("project `{code}` has no {what} `{which}`"))
            .with_help(format!("name a {what} of this project"))
    }
}

impl Gate {
    /// The organisation of a project. Whoever may read the whole project or manages it may, and AUDITOR.
    /// Fails with [`crate::error::Code::NotFound`] for everybody else.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let roles = gate.organisation(&office.root, office.project)?.roles;
    /// assert!(roles.iter().any(|role| role.name.as_str() == "bo"));
    /// // Bo approves and runs, and may not read.
    /// let error = gate.organisation(&office.bo, office.project).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn organisation(&self, caller: &Caller, project: ProjectId) -> Result<Organisation, Error> {
        let what = format!("project `{project}`");
        self.consult(|txn| {
            let shelf = txn.shelf(project)?.ok_or_else(|| not_found(&what))?;
            let scope = Scope::project(project);
            let mut may = false;
            for action in [Action::READ, Action::MANAGE] {
                may = may || txn.quietly(caller.user(), &action, scope)?.is_allowed();
            }
            if !may {
                return Err(not_found(&what));
            }
            let book = &shelf.book;
            let mut environments: Vec<Environment> = book.environments.values().cloned().collect();
            environments.sort_by_key(|row| row.priority);
            let team_modules = book.team_modules.iter();
            let role_permissions = book.role_permissions.iter();
            Ok(Organisation {
                project: book.project.clone(),
                environments,
                modules: book.modules.values().cloned().collect(),
                teams: book.teams.values().cloned().collect(),
                team_modules: team_modules
                    .map(|&(team_id, module_id)| TeamModule { team_id, module_id })
                    .collect(),
                memberships: book.memberships.values().cloned().collect(),
                roles: book.roles.values().cloned().collect(),
                permissions: book.permissions.values().cloned().collect(),
                role_permissions: role_permissions
                    .map(|&(role_id, permission_id)| RolePermission { role_id, permission_id })
                    .collect(),
                grants: book.grants.values().cloned().collect(),
                quorum_rules: book.rules_in_order().into_iter().cloned().collect(),
                blocking_rules: book.blocking_rules.values().cloned().collect(),
                quorums: book.quorums.iter().map(|(id, quorum)| (*id, quorum.clone())).collect(),
                auto_approvals: book
                    .auto_approvals
                    .iter()
                    .map(|(id, is_on)| AutoApproval { environment_id: *id, is_on: *is_on })
                    .collect(),
                allowed_workflows: allowed_workflows(book),
                artifact_forms: artifact_forms(book),
                governance: book.governance.clone(),
                promotions: book.promotions.values().copied().collect(),
                executions: book.executions.values().cloned().collect(),
                runner_settings: book.runner_settings.values().cloned().collect(),
            })
        })
    }

    /// The users of the platform, in the order in which they were added. For PLATFORM_ADMIN and AUDITOR.
    /// At most [`crate::limits::Limits::page_rows_max`] at a time.
    ///
    /// Fails with [`crate::error::Code::Denied`] for everybody else.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let users = gate.users(&office.root, None)?.items;
    /// let emails: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
    /// assert_eq!(emails, ["root@example.org", "ana@example.org", "bo@example.org"]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn users(&self, caller: &Caller, after: Option<&Cursor>) -> Result<Page<User>, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "list of users")?;
            permit.spend_on(&Scope::Platform)?;
            self.page(&records::key_of::<User>(&[]), after)
        })
    }

    /// Who holds which global role. For PLATFORM_ADMIN and AUDITOR.
    /// Fails with [`crate::error::Code::Denied`] for everybody else.
    ///
    /// ```
    /// use placet_core::org::{GlobalRole, command::GrantGlobalRole};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let command = GrantGlobalRole { user: office.bo.user(), role: GlobalRole::Auditor };
    /// gate.administer(&office.root, &command)?;
    /// let rows = gate.global_roles(&office.bo)?; // as AUDITOR
    /// let auditors: Vec<_> = rows.iter().filter(|row| row.role == GlobalRole::Auditor).collect();
    /// assert_eq!(auditors[0].user_id, office.bo.user());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn global_roles(&self, caller: &Caller) -> Result<Vec<GlobalRoleGrant>, Error> {
        self.consult(|txn| {
            let permit =
                txn.ask::<Audit>(caller.user(), Scope::Platform, "list of global roles")?;
            permit.spend_on(&Scope::Platform)?;
            self.scan_all(&records::key_of::<GlobalRoleGrant>(&[]))
        })
    }
}

fn allowed_workflows(book: &Book) -> Vec<AllowedWorkflows> {
    let rows = book.allowed_workflows.iter().map(|(environment, workflows)| AllowedWorkflows {
        environment_id: *environment,
        workflows: workflows.clone(),
    });
    rows.collect()
}

fn artifact_forms(book: &Book) -> Vec<ArtifactForm> {
    let rows = book.artifact_forms.iter().map(|(artifact_type, form)| ArtifactForm {
        artifact_type: artifact_type.clone(),
        form: form.clone(),
    });
    rows.collect()
}
