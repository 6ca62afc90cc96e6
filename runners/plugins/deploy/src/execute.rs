//! Sends what was approved, each step once, and follows it to its end.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::exchange::{CommandCall, Exchange, HttpCall};
use placet_plugin_sdk::http::Response;
use placet_plugin_sdk::once::{self, Noted};
use placet_plugin_sdk::{Job, Outcome, Step, Stop, report};

use crate::follow::{End, Followed, Patience, Place};
use crate::health::{self, Healthy};
use crate::holes::Values;
use crate::look::{self, Marked};
use crate::plan::Prepared;
use crate::template::{self, Found, Lookup};
use crate::{Host, json, render};

impl From<End> for Result<(), Stop> {
    fn from(end: End) -> Self {
        match end {
            End::Succeeded => Ok(()),
            End::Failed(message) => Err(Stop::after("deploy.failed", message)),
            End::Dropped(message) => Err(Stop::before("deploy.dropped", message)),
            End::Unknown { code, message } => Err(Stop::unknown(code, message)),
        }
    }
}

/// Executes the approved steps.
pub(crate) fn execute(host: &impl Host, job: &Job, approved: &[Step]) -> Outcome {
    let nothing = |code: &str, message: String| Stop::before(code, message).at(None, Vec::new());
    let prepared = match Prepared::of(job) {
        Ok(prepared) => prepared,
        Err(refusal) => return nothing(refusal.code, refusal.message),
    };
    let run = job.id.idempotency_key.as_str();
    let calls = match calls(&prepared, approved, run) {
        Ok(calls) => calls,
        Err(why) => return nothing("deploy.changed", why),
    };
    if let Err(stop) = once::enter(host, run, "deploy.unknown") {
        return stop.at(None, Vec::new());
    }
    let values = prepared.values.of_run(run);
    let running =
        Running { followed: Followed { host, run, values: &values }, deadline: &job.deadline };
    let mut applied = Vec::new();
    for (template, call) in prepared.steps().iter().zip(&calls) {
        if let Err(stop) = running.step(template, call) {
            return stop.at(Some(&template.id), applied);
        }
        if let Err(why) = once::note(host, run, &template.id, &Noted::Done) {
            host.log("warn", &format!("that it took effect could not be noted: {why}"));
        }
        applied.push(template.id.clone());
    }
    let well = health::check(host, &prepared.deployment.health, &values);
    finished(&well, applied)
}

/// The outcome after every step took effect.
pub(crate) fn finished(well: &Healthy, applied: Vec<String>) -> Outcome {
    match well {
        Healthy::Yes => {
            let steps = match applied.len() {
                1 => "1 step".to_string(),
                count => format!("{count} steps"),
            };
            Outcome::Succeeded(report(&format!("deployed in {steps}"), None))
        }
        Healthy::No(why) => {
            let message = format!(
                "it was deployed and is not well: {why}; a rollback is a request of its own"
            );
            Stop::before("deploy.unhealthy", message).at(None, applied)
        }
        Healthy::Cannot { code, message } => Stop::unknown(code, message.clone()).at(None, applied),
    }
}

/// The calls of the approved steps, compared with what the templates say now: the settings may have changed since.
fn calls(prepared: &Prepared, approved: &[Step], run: &str) -> Result<Vec<Exchange>, String> {
    let templates = prepared.steps();
    if templates.len() != approved.len() {
        return Err("the deployment has other steps than those that were approved".to_string());
    }
    let call = |(template, step): (&template::Step, &Step)| {
        let now = render::write(template, &prepared.values)?;
        if template.id != step.id || now.to_text() != step.body {
            return Err(format!("step `{}` is not what the settings say any more", step.id));
        }
        now.filled(run).map_err(|refused| refused.to_string())
    };
    templates.iter().zip(approved).map(call).collect()
}

struct Running<'a, H> {
    followed: Followed<'a, H>,
    deadline: &'a str,
}

impl<H: Host> Running<'_, H> {
    fn step(&self, step: &template::Step, call: &Exchange) -> Result<(), Stop> {
        match call {
            Exchange::Http(call) => self.request(step, call),
            Exchange::Command(call) => self.command(step, call),
        }
    }

    fn request(&self, step: &template::Step, call: &HttpCall) -> Result<(), Stop> {
        let Followed { host, run, .. } = self.followed;
        let sent = once::send(host, (run, self.deadline), &step.id, call);
        let response = sent.or_stop("deploy.unknown")?;
        let (Some(found), Some(poll)) = (&step.found, &step.poll) else { return Ok(()) };
        let place = self.place(step, found, &response)?;
        self.followed.keep(step, &place);
        self.followed.to_its_end(step, poll, place, Patience::Wait).into()
    }

    fn command(&self, step: &template::Step, call: &CommandCall) -> Result<(), Stop> {
        let Followed { host, run, .. } = self.followed;
        let sent = once::run(host, (run, self.deadline), &step.id, call);
        let output = sent.or_stop("deploy.unknown")?;
        if output.exit_code == 0 {
            return Ok(());
        }
        let message = format!("the command ended with {}", output.exit_code);
        Err(Stop::after("deploy.failed", message))
    }

    /// Where it is that was begun. It was begun: without its name nobody can tell how it ends.
    fn place(
        &self,
        step: &template::Step,
        found: &Found,
        response: &Response,
    ) -> Result<Place, Stop> {
        let id = match found {
            Found::Body(pointer) => {
                let answer: Option<serde_json::Value> = serde_json::from_slice(&response.body).ok();
                answer.and_then(|answer| json::id(answer.pointer(pointer)))
            }
            Found::Location(template) => look::from_location(response, template),
            Found::Marker => None,
        };
        let is_queued = step.poll.as_ref().is_some_and(|poll| poll.queued.is_some());
        match (id, &step.verify) {
            (Some(id), _) if is_queued => Ok(Place::Queued(id)),
            (Some(id), _) => Ok(Place::Begun(id)),
            (None, Some(verify)) => self.look_up(step, verify),
            (None, None) => {
                let message = "it was accepted, and the answer does not say what it is called";
                Err(Stop::unknown("deploy.no_id", message.to_string()))
            }
        }
    }

    /// Finds it by its marker; the list may be late.
    fn look_up(&self, step: &template::Step, verify: &Lookup) -> Result<Place, Stop> {
        let own = step.http.as_ref().map_or("", |http| http.endpoint.as_str());
        let Followed { host, values, .. } = self.followed;
        let mut why = String::new();
        for times in 1..=verify.times_max.max(1) {
            if host.cancelled() {
                let message = "the run was cancelled; what it began goes on".to_string();
                return Err(Stop::unknown("cancelled", message));
            }
            match look::by_marker(host, verify, own, values) {
                Marked::One(Some(id)) => return Ok(Place::Begun(id)),
                Marked::One(None) => why = "it has no name".to_string(),
                Marked::Several(count) => return Err(several(count)),
                Marked::Nothing => why = "it is not listed".to_string(),
                Marked::Cannot(message) => why = message,
            }
            if times < verify.times_max {
                host.wait(verify.every_ms);
            }
        }
        Err(Stop::unknown("deploy.no_id", format!("it was accepted, and is not found: {why}")))
    }
}

/// More than one was begun, and nobody knows by whom.
pub(crate) fn several(count: usize) -> Stop {
    let message = format!("{count} of them bear the name of this run; a person must look");
    Stop::unknown("deploy.several", message)
}

/// The values for reads of a run.
pub(crate) fn reading(prepared: &Prepared, run: &str) -> Values {
    prepared.values.of_run(run)
}
