//! A database by its URL, and how sessions on it are set up.

use core::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use placet_target::{Access, SqlFailure, SqlSession, SqlTarget, StopSignal};

use crate::failure::{unavailable, while_opening};
use crate::session::MySqlSession;
use crate::wire::trust::{Trust, When};
use crate::wire::{Client, Fault, Place};

/// One database on a MySQL (8.0 or later) or MariaDB (10.5 or later) server.
///
/// Statements go to the server one by one and as they are. A session lives in UTC, in `utf8mb4`, in REPEATABLE READ and
/// in the `sql_mode` `STRICT_TRANS_TABLES, ERROR_FOR_DIVISION_BY_ZERO, NO_ENGINE_SUBSTITUTION`, whatever the server's
/// defaults are. What controls transactions, settings, accounts, files, programs or other servers is refused, and so is
/// whatever commits implicitly inside a transaction; CALL too, because nobody sees what a procedure does.
///
/// The marks `placet_marker`, `placet_step` and `placet_kept` stand in the database that the URL names. They are read
/// with the writing credential and from its server, because a replica may not have them yet. The lock of an attempt is
/// one of `GET_LOCK`, which each server of a cluster has for itself: name one server of it, the same for every host.
///
/// Rows are kept only where the user would see what changes along: it needs TRIGGER on the table, and any one privilege of
/// tables on `*.*`, such as REFERENCES. Without that the server hides foreign keys from databases that are not the user's.
///
/// ```
/// use placet_core::error::Code;
/// use placet_target::{Access, SqlFailure, SqlTarget, StopSignal};
/// use placet_target_mysql::MySqlTarget;
///
/// let target = MySqlTarget::new("mysql://shop:secret@127.0.0.1:1/shop")
///     .with_read_only_url("mysql://reader:secret@127.0.0.1:1/shop")
///     .with_lock_wait_ms(5_000);
/// assert_eq!(target.dialect(), "mysql");
/// let refused = target.open(Access::ReadOnly, &StopSignal::new()).unwrap_err();
/// let SqlFailure::Unavailable(error) = refused else { panic!() };
/// assert_eq!(error.code(), Code::TargetUnavailable);
/// assert!(!format!("{target:?} {error}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct MySqlTarget {
    url: String,
    read_only_url: Option<String>,
    trust: Trust,
    pub(crate) waits: Waits,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "the unit")]
pub(crate) struct Waits {
    pub(crate) connect_ms: u64,
    pub(crate) lock_ms: u64,
    pub(crate) statement_ms: Option<u64>,
}

impl fmt::Debug for MySqlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlTarget").field("waits", &self.waits).finish_non_exhaustive()
    }
}

impl MySqlTarget {
    /// The database at `mysql://user:password@host:port/database`; a socket of this machine is
    /// `mysql://user@/database?socket=path`. Parts with signs of their own are percent-encoded.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            read_only_url: None,
            trust: Trust::default(),
            waits: Waits { connect_ms: 10_000, lock_ms: 2_000, statement_ms: None },
        }
    }

    /// Sets another URL for sessions that only read: another user, and perhaps a replica.
    #[must_use]
    pub fn with_read_only_url(mut self, url: impl Into<String>) -> Self {
        self.read_only_url = Some(url.into());
        self
    }

    /// Sets how long to wait for a lock that another session holds, in milliseconds; the server counts whole seconds,
    /// and at least one. Default 2,000.
    #[must_use]
    pub const fn with_lock_wait_ms(mut self, ms: u32) -> Self {
        self.waits.lock_ms = widened(ms);
        self
    }

    /// Sets how long a statement may take, in milliseconds. Default: as long as it takes.
    #[must_use]
    pub const fn with_statement_timeout_ms(mut self, ms: u32) -> Self {
        self.waits.statement_ms = Some(widened(ms));
        self
    }

    /// Sets how long connecting, encrypting and logging in may take each, in milliseconds. Default 10,000.
    #[must_use]
    pub const fn with_connect_timeout_ms(mut self, ms: u32) -> Self {
        self.waits.connect_ms = widened(ms);
        self
    }

    /// Encrypts connections on this machine's own network, too. All others are, unless [`Self::without_tls`] says no.
    /// Servers must show a certificate for the host in the URL.
    #[must_use]
    pub const fn with_tls(mut self) -> Self {
        self.trust.when = When::Always;
        self
    }

    /// Trusts the authorities in this file, in PEM form, and not those of the system; and encrypts as
    /// [`Self::with_tls`] says.
    #[must_use]
    pub fn with_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.trust = Trust { when: When::Always, authorities: Some(path.into()) };
        self
    }

    /// Encrypts nothing: whoever listens reads the data, and whoever steps between changes it.
    #[must_use]
    pub const fn without_tls(mut self) -> Self {
        self.trust.when = When::Never;
        self
    }

    /// A connection, with the credential for writing or the one for reading.
    pub(crate) fn connect(&self, writes: bool, stop: &StopSignal) -> Result<Client, SqlFailure> {
        let url = self.read_only_url.as_ref().filter(|_| !writes).unwrap_or(&self.url);
        let place = Place::parse(url)
            .map_err(|help| unavailable("the URL of the target cannot be used", help))?;
        let client = Client::connect(
            &Arc::new(place),
            &Arc::new(self.trust.clone()),
            stop,
            self.waits.connect_ms,
        );
        let mut client = client.map_err(while_opening)?;
        self.set_up(&mut client).map_err(while_opening)?;
        Ok(client)
    }

    /// Makes every session the same, whatever the server's defaults are.
    fn set_up(&self, client: &mut Client) -> Result<(), Fault> {
        let seconds = self.waits.lock_ms.div_ceil(1_000).max(1);
        let timeout = match (client.server.is_mariadb, self.waits.statement_ms) {
            (true, ms) => {
                let ms = ms.unwrap_or(0);
                format!("max_statement_time = {}.{:03}", ms / 1_000, ms % 1_000)
            }
            (false, ms) => format!("max_execution_time = {}", ms.unwrap_or(0)),
        };
        let _named = client.run("SET NAMES utf8mb4")?;
        let _set = client.run(&format!(
            "SET SESSION autocommit = 1, \
             sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
             time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, \
             sql_auto_is_null = 0, sql_select_limit = 18446744073709551615, \
             innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}, {timeout}"
        ))?;
        let _isolated = client.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        // The server's own limit comes first, where it has one.
        client.statement_ms = self.waits.statement_ms.map(|ms| ms.saturating_add(1_000));
        Ok(())
    }
}

impl SqlTarget for MySqlTarget {
    fn dialect(&self) -> &'static str {
        "mysql"
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        if let Some(reason) = stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        Ok(Box::new(MySqlSession::open(self, access, stop)?))
    }
}

const fn widened(ms: u32) -> u64 {
    let [a, b, c, d] = ms.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, 0, 0, 0, 0])
}
