//! The smallest organisation in which a change can be asked for, agreed to and run.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::authz::Action;
use crate::error::Error;
use crate::gate::{Gate, NewArtifact, NewRequest};
use crate::id::{EnvironmentId, ModuleId, ProjectId, UserId};
use crate::identity::Caller;
use crate::limits::Limits;
use crate::org::command::{
    AddMember, AllowRole, ApplyRoleTemplate, AssignModule, AssignRole, CreateEnvironment,
    CreateModule, CreatePermission, CreateProject, CreateRole, CreateTeam, CreateUser,
    RoleTemplate,
};
use crate::org::{Criticality, Interval, Permission, RolePermission, TeamRole, UserKind};
use crate::request::{Change, Request};
use crate::store::MemoryStore;
use crate::testing::Bench;

/// One project, one module, one environment, one team, and three people: `root` administers, `ana`
/// asks, `bo` approves and runs.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let request = office.pending(&gate)?.header;
/// let digest = request.change_digest()?;
/// let error = gate.approve(&office.ana, request.id, digest, None).expect_err("she only asks");
/// assert_eq!(error.code(), Code::Denied);
/// assert!(gate.approve(&office.bo, request.id, digest, None).is_ok());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Office {
    /// PLATFORM_ADMIN.
    pub root: Caller,
    /// May request and read.
    pub ana: Caller,
    /// May approve and execute.
    pub bo: Caller,
    /// The project `shop`.
    pub project: ProjectId,
    /// Its module `pagos`.
    pub module: ModuleId,
    /// Its environment `dev`.
    pub environment: EnvironmentId,
}

