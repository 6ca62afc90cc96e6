//! How the schema is made now, as one digest.

use placet_core::digest::Digest;
use placet_target::SqlFailure;
use tokio_postgres::types::Type;

use crate::fault::Trouble;
use crate::forbidden::TABLES;
use crate::marks::Typed;
use crate::work::Work;

/// What a name means, by the search path of whoever wrote it. `$1` the schemas, `$2` the names.
const NAMED: &str = "WITH asked AS (
        SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS asked (space, name))
    SELECT 'relation', c.oid, a.name FROM asked a
        JOIN pg_catalog.pg_class c
            ON pg_catalog.lower(c.relname::pg_catalog.text) OPERATOR(pg_catalog.=) a.name
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE CASE WHEN a.space IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
            ELSE pg_catalog.lower(n.nspname::pg_catalog.text) OPERATOR(pg_catalog.=) a.space END
    UNION ALL SELECT 'function', p.oid, a.name FROM asked a
        JOIN pg_catalog.pg_proc p
            ON pg_catalog.lower(p.proname::pg_catalog.text) OPERATOR(pg_catalog.=) a.name
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
        WHERE CASE WHEN a.space IS NULL THEN pg_catalog.pg_function_is_visible(p.oid)
            ELSE pg_catalog.lower(n.nspname::pg_catalog.text) OPERATOR(pg_catalog.=) a.space END
    UNION ALL SELECT 'type', t.oid, a.name FROM asked a
        JOIN pg_catalog.pg_type t
            ON pg_catalog.lower(t.typname::pg_catalog.text) OPERATOR(pg_catalog.=) a.name
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
        WHERE CASE WHEN a.space IS NULL THEN pg_catalog.pg_type_is_visible(t.oid)
            ELSE pg_catalog.lower(n.nspname::pg_catalog.text) OPERATOR(pg_catalog.=) a.space END";

/// Everything that a user made. `$1` the host's schema, `$2` the host's tables.
const ALL: &str = "WITH spaces AS (
        SELECT oid, nspname FROM pg_catalog.pg_namespace
        WHERE NOT pg_catalog.starts_with(nspname::pg_catalog.text, 'pg_')
        AND nspname OPERATOR(pg_catalog.<>) 'information_schema')
    SELECT 'relation', c.oid, '' FROM pg_catalog.pg_class c
        JOIN spaces s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE NOT (s.nspname::pg_catalog.text OPERATOR(pg_catalog.=) $1 AND EXISTS (
            SELECT FROM pg_catalog.unnest($2) AS ours (name)
            WHERE pg_catalog.starts_with(c.relname::pg_catalog.text, ours.name)))
    UNION ALL SELECT 'function', p.oid, '' FROM pg_catalog.pg_proc p
        JOIN spaces s ON s.oid OPERATOR(pg_catalog.=) p.pronamespace
    UNION ALL SELECT 'type', t.oid, '' FROM pg_catalog.pg_type t
        JOIN spaces s ON s.oid OPERATOR(pg_catalog.=) t.typnamespace
        WHERE t.typtype OPERATOR(pg_catalog.=) 'e' OR t.typtype OPERATOR(pg_catalog.=) 'd'";

/// Lines that say how relations (`$1`), functions (`$2`) and types (`$3`) are made. For a search path on which
/// only the server's own schema stands: then every other name is written with its schema.
const LINES: &str = "
    SELECT ROW('relation', c.oid::regclass, c.relkind, c.relpersistence, c.reloptions, c.relrowsecurity,
            c.relforcerowsecurity, c.relreplident, c.reltablespace, a.amname, pg_get_expr(c.relpartbound, c.oid),
            CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END)::text
        FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = ANY ($1)
    UNION ALL SELECT ROW('column', a.attrelid::regclass, a.attnum, a.attname,
            format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
            a.attcollation::regcollation, a.attoptions, a.attstorage, pg_get_expr(d.adbin, d.adrelid))::text
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT ROW('constraint', c.conrelid::regclass, c.conname, c.contype, c.convalidated,
            pg_get_constraintdef(c.oid))::text
        FROM pg_constraint c
        WHERE c.conrelid = ANY ($1) OR c.confrelid = ANY ($1) OR c.contypid = ANY ($3)
    UNION ALL SELECT ROW('index', i.indexrelid::regclass, i.indisvalid, i.indisready, i.indisclustered,
            i.indisreplident, pg_get_indexdef(i.indexrelid))::text
        FROM pg_index i WHERE i.indrelid = ANY ($1) OR i.indexrelid = ANY ($1)
    UNION ALL SELECT ROW('trigger', t.tgrelid::regclass, t.tgenabled, pg_get_triggerdef(t.oid),
            pg_get_functiondef(t.tgfoid))::text
        FROM pg_trigger t WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal
    UNION ALL SELECT ROW('rule', r.ev_class::regclass, r.ev_enabled, pg_get_ruledef(r.oid))::text
        FROM pg_rewrite r WHERE r.ev_class = ANY ($1)
    UNION ALL SELECT ROW('policy', p.polrelid::regclass, p.polname, p.polcmd, p.polpermissive,
            p.polroles::regrole[], pg_get_expr(p.polqual, p.polrelid),
            pg_get_expr(p.polwithcheck, p.polrelid))::text
        FROM pg_policy p WHERE p.polrelid = ANY ($1)
    UNION ALL SELECT ROW('parent', i.inhrelid::regclass, i.inhparent::regclass, i.inhseqno,
            i.inhdetachpending)::text
        FROM pg_inherits i WHERE i.inhrelid = ANY ($1) OR i.inhparent = ANY ($1)
    UNION ALL SELECT ROW('sequence', s.seqrelid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement,
            s.seqmax, s.seqmin, s.seqcache, s.seqcycle)::text
        FROM pg_sequence s WHERE s.seqrelid = ANY ($1)
    UNION ALL SELECT ROW('function', p.oid::regprocedure, pg_get_functiondef(p.oid))::text
        FROM pg_proc p WHERE p.oid = ANY ($2) AND p.prokind <> 'a'
    UNION ALL SELECT ROW('aggregate', p.oid::regprocedure, a.*)::text
        FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE p.oid = ANY ($2)
    UNION ALL SELECT ROW('type', t.oid::regtype, t.typtype, t.typnotnull, t.typdefault,
            format_type(t.typbasetype, t.typtypmod))::text
        FROM pg_type t WHERE t.oid = ANY ($3)
    UNION ALL SELECT ROW('label', e.enumtypid::regtype, e.enumsortorder, e.enumlabel)::text
        FROM pg_enum e WHERE e.enumtypid = ANY ($3)";

