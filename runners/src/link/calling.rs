//! Which call to another system may be made, and what became of it. While planning and verifying, only reads; in a run,
//! besides them, the next approved step, byte for byte and once. It is noted durably before it is sent.

use core::time::Duration;
use std::sync::Arc;

use placet_core::runner::{Failure, LogLine};
use placet_exchange::Exchange;
use placet_target_deploy::{DeployTarget, Exchange as Bounds};

use super::running::HALTED;
use crate::bindings::sql::Error;
use crate::ledger::Progress;
use crate::notes::{self, Noted};
use crate::points;
use crate::state::{Phase, State};

const NOT_NEXT: &str = "the call is not the next step of the approved plan";

/// What a call is made as.
#[derive(Debug)]
pub(super) enum Made {
    /// It only reads.
    Read,
    /// It is this step of the approved plan.
    Step(String),
}

/// Why a call is not made.
#[derive(Debug)]
pub(super) enum Unmade {
    /// The plugin may not make it.
    Refused(String),
    /// Nobody can, for now or any more.
    Stopped(Error),
}

/// What became of a step that was sent.
#[derive(Debug)]
pub(super) enum Became {
    /// It was accepted: the status or the exit code.
    Accepted(String),
    /// The command ran, and this is the code of its end: what it did until then is there.
    Ended(i32),
    /// It is known to have had no effect.
    Refused { code: String, message: String },
    /// It may have had one.
    Unknown { code: String, message: String },
}

impl State {
    /// The endpoints and commands of the run. Whoever has none is told so.
    pub(super) fn deploy_target(&self) -> Result<Arc<DeployTarget>, Unmade> {
        let target = self.reach().and_then(|reach| reach.target.deploy().map(Arc::clone));
        target.map_err(|error| Unmade::Refused(error.to_string()))
    }

    /// Whether a call may be made now, and as what. `is_same` says whether an approved one is this one to the letter;
    /// `is_write`: it may change something.
    pub(super) fn may_call(
        &mut self,
        is_same: impl FnOnce(&Exchange) -> bool,
        is_write: bool,
    ) -> wasmtime::Result<Result<Made, Unmade>> {
        let made = match self.phase {
            Phase::Pure => Err("nothing can be reached while a payload is validated"),
            Phase::Plan { .. } if is_write => Err("nothing is written while a plan is made"),
            Phase::Verify if is_write => Err("a verification writes nothing"),
            Phase::Plan { .. } | Phase::Verify => Ok(Made::Read),
            Phase::Execute => match self.as_next_step(is_same) {
                Some(_) if self.ledger.halted && is_write => Err(HALTED),
                Some(step) if !self.ledger.halted => Ok(Made::Step(step)),
                None if is_write => Err(NOT_NEXT),
                Some(_) | None => Ok(Made::Read),
            },
        };
        match made {
            Ok(made) => Ok(self.may_touch().map(|()| made).map_err(Unmade::Stopped)),
            Err(why) => {
                self.note_refusal(why)?;
                Ok(Err(Unmade::Refused(why.to_owned())))
            }
        }
    }

    /// The next approved step, where the call is that one. A call has one text and a text is one call, so the calls are
    /// compared: the text of one that nobody approved could be six times as long as what the plugin may hand over.
    fn as_next_step(&self, is_same: impl FnOnce(&Exchange) -> bool) -> Option<String> {
        let run = self.reach.as_ref()?.id.run.to_string();
        let step = self.next_step()?;
        let approved = Exchange::parse(&step.body).ok()?.filled(&run).ok()?;
        is_same(&approved).then(|| step.id.clone())
    }

    /// What binds a call that only reads.
    pub(super) fn reading(&self) -> wasmtime::Result<Bounds> {
        let reach = self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok(Bounds::reading(self.time_left()?, &reach.stop))
    }

    fn time_left(&self) -> wasmtime::Result<Duration> {
        let reach = self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        let left = reach.deadline.as_micros().saturating_sub(reach.lease.now().as_micros());
        Ok(Duration::from_micros(u64::try_from(left).unwrap_or(0)))
    }

