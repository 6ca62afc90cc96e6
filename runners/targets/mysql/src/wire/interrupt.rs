//! Stops a statement that is under way.

use placet_target::StopSignal;

use crate::wire::answer::{done_of, error_of, is_end, prepared_of};
use crate::wire::client::Phase;
use crate::wire::link::Patience;
use crate::wire::{Client, Ending, Fault};

/// How long the answer to a statement that was killed may take.
const AFTERMATH_MS: u64 = 10_000;

/// How long to wait for the first byte of that answer before the statement is killed once more: an order that reaches
/// the server before the statement does stops nothing.
const KILL_AGAIN_MS: u64 = 250;

impl Client {
    /// Stops what the server is about to say.
    pub(crate) fn abandon(&mut self) {
        let _ending = self.interrupt();
    }

    /// Kills the statement under way over a connection beside this one, and waits until the server has said so.
    pub(super) fn interrupt(&mut self) -> Ending {
        if self.is_dead || self.phase == Phase::Nothing {
            return Ending::Unheard;
        }
        if self.is_beside {
            // Who only came to stop another one is not stopped by a third.
            self.die();
            return Ending::Unheard;
        }
        let unraised = StopSignal::new();
        let heard = Self::connect(&self.place, &self.trust, &unraised, AFTERMATH_MS).and_then(
            |mut beside| {
                beside.is_beside = true;
                let heard = self.killed(&mut beside);
                if let Err(Fault::Late(_)) = heard {
                    // A server that computes does not look whether anybody listens: it is told.
                    let kill = format!("KILL CONNECTION {}", self.server.id);
                    drop(beside.run_to_its_end(&kill, AFTERMATH_MS));
                }
                heard
            },
        );
        let Ok(ending) = heard else {
            // What was not committed is undone by the server.
            self.die();
            return Ending::Unheard;
        };
        self.phase = Phase::Nothing;
        // If the statement was over before the order came, the order may hit the next one: this one.
        self.is_beside = true;
        let left = self.run_to_its_end("DO 0", AFTERMATH_MS);
        self.is_beside = false;
        if let Err(Fault::Broken(_) | Fault::Malformed | Fault::Late(_)) = left {
            self.die();
        }
        ending
    }

    /// Kills the statement under way until the server says how it ended.
    fn killed(&mut self, beside: &mut Self) -> Result<Ending, Fault> {
        // Numbers only grow on one server: one that was started again, or is another one, knows somebody else by ours.
        if beside.server.id <= self.server.id {
            return Err(Fault::Broken("the server is not the one that it was"));
        }
        let kill = format!("KILL QUERY {}", self.server.id);
        let patience = Patience::of_ms(AFTERMATH_MS);
        loop {
            let _done = beside.run_to_its_end(&kill, KILL_AGAIN_MS.saturating_mul(8))?;
            match self.link.wait(&Patience::of_ms(KILL_AGAIN_MS)) {
                Ok(()) => return self.aftermath(&Patience::of_ms(AFTERMATH_MS)),
                Err(Fault::Late(_)) => patience.look()?,
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Reads to the end of an answer that nobody wants.
    fn aftermath(&mut self, patience: &Patience) -> Result<Ending, Fault> {
        let mut ending = Ending::Done(0);
        loop {
            let (packet, length) = self.link.skim(patience)?;
            let is_end = is_end(&packet, length);
            if packet.first() == Some(&0xff) {
                let Fault::Server { code, .. } = error_of(&packet) else {
                    return Err(Fault::Malformed);
                };
                return Ok(Ending::Failed(code));
            }
            self.phase = match self.phase {
                Phase::First if packet.first() == Some(&0x00) => {
                    let (done, status) = done_of(&packet)?;
                    self.status = status;
                    ending = Ending::Done(done.changed);
                    Phase::Nothing
                }
                Phase::First => Phase::Columns(1, true),
                Phase::Prepared => Phase::Columns(prepared_of(&packet)?.1, false),
                Phase::Columns(lists, rows) if is_end => match (lists, rows) {
                    (0 | 1, true) => Phase::Rows,
                    (0 | 1, false) => Phase::Nothing,
                    (more, _) => Phase::Columns(more.saturating_sub(1), rows),
                },
                Phase::Rows if is_end => Phase::Nothing,
                same @ (Phase::Columns(..) | Phase::Rows | Phase::Nothing) => same,
            };
            if matches!(self.phase, Phase::Nothing | Phase::Columns(0, _)) {
                return Ok(ending);
            }
        }
    }
}
