//! Named SQL connections. The host decides what runs in which phase, and notes what it saw.

use placet_core::error::Error as CoreError;
use placet_core::runner::{Failure, JobId};
use placet_target::{Access, CommitFailure, Marker, SqlFailure, SqlSession, SqlValue, StopReason};
use wasmtime::component::Resource;

use super::{ConnectionEntry, RowsEntry, TransactionEntry};
use crate::bindings::sql::{DbError, Error, Host, HostConnection, HostTransaction, Value};
use crate::convert::sql_value;
use crate::ledger::{Progress, Seen};
use crate::line::check_lease;
use crate::state::{Phase, State};

type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// Some databases undo a statement that failed and go on; others do not. Nobody commits either.
const BROKEN: &str = "a statement failed, so that the transaction can only be rolled back";

impl Host for State {}

impl State {
    /// Asks the kernel whether the run may still touch its target. Before every touch.
    fn may_touch(&mut self) -> Result<(), Error> {
        let reach = self.reach().map_err(|error| Error::Denied(error.to_string()))?;
        // Before the touch, so that no step begins after its deadline.
        let asked = check_lease(&*reach.lease, reach.deadline, &reach.stop);
        match (reach.stop.raised(), asked) {
            (Some(reason), _) => Err(self.fail(SqlFailure::Stopped(reason), None)),
            // Nobody can say: this touch does not happen, and the next one is asked for anew.
            (None, Err(error)) => Err(self.fail(SqlFailure::Unavailable(error), None)),
            (None, Ok(())) => Ok(()),
        }
    }

    fn open_session(&mut self, access: Access) -> Result<Box<dyn SqlSession>, Error> {
        let reach = self.reach().map_err(|error| Error::Denied(error.to_string()))?;
        let opened = reach.target.open(access, &reach.stop);
        opened.map_err(|failure| self.fail(failure, None))
    }

    fn refuse<T>(&mut self, why: &str) -> Answer<T> {
        self.count_refusal()?;
        if self.phase == Phase::Execute {
            let step = self.next_step_id();
            self.ledger.note_failure(Failure { step, ..Failure::new("denied", why) });
        }
        Ok(Err(Error::Denied(why.to_owned())))
    }

    fn next_step_id(&self) -> Option<String> {
        let reach = self.reach.as_ref()?;
        reach.approved.get(self.ledger.steps_done).map(|(id, _)| id.clone())
    }

    /// Notes what went wrong and says it to the plugin.
    fn fail(&mut self, failure: SqlFailure, step: Option<String>) -> Error {
        let message = failure.message();
        let noted = Failure { step, ..Failure::new("runner_fault", message.clone()) };
        let (noted, said) = match failure {
            SqlFailure::Unavailable(error) => {
                let help = error.help().map(|help| serde_json::json!({ "help": help }).to_string());
                let code = error.code().as_str().to_owned();
                let plain = error.to_string();
                self.ledger.unavailable.get_or_insert(error);
                let noted =
                    Failure { code, message: plain, details: help, retryable: true, ..noted };
                (noted, Error::Connection(message))
            }
            SqlFailure::Database { code, message, position, retryable } => {
                let details = self.position(position);
                let said = DbError {
                    code: code.clone(),
                    severity: "error".to_owned(),
                    message: message.clone(),
                    position,
                };
                (Failure { code, message, retryable, details, ..noted }, Error::Db(said))
            }
            SqlFailure::Refused(why) => {
                (Failure { code: "denied".to_owned(), ..noted }, Error::Denied(why))
            }
            SqlFailure::Stopped(reason) => {
                self.ledger.stopped = Some(reason);
                (Failure { code: reason.code().to_owned(), ..noted }, stopped(reason))
            }
            SqlFailure::Limit(why) => {
                (Failure { code: "limit".to_owned(), ..noted }, Error::Limit(why))
            }
        };
        self.ledger.note_failure(noted);
        said
    }

    /// Where in the whole payload the step under way went wrong; its beginning when nothing is known.
    fn position(&self, in_statement: Option<u32>) -> Option<String> {
        if self.phase != Phase::Execute {
            return None;
        }
        let reach = self.reach.as_ref()?;
        let before = reach.texts.characters_before(&reach.approved, self.ledger.steps_done)?;
        let within = usize::try_from(in_statement.unwrap_or(1)).ok()?;
        let position = before.saturating_add(within);
        Some(serde_json::json!({ "position": position }).to_string())
    }

