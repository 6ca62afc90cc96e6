//! A database by its URL.

use placet_target::{Access, SqlFailure, SqlSession, SqlTarget, StopSignal};

use crate::session::PostgresSession;
use crate::tls::Tls;

/// A PostgreSQL database. Made for version 15; older ones down to 13 have all that is asked for.
///
/// Each session is a connection of its own, straight to the server: behind a pool that gives every transaction
/// another connection, the locks that this relies on mean nothing.
///
/// Statements are looked at before they are sent: by their first words, by the names that they hold, and by the words
/// in a block (`DO`) or a body (`CREATE FUNCTION`, `CREATE PROCEDURE`). What a block puts together while it runs is not
/// seen; there the rights of the role are the only limit. Use one that is no superuser. `setval` is refused, because no
/// rollback undoes it; numbers that `nextval` gave out stay given out, too.
///
/// Rows are kept only by a role that may make temporary objects (`TEMPORARY` on the database, which everybody has unless
/// it was taken away): the server is asked what a statement calls by a function that nobody calls.
///
/// Limits of bytes are felt row by row: one row is held as a whole before it is counted, and PostgreSQL lets a single
/// value have a gigabyte. Where that is more than the host can spare, let queries cut such values (`left(note, 1000)`).
///
/// The host's own rows (what was committed, which step came how far, what can be put back) stand in the tables
/// `placet_marker`, `placet_step` and `placet_kept` of a schema of their own, `placet` unless
/// [`Self::with_schema`] says otherwise. The first session that may commit makes them, so the role of the URL must be
/// allowed to create a schema, or own that one. A schema that is always the same is found again whatever the search
/// path of a role is set to.
///
/// ```
/// use placet_core::error::Code;
/// use placet_target::{Access, SqlFailure, SqlTarget, StopSignal};
/// use placet_target_postgres::PostgresTarget;
///
/// // Nobody listens there.
/// let target = PostgresTarget::new("postgres://runner:hunter2@127.0.0.1:1/shop")
///     .with_read_only_url("postgres://reader:hunter3@127.0.0.1:1/shop")
///     .with_lock_wait_ms(5_000);
/// assert_eq!(target.dialect(), "postgresql");
/// let refused = target.open(Access::ReadOnly, &StopSignal::new()).unwrap_err();
/// let SqlFailure::Unavailable(error) = refused else { panic!() };
/// assert_eq!(error.code(), Code::TargetUnavailable);
/// assert!(!format!("{error:?} {target:?}").contains("hunter"));
/// ```
#[derive(Clone)]
pub struct PostgresTarget {
    settings: Settings,
}

/// What a host may choose.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) read_only_url: Option<String>,
    pub(crate) tls: Tls,
    pub(crate) schema: String,
    pub(crate) lock_wait_ms: u32,
    pub(crate) statement_timeout_ms: Option<u32>,
    pub(crate) connect_timeout_ms: u32,
    pub(crate) has_superuser_dry_runs: bool,
}

impl PostgresTarget {
    /// The database at `url`: `postgres://user:password@host:5432/database`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            settings: Settings {
                url: url.into(),
                read_only_url: None,
                tls: Tls::default(),
                schema: "placet".to_owned(),
                lock_wait_ms: 2_000,
                statement_timeout_ms: None,
                connect_timeout_ms: 5_000,
                has_superuser_dry_runs: false,
            },
        }
    }

    /// Sets the URL for sessions that only read: best that of a role that cannot write.
    ///
    /// The host's own look at its marks goes by the other URL, so this role needs no rights on them.
    #[must_use]
    pub fn with_read_only_url(mut self, url: impl Into<String>) -> Self {
        self.settings.read_only_url = Some(url.into());
        self
    }

    /// Sets how connections are encrypted, and whom they trust. Default: as the URL says; where that
    /// says nothing, with a certificate that is verified, unless the server is on this machine. See [`Tls`].
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.settings.tls = tls;
        self
    }

    /// Sets the schema of the host's own tables: lower-case letters, digits and `_`, at most 48 bytes.
    /// Default `placet`.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.settings.schema = schema.into();
        self
    }

    /// Sets how long to wait for a lock that another session holds, in milliseconds, at least 1. Default 2,000.
    #[must_use]
    pub const fn with_lock_wait_ms(mut self, ms: u32) -> Self {
        self.settings.lock_wait_ms = ms;
        self
    }

    /// Sets how long one statement may take, in milliseconds, at least 1. By default it may take as long as its role
    /// allows, until somebody says stop.
    #[must_use]
    pub const fn with_statement_timeout_ms(mut self, ms: u32) -> Self {
        self.settings.statement_timeout_ms = Some(ms);
        self
    }

    /// Sets how long making one connection may take, in milliseconds. Default 5,000.
    #[must_use]
    pub const fn with_connect_timeout_ms(mut self, ms: u32) -> Self {
        self.settings.connect_timeout_ms = ms;
        self
    }

    /// Lets scripts be tried as a role that reaches more than the database. Default: they are not, and the plan says so.
    ///
    /// A dry run is undone, and happens before anybody approved the script. Superusers, roles that may make others, and
    /// members of `pg_execute_server_program`, `pg_read_server_files` and `pg_write_server_files` can do what no rollback
    /// undoes: start programs, and read and write files of the server. The driver refuses what does so by name, also
    /// inside of blocks and bodies, but a text that a block puts together while it runs shows no names. Better than
    /// this: a role that owns the schema and is none of those.
    #[must_use]
    pub const fn allow_superuser_dry_runs(mut self) -> Self {
        self.settings.has_superuser_dry_runs = true;
        self
    }
}

impl SqlTarget for PostgresTarget {
    fn dialect(&self) -> &'static str {
        "postgresql"
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        if let Some(reason) = stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        Ok(Box::new(PostgresSession::open(&self.settings, access, stop)?))
    }
}

impl core::fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PostgresTarget")
            .field("schema", &self.settings.schema)
            .field("has_read_only_url", &self.settings.read_only_url.is_some())
            .field("lock_wait_ms", &self.settings.lock_wait_ms)
            .finish_non_exhaustive()
    }
}
