//! Statements that change something, in the open transaction.

use placet_target::points::reached;
use placet_target::{SqlFailure, SqlValue};

use crate::failure::{code, of, refused};
use crate::guard::Statement;
use crate::points;
use crate::session::MySqlSession;
use crate::wire::Fault;
use crate::wire::answer::Answer;

impl MySqlSession {
    pub(super) fn execute_checked(
        &mut self,
        statement: &Statement<'_>,
        values: &[SqlValue],
    ) -> Result<u64, SqlFailure> {
        self.ready_to_execute(statement)?;
        reached(points::EXECUTING);
        let done = self.send_statement(statement.text, values);
        reached(points::EXECUTED);
        self.settled(done)
    }

    /// Everything that must be so before a statement of a plan is sent in the transaction.
    pub(crate) fn ready_to_execute(&mut self, statement: &Statement<'_>) -> Result<(), SqlFailure> {
        self.in_transaction()?;
        self.check_engines(statement)
    }

    /// What a statement did, if the transaction is still there afterwards.
    pub(crate) fn settled<T>(&mut self, done: Result<T, Fault>) -> Result<T, SqlFailure> {
        if done.is_err() || !self.client.is_in_transaction() {
            self.look_after_transaction(done.as_ref().err());
        }
        let done = done.map_err(of)?;
        self.in_transaction().map(|()| done)
    }

    /// Runs a statement of a plan to its end, and throws rows away.
    pub(crate) fn send_statement(&mut self, text: &str, values: &[SqlValue]) -> Result<u64, Fault> {
        let (answer, prepared) = match self.client.prepare(text) {
            Ok(prepared) => (self.client.execute(prepared, values), Some(prepared)),
            // Some statements cannot be prepared. The server takes one at a time all the same.
            Err(Fault::Server { code: code::UNPREPARABLE, .. }) if values.is_empty() => {
                (self.client.query(text), None)
            }
            Err(fault) => return Err(fault),
        };
        let changed = match answer? {
            Answer::Done(done) => done.changed,
            Answer::Rows(_) => {
                while self.client.row(u64::MAX)?.is_some() {}
                0
            }
        };
        if let Some(prepared) = prepared {
            self.client.forget(prepared);
        }
        Ok(changed)
    }

    /// Refuses what is only for an open transaction of an attempt.
    pub(super) fn refuse_in_transaction(&self) -> Result<(), SqlFailure> {
        match self.in_transaction() {
            Ok(()) => Err(refused("a transaction is open; commit it first, or roll it back")),
            Err(_) => Ok(()),
        }
    }
}
