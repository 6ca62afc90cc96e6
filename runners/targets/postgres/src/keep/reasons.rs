//! Why the rows of a table cannot be put back, whatever they are.

use placet_target::{SqlFailure, Touch, TouchKind};
use tokio_postgres::types::Type;

use crate::fault::Trouble;
use crate::marks::Typed;
use crate::work::Work;

/// `$1` the table, `$2` the columns that are set, `$3` what is done. For the server's own search path.
const REASONS: &str = "WITH t AS (SELECT * FROM pg_class WHERE oid = $1),
    touched AS (
        SELECT attnum, attname, attidentity FROM pg_attribute
        WHERE attrelid = $1 AND attname::text = ANY ($2) AND attnum > 0 AND NOT attisdropped),
    keys AS (SELECT indkey::int2[] AS columns, indimmediate FROM pg_index
        WHERE indrelid = $1 AND indisprimary),
    referring AS (SELECT * FROM pg_constraint WHERE contype = 'f' AND confrelid = $1),
    parts AS (
        SELECT 'pg_attrdef'::regclass AS class, oid, 'a default or generated column' AS what FROM pg_attrdef
            WHERE adrelid = $1
        UNION ALL SELECT 'pg_constraint'::regclass, oid, format('the constraint %I', conname) FROM pg_constraint
            WHERE conrelid = $1
            OR contypid IN (SELECT atttypid FROM pg_attribute WHERE attrelid = $1 AND attnum > 0)
        UNION ALL SELECT 'pg_class'::regclass, indexrelid, format('the index %s', indexrelid::regclass)
            FROM pg_index WHERE indrelid = $1),
    called AS (
        SELECT p.what, f.oid::regprocedure AS name
        FROM parts p JOIN pg_depend d ON d.classid = p.class AND d.objid = p.oid
        LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
        JOIN pg_proc f ON f.provolatile = 'v' AND f.oid >= 16384
            AND f.oid = CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode::oid END)
    SELECT 1, 'it is a view, a foreign or a partitioned table, or a temporary one' FROM t
        WHERE relkind <> 'r' OR relpersistence = 't'
    UNION ALL SELECT 2, 'the table is one of the server''s own' FROM t
        WHERE relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    UNION ALL SELECT 3, 'the table is a partition, or inherits from another one or to another one' FROM t
        WHERE relispartition OR EXISTS (SELECT FROM pg_inherits WHERE $1 IN (inhrelid, inhparent))
    UNION ALL SELECT 4, 'the table has policies for its rows' FROM t WHERE relrowsecurity
    UNION ALL SELECT 5, format('the table has the rule %I', min(rulename::text)) FROM pg_rewrite
        WHERE ev_class = $1 HAVING count(*) > 0
    UNION ALL SELECT 6, format('the table has the trigger %I', min(tgname::text)) FROM pg_trigger
        WHERE tgrelid = $1 AND NOT tgisinternal AND tgenabled <> 'D' HAVING count(*) > 0
    UNION ALL SELECT 7, 'the table has no primary key' WHERE NOT EXISTS (SELECT FROM keys)
    UNION ALL SELECT 8, 'the primary key of the table is deferrable' FROM keys WHERE NOT indimmediate
    UNION ALL SELECT 9, format('the table has no column %I', name) FROM unnest($2) AS asked (name)
        WHERE name NOT IN (SELECT attname::text FROM touched)
    UNION ALL SELECT 10, format('%I belongs to the primary key', attname) FROM touched, keys
        WHERE $3 = 'update' AND attnum = ANY (columns)
    UNION ALL SELECT 11, format('%I is an identity column that only the database sets', attname)
        FROM touched WHERE $3 = 'update' AND attidentity = 'a'
    UNION ALL SELECT 12, format('the foreign key %I of %s follows changes of the rows', conname,
            conrelid::regclass)
        FROM referring
        WHERE $3 <> 'update' AND confdeltype IN ('c', 'n', 'd')
        OR $3 = 'update' AND confupdtype IN ('c', 'n', 'd')
            AND confkey && ARRAY (SELECT attnum FROM touched)
    UNION ALL SELECT 13, format('rows of the table refer to each other by %I', conname) FROM referring
        WHERE $3 <> 'update' AND conrelid = $1 AND NOT condeferred
    UNION ALL SELECT 14, format('values of %s must be different in all rows', indexrelid::regclass)
        FROM pg_index
        WHERE $3 = 'update' AND indrelid = $1 AND NOT indisprimary AND (indisunique OR indisexclusion)
            AND (indkey::int2[] && ARRAY (SELECT attnum FROM touched)
                OR indexprs IS NOT NULL OR indpred IS NOT NULL)
    UNION ALL SELECT 15, format('%s of the table calls %s, which may do anything', what, name) FROM called
    ORDER BY 1, 2 LIMIT 1";

impl Work {
    pub(super) async fn reason(
        &self,
        oid: u32,
        touch: &Touch,
    ) -> Result<Option<String>, SqlFailure> {
        let kind = match touch.kind {
            TouchKind::Insert => "insert",
            TouchKind::Update => "update",
            TouchKind::Delete => "delete",
        };
        let typed: Typed<'_> =
            vec![(&oid, Type::OID), (&touch.columns, Type::TEXT_ARRAY), (&kind, Type::TEXT)];
        let rows = self.link.watched(self.link.client.query_typed(REASONS, &typed)).await?;
        let why = rows.first().map(|row| row.try_get(1)).transpose();
        Ok(why.map_err(Trouble::Said)?)
    }
}
