//! What this node was told of the length of the log, and who waits for more.

use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The longest log that anybody told of, and whether somebody listens. A notice only wakes: whoever was woken asks
/// the database, and waits again where there is no more. Anybody who may connect can send one that is not true.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    known: Mutex<Known>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    log_len: u64,
    // How many notices came.
    notices: u64,
    listens: bool,
}

/// Which notices had come before the database was asked: its answer is no answer to later ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before(u64);

impl Heard {
    /// The log is said to have at least `log_len` entries.
    pub(crate) fn tell(&self, log_len: u64) {
        let mut known = self.known();
        known.log_len = known.log_len.max(log_len);
        known.notices = known.notices.wrapping_add(1);
        drop(known);
        self.more.notify_all();
    }

    /// From now on notifications come in, or do not.
    pub(crate) fn listens(&self, listens: bool) {
        self.known().listens = listens;
        self.more.notify_all();
    }

    /// Before the database is asked.
    pub(crate) fn before(&self) -> Before {
        Before(self.known().notices)
    }

    /// The database answered that the log has `log_len` entries. What it was said to have until then counts no more:
    /// else a notice that is not true would keep everybody asking.
    pub(crate) fn asked(&self, before: Before, log_len: u64) {
        let mut known = self.known();
        if known.notices == before.0 {
            known.log_len = log_len;
        }
        drop(known);
        // Others on this node wait for it too.
        self.more.notify_all();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the log is said to be longer than `log_len`, at most `limit`. Where nobody listens it
    /// returns after `poll` at the latest: then it is time to ask.
    pub(crate) fn wait(&self, log_len: u64, limit: Duration, poll: Duration) {
        let known = self.known();
        let listened = known.listens;
        let limit = if listened { limit } else { limit.min(poll) };
        let waits = |known: &mut Known| known.log_len <= log_len && known.listens == listened;
        drop(self.more.wait_timeout_while(known, limit, waits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_counts_until_it_was_asked_about_and_no_longer() {
        let heard = Heard::default();
        heard.tell(u64::MAX);
        heard.asked(heard.before(), 5);
        assert_eq!(heard.known().log_len, 5);
        // One that comes while the database is asked may tell of what the answer does not know yet.
        let before = heard.before();
        heard.tell(6);
        heard.asked(before, 5);
        assert_eq!(heard.known().log_len, 6);
    }
}
