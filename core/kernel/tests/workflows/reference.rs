//! What a definition lets a request do, restated from the manual: a table of the core's moves, and a search that
//! tries everything. It shares no code with the checker.

use std::collections::BTreeSet;

use placet_core::request::StateName;
use placet_core::workflow::{
    Definition, Flaw, Move, Requirement, StateCode, StateDef, Step, Unsound, Verb,
};

/// A place: the state's code, the phase, and whether what stands there was approved.
pub(crate) type Place = (String, StateName, bool);

/// `verb from to`, as the manual lists them. Those of a run are in `RUN`.
const CORE: &[(&str, &str, &str)] = &[
    ("submit", "DRAFT", "PENDING_APPROVAL"),
    ("submit", "CHANGES_REQUESTED", "PENDING_APPROVAL"),
    ("approve", "PENDING_APPROVAL", "APPROVED"),
    ("request_changes", "PENDING_APPROVAL", "CHANGES_REQUESTED"),
    ("reject", "PENDING_APPROVAL", "REJECTED"),
    ("withdraw", "PENDING_APPROVAL", "DRAFT"),
    ("reopen", "CHANGES_REQUESTED", "DRAFT"),
    ("cancel", "DRAFT", "CANCELLED"),
    ("cancel", "PENDING_APPROVAL", "CANCELLED"),
    ("cancel", "CHANGES_REQUESTED", "CANCELLED"),
    ("cancel", "APPROVED", "CANCELLED"),
    ("delete", "DRAFT", "CANCELLED"),
    ("revert", "APPROVED", "DRAFT"),
    ("revert", "FAILED", "DRAFT"),
    ("restore", "REJECTED", "DRAFT"),
    ("execute", "APPROVED", "EXECUTING"),
    ("rerun", "FAILED", "EXECUTING"),
    ("new_version", "SUCCEEDED", "DRAFT"),
    ("advance", "DRAFT", "DRAFT"),
    ("advance", "PENDING_APPROVAL", "PENDING_APPROVAL"),
    ("advance", "CHANGES_REQUESTED", "CHANGES_REQUESTED"),
    ("advance", "APPROVED", "APPROVED"),
    ("advance", "REJECTED", "REJECTED"),
    ("advance", "CANCELLED", "CANCELLED"),
    ("advance", "SUCCEEDED", "SUCCEEDED"),
    ("advance", "FAILED", "FAILED"),
];

const RUN: &[(&str, &str, &str)] = &[
    ("finish", "EXECUTING", "SUCCEEDED"),
    ("finish", "EXECUTING", "FAILED"),
    ("finish", "EXECUTING", "UNKNOWN"),
    ("lose", "EXECUTING", "UNKNOWN"),
    ("verify", "UNKNOWN", "SUCCEEDED"),
    ("verify", "UNKNOWN", "FAILED"),
    ("verify", "UNKNOWN", "UNKNOWN"),
    ("verify", "SUCCEEDED", "SUCCEEDED"),
    ("verify", "FAILED", "FAILED"),
    ("reconcile", "UNKNOWN", "SUCCEEDED"),
    ("reconcile", "UNKNOWN", "FAILED"),
];

const WRITTEN: [&str; 4] = ["DRAFT", "PENDING_APPROVAL", "CHANGES_REQUESTED", "APPROVED"];

fn phase(name: &str) -> StateName {
    *StateName::ALL.iter().find(|phase| phase.as_str() == name).unwrap()
}

fn state<'a>(definition: &'a Definition, code: &str) -> Option<&'a StateDef> {
    definition.states.iter().find(|state| state.code.as_str() == code)
}

fn has(definition: &Definition, code: &str, name: &str) -> bool {
    state(definition, code).is_some_and(|state| state.phases.contains(&phase(name)))
}

