//! What is due now and then, and waits for everything else.

use std::sync::Arc;

use placet_core::clock::Clock;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;

use crate::failures::Failures;

/// How often, in milliseconds of the gate's steady clock.
const EVERY_MS: u64 = 60 * 60 * 1_000;

/// Brings the index of the log up to its end, erases what is kept no longer, and seals the years that are over.
#[derive(Debug)]
pub(crate) struct Upkeep {
    clock: Arc<dyn Clock>,
    last_ms: u64,
}

impl Upkeep {
    /// The first turn is due after the time between two.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let last_ms = clock.steady_ms();
        Self { clock, last_ms }
    }

    /// Does it, where it is due. `pause` is called between two steps: it lets go first what may not wait, and its error
    /// ends the turn.
    pub(crate) fn turn(
        &mut self,
        gate: &Gate,
        failures: &Failures,
        pause: &mut dyn FnMut() -> Result<(), Error>,
    ) {
        let now_ms = self.clock.steady_ms();
        if now_ms.saturating_sub(self.last_ms) < EVERY_MS {
            return;
        }
        self.last_ms = now_ms;
        let indexed = gate.index_log(|_done, _total| pause());
        note(gate, failures, indexed);
        let erased = gate.erase_expired(|_looked_at| pause());
        note(gate, failures, erased);
        note(gate, failures, gate.seal_years());
    }
}

fn note<T>(gate: &Gate, failures: &Failures, done: Result<T, Error>) {
    // Whoever closes the gate ends it, and that is no failure.
    if done.as_ref().is_err_and(|error| error.code() == Code::Cancelled) {
        return;
    }
    failures.note(gate, done);
}

#[cfg(test)]
mod tests {
    use placet_core::org::command::{RetentionClass, SetRetention};
    use placet_core::store::MemoryStore;
    use placet_core::testing::{Bench, Office};

    use super::*;

    #[test]
    fn what_is_kept_no_longer_goes_within_the_hour_and_not_at_every_turn() {
        let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
        let gate = Gate::new(bench.parts.clone());
        let office = Office::found(&gate).unwrap();
        let (failures, mut pauses) = (Failures::default(), 0);
        let mut upkeep = Upkeep::new(Arc::clone(&bench.parts.clock));
        let id = office.pending(&gate).unwrap().header.id;
        gate.cancel(&office.ana, id, None).unwrap();
        let order = SetRetention { class: RetentionClass::Content, keep_days: Some(0) };
        gate.administer(&office.root, &order).unwrap();
        let mut turn = |upkeep: &mut Upkeep| {
            upkeep.turn(&gate, &failures, &mut || {
                pauses += 1;
                Ok(())
            });
            let title = gate.view(&office.ana, id).unwrap().header.title;
            (pauses, title == "(erased)")
        };
        assert_eq!(turn(&mut upkeep), (0, false), "not yet");
        bench.clock.advance_ms(EVERY_MS);
        let (pauses, erased) = turn(&mut upkeep);
        assert!(pauses > 0 && erased);
        assert_eq!(turn(&mut upkeep), (pauses, true), "not again");
        assert_eq!(failures.so_far().count, 0);
    }

    #[test]
    fn a_gate_that_is_closed_ends_it_and_that_is_no_failure() {
        let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
        let gate = Gate::new(bench.parts.clone());
        let failures = Failures::default();
        let mut upkeep = Upkeep::new(Arc::clone(&bench.parts.clock));
        bench.clock.advance_ms(EVERY_MS);
        upkeep.turn(&gate, &failures, &mut || Err(Error::new(Code::Cancelled, "closed")));
        assert_eq!(failures.so_far().count, 0);
        // Any other error is told.
        bench.clock.advance_ms(EVERY_MS);
        upkeep.turn(&gate, &failures, &mut || Err(Error::new(Code::Internal, "wrong")));
        assert_eq!(failures.so_far().count, 1);
    }
}
