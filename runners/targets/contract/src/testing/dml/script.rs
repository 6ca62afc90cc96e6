//! Statements by chance, and what each does to rows.

use super::values::{Kind, small};
use super::world::{Column, Table, World};
use crate::testing::Chance;
use crate::testing::exam::Exam;
use crate::{Touch, TouchKind};

/// A statement and what it does.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) touch: Touch,
}

impl World {
    /// One to five statements.
    pub(super) fn script(&mut self, exam: &Exam<'_>, chance: &mut Chance) -> Vec<Statement> {
        let count = chance.below(5).saturating_add(1);
        (0..count).filter_map(|_| self.statement(exam, chance)).collect()
    }

    fn statement(&mut self, exam: &Exam<'_>, chance: &mut Chance) -> Option<Statement> {
        let mut table = chance.one_of(&self.tables)?.clone();
        // The tables that cannot be kept would otherwise stop most scripts.
        if table.has_trigger || table.columns.iter().all(|column| !column.is_key) {
            let all = if chance.is(15) { &self.tables } else { self.tables.get(..4)? };
            table = chance.one_of(all)?.clone();
        }
        Some(match chance.below(10) {
            0..=2 => self.insert(exam, chance, &table),
            3..=7 => self.update(exam, chance, &table)?,
            _ => self.delete(exam, chance, &table),
        })
    }

    fn insert(&mut self, exam: &Exam<'_>, chance: &mut Chance, table: &Table) -> Statement {
        let made_up = table.is_auto && chance.is(40);
        let left_out: Vec<_> = table
            .columns
            .iter()
            .filter(|column| (column.is_nullable && chance.is(20)) || (column.is_key && made_up))
            .map(|column| column.name.clone())
            .collect();
        let mut names = Vec::new();
        let mut rows = Vec::new();
        for _row in 0..chance.below(3).saturating_add(1) {
            let (all, values) = self.row(exam, chance, table);
            let pairs = all.into_iter().zip(values).filter(|(name, _)| !left_out.contains(name));
            let (used, values): (Vec<_>, Vec<_>) = pairs.unzip();
            names = used;
            rows.push(values.join(", "));
        }
        let is_whole = names.len() == table.columns.len();
        let into = exam.of.quoted(&table.name);
        let quoted: Vec<_> = names.iter().map(|name| exam.of.quoted(name)).collect();
        let list = if is_whole && chance.is(50) {
            names = Vec::new();
            String::new()
        } else {
            format!(" ({})", quoted.join(", "))
        };
        let sql = match self.tables.first() {
            Some(parent) if chance.is(20) => {
                let (from, id) = (exam.of.quoted(&parent.name), exam.of.quoted("id"));
                let row = rows.first().cloned().unwrap_or_default();
                format!("INSERT INTO {into}{list} SELECT {row} FROM {from} WHERE {id} = 1")
            }
            _ => format!("INSERT INTO {into}{list} VALUES ({})", rows.join("), (")),
        };
        Statement { sql, touch: touch(TouchKind::Insert, table, names) }
    }

    fn update(&self, exam: &Exam<'_>, chance: &mut Chance, table: &Table) -> Option<Statement> {
        let of_key = chance.is(3);
        let can_be_set = |column: &&Column| {
            let is_reference = table.refers.as_ref().is_some_and(|(name, _)| *name == column.name);
            column.is_settable() && (of_key == column.is_key) && !is_reference
        };
        let settable: Vec<_> = table.columns.iter().filter(can_be_set).collect();
        let first = *chance.one_of(&settable)?;
        let mut set = vec![first];
        let second = *chance.one_of(&settable)?;
        if second.name != first.name && chance.is(40) {
            set.push(second);
        }
        let alias = chance.is(20).then(|| "o".to_owned());
        let parts = set.iter().map(|column| {
            format!("{} = {}", exam.of.quoted(&column.name), new_value(exam, chance, column))
        });
        let parts: Vec<_> = parts.collect();
        let condition = self.condition(exam, chance, (table, alias.as_deref()));
        let name = exam.of.quoted(&table.name);
        let named = alias.as_ref().map_or(name.clone(), |alias| format!("{name} AS {alias}"));
        let sql =
            format!("UPDATE {named} SET {}{}", parts.join(", "), where_(condition.as_deref()));
        let columns = set.iter().map(|column| column.name.clone()).collect();
        let touch = Touch { alias, condition, ..touch(TouchKind::Update, table, columns) };
        Some(Statement { sql, touch })
    }

