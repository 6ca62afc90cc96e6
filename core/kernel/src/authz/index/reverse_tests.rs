//! The questions from the other end against asking everything, over organisations made by chance; and their
//! pages, also while rows come and go.
#![expect(clippy::print_stderr, reason = "a test says what it saw")]

use std::collections::{BTreeMap, BTreeSet};

use super::oracle_tests::{ALL, everything, fixed_seed, number, seed};
use super::reverse::by_role;
use super::{Index, Paging, Places};
use crate::authz::{Action, Scope};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::org::GlobalRole;
use crate::testing::{Chance, RandomOrganisation};

/// How many organisations a test makes; `PLACET_CASES` asks for more.
fn organisations(usual: u64) -> u64 {
    number("PLACET_CASES", usual)
}

fn instant(chance: &mut Chance) -> Timestamp {
    Timestamp::from_micros(i64::try_from(chance.below(14)).unwrap())
}

fn size(chance: &mut Chance) -> usize {
    usize::try_from(chance.below(4)).unwrap()
}

/// More than any of these organisations has of anything.
const ENDLESS: usize = 10_000;

/// All pages of a list, one after the other.
fn all_pages<Item>(limit: usize, ask: &dyn Fn(Paging<Scope>) -> Places<Item>) -> Vec<Item> {
    let (mut all, mut page) = (Vec::new(), Some(Paging::first(limit)));
    while let Some(which) = page {
        let found = ask(which);
        let (len, limit) = (found.items.len(), limit.max(1));
        assert!(len == limit || (len < limit && found.next.is_none()), "{len} of {limit}");
        all.extend(found.items);
        assert!(all.len() < ENDLESS, "these pages never end");
        page = found.next.map(|last| which.after(last));
    }
    all
}

#[test]
fn whoever_could_without_those_away_is_whom_asking_everybody_finds() {
    let mut chance = Chance::new(seed());
    let (mut left, mut nobody) = (0_u64, 0_u64);
    for _ in 0..organisations(150) {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = organisation.index();
        let (users, actions, scopes) = everything(&organisation);
        let at = instant(&mut chance);
        let away: Vec<UserId> = users.iter().copied().filter(|_| chance.is(30)).collect();
        let mut less = organisation.clone();
        for user in &mut less.users {
            user.is_active &= !away.contains(&user.id);
        }
        let less = less.index();
        for (action, scope) in actions.iter().flat_map(|a| scopes.iter().map(move |s| (a, *s))) {
            let can = |user: &UserId| index.can(*user, action, scope, at);
            let brute: BTreeSet<UserId> =
                users.iter().copied().filter(|user| !away.contains(user) && can(user)).collect();
            let suffices = |role: GlobalRole| {
                let there = |user: &UserId| !away.contains(user) && can(user);
                index.place(scope).is_some() && index.holders(role).iter().any(there)
            };
            let roles: Vec<GlobalRole> =
                by_role(action.rule(), scope).iter().copied().filter(|r| suffices(*r)).collect();
            let mut found = BTreeSet::new();
            let (limit, mut page) = (size(&mut chance), Some(Paging::first(2)));
            while let Some(which) = page {
                let who = index.who_can_without(action, scope, at, &away, which);
                let context = format!("{organisation}{action} in {scope} at {at} less {away:?}");
                assert_eq!(who.global_roles, roles, "{context}");
                assert!(who.users.iter().all(|user| found.insert(*user)), "twice: {context}");
                page = who.next.map(|last| Paging::first(limit).after(last));
            }
            // Away is as good as inactive.
            let whole = Paging::first(usize::MAX);
            let inactive = less.who_can(action, scope, at, whole).users;
            assert_eq!(found.iter().copied().collect::<Vec<_>>(), inactive, "{organisation}");
            assert_eq!(
                index.who_can_without(action, scope, at, &[], whole).users,
                index.who_can(action, scope, at, whole).users
            );
            for role in roles {
                found.extend(index.holders(role).iter().filter(|user| brute.contains(user)));
            }
            assert_eq!(found, brute, "{organisation}{action} in {scope} at {at} less {away:?}");
            left += u64::from(!found.is_empty());
            nobody += u64::from(found.is_empty() && users.iter().any(can));
        }
    }
    eprintln!("{left} questions with somebody left, {nobody} with nobody left");
    assert!(left > 100 && nobody > 100, "too few to tell anything");
}

