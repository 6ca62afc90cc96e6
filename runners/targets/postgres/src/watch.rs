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
    transaction: String,
    /// The roles, the settings that texts depend on, and our tables: which ones they are, whose, and how they are made.
    rest: String,
    /// The files of our tables. Emptying a table gives it another one.
    files: String,
    /// How many rows of our tables this transaction has changed, but for what is counted apart: what the host writes
    /// between two looks.
    changes: String,
    /// Rows that were inserted into the tables of markers and of steps.
    pub(crate) marks: [i64; 2],
    /// Rows that were inserted into, updated in and deleted from the table of kept rows.
    pub(crate) kept: [i64; 3],
}

impl Seen {
    /// Whether session and tables are those of an earlier look, in whatever transaction.
    pub(crate) fn is_based_on(&self, base: &Self, is_rewritten: bool) -> bool {
        self.rest == base.rest && (is_rewritten || self.files == base.files)
    }
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
        Ok(Seen {
            transaction: row.try_get(0)?,
            rest: row.try_get(1)?,
            files: row.try_get(2)?,
            changes: row.try_get(3)?,
            marks: [row.try_get(4)?, row.try_get(5)?],
            kept: [row.try_get(6)?, row.try_get(7)?, row.try_get(8)?],
        })
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

/// How our tables are made, besides what stands in `pg_class`: each of these catalogs has a row that is new wherever
/// something was made otherwise. The column by which it names the table, and the one by which it tells rows apart.
const CATALOGS: &[(&str, &str, &str)] = &[
    ("pg_attribute", "attrelid", "attnum"),
    ("pg_attrdef", "adrelid", "oid"),
    ("pg_constraint", "conrelid", "oid"),
    ("pg_index", "indrelid", "indexrelid"),
    ("pg_trigger", "tgrelid", "oid"),
    ("pg_rewrite", "ev_class", "oid"),
    ("pg_policy", "polrelid", "oid"),
    ("pg_inherits", "inhparent", "inhrelid"),
];

fn question(tables: &Tables) -> String {
    let settings: Vec<String> =
        SETTINGS.iter().map(|name| format!("pg_catalog.current_setting('{name}')")).collect();
    let count = |kind: &str, table: &str| {
        let name = tables.name(table);
        format!(
            "coalesce(pg_catalog.pg_stat_get_xact_tuples_{kind}(pg_catalog.to_regclass('{name}')), 0)"
        )
    };
    let made = CATALOGS.iter().map(|(catalog, table, part)| {
        format!(
            "SELECT pg_catalog.concat_ws('/', '{catalog}', x.{table}, x.{part}, x.xmin)
                FROM pg_catalog.{catalog} x
                WHERE x.{table} OPERATOR(pg_catalog.=) ANY (SELECT o.oid FROM ours o)"
        )
    });
    let all: Vec<String> = TABLES.iter().map(|name| format!("'{name}'")).collect();
    let changes: Vec<String> = ["placet_marker", "placet_step"]
        .into_iter()
        .flat_map(|table| [count("updated", table), count("deleted", table)])
        .collect();
    let counts = [
        count("inserted", "placet_marker"),
        count("inserted", "placet_step"),
        count("inserted", "placet_kept"),
        count("updated", "placet_kept"),
        count("deleted", "placet_kept"),
    ];
    format!(
        "WITH ours AS MATERIALIZED (
            SELECT c.* FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('{schema}')
                AND c.relname OPERATOR(pg_catalog.=) ANY (ARRAY[{all}]::pg_catalog.name[]))
        SELECT coalesce(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, '-'),
            pg_catalog.concat_ws(' ', session_user, current_user, {settings},
                -- One that is kept for later reads its rows in the commit.
                (SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors k WHERE k.is_holdable),
                (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('/', o.oid, o.relname, o.relowner,
                        o.relkind, o.relpersistence, o.relhasrules, o.relhastriggers, o.relrowsecurity,
                        o.relforcerowsecurity, o.relhassubclass, o.relispartition, o.relnatts, o.relchecks,
                        coalesce(o.relacl::pg_catalog.text, '-')), ' ' ORDER BY o.relname)
                    FROM ours o),
                (SELECT pg_catalog.string_agg(m.line, ' ' ORDER BY m.line) FROM ({made}) AS m (line))),
            coalesce((SELECT pg_catalog.string_agg(o.relfilenode::pg_catalog.text, ' ' ORDER BY o.relname)
                FROM ours o), '-'),
            pg_catalog.concat_ws('/', {changes}),
            {counts}",
        settings = settings.join(", "),
        schema = tables.schema(),
        all = all.join(", "),
        made = made.collect::<Vec<_>>().join(" UNION ALL "),
        changes = changes.join(", "),
        counts = counts.join(", "),
    )
}