    /// Notes durably that a step is about to be sent, and says what binds its call. From here on nobody says `failed`
    /// of it without an answer.
    pub(super) fn intend(&mut self, step: &str) -> wasmtime::Result<Result<Bounds, Unmade>> {
        let noted = match self.reach() {
            Ok(reach) => {
                let key = notes::key(reach.id.run, step);
                let noted = Noted::Intent(Some(reach.deadline));
                reach.line.checkpoint(key, noted.to_state())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            // It may be noted all the same. Nothing was sent, and nothing will be.
            self.ledger.halted = true;
            let message = format!("it was not sent, because that could not be noted: {error}");
            let failure = Failure::new(error.code().as_str(), message.clone());
            self.ledger.note_failure(Failure { step: Some(step.to_owned()), ..failure });
            return Ok(Err(Unmade::Stopped(Error::Connection(message))));
        }
        // Asked once more: noting it may have taken as long as the lease lasts.
        if let Err(error) = self.may_touch() {
            self.ledger.halted = true;
            return Ok(Err(Unmade::Stopped(error)));
        }
        let time_left = self.time_left()?;
        let reach = self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        // The same for each send of this step in this attempt, and another one for each other.
        let key = format!("{}:{step}", reach.id.run);
        let bounds = Bounds::writing(time_left, &reach.stop).with_idempotency_key(key);
        self.ledger.progress = Progress::Sent;
        self.ledger.in_doubt = Some(step.to_owned());
        points::reached(points::CALL_NOTED);
        Ok(Ok(bounds))
    }

    /// Takes down what became of the step that was sent.
    pub(super) fn settle(&mut self, step: &str, became: Became) {
        points::reached(points::CALL_ANSWERED);
        let failed = |code: &str, message: &str| Failure {
            step: Some(step.to_owned()),
            ..Failure::new(code, message)
        };
        let noted = match became {
            Became::Accepted(status) => {
                self.ledger.in_doubt = None;
                self.note_step(step.to_owned(), 0);
                Noted::Accepted(status)
            }
            Became::Ended(code) => {
                let message = format!("the command ended with {code}");
                self.ledger.note_failure(failed("command.exit", &message));
                self.ledger.applied.push(step.to_owned());
                self.stop_at(Progress::Nothing);
                Noted::Ended(code.to_string())
            }
            Became::Refused { code, message } => {
                self.ledger.note_failure(failed(&code, &message));
                self.stop_at(Progress::Nothing);
                Noted::Refused(code)
            }
            Became::Unknown { code, message } => {
                // What went wrong before says less than what nobody knows.
                self.ledger.failure = Some(failed(&code, &message));
                self.ledger.halted = true;
                return;
            }
        };
        let kept = self.reach().and_then(|reach| {
            let key = notes::key(reach.id.run, step);
            reach.line.checkpoint(key, noted.to_state())
        });
        if let Err(error) = kept {
            // The run knows it all the same; only a verification would have to look.
            let message = format!("how step `{step}` was answered could not be noted: {error}");
            let line = LogLine { level: "warn".to_owned(), message, fields: Vec::new() };
            // The host's own: the plugin's quota is no matter of it, and no flood of the plugin's is in its way.
            if let Ok(reach) = self.reach() {
                reach.line.say(line);
            }
        }
        points::reached(points::CALL_SETTLED);
    }

    fn stop_at(&mut self, progress: Progress) {
        self.ledger.in_doubt = None;
        self.ledger.halted = true;
        self.ledger.progress = progress;
    }

    /// Notes that a call which only reads was answered.
    pub(super) const fn note_read(&mut self) {
        self.ledger.reads_answered = self.ledger.reads_answered.saturating_add(1);
    }
}

/// The bytes of some texts.
pub(super) fn length(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> u64 {
    let lengths = texts.into_iter().map(|text| text.as_ref().len()).fold(0, usize::saturating_add);
    u64::try_from(lengths).unwrap_or(u64::MAX)
}
