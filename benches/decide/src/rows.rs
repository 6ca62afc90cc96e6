//! A world as rows of the product.

use std::collections::BTreeSet;

use placet_core::authz::{Action, Facts, GrantRows, IndexBuilder, MembershipRows, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use placet_core::org;

use crate::world::{self, ACTIONS, NOW, OPEN, World};

/// All rows, ready to be handed over.
#[derive(Debug)]
pub(crate) struct Rows {
    users: Vec<org::User>,
    projects: Vec<org::Project>,
    rows: Vec<(ProjectId, org::Row)>,
}

fn text<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("what the bench writes is well formed")
}

pub(crate) fn user(world: &World, user: u32) -> org::User {
    let person = &world.users[user as usize];
    org::User {
        id: UserId::from_u128(person.id),
        kind: if person.is_agent { org::UserKind::Agent } else { org::UserKind::Person },
        email: text(&format!("user{user}@example.org")),
        display_name: text(&format!("User {user}")),
        is_active: person.is_active,
    }
}

fn interval(row: &world::Row) -> org::Interval {
    let until = (row.until != OPEN).then(|| Timestamp::from_micros(row.until));
    org::Interval::new(Timestamp::from_micros(row.from), until).expect("it ends after it begins")
}

pub(crate) fn membership(world: &World, row: &world::Row) -> org::Membership {
    org::Membership {
        id: MembershipId::from_u128(row.id),
        team_id: TeamId::from_u128(
            world.projects[row.project as usize].teams[row.what as usize].id,
        ),
        user_id: UserId::from_u128(world.users[row.user as usize].id),
        role: org::TeamRole::Member,
        valid: interval(row),
    }
}

fn grant(world: &World, row: &world::Row) -> org::Grant {
    let place = &world.projects[row.project as usize];
    org::Grant {
        id: GrantId::from_u128(row.id),
        project_id: ProjectId::from_u128(place.id),
        user_id: UserId::from_u128(world.users[row.user as usize].id),
        role_id: RoleId::from_u128(place.roles[row.what as usize].id),
        valid: interval(row),
    }
}

fn permission(place: &world::Place, row: &world::Permission) -> org::Permission {
    let of = |ids: &[u128], at: u8| usize::from(at).checked_sub(1).map(|at| ids[at]);
    org::Permission {
        id: PermissionId::from_u128(row.id),
        project_id: ProjectId::from_u128(place.id),
        module_id: of(&place.modules, row.module).map(ModuleId::from_u128),
        environment_id: of(&place.environments, row.environment).map(EnvironmentId::from_u128),
        action: action(row.action),
    }
}

pub(crate) fn action(number: u8) -> Action {
    text(ACTIONS[usize::from(number)])
}

pub(crate) fn scope(world: &World, asked: &world::Question) -> Scope {
    let place = &world.projects[asked.project as usize];
    let of = |ids: &[u128], at: u8| usize::from(at).checked_sub(1).map(|at| ids[at]);
    Scope::Project {
        project: ProjectId::from_u128(place.id),
        module: of(&place.modules, asked.module).map(ModuleId::from_u128),
        environment: of(&place.environments, asked.environment).map(EnvironmentId::from_u128),
    }
}

/// The question and the rows that the kernel would hand to an authorizer.
pub(crate) fn facts(world: &World, asked: &world::Question) -> (Question, Facts) {
    let place = &world.projects[asked.project as usize];
    let membership = world.membership(asked).filter(|_| !asked.takes_grant_only()).map(|row| {
        let membership = membership(world, row);
        let team_id = membership.team_id;
        let team = org::Team {
            id: team_id,
            project_id: ProjectId::from_u128(place.id),
            name: text("Team"),
        };
        let module = usize::from(asked.module).checked_sub(1).map(|at| place.modules[at]);
        let team_module = module
            .map(|module| org::TeamModule { team_id, module_id: ModuleId::from_u128(module) });
        MembershipRows { membership, team, team_module }
    });
    let grant = world.grant(asked).map(|(row, held)| {
        let (grant, permission) = (grant(world, row), permission(place, &held));
        let role_permission =
            org::RolePermission { role_id: grant.role_id, permission_id: permission.id };
        GrantRows { grant, role_permission, permission }
    });
    let facts = Facts {
        user: user(world, asked.user),
        global_roles: Vec::new(),
        membership,
        grant,
        authors: BTreeSet::new(),
        plan: None,
        team_roles: BTreeSet::from([org::TeamRole::Member]),
    };
    let question = Question {
        user: facts.user.id,
        action: action(asked.action),
        scope: scope(world, asked),
        at: Timestamp::from_micros(NOW),
    };
    (question, facts)
}

