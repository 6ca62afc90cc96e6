//! The SQL runner: reviews a script, tries it in a transaction that is rolled back, and executes what was approved: in
//! one transaction, step by step, or as queries. The host owns connections, transactions and marks.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod review; // steps and findings of a payload
mod run; // dry run, execution, verification

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin};

/// The name that the manifest gives to the one connection.
const CONNECTION: &str = "target";

const PAYLOAD_SCHEMA: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","oneOf":[{"type":"object","properties":{"sql":{"type":"string","minLength":1,"description":"One or more SQL statements, separated by semicolons."},"mode":{"enum":["transaction","steps"],"description":"One transaction for all statements, or each with effect at once."},"suppress":{"type":"array","maxItems":100,"description":"Findings that are taken as known. An approver must agree.","items":{"type":"object","properties":{"code":{"type":"string"},"reason":{"type":"string","minLength":1,"maxLength":500}},"required":["code","reason"],"additionalProperties":false}},"limit":{"type":"integer","minimum":1,"description":"The most rows that a query may answer."}},"required":["sql"],"additionalProperties":false},{"type":"object","properties":{"revert":{"type":"object","description":"What this attempt changed is put back.","properties":{"request":{"type":"string","pattern":"^req_"},"revision":{"type":"integer","minimum":1},"attempt":{"type":"integer","minimum":1}},"required":["request","revision","attempt"],"additionalProperties":false}},"required":["revert"],"additionalProperties":false}]}"#;

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

    fn validate(payload: &str) -> Vec<Finding> {
        review::everywhere(payload)
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
