//! Closes the orders that the payload names: `{"orders": [3, 5]}`.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::sql::{Connection, Error};
use placet_plugin_sdk::{
    ChangePlan, Failure, Finding, Info, Job, Outcome, Plugin, Step, context, failure, finding,
    report,
};

/// The name that the manifest gives to the one connection.
const CONNECTION: &str = "target";

const PAYLOAD_SCHEMA: &str = r#"{"type":"object","properties":{"orders":{"type":"array","items":{"type":"integer","minimum":1},"minItems":1,"maxItems":1000}},"required":["orders"],"additionalProperties":false}"#;

const WRONG: &str = "write {\"orders\": [3, 5]}: 1 to 1000 numbers of orders";

struct CloseOrders;

#[cfg(target_family = "wasm")]
placet_plugin_sdk::export_plugin!(CloseOrders);

/// The orders of a payload. `None` where it is not one of ours.
fn orders(payload: &str) -> Option<Vec<u64>> {
    let value: serde_json::Value = serde_json::from_str(payload).ok()?;
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let numbers = members.get("orders")?.as_array()?;
    let numbers: Option<Vec<u64>> = numbers.iter().map(serde_json::Value::as_u64).collect();
    numbers.filter(|all| (1..=1_000).contains(&all.len()) && !all.contains(&0))
}

/// What an approver sees, and what runs: the same text.
fn step((index, order): (usize, u64)) -> Step {
    Step {
        id: format!("s{}", index + 1),
        title: format!("Close order {order}"),
        body: format!("UPDATE orders SET state = 'closed' WHERE id = {order}"),
        // The host computes it.
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

impl Plugin for CloseOrders {
    fn describe() -> Info {
        Info {
            name: "close-orders".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            title: "Close orders".to_string(),
            payload_schema: PAYLOAD_SCHEMA.to_string(),
            supports: ["plan", "execute", "verify"].map(ToString::to_string).to_vec(),
        }
    }

    fn validate(payload: &str) -> Vec<Finding> {
        match orders(payload) {
            Some(_) => Vec::new(),
            None => vec![finding("error", "orders.payload", WRONG)],
        }
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        let orders = orders(&job.payload).ok_or(WRONG)?;
        Ok(ChangePlan {
            steps: orders.into_iter().enumerate().map(step).collect(),
            findings: Vec::new(),
            // The host computes it.
            digest: String::new(),
            rollback: None,
        })
    }

    fn execute(_job: Job, approved: ChangePlan) -> Outcome {
        let count = approved.steps.len();
        match run(&approved) {
            Ok(rows) => {
                Outcome::Succeeded(report(&format!("closed {count} orders"), Some(rows)))
            }
            // It was sent, and nobody knows: the host asks `verify`, and never runs it again.
            Err(Error::Unknown(why)) => Outcome::Unknown(failure("unknown", &why)),
            Err(error) => Outcome::Failed(said(&error)),
        }
    }

    fn verify(_job: Job, _approved: ChangePlan) -> Outcome {
        match Connection::open(CONNECTION).and_then(|connection| connection.marker()) {
            Ok(Some(true)) => Outcome::Succeeded(report("the marker is there", None)),
            Ok(Some(false)) => {
                Outcome::Failed(failure("not_committed", "the marker is not there"))
            }
            Ok(None) => Outcome::Unknown(failure("unknown", "the target cannot tell")),
            Err(error) => Outcome::Unknown(said(&error)),
        }
    }
}

/// Runs what was approved, word for word, in one transaction. What is dropped without a commit is undone.
fn run(approved: &ChangePlan) -> Result<u64, Error> {
    let connection = Connection::open(CONNECTION)?;
    let transaction = connection.begin()?;
    let mut rows = 0;
    for (done, step) in approved.steps.iter().enumerate() {
        context::progress(&step.id, done as u64, Some(approved.steps.len() as u64), None);
        rows += transaction.execute(&step.body, &[])?.affected();
    }
    transaction.commit()?;
    Ok(rows)
}

fn said(error: &Error) -> Failure {
    match error {
        Error::Denied(why) => failure("denied", why),
        Error::Invalid(why) => failure("invalid", why),
        Error::Db(db) => failure(&db.code, &db.message),
        Error::Connection(why) => failure("target_unavailable", why),
        Error::Unknown(why) => failure("unknown", why),
        Error::Timeout => failure("timeout", "the deadline passed"),
        Error::Cancelled => failure("cancelled", "the run was cancelled"),
        Error::Limit(why) => failure("limit", why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_names_orders() {
        assert_eq!(orders(r#"{"orders": [3, 5]}"#), Some(vec![3, 5]));
        for wrong in ["", "{}", r#"{"orders": []}"#, r#"{"orders": [0]}"#, r#"{"orders": ["3"]}"#] {
            assert_eq!(orders(wrong), None, "{wrong}");
        }
    }
}
