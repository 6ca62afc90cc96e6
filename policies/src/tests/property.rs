//! Against the rule restated in Rust, over rows made by chance.

use core::hash::{BuildHasher as _, Hasher as _};
use std::hash::RandomState;

use placet_core::authz::{Facts, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::id::{EnvironmentId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId};
use placet_core::org::{GlobalRole, GlobalRoleGrant, Interval, TeamModule, UserKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::world::{BEGIN, Case, END, FITS, NOW, OTHER, action, fitting, span};
use crate::CedarAuthorizer;

/// The permission model in one breath, without the crate under test and without the kernel's index.
fn rule(question: &Question, facts: &Facts) -> bool {
    if facts.user.id != question.user || !facts.user.is_active {
        return false;
    }
    let holds = |role| {
        facts.global_roles.iter().any(|row| row.user_id == question.user && row.role == role)
    };
    let (admin, auditor) = (holds(GlobalRole::PlatformAdmin), holds(GlobalRole::Auditor));
    let Scope::Project { project, module, environment } = question.scope else {
        return match question.action.as_str() {
            "administer" => admin && facts.user.kind == UserKind::Person,
            "audit" => admin || auditor,
            _ => false,
        };
    };
    let inside = |valid: Interval| {
        valid.from() <= question.at && valid.until().is_none_or(|until| question.at < until)
    };
    let leg_1 = facts.membership.as_ref().is_some_and(|rows| {
        rows.membership.user_id == question.user
            && inside(rows.membership.valid)
            && rows.membership.team_id == rows.team.id
            && rows.team.project_id == project
            && module.is_none_or(|module_id| {
                rows.team_module == Some(TeamModule { team_id: rows.team.id, module_id })
            })
    });
    let leg_2 = |fits: &dyn Fn(Option<ModuleId>, Option<EnvironmentId>) -> bool| {
        facts.grant.as_ref().is_some_and(|rows| {
            rows.grant.user_id == question.user
                && rows.grant.project_id == project
                && inside(rows.grant.valid)
                && rows.role_permission.role_id == rows.grant.role_id
                && rows.role_permission.permission_id == rows.permission.id
                && rows.permission.project_id == project
                && rows.permission.action == question.action
                && fits(rows.permission.module_id, rows.permission.environment_id)
        })
    };
    let here = |m: Option<ModuleId>, e: Option<EnvironmentId>| {
        (m.is_none() || m == module) && (e.is_none() || e == environment)
    };
    match question.action.as_str() {
        "read" => auditor || leg_2(&here),
        "manage" => {
            facts.user.kind == UserKind::Person
                && (admin || leg_2(&|m, e| m.is_none() && e.is_none()))
        }
        "administer" => false,
        "audit" => admin || auditor,
        "approve" => {
            facts.user.kind == UserKind::Person
                && !facts.authors.contains(&question.user)
                && leg_1
                && leg_2(&here)
        }
        _ => leg_1 && leg_2(&here),
    }
}

/// Mostly what fits, so that about every fourth case is allowed and most others fail by one column.
fn id<T: core::fmt::Debug>(make: fn(u128) -> T) -> impl Strategy<Value = T> {
    prop_oneof![14 => Just(1), 1 => Just(2_u128)].prop_map(make)
}

fn maybe<T: Clone + core::fmt::Debug>(
    some: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.6, some)
}

fn interval() -> impl Strategy<Value = Interval> {
    prop_oneof![
        8 => Just(span(BEGIN, Some(END))),
        4 => Just(span(BEGIN, None)),
        1 => Just(span(BEGIN, Some(NOW))),
        1 => Just(span(NOW, Some(END))),
        1 => Just(span(NOW + 1, None)),
    ]
}

fn action_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("approve"),
        8 => Just("read"),
        8 => Just("manage"),
        4 => prop_oneof![Just("request"), Just("execute"), Just("deploy"), Just("operate")],
        4 => prop_oneof![Just("administer"), Just("audit")],
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    let in_project = (
        id(ProjectId::from_u128),
        maybe(id(ModuleId::from_u128)),
        maybe(id(EnvironmentId::from_u128)),
    )
        .prop_map(|(project, module, environment)| Scope::Project {
            project,
            module,
            environment,
        });
    prop_oneof![1 => Just(Scope::Platform), 12 => in_project]
}

