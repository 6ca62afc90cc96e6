//! Named SQL connections. The host decides what runs in which phase, and notes what it saw.

use std::collections::BTreeSet;

use placet_target::{Access, SqlFailure, SqlSession, SqlValue, StepState};
use wasmtime::component::Resource;

use super::{Answer, ConnectionEntry, RowsEntry, TransactionEntry, Writer};
use crate::bindings::sql::{Host, HostConnection, Value};
use crate::convert::sql_value;
use crate::ledger::{Progress, Seen};
use crate::mode::Mode;
use crate::points;
use crate::state::{Phase, State};

impl Host for State {}

impl State {
    /// The session that writes for this connection: the one it has, or a new one.
    fn take_writer(
        &mut self,
        connection: &Resource<ConnectionEntry>,
    ) -> Answer<Box<dyn SqlSession>> {
        match self.table.get_mut(connection)?.writer.take() {
            Some(writer) => Ok(Ok(writer.session)),
            None => self.open_writer(),
        }
    }

    /// What the target itself tells of the attempt.
    fn read_marks(
        &mut self,
        session: &mut dyn SqlSession,
    ) -> wasmtime::Result<Result<Seen, SqlFailure>> {
        let id = self.attempt()?;
        if self.mode() != Mode::OneByOne {
            return Ok(session.marker(&id).map(|found| match found {
                Some(true) => Seen::There,
                Some(false) => Seen::Absent(Vec::new()),
                None => Seen::Untold,
            }));
        }
        let steps = match session.steps(&id) {
            Ok(Some(steps)) => steps,
            Ok(None) => return Ok(Ok(Seen::Untold)),
            Err(failure) => return Ok(Err(failure)),
        };
        if steps.iter().any(|seen| seen.state == StepState::Intended) {
            return Ok(Ok(Seen::Untold));
        }
        let marked: BTreeSet<&str> = steps.iter().map(|seen| seen.step.as_str()).collect();
        let approved = self.reach.as_ref().map_or(&[][..], |reach| &reach.approved);
        let done = approved.iter().filter(|step| marked.contains(step.id.as_str()));
        let done: Vec<String> = done.map(|step| step.id.clone()).collect();
        Ok(Ok(if done.len() == approved.len() { Seen::There } else { Seen::Absent(done) }))
    }
}

impl HostConnection for State {
    fn open(&mut self, name: String) -> Answer<Resource<ConnectionEntry>> {
        self.count_call()?;
        // A name outside the manifest gets the answer of one that does not exist.
        if !self.reach().is_ok_and(|reach| reach.connections.contains(&name)) {
            return self.refuse("there is no connection of this name");
        }
        self.check_connections()?;
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        // A run of steps reads nothing, and is told with its first step that the target is missing. Whatever reads is
        // told at once.
        let reader = if self.phase == Phase::Execute && self.mode() != Mode::Answers {
            None
        } else {
            match self.open_session(Access::ReadOnly) {
                Ok(session) => Some(session),
                Err(error) => return Ok(Err(error)),
            }
        };
        let entry = ConnectionEntry { reader, writer: None };
        let kept = self.keep(entry)?;
        self.connections = self.connections.saturating_add(1);
        Ok(Ok(kept))
    }

    fn dialect(&mut self, connection: Resource<ConnectionEntry>) -> wasmtime::Result<String> {
        self.count_call()?;
        self.table.get(&connection)?;
        let reach = self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok(reach.target.dialect().to_owned())
    }

