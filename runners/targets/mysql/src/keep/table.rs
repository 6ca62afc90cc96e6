//! How a table is made, and whether its rows can be kept.

use placet_target::{Touch, TouchKind};

use crate::keep::sight;
use crate::marks::literal;
use crate::wire::answer::TextRow;
use crate::wire::{Client, Fault};

/// How values of a column are read and written, so that they come back exactly.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Class {
    /// Whole numbers and decimals: their digits.
    Number,
    /// Floating-point numbers: as many digits as bring the same one back.
    Float,
    /// Bits, as a whole number.
    Bits,
    /// Texts in a character set: their bytes.
    Text(String),
    /// One of a list of texts in a character set.
    Choice(String),
    /// Bytes.
    Bytes,
    /// Moments, addresses and the like, that have one way to be written.
    Plain,
}

/// A column whose values are kept.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) class: Class,
    /// Part of the primary key.
    pub(super) is_key: bool,
    /// Takes the time by itself when its row changes.
    pub(super) follows: bool,
    /// Takes a number by itself where it is 0.
    pub(super) counts: bool,
}

/// A table whose rows can be kept.
#[derive(Clone, Debug)]
pub(super) struct Table {
    schema: Option<String>,
    name: String,
    fields: Vec<Field>,
}

/// A name in backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The table's name, as a statement writes it.
fn written(schema: Option<&str>, name: &str) -> String {
    let name = quoted(name);
    schema.map_or_else(|| name.clone(), |schema| format!("{}.{name}", quoted(schema)))
}

/// Whether the name means a temporary table of the session, whoever made it: a statement, or a function that one called.
/// `information_schema` tells of the table behind it.
fn is_temporary(client: &mut Client, path: &str) -> Result<bool, Fault> {
    let rows = client.rows(&format!("SHOW CREATE TABLE {path}"))?;
    let [row] = rows.as_slice() else { return Err(Fault::Malformed) };
    Ok(!text(row, 1).starts_with("CREATE TABLE"))
}

fn text(row: &TextRow, at: usize) -> String {
    let bytes = row.get(at).and_then(Option::as_deref).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

impl Table {
    /// Reads how the table is made; or says why rows of it cannot be kept from such a statement.
    pub(super) fn read(client: &mut Client, touch: &Touch) -> Result<Result<Self, String>, Fault> {
        let (schema, name) = match touch.table.as_slice() {
            [name] => (None, name.clone()),
            [schema, name] => (Some(schema.clone()), name.clone()),
            _ => return Ok(Err("the table is not named".to_owned())),
        };
        if touch.kind == TouchKind::Insert
            && !(client.server.is_mariadb && client.server.version >= (10, 5, 0))
        {
            return Ok(Err("this server does not tell the keys of inserted rows".to_owned()));
        }
        let path = Path {
            schema: schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal),
            name: literal(&name),
        };
        if let Some(why) = path.is_unfit(client)? {
            return Ok(Err(why.to_owned()));
        }
        if is_temporary(client, &written(schema.as_deref(), &name))? {
            return Ok(Err("a temporary table of this session has the name".to_owned()));
        }
        let key = path.key(client)?;
        let fields = match path.fields(client, &key)? {
            Ok(fields) => fields,
            Err(why) => return Ok(Err(why)),
        };
        if key.is_empty() || fields.iter().filter(|field| field.is_key).count() != key.len() {
            return Ok(Err("the table has no primary key of whole, stored columns".to_owned()));
        }
        let in_key = |column: &String| key.iter().any(|part| part.eq_ignore_ascii_case(column));
        if touch.kind == TouchKind::Update && touch.columns.iter().any(in_key) {
            return Ok(Err("the statement changes the primary key".to_owned()));
        }
        Ok(Ok(Self { schema, name, fields }))
    }

    /// The table's name, as a statement writes it.
    pub(super) fn path(&self) -> String {
        written(self.schema.as_deref(), &self.name)
    }

    /// The columns whose values are kept. The server makes the others from them.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// What is read of a row, in the order of [`Self::kept`].
    pub(super) fn images(&self) -> String {
        let images: Vec<String> = self.kept().map(Field::image).collect();
        images.join(", ")
    }
}

impl Field {
    /// What is read of the column: a text or bytes that mean its value exactly.
    pub(super) fn image(&self) -> String {
        let name = quoted(&self.name);
        match self.class {
            Class::Number => format!("CONCAT({name})"),
            Class::Float => format!("CONCAT({name} + 0e0)"),
            Class::Bits => format!("CONCAT({name} + 0)"),
            Class::Text(_) | Class::Choice(_) | Class::Bytes => format!("CAST({name} AS BINARY)"),
            Class::Plain => format!("CAST({name} AS CHAR)"),
        }
    }
}

/// Schema and name as literals.
struct Path {
    schema: String,
    name: String,
}

impl Path {
    fn is(&self, schema: &str, name: &str) -> String {
        format!("{schema} = {} AND {name} = {}", self.schema, self.name)
    }

