//! Jira: <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/> and its neighbours.

use serde_json::{Map, Value, json};

use crate::testing::product::World;
use crate::testing::wire::{Reply, Seen};

/// One issue.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    id: u64,
    key: String,
    fields: Map<String, Value>,
    properties: Map<String, Value>,
}

pub(super) fn answer(world: &mut World, seen: &Seen) -> Reply {
    let parts = seen.parts();
    let ["rest", "api", "3", rest @ ..] = parts.as_slice() else { return Reply::not_found() };
    match (seen.method.as_str(), rest) {
        ("POST", ["issue"]) => create(world, &seen.json()),
        ("POST", ["search", "jql"]) => search(world, &seen.json()),
        (method, ["issue", key, rest @ ..]) => {
            let is_named = |issue: &&mut Issue| issue.key == *key || issue.id.to_string() == *key;
            let Some(issue) = world.issues.iter_mut().find(is_named) else { return missing() };
            one(issue, method, rest, &seen.json())
        }
        _ => Reply::not_found(),
    }
}

fn create(world: &mut World, body: &Value) -> Reply {
    let fields = body.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    let project =
        fields.get("project").and_then(|project| project.get("key")).and_then(Value::as_str);
    let (Some(project), Some(_)) = (project, fields.get("summary").and_then(Value::as_str)) else {
        let errors = json!({ "summary": "You must specify a summary of the issue." });
        return Reply::json(400, &json!({ "errorMessages": [], "errors": errors }));
    };
    let count = u64::try_from(world.issues.len()).unwrap_or(u64::MAX).saturating_add(1);
    let (id, key) = (count.saturating_add(10_000), format!("{project}-{count}"));
    let properties = properties(body).collect();
    let own = format!("{}/rest/api/3/issue/{id}", world.base);
    world.issues.push(Issue { id, key: key.clone(), fields, properties });
    Reply::json(201, &json!({ "id": id.to_string(), "key": key, "self": own }))
}

/// The properties that come with the fields, in a creation as in an update.
fn properties(body: &Value) -> impl Iterator<Item = (String, Value)> {
    let listed = body.get("properties").and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(|property| {
        let name = property.get("key").and_then(Value::as_str)?;
        Some((name.to_owned(), property.get("value")?.clone()))
    })
}

fn one(issue: &mut Issue, method: &str, rest: &[&str], body: &Value) -> Reply {
    match (method, rest) {
        ("GET", []) => Reply::json(200, &shown(issue)),
        ("PUT", []) => {
            let fields = body.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
            issue.fields.extend(fields);
            issue.properties.extend(properties(body));
            Reply::empty(204)
        }
        ("GET", ["properties", name]) => match issue.properties.get(*name) {
            Some(value) => Reply::json(200, &json!({ "key": name, "value": value })),
            None => missing(),
        },
        ("PUT", ["properties", name]) => {
            let before = issue.properties.insert((*name).to_owned(), body.clone());
            Reply::empty(if before.is_some() { 200 } else { 201 })
        }
        _ => Reply::not_found(),
    }
}

fn shown(issue: &Issue) -> Value {
    json!({
        "id": issue.id.to_string(),
        "key": issue.key,
        "fields": issue.fields,
        "properties": issue.properties,
    })
}

fn missing() -> Reply {
    let message = "Issue does not exist or you do not have permission to see it.";
    Reply::json(404, &json!({ "errorMessages": [message], "errors": {} }))
}

/// Knows `AND` between `project = X`, `labels = x`, `key = X-1` and `issue.property[p].q = "v"`.
fn search(world: &World, body: &Value) -> Reply {
    let jql = body.get("jql").and_then(Value::as_str).unwrap_or_default();
    let jql = jql.split(" ORDER BY ").next().unwrap_or_default();
    let terms: Option<Vec<(&str, &str)>> = jql
        .split(" AND ")
        .map(|term| term.split_once('='))
        .map(|term| term.map(|(left, right)| (left.trim(), right.trim().trim_matches('"'))))
        .collect();
    let Some(terms) = terms else {
        let message = format!("Error in the JQL Query: {jql}");
        return Reply::json(400, &json!({ "errorMessages": [message], "errors": {} }));
    };
    let is_found = |issue: &&Issue| terms.iter().all(|(left, right)| fits(issue, left, right));
    let found: Vec<Value> = world.issues.iter().filter(is_found).map(shown).collect();
    Reply::json(200, &json!({ "issues": found, "isLast": true }))
}

fn fits(issue: &Issue, left: &str, right: &str) -> bool {
    let property = left.strip_prefix("issue.property[").and_then(|rest| rest.split_once("]."));
    if let Some((name, path)) = property {
        let value = issue.properties.get(name);
        let value = path.split('.').fold(value, |value, part| value.and_then(|it| it.get(part)));
        return value.and_then(Value::as_str) == Some(right);
    }
    match left {
        "project" => issue.key.rsplit_once('-').is_some_and(|(project, _)| project == right),
        "key" | "issuekey" => issue.key == right,
        "labels" => {
            let labels = issue.fields.get("labels").and_then(Value::as_array);
            labels.into_iter().flatten().any(|label| label == right)
        }
        _ => false,
    }
}
