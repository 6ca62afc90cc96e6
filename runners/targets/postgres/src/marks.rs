//! The rows that say what was done, written in the transaction that did it.

use placet_core::runner::JobId;
use placet_target::points::reached;
use placet_target::{CommitFailure, Marker, SqlFailure, StepMark};
use tokio_postgres::types::{ToSql, Type};

use crate::fault::{Trouble, broken, refused};
use crate::link::Link;
use crate::work::Work;

/// An attempt as our tables have it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Key {
    request: String,
    revision: i64,
    attempt: i64,
}

/// Parameters with their types.
pub(crate) type Typed<'a> = Vec<(&'a (dyn ToSql + Sync), Type)>;

impl Key {
    pub(crate) fn new(request: impl core::fmt::Display, revision: u32, attempt: u32) -> Self {
        let request = request.to_string();
        Self { request, revision: i64::from(revision), attempt: i64::from(attempt) }
    }

    pub(crate) fn of(id: &JobId) -> Self {
        Self::new(id.request, id.revision, id.attempt)
    }

    /// The first three parameters of a statement.
    pub(crate) fn typed(&self) -> Typed<'_> {
        vec![(&self.request, Type::TEXT), (&self.revision, Type::INT8), (&self.attempt, Type::INT8)]
    }
}

/// The condition by which the first three parameters mean an attempt, whatever the search path.
pub(crate) const BY_KEY: &str = "request OPERATOR(pg_catalog.=) $1 AND revision OPERATOR(pg_catalog.=) $2 \
    AND attempt OPERATOR(pg_catalog.=) $3";

impl Work {
    /// Refuses a mark of another attempt: only our own is locked.
    pub(crate) fn check_mark(&self, id: &JobId) -> Result<(), SqlFailure> {
        match self.attempt() {
            Some(own) if Key::of(&own) == Key::of(id) => Ok(()),
            Some(_) => Err(refused("this session is for another attempt")),
            None => Err(refused("a session that is for no attempt commits nothing")),
        }
    }

