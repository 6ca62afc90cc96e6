//! Drives a connection for callers that block, with or without a runtime of their own.

use std::thread;

use placet_target::SqlFailure;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::fault::unavailable;

/// A runtime for one session. It works while somebody waits, and only then.
#[derive(Debug)]
pub(crate) struct Engine(Option<Runtime>);

impl Engine {
    pub(crate) fn start() -> Result<Self, SqlFailure> {
        let built = Builder::new_current_thread().enable_all().build();
        built.map(|runtime| Self(Some(runtime))).map_err(|_cause| unusable())
    }

    /// Does `work` and waits for it. An error says that it could not be done to its end.
    pub(crate) fn wait<T: Send>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, SqlFailure> {
        let Some(runtime) = &self.0 else { return Err(unusable()) };
        if Handle::try_current().is_err() {
            return Ok(runtime.block_on(work));
        }
        // On a thread of somebody's runtime no other one may wait.
        thread::scope(|scope| {
            let waiter = thread::Builder::new().spawn_scoped(scope, || runtime.block_on(work));
            waiter.map_err(|_cause| unusable())?.join().map_err(|_panicked| unusable())
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waits for nobody: not for a name server that does not answer either.
            runtime.shutdown_background();
        }
    }
}

fn unusable() -> SqlFailure {
    unavailable(
        "the target's session cannot work",
        "the process may have too many threads or files open",
    )
}
