//! Tables by chance, and the rows that are there before.

use super::values::Kind;
use crate::testing::exam::{Checked, Exam, ensure};
use crate::testing::{Chance, Examined};

/// The rows of every table.
pub(super) type Dumps = Vec<Vec<Vec<String>>>;

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_key: bool,
    pub(super) is_nullable: bool,
    /// What the database computes it from.
    pub(super) computed: Option<String>,
}

impl Column {
    fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, is_key: false, is_nullable: true, computed: None }
    }

    fn key(name: &str, kind: Kind) -> Self {
        Self { is_key: true, is_nullable: false, ..Self::new(name, kind) }
    }

    /// Whether a statement can set it.
    pub(super) fn is_settable(&self) -> bool {
        self.computed.is_none()
    }
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Whether the database makes up its key.
    pub(super) is_auto: bool,
    /// The column that refers to the first table, and what happens along.
    pub(super) refers: Option<(String, &'static str)>,
    /// Whether other rows change along with its rows.
    pub(super) has_trigger: bool,
    /// Whether rows of other tables refer to its rows.
    pub(super) is_parent: bool,
}

impl Table {
    /// The place of the whole number of its key.
    pub(super) fn number_place(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.is_key && column.kind == Kind::Integer)
    }
}

/// The tables of some scripts.
#[derive(Debug)]
pub(super) struct World {
    pub(super) tables: Vec<Table>,
    rows: Vec<String>,
    /// The next key that no row has.
    pub(super) next_key: u64,
    /// How many rows the first table has at first: their keys are the first numbers.
    pub(super) parents: u64,
}

/// The column that the tables without anything else have too.
pub(super) const NOTE: &str = "note";

const LOG: &str = "exam_dml_log";
const NAMES: [&str; 5] = [
    "exam_dml_parent",
    "exam_dml_pair",
    "exam dml; \"odd\" Ñame",
    "exam_dml_child",
    "exam_dml_plain",
];

impl World {
    /// Tables by chance.
    pub(super) fn new(exam: &Exam<'_>, chance: &mut Chance) -> Self {
        let mut tables = Vec::new();
        for (name, at) in NAMES.into_iter().zip(0_u32..) {
            let mut table = Table { name: name.to_owned(), ..Table::default() };
            match at {
                0 => {
                    table.is_auto = true;
                    table.is_parent = true;
                    table.columns.push(Column::key("id", Kind::Integer));
                }
                1 => {
                    table.columns.push(Column::key("part ½", Kind::KeyText));
                    table.columns.push(Column::key("select", Kind::Integer));
                }
                2 => table.columns.push(Column::key("Key", Kind::KeyText)),
                3 => {
                    table.columns.push(Column::key("id", Kind::Integer));
                    table.columns.push(Column::new("of_id", Kind::Integer));
                    let actions = ["", "", "ON DELETE CASCADE", "ON DELETE SET NULL"];
                    let action = chance.one_of(&actions).copied().unwrap_or_default();
                    table.refers = Some(("of_id".to_owned(), action));
                }
                _ if chance.is(50) => {
                    table.columns.push(Column::key("id", Kind::Integer));
                    table.has_trigger = chance.is(60);
                }
                _ => table.columns.push(Column::new("id", Kind::Integer)),
            }
            more_columns(exam.of, chance, &mut table);
            tables.push(table);
        }
        let mut world = Self { tables, rows: Vec::new(), next_key: 1, parents: 0 };
        world.rows = world.first_rows(exam, chance);
        world
    }

    fn first_rows(&mut self, exam: &Exam<'_>, chance: &mut Chance) -> Vec<String> {
        let mut rows = Vec::new();
        for table in self.tables.clone() {
            let count = chance.below(9).saturating_add(2);
            if table.is_parent {
                self.parents = count;
            }
            for _row in 0..count {
                let (names, mut values) = self.row(exam, chance, &table);
                // A text may say anything, even the name of a table that belongs to the host.
                if chance.is(5)
                    && let Some(note) = values.last_mut()
                {
                    *note = exam.of.text("see placet_marker and \"placet_kept\"");
                }
                rows.push(exam.insert(&table.name, &names, &values));
            }
        }
        rows
    }

    /// A row with a key that no other row has: names of columns, in quotes, and literals. The note is the last.
    pub(super) fn row(
        &mut self,
        exam: &Exam<'_>,
        chance: &mut Chance,
        table: &Table,
    ) -> (Vec<String>, Vec<String>) {
        let key = self.next_key;
        self.next_key = key.saturating_add(1);
        self.row_of(exam, chance, (table, &key.to_string()))
    }

    /// A row whose key has the number `key`.
    pub(super) fn row_of(
        &self,
        exam: &Exam<'_>,
        chance: &mut Chance,
        (table, key): (&Table, &str),
    ) -> (Vec<String>, Vec<String>) {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in table.columns.iter().filter(|column| column.is_settable()) {
            names.push(column.name.clone());
            let refers = table.refers.as_ref().is_some_and(|(name, _)| *name == column.name);
            values.push(if column.is_key && column.kind == Kind::Integer {
                key.to_owned()
            } else if column.is_key {
                exam.of.text(&format!("{key} it's"))
            } else if refers && chance.is(60) {
                chance.below(self.parents).saturating_add(1).to_string()
            } else if column.is_nullable && (refers || chance.is(25)) {
                "NULL".to_owned()
            } else {
                column.kind.literal(exam.of, chance)
            });
        }
        (names, values)
    }

