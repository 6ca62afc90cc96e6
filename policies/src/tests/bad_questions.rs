//! Questions and rows with one thing wrong, thousands of them: never a yes, never a panic. Each begins as a yes
//! by exactly the rows that it has, so that whatever is broken makes it a no, whoever decides.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use placet_core::authz::{Action, Authorizer as _, Scope};
use placet_core::clock::Timestamp;
use placet_core::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use placet_core::org::{GlobalRole, GlobalRoleGrant, Interval, UserKind};
use placet_core::testing::Chance;

use super::differential::fixed_chance;
use super::world::{Case, action, fitting};
use crate::CedarAuthorizer;

/// What a yes rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    TwoLegs,
    Grant,
    GlobalRole,
}

fn id(chance: &mut Chance) -> u128 {
    u128::from(chance.next_bits()) << 64 | u128::from(chance.next_bits())
}

/// A number from `from` on and below `below`.
fn micros(chance: &mut Chance, from: i64, below: i64) -> i64 {
    from + i64::try_from(chance.below(u64::try_from(below - from).unwrap())).unwrap()
}

/// An interval with an end that holds `at`.
fn around(chance: &mut Chance, at: i64) -> Interval {
    let (from, until) = (micros(chance, 1, at + 1), micros(chance, at + 1, at + 1_000_000));
    let until = Timestamp::from_micros(until);
    Interval::new(Timestamp::from_micros(from), Some(until)).unwrap()
}

/// A yes, with ids and instants by chance.
fn good(chance: &mut Chance) -> (Case, By) {
    let words = ["request", "approve", "execute", "deploy", "operate", "read", "manage"];
    let by = match chance.below(10) {
        0 => By::GlobalRole,
        1..=3 => By::Grant,
        _ => By::TwoLegs,
    };
    let word = match by {
        By::GlobalRole => chance.one_of(&["administer", "audit", "manage", "read"]),
        By::Grant => chance.one_of(&words[5..]),
        By::TwoLegs => chance.one_of(&words[..5]),
    };
    let word = word.unwrap();
    let mut case = fitting(&action(word));
    let at = micros(chance, 2, 4_000_000_000_000_000);
    let user = UserId::from_u128(id(chance));
    (case.question.at, case.question.user) = (Timestamp::from_micros(at), user);
    case.facts.user.id = user;
    let project = ProjectId::from_u128(id(chance));
    let (module, environment) =
        (ModuleId::from_u128(id(chance)), EnvironmentId::from_u128(id(chance)));
    case.question.scope = Scope::module(project, module, environment);
    give_rows(&mut case, chance, (project, module, environment));
    if word == "approve" && chance.is(50) {
        case.facts.authors = BTreeSet::from([UserId::from_u128(id(chance))]);
    }
    match by {
        By::TwoLegs => {}
        By::Grant => case.facts.membership = None,
        By::GlobalRole => {
            (case.facts.membership, case.facts.grant) = (None, None);
            let role = match word {
                "read" => GlobalRole::Auditor,
                "audit" => {
                    chance.one_of(&[GlobalRole::Auditor, GlobalRole::PlatformAdmin]).unwrap()
                }
                _ => GlobalRole::PlatformAdmin,
            };
            case.facts.global_roles = vec![GlobalRoleGrant { user_id: user, role }];
            if word == "administer" || word == "audit" {
                case.question.scope = Scope::Platform;
            }
        }
    }
    if word == "manage" && by == By::Grant {
        case.project_wide();
    }
    (case, by)
}

fn give_rows(case: &mut Case, chance: &mut Chance, place: (ProjectId, ModuleId, EnvironmentId)) {
    let ((project, module, environment), user) = (place, case.question.user);
    let at = case.question.at.as_micros();
    let (team, role) = (TeamId::from_u128(id(chance)), RoleId::from_u128(id(chance)));
    let permission = PermissionId::from_u128(id(chance));
    let rows = case.member();
    rows.membership.id = MembershipId::from_u128(id(chance));
    (rows.membership.user_id, rows.membership.team_id) = (user, team);
    rows.membership.valid = around(chance, at);
    (rows.team.id, rows.team.project_id) = (team, project);
    let link = rows.team_module.as_mut().unwrap();
    (link.team_id, link.module_id) = (team, module);
    let rows = case.grant();
    rows.grant.id = GrantId::from_u128(id(chance));
    (rows.grant.user_id, rows.grant.project_id, rows.grant.role_id) = (user, project, role);
    rows.grant.valid = around(chance, at);
    (rows.role_permission.role_id, rows.role_permission.permission_id) = (role, permission);
    (rows.permission.id, rows.permission.project_id) = (permission, project);
    rows.permission.module_id = Some(module);
    rows.permission.environment_id = Some(environment);
}

