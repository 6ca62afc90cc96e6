//! What each verb does to one request, by the rules: the model.

use std::collections::BTreeSet;

use placet_core::request::StateName;

/// The kinds of callers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Who {
    /// Asked for the request.
    Ana,
    /// May write it too, and may approve.
    Edi,
    /// May approve.
    Bo,
    /// May approve, too.
    Cy,
    /// May run it.
    Exe,
    /// Manages the project.
    Max,
    /// PLATFORM_ADMIN.
    Root,
    /// AUDITOR.
    Aud,
    /// An agent that holds every role of the project.
    Robot,
    /// Nobody here.
    Eve,
    /// Held every role, and is inactive.
    Ina,
}

impl Who {
    pub(crate) const ALL: &'static [Self] = &[
        Self::Ana,
        Self::Edi,
        Self::Bo,
        Self::Cy,
        Self::Exe,
        Self::Max,
        Self::Root,
        Self::Aud,
        Self::Robot,
        Self::Eve,
        Self::Ina,
    ];

    /// Those with a right that the way of a request depends on, and one who had them.
    pub(crate) const WITH_A_PART: &'static [Self] =
        &[Self::Ana, Self::Edi, Self::Bo, Self::Cy, Self::Exe, Self::Robot, Self::Ina];

    const fn requests(self) -> bool {
        matches!(self, Self::Ana | Self::Edi | Self::Robot)
    }

    const fn approves(self) -> bool {
        matches!(self, Self::Edi | Self::Bo | Self::Cy)
    }

    const fn executes(self) -> bool {
        matches!(self, Self::Exe | Self::Robot)
    }
}

/// How many different people must agree.
pub(crate) const QUORUM: usize = 2;

/// A situation: all that is true of the request, as far as it matters.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Node {
    pub(crate) state: StateName,
    /// Who wrote or submitted any revision.
    pub(crate) editors: BTreeSet<Who>,
    /// Whose yes counts for what would run now.
    pub(crate) approvals: BTreeSet<Who>,
    pub(crate) planned: bool,
    /// Whether the run was asked to stop.
    pub(crate) stopping: bool,
}

impl Node {
    /// Whether there is the same situation with Bo in the place of Cy, whose rights are the same.
    pub(crate) fn is_a_twin(&self) -> bool {
        self.approvals.contains(&Who::Cy) && !self.approvals.contains(&Who::Bo)
    }

    fn in_state(&self, state: StateName) -> Self {
        Self { state, ..self.clone() }
    }

    /// Back to writing, with nothing agreed to.
    fn written_by(&self, who: Who) -> Self {
        let mut editors = self.editors.clone();
        editors.insert(who);
        let (approvals, planned, stopping) = (BTreeSet::new(), false, false);
        Self { state: StateName::Draft, editors, approvals, planned, stopping }
    }
}

/// What is left when `who` calls `verb`, and whether they are told yes, where that is fixed.
pub(crate) fn model(node: &Node, verb: &'static str, who: Who) -> (Node, Option<bool>) {
    match moved(node, verb, who) {
        Moved::To(after) => (after, Some(true)),
        Moved::Refused(after) => (after, Some(false)),
        Moved::Nothing => (node.clone(), None),
    }
}

enum Moved {
    To(Node),
    Refused(Node),
    /// The model knows nothing of it: then it does nothing to the request.
    Nothing,
}

fn moved(node: &Node, verb: &'static str, who: Who) -> Moved {
    use StateName as S;
    let refused = || Moved::Refused(node.clone());
    let when = |may: bool, after: Node| if may { Moved::To(after) } else { refused() };
    let is = |states: &[S]| states.contains(&node.state);
    match verb {
        "edit" => {
            let open = is(&[S::Draft, S::PendingApproval, S::ChangesRequested, S::Approved]);
            when(who.requests() && open, node.written_by(who))
        }
        "plan" => {
            let open = is(&[S::Draft, S::ChangesRequested]);
            when(who.requests() && open, Node { planned: true, ..node.clone() })
        }
        "submit" => {
            if !who.requests() || !is(&[S::Draft, S::ChangesRequested]) {
                return refused();
            }
            // The plan is made before it is seen whether enough people could agree.
            let planned = Node { planned: true, ..node.clone() };
            let mut after = planned.in_state(S::PendingApproval);
            after.editors.insert(who);
            after.approvals.clear();
            let able = Who::ALL.iter().filter(|who| who.approves() && !after.editors.contains(who));
            if able.count() < QUORUM { Moved::Refused(planned) } else { Moved::To(after) }
        }
        "approve" => {
            let counts = who.approves()
                && is(&[S::PendingApproval])
                && !node.editors.contains(&who)
                && !node.approvals.contains(&who);
            let mut after = node.clone();
            after.approvals.insert(who);
            if after.approvals.len() >= QUORUM {
                after.state = S::Approved;
            }
            when(counts, after)
        }
        "approve:stale" => refused(),
        "reject" => when(who.approves() && is(&[S::PendingApproval]), over(node, S::Rejected)),
        "request_changes" => {
            when(who.approves() && is(&[S::PendingApproval]), over(node, S::ChangesRequested))
        }
        "cancel" => {
            let open = is(&[S::Draft, S::PendingApproval, S::ChangesRequested, S::Approved]);
            let own = who.requests() && node.editors.contains(&who);
            when(own && open, over(node, S::Cancelled))
        }
        "withdraw" => {
            let own = who.requests() && node.editors.contains(&who);
            when(own && is(&[S::PendingApproval]), over(node, S::Draft))
        }
        _ => ran(node, verb, who),
    }
}

/// The same for verbs about its run.
fn ran(node: &Node, verb: &'static str, who: Who) -> Moved {
    use StateName as S;
    let is = |states: &[S]| states.contains(&node.state);
    let when =
        |may: bool, after: Node| if may { Moved::To(after) } else { Moved::Refused(node.clone()) };
    match verb {
        "execute" => when(who.executes() && is(&[S::Approved]), node.in_state(S::Executing)),
        "rerun" => when(who.executes() && is(&[S::Failed]), node.in_state(S::Executing)),
        "drive" => when(who.executes() && is(&[S::Approved]), node.in_state(S::Succeeded)),
        "drive:failed" => when(who.executes() && is(&[S::Approved]), node.in_state(S::Failed)),
        "drive:unknown" => when(who.executes() && is(&[S::Approved]), node.in_state(S::Unknown)),
        "stop" => {
            let after = Node { stopping: true, ..node.clone() };
            when(who.executes() && is(&[S::Executing]), after)
        }
        // No caller: the machinery does it.
        "tick" | "recover" => {
            let lost = is(&[S::Executing]);
            let after = Node { stopping: false, ..node.in_state(S::Unknown) };
            if lost { Moved::To(after) } else { Moved::To(node.clone()) }
        }
        "verify" => {
            let ended = is(&[S::Succeeded, S::Failed, S::Unknown]);
            let known = if is(&[S::Unknown]) { node.in_state(S::Succeeded) } else { node.clone() };
            when(who.executes() && ended, known)
        }
        "reconcile" => {
            let may = who.executes() && who != Who::Robot;
            when(may && is(&[S::Unknown]), node.in_state(S::Failed))
        }
        _ => Moved::Nothing,
    }
}

/// The approvals go with the state that had them.
fn over(node: &Node, state: StateName) -> Node {
    Node { approvals: BTreeSet::new(), ..node.in_state(state) }
}
