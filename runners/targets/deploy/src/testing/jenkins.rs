//! Jenkins: <https://www.jenkins.io/doc/book/using/remote-access-api/>.

use serde_json::{Value, json};

use crate::testing::product::{Ending, Work, World};
use crate::testing::wire::{Reply, Seen};

pub(super) fn answer(world: &mut World, seen: &Seen) -> Reply {
    let base = world.base.clone();
    match (seen.method.as_str(), seen.parts().as_slice()) {
        ("POST", ["job", job, "buildWithParameters"]) => {
            let mut parameters = Seen::pairs(&seen.query);
            parameters.extend(Seen::pairs(&String::from_utf8_lossy(&seen.body)));
            let id = world.begin(job, parameters);
            Reply::empty(201).with_header("Location", format!("{base}/queue/item/{id}/"))
        }
        ("GET", ["queue", "item", id, "api", "json"]) => {
            let Some(work) = world.work(id) else { return Reply::not_found() };
            Reply::json(200, &queued(&base, work))
        }
        ("GET", ["job", job, "api", "json"]) => {
            let builds: Vec<Value> = world.at(job).map(|work| build(&base, work)).collect();
            Reply::json(200, &json!({ "name": job, "builds": builds }))
        }
        ("GET", ["job", job, number, "api", "json"]) => {
            let found = world.at(job).find(|work| work.id.to_string() == *number);
            found.map_or_else(Reply::not_found, |work| Reply::json(200, &build(&base, work)))
        }
        _ => Reply::not_found(),
    }
}

fn actions(work: &Work) -> Value {
    let parameters: Vec<Value> = work
        .parameters
        .iter()
        .map(|(name, value)| {
            json!({ "_class": "hudson.model.StringParameterValue", "name": name, "value": value })
        })
        .collect();
    json!([{ "_class": "hudson.model.ParametersAction", "parameters": parameters }])
}

fn queued(base: &str, work: &Work) -> Value {
    let words: Vec<String> =
        work.parameters.iter().map(|(name, value)| format!("\n{name}={value}")).collect();
    let (id, job) = (work.id, &work.place);
    json!({
        "_class": "hudson.model.Queue$LeftItem",
        "id": id,
        "actions": actions(work),
        "params": words.concat(),
        "why": Value::Null,
        "cancelled": false,
        "task": { "name": job, "url": format!("{base}/job/{job}/") },
        "executable": { "number": id, "url": format!("{base}/job/{job}/{id}/") },
    })
}

fn build(base: &str, work: &mut Work) -> Value {
    let is_building = work.look().is_none();
    let result = match work.ending {
        // What comes after the build runs on when its result is known.
        _ if is_building && work.looks_left > 0 => Value::Null,
        Ending::Succeeded => json!("SUCCESS"),
        Ending::Failed => json!("FAILURE"),
    };
    let (id, job) = (work.id, &work.place);
    json!({
        "_class": "hudson.model.FreeStyleBuild",
        "number": id,
        "queueId": id,
        "building": is_building,
        "result": result,
        "actions": actions(work),
        "url": format!("{base}/job/{job}/{id}/"),
    })
}
