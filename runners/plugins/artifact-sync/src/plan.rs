//! Steps and findings: what is there already decides whether an issue is created, updated or left alone.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::{ChangePlan, Finding, Job, Step, finding};

use crate::find::{Found, find};
use crate::issue::{Property, full_name};
use crate::payload::{Artifact, Parent, Payload, not_approved};
use crate::settings::Settings;
use crate::{CONNECTION, Host, issue};

/// Says what the job would do.
pub(crate) fn plan(host: &impl Host, job: &Job) -> Result<ChangePlan, String> {
    let (mut steps, mut findings) = (Vec::new(), Vec::new());
    match read(job) {
        Ok((payload, settings)) => {
            // What must not be published is not even looked for.
            findings.extend(payload.artifacts.iter().filter_map(not_approved));
            if findings.is_empty() {
                for (number, artifact) in (1_usize..).zip(&payload.artifacts) {
                    match one(host, job, &settings, artifact)? {
                        Looked::Write(write) => steps.push(step(number, artifact, &write)),
                        Looked::Found(found) => findings.push(found),
                    }
                }
            }
        }
        Err(refusal) => findings.push(*refusal),
    }
    if findings.iter().any(|found| found.level == "error") {
        steps.clear();
    }
    // The host computes the digest.
    Ok(ChangePlan { steps, findings, digest: String::new(), rollback: None })
}

fn read(job: &Job) -> Result<(Payload, Settings), Box<Finding>> {
    let payload = Payload::from_json(&job.payload).map_err(|why| {
        let message = format!("the payload cannot be read: {why}");
        Box::new(refusal("artifact.payload", &message, "write a JSON object with `artifacts`"))
    })?;
    let settings = Settings::from_json(&job.settings).map_err(|why| {
        let message = format!("the settings cannot be read: {why}");
        let help = "have an operator correct the environment's settings";
        Box::new(refusal("artifact.settings", &message, help))
    })?;
    Ok((payload, settings))
}

fn refusal(code: &str, message: &str, help: &str) -> Finding {
    Finding { help: Some(help.to_string()), ..finding("error", code, message) }
}

/// What is to be written.
struct Write {
    body: String,
    key: Option<String>,
}

enum Looked {
    Write(Write),
    Found(Finding),
}

/// The error is the host's: nothing can be planned. What is wrong with the artifact is found.
fn one(
    host: &impl Host,
    job: &Job,
    settings: &Settings,
    artifact: &Artifact,
) -> Result<Looked, String> {
    let (name, property) = (artifact.name(), Property::of(&job.project, artifact));
    let found = |finding| Ok(Looked::Found(finding));
    let parent = match parent(host, job, settings, artifact)? {
        Ok(parent) => parent,
        Err(missing) => return found(missing),
    };
    let there = find(host, settings, &property.id).map_err(|unread| unread.message)?;
    let key = match there {
        Found::Nothing => None,
        Found::Several(count) => {
            let message = format!("`{name}` is published as {count} issues");
            return found(refusal("artifact.twice", &message, "leave one of them in Jira"));
        }
        Found::One { key, property: there } => {
            if there == property {
                let message = format!("`{name}` is published as {key} in this version");
                return found(finding("info", "artifact.there", &message));
            }
            if there.version >= property.version {
                let message = format!(
                    "`{name}` is published as {key} in version {}, with another text",
                    there.version
                );
                let help = "publish a later version, with a text of its own";
                return found(refusal("artifact.newer", &message, help));
            }
            Some(key)
        }
    };
    match issue::write(settings, &property, artifact, (key.as_deref(), parent.as_deref())) {
        Ok(call) => Ok(Looked::Write(Write { body: call.to_text(), key })),
        Err(why) => {
            let help = "have an operator add it to the environment's settings";
            found(refusal("artifact.settings", &format!("`{name}`: {why}"), help))
        }
    }
}

/// The key of the parent's issue.
fn parent(
    host: &impl Host,
    job: &Job,
    settings: &Settings,
    artifact: &Artifact,
) -> Result<Result<Option<String>, Finding>, String> {
    let (kind, id) = match &artifact.parent {
        None => return Ok(Ok(None)),
        Some(Parent::Issue { key }) => return Ok(Ok(Some(key.clone()))),
        Some(Parent::Artifact { kind, id }) => (kind, *id),
    };
    let found = find(host, settings, &full_name(&job.project, kind, id));
    Ok(match found.map_err(|unread| unread.message)? {
        Found::One { key, .. } => Ok(Some(key)),
        Found::Nothing | Found::Several(_) => {
            let message =
                format!("`{}` belongs to `{kind}/{id}`, which is no issue yet", artifact.name());
            // Its key is a part of the exact request, and nobody knows it before it is there.
            let help = "publish that first, in a request of its own";
            Err(refusal("artifact.parent", &message, help))
        }
    })
}

fn step(number: usize, artifact: &Artifact, write: &Write) -> Step {
    let (name, version) = (artifact.name(), artifact.version);
    let (title, effect) = match &write.key {
        Some(key) => (format!("Update {key} to version {version} of {name}"), "idempotent"),
        None => (format!("Create an issue for version {version} of {name}"), "at-most-once"),
    };
    Step {
        id: format!("a{number}"),
        title,
        body: write.body.clone(),
        // The host computes it.
        body_digest: String::new(),
        target: CONNECTION.to_string(),
        kind: "write".to_string(),
        risk: "low".to_string(),
        effect: effect.to_string(),
        estimated_rows: None,
        reversible: false,
        lock: "none".to_string(),
        rewrites: false,
        objects: vec![name],
    }
}
