//! A breadth-first search over every state of a small model.
//!
//! It is our own, because the model is small and the known checkers bring a web server and forty crates along,
//! for the sake of one loop. States are kept whole, not as hashes, so that none is taken for another.

use core::fmt;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

/// Something that can be explored: where it begins, what can happen, and what must hold.
pub(crate) trait Model {
    type State: Copy + Ord + fmt::Debug;
    type Step: Copy + fmt::Display;

    fn first(&self) -> Self::State;

    /// Everything that can happen next, with what it leads to.
    fn next(&self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;

    /// What is wrong with a state, if anything.
    fn fault_in(&self, state: &Self::State) -> Option<String>;

    /// What is wrong with going from one state to another, if anything.
    fn fault_between(&self, before: &Self::State, after: &Self::State) -> Option<String>;
}

/// What was explored: everything.
#[derive(Debug)]
pub(crate) struct Explored<S> {
    pub(crate) states: Vec<S>,
    pub(crate) transitions: usize,
    /// The number of steps to the state that is farthest from the first.
    pub(crate) depth: usize,
}

/// The first fault on a shortest way, and the way.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) what: String,
    pub(crate) steps: Vec<String>,
    /// How many states had been seen by then.
    pub(crate) states: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in (1..).zip(&self.steps) {
            writeln!(f, "  {number:2}. {step}")?;
        }
        write!(f, "  so that {}", self.what)
    }
}

/// From which state, and by which step, a state was first reached.
type Origins<M> = BTreeMap<<M as Model>::State, Option<(<M as Model>::State, <M as Model>::Step)>>;

/// Looks at every state that can be reached and at every step between two.
pub(crate) fn explore<M: Model>(model: &M) -> Result<Explored<M::State>, Fault> {
    let first = model.first();
    let mut origins: Origins<M> = BTreeMap::from([(first, None)]);
    let mut queue = VecDeque::from([(first, 0)]);
    let (mut transitions, mut depth) = (0, 0);
    let fault = |origins: &Origins<M>, state, what| Fault {
        what,
        steps: way_to::<M>(origins, state),
        states: origins.len(),
    };
    while let Some((state, far)) = queue.pop_front() {
        depth = depth.max(far);
        if let Some(what) = model.fault_in(&state) {
            return Err(fault(&origins, state, what));
        }
        for (step, after) in model.next(&state) {
            transitions += 1;
            if let Entry::Vacant(unseen) = origins.entry(after) {
                unseen.insert(Some((state, step)));
                queue.push_back((after, far + 1));
            }
            if let Some(what) = model.fault_between(&state, &after) {
                let mut fault = fault(&origins, state, what);
                fault.steps.push(step.to_string());
                return Err(fault);
            }
        }
    }
    Ok(Explored { states: origins.into_keys().collect(), transitions, depth })
}

fn way_to<M: Model>(origins: &Origins<M>, mut state: M::State) -> Vec<String> {
    let mut steps = Vec::new();
    while let Some((before, step)) = origins[&state] {
        steps.push(step.to_string());
        state = before;
    }
    steps.reverse();
    steps
}