    fn delete(&self, exam: &Exam<'_>, chance: &mut Chance, table: &Table) -> Statement {
        let condition = self.condition(exam, chance, (table, None));
        let from = exam.of.quoted(&table.name);
        let sql = format!("DELETE FROM {from}{}", where_(condition.as_deref()));
        Statement { sql, touch: Touch { condition, ..touch(TouchKind::Delete, table, Vec::new()) } }
    }

    fn condition(
        &self,
        exam: &Exam<'_>,
        chance: &mut Chance,
        (table, alias): (&Table, Option<&str>),
    ) -> Option<String> {
        if chance.is(10) {
            return None;
        }
        let first = self.term(exam, chance, (table, alias))?;
        if chance.is(60) {
            return Some(first);
        }
        let second = self.term(exam, chance, (table, alias))?;
        let word = if chance.is(50) { "AND" } else { "OR" };
        // A comment may end the condition, and with it the statement.
        let rest = if chance.is(10) { " -- and no more" } else { "" };
        Some(format!("{first} {word} NOT ({second}){rest}"))
    }

    fn term(
        &self,
        exam: &Exam<'_>,
        chance: &mut Chance,
        (table, alias): (&Table, Option<&str>),
    ) -> Option<String> {
        let keys: Vec<_> = table.columns.iter().filter(|column| column.is_key).cloned().collect();
        let column = if chance.is(40) { chance.one_of(&keys) } else { None };
        let column = column.or_else(|| chance.one_of(&table.columns))?;
        let qualifier = alias.map_or_else(|| exam.of.quoted(&table.name), ToOwned::to_owned);
        let name = exam.of.quoted(&column.name);
        let name = if chance.is(30) { format!("{qualifier}.{name}") } else { name };
        Some(match (chance.below(6), column.kind) {
            (0, _) => format!("{name} IS NULL"),
            (1, _) => format!("{name} IS NOT NULL"),
            (2, Kind::Integer) => {
                let other = self.tables.iter().find(|other| other.name != table.name)?;
                let integers = other.columns.iter().find(|column| column.kind == Kind::Integer);
                let of = integers.map(|column| exam.of.quoted(&column.name))?;
                let from = exam.of.quoted(&other.name);
                format!("{name} IN (SELECT s.{of} FROM {from} s)")
            }
            (_, Kind::Integer) => {
                let signs = ["=", "<", ">", "<=", "<>"];
                let sign = chance.one_of(&signs).copied().unwrap_or("=");
                let bound = small(chance).saturating_mul(3);
                format!("{name} {sign} {bound}")
            }
            (2, Kind::KeyText | Kind::Text) => format!("{name} LIKE 'a%'"),
            (3, Kind::KeyText | Kind::Text) => {
                let one = column.kind.literal(exam.of, chance);
                format!("{name} IN ({one}, 'b', '')")
            }
            (_, Kind::Double) => format!("{name} > 1"),
            (_, kind) => format!("{name} <> {}", kind.literal(exam.of, chance)),
        })
    }
}

fn new_value(exam: &Exam<'_>, chance: &mut Chance, column: &Column) -> String {
    if column.is_nullable && chance.is(20) {
        return "NULL".to_owned();
    }
    if column.kind == Kind::Integer && chance.is(40) {
        return format!("{} + 1", exam.of.quoted(&column.name));
    }
    column.kind.literal(exam.of, chance)
}

fn where_(condition: Option<&str>) -> String {
    condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default()
}

fn touch(kind: TouchKind, table: &Table, columns: Vec<String>) -> Touch {
    Touch { kind, table: vec![table.name.clone()], alias: None, columns, condition: None }
}