type Break = fn(&mut Case, &mut Chance);

/// An instant that no row of `good` holds: all of them begin after 0 and end.
fn absurd(case: &Case, chance: &mut Chance) -> Timestamp {
    let rows = case.facts.grant.as_ref().unwrap();
    let until = rows.grant.valid.until().unwrap().as_micros();
    let from = rows.grant.valid.from().as_micros();
    let instants = [i64::MIN, -1, 0, from - 1, until, until + 1, i64::MAX];
    Timestamp::from_micros(chance.one_of(&instants).unwrap())
}

const EVERY: &[(&str, Break)] = &[
    ("another asks", |case, chance| case.question.user = UserId::from_u128(id(chance))),
    ("the user is another", |case, chance| case.facts.user.id = UserId::from_u128(id(chance))),
    ("the user is not active", |case, _| case.facts.user.is_active = false),
];

const GLOBAL: &[(&str, Break)] = &[
    ("no global role", |case, _| case.facts.global_roles.clear()),
    ("another's global role", |case, chance| {
        case.facts.global_roles[0].user_id = UserId::from_u128(id(chance));
    }),
    ("a global role and an operational action", |case, chance| {
        let word = chance.one_of(&["request", "approve", "execute", "deploy"]).unwrap();
        case.question.action = action(word);
    }),
    ("the wrong level", |case, chance| {
        let level = case.question.scope;
        case.question.scope = match (level, case.question.action.as_str()) {
            (Scope::Platform, "audit") => {
                // To audit is for both levels: what is wrong then is the action.
                case.question.action = Action::READ;
                Scope::Platform
            }
            (Scope::Platform, _) => Scope::project(ProjectId::from_u128(id(chance))),
            (Scope::Project { .. }, _) => Scope::Platform,
        };
    }),
];

const SECOND_LEG: &[(&str, Break)] = &[
    ("no grant", |case, _| case.facts.grant = None),
    ("another's grant", |case, c| case.grant().grant.user_id = UserId::from_u128(id(c))),
    ("a grant of another project", |case, c| {
        case.grant().grant.project_id = ProjectId::from_u128(id(c));
    }),
    ("a grant of another role", |case, c| case.grant().grant.role_id = RoleId::from_u128(id(c))),
    ("another role's permission", |case, c| {
        case.grant().role_permission.role_id = RoleId::from_u128(id(c));
    }),
    ("another permission of the role", |case, c| {
        case.grant().role_permission.permission_id = PermissionId::from_u128(id(c));
    }),
    ("another permission", |case, c| {
        case.grant().permission.id = PermissionId::from_u128(id(c));
    }),
    ("a permission of another project", |case, c| {
        case.grant().permission.project_id = ProjectId::from_u128(id(c));
    }),
    ("a permission for another module", |case, c| {
        case.grant().permission.module_id = Some(ModuleId::from_u128(id(c)));
    }),
    ("a permission for another environment", |case, c| {
        case.grant().permission.environment_id = Some(EnvironmentId::from_u128(id(c)));
    }),
    ("an unknown action", |case, c| {
        case.question.action = action(&format!("x{}", c.below(1_000)));
    }),
    ("a permission for an unknown action", |case, c| {
        case.grant().permission.action = action(&format!("x{}", c.below(1_000)));
    }),
    ("an action of the platform", |case, _| case.question.action = Action::ADMINISTER),
    ("the level of the platform", |case, _| case.question.scope = Scope::Platform),
    ("another project", |case, c| {
        if let Scope::Project { project, .. } = &mut case.question.scope {
            *project = ProjectId::from_u128(id(c));
        }
    }),
    ("an absurd instant", |case, c| case.question.at = absurd(case, c)),
];

