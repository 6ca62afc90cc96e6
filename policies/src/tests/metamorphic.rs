//! What must follow from an answer, whatever the answer is: less never allows more, and a project is nobody's
//! help in another.

use std::env;

use placet_core::authz::{Question, Scope};
use placet_core::id::ProjectId;
use placet_core::org::Row;
use placet_core::testing::{Chance, RandomOrganisation};

use super::differential::{chance, fixed_chance, policies_permit};
use crate::CedarAuthorizer;

#[expect(clippy::disallowed_methods, reason = "a test takes its length and its seed from outside")]
fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

/// `PLACET_CASES` asks for more.
fn count() -> u64 {
    number("PLACET_CASES").unwrap_or(20_000)
}

/// A question that every second time is a yes, where chance finds one.
fn question(organisation: &RandomOrganisation, chance: &mut Chance) -> Question {
    let mut question = organisation.question(chance);
    if chance.is(50) {
        for _ in 0..40 {
            if organisation.permits(&question) {
                break;
            }
            question = organisation.question(chance);
        }
    }
    question
}

/// How many questions are asked of one organisation.
const EACH: usize = 50;

/// The same organisation without one of its rows, and how that row reads.
fn without_one(
    organisation: &RandomOrganisation,
    chance: &mut Chance,
) -> (RandomOrganisation, String) {
    let mut less = organisation.clone();
    let one_of = |chance: &mut Chance, count: usize| {
        usize::try_from(chance.below(u64::try_from(count).unwrap())).unwrap()
    };
    let removed = match chance.below(20) {
        0 => format!("{:?}", less.users.remove(one_of(chance, organisation.users.len()))),
        1 => format!("{:?}", less.projects.remove(one_of(chance, organisation.projects.len()))),
        2 | 3 if !less.global_roles.is_empty() => {
            let at = one_of(chance, organisation.global_roles.len());
            format!("{:?}", less.global_roles.remove(at))
        }
        _ if !less.rows.is_empty() => {
            format!("{:?}", less.rows.remove(one_of(chance, organisation.rows.len())))
        }
        _ => String::new(),
    };
    (less, removed)
}

/// What both say: the index and the policies.
fn both(
    organisation: &RandomOrganisation,
    policies: &CedarAuthorizer,
    question: &Question,
) -> [bool; 2] {
    let Question { user, action, scope, at } = question;
    let index = organisation.index().can(*user, action, *scope, *at);
    [index, policies_permit(policies, organisation, question)]
}

#[test]
#[expect(clippy::print_stderr, reason = "it says what it saw")]
fn a_row_less_never_allows_more() {
    let (count, mut now) = (count(), fixed_chance());
    let policies = CedarAuthorizer::new().unwrap();
    let (mut asked, mut allowed, mut lost) = (0_u64, 0_u64, 0_u64);
    let mut is_fixed = true;
    while asked < count {
        if is_fixed && asked >= count / 2 {
            // What must be counted is counted where it is the same each time.
            assert!(
                allowed > asked / 20 && lost > asked / 1_000,
                "{allowed} and {lost} of {asked}"
            );
            (is_fixed, now) = (false, chance());
        }
        let chance = &mut now;
        let organisation = RandomOrganisation::new(chance).unwrap();
        for _ in 0..EACH {
            let question = question(&organisation, chance);
            let (less, removed) = without_one(&organisation, chance);
            let before = both(&organisation, &policies, &question);
            let after = both(&less, &policies, &question);
            for (before, after) in before.into_iter().zip(after) {
                assert!(before || !after, "{organisation}{question:?} without {removed}");
            }
            asked += 1;
            allowed += u64::from(before[0]);
            lost += u64::from(before[0] && !after[0]);
        }
    }
    eprintln!("{asked} rows removed, {allowed} yes before, {lost} of them lost by it, none won");
}

/// Without whatever is stored under `project`, or says that it is of it.
fn without_project(organisation: &RandomOrganisation, project: ProjectId) -> RandomOrganisation {
    let mut less = organisation.clone();
    less.projects.retain(|row| row.id != project);
    less.rows.retain(|(of, row)| *of != project && owner(row) != Some(project));
    less
}

fn owner(row: &Row) -> Option<ProjectId> {
    match row {
        Row::Environment(row) => Some(row.project_id),
        Row::Module(row) => Some(row.project_id),
        Row::Team(row) => Some(row.project_id),
        Row::Role(row) => Some(row.project_id),
        Row::Permission(row) => Some(row.project_id),
        Row::Grant(row) => Some(row.project_id),
        _ => None,
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "it says what it saw")]
fn what_somebody_holds_in_a_project_is_no_help_in_another() {
    let (count, mut now) = (count(), fixed_chance());
    let policies = CedarAuthorizer::new().unwrap();
    let (mut asked, mut allowed) = (0_u64, 0_u64);
    let mut is_fixed = true;
    while asked < count {
        if is_fixed && asked >= count / 2 {
            assert!(allowed > asked / 20, "{allowed} of {asked}");
            (is_fixed, now) = (false, chance());
        }
        let chance = &mut now;
        let organisation = RandomOrganisation::new(chance).unwrap();
        let ids: Vec<ProjectId> = organisation.projects.iter().map(|row| row.id).collect();
        if ids.len() < 2 {
            continue;
        }
        for _ in 0..EACH {
            let question = question(&organisation, chance);
            let others: Vec<ProjectId> =
                ids.iter().copied().filter(|id| Some(*id) != question.scope.project_id()).collect();
            let Some(other) = chance.one_of(&others) else { continue };
            let less = without_project(&organisation, other);
            let before = both(&organisation, &policies, &question);
            let after = both(&less, &policies, &question);
            assert_eq!(before, after, "{organisation}{question:?} without {other}");
            asked += 1;
            allowed += u64::from(before[0] && question.scope != Scope::Platform);
        }
    }
    eprintln!("{asked} questions with and without another project, {allowed} yes in a project");
}
