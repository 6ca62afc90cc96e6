//! Rows that somebody else changes between a run and its revert.

use super::world::{Dumps, NOTE, Table, World};
use crate::testing::Chance;
use crate::testing::exam::Exam;

/// One change of somebody else's: to a row that the run changed.
#[derive(Debug)]
pub(super) struct Tampering {
    /// The statement.
    pub(super) sql: String,
    table: usize,
    /// Where the key's number stands in a row, and the number.
    place: usize,
    number: String,
}

impl Tampering {
    /// A change of one of the rows that differ between the two dumps.
    pub(super) fn of(
        world: &World,
        exam: &Exam<'_>,
        chance: &mut Chance,
        (before, after): (&Dumps, &Dumps),
    ) -> Option<Self> {
        let mut possible = Vec::new();
        for (at, (table, (before, after))) in
            world.tables.iter().zip(before.iter().zip(after)).enumerate()
        {
            let Some(place) = table.number_place() else { continue };
            let number = |row: &Vec<String>| row.get(place).cloned();
            let left = after.iter().filter(|row| !before.contains(row));
            possible.extend(left.filter_map(number).map(|number| (at, place, number, true)));
            let is_there = |wanted: &String| after.iter().any(|row| row.get(place) == Some(wanted));
            let gone = before.iter().filter_map(number).filter(|number| !is_there(number));
            possible.extend(gone.map(|number| (at, place, number, false)));
        }
        let (at, place, number, is_there) = chance.one_of(&possible)?.clone();
        let table = world.tables.get(at)?;
        let sql = if is_there {
            change(exam, chance, table, (place, &number))?
        } else if table.columns.iter().filter(|column| column.is_key).count() == 1 {
            let (names, values) = world.row_of(exam, chance, (table, &number));
            if !has_its_parent(world, after, table, (&names, &values)) {
                return None;
            }
            exam.insert(&table.name, &names, &values)
        } else {
            return None;
        };
        Some(Self { sql, table: at, place, number })
    }

    /// What the tables must be after the revert: as before, but for the rows of somebody else.
    pub(super) fn wanted(&self, before: &Dumps, now: &Dumps) -> Dumps {
        let is_theirs = |row: &Vec<String>| row.get(self.place) == Some(&self.number);
        let mut wanted = before.clone();
        if let (Some(rows), Some(now)) = (wanted.get_mut(self.table), now.get(self.table)) {
            rows.retain(|row| !is_theirs(row));
            rows.extend(now.iter().filter(|row| is_theirs(row)).cloned());
            rows.sort();
        }
        wanted
    }
}

/// Whether the row that this one refers to is there: the run may have deleted it, and then nobody can enter this one.
fn has_its_parent(
    world: &World,
    after: &Dumps,
    table: &Table,
    (names, values): (&[String], &[String]),
) -> bool {
    let Some((refers, _)) = &table.refers else { return true };
    let value = names.iter().position(|name| name == refers).and_then(|at| values.get(at));
    let parent = world.tables.iter().position(|table| table.is_parent);
    let parent =
        parent.and_then(|at| Some((world.tables.get(at)?.number_place()?, after.get(at)?)));
    let (Some(value), Some((place, rows))) = (value, parent) else { return false };
    value == "NULL" || rows.iter().any(|row| row.get(place) == Some(value))
}

fn change(
    exam: &Exam<'_>,
    chance: &mut Chance,
    table: &Table,
    (place, number): (usize, &str),
) -> Option<String> {
    let key = exam.of.quoted(&table.columns.get(place)?.name);
    let name = exam.of.quoted(&table.name);
    if !table.is_parent && chance.is(30) {
        return Some(format!("DELETE FROM {name} WHERE {key} = {number}"));
    }
    // Never what somebody else wrote before.
    let text = exam.of.text(&format!("somebody else {}", chance.next_bits()));
    let note = exam.of.quoted(NOTE);
    Some(format!("UPDATE {name} SET {note} = {text} WHERE {key} = {number}"))
}