/// Where a run is that entered a phase from a state.
fn landing(definition: &Definition, from: &str, verb: &str, name: &str) -> Option<String> {
    let listed = definition.transitions.iter().find(|way| {
        way.from.as_str() == from
            && way.verb.as_str() == verb
            && has(definition, way.to.as_str(), name)
    });
    if let Some(way) = listed {
        return Some(way.to.to_string());
    }
    if has(definition, from, name) {
        return Some(from.to_owned());
    }
    let first = definition.states.iter().find(|state| state.phases.contains(&phase(name)));
    first.map(|state| state.code.to_string())
}

/// Everything that can be done at a place: the move, where it leads (nowhere: a run that no state takes), and
/// whether the core does it.
pub(crate) fn moves(definition: &Definition, place: &Place) -> Vec<(Move, Option<Place>, bool)> {
    let (code, at, approved) = place;
    let mut found = Vec::new();
    let voids = |name: &str| ["DRAFT", "PENDING_APPROVAL", "CHANGES_REQUESTED"].contains(&name);
    for way in definition.transitions.iter().filter(|way| way.from.as_str() == code) {
        let verb = way.verb.as_str();
        if RUN.iter().any(|row| row.0 == verb) || verb == "stop" {
            continue;
        }
        let (by, to) = (Move::Way(way.action.clone()), way.to.as_str());
        let rows: Vec<_> = CORE.iter().filter(|row| row.0 == verb).collect();
        let here: Vec<_> = rows.iter().filter(|row| row.1 == at.as_str()).collect();
        let mut as_written =
            here.is_empty() && !rows.iter().any(|row| has(definition, code, row.1));
        for (_, _, after) in here {
            let yes = match verb {
                "approve" => way.requires.contains(&Requirement::Quorum),
                _ => *approved && !voids(after),
            };
            if has(definition, to, after) {
                found.push((by.clone(), Some((to.to_owned(), phase(after), yes)), true));
            } else if *after == "EXECUTING" && has(definition, code, after) {
                let ends = landing(definition, code, "finish", "SUCCEEDED");
                let place = (code.clone(), phase(after), yes);
                found.push((by.clone(), Some(place), ends.as_deref() == Some(to)));
            } else {
                as_written = true;
            }
        }
        if as_written {
            for end in state(definition, to).into_iter().flat_map(|state| &state.phases) {
                let yes = *approved && !voids(end.as_str());
                found.push((by.clone(), Some((to.to_owned(), *end, yes)), false));
            }
        }
    }
    let here = state(definition, code).unwrap();
    if let Some(to) = &here.edit_to {
        let to = to.as_str();
        let stays = at.as_str() == "CHANGES_REQUESTED" && !has(definition, to, "DRAFT");
        let after = if stays { "CHANGES_REQUESTED" } else { "DRAFT" };
        let is_written = WRITTEN.contains(&at.as_str());
        let never = !here.phases.iter().any(|phase| WRITTEN.contains(&phase.as_str()));
        if is_written && has(definition, to, after) {
            found.push((Move::Edit, Some((to.to_owned(), phase(after), false)), true));
        } else if is_written || never {
            for end in state(definition, to).into_iter().flat_map(|state| &state.phases) {
                found.push((Move::Edit, Some((to.to_owned(), *end, false)), false));
            }
        }
    }
    for (verb, _, after) in RUN.iter().filter(|row| row.1 == at.as_str()) {
        let end = landing(definition, code, verb, after);
        let verb = *Verb::ALL.iter().find(|it| it.as_str() == *verb).unwrap();
        let to = end.map(|end| (end, phase(after), *approved));
        found.push((Move::Run { verb, phase: phase(after) }, to, true));
    }
    found
}

fn start(definition: &Definition) -> Place {
    (definition.initial.to_string(), StateName::Draft, false)
}

/// Every place that can be reached from `from`.
pub(crate) fn reached(definition: &Definition, from: &[Place]) -> BTreeSet<Place> {
    let (mut all, mut open) = (BTreeSet::new(), from.to_vec());
    while let Some(place) = open.pop() {
        if all.insert(place.clone()) {
            open.extend(moves(definition, &place).into_iter().filter_map(|(_, to, _)| to));
        }
    }
    all
}

