//! The model on any store. A log cannot be turned back, so a situation is reached by a new request that is led there,
//! verb by verb, on the shortest way that the model knows.

use core::fmt;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use placet_core::request::StateName;
use placet_core::store::Store;

use super::rules::{Node, Who};
use super::stage::Stage;
use super::verbs::{VERBS, Verb};

/// The rule that the gate is compared with.
pub(crate) type Rule = fn(&Node, &'static str, Who) -> (Node, Option<bool>);

/// How a replay ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) situations: usize,
    pub(crate) calls: u64,
    pub(crate) moves: u64,
    /// Where the gate did otherwise than the model says. It ends in the situation of the first.
    pub(crate) wrong: Vec<String>,
    states: BTreeSet<StateName>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { situations, calls, moves, .. } = self;
        write!(f, "{situations} situations, {calls} calls, {moves} moves")
    }
}

/// A situation, and who does what to get there.
#[derive(Clone, Debug)]
struct Way {
    node: Node,
    steps: Vec<(&'static Verb, Who)>,
}

/// All situations, breadth first, by the model alone.
fn ways(rule: Rule, first: Node) -> Vec<Way> {
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = VecDeque::from([Way { node: first, steps: Vec::new() }]);
    let mut found = Vec::new();
    while let Some(way) = open.pop_front() {
        for verb in VERBS.iter().filter(|verb| verb.moves) {
            for who in verb.callers(false) {
                let (node, _) = rule(&way.node, verb.name, *who);
                if !node.is_a_twin() && seen.insert(node.clone()) {
                    let mut steps = way.steps.clone();
                    steps.push((verb, *who));
                    open.push_back(Way { node, steps });
                }
            }
        }
        found.push(way);
    }
    found
}

/// How many situations one store sees: some verbs read all of it.
const SITUATIONS_EACH: usize = 12;

/// Calls every verb in situations of every state, on stores that `ground` makes. With `PLACET_MODEL` in all of them
/// and by everybody; else in the first of each state, where whatever moves something is done, and of what does not, one
/// call in `one_in`.
pub(crate) fn replay(
    rule: Rule,
    ground: &mut dyn FnMut() -> Arc<dyn Store>,
    one_in: usize,
) -> Tally {
    let whole = std::env::var_os("PLACET_MODEL").is_some();
    let one_in = if whole { 1 } else { one_in };
    let mut stage = Stage::on(ground());
    let mut tally = Tally::default();
    for way in ways(rule, stage.look()) {
        if !tally.states.insert(way.node.state) && !whole {
            continue;
        }
        if tally.situations > 0 && tally.situations.is_multiple_of(SITUATIONS_EACH) {
            stage = Stage::on(ground());
        }
        tally.situations += 1;
        tally.visit(rule, &mut stage, &way, one_in);
        if !tally.wrong.is_empty() {
            break;
        }
    }
    if tally.wrong.is_empty() && tally.states.len() != StateName::ALL.len() {
        tally.wrong.push(format!("only these states were reached: {:?}", tally.states));
    }
    tally
}

impl Tally {
    /// Leads a new request to a situation.
    fn lead(&mut self, stage: &mut Stage, way: &Way) {
        stage.begin();
        for (verb, who) in &way.steps {
            self.calls += 1;
            // What it answered shows in what it left.
            let _answer = (verb.call)(stage, who);
        }
        let found = stage.look();
        if found != way.node {
            let steps: Vec<_> = way.steps.iter().map(|(verb, who)| (verb.name, who)).collect();
            self.wrong.push(format!("{steps:?} lead to {found:?}, and not to {:?}", way.node));
        }
    }

    /// Everything that can be done there.
    fn visit(&mut self, rule: Rule, stage: &mut Stage, way: &Way, one_in: usize) {
        self.lead(stage, way);
        for (position, verb) in VERBS.iter().enumerate() {
            for (number, who) in verb.callers(true).iter().enumerate() {
                let (due, says_yes) = rule(&way.node, verb.name, *who);
                // The number of the state is a part of it: in some state everybody calls everything.
                let turn = (position + number + self.situations).is_multiple_of(one_in);
                if !turn && due == way.node {
                    continue;
                }
                self.calls += 1;
                let answer = (verb.call)(stage, who);
                let view = stage.view();
                let found = stage.node_of(&view);
                if found != due || says_yes.is_some_and(|yes| yes != answer.is_ok()) {
                    let told = answer.err().map(|error| error.to_string());
                    self.wrong.push(format!(
                        "{} by {who:?} in {:?}: {told:?}, {found:?}; the model says {due:?}, {says_yes:?}",
                        verb.name, way.node
                    ));
                }
                self.wrong.extend(Stage::broken_promises(&view));
                if self.wrong.len() > 10 {
                    return;
                }
                if found != way.node {
                    self.moves += 1;
                    self.lead(stage, way);
                }
            }
        }
    }
}
