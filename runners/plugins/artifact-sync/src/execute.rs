//! Sends what was approved, each step once, after a look whether it is there already.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::http::Response;
use placet_plugin_sdk::once::{self, Noted};
use placet_plugin_sdk::{Job, Outcome, Step, Stop, report};
use serde_json::Value;

use crate::Host;
use crate::find::{Found, find};
use crate::issue::{Approved, Property};
use crate::payload::{Payload, is_key};
use crate::settings::Settings;

/// Executes the approved steps.
pub(crate) fn execute(host: &impl Host, job: &Job, approved: &[Step]) -> Outcome {
    let (settings, steps) = match prepare(job, approved) {
        Ok(prepared) => prepared,
        Err(stop) => return stop.at(None, Vec::new()),
    };
    let run = job.id.idempotency_key.as_str();
    if let Err(stop) = once::enter(host, run, "artifact.unknown") {
        return stop.at(None, Vec::new());
    }
    let mut applied: Vec<String> = Vec::new();
    let total = u64::try_from(steps.len()).ok();
    for (done, (id, step)) in (0_u64..).zip(&steps) {
        host.progress(id, done, total, None);
        if let Err(stop) = one(host, job, &settings, id, step) {
            return stop.at(Some(id), applied);
        }
        if let Err(why) = once::note(host, run, id, &Noted::Done) {
            host.log("warn", &format!("that it took effect could not be noted: {why}"));
        }
        applied.push(id.clone());
    }
    Outcome::Succeeded(report(&published(applied.len()), None))
}

/// What a success says.
pub(crate) fn published(count: usize) -> String {
    if count == 1 {
        "published 1 artifact".to_string()
    } else {
        format!("published {count} artifacts")
    }
}

/// Reads back what was approved. It must be about the artifacts of this request, all of which may be published.
pub(crate) fn prepare(
    job: &Job,
    approved: &[Step],
) -> Result<(Settings, Vec<(String, Approved)>), Stop> {
    let payload =
        Payload::from_json(&job.payload).map_err(|why| Stop::before("artifact.payload", why))?;
    if payload.artifacts.iter().any(|artifact| !artifact.is_publishable()) {
        return Err(Stop::before("artifact.not_approved", "Artifact not approved"));
    }
    let settings =
        Settings::from_json(&job.settings).map_err(|why| Stop::before("artifact.settings", why))?;
    let asked: Vec<Property> =
        payload.artifacts.iter().map(|artifact| Property::of(&job.project, artifact)).collect();
    let mut steps = Vec::new();
    for step in approved {
        let read =
            Approved::parse(&step.body).map_err(|why| Stop::before("artifact.changed", why))?;
        if !asked.contains(&read.property) {
            let message = format!("step `{}` is not about this request", step.id);
            return Err(Stop::before("artifact.changed", message));
        }
        if !read.is_found_by(&settings) {
            let message = format!("step `{}` is not what the settings say any more", step.id);
            return Err(Stop::before("artifact.changed", message));
        }
        steps.push((step.id.clone(), read));
    }
    Ok((settings, steps))
}

fn one(
    host: &impl Host,
    job: &Job,
    settings: &Settings,
    id: &str,
    step: &Approved,
) -> Result<(), Stop> {
    let Approved { call, property, key, .. } = step;
    let found = find(host, settings, &property.id)
        .map_err(|unread| Stop::before(unread.code, unread.message))?;
    match (found, key) {
        (Found::One { property: there, .. }, _) if there == *property => {
            // Nothing is to be sent, and a run that does not send every approved step is no success.
            let message = format!("`{}` was published meanwhile; plan again", property.id);
            return Err(Stop::before("artifact.there", message));
        }
        (Found::Nothing, None) => {}
        (Found::One { key: there, property: older }, Some(key))
            if there == *key && older.version < property.version => {}
        (Found::Several(count), _) => {
            let message = format!("`{}` is published as {count} issues", property.id);
            return Err(Stop::before("artifact.twice", message));
        }
        (Found::Nothing | Found::One { .. }, _) => {
            let message = format!("`{}` is not as it was when this was planned", property.id);
            return Err(Stop::before("artifact.conflict", message));
        }
    }
    let run = job.id.idempotency_key.as_str();
    let response = once::send(host, (run, &job.deadline), id, call).or_stop("artifact.unknown")?;
    if let Some(key) = key.clone().or_else(|| created(&response))
        && let Err(why) = once::note(host, run, id, &Noted::Begun(key))
    {
        host.log("warn", &format!("its key could not be noted: {why}"));
    }
    if key.is_some() {
        return Ok(());
    }
    // Jira takes two that come at once. Where the search is late, or fails, the next plan tells.
    match find(host, settings, &property.id) {
        Ok(Found::Several(count)) => {
            let message = format!(
                "`{}` became {count} issues, because somebody else created one at the same time; leave one of them in \
                 Jira",
                property.id
            );
            Err(Stop::after("artifact.twice", message))
        }
        Ok(Found::Nothing | Found::One { .. }) | Err(_) => Ok(()),
    }
}

/// The key of a new issue.
fn created(response: &Response) -> Option<String> {
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    let key = answer.get("key").and_then(Value::as_str).filter(|key| is_key(key))?;
    Some(key.to_string())
}
