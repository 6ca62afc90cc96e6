//! GitLab: <https://docs.gitlab.com/api/pipelines/>, <https://docs.gitlab.com/api/pipeline_triggers/>.

use serde_json::{Value, json};

use crate::testing::product::{Ending, Work, World};
use crate::testing::wire::{Reply, Seen};

pub(super) fn answer(world: &mut World, seen: &Seen) -> Reply {
    let parts = seen.parts();
    let ["api", "v4", "projects", project, rest @ ..] = parts.as_slice() else {
        return Reply::not_found();
    };
    let shown = |work: &mut Work| Reply::json(200, &pipeline(work));
    match (seen.method.as_str(), rest) {
        ("POST", ["pipeline"]) => {
            let body = seen.json();
            if body.get("ref").and_then(Value::as_str).is_none() {
                return Reply::json(400, &json!({ "error": "ref is missing" }));
            }
            let variables = body.get("variables").and_then(Value::as_array);
            let word = |variable: &Value, name: &str| {
                variable.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let pairs = variables.into_iter().flatten();
            let pairs = pairs.map(|variable| (word(variable, "key"), word(variable, "value")));
            created(world, project, pairs.collect())
        }
        ("POST", ["trigger", "pipeline"]) => {
            let form = Seen::pairs(&String::from_utf8_lossy(&seen.body));
            if !form.iter().any(|(name, value)| name == "ref" && !value.is_empty()) {
                return Reply::json(400, &json!({ "error": "ref is missing" }));
            }
            let variable = |(name, value): &(String, String)| {
                let name = name.strip_prefix("variables[")?.strip_suffix(']')?;
                Some((name.to_owned(), value.clone()))
            };
            created(world, project, form.iter().filter_map(variable).collect())
        }
        ("GET", ["pipelines"]) => {
            let asked = Seen::pairs(&seen.query);
            let name = asked.iter().find(|(key, _)| key == "name").map(|(_, name)| name.as_str());
            let is_asked = |work: &&mut Work| name.is_none() || named(work) == name;
            let pipelines = world.at(project).filter(is_asked);
            let pipelines: Vec<Value> = pipelines.map(pipeline).collect();
            Reply::json(200, &json!(pipelines))
        }
        ("GET", ["pipelines", id]) => world.work(id).map_or_else(Reply::not_found, shown),
        ("GET", ["pipelines", id, "variables"]) => {
            let Some(work) = world.work(id) else { return Reply::not_found() };
            let variable = |(key, value): &(String, String)| json!({ "variable_type": "env_var", "key": key, "value": value });
            let variables: Vec<Value> = work.parameters.iter().map(variable).collect();
            Reply::json(200, &json!(variables))
        }
        _ => Reply::not_found(),
    }
}

fn created(world: &mut World, project: &str, variables: Vec<(String, String)>) -> Reply {
    let id = world.begin(project, variables);
    world.work(&id.to_string()).map_or_else(Reply::not_found, |work| {
        Reply::json(201, &pipeline(&mut Work { looks_left: 1, ..work.clone() }))
    })
}

/// As with `workflow: { name: "$PLACET_RUN" }` in `.gitlab-ci.yml`.
fn named(work: &Work) -> Option<&str> {
    let found = work.parameters.iter().find(|(key, _)| key == "PLACET_RUN");
    found.map(|(_, value)| value.as_str())
}

fn pipeline(work: &mut Work) -> Value {
    let status = match work.look() {
        None => "running",
        Some(Ending::Succeeded) => "success",
        Some(Ending::Failed) => "failed",
    };
    json!({
        "id": work.id,
        "iid": work.id,
        "project_id": work.place,
        "sha": "0a".repeat(20),
        "ref": "main",
        "source": "api",
        "name": named(work),
        "status": status,
        "created_at": "2026-11-18T09:46:40.000Z",
        "web_url": format!("https://gitlab.example.org/shop/-/pipelines/{}", work.id),
    })
}
