//! That a transaction is still the one that we know, the session still who it was, and our tables untouched:
//! read from the server after each statement of somebody else's.
//!
//! How our tables are made takes the server as long to tell as a statement of DDL takes it to run. It is asked where it
//! matters: when a transaction begins, after whatever runs text or reaches what it does not name, before the host writes
//! a row of its own, and before a commit. In between nothing relies on it: whatever is found later undoes everything, and
//! what was made otherwise and then as before has left a row with another `xmin`. Whose transaction and session it is,
//! which tables are ours, and how many of their rows were changed, is asked after every single statement.

use placet_target::SqlFailure;
use tokio_postgres::{Row, Statement};

use crate::fault::{Trouble, refused};
use crate::forbidden::TABLES;
use crate::link::Link;
use crate::tables::Tables;

/// What must stay as it was from one statement to the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Glance {
    transaction: String,
    /// The roles, the settings that texts depend on, and which tables are ours.
    session: String,
    /// How many rows of our tables this transaction has changed, but for what is counted apart: what the host writes
    /// between two looks.
    changes: String,
    /// Rows that were inserted into the tables of markers and of steps.
    pub(crate) marks: [i64; 2],
    /// Rows that were inserted into, updated in and deleted from the table of kept rows.
    pub(crate) kept: [i64; 3],
}

/// What must stay as it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) glance: Glance,
    /// Whose our tables are, and how they are made.
    made: String,
    /// The files of our tables. Emptying a table gives it another one.
    files: String,
}

impl Seen {
    /// Whether session and tables are those of an earlier look, in whatever transaction.
    pub(crate) fn is_based_on(&self, base: &Self, is_rewritten: bool) -> bool {
        self.glance.session == base.glance.session
            && self.made == base.made
            && (is_rewritten || self.files == base.files)
    }
}

/// Asks for what must stay. Every name of it has its schema: the search path is theirs to change.
#[derive(Clone)]
pub(crate) struct Watch {
    everything: Statement,
    glance: Statement,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Depth {
    /// What every statement could change by itself.
    Glance,
    /// Also how our tables are made.
    Everything,
}

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
        let (everything, glance) =
            (question(tables, Depth::Everything), question(tables, Depth::Glance));
        let both = async {
            tokio::try_join!(link.client.prepare(&everything), link.client.prepare(&glance))
        };
        let (everything, glance) = link.watched(both).await?;
        Ok(Self { everything, glance })
    }

    /// Asks now, in whatever transaction there is.
    pub(crate) async fn look(&self, link: &Link) -> Result<Seen, SqlFailure> {
        let row = link.watched(self.ask(link, Depth::Everything)).await?;
        Ok(seen(&row)?)
    }

    /// The question, to be sent along with something else.
    pub(crate) async fn ask(
        &self,
        link: &Link,
        depth: Depth,
    ) -> Result<Row, tokio_postgres::Error> {
        let question = match depth {
            Depth::Glance => &self.glance,
            Depth::Everything => &self.everything,
        };
        link.client.query_one(question, &[]).await
    }
}

/// What the answer says, however much was asked.
pub(crate) fn glance(row: &Row) -> Result<Glance, Trouble> {
    let read = || -> Result<Glance, tokio_postgres::Error> {
        Ok(Glance {
            transaction: row.try_get(0)?,
            session: row.try_get(1)?,
            changes: row.try_get(2)?,
            marks: [row.try_get(3)?, row.try_get(4)?],
            kept: [row.try_get(5)?, row.try_get(6)?, row.try_get(7)?],
        })
    };
    read().map_err(Trouble::Said)
}

/// What the answer says where everything was asked.
pub(crate) fn seen(row: &Row) -> Result<Seen, Trouble> {
    let glance = glance(row)?;
    let read = || -> Result<Seen, tokio_postgres::Error> {
        Ok(Seen { glance, made: row.try_get(8)?, files: row.try_get(9)? })
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

fn question(tables: &Tables, depth: Depth) -> String {
    let settings: Vec<String> =
        SETTINGS.iter().map(|name| format!("pg_catalog.current_setting('{name}')")).collect();
    let count = |kind: &str, table: &str| {
        let name = tables.name(table);
        format!(
            "coalesce(pg_catalog.pg_stat_get_xact_tuples_{kind}(pg_catalog.to_regclass('{name}')), 0)"
        )
    };
    // By name and not by number: one that was renamed, dropped or put into another schema is none of ours.
    let oids: Vec<String> = TABLES
        .iter()
        .map(|table| {
            let name = tables.name(table);
            format!("coalesce(pg_catalog.to_regclass('{name}')::pg_catalog.oid, 0)")
        })
        .collect();
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
    let (ours, made) = match depth {
        Depth::Glance => (String::new(), String::new()),
        Depth::Everything => (ours(tables), made()),
    };
    format!(
        "{ours} SELECT coalesce(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, '-'),
            pg_catalog.concat_ws(' ', session_user, current_user, {settings},
                -- One that is kept for later reads its rows in the commit.
                (SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors k WHERE k.is_holdable), {oids}),
            pg_catalog.concat_ws('/', {changes}),
            {counts}{made}",
        settings = settings.join(", "),
        oids = oids.join(", "),
        changes = changes.join(", "),
        counts = counts.join(", "),
    )
}

/// Our tables as the catalog has them, to stand in front of the question.
fn ours(tables: &Tables) -> String {
    let all: Vec<String> = TABLES.iter().map(|name| format!("'{name}'")).collect();
    format!(
        "WITH ours AS MATERIALIZED (
            SELECT c.* FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('{schema}')
                AND c.relname OPERATOR(pg_catalog.=) ANY (ARRAY[{all}]::pg_catalog.name[]))",
        schema = tables.schema(),
        all = all.join(", "),
    )
}

/// The columns that tell how they are made.
fn made() -> String {
    // An array is looked up in an index, or compared with each row where the catalog was small when this was planned. A
    // join would go through our tables again for each row, and a script of DDL makes the catalogs grow.
    let made = CATALOGS.iter().map(|(catalog, table, part)| {
        format!(
            "SELECT pg_catalog.concat_ws('/', '{catalog}', x.{table}, x.{part}, x.xmin)
                FROM pg_catalog.{catalog} x
                WHERE x.{table} OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT o.oid FROM ours o))"
        )
    });
    format!(
        ", pg_catalog.concat_ws(' ',
                (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('/', o.oid, o.relname, o.relowner,
                        o.relkind, o.relpersistence, o.relhasrules, o.relhastriggers, o.relrowsecurity,
                        o.relforcerowsecurity, o.relhassubclass, o.relispartition, o.relnatts, o.relchecks,
                        coalesce(o.relacl::pg_catalog.text, '-')), ' ' ORDER BY o.relname)
                    FROM ours o),
                (SELECT pg_catalog.string_agg(m.line, ' ' ORDER BY m.line) FROM ({made}) AS m (line))),
            coalesce((SELECT pg_catalog.string_agg(o.relfilenode::pg_catalog.text, ' ' ORDER BY o.relname)
                FROM ours o), '-')",
        made = made.collect::<Vec<_>>().join(" UNION ALL "),
    )
}
