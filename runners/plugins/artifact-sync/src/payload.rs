//! The artifacts of a request.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::{Finding, finding};
use serde::Deserialize;
use serde_json::Value;

/// The most artifacts of one request.
const ARTIFACTS_MAX: usize = 100;
/// The largest number of an artifact: beyond it, readers of JSON disagree.
const ID_MAX: u64 = 9_007_199_254_740_991;

/// A payload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payload {
    pub(crate) artifacts: Vec<Artifact>,
}

/// One version of an artifact.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Artifact {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: u64,
    pub(crate) version: u32,
    pub(crate) status: String,
    pub(crate) digest: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, Value>,
    pub(crate) parent: Option<Parent>,
}

/// What an artifact belongs to.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Parent {
    /// Another artifact.
    Artifact {
        #[serde(rename = "type")]
        kind: String,
        id: u64,
    },
    /// An issue, by its key.
    Issue { key: String },
}

impl Payload {
    /// Reads a payload.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.artifacts.is_empty() || read.artifacts.len() > ARTIFACTS_MAX {
            return Err(format!("it has 1 to {ARTIFACTS_MAX} artifacts"));
        }
        let mut names = BTreeSet::new();
        for artifact in &read.artifacts {
            artifact.check().map_err(|why| format!("`{}`: {why}", artifact.name()))?;
            if !names.insert((&artifact.kind, artifact.id)) {
                return Err(format!("`{}` is there twice", artifact.name()));
            }
        }
        Ok(read)
    }
}

impl Artifact {
    /// Its name in a request: type and number.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }

    /// Whether it says of itself that it may be published. Nobody relies on that alone: the gate compares what is listed with
    /// its own states, and with what was approved.
    pub(crate) fn is_publishable(&self) -> bool {
        self.status == "APPROVED" || self.status == "SYNCED"
    }

    fn check(&self) -> Result<(), String> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !is_kind(&self.kind) || self.id > ID_MAX {
            return Err("this is not the name of an artifact".to_string());
        }
        if self.version == 0 {
            return Err("versions begin with 1".to_string());
        }
        if self.digest.len() != 64 || !self.digest.bytes().all(is_hex) {
            return Err("`digest` is not a SHA-256 in lower-case hexadecimal".to_string());
        }
        let is_line = !self.title.trim().is_empty() && !self.title.chars().any(char::is_control);
        if !is_line || self.title.chars().count() > 255 {
            return Err("`title` is one line of 1 to 255 characters".to_string());
        }
        match &self.parent {
            Some(Parent::Artifact { kind, id }) if !is_kind(kind) || *id > ID_MAX => {
                Err("`parent` is not the name of an artifact".to_string())
            }
            Some(Parent::Issue { key }) if !is_key(key) => {
                Err("`parent` is not the key of an issue".to_string())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a text is the type of an artifact, or the key of a project: capitals, digits and `_`.
pub(crate) fn is_kind(kind: &str) -> bool {
    (1..=63).contains(&kind.len())
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Whether a text is the key of an issue, such as `SHOP-7`. It is put into paths.
pub(crate) fn is_key(key: &str) -> bool {
    key.split_once('-').is_some_and(|(project, number)| {
        is_kind(project)
            && (1..=18).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What is wrong with a payload wherever it is meant for.
pub(crate) fn findings(text: &str) -> Vec<Finding> {
    match Payload::from_json(text) {
        Ok(payload) => payload.artifacts.iter().filter_map(not_approved).collect(),
        Err(why) => {
            let message = format!("the payload cannot be read: {why}");
            let help = "write a JSON object with `artifacts`".to_string();
            vec![Finding { help: Some(help), ..finding("error", "artifact.payload", &message) }]
        }
    }
}

/// What refuses an artifact that nobody approved.
pub(crate) fn not_approved(artifact: &Artifact) -> Option<Finding> {
    if artifact.is_publishable() {
        return None;
    }
    let (name, status) = (artifact.name(), &artifact.status);
    let message = format!("Artifact not approved: `{name}` is {status}");
    Some(Finding {
        help: Some("submit it, and have it approved first".to_string()),
        ..finding("error", "artifact.not_approved", &message)
    })
}
