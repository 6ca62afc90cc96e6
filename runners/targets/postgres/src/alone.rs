//! Statements that refuse a transaction: a mark before, the statement, a mark after.

use placet_target::points::reached;
use placet_target::{CommitFailure, SqlFailure, StepMark};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::fault::{Trouble, refused};
use crate::guard::{self, Statement};
use crate::link::Link;
use crate::marks::{BY_KEY, Key, Typed, common, lost};
use crate::work::Work;

/// What a statement that was broken off can leave behind: indexes that are not valid, and partitions that are being
/// detached.
const LEFTOVERS: &str =
    "SELECT pg_catalog.concat_ws(' ', 'the invalid index', i.indexrelid::pg_catalog.regclass)
        FROM pg_catalog.pg_index i WHERE NOT i.indisvalid
    UNION ALL
    SELECT pg_catalog.concat_ws(' ', 'the half-detached partition', h.inhrelid::pg_catalog.regclass)
        FROM pg_catalog.pg_inherits h WHERE h.inhdetachpending
    ORDER BY 1";

impl Work {
    /// Runs one statement outside of a transaction.
    pub(crate) async fn execute_alone(
        &mut self,
        sql: &str,
        mark: &StepMark,
    ) -> Result<u64, CommitFailure> {
        let statement = self.alone(sql, mark).map_err(CommitFailure::NotCommitted)?;
        self.check_base(false).await.map_err(CommitFailure::NotCommitted)?;
        let before = self.before_alone(&statement).await.map_err(CommitFailure::NotCommitted)?;
        self.intend(mark).await?;
        self.origins.forget();
        let run = self.link.client.execute_typed(statement.text, &[]);
        let rows = match self.sent(run, "postgres.alone.sent").await {
            Ok(rows) => rows,
            Err(trouble) => return Err(self.failed(trouble, mark, before).await),
        };
        reached("postgres.alone.confirmed");
        let rewrites = ["cluster", "reindex", "vacuum"].contains(&statement.verb.as_str());
        if let Err(failure) = self.check_base(rewrites).await {
            // Nothing can be undone any more, and a done mark would say more than is known.
            let why = failure.message();
            return Err(CommitFailure::Lost(format!("the statement ran to its end, but {why}")));
        }
        self.done(mark).await?;
        Ok(if statement.changes_rows() { rows } else { 0 })
    }