fn is_over(place: &Place) -> bool {
    ["REJECTED", "CANCELLED", "SUCCEEDED", "FAILED"].contains(&place.1.as_str())
}

fn runs_unapproved(place: &Place) -> bool {
    ["EXECUTING", "SUCCEEDED"].contains(&place.1.as_str()) && !place.2
}

fn hands_on_unapproved(definition: &Definition, place: &Place) -> bool {
    !place.2 && state(definition, &place.0).is_some_and(|state| state.is_syncable)
}

/// Whether the definition is well formed: names that mean one thing.
fn is_formed(definition: &Definition) -> bool {
    let codes: Vec<&str> = definition.states.iter().map(|state| state.code.as_str()).collect();
    let distinct: BTreeSet<&str> = codes.iter().copied().collect();
    let ways = &definition.transitions;
    let named = ways.iter().flat_map(|way| [way.from.as_str(), way.to.as_str()]);
    let edits = definition.states.iter().filter_map(|state| state.edit_to.as_ref());
    let mut named = named.chain(edits.map(StateCode::as_str));
    let clash = ways.iter().enumerate().any(|(at, one)| {
        ways.iter().skip(at + 1).any(|other| {
            let is_run = one.verb.is_of_run() && one.verb == other.verb;
            let phases = |code: &str| state(definition, code).map(|it| it.phases.clone());
            let overlap = phases(one.to.as_str())
                .zip(phases(other.to.as_str()))
                .is_none_or(|(one, other)| one.intersection(&other).next().is_some());
            let same_verb = one.verb == other.verb && one.verb != Verb::Advance;
            one.from == other.from
                && if is_run { overlap } else { one.action == other.action || same_verb }
        })
    });
    distinct.len() == codes.len()
        && named.all(|code| distinct.contains(code))
        && definition.states.iter().all(|state| !state.phases.is_empty())
        && has(definition, definition.initial.as_str(), "DRAFT")
        && !clash
}

/// Whether each way takes what its verb looks at, and goes where a run goes.
fn takes_what_it_may(definition: &Definition) -> bool {
    definition.transitions.iter().all(|way| {
        let (verb, from, to) = (way.verb.as_str(), way.from.as_str(), way.to.as_str());
        let of_run = match verb {
            "stop" => from == to && has(definition, from, "EXECUTING"),
            _ if way.verb.is_of_run() => RUN.iter().any(|row| {
                row.0 == verb && has(definition, from, row.1) && has(definition, to, row.2)
            }),
            _ => true,
        };
        let silent = ["submit", "execute", "rerun", "stop", "finish", "lose", "verify"];
        let fits = way.requires.iter().all(|requirement| match requirement {
            Requirement::Comment => !silent.contains(&verb),
            Requirement::Complete => !way.verb.is_of_run(),
            Requirement::Author => !["approve", "finish", "lose"].contains(&verb),
            Requirement::NoDependants => verb == "delete",
            Requirement::ValidTarget => ["execute", "rerun"].contains(&verb),
            Requirement::Quorum => verb == "approve",
            Requirement::Copy => verb == "new_version",
            _ => false,
        });
        let agreed = verb != "approve" || way.requires.contains(&Requirement::Quorum);
        let system = ["finish", "lose"].contains(&verb) && !way.roles.is_empty();
        of_run && fits && agreed && !system
    })
}

