//! What the tests have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::id::{RequestId, RunId};
use placet_core::runner::JobId;
use placet_target::{
    Access, CommitFailure, Marker, SqlFailure, SqlSession, SqlTarget as _, SqlValue, StepMark,
    StopSignal,
};
use placet_target_postgres::PostgresTarget;

use crate::server::{Db, Server, server};

/// A database of one test's own.
pub(crate) struct Stage {
    pub(crate) server: Arc<Server>,
    pub(crate) name: String,
    pub(crate) db: Db,
}

/// `None` where there is no PostgreSQL; then the test is over.
pub(crate) fn stage(setup: &str) -> Option<Stage> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let name = format!("stage_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Db::connect(&server.url("postgres")).unwrap().run(&format!("CREATE DATABASE {name}"));
    let db = Db::connect(&server.url(&name)).unwrap();
    db.run(setup);
    Some(Stage { server, name, db })
}

impl Stage {
    /// The same database, watched from another connection.
    pub(crate) fn beside(&self) -> Self {
        let (server, name) = (Arc::clone(&self.server), self.name.clone());
        let db = Db::connect(&self.url()).unwrap();
        Self { server, name, db }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// A target that waits long enough for a busy machine, where it must wait at all.
    pub(crate) fn target(&self) -> PostgresTarget {
        // The owner of the tests' server is a superuser.
        PostgresTarget::new(self.url())
            .with_lock_wait_ms(60_000)
            .with_connect_timeout_ms(60_000)
            .allow_superuser_dry_runs()
    }

    /// A target that does not wait.
    pub(crate) fn hasty(&self) -> PostgresTarget {
        self.target().with_lock_wait_ms(50)
    }

    pub(crate) fn reader(&self) -> Box<dyn SqlSession> {
        self.target().open(Access::ReadOnly, &StopSignal::new()).unwrap()
    }

    pub(crate) fn writer(&self, attempt: u32) -> Box<dyn SqlSession> {
        self.target().open(Access::ReadWrite(id(attempt)), &StopSignal::new()).unwrap()
    }

    /// A writer whose transaction is open.
    pub(crate) fn begun(&self, attempt: u32) -> Box<dyn SqlSession> {
        let mut session = self.writer(attempt);
        session.begin().unwrap();
        session
    }

    /// A role with everybody's password.
    pub(crate) fn role(&self, name: &str, grants: &str) -> String {
        let role = format!("{}_{name}", self.name);
        let password = crate::server::PASSWORD;
        let grants = grants.replace("ROLE", &role);
        self.db.run(&format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'; {grants}"));
        role
    }
}

pub(crate) fn id(attempt: u32) -> JobId {
    JobId {
        request: RequestId::from_u128(7),
        revision: 1,
        attempt,
        fence: 1,
        run: RunId::from_u128(8),
    }
}

pub(crate) fn marker(attempt: u32) -> Marker {
    Marker { id: id(attempt), digest: Digest::of(b"plan"), at: Timestamp::from_micros(1) }
}

pub(crate) fn step(attempt: u32, step: &str) -> StepMark {
    let digest = Digest::of(step.as_bytes());
    StepMark { id: id(attempt), step: step.to_owned(), digest, at: Timestamp::from_micros(1) }
}

/// What a session answers, as lines like those of a plain connection.
pub(crate) fn lines(session: &mut dyn SqlSession, sql: &str) -> Vec<String> {
    let found = session.query(sql, &[], 10_000, 10_000_000).unwrap();
    let line = |row: &Vec<SqlValue>| row.iter().map(shown).collect::<Vec<_>>().join("|");
    found.rows.iter().map(line).collect()
}

pub(crate) fn shown(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => "-".to_owned(),
        SqlValue::Boolean(yes) => yes.to_string(),
        SqlValue::Int64(number) => number.to_string(),
        SqlValue::Float64(number) => number.to_string(),
        SqlValue::Decimal(text)
        | SqlValue::Text(text)
        | SqlValue::Timestamp(text)
        | SqlValue::Json(text) => text.clone(),
        SqlValue::Bytes(bytes) => format!("{bytes:?}"),
    }
}

/// The words of a refusal by the host.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, SqlFailure>) -> String {
    match answer {
        Err(SqlFailure::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

/// The code of what the database said.
#[track_caller]
pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, SqlFailure>) -> String {
    match answer {
        Err(SqlFailure::Database { code, .. }) => code,
        other => panic!("not an answer of the database: {other:?}"),
    }
}

/// How a commit ended, in a word or two.
pub(crate) fn ending<T: std::fmt::Debug>(answer: &Result<T, CommitFailure>) -> String {
    match answer {
        Ok(_) => "done".to_owned(),
        Err(CommitFailure::NotCommitted(failure)) => format!("not: {}", failure.message()),
        Err(CommitFailure::Lost(why)) => format!("lost: {why}"),
    }
}
