//! What must hold of the record of any request, whatever the model says of it.

use std::collections::BTreeSet;

use placet_core::digest::Digest;
use placet_core::id::UserId;
use placet_core::request::{Approval, Approved, Header, Standing, State};

/// The approvals that count in a state.
pub(crate) fn given(state: &State) -> &[Approval] {
    match state {
        State::PendingApproval(pending) => &pending.approvals,
        State::Draft(_)
        | State::ChangesRequested(_)
        | State::Rejected(_)
        | State::Cancelled(_)
        | State::Approved(_)
        | State::Executing(_)
        | State::Succeeded(_)
        | State::Failed(_)
        | State::Unknown(_) => approved(state).map_or(&[], |approved| &approved.approvals),
    }
}

/// What was agreed to, where it may run or ran.
fn approved(state: &State) -> Option<&Approved> {
    match state {
        State::Approved(approved) => Some(approved),
        State::Executing(run) => Some(&run.approved),
        State::Succeeded(done) => Some(&done.ended.approved),
        State::Failed(failed) => Some(&failed.ended.approved),
        State::Unknown(unknown) => Some(&unknown.ended.approved),
        State::Draft(_)
        | State::PendingApproval(_)
        | State::ChangesRequested(_)
        | State::Rejected(_)
        | State::Cancelled(_) => None,
    }
}

/// What of it is broken. `digest` is that of what would run now; `ran` says that there was a run.
pub(crate) fn broken_promises(
    header: &Header,
    state: &State,
    digest: Option<Digest>,
    ran: bool,
) -> Vec<String> {
    let (approvals, name, mut broken) = (given(state), state.name(), Vec::new());
    let mut breaks = |is_broken: bool, what: &str| {
        if is_broken {
            broken.push(format!("{name}: {what}"));
        }
    };
    let people: BTreeSet<UserId> = approvals.iter().map(|approval| approval.user).collect();
    breaks(people.len() != approvals.len(), "somebody was counted twice");
    let mut authors = header.editors.iter().chain([&header.requester]);
    breaks(authors.any(|author| people.contains(author)), "an author's approval counts");
    let others = approvals.iter().any(|approval| Some(approval.digest) != digest);
    breaks(others, "an approval is for something else");
    let Some(approved) = approved(state) else {
        let over = matches!(state, State::Cancelled(end) if !end.done.is_empty());
        breaks(ran && !over, "it ran, and nothing says who agreed");
        return broken;
    };
    breaks(Some(approved.digest) != digest, "what was agreed to is something else");
    if approved.by_rule.is_some() {
        breaks(header.artifact.is_none(), "a rule agreed to what is no artifact");
        breaks(!approvals.is_empty(), "a rule agreed beside people");
        let needs_person = header.plan.is_some_and(|plan| plan.needs_person);
        breaks(needs_person, "a rule agreed to what a person must look at");
    } else {
        let standing = approved.quorum.standing(approvals, &approved.digest);
        breaks(standing != Standing::Reached, "it ran, or may, without its quorum");
    }
    broken
}
