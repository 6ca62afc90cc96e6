//! Literals by chance.

use crate::testing::{Chance, Examined};

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Integer,
    KeyText,
    Text,
    Blob,
    Decimal,
    Timestamp,
    Double,
}

impl Kind {
    /// What columns outside of a key hold.
    pub(super) const PLAIN: [Self; 7] = [
        Self::Integer,
        Self::KeyText,
        Self::Text,
        Self::Blob,
        Self::Decimal,
        Self::Timestamp,
        Self::Double,
    ];

    /// The dialect's word.
    pub(super) fn word(self, of: &dyn Examined) -> &'static str {
        let words = of.words();
        match self {
            Self::Integer => words.integer,
            Self::KeyText => words.key_text,
            Self::Text => words.text,
            Self::Blob => words.blob,
            Self::Decimal => words.decimal,
            Self::Timestamp => words.timestamp,
            Self::Double => words.double,
        }
    }

    /// A value of the kind.
    pub(super) fn literal(self, of: &dyn Examined, chance: &mut Chance) -> String {
        match self {
            Self::Integer => integer(chance),
            Self::KeyText => of.text(one_of(chance, SHORT)),
            Self::Text if chance.is(3) => of.text(&"ñandú 🦀 'quoted' ".repeat(40)),
            Self::Text => of.text(one_of(chance, TEXTS)),
            Self::Blob => {
                let bytes: Vec<_> = (0..chance.below(12))
                    .map(|_| u8::try_from(chance.below(256)).unwrap_or_default())
                    .collect();
                of.dialect().blob(&bytes)
            }
            Self::Decimal => one_of(chance, DECIMALS).to_owned(),
            Self::Timestamp => of.dialect().instant(one_of(chance, INSTANTS)),
            Self::Double => one_of(chance, DOUBLES).to_owned(),
        }
    }
}

const SHORT: &[&str] =
    &["", "a", "b", "c", "A", "a ", "it's", "ñandú", "\"", "--", "x;y", "5", "NULL"];

const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    " a",
    "a ",
    "it''s",
    "'",
    "\"",
    "`",
    "line\nbreak",
    "tab\t",
    "\\",
    "\\'",
    "%",
    "_",
    "NULL",
    "5",
    "5.0",
    "1e3",
    "🦀",
    "é",
    "e\u{301}",
    "$$",
    "$1",
    "?",
    ":x",
    "{}",
    "/* */",
    "-- ;",
    "\u{feff}",
];

const DECIMALS: &[&str] =
    &["0", "1", "-1", "0.1", "-0.0001", "12345.6789", "99999999999999.9999", "1.5"];

const INSTANTS: &[&str] = &[
    "1970-01-01T00:00:01Z",
    "2024-02-29T23:59:59.999999Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00.000001Z",
    "2037-12-31T12:00:00.5Z",
];

const DOUBLES: &[&str] = &[
    "0.0",
    "-0.0",
    "0.1",
    "1.0",
    "1e300",
    "-2.5e-300",
    "123456789.12345679",
    "5e-324",
    "1e15",
    "0.30000000000000004",
];

fn one_of(chance: &mut Chance, items: &[&'static str]) -> &'static str {
    chance.one_of(items).copied().unwrap_or_default()
}

fn integer(chance: &mut Chance) -> String {
    match chance.below(40) {
        0 => "9223372036854775807".to_owned(),
        1 => "-9223372036854775807".to_owned(),
        2 => "4294967296".to_owned(),
        _ => small(chance).to_string(),
    }
}

/// A number that others are likely to be, too.
pub(super) fn small(chance: &mut Chance) -> u64 {
    chance.below(16)
}
