//! Against the model read word by word, over organisations made by chance.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test takes its seed from outside and says which it took"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use super::{Index, Paging};
use crate::authz::{Action, Question, Scope};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::org::book::Book;
use crate::org::{GlobalRole, Interval, Row};
use crate::testing::{Chance, RandomOrganisation};

/// Every place on one page.
pub(super) const ALL: Paging<Scope> = Paging::first(usize::MAX);

/// `PLACET_QUESTIONS` asks for more, `PLACET_SEED` for those of one run again.
pub(super) fn number(name: &str, usual: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Another one for each run, unless asked for.
pub(super) fn seed() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seed = number("PLACET_SEED", u64::try_from(now.as_nanos() % (1 << 40)).unwrap_or_default());
    eprintln!("PLACET_SEED={seed}");
    seed
}

fn ask(index: &Index, question: &Question) -> bool {
    index.can(question.user, &question.action, question.scope, question.at)
}

/// The same one for each run, unless asked for: for what chance must show, and not only may.
pub(super) fn fixed_seed() -> u64 {
    let seed = number("PLACET_SEED", 7);
    eprintln!("PLACET_SEED={seed}");
    seed
}

/// How many of `count` questions `make`'s index answers otherwise than the model; and how many were a yes.
fn differences(count: u64, seed: u64, make: &dyn Fn(&RandomOrganisation) -> Index) -> (u64, u64) {
    let mut chance = Chance::new(seed);
    let (mut different, mut allowed) = (0, 0);
    for _ in 0..count / 200 {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = make(&organisation);
        for _ in 0..200 {
            let question = organisation.question(&mut chance);
            let permitted = organisation.permits(&question);
            allowed += u64::from(permitted);
            if ask(&index, &question) != permitted {
                if different == 0 {
                    eprintln!("{organisation}{question:?}: the model says {permitted}");
                }
                different += 1;
            }
        }
    }
    (different, allowed)
}

#[test]
fn the_index_says_what_the_model_says() {
    let count = number("PLACET_QUESTIONS", 1_000_000);
    // What must be counted is counted where it is the same each time.
    let (different, allowed) = differences(count / 2, fixed_seed(), &RandomOrganisation::index);
    assert_eq!(different, 0);
    assert!(allowed > count / 200, "too few of them are a yes to tell anything");
    let (different, more) = differences(count / 2, seed(), &RandomOrganisation::index);
    assert_eq!(different, 0);
    eprintln!("{count} questions, {} of them allowed", allowed + more);
}

#[test]
fn an_index_that_loses_a_grant_is_noticed() {
    let loses = |organisation: &RandomOrganisation| {
        let mut less = organisation.clone();
        let lost = less.rows.iter().position(|(_, row)| matches!(row, Row::Grant(_)));
        lost.map(|at| less.rows.remove(at));
        less.index()
    };
    // Most lost grants were of no use where a question points: fewer questions may find none that was.
    assert!(differences(200_000, fixed_seed(), &loses).0 > 0);
}

#[test]
fn an_index_that_ignores_an_end_is_noticed() {
    let ignores = |organisation: &RandomOrganisation| {
        let mut endless = organisation.clone();
        for (_, row) in &mut endless.rows {
            if let Row::Grant(row) = row {
                row.valid = Interval::starting(row.valid.from());
            }
        }
        endless.index()
    };
    assert!(differences(100_000, fixed_seed(), &ignores).0 > 0);
}

#[test]
fn a_handle_answers_as_its_ids_do_also_after_changes() {
    let mut chance = Chance::new(seed());
    for _ in 0..300 {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = organisation.index();
        let questions: Vec<Question> =
            (0..50).map(|_| organisation.question(&mut chance)).collect();
        let handles: Vec<_> = questions
            .iter()
            .filter_map(|q| Some((q, index.action(&q.action), index.place(q.scope)?)))
            .collect();
        let changed = RandomOrganisation::new(&mut chance).unwrap().index();
        for later in [&index, &changed] {
            for (question, action, place) in &handles {
                let found = later.can_at(question.user, action, place, question.at);
                assert_eq!(found, ask(later, question), "{organisation}{question:?}");
            }
        }
    }
}

