//! Values, and texts with holes: `{name}` is a hole, `{{` and `}}` are braces.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt::Write as _;

use placet_plugin_sdk::Job;
use placet_plugin_sdk::exchange::RUN;
use serde_json::Value;

use crate::payload::Payload;
use crate::template::{Deployment, Hole};

/// Where a text goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Into {
    /// Where nothing has a meaning of its own.
    Plain,
    /// A path, a query or a form: whatever could end a part of it is encoded.
    Url,
}

/// The values of all holes.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    texts: BTreeMap<String, String>,
    integers: BTreeMap<String, i64>,
    marker: String,
}

impl Values {
    /// The values of a request, each as its hole asks for. The marker stands for the run, whichever it will be.
    pub(crate) fn of(
        job: &Job,
        payload: &Payload,
        deployment: &Deployment,
    ) -> Result<Self, String> {
        let given = payload.values()?;
        if let Some(name) = given.keys().find(|name| !deployment.holes.contains_key(**name)) {
            return Err(format!("the deployment has no hole `{name}`"));
        }
        let mut values = deployment.set.clone();
        let mut integers = BTreeMap::new();
        for (name, hole) in &deployment.holes {
            let value = given.get(name.as_str()).ok_or_else(|| format!("`{name}` has no value"))?;
            if let Some(number) = hole.check(value).map_err(|why| format!("`{name}` {why}"))? {
                integers.insert(name.clone(), number);
            }
            values.insert(name.clone(), value.clone());
        }
        if let Some(artifact) = &payload.artifact {
            values.insert("artifact.name".to_string(), artifact.name.clone());
            values.insert("artifact.digest".to_string(), artifact.digest.clone());
        }
        for (name, value) in [
            ("project", &job.project),
            ("module", &job.module_name),
            ("environment", &job.environment),
        ] {
            values.entry(name.to_string()).or_insert_with(|| value.clone());
        }
        Ok(Self { texts: values, integers, marker: RUN.to_string() })
    }

    /// The same for calls that read: they name the run itself.
    pub(crate) fn of_run(&self, run: &str) -> Self {
        Self { marker: run.to_string(), ..self.clone() }
    }

    /// The same, with the name that the other system gave to what it began.
    pub(crate) fn with_id(&self, id: &str) -> Self {
        let mut with = self.clone();
        with.texts.insert("id".to_string(), id.to_string());
        with
    }

    /// A text with its holes filled.
    pub(crate) fn fill(&self, template: &str, into: Into) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), template);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                filled.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                filled.push('}');
                rest = after;
            } else if let Some((name, after)) =
                from.strip_prefix('{').and_then(|inside| inside.split_once('}'))
            {
                self.put(&mut filled, name, into)?;
                rest = after;
            } else {
                return Err(format!("`{template}` has a brace without another"));
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn put(&self, filled: &mut String, name: &str, into: Into) -> Result<(), String> {
        if name == "marker" {
            // Never encoded: it is made of letters that mean nothing anywhere.
            filled.push_str(&self.marker);
            return Ok(());
        }
        let value = self.texts.get(name).ok_or_else(|| format!("nothing fills `{{{name}}}`"))?;
        match into {
            Into::Plain => filled.push_str(value),
            Into::Url => encode(filled, value),
        }
        Ok(())
    }

    /// A JSON value with the holes of its texts filled. A text that is nothing but a hole of numbers is a number.
    pub(crate) fn fill_json(&self, template: &Value) -> Result<Value, String> {
        Ok(match template {
            Value::String(text) => {
                let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                match name.and_then(|name| self.integers.get(name)) {
                    Some(number) => Value::from(*number),
                    None => Value::String(self.fill(text, Into::Plain)?),
                }
            }
            Value::Array(items) => Value::Array(
                items.iter().map(|item| self.fill_json(item)).collect::<Result<_, _>>()?,
            ),
            Value::Object(parts) => {
                let filled =
                    parts.iter().map(|(name, part)| Ok((name.clone(), self.fill_json(part)?)));
                Value::Object(filled.collect::<Result<_, String>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
        })
    }
}

impl Hole {
    /// Whether a value fits; and its number, where it is one.
    fn check(&self, value: &str) -> Result<Option<i64>, String> {
        match self {
            Self::Text { chars_max, also } => {
                let fits = |letter: char| {
                    letter.is_ascii_alphanumeric() || !letter.is_control() && also.contains(letter)
                };
                if value.is_empty() || value.chars().count() > *chars_max {
                    return Err(format!("has 1 to {chars_max} characters"));
                }
                if !value.chars().all(fits) {
                    return Err(format!("has letters, digits and any of `{also}`"));
                }
                Ok(None)
            }
            Self::Integer { min, max } => match value.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) && number.to_string() == value => {
                    Ok(Some(number))
                }
                _ => Err(format!("is a whole number from {min} to {max}")),
            },
            Self::Choice(words) => {
                if words.iter().any(|word| word == value) {
                    return Ok(None);
                }
                Err(format!("is one of {}", words.join(", ")))
            }
        }
    }
}

fn encode(filled: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            filled.push(char::from(byte));
        } else {
            let _infallible = write!(filled, "%{byte:02X}");
        }
    }
}
