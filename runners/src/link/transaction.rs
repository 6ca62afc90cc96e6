//! An open transaction: the approved steps, one after the other, and their commit.

use placet_target::CommitFailure;
use wasmtime::component::Resource;

use super::running::BROKEN;
use super::{Answer, ConnectionEntry, RowsEntry, TransactionEntry, Writer};
use crate::bindings::sql::{Error, HostTransaction, Value};
use crate::convert::clean;
use crate::ledger::Progress;
use crate::mode::Mode;
use crate::points;
use crate::state::{Phase, State};

const ENDED: &str = "the transaction has ended";

impl State {
    /// Takes the session in which this transaction is open.
    fn take_open(
        &mut self,
        transaction: &Resource<TransactionEntry>,
    ) -> wasmtime::Result<Option<Writer>> {
        let entry = self.table.get(transaction)?;
        let (number, connection) = (entry.number, Resource::new_borrow(entry.connection));
        let entry: &mut ConnectionEntry = self.table.get_mut(&connection)?;
        Ok(entry.writer.take_if(|writer| writer.open == Some(number)))
    }

    /// Puts the session back.
    fn put_back(
        &mut self,
        transaction: &Resource<TransactionEntry>,
        writer: Writer,
    ) -> wasmtime::Result<()> {
        let connection = Resource::new_borrow(self.table.get(transaction)?.connection);
        let entry: &mut ConnectionEntry = self.table.get_mut(&connection)?;
        entry.writer = Some(writer);
        Ok(())
    }

    /// What a commit that was not confirmed leaves behind.
    pub(super) fn note_commit_failure(&mut self, failure: CommitFailure) -> Error {
        match failure {
            CommitFailure::NotCommitted(failure) => {
                let step = self.ledger.in_doubt.take();
                self.ledger.progress = Progress::Open;
                let error = self.fail(failure, step);
                self.ledger.note_rollback();
                error
            }
            CommitFailure::Lost(why) => Error::Unknown(clean(&why)),
        }
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
        let Some(mut writer) = self.take_open(&transaction)? else { return self.refuse(ENDED) };
        points::reached(points::STEP_SENT);
        let ran = self.run_in(&mut *writer.session, &statement)?;
        points::reached(points::STEP_RAN);
        self.put_back(&transaction, writer)?;
        match ran {
            Ok(affected) => {
                self.note_ran(&statement, affected);
                Ok(Ok(self.keep(RowsEntry { affected, ..RowsEntry::default() })?))
            }
            Err(error) => {
                self.ledger.broken = true;
                self.ledger.halted = true;
                Ok(Err(error))
            }
        }
    }

    fn commit(&mut self, transaction: Resource<TransactionEntry>) -> Answer<()> {
        self.count_call()?;
        if self.phase != Phase::Execute {
            return self.refuse("a dry run is always rolled back");
        }
        if self.mode() != Mode::Together {
            return self.refuse("the steps of this plan are committed one by one");
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
        let row = self.marker_row()?;
        let Some(mut writer) = self.take_open(&transaction)? else { return self.refuse(ENDED) };
        // Noted before it is sent: whatever happens from here on, nobody says `failed` without proof.
        self.ledger.progress = Progress::Sent;
        points::reached(points::COMMIT_NOTED);
        let committed = writer.session.commit(&row);
        points::reached(points::COMMIT_ANSWERED);
        match committed {
            Ok(()) => {
                self.ledger.progress = Progress::Committed;
                Ok(Ok(()))
            }
            Err(failure) => Ok(Err(self.note_commit_failure(failure))),
        }
    }

    fn commit_step(&mut self, transaction: Resource<TransactionEntry>) -> Answer<()> {
        self.count_call()?;
        if self.phase != Phase::Execute {
            return self.refuse("a dry run is always rolled back");
        }
        if self.mode() != Mode::OneByOne {
            return self.refuse("the steps of this plan are committed together");
        }
        if self.ledger.broken {
            return self.refuse(BROKEN);
        }
        let Some(rows) = self.ledger.awaits_commit else {
            return self.refuse("no step was executed in this transaction");
        };
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        let mark = self.step_mark()?;
        let Some(mut writer) = self.take_open(&transaction)? else { return self.refuse(ENDED) };
        self.ledger.progress = Progress::Sent;
        self.ledger.in_doubt = Some(mark.step.clone());
        points::reached(points::MARK_NOTED);
        let committed = writer.session.commit_step(&mark);
        points::reached(points::MARK_ANSWERED);
        match committed {
            Ok(()) => {
                self.note_step(mark.step, rows);
                writer.open = None;
                self.put_back(&transaction, writer)?;
                Ok(Ok(()))
            }
            Err(failure) => {
                self.ledger.halted = true;
                Ok(Err(self.note_commit_failure(failure)))
            }
        }
    }

    fn rollback(&mut self, transaction: Resource<TransactionEntry>) -> Answer<()> {
        self.count_call()?;
        let Some(mut writer) = self.take_open(&transaction)? else { return Ok(Ok(())) };
        let undone = writer.session.rollback();
        // Dropping the session undoes it in any case.
        drop(writer);
        self.ledger.note_rollback();
        Ok(undone.map_err(|failure| self.fail(failure, None)))
    }

    fn drop(&mut self, transaction: Resource<TransactionEntry>) -> wasmtime::Result<()> {
        let entry = self.table.delete(transaction)?;
        let connection: Resource<ConnectionEntry> = Resource::new_borrow(entry.connection);
        // The connection may be gone already, and its sessions with it.
        let writer = self.table.get_mut(&connection).ok().and_then(|connection| {
            connection.writer.take_if(|writer| writer.open == Some(entry.number))
        });
        if writer.is_some() {
            self.ledger.note_rollback();
        }
        Ok(())
    }
}
