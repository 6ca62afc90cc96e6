//! Everywhere that a definition lets a request go, as it is written: also where the typed core would not follow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::code::StateCode;
use super::definition::{Definition, Requirement, StateDef, Transition};
use super::flaw::{Move, Step};
use super::verb::Verb;
use crate::request::StateName;

/// Where a request may be, and whether what it holds now was approved.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Node {
    pub(super) step: StateCode,
    pub(super) phase: StateName,
    pub(super) is_approved: bool,
}

/// One move from a node.
#[derive(Clone, Debug)]
pub(super) struct Arc {
    pub(super) by: Move,
    /// Where it leads; nothing: no state has the phase that a run enters.
    pub(super) to: Option<Node>,
    /// Whether the typed core has it too.
    pub(super) is_of_core: bool,
}

/// Every node that can be reached, with its moves, and how it was reached first.
#[derive(Debug)]
pub(super) struct Explored {
    // In the order in which they were found: the shortest paths first.
    pub(super) nodes: Vec<Node>,
    pub(super) arcs: BTreeMap<Node, Vec<Arc>>,
    parents: BTreeMap<Node, (Node, Move)>,
}

impl Explored {
    pub(super) fn of(definition: &Definition) -> Self {
        let start =
            Node { step: definition.initial.clone(), phase: StateName::Draft, is_approved: false };
        let mut open = VecDeque::from([start.clone()]);
        let mut seen = BTreeSet::from([start]);
        let mut explored =
            Self { nodes: Vec::new(), arcs: BTreeMap::new(), parents: BTreeMap::new() };
        while let Some(node) = open.pop_front() {
            let arcs = arcs_from(definition, &node);
            for arc in &arcs {
                if let Some(to) = &arc.to
                    && seen.insert(to.clone())
                {
                    explored.parents.insert(to.clone(), (node.clone(), arc.by.clone()));
                    open.push_back(to.clone());
                }
            }
            explored.nodes.push(node.clone());
            explored.arcs.insert(node, arcs);
        }
        explored
    }

    /// A shortest way to `node`.
    pub(super) fn path_to(&self, node: &Node) -> Vec<Step> {
        let (mut path, mut at) = (Vec::new(), node);
        while let Some((before, by)) = self.parents.get(at) {
            path.push(Step { from: before.step.clone(), by: by.clone() });
            at = before;
        }
        path.reverse();
        path
    }

    /// The nodes from which an end can be reached.
    pub(super) fn ending(&self) -> BTreeSet<&Node> {
        let mut ending: BTreeSet<&Node> =
            self.nodes.iter().filter(|node| is_end(node.phase)).collect();
        loop {
            let before = ending.len();
            for (node, arcs) in &self.arcs {
                let leads = |arc: &Arc| arc.to.as_ref().is_some_and(|to| ending.contains(to));
                if !ending.contains(node) && arcs.iter().any(leads) {
                    ending.insert(node);
                }
            }
            if ending.len() == before {
                return ending;
            }
        }
    }
}

/// Whether a request is over in this phase.
pub(super) const fn is_end(phase: StateName) -> bool {
    matches!(
        phase,
        StateName::Rejected | StateName::Cancelled | StateName::Succeeded | StateName::Failed
    )
}

fn arcs_from(definition: &Definition, node: &Node) -> Vec<Arc> {
    let Some(state) = definition.state(&node.step) else { return Vec::new() };
    let mut arcs = Vec::new();
    for way in definition.ways_from(&node.step).filter(|way| !way.verb.is_of_run()) {
        take(definition, node, state, way, &mut arcs);
    }
    edit(definition, node, state, &mut arcs);
    run(definition, node, &mut arcs);
    arcs
}

