//! Breaks the contract in the way that the payload names: `{"behaviour": "…", "sql": "…"}`.
#![no_std]
#![cfg(target_family = "wasm")]

extern crate alloc;

mod more; // more ways, by name
mod odd; // names, statements, orders and calls

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::sql::{Connection, Error, Transaction};
use placet_plugin_sdk::{
    ChangePlan, Finding, Info, Job, Outcome, Plugin, Step, context, export_plugin, failure, report,
};

struct Unruly;

export_plugin!(Unruly);

fn read(payload: &str) -> (String, String) {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
    let text = |name: &str| value[name].as_str().unwrap_or("").to_string();
    let (behaviour, sql) = (text("behaviour"), text("sql"));
    // Payloads that the host reads too have no room for it: there it is the first comment of the script.
    match sql.strip_prefix("/*").and_then(|rest| rest.split_once("*/")) {
        Some((behaviour, rest)) => (behaviour.trim().to_string(), rest.trim().to_string()),
        None => (behaviour, sql),
    }
}

fn spin() -> ! {
    let mut rounds = 0_u64;
    loop {
        rounds = core::hint::black_box(rounds.wrapping_add(1));
    }
}

/// Talks to the host without end.
fn talk(step: &str) -> ! {
    loop {
        let _now = context::now();
        context::progress(step, 1, None, None);
    }
}

fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

fn begun() -> (Connection, Transaction) {
    let Ok(connection) = Connection::open("target") else { trap() };
    let Ok(transaction) = connection.begin() else { trap() };
    (connection, transaction)
}

fn done() -> Outcome {
    Outcome::Succeeded(report("all done", Some(1_000_000)))
}

impl Plugin for Unruly {
    fn describe() -> Info {
        Info {
            name: "unruly".to_string(),
            version: "0.1.0".to_string(),
            title: "Unruly".to_string(),
            payload_schema: "{}".to_string(),
            supports: Vec::new(),
        }
    }

    fn validate(payload: &str) -> Vec<Finding> {
        match read(payload).0.as_str() {
            more if more.starts_with("validate ") => return more::validate(more),
            "loop-validate" => spin(),
            "reach-validate" => {
                let _connection = Connection::open("target");
            }
            _ => {}
        }
        Vec::new()
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        let (behaviour, sql) = read(&job.payload);
        let said = |error: Error| match error {
            Error::Denied(why) => why,
            _ => "another error".to_string(),
        };
        match behaviour.as_str() {
            "chatty-plan" => talk("s1"),
            "plan-commit" => {
                let (_connection, transaction) = begun();
                transaction.execute(&sql, &[]).map_err(said)?;
                transaction.commit().map_err(said)?;
            }
            "plan-write" => {
                let connection = Connection::open("target").map_err(said)?;
                connection.query(&sql, &[]).map_err(said)?;
            }
            "plan-other" => {
                let (_connection, transaction) = begun();
                transaction.execute("DROP TABLE orders", &[]).map_err(said)?;
            }
            _ => {}
        }
        if let Some(how) = behaviour.strip_prefix("inverse-") {
            let Some((request, revision)) = how.split_once(' ') else { trap() };
            let connection = Connection::open("target").map_err(said)?;
            let revision = revision.parse().unwrap_or(0);
            return Err(match connection.inverse(request, revision, 1) {
                Ok(statements) => statements.concat(),
                Err(error) => said(error),
            });
        }
        let (kind, effect) = match behaviour.as_str() {
            reads if reads.starts_with("answer") => ("read", "transactional"),
            alone if alone.starts_with("alone") => ("ddl", "at-most-once"),
            _ => ("write", "transactional"),
        };
        let bodies = sql.split(';').map(str::trim).filter(|body| !body.is_empty());
        let step = |(index, body): (usize, &str)| Step {
            id: alloc::format!("s{}", index + 1),
            title: "a step".to_string(),
            body: body.to_string(),
            body_digest: "not a digest".to_string(),
            target: "target".to_string(),
            kind: kind.to_string(),
            risk: "none".to_string(),
            effect: effect.to_string(),
            estimated_rows: None,
            reversible: true,
            lock: "rows".to_string(),
            rewrites: false,
            objects: Vec::new(),
        };
        let mut steps = bodies.enumerate().map(step).collect();
        more::plan(&behaviour, &job, &mut steps)?;
        Ok(ChangePlan {
            steps,
            findings: Vec::new(),
            digest: "not a digest".to_string(),
            rollback: None,
        })
    }

