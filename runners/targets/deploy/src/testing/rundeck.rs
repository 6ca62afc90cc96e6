//! Rundeck, API 41: <https://docs.rundeck.com/docs/api/rundeck-api.html>.

use serde_json::{Value, json};

use crate::testing::product::{Ending, Work, World};
use crate::testing::wire::{Reply, Seen};

pub(super) fn answer(world: &mut World, seen: &Seen) -> Reply {
    let base = world.base.clone();
    let shown = |work: &mut Work| Reply::json(200, &execution(&base, work));
    match (seen.method.as_str(), seen.parts().as_slice()) {
        // Both names of the call are documented.
        ("POST", ["api", "41", "job", job, "run" | "executions"]) => {
            let body = seen.json();
            let options =
                body.get("options").and_then(Value::as_object).cloned().unwrap_or_default();
            let text =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let parameters = options.iter().map(|(name, value)| (name.clone(), text(value)));
            let id = world.begin(job, parameters.collect());
            world.work(&id.to_string()).map_or_else(Reply::not_found, |work| {
                // The answer to a start never shows its end.
                let running = Work { looks_left: 1, ..work.clone() };
                shown(&mut { running })
            })
        }
        ("GET", ["api", "41", "execution", id]) => {
            world.work(id).map_or_else(Reply::not_found, shown)
        }
        ("GET", ["api", "41", "job", job, "executions"]) => {
            let shown: Vec<Value> = world.at(job).map(|work| execution(&base, work)).collect();
            let paging =
                json!({ "count": shown.len(), "total": shown.len(), "offset": 0, "max": 20 });
            Reply::json(200, &json!({ "paging": paging, "executions": shown }))
        }
        _ => {
            Reply::json(404, &json!({ "error": true, "errorCode": "api.error.item.doesnotexist" }))
        }
    }
}

fn execution(base: &str, work: &mut Work) -> Value {
    let status = match work.look() {
        None => "running",
        Some(Ending::Succeeded) => "succeeded",
        Some(Ending::Failed) => "failed",
    };
    let options: serde_json::Map<String, Value> =
        work.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let words: Vec<String> =
        work.parameters.iter().map(|(name, value)| format!("-{name} {value}")).collect();
    let (id, job) = (work.id, &work.place);
    json!({
        "id": id,
        "href": format!("{base}/api/41/execution/{id}"),
        "permalink": format!("{base}/project/shop/execution/show/{id}"),
        "status": status,
        "project": "shop",
        "user": "deployer",
        "date-started": { "unixtime": 1_795_000_000_000_u64, "date": "2026-11-18T09:46:40Z" },
        "job": { "id": job, "name": "deploy", "group": "", "project": "shop", "options": options },
        "description": "deploy",
        "argstring": words.join(" "),
    })
}