    fn is_unfit(&self, client: &mut Client) -> Result<Option<&'static str>, Fault> {
        let which = self.is("table_schema", "table_name");
        let tables = client.rows(&format!(
            "SELECT table_type, engine, create_options FROM information_schema.tables WHERE {which}"
        ))?;
        let [table] = tables.as_slice() else { return Ok(Some("there is no such table")) };
        if text(table, 0) != "BASE TABLE" {
            return Ok(Some("it is no plain table"));
        }
        if !text(table, 1).eq_ignore_ascii_case("innodb") {
            return Ok(Some("the table is not kept by InnoDB"));
        }
        if text(table, 2).contains("partitioned") {
            return Ok(Some("the table is partitioned"));
        }
        if !sight::shows_triggers(client, &self.schema, &self.name)? {
            return Ok(Some("the target's user may not see triggers (the privilege TRIGGER)"));
        }
        if !sight::shows_all_tables(client)? {
            return Ok(Some(
                "the target's user may not see every table of the server, and one that it does not see may change along \
                 (a privilege on all tables is enough, such as REFERENCES ON *.*)",
            ));
        }
        let which = self.is("event_object_schema", "event_object_table");
        let sql = format!("SELECT 1 FROM information_schema.triggers WHERE {which}");
        if !client.rows(&sql)?.is_empty() {
            return Ok(Some("the table has triggers"));
        }
        let which = self.is("unique_constraint_schema", "referenced_table_name");
        let referring = client.rows(&format!(
            "SELECT update_rule, delete_rule, \
             constraint_schema = unique_constraint_schema AND table_name = referenced_table_name \
             FROM information_schema.referential_constraints WHERE {which}"
        ))?;
        for key in referring {
            let is_quiet = |rule: String| rule == "RESTRICT" || rule == "NO ACTION";
            if !is_quiet(text(&key, 0)) || !is_quiet(text(&key, 1)) {
                return Ok(Some(
                    "a foreign key changes rows of another table with those of this one",
                ));
            }
            if text(&key, 2) == "1" {
                return Ok(Some("the table refers to itself"));
            }
        }
        Ok(None)
    }

    /// The columns of the primary key; none where only a part of one is in it.
    fn key(&self, client: &mut Client) -> Result<Vec<String>, Fault> {
        let which = self.is("table_schema", "table_name");
        let rows = client.rows(&format!(
            "SELECT column_name, sub_part FROM information_schema.statistics \
             WHERE {which} AND index_name = 'PRIMARY' ORDER BY seq_in_index"
        ))?;
        if rows.iter().any(|row| row.get(1) != Some(&None)) {
            return Ok(Vec::new());
        }
        Ok(rows.iter().map(|row| text(row, 0)).collect())
    }

    fn fields(
        &self,
        client: &mut Client,
        key: &[String],
    ) -> Result<Result<Vec<Field>, String>, Fault> {
        let which = self.is("table_schema", "table_name");
        let rows = client.rows(&format!(
            "SELECT column_name, data_type, character_set_name, extra, generation_expression \
             FROM information_schema.columns WHERE {which} ORDER BY ordinal_position"
        ))?;
        let mut fields = Vec::new();
        for row in &rows {
            let (name, kind, set) = (text(row, 0), text(row, 1), text(row, 2));
            let extra = text(row, 3).to_lowercase();
            if !text(row, 4).is_empty()
                || extra.contains("generated") && !extra.contains("default_generated")
            {
                continue;
            }
            let is_key = key.contains(&name);
            let Some(class) = class(&kind, set).filter(|class| !(is_key && *class == Class::Float))
            else {
                return Ok(Err(format!("values of the column `{name}` cannot be kept exactly")));
            };
            let (follows, counts) = (extra.contains("on update"), extra.contains("auto_increment"));
            fields.push(Field { name, class, is_key, follows, counts });
        }
        Ok(Ok(fields))
    }
}

fn class(kind: &str, set: String) -> Option<Class> {
    Some(match kind {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => {
            Class::Number
        }
        "float" | "double" => Class::Float,
        "bit" => Class::Bits,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "set" => {
            Class::Text(set)
        }
        "enum" => Class::Choice(set),
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Class::Bytes,
        "date" | "time" | "datetime" | "timestamp" | "uuid" | "inet4" | "inet6" => Class::Plain,
        // JSON of MySQL among them: a number in it comes back as another one, and as one of another type. In MariaDB
        // the name means a text.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Class, class};

    #[test]
    fn what_does_not_come_back_exactly_has_no_class() {
        // MySQL calls a column `json`; in MariaDB it is a `longtext`.
        for kind in ["json", "geometry", "point", "vector", "anything"] {
            assert_eq!(class(kind, String::new()), None, "{kind}");
        }
        let text = class("longtext", "utf8mb4".to_owned());
        assert_eq!(text, Some(Class::Text("utf8mb4".to_owned())));
    }
}
