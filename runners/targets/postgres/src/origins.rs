//! Where the columns of an answer come from.

use std::collections::BTreeMap;

use placet_target::{Origin, SqlFailure};
use tokio_postgres::Column;

use crate::fault::Trouble;
use crate::link::Link;

// Only a table holds its own columns: a view's are those of other tables under names of its own, and so are
// nobody's. Rows of a partition or a child are rows of what it belongs to: the column is that of the topmost table that
// hands it down. No condition here is one that an operator of theirs could answer.
const ASK: &str = "WITH RECURSIVE up (relid, num, above, name, depth) AS (
        SELECT a.attrelid, a.attnum, a.attrelid, a.attname, 0
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int2[]))
            AS asked (relid, num)
        JOIN pg_catalog.pg_attribute a
            ON a.attrelid OPERATOR(pg_catalog.=) asked.relid AND a.attnum OPERATOR(pg_catalog.=) asked.num
        JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
            AND (c.relkind OPERATOR(pg_catalog.=) 'r' OR c.relkind OPERATOR(pg_catalog.=) 'p')
    UNION ALL
        SELECT u.relid, u.num, i.inhparent, u.name, u.depth OPERATOR(pg_catalog.+) 1
        FROM up u JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) u.above
        JOIN pg_catalog.pg_attribute p ON p.attrelid OPERATOR(pg_catalog.=) i.inhparent
            AND p.attname OPERATOR(pg_catalog.=) u.name)
    SELECT DISTINCT ON (u.relid, u.num) u.relid, u.num, c.relname::pg_catalog.text, u.name::pg_catalog.text
    FROM up u JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) u.above
    ORDER BY u.relid, u.num, u.depth DESC, u.above";

/// Columns by table and number, as long as nothing changed the schema.
#[derive(Debug, Default)]
pub(crate) struct Origins(BTreeMap<(u32, i16), Origin>);

impl Origins {
    /// Somebody may have renamed something.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// The origin of each of `columns`.
    pub(crate) async fn of(
        &mut self,
        link: &Link,
        columns: &[Column],
    ) -> Result<Vec<Option<Origin>>, SqlFailure> {
        let keys: Vec<_> =
            columns.iter().map(|column| column.table_oid().zip(column.column_id())).collect();
        let mut missing: Vec<(u32, i16)> = keys.iter().flatten().copied().collect();
        missing.retain(|key| !self.0.contains_key(key));
        if !missing.is_empty() {
            let (tables, numbers): (Vec<u32>, Vec<i16>) = missing.into_iter().unzip();
            let rows = link.watched(link.client.query(ASK, &[&tables, &numbers])).await?;
            for row in rows {
                let read = || -> Result<_, tokio_postgres::Error> {
                    let origin = Origin { table: row.try_get(2)?, column: row.try_get(3)? };
                    Ok(((row.try_get(0)?, row.try_get(1)?), origin))
                };
                let (key, origin) = read().map_err(Trouble::Said)?;
                let _replaced = self.0.insert(key, origin);
            }
        }
        Ok(keys.into_iter().map(|key| key.and_then(|key| self.0.get(&key).cloned())).collect())
    }
}
