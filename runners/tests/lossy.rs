//! A target that somebody else wrote: it commits, and the answer is lost on the way.

use std::sync::Arc;

use placet_core::digest::Digest;
use placet_core::runner::{JobId, Outcome, Runner as _};
use placet_runners::{
    Access, CommitFailure, Grant, Marker, SqlFailure, SqlRows, SqlSession, SqlTarget, SqlValue,
    SqliteTarget, StepMark, StopSignal, Touch, WasmRunner, shipped,
};

use crate::bench::{Bench, failure};

#[derive(Debug)]
struct Lossy(SqliteTarget);

#[derive(Debug)]
struct LossySession(Box<dyn SqlSession>);

impl SqlTarget for Lossy {
    fn dialect(&self) -> &str {
        self.0.dialect()
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        Ok(Box::new(LossySession(self.0.open(access, stop)?)))
    }
}

impl SqlSession for LossySession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        self.0.begin()
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        self.0.execute(statement, values)
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        self.0.query(statement, values, rows_max, bytes_max)
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        self.0.commit(marker)?;
        Err(CommitFailure::Lost("the connection broke".to_owned()))
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        self.0.rollback()
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        self.0.marker(id)
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        self.0.schema_digest(objects)
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        what: (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        self.0.execute_kept(statement, what, rows_max)
    }
}

#[test]
fn a_lost_answer_is_unknown_until_the_marker_is_read() {
    let bench = Bench::new();
    let (job, plan) = bench.plan("DELETE FROM orders WHERE id = 1").unwrap();
    let sql = shipped::sql();
    let runner = WasmRunner::builder()
        .plugin("sql".parse().unwrap(), sql.component, sql.manifest, Grant::none().with("sql"))
        .target("orders".parse().unwrap(), Arc::new(Lossy(SqliteTarget::new(bench.path()))))
        .build()
        .unwrap();

    let (word, lost) = failure(runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, lost.code.as_str()), ("unknown", "commit_lost"));
    let verified = runner.verify(&job, &plan, &bench.link);
    assert!(matches!(verified, Outcome::Succeeded(_)), "{verified:?}");
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 2);
}
