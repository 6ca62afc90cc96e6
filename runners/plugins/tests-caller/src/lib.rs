//! Calls other systems as the payload says, whatever it should do:
//! `{"steps": ["call as text", …], "plan": […], "execute": […], "verify": […], "says": "…", "finds": "…"}`.
//! Each act is the text of a call, or `step N`, `wait N`, `log`, `spin`, `trap`, `note KEY`, `notes`.
#![no_std]
#![cfg(target_family = "wasm")]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use placet_plugin_sdk::exchange::Exchange;
use placet_plugin_sdk::{
    ChangePlan, Finding, Info, Job, Outcome, Plugin, Step, command, context, export_plugin,
    failure, http, report,
};
use serde_json::Value;

struct Caller;

export_plugin!(Caller);

fn read(payload: &str) -> Value {
    serde_json::from_str(payload).unwrap_or_default()
}

fn texts(payload: &Value, name: &str) -> Vec<String> {
    let listed = payload[name].as_array().into_iter().flatten();
    listed.filter_map(|text| text.as_str().map(ToString::to_string)).collect()
}

fn call(text: &str, run: &str) {
    let said = match Exchange::parse(text).and_then(|call| call.filled(run)) {
        Ok(Exchange::Http(call)) => {
            let request = http::Request {
                method: call.method,
                path_and_query: call.path_and_query,
                headers: call.headers,
                body: call.body,
            };
            match http::send(&call.endpoint, &request) {
                Ok(answer) => {
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    format!("status {} {:?} {body}", answer.status, answer.headers)
                }
                Err(error) => format!("{error:?}"),
            }
        }
        Ok(Exchange::Command(call)) => {
            match command::run(&call.name, &call.arguments, &call.stdin) {
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stdout).into_owned();
                    format!("exit {} {said}", output.exit_code)
                }
                Err(error) => format!("{error:?}"),
            }
        }
        Err(refused) => refused.to_string(),
    };
    context::log("info", &said, &[]);
}

fn act(acts: &[String], run: &str, approved: &[Step]) {
    for act in acts {
        match act.split_once(' ').unwrap_or((act, "")) {
            ("step", number) => {
                let step = number.parse::<usize>().ok().and_then(|number| approved.get(number));
                if let Some(step) = step {
                    call(&step.body, run);
                }
            }
            ("wait", ms) => context::wait(ms.parse().unwrap_or(0)),
            ("note", key) => {
                let kept = context::checkpoint(key, "done 200");
                context::log("info", &format!("{kept:?}"), &[]);
            }
            ("notes", _) => context::log("info", &format!("{:?}", context::checkpoints()), &[]),
            ("trap", _) => core::arch::wasm32::unreachable(),
            ("spin", _) => loop {
                let _now = core::hint::black_box(context::now());
            },
            _ => call(act, run),
        }
    }
}

fn said(word: &str, approved: &[Step]) -> Outcome {
    let mut failure = failure("caller.said", "it says so");
    failure.applied = approved.iter().map(|step| step.id.clone()).collect();
    match word {
        "failed" => Outcome::Failed(failure),
        "unknown" => Outcome::Unknown(failure),
        _ => Outcome::Succeeded(report("all of it was done", Some(1_000_000))),
    }
}

impl Plugin for Caller {
    fn describe() -> Info {
        Info {
            name: "caller".to_string(),
            version: "0.1.0".to_string(),
            title: "Caller".to_string(),
            payload_schema: "{}".to_string(),
            supports: Vec::new(),
        }
    }

    fn validate(payload: &str) -> Vec<Finding> {
        act(&texts(&read(payload), "validate"), "run_0", &[]);
        Vec::new()
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        let payload = read(&job.payload);
        act(&texts(&payload, "plan"), &job.id.idempotency_key, &[]);
        let step = |(number, body): (usize, String)| Step {
            id: format!("s{number}"),
            title: "harmless".to_string(),
            body,
            body_digest: String::new(),
            target: "target".to_string(),
            kind: "read".to_string(),
            risk: "none".to_string(),
            effect: "transactional".to_string(),
            estimated_rows: Some(0),
            reversible: true,
            lock: "none".to_string(),
            rewrites: false,
            objects: Vec::new(),
        };
        let steps = texts(&payload, "steps").into_iter().enumerate().map(step).collect();
        Ok(ChangePlan { steps, findings: Vec::new(), digest: String::new(), rollback: None })
    }

    fn execute(job: Job, approved: ChangePlan) -> Outcome {
        let payload = read(&job.payload);
        act(&texts(&payload, "execute"), &job.id.idempotency_key, &approved.steps);
        said(payload["says"].as_str().unwrap_or_default(), &approved.steps)
    }

    fn verify(job: Job, approved: ChangePlan) -> Outcome {
        let payload = read(&job.payload);
        act(&texts(&payload, "verify"), &job.id.idempotency_key, &approved.steps);
        said(payload["finds"].as_str().unwrap_or_default(), &approved.steps)
    }
}
