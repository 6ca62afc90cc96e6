//! The lease of a run: who may still touch the target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::execute::LeaseKey;
use super::watch::{WATCHED_MAX, Watch};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error};
use crate::gate::txn::Txn;
use crate::id::{NodeId, RequestId, RunId};
use crate::limits::Limits;
use crate::request::lease_lost;
use crate::runner::{JobId, RunLease};
use crate::store::Store;
use crate::store::records::{self, Record};

/// The lease of a run. It is there as long as the run is, and is all that the run has to look at.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Live {
    pub(crate) request: RequestId,
    pub(crate) run: RunId,
    pub(crate) fence: u64,
    pub(crate) node: NodeId,
    // Grows with each renewal: whoever watches sees whether the holder is alive, by a clock of their own.
    pub(crate) renewals: u32,
    // Somebody asked the run to stop.
    pub(crate) is_stopped: bool,
}

impl Record for Live {
    const KIND: &'static str = "live";

    fn path(&self) -> Vec<String> {
        vec![self.request.to_string()]
    }
}

impl Live {
    /// A lease that ended is not there any more: whoever declares the run over takes it away.
    const fn is_held(&self, fence: u64) -> bool {
        self.fence == fence
    }
}

impl Txn<'_> {
    /// The lease of `request`, if `fence` still holds it.
    pub(in crate::gate) fn lease(&mut self, request: RequestId, fence: u64) -> Result<Live, Error> {
        let live = self.get::<Live>(&[&request.to_string()])?;
        live.filter(|live| live.is_held(fence)).ok_or_else(|| lease_lost(request))
    }
}

/// The time of one call: the wall clock when it began, carried on by the steady one. Its deadline comes when
/// that much time has passed, whatever is done to the wall clock meanwhile.
#[derive(Debug)]
pub(in crate::gate) struct RunTime {
    clock: Arc<dyn Clock>,
    began: Timestamp,
    began_ms: u64,
}

impl RunTime {
    /// Begins at `began`, by the clock that the deadline was set by.
    pub(in crate::gate) fn starting(clock: &Arc<dyn Clock>, began: Timestamp) -> Self {
        Self { clock: Arc::clone(clock), began, began_ms: clock.steady_ms() }
    }

    fn now(&self) -> Timestamp {
        self.began.plus_ms(self.clock.steady_ms().saturating_sub(self.began_ms))
    }
}

/// Looks at the lease of one run. A look reads one small record: a run looks at every touch of its target.
#[derive(Debug)]
pub(in crate::gate) struct Held {
    pub(in crate::gate) store: Arc<dyn Store>,
    pub(in crate::gate) time: RunTime,
    pub(in crate::gate) id: JobId,
}

impl RunLease for Held {
    fn may_touch_target(&self) -> Result<(), Error> {
        let request = self.id.request;
        let key = records::key_of::<Live>(&[&request.to_string()]);
        let found = self.store.get(&key)?.ok_or_else(|| lease_lost(request))?;
        let live: Live = records::decode(&key, &found.value)?;
        if !live.is_held(self.id.fence) {
            return Err(lease_lost(request));
        }
        if live.is_stopped {
            return Err(Error::new(Code::Cancelled, format!("somebody stopped `{request}`"))
                .with_help("undo what is open, and end"));
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.time.now()
    }
}

/// Planning and verifying change nothing, and need no lease.
#[derive(Debug)]
pub(in crate::gate) struct NotNeeded {
    pub(in crate::gate) time: RunTime,
}

impl RunLease for NotNeeded {
    fn may_touch_target(&self) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.time.now()
    }
}

/// What this gate saw of leases, and of the runs that it started itself. A lease that nobody renews for its
/// length has ended.
#[derive(Debug)]
pub(in crate::gate) struct Sightings {
    // Fence and renewals of each lease.
    leases: Watch<RequestId, (u64, u32)>,
    // Fence of each run that this gate started, and when, by its steady clock.
    started: Mutex<BTreeMap<RequestId, (u64, u64)>>,
}

impl Default for Sightings {
    fn default() -> Self {
        Self { leases: Watch::of(WATCHED_MAX), started: Mutex::default() }
    }
}

impl Sightings {
    fn started_here(&self) -> MutexGuard<'_, BTreeMap<RequestId, (u64, u64)>> {
        // Each run is inserted whole.
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that this gate started a run.
    pub(in crate::gate) fn started(&self, key: LeaseKey, now_ms: u64, limits: &Limits) {
        self.leases.still_ms(key.request, (key.fence, 0), now_ms, limits.lease_ms);
        let mut started = self.started_here();
        if started.len() >= WATCHED_MAX {
            // Whoever dropped so many tickets: what is too old to be renewed goes first, then the oldest.
            let longest_ms = longest_ms(limits);
            started.retain(|_, (_, at_ms)| now_ms.saturating_sub(*at_ms) < longest_ms);
            if started.len() >= WATCHED_MAX
                && let Some(oldest) =
                    started.iter().min_by_key(|(_, (_, at_ms))| *at_ms).map(|(id, _)| *id)
            {
                started.remove(&oldest);
            }
        }
        started.insert(key.request, (key.fence, now_ms));
    }

