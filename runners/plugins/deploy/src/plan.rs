//! Steps and findings. Nothing is sent, not even to look: what a deployment would do is what its template says.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::exchange::Exchange;
use placet_plugin_sdk::{ChangePlan, Finding, Job, Step, finding};

use crate::CONNECTION;
use crate::holes::{Into, Values};
use crate::payload::Payload;
use crate::render;
use crate::template::{self, Deployment, Found, Settings};

/// A job, understood.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) deployment: Deployment,
    pub(crate) values: Values,
    is_rollback: bool,
    name: String,
}

/// Why a job cannot be understood.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

impl Refusal {
    const fn new(code: &'static str, message: String, help: &'static str) -> Self {
        Self { code, message, help }
    }
}

const SETTINGS_HELP: &str =
    "have an operator correct the deployments in the environment's settings";

impl Prepared {
    /// Reads payload and settings of a job.
    pub(crate) fn of(job: &Job) -> Result<Self, Refusal> {
        let payload = Payload::from_json(&job.payload).map_err(|why| {
            let message = format!("the payload cannot be read: {why}");
            Refusal::new("deploy.payload", message, "write a JSON object with `do`")
        })?;
        let mut settings = Settings::from_json(&job.settings).map_err(|why| {
            let message = format!("the settings cannot be read: {why}");
            Refusal::new("deploy.settings", message, SETTINGS_HELP)
        })?;
        let name = payload.deployment.clone();
        let Some(deployment) = settings.deployments.remove(&name) else {
            let known: Vec<_> =
                settings.deployments.keys().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "this environment has no deployment `{name}`; it has {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            return Err(Refusal::new("deploy.unknown", message, "name one that it has"));
        };
        if payload.rollback && deployment.rollback.is_empty() {
            let message = format!("deployment `{name}` has no rollback");
            return Err(Refusal::new("deploy.no_rollback", message, "deploy an earlier version"));
        }
        let values = Values::of(job, &payload, &deployment).map_err(|why| {
            let help = "give each hole of the deployment a value, and nothing else";
            Refusal::new("deploy.values", why, help)
        })?;
        let digest = payload.artifact.as_ref().map(|artifact| artifact.hex().to_string());
        let prepared = Self { deployment, values, is_rollback: payload.rollback, name };
        prepared.check_artifact(digest.as_deref())?;
        Ok(prepared)
    }

    /// An artifact that no step names by its digest would be approved, and something else deployed.
    fn check_artifact(&self, digest: Option<&str>) -> Result<(), Refusal> {
        let Some(digest) = digest else { return Ok(()) };
        let names = |step: &template::Step| {
            render::write(step, &self.values).is_ok_and(|call| call.to_text().contains(digest))
        };
        if self.is_rollback || self.steps().iter().any(names) {
            return Ok(());
        }
        let message = "no step of the deployment names the artifact by its digest".to_string();
        let help = "leave the artifact out, or have an operator add `{artifact.digest}` to a step";
        Err(Refusal::new("deploy.values", message, help))
    }

    /// The steps that are asked for.
    pub(crate) fn steps(&self) -> &[template::Step] {
        if self.is_rollback { &self.deployment.rollback } else { &self.deployment.steps }
    }
}

/// Says what the job would do.
pub(crate) fn plan(job: &Job) -> ChangePlan {
    let planned = Prepared::of(job).and_then(|prepared| {
        let steps = steps(&prepared, prepared.steps())?;
        let has_rollback = !prepared.is_rollback && !prepared.deployment.rollback.is_empty();
        let rollback = if has_rollback {
            Some(steps_of(&prepared, &prepared.deployment.rollback, "r-")?)
        } else {
            None
        };
        Ok(ChangePlan { steps, findings: notes(&prepared)?, digest: String::new(), rollback })
    });
    planned.unwrap_or_else(|refusal| ChangePlan {
        steps: Vec::new(),
        findings: vec![Finding {
            help: Some(refusal.help.to_string()),
            ..finding("error", refusal.code, &refusal.message)
        }],
        digest: String::new(),
        rollback: None,
    })
}

fn broken(step: &template::Step) -> impl Fn(String) -> Refusal {
    let id = step.id.clone();
    move |why| {
        Refusal::new(
            "deploy.settings",
            format!("step `{id}` cannot be filled: {why}"),
            SETTINGS_HELP,
        )
    }
}