impl Rows {
    pub(crate) fn new(world: &World) -> Self {
        let users = (0_u32..).zip(&world.users).map(|(number, _)| user(world, number));
        let mut users: Vec<org::User> = users.collect();
        users.sort_unstable_by_key(|row| row.id);
        let (mut projects, mut rows) = (Vec::new(), Vec::new());
        for (number, place) in world.projects.iter().enumerate() {
            let id = ProjectId::from_u128(place.id);
            let code = text(&format!("project-{number}"));
            projects.push(org::Project { id, code, name: text("Project") });
            project_rows(place, |row| rows.push((id, row)));
        }
        let of = |row: &world::Row| ProjectId::from_u128(world.projects[row.project as usize].id);
        let memberships = by_id(&world.memberships).into_iter();
        rows.extend(memberships.map(|row| (of(row), org::Row::Membership(membership(world, row)))));
        let grants = by_id(&world.grants).into_iter();
        rows.extend(grants.map(|row| (of(row), org::Row::Grant(grant(world, row)))));
        // A store hands rows out by project, those of a kind in the order of their ids.
        rows.sort_by_key(|(project, _)| *project);
        Self { users, projects, rows }
    }

    pub(crate) fn hand_over(&mut self, builder: &mut IndexBuilder) {
        self.users.iter().for_each(|row| builder.user(row));
        self.projects.iter().for_each(|row| builder.project(row));
        std::mem::take(&mut self.rows)
            .into_iter()
            .for_each(|(project, row)| builder.row(project, row));
    }
}

fn by_id(rows: &[world::Row]) -> Vec<&world::Row> {
    let mut rows: Vec<&world::Row> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

fn project_rows(place: &world::Place, mut push: impl FnMut(org::Row)) {
    let project_id = ProjectId::from_u128(place.id);
    for (number, id) in place.modules.iter().enumerate() {
        let (id, code) = (ModuleId::from_u128(*id), text(&format!("module-{number}")));
        push(org::Row::Module(org::Module { id, project_id, code, name: text("Module") }));
    }
    for (number, id) in place.environments.iter().enumerate() {
        push(org::Row::Environment(org::Environment {
            id: EnvironmentId::from_u128(*id),
            project_id,
            code: text(&format!("environment-{number}")),
            name: text("Environment"),
            priority: u32::try_from(number).unwrap_or(0),
            criticality: org::Criticality::Low,
        }));
    }
    for team in &place.teams {
        let team_id = TeamId::from_u128(team.id);
        push(org::Row::Team(org::Team { id: team_id, project_id, name: text("Team") }));
        for (number, module) in place.modules.iter().enumerate() {
            if team.modules >> (number + 1) & 1 == 1 {
                let module_id = ModuleId::from_u128(*module);
                push(org::Row::TeamModule(org::TeamModule { team_id, module_id }));
            }
        }
    }
    for role in &place.roles {
        let role_id = RoleId::from_u128(role.id);
        push(org::Row::Role(org::Role { id: role_id, project_id, name: text("Role") }));
        for held in &role.permissions {
            let row = permission(place, held);
            let permission_id = row.id;
            push(org::Row::Permission(row));
            push(org::Row::RolePermission(org::RolePermission { role_id, permission_id }));
        }
    }
}
