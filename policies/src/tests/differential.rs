//! Three ways to the same answer: the policies, the kernel's index, and the model read word by word, over
//! organisations made by chance. The policies get every pair of rows that a scan finds, also those of other
//! users; nothing comes from the index.

use std::collections::BTreeSet;
use std::env;

use placet_core::authz::{
    Authorizer as _, Facts, GrantRows, MembershipRows, Question, Scope, Verdict,
};
use placet_core::org::{Row, TeamModule};
use placet_core::testing::{Chance, RandomOrganisation};

use crate::CedarAuthorizer;

/// Whose rows the policies get.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rows {
    Everybodys,
    TheirOwn,
}

/// What the policies say of every pair of rows of the user, joined by their ids and by nothing else.
pub(super) fn policies_permit(
    policies: &CedarAuthorizer,
    organisation: &RandomOrganisation,
    question: &Question,
) -> bool {
    permit(policies, organisation, question, Rows::TheirOwn)
}

fn permit(
    policies: &CedarAuthorizer,
    organisation: &RandomOrganisation,
    question: &Question,
    whose: Rows,
) -> bool {
    let Some(user) = organisation.users.iter().find(|user| user.id == question.user) else {
        return false;
    };
    let mut facts = Facts {
        user: user.clone(),
        global_roles: organisation.global_roles.clone(),
        membership: None,
        grant: None,
        authors: BTreeSet::new(),
        plan: None,
        team_roles: BTreeSet::new(),
    };
    let permits = |facts: &Facts| {
        policies.decide(question, facts).is_ok_and(|verdict: Verdict| verdict.is_allowed())
    };
    if question.scope == Scope::Platform {
        return permits(&facts);
    }
    if !place_exists(organisation, question.scope) {
        return false;
    }
    let (mut memberships, mut grants) =
        (memberships(organisation, question), grants(organisation, question));
    if whose == Rows::TheirOwn {
        memberships.retain(|rows| rows.membership.user_id == question.user);
        grants.retain(|rows| rows.grant.user_id == question.user);
    }
    for membership in memberships.into_iter().map(Some).chain([None]) {
        facts.membership = membership;
        for grant in grants.iter().cloned().map(Some).chain([None]) {
            facts.grant = grant;
            if permits(&facts) {
                return true;
            }
        }
    }
    false
}

fn rows<'a>(organisation: &'a RandomOrganisation, scope: &Scope) -> Vec<&'a Row> {
    let rows = organisation.rows.iter().filter(|(of, _)| Some(*of) == scope.project_id());
    rows.map(|(_, row)| row).collect()
}

/// Whether the question is about anything: the policies do not see the lists of modules and environments.
fn place_exists(organisation: &RandomOrganisation, scope: Scope) -> bool {
    let Scope::Project { project, module, environment } = scope else { return true };
    let rows = rows(organisation, &scope);
    let is_module = |id| {
        rows.iter()
            .any(|row| matches!(row, Row::Module(row) if row.id == id && row.project_id == project))
    };
    let is_environment = |id| {
        rows.iter().any(
            |row| matches!(row, Row::Environment(row) if row.id == id && row.project_id == project),
        )
    };
    organisation.projects.iter().any(|row| row.id == project)
        && module.is_none_or(is_module)
        && environment.is_none_or(is_environment)
}

fn memberships(organisation: &RandomOrganisation, question: &Question) -> Vec<MembershipRows> {
    let rows = rows(organisation, &question.scope);
    let mut found = Vec::new();
    for row in &rows {
        let Row::Membership(membership) = row else { continue };
        for row in &rows {
            let Row::Team(team) = row else { continue };
            if team.id != membership.team_id {
                continue;
            }
            let mut links: Vec<Option<TeamModule>> = vec![None];
            links.extend(rows.iter().filter_map(|row| match row {
                Row::TeamModule(link) if link.team_id == team.id => Some(Some(*link)),
                _ => None,
            }));
            found.extend(links.into_iter().map(|team_module| MembershipRows {
                membership: membership.clone(),
                team: team.clone(),
                team_module,
            }));
        }
    }
    found
}

fn grants(organisation: &RandomOrganisation, question: &Question) -> Vec<GrantRows> {
    let rows = rows(organisation, &question.scope);
    let mut found = Vec::new();
    for row in &rows {
        let Row::Grant(grant) = row else { continue };
        // The role's own row is no part of what the policies see.
        let has_role = rows.iter().any(|row| {
            matches!(row, Row::Role(role)
                if role.id == grant.role_id && Some(role.project_id) == question.scope.project_id())
        });
        if !has_role {
            continue;
        }
        for row in &rows {
            let Row::RolePermission(link) = row else { continue };
            let permission = rows.iter().find_map(|row| match row {
                Row::Permission(row) if row.id == link.permission_id => Some(row.clone()),
                _ => None,
            });
            let (true, Some(permission)) = (link.role_id == grant.role_id, permission) else {
                continue;
            };
            found.push(GrantRows { grant: grant.clone(), role_permission: *link, permission });
        }
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "a test takes its length and its seed from outside")]
fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Another one in each run. `PLACET_SEED` asks for those of one run again.
#[expect(clippy::print_stderr, reason = "a failed run must be repeatable")]
pub(super) fn chance() -> Chance {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    let seed = number("PLACET_SEED").unwrap_or(u64::try_from(now).unwrap_or_default());
    eprintln!("PLACET_SEED={seed}");
    Chance::new(seed)
}

/// The same one in each run, unless asked for: for what chance must show, and not only may.
#[expect(clippy::print_stderr, reason = "a failed run must be repeatable")]
pub(super) fn fixed_chance() -> Chance {
    let seed = number("PLACET_SEED").unwrap_or(7);
    eprintln!("PLACET_SEED={seed}");
    Chance::new(seed)
}

/// `PLACET_QUESTIONS` asks for more, `PLACET_SEED` for those of one run again.
#[test]
#[expect(clippy::print_stderr, reason = "it says what it saw")]
fn policies_index_and_model_say_the_same() {
    let count = number("PLACET_QUESTIONS").unwrap_or(10_000);
    let (policies, mut now) = (CedarAuthorizer::new().unwrap(), fixed_chance());
    let (mut allowed, mut asked) = (0_u64, 0_u64);
    let mut is_fixed = true;
    while asked < count {
        if is_fixed && asked >= count / 2 {
            // What must be counted is counted where it is the same each time.
            assert!(allowed > asked / 200, "{allowed} of {asked}");
            (is_fixed, now) = (false, chance());
        }
        let chance = &mut now;
        let organisation = RandomOrganisation::new(chance).unwrap();
        let index = organisation.index();
        for _ in 0..100 {
            let question = organisation.question(chance);
            let model = organisation.permits(&question);
            let Question { user, action, scope, at } = &question;
            assert_eq!(index.can(*user, action, *scope, *at), model, "{organisation}{question:?}");
            let permitted = permit(&policies, &organisation, &question, Rows::Everybodys);
            assert_eq!(permitted, model, "{organisation}{question:?}");
            (asked, allowed) = (asked + 1, allowed + u64::from(model));
        }
        if asked % 100_000 == 0 {
            eprintln!("{asked} of {count}");
        }
    }
    eprintln!("{asked} questions, {allowed} of them allowed, no difference");
}