    /// Whether `statement` may run in the open transaction, or why not.
    fn may_run(&mut self, statement: &str, values: &[Value]) -> Result<(), &'static str> {
        if !values.is_empty() {
            return Err(
                "a statement with values is not what approvers saw; write them into the text",
            );
        }
        let phase = self.phase;
        let next = self.ledger.steps_done;
        let Some(reach) = &mut self.reach else { return Err("nothing can be reached") };
        match phase {
            Phase::Execute => match reach.approved.get(next) {
                Some((_, body)) if body == statement => Ok(()),
                Some(_) | None => Err("the statement is not the next step of the approved plan"),
            },
            Phase::Plan { dry_run: true } if reach.texts.take(statement) => Ok(()),
            Phase::Plan { .. } => Err("the statement is not part of the payload"),
            Phase::Pure | Phase::Verify => Err("only a run executes statements"),
        }
    }

    fn writer(
        &mut self,
        transaction: &Resource<TransactionEntry>,
    ) -> wasmtime::Result<Option<&mut Box<dyn SqlSession>>> {
        let connection = Resource::new_borrow(self.table.get(transaction)?.connection);
        let entry: &mut ConnectionEntry = self.table.get_mut(&connection)?;
        Ok(entry.writer.as_mut())
    }

    fn take_writer(
        &mut self,
        transaction: &Resource<TransactionEntry>,
    ) -> wasmtime::Result<Option<Box<dyn SqlSession>>> {
        let connection = Resource::new_borrow(self.table.get(transaction)?.connection);
        let entry: &mut ConnectionEntry = self.table.get_mut(&connection)?;
        Ok(entry.writer.take())
    }

    /// Which attempt this call is for. An error ends the plugin's call.
    fn attempt(&self) -> wasmtime::Result<JobId> {
        Ok(self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?.id)
    }

    fn marker_row(&self) -> Result<Marker, CoreError> {
        let reach = self.reach()?;
        Ok(Marker { id: reach.id, digest: reach.plan_digest, at: reach.lease.now() })
    }
}

