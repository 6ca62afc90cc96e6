//! What must be known of a table whose rows are kept.

use placet_target::{SqlFailure, Touch};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::fault::{Trouble, refused};
use crate::forbidden;
use crate::lexer::{Token, pieces};
use crate::marks::Typed;
use crate::work::Work;

/// Types whose text is read back as the same value, whatever the session is set to: the session sets what their text
/// depends on. Domains over them, lists and ranges of them are as good.
const EXACT: &[&str] = &[
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "cidr",
    "circle",
    "date",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int8",
    "interval",
    "json",
    "jsonb",
    "lseg",
    "macaddr",
    "macaddr8",
    "name",
    "numeric",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
];

/// Columns that every table has.
const SYSTEM: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// A table of the target.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) oid: u32,
    /// With its schema, in quotes where it needs them.
    pub(super) name: String,
    /// Without, and as the database knows it.
    bare: String,
    pub(super) columns: Vec<Column>,
}

/// A column of it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalog")]
pub(super) struct Column {
    /// As the database knows it.
    pub(super) bare: String,
    /// In quotes where it needs them.
    pub(super) name: String,
    /// Its type, as a cast names it.
    pub(super) cast: String,
    /// The type that its values are made of in the end.
    leaf: String,
    is_exact: bool,
    /// Whether its type is not one of the server's own: then somebody may have made a cast to text for it.
    pub(super) is_made: bool,
    pub(super) is_generated: bool,
    /// Whether only the database sets it, unless it is overridden.
    pub(super) is_identity: bool,
    pub(super) is_key: bool,
}

impl Column {
    /// Whether the text of its values depends on the time zone of the session. They are compared as what they are;
    /// all others as text, which tells more values apart: 1.0 from 1.00.
    pub(super) fn has_zone(&self) -> bool {
        self.leaf == "timestamptz"
    }
}

const NAMES: &str = "SELECT c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) $1
        AND c.relname::pg_catalog.text OPERATOR(pg_catalog.=) $2";

const NAME: &str = "SELECT pg_catalog.to_regclass(pg_catalog.quote_ident($1))::pg_catalog.oid";

/// For the server's own search path. A list has its elements, a range its bounds, a domain its base.
const COLUMNS: &str = "WITH RECURSIVE inside (attnum, oid, depth) AS (
        SELECT attnum, atttypid, 0 FROM pg_attribute
        WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
    UNION ALL
        SELECT i.attnum, CASE
                WHEN t.typtype = 'd' THEN t.typbasetype
                WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem
                ELSE r.rngsubtype END, i.depth + 1
        FROM inside i JOIN pg_type t ON t.oid = i.oid
        LEFT JOIN pg_range r ON i.oid IN (r.rngtypid, r.rngmultitypid)
        WHERE t.typtype IN ('d', 'r', 'm') OR t.typcategory = 'A' AND t.typlen = -1),
    leaves AS (
        SELECT DISTINCT ON (i.attnum) i.attnum, t.typname, t.typtype, t.typnamespace
        FROM inside i JOIN pg_type t ON t.oid = i.oid ORDER BY i.attnum, i.depth DESC),
    chains AS (
        SELECT i.attnum, bool_or(t.typnamespace <> 'pg_catalog'::regnamespace) AS is_made,
            bool_or(t.typtypmod <> -1) AS has_length
        FROM inside i JOIN pg_type t ON t.oid = i.oid GROUP BY i.attnum)
    SELECT a.attname::text, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        l.typname::text,
        -- Text of a `bpchar` without a length has lost the blanks at its end; a length puts them back.
        l.typtype = 'e' OR l.typnamespace = 'pg_catalog'::regnamespace AND l.typname::text = ANY ($2)
            AND (l.typname <> 'bpchar' OR a.atttypmod <> -1 OR h.has_length),
        a.attgenerated <> '', a.attidentity = 'a',
        coalesce(a.attnum = ANY (k.indkey::int2[]), false),
        c.relname::text, format('%I.%I', n.nspname, c.relname), h.is_made
    FROM pg_attribute a JOIN leaves l ON l.attnum = a.attnum JOIN chains h ON h.attnum = a.attnum
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index k ON k.indrelid = a.attrelid AND k.indisprimary
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

