//! The form of a workflow: which fields the payload of a request must have, as JSON Schema.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Code, Error};
use crate::letters::misleads;

/// The longest schema, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// The deepest schema, in objects and lists within each other.
const DEPTH_MAX: usize = 24;

/// The longest text of a fault that is shown, in letters, and the most faults that an error names.
const TEXT_MAX: usize = 300;
const FAULTS_MAX: usize = 32;

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

/// What does not fit, and where.
///
/// ```
/// use placet_core::workflow::FormFault;
/// let fault = FormFault::new("/items/0/price", "must be a number");
/// assert_eq!(fault.to_string(), "/items/0/price: must be a number");
/// ```
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct FormFault {
    /// The place, as a JSON Pointer (RFC 6901); empty is the whole.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl FormFault {
    /// A fault. What is longer than 300 letters is cut, and letters that mislead are left out.
    pub fn new(pointer: &str, message: &str) -> Self {
        let shown = |text: &str| text.chars().filter(|c| !misleads(*c)).take(TEXT_MAX).collect();
        Self { pointer: shown(pointer), message: shown(message) }
    }

    /// The refusal that names each fault; nothing where there is none.
    pub(crate) fn refuse(faults: &[Self], code: Code, what: &str) -> Result<(), Error> {
        let Some(first) = faults.first() else { return Ok(()) };
        let mut error = Error::new(code, format!("{what}: {first}"))
            .with_help("the details name each place; correct them all and try again");
        // A place may have several faults; the first says enough.
        for fault in faults.iter().rev().take(FAULTS_MAX) {
            error = error.with_detail(&format!("at {}", fault.place()), &fault.message);
        }
        Err(error.with_detail("faults", faults.len()))
    }

    fn place(&self) -> &str {
        if self.pointer.is_empty() { "/" } else { &self.pointer }
    }
}

impl fmt::Display for FormFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)
    }
}

/// What reads forms: a reader of JSON Schema, which comes in from outside.
///
/// It resolves no reference that leaves the schema, and takes no time that grows faster than what it reads.
///
/// ```
/// use placet_core::error::Error;
/// use placet_core::workflow::{Form, FormChecker, FormFault};
///
/// /// Takes every schema, and no payload that is empty.
/// #[derive(Debug)]
/// struct Something;
///
/// impl FormChecker for Something {
///     fn check_schema(&self, _form: &Form) -> Result<Vec<FormFault>, Error> {
///         Ok(Vec::new())
///     }
///
///     fn check_payload(&self, _form: &Form, payload: &str) -> Result<Vec<FormFault>, Error> {
///         let is_empty = payload == "{}";
///         Ok(is_empty.then(|| FormFault::new("", "say something")).into_iter().collect())
///     }
/// }
///
/// let form = Form::parse("{}")?;
/// assert_eq!(Something.check_payload(&form, "{}")?.len(), 1);
/// # Ok::<(), Error>(())
/// ```
pub trait FormChecker: Send + Sync + fmt::Debug {
    /// Looks whether `form` is a schema that payloads can be judged by. Answers what is wrong with it.
    ///
    /// Fails when it cannot tell; then the form is not stored.
    fn check_schema(&self, form: &Form) -> Result<Vec<FormFault>, Error>;

    /// Answers what of `payload`, a JSON text, does not fit `form`.
    ///
    /// Fails when it cannot tell; then the payload is not taken.
    fn check_payload(&self, form: &Form, payload: &str) -> Result<Vec<FormFault>, Error>;
}

/// Reads no forms, and so takes none: for a gate whose host has no reader of JSON Schema.
///
/// ```
/// use placet_core::workflow::{Form, FormChecker, NoForms};
/// assert!(NoForms.check_schema(&Form::parse("{}")?).is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to say about it")]
pub struct NoForms;

impl FormChecker for NoForms {
    fn check_schema(&self, _form: &Form) -> Result<Vec<FormFault>, Error> {
        Err(no_reader())
    }

    fn check_payload(&self, _form: &Form, _payload: &str) -> Result<Vec<FormFault>, Error> {
        Err(no_reader())
    }
}

fn no_reader() -> Error {
    Error::new(Code::InvalidInput, "this gate has nothing that reads forms")
        .with_help("leave the form out, or give the gate's parts a `FormChecker`")
}