fn questions() -> impl Strategy<Value = Case> {
    let at = prop_oneof![10 => Just(NOW), 1 => Just(BEGIN), 1 => Just(BEGIN - 1), 1 => Just(END)];
    let user =
        (id(UserId::from_u128), proptest::bool::weighted(0.95), proptest::bool::weighted(0.8));
    let role = prop_oneof![Just(GlobalRole::PlatformAdmin), Just(GlobalRole::Auditor)];
    let roles = proptest::collection::vec(
        (id(UserId::from_u128), role).prop_map(|(user_id, role)| GlobalRoleGrant { user_id, role }),
        0..2,
    );
    let other = prop_oneof![9 => Just(OTHER), 1 => Just(FITS)].prop_map(UserId::from_u128);
    let authors = proptest::collection::btree_set(other, 0..3);
    let parts = (action_name(), scope(), at, user, roles, authors);
    parts.prop_map(|(name, scope, at, user, roles, authors)| {
        let mut case = fitting(&action(name));
        case.question.scope = scope;
        case.question.at = Timestamp::from_micros(at);
        let (id, is_active, is_person) = user;
        case.facts.user.id = id;
        case.facts.user.is_active = is_active;
        case.facts.user.kind = if is_person { UserKind::Person } else { UserKind::Agent };
        case.facts.global_roles = roles;
        case.facts.authors = authors;
        case
    })
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    let leg_1 = (
        proptest::bool::weighted(0.95),
        (id(UserId::from_u128), id(TeamId::from_u128), interval()),
        (id(TeamId::from_u128), id(ProjectId::from_u128)),
        proptest::option::weighted(0.9, (id(TeamId::from_u128), id(ModuleId::from_u128))),
    );
    let leg_2 = (
        proptest::bool::weighted(0.95),
        (id(UserId::from_u128), id(ProjectId::from_u128), id(RoleId::from_u128), interval()),
        (id(RoleId::from_u128), id(PermissionId::from_u128)),
        (
            (id(PermissionId::from_u128), id(ProjectId::from_u128)),
            maybe(id(ModuleId::from_u128)),
            maybe(id(EnvironmentId::from_u128)),
            proptest::option::weighted(0.07, action_name()),
        ),
    );
    (questions(), leg_1, leg_2).prop_map(|(mut case, leg_1, leg_2)| {
        let (present, (user, team, valid), (id, project), team_module) = leg_1;
        let rows = case.member();
        (rows.membership.user_id, rows.membership.team_id) = (user, team);
        rows.membership.valid = valid;
        (rows.team.id, rows.team.project_id) = (id, project);
        rows.team_module =
            team_module.map(|(team_id, module_id)| TeamModule { team_id, module_id });
        if !present {
            case.facts.membership = None;
        }
        let (present, (user, project, role, valid), link, (own, module, environment, other)) =
            leg_2;
        let rows = case.grant();
        (rows.grant.user_id, rows.grant.project_id) = (user, project);
        (rows.grant.role_id, rows.grant.valid) = (role, valid);
        (rows.role_permission.role_id, rows.role_permission.permission_id) = link;
        (rows.permission.id, rows.permission.project_id) = own;
        (rows.permission.module_id, rows.permission.environment_id) = (module, environment);
        if let Some(other) = other {
            rows.permission.action = action(other);
        }
        if !present {
            case.facts.grant = None;
        }
        case
    })
}

/// Asks `count` questions and says where the policies and the rule part, and how many were allowed.
pub(super) fn compare(by: &CedarAuthorizer, count: u32, seed: u64) -> Result<u32, String> {
    let config = Config { cases: count, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let allowed = core::cell::Cell::new(0_u32);
    let outcome = TestRunner::new_with_rng(config, rng).run(&cases(), |case| {
        let expected = rule(&case.question, &case.facts);
        allowed.set(allowed.get() + u32::from(expected));
        prop_assert_eq!(case.is_allowed(by), expected);
        Ok(())
    });
    outcome.map(|()| allowed.get()).map_err(|error| format!("seed {seed}: {error}"))
}

#[test]
fn the_policies_and_the_rule_agree() {
    // To repeat a failure, put the seed that it printed here.
    let seed = RandomState::new().build_hasher().finish();
    let allowed = compare(&CedarAuthorizer::new().unwrap(), 4_000, seed).unwrap();
    assert!((400..3_600).contains(&allowed), "seed {seed}: {allowed} of 4000 allowed");
}
