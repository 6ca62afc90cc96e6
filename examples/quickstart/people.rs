//! The organisation of the story: a project, two modules, two environments, two teams, four people.

use placet::authz::Action;
use placet::clock::{Clock as _, Timestamp};
use placet::error::Error;
use placet::id::{EnvironmentId, ModuleId, ProjectId, UserId};
use placet::identity::Caller;
use placet::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreateEnvironment, CreateModule,
    CreatePermission, CreateProject, CreateRole, CreateTeam, CreateUser, SetQuorum,
};
use placet::org::{Criticality, Interval, TeamRole, UserKind};
use placet::request::Quorum;
use placet::{Gate, SystemClock};

/// Everyone and everywhere, by id.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) root: Caller,
    pub(crate) ana: Caller,
    pub(crate) bruno: Caller,
    pub(crate) dora: Caller,
    pub(crate) project: ProjectId,
    pub(crate) pagos: ModuleId,
    pub(crate) dev: EnvironmentId,
}

const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

fn user(name: &str) -> Result<CreateUser, Error> {
    Ok(CreateUser {
        kind: UserKind::Person,
        email: format!("{}@example.org", name.to_lowercase()).parse()?,
        display_name: name.parse()?,
    })
}

impl Shop {
    /// Builds the organisation, one authorized command after the other.
    pub(crate) fn found(gate: &Gate) -> Result<Self, Error> {
        let root = Caller::authenticated(gate.bootstrap(&user("Root")?)?);
        let new_user = |name: &str| gate.administer(&root, &user(name)?);
        let (ana, bruno, dora) = (new_user("Ana")?, new_user("Bruno")?, new_user("Dora")?);
        let (code, name) = ("shop".parse()?, "Shop".parse()?);
        let project = gate.administer(&root, &CreateProject { code, name })?;
        let module = |code: &str, name: &str| {
            let (code, name) = (code.parse()?, name.parse()?);
            gate.manage(&root, &CreateModule { project, code, name })
        };
        let (pagos, logistica) = (module("pagos", "Pagos")?, module("logistica", "Logística")?);
        let environment = |code: &str, name: &str, priority, criticality| {
            let (code, name) = (code.parse()?, name.parse()?);
            let command = CreateEnvironment { project, code, name, priority, criticality };
            gate.manage(&root, &command)
        };
        let dev = environment("dev", "Development", 1, Criticality::Medium)?;
        environment("prod", "Production", 2, Criticality::Critical)?;

        let now = SystemClock::default().now();
        let staff = Staff { gate, root, project, now };
        staff.team(
            "Checkout Team",
            pagos,
            &[(bruno, TeamRole::LeaderPrimary), (ana, TeamRole::Member)],
        )?;
        staff.team("Logistics Team", logistica, &[(dora, TeamRole::LeaderPrimary)])?;
        let everyone = Interval::starting(now);
        let this_week = Interval::new(now, Some(now.plus_ms(WEEK_MS)))?;
        // Ana asks everywhere and runs in dev. This week she also stands in as tech lead.
        let developer =
            [(Action::REQUEST, None), (Action::READ, None), (Action::EXECUTE, Some(dev))];
        let lead = [(Action::APPROVE, None), (Action::EXECUTE, None)];
        staff.role(
            "Developer",
            &developer,
            &[(ana, everyone), (bruno, everyone), (dora, everyone)],
        )?;
        let lead = staff.role(
            "Tech Lead",
            &lead,
            &[(bruno, everyone), (dora, everyone), (ana, this_week)],
        )?;
        let quorum = Quorum::n_of(1, Some(lead))?;
        gate.manage(&root, &SetQuorum { project, environment: dev, quorum })?;
        let [ana, bruno, dora] = [ana, bruno, dora].map(Caller::authenticated);
        Ok(Self { root, ana, bruno, dora, project, pagos, dev })
    }
}

struct Staff<'a> {
    gate: &'a Gate,
    root: Caller,
    project: ProjectId,
    now: Timestamp,
}

impl Staff<'_> {
    fn team(
        &self,
        name: &str,
        module: ModuleId,
        people: &[(UserId, TeamRole)],
    ) -> Result<(), Error> {
        let Self { gate, root, project, now } = self;
        let team = gate.manage(root, &CreateTeam { project: *project, name: name.parse()? })?;
        gate.manage(root, &AssignModule { project: *project, team, module })?;
        for (user, role) in people {
            let (user, role, valid) = (*user, *role, Interval::starting(*now));
            gate.manage(root, &AddMember { project: *project, team, user, role, valid })?;
        }
        Ok(())
    }

    fn role(
        &self,
        name: &str,
        allowed: &[(Action, Option<EnvironmentId>)],
        people: &[(UserId, Interval)],
    ) -> Result<placet::id::RoleId, Error> {
        let Self { gate, root, project, now: _ } = self;
        let project = *project;
        let role = gate.manage(root, &CreateRole { project, name: name.parse()? })?;
        for (action, environment) in allowed {
            let (action, environment) = (action.clone(), *environment);
            let command = CreatePermission { project, module: None, environment, action };
            let permission = gate.manage(root, &command)?;
            gate.manage(root, &AllowRole { project, role, permission })?;
        }
        for (user, valid) in people {
            gate.manage(root, &AssignRole { project, user: *user, role, valid: *valid })?;
        }
        Ok(role)
    }
}
