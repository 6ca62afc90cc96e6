//! What can happen, one step at a time. Each step names the code that it stands for.

use super::deeds::{Deed, Event, Step};
use super::state::{
    Driver, Lease, Node, Orphan, Outcome, Reading, Request, Run, State, Verifier, index,
};
use super::{Checked, Variant};

/// Everything that can happen next.
pub(crate) fn next(model: &Checked, state: &State) -> Vec<(Step, State)> {
    let variant = model.variant;
    let nodes = (0..model.nodes).flat_map(|node| {
        let after =
            move |deed: &Deed| Some((Step::By(node, *deed), by(model, state, node, *deed)?));
        Deed::ALL.iter().filter_map(after)
    });
    let outside = Event::ALL.iter();
    let after = |event: &Event| Some((Step::Outside(*event), happen(variant, state, *event)?));
    nodes.chain(outside.filter_map(after)).collect()
}

/// What `deed` of a node leads to; nothing where it cannot happen now.
pub(crate) fn by(model: &Checked, state: &State, node: usize, deed: Deed) -> Option<State> {
    let variant = model.variant;
    match deed {
        Deed::ReadApproved
        | Deed::ReadFailed
        | Deed::Start
        | Deed::StartAnswerLost
        | Deed::Refused => execute(model, *state, node, deed),
        Deed::DropTicket
        | Deed::Enter
        | Deed::LookBeforeBegin
        | Deed::Begin
        | Deed::LookAfterBegin
        | Deed::SkipLook
        | Deed::GiveUp
        | Deed::BreakOff
        | Deed::LoseConnection => work(variant, *state, node, deed),
        Deed::SendCommit
        | Deed::Commit
        | Deed::Refuse
        | Deed::Answer
        | Deed::LoseAnswer
        | Deed::WriteMarker => commit(variant, *state, node, deed),
        Deed::Report | Deed::FailToReport => report(variant, *state, node, deed),
        Deed::Renew | Deed::RenewAnswerLost | Deed::Observe | Deed::DeclareLost => {
            keep(variant, *state, node, deed)
        }
        Deed::AskVerify | Deed::ReadTarget | Deed::WriteReading => {
            verify(variant, *state, node, deed)
        }
        Deed::Crash => crash(*state, node),
    }
}

/// `gate/execute.rs`, `gate/rerun.rs`, `request::Approved::start`.
fn execute(model: &Checked, mut state: State, node: usize, deed: Deed) -> Option<State> {
    let Checked { variant, attempts, .. } = *model;
    let Node { driver, .. } = state.nodes[node];
    if deed == Deed::ReadApproved || deed == Deed::ReadFailed {
        let Run { fence, attempt } = state.stored.latest;
        let is_it = match state.stored.request {
            Request::Approved => deed == Deed::ReadApproved,
            Request::Ended(..) => deed == Deed::ReadFailed && may_run_again(variant, &state),
            Request::Executing(_) => false,
        };
        let run = Run { fence: fence + 1, attempt: attempt + 1 };
        state.nodes[node].driver = Driver::Starting(run);
        let is_ready = driver == Driver::Idle && is_it && usize::from(attempt) < attempts;
        return is_ready.then_some(state);
    }
    let Driver::Starting(run) = driver else { return None };
    let may_start = state.stored.request == Request::Approved || may_run_again(variant, &state);
    let is_unchanged =
        may_start && state.stored.latest.fence + 1 == run.fence && state.stored.turn.is_none();
    if deed == Deed::Refused {
        state.nodes[node].driver = Driver::Idle;
        return (!is_unchanged).then_some(state);
    }
    if !is_unchanged && variant != Variant::BlindWrites {
        return None;
    }
    state.stored.request = Request::Executing(run);
    state.stored.latest = run;
    state.stored.turn = Some(run.fence);
    set_lease(&mut state, Some(Lease { fence: run.fence, is_stopped: false }));
    state.nodes[node].driver = Driver::Idle;
    if deed == Deed::Start {
        state.nodes[node].driver = Driver::Ticket(run);
        state.nodes[node].has_seen = true;
    }
    Some(state)
}

/// Whether a request that ended may be run again: where it is known to have failed, and nothing else.
fn may_run_again(variant: Variant, state: &State) -> bool {
    match state.stored.request {
        Request::Ended(_, Outcome::Failed) => true,
        Request::Ended(_, Outcome::Unknown) => variant == Variant::RunsAgain,
        Request::Ended(_, Outcome::Succeeded) | Request::Approved | Request::Executing(_) => false,
    }
}

