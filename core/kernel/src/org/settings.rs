//! What a project tells its runners: their settings, for each environment.

use core::fmt;
use std::collections::BTreeSet;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::text::Slug;
use crate::digest::canonical_json;
use crate::error::{Code, Error};
use crate::id::EnvironmentId;
use crate::letters::misleads;

/// The settings of a runner that nobody gave any.
pub(crate) const NO_SETTINGS: &str = "{}";

/// The most bytes of settings.
const BYTES_MAX: usize = 16 * 1024;

/// The settings of one runner in one environment.
///
/// ```
/// use placet_core::id::EnvironmentId;
/// use placet_core::org::{Row, RunnerSettings};
/// let (environment_id, runner) = (EnvironmentId::from_u128(1), "sql".parse()?);
/// let row = RunnerSettings { environment_id, runner, settings: r#"{"rows_max":1000}"#.to_owned() };
/// assert!(matches!(Row::from(row), Row::RunnerSettings(row) if row.settings.contains("1000")));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct RunnerSettings {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The runner.
    pub runner: Slug,
    /// A JSON object in canonical form (RFC 8785). Never empty: then there is no row.
    pub settings: String,
}

/// The canonical form of settings. What two readers could read differently is refused: a member that is named twice, a
/// number that would not stay what it is, a letter that shows as something else.
pub(crate) fn canonical_settings(settings: &str) -> Result<String, Error> {
    let size = settings.len();
    if size > BYTES_MAX {
        return Err(Error::new(
            Code::TooLarge,
            format!("the settings have {size} bytes; the limit is {BYTES_MAX}"),
        )
        .with_help("keep what is large with the host, and name it here"));
    }
    let refused = |sentence: String| {
        Error::new(Code::InvalidInput, sentence)
            .with_help("write the settings as one JSON object, such as `{\"rows_max\": 1000}`")
    };
    let _named_once: NamedOnce = serde_json::from_str(settings)
        .map_err(|source| refused(format!("the settings cannot be read: {source}")))?;
    let value: Value = serde_json::from_str(settings)
        .map_err(|source| refused(format!("the settings cannot be read: {source}")))?;
    if !value.is_object() {
        return Err(refused("the settings are no JSON object".to_owned()));
    }
    let canonical = String::from_utf8(canonical_json(&value)?)
        .map_err(|_| refused("the settings have no text form".to_owned()))?;
    if serde_json::from_str::<Value>(&canonical).ok() != Some(value) {
        let sentence = "a number of the settings would not stay what it is".to_owned();
        return Err(refused(sentence).with_help("write whole numbers below 2^53, without a point"));
    }
    if canonical.chars().any(misleads) {
        return Err(refused("a letter of the settings shows as something else".to_owned()));
    }
    Ok(canonical)
}

/// JSON in which no object names a member twice. Which of the two would hold is a matter of who reads it.
struct NamedOnce;

impl<'de> Deserialize<'de> for NamedOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = NamedOnce;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<NamedOnce, E> {
        Ok(NamedOnce)
    }

    fn visit_i64<E>(self, _: i64) -> Result<NamedOnce, E> {
        Ok(NamedOnce)
    }

    fn visit_u64<E>(self, _: u64) -> Result<NamedOnce, E> {
        Ok(NamedOnce)
    }

    fn visit_f64<E>(self, _: f64) -> Result<NamedOnce, E> {
        Ok(NamedOnce)
    }

    fn visit_str<E>(self, _: &str) -> Result<NamedOnce, E> {
        Ok(NamedOnce)
    }

    fn visit_unit<E>(self) -> Result<NamedOnce, E> {
        Ok(NamedOnce)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NamedOnce, A::Error> {
        while items.next_element::<NamedOnce>()?.is_some() {}
        Ok(NamedOnce)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<NamedOnce, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some((name, _)) = members.next_entry::<String, NamedOnce>()? {
            if !seen.insert(name) {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(NamedOnce)
    }
}
