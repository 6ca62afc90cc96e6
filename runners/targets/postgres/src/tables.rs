//! Our own tables in the target, in a schema of their own.

use placet_target::SqlFailure;
use tokio_postgres::types::Type;

use crate::fault::{Trouble, refused, unavailable};
use crate::forbidden::TABLES;
use crate::link::Link;

/// One who makes the tables waits for another who does. `placet` in ASCII.
const MAKING: i64 = 0x70_6c_61_63_65_74;

/// What the primary keys are, by table.
const KEYS: &[(&str, &str)] = &[
    ("placet_kept", "PRIMARY KEY (ordinal)"),
    ("placet_marker", "PRIMARY KEY (request, revision, attempt)"),
    ("placet_step", "PRIMARY KEY (request, revision, attempt, step)"),
];

/// Where our tables are.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    schema: String,
}

impl Tables {
    /// In this schema, whose name is made of lower-case letters, digits and `_`.
    pub(crate) fn new(schema: &str) -> Result<Self, SqlFailure> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = schema.starts_with(|first: char| first.is_ascii_lowercase());
        if !begins || schema.len() > 48 || !schema.bytes().all(letter) || schema.starts_with("pg_")
        {
            return Err(unavailable(
                "the name of the target's schema for the host's own tables cannot be used",
                "use lower-case letters, digits and `_`, a letter first and not `pg_`, at most 48 bytes",
            ));
        }
        Ok(Self { schema: schema.to_owned() })
    }

    /// The schema, which needs no quotes inside of quotes.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// A table of ours, as a statement names it.
    pub(crate) fn name(&self, table: &str) -> String {
        format!("\"{}\".{table}", self.schema)
    }

    /// Makes sure that all of them are there and nobody else's. Commits what it makes.
    pub(crate) async fn make(&self, link: &Link) -> Result<(), SqlFailure> {
        if self.are_there(link).await? {
            return self.check(link).await;
        }
        let made = self.try_make(link).await;
        if made.is_err() {
            drop(link.bounded(link.client.batch_execute("ROLLBACK")).await);
        }
        match made {
            Ok(()) => self.check(link).await,
            Err(Trouble::Stopped(reason)) => Err(SqlFailure::Stopped(reason)),
            Err(trouble) if trouble.refusal().is_some() => Err(unavailable(
                &format!(
                    "the tables by which the host marks what it did cannot be made in the schema `{}` of the target",
                    self.schema
                ),
                "make the schema and let the target's role own it, or let the role create one in the database",
            )),
            Err(trouble) => Err(trouble.into()),
        }
    }

    /// Whether each of the tables is there.
    pub(crate) async fn are_there(&self, link: &Link) -> Result<bool, SqlFailure> {
        let asked = TABLES
            .iter()
            .map(|table| format!("pg_catalog.to_regclass('{}') IS NOT NULL", self.name(table)));
        let sql = format!("SELECT ({})::pg_catalog.text", asked.collect::<Vec<_>>().join(" AND "));
        Ok(link.text(&sql).await?.as_deref() == Some("true"))
    }

    async fn try_make(&self, link: &Link) -> Result<(), Trouble> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
            SET LOCAL search_path = pg_catalog;
            SELECT pg_catalog.pg_advisory_xact_lock({MAKING});"
        );
        link.watched(link.client.batch_execute(&begin)).await?;
        let schema = &self.schema;
        let has_schema = format!("SELECT pg_catalog.to_regnamespace('{schema}')::pg_catalog.text");
        if link.text(&has_schema).await?.is_none() {
            let make = format!("CREATE SCHEMA \"{schema}\"");
            link.watched(link.client.batch_execute(&make)).await?;
        }
        let (marker, step, kept) =
            (self.name("placet_marker"), self.name("placet_step"), self.name("placet_kept"));
        let make = format!(
            "CREATE TABLE IF NOT EXISTS {marker} (
                request text NOT NULL, revision bigint NOT NULL, attempt bigint NOT NULL,
                fence bigint NOT NULL, digest text NOT NULL, at timestamptz NOT NULL,
                PRIMARY KEY (request, revision, attempt));
            CREATE TABLE IF NOT EXISTS {step} (
                request text NOT NULL, revision bigint NOT NULL, attempt bigint NOT NULL,
                step text NOT NULL, fence bigint NOT NULL, digest text NOT NULL, at timestamptz NOT NULL,
                state text NOT NULL CHECK (state IN ('intended', 'done')),
                PRIMARY KEY (request, revision, attempt, step));
            CREATE TABLE IF NOT EXISTS {kept} (
                ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                request text NOT NULL, revision bigint NOT NULL, attempt bigint NOT NULL,
                step text NOT NULL, row_key text, statement text NOT NULL);
            CREATE INDEX IF NOT EXISTS placet_kept_by_attempt ON {kept} (request, revision, attempt, step);
            COMMIT;"
        );
        link.watched(link.client.batch_execute(&make)).await
    }

    /// Makes sure that they are what they seem: ordinary tables of ours, whose rows nothing else changes.
    async fn check(&self, link: &Link) -> Result<(), SqlFailure> {
        let names: Vec<String> = TABLES.iter().map(|name| (*name).to_owned()).collect();
        let sql = "SELECT c.relname::pg_catalog.text,
                pg_catalog.pg_has_role(c.relowner, 'USAGE'),
                c.relkind OPERATOR(pg_catalog.=) 'r' AND c.relpersistence OPERATOR(pg_catalog.=) 'p'
                    AND NOT (c.relhasrules OR c.relhastriggers OR c.relrowsecurity OR c.relhassubclass
                        OR c.relispartition)
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef d
                        WHERE d.adrelid OPERATOR(pg_catalog.=) c.oid)
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                        WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND NOT i.indisprimary
                        AND (i.indisunique OR i.indisexclusion OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p
                        WHERE p.conrelid OPERATOR(pg_catalog.=) c.oid
                        AND p.contype OPERATOR(pg_catalog.<>) 'p' AND p.contype OPERATOR(pg_catalog.<>) 'n'
                        AND NOT (c.relname OPERATOR(pg_catalog.=) 'placet_step'
                            AND p.conname OPERATOR(pg_catalog.=) 'placet_step_state_check'))
                    AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) g
                        WHERE g.grantee OPERATOR(pg_catalog.<>) c.relowner
                        AND g.privilege_type OPERATOR(pg_catalog.<>) 'SELECT'),
                (SELECT pg_catalog.pg_get_constraintdef(p.oid) FROM pg_catalog.pg_constraint p
                    WHERE p.conrelid OPERATOR(pg_catalog.=) c.oid AND p.contype OPERATOR(pg_catalog.=) 'p')
            FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace($1)
                AND c.relname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[]::pg_catalog.name[])";
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&self.schema, Type::TEXT), (&names, Type::TEXT_ARRAY)];
        let rows = link.watched(link.client.query_typed(sql, &parameters)).await?;
        let mut sound = 0;
        for row in &rows {
            let name: String = row.try_get(0).map_err(Trouble::Said)?;
            let is_ours: bool = row.try_get(1).map_err(Trouble::Said)?;
            let is_plain: bool = row.try_get(2).map_err(Trouble::Said)?;
            let key: Option<String> = row.try_get(3).map_err(Trouble::Said)?;
            let due = KEYS.iter().find(|(table, _)| *table == name).map(|(_, key)| *key);
            if !is_ours || !is_plain || key.as_deref() != due {
                return Err(refused(format!(
                    "the target's table `{}.{name}` is not the host's own: it belongs to another role, others may write to it, \
                     or it has triggers, rules, policies, children, checks, defaults or another key",
                    self.schema
                )));
            }
            sound = u64::saturating_add(sound, 1);
        }
        if sound == 3 {
            Ok(())
        } else {
            Err(refused("a table of the host's is missing in the target"))
        }
    }
}