fn steps(prepared: &Prepared, templates: &[template::Step]) -> Result<Vec<Step>, Refusal> {
    steps_of(prepared, templates, "")
}

fn steps_of(
    prepared: &Prepared,
    templates: &[template::Step],
    prefix: &str,
) -> Result<Vec<Step>, Refusal> {
    let is_reversible = !prepared.is_rollback && !prepared.deployment.rollback.is_empty();
    let step = |template: &template::Step| {
        let call = render::write(template, &prepared.values).map_err(broken(template))?;
        let title = prepared.values.fill(&template.title, Into::Plain).map_err(broken(template))?;
        Ok(Step {
            id: format!("{prefix}{}", template.id),
            title,
            body: call.to_text(),
            // The host computes it.
            body_digest: String::new(),
            target: CONNECTION.to_string(),
            kind: "deploy".to_string(),
            risk: template.risk.clone(),
            effect: "at-most-once".to_string(),
            estimated_rows: None,
            reversible: is_reversible && prefix.is_empty(),
            lock: "none".to_string(),
            rewrites: false,
            objects: vec![prepared.name.clone()],
        })
    };
    templates.iter().map(step).collect()
}

/// What is read meanwhile and afterwards, in words, and what an approver should know.
fn notes(prepared: &Prepared) -> Result<Vec<Finding>, Refusal> {
    let mut found = Vec::new();
    let sample = prepared.values.of_run("the-run").with_id("the-id");
    for step in prepared.steps() {
        let mut note = |level: &str, code: &str, message: &str| {
            found.push(Finding { step: Some(step.id.clone()), ..finding(level, code, message) });
        };
        let call = render::write(step, &prepared.values).map_err(broken(step))?;
        let has_reading = step.verify.is_some() || step.check.is_some();
        if !render::is_marked(&call) || !has_reading {
            let message = "if the answer is lost, nobody but a person can tell whether it began";
            note("warning", "deploy.no_marker", message);
        }
        let reads = reads(step, &call, &sample).map_err(broken(step))?;
        for (code, message) in reads {
            note("info", code, &message);
        }
        if step.http.is_some() && step.poll.is_none() {
            let message = "its answer alone counts as its success: it is not followed to its end";
            note("warning", "deploy.no_poll", message);
        }
    }
    for health in &prepared.deployment.health {
        let path = render::path(&health.path, &sample)
            .map_err(|why| Refusal::new("deploy.settings", why, SETTINGS_HELP))?;
        let message = format!(
            "afterwards `GET {path}` of `{}` must answer {}{}",
            health.endpoint,
            health.status,
            if health.conditions.is_empty() { "" } else { " with what its template says" }
        );
        found.push(finding("info", "deploy.health", &message));
    }
    Ok(found)
}

/// The calls of a step that only read, in words.
fn reads(
    step: &template::Step,
    call: &Exchange,
    sample: &Values,
) -> Result<Vec<(&'static str, String)>, String> {
    let mut reads = Vec::new();
    let own = match call {
        Exchange::Http(call) => call.endpoint.as_str(),
        Exchange::Command(_) => "",
    };
    if let Some(poll) = &step.poll {
        let endpoint = poll.endpoint.as_deref().unwrap_or(own);
        if let Some(queued) = &poll.queued {
            let path = render::path(&queued.path, sample)?;
            reads.push((
                "deploy.queue",
                format!("it waits while `GET {path}` of `{endpoint}` says so"),
            ));
        }
        let path = render::path(&poll.path, sample)?;
        let (every, times) = (poll.every_ms, poll.times_max);
        let message = format!(
            "it is followed by `GET {path}` of `{endpoint}`, every {every} ms and at most {times} times"
        );
        reads.push(("deploy.poll", message));
    }
    if let Some(verify) = &step.verify {
        let endpoint = verify.endpoint.as_deref().unwrap_or(own);
        let path = render::path(&verify.path, sample)?;
        let when =
            if matches!(step.found, Some(Found::Marker)) { "" } else { " if that is in doubt" };
        reads.push(("deploy.verify", format!("it is found by `GET {path}` of `{endpoint}`{when}")));
    }
    if let Some(check) = &step.check {
        render::check(check, sample)?;
        reads.push(("deploy.verify", format!("it is found by the command `{}`", check.name)));
    }
    Ok(reads)
}