/// Objects by kind.
#[derive(Default)]
struct Found {
    relations: Vec<u32>,
    functions: Vec<u32>,
    types: Vec<u32>,
}

impl Work {
    /// The digest of how `objects` are made. The caller has begun to read, so the search path comes back by itself.
    pub(crate) async fn schema_digest(&self, objects: &[String]) -> Result<Digest, SqlFailure> {
        let mut lines = Vec::new();
        let found = if objects.is_empty() {
            self.everything().await?
        } else {
            self.named(objects, &mut lines).await?
        };
        let link = &self.link;
        link.watched(link.client.batch_execute("SET LOCAL search_path = pg_catalog")).await?;
        let typed: Typed<'_> = vec![
            (&found.relations, Type::OID_ARRAY),
            (&found.functions, Type::OID_ARRAY),
            (&found.types, Type::OID_ARRAY),
        ];
        for row in link.watched(link.client.query_typed(LINES, &typed)).await? {
            lines.push(row.try_get::<_, String>(0).map_err(Trouble::Said)?);
        }
        lines.sort_unstable();
        let mut bytes = Vec::new();
        for line in lines {
            // Its length first: then no line can look like two.
            bytes.extend(u64::try_from(line.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend(line.into_bytes());
        }
        Ok(Digest::of(&bytes))
    }

    async fn everything(&self) -> Result<Found, SqlFailure> {
        let schema = self.tables.schema().to_owned();
        let ours: Vec<String> = TABLES.iter().map(|name| (*name).to_owned()).collect();
        let typed: Typed<'_> = vec![(&schema, Type::TEXT), (&ours, Type::TEXT_ARRAY)];
        let (found, _names) = self.find(ALL, &typed).await?;
        Ok(found)
    }

    /// What the names mean. One that means nothing is a line of its own.
    async fn named(
        &self,
        objects: &[String],
        lines: &mut Vec<String>,
    ) -> Result<Found, SqlFailure> {
        let split = |object: &String| match object.split_once('.') {
            Some((space, name)) => (Some(space.to_owned()), name.to_owned()),
            None => (None, object.clone()),
        };
        let (spaces, names): (Vec<Option<String>>, Vec<String>) = objects.iter().map(split).unzip();
        let typed: Typed<'_> = vec![(&spaces, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)];
        let (found, seen) = self.find(NAMED, &typed).await?;
        let missing = objects.iter().zip(&names).filter(|(_, name)| !seen.contains(name));
        lines.extend(missing.map(|(object, _)| format!("missing {object}")));
        Ok(found)
    }

    async fn find(&self, sql: &str, typed: &Typed<'_>) -> Result<(Found, Vec<String>), SqlFailure> {
        let (mut found, mut names) = (Found::default(), Vec::new());
        for row in self.link.watched(self.link.client.query_typed(sql, typed)).await? {
            let kind: &str = row.try_get(0).map_err(Trouble::Said)?;
            let oid: u32 = row.try_get(1).map_err(Trouble::Said)?;
            match kind {
                "relation" => found.relations.push(oid),
                "function" => found.functions.push(oid),
                _ => found.types.push(oid),
            }
            names.push(row.try_get(2).map_err(Trouble::Said)?);
        }
        Ok((found, names))
    }
}
