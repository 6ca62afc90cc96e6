//! Where an environment publishes its artifacts.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};

use serde::Deserialize;

use crate::payload::is_kind;

/// The settings of an environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default = "endpoint")]
    pub(crate) endpoint: String,
    /// The key of the Jira project.
    pub(crate) project: String,
    /// The name of an issue type for each type of artifact.
    pub(crate) types: BTreeMap<String, String>,
    /// The id of a Jira field for each field of artifacts.
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, String>,
    /// The key of the property that says what an issue is.
    #[serde(default = "property")]
    pub(crate) property: String,
    #[serde(default)]
    pub(crate) search: Search,
    #[serde(default)]
    pub(crate) absent: Absent,
    /// How long after the deadline of a run nothing of it can take effect any more, and the search is up to date.
    #[serde(default = "settle_s")]
    pub(crate) settle_s: u32,
}

fn endpoint() -> String {
    "jira".to_string()
}

fn property() -> String {
    "placet.artifact".to_string()
}

const fn settle_s() -> u32 {
    300
}

/// How issues are searched for. What is found is then judged by its property.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Search {
    /// By the property. Jira searches for properties that an app has declared, and for no others.
    #[default]
    Property,
    /// By a label of each issue.
    Label,
}

/// What it means that an issue is not found long after it was to be created.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Absent {
    /// Nothing: a search may be late.
    #[default]
    Unknown,
    /// That it was not created.
    NotBegun,
}

impl Settings {
    /// Reads settings. What is not known is refused.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        // They are put into questions in Jira's language and into paths.
        let is_word = |text: &str, also: &[u8]| {
            (1..=100).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
        };
        // Jira writes the keys of issues in capitals, and so only these are found again.
        if !is_kind(&read.project) {
            return Err(format!("`{}` is not the key of a project, such as `SHOP`", read.project));
        }
        if !is_word(&read.property, b"._-") || read.property.starts_with('.') {
            return Err(format!("`{}` is not the key of a property", read.property));
        }
        // A field that is ours already would be written twice.
        let ours = ["project", "issuetype", "summary", "description", "parent", "labels"];
        if let Some(field) = read.fields.values().find(|field| ours.contains(&field.as_str())) {
            return Err(format!("`{field}` is written by itself"));
        }
        Ok(read)
    }
}
