//! Looking at requests.

use clap::Args;
use placet::error::Error;
use placet::id::{ProjectId, RequestId, UserId};
use placet::identity::Caller;
use placet::org::Slug;
use placet::request::{ApprovalRule, Check, Header, Request, State, StateName};
use placet::runner::Outcome;
use placet::{Gate, RequestSummary};
use serde_json::{Value, json};

use super::plan::tell_plan;
use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::text::{Mood, Text};

/// Everything that a reviewer sees.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The request.
    id: RequestId,
}

/// The requests of a project that the principal may read, in the order in which they were drafted.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// The project, by code or id.
    project: String,
    /// Only those in this state, such as `PENDING_APPROVAL`. May be repeated.
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Vec<StateName>,
}

/// What happened to a request, oldest first.
#[derive(Args, Debug)]
pub(crate) struct History {
    /// The request.
    id: RequestId,
}

fn state(text: &str) -> Result<StateName, String> {
    let wanted = text.to_uppercase().replace('-', "_");
    let found = StateName::ALL.iter().find(|name| name.as_str() == wanted);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = StateName::ALL.iter().map(|name| name.as_str()).collect();
        format!("the states are {}", names.join(", "))
    })
}

impl Show {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let view = gate.view(&caller, self.id)?;
        let (header, digest) = (view.header, view.digest.map(|digest| digest.to_string()));
        let request = json!({"header": json_of(&header)?, "state": json_of(&view.state)?});
        let mut text = Text::default();
        text.head(&header.title);
        text.field("request", header.id);
        text.field("state", view.state.name());
        text.field("by", who(Some(header.requester), header.agents.contains(&header.requester)));
        let threads = &header.threads;
        if threads.all > 0 {
            text.field("threads", format_args!("{} open of {}", threads.open, threads.all));
        }
        text.field("where", header.scope());
        text.field("revision", header.revision);
        text.field("changed", header.updated_at);
        text.field("digest", digest.as_deref().unwrap_or("none before there is a plan"));
        tell_waiting(&mut text, &view.state);
        tell_way(&mut text, &header, view.awaited.as_deref(), &view.checks);
        let targets: Vec<&str> = header.targets().map(Slug::as_str).collect();
        text.head(format_args!("{} on {}", header.runner, targets.join(", then ")));
        text.line(shown_payload(&view.change.payload));
        let plans = view.plan.iter().chain(&view.plans_then);
        for (target, plan) in targets.iter().zip(plans) {
            text.head(if targets.len() > 1 {
                format!("plan for {target}")
            } else {
                "plan".to_owned()
            });
            tell_plan(&mut text, plan);
        }
        for run in &view.runs {
            text.head(format_args!("run {} on {}", run.attempt, run.target));
            text.field("run", run.id);
            text.field(
                "started",
                format_args!("{} by {}", run.started_at, who(Some(run.started_by), run.by_agent)),
            );
            if let Some(outcome) = &run.outcome {
                tell_outcome(&mut text, outcome);
            }
        }
        let mut json = request;
        if let Some(fields) = json.as_object_mut() {
            fields.insert("digest".to_owned(), json!(digest));
            fields.insert("change".to_owned(), json_of(&view.change)?);
            fields.insert("plan".to_owned(), json_of(&view.plan)?);
            fields.insert("plans_then".to_owned(), json_of(&view.plans_then)?);
            fields.insert("runs".to_owned(), json_of(&view.runs)?);
            fields.insert("awaited".to_owned(), json!(view.awaited));
            fields.insert("checks".to_owned(), json_of(&view.checks)?);
        }
        Ok(Answer::ok(text, json))
    }
}

/// What else says where it stands: its workflow, whom it waits for, what checks said of it.
fn tell_way(text: &mut Text, header: &Header, awaited: Option<&str>, checks: &[Check]) {
    if let Some(awaited) = awaited {
        text.field("waits for", awaited);
    }
    for check in checks {
        text.field("check", format_args!("{} {}", check.name, check.status.as_str()));
    }
    if header.workflow.as_str() != "change" {
        let (workflow, version, step) = (&header.workflow, header.workflow_version, &header.step);
        text.field("workflow", format_args!("{workflow} {version}, {step}"));
    }
    if let Some(artifact) = &header.artifact {
        let (kind, number, version) =
            (&artifact.artifact_type, artifact.artifact_id, artifact.version);
        text.field("artifact", format_args!("{kind}/{number}, version {version}"));
    }
    if let Some(source) = header.promoted_from {
        text.field("promoted from", source);
    }
}

/// What SQL there is, as its author wrote it; else the payload.
fn shown_payload(payload: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(payload).ok();
    let sql = parsed.as_ref().and_then(|payload| payload.get("sql")).and_then(Value::as_str);
    sql.unwrap_or(payload).trim_end().to_owned()
}

impl List {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let mut found = every(&gate, &caller, project)?;
        found.retain(|line| self.state.is_empty() || self.state.contains(&line.state));
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|line| {
                let (id, state) = (line.id.to_string(), line.step.to_string());
                vec![
                    id,
                    state,
                    line.title.clone(),
                    who(Some(line.requester), line.by_agent),
                    line.updated_at.to_string(),
                ]
            })
            .collect();
        let mut text = Text::default();
        text.table(&["request", "state", "title", "by", "changed"], &rows);
        if rows.is_empty() {
            text.line("no request");
        }
        let items: Vec<Value> = found
            .iter()
            .map(|line| {
                json!({
                    "id": line.id.to_string(),
                    "title": line.title,
                    "state": line.state.as_str(),
                    "step": line.step.as_str(),
                    "artifact": line.artifact.as_ref().map(|version| json!({
                        "type": version.artifact_type.as_str(),
                        "number": version.artifact_id,
                        "version": version.version,
                    })),
                    "approved_by_rule": line.approved_by_rule.map(ApprovalRule::as_str),
                    "requester": line.requester.to_string(),
                    "by_agent": line.by_agent,
                    "updated_at": line.updated_at.to_string(),
                })
            })
            .collect();
        Ok(Answer::ok(text, json!({"requests": items})))
    }
}