/// Everything that can be asked about an organisation.
pub(super) fn everything(
    organisation: &RandomOrganisation,
) -> (Vec<UserId>, Vec<Action>, Vec<Scope>) {
    let mut scopes = vec![Scope::Platform];
    for project in &organisation.projects {
        let rows = || organisation.rows.iter().filter(|(of, _)| *of == project.id);
        let ids = |pick: &dyn Fn(&Row) -> Option<u128>| {
            let found = rows().filter_map(|(_, row)| pick(row)).map(Some);
            core::iter::once(None).chain(found).collect::<BTreeSet<_>>()
        };
        let modules =
            ids(&|row| if let Row::Module(row) = row { Some(row.id.as_u128()) } else { None });
        let environments =
            ids(&|row| if let Row::Environment(row) = row { Some(row.id.as_u128()) } else { None });
        for module in &modules {
            for environment in &environments {
                scopes.push(Scope::Project {
                    project: project.id,
                    module: module.map(crate::id::ModuleId::from_u128),
                    environment: environment.map(crate::id::EnvironmentId::from_u128),
                });
            }
        }
    }
    let actions = ["request", "approve", "read", "manage", "deploy", "administer", "audit"];
    let actions = actions.iter().map(|name| name.parse().unwrap()).collect();
    (organisation.users.iter().map(|user| user.id).collect(), actions, scopes)
}

#[test]
fn who_and_where_and_until_are_what_asking_everything_finds() {
    let mut chance = Chance::new(seed());
    for _ in 0..150 {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = organisation.index();
        let (users, actions, scopes) = everything(&organisation);
        let at = Timestamp::from_micros(i64::try_from(chance.below(14)).unwrap());
        for action in &actions {
            for scope in &scopes {
                let can = |user: &UserId| index.can(*user, action, *scope, at);
                let brute: BTreeSet<UserId> = users.iter().copied().filter(can).collect();
                let mut found = BTreeSet::new();
                let mut page = Some(Paging::first(2));
                let mut roles = Vec::new();
                while let Some(which) = page {
                    let who = index.who_can(action, *scope, at, which);
                    assert!(who.users.len() <= 2);
                    assert!(who.users.iter().all(|user| found.insert(*user)), "twice in the pages");
                    page = who.next.map(|last| which.after(last));
                    roles = who.global_roles;
                }
                if index.place(*scope).is_some() {
                    for role in roles {
                        let may = |user: &UserId| can(user);
                        found.extend(index.holders(role).iter().copied().filter(may));
                    }
                }
                assert_eq!(found, brute, "{organisation}who can {action} in {scope} at {at}");
            }
            for user in &users {
                let places: BTreeSet<Scope> =
                    index.where_can(*user, action, at, ALL).items.into_iter().collect();
                let roles = index.global_roles(*user);
                let can = |scope: &&Scope| index.can(*user, action, **scope, at);
                for scope in scopes.iter().filter(|scope| **scope != Scope::Platform).filter(can) {
                    // What only a global role gives is named by the role.
                    assert!(
                        places.contains(scope) || !roles.is_empty(),
                        "{organisation}{user} {scope}"
                    );
                }
                assert!(places.iter().all(|scope| index.can(*user, action, *scope, at)));
                for scope in &scopes {
                    let answer =
                        |tick: i64| index.can(*user, action, *scope, Timestamp::from_micros(tick));
                    let now = at.as_micros();
                    let turn = (now + 1..20).find(|tick| answer(*tick) != answer(now));
                    let found = index.until(*user, action, *scope, at).map(Timestamp::as_micros);
                    assert_eq!(found, turn, "{organisation}{user} {action} {scope} from {now}");
                }
            }
        }
    }
}