    /// Makes the tables anew, with the rows that they have at first.
    pub(super) fn make(&self, exam: &Exam<'_>) {
        self.drop_all(exam);
        let of = exam.of;
        let options = of.dialect().table_options();
        let integer = of.words().integer;
        of.admin(&format!("CREATE TABLE {LOG} (n {integer}) {options}"));
        for table in &self.tables {
            of.admin(&self.create(of, table));
        }
        for row in &self.rows {
            of.admin(row);
        }
        for table in self.tables.iter().filter(|table| table.has_trigger) {
            for sql in of.dialect().trigger("exam_dml_trigger", &table.name, LOG) {
                of.admin(&sql);
            }
        }
    }

    fn create(&self, of: &dyn Examined, table: &Table) -> String {
        let mut parts = Vec::new();
        for column in &table.columns {
            let (name, word) = (of.quoted(&column.name), column.kind.word(of));
            let made = column
                .computed
                .as_ref()
                .and_then(|expression| of.dialect().generated(word, expression));
            parts.push(match made {
                Some(made) => format!("{name} {made}"),
                None if table.is_auto && column.is_key => format!("{name} {}", of.words().auto_key),
                None if column.is_nullable => format!("{name} {word}"),
                None => format!("{name} {word} NOT NULL"),
            });
        }
        let keys = table.columns.iter().filter(|column| column.is_key);
        let keys: Vec<_> = keys.map(|column| of.quoted(&column.name)).collect();
        if !keys.is_empty() && !table.is_auto {
            parts.push(format!("PRIMARY KEY ({})", keys.join(", ")));
        }
        if let (Some((column, action)), Some(parent)) = (&table.refers, self.tables.first()) {
            let (column, parent) = (of.quoted(column), of.quoted(&parent.name));
            let id = of.quoted("id");
            parts.push(format!("FOREIGN KEY ({column}) REFERENCES {parent} ({id}) {action}"));
        }
        let (name, options) = (of.quoted(&table.name), of.dialect().table_options());
        format!("CREATE TABLE {name} ({}) {options}", parts.join(", "))
    }

    /// Drops the tables.
    pub(super) fn drop_all(&self, exam: &Exam<'_>) {
        for table in self.tables.iter().rev() {
            exam.of.admin(&exam.of.dialect().drop_table(&table.name));
        }
        exam.of.admin(&exam.of.dialect().drop_table(LOG));
    }

    /// The rows of every table and of the log.
    pub(super) fn dump(&self, exam: &Exam<'_>) -> Dumps {
        let names = self.tables.iter().map(|table| table.name.as_str());
        names.chain([LOG]).map(|name| exam.dump(name)).collect()
    }

    /// Says where two dumps differ.
    pub(super) fn compare(&self, found: &Dumps, wanted: &Dumps) -> Checked {
        let names = self.tables.iter().map(|table| table.name.as_str()).chain([LOG]);
        for (name, (found, wanted)) in names.zip(found.iter().zip(wanted)) {
            let extra: Vec<_> = found.iter().filter(|row| !wanted.contains(row)).collect();
            let lost: Vec<_> = wanted.iter().filter(|row| !found.contains(row)).collect();
            ensure(found == wanted, || {
                format!("`{name}` has {extra:?} which it should not and lacks {lost:?}")
            })?;
        }
        Ok(())
    }
}

fn more_columns(of: &dyn Examined, chance: &mut Chance, table: &mut Table) {
    let names = ["a", "b c", "ç", "from"];
    let more = usize::try_from(chance.below(4).saturating_add(1)).unwrap_or(1);
    for name in names.into_iter().take(more) {
        let kind = chance.one_of(&Kind::PLAIN).copied().unwrap_or(Kind::Integer);
        let is_nullable = chance.is(70);
        table.columns.push(Column { is_nullable, ..Column::new(name, kind) });
    }
    let numbers =
        table.columns.iter().filter(|column| !column.is_key && column.kind == Kind::Integer);
    let number = numbers.map(|column| of.quoted(&column.name)).next();
    if let Some(number) = number
        && chance.is(50)
        && of.dialect().generated("", "").is_some()
    {
        let computed = Some(format!("{number} / 2"));
        table.columns.push(Column { computed, ..Column::new("computed", Kind::Integer) });
    }
    table.columns.push(Column::new(NOTE, Kind::Text));
}

impl Exam<'_> {
    /// An INSERT of one row. The names are quoted here.
    pub(super) fn insert(&self, table: &str, names: &[String], values: &[String]) -> String {
        let names: Vec<_> = names.iter().map(|name| self.of.quoted(name)).collect();
        let (table, names, values) = (self.of.quoted(table), names.join(", "), values.join(", "));
        format!("INSERT INTO {table} ({names}) VALUES ({values})")
    }
}