    /// Notes that a run that this gate started is not driven any more.
    pub(in crate::gate) fn ended(&self, key: LeaseKey) {
        let mut started = self.started_here();
        if started.get(&key.request).is_some_and(|(fence, _)| *fence == key.fence) {
            started.remove(&key.request);
        }
    }

    /// Notes a lease as it is now.
    pub(in crate::gate) fn look(&self, live: &Live, now_ms: u64, lease_ms: u64) -> u64 {
        self.leases.still_ms(live.request, (live.fence, live.renewals), now_ms, lease_ms)
    }

    /// Whether the run with this lease may still be renewed: this gate started it, and not too long ago.
    pub(in crate::gate) fn is_renewable(
        &self,
        key: LeaseKey,
        now_ms: u64,
        limits: &Limits,
    ) -> bool {
        self.started_here().get(&key.request).is_some_and(|(fence, at_ms)| {
            *fence == key.fence && now_ms.saturating_sub(*at_ms) < longest_ms(limits)
        })
    }

    /// Whether nobody renewed `live` for `lease_ms` since it was first seen like this.
    pub(in crate::gate) fn is_over(&self, live: &Live, now_ms: u64, lease_ms: u64) -> bool {
        self.look(live, now_ms, lease_ms) >= lease_ms
    }

    /// Forgets the lease of a run whose end is on record.
    pub(in crate::gate) fn forget(&self, request: RequestId) {
        self.leases.forget(&request);
    }

    /// Forgets leases that were not there at `looked_ms`, and not those of runs that began since.
    pub(in crate::gate) fn keep_only(&self, there: &BTreeSet<RequestId>, looked_ms: u64) {
        self.leases.keep_only(|request| there.contains(request), looked_ms);
        self.started_here()
            .retain(|request, (_, at_ms)| there.contains(request) || *at_ms >= looked_ms);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.leases.len().max(self.started_here().len())
    }
}

/// How long after its start a run is not renewed any more, in milliseconds.
const fn longest_ms(limits: &Limits) -> u64 {
    limits.run_ms_max.saturating_add(limits.lease_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Office, Seen};

    fn run(number: u64) -> LeaseKey {
        LeaseKey { request: RequestId::from_u128(u128::from(number)), fence: 1 }
    }

    fn live(key: LeaseKey, renewals: u32) -> Live {
        let (run, node) = (RunId::from_u128(1), NodeId::from_u128(1));
        Live { request: key.request, run, fence: key.fence, node, renewals, is_stopped: false }
    }

    #[test]
    fn a_host_that_never_ticks_keeps_nothing_of_runs_that_ended() {
        let (gate, office) = Office::in_memory().unwrap();
        for _ in 0..10 {
            let ticket = gate.execute(&office.bo, office.approved(&gate).unwrap().header.id);
            assert_eq!(gate.leases.len(), 1);
            gate.drive(ticket.unwrap(), &Seen::default()).unwrap();
            assert_eq!(gate.leases.len(), 0);
        }
    }

    #[test]
    fn tickets_that_nobody_drives_are_forgotten_in_the_end() {
        let (sightings, limits) = (Sightings::default(), Limits::default());
        let most = u64::try_from(WATCHED_MAX).unwrap();
        let too_old_ms = longest_ms(&limits);
        for number in 0..most + 10 {
            sightings.started(run(number), number, &limits);
            assert!(sightings.len() <= WATCHED_MAX);
        }
        // The oldest made room, one for one.
        let renewable = |number, now_ms| sightings.is_renewable(run(number), now_ms, &limits);
        assert!(!renewable(9, most) && renewable(10, most) && renewable(most + 9, most));
        // What cannot be renewed any more makes room first, and all of it.
        sightings.started(run(most + 10), most + 10 + too_old_ms, &limits);
        assert_eq!(sightings.started_here().len(), 1);
    }

    #[test]
    fn only_who_started_a_run_renews_it_and_not_for_ever() {
        let (sightings, limits) = (Sightings::default(), Limits::default());
        let too_old_ms = longest_ms(&limits);
        sightings.started(run(1), 1_000, &limits);
        let renewable = |key, now_ms| sightings.is_renewable(key, now_ms, &limits);
        assert!(renewable(run(1), 1_000 + too_old_ms - 1));
        assert!(!renewable(run(1), 1_000 + too_old_ms));
        assert!(!renewable(run(2), 1_000) && !renewable(LeaseKey { fence: 2, ..run(1) }, 1_000));
        // A look at its lease by a tick changes nothing of that, and an end does.
        assert!(!sightings.is_over(&live(run(1), 3), 2_000, limits.lease_ms));
        assert!(renewable(run(1), 2_000));
        sightings.ended(LeaseKey { fence: 2, ..run(1) });
        assert!(renewable(run(1), 2_000));
        sightings.ended(run(1));
        assert!(!renewable(run(1), 2_000));
    }
}