impl HostConnection for State {
    fn open(&mut self, name: String) -> Answer<Resource<ConnectionEntry>> {
        self.count_call()?;
        // A name outside the manifest gets the answer of one that does not exist.
        if !self.reach().is_ok_and(|reach| reach.connections.contains(&name)) {
            return self.refuse("there is no connection of this name");
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        // Opened here for reading, so that a missing target shows at once.
        let reader = match self.open_session(Access::ReadOnly) {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        let entry = ConnectionEntry { reader: Some(reader), writer: None };
        Ok(Ok(self.keep(entry)?))
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
        match self.phase {
            Phase::Execute | Phase::Plan { dry_run: true } => {}
            Phase::Plan { dry_run: false } => return self.refuse("a dry run is not granted"),
            Phase::Pure | Phase::Verify => return self.refuse("only a run begins a transaction"),
        }
        if self.ledger.progress != Progress::Nothing {
            return self.refuse("a run has one transaction at a time, and one commit");
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let access = Access::ReadWrite(self.attempt()?);
        let mut writer = match self.open_session(access) {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        // Once more, now that the session holds what a verification needs: who lost the lease meanwhile is late.
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        if let Err(failure) = writer.begin() {
            return Ok(Err(self.fail(failure, None)));
        }
        self.table.get_mut(&connection)?.writer = Some(writer);
        self.ledger.progress = Progress::Open;
        Ok(Ok(self.keep(TransactionEntry { connection: connection.rep() })?))
    }

    fn execute_autocommit(
        &mut self,
        _connection: Resource<ConnectionEntry>,
        _statement: String,
        _params: Vec<Value>,
    ) -> Answer<Resource<RowsEntry>> {
        self.count_call()?;
        self.refuse("this target runs statements in a transaction only")
    }

    fn answer(
        &mut self,
        _connection: Resource<ConnectionEntry>,
        _statement: String,
    ) -> Answer<u64> {
        self.count_call()?;
        self.refuse("this host keeps no answers of queries")
    }

    fn inverse(
        &mut self,
        _connection: Resource<ConnectionEntry>,
        _request: String,
        _revision: u32,
        _attempt: u32,
    ) -> Answer<Vec<String>> {
        self.count_call()?;
        self.refuse("this host keeps no rows")
    }

    fn marker(&mut self, connection: Resource<ConnectionEntry>) -> Answer<Option<bool>> {
        self.count_call()?;
        if self.phase != Phase::Verify {
            return self.refuse("only a verification reads the marker");
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let id = self.attempt()?;
        let entry = self.table.get_mut(&connection)?;
        let Some(reader) = &mut entry.reader else {
            return self.refuse("the connection is closed");
        };
        match reader.marker(&id) {
            Ok(found) => {
                self.ledger.marker = match found {
                    Some(true) => Seen::There,
                    Some(false) => Seen::Absent,
                    None => Seen::Untold,
                };
                Ok(Ok(found))
            }
            Err(failure) => Ok(Err(self.fail(failure, None))),
        }
    }

    fn drop(&mut self, connection: Resource<ConnectionEntry>) -> wasmtime::Result<()> {
        let entry = self.table.delete(connection)?;
        if entry.writer.is_some() {
            self.ledger.note_rollback();
        }
        Ok(())
    }
}

impl HostTransaction for State {
    fn execute(
        &mut self,
        transaction: Resource<TransactionEntry>,
        statement: String,
        params: Vec<Value>,
    ) -> Answer<Resource<RowsEntry>> {
        self.count_call()?;
        self.count_bytes(u64::try_from(statement.len()).unwrap_or(u64::MAX))?;
        if self.ledger.broken {
            return self.refuse(BROKEN);
        }
        if let Err(why) = self.may_run(&statement, &params) {
            return self.refuse(why);
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let Some(writer) = self.writer(&transaction)? else {
            return self.refuse("the transaction has ended");
        };
        match writer.execute(&statement, &[]) {
            Ok(affected) => {
                self.ledger.steps_done = self.ledger.steps_done.saturating_add(1);
                self.ledger.rows = self.ledger.rows.saturating_add(affected);
                Ok(Ok(self.keep(RowsEntry { affected, ..RowsEntry::default() })?))
            }
            Err(failure) => {
                self.ledger.broken = true;
                let step = self.next_step_id();
                Ok(Err(self.fail(failure, step)))
            }
        }
    }

    fn commit(&mut self, transaction: Resource<TransactionEntry>) -> Answer<()> {
        self.count_call()?;
        if self.phase != Phase::Execute {
            return self.refuse("a dry run is always rolled back");
        }
        if self.ledger.broken {
            return self.refuse(BROKEN);
        }
        let steps = self.reach().map_or(0, |reach| reach.approved.len());
        if steps == 0 || self.ledger.steps_done != steps {
            return self.refuse("not every step of the approved plan was executed");
        }
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let row = self.marker_row().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        let Some(mut writer) = self.take_writer(&transaction)? else {
            return self.refuse("the transaction has ended");
        };
        // Noted before it is sent: whatever happens from here on, nobody says `failed` without proof.
        self.ledger.progress = Progress::CommitSent;
        match writer.commit(&row) {
            Ok(()) => {
                self.ledger.progress = Progress::Committed;
                Ok(Ok(()))
            }
            Err(CommitFailure::NotCommitted(failure)) => {
                self.ledger.progress = Progress::Open;
                let error = self.fail(failure, None);
                self.ledger.note_rollback();
                Ok(Err(error))
            }
            Err(CommitFailure::Lost(why)) => Ok(Err(Error::Unknown(why))),
        }
    }

    fn commit_step(&mut self, _transaction: Resource<TransactionEntry>) -> Answer<()> {
        self.count_call()?;
        self.refuse("this host commits the steps of a plan together only")
    }

    fn rollback(&mut self, transaction: Resource<TransactionEntry>) -> Answer<()> {
        self.count_call()?;
        let Some(mut writer) = self.take_writer(&transaction)? else { return Ok(Ok(())) };
        let undone = writer.rollback();
        // Dropping the session undoes it in any case.
        drop(writer);
        self.ledger.note_rollback();
        Ok(undone.map_err(|failure| self.fail(failure, None)))
    }

    fn drop(&mut self, transaction: Resource<TransactionEntry>) -> wasmtime::Result<()> {
        let entry = self.table.delete(transaction)?;
        let connection: Resource<ConnectionEntry> = Resource::new_borrow(entry.connection);
        // The connection may be gone already, and its sessions with it.
        let writer = self.table.get_mut(&connection).ok().and_then(|entry| entry.writer.take());
        if writer.is_some() {
            self.ledger.note_rollback();
        }
        Ok(())
    }
}

const fn stopped(reason: StopReason) -> Error {
    match reason {
        StopReason::Timeout => Error::Timeout,
        StopReason::Cancelled | StopReason::LeaseLost | StopReason::Unavailable => Error::Cancelled,
    }
}
