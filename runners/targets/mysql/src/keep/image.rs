//! A row, and the texts that mean its values.

use placet_core::digest::to_hex;

use crate::keep::table::{Class, Field, Table, quoted};

/// The values of a primary key, as they were read.
pub(super) type Key = Vec<Option<Vec<u8>>>;

/// The values of a row that are kept, as they were read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Image(pub(super) Vec<Option<Vec<u8>>>);

impl Image {
    /// The columns with their values.
    pub(super) fn values<'a>(
        &'a self,
        table: &'a Table,
    ) -> impl Iterator<Item = (&'a Field, Option<&'a [u8]>)> {
        table.kept().zip(self.0.iter().map(Option::as_deref))
    }

    /// The values of the primary key.
    pub(super) fn key(&self, table: &Table) -> Key {
        let key = self.values(table).filter(|(field, _)| field.is_key);
        key.map(|(_, value)| value.map(<[u8]>::to_vec)).collect()
    }
}

/// What a statement writes for the value; nothing where no statement can.
pub(super) fn value(field: &Field, bytes: Option<&[u8]>) -> Option<String> {
    let Some(bytes) = bytes else { return Some("NULL".to_owned()) };
    Some(match &field.class {
        Class::Number | Class::Bits => digits(bytes)?,
        Class::Float => float(bytes)?,
        Class::Text(set) => {
            readable(bytes, set).unwrap_or_else(|| format!("_{set} X'{}'", to_hex(bytes)))
        }
        // The empty text stands for what was no choice when it was written, and no statement writes that.
        Class::Choice(_) if bytes.is_empty() => return None,
        Class::Choice(set) => {
            readable(bytes, set).unwrap_or_else(|| format!("_{set} X'{}'", to_hex(bytes)))
        }
        Class::Bytes => format!("X'{}'", to_hex(bytes)),
        Class::Plain => readable(bytes, "ascii")?,
    })
}

/// The condition that the column has exactly this value, to the byte.
pub(super) fn is_exactly(field: &Field, bytes: Option<&[u8]>) -> Option<String> {
    let name = quoted(&field.name);
    let Some(bytes) = bytes else { return Some(format!("{name} IS NULL")) };
    let (read, due) = match &field.class {
        Class::Number => (name, digits(bytes)?),
        Class::Float => (format!("{name} + 0e0"), float(bytes)?),
        Class::Bits => (format!("{name} + 0"), digits(bytes)?),
        Class::Text(set) | Class::Choice(set) => {
            (field.image(), readable(bytes, set).unwrap_or_else(|| format!("X'{}'", to_hex(bytes))))
        }
        Class::Bytes => (field.image(), format!("X'{}'", to_hex(bytes))),
        Class::Plain => (field.image(), readable(bytes, "ascii")?),
    };
    Some(format!("{read} <=> {due}"))
}

/// The condition on a part of the primary key, in a form that an index answers.
pub(super) fn key_is(field: &Field, bytes: Option<&[u8]>) -> Option<String> {
    Some(format!("{} = {}", quoted(&field.name), value(field, bytes)?))
}

fn digits(bytes: &[u8]) -> Option<String> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let text = core::str::from_utf8(bytes).ok()?;
    (!bytes.is_empty() && bytes.iter().all(is_digit)).then(|| text.to_owned())
}

/// With an exponent, so that it is read as a floating-point number and not as a decimal one.
fn float(bytes: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(bytes).ok()?;
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| format!("{number:e}"))
}

/// The text in quotes, where its bytes are what the server reads there and a person can, too.
fn readable(bytes: &[u8], set: &str) -> Option<String> {
    let is_utf8 = matches!(set, "utf8mb4" | "utf8mb3" | "utf8");
    let is_wide = matches!(set, "ucs2" | "utf16" | "utf16le" | "utf32");
    let text = core::str::from_utf8(bytes).ok()?;
    let fits = !is_wide && (is_utf8 || text.is_ascii());
    // A backslash means something or not, as a setting says; quotes are doubled in any case.
    let is_clear = |letter: char| !letter.is_control() && letter != '\\';
    (fits && text.chars().all(is_clear)).then(|| format!("'{}'", text.replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::{is_exactly, value};
    use crate::keep::table::{Class, Field};

    fn field(class: Class) -> Field {
        Field { name: "a`b".to_owned(), class, is_key: false, follows: false, counts: false }
    }

    #[test]
    fn values_are_written_so_that_they_come_back() {
        let latin = || Class::Text("latin1".to_owned());
        let utf8 = || Class::Text("utf8mb4".to_owned());
        let wide = || Class::Text("utf16".to_owned());
        for (class, bytes, due) in [
            (Class::Number, &b"-12.50"[..], Some("-12.50")),
            (Class::Number, b"1; DROP", None),
            (Class::Float, b"0.1", Some("1e-1")),
            (Class::Float, b"-0", Some("-0e0")),
            (Class::Float, b"1.7976931348623157e308", Some("1.7976931348623157e308")),
            (Class::Bits, b"5", Some("5")),
            (utf8(), "it's ñ".as_bytes(), Some("'it''s ñ'")),
            (utf8(), b"a\\b", Some("_utf8mb4 X'615c62'")),
            (utf8(), b"a\nb", Some("_utf8mb4 X'610a62'")),
            (latin(), b"\xe9", Some("_latin1 X'e9'")),
            (latin(), "é".as_bytes(), Some("_latin1 X'c3a9'")),
            (wide(), b"\0a", Some("_utf16 X'0061'")),
            (wide(), b"ab", Some("_utf16 X'6162'")),
            (Class::Choice("latin1".to_owned()), b"", None),
            (Class::Bytes, b"", Some("X''")),
            (Class::Bytes, b"\0'", Some("X'0027'")),
            (Class::Plain, b"2024-02-29 00:00:00.000001", Some("'2024-02-29 00:00:00.000001'")),
        ] {
            assert_eq!(value(&field(class), Some(bytes)).as_deref(), due, "{bytes:?}");
        }
        assert_eq!(value(&field(Class::Bytes), None).unwrap(), "NULL");
        assert_eq!(
            is_exactly(&field(latin()), Some(b"A")).unwrap(),
            "CAST(`a``b` AS BINARY) <=> 'A'"
        );
        assert_eq!(is_exactly(&field(latin()), None).unwrap(), "`a``b` IS NULL");
    }
}
