//! The form of a workflow: which fields the payload of a request must have, as JSON Schema.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Code, Error};

/// The longest schema, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// The deepest schema, in objects and lists within each other.
const DEPTH_MAX: usize = 24;

/// A JSON Schema that payloads must fit before they are submitted. In JSON it stands as the schema itself.
///
/// ```
/// use placet_core::workflow::Form;
///
/// let form = Form::parse(r#"{"required": ["title"], "type": "object"}"#)?;
/// assert_eq!(form.as_str(), r#"{"required":["title"],"type":"object"}"#);
/// assert!(Form::parse("[1]").is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Form {
    // Invariant: a JSON object or boolean, within the limits, with sorted keys and no blanks.
    schema: String,
}

impl Form {
    /// Reads a schema: a JSON object of at most 16 KiB, and at most 24 levels. Whether it is a schema that means
    /// something is looked at when a workflow is stored.
    ///
    /// Fails with [`Code::InvalidInput`] and the line and column, and with [`Code::TooLarge`].
    pub fn parse(schema: &str) -> Result<Self, Error> {
        let size = schema.len();
        if size > BYTES_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("the form has {size} bytes; the limit is {BYTES_MAX}"),
            )
            .with_help("ask for fewer fields, or describe them in fewer words"));
        }
        let value: Value = serde_json::from_str(schema).map_err(|source| {
            Error::new(Code::InvalidInput, "the form is not JSON")
                .with_help("write the form as one JSON Schema")
                .with_detail("line", source.line())
                .with_detail("column", source.column())
                .with_source(source)
        })?;
        Self::of(&value)
    }

    /// The schema, as JSON text.
    pub fn as_str(&self) -> &str {
        &self.schema
    }

    fn of(value: &Value) -> Result<Self, Error> {
        if !value.is_object() {
            return Err(Error::new(Code::InvalidInput, "the form is not a JSON object").with_help(
                "write the form as a JSON Schema: an object with `type` and `required`",
            ));
        }
        if depth(value) > DEPTH_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("the form is deeper than {DEPTH_MAX} levels"),
            )
            .with_help("name parts of it under `$defs`, and refer to them with `$ref`"));
        }
        let schema = value.to_string();
        if schema.len() > BYTES_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("the form has {} bytes; the limit is {BYTES_MAX}", schema.len()),
            )
            .with_help("ask for fewer fields, or describe them in fewer words"));
        }
        Ok(Self { schema })
    }
}

/// How many objects and lists lie within each other. A parsed value is at most 128 deep.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    inner.unwrap_or(0).saturating_add(1)
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(&self.schema).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
