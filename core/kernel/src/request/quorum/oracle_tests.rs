//! Our answers against a definition of a quorum that is written down in another way: by sets of people.
//!
//! `PLACET_CASES=100000` plays more; `PLACET_SEED=7` plays one again.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test takes its seed from outside and says which it took"
)]

use super::*;
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::{ApprovalId, UserId};
use crate::testing::Chance;

/// What people are in: for each person the numbers of their groups.
type Memberships = Vec<Vec<u8>>;
/// Sets of people, as bits.
type Sets = Vec<u16>;

const PEOPLE: usize = 7;
const GROUPS: u64 = 4;

fn role(number: u8) -> Group {
    Group::ProjectRole(RoleId::from_u128(u128::from(number)))
}

fn number_of(group: &Group) -> u8 {
    let Group::ProjectRole(role) = group else { panic!("no such group here: {group:?}") };
    u8::try_from(role.as_u128()).unwrap()
}

// The definition.

/// The sets of people who meet `need` between them, nobody to spare and nobody twice.
fn sets(need: &Need, people: &Memberships) -> Sets {
    let apart = |left: &Sets, right: &Sets| -> Sets {
        let pairs = left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other)));
        let mut found: Sets =
            pairs.filter(|(one, other)| one & other == 0).map(|(one, other)| one | other).collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    match need {
        Need::NOf { n, of } => {
            let of: Vec<u8> = of.iter().map(number_of).collect();
            let able = |set: u16| {
                (0..PEOPLE)
                    .filter(|person| set >> person & 1 == 1)
                    .all(|person| people[person].iter().any(|group| of.contains(group)))
            };
            let all = 0..1_u16 << PEOPLE;
            all.filter(|set| set.count_ones() == u32::from(*n) && able(*set)).collect()
        }
        Need::AllOf(of) => {
            of.iter().fold(vec![0], |found, need| apart(&found, &sets(need, people)))
        }
        Need::AnyOf(of) => of.iter().flat_map(|need| sets(need, people)).collect(),
        Need::SomeOf { k, of } => {
            let choices = (0..1_u32 << of.len()).filter(|set| set.count_ones() == u32::from(*k));
            let chosen = choices.map(|set| {
                let of = of.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
                Need::AllOf(of.map(|(_, need)| need.clone()).collect())
            });
            chosen.flat_map(|need| sets(&need, people)).collect()
        }
    }
}

/// Plays approvals in `order`: after each, whether it was taken, and whether the quorum is reached.
fn defined(quorum: &Quorum, people: &Memberships, order: &[usize]) -> Vec<(bool, bool)> {
    let met = |sets: &Sets, given: u16| sets.iter().any(|set| set & given == *set);
    let stages: Vec<Sets> = quorum.stages.iter().map(|stage| sets(&stage.need, people)).collect();
    let named = |stages: &[&Stage], person: usize| {
        let of = stages.iter().flat_map(|stage| stage.need.groups()).map(number_of);
        let of: Vec<u8> = of.collect();
        people[person].iter().any(|group| of.contains(group))
    };
    let mut answers = Vec::new();
    match quorum.order {
        Order::Parallel => {
            let whole = Need::AllOf(quorum.stages.iter().map(|stage| stage.need.clone()).collect());
            let (whole, all) = (sets(&whole, people), quorum.stages.iter().collect::<Vec<_>>());
            let mut given = 0_u16;
            for person in order {
                let is_new = given >> person & 1 == 0;
                let taken = is_new && !met(&whole, given) && named(&all, *person);
                if taken {
                    given |= 1 << person;
                }
                answers.push((taken, met(&whole, given)));
            }
        }
        Order::Sequence => {
            let mut given = vec![0_u16; stages.len()];
            for person in order {
                let open = stages.iter().zip(&given).position(|(sets, given)| !met(sets, *given));
                let is_new = given.iter().all(|given| given >> person & 1 == 0);
                let fits = |open: usize| named(&[&quorum.stages[open]], *person);
                let taken = is_new && open.is_some_and(fits);
                if let Some(open) = open.filter(|_| taken) {
                    given[open] |= 1 << person;
                }
                let all = stages.iter().zip(&given).all(|(sets, given)| met(sets, *given));
                answers.push((taken, all));
            }
        }
    }
    answers
}

// Ours, and two that are wrong.

type Counter = fn(&Quorum, &[Approval], &Digest) -> bool;

fn ours(quorum: &Quorum, given: &[Approval], digest: &Digest) -> bool {
    let reached = quorum.standing(given, digest) == Standing::Reached;
    assert_eq!(reached, quorum.counted(given, digest).is_some());
    assert_eq!(reached, quorum.awaited(given, digest).is_empty());
    reached
}

/// As many people as are needed, whoever of all the groups they are.
fn union_of_approvers(quorum: &Quorum, given: &[Approval], _: &Digest) -> bool {
    given.len() >= usize::from(quorum.people())
}

