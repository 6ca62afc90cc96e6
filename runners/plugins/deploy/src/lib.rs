//! The deploy runner: starts what another system carries out (a job, a workflow, a pipeline, a sync, a command), each
//! step once, follows it to its end, and asks the deployed system how it is. Which requests these are is data: the
//! settings of the environment hold a template for each deployment.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod payload; // what a request asks for
mod template; // what an environment knows how to do
mod check; // what nobody could follow is refused
mod holes; // values, and texts with holes
mod render; // templates, filled
mod json; // what answers hold
mod plan; // steps and findings
mod look; // calls that only read
mod follow; // what another system carries out, to its end
mod execute; // what was approved, once
mod verify; // what became of it
mod health; // how the deployed system is

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::host::{Commands, Context, Http, Linked};
use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin, Stop};

/// The name that the manifest gives to the one target.
const CONNECTION: &str = "target";

const PAYLOAD_SCHEMA: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"do":{"type":"string","minLength":1,"description":"The name of a deployment of this environment."},"with":{"type":"object","maxProperties":64,"description":"The values of its holes.","additionalProperties":{"type":["string","integer"]}},"artifact":{"type":"object","description":"What is deployed, by its digest.","properties":{"name":{"type":"string","minLength":1,"maxLength":256},"digest":{"type":"string","pattern":"^(sha256:)?[0-9a-f]{64}$"}},"required":["name","digest"],"additionalProperties":false},"rollback":{"type":"boolean","description":"Whether the deployment's rollback is asked for instead."}},"required":["do"],"additionalProperties":false}"#;

/// What the plugin needs of its host.
pub trait Host: Context + Http + Commands {}

impl<H: Context + Http + Commands> Host for H {}

/// The runner over a host.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Deploy;

impl Deploy {
    /// Says what executing the job would do, and sends nothing.
    ///
    /// # Errors
    ///
    /// Never: what is wrong is a finding.
    pub fn plan(job: &Job) -> Result<ChangePlan, String> {
        Ok(plan::plan(job))
    }

    /// Sends what was approved.
    pub fn execute(host: &impl Host, job: &Job, approved: &ChangePlan) -> Outcome {
        execute::execute(host, job, &approved.steps)
    }

    /// Sends the approved steps of a request that asks for a rollback. The steps of any other would deploy once more.
    pub fn rollback(host: &impl Host, job: &Job, approved: &ChangePlan) -> Outcome {
        match payload::Payload::from_json(&job.payload) {
            Ok(payload) if payload.rollback => Self::execute(host, job, approved),
            Ok(_) => {
                let message = "this request does not ask for a rollback; say `\"rollback\": true`";
                Stop::before("unsupported", message).at(None, Vec::new())
            }
            Err(why) => Stop::before("deploy.payload", why).at(None, Vec::new()),
        }
    }

    /// Finds out what became of it.
    pub fn verify(host: &impl Host, job: &Job, approved: &ChangePlan) -> Outcome {
        verify::verify(host, job, &approved.steps)
    }
}

impl Plugin for Deploy {
    fn describe() -> Info {
        Info {
            name: "deploy".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            title: "Deployment".to_string(),
            payload_schema: PAYLOAD_SCHEMA.to_string(),
            supports: ["plan", "execute", "verify", "rollback"].map(String::from).to_vec(),
        }
    }

    fn validate(payload: &str) -> Vec<Finding> {
        payload::findings(payload)
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        Self::plan(&job)
    }

    fn execute(job: Job, approved: ChangePlan) -> Outcome {
        Self::execute(&Linked, &job, &approved)
    }

    fn verify(job: Job, approved: ChangePlan) -> Outcome {
        Self::verify(&Linked, &job, &approved)
    }

    fn rollback(job: Job, approved: ChangePlan) -> Outcome {
        Self::rollback(&Linked, &job, &approved)
    }
}

#[cfg(target_family = "wasm")]
placet_plugin_sdk::export_plugin!(Deploy);
