//! The protocol of lease, fence and marker, checked in every state that three nodes and two attempts at one request can
//! reach.
//!
//! What the simulator tries by chance is tried here in every order: any node starts, drives, renews, ticks and
//! verifies at any time; any process stops for any time or dies between any two steps; any answer is lost; a
//! COMMIT may be done after its client died. Taken as given: the store compares versions and answers reads
//! with what was last committed, and the target has transactions and one lock. `reconcile` is left out: it
//! is a person's word. The model stands beside the code, and is no part of it: whoever changes `gate/execute.rs`,
//! `rerun.rs`, `drive.rs`, `lease.rs`, `renew.rs`, `recover.rs`, `verify.rs` or `turn.rs` changes `steps.rs` too.

mod checker; // every state, breadth first
mod state; // what there is
mod deeds; // what can happen, in words
mod steps; // what each leads to
mod rules; // what must hold

use checker::{Explored, Fault, Model, explore};
use deeds::Step;
use rules::{Is, REACHED, REACHED_AGAIN, Rule};
use state::{ATTEMPTS, NODES, State};

/// The protocol, or the protocol with one part taken out, which the rules must miss.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Variant {
    Sound,
    /// A run looks at its lease before it begins, and not again.
    NoLookAfterBegin,
    /// The marker is written after the transaction that makes the change.
    MarkerOutside,
    /// Verifying finds no marker, and does not ask for the lock.
    VerifyWithoutLock,
    /// A start is written whatever changed since it was decided.
    BlindWrites,
    /// A run that is unknown is run again.
    RunsAgain,
    /// What a run says after it was declared over counts.
    LateResultCounts,
    /// Whoever declares a run over does not take its lease away.
    LeaseStays,
    /// A node declares lost only what it started itself.
    OwnRunsOnly,
}

/// A variant, how much there is of it, and the rules that are looked at.
#[derive(Clone, Copy, Debug)]
struct Checked {
    variant: Variant,
    rules: &'static [Rule],
    /// The nodes that do something.
    nodes: usize,
    attempts: usize,
}

impl Model for Checked {
    type State = State;
    type Step = Step;

    fn first(&self) -> State {
        State::FIRST
    }

    fn next(&self, state: &State) -> Vec<(Step, State)> {
        steps::next(self, state)
    }

    fn fault_in(&self, state: &State) -> Option<String> {
        self.rules.iter().find_map(|rule| rule.fault_in(self, state))
    }

    fn fault_between(&self, before: &State, after: &State) -> Option<String> {
        self.rules.iter().find_map(|rule| rule.fault_between(before, after))
    }
}

#[test]
fn no_order_of_steps_of_three_nodes_breaks_the_protocol() {
    check_sound(NODES, 1, REACHED);
}

/// Three nodes and two attempts are many more states, and nothing new: what a third node adds is what it does in one.
#[test]
fn no_order_of_steps_around_a_second_attempt_breaks_the_protocol() {
    check_sound(2, ATTEMPTS, REACHED_AGAIN);
}

fn check_sound(nodes: usize, attempts: usize, reached: &[(&str, Is)]) {
    let sound = Checked { variant: Variant::Sound, rules: Rule::ALL, nodes, attempts };
    let Explored { states, transitions, depth } =
        explore(&sound).unwrap_or_else(|fault| panic!("the protocol is broken:\n{fault}"));
    eprintln!(
        "lease model, {nodes} nodes, {attempts} attempts: {} states, {transitions} transitions, depth {depth}",
        states.len()
    );
    for (what, is_reached) in reached {
        assert!(states.iter().any(is_reached), "the model never reaches this: {what}");
    }
}

/// Finds the shortest way on which `rule` breaks, and shows it.
fn check_caught(variant: Variant, rule: &'static [Rule]) {
    let (nodes, attempts) = if variant == Variant::RunsAgain { (2, ATTEMPTS) } else { (NODES, 1) };
    let checked = Checked { variant, rules: rule, nodes, attempts };
    let fault = match explore(&checked) {
        Ok(explored) => panic!("{variant:?} holds {rule:?} in {} states", explored.states.len()),
        Err(fault) => fault,
    };
    let Fault { what: _, steps, states } = &fault;
    eprintln!("lease model, {variant:?}: {} steps, among {states} states\n{fault}", steps.len());
}

#[test]
fn a_run_that_begins_after_it_was_declared_over_must_look_again() {
    check_caught(Variant::NoLookAfterBegin, &[Rule::True]);
}

#[test]
fn a_marker_belongs_into_the_transaction_of_its_change() {
    check_caught(Variant::MarkerOutside, &[Rule::True]);
}

#[test]
fn only_who_holds_the_lock_knows_that_a_marker_will_not_come() {
    check_caught(Variant::VerifyWithoutLock, &[Rule::True]);
}

#[test]
fn a_start_that_rests_on_what_changed_is_not_written() {
    check_caught(Variant::BlindWrites, &[Rule::EnteredOnce]);
}

#[test]
fn a_run_that_is_unknown_is_not_run_again() {
    check_caught(Variant::RunsAgain, &[Rule::MadeOnce]);
}

#[test]
fn a_late_result_has_no_power() {
    check_caught(Variant::LateResultCounts, &[Rule::NeverBack]);
}

#[test]
fn a_run_that_was_declared_over_has_no_lease() {
    check_caught(Variant::LeaseStays, &[Rule::InOrder]);
    check_caught(Variant::LeaseStays, &[Rule::True]);
}

#[test]
fn whoever_ticks_ends_the_runs_of_those_who_died() {
    check_caught(Variant::OwnRunsOnly, &[Rule::Ends]);
}
