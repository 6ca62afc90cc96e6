//! What the stored bytes mean: records, their keys and their one byte form.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::erasable::{self, Erasable, Salts, Texts};
use super::{Key, StoreError, StoreErrorKind};
use crate::digest::{Digest, to_hex};
use crate::error::{Code, Error};

/// The version of the byte form. A reader refuses a newer one.
const FORMAT: u32 = 1;

/// Something that is stored under a key of its own.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The first segment of the key.
    const KIND: &'static str;

    /// Where it holds what people wrote, or what names them: texts that can be erased.
    const ERASABLE: &'static [Erasable] = &[];

    /// The segments of the key after the kind. Ids and codes only: keys appear in the audit log.
    fn path(&self) -> Vec<String>;
}

/// The key of the record of kind `R` at `path`.
pub(crate) fn key_of<R: Record>(path: &[&str]) -> Key {
    let segments: Vec<&str> = core::iter::once(R::KIND).chain(path.iter().copied()).collect();
    Key::from_segments(&segments)
}

/// The key of `record`.
pub(crate) fn key_for<R: Record>(record: &R) -> Key {
    let path = record.path();
    key_of::<R>(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The name under which the audit log knows `record`: its key, readable.
pub(crate) fn name_for<R: Record>(record: &R) -> String {
    core::iter::once(R::KIND.to_owned()).chain(record.path()).collect::<Vec<_>>().join("/")
}

#[derive(Serialize)]
struct Written<'a, R> {
    format: u32,
    // Random for each write, so that the digest in the log does not give away a guessable record.
    salt: String,
    body: &'a R,
    // The last member: see `erasable::digest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<Texts>,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<R> {
    format: u32,
    #[serde(rename = "salt")]
    _salt: String,
    body: R,
    texts: Option<Texts>,
}

/// The bytes of `record`, with fresh salts.
pub(crate) fn encode<R: Record>(record: &R, salts: Salts) -> Result<Vec<u8>, Error> {
    let formless = |source| {
        Error::new(Code::Internal, format!("a {} has no byte form", R::KIND)).with_source(source)
    };
    let salt = to_hex(&salts.record);
    if R::ERASABLE.is_empty() {
        let written = Written { format: FORMAT, salt, body: record, texts: None };
        return serde_json::to_vec(&written).map_err(formless);
    }
    let mut body = serde_json::to_value(record).map_err(formless)?;
    let texts = Some(erasable::take_out(&mut body, R::ERASABLE, &salts)?);
    serde_json::to_vec(&Written { format: FORMAT, salt, body: &body, texts }).map_err(formless)
}

/// The record that `bytes` hold.
pub(crate) fn decode<R: Record>(key: &Key, bytes: &[u8]) -> Result<R, Error> {
    if R::ERASABLE.is_empty() {
        return read::<R>(key, bytes).map(|read| read.body);
    }
    let Read { mut body, texts, .. } = read::<Value>(key, bytes)?;
    if texts.is_none_or(|texts| !erasable::put_back(&mut body, R::ERASABLE, texts)) {
        return Err(Error::new(
            Code::StoreDamaged,
            format!("a text of the record at {key:?} is not the one that was written"),
        )
        .with_help("restore the store from a backup"));
    }
    serde_json::from_value(body).map_err(|source| unreadable(key, source))
}

fn read<B: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<Read<B>, Error> {
    match serde_json::from_slice::<Read<B>>(bytes) {
        Ok(read) if read.format == FORMAT => Ok(read),
        Ok(_) => Err(newer(key)),
        Err(source) => match serde_json::from_slice::<Format>(bytes) {
            Ok(Format { format }) if format > FORMAT => Err(newer(key)),
            Ok(_) | Err(_) => Err(unreadable(key, source)),
        },
    }
}

fn unreadable(key: &Key, source: serde_json::Error) -> Error {
    Error::new(Code::StoreDamaged, format!("the record at {key:?} cannot be read"))
        .with_help("restore the store from a backup; the audit log names the record's digest")
        .with_source(source)
}

fn newer(key: &Key) -> Error {
    Error::new(Code::NewerFormat, format!("the record at {key:?} was written by a newer version"))
        .with_help("use the version of placet that wrote it, or a later one")
}

/// The digest under which the audit log knows stored bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    erasable::digest(bytes)
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (code, help) = match error.kind() {
            StoreErrorKind::Unavailable => {
                (Code::StoreUnavailable, "check the store's place, its rights and its free space")
            }
            StoreErrorKind::Poisoned => (Code::StorePoisoned, "open the store again"),
            StoreErrorKind::Locked => (
                Code::StoreLocked,
                "close the other process, or use a store made for several nodes",
            ),
            StoreErrorKind::Damaged => (Code::StoreDamaged, "restore the store from a backup"),
            StoreErrorKind::NewerFormat => {
                (Code::NewerFormat, "use the version of placet that wrote it, or a later one")
            }
        };
        let help = error.help().unwrap_or(help).to_owned();
        Self::new(code, error.to_string()).with_help(help).with_source(error)
    }
}