/// All requests of a project that the principal may read.
pub(crate) fn every(
    gate: &Gate,
    caller: &Caller,
    project: ProjectId,
) -> Result<Vec<RequestSummary>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = gate.requests(caller, project, after.as_ref())?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

impl History {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let steps = gate.history(&caller, self.id)?;
        let rows: Vec<Vec<String>> = steps
            .iter()
            .map(|step| {
                let actor = who(step.actor, step.by_agent);
                let comment = step.comment.clone().unwrap_or_default();
                // A workflow calls its ways as it likes; the verb is what was done.
                let what = if step.action == step.verb {
                    step.verb.clone()
                } else {
                    format!("{} ({})", step.verb, step.action)
                };
                let (at, revision) = (step.at.to_string(), step.revision.to_string());
                vec![at, actor, what, step.to_step.to_string(), revision, comment]
            })
            .collect();
        let mut text = Text::default();
        text.table(&["at", "who", "what", "then", "revision", "comment"], &rows);
        Ok(Answer::ok(text, json!({"history": json_of(&steps)?})))
    }
}

/// Who did it: an agent is shown as one.
pub(crate) fn who(actor: Option<UserId>, by_agent: bool) -> String {
    match actor {
        Some(actor) if by_agent => format!("{actor} (agent)"),
        Some(actor) => actor.to_string(),
        None => "the system".to_owned(),
    }
}

/// The answer of a step: the request and its state now.
pub(crate) fn moved(request: &Request) -> Result<Answer, Error> {
    let mut text = Text::default();
    tell_state(&mut text, request);
    Ok(Answer::ok(text, request_json(request)?))
}

pub(crate) fn tell_state(text: &mut Text, request: &Request) {
    let state = request.state.name();
    let mood = match request.state {
        State::Approved(_) | State::Succeeded(_) => Mood::Good,
        State::Rejected(_) | State::Failed(_) => Mood::Bad,
        State::Unknown(_) | State::ChangesRequested(_) => Mood::Odd,
        State::Draft(_) | State::PendingApproval(_) | State::Cancelled(_) | State::Executing(_) => {
            Mood::Head
        }
    };
    text.said(mood, state.as_str(), request.header.id);
    tell_waiting(text, &request.state);
    if request.header.step.as_str() != state.as_str() {
        text.field("step", &request.header.step);
    }
    if let State::Approved(placet::request::Approved { by_rule: Some(rule), .. }) = &request.state {
        text.field("approved by", format_args!("the rule {rule}, and nobody"));
    }
    if let Ok(digest) = request.header.change_digest() {
        text.field("digest", digest);
    }
    if let State::Succeeded(placet::request::Succeeded { ended, .. }) = &request.state {
        tell_outcome(text, &ended.outcome);
    } else if let State::Failed(placet::request::Failed { ended, .. }) = &request.state {
        tell_outcome(text, &ended.outcome);
    } else if let State::Unknown(placet::request::Unknown { ended, .. }) = &request.state {
        tell_outcome(text, &ended.outcome);
        text.line("nobody knows how it ended: look with `placet request verify`");
    }
}

fn tell_waiting(text: &mut Text, state: &State) {
    if let State::PendingApproval(waiting) = state {
        let (given, needed) = (waiting.approvals.len(), waiting.quorum.people());
        text.field("approvals", format_args!("{given} of {needed}"));
    }
    let done = match state {
        State::Approved(approved) => &approved.done,
        State::Failed(failed) => &failed.ended.approved.done,
        State::Unknown(unknown) => &unknown.ended.approved.done,
        State::Cancelled(cancelled) => &cancelled.done,
        State::Draft(_)
        | State::PendingApproval(_)
        | State::ChangesRequested(_)
        | State::Rejected(_)
        | State::Executing(_)
        | State::Succeeded(_) => return,
    };
    if !done.is_empty() {
        let targets: Vec<&str> = done.iter().map(|done| done.target.as_str()).collect();
        text.field("done at", targets.join(", "));
    }
}

pub(crate) fn request_json(request: &Request) -> Result<Value, Error> {
    let digest = request.header.change_digest().ok().map(|digest| digest.to_string());
    let (header, state) = (json_of(&request.header)?, json_of(&request.state)?);
    Ok(json!({"header": header, "state": state, "digest": digest}))
}

pub(crate) fn tell_outcome(text: &mut Text, outcome: &Outcome) {
    match outcome {
        Outcome::Succeeded(report) => {
            text.said(Mood::Good, "succeeded:", &report.summary);
            if let Some(rows) = report.rows_affected {
                text.field("rows", rows);
            }
        }
        Outcome::Failed(failure) => {
            text.said(Mood::Bad, &format!("failed[{}]:", failure.code), &failure.message);
        }
        Outcome::Unknown(failure) => {
            text.said(Mood::Odd, &format!("unknown[{}]:", failure.code), &failure.message);
        }
    }
}