/// Whether the definition is sound, by trying everything.
pub(crate) fn is_sound(definition: &Definition) -> bool {
    if !is_formed(definition) {
        return false;
    }
    let all = reached(definition, &[start(definition)]);
    let seen: BTreeSet<&str> = all.iter().map(|place| place.0.as_str()).collect();
    // Backwards from the ends, until nothing is added.
    let leads: Vec<(&Place, Vec<Place>)> = all
        .iter()
        .map(|place| (place, moves(definition, place).into_iter().filter_map(|it| it.1).collect()))
        .collect();
    let mut alive: BTreeSet<&Place> = all.iter().filter(|place| is_over(place)).collect();
    let mut before = 0;
    while before < alive.len() {
        before = alive.len();
        let saved = leads.iter().filter(|(_, to)| to.iter().any(|to| alive.contains(to)));
        let saved: Vec<&Place> = saved.map(|(place, _)| *place).collect();
        alive.extend(saved);
    }
    let good = |place: &Place| {
        !runs_unapproved(place)
            && !hands_on_unapproved(definition, place)
            && moves(definition, place).iter().all(|(_, to, of_core)| *of_core && to.is_some())
    };
    all.iter().all(good)
        && definition.states.iter().all(|state| seen.contains(state.code.as_str()))
        && alive.len() == all.len()
        && takes_what_it_may(definition)
}

/// Where a request may be after `path`.
fn walk(definition: &Definition, path: &[Step]) -> BTreeSet<Place> {
    let mut at = BTreeSet::from([start(definition)]);
    for step in path {
        at = at
            .iter()
            .filter(|place| place.0 == step.from.as_str())
            .flat_map(|place| moves(definition, place))
            .filter(|(by, _, _)| *by == step.by)
            .filter_map(|(_, to, _)| to)
            .collect();
    }
    at
}

/// Replays what the checker says is wrong, and looks whether it is.
pub(crate) fn replay(definition: &Definition, unsound: &Unsound) -> Result<(), String> {
    let path = &unsound.path;
    let shown = match &unsound.flaw {
        Flaw::RunsUnapproved => walk(definition, path).iter().any(runs_unapproved),
        Flaw::HandsOnUnapproved => {
            walk(definition, path).iter().any(|place| hands_on_unapproved(definition, place))
        }
        Flaw::Endless => walk(definition, path)
            .iter()
            .any(|place| !reached(definition, core::slice::from_ref(place)).iter().any(is_over)),
        Flaw::RunLeadsNowhere { phase } => walk(definition, path).iter().any(|place| {
            let mut runs = moves(definition, place).into_iter();
            runs.any(|(by, to, _)| {
                to.is_none() && matches!(by, Move::Run { phase: into, .. } if into == *phase)
            })
        }),
        Flaw::NotInCore => {
            let Some((last, before)) = path.split_last() else { return Err("no path".to_owned()) };
            let places = walk(definition, before);
            let strange =
                places.iter().filter(|place| place.0 == last.from.as_str()).any(|place| {
                    let mut all = moves(definition, place).into_iter();
                    all.any(|(by, _, of_core)| by == last.by && !of_core)
                });
            let is_run = definition.transitions.iter().any(|way| {
                way.from == last.from
                    && way.verb.is_of_run()
                    && last.by == Move::Way(way.action.clone())
            });
            strange || is_run && !places.is_empty() && !takes_what_it_may(definition)
        }
        Flaw::Unreachable { state } => {
            !reached(definition, &[start(definition)]).iter().any(|place| place.0 == state.as_str())
        }
        Flaw::UnknownState { .. }
        | Flaw::SameState { .. }
        | Flaw::NoPhase { .. }
        | Flaw::BeginsElsewhere
        | Flaw::SameWay { .. } => !is_formed(definition),
        Flaw::MisplacedRequirement { .. } | Flaw::NoQuorum { .. } => !takes_what_it_may(definition),
        Flaw::UnknownRole { .. } | Flaw::OnlyArtifacts { .. } | Flaw::NoForm { .. } => {
            return Err(format!("this is not looked for in a built-in: {unsound}"));
        }
        other => return Err(format!("nobody knows how to replay {other:?}")),
    };
    if shown { Ok(()) } else { Err(format!("the path proves nothing: {unsound}")) }
}
