//! The SQL runner: reviews a script, tries it in a transaction that is rolled back, and executes what
//! was approved in one transaction. The host owns connection, transaction and marker.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod split; // a script, cut into statements
mod classify; // what one statement does
mod review; // steps and findings of a payload
mod run; // dry run, execution, verification

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin};

/// The name that the manifest gives to the one connection.
const CONNECTION: &str = "target";

const PAYLOAD_SCHEMA: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"sql":{"type":"string","minLength":1,"description":"One or more SQL statements, separated by semicolons."},"mode":{"enum":["transaction","steps"]},"suppress":{"type":"array"},"limit":{"type":"integer","minimum":1},"revert":{"type":"object"}},"additionalProperties":false}"#;

struct Sql;

impl Plugin for Sql {
    fn describe() -> Info {
        Info {
            name: "sql".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            title: "SQL script".to_string(),
            payload_schema: PAYLOAD_SCHEMA.to_string(),
            supports: ["plan", "execute", "verify"].map(ToString::to_string).to_vec(),
        }
    }

    // The dialect is the target's and not known yet: what does not parse here may well parse there.
    fn validate(payload: &str) -> Vec<Finding> {
        if run::revert(payload).is_some() {
            return Vec::new();
        }
        let mut findings = review::review(payload, "sqlite").findings;
        findings.retain(|finding| finding.code != "sql.unparsed");
        findings
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        run::plan(&job)
    }

    fn execute(job: Job, approved: ChangePlan) -> Outcome {
        run::execute(&job, &approved)
    }

    fn verify(_: Job, _: ChangePlan) -> Outcome {
        run::verify()
    }
}

#[cfg(target_family = "wasm")]
placet_plugin_sdk::export_plugin!(Sql);
