//! The one transaction, and how it ends.

use placet_core::runner::JobId;
use placet_target::points::reached;
use placet_target::{Access, CommitFailure, SqlFailure};

use crate::failure::{code, not_committed, of, refused};
use crate::session::{MySqlSession, State};
use crate::wire::{Client, Fault};
use crate::{marks, points};

/// How long the answer to a COMMIT or ROLLBACK may take before it counts as lost.
const END_MS: u64 = 60_000;

/// A savepoint that goes with its transaction: whoever can release it is still in the one that was begun. No statement
/// of a plan can make or release savepoints.
const CANARY: &str = "SAVEPOINT placet_begun";

impl MySqlSession {
    pub(super) fn begin_transaction(&mut self) -> Result<(), SqlFailure> {
        if self.access == Access::ReadOnly {
            return Err(refused("this session only reads"));
        }
        if self.state != State::Idle {
            return Err(refused("there is an open transaction already"));
        }
        self.look()?;
        // If the server ends the transaction, a later statement must begin another one, and not commit itself.
        for sql in ["SET SESSION autocommit = 0", "START TRANSACTION READ WRITE", CANARY] {
            let _done = self.client.run(sql).map_err(of)?;
            self.state = State::Open;
        }
        reached(points::BEGUN);
        Ok(())
    }

    /// Refuses to go on without the transaction that was begun.
    pub(super) fn in_transaction(&self) -> Result<(), SqlFailure> {
        match self.state {
            State::Open => Ok(()),
            State::Idle => Err(refused("there is no open transaction")),
            State::Undone | State::Unclear => {
                Err(refused("the server ended the transaction; roll it back"))
            }
        }
    }

    /// Whether the transaction is still the one that was begun, after this fault if there was one. InnoDB undoes a whole
    /// transaction on a deadlock, and on a lock wait where the server is set so. Anything else that ends it may have
    /// committed it.
    pub(super) fn look_after_transaction(&mut self, after: Option<&Fault>) {
        if self.state != State::Open {
            return;
        }
        let undoes = [code::DEADLOCK, code::LOCK_WAIT, code::ROW_CHANGED_MEANWHILE];
        let is_undone = matches!(after, Some(Fault::Server { code, .. }) if undoes.contains(code));
        let same = !self.client.is_dead()
            && self.client.run_to_its_end(&format!("RELEASE {CANARY}"), END_MS).is_ok()
            && self.client.run_to_its_end(CANARY, END_MS).is_ok()
            && self.client.is_in_transaction();
        if !same {
            // Without a connection the server undoes what was not committed.
            let is_undone = is_undone || self.client.is_dead();
            self.state = if is_undone { State::Undone } else { State::Unclear };
        }
    }

    /// Undoes the transaction.
    pub(super) fn undo(&mut self) -> Result<(), SqlFailure> {
        if self.state == State::Idle {
            return Ok(());
        }
        let is_unclear = self.state == State::Unclear;
        self.state = State::Idle;
        // Without a connection the server undoes what was not committed.
        if self.client.is_dead() {
            return Ok(());
        }
        let done = self.client.run_sent("ROLLBACK", END_MS, points::ROLLBACK_SENT);
        let done = match done {
            Ok(done) => done,
            Err(_) if self.client.is_dead() => return Ok(()),
            Err(fault) => return Err(of(fault)),
        };
        reached(points::ROLLED_BACK);
        let left_over = if done.warnings > 0 { what_stays(&mut self.client) } else { None };
        let _again =
            self.client.run_to_its_end("SET SESSION autocommit = 1", END_MS).map_err(of)?;
        if is_unclear {
            return Err(SqlFailure::Database {
                code: format!("sql.mysql.{}", code::NO_SAVEPOINT),
                message: "the server ended the transaction by itself; what was changed may stay"
                    .to_owned(),
                position: None,
                retryable: false,
            });
        }
        left_over.map_or(Ok(()), Err)
    }

