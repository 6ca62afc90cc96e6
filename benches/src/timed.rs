//! Parts of a gate that measure themselves and otherwise do what the real ones do.

use std::sync::Arc;

use placet::authz::{Authorizer, Facts, Question, Verdict};
use placet::digest::Digest;
use placet::error::Error;
use placet::org::Slug;
use placet::runner::{Finding, Job, JobId, Outcome, Plan, RunLink, Runner, RunnerInfo};
use placet::runners::{
    Access, CommitFailure, Marker, SqlFailure, SqlRows, SqlSession, SqlTarget, SqlValue, StopSignal,
};
use placet::store::{Batch, CommitError, Committed, Store, StoreError};
use placet_core::testing::StoreWrapper;

use crate::stopwatch::Stopwatch;

/// A store that measures its commits and its reads apart.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimedStore<S> {
    /// The real store.
    pub inner: S,
    /// Time in `commit`, the wait for the sync included.
    pub commits: Stopwatch,
    /// Time in everything else.
    pub reads: Stopwatch,
}

impl<S> TimedStore<S> {
    /// Measures `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, commits: Stopwatch::default(), reads: Stopwatch::default() }
    }
}

impl<S: Store> StoreWrapper for TimedStore<S> {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reads.time(|| read(&self.inner))
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.commits.time(|| self.inner.commit(batch))
    }
}

/// A policy engine that measures its decisions.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimedAuthorizer<A> {
    inner: A,
    /// Time in decisions.
    pub decisions: Stopwatch,
}

impl<A> TimedAuthorizer<A> {
    /// Measures `inner`.
    pub fn new(inner: A) -> Self {
        Self { inner, decisions: Stopwatch::default() }
    }
}

impl<A: Authorizer> Authorizer for TimedAuthorizer<A> {
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        self.decisions.time(|| self.inner.decide(question, facts))
    }

    fn policy_set_digest(&self) -> Digest {
        self.inner.policy_set_digest()
    }
}

/// A runner that measures all its calls, what they spend in the target included.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimedRunner<R> {
    inner: R,
    /// Time in calls.
    pub calls: Stopwatch,
}

impl<R> TimedRunner<R> {
    /// Measures `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, calls: Stopwatch::default() }
    }
}

impl<R: Runner> Runner for TimedRunner<R> {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        self.calls.time(|| self.inner.describe(runner))
    }

    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        self.calls.time(|| self.inner.validate(runner, payload))
    }

    fn check_target(&self, runner: &Slug, target: &Slug) -> Result<(), Error> {
        self.calls.time(|| self.inner.check_target(runner, target))
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        self.calls.time(|| self.inner.plan(job, link))
    }

    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.calls.time(|| self.inner.execute(job, approved, link))
    }

    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.calls.time(|| self.inner.verify(job, approved, link))
    }
}

/// A target that measures everything its sessions do.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimedTarget<T> {
    inner: T,
    /// Time in the database.
    pub work: Arc<Stopwatch>,
}

impl<T> TimedTarget<T> {
    /// Measures `inner`.
    pub fn new(inner: T) -> Self {
        Self { inner, work: Arc::default() }
    }
}

impl<T: SqlTarget> SqlTarget for TimedTarget<T> {
    fn dialect(&self) -> &str {
        self.inner.dialect()
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let inner = self.work.time(|| self.inner.open(access, stop))?;
        Ok(Box::new(TimedSession { inner: Some(inner), work: Arc::clone(&self.work) }))
    }
}

#[derive(Debug)]
struct TimedSession {
    // Taken when it is dropped, so that closing counts too.
    inner: Option<Box<dyn SqlSession>>,
    work: Arc<Stopwatch>,
}

impl TimedSession {
    fn with<T>(
        &mut self,
        call: impl FnOnce(&mut dyn SqlSession) -> Result<T, SqlFailure>,
    ) -> Result<T, SqlFailure> {
        match &mut self.inner {
            Some(inner) => self.work.time(|| call(&mut **inner)),
            None => Err(SqlFailure::Refused("the session is closed".to_owned())),
        }
    }
}

impl SqlSession for TimedSession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        self.with(|inner| inner.begin())
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        self.with(|inner| inner.execute(statement, values))
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        self.with(|inner| inner.query(statement, values, rows_max, bytes_max))
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        match &mut self.inner {
            Some(inner) => self.work.time(|| inner.commit(marker)),
            None => Err(CommitFailure::Lost("the session is closed".to_owned())),
        }
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        self.with(|inner| inner.rollback())
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        self.with(|inner| inner.marker(id))
    }
}

impl Drop for TimedSession {
    fn drop(&mut self) {
        let inner = self.inner.take();
        self.work.time(|| drop(inner));
    }
}
