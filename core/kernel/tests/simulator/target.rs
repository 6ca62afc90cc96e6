//! The simulated target: one database that changes are made in, with a lock, markers and transactions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use placet_core::id::RequestId;
use placet_core::runner::JobId;

/// An open transaction. It holds the target's lock, and is undone when its process dies.
#[derive(Debug)]
struct Open {
    job: JobId,
    at: String,
    alive: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Inside {
    open: Option<Open>,
    effects: BTreeMap<(RequestId, String), Vec<JobId>>,
    markers: BTreeSet<JobId>,
}

/// What a look at the target says of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    Done,
    NotDone,
    /// A transaction is open that might be it.
    CannotTell,
}

#[derive(Debug, Default)]
pub(crate) struct Target {
    inside: Mutex<Inside>,
}

impl Target {
    fn with<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> T {
        let mut inside = self.inside.lock().unwrap();
        if inside.open.as_ref().is_some_and(|open| !open.alive.load(Ordering::SeqCst)) {
            inside.open = None;
        }
        work(&mut inside)
    }

    /// Begins a transaction, unless another is open.
    pub(crate) fn begin(&self, job: JobId, at: &str, alive: &Arc<AtomicBool>) -> bool {
        self.with(|inside| {
            let free = inside.open.is_none();
            if free {
                inside.open = Some(Open { job, at: at.to_owned(), alive: Arc::clone(alive) });
            }
            free
        })
    }

    /// Ends the transaction of `job`. The change is made, and the marker written with it, where `marked`.
    /// Answers whether there was one.
    pub(crate) fn commit(&self, job: JobId, marked: bool) -> bool {
        self.with(|inside| {
            let open = inside.open.take_if(|open| open.job == job);
            let is_open = open.is_some();
            if let Some(Open { at, .. }) = open {
                inside.effects.entry((job.request, at)).or_default().push(job);
                if marked {
                    inside.markers.insert(job);
                }
            }
            is_open
        })
    }

    /// Writes a marker on its own, as only the broken variant does.
    pub(crate) fn mark(&self, job: JobId) {
        self.with(|inside| inside.markers.insert(job));
    }

    pub(crate) fn rollback(&self, job: JobId) {
        self.with(|inside| {
            if inside.open.as_ref().is_some_and(|open| open.job == job) {
                inside.open = None;
            }
        });
    }

    /// Reads the marker. It needs the lock that an open transaction has.
    pub(crate) fn read(&self, job: JobId) -> Reading {
        self.with(|inside| {
            if inside.open.is_some() {
                Reading::CannotTell
            } else if inside.markers.contains(&job) {
                Reading::Done
            } else {
                Reading::NotDone
            }
        })
    }

    /// How often the change of `request` was made at one of its targets.
    pub(crate) fn effects_of(&self, request: RequestId, at: &str) -> usize {
        let place = (request, at.to_owned());
        self.with(|inside| inside.effects.get(&place).map_or(0, Vec::len))
    }
}