/// The moves by a listed way.
fn take(
    definition: &Definition,
    node: &Node,
    state: &StateDef,
    way: &Transition,
    arcs: &mut Vec<Arc>,
) {
    let Some(end) = definition.state(&way.to) else { return };
    let by = Move::Way(way.action.clone());
    let pairs = way.verb.phases();
    let mut found = false;
    for (_, after) in pairs.iter().filter(|(before, _)| *before == node.phase) {
        found = true;
        let is_approved = if way.verb == Verb::Approve {
            way.requires.contains(&Requirement::Quorum)
        } else {
            node.is_approved && keeps_approval(*after)
        };
        let is_start = matches!(way.verb, Verb::Execute | Verb::Rerun);
        if end.phases.contains(after) {
            let to = Node { step: end.code.clone(), phase: *after, is_approved };
            arcs.push(Arc { by: by.clone(), to: Some(to), is_of_core: true });
        } else if is_start && state.phases.contains(after) {
            // It looks like what was approved while it runs, and leads to where it ends well.
            let arrives = definition.arrival(&node.step, Verb::Finish, StateName::Succeeded);
            let is_of_core = arrives.is_some_and(|arrives| arrives.code == end.code);
            let to = Node { step: node.step.clone(), phase: *after, is_approved };
            arcs.push(Arc { by: by.clone(), to: Some(to), is_of_core });
        } else {
            strange(node, end, &by, arcs);
        }
    }
    let is_for_another = pairs.iter().any(|(before, _)| state.phases.contains(before));
    if !found && !is_for_another {
        strange(node, end, &by, arcs);
    }
}

/// The moves of what the core does not have: into whatever phase the end has.
fn strange(node: &Node, end: &StateDef, by: &Move, arcs: &mut Vec<Arc>) {
    for phase in &end.phases {
        let is_approved = node.is_approved && keeps_approval(*phase);
        let to = Node { step: end.code.clone(), phase: *phase, is_approved };
        arcs.push(Arc { by: by.clone(), to: Some(to), is_of_core: false });
    }
}

fn edit(definition: &Definition, node: &Node, state: &StateDef, arcs: &mut Vec<Arc>) {
    let Some(end) = state.edit_to.as_ref().and_then(|code| definition.state(code)) else { return };
    let is_editable = |phase: &StateName| {
        matches!(
            phase,
            StateName::Draft
                | StateName::PendingApproval
                | StateName::ChangesRequested
                | StateName::Approved
        )
    };
    let is_draft = end.phases.contains(&StateName::Draft);
    let stays = node.phase == StateName::ChangesRequested && !is_draft;
    let phase = if stays { node.phase } else { StateName::Draft };
    if is_editable(&node.phase) && end.phases.contains(&phase) {
        let to = Node { step: end.code.clone(), phase, is_approved: false };
        arcs.push(Arc { by: Move::Edit, to: Some(to), is_of_core: true });
    } else if is_editable(&node.phase) || !state.phases.iter().any(is_editable) {
        // Whatever phase it leads to as it is written, nobody approved the new text.
        for phase in &end.phases {
            let to = Node { step: end.code.clone(), phase: *phase, is_approved: false };
            arcs.push(Arc { by: Move::Edit, to: Some(to), is_of_core: false });
        }
    }
}

/// The moves of a run, listed or not: every workflow has them. Success at one target of a batch leads back to where the
/// run was started: every path to a run came through there, so nothing new is reached by it.
fn run(definition: &Definition, node: &Node, arcs: &mut Vec<Arc>) {
    for verb in [Verb::Finish, Verb::Lose, Verb::Verify, Verb::Reconcile] {
        for (_, phase) in verb.phases().iter().filter(|(before, _)| *before == node.phase) {
            let to = definition.arrival(&node.step, verb, *phase).map(|state| Node {
                step: state.code.clone(),
                phase: *phase,
                is_approved: node.is_approved,
            });
            arcs.push(Arc { by: Move::Run { verb, phase: *phase }, to, is_of_core: true });
        }
    }
}

/// Whether what was approved still is in this phase.
const fn keeps_approval(phase: StateName) -> bool {
    !matches!(phase, StateName::Draft | StateName::PendingApproval | StateName::ChangesRequested)
}
