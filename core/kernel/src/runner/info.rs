//! What a plugin is, in words and digests.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::org::Slug;

/// What a plugin says of itself, and what the host knows of it.
///
/// ```
/// use placet_core::digest::Digest;
/// use placet_core::runner::RunnerInfo;
/// let component = b"the bytes of the plugin";
/// let mut info = RunnerInfo::new("mail".parse()?, "1.2.0".to_owned(), Digest::of(component));
/// info.title = "Sends mails".to_owned();
///
/// // One changed byte is another plugin: what was approved for this one does not run with that one.
/// assert_ne!(info.digest, Digest::of(b"the bytes of the plugin!"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunnerInfo {
    /// The name it is installed under.
    pub name: Slug,
    /// Its own version.
    pub version: String,
    /// What people see.
    pub title: String,
    /// The digest of the component that would run. Approvals bind to it.
    pub digest: Digest,
    /// A digest of what the host lets it run with, where that decides what a plan says: who reviews, and its limits.
    /// Approvals bind to it too. Nothing where there is no such thing; settings of an environment are none.
    pub configuration: Option<Digest>,
    /// JSON Schema (2020-12) of the payload.
    pub payload_schema: String,
    /// What it may reach: the capabilities that are linked for it, each a code such as `sql`. Nobody has it plan or run
    /// anything with one that was not granted ([`GrantPlugin`](crate::org::command::GrantPlugin)).
    pub capabilities: Vec<String>,
    /// Where the payload lists the artifacts that it hands on to another system, as a JSON pointer (RFC 6901), such as
    /// `/artifacts`: an array of objects with at least `type`, `id`, `version` and `digest`, the SHA-256 of the
    /// artifact's payload. The gate lets it plan and run only where each of them is the newest version, approved or
    /// published, and where the artifact's own payload lists it at the same place with the same words, but for `digest` and
    /// `status`. Approvals bind to it. Nothing where it hands on none.
    pub publishes: Option<String>,
    /// Whether the host lets it try a change and take it back while it plans. Noted when it is first used; from then on only
    /// an administrator allows more.
    #[serde(default)]
    pub dry_run: bool,
}

impl RunnerInfo {
    /// A description from its required parts, for drivers.
    pub const fn new(name: Slug, version: String, digest: Digest) -> Self {
        Self {
            name,
            version,
            title: String::new(),
            digest,
            configuration: None,
            payload_schema: String::new(),
            capabilities: Vec::new(),
            publishes: None,
            dry_run: false,
        }
    }

    /// What plans, and so approvals, bind to: the component, and what it runs with.
    pub(crate) fn identity(&self) -> Result<Digest, Error> {
        match (self.configuration, &self.publishes) {
            (None, None) => Ok(self.digest),
            (Some(with), None) => Digest::of_json(&(self.digest, with)),
            (with, Some(publishes)) => Digest::of_json(&(self.digest, with, publishes)),
        }
    }
}