    fn query(
        &mut self,
        connection: Resource<ConnectionEntry>,
        statement: String,
        params: Vec<Value>,
    ) -> Answer<Resource<RowsEntry>> {
        self.count_call()?;
        if !matches!(self.phase, Phase::Plan { .. }) {
            return self.refuse("only a plan reads by statements of its own");
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let values: Vec<SqlValue> = params.into_iter().map(sql_value).collect();
        let length = u64::try_from(statement.len()).unwrap_or(u64::MAX);
        self.count_bytes(values.iter().map(SqlValue::bytes).fold(length, u64::saturating_add))?;
        let (rows_max, bytes_max) = (self.limits.rows_max, self.bytes_left());
        let entry = self.table.get_mut(&connection)?;
        let Some(reader) = &mut entry.reader else {
            return self.refuse("the connection is closed");
        };
        match reader.query(&statement, &values, rows_max, bytes_max) {
            Ok(found) => {
                self.note_rows(u64::try_from(found.rows.len()).unwrap_or(u64::MAX));
                let bytes = found.rows.iter().flatten().map(SqlValue::bytes);
                self.count_bytes(bytes.fold(0, u64::saturating_add))?;
                let rows = found.rows.into();
                Ok(Ok(self.keep(RowsEntry { columns: found.columns, rows, affected: 0 })?))
            }
            Err(failure) => Ok(Err(self.fail(failure, None))),
        }
    }

    fn begin(
        &mut self,
        connection: Resource<ConnectionEntry>,
    ) -> Answer<Resource<TransactionEntry>> {
        self.count_call()?;
        self.table.get(&connection)?;
        if let Err(why) = self.may_begin() {
            return self.refuse(why);
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let mut session = match self.take_writer(&connection)? {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        points::reached(points::SESSION_OPENED);
        if let Err(failure) = session.begin() {
            let step = self.next_step_id();
            return Ok(Err(self.fail(failure, step)));
        }
        points::reached(points::TRANSACTION_BEGUN);
        if let Err(error) = self.compare_basis(&mut *session) {
            return Ok(Err(error));
        }
        // What another transaction tried says nothing of this one.
        self.ledger.tried.clear();
        self.ledger.transactions = self.ledger.transactions.saturating_add(1);
        let number = self.ledger.transactions;
        self.table.get_mut(&connection)?.writer = Some(Writer { session, open: Some(number) });
        self.ledger.progress = Progress::Open;
        Ok(Ok(self.keep(TransactionEntry { connection: connection.rep(), number })?))
    }

    fn execute_autocommit(
        &mut self,
        connection: Resource<ConnectionEntry>,
        statement: String,
        params: Vec<Value>,
    ) -> Answer<Resource<RowsEntry>> {
        self.count_call()?;
        self.count_bytes(u64::try_from(statement.len()).unwrap_or(u64::MAX))?;
        self.table.get(&connection)?;
        if let Err(why) = self.may_run_alone(&statement, &params) {
            return self.refuse(why);
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let mut session = match self.take_writer(&connection)? {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        points::reached(points::SESSION_OPENED);
        if let Err(error) = self.compare_basis(&mut *session) {
            return Ok(Err(error));
        }
        let mark = self.step_mark()?;
        // Noted before it is sent: from here on nobody says `failed` without proof.
        self.ledger.progress = Progress::Sent;
        self.ledger.in_doubt = Some(mark.step.clone());
        points::reached(points::ALONE_NOTED);
        let ran = session.execute_alone(&statement, &mark);
        points::reached(points::ALONE_ANSWERED);
        match ran {
            Ok(affected) => {
                self.note_step(mark.step, affected);
                self.table.get_mut(&connection)?.writer = Some(Writer { session, open: None });
                Ok(Ok(self.keep(RowsEntry { affected, ..RowsEntry::default() })?))
            }
            Err(failure) => {
                self.ledger.halted = true;
                Ok(Err(self.note_commit_failure(failure)))
            }
        }
    }

    fn answer(&mut self, connection: Resource<ConnectionEntry>, statement: String) -> Answer<u64> {
        self.count_call()?;
        self.count_bytes(u64::try_from(statement.len()).unwrap_or(u64::MAX))?;
        if let Err(why) = self.may_answer(&statement) {
            return self.refuse(why);
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        // Out of the table while it is asked.
        let Some(mut reader) = self.table.get_mut(&connection)?.reader.take() else {
            return self.refuse("the connection is closed");
        };
        let answered = match self.compare_basis(&mut *reader) {
            Ok(()) => self.answer_next(&mut *reader, &statement),
            Err(error) => Err(error),
        };
        self.table.get_mut(&connection)?.reader = Some(reader);
        Ok(answered)
    }

    fn inverse(
        &mut self,
        connection: Resource<ConnectionEntry>,
        request: String,
        revision: u32,
        attempt: u32,
    ) -> Answer<Vec<String>> {
        self.count_call()?;
        self.inverse_of(&connection, &request, (revision, attempt))
    }

    fn marker(&mut self, connection: Resource<ConnectionEntry>) -> Answer<Option<bool>> {
        self.count_call()?;
        if self.phase != Phase::Verify {
            return self.refuse("only a verification reads the marker");
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        // Out of the table while it is asked.
        let Some(mut reader) = self.table.get_mut(&connection)?.reader.take() else {
            return self.refuse("the connection is closed");
        };
        let found = self.read_marks(&mut *reader)?;
        self.table.get_mut(&connection)?.reader = Some(reader);
        Ok(match found {
            Ok(seen) => {
                let told = match seen {
                    Seen::There => Some(true),
                    Seen::Absent(_) => Some(false),
                    Seen::Untold | Seen::Unread => None,
                };
                self.ledger.marker = seen;
                Ok(told)
            }
            Err(failure) => Err(self.fail(failure, None)),
        })
    }

    fn drop(&mut self, connection: Resource<ConnectionEntry>) -> wasmtime::Result<()> {
        let entry = self.table.delete(connection)?;
        self.connections = self.connections.saturating_sub(1);
        if entry.writer.is_some_and(|writer| writer.open.is_some()) {
            self.ledger.note_rollback();
        }
        Ok(())
    }
}
