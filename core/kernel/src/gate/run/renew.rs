//! Keeping a run's lease, and what a run notes down for later.

use serde::{Deserialize, Serialize};

use super::execute::LeaseKey;
use super::lease::Live;
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::id::RunId;
use crate::request::lease_lost;
use crate::runner::JobId;
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;

/// What a run noted for its later self, in order.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Checkpoints {
    run: RunId,
    noted: Vec<(String, String)>,
}

impl Record for Checkpoints {
    const KIND: &'static str = "run_checkpoints";
    const ERASABLE: &'static [Erasable] = &[erasable("/noted", "[]")];

    fn path(&self) -> Vec<String> {
        vec![self.run.to_string()]
    }
}

/// The most that one run notes, in bytes: it is a memory aid, not a store.
const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// What each note counts beside its text, so that empty ones are not free.
const ENTRY_BYTES: usize = 256;

impl Gate {
    /// Shows that a run is alive: its lease lasts another [`crate::limits::Limits::lease_ms`] from now, by the
    /// clock of whoever watches it. A run that goes on for longer than
    /// [`crate::limits::Limits::run_ms_max`] and one lease is not renewed any more.
    ///
    /// Fails with [`Code::LeaseLost`] once it ended or was declared over: the run must stop.
    ///
    /// ```
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
    /// let key = ticket.lease();
    /// // Three times in its length, on another thread than the one that drives:
    /// gate.renew(key)?;
    /// gate.drive(ticket, &Seen::default())?;
    /// assert!(gate.renew(key).is_err(), "the run has ended");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn renew(&self, key: LeaseKey) -> Result<(), Error> {
        let (clock, limits) = (&self.parts.clock, &self.parts.limits);
        if !self.leases.is_renewable(key, clock.steady_ms(), limits) {
            return Err(lease_lost(key.request));
        }
        let live = self.touch(|txn| {
            let live = txn.lease(key.request, key.fence)?;
            let live = Live { renewals: live.renewals.wrapping_add(1), ..live };
            txn.put(&live)?;
            Ok(live)
        })?;
        self.leases.look(&live, clock.steady_ms(), limits.lease_ms);
        Ok(())
    }

    pub(in crate::gate) fn checkpoint_run(
        &self,
        id: JobId,
        step: &str,
        state: &str,
    ) -> Result<(), Error> {
        self.transact(|txn| {
            txn.lease(id.request, id.fence)?;
            let found = txn.get::<Checkpoints>(&[&id.run.to_string()])?;
            let mut kept = found.unwrap_or(Checkpoints { run: id.run, noted: Vec::new() });
            kept.noted.push((step.to_owned(), state.to_owned()));
            let bytes = kept.noted.iter().fold(0_usize, |sum, (step, state)| {
                sum.saturating_add(ENTRY_BYTES)
                    .saturating_add(step.len())
                    .saturating_add(state.len())
            });
            if bytes > CHECKPOINT_BYTES_MAX {
                return Err(Error::new(Code::TooLarge, "the run notes too much")
                    .with_help(format!("keep it below {CHECKPOINT_BYTES_MAX} bytes in all")));
            }
            txn.put(&kept)?;
            let request = txn.request(id.request)?;
            let mut leaf = Self::request_leaf(txn, Event::RunCheckpoint, None, &request);
            leaf.run = Some(id.run);
            leaf.fence = Some(id.fence);
            Ok(((), leaf))
        })
    }

    pub(in crate::gate) fn run_checkpoints(
        &self,
        id: JobId,
    ) -> Result<Vec<(String, String)>, Error> {
        self.consult(|txn| {
            let found = txn.get::<Checkpoints>(&[&id.run.to_string()])?;
            Ok(found.map(|kept| kept.noted).unwrap_or_default())
        })
    }
}