    /// The statement, if it may run alone here.
    fn alone<'a>(&self, sql: &'a str, mark: &StepMark) -> Result<Statement<'a>, SqlFailure> {
        let statement = guard::read(sql)?;
        self.check_mark(&mark.id)?;
        if let Some(reason) = self.link.stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        if self.is_open() {
            return Err(refused("a transaction is open, and this statement runs outside of one"));
        }
        match statement.verb.as_str() {
            // They may commit half of what they do, and then fail.
            "do" | "call" => Err(refused(
                "a block or procedure may commit parts of itself: run it in a transaction",
            )),
            "set" => Err(refused("a setting outside of a transaction has no effect")),
            _ => Ok(statement),
        }
    }

    /// What is broken already: only for statements that can break more.
    async fn before_alone(&self, statement: &Statement<'_>) -> Result<Option<String>, SqlFailure> {
        let can = |word: &str| statement.pieces.iter().any(|piece| piece.is(word));
        if can("concurrently") || statement.verb == "reindex" {
            return Ok(Some(self.leftovers().await?));
        }
        Ok(None)
    }

    async fn leftovers(&self) -> Result<String, Trouble> {
        let rows = self.link.bounded(self.link.client.query_typed(LEFTOVERS, &[])).await?;
        let lines = rows.iter().map(|row| row.try_get::<_, String>(0));
        Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    /// Commits the intent mark.
    async fn intend(&self, mark: &StepMark) -> Result<(), CommitFailure> {
        let sql = self.insert_step("intended");
        let key = Key::of(&mark.id);
        let (fence, digest, at) = common(mark.id.fence, mark.digest, mark.at);
        let mut typed = key.typed();
        typed.extend::<Typed<'_>>(vec![
            (&mark.step, Type::TEXT),
            (&fence, Type::INT8),
            (&digest, Type::TEXT),
            (&at, Type::TEXT),
        ]);
        let insert = self.link.client.execute_typed(&sql, &typed);
        match self.sent(insert, "postgres.intent.sent").await {
            Ok(1) => {
                reached("postgres.intent.confirmed");
                Ok(())
            }
            Ok(_) => Err(CommitFailure::Lost("the target did not take the mark".to_owned())),
            Err(trouble) if trouble.is(&SqlState::UNIQUE_VIOLATION) => {
                let why = "this step was begun before, and does not run twice";
                Err(CommitFailure::NotCommitted(refused(why)))
            }
            Err(trouble) if trouble.is_certain() => Err(trouble.into()),
            // The mark may stand there. The statement was not sent, but nobody who reads the mark can tell.
            Err(trouble) => Err(CommitFailure::Lost(lost(trouble))),
        }
    }

    /// Sends something, and waits for its answer.
    async fn sent<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
        label: &'static str,
    ) -> Result<T, Trouble> {
        let both = async {
            let sent = async {
                Link::let_it_go().await;
                reached(label);
            };
            let (answer, ()) = tokio::join!(biased; work, sent);
            answer
        };
        self.link.watched(both).await
    }

    /// Commits the done mark. Whatever goes wrong here, the statement took effect.
    async fn done(&self, mark: &StepMark) -> Result<(), CommitFailure> {
        let key = Key::of(&mark.id);
        let sql = format!(
            "UPDATE ONLY {} SET state = 'done' WHERE {BY_KEY} AND step OPERATOR(pg_catalog.=) $4
                AND state OPERATOR(pg_catalog.=) 'intended'",
            self.tables.name("placet_step")
        );
        let mut typed = key.typed();
        typed.push((&mark.step, Type::TEXT));
        let both = async {
            let update = self.link.client.execute_typed(&sql, &typed);
            let sent = async {
                Link::let_it_go().await;
                reached("postgres.done.sent");
            };
            let (answer, ()) = tokio::join!(biased; update, sent);
            answer
        };
        let said = match self.link.bounded(both).await {
            Ok(1) => {
                reached("postgres.done.confirmed");
                return Ok(());
            }
            Ok(_) => "its mark is not there any more".to_owned(),
            Err(trouble) => SqlFailure::from(trouble).message(),
        };
        Err(CommitFailure::Lost(format!(
            "the statement ran to its end, but that could not be marked: {said}"
        )))
    }

    /// What it means that the statement failed.
    async fn failed(
        &self,
        trouble: Trouble,
        mark: &StepMark,
        before: Option<String>,
    ) -> CommitFailure {
        if !trouble.is_certain() {
            let said = SqlFailure::from(trouble).message();
            return CommitFailure::Lost(format!("the answer to the statement was lost: {said}"));
        }
        let failure = SqlFailure::from(trouble);
        if let Some(before) = before {
            match self.leftovers().await {
                Ok(after) if after == before => {}
                Ok(after) => {
                    let new: Vec<_> = after
                        .lines()
                        .filter(|line| !before.lines().any(|old| old == *line))
                        .collect();
                    return CommitFailure::Lost(format!(
                        "{}; look at what it left behind: {}",
                        failure.message(),
                        if new.is_empty() {
                            "something went away".to_owned()
                        } else {
                            new.join(", ")
                        }
                    ));
                }
                Err(second) => return CommitFailure::Lost(told_twice(&failure, second)),
            }
        }
        match self.forget_intent(mark).await {
            Ok(()) => CommitFailure::NotCommitted(failure),
            Err(second) => CommitFailure::Lost(told_twice(&failure, second)),
        }
    }

    async fn forget_intent(&self, mark: &StepMark) -> Result<(), Trouble> {
        let key = Key::of(&mark.id);
        let sql = format!(
            "DELETE FROM ONLY {} WHERE {BY_KEY} AND step OPERATOR(pg_catalog.=) $4
                AND state OPERATOR(pg_catalog.=) 'intended'",
            self.tables.name("placet_step")
        );
        let mut typed = key.typed();
        typed.push((&mark.step, Type::TEXT));
        let _gone = self.link.bounded(self.link.client.execute_typed(&sql, &typed)).await?;
        reached("postgres.intent.removed");
        Ok(())
    }
}

fn told_twice(first: &SqlFailure, second: Trouble) -> String {
    format!("{}; {}", first.message(), SqlFailure::from(second).message())
}