/// Each place is filled by anybody who fits, also by somebody who fills another.
fn counting_twice(quorum: &Quorum, given: &[Approval], _: &Digest) -> bool {
    let fits = |slot: &Slot<'_>| {
        given.iter().any(|one| one.fits.iter().any(|fit| slot.of.contains(&fit.group)))
    };
    quorum.ways().iter().any(|way| way.iter().all(fits))
}

/// Plays approvals as the gate does, with `counter` in place of ours.
fn played(
    counter: Counter,
    quorum: &Quorum,
    people: &Memberships,
    order: &[usize],
) -> Vec<(bool, bool)> {
    let digest = Digest::of(b"what is asked for");
    let mut given: Vec<Approval> = Vec::new();
    let mut answers = Vec::new();
    for (number, person) in order.iter().enumerate() {
        let user = UserId::from_u128(u128::try_from(*person).unwrap());
        let fits = people[*person].iter().map(|group| Fit::new(role(*group), None, None));
        let fits: Vec<Fit> = fits.collect();
        let is_open = !counter(quorum, &given, &digest) && given.iter().all(|one| one.user != user);
        let admitted = is_open.then(|| quorum.admits(&given, &digest, &fits)).flatten();
        if let Some((stage, fits)) = &admitted {
            let id = ApprovalId::from_u128(u128::try_from(number).unwrap());
            let at = Timestamp::from_micros(0);
            given.push(Approval { id, user, at, digest, stage: *stage, fits: fits.clone() });
        }
        answers.push((admitted.is_some(), counter(quorum, &given, &digest)));
    }
    answers
}

// Chance.

fn below<N: TryFrom<u64>>(chance: &mut Chance, end: u64) -> N {
    N::try_from(chance.below(end)).ok().unwrap()
}

/// From 1 to `most`.
fn some<N: TryFrom<u64>>(chance: &mut Chance, most: u64) -> N {
    N::try_from(chance.below(most).saturating_add(1)).ok().unwrap()
}

fn group(chance: &mut Chance) -> Group {
    role(below(chance, GROUPS))
}

fn need(chance: &mut Chance, depth: u8) -> Need {
    let kind: u8 = if depth == 0 { 0 } else { below(chance, 6) };
    if kind < 3 {
        let (n, count) = (some(chance, 3), some::<u8>(chance, 2));
        return Need::NOf { n, of: (0..count).map(|_| group(chance)).collect() };
    }
    let count: u8 = some(chance, 3);
    let of: Vec<Need> = (0..count).map(|_| need(chance, depth.saturating_sub(1))).collect();
    match kind {
        3 => Need::AllOf(of),
        4 => Need::AnyOf(of),
        _ => {
            let k = some(chance, u64::from(count));
            Need::SomeOf { k, of }
        }
    }
}