#[test]
fn changes_one_by_one_make_the_index_that_building_makes() {
    let mut chance = Chance::new(seed());
    for _ in 0..150 {
        let before = RandomOrganisation::new(&mut chance).unwrap();
        let mut after = RandomOrganisation::new(&mut chance).unwrap();
        // A user or a project is never taken away.
        let missing =
            before.users.iter().filter(|old| after.users.iter().all(|new| new.id != old.id));
        let missing: Vec<_> = missing.cloned().collect();
        after.users.extend(missing);
        let missing = before.projects.iter().filter(|old| !after.projects.contains(old));
        let missing: Vec<_> = missing.cloned().collect();
        after.projects.extend(missing);

        let mut index = before.index();
        for user in &after.users {
            let held = after.global_roles.iter().filter(|row| row.user_id == user.id);
            let held: Vec<GlobalRole> = held.map(|row| row.role).collect();
            index = index.with_user(user, &held);
        }
        for project in &after.projects {
            // Half of them as a whole, half of them without its rows about people and then row by row.
            let mut book = Book::new(project.clone());
            let mut later: BTreeMap<usize, Row> = BTreeMap::new();
            let by_row = chance.is(50);
            for (at, (_, row)) in
                after.rows.iter().enumerate().filter(|(_, row)| row.0 == project.id)
            {
                match row {
                    Row::Membership(_) | Row::Grant(_) if by_row => {
                        drop(later.insert(at, row.clone()));
                    }
                    other => book.insert(other.clone()),
                }
            }
            index = index.with_project(&book);
            for row in later.values() {
                index = match row {
                    Row::Membership(row) => index.with_membership(project.id, row.id, Some(row)),
                    Row::Grant(row) => {
                        // There and away and there again.
                        let there = index.with_grant(project.id, row.id, Some(row));
                        let away = there.with_grant(project.id, row.id, None);
                        let never = index.with_grant(project.id, row.id, None);
                        assert_eq!(away.projects, never.projects);
                        away.with_grant(project.id, row.id, Some(row))
                    }
                    _ => index,
                };
            }
        }
        let built = after.index();
        let (users, actions, scopes) = everything(&after);
        for user in &users {
            assert_eq!(index.project_ids(*user), built.project_ids(*user), "{user}");
            assert_eq!(index.global_roles(*user), built.global_roles(*user));
            for tick in 0..14 {
                let at = Timestamp::from_micros(tick);
                assert_eq!(
                    index.matrix(*user, at, ALL),
                    built.matrix(*user, at, ALL),
                    "{before}{after}"
                );
                for (action, scope) in
                    actions.iter().flat_map(|a| scopes.iter().map(move |s| (a, s)))
                {
                    let can = |index: &Index| index.can(*user, action, *scope, at);
                    assert_eq!(can(&index), can(&built), "{before}{after}{user} {action} {scope}");
                }
            }
        }
    }
}

/// What an explanation says, put together again: the answer that it explains.
fn put_together(why: &super::IndexExplanation, rule: crate::authz::Rule) -> bool {
    use crate::authz::Rule;
    let by_rows = matches!(rule, Rule::TwoLegs | Rule::Read | Rule::Manage)
        && why.is_place
        && why.is_active
        && !why.is_kept_from_agents
        && why.membership.stands()
        && why.grant.stands();
    why.global_role.is_some() || by_rows
}

/// Whether the row that a leg names is stored, is the user's, and holds when it is said to.
fn is_true<Id: Copy + PartialEq>(
    leg: super::Leg<Id>,
    at: Timestamp,
    find: &dyn Fn(Id) -> Option<Interval>,
) -> bool {
    use super::Leg;
    match leg {
        Leg::NotAsked | Leg::Missing => true,
        Leg::Holds(id) => find(id).is_some_and(|valid| valid.contains(at)),
        Leg::NotLive(id, valid) => find(id) == Some(valid) && !valid.contains(at),
    }
}

#[test]
fn an_explanation_gives_the_answer_the_rows_and_the_turn() {
    let mut chance = Chance::new(fixed_seed());
    let (mut yes, mut ended) = (0_u32, 0_u32);
    for round in 0..400 {
        if round == 200 {
            // What must be counted is counted where it is the same each time.
            assert!(yes > 200 && ended > 200, "{yes} and {ended} are too few to tell anything");
            chance = Chance::new(seed());
        }
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = organisation.index();
        for _ in 0..100 {
            let question = organisation.question(&mut chance);
            let Question { user, ref action, scope, at } = question;
            let why = index.explain(user, action, scope, at);
            let context = || format!("{organisation}{question:?}{why:?}");
            assert_eq!(why.is_allowed, organisation.permits(&question), "{}", context());
            assert_eq!(why.is_allowed, put_together(&why, action.rule()), "{}", context());
            assert_eq!(why.until, index.until(user, action, scope, at), "{}", context());
            let rows = || organisation.rows.iter().map(|(_, row)| row);
            let membership = |id| {
                rows().find_map(|row| match row {
                    Row::Membership(row) if row.id == id && row.user_id == user => Some(row.valid),
                    _ => None,
                })
            };
            let grant = |id| {
                rows().find_map(|row| match row {
                    Row::Grant(row) if row.id == id && row.user_id == user => Some(row.valid),
                    _ => None,
                })
            };
            assert!(is_true(why.membership, at, &membership), "{}", context());
            assert!(is_true(why.grant, at, &grant), "{}", context());
            yes += u32::from(why.is_allowed);
            ended += u32::from(matches!(why.grant, super::Leg::NotLive(..)));
        }
    }
}
