//! The reader itself.

use std::error::Error as StdError;

use boon::{CompileError, Compiler, Draft, Schemas, UrlLoader, ValidationError};
use placet_core::error::{Code, Error};
use placet_core::workflow::{Form, FormChecker, FormFault};
use serde_json::Value;

use crate::{bounds, work};

/// What the schema is called while it is read. Nothing is ever looked for there.
const PLACE: &str = "https://form.invalid/form";

/// The most faults that are told.
const FAULTS_MAX: usize = 1_000;

/// Reads forms as JSON Schema, draft 2020-12.
///
/// ```
/// use placet_core::workflow::{Form, FormChecker};
/// use placet_forms::JsonSchemaForms;
///
/// let form = Form::parse(
///     r#"{
///         "type": "object",
///         "required": ["title", "steps"],
///         "properties": {"title": {"type": "string", "minLength": 1}, "steps": {"type": "array"}}
///     }"#,
/// )?;
/// let forms = JsonSchemaForms;
/// assert!(forms.check_schema(&form)?.is_empty());
/// assert!(forms.check_payload(&form, r#"{"title": "Log in", "steps": []}"#)?.is_empty());
///
/// let faults = forms.check_payload(&form, r#"{"title": 7}"#)?;
/// let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
/// assert_eq!(places, ["/steps", "/title"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to say about it")]
pub struct JsonSchemaForms;

/// Finds nothing: a schema stands for itself.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn StdError>> {
        Err(format!("`{url}` is not read from here").into())
    }
}

fn parsed(text: &str, what: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|source| {
        Error::new(Code::InvalidInput, format!("the {what} is not JSON"))
            .with_help(format!("write the {what} as one JSON value"))
            .with_source(source)
    })
}

/// What of a compiled schema the caller does next.
fn with_schema<T>(
    schema: Value,
    then: impl FnOnce(&Schemas, boon::SchemaIndex) -> T,
) -> Result<T, Box<CompileError>> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.use_loader(Box::new(Nowhere));
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    compiler.add_resource(PLACE, schema)?;
    let index = compiler.compile(PLACE, &mut schemas)?;
    Ok(then(&schemas, index))
}

impl FormChecker for JsonSchemaForms {
    fn check_schema(&self, form: &Form) -> Result<Vec<FormFault>, Error> {
        let schema = parsed(form.as_str(), "form")?;
        let faults = bounds::faults(&schema);
        if !faults.is_empty() {
            return Ok(faults);
        }
        let Err(error) = with_schema(schema, |_, _| ()) else { return Ok(Vec::new()) };
        if let CompileError::ValidationError { src, .. } = &*error {
            return Ok(faults_of(src));
        }
        if let CompileError::InvalidRegex { url, regex, .. } = &*error {
            let place = url.rsplit_once('#').map_or("", |(_, place)| place);
            return Ok(vec![FormFault::new(place, &format!("`{regex}` is not a pattern"))]);
        }
        Ok(vec![FormFault::new("", &error.to_string())])
    }

    fn check_payload(&self, form: &Form, payload: &str) -> Result<Vec<FormFault>, Error> {
        let payload = parsed(payload, "payload")?;
        let schema = parsed(form.as_str(), "form")?;
        if work::is_too_much(&schema, &payload) {
            return Err(Error::new(Code::TooLarge, "the payload has too much in it for its form")
                .with_help("make it smaller, or ask for less in the form"));
        }
        let judged = with_schema(schema, |schemas, index| {
            schemas
                .validate(&payload, index)
                .map_or_else(|error| faults_of(&error), |()| Vec::new())
        });
        judged.map_err(|source| {
            // It was read when it was stored: nobody can tell what it asks for now.
            Error::new(Code::InvalidInput, "the form cannot be read")
                .with_help("store the workflow again, with a form that can")
                .with_detail("why", source)
        })
    }
}

/// The innermost faults, each once, in the order of their places.
fn faults_of(error: &ValidationError<'_, '_>) -> Vec<FormFault> {
    let mut found = Vec::new();
    collect(error, &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(error: &ValidationError<'_, '_>, found: &mut Vec<FormFault>) {
    if found.len() >= FAULTS_MAX {
        return;
    }
    if !error.causes.is_empty() {
        for cause in &error.causes {
            collect(cause, found);
        }
        return;
    }
    let place = error.instance_location.to_string();
    if let boon::ErrorKind::Required { want } = &error.kind {
        // Whoever fills a form in looks at the field that is missing.
        let field = |name: &&str| name.replace('~', "~0").replace('/', "~1");
        found.extend(
            want.iter()
                .map(|name| FormFault::new(&format!("{place}/{}", field(name)), "is missing")),
        );
        return;
    }
    found.push(FormFault::new(&place, &error.kind.to_string()));
}
