//! The statements that put rows back. Each changes one row, and only while it is as the attempt left it.

use placet_target::SqlFailure;

use crate::failure::refused;
use crate::keep::image::{self, Image};
use crate::keep::table::{Field, Table, quoted};

type Written = fn(&Field, Option<&[u8]>) -> Option<String>;

/// What `write` makes of each of the columns that `wanted` names.
fn parts(
    table: &Table,
    image: &Image,
    write: Written,
    wanted: impl Fn(&Field) -> bool,
) -> Result<Vec<String>, SqlFailure> {
    let values = image.values(table).filter(|(field, _)| wanted(field));
    let parts = values.map(|(field, bytes)| {
        write(field, bytes).ok_or_else(|| {
            refused(format!("a value of the column `{}` cannot be kept exactly", field.name))
        })
    });
    parts.collect()
}

/// The condition that means the row with this key.
pub(super) fn key_is(table: &Table, image: &Image) -> Result<String, SqlFailure> {
    let parts = parts(table, image, image::key_is, |field| field.is_key)?;
    Ok(format!("({})", parts.join(" AND ")))
}

/// The condition that the row is exactly so.
fn is_exactly(table: &Table, image: &Image) -> Result<String, SqlFailure> {
    let exactly = parts(table, image, image::is_exactly, |_| true)?.join(" AND ");
    Ok(format!("{} AND {exactly}", key_is(table, image)?))
}

/// Takes an inserted row away.
pub(super) fn of_insert(table: &Table, new: &Image) -> Result<String, SqlFailure> {
    Ok(format!("DELETE FROM {} WHERE {}", table.path(), is_exactly(table, new)?))
}

/// Gives a changed row its values back. Columns that take the time by themselves are set in any case, or they would
/// take it again.
pub(super) fn of_update(table: &Table, old: &Image, new: &Image) -> Result<String, SqlFailure> {
    let mut sets = Vec::new();
    for ((field, before), (_, after)) in old.values(table).zip(new.values(table)) {
        if before != after || field.follows {
            let value = image::value(field, before).ok_or_else(|| {
                refused(format!("a value of the column `{}` cannot be kept exactly", field.name))
            })?;
            sets.push(format!("{} = {value}", quoted(&field.name)));
        }
    }
    let (path, sets) = (table.path(), sets.join(", "));
    Ok(format!("UPDATE {path} SET {sets} WHERE {}", is_exactly(table, new)?))
}

/// Puts a deleted row back, as long as no other has its key.
pub(super) fn of_delete(table: &Table, old: &Image) -> Result<String, SqlFailure> {
    let counts_anew = |(field, bytes): (&Field, Option<&[u8]>)| field.counts && bytes == Some(b"0");
    if old.values(table).any(counts_anew) {
        return Err(refused(
            "a row with 0 in its AUTO_INCREMENT column would come back with another number",
        ));
    }
    let names: Vec<String> = table.kept().map(|field| quoted(&field.name)).collect();
    let values = parts(table, old, image::value, |_| true)?.join(", ");
    let (path, key) = (table.path(), key_is(table, old)?);
    Ok(format!(
        "INSERT INTO {path} ({}) SELECT {values} FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM {path} WHERE {key})",
        names.join(", ")
    ))
}