#[test]
fn what_only_one_can_is_what_asking_everything_finds() {
    let mut chance = Chance::new(seed());
    let (mut by_rows, mut by_global_role, mut shared) = (0_u64, 0_u64, 0_u64);
    for _ in 0..organisations(1_000) {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = organisation.index();
        let (users, actions, scopes) = everything(&organisation);
        let at = instant(&mut chance);
        for (action, user) in actions.iter().flat_map(|a| users.iter().map(move |u| (a, *u))) {
            let limit = size(&mut chance);
            let listed = all_pages(limit, &|page| index.only_by(user, action, at, page));
            let roles = index.only_by(user, action, at, ALL).global_roles;
            for scope in scopes.iter().copied() {
                let others = || users.iter().filter(|other| **other != user);
                let other_can = others().any(|other| index.can(*other, action, scope, at));
                let can = index.can(user, action, scope, at);
                // What a role gives is not listed: it is had wherever nobody else has it by rows.
                let left = index.who_can_without(action, scope, at, &[user], Paging::first(1));
                let by_role = by_role(action.rule(), scope).iter().any(|role| roles.contains(role))
                    && index.place(scope).is_some()
                    && left.users.is_empty();
                let is_listed = listed.contains(&scope);
                let context = || format!("{organisation}{user} {action} in {scope} at {at}");
                assert_eq!(is_listed || by_role, can && !other_can, "{}", context());
                by_rows += u64::from(is_listed);
                by_global_role += u64::from(by_role && !is_listed);
                shared += u64::from(can && other_can);
            }
            assert!(listed.iter().all(|scope| scopes.contains(scope)));
        }
    }
    eprintln!("{by_rows} places by rows, {by_global_role} by a role, {shared} are shared");
    assert!(by_rows > 100 && by_global_role > 100 && shared > 100, "too few to tell anything");
}

#[test]
fn pages_together_are_the_whole() {
    let mut chance = Chance::new(seed());
    let mut longest = 0;
    for _ in 0..organisations(1_000) {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let index = organisation.index();
        let (users, actions, _) = everything(&organisation);
        let at = instant(&mut chance);
        for user in users {
            let mut by_place: BTreeMap<Scope, Vec<Action>> = BTreeMap::new();
            let mut actions = actions.clone();
            actions.push(Action::EXECUTE);
            actions.sort();
            for action in &actions {
                let whole = index.where_can(user, action, at, ALL);
                assert!(whole.items.is_sorted_by(|a, b| a < b) && whole.next.is_none());
                let limit = size(&mut chance);
                let paged = all_pages(limit, &|page| index.where_can(user, action, at, page));
                assert_eq!(paged, whole.items);
                for scope in whole.items {
                    by_place.entry(scope).or_default().push(action.clone());
                }
            }
            longest = longest.max(by_place.len());
            let limit = size(&mut chance);
            let matrix = all_pages(limit, &|page| index.matrix(user, at, page));
            assert_eq!(matrix, by_place.into_iter().collect::<Vec<_>>(), "{organisation}{user}");
            // Projects by the index are those of the places, or all of them.
            let sees =
                |places: &Places| places.items.iter().filter_map(Scope::project_id).collect();
            let mut seen: BTreeSet<_> = sees(&index.where_can(user, &Action::READ, at, ALL));
            let managed: BTreeSet<_> = sees(&index.where_can(user, &Action::MANAGE, at, ALL));
            seen.extend(managed);
            match index.seen_by(user, at) {
                Some(projects) => assert_eq!(projects, seen.into_iter().collect::<Vec<_>>()),
                None => assert!(!index.global_roles(user).is_empty()),
            }
        }
    }
    assert!(longest >= 12, "{longest} places are too few to tell anything");
}

/// The same organisation with some of its rows, others each time.
fn with_some_rows(organisation: &RandomOrganisation, chance: &mut Chance) -> Index {
    let mut some = organisation.clone();
    some.rows.retain(|_| chance.is(93));
    some.index()
}

/// What was listed so far, and what the last page ended with.
struct Listed<Key> {
    keys: Vec<Key>,
    last: Option<Key>,
}

/// One list, whole, and how its next page is turned: of a list that may have changed. The answer to `turn` is
/// whether there is a next one.
struct List<'l, Key> {
    whole: &'l dyn Fn(&Index) -> Vec<Key>,
    turn: &'l dyn Fn(&Index, &mut Listed<Key>) -> bool,
}

