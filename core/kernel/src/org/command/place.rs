//! Environments and modules.

use super::auto_approval::switched_off;
use super::rule::{check_quorum, is_condition, people_of};
use super::{Decided, Desk, ProjectCommand, in_use, taken};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ModuleId, ProjectId, UserId};
use crate::org::{
    AllowedWorkflows, AutoApproval, Criticality, Environment, EnvironmentQuorum, Module, Name, Row,
    Slug,
};
use crate::request::Quorum;
use serde::{Deserialize, Serialize};

/// Adds an environment. Its code must be new within the project.
///
/// Fails with [`Code::AlreadyExists`] where it is not.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::Criticality;
/// use placet_core::org::command::CreateEnvironment;
///
/// let prod = CreateEnvironment {
///     project: office.project,
///     code: "prod".parse()?,
///     name: "Production".parse()?,
///     priority: 3,
///     criticality: Criticality::Critical,
/// };
/// let prod = gate.manage(&office.root, &prod)?;
/// // Listed by priority: after `dev`, which has 1.
/// let environments = gate.organisation(&office.root, office.project)?.environments;
/// assert!(environments.iter().map(|row| row.id).eq([office.environment, prod]));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateEnvironment {
    /// The project.
    pub project: ProjectId,
    /// Its code, such as `prod`.
    pub code: Slug,
    /// What people see.
    pub name: Name,
    /// Where it stands in a list, ascending.
    pub priority: u32,
    /// How much harm a change there can do.
    pub criticality: Criticality,
}

/// Changes an environment's name, place in lists and criticality. Its code stays. One that is no longer of the lowest
/// criticality has no approvals by rule from then on ([`super::SetAutoApproveAi`]).
///
/// Fails with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::Criticality;
/// use placet_core::org::command::UpdateEnvironment;
///
/// let stricter = UpdateEnvironment {
///     project: office.project,
///     environment: office.environment,
///     name: "Development".parse()?,
///     priority: 1,
///     criticality: Criticality::High,
/// };
/// gate.manage(&office.root, &stricter)?;
/// let environments = gate.organisation(&office.root, office.project)?.environments;
/// assert_eq!(environments[0].criticality, Criticality::High);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct UpdateEnvironment {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// What people see.
    pub name: Name,
    /// Where it stands in a list, ascending.
    pub priority: u32,
    /// How much harm a change there can do.
    pub criticality: Criticality,
}

/// Removes an environment that no permission and no request refers to.
///
/// Its quorum and its other rules go with it. Fails with [`Code::InUse`] while one does, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::RemoveEnvironment;
///
/// office.pending(&gate)?; // a request for `dev`
/// let command = RemoveEnvironment { project: office.project, environment: office.environment };
/// assert_eq!(gate.manage(&office.root, &command).unwrap_err().code(), Code::InUse);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RemoveEnvironment {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
}

/// Says which approvals are enough in an environment.
///
/// Fails with [`Code::NotFound`] for an environment, role, team or person that there is not, and with
/// [`Code::InvalidInput`] as [`Quorum::new`] does, also for an agent.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::SetQuorum;
/// use placet_core::request::Quorum;
///
/// let (project, environment) = (office.project, office.environment);
/// gate.manage(&office.root, &SetQuorum { project, environment, quorum: Quorum::n_of(2, None)? })?;
/// // Only Bo could approve here: a request that nobody can ever agree to is not accepted.
/// assert_eq!(office.pending(&gate).unwrap_err().code(), Code::QuorumUnsatisfiable);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetQuorum {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// Which approvals are enough. Requests that are pending keep the one they were submitted under.
    pub quorum: Quorum,
}

/// Adds a module. Its code must be new within the project.
///
/// Fails with [`Code::AlreadyExists`] where it is not.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::CreateModule;
///
/// let (code, name) = ("catalog".parse()?, "Catalog".parse()?);
/// let catalog = gate.manage(&office.root, &CreateModule { project: office.project, code, name })?;
/// assert_ne!(catalog, office.module);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateModule {
    /// The project.
    pub project: ProjectId,
    /// Its code, such as `pagos`.
    pub code: Slug,
    /// What people see.
    pub name: Name,
}

/// Changes a module's name. Its code stays.
///
/// Fails with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::UpdateModule;
///
/// let (project, module) = (office.project, office.module);
/// gate.manage(&office.root, &UpdateModule { project, module, name: "Payments".parse()? })?;
/// let modules = gate.organisation(&office.root, project)?.modules;
/// assert_eq!((modules[0].code.as_str(), modules[0].name.as_str()), ("pagos", "Payments"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct UpdateModule {
    /// The project.
    pub project: ProjectId,
    /// The module.
    pub module: ModuleId,
    /// What people see.
    pub name: Name,
}

/// Removes a module that no team, permission or request refers to.
///
/// Fails with [`Code::InUse`] while one does, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::{RemoveModule, UnassignModule};
///
/// let (project, module) = (office.project, office.module);
/// let remove = RemoveModule { project, module };
/// assert_eq!(gate.manage(&office.root, &remove).unwrap_err().code(), Code::InUse);
///
/// let team = gate.organisation(&office.root, project)?.teams[0].id;
/// gate.manage(&office.root, &UnassignModule { project, team, module })?;
/// gate.manage(&office.root, &remove)?;
/// assert!(gate.organisation(&office.root, project)?.modules.is_empty());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RemoveModule {
    /// The project.
    pub project: ProjectId,
    /// The module.
    pub module: ModuleId,
}