impl Office {
    /// Opens a gate in memory, every part of it under the test's control, and builds the office in it.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// assert_eq!(gate.projects(&office.ana)?.len(), 1);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn in_memory() -> Result<(Gate, Self), Error> {
        let gate = Gate::new(Bench::on(Arc::new(MemoryStore::default()))?.parts);
        let office = Self::found(&gate)?;
        Ok((gate, office))
    }

    /// Builds it on an empty store, through the gate.
    ///
    /// Fails with [`crate::error::Code::AlreadyBootstrapped`] when the store is not empty.
    pub fn found(gate: &Gate) -> Result<Self, Error> {
        let root = Caller::authenticated(gate.bootstrap(&user("root")?)?);
        let (code, name) = ("shop".parse()?, "Shop".parse()?);
        let project = gate.administer(&root, &CreateProject { code, name })?;
        let (code, name) = ("pagos".parse()?, "Pagos".parse()?);
        let module = gate.manage(&root, &CreateModule { project, code, name })?;
        let (code, name) = ("dev".parse()?, "Development".parse()?);
        let criticality = Criticality::Low;
        let dev = CreateEnvironment { project, code, name, priority: 1, criticality };
        let environment = gate.manage(&root, &dev)?;
        let team = gate.manage(&root, &CreateTeam { project, name: "Checkout".parse()? })?;
        gate.manage(&root, &AssignModule { project, team, module })?;
        let person = |name: &str, actions: &[Action]| -> Result<UserId, Error> {
            let user = gate.administer(&root, &user(name)?)?;
            let valid = Interval::starting(gate.now());
            let role = TeamRole::Member;
            gate.manage(&root, &AddMember { project, team, user, role, valid })?;
            let role = gate.manage(&root, &CreateRole { project, name: name.parse()? })?;
            for action in actions {
                let (action, environment) = (action.clone(), None);
                let command = CreatePermission { project, module: None, environment, action };
                let permission = gate.manage(&root, &command)?;
                gate.manage(&root, &AllowRole { project, role, permission })?;
            }
            gate.manage(&root, &AssignRole { project, user, role, valid })?;
            Ok(user)
        };
        let ana = Caller::authenticated(person("ana", &[Action::REQUEST, Action::READ])?);
        let bo = Caller::authenticated(person("bo", &[Action::APPROVE, Action::EXECUTE])?);
        Ok(Self { root, ana, bo, project, module, environment })
    }

    /// An office that was founded before, from the texts of its six ids in the order of the fields.
    ///
    /// Fails with [`crate::error::Code::InvalidInput`] when one is missing or is not an id of its kind.
    pub fn at(ids: &[&str]) -> Result<Self, Error> {
        let text = |position: usize| ids.get(position).copied().unwrap_or_default();
        let caller = |position| Ok::<_, Error>(Caller::authenticated(text(position).parse()?));
        Ok(Self {
            root: caller(0)?,
            ana: caller(1)?,
            bo: caller(2)?,
            project: text(3).parse()?,
            module: text(4).parse()?,
            environment: text(5).parse()?,
        })
    }

    /// Lets Ana and Bo manage the project too: for what needs more than one person.
    pub fn let_all_manage(&self, gate: &Gate) -> Result<(), Error> {
        let (project, module, environment, action) = (self.project, None, None, Action::MANAGE);
        let shop = gate.organisation(&self.root, project)?;
        let whole = |row: &&Permission| {
            row.action == action && row.module_id.is_none() && row.environment_id.is_none()
        };
        let held = shop.permissions.iter().find(whole).map(|row| row.id);
        let command = CreatePermission { project, module, environment, action: action.clone() };
        let permission = held.map_or_else(|| gate.manage(&self.root, &command), Ok)?;
        for role in shop.roles {
            let has =
                |row: &&RolePermission| row.role_id == role.id && row.permission_id == permission;
            if shop.role_permissions.iter().any(|row| has(&row)) {
                continue;
            }
            gate.manage(&self.root, &AllowRole { project, role: role.id, permission })?;
        }
        Ok(())
    }

    /// A request of Ana's that has a plan and was submitted: it waits for Bo's yes.
    pub fn pending(&self, gate: &Gate) -> Result<Request, Error> {
        let id =
            gate.draft(&self.ana, &self.request(self.change("\"raise the price\"")?))?.header.id;
        gate.plan(&self.ana, id)?;
        gate.submit(&self.ana, id)
    }

    /// A request of Ana's that Bo approved: it may run.
    pub fn approved(&self, gate: &Gate) -> Result<Request, Error> {
        let header = self.pending(gate)?.header;
        gate.approve(&self.bo, header.id, header.change_digest()?, None)
    }

    /// Adds an agent that reports checks and may read, as a host's CI would be, and answers it.
    pub fn with_check(&self, gate: &Gate) -> Result<Caller, Error> {
        let (root, project) = (&self.root, self.project);
        let agent = CreateUser { kind: UserKind::Agent, ..user("ci")? };
        let user = gate.administer(root, &agent)?;
        let shop = gate.organisation(root, project)?;
        let valid = Interval::starting(gate.now());
        for team in shop.teams {
            let (team, role) = (team.id, TeamRole::Member);
            gate.manage(root, &AddMember { project, team, user, role, valid })?;
        }
        let role = gate.manage(root, &CreateRole { project, name: "ci".parse()? })?;
        for action in [Action::CHECK, Action::READ] {
            let held = shop.permissions.iter().find(|row| row.action == action).map(|row| row.id);
            let (module, environment) = (None, None);
            let command = CreatePermission { project, module, environment, action };
            let permission = held.map_or_else(|| gate.manage(root, &command), Ok)?;
            gate.manage(root, &AllowRole { project, role, permission })?;
        }
        gate.manage(root, &AssignRole { project, user, role, valid })?;
        Ok(Caller::authenticated(user))
    }

    /// A change for the scripted runner. `payload` is any JSON text.
    ///
    /// Fails as [`Change::new`] does.
    pub fn change(&self, payload: &str) -> Result<Change, Error> {
        Change::new("sql".parse()?, "shop".parse()?, payload, &Limits::default())
    }

    /// Makes the roles of the workflow `artifact`: Ana is EDITOR from now on, and Bo ADMIN.
    pub fn give_artifact_roles(&self, gate: &Gate) -> Result<(), Error> {
        let (project, template) = (self.project, RoleTemplate::Artifact);
        let roles = gate.manage(&self.root, &ApplyRoleTemplate { project, template })?;
        let held = gate.organisation(&self.root, project)?.grants;
        for (user, name) in [(self.ana.user(), "EDITOR"), (self.bo.user(), "ADMIN")] {
            let role = roles.iter().find(|role| role.name.as_str() == name).map(|role| role.id);
            let has = held.iter().any(|row| row.user_id == user && Some(row.role_id) == role);
            if let Some(role) = role.filter(|_| !has) {
                let valid = Interval::starting(gate.now());
                gate.manage(&self.root, &AssignRole { project, user, role, valid })?;
            }
        }
        Ok(())
    }

    /// The user story of that number, drafted by Ana. She is EDITOR from then on, and Bo ADMIN.
    pub fn artifact(&self, gate: &Gate, number: i64) -> Result<Request, Error> {
        self.give_artifact_roles(gate)?;
        gate.draft_artifact(&self.ana, &self.new_artifact(number)?)
    }

    /// The user story of that number: it waits for Bo's yes.
    pub fn pending_artifact(&self, gate: &Gate, number: i64) -> Result<Request, Error> {
        let id = self.artifact(gate, number)?.header.id;
        gate.submit(&self.ana, id)
    }

    /// The user story of that number, which Bo approved.
    pub fn approved_artifact(&self, gate: &Gate, number: i64) -> Result<Request, Error> {
        let header = self.pending_artifact(gate, number)?.header;
        gate.approve(&self.bo, header.id, header.change_digest()?, None)
    }

    /// A user story of this office.
    pub fn new_artifact(&self, number: i64) -> Result<NewArtifact, Error> {
        Ok(NewArtifact {
            project: self.project,
            module: self.module,
            environment: self.environment,
            artifact_type: "USER_STORY".parse()?,
            artifact_id: number,
            title: "a user story".to_owned(),
            body: r#"{"i_want":"to pay by card"}"#.to_owned(),
            runner: "sql".parse()?,
            target: "shop".parse()?,
            depends_on: BTreeSet::new(),
        })
    }

    /// A request of this office for `change`.
    pub fn request(&self, change: Change) -> NewRequest {
        NewRequest {
            project: self.project,
            module: self.module,
            environment: self.environment,
            title: "a change".to_owned(),
            change,
        }
    }
}

fn user(name: &str) -> Result<CreateUser, Error> {
    Ok(CreateUser {
        kind: UserKind::Person,
        email: format!("{name}@example.org").parse()?,
        display_name: name.parse()?,
    })
}