/// Turns page after page, each of another index. Answers how many keys that were on the list throughout were on
/// no page or on two.
fn lost_or_twice<Key: Copy + Ord>(
    list: &List<'_, Key>,
    organisation: &RandomOrganisation,
    chance: &mut Chance,
) -> u64 {
    let mut listed = Listed { keys: Vec::new(), last: None };
    let mut throughout: Option<BTreeSet<Key>> = None;
    loop {
        let index = with_some_rows(organisation, chance);
        let now: BTreeSet<Key> = (list.whole)(&index).into_iter().collect();
        throughout = Some(match throughout {
            None => now,
            Some(before) => before.intersection(&now).copied().collect(),
        });
        if !(list.turn)(&index, &mut listed) {
            break;
        }
        assert!(listed.keys.len() < ENDLESS, "these pages never end");
    }
    let times = |key: &Key| listed.keys.iter().filter(|other| *other == key).count();
    u64::try_from(throughout.iter().flatten().filter(|key| times(key) != 1).count()).unwrap()
}

/// Counts what goes wrong in one organisation for a user, an action and an instant.
type Count<'c> = &'c dyn Fn(&RandomOrganisation, (UserId, &Action, Timestamp), &mut Chance) -> u64;

/// What goes wrong in many organisations.
fn wrong_in_many(seed: u64, count: Count<'_>) -> u64 {
    let mut chance = Chance::new(seed);
    let mut wrong = 0_u64;
    for _ in 0..organisations(200) {
        let organisation = RandomOrganisation::new(&mut chance).unwrap();
        let (users, actions, _) = everything(&organisation);
        let at = instant(&mut chance);
        for (user, action) in users.iter().flat_map(|u| actions.iter().map(move |a| (*u, a))) {
            wrong = wrong.saturating_add(count(&organisation, (user, action, at), &mut chance));
        }
    }
    wrong
}

/// Turns pages of two places by what the last one ended with.
fn turn_places(listed: &mut Listed<Scope>, ask: &dyn Fn(Paging<Scope>) -> Places) -> bool {
    let first = Paging::first(2);
    let found = ask(listed.last.map_or(first, |last| first.after(last)));
    listed.keys.extend(found.items);
    listed.last = found.next;
    listed.last.is_some()
}

#[test]
fn a_place_that_holds_throughout_is_on_one_page_while_rows_come_and_go() {
    let wrong = wrong_in_many(seed(), &|organisation, (user, action, at), chance| {
        let can = List {
            whole: &|index| index.where_can(user, action, at, ALL).items,
            turn: &|index, listed| {
                turn_places(listed, &|page| index.where_can(user, action, at, page))
            },
        };
        let only = List {
            whole: &|index| index.only_by(user, action, at, ALL).items,
            turn: &|index, listed| {
                turn_places(listed, &|page| index.only_by(user, action, at, page))
            },
        };
        let wrong = lost_or_twice(&can, organisation, chance);
        wrong.saturating_add(lost_or_twice(&only, organisation, chance))
    });
    assert_eq!(wrong, 0);
}

#[test]
fn a_user_who_can_throughout_is_on_one_page_while_rows_come_and_go() {
    let wrong = wrong_in_many(seed(), &|organisation, (away, action, at), chance| {
        let projects: Vec<_> = organisation.projects.iter().map(|row| row.id).collect();
        let scope = Scope::project(chance.one_of(&projects).unwrap());
        let ask = |index: &Index, page| index.who_can_without(action, scope, at, &[away], page);
        let list = List {
            whole: &|index| ask(index, Paging::first(usize::MAX)).users,
            turn: &|index, listed: &mut Listed<UserId>| {
                let first = Paging::first(1);
                let found = ask(index, listed.last.map_or(first, |last| first.after(last)));
                listed.keys.extend(found.users);
                listed.last = found.next;
                listed.last.is_some()
            },
        };
        lost_or_twice(&list, organisation, chance)
    });
    assert_eq!(wrong, 0);
}

#[test]
fn pages_that_count_places_lose_some_and_are_noticed() {
    let wrong = wrong_in_many(fixed_seed(), &|organisation, (user, action, at), chance| {
        let whole = |index: &Index| index.where_can(user, action, at, ALL).items;
        let list = List {
            whole: &whole,
            turn: &|index, listed| {
                let rest = whole(index).into_iter().skip(listed.keys.len()).take(2);
                let before = listed.keys.len();
                listed.keys.extend(rest);
                listed.keys.len() == before.saturating_add(2)
            },
        };
        lost_or_twice(&list, organisation, chance)
    });
    assert!(wrong > 0);
}