/// A quorum that would be stored, who is in which groups, and in which order people say yes, some of them twice.
fn case(seed: u64) -> (Quorum, Memberships, Vec<usize>) {
    let mut chance = Chance::new(seed);
    let chance = &mut chance;
    let quorum = loop {
        let stages: u8 = some(chance, 3);
        let stages = (0..stages)
            .map(|number| Stage::new(format!("stage {number}").parse().unwrap(), need(chance, 2)));
        let stages = stages.collect();
        let order = if chance.is(50) { Order::Sequence } else { Order::Parallel };
        if let Ok(quorum) = Quorum::new(stages, order, Exclude::default()) {
            break quorum;
        }
    };
    let people = (0..PEOPLE).map(|_| {
        let of: u64 = below::<u64>(chance, 1 << GROUPS) & below::<u64>(chance, 1 << GROUPS);
        (0..u8::try_from(GROUPS).unwrap()).filter(|group| of >> group & 1 == 1).collect()
    });
    let people = people.collect();
    let order = (0..PEOPLE + 2).map(|_| below(chance, u64::try_from(PEOPLE).unwrap()));
    (quorum, people, order.collect())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// The first seed at which `counter` says something else than the definition.
fn first_difference(counter: Counter, seeds: impl Iterator<Item = u64>) -> Option<u64> {
    let mut seeds = seeds;
    seeds.find(|seed| {
        let (quorum, people, order) = case(*seed);
        defined(&quorum, &people, &order) != played(counter, &quorum, &people, &order)
    })
}

#[test]
fn a_quorum_is_what_its_definition_says() {
    let (first, count) = match number("PLACET_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("PLACET_CASES").unwrap_or(2_000)),
    };
    let (mut reached, mut sequences) = (0_u64, 0_u64);
    for seed in first..first + count {
        let (quorum, people, order) = case(seed);
        let expected = defined(&quorum, &people, &order);
        let said = played(ours, &quorum, &people, &order);
        assert_eq!(said, expected, "PLACET_SEED={seed}: {quorum:#?}\n{people:?}\n{order:?}");
        reached += u64::from(expected.last().is_some_and(|(_, reached)| *reached));
        sequences += u64::from(quorum.order == Order::Sequence && quorum.stages.len() > 1);
    }
    eprintln!(
        "{count} quorums from seed {first}: {reached} reached, {sequences} of stages in sequence"
    );
    if count > 100 {
        assert!(reached > count / 20 && sequences > count / 20, "the cases say little");
    }
}

#[test]
fn a_counter_that_is_wrong_is_caught() {
    let wrong: [(&str, Counter); 2] = [
        ("the union of approvers", union_of_approvers),
        ("counting somebody twice", counting_twice),
    ];
    for (name, wrong) in wrong {
        let caught = first_difference(wrong, 0..2_000);
        eprintln!("{name} is caught at seed {caught:?}");
        assert!(caught.is_some(), "{name} passes");
    }
    assert_eq!(first_difference(ours, 0..200), None);
}

#[test]
fn one_qa_and_one_owner_are_two_people_of_two_kinds() {
    let one = |number| Need::NOf { n: 1, of: vec![role(number)] };
    let (qa, owner) = (0, 1);
    let both = Need::AllOf(vec![one(qa), one(owner)]);
    for order in [Order::Sequence, Order::Parallel] {
        let stages = vec![Stage::new("release".parse().unwrap(), both.clone())];
        let together = Quorum::new(stages, order, Exclude::default()).unwrap();
        // The same as two stages: there the first who is both fills the one that is open.
        let stages = [("qa", qa), ("owner", owner)];
        let stages = stages.map(|(name, of)| Stage::new(name.parse().unwrap(), one(of)));
        let apart = Quorum::new(stages.to_vec(), order, Exclude::default()).unwrap();
        for quorum in [together, apart] {
            let people = vec![vec![qa], vec![qa], vec![qa, owner], vec![owner]];
            let reached = |order: &[usize]| {
                played(ours, &quorum, &people, order).last().is_some_and(|(_, reached)| *reached)
            };
            assert!(!reached(&[0, 1]), "two of QA");
            assert!(!reached(&[2, 2]), "one who is both");
            assert!(reached(&[0, 3]));
            assert!(reached(&[0, 2]), "who is both counts as the owner");
            assert!(reached(&[2, 3]), "or as QA");
        }
    }
}

#[test]
fn what_is_too_large_or_asks_for_nobody_is_refused() {
    let one = || Need::NOf { n: 1, of: vec![role(0)] };
    let stage = |need| Stage::new("stage".parse().unwrap(), need);
    let refused = |stages: Vec<Stage>| {
        let error = Quorum::new(stages, Order::Parallel, Exclude::default()).unwrap_err();
        assert_eq!(error.code(), crate::error::Code::InvalidInput);
        assert!(error.help().is_some());
        error.to_string()
    };
    let deep = |levels: usize| (0..levels).fold(one(), |need, _| Need::AllOf(vec![need]));
    let somebody = Group::Person(UserId::from_u128(7));
    let many = Need::AnyOf(vec![one(); 16]);
    let said = [
        refused(Vec::new()),
        refused(vec![stage(one()); 9]),
        refused(vec![stage(Need::NOf { n: 0, of: vec![role(0)] })]),
        refused(vec![stage(Need::NOf { n: 17, of: vec![role(0)] })]),
        refused(vec![stage(Need::NOf { n: 1, of: Vec::new() })]),
        refused(vec![stage(Need::NOf { n: 1, of: vec![role(0); 17] })]),
        refused(vec![stage(Need::NOf { n: 2, of: vec![somebody, somebody] })]),
        refused(vec![stage(Need::AllOf(Vec::new()))]),
        refused(vec![stage(Need::SomeOf { k: 0, of: vec![one()] })]),
        refused(vec![stage(Need::SomeOf { k: 2, of: vec![one()] })]),
        refused(vec![stage(Need::AllOf(vec![many.clone(), many.clone(), many]))]),
        refused(vec![stage(Need::SomeOf { k: 8, of: vec![one(); 16] })]),
        refused(vec![stage(Need::AllOf(vec![Need::NOf { n: 9, of: vec![role(0)] }; 2]))]),
        refused(vec![stage(deep(9))]),
    ];
    assert!(said.iter().all(|sentence| sentence.len() < 100), "{said:?}");
    assert!(Quorum::new(vec![stage(deep(3))], Order::Parallel, Exclude::default()).is_ok());
    // One that was stored by other means approves nothing.
    let empty = Quorum { stages: Vec::new(), order: Order::Parallel, exclude: Exclude::default() };
    assert_ne!(empty.standing(&[], &Digest::of(b"")), Standing::Reached);
    let nobody = vec![stage(Need::NOf { n: 0, of: vec![role(0)] })];
    let nobody = Quorum { stages: nobody, ..Quorum::default() };
    assert_ne!(nobody.standing(&[], &Digest::of(b"")), Standing::Reached);
}
