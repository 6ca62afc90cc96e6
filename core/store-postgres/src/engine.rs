//! A thread with a runtime of its own, so that the host's runtime is neither needed nor blocked.

use std::sync::mpsc;
use std::thread::JoinHandle;

use placet_core::store::{StoreError, StoreErrorKind};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The thread. Dropping it drops what still runs there, and waits for nothing that blocks: a name server that does
/// not answer, a file on a disk that is gone.
#[derive(Debug)]
pub(crate) struct Engine {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts a thread with this name.
    pub(crate) fn start(name: &str) -> Result<Self, StoreError> {
        let cannot = |cause: std::io::Error| {
            StoreError::new(StoreErrorKind::Unavailable, "cannot start a thread for the database")
                .with_help("look at the cause: the process may have too many threads or files open")
                .with_source(cause)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // An error means that the sender is gone, which says the same.
                let _stopped = runtime.block_on(stopped);
                // Tasks are dropped here. Whoever was sent to look a name up or to read a file ends alone.
                runtime.shutdown_background();
            })
            .map_err(cannot)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Where to put work that nobody waits for.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Does `work` there and waits for it, without touching the caller's runtime, where there is one.
    /// `None` when the work panicked.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        drop(self.handle.spawn(async move {
            // Who asked waits for it below.
            let _sent = answer.send(work.await);
        }));
        answered.recv().ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_drops_tasks_and_waits_for_nobody_who_blocks() {
        let engine = Engine::start("engine").unwrap();
        let (task_held, task_dropped) = mpsc::channel::<()>();
        drop(engine.handle().spawn(async move {
            let _held = task_held;
            core::future::pending::<()>().await;
        }));
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        drop(engine.handle().spawn_blocking(move || {
            begun.send(()).unwrap();
            // Ends by itself in the end, so that an engine that waits fails this test and does not hang it.
            released.recv_timeout(core::time::Duration::from_mins(1))
        }));
        has_begun.recv().unwrap();
        drop(engine);
        // Its receiver is there as long as it blocks.
        release.send(()).expect("the engine waited until what blocked had ended");
        let is_dropped = task_dropped.try_recv() == Err(mpsc::TryRecvError::Disconnected);
        assert!(is_dropped, "a task outlived its engine");
    }
}
