//! SQL beside the product, to prepare a database and to look at it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet::runners::{MySqlTarget, PostgresTarget, SqlTarget, SqliteTarget};
use placet_target::testing::{MARIADB, POSTGRESQL, SQLITE, Spoken as _};
use rusqlite::types::ValueRef;

use super::mariadb::{self, MariaDb};
use crate::server::{self, Db, Server};

/// Which database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Kind {
    /// A type for texts that are keys.
    pub(crate) const fn text_key(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "text",
            Self::MariaDb => "varchar(190)",
        }
    }

    /// The table of the marker rows.
    pub(crate) const fn markers(self) -> &'static str {
        match self {
            Self::Sqlite | Self::MariaDb => "placet_marker",
            Self::Postgres => "placet.placet_marker",
        }
    }

    /// Counts the whole indexes named `made_<number>`.
    pub(crate) fn counts_index(self, number: u64) -> String {
        match self {
            Self::Sqlite => format!(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = 'made_{number}'"
            ),
            Self::Postgres => format!(
                "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
                 WHERE relname = 'made_{number}' AND indisvalid"
            ),
            Self::MariaDb => format!(
                "SELECT count(*) FROM information_schema.statistics \
                 WHERE table_schema = database() AND index_name = 'made_{number}'"
            ),
        }
    }
}

/// One database, empty at first, and the server that it is in.
pub(crate) struct Database {
    kind: Kind,
    address: String,
    // As long as somebody asks it.
    server: Asked,
}

/// Whom to ask beside the product.
enum Asked {
    /// A file.
    File(PathBuf),
    Postgres {
        _running: Arc<Server>,
    },
    MariaDb(Arc<MariaDb>, String),
    /// Nobody: a child only drives the product.
    Nobody,
}

impl Database {
    /// A new database, if its server is installed. Otherwise the test is over.
    pub(crate) fn begin(kind: Kind, folder: &Path) -> Option<Self> {
        let (address, server) = match kind {
            Kind::Sqlite => {
                let path = folder.join("target.db");
                drop(rusqlite::Connection::open(&path).unwrap());
                (path.display().to_string(), Asked::File(path))
            }
            Kind::Postgres => {
                let server = server::server()?;
                let name = server::fresh("target");
                server.db().run(&format!("CREATE DATABASE {name}"));
                let url = server.url();
                let address = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
                (address, Asked::Postgres { _running: server })
            }
            Kind::MariaDb => {
                let server = mariadb::server()?;
                let name = server::fresh("target");
                server.ask("mysql", &format!("CREATE DATABASE {name}")).unwrap();
                (server.url(&name), Asked::MariaDb(server, name))
            }
        };
        let word = match kind {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mariadb",
        };
        Some(Self { kind, address: format!("{word} {address}"), server })
    }

    /// The database at an [`Self::address`], for another process of the same test.
    pub(crate) fn at(address: &str) -> Self {
        let kind = match address.split_once(' ').unwrap().0 {
            "sqlite" => Kind::Sqlite,
            "postgres" => Kind::Postgres,
            _ => Kind::MariaDb,
        };
        Self { kind, address: address.to_owned(), server: Asked::Nobody }
    }

    /// Where it is, and what it is.
    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    fn place(&self) -> &str {
        self.address.split_once(' ').unwrap().1
    }

    /// It as a target of the product.
    pub(crate) fn target(&self) -> Arc<dyn SqlTarget> {
        match self.kind {
            Kind::Sqlite => Arc::new(SqliteTarget::new(self.place())),
            Kind::Postgres => {
                Arc::new(PostgresTarget::new(self.place()).allow_superuser_dry_runs())
            }
            Kind::MariaDb => Arc::new(MySqlTarget::new(self.place())),
        }
    }

    /// Runs statements beside the product.
    pub(crate) fn admin(&self, sql: &str) {
        match &self.server {
            Asked::File(path) => {
                rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
            }
            Asked::Postgres { .. } => Db::connect(self.place()).unwrap().run(sql),
            Asked::MariaDb(server, name) => drop(server.ask(name, sql).unwrap()),
            Asked::Nobody => panic!("a child asks nobody"),
        }
    }

    /// What a query answers, one text a row, with a tab between columns.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        match &self.server {
            Asked::File(path) => {
                let file = rusqlite::Connection::open(path).unwrap();
                let mut prepared = file.prepare(sql).unwrap();
                let columns = prepared.column_count();
                let text = |row: &rusqlite::Row<'_>| {
                    let values = (0..columns).map(|at| match row.get_ref(at).unwrap() {
                        ValueRef::Null => "NULL".to_owned(),
                        ValueRef::Integer(number) => number.to_string(),
                        ValueRef::Real(number) => number.to_string(),
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                            String::from_utf8_lossy(bytes).into_owned()
                        }
                    });
                    Ok(values.collect::<Vec<_>>().join("\t"))
                };
                prepared.query_map([], text).unwrap().map(Result::unwrap).collect()
            }
            Asked::Postgres { .. } => Db::connect(self.place()).unwrap().rows(sql),
            Asked::MariaDb(server, name) => server.ask(name, sql).unwrap(),
            Asked::Nobody => panic!("a child asks nobody"),
        }
    }

    /// Every row of a table, as one text each: two that differ look different. None where there is no such table.
    pub(crate) fn exact_rows(&self, table: &str) -> Vec<String> {
        match &self.server {
            Asked::File(path) => {
                let file = rusqlite::Connection::open(path).unwrap();
                let query = format!("SELECT * FROM {}", SQLITE.quoted(table));
                let Ok(mut prepared) = file.prepare(&query) else { return Vec::new() };
                let columns = prepared.column_count();
                // A floating-point number by its bits: two that print alike may differ.
                let exact = |value: ValueRef<'_>| match value {
                    ValueRef::Real(number) => format!("{:016x}", number.to_bits()),
                    other => format!("{other:?}"),
                };
                let text = |row: &rusqlite::Row<'_>| {
                    let values = (0..columns).map(|at| exact(row.get_ref(at).unwrap()));
                    Ok(values.collect::<Vec<_>>().join(", "))
                };
                prepared.query_map([], text).unwrap().map(Result::unwrap).collect()
            }
            Asked::Postgres { .. } => {
                let db = Db::connect(self.place()).unwrap();
                // The text of a whole row tells NULL from an empty text.
                let query = format!("SELECT x::text FROM {} AS x", POSTGRESQL.quoted(table));
                db.try_rows(&query).unwrap_or_default()
            }
            Asked::MariaDb(server, name) => {
                server.exact_rows(name, &MARIADB.quoted(table)).unwrap_or_default()
            }
            Asked::Nobody => panic!("a child asks nobody"),
        }
    }

    /// What a query of one number answers.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.rows(sql).first().unwrap().parse().unwrap()
    }
}
