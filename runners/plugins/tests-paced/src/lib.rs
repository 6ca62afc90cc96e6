//! Plans what `closing` says, and calls the host as often as it is asked to:
//! `{"orders": [3, 5], "call": "open", "times": 20000}`. `call` is `open`, `dialect`, `query`, `now` or `wait`.
#![no_std]
#![cfg(target_family = "wasm")]

extern crate alloc;

mod closing; // what is planned

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::sql::Connection;
use placet_plugin_sdk::{
    ChangePlan, Failure, Finding, Info, Job, Outcome, Plugin, Step, context, export_plugin,
    failure, finding, report,
};

use closing::Closing;

struct Paced;

export_plugin!(Paced);

const CONNECTION: &str = "target";

const WRONG: &str = "write {\"orders\": [3, 5]}";

fn step(closing: Closing) -> Step {
    Step {
        id: closing.id,
        title: closing.title,
        body: closing.body,
        body_digest: String::new(),
        target: CONNECTION.to_string(),
        kind: "write".to_string(),
        risk: "low".to_string(),
        effect: "transactional".to_string(),
        estimated_rows: Some(1),
        reversible: false,
        lock: "rows".to_string(),
        rewrites: false,
        objects: vec!["orders".to_string()],
    }
}

/// Calls the host as the payload says.
fn call_host(payload: &str) -> Result<(), String> {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
    let call = value["call"].as_str().unwrap_or("");
    let times = value["times"].as_u64().unwrap_or(0);
    let open = || Connection::open(CONNECTION).map_err(|_| "it was not opened".to_string());
    let opened = if matches!(call, "dialect" | "query") { Some(open()?) } else { None };
    for _ in 0..times {
        match (call, &opened) {
            ("open", _) => drop(open()?),
            ("dialect", Some(connection)) => drop(connection.dialect()),
            ("query", Some(connection)) => {
                drop(connection.query("SELECT 1", &[]).map_err(|_| "it failed".to_string())?);
            }
            ("now", _) => drop(context::now()),
            ("wait", _) => context::wait(1_000),
            _ => return Err("there is no such call".to_string()),
        }
    }
    Ok(())
}

/// Executes what was approved, in one transaction.
fn run(approved: &ChangePlan) -> Option<u64> {
    // Longer than its transaction: that is gone with it.
    let connection = Connection::open(CONNECTION).ok()?;
    let transaction = connection.begin().ok()?;
    let mut rows = 0;
    for step in &approved.steps {
        rows += transaction.execute(&step.body, &[]).ok()?.affected();
    }
    transaction.commit().ok()?;
    Some(rows)
}

fn lost() -> Failure {
    failure("paced.lost", "a call to the host failed")
}

impl Plugin for Paced {
    fn describe() -> Info {
        Info {
            name: "paced".to_string(),
            version: "0.1.0".to_string(),
            title: "Paced".to_string(),
            payload_schema: "{}".to_string(),
            supports: ["plan", "execute", "verify"].map(ToString::to_string).to_vec(),
        }
    }

    /// Plans, and hands out each step as a finding.
    fn validate(payload: &str) -> Vec<Finding> {
        match closing::plan(payload) {
            Some(steps) => {
                let told = |step: Closing| Finding {
                    step: Some(step.id),
                    help: Some(step.title),
                    ..finding("info", "paced.step", &step.body)
                };
                steps.into_iter().map(told).collect()
            }
            None => vec![finding("error", "paced.payload", WRONG)],
        }
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        let steps = closing::plan(&job.payload).ok_or(WRONG)?;
        call_host(&job.payload)?;
        Ok(ChangePlan {
            steps: steps.into_iter().map(step).collect(),
            findings: Vec::new(),
            digest: String::new(),
            rollback: None,
        })
    }

    fn execute(_job: Job, approved: ChangePlan) -> Outcome {
        match run(&approved) {
            Some(rows) => Outcome::Succeeded(report("closed", Some(rows))),
            None => Outcome::Failed(lost()),
        }
    }

    fn verify(_job: Job, _approved: ChangePlan) -> Outcome {
        match Connection::open(CONNECTION).and_then(|connection| connection.marker()) {
            Ok(Some(true)) => Outcome::Succeeded(report("the marker is there", None)),
            Ok(Some(false)) => Outcome::Failed(failure("not_committed", "it is not there")),
            Ok(None) | Err(_) => Outcome::Unknown(lost()),
        }
    }
}
