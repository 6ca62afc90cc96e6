//! That a transaction is still the one that we know, the session still who it was, and our tables untouched:
//! read from the server after each statement of somebody else's.

use placet_target::SqlFailure;
use tokio_postgres::{Row, Statement};

use crate::fault::{Trouble, refused};
use crate::forbidden::TABLES;
use crate::link::Link;
use crate::tables::Tables;

/// What must stay as it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    /// The transaction, the roles, the settings that texts depend on, and our tables: which ones they are, whose,
    /// and how many rows this transaction has changed in them.
    rest: String,
    /// Rows that were inserted into, updated in and deleted from the table of kept rows.
    pub(crate) kept: [i64; 3],
}

/// Asks for what must stay. Every name of it has its schema: the search path is theirs to change.
#[derive(Clone)]
pub(crate) struct Watch(Statement);

impl core::fmt::Debug for Watch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Watch")
    }
}

/// Settings by which values become text and texts become statements.
const SETTINGS: &[&str] = &[
    "DateStyle",
    "IntervalStyle",
    "bytea_output",
    "extra_float_digits",
    "standard_conforming_strings",
    "synchronous_commit",
];

impl Watch {
    pub(crate) async fn prepare(link: &Link, tables: &Tables) -> Result<Self, SqlFailure> {
        let sql = question(tables);
        Ok(Self(link.watched(link.client.prepare(&sql)).await?))
    }

    /// Asks now, in whatever transaction there is.
    pub(crate) async fn look(&self, link: &Link) -> Result<Seen, SqlFailure> {
        let row = link.watched(self.ask(link)).await?;
        Ok(seen(&row)?)
    }

    /// The question, to be sent along with something else.
    pub(crate) async fn ask(&self, link: &Link) -> Result<Row, tokio_postgres::Error> {
        link.client.query_one(&self.0, &[]).await
    }
}

/// What the answer says.
pub(crate) fn seen(row: &Row) -> Result<Seen, Trouble> {
    let read = || -> Result<Seen, tokio_postgres::Error> {
        let kept = [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
        Ok(Seen { rest: row.try_get(0)?, kept })
    };
    read().map_err(Trouble::Said)
}

/// Why the transaction cannot go on.
pub(crate) fn changed() -> SqlFailure {
    refused(
        "the statement left the host's transaction, changed the session or touched the host's own tables; \
         everything was rolled back",
    )
}

fn question(tables: &Tables) -> String {
    let settings: Vec<String> =
        SETTINGS.iter().map(|name| format!("pg_catalog.current_setting('{name}')")).collect();
    let counts = |kind: &str| {
        let name = tables.name("placet_kept");
        format!(
            "coalesce(pg_catalog.pg_stat_get_xact_tuples_{kind}(pg_catalog.to_regclass('{name}')), 0)"
        )
    };
    // Kept rows are counted apart: the host writes them between two looks.
    let others =
        TABLES.iter().filter(|name| **name != "placet_kept").map(|name| format!("'{name}'"));
    let all = TABLES.iter().map(|name| format!("'{name}'"));
    format!(
        "SELECT pg_catalog.concat_ws(' ',
            coalesce(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, '-'),
            session_user, current_user, {settings},
            (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('/', c.oid, c.relname, c.relowner,
                    c.relfilenode, c.relkind, c.relhasrules, c.relhastriggers, c.relrowsecurity,
                    c.relhassubclass), ' ' ORDER BY c.relname)
                FROM pg_catalog.pg_class c
                WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('{schema}')
                AND c.relname OPERATOR(pg_catalog.=) ANY (ARRAY[{all}]::pg_catalog.name[])),
            (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('/',
                    pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid),
                    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid),
                    pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)), ' ' ORDER BY c.relname)
                FROM pg_catalog.pg_class c
                WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('{schema}')
                AND c.relname OPERATOR(pg_catalog.=) ANY (ARRAY[{others}]::pg_catalog.name[]))),
            {inserted}, {updated}, {deleted}",
        settings = settings.join(", "),
        schema = tables.schema(),
        all = all.collect::<Vec<_>>().join(", "),
        others = others.collect::<Vec<_>>().join(", "),
        inserted = counts("inserted"),
        updated = counts("updated"),
        deleted = counts("deleted"),
    )
}
