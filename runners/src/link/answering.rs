//! What an approved query answers: masked, counted and digested on its way to the host's sink.

use placet_core::error::{Code, Error as CoreError};
use placet_target::{SqlFailure, SqlSession};

use super::running::HALTED;
use crate::bindings::sql::Error;
use crate::ledger::Progress;
use crate::mode::Mode;
use crate::points;
use crate::results::{Answer, Mask, answer_name, header, line};
use crate::state::{Phase, State};

/// How many rows are held at a time.
const BATCH_ROWS: usize = 1_000;

impl State {
    /// Whether `statement` may be answered now, or why not.
    pub(super) fn may_answer(&self, statement: &str) -> Result<(), &'static str> {
        if self.phase != Phase::Execute || self.mode() != Mode::Answers {
            return Err("only a plan whose every step reads is answered");
        }
        if self.ledger.halted {
            return Err(HALTED);
        }
        self.is_next(statement)
    }

    /// Reads what the next step answers, and keeps all answers once it was the last one.
    pub(super) fn answer_next(
        &mut self,
        session: &mut dyn SqlSession,
        statement: &str,
    ) -> Result<u64, Error> {
        let answered = self.read_answer(session, statement).and_then(|(answer, rows)| {
            self.answers.push(answer);
            self.ledger.steps_done = self.ledger.steps_done.saturating_add(1);
            self.ledger.answered = self.ledger.answered.saturating_add(rows);
            self.note_rows(rows);
            if self.next_step().is_none() { self.keep_answers().map(|()| rows) } else { Ok(rows) }
        });
        if answered.is_err() {
            self.ledger.halted = true;
            // Nothing of them stays.
            self.answers.clear();
        }
        answered
    }

    fn read_answer(
        &mut self,
        session: &mut dyn SqlSession,
        statement: &str,
    ) -> Result<(Answer, u64), Error> {
        let step = self.next_step_id();
        let read = self.try_answer(session, statement);
        points::reached(points::ANSWER_READ);
        read.map_err(|failure| self.fail(failure, step))
    }

    fn try_answer(
        &self,
        session: &mut dyn SqlSession,
        statement: &str,
    ) -> Result<(Answer, u64), SqlFailure> {
        let reach = self.reach().map_err(SqlFailure::Unavailable)?;
        let Some(sink) = &reach.results else { return Err(SqlFailure::Unavailable(no_sink())) };
        let dialect = reach.target.dialect();
        let objects = placet_sql_review::classify(statement, dialect).objects;
        let mask = Mask::new(&reach.settings.mask, &objects, (&mut *session, dialect));
        let number = self.ledger.steps_done.saturating_add(1);
        let name = answer_name(&reach.id, number);
        let mut answer = Answer::begin(&**sink, name).map_err(SqlFailure::Unavailable)?;
        points::reached(points::ANSWER_BEGUN);

        let before: u64 = self.answers.iter().map(Answer::size_bytes).sum();
        let bytes_max = self.limits.answer_bytes_max.saturating_sub(before);
        let limits = [reach.asked.limit(), reach.settings.limit];
        let rows_max = limits.into_iter().flatten().fold(self.limits.rows_max, u64::min);
        let mut hidden: Option<Vec<bool>> = None;
        let mut take = |rows: placet_target::SqlRows| {
            if let Some(reason) = reach.stop.raised() {
                return Err(SqlFailure::Stopped(reason));
            }
            let mut bytes = Vec::new();
            if hidden.is_none() {
                bytes.extend(header(&rows.columns));
            }
            let hidden = hidden.get_or_insert_with(|| mask.hidden(&rows));
            for row in &rows.rows {
                bytes.extend(line(row, hidden));
            }
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if answer.size_bytes().saturating_add(length) > bytes_max {
                return Err(SqlFailure::Limit(format!(
                    "the queries answer more than {} bytes",
                    self.limits.answer_bytes_max
                )));
            }
            answer.write(&bytes).map_err(SqlFailure::Unavailable)
        };
        let rows = session.stream(statement, &[], (rows_max, bytes_max, BATCH_ROWS), &mut take)?;
        // A target that hands over more than it was asked for is stopped here.
        if rows > rows_max {
            return Err(SqlFailure::Limit(format!("the query answers more than {rows_max} rows")));
        }
        Ok((answer, rows))
    }

    /// Keeps all answers for good: every step was answered.
    fn keep_answers(&mut self) -> Result<(), Error> {
        self.may_touch()?;
        for answer in core::mem::take(&mut self.answers) {
            match answer.finish() {
                Ok(artifact) => self.ledger.artifacts.push(artifact),
                Err(error) => return Err(self.fail(SqlFailure::Unavailable(error), None)),
            }
            points::reached(points::ANSWER_KEPT);
        }
        self.ledger.progress = Progress::Committed;
        Ok(())
    }
}

fn no_sink() -> CoreError {
    CoreError::new(Code::InvalidInput, "this host keeps no answers of queries")
        .with_help("give the host a place for the results of queries")
}
