//! Declaring runs unknown whose process is gone. Nothing is ever run again here.

use super::Gate;
use super::find::{Live, Note};
use crate::error::Error;
use crate::id::RequestId;
use crate::request::{Request, State, action};
use crate::runner::{Failure, JobId, Outcome};
use crate::store::records;

impl Gate {
    /// Does what is due by time: a run whose lease ended becomes unknown. Returns those requests.
    ///
    /// Call it now and then; it does nothing when nothing is due.
    pub fn tick(&self) -> Result<Vec<RequestId>, Error> {
        self.reap(|live, gate| live.until <= gate.parts.clock.now())
    }

    /// Declares every run unknown that another opening of this store started. Only right for a store
    /// that one process has to itself: then its runs died with the process that started them.
    pub fn recover(&self) -> Result<Vec<RequestId>, Error> {
        self.reap(|live, gate| live.node != gate.node)
    }

    fn reap(&self, due: impl Fn(&Live, &Self) -> bool) -> Result<Vec<RequestId>, Error> {
        let prefix = records::key_of::<Live>(&[]);
        let (page, mut after, mut lost) =
            (self.parts.limits.page_rows_max.max(1), None, Vec::new());
        // One run that cannot be declared lost does not keep the others.
        let mut first_error = None;
        loop {
            let found = self.parts.store.scan(&prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                let live = records::decode::<Live>(&key, &stored.value);
                let declared = live.and_then(|live| {
                    let is_lost = due(&live, self) && self.lose(&live, &due)?;
                    Ok(is_lost.then_some(live.request))
                });
                match declared {
                    Ok(request) => lost.extend(request),
                    Err(error) => first_error = first_error.or(Some(error)),
                }
                after = Some(key);
            }
            if !full {
                return first_error.map_or(Ok(lost), Err);
            }
        }
    }

    fn lose(&self, seen: &Live, due: &impl Fn(&Live, &Self) -> bool) -> Result<bool, Error> {
        self.attempt(|txn| {
            let live = txn.get::<Live>(&[&seen.request.to_string()])?;
            let request = txn.request(seen.request)?;
            let mut leaf = Self::request_leaf(txn, "run.lost", None, &request);
            leaf.run = Some(seen.run);
            leaf.fence = Some(seen.fence);
            let from = Some(request.state.name());
            let header = request.header;
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
            let note = Note { caller: None, action: action::LOSE, from, comment: None };
            txn.save(Request { header, state }, &note)?;
            Ok((true, Some(leaf)))
        })
    }
}
