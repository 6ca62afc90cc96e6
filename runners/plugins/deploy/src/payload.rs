//! What a request asks for.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::{Finding, finding};
use serde::Deserialize;
use serde_json::Value;

/// A payload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payload {
    /// The name of a deployment.
    #[serde(rename = "do")]
    pub(crate) deployment: String,
    #[serde(default)]
    with: BTreeMap<String, Value>,
    pub(crate) artifact: Option<Artifact>,
    #[serde(default)]
    pub(crate) rollback: bool,
}

/// What is deployed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) digest: String,
}

impl Payload {
    /// Reads a payload.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.deployment.is_empty() {
            return Err("`do` names no deployment".to_string());
        }
        read.values()?;
        if let Some(artifact) = &read.artifact {
            artifact.check()?;
        }
        Ok(read)
    }

    /// The values by the names of their holes, as texts.
    pub(crate) fn values(&self) -> Result<BTreeMap<&str, String>, String> {
        let text = |(name, value): (&'_ String, &Value)| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) if number.is_i64() => Ok(number.to_string()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                Err(format!("the value of `{name}` is neither a text nor a whole number"))
            }
        };
        self.with.iter().map(|pair| Ok((pair.0.as_str(), text(pair)?))).collect()
    }
}

impl Artifact {
    /// The digest without the name of its kind.
    pub(crate) fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap_or(&self.digest)
    }

    fn check(&self) -> Result<(), String> {
        let hex = self.hex();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.len() != 64 || !hex.bytes().all(is_hex) {
            return Err("`artifact.digest` is not a SHA-256 in lower-case hexadecimal".to_string());
        }
        let name = &self.name;
        if name.is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
            return Err("`artifact.name` is not a name".to_string());
        }
        Ok(())
    }
}

/// What is wrong with a payload wherever it is meant for.
pub(crate) fn findings(text: &str) -> Vec<Finding> {
    match Payload::from_json(text) {
        Ok(_) => Vec::new(),
        Err(why) => {
            let message = format!("the payload cannot be read: {why}");
            let help = "write a JSON object with `do`, and with `with` and `artifact` where the deployment asks for them";
            vec![Finding {
                help: Some(help.to_string()),
                ..finding("error", "deploy.payload", &message)
            }]
        }
    }
}
