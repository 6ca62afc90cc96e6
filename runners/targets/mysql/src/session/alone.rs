//! Statements that no transaction can hold: an intent mark before, a done mark after.

use placet_target::points::reached;
use placet_target::{CommitFailure, SqlFailure, StepMark};

use crate::failure::{not_committed, of};
use crate::guard::{Purpose, Statement};
use crate::session::MySqlSession;
use crate::wire::{Ending, Fault};
use crate::{marks, points};

/// How long the answer to a mark may take.
const MARK_MS: u64 = 60_000;

/// What became of the statement.
enum Outcome {
    /// It took effect, and changed so many rows.
    Done(u64),
    /// It is known to have had no effect.
    Nothing(SqlFailure),
    /// Nobody can tell.
    Unclear(SqlFailure),
}

impl MySqlSession {
    pub(super) fn run_alone(&mut self, text: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        let statement = self.ready_alone(text, mark).map_err(not_committed)?;
        self.write_intent(mark)?;
        let outcome = self.outcome(&statement);
        reached(points::ALONE_CONFIRMED);
        match outcome {
            Outcome::Done(changed) => self.write_done(mark).map(|()| changed),
            Outcome::Nothing(failure) => Err(self.take_back(failure, mark)),
            Outcome::Unclear(failure) => Err(CommitFailure::Lost(format!(
                "{}; whether the statement took effect cannot be told",
                failure.message()
            ))),
        }
    }

    fn ready_alone<'a>(
        &mut self,
        text: &'a str,
        mark: &StepMark,
    ) -> Result<Statement<'a>, SqlFailure> {
        let statement = self.check(text, Purpose::Alone)?;
        self.refuse_in_transaction()?;
        self.owns(&mark.id)?;
        if !marks::is_locked_by_us(&mut self.client, &mark.id).map_err(of)? {
            return Err(crate::failure::locked());
        }
        // Most mistakes come to light here, before there is anything to take back.
        match self.client.prepare(statement.text) {
            Ok(prepared) => self.client.forget(prepared),
            Err(Fault::Server { code: crate::failure::code::UNPREPARABLE, .. }) => {}
            Err(fault) => return Err(of(fault)),
        }
        Ok(statement)
    }

    fn write_intent(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let sql = marks::step_row(mark, false);
        match self.client.run_sent(&sql, MARK_MS, points::INTENT_SENT) {
            Ok(_) => {
                reached(points::INTENT_CONFIRMED);
                Ok(())
            }
            // A second row for the same step, for one: nothing was written.
            Err(fault @ Fault::Server { .. }) => Err(not_committed(of(fault))),
            Err(fault) => Err(CommitFailure::Lost(of(fault).message())),
        }
    }

    fn outcome(&mut self, statement: &Statement<'_>) -> Outcome {
        if let Some(reason) = self.stop.raised() {
            return Outcome::Nothing(SqlFailure::Stopped(reason));
        }
        reached(points::ALONE_SENT);
        // Tables may be kept in other ways from now on.
        self.transactional.clear();
        match self.send_statement(statement.text, &[]) {
            Ok(changed) => Outcome::Done(changed),
            Err(Fault::Stopped(_, Ending::Done(changed)) | Fault::Late(Ending::Done(changed)))
                if !self.client.is_dead() =>
            {
                Outcome::Done(changed)
            }
            Err(fault) => {
                let was_answered = match &fault {
                    Fault::Server { .. } => true,
                    Fault::Stopped(_, ending) | Fault::Late(ending) => {
                        matches!(ending, Ending::Failed(_))
                    }
                    Fault::Broken(_) | Fault::Malformed | Fault::Parameters | Fault::Limit(_) => {
                        false
                    }
                };
                let is_certain = was_answered && self.server_is_atomic() && statement.is_atomic();
                if is_certain { Outcome::Nothing(of(fault)) } else { Outcome::Unclear(of(fault)) }
            }
        }
    }

    /// Whether the server does a change of one object whole or not at all.
    fn server_is_atomic(&self) -> bool {
        let server = self.client.server;
        server.version >= if server.is_mariadb { (10, 6, 1) } else { (8, 0, 0) }
    }

    fn write_done(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let sql = format!(
            "UPDATE placet_step SET is_done = TRUE WHERE {} AND step = {} AND NOT is_done",
            marks::of_attempt(&mark.id),
            marks::literal(&mark.step)
        );
        match self.client.run_sent(&sql, MARK_MS, points::DONE_SENT) {
            Ok(done) if done.changed == 1 => {
                reached(points::DONE_CONFIRMED);
                Ok(())
            }
            Ok(_) => Err(CommitFailure::Lost(
                "the statement took effect, and its mark is not there any more".to_owned(),
            )),
            Err(fault) => Err(CommitFailure::Lost(format!(
                "the statement took effect, and its mark was not written: {}",
                of(fault).message()
            ))),
        }
    }

    /// The statement had no effect: its intent must not stay.
    fn take_back(&mut self, failure: SqlFailure, mark: &StepMark) -> CommitFailure {
        let sql = format!(
            "DELETE FROM placet_step WHERE {} AND step = {} AND NOT is_done",
            marks::of_attempt(&mark.id),
            marks::literal(&mark.step)
        );
        match self.client.run_to_its_end(&sql, MARK_MS) {
            Ok(done) if done.changed == 1 => not_committed(failure),
            Ok(_) | Err(_) => CommitFailure::Lost(format!(
                "{}; the statement had no effect, and its mark was not taken away",
                failure.message()
            )),
        }
    }
}