/// `gate/drive.rs` up to the runner, and a runner up to its COMMIT, as `runners` drives a SQL target.
fn work(variant: Variant, mut state: State, node: usize, deed: Deed) -> Option<State> {
    let driver = state.nodes[node].driver;
    state.nodes[node].driver = match (deed, driver) {
        // Also where the look says no: `drive` returns an error, and nothing was written.
        (Deed::DropTicket, Driver::Ticket(_)) => Driver::Idle,
        (Deed::Enter, Driver::Ticket(run)) if state.may_touch_target(run) => {
            state.entered[index(run)] += 1;
            Driver::Entered(run)
        }
        (Deed::LookBeforeBegin, Driver::Entered(run)) if state.may_touch_target(run) => {
            Driver::MayBegin(run)
        }
        (Deed::Begin, Driver::MayBegin(run)) if !state.is_locked() => Driver::Open(run),
        (Deed::LookAfterBegin, Driver::Open(run)) if state.may_touch_target(run) => {
            Driver::MayCommit(run)
        }
        (Deed::SkipLook, Driver::Open(run)) if variant == Variant::NoLookAfterBegin => {
            Driver::MayCommit(run)
        }
        // Whatever made it stop: the look said no, the lock is taken, a deadline, a trap, or `stop`
        // before it began.
        (
            Deed::GiveUp,
            Driver::Ticket(run)
            | Driver::Entered(run)
            | Driver::MayBegin(run)
            | Driver::Open(run)
            | Driver::MayCommit(run),
        ) => Driver::Reporting(run, Outcome::Failed),
        (
            Deed::BreakOff,
            Driver::Entered(run)
            | Driver::MayBegin(run)
            | Driver::Open(run)
            | Driver::MayCommit(run)
            | Driver::Sent(run)
            | Driver::Committed(run),
        ) => {
            leave_session(&mut state, driver);
            Driver::Reporting(run, Outcome::Unknown)
        }
        (Deed::LoseConnection, Driver::Open(run) | Driver::MayCommit(run)) => {
            leave_session(&mut state, driver);
            Driver::Reporting(run, Outcome::Failed)
        }
        _ => return None,
    };
    Some(state)
}

/// The COMMIT of a runner, and what it makes of the answer.
fn commit(variant: Variant, mut state: State, node: usize, deed: Deed) -> Option<State> {
    let driver = state.nodes[node].driver;
    state.nodes[node].driver = match (deed, driver) {
        (Deed::SendCommit, Driver::MayCommit(run)) => Driver::Sent(run),
        (Deed::Commit, Driver::Sent(run)) if may_commit(&state, run) => {
            commit_in_target(variant, &mut state, run);
            if variant == Variant::MarkerOutside {
                Driver::Unmarked(run)
            } else {
                Driver::Committed(run)
            }
        }
        (Deed::Refuse, Driver::Sent(run)) => Driver::Reporting(run, Outcome::Failed),
        (Deed::Answer, Driver::Committed(run)) => Driver::Reporting(run, Outcome::Succeeded),
        (Deed::LoseAnswer, Driver::Sent(run)) => {
            leave_session(&mut state, driver);
            Driver::Reporting(run, Outcome::Unknown)
        }
        (Deed::LoseAnswer, Driver::Committed(run) | Driver::Unmarked(run)) => {
            Driver::Reporting(run, Outcome::Unknown)
        }
        (Deed::WriteMarker, Driver::Unmarked(run)) => {
            state.target.markers[index(run)] = true;
            Driver::Reporting(run, Outcome::Succeeded)
        }
        _ => return None,
    };
    Some(state)
}

/// The transaction stays in the target, without a client.
const fn leave_session(state: &mut State, driver: Driver) {
    if let Some(session) = driver.session() {
        state.target.orphan = Some(session);
    }
}

/// The marker's key is unique: a target refuses a second one.
fn may_commit(state: &State, run: Run) -> bool {
    !state.has_marker(run)
}

fn commit_in_target(variant: Variant, state: &mut State, run: Run) {
    state.target.effects += 1;
    if variant != Variant::MarkerOutside {
        state.target.markers[index(run)] = true;
    }
}

/// `Gate::finish`, `request::Executing::finish`. Whether the answer to the write comes makes no difference.
fn report(variant: Variant, mut state: State, node: usize, deed: Deed) -> Option<State> {
    let Driver::Reporting(run, outcome) = state.nodes[node].driver else { return None };
    state.nodes[node].driver = Driver::Idle;
    if deed == Deed::FailToReport {
        return Some(state);
    }
    match state.stored.request {
        Request::Executing(now) if now.fence == run.fence => end(&mut state, run, outcome),
        Request::Ended(..) if variant == Variant::LateResultCounts => {
            end(&mut state, run, outcome);
        }
        // Too late: it is kept beside the run, and changes nothing.
        Request::Executing(_) | Request::Ended(..) | Request::Approved => {}
    }
    Some(state)
}

