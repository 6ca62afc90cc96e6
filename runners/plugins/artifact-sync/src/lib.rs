//! Publishes approved artifacts as Jira issues: one issue for each artifact, each version once. Which artifact an issue
//! is, and which version of it, stands in a property of the issue; that is how it is found again.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod payload; // the artifacts of a request
mod settings; // where an environment publishes them
mod adf; // texts as Jira takes them
mod issue; // the exact requests
mod find; // what is there
mod plan; // steps and findings
mod execute; // what was approved, once
mod verify; // what became of it

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::host::{Context, Http, Linked};
use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin};

/// The name that the manifest gives to the one target.
const CONNECTION: &str = "target";

const PAYLOAD_SCHEMA: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"artifacts":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"object","properties":{"type":{"type":"string","pattern":"^[A-Z][A-Z0-9_]{0,62}$"},"id":{"type":"integer","minimum":0,"maximum":9007199254740991},"version":{"type":"integer","minimum":1,"maximum":4294967295},"status":{"type":"string","description":"APPROVED or SYNCED; what is in any other state is refused."},"digest":{"type":"string","pattern":"^[0-9a-f]{64}$"},"title":{"type":"string","minLength":1,"maxLength":255},"text":{"type":"string","maxLength":30000},"fields":{"type":"object","maxProperties":50,"additionalProperties":{"type":["string","number","boolean","array"]}},"parent":{"oneOf":[{"type":"object","properties":{"type":{"type":"string"},"id":{"type":"integer","minimum":0}},"required":["type","id"],"additionalProperties":false},{"type":"object","properties":{"key":{"type":"string"}},"required":["key"],"additionalProperties":false}]}},"required":["type","id","version","status","digest","title"],"additionalProperties":false}}},"required":["artifacts"],"additionalProperties":false}"#;

/// What the plugin needs of its host.
pub trait Host: Context + Http {}

impl<H: Context + Http> Host for H {}

/// The runner over a host.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ArtifactSync;

impl ArtifactSync {
    /// Says what executing the job would do. It looks what is there already.
    ///
    /// # Errors
    ///
    /// With a sentence, where that cannot be told.
    pub fn plan(host: &impl Host, job: &Job) -> Result<ChangePlan, String> {
        plan::plan(host, job)
    }

    /// Sends what was approved.
    pub fn execute(host: &impl Host, job: &Job, approved: &ChangePlan) -> Outcome {
        execute::execute(host, job, &approved.steps)
    }

    /// Finds out what became of it.
    pub fn verify(host: &impl Host, job: &Job, approved: &ChangePlan) -> Outcome {
        verify::verify(host, job, &approved.steps)
    }
}

impl Plugin for ArtifactSync {
    fn describe() -> Info {
        Info {
            name: "artifact-sync".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            title: "Artifacts to Jira".to_string(),
            payload_schema: PAYLOAD_SCHEMA.to_string(),
            supports: ["plan", "execute", "verify"].map(String::from).to_vec(),
        }
    }

    fn validate(payload: &str) -> Vec<Finding> {
        payload::findings(payload)
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        Self::plan(&Linked, &job)
    }

    fn execute(job: Job, approved: ChangePlan) -> Outcome {
        Self::execute(&Linked, &job, &approved)
    }

    fn verify(job: Job, approved: ChangePlan) -> Outcome {
        Self::verify(&Linked, &job, &approved)
    }
}

#[cfg(target_family = "wasm")]
placet_plugin_sdk::export_plugin!(ArtifactSync);
