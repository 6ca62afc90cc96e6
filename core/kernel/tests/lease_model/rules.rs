//! What must hold in every state and between any two, and what the model must be able to reach.

use super::Checked;
use super::deeds::{Deed, Event};
use super::state::{Driver, NODES, Outcome, Reading, Request, Run, State, Verifier};
use super::steps::{by, crash, happen};

/// What must hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rule {
    MadeOnce,
    EnteredOnce,
    True,
    InOrder,
    NeverBack,
    Ends,
}

impl Rule {
    pub(crate) const ALL: &'static [Self] = &[
        Self::MadeOnce,
        Self::EnteredOnce,
        Self::True,
        Self::InOrder,
        Self::NeverBack,
        Self::Ends,
    ];

    /// What is wrong with a state, if anything.
    pub(crate) fn fault_in(self, model: &Checked, state: &State) -> Option<String> {
        let (holds, what) = match self {
            Self::MadeOnce => (state.target.effects <= 1, "the change was made twice"),
            Self::EnteredOnce => (
                state.entered.iter().all(|times| *times <= 1),
                "the runner was entered twice for one attempt",
            ),
            Self::True => (is_true(state), "the outcome is not what the target says"),
            Self::InOrder => (is_in_order(state), "lease and turn are not those of the run"),
            Self::NeverBack => return None,
            Self::Ends => return fault_at_rest(model, state),
        };
        let State { stored, target, entered, .. } = state;
        (!holds).then(|| format!("{what}:\n  {stored:?}\n  {target:?}, entered {entered:?}"))
    }

    /// What is wrong with going from one state to another, if anything.
    pub(crate) fn fault_between(self, before: &State, after: &State) -> Option<String> {
        let (from, to) = (before.stored.request, after.stored.request);
        let holds = self != Self::NeverBack || is_forward(from, to);
        (!holds).then(|| format!("the request went from {from:?} to {to:?}"))
    }
}

/// SUCCEEDED only where the change was made, with its marker; FAILED only where it was not. Since every state
/// is looked at, also those that follow, a change that is made later under a FAILED request is found.
fn is_true(state: &State) -> bool {
    let made = state.target.effects == 1;
    match state.stored.request {
        Request::Ended(run, Outcome::Succeeded) => made && state.has_marker(run),
        Request::Ended(run, Outcome::Failed) => !made && !state.has_marker(run),
        Request::Approved => !made,
        Request::Executing(_) | Request::Ended(_, Outcome::Unknown) => true,
    }
}

/// A run has its lease exactly while it is executing, and its turn until its outcome is known.
fn is_in_order(state: &State) -> bool {
    let lease = state.stored.lease.map(|lease| lease.fence);
    let turn = state.stored.turn;
    match state.stored.request {
        Request::Executing(run) => lease == Some(run.fence) && turn == lease,
        Request::Ended(run, Outcome::Unknown) => lease.is_none() && turn == Some(run.fence),
        Request::Approved | Request::Ended(_, Outcome::Succeeded | Outcome::Failed) => {
            lease.is_none() && turn.is_none()
        }
    }
}

/// Nothing runs again but what is known to have failed, as another attempt; and what is known stays.
fn is_forward(from: Request, to: Request) -> bool {
    match (from, to) {
        (Request::Approved, Request::Executing(_)) => true,
        (Request::Ended(before, Outcome::Failed), Request::Executing(after)) => {
            after.attempt == before.attempt + 1 && after.fence == before.fence + 1
        }
        (
            Request::Executing(before) | Request::Ended(before, Outcome::Unknown),
            Request::Ended(after, _),
        ) => before == after,
        _ => from == to,
    }
}

