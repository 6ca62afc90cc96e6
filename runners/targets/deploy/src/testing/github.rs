//! GitHub Actions: <https://docs.github.com/en/rest/actions/workflows> and
//! <https://docs.github.com/en/rest/actions/workflow-runs>.

use serde_json::{Value, json};

use crate::testing::product::{Ending, Work, World};
use crate::testing::wire::{Reply, Seen};

pub(super) fn answer(world: &mut World, seen: &Seen) -> Reply {
    let parts = seen.parts();
    let [first, _owner, _repository, "actions", rest @ ..] = parts.as_slice() else {
        return Reply::not_found();
    };
    if *first != "repos" {
        return Reply::not_found();
    }
    match (seen.method.as_str(), rest) {
        ("POST", ["workflows", file, "dispatches"]) => {
            let body = seen.json();
            if body.get("ref").and_then(Value::as_str).is_none() {
                let message = json!({ "message": "Invalid request. \"ref\" wasn't supplied." });
                return Reply::json(422, &message);
            }
            let inputs = body.get("inputs").and_then(Value::as_object).cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let inputs = inputs.iter().map(|(name, value)| (name.clone(), text(value)));
            let _id = world.begin(file, inputs.collect());
            // It does not say which run this makes: that has to be looked for.
            Reply::empty(204)
        }
        ("GET", ["runs", id]) => {
            world.work(id).map_or_else(Reply::not_found, |work| Reply::json(200, &run(work)))
        }
        ("GET", ["workflows", file, "runs"]) => listed(world.at(file).map(run).collect(), seen),
        ("GET", ["runs"]) => listed(world.works.iter_mut().rev().map(run).collect(), seen),
        _ => Reply::not_found(),
    }
}

fn listed(mut runs: Vec<Value>, seen: &Seen) -> Reply {
    let asked = Seen::pairs(&seen.query);
    let event = asked.iter().find(|(name, _)| name == "event");
    if event.is_some_and(|(_, event)| event != "workflow_dispatch") {
        runs.clear();
    }
    Reply::json(200, &json!({ "total_count": runs.len(), "workflow_runs": runs }))
}

fn run(work: &mut Work) -> Value {
    let (status, conclusion) = match work.look() {
        None => ("in_progress", Value::Null),
        Some(Ending::Succeeded) => ("completed", json!("success")),
        Some(Ending::Failed) => ("completed", json!("failure")),
    };
    // As with `run-name: deploy ${{ inputs.… }}`: the only place of a run that shows its inputs.
    let inputs: Vec<&str> = work.parameters.iter().map(|(_, value)| value.as_str()).collect();
    json!({
        "id": work.id,
        "name": "deploy",
        "display_title": format!("deploy {}", inputs.join(" ")),
        "event": "workflow_dispatch",
        "status": status,
        "conclusion": conclusion,
        "head_branch": "main",
        "path": format!(".github/workflows/{}", work.place),
        "run_number": work.id,
        "run_attempt": 1,
        "created_at": "2026-11-18T09:46:40Z",
    })
}
