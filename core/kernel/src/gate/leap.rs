//! A clock that leaps forward: an organisation that was written at a time to come takes every node there for good, so
//! it is not written then.

use core::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Gate;
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error};

/// The wall clock as it was last found right, and the steady one at that moment.
#[derive(Debug)]
pub(super) struct LastLook(Mutex<(Timestamp, u64)>);

impl LastLook {
    pub(super) fn at(clock: &dyn Clock) -> Self {
        Self(Mutex::new((clock.now(), clock.steady_ms())))
    }

    fn pair(&self) -> MutexGuard<'_, (Timestamp, u64)> {
        // Both are put in at once.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// Refuses to write an organisation when this gate's time went further than the steady clock since the last
    /// such look, by more than the limit. It is the gate's time, which never goes back, and not the clock's:
    /// once a gate looked at a clock that leapt, only another gate goes by the right time again.
    pub(super) fn check_clock(&self) -> Result<(), Error> {
        let clock = &self.parts.clock;
        let (now, steady_ms) = (self.now(), clock.steady_ms());
        let mut last = self.last_look.pair();
        let (then, steady_then_ms) = *last;
        let due = then.plus_ms(steady_ms.saturating_sub(steady_then_ms));
        let limit_ms = self.parts.limits.clock_leap_ms_max;
        // Where the stored organisation is at such a time already, writing it takes nobody further.
        let is_stored = now.as_micros() <= self.stored_micros.load(Ordering::Relaxed);
        if now > due.plus_ms(limit_ms) && !is_stored {
            let sentence = format!(
                "it is {due} by the steady clock and {now} by the one that can be set: more than {limit_ms} ms \
                 ahead, and what is written now would take the organisation there for good"
            );
            return Err(Error::new(Code::ClockLeapt, sentence)
                .with_help("set this machine's clock right, and open the gate again"));
        }
        // A clock that was set back and is corrected later did not leap.
        *last = (clock.now().max(due), steady_ms);
        Ok(())
    }
}
