//! A reader of forms that knows one word of JSON Schema.

use serde_json::Value;

use crate::error::{Code, Error};
use crate::workflow::{Form, FormChecker, FormFault};

/// Reads `required` at the top of a form, and nothing else: enough for tests of who asks it, and when.
///
/// ```
/// use placet_core::testing::RequiredFields;
/// use placet_core::workflow::{Form, FormChecker};
///
/// let form = Form::parse(r#"{"required":["title"]}"#)?;
/// assert!(RequiredFields.check_payload(&form, r#"{"title":"tea"}"#)?.is_empty());
/// assert_eq!(RequiredFields.check_payload(&form, "{}")?[0].pointer, "/title");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to say about it")]
pub struct RequiredFields;

fn parsed(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text)
        .map_err(|source| Error::new(Code::InvalidInput, "this is not JSON").with_source(source))
}

impl FormChecker for RequiredFields {
    fn check_schema(&self, form: &Form) -> Result<Vec<FormFault>, Error> {
        let schema = parsed(form.as_str())?;
        let is_list = schema.get("required").is_none_or(Value::is_array);
        Ok((!is_list).then(|| FormFault::new("/required", "must be a list")).into_iter().collect())
    }

    fn check_payload(&self, form: &Form, payload: &str) -> Result<Vec<FormFault>, Error> {
        let (schema, payload) = (parsed(form.as_str())?, parsed(payload)?);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let missing = required.filter_map(Value::as_str).filter(|name| payload.get(name).is_none());
        Ok(missing.map(|name| FormFault::new(&format!("/{name}"), "is required")).collect())
    }
}
