//! What this node knows of the length of the log, and who waits for more.

use core::time::Duration;
use std::sync::{Condvar, Mutex, PoisonError};

/// The longest log that was heard of, and whether somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    known: Mutex<Known>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    log_len: u64,
    listens: bool,
}

impl Heard {
    /// The log has at least `log_len` entries.
    pub(crate) fn tell(&self, log_len: u64) {
        self.change(|known| known.log_len = known.log_len.max(log_len));
    }

    /// From now on notifications come in, or do not.
    pub(crate) fn listens(&self, listens: bool) {
        self.change(|known| known.listens = listens);
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        self.more.notify_all();
    }

    /// Waits until the log is known to be longer than `log_len`, at most `limit`. Where nobody listens it
    /// returns after `poll` at the latest: then it is time to ask.
    pub(crate) fn wait(&self, log_len: u64, limit: Duration, poll: Duration) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let listened = known.listens;
        let limit = if listened { limit } else { limit.min(poll) };
        let waits = |known: &mut Known| known.log_len <= log_len && known.listens == listened;
        drop(self.more.wait_timeout_while(known, limit, waits));
    }
}
