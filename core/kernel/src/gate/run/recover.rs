//! Declaring runs unknown whose process is gone. Nothing is ever run again here.

use std::collections::BTreeSet;

use super::lease::Live;
use crate::audit::Event;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::Note;
use crate::gate::txn::Sight;
use crate::id::RequestId;
use crate::request::{Request, State, action};
use crate::runner::{Failure, JobId, Outcome};
use crate::store::records;
use crate::workflow::Verb;

impl Gate {
    /// Does what is due by time: a run whose lease ended becomes unknown. Returns those requests.
    ///
    /// Call it twice in the length of a lease or more often; it does nothing when nothing is due. Each gate
    /// measures for itself, from when it first saw a lease as it is: wall clocks that jump or differ end
    /// no run, and a run whose holder died is declared within two lengths of a lease.
    ///
    /// When one run cannot be declared unknown, the others are all the same. The first such error is returned, and
    /// its details say how many runs `failed` and how many were `declared` unknown. The rest waits for the next
    /// call.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office};
    ///
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let gate = Gate::new(bench.parts);
    /// let office = Office::found(&gate)?;
    /// let id = office.approved(&gate)?.header.id;
    /// drop(gate.execute(&office.bo, id)?); // whoever would drive it went away
    /// assert!(gate.tick()?.is_empty());
    /// bench.clock.advance_ms(gate.limits().lease_ms);
    /// assert_eq!(gate.tick()?, [id]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn tick(&self) -> Result<Vec<RequestId>, Error> {
        self.reap(|live, gate| {
            let (now_ms, lease_ms) = (gate.parts.clock.steady_ms(), gate.parts.limits.lease_ms);
            gate.leases.is_over(live, now_ms, lease_ms)
        })
    }

    /// Declares every run unknown that another opening of this store started. Only right for a store
    /// that one process has to itself: then its runs died with the process that started them.
    /// Returns their requests. Fails as [`Self::tick`] does, after all others were declared.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::request::StateName;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office};
    ///
    /// let parts = Bench::on(Arc::new(MemoryStore::default()))?.parts;
    /// let gate = Gate::new(parts.clone());
    /// let office = Office::found(&gate)?;
    /// let id = office.approved(&gate)?.header.id;
    /// drop(gate.execute(&office.bo, id)?); // the process dies before it drives
    ///
    /// let gate = Gate::new(parts); // the next one opens the same store
    /// assert_eq!(gate.recover()?, [id]);
    /// assert_eq!(gate.view(&office.ana, id)?.state.name(), StateName::Unknown);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn recover(&self) -> Result<Vec<RequestId>, Error> {
        self.reap(|live, gate| live.node != gate.node)
    }

    fn reap(&self, due: impl Fn(&Live, &Self) -> bool) -> Result<Vec<RequestId>, Error> {
        let prefix = records::key_of::<Live>(&[]);
        let (page, mut after, mut lost) =
            (self.parts.limits.page_rows_max.max(1), None, Vec::new());
        // One run that cannot be declared lost does not keep the others.
        let (mut first_error, mut failed) = (None, 0_usize);
        let (looked_ms, mut there) = (self.parts.clock.steady_ms(), BTreeSet::new());
        loop {
            let found = self.parts.store.scan(&prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                let live = records::decode::<Live>(&key, &stored.value);
                let declared = live.and_then(|live| {
                    there.insert(live.request);
                    let is_lost = due(&live, self) && self.lose(&live, &due)?;
                    Ok(is_lost.then_some(live.request))
                });
                match declared {
                    Ok(request) => lost.extend(request),
                    Err(error) => {
                        failed = failed.saturating_add(1);
                        first_error = first_error.or(Some(error));
                    }
                }
                after = Some(key);
            }
            if !full {
                self.leases.keep_only(&there, looked_ms);
                return match first_error {
                    None => Ok(lost),
                    Some(error) => {
                        let error = error.with_detail("failed", failed);
                        Err(error.with_detail("declared", lost.len()))
                    }
                };
            }
        }
    }

    fn lose(&self, seen: &Live, due: &impl Fn(&Live, &Self) -> bool) -> Result<bool, Error> {
        // A lease as this gate remembers it may be older than the one that was just seen: measured, it would look as
        // if its holder had moved it, and the measure would begin again.
        self.attempt_from(Sight::Fresh, |txn| {
            let live = txn.get::<Live>(&[&seen.request.to_string()])?;
            let request = txn.request(seen.request)?;
            let mut leaf = Self::request_leaf(txn, Event::RunLost, None, &request);
            leaf.run = Some(seen.run);
            leaf.fence = Some(seen.fence);
            let from = Some(request.state.name());
            let mut header = request.header;
            let (Some(live), State::Executing(executing)) = (live, request.state) else {
                return Ok((false, None));
            };
            if live.fence != seen.fence || !due(&live, self) {
                return Ok((false, None));
            }
            let id = JobId {
                request: header.id,
                revision: header.revision,
                attempt: executing.attempt,
                fence: live.fence,
                run: live.run,
            };
            let why = "the process that ran it went away before it could say how it ended";
            let outcome = Outcome::Unknown(Failure::new("lease_ended", why));
            leaf.outcome = Some(super::drive::word(&outcome).to_owned());
            let state = executing.finish(&header, live.fence, outcome.clone(), txn.now)?;
            txn.end_run(id, &outcome)?;
            txn.arrive(&mut header, Verb::Lose, state.name())?;
            let note = Note { caller: None, verb: action::LOSE, from, comment: None };
            txn.save(Request { header, state }, &note)?;
            Ok((true, Some(leaf)))
        })
    }
}
