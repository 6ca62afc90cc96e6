//! Announces a release to another system: `{"version": "1.4.2"}`.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::exchange::{Exchange, HttpCall, RUN};
use placet_plugin_sdk::host::{Context, Http, Linked};
use placet_plugin_sdk::http::Request;
use placet_plugin_sdk::once::{self, Noted};
use placet_plugin_sdk::{
    ChangePlan, Finding, Info, Job, Outcome, Plugin, Step, Stop, finding, report,
};

/// The name that the manifest gives to the one target.
const CONNECTION: &str = "target";

/// The name of the endpoint there, as the operator sets it up.
const ENDPOINT: &str = "releases";

/// The one step.
const STEP: &str = "announce";

/// How long after the end of a run an announcement may still arrive, in seconds.
const SETTLE_S: u32 = 60;

const PAYLOAD_SCHEMA: &str = r#"{"type":"object","properties":{"version":{"type":"string","pattern":"^[0-9]+(\\.[0-9]+){1,3}$","maxLength":64}},"required":["version"],"additionalProperties":false}"#;

const WRONG: &str = "write {\"version\": \"1.4.2\"}: two to four numbers with points between them";

struct AnnounceRelease;

#[cfg(target_family = "wasm")]
placet_plugin_sdk::export_plugin!(AnnounceRelease);

/// The version of a payload. `None` where it is not one of ours.
fn version(payload: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(payload).ok()?;
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let version = members.get("version")?.as_str().filter(|version| version.len() <= 64)?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = (2..=4).contains(&version.split('.').count()) && version.split('.').all(is_number);
    is_version.then(|| version.to_string())
}