impl Work {
    /// The table that the statement means, by the search path of whoever wrote it.
    pub(super) async fn find_table(&self, touch: &Touch) -> Result<Option<u32>, SqlFailure> {
        let (sql, typed): (_, Typed<'_>) = match touch.table.as_slice() {
            [schema, name] => (NAMES, vec![(schema, Type::TEXT), (name, Type::TEXT)]),
            [name] => (NAME, vec![(name, Type::TEXT)]),
            _ => return Ok(None),
        };
        let rows = self.link.watched(self.link.client.query_typed(sql, &typed)).await?;
        let oid = rows.first().map(|row| row.try_get::<_, Option<u32>>(0)).transpose();
        Ok(oid.map_err(Trouble::Said)?.flatten())
    }

    pub(super) async fn read_table(&self, oid: u32) -> Result<Table, SqlFailure> {
        let exact: Vec<String> = EXACT.iter().map(|name| (*name).to_owned()).collect();
        let typed: Typed<'_> = vec![(&oid, Type::OID), (&exact, Type::TEXT_ARRAY)];
        let rows = self.link.watched(self.link.client.query_typed(COLUMNS, &typed)).await?;
        let Some(first) = rows.first() else { return Err(refused("the table has no columns")) };
        let (bare, name) = named(first).map_err(Trouble::Said)?;
        let columns = rows.iter().map(column).collect::<Result<_, _>>().map_err(Trouble::Said)?;
        Ok(Table { oid, name, bare, columns })
    }
}

fn named(row: &Row) -> Result<(String, String), tokio_postgres::Error> {
    Ok((row.try_get(8)?, row.try_get(9)?))
}

fn column(row: &Row) -> Result<Column, tokio_postgres::Error> {
    Ok(Column {
        bare: row.try_get(0)?,
        name: row.try_get(1)?,
        cast: row.try_get(2)?,
        leaf: row.try_get(3)?,
        is_exact: row.try_get(4)?,
        is_generated: row.try_get(5)?,
        is_identity: row.try_get(6)?,
        is_key: row.try_get(7)?,
        is_made: row.try_get(10)?,
    })
}

impl Table {
    /// Why a row cannot be written as a statement and read back.
    pub(super) fn obstacle(&self, touch: &Touch) -> Option<String> {
        if forbidden::TABLES.contains(&self.bare.as_str()) {
            return Some("the table is the host's own".to_owned());
        }
        let names = self.columns.iter().map(|column| &column.bare).chain([&self.bare]);
        let mut named = names.chain(&touch.alias).filter(|name| {
            forbidden::why(&name.to_ascii_lowercase()).is_some()
                || forbidden::table_in(name).is_some()
        });
        if let Some(name) = named.next() {
            return Some(format!("a statement may not hold the name `{name}`"));
        }
        if let Some(name) = touch.condition.as_ref().and_then(|text| self.hidden_call(text)) {
            return Some(format!(
                "the condition asks for `{name}`, which is no column of the table"
            ));
        }
        let mut inexact = self.columns.iter().filter(|column| !column.is_exact);
        let column = inexact.next()?;
        Some(format!("values of `{}` ({}) cannot be kept exactly", column.bare, column.cast))
    }

    /// A name behind a dot that is no column of the table and no call: it may be a function of the row, written as if
    /// it were a column. Columns of other tables are not told apart from it.
    fn hidden_call(&self, condition: &str) -> Option<String> {
        let pieces = pieces(condition)?;
        let is_dot = |at: usize| pieces.get(at).is_some_and(|it| it.token == Token::Sign('.'));
        let opens = |at: usize| pieces.get(at).is_some_and(|it| it.token == Token::Sign('('));
        pieces.iter().enumerate().find_map(|(at, piece)| {
            let name = match piece.token {
                Token::Word(word) => word.to_ascii_lowercase(),
                Token::Quoted(quoted) => quoted.trim_matches('"').replace("\"\"", "\""),
                Token::Text | Token::Escaped | Token::End | Token::Sign(_) => return None,
            };
            let next = at.saturating_add(1);
            let is_behind = at.checked_sub(1).is_some_and(is_dot);
            let is_path = is_dot(next) || opens(next);
            // `OPERATOR(pg_catalog.=)` and `::pg_catalog.text` name no column either.
            let is_own = at
                .checked_sub(2)
                .is_some_and(|at| pieces.get(at).is_some_and(|it| it.is("pg_catalog")));
            let is_column = self.columns.iter().any(|column| column.bare == name)
                || SYSTEM.contains(&name.as_str());
            (is_behind && !is_path && !is_own && !is_column).then_some(name)
        })
    }

    /// What the statement calls the table, in quotes.
    pub(super) fn called(&self, touch: &Touch) -> String {
        quoted(touch.alias.as_ref().unwrap_or(&self.bare))
    }

    /// The columns that have values of their own.
    pub(super) fn own(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.is_generated)
    }
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
