//! What a session does, for whoever drives it.

use placet_core::digest::Digest;
use placet_core::runner::JobId;
use placet_target::points::reached;
use placet_target::{Access, SqlFailure, SqlValue, StopSignal};
use tokio_postgres::types::{ToSql, Type};

use crate::fault::{Trouble, refused, unavailable};
use crate::guard;
use crate::link::Link;
use crate::marks::Typed;
use crate::origins::Origins;
use crate::place::Place;
use crate::tables::Tables;
use crate::target::Settings;
use crate::values::Given;
use crate::watch::{Depth, Seen, Watch, changed, glance, seen};

/// One session.
pub(crate) struct Work {
    pub(crate) link: Link,
    pub(crate) settings: Settings,
    pub(crate) tables: Tables,
    pub(crate) access: Access,
    pub(crate) origins: Origins,
    watch: Option<Watch>,
    /// How session and tables were set up.
    pub(crate) base: Option<Seen>,
    /// What is known of the open transaction.
    open: Option<Open>,
}

/// The open transaction.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) seen: Seen,
    /// Statements ran after which nobody asked how our tables are made.
    is_made_unsure: bool,
    /// Something failed half-way: it can only be undone.
    pub(crate) is_spoiled: bool,
}

/// The key of the lock that goes with an attempt.
pub(crate) fn lock_key(id: &JobId) -> i64 {
    let text = format!("placet attempt {} {} {}", id.request, id.revision, id.attempt);
    let digest = Digest::of(text.as_bytes());
    i64::from_be_bytes(digest.as_bytes().first_chunk().copied().unwrap_or_default())
}

impl Work {
    /// Connects, and takes the lock of the attempt.
    pub(crate) async fn open(
        settings: &Settings,
        access: Access,
        stop: &StopSignal,
    ) -> Result<Self, SqlFailure> {
        let url = match access {
            Access::ReadOnly => settings.read_only_url.as_ref().unwrap_or(&settings.url),
            Access::ReadWrite(_) => &settings.url,
        };
        let tables = Tables::new(&settings.schema)?;
        let place = Place::parse(url, &settings.tls, settings.connect_timeout_ms)?;
        let link = Link::open(&place, stop, settings.connect_timeout_ms).await?;
        link.watched(link.client.batch_execute(&setup(settings, access))).await?;
        reached("postgres.opened");
        let mut work = Self {
            link,
            settings: settings.clone(),
            tables,
            access,
            origins: Origins::default(),
            watch: None,
            base: None,
            open: None,
        };
        if let Some(id) = work.attempt() {
            work.lock(&id).await?;
            work.tables.make(&work.link).await?;
            work.note_base().await?;
            reached("postgres.tables.made");
        }
        Ok(work)
    }

    /// The attempt that this session is for, if it is for one that may commit.
    pub(crate) fn attempt(&self) -> Option<JobId> {
        match self.access {
            Access::ReadWrite(id) if id.attempt > 0 => Some(id),
            Access::ReadWrite(_) | Access::ReadOnly => None,
        }
    }