/// `Txn::end_run` and `Txn::end_turn`: the lease goes, and the turn with it once the outcome is known.
fn end(state: &mut State, run: Run, outcome: Outcome) {
    state.stored.request = Request::Ended(run, outcome);
    if state.stored.lease.is_some_and(|lease| lease.fence == run.fence) {
        set_lease(state, None);
    }
    if outcome != Outcome::Unknown && state.stored.turn == Some(run.fence) {
        state.stored.turn = None;
    }
}

/// Writes the lease: nobody has seen it like this.
fn set_lease(state: &mut State, lease: Option<Lease>) {
    state.stored.lease = lease;
    for node in &mut state.nodes {
        node.has_seen = false;
    }
}

/// `gate/renew.rs`, `gate/recover.rs` (`tick`). `recover` is for a store that one process has to itself.
fn keep(variant: Variant, mut state: State, node: usize, deed: Deed) -> Option<State> {
    let lease = state.stored.lease?;
    let Node { driver, has_seen, .. } = state.nodes[node];
    match (deed, has_seen) {
        (Deed::Renew | Deed::RenewAnswerLost, _) => {
            // A node renews while it drives, and only what it started itself.
            let is_driving = driving(driver).is_some_and(|run| run.fence == lease.fence);
            if !is_driving {
                return None;
            }
            set_lease(&mut state, Some(lease));
            state.nodes[node].has_seen = deed == Deed::Renew;
        }
        (Deed::Observe, false) => state.nodes[node].has_seen = true,
        (Deed::DeclareLost, true) => {
            let Request::Executing(run) = state.stored.request else { return None };
            if variant == Variant::OwnRunsOnly && driving(driver) != Some(run) {
                return None;
            }
            end(&mut state, run, Outcome::Unknown);
            if variant == Variant::RunsAgain {
                state.stored.turn = None;
            }
            if variant == Variant::LeaseStays {
                state.stored.lease = Some(lease);
            }
        }
        _ => return None,
    }
    Some(state)
}

const fn driving(driver: Driver) -> Option<Run> {
    match driver {
        Driver::Idle | Driver::Starting(_) => None,
        Driver::Ticket(run)
        | Driver::Entered(run)
        | Driver::MayBegin(run)
        | Driver::Open(run)
        | Driver::MayCommit(run)
        | Driver::Sent(run)
        | Driver::Committed(run)
        | Driver::Unmarked(run)
        | Driver::Reporting(run, _) => Some(run),
    }
}

/// `gate/verify.rs`, and `SqlSession::marker`: who finds no marker must hold the lock to say so.
fn verify(variant: Variant, mut state: State, node: usize, deed: Deed) -> Option<State> {
    let verifier = state.nodes[node].verifier;
    state.nodes[node].verifier = match (deed, verifier) {
        (Deed::AskVerify, Verifier::Idle) => {
            let Request::Ended(run, _) = state.stored.request else { return None };
            Verifier::Asked(run)
        }
        (Deed::ReadTarget, Verifier::Asked(run)) => {
            let asks_lock = variant != Variant::VerifyWithoutLock;
            let reading = if state.has_marker(run) {
                Reading::There
            } else if asks_lock && state.is_locked() {
                Reading::CannotTell
            } else {
                Reading::Absent
            };
            Verifier::Read(run, reading)
        }
        (Deed::WriteReading, Verifier::Read(run, reading)) => {
            // A known outcome stays as it is, with what was read beside it.
            let outcome = match reading {
                Reading::There => Outcome::Succeeded,
                Reading::Absent => Outcome::Failed,
                Reading::CannotTell => Outcome::Unknown,
            };
            if state.stored.request == Request::Ended(run, Outcome::Unknown) {
                end(&mut state, run, outcome);
            }
            Verifier::Idle
        }
        _ => return None,
    };
    Some(state)
}

/// The process is gone, with all that it knew. Its transaction stays in the target until that notices.
pub(crate) fn crash(mut state: State, node: usize) -> Option<State> {
    let Node { driver, .. } = state.nodes[node];
    leave_session(&mut state, driver);
    let fresh = State::FIRST.nodes[node];
    let is_changed = state.nodes[node] != fresh;
    state.nodes[node] = fresh;
    is_changed.then_some(state)
}

/// What `event` leads to; nothing where it cannot happen now.
pub(crate) fn happen(variant: Variant, state: &State, event: Event) -> Option<State> {
    let mut state = *state;
    match (event, state.stored.lease, state.target.orphan) {
        // `gate/cancel.rs`. It writes the lease, and leaves its count of renewals.
        (Event::Stop, Some(lease), _) if !lease.is_stopped => {
            state.stored.lease = Some(Lease { is_stopped: true, ..lease });
        }
        (Event::OrphanUndone, _, Some(_)) => state.target.orphan = None,
        (Event::OrphanCommitted, _, Some(Orphan { run, is_sent: true }))
            if may_commit(&state, run) =>
        {
            state.target.orphan = None;
            commit_in_target(variant, &mut state, run);
        }
        _ => return None,
    }
    Some(state)
}
