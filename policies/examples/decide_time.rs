//! Measures the mean time of a decision: `cargo run --release -p placet-policies --example decide_time`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "it measures real time and shows it"
)]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use placet_core::authz::{
    Action, Authorizer as _, Facts, GrantRows, MembershipRows, Question, Scope,
};
use placet_core::clock::Timestamp;
use placet_core::error::Error;
use placet_core::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use placet_core::org::{
    Grant, Interval, Membership, Permission, RolePermission, Team, TeamModule, TeamRole, User,
    UserKind,
};
use placet_policies::CedarAuthorizer;

const ROUNDS: u32 = 50_000;

const HOUSE: &str = r#"
@id("quiet-nights")
forbid (principal, action, resource)
when { context.minute < 5 && context.weekday == 7 };
"#;

fn main() -> Result<(), Error> {
    let base = CedarAuthorizer::new()?;
    let with_host = CedarAuthorizer::builder().host_policies("house.cedar", HOUSE).build()?;
    for action in [Action::EXECUTE, Action::APPROVE, Action::READ] {
        let (question, facts) = fitting(action)?;
        for (name, authorizer) in [("base", &base), ("base and a host policy", &with_host)] {
            let begin = Instant::now();
            for _ in 0..ROUNDS {
                let verdict = authorizer.decide(black_box(&question), black_box(&facts))?;
                assert!(black_box(verdict).is_allowed(), "the rows fit");
            }
            let mean = begin.elapsed() / ROUNDS;
            println!("{:<8} {name:<23} {mean:?}", question.action.as_str());
        }
    }
    Ok(())
}

/// A question with rows that fit it.
fn fitting(action: Action) -> Result<(Question, Facts), Error> {
    let at: Timestamp = "2026-02-07T12:00:00Z".parse()?;
    let (user, project) = (UserId::from_u128(1), ProjectId::from_u128(2));
    let (module, environment) = (ModuleId::from_u128(3), EnvironmentId::from_u128(4));
    let (team, role, permission) =
        (TeamId::from_u128(5), RoleId::from_u128(6), PermissionId::from_u128(7));
    let valid = Interval::new(Timestamp::MIN, Some(Timestamp::MAX))?;
    let membership = Membership {
        id: MembershipId::from_u128(8),
        team_id: team,
        user_id: user,
        role: TeamRole::Member,
        valid,
    };
    let grant = Grant {
        id: GrantId::from_u128(9),
        project_id: project,
        user_id: user,
        role_id: role,
        valid,
    };
    let facts = Facts {
        user: User {
            id: user,
            kind: UserKind::Person,
            email: "ana@shop.example".parse()?,
            display_name: "Ana".parse()?,
            is_active: true,
        },
        global_roles: Vec::new(),
        membership: Some(MembershipRows {
            membership,
            team: Team { id: team, project_id: project, name: "Checkout".parse()? },
            team_module: Some(TeamModule { team_id: team, module_id: module }),
        }),
        grant: Some(GrantRows {
            grant,
            role_permission: RolePermission { role_id: role, permission_id: permission },
            permission: Permission {
                id: permission,
                project_id: project,
                module_id: Some(module),
                environment_id: Some(environment),
                action: action.clone(),
            },
        }),
        authors: BTreeSet::new(),
        plan: None,
        team_roles: BTreeSet::new(),
    };
    Ok((Question { user, action, scope: Scope::module(project, module, environment), at }, facts))
}
