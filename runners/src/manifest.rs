//! What a plugin asks for, and what an operator grants. A plugin reaches what its component imports, its
//! manifest names and its grant allows: all three.

use std::collections::BTreeSet;

use placet_core::error::{Code, Error};
use serde::{Deserialize, Serialize};

/// What a plugin's author says it needs. Comes beside the component, as JSON.
///
/// ```
/// use placet_runners::Manifest;
/// let manifest = Manifest::from_json(
///     r#"{"name": "sql", "version": "0.1.0", "capabilities": ["sql"], "connections": ["target"]}"#,
/// )?;
/// assert_eq!(manifest.connections, ["target"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The name by its author. The operator may install it under another one.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The capabilities it asks for, such as `sql`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The names under which it opens its connections. Each is bound to the target of the job.
    #[serde(default)]
    pub connections: Vec<String>,
    /// Where its payloads list the artifacts that it hands on, as a JSON pointer such as `/artifacts`: the gate lets
    /// it have only those that are approved, see [`RunnerInfo::publishes`](placet_core::runner::RunnerInfo::publishes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishes: Option<String>,
}

impl Manifest {
    /// A manifest that asks for nothing.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            capabilities: Vec::new(),
            connections: Vec::new(),
            publishes: None,
        }
    }

    /// Reads a manifest.
    ///
    /// Fails with [`Code::InvalidInput`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|source| {
            Error::new(
                Code::InvalidInput,
                format!("the plugin's manifest cannot be read: {source}"),
            )
            .with_help("write JSON with `name`, `version`, `capabilities` and `connections`")
        })
    }

    /// Adds a capability it asks for.
    #[must_use]
    pub fn with_capability(mut self, name: impl Into<String>) -> Self {
        self.capabilities.push(name.into());
        self
    }

    /// Says where its payloads list the artifacts that it hands on, as a JSON pointer.
    #[must_use]
    pub fn with_publishes(mut self, pointer: impl Into<String>) -> Self {
        self.publishes = Some(pointer.into());
        self
    }

    /// Adds a name under which it opens a connection.
    #[must_use]
    pub fn with_connection(mut self, name: impl Into<String>) -> Self {
        self.connections.push(name.into());
        self
    }
}

/// What an operator lets a plugin reach.
///
/// ```
/// use placet_runners::Grant;
/// let grant = Grant::none().with("sql").with_dry_run();
/// assert!(grant.allows("sql") && !grant.allows("http"));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Grant {
    capabilities: BTreeSet<String>,
    dry_run: bool,
}

impl Grant {
    /// Grants nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Grants one capability, such as `sql`.
    #[must_use]
    pub fn with(mut self, capability: impl Into<String>) -> Self {
        self.capabilities.insert(capability.into());
        self
    }

    /// Lets plans try their statements in a transaction of the host's that is always rolled back. It takes
    /// locks on the target while it lasts, so it is a grant of its own.
    #[must_use]
    pub const fn with_dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Whether `capability` is granted.
    pub fn allows(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Whether dry runs are granted.
    pub const fn allows_dry_run(&self) -> bool {
        self.dry_run
    }
}
