//! What stands in a file on a command line, and in its place in a file of commands.

use core::convert::Infallible;
use core::str::FromStr;
use std::path::{Path, PathBuf};

use placet::error::{Code, Error};
use serde::{Deserialize, Deserializer};

use crate::files;

/// A value, or the JSON file that it stands in.
#[derive(Clone, Debug)]
pub(crate) enum Source<T> {
    /// The file; `-` is standard input.
    File(PathBuf),
    /// What it says.
    Said(T),
}

impl<T> FromStr for Source<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::File(PathBuf::from(text)))
    }
}

/// A file of commands has it in its place: it names no other file.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Source<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Said)
    }
}

impl<T: for<'de> Deserialize<'de>> Source<T> {
    /// With what stands in the file: standard input may be slow, and nobody's folder waits for it.
    pub(crate) fn read(self) -> Result<Self, Error> {
        self.said().map(Self::Said)
    }

    /// What it says.
    pub(crate) fn said(self) -> Result<T, Error> {
        match self {
            Self::File(path) => json(&path),
            Self::Said(value) => Ok(value),
        }
    }
}

/// What a JSON file says.
pub(crate) fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Error> {
    serde_json::from_str(&files::text(path)?).map_err(|source| {
        let sentence =
            format!("`{}` cannot be read as what it should be: {source}", path.display());
        Error::new(Code::InvalidInput, sentence)
            .with_help("correct it there; `--help` of this command says what it takes")
            .with_detail("line", source.line())
            .with_detail("column", source.column())
    })
}