    /// Writes the marker and commits it with everything else.
    pub(crate) async fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        self.before_commit(&marker.id).await?;
        let key = Key::of(&marker.id);
        let (fence, digest, at) = common(marker.id.fence, marker.digest, marker.at);
        let sql = format!(
            "INSERT INTO {} (request, revision, attempt, fence, digest, at)
            VALUES ($1, $2, $3, $4, $5, $6::pg_catalog.timestamptz)",
            self.tables.name("placet_marker")
        );
        let mut typed = key.typed();
        typed.extend::<Typed<'_>>(vec![
            (&fence, Type::INT8),
            (&digest, Type::TEXT),
            (&at, Type::TEXT),
        ]);
        self.write_mark(&sql, &typed, [1, 0]).await?;
        reached("postgres.marker.written");
        let sql =
            format!("SELECT 1 FROM ONLY {} WHERE {BY_KEY}", self.tables.name("placet_marker"));
        self.send_commit(&sql, &key.typed()).await
    }

    /// Writes the done mark of a step and commits it with everything else.
    pub(crate) async fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        self.before_commit(&mark.id).await?;
        let sql = self.insert_step("done");
        let key = Key::of(&mark.id);
        let (fence, digest, at) = common(mark.id.fence, mark.digest, mark.at);
        let mut typed = key.typed();
        typed.extend::<Typed<'_>>(vec![
            (&mark.step, Type::TEXT),
            (&fence, Type::INT8),
            (&digest, Type::TEXT),
            (&at, Type::TEXT),
        ]);
        self.write_mark(&sql, &typed, [0, 1]).await?;
        reached("postgres.step.written");
        let sql = format!(
            "SELECT 1 FROM ONLY {} WHERE {BY_KEY} AND step OPERATOR(pg_catalog.=) $4
                AND state OPERATOR(pg_catalog.=) 'done'",
            self.tables.name("placet_step")
        );
        let mut typed = key.typed();
        typed.push((&mark.step, Type::TEXT));
        self.send_commit(&sql, &typed).await
    }

    /// The statement that inserts a mark of a step.
    pub(crate) fn insert_step(&self, state: &str) -> String {
        format!(
            "INSERT INTO {} (request, revision, attempt, step, fence, digest, at, state)
            VALUES ($1, $2, $3, $4, $5, $6, $7::pg_catalog.timestamptz, '{state}')",
            self.tables.name("placet_step")
        )
    }

    /// Makes sure that what is about to be committed is what we know.
    async fn before_commit(&mut self, id: &JobId) -> Result<(), CommitFailure> {
        let sound = match self.check_mark(id) {
            Ok(()) if let Some(reason) = self.link.stop.raised() => {
                Err(SqlFailure::Stopped(reason))
            }
            Ok(()) if self.is_open() => self.settle().await,
            Ok(()) => Err(refused("the transaction ended before its commit")),
            Err(failure) => Err(failure),
        };
        match sound {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.not_committed(failure).await),
        }
    }

    /// Has everything done that was put off until the commit, and looks then: whatever a trigger did to what is ours
    /// is seen, and nothing is left for the commit itself.
    async fn settle(&mut self) -> Result<(), SqlFailure> {
        let _open = self.going_on()?;
        self.link.watched(self.link.client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")).await?;
        self.make_sure().await
    }

    /// Writes a mark: `added` rows, to the tables of markers and of steps.
    async fn write_mark(
        &mut self,
        sql: &str,
        typed: &Typed<'_>,
        added: [i64; 2],
    ) -> Result<(), CommitFailure> {
        let written = self.link.watched(self.link.client.execute_typed(sql, typed)).await;
        let failure = match written {
            Ok(1) => {
                if let Some(open) = self.open_mut() {
                    for (count, added) in open.seen.glance.marks.iter_mut().zip(added) {
                        *count = count.saturating_add(added);
                    }
                }
                // A trigger may have put something off once more.
                match self.settle().await {
                    Ok(()) => return Ok(()),
                    Err(failure) => failure,
                }
            }
            Ok(_) => refused("the target did not take the host's mark"),
            Err(trouble) => trouble.into(),
        };
        Err(self.not_committed(failure).await)
    }

    /// Undoes everything: nothing was committed, because the COMMIT was not sent.
    async fn not_committed(&mut self, failure: SqlFailure) -> CommitFailure {
        // Without an answer the connection is given up; then the server undoes it.
        drop(self.rollback().await);
        CommitFailure::NotCommitted(failure)
    }

    /// Commits, and reads the mark back. From here on an answer that does not come leaves nobody the wiser.
    async fn send_commit(&mut self, mark: &str, typed: &Typed<'_>) -> Result<(), CommitFailure> {
        if self.link.client.is_closed() {
            self.has_ended();
            return Err(CommitFailure::NotCommitted(broken()));
        }
        let sent = async {
            let commit = self.link.client.batch_execute("COMMIT");
            let sent = async {
                Link::let_it_go().await;
                reached("postgres.commit.sent");
            };
            let (answer, ()) = tokio::join!(biased; commit, sent);
            answer
        };
        let answer = self.link.watched(sent).await;
        self.has_ended();
        match answer {
            Ok(()) => {
                reached("postgres.commit.confirmed");
                self.read_back(mark, typed).await
            }
            // A server that says no and lives has undone it: a deferred constraint, a serialization failure.
            Err(trouble) if trouble.is_certain() => {
                Err(CommitFailure::NotCommitted(trouble.into()))
            }
            Err(trouble) => Err(CommitFailure::Lost(lost(trouble))),
        }
    }
}

impl Work {
    /// Makes sure that the mark stands where whoever asks later looks for it. Something was committed; without its mark
    /// nobody could say what.
    async fn read_back(&self, mark: &str, typed: &Typed<'_>) -> Result<(), CommitFailure> {
        let found = self.link.bounded(self.link.client.query_typed(mark, typed)).await;
        let why = match found {
            Ok(rows) if !rows.is_empty() => return Ok(()),
            Ok(_) => "it is not there".to_owned(),
            Err(trouble) => SqlFailure::from(trouble).message(),
        };
        Err(CommitFailure::Lost(format!(
            "the server confirmed the commit, but the host's mark could not be read back: {why}"
        )))
    }
}

/// What is known when no answer came.
pub(crate) fn lost(trouble: Trouble) -> String {
    let failure = SqlFailure::from(trouble);
    format!("the answer to the commit was lost: {}", failure.message())
}

/// What all marks have besides their key.
pub(crate) fn common(
    fence: u64,
    digest: impl core::fmt::Display,
    at: impl core::fmt::Display,
) -> (i64, String, String) {
    (i64::try_from(fence).unwrap_or(i64::MAX), digest.to_string(), at.to_string())
}
