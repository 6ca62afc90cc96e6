//! The lease of a run: who may still touch the target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::execute::LeaseKey;
use super::txn::Txn;
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error};
use crate::id::{NodeId, RequestId, RunId};
use crate::request::lease_lost;
use crate::runner::{JobId, RunLease};
use crate::store::Store;
use crate::store::records::{self, Record};

/// The lease of a run. It is there as long as the run is, and is all that the run has to look at.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Live {
    pub(super) request: RequestId,
    pub(super) run: RunId,
    pub(super) fence: u64,
    pub(super) node: NodeId,
    // Grows with each renewal: whoever watches sees whether the holder is alive, by a clock of their own.
    pub(super) renewals: u32,
    // Somebody asked the run to stop.
    pub(super) is_stopped: bool,
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
    pub(super) fn lease(&mut self, request: RequestId, fence: u64) -> Result<Live, Error> {
        let live = self.get::<Live>(&[&request.to_string()])?;
        live.filter(|live| live.is_held(fence)).ok_or_else(|| lease_lost(request))
    }
}

/// The time of one call: the wall clock when it began, carried on by the steady one. Its deadline comes when
/// that much time has passed, whatever is done to the wall clock meanwhile.
#[derive(Debug)]
pub(super) struct RunTime {
    clock: Arc<dyn Clock>,
    began: Timestamp,
    began_ms: u64,
}

impl RunTime {
    /// Begins at `began`, by the clock that the deadline was set by.
    pub(super) fn starting(clock: &Arc<dyn Clock>, began: Timestamp) -> Self {
        Self { clock: Arc::clone(clock), began, began_ms: clock.steady_ms() }
    }

    fn now(&self) -> Timestamp {
        self.began.plus_ms(self.clock.steady_ms().saturating_sub(self.began_ms))
    }
}

/// Looks at the lease of one run. A look reads one small record: a run looks at every touch of its target.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) store: Arc<dyn Store>,
    pub(super) time: RunTime,
    pub(super) id: JobId,
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
pub(super) struct NotNeeded {
    pub(super) time: RunTime,
}

impl RunLease for NotNeeded {
    fn may_touch_target(&self) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.time.now()
    }
}

/// What this gate saw of each lease, and when by its steady clock. A lease that nobody renews for its length
/// has ended; how long that is, each gate measures for itself, so that no two clocks are compared.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    seen: Mutex<BTreeMap<RequestId, Sighting>>,
}

#[derive(Clone, Copy, Debug)]
struct Sighting {
    fence: u64,
    renewals: u32,
    at_ms: u64,
    // When this gate started the run, where it did.
    started_ms: Option<u64>,
}

impl Sightings {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<RequestId, Sighting>> {
        // Each sighting is inserted whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that this gate started a run.
    pub(super) fn started(&self, key: LeaseKey, at_ms: u64) {
        let (fence, started_ms) = (key.fence, Some(at_ms));
        self.seen().insert(key.request, Sighting { fence, renewals: 0, at_ms, started_ms });
    }

    /// Notes a renewal.
    pub(super) fn renewed(&self, live: &Live, at_ms: u64) {
        if let Some(seen) = self.seen().get_mut(&live.request)
            && seen.fence == live.fence
        {
            *seen = Sighting { renewals: live.renewals, at_ms, ..*seen };
        }
    }

    /// How long the run with this lease goes on already; `None` when this gate did not start it.
    pub(super) fn age_ms(&self, key: LeaseKey, now_ms: u64) -> Option<u64> {
        let seen = self.seen().get(&key.request).copied()?;
        (seen.fence == key.fence)
            .then(|| seen.started_ms.map(|started| now_ms.saturating_sub(started)))?
    }

    /// Whether nobody renewed `live` for `lease_ms` since it was first seen like this.
    pub(super) fn is_over(&self, live: &Live, now_ms: u64, lease_ms: u64) -> bool {
        let fresh = Sighting {
            fence: live.fence,
            renewals: live.renewals,
            at_ms: now_ms,
            started_ms: None,
        };
        let mut all = self.seen();
        let seen = all.entry(live.request).or_insert(fresh);
        if seen.fence != live.fence {
            *seen = fresh;
        } else if seen.renewals != live.renewals {
            *seen = Sighting { renewals: live.renewals, at_ms: now_ms, ..*seen };
        }
        now_ms.saturating_sub(seen.at_ms) >= lease_ms
    }

    /// Forgets leases that were not there at `looked_ms`, and not those of runs that began since.
    pub(super) fn keep_only(&self, there: &BTreeSet<RequestId>, looked_ms: u64) {
        self.seen().retain(|request, seen| there.contains(request) || seen.at_ms >= looked_ms);
    }
}