    fn execute(job: Job, approved: ChangePlan) -> Outcome {
        let (behaviour, _) = read(&job.payload);
        let body = approved.steps.first().map_or("", |step| step.body.as_str());
        if let Some(outcome) = more::execute(&behaviour, &job, &approved) {
            return outcome;
        }
        match behaviour.as_str() {
            "loop" => spin(),
            "chatty" => talk("s1"),
            "fields" => {
                for _ in 0..1_000 {
                    context::log("info", "", &vec![(String::new(), String::new()); 3]);
                    context::progress("", 0, None, None);
                }
            }
            "after-failure" => {
                let (_connection, transaction) = begun();
                let _failed = transaction.execute(body, &[]);
                let _refused = transaction.execute(body, &[]);
                let _refused = transaction.commit();
            }
            "trap" => trap(),
            "trap-inside" => {
                let (_connection, transaction) = begun();
                let _rows = transaction.execute(body, &[]);
                trap()
            }
            "memory" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(core::hint::black_box(vec![1; 1 << 20]));
                }
            }
            "handles" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(Connection::open("target"));
                }
            }
            "calls" => loop {
                let _now = context::now();
            },
            "chatter" => {
                for _ in 0..1_000 {
                    context::log("loud", "\u{1b}[31mhello, hello, hello", &[]);
                }
            }
            "no-commit" => {
                let (_connection, transaction) = begun();
                let _rows = transaction.execute(body, &[]);
            }
            "early" => {
                let (_connection, transaction) = begun();
                let _refused = transaction.commit();
            }
            "other-sql" => {
                let (_connection, transaction) = begun();
                let _refused = transaction.execute("DELETE FROM orders", &[]);
                let _refused = transaction.commit();
            }
            "step-together" => {
                let (_connection, transaction) = begun();
                let _rows = transaction.execute(body, &[]);
                let _refused = transaction.commit_step();
            }
            "steps-commit" => {
                let (_connection, transaction) = begun();
                let _rows = transaction.execute(body, &[]);
                let _refused = transaction.commit();
            }
            "steps-twice" => {
                let (connection, transaction) = begun();
                for step in &approved.steps {
                    let _refused = transaction.execute(&step.body, &[]);
                }
                let _done = transaction.commit_step();
                let _refused = connection.execute_autocommit(body, &[]);
            }
            "steps-again" => {
                let (connection, transaction) = begun();
                let _rows = transaction.execute(body, &[]);
                let _done = transaction.commit_step();
                if let Ok(transaction) = connection.begin() {
                    let _refused = transaction.execute(body, &[]);
                    let _refused = transaction.commit_step();
                }
            }
            "steps-on" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                for step in &approved.steps {
                    if let Ok(transaction) = connection.begin() {
                        let _failed = transaction.execute(&step.body, &[]);
                        let _failed = transaction.commit_step();
                    }
                }
            }
            "alone-in" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                if let Ok(transaction) = connection.begin() {
                    let _refused = transaction.execute(body, &[]);
                }
            }
            "alone-on" | "write-alone" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                for step in &approved.steps {
                    let _failed = connection.execute_autocommit(&step.body, &[]);
                }
            }
            "answer-other" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                let _refused = connection.answer("SELECT * FROM secrets");
            }
            "answer-begin" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                let _refused = connection.begin();
            }
            "answer-half" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                let _answered = connection.answer(body);
            }
            "answer-on" | "write-answer" => {
                let Ok(connection) = Connection::open("target") else { trap() };
                for step in &approved.steps {
                    let _answered = connection.answer(&step.body);
                }
            }
            after if after.starts_with("commit") => {
                let (_connection, transaction) = begun();
                let _rows = transaction.execute(body, &[]);
                let _done = transaction.commit();
                match after {
                    "commit-loop" => spin(),
                    "commit-lie" => return Outcome::Failed(failure("nothing", "it did not work")),
                    _ => trap(),
                }
            }
            _ => {}
        }
        done()
    }

    fn verify(job: Job, approved: ChangePlan) -> Outcome {
        if let Some(outcome) = more::verify(&read(&job.payload).0, &approved) {
            return outcome;
        }
        if read(&job.payload).0 == "chatty" {
            talk("s1");
        }
        if read(&job.payload).0.starts_with("commit") {
            let _marker = Connection::open("target").and_then(|connection| connection.marker());
            return Outcome::Failed(failure("nothing", "it did not work"));
        }
        done()
    }
}
