//! The lease of a run: who may still touch the target.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
    pub(super) until: Timestamp,
    // However often it is renewed, it ends then: a run has a longest time.
    pub(super) latest: Timestamp,
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
    fn is_held(&self, fence: u64, now: Timestamp) -> bool {
        self.fence == fence && now < self.until
    }
}

impl Txn<'_> {
    /// The lease of `request`, if `fence` still holds it.
    pub(super) fn lease(&mut self, request: RequestId, fence: u64) -> Result<Live, Error> {
        let live = self.get::<Live>(&[&request.to_string()])?;
        live.filter(|live| live.is_held(fence, self.now)).ok_or_else(|| lease_lost(request))
    }
}

/// Looks at the lease of one run. A look reads one small record: a run looks at every touch of its target.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) id: JobId,
}

impl RunLease for Held {
    fn may_touch_target(&self) -> Result<(), Error> {
        let request = self.id.request;
        let key = records::key_of::<Live>(&[&request.to_string()]);
        let found = self.store.get(&key)?.ok_or_else(|| lease_lost(request))?;
        let live: Live = records::decode(&key, &found.value)?;
        if !live.is_held(self.id.fence, self.clock.now()) {
            return Err(lease_lost(request));
        }
        if live.is_stopped {
            return Err(Error::new(Code::Cancelled, format!("somebody stopped `{request}`"))
                .with_help("undo what is open, and end"));
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Planning and verifying change nothing, and need no lease.
#[derive(Debug)]
pub(super) struct NotNeeded {
    pub(super) clock: Arc<dyn Clock>,
}

impl RunLease for NotNeeded {
    fn may_touch_target(&self) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
