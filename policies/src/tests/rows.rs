//! Each row swapped for one of somebody or something else; both ends of each interval, exactly.

use placet_core::authz::{Action, Scope};
use placet_core::clock::Timestamp;
use placet_core::id::{EnvironmentId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId};
use placet_core::org::Interval;

use super::world::{BEGIN, Case, END, OTHER, action, fitting, span};
use crate::CedarAuthorizer;

type Change = fn(&mut Case);

const QUESTION: [(&str, Change); 5] = [
    ("another user asks", |c| c.question.user = UserId::from_u128(OTHER)),
    ("the user row is another's", |c| c.facts.user.id = UserId::from_u128(OTHER)),
    ("another project", |c| set_scope(c, |project, _, _| *project = ProjectId::from_u128(OTHER))),
    ("platform", |c| c.question.scope = Scope::Platform),
    ("inactive", |c| c.facts.user.is_active = false),
];

const LEG_1: [(&str, Change); 8] = [
    ("no membership", |c| c.facts.membership = None),
    ("membership of another user", |c| {
        c.member().membership.user_id = UserId::from_u128(OTHER);
    }),
    ("membership in another team", |c| {
        c.member().membership.team_id = TeamId::from_u128(OTHER);
    }),
    ("another team's row", |c| c.member().team.id = TeamId::from_u128(OTHER)),
    ("team of another project", |c| c.member().team.project_id = ProjectId::from_u128(OTHER)),
    ("no team module", |c| c.member().team_module = None),
    ("module of another team", |c| {
        if let Some(row) = &mut c.member().team_module {
            row.team_id = TeamId::from_u128(OTHER);
        }
    }),
    ("another module of the team", |c| {
        if let Some(row) = &mut c.member().team_module {
            row.module_id = ModuleId::from_u128(OTHER);
        }
    }),
];

const LEG_2: [(&str, Change); 9] = [
    ("no grant", |c| c.facts.grant = None),
    ("grant to another user", |c| c.grant().grant.user_id = UserId::from_u128(OTHER)),
    ("grant in another project", |c| c.grant().grant.project_id = ProjectId::from_u128(OTHER)),
    ("grant of another role", |c| c.grant().grant.role_id = RoleId::from_u128(OTHER)),
    ("permission of another role", |c| {
        c.grant().role_permission.role_id = RoleId::from_u128(OTHER);
    }),
    ("another permission of the role", |c| {
        c.grant().role_permission.permission_id = PermissionId::from_u128(OTHER);
    }),
    ("another permission's row", |c| c.grant().permission.id = PermissionId::from_u128(OTHER)),
    ("permission in another project", |c| {
        c.grant().permission.project_id = ProjectId::from_u128(OTHER);
    }),
    ("permission for another action", |c| c.grant().permission.action = action("other")),
];

const PLACE: [(&str, Change); 6] = [
    ("permission in another module", |c| {
        c.grant().permission.module_id = Some(ModuleId::from_u128(OTHER));
    }),
    ("permission in another environment", |c| {
        c.grant().permission.environment_id = Some(EnvironmentId::from_u128(OTHER));
    }),
    ("question in another module", |c| {
        set_scope(c, |_, module, _| *module = Some(ModuleId::from_u128(OTHER)));
    }),
    ("question in another environment", |c| {
        set_scope(c, |_, _, environment| *environment = Some(EnvironmentId::from_u128(OTHER)));
    }),
    ("question in no module", |c| set_scope(c, |_, module, _| *module = None)),
    ("question in no environment", |c| set_scope(c, |_, _, environment| *environment = None)),
];

fn set_scope(
    case: &mut Case,
    change: fn(&mut ProjectId, &mut Option<ModuleId>, &mut Option<EnvironmentId>),
) {
    if let Scope::Project { project, module, environment } = &mut case.question.scope {
        change(project, module, environment);
    }
}

/// What was let through of `changes` to a question that is otherwise allowed.
fn let_through(by: &CedarAuthorizer, start: &Case, changes: &[(&str, Change)]) -> Vec<String> {
    let mut through = Vec::new();
    if !start.is_allowed(by) {
        through.push(format!("{} is denied from the start", start.question.action));
    }
    for (name, change) in changes {
        let mut case = start.clone();
        change(&mut case);
        if case.is_allowed(by) {
            through.push(format!("{}: {name}", start.question.action));
        }
    }
    through
}

fn wide(action: &Action) -> Case {
    let mut case = fitting(action);
    case.project_wide();
    case
}

/// Everything that is let through by `by` and should not be.
pub(super) fn leaks(by: &CedarAuthorizer) -> Vec<String> {
    let mut leaks = Vec::new();
    for name in ["request", "approve", "execute", "deploy", "operate"] {
        let changes = [&QUESTION[..], &LEG_1, &LEG_2, &PLACE].concat();
        leaks.extend(let_through(by, &fitting(&action(name)), &changes));
    }
    let changes = [&QUESTION[..], &LEG_2, &PLACE].concat();
    leaks.extend(let_through(by, &fitting(&Action::READ), &changes));
    let changes = [&QUESTION[..], &LEG_2, &PLACE[..2]].concat();
    leaks.extend(let_through(by, &wide(&Action::MANAGE), &changes));
    leaks
}

#[test]
fn an_author_approves_nothing_and_may_do_the_rest() {
    let authorizer = CedarAuthorizer::new().unwrap();
    for (action, may) in
        [(Action::APPROVE, false), (Action::REQUEST, true), (Action::EXECUTE, true)]
    {
        let mut case = fitting(&action);
        case.facts.authors = [UserId::from_u128(OTHER)].into();
        assert!(case.is_allowed(&authorizer), "{action}: somebody else wrote it");
        case.facts.authors.insert(case.question.user);
        assert_eq!(case.is_allowed(&authorizer), may, "{action}: they wrote it together");
    }
}

#[test]
fn a_swapped_row_is_a_denial() {
    assert_eq!(leaks(&CedarAuthorizer::new().unwrap()), Vec::<String>::new());
}

#[test]
fn intervals_hold_their_begin_and_not_their_end() {
    let authorizer = CedarAuthorizer::new().unwrap();
    let only_membership: fn(&mut Case, Interval) = |c, valid| c.member().membership.valid = valid;
    let only_grant: fn(&mut Case, Interval) = |c, valid| c.grant().grant.valid = valid;
    let cases = [
        (fitting(&Action::EXECUTE), only_membership),
        (fitting(&action("deploy")), only_membership),
        (fitting(&Action::EXECUTE), only_grant),
        (fitting(&Action::READ), only_grant),
        (wide(&Action::MANAGE), only_grant),
    ];
    for (mut case, set) in cases {
        // The other row holds for all time, so that only this one decides.
        for set in [only_membership, only_grant] {
            set(&mut case, span(0, None));
        }
        let ends = [(BEGIN - 1, false), (BEGIN, true), (END - 1, true), (END, false)];
        for (at, allowed) in ends {
            set(&mut case, span(BEGIN, Some(END)));
            case.question.at = Timestamp::from_micros(at);
            assert_eq!(case.is_allowed(&authorizer), allowed, "{at} {:?}", case.question);
        }
        for (at, allowed) in [(BEGIN - 1, false), (BEGIN, true), (i64::MAX, true)] {
            set(&mut case, span(BEGIN, None));
            case.question.at = Timestamp::from_micros(at);
            assert_eq!(case.is_allowed(&authorizer), allowed, "{at} {:?}", case.question);
        }
    }
}
