//! Somebody approves while the grant that lets them is ended: the log is the order. For the tests of every
//! store, by path: a race is decided where commits meet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use placet_core::audit::Leaf;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::{GrantId, RoleId};
use placet_core::org::Interval;
use placet_core::org::command::{AssignRole, EndGrant};
use placet_core::request::{Request, StateName};
use placet_core::store::Store;
use placet_core::testing::{Chance, ManualClock, Office};

/// Two doors to one store; they may be the same. One grant ends at `far`, its holder approves at `near`.
pub(crate) struct Doors<'a> {
    pub(crate) far: &'a Gate,
    pub(crate) near: &'a Gate,
    pub(crate) store: &'a dyn Store,
    /// Of all gates.
    pub(crate) clocks: &'a [&'a ManualClock],
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) races: u64,
    pub(crate) approved: u64,
    /// Approvals that began after the end of the grant was acknowledged.
    pub(crate) began_after: u64,
    /// Approvals and ends that were under way at the same time.
    pub(crate) together: u64,
    /// What must not be: an approval that began too late and succeeded, or stands behind the end in the log, or
    /// that the log does not know, or knows and nobody was told.
    pub(crate) faults: Vec<String>,
}

/// What one of the two did, and when by the common count.
struct Deed<T> {
    began: u64,
    ended: u64,
    result: Result<T, Error>,
}

impl<T> Deed<T> {
    fn of(count: &AtomicU64, work: impl FnOnce() -> Result<T, Error>) -> Self {
        let began = count.fetch_add(1, Ordering::SeqCst);
        let result = work();
        Self { began, ended: count.fetch_add(1, Ordering::SeqCst), result }
    }
}

/// Raises a flag when it goes: also when its thread panics, so that nobody waits for it any more.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs `races` races. Chance says who starts how much later, so that both orders come up, and both at once.
pub(crate) fn race(doors: &Doors<'_>, races: u64, chance: &mut Chance) -> Tally {
    let office = Office::found(doors.far).unwrap();
    let mut tally = Tally::default();
    for number in 0..races {
        let (grant, role) = grant_of_bo(doors.far, &office);
        // Bo approves something else first: so the node at which the race is run remembers all the rows.
        approve(doors.near, &office, &office.pending(doors.near).unwrap()).unwrap();
        let pending = office.pending(doors.near).unwrap();
        if number % 4 == 0 {
            // The grant has held for a while: it is cut and stays. Else nothing is left of it.
            doors.clocks.iter().for_each(|clock| clock.advance_ms(1));
        }
        one(doors, &office, (grant, &pending), &mut tally, chance);
        let valid = Interval::starting(doors.far.now());
        let again = AssignRole { project: office.project, user: office.bo.user(), role, valid };
        doors.far.manage(&office.root, &again).unwrap();
    }
    tally
}

/// Bo's live grant, and its role.
fn grant_of_bo(gate: &Gate, office: &Office) -> (GrantId, RoleId) {
    let (project, user) = (office.project, office.bo.user());
    let mut rows = gate.organisation(&office.root, project).unwrap().grants.into_iter();
    let live = rows.find(|row| row.user_id == user && row.valid.contains(gate.now())).unwrap();
    (live.id, live.role_id)
}

fn approve(gate: &Gate, office: &Office, pending: &Request) -> Result<Request, Error> {
    gate.approve(&office.bo, pending.header.id, pending.header.change_digest()?, None)
}

fn idle(rounds: u64) {
    for round in 0..rounds {
        core::hint::black_box(round);
    }
}

fn one(
    doors: &Doors<'_>,
    office: &Office,
    (grant, pending): (GrantId, &Request),
    tally: &mut Tally,
    chance: &mut Chance,
) {
    let from = doors.store.log_len().unwrap();
    let end = EndGrant { project: office.project, grant, at: None };
    let (count, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    // Every third approval waits until the end of the grant is acknowledged, and begins right then. Every tenth end
    // waits for the approval: so both orders come up on every machine. The rest is a race.
    let (order, head_start) = (chance.below(30), chance.below(200_000));
    let (waits, is_race) = (order < 10, order < 27);
    let ends = || Deed::of(&count, || doors.far.manage(&office.root, &end));
    let approves = || Deed::of(&count, || approve(doors.near, office, pending));
    let (end, approval) = if is_race {
        thread::scope(|scope| {
            let ends = scope.spawn(|| {
                let _over = OnDrop(&is_over);
                idle(if waits { 0 } else { head_start });
                ends()
            });
            let approves = scope.spawn(|| {
                while waits && !is_over.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                idle(if waits { 0 } else { 200_000 - head_start });
                approves()
            });
            (ends.join().unwrap(), approves.join().unwrap())
        })
    } else {
        let approval = approves();
        (ends(), approval)
    };
    end.result.unwrap();
    let is_approved = approval.result.is_ok();
    tally.races += 1;
    tally.approved += u64::from(is_approved);
    let mut fault = |what: &str| tally.faults.push(format!("race {}: {what}", tally.races));
    if approval.began > end.ended {
        tally.began_after += 1;
        if is_approved {
            fault("an approval that began after the end of the grant was acknowledged");
        }
    } else if end.began < approval.ended {
        tally.together += 1;
    } else if !is_approved {
        fault("an approval that was refused while the grant held");
    }
    if let Err(error) = &approval.result
        && !matches!(error.code(), Code::Denied | Code::NotFound)
    {
        fault(&format!("refused for another reason: {error:?}"));
    }
    let entries = doors.store.log_read(from, usize::MAX).unwrap();
    let leaves: Vec<Leaf> = entries.iter().map(|bytes| Leaf::from_bytes(bytes).unwrap()).collect();
    let at = |event: &str| leaves.iter().position(|leaf| leaf.event == event);
    let (ended_at, approved_at) = (at("org.grant_ended").unwrap(), at("request.approved"));
    if approved_at.is_some() != is_approved {
        fault("the log and the answer differ");
    }
    if approved_at.is_some_and(|at| at > ended_at) {
        fault("an approval that stands behind the end of its grant in the log");
    }
    // Ana sees the request whatever became of Bo's rights.
    let state = doors.far.view(&office.ana, pending.header.id).unwrap().state.name();
    if (state == StateName::Approved) != is_approved {
        fault("the request and the answer differ");
    }
}

/// What must hold for every store, and that both orders were seen.
pub(crate) fn assert_the_log_is_the_order(tally: &Tally) {
    assert_eq!(tally.faults, Vec::<String>::new());
    assert!(tally.began_after > tally.races / 10, "{tally:?}");
    assert!(tally.approved > 0 && tally.approved < tally.races, "{tally:?}");
}