const FIRST_LEG: &[(&str, Break)] = &[
    ("no membership", |case, _| case.facts.membership = None),
    ("another's membership", |case, c| {
        case.member().membership.user_id = UserId::from_u128(id(c));
    }),
    ("a membership of another team", |case, c| {
        case.member().membership.team_id = TeamId::from_u128(id(c));
    }),
    ("another team", |case, c| case.member().team.id = TeamId::from_u128(id(c))),
    ("a team of another project", |case, c| {
        case.member().team.project_id = ProjectId::from_u128(id(c));
    }),
    ("a team of no module", |case, _| case.member().team_module = None),
    ("another team's module", |case, c| {
        case.member().team_module.as_mut().unwrap().team_id = TeamId::from_u128(id(c));
    }),
    ("another module of the team", |case, c| {
        case.member().team_module.as_mut().unwrap().module_id = ModuleId::from_u128(id(c));
    }),
    ("another module", |case, c| {
        if let Scope::Project { module, .. } = &mut case.question.scope {
            *module = chance_of(c, ModuleId::from_u128);
        }
    }),
    ("another environment", |case, c| {
        if let Scope::Project { environment, .. } = &mut case.question.scope {
            *environment = chance_of(c, EnvironmentId::from_u128);
        }
    }),
    ("a membership that is over", |case, _| {
        let until = Some(case.question.at);
        case.member().membership.valid = Interval::new(Timestamp::MIN, until).unwrap();
    }),
    ("a membership to come", |case, _| {
        let from = Timestamp::from_micros(case.question.at.as_micros() + 1);
        case.member().membership.valid = Interval::starting(from);
    }),
];

/// One that no row names, or none in particular.
fn chance_of<T>(chance: &mut Chance, make: fn(u128) -> T) -> Option<T> {
    chance.is(50).then(|| make(id(chance)))
}

/// Of `approve`, `manage` and `administer` alone.
const OF_PERSONS: &[(&str, Break)] =
    &[("an agent", |case, _| case.facts.user.kind = UserKind::Agent)];

const OF_APPROVALS: &[(&str, Break)] = &[("an author", |case, _| {
    case.facts.authors.insert(case.question.user);
})];

fn breaks(case: &Case, by: By) -> Vec<(&'static str, Break)> {
    let word = case.question.action.as_str();
    let mut breaks = EVERY.to_vec();
    match by {
        By::GlobalRole => breaks.extend(GLOBAL),
        By::Grant => breaks.extend(SECOND_LEG),
        By::TwoLegs => breaks.extend(SECOND_LEG.iter().chain(FIRST_LEG)),
    }
    if ["approve", "manage", "administer"].contains(&word) {
        breaks.extend(OF_PERSONS);
    }
    if word == "approve" {
        breaks.extend(OF_APPROVALS);
    }
    breaks
}

#[expect(clippy::disallowed_methods, reason = "a test takes its length and its seed from outside")]
fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

/// An authorizer with a policy of a host that fails whenever it is asked.
fn with_a_policy_that_fails() -> CedarAuthorizer {
    let text = "@id(\"broken\") forbid (principal, action, resource)\n\
                when { (context.at + 1) * 9223372036854775807 < 0 };";
    CedarAuthorizer::builder().host_policies("house.cedar", text).build().unwrap()
}

/// `PLACET_SEED` asks for the cases of one run again, `PLACET_CASES` for more.
#[test]
#[expect(clippy::print_stderr, reason = "it says what it saw")]
fn one_thing_wrong_is_a_no() {
    let (count, mut chance) = (number("PLACET_CASES").unwrap_or(10_000), fixed_chance());
    let (sound, failing) = (CedarAuthorizer::new().unwrap(), with_a_policy_that_fails());
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let all = [EVERY, GLOBAL, SECOND_LEG, FIRST_LEG, OF_PERSONS, OF_APPROVALS];
    for number in 0..count {
        if number == count / 2 {
            // Whether each kind came up is asked where it is the same each time.
            let due = all.iter().map(|some| some.len()).sum::<usize>() + 1;
            assert_eq!(kinds.len(), due, "{kinds:?}");
            chance = super::differential::chance();
        }
        let (mut case, by) = good(&mut chance);
        assert!(case.is_allowed(&sound), "{case:?}");
        let (mut what, mut policies) = ("a policy of the host that fails", &failing);
        if chance.is(95) {
            let breaks = breaks(&case, by);
            let at = usize::try_from(chance.below(u64::try_from(breaks.len()).unwrap())).unwrap();
            breaks[at].1(&mut case, &mut chance);
            (what, policies) = (breaks[at].0, &sound);
        }
        let decided =
            catch_unwind(AssertUnwindSafe(|| policies.decide(&case.question, &case.facts)));
        let decided = decided.unwrap_or_else(|_| panic!("{what} makes it panic: {case:?}"));
        // An error is a no as well: the gate lets nobody in by one.
        assert!(!decided.is_ok_and(|verdict| verdict.is_allowed()), "{what}: {case:?}");
        *kinds.entry(what).or_default() += 1;
    }
    eprintln!("{count} cases, 0 allowed, 0 panics: {kinds:?}");
}
