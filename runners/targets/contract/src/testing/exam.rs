//! One examination: fresh tables, fresh attempts, and errors as words.

use core::fmt::Debug;
use core::sync::atomic::{AtomicU64, Ordering};

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::id::{RequestId, RunId};
use placet_core::runner::JobId;

use super::Examined;
use crate::{Access, CommitFailure, Marker, SqlFailure, SqlRows, SqlSession, StepMark, StopSignal};

/// What an examination says where a promise does not hold.
pub(super) type Checked = Result<(), String>;

/// The table of most checks: a key, a text, a text that may be NULL.
pub(super) const ORDERS: &str = "exam_orders";

/// One row more in it.
pub(super) const INSERT: &str = "INSERT INTO exam_orders VALUES (4, 'new', NULL)";

/// One session.
pub(super) type Session = Box<dyn SqlSession>;

/// The names of every table of an examination.
const TABLES: [&str; 4] = ["exam_lines", ORDERS, "exam_log", "exam_made"];

// Ids differ over a process, so that two examinations of one database do not meet.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// An attempt that nobody has made yet.
pub(super) fn fresh_id() -> JobId {
    let number = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    let (request, run) = (RequestId::from_u128(number), RunId::from_u128(number));
    JobId { request, revision: 1, attempt: 1, fence: 1, run }
}

/// The marker of an attempt.
pub(super) fn marker(id: JobId) -> Marker {
    Marker { id, digest: Digest::of(b"the plan"), at: Timestamp::MIN }
}

/// The mark of one of its steps.
pub(super) fn mark(id: JobId, step: &str) -> StepMark {
    StepMark { id, step: step.to_owned(), digest: Digest::of(step.as_bytes()), at: Timestamp::MIN }
}

/// What a failure means, in words.
pub(super) fn words_of(failure: &SqlFailure) -> String {
    format!("{failure:?}")
}

/// Says what should have been, where it is not.
pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Says which of two things should have been the other.
#[expect(clippy::needless_pass_by_value, reason = "a check reads better without references")]
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Checked {
    ensure(found == wanted, || format!("{what}: found {found:?}, wanted {wanted:?}"))
}

/// Takes the good end of a session's answer.
pub(super) fn done<T>(what: &str, answer: Result<T, SqlFailure>) -> Result<T, String> {
    answer.map_err(|failure| format!("{what}: {}", words_of(&failure)))
}

/// Takes the good end of a commit.
pub(super) fn committed<T>(what: &str, answer: Result<T, CommitFailure>) -> Result<T, String> {
    answer.map_err(|failure| format!("{what}: {failure:?}"))
}

/// One examination.
pub(super) struct Exam<'a> {
    pub(super) of: &'a dyn Examined,
}

impl Exam<'_> {
    /// Makes `exam_orders` with three rows, and no other table of the exam.
    pub(super) fn fresh(&self) {
        for table in TABLES {
            self.of.admin(&self.of.dialect().drop_table(table));
        }
        let (words, options) = (self.of.words(), self.of.dialect().table_options());
        let (integer, key_text, text) = (words.integer, words.key_text, words.text);
        self.of.admin(&format!(
            "CREATE TABLE exam_orders (id {integer} NOT NULL PRIMARY KEY, state {key_text} NOT NULL, note {text}) {options}"
        ));
        self.of.admin(
            "INSERT INTO exam_orders VALUES (1, 'new', 'a'), (2, 'new', NULL), (3, 'paid', 'c')",
        );
    }

    /// The rows of `exam_orders`.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        self.dump(ORDERS)
    }

    /// The rows of a table, in the order of their texts.
    pub(super) fn dump(&self, table: &str) -> Vec<Vec<String>> {
        let mut rows = self.of.dump(table);
        rows.sort();
        rows
    }

    /// Opens a session.
    pub(super) fn open(&self, access: Access) -> Result<Session, String> {
        self.open_with(access, &StopSignal::new())
    }

    /// Opens a session that looks at `stop`.
    pub(super) fn open_with(&self, access: Access, stop: &StopSignal) -> Result<Session, String> {
        done("opening a session", self.of.target().open(access, stop))
    }

    /// Opens a session that only reads.
    pub(super) fn reader(&self) -> Result<Session, String> {
        self.open(Access::ReadOnly)
    }

    /// Opens a session for an attempt and begins its transaction.
    pub(super) fn writer(&self, id: JobId) -> Result<Session, String> {
        let mut session = self.open(Access::ReadWrite(id))?;
        done("beginning", session.begin())?;
        Ok(session)
    }

    /// What is known of an attempt, from a session of its own.
    pub(super) fn marker_of(&self, id: &JobId) -> Result<Option<bool>, String> {
        done("reading the marker", self.reader()?.marker(id))
    }
}

/// Reads what a query answers, a thousand rows at most.
pub(super) fn read(session: &mut dyn SqlSession, sql: &str) -> Result<SqlRows, String> {
    done(sql, session.query(sql, &[], 1_000, 1 << 20))
}

/// Executes one statement.
pub(super) fn run(session: &mut dyn SqlSession, sql: &str) -> Result<u64, String> {
    done(sql, session.execute(sql, &[]))
}