    /// Writes a mark in the open transaction and commits both. `stands` reads whether the mark is committed.
    pub(super) fn commit_with(
        &mut self,
        id: &JobId,
        row: &str,
        stands: impl Fn(&mut Client) -> Result<bool, Fault>,
    ) -> Result<(), CommitFailure> {
        if let Err(failure) = self.ready_to_commit(id, row) {
            return Err(self.given_up(failure));
        }
        reached(points::COMMIT_SENDING);
        let sent =
            self.client.run_sent("COMMIT AND NO CHAIN NO RELEASE", END_MS, points::COMMIT_SENT);
        self.state = State::Idle;
        match sent {
            Ok(_) => {
                reached(points::COMMIT_CONFIRMED);
                // A server without the answer to this one is found broken by the next call.
                drop(self.client.run_to_its_end("SET SESSION autocommit = 1", END_MS));
                Ok(())
            }
            Err(fault) if self.client.is_dead() => Err(CommitFailure::Lost(of(fault).message())),
            Err(fault) => self.read_what_happened(fault, stands),
        }
    }

    /// Everything that must be so before COMMIT is sent.
    fn ready_to_commit(&mut self, id: &JobId, row: &str) -> Result<(), SqlFailure> {
        self.in_transaction()?;
        self.look()?;
        self.owns(id)?;
        let written = self.client.run(row).map_err(of)?;
        if written.changed != 1 {
            return Err(refused("the mark was not written"));
        }
        reached(points::MARKER_WRITTEN);
        if !marks::is_locked_by_us(&mut self.client, id).map_err(of)? {
            return Err(refused("this session does not hold the lock of its attempt any more"));
        }
        self.look_after_transaction(None);
        self.in_transaction()
    }

    /// Whether the session was opened for this attempt.
    pub(super) fn owns(&self, id: &JobId) -> Result<(), SqlFailure> {
        let key = |id: &JobId| (id.request, id.revision, id.attempt);
        match self.access {
            Access::ReadWrite(own) if own.attempt == 0 => Err(refused("a dry run commits nothing")),
            Access::ReadWrite(own) if key(&own) == key(id) => Ok(()),
            Access::ReadWrite(_) | Access::ReadOnly => {
                Err(refused("this session was opened for something else"))
            }
        }
    }

    /// The same for what a dry run may do, too.
    pub(crate) fn owns_or_is_dry(&self, id: &JobId) -> Result<(), SqlFailure> {
        match self.access {
            Access::ReadWrite(own) if own.attempt == 0 && id.attempt == 0 => Ok(()),
            Access::ReadWrite(_) | Access::ReadOnly => self.owns(id),
        }
    }

    /// Undoes everything. What cannot be undone is not certain any more.
    pub(super) fn given_up(&mut self, failure: SqlFailure) -> CommitFailure {
        match self.undo() {
            Ok(()) => not_committed(failure),
            Err(second) => {
                CommitFailure::Lost(format!("{}; {}", failure.message(), second.message()))
            }
        }
    }

    /// The server answered COMMIT with an error: almost always nothing was committed, and the mark tells.
    fn read_what_happened(
        &mut self,
        fault: Fault,
        stands: impl Fn(&mut Client) -> Result<bool, Fault>,
    ) -> Result<(), CommitFailure> {
        let failure = of(fault);
        let client = &mut self.client;
        let read = client
            .run_to_its_end("ROLLBACK", END_MS)
            .and_then(|_| client.run_to_its_end("SET SESSION autocommit = 1", END_MS))
            .and_then(|_| stands(client));
        match read {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_committed(failure)),
            Err(second) => {
                Err(CommitFailure::Lost(format!("{}; {}", failure.message(), of(second).message())))
            }
        }
    }
}

/// What a rollback left behind, if the server says that it did.
fn what_stays(client: &mut Client) -> Option<SqlFailure> {
    let warnings = client.rows("SHOW WARNINGS").ok()?;
    let due = code::NOT_ROLLED_BACK.to_string();
    let is_left = warnings
        .iter()
        .any(|row| row.get(1).is_some_and(|code| code.as_deref() == Some(due.as_bytes())));
    is_left.then(|| SqlFailure::Database {
        code: format!("sql.mysql.{due}"),
        message: "a table without transactions was changed, and could not be rolled back"
            .to_owned(),
        position: None,
        retryable: false,
    })
}
