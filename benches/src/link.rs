//! A link to nobody: lets a runner work without a gate.

use std::sync::Arc;

use placet_core::clock::Timestamp;
use placet_core::error::Error;
use placet_core::runner::{LogLine, Progress, RunLease, RunLink};

/// Lets every step go on, and forgets what it is told.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Link;

impl RunLease for Link {
    fn may_touch_target(&self) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::MIN
    }
}

impl RunLink for Link {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::new(Self)
    }

    fn progress(&self, _: Progress) {}

    fn log(&self, _: LogLine) {}

    fn checkpoint(&self, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }
}
