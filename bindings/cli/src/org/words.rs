//! Words of the kernel on a command line and in a file of commands.

use placet::org::{TeamRole, UserKind};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as WordError, StrDeserializer};

/// What is kept for a time.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kept {
    /// What a request says: title, payloads, plans, and what its runs said.
    Content,
    /// What people said about it.
    Comment,
}

pub(super) const fn person() -> UserKind {
    UserKind::Person
}

pub(super) const fn member() -> TeamRole {
    TeamRole::Member
}

/// A word as it stands in a file of commands, however its letters are written on a command line.
pub(crate) fn word<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, WordError> {
    let read = |text: &str| {
        let reader: StrDeserializer<'_, WordError> = text.into_deserializer();
        T::deserialize(reader)
    };
    let other = || read(&text.to_lowercase()).or_else(|_| read(&text.to_uppercase()));
    read(text).or_else(|first| other().map_err(|_: WordError| first))
}
