//! A project with more modules and environments than fit in a few words.

use std::collections::BTreeSet;

use super::{Index, IndexBuilder, Paging};
use crate::authz::{Action, Scope};
use crate::clock::Timestamp;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use crate::org::{
    Criticality, Environment, Grant, Interval, Membership, Module, Permission, Project, Role,
    RolePermission, Row, Team, TeamModule, TeamRole, User, UserKind,
};

const MODULES: u128 = 130;
const ENVIRONMENTS: u128 = 5;
const NOW: Timestamp = Timestamp::from_micros(5);
const USER: UserId = UserId::from_u128(1);
const PROJECT: ProjectId = ProjectId::from_u128(1);

/// The user's team looks after every third module; their role may deploy in two modules everywhere, and in one
/// environment of all.
fn wide() -> Index {
    let (team, role) = (TeamId::from_u128(1), RoleId::from_u128(1));
    let name = || "Wide".parse().unwrap();
    let mut rows: Vec<Row> = vec![
        Team { id: team, project_id: PROJECT, name: name() }.into(),
        Role { id: role, project_id: PROJECT, name: name() }.into(),
    ];
    for number in 1..=MODULES {
        let (id, code) = (ModuleId::from_u128(number), format!("m{number}").parse().unwrap());
        rows.push(Module { id, project_id: PROJECT, code, name: name() }.into());
        if number.is_multiple_of(3) {
            rows.push(TeamModule { team_id: team, module_id: id }.into());
        }
    }
    for number in 1..=ENVIRONMENTS {
        let (id, code) = (EnvironmentId::from_u128(number), format!("e{number}").parse().unwrap());
        let (priority, criticality) = (1, Criticality::Low);
        let project_id = PROJECT;
        rows.push(Environment { id, project_id, code, name: name(), priority, criticality }.into());
    }
    let allowed = [(Some(3), None), (Some(129), None), (None, Some(4))];
    for (number, (module, environment)) in (1..).zip(allowed) {
        let id = PermissionId::from_u128(number);
        let (module_id, environment_id) =
            (module.map(ModuleId::from_u128), environment.map(EnvironmentId::from_u128));
        let (project_id, action) = (PROJECT, "deploy".parse().unwrap());
        rows.push(Permission { id, project_id, module_id, environment_id, action }.into());
        rows.push(RolePermission { role_id: role, permission_id: id }.into());
    }
    let valid = Interval::starting(Timestamp::from_micros(0));
    let (id, role_in_team) = (MembershipId::from_u128(1), TeamRole::Member);
    rows.push(Membership { id, team_id: team, user_id: USER, role: role_in_team, valid }.into());
    let id = GrantId::from_u128(1);
    rows.push(Grant { id, project_id: PROJECT, user_id: USER, role_id: role, valid }.into());

    let mut builder = IndexBuilder::default();
    let email = "wide@example.org".parse().unwrap();
    let (kind, is_active) = (UserKind::Person, true);
    builder.user(&User { id: USER, kind, email, display_name: name(), is_active });
    builder.project(&Project { id: PROJECT, code: "wide".parse().unwrap(), name: name() });
    for row in rows {
        builder.row(PROJECT, row);
    }
    builder.build()
}

#[test]
fn a_wide_project_is_answered_place_by_place() {
    let (index, deploy) = (wide(), "deploy".parse::<Action>().unwrap());
    let mut expected = BTreeSet::new();
    for module in 0..=MODULES {
        for environment in 0..=ENVIRONMENTS {
            let scope = Scope::Project {
                project: PROJECT,
                module: (module > 0).then(|| ModuleId::from_u128(module)),
                environment: (environment > 0).then(|| EnvironmentId::from_u128(environment)),
            };
            let is_member = module == 0 || module.is_multiple_of(3);
            let permits = is_member && (module == 3 || module == 129 || environment == 4);
            assert_eq!(index.can(USER, &deploy, scope, NOW), permits, "{scope}");
            assert_eq!(index.explain(USER, &deploy, scope, NOW).is_allowed, permits, "{scope}");
            if permits {
                expected.insert(scope);
            }
        }
    }
    let found: BTreeSet<Scope> =
        index.where_can(USER, &deploy, NOW, Paging::first(usize::MAX)).items.into_iter().collect();
    assert_eq!(found, expected);
    // Environment 4 of no module and of 43 modules, and five more spots in each of two of those.
    assert_eq!(found.len(), 44 + 10);
}