/// Wherever everybody stops, one node that ticks is enough: the run is unknown or known then. And once the
/// target has let go of what was left in it, verifying tells.
fn fault_at_rest(model: &Checked, state: &State) -> Option<String> {
    let mut rests =
        vec![(0..NODES).fold(*state, |state, node| crash(state, node).unwrap_or(state))];
    if state.is_quiet() {
        rests.push(*state);
    }
    let events = [Event::OrphanUndone, Event::OrphanCommitted];
    rests.into_iter().find_map(|rest| {
        (0..NODES).find_map(|node| {
            let ticked = play(model, rest, node, &[Deed::Observe, Deed::DeclareLost]);
            if matches!(ticked.stored.request, Request::Executing(_)) {
                return Some(format!("nobody ends the run: {:?}", ticked.stored));
            }
            let has_run = matches!(ticked.stored.request, Request::Ended(..));
            events.iter().find_map(|event| {
                let free = happen(model.variant, &ticked, *event);
                let free = free.or_else(|| happen(model.variant, &ticked, Event::OrphanUndone));
                let deeds = [Deed::AskVerify, Deed::ReadTarget, Deed::WriteReading];
                let read = play(model, free.unwrap_or(ticked), node, &deeds);
                let stays = matches!(read.stored.request, Request::Ended(_, Outcome::Unknown));
                (has_run && stays).then(|| format!("nobody can ever tell: {read:?}"))
            })
        })
    })
}

/// Does what can be done of `deeds`, in order.
fn play(model: &Checked, state: State, node: usize, deeds: &[Deed]) -> State {
    deeds.iter().fold(state, |state, deed| by(model, &state, node, *deed).unwrap_or(state))
}

/// Whether a state is of some kind.
pub(crate) type Is = fn(&State) -> bool;

/// What a model that means anything must reach: otherwise its rules hold because nothing happens.
pub(crate) const REACHED: &[(&str, Is)] = &[
    ("three nodes race to start", |state| {
        state.nodes.iter().all(|node| matches!(node.driver, Driver::Starting(_)))
    }),
    ("a run succeeds", |state| ended(state, Outcome::Succeeded)),
    ("a run fails", |state| ended(state, Outcome::Failed)),
    ("a run was declared lost, and is about to begin", |state| {
        ended(state, Outcome::Unknown) && driver(state, |it| matches!(it, Driver::MayBegin(_)))
    }),
    ("a run was verified as failed, and has the target's lock", |state| {
        ended(state, Outcome::Failed) && driver(state, |it| matches!(it, Driver::Open(_)))
    }),
    ("a run was declared lost, and is about to commit", |state| {
        ended(state, Outcome::Unknown) && driver(state, |it| matches!(it, Driver::MayCommit(_)))
    }),
    ("a COMMIT outlives its client, and the run is unknown", |state| {
        ended(state, Outcome::Unknown) && state.target.orphan.is_some_and(|orphan| orphan.is_sent)
    }),
    ("a run is verified as done, and its driver does not know yet", |state| {
        ended(state, Outcome::Succeeded) && driver(state, |it| matches!(it, Driver::Committed(_)))
    }),
    ("a run that succeeded says too late that nobody can tell", |state| {
        let late = |it: Driver| matches!(it, Driver::Reporting(_, Outcome::Unknown));
        ended(state, Outcome::Succeeded) && driver(state, late)
    }),
    ("one looked while a COMMIT was under way, and another after it", |state| {
        reads(state, Reading::CannotTell) && reads(state, Reading::There)
    }),
    ("one looked before a late transaction began, and another after", |state| {
        reads(state, Reading::Absent) && reads(state, Reading::CannotTell)
    }),
];

/// What it must reach beside that where there are two attempts.
pub(crate) const REACHED_AGAIN: &[(&str, Is)] = &[
    ("a second attempt succeeds", |state| {
        matches!(state.stored.request, Request::Ended(Run { attempt: 2, .. }, Outcome::Succeeded))
    }),
    ("a second attempt is under way, and the first still has the target's lock", |state| {
        let first = |it: Driver| matches!(it, Driver::Open(Run { attempt: 1, .. }));
        matches!(state.stored.request, Request::Executing(Run { attempt: 2, .. }))
            && driver(state, first)
    }),
];

fn ended(state: &State, outcome: Outcome) -> bool {
    matches!(state.stored.request, Request::Ended(_, found) if found == outcome)
}

fn driver(state: &State, is: fn(Driver) -> bool) -> bool {
    state.nodes.iter().any(|node| is(node.driver))
}

fn reads(state: &State, reading: Reading) -> bool {
    state
        .nodes
        .iter()
        .any(|node| matches!(node.verifier, Verifier::Read(_, read) if read == reading))
}