impl ProjectCommand for CreateEnvironment {
    type Output = EnvironmentId;
    const EVENT: Event = Event::OrgEnvironmentCreated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<EnvironmentId>, Error> {
        if desk.book.environments.values().any(|row| row.code == self.code) {
            return Err(taken("environment", self.code.as_str()));
        }
        let id = EnvironmentId::from_u128(desk.ids.next());
        let row = Environment {
            id,
            project_id: self.project,
            code: self.code.clone(),
            name: self.name.clone(),
            priority: self.priority,
            criticality: self.criticality,
        };
        Ok(Decided::put(Row::Environment(row), id))
    }
}

impl ProjectCommand for UpdateEnvironment {
    type Output = ();
    const EVENT: Event = Event::OrgEnvironmentUpdated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let row = Environment {
            name: self.name.clone(),
            priority: self.priority,
            criticality: self.criticality,
            ..desk.book.environment(self.environment)?.clone()
        };
        let off = switched_off(desk, &row);
        let put = core::iter::once(Row::Environment(row)).chain(off).collect();
        Ok(Decided { put, remove: Vec::new(), output: () })
    }
}

impl ProjectCommand for RemoveEnvironment {
    type Output = ();
    const EVENT: Event = Event::OrgEnvironmentRemoved;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn removes(&self) -> Option<String> {
        Some(self.environment.to_string())
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let row = desk.book.environment(self.environment)?;
        if desk.book.permissions.values().any(|p| p.environment_id == Some(row.id)) {
            return Err(in_use("environment", "permissions"));
        }
        if is_condition(desk.book, |when| when.environments.contains(&row.id)) {
            return Err(in_use("environment", "rules"));
        }
        if desk.in_use {
            return Err(Error::new(Code::InUse, "requests refer to this environment")
                .with_help("keep it; a request's history needs its environment"));
        }
        let mut decided = Decided::remove(Row::Environment(row.clone()), ());
        if let Some(quorum) = desk.book.quorums.get(&row.id) {
            let rule = EnvironmentQuorum { environment_id: row.id, quorum: quorum.clone() };
            decided.remove.push(Row::Quorum(rule));
        }
        if let Some(is_on) = desk.book.auto_approvals.get(&row.id) {
            let rule = AutoApproval { environment_id: row.id, is_on: *is_on };
            decided.remove.push(Row::AutoApproval(rule));
        }
        if let Some(workflows) = desk.book.allowed_workflows.get(&row.id) {
            let (environment_id, workflows) = (row.id, workflows.clone());
            let rule = AllowedWorkflows { environment_id, workflows };
            decided.remove.push(Row::AllowedWorkflows(rule));
        }
        if desk.book.promotions.values().any(|rule| rule.from == row.id) {
            return Err(in_use("environment", "promotions"));
        }
        decided.remove.extend(desk.book.promotions.get(&row.id).copied().map(Row::Promotion));
        let executions = desk.book.executions.values();
        let its = executions.filter(|rule| rule.environment_id == row.id);
        decided.remove.extend(its.cloned().map(Row::Execution));
        let settings = desk.book.runner_settings.values();
        let its = settings.filter(|rule| rule.environment_id == row.id);
        decided.remove.extend(its.cloned().map(Row::RunnerSettings));
        Ok(decided)
    }
}

impl ProjectCommand for SetQuorum {
    type Output = ();
    const EVENT: Event = Event::OrgQuorumSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn names(&self) -> Vec<UserId> {
        people_of(&self.quorum)
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        check_quorum(desk, &self.quorum)?;
        let environment_id = desk.book.environment(self.environment)?.id;
        let rule = EnvironmentQuorum { environment_id, quorum: self.quorum.clone() };
        Ok(Decided::put(Row::Quorum(rule), ()))
    }
}

impl ProjectCommand for CreateModule {
    type Output = ModuleId;
    const EVENT: Event = Event::OrgModuleCreated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<ModuleId>, Error> {
        if desk.book.modules.values().any(|row| row.code == self.code) {
            return Err(taken("module", self.code.as_str()));
        }
        let id = ModuleId::from_u128(desk.ids.next());
        let (code, name) = (self.code.clone(), self.name.clone());
        Ok(Decided::put(Row::Module(Module { id, project_id: self.project, code, name }), id))
    }
}

impl ProjectCommand for UpdateModule {
    type Output = ();
    const EVENT: Event = Event::OrgModuleUpdated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let row = Module { name: self.name.clone(), ..desk.book.module(self.module)?.clone() };
        Ok(Decided::put(Row::Module(row), ()))
    }
}

impl ProjectCommand for RemoveModule {
    type Output = ();
    const EVENT: Event = Event::OrgModuleRemoved;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn removes(&self) -> Option<String> {
        Some(self.module.to_string())
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let row = desk.book.module(self.module)?;
        if desk.book.team_modules.iter().any(|(_, module)| *module == row.id) {
            return Err(in_use("module", "teams"));
        }
        if desk.book.permissions.values().any(|p| p.module_id == Some(row.id)) {
            return Err(in_use("module", "permissions"));
        }
        if is_condition(desk.book, |when| when.modules.contains(&row.id)) {
            return Err(in_use("module", "rules"));
        }
        if desk.in_use {
            return Err(Error::new(Code::InUse, "requests refer to this module")
                .with_help("keep it; a request's history needs its module"));
        }
        Ok(Decided::remove(Row::Module(row.clone()), ()))
    }
}