    async fn lock(&self, id: &JobId) -> Result<(), SqlFailure> {
        let take = format!("SELECT pg_catalog.pg_advisory_lock({})", lock_key(id));
        match self.link.watched(self.link.client.batch_execute(&take)).await {
            Ok(()) => {
                reached("postgres.locked");
                Ok(())
            }
            Err(trouble) if trouble.is(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) => {
                Err(unavailable(
                    "another session of this attempt is still alive in the target",
                    "wait until it has ended; a session whose host is gone ends by itself",
                ))
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    /// Whether a transaction is open.
    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(crate) const fn open_mut(&mut self) -> Option<&mut Open> {
        self.open.as_mut()
    }

    /// What asks whether all is as it was.
    pub(crate) async fn watch(&mut self) -> Result<Watch, SqlFailure> {
        if let Some(watch) = &self.watch {
            return Ok(watch.clone());
        }
        let watch = Watch::prepare(&self.link, &self.tables).await?;
        Ok(self.watch.insert(watch).clone())
    }

    pub(crate) async fn begin(&mut self) -> Result<(), SqlFailure> {
        if self.access == Access::ReadOnly {
            return Err(refused("this session only reads"));
        }
        if self.is_open() {
            return Err(refused("the transaction is open already"));
        }
        if self.attempt().is_none() && !self.settings.has_superuser_dry_runs {
            self.refuse_power().await?;
        }
        self.check_base(false).await?;
        let watch = self.watch().await?;
        // A lock of the transaction cannot be given up by a statement, the one of the session could.
        let lock = self.attempt().map_or_else(String::new, |id| {
            format!("SELECT pg_catalog.pg_advisory_xact_lock({});", lock_key(&id))
        });
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {lock}
            SELECT pg_catalog.pg_current_xact_id()"
        );
        let begun = self.link.watched(self.link.client.batch_execute(&begin)).await;
        let seen = match begun {
            Ok(()) => watch.look(&self.link).await,
            Err(trouble) => Err(trouble.into()),
        };
        let seen = seen.and_then(|seen| match &self.base {
            Some(base) if !seen.is_based_on(base, false) => Err(changed()),
            Some(_) | None => Ok(seen),
        });
        match seen {
            Ok(seen) => self.open = Some(Open { seen, is_made_unsure: false, is_spoiled: false }),
            Err(failure) => {
                drop(self.link.bounded(self.link.client.batch_execute("ROLLBACK")).await);
                return Err(failure);
            }
        }
        reached("postgres.begun");
        Ok(())
    }

    /// Refuses to try what nobody approved as somebody who reaches files and programs of the server. On servers up to 15
    /// who makes roles may give itself these rights.
    async fn refuse_power(&self) -> Result<(), SqlFailure> {
        let member = |role: &str| {
            format!("pg_catalog.pg_has_role(r.oid, '{role}'::pg_catalog.name, 'MEMBER')")
        };
        let roles = ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"]
            .map(member);
        let sql = format!(
            "SELECT (r.rolsuper OR r.rolcreaterole OR {})::pg_catalog.text FROM pg_catalog.pg_roles r
            WHERE r.rolname OPERATOR(pg_catalog.=) session_user",
            roles.join(" OR ")
        );
        if self.link.text(&sql).await?.as_deref() == Some("false") {
            return Ok(());
        }
        Err(refused(
            "the target's role is a superuser, makes roles or reaches files and programs of the server, which no rollback \
             undoes; use a role without these rights, or let the target try scripts all the same",
        ))
    }

    /// The open transaction, if it may go on.
    pub(crate) fn going_on(&self) -> Result<&Open, SqlFailure> {
        match &self.open {
            Some(open) if open.is_spoiled => {
                Err(refused("a statement failed before; the transaction can only be rolled back"))
            }
            Some(open) => Ok(open),
            None => Err(refused("there is no open transaction")),
        }
    }

    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        values: &[SqlValue],
    ) -> Result<u64, SqlFailure> {
        let statement = guard::read(sql)?;
        let _open = self.going_on()?;
        self.origins.forget();
        reached("postgres.executing");
        let given: Vec<Given<'_>> = values.iter().map(Given).collect();
        // The server finds out what type each of them is.
        let typed: Typed<'_> = given
            .iter()
            .map(|value| -> (&(dyn ToSql + Sync), Type) { (value, Type::UNKNOWN) })
            .collect();
        let rows = self.run_watched(&statement, &typed).await?;
        reached("postgres.executed");
        Ok(if statement.changes_rows() { rows } else { 0 })
    }

    /// Runs a statement in the open transaction, and makes sure that this is still what it was. The two are sent
    /// together, so that making sure costs no further way to the server and back.
    async fn run_watched(
        &mut self,
        statement: &guard::Statement<'_>,
        typed: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<u64, SqlFailure> {
        let watch = self.watch().await?;
        let depth =
            if statement.reaches_only_what_it_names() { Depth::Glance } else { Depth::Everything };
        let both = async {
            let run = self.link.client.execute_typed(statement.text, typed);
            let (ran, found) = tokio::join!(biased; run, watch.ask(&self.link, depth));
            Ok((ran?, found))
        };
        let (rows, found) = match self.link.watched(both).await {
            Ok(both) => both,
            Err(trouble) => return Err(self.spoil(trouble.into())),
        };
        if let Ok(found) = &found {
            let is_unchanged = match (&mut self.open, depth) {
                (None, _) => false,
                (Some(open), Depth::Glance) => {
                    open.is_made_unsure = true;
                    open.seen.glance == glance(found)?
                }
                (Some(open), Depth::Everything) => {
                    let is_same = open.seen == seen(found)?;
                    open.is_made_unsure &= !is_same;
                    is_same
                }
            };
            if is_unchanged {
                return Ok(rows);
            }
        }
        // Who cannot even ask any more is not who began.
        let stopped = self.link.stop.raised().filter(|_| found.is_err());
        self.rollback().await?;
        Err(stopped.map_or_else(changed, SqlFailure::Stopped))
    }

    /// Notes that the transaction can only be undone.
    pub(crate) fn spoil(&mut self, failure: SqlFailure) -> SqlFailure {
        if let Some(open) = &mut self.open {
            open.is_spoiled = true;
        }
        failure
    }

    /// Makes sure once more that the transaction is the one that we know; undoes it if not.
    pub(crate) async fn make_sure(&mut self) -> Result<(), SqlFailure> {
        let due = self.going_on()?.seen.clone();
        let found = self.watch().await?.look(&self.link).await?;
        if found == due {
            if let Some(open) = &mut self.open {
                open.is_made_unsure = false;
            }
            return Ok(());
        }
        self.rollback().await?;
        Err(changed())
    }

    /// Makes sure, where that was put off, that our tables are as they were: before the host writes to them.
    pub(crate) async fn make_sure_of_tables(&mut self) -> Result<(), SqlFailure> {
        if self.going_on()?.is_made_unsure { self.make_sure().await } else { Ok(()) }
    }

    /// Undoes the open transaction, also when somebody said stop.
    pub(crate) async fn rollback(&mut self) -> Result<(), SqlFailure> {
        if self.open.is_none() {
            return Ok(());
        }
        let undone = self.link.bounded(self.link.client.batch_execute("ROLLBACK")).await;
        // Where nobody answers, the connection is gone, and the transaction with it.
        self.open = None;
        self.origins.forget();
        reached("postgres.rolled_back");
        undone.map_err(SqlFailure::from)
    }

    /// The transaction has ended.
    pub(crate) fn has_ended(&mut self) {
        self.open = None;
    }

    /// Begins to read: in a transaction of its own that cannot write, or in a part of the open one.
    pub(crate) async fn begin_reading(&mut self) -> Result<(), SqlFailure> {
        let begin = if self.is_open() {
            let _open = self.going_on()?;
            "SAVEPOINT placet_read; SET LOCAL transaction_read_only = on"
        } else {
            "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
        };
        let begun = self.link.watched(self.link.client.batch_execute(begin)).await;
        begun.map_err(|trouble| {
            let failure = trouble.into();
            if self.is_open() { self.spoil(failure) } else { failure }
        })
    }

    /// Ends reading, also when somebody said stop. Whatever it did is undone.
    pub(crate) async fn end_reading(&mut self) -> Result<(), SqlFailure> {
        let end = if self.is_open() {
            "ROLLBACK TO SAVEPOINT placet_read; RELEASE SAVEPOINT placet_read"
        } else {
            "ROLLBACK"
        };
        match self.link.bounded(self.link.client.batch_execute(end)).await {
            Ok(()) => Ok(()),
            Err(trouble) => Err(self.spoil(trouble.into())),
        }
    }

    /// Gives back what the session holds, as far as the server still answers.
    pub(crate) async fn end(&mut self) {
        let end = "ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()";
        if !self.link.client.is_closed() {
            drop(self.link.bounded(self.link.client.batch_execute(end)).await);
        }
    }
}

/// What a session is set to. Texts that the server makes must not depend on what a role or a database is set to.
fn setup(settings: &Settings, access: Access) -> String {
    let mut text = format!(
        "SET lock_timeout = {lock};
        SET DateStyle = 'ISO';
        SET IntervalStyle = 'postgres';
        SET bytea_output = 'hex';
        SET extra_float_digits = 1;
        SET standard_conforming_strings = on;
        SET client_min_messages = warning;
        SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
            WHERE pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off';
        -- A server whose client is gone ends the statement soon, where it can tell.
        SELECT pg_catalog.set_config(name, '2000', false) FROM pg_catalog.pg_settings
            WHERE name OPERATOR(pg_catalog.=) 'client_connection_check_interval';",
        // Zero would be no limit.
        lock = settings.lock_wait_ms.clamp(1, i32::MAX.cast_unsigned()),
    );
    if let Some(ms) = settings.statement_timeout_ms {
        let ms = ms.clamp(1, i32::MAX.cast_unsigned());
        text.push_str("SET statement_timeout = ");
        text.push_str(&ms.to_string());
        text.push(';');
    }
    if access == Access::ReadOnly {
        text.push_str("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;");
    }
    text
}

impl core::fmt::Debug for Work {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Work").field("access", &self.access).finish_non_exhaustive()
    }
}

impl From<Trouble> for placet_target::CommitFailure {
    /// For what is not a commit yet.
    fn from(trouble: Trouble) -> Self {
        Self::NotCommitted(trouble.into())
    }
}
