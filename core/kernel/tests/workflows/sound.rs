//! The checker of definitions against the search that tries everything.

use std::collections::{BTreeMap, BTreeSet};

use placet_core::request::StateName;
use placet_core::workflow::{Definition, Flaw, Requirement, StateDef, Transition, Unsound, Verb};

use super::reference::{is_sound, replay};

/// Numbers by chance, from a seed (the mixing steps of `SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

const REQUIREMENTS: [Requirement; 7] = [
    Requirement::Comment,
    Requirement::Complete,
    Requirement::Author,
    Requirement::NoDependants,
    Requirement::ValidTarget,
    Requirement::Quorum,
    Requirement::Copy,
];

fn random(dice: &mut Dice) -> Definition {
    let mut definition = dice.one_of(&[Definition::change(), Definition::artifact()]);
    for number in 0..dice.below(5) {
        mutate(&mut definition, dice, number);
    }
    definition
}

fn mutate(definition: &mut Definition, dice: &mut Dice, number: usize) {
    let codes: Vec<_> = definition.states.iter().map(|state| state.code.clone()).collect();
    if codes.is_empty() || definition.transitions.is_empty() {
        return;
    }
    let (way_at, state_at) = (dice.below(definition.transitions.len()), dice.below(codes.len()));
    match dice.below(17) {
        0 => drop(definition.transitions.remove(way_at)),
        1 => definition.transitions[way_at].to = dice.one_of(&codes),
        2 => definition.transitions[way_at].from = dice.one_of(&codes),
        3 => definition.transitions[way_at].verb = dice.one_of(Verb::ALL),
        4 => definition.transitions[way_at].requires.clear(),
        5 => {
            definition.transitions[way_at].requires.insert(dice.one_of(&REQUIREMENTS));
        }
        6 => definition.states[state_at].edit_to = Some(dice.one_of(&codes)),
        7 => definition.states[state_at].edit_to = None,
        8 => {
            definition.states[state_at].phases.insert(dice.one_of(StateName::ALL));
        }
        9 => {
            let phase = dice.one_of(StateName::ALL);
            definition.states[state_at].phases.remove(&phase);
        }
        10 => definition.initial = dice.one_of(&codes),
        // A state between: within a phase of one that is there, with a way in and a way on.
        11..=13 => insert_between(definition, dice, number),
        14 => definition.transitions.push(Transition {
            action: format!("WAY_{number}").parse().unwrap(),
            verb: dice.one_of(Verb::ALL),
            from: dice.one_of(&codes),
            to: dice.one_of(&codes),
            roles: BTreeSet::new(),
            requires: BTreeSet::new(),
        }),
        15 => {
            let state = &mut definition.states[state_at];
            state.is_syncable = !state.is_syncable;
        }
        _ => {
            let gone = definition.states.remove(state_at).code;
            if dice.below(4) > 0 {
                definition.transitions.retain(|way| way.from != gone && way.to != gone);
            }
        }
    }
}

fn insert_between(definition: &mut Definition, dice: &mut Dice, number: usize) {
    let next_to = dice.one_of(&definition.states);
    let code: placet_core::workflow::StateCode = format!("BETWEEN_{number}").parse().unwrap();
    let Some(phase) = next_to.phases.iter().next().copied() else { return };
    definition.states.push(StateDef {
        code: code.clone(),
        label: "Between".parse().unwrap(),
        phases: BTreeSet::from([phase]),
        edit_to: next_to.edit_to.clone(),
        is_syncable: false,
    });
    let way = |action: &str, from, to| Transition {
        action: format!("{action}_{number}").parse().unwrap(),
        verb: Verb::Advance,
        from,
        to,
        roles: BTreeSet::new(),
        requires: BTreeSet::new(),
    };
    definition.transitions.push(way("INTO", next_to.code.clone(), code.clone()));
    if dice.below(4) > 0 {
        definition.transitions.push(way("BACK", code, next_to.code));
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs a test may ask for more of it")]
fn asked(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The first definition about which a checker and the search disagree, or whose path proves nothing.
fn disagreement(
    cases: u64,
    seed: u64,
    checker: impl Fn(&Definition) -> Result<(), Unsound>,
) -> Option<String> {
    (0..cases).map(|case| seed.wrapping_add(case)).find_map(|seed| {
        let definition = random(&mut Dice(seed));
        let verdict = checker(&definition);
        if verdict.is_ok() != is_sound(&definition) {
            let shown = serde_json::to_string(&definition).unwrap();
            return Some(format!("PLACET_SEED={seed}: it says {verdict:?} of {shown}"));
        }
        let why = replay(&definition, &verdict.err()?).err()?;
        Some(format!("PLACET_SEED={seed}: {why}"))
    })
}

/// `PLACET_CASES` definitions from `PLACET_SEED` on.
#[test]
fn the_checker_says_what_trying_everything_says_and_its_paths_replay() {
    let (cases, seed) = (asked("PLACET_CASES", 10_000), asked("PLACET_SEED", 2_026));
    assert_eq!(disagreement(cases, seed, Definition::check), None);
}

#[test]
fn chance_makes_sound_ones_and_every_flaw() {
    let mut found: BTreeMap<&str, u32> = BTreeMap::new();
    for case in 0..4_000 {
        let verdict = random(&mut Dice(case)).check();
        let word = verdict.as_ref().map_or_else(|unsound| unsound.flaw.as_str(), |()| "sound");
        *found.entry(word).or_default() += 1;
    }
    // Two of one code, and roles, are made by hand elsewhere.
    let all = [
        "sound",
        "unknown_state",
        "no_phase",
        "begins_elsewhere",
        "same_way",
        "misplaced_requirement",
        "runs_unapproved",
        "hands_on_unapproved",
        "not_in_core",
        "run_leads_nowhere",
        "unreachable",
        "endless",
    ];
    for word in all {
        assert!(found.get(word).is_some_and(|count| *count >= 3), "{word} in {found:?}");
    }
    assert!(found["sound"] >= 400, "{found:?}");
}

/// A checker that forgets one kind of flaw, and one that refuses too much.
#[test]
fn a_broken_checker_is_caught() {
    for forgotten in [
        "runs_unapproved",
        "hands_on_unapproved",
        "not_in_core",
        "run_leads_nowhere",
        "unreachable",
        "endless",
        "same_way",
    ] {
        let broken = |definition: &Definition| match definition.check() {
            Err(unsound) if unsound.flaw.as_str() == forgotten => Ok(()),
            verdict => verdict,
        };
        assert!(disagreement(4_000, 0, broken).is_some(), "without {forgotten}");
    }
    let strict = |definition: &Definition| {
        definition.check()?;
        let between = definition.states.iter().find(|state| state.label.as_str() == "Between");
        let doubted = |state: &StateDef| Flaw::Unreachable { state: state.code.clone() };
        between.map_or(Ok(()), |state| Err(Unsound::new(doubted(state), Vec::new())))
    };
    assert!(disagreement(2_000, 0, strict).is_some());
    // And one whose verdict is right, and whose path is not.
    let lost = |definition: &Definition| {
        definition.check().map_err(|unsound| Unsound::new(unsound.flaw, Vec::new()))
    };
    assert!(disagreement(2_000, 0, lost).is_some());
}
