//! The exact requests, and what of them says which artifact they publish.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;

use placet_plugin_sdk::exchange::{Exchange, HttpCall};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::adf;
use crate::payload::{Artifact, is_key};
use crate::settings::{Search, Settings};

const ISSUES: &str = "/rest/api/3/issue";

/// What an issue is: the value of its property.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Property {
    /// The artifact: project, type and number.
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) digest: String,
}

impl Property {
    pub(crate) fn of(project: &str, artifact: &Artifact) -> Self {
        let (id, digest) =
            (full_name(project, &artifact.kind, artifact.id), artifact.digest.clone());
        Self { id, version: artifact.version, digest }
    }
}

/// The name of an artifact among those of all projects.
pub(crate) fn full_name(project: &str, kind: &str, id: u64) -> String {
    format!("{project}/{kind}/{id}")
}

/// The label of an issue, where issues are found by labels.
pub(crate) fn label(full_name: &str) -> String {
    format!("placet-{}", full_name.replace('/', "-"))
}

/// What writes one artifact: into a new issue, or into the one with this key.
pub(crate) fn write(
    settings: &Settings,
    property: &Property,
    artifact: &Artifact,
    (key, parent): (Option<&str>, Option<&str>),
) -> Result<Exchange, String> {
    let mut fields = Map::new();
    if key.is_none() {
        let kind = settings.types.get(&artifact.kind);
        let kind = kind.ok_or_else(|| format!("no issue type is set for `{}`", artifact.kind))?;
        fields.insert("project".to_string(), json!({"key": settings.project}));
        fields.insert("issuetype".to_string(), json!({"name": kind}));
        if settings.search == Search::Label {
            fields.insert("labels".to_string(), json!([label(&property.id)]));
        }
    }
    fields.insert("summary".to_string(), Value::from(artifact.title.as_str()));
    fields.insert("description".to_string(), adf::document(&artifact.text).unwrap_or(Value::Null));
    for (name, value) in &artifact.fields {
        let field = settings.fields.get(name);
        let field = field.ok_or_else(|| format!("no Jira field is set for `{name}`"))?;
        fields.insert(field.clone(), value.clone());
    }
    if let Some(parent) = parent {
        fields.insert("parent".to_string(), json!({"key": parent}));
    }
    let body = json!({
        "fields": fields,
        "properties": [{"key": settings.property, "value": property}],
    });
    let (method, path_and_query) = match key {
        Some(key) => ("PUT", format!("{ISSUES}/{key}")),
        None => ("POST", ISSUES.to_string()),
    };
    Ok(Exchange::Http(HttpCall {
        endpoint: settings.endpoint.clone(),
        method: method.to_string(),
        path_and_query,
        headers: vec![("content-type".to_string(), "application/json".to_string())],
        body: body.to_string().into_bytes(),
    }))
}

/// A step, read back from what was approved.
#[derive(Debug)]
pub(crate) struct Approved {
    pub(crate) call: HttpCall,
    pub(crate) property: Property,
    /// The issue that is updated; `None`: one is created.
    pub(crate) key: Option<String>,
    body: Value,
}

impl Approved {
    /// Reads the text of a step.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let call = match Exchange::parse(text).map_err(|refused| refused.to_string())? {
            Exchange::Http(call) => call,
            Exchange::Command(_) => return Err("the step is a command".to_string()),
        };
        let body: Value = serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
        let property = body.pointer("/properties/0/value").cloned().unwrap_or_default();
        let property = serde_json::from_value(property)
            .map_err(|_| "the step does not say which artifact it writes".to_string())?;
        let rest = call.path_and_query.strip_prefix(ISSUES);
        let key = match (call.method.as_str(), rest.map(|rest| rest.strip_prefix('/'))) {
            ("POST", Some(None)) => None,
            ("PUT", Some(Some(key))) if is_key(key) => Some(key.to_string()),
            _ => return Err("the step writes no issue".to_string()),
        };
        Ok(Self { call, property, key, body })
    }

    /// Whether what it writes is where these settings look for it. Elsewhere it would be taken for absent.
    pub(crate) fn is_found_by(&self, settings: &Settings) -> bool {
        let says = |pointer: &str, due: &str| {
            self.body.pointer(pointer).and_then(Value::as_str) == Some(due)
        };
        let is_there = match &self.key {
            Some(key) => {
                key.split_once('-').is_some_and(|(project, _)| project == settings.project)
            }
            None => {
                let is_by_label = settings.search == Search::Label;
                says("/fields/project/key", &settings.project)
                    && (!is_by_label || says("/fields/labels/0", &label(&self.property.id)))
            }
        };
        is_there
            && self.call.endpoint == settings.endpoint
            && says("/properties/0/key", &settings.property)
    }
}
