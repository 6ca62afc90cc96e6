//! A look at the marks beside the session, on a connection of its own: with the credential that wrote them, and
//! without anything that a statement of somebody else's could have changed.

use core::future::poll_fn;
use core::pin::pin;

use futures_core::Stream as _;
use placet_core::runner::JobId;
use placet_target::{Attempt, KEPT_BYTES_MAX, SqlFailure, StepSeen, StepState};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::fault::{Trouble, refused};
use crate::link::Link;
use crate::marks::{BY_KEY, Key, Typed};
use crate::place::Place;
use crate::work::{Work, lock_key};

impl Work {
    /// Whether the transaction of this attempt was committed.
    pub(crate) async fn marker(&self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        let link = self.side().await?;
        let found = self.marker_by(&link, id).await;
        link.close().await;
        found
    }

    async fn marker_by(&self, link: &Link, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        if self.has_marker(link, id).await? {
            return Ok(Some(true));
        }
        // Not there yet. Only who holds the lock of the attempt knows that nobody is about to commit it.
        if !self.lock_beside(link, id).await? {
            return Ok(None);
        }
        Ok(Some(self.has_marker(link, id).await?))
    }

    /// The marks of the steps of this attempt.
    pub(crate) async fn steps(&self, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        let link = self.side().await?;
        let found = self.steps_by(&link, id).await;
        link.close().await;
        found
    }

    async fn steps_by(&self, link: &Link, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        if !self.lock_beside(link, id).await? {
            return Ok(None);
        }
        if !self.tables.are_there(link).await? {
            return Ok(Some(Vec::new()));
        }
        let key = Key::of(id);
        let sql = format!(
            "SELECT step, state FROM ONLY {} WHERE {BY_KEY}",
            self.tables.name("placet_step")
        );
        let rows = link.watched(link.client.query_typed(&sql, &key.typed())).await?;
        let mut steps = Vec::with_capacity(rows.len());
        for row in rows {
            let step: String = row.try_get(0).map_err(Trouble::Said)?;
            let state: String = row.try_get(1).map_err(Trouble::Said)?;
            let state = match state.as_str() {
                "done" => StepState::Done,
                "intended" => StepState::Intended,
                _ => return Err(refused("a mark of the target is not the host's")),
            };
            steps.push(StepSeen { step, state });
        }
        Ok(Some(steps))
    }

    /// The statements that put back what a committed attempt changed.
    pub(crate) async fn inverse(
        &self,
        of: &Attempt,
        most: (u64, u64),
    ) -> Result<Vec<String>, SqlFailure> {
        let link = self.side().await?;
        let found = self.inverse_by(&link, of, most).await;
        link.close().await;
        found
    }

    async fn inverse_by(
        &self,
        link: &Link,
        of: &Attempt,
        (rows_max, bytes_max): (u64, u64),
    ) -> Result<Vec<String>, SqlFailure> {
        if !self.tables.are_there(link).await? {
            return Ok(Vec::new());
        }
        let key = Key::new(of.request, of.revision, of.attempt);
        let kept = self.tables.name("placet_kept");
        let sql = format!(
            "SELECT statement FROM ONLY {kept} WHERE {BY_KEY} ORDER BY ordinal DESC LIMIT $4"
        );
        let limit = i64::try_from(rows_max.saturating_add(1)).unwrap_or(i64::MAX);
        let mut typed = key.typed();
        typed.push((&limit, Type::INT8));
        let room = bytes_max.min(KEPT_BYTES_MAX);
        let Some(texts) = link.watched(texts_of(link, (&sql, room), typed)).await? else {
            let why = format!("putting everything back takes more than {room} bytes");
            return Err(SqlFailure::Limit(why));
        };
        if u64::try_from(texts.len()).unwrap_or(u64::MAX) > rows_max {
            let why = format!("putting everything back takes more than {rows_max} statements");
            return Err(SqlFailure::Limit(why));
        }
        Ok(texts)
    }

    /// A connection that only reads, with the credential that writes.
    async fn side(&self) -> Result<Link, SqlFailure> {
        let settings = &self.settings;
        let place = Place::parse(&settings.url, &settings.tls, settings.connect_timeout_ms)?;
        let link = Link::open(&place, &self.link.stop, settings.connect_timeout_ms).await?;
        let lock = settings.lock_wait_ms.clamp(1, i32::MAX.cast_unsigned());
        let setup = format!(
            "SET search_path = pg_catalog; SET lock_timeout = {lock};
            SET client_min_messages = warning;
            SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
        );
        link.watched(link.client.batch_execute(&setup)).await?;
        Ok(link)
    }

    async fn has_marker(&self, link: &Link, id: &JobId) -> Result<bool, SqlFailure> {
        if !self.tables.are_there(link).await? {
            return Ok(false);
        }
        let key = Key::of(id);
        let sql =
            format!("SELECT 1 FROM ONLY {} WHERE {BY_KEY}", self.tables.name("placet_marker"));
        Ok(!link.watched(link.client.query_typed(&sql, &key.typed())).await?.is_empty())
    }

    /// Takes the lock of the attempt, shared with others who only look. It goes with the connection, which is soon
    /// over, so that another session of the attempt waits for it at most that long.
    async fn lock_beside(&self, link: &Link, id: &JobId) -> Result<bool, SqlFailure> {
        let is_own = self.attempt().is_some_and(|own| Key::of(&own) == Key::of(id));
        if is_own {
            // We hold it ourselves, and could still commit.
            return Ok(false);
        }
        let take = format!("SELECT pg_catalog.pg_advisory_lock_shared({})", lock_key(id));
        match link.watched(link.client.batch_execute(&take)).await {
            Ok(()) => Ok(true),
            Err(trouble) if trouble.is(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            Err(trouble) => Err(trouble.into()),
        }
    }
}

/// The texts that a query answers, counted while they come; `None` where they are too much. The connection is of no
/// further use then.
async fn texts_of(
    link: &Link,
    (sql, mut room): (&str, u64),
    typed: Typed<'_>,
) -> Result<Option<Vec<String>>, tokio_postgres::Error> {
    let mut rows = pin!(link.client.query_typed_raw(sql, typed).await?);
    let mut texts = Vec::new();
    while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
        let text: String = row?.try_get(0)?;
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let Some(left) = room.checked_sub(bytes) else { return Ok(None) };
        room = left;
        texts.push(text);
    }
    Ok(Some(texts))
}
