//! A database for one test, and jobs on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::id::{RequestId, RunId};
use placet_core::runner::JobId;
use placet_target::{
    Access, Marker, SqlFailure, SqlSession, SqlTarget as _, SqlValue, StepMark, StopSignal,
};
use placet_target_mysql::MySqlTarget;

use crate::server::{PASSWORD, Server, server};

/// A database with a table of three orders.
pub(crate) struct Bench {
    pub(crate) server: Arc<Server>,
    pub(crate) database: String,
}

/// The job of the attempt `attempt`.
pub(crate) fn job(attempt: u32) -> JobId {
    let (request, run) = (RequestId::from_u128(7), RunId::from_u128(9));
    JobId { request, revision: 1, attempt, fence: 3, run }
}

pub(crate) fn marker(attempt: u32) -> Marker {
    Marker { id: job(attempt), digest: Digest::of(b"the plan"), at: Timestamp::MIN }
}

pub(crate) fn step(attempt: u32, step: &str) -> StepMark {
    let digest = Digest::of(step.as_bytes());
    StepMark { id: job(attempt), step: step.to_owned(), digest, at: Timestamp::MIN }
}

impl Bench {
    /// `None` where MariaDB is not installed; then the test is over.
    pub(crate) fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = server()?;
        let database = format!("shop_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let _made = server.sql("", &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"));
        let bench = Self { server, database };
        let _made = bench.sql(
            "CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(20) NOT NULL) ENGINE = InnoDB;
             INSERT INTO orders VALUES (1, 'new'), (2, 'new'), (3, 'paid')",
        );
        Some(bench)
    }

    /// Runs SQL beside the target.
    pub(crate) fn sql(&self, sql: &str) -> Vec<String> {
        self.server.sql(&self.database, sql)
    }

    pub(crate) fn url(&self, user: &str, port: u16) -> String {
        format!("mysql://{user}:{PASSWORD}@127.0.0.1:{port}/{}", self.database)
    }

    pub(crate) fn target(&self) -> MySqlTarget {
        patient(self.url("shop", self.server.port)).with_lock_wait_ms(1_000)
    }

    pub(crate) fn open(&self, access: Access) -> Box<dyn SqlSession> {
        self.target().open(access, &StopSignal::new()).unwrap()
    }

    /// A session of this attempt, with its transaction begun.
    pub(crate) fn begun(&self, attempt: u32) -> Box<dyn SqlSession> {
        let mut session = self.open(Access::ReadWrite(job(attempt)));
        session.begin().unwrap();
        session
    }

    pub(crate) fn reader(&self) -> Box<dyn SqlSession> {
        self.open(Access::ReadOnly)
    }

    /// How many statements with this text in them run on the server, aside from the one that asks.
    pub(crate) fn running(&self, text: &str) -> usize {
        let text = placet_core::digest::to_hex(text.as_bytes());
        self.sql(&format!(
            "SELECT id FROM information_schema.processlist \
             WHERE db = DATABASE() AND info LIKE CONCAT('%', X'{text}', '%')"
        ))
        .len()
    }
}

/// A target that gives a busy machine time.
pub(crate) fn patient(url: String) -> MySqlTarget {
    MySqlTarget::new(url).with_connect_timeout_ms(120_000)
}

/// The first value of a query.
pub(crate) fn value(session: &mut dyn SqlSession, sql: &str) -> Result<SqlValue, SqlFailure> {
    let found = session.query(sql, &[], 100, 1 << 20)?;
    Ok(found.rows.into_iter().flatten().next().unwrap_or(SqlValue::Null))
}