/// What an approver sees, and what is sent: the same text. The host puts the name of the run where `RUN` stands, so that
/// `verify` finds it again.
fn call(version: &str) -> HttpCall {
    HttpCall {
        endpoint: ENDPOINT.to_string(),
        method: "PUT".to_string(),
        path_and_query: format!("/releases/{RUN}"),
        headers: vec![("content-type".to_string(), "application/json".to_string())],
        body: format!(r#"{{"version":"{version}"}}"#).into_bytes(),
    }
}

/// The approved step, as it is sent in this run.
fn approved_call(job: &Job, approved: &ChangePlan) -> Result<HttpCall, Stop> {
    let [step] = approved.steps.as_slice() else {
        return Err(Stop::before("release.changed", "the plan has another number of steps"));
    };
    let changed = |why| Stop::before("release.changed", format!("the step cannot be read: {why}"));
    let exchange = Exchange::parse(&step.body).map_err(|why| changed(why.to_string()))?;
    let exchange = exchange.filled(&job.id.idempotency_key).map_err(|why| changed(why.to_string()))?;
    match exchange {
        Exchange::Http(call) => Ok(call),
        Exchange::Command(_) => Err(changed("it is a command".to_string())),
    }
}

fn announce(host: &(impl Context + Http), job: &Job, approved: &ChangePlan) -> Result<(), Stop> {
    let run = job.id.idempotency_key.as_str();
    let call = approved_call(job, approved)?;
    // What an earlier entry of this run sent is not sent again.
    once::enter(host, run, "release.unknown")?;
    // It notes what it is about to send, sends it, and says what is known of it.
    once::send(host, (run, &job.deadline), STEP, &call).or_stop("release.unknown")?;
    if let Err(why) = once::note(host, run, STEP, &Noted::Done) {
        host.log("warn", &format!("that it was sent could not be noted: {why}"));
    }
    Ok(())
}

fn look(host: &(impl Context + Http), job: &Job, approved: &ChangePlan) -> Result<(), Stop> {
    let run = job.id.idempotency_key.as_str();
    let call = approved_call(job, approved)?;
    let request = Request {
        method: "GET".to_string(),
        path_and_query: call.path_and_query,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let unknown = |why: String| Stop::unknown("release.unknown", why);
    match host.send(ENDPOINT, &request) {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) if answer.status == 404 => match once::noted(host, run).get(STEP) {
            None => Err(Stop::before("release.not_sent", "it was never sent")),
            // What is still on its way may arrive later.
            Some(Noted::Intent { deadline }) if once::is_past(&host.now(), deadline, SETTLE_S) => {
                Err(Stop::before("release.not_there", "it is not there, and nothing can bring it any more"))
            }
            Some(_) => Err(unknown("it is not there yet".to_string())),
        },
        Ok(answer) => Err(unknown(format!("the answer was {}", answer.status))),
        Err(error) => Err(unknown(format!("nobody answered: {error:?}"))),
    }
}

impl Plugin for AnnounceRelease {
    fn describe() -> Info {
        Info {
            name: "announce-release".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            title: "Announce a release".to_string(),
            payload_schema: PAYLOAD_SCHEMA.to_string(),
            supports: ["plan", "execute", "verify"].map(ToString::to_string).to_vec(),
        }
    }

    fn validate(payload: &str) -> Vec<Finding> {
        match version(payload) {
            Some(_) => Vec::new(),
            None => vec![finding("error", "release.payload", WRONG)],
        }
    }

    fn plan(job: Job) -> Result<ChangePlan, String> {
        let version = version(&job.payload).ok_or(WRONG)?;
        let step = Step {
            id: STEP.to_string(),
            title: format!("Announce {version}"),
            body: Exchange::Http(call(&version)).to_text(),
            // The host computes it.
            body_digest: String::new(),
            target: CONNECTION.to_string(),
            kind: "deploy".to_string(),
            risk: "medium".to_string(),
            effect: "at-most-once".to_string(),
            estimated_rows: None,
            reversible: false,
            lock: "none".to_string(),
            rewrites: false,
            objects: vec![ENDPOINT.to_string()],
        };
        // The host computes the digest, too.
        let (digest, rollback) = (String::new(), None);
        Ok(ChangePlan { steps: vec![step], findings: Vec::new(), digest, rollback })
    }

    fn execute(job: Job, approved: ChangePlan) -> Outcome {
        match announce(&Linked, &job, &approved) {
            Ok(()) => Outcome::Succeeded(report("announced", None)),
            Err(stop) => stop.at(Some(STEP), Vec::new()),
        }
    }

    fn verify(job: Job, approved: ChangePlan) -> Outcome {
        match look(&Linked, &job, &approved) {
            Ok(()) => Outcome::Succeeded(report("announced", None)),
            Err(stop) => stop.at(Some(STEP), Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use placet_plugin_sdk::ExecutionId;
    use placet_plugin_sdk::http::Response;
    use placet_plugin_sdk::testing::{FakeHost, Fault, Server, World};

    use super::*;

    /// Counts the releases that it was told of.
    struct Releases(u32);

    impl Server for Releases {
        fn answer(&mut self, _endpoint: &str, request: &Request) -> Option<Response> {
            if request.method == "PUT" {
                self.0 += 1;
            }
            Some(Response { status: 200, headers: vec![], body: vec![] })
        }
    }

    fn job() -> Job {
        let (request, idempotency_key) = ("req_1".to_string(), "run_1".to_string());
        Job {
            id: ExecutionId { request, revision: 1, attempt: 1, fence: 1, idempotency_key },
            payload: r#"{"version": "1.4.2"}"#.to_string(),
            payload_digest: String::new(),
            project: "shop".to_string(),
            module_name: "orders".to_string(),
            environment: "prod".to_string(),
            deadline: "2026-01-01T00:30:00Z".to_string(),
            dry_run: false,
            settings: "{}".to_string(),
        }
    }

    #[test]
    fn a_run_that_is_entered_twice_sends_once() {
        for fault in [None, Some(Fault::LostAfter)] {
            let world = World::of(Releases(0));
            let plan = AnnounceRelease::plan(job()).unwrap();
            let host = FakeHost::writing(&world);
            let host = if let Some(fault) = fault { host.failing(0, fault) } else { host };
            let first = announce(&host, &job(), &plan);
            assert_eq!(first.is_ok(), fault.is_none());
            let again = announce(&FakeHost::writing(&world), &job(), &plan).unwrap_err();
            assert!(!again.is_known, "{again:?}");
            assert_eq!(world.borrow().server.0, 1);
        }
    }

    #[test]
    fn a_payload_names_a_version() {
        assert_eq!(version(r#"{"version": "1.4.2"}"#).as_deref(), Some("1.4.2"));
        for wrong in ["", "{}", r#"{"version": "1"}"#, r#"{"version": "1..2"}"#, r#"{"version": 1}"#] {
            assert_eq!(version(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_is_what_is_sent() {
        let text = Exchange::Http(call("1.4.2")).to_text();
        let sent = Exchange::parse(&text).unwrap().filled("run_1").unwrap();
        assert!(sent.to_text().contains("/releases/run_1"), "{text}");
    }
}
