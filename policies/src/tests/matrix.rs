//! The whole policy on one page: who may do what where, made from the real policies.

use core::fmt::Write as _;

use expect_test::expect_file;
use placet_core::authz::Scope;
use placet_core::id::{EnvironmentId, ModuleId, ProjectId, UserId};
use placet_core::org::{GlobalRole, GlobalRoleGrant, UserKind};

use super::world::{BEGIN, Case, END, FITS, NOW, OTHER, action, fitting, span};
use crate::CedarAuthorizer;

const ACTIONS: [&str; 8] =
    ["request", "approve", "execute", "deploy", "read", "manage", "administer", "audit"];
const DEVELOPER: [&str; 4] = ["request", "execute", "deploy", "read"];
const TECH_LEAD: [&str; 6] = ["request", "approve", "execute", "deploy", "read", "manage"];

type Change = fn(&mut Case);

/// Each user is a change to a member of the right team whose grant has an exact permission for
/// everything that a tech lead may do.
const USERS: [(&str, Change); 27] = [
    ("member, Developer", developer),
    ("member, TechLead", |_| {}),
    ("member, TechLead in all environments", |c| c.grant().permission.environment_id = None),
    ("member, TechLead in all modules", |c| c.grant().permission.module_id = None),
    ("member, TechLead of the whole project", Case::project_wide),
    ("  same, membership and grant without end", |c| {
        c.project_wide();
        c.member().membership.valid = span(BEGIN, None);
        c.grant().grant.valid = span(BEGIN, None);
    }),
    ("  same, but without grant", |c| c.facts.grant = None),
    ("  same, but without membership", |c| {
        c.project_wide();
        c.facts.membership = None;
    }),
    ("  same, but membership ended", |c| {
        c.project_wide();
        c.member().membership.valid = span(BEGIN, Some(NOW));
    }),
    ("  same, but membership not begun", |c| {
        c.project_wide();
        c.member().membership.valid = span(NOW + 1, Some(END));
    }),
    ("  same, but grant ended", |c| {
        c.project_wide();
        c.grant().grant.valid = span(BEGIN, Some(NOW));
    }),
    ("  same, but grant not begun", |c| {
        c.project_wide();
        c.grant().grant.valid = span(NOW + 1, Some(END));
    }),
    ("  same, but team of another module", |c| {
        c.project_wide();
        if let Some(row) = &mut c.member().team_module {
            row.module_id = ModuleId::from_u128(OTHER);
        }
    }),
    ("  same, but team of no module", |c| {
        c.project_wide();
        c.member().team_module = None;
    }),
    ("  same, but team of another project", |c| {
        c.project_wide();
        c.member().team.project_id = ProjectId::from_u128(OTHER);
    }),
    ("  same, but grant in another project", |c| {
        c.project_wide();
        c.grant().grant.project_id = ProjectId::from_u128(OTHER);
        c.grant().permission.project_id = ProjectId::from_u128(OTHER);
    }),
    ("member, TechLead in another environment", |c| {
        c.grant().permission.environment_id = Some(EnvironmentId::from_u128(OTHER));
    }),
    ("member, TechLead in another module", |c| {
        c.grant().permission.module_id = Some(ModuleId::from_u128(OTHER));
    }),
    ("inactive member, TechLead of the whole project", |c| {
        c.project_wide();
        c.facts.user.is_active = false;
    }),
    ("agent, member, TechLead of the whole project", |c| {
        c.project_wide();
        c.facts.user.kind = UserKind::Agent;
    }),
    ("agent, PLATFORM_ADMIN", |c| {
        only_global(c, GlobalRole::PlatformAdmin);
        c.facts.user.kind = UserKind::Agent;
    }),
    ("PLATFORM_ADMIN", |c| only_global(c, GlobalRole::PlatformAdmin)),
    ("AUDITOR", |c| only_global(c, GlobalRole::Auditor)),
    ("inactive PLATFORM_ADMIN", |c| {
        only_global(c, GlobalRole::PlatformAdmin);
        c.facts.user.is_active = false;
    }),
    ("inactive AUDITOR", |c| {
        only_global(c, GlobalRole::Auditor);
        c.facts.user.is_active = false;
    }),
    ("PLATFORM_ADMIN and member, Developer", |c| {
        developer(c);
        c.with_global_role(GlobalRole::PlatformAdmin);
    }),
    ("nobody, with the rows of an admin and auditor", |c| {
        only_global(c, GlobalRole::PlatformAdmin);
        let user_id = UserId::from_u128(OTHER);
        c.facts.global_roles = [GlobalRole::PlatformAdmin, GlobalRole::Auditor]
            .map(|role| GlobalRoleGrant { user_id, role })
            .to_vec();
    }),
];

/// A role without the permission asked for: the row then says another action.
fn developer(case: &mut Case) {
    if !DEVELOPER.contains(&case.question.action.as_str()) {
        case.grant().permission.action = action("request");
    }
}

fn only_global(case: &mut Case, role: GlobalRole) {
    case.facts.membership = None;
    case.facts.grant = None;
    case.with_global_role(role);
}

/// The table for `authorizer`.
pub(super) fn table(authorizer: &CedarAuthorizer) -> String {
    let project = ProjectId::from_u128(FITS);
    let (module, environment) = (ModuleId::from_u128(FITS), EnvironmentId::from_u128(FITS));
    let scopes = [
        ("a module in an environment", Scope::module(project, module, environment)),
        (
            "a module, no environment",
            Scope::Project { project, module: Some(module), environment: None },
        ),
        (
            "an environment, no module",
            Scope::Project { project, module: None, environment: Some(environment) },
        ),
        ("the project as a whole", Scope::project(project)),
        ("the platform", Scope::Platform),
    ];
    let mut text = String::new();
    for (name, scope) in scopes {
        write!(text, "{:<50}", format!("in {name}")).unwrap();
        for column in ACTIONS {
            write!(text, "{column:<12}").unwrap();
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        for (user, change) in USERS {
            let mut line = format!("  {user:<48}");
            for column in ACTIONS {
                let mark =
                    if case(column, scope, change).is_allowed(authorizer) { "✔" } else { "✘" };
                write!(line, "{mark:<12}").unwrap();
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

fn case(name: &str, scope: Scope, change: Change) -> Case {
    let mut case = fitting(&action(name));
    if !TECH_LEAD.contains(&name) {
        case.grant().permission.action = action("read");
    }
    change(&mut case);
    case.question.scope = scope;
    case
}

#[test]
fn the_matrix_is_the_committed_one() {
    expect_file!["matrix.txt"].assert_eq(&table(&CedarAuthorizer::new().unwrap()));
}
