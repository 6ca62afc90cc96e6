//! The gate as a host uses it: every verb of the kernel's gate, and runs in the background.

use core::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use placet_core::error::Error;
use placet_core::id::RequestId;
use placet_core::identity::Caller;

use crate::builder::GateBuilder;
use crate::run::{Crew, RunHandle};

/// A gate that is open. Cloning gives another handle on the same one; the last to go closes it, after
/// the runs that it started.
#[derive(Clone, Debug)]
pub struct Gate {
    inner: Arc<placet_core::gate::Gate>,
}

impl Gate {
    /// Begins to open a gate in `folder`.
    pub fn builder(folder: impl AsRef<Path>) -> GateBuilder {
        GateBuilder::new(folder.as_ref())
    }

    /// Opens a gate in `folder` with the defaults.
    ///
    /// Fails as [`GateBuilder::open`] does.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(folder).open()
    }

    /// Takes a gate that was wired by hand.
    pub fn over(inner: placet_core::gate::Gate) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Starts a run of an approved request and drives it in the background.
    ///
    /// The start is on disk when this returns. Fails as [`placet_core::gate::Gate::execute`] does.
    pub fn execute(&self, caller: &Caller, id: RequestId) -> Result<RunHandle, Error> {
        let crew = Crew::hire()?;
        let ticket = self.inner.execute(caller, id)?;
        Ok(RunHandle::drive(Arc::clone(&self.inner), ticket, crew))
    }
}

impl Deref for Gate {
    type Target = placet_core::gate::Gate;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}
