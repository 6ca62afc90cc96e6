//! Making the tables, once, and refusing those of a newer version.

use placet_core::store::{StoreError, StoreErrorKind};
use tokio_postgres::types::Type;

use crate::fault::{Fault, damaged};
use crate::place::Place;
use crate::record::{FORMAT, Head};
use crate::session::{Link, Typed, texts};

const TABLES: &str = include_str!("schema.sql");

// The store does not know what its bytes mean, and these views do. They stand here because the seeds of
// the product promise these tables to whoever joins them, and only this store has SQL to show them with.
const VIEWS: &str = include_str!("views.sql");

/// Makes the tables where they are not there. Nodes that start together wait for each other; a role that
/// may not make tables can open a store that was made before.
pub(crate) async fn prepare(place: &Place, link: &Link) -> Result<(), Fault> {
    let what = "open the store at";
    if find(place, link, what).await? {
        return Ok(());
    }
    let schema = format!("\"{}\"", place.sql.schema);
    let sum = Head::START.sum();
    let made = async {
        link.batch(place, what, "BEGIN").await?;
        // Held until the end of the transaction: the second node finds the tables when it gets the lock.
        let lock = place.sql.migration_lock;
        link.ask(place, what, "SELECT pg_advisory_xact_lock($1)", &[(&lock, Type::INT8)]).await?;
        if !find(place, link, what).await? {
            // Not `IF NOT EXISTS`: that wants the right to make schemas even where there is one.
            let text = "SELECT 1 FROM pg_namespace WHERE nspname = $1::text";
            if link.ask(place, what, text, &texts([&place.sql.schema])).await?.is_empty() {
                link.batch(place, what, &format!("CREATE SCHEMA {schema}")).await?;
            }
            for script in [TABLES, VIEWS] {
                let script = script.replace("{s}", &schema).replace("{plain}", &place.sql.schema);
                link.batch(place, what, &script).await?;
            }
            let text = format!(
                "INSERT INTO {schema}.head (format, commits, log_len, sum) VALUES ($1, 0, 0, $2)"
            );
            let row: [Typed<'_>; 2] = [(&FORMAT, Type::INT4), (&sum.as_slice(), Type::BYTEA)];
            link.ask(place, what, &text, &row).await?;
        }
        link.batch(place, what, "COMMIT").await
    };
    let made = made.await;
    if made.is_err() {
        // A transaction that failed is over, whatever this answers.
        let _ended = link.batch(place, what, "ROLLBACK").await;
    }
    made
}

/// Whether the tables are there, in a form that this version reads.
async fn find(place: &Place, link: &Link, what: &str) -> Result<bool, Fault> {
    let schema = &place.sql.schema;
    let text = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1::text AND c.relname = 'head'";
    if link.ask(place, what, text, &texts([schema])).await?.is_empty() {
        return Ok(false);
    }
    let text = format!("SELECT format FROM \"{schema}\".head");
    let rows = link.ask(place, what, &text, &[]).await?;
    let format: Option<i32> = rows.first().and_then(|row| row.try_get(0).ok());
    match format {
        Some(FORMAT) => Ok(true),
        Some(format) => Err(Fault::never(unreadable(place, format))),
        None => Err(Fault::never(damaged("the head of the store is missing"))),
    }
}

/// Why tables in `format` cannot be used.
pub(crate) fn unreadable(place: &Place, format: i32) -> StoreError {
    if format < FORMAT {
        return damaged(format!("the store at {place} has the format {format}, which never was"));
    }
    let message = format!(
        "the store at {place} has the format {format}, and this version knows formats up to {FORMAT}"
    );
    StoreError::new(StoreErrorKind::NewerFormat, message)
        .with_help("use the version of placet that made it, or a later one")
}
