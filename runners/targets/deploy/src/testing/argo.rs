//! Argo CD: <https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/>.

use serde_json::{Value, json};

use crate::testing::product::{Ending, Work, World};
use crate::testing::wire::{Reply, Seen};

pub(super) fn answer(world: &mut World, seen: &Seen) -> Reply {
    match (seen.method.as_str(), seen.parts().as_slice()) {
        ("POST", ["api", "v1", "applications", name, "sync"]) => {
            // An application has one operation at a time.
            if world.at(name).next().is_some_and(|work| work.looks_left > 0) {
                let message = "another operation is already in progress";
                return Reply::json(
                    400,
                    &json!({ "error": message, "code": 9, "message": message }),
                );
            }
            let body = seen.json();
            let word = |value: Option<&Value>| {
                value.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let mut parameters = vec![("revision".to_owned(), word(body.get("revision")))];
            for info in body.get("infos").and_then(Value::as_array).into_iter().flatten() {
                parameters.push((word(info.get("name")), word(info.get("value"))));
            }
            let _id = world.begin(name, parameters);
            Reply::json(200, &application(name, world.at(name).next(), true))
        }
        ("GET", ["api", "v1", "applications", name]) => {
            Reply::json(200, &application(name, world.at(name).next(), false))
        }
        _ => Reply::json(404, &json!({ "error": "not found", "code": 5, "message": "not found" })),
    }
}

fn application(name: &str, work: Option<&mut Work>, is_started: bool) -> Value {
    let status = work.map(|work| {
        let ending = if is_started { None } else { work.look() };
        let phase = match ending {
            None => "Running",
            Some(Ending::Succeeded) => "Succeeded",
            Some(Ending::Failed) => "Failed",
        };
        let revision = work.parameters.first().map(|(_, value)| value.as_str()).unwrap_or_default();
        let infos = work.parameters.iter().skip(1);
        let infos: Vec<Value> =
            infos.map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let is_synced = ending == Some(Ending::Succeeded);
        json!({
            "sync": { "status": if is_synced { "Synced" } else { "OutOfSync" }, "revision": revision },
            "health": { "status": if is_synced { "Healthy" } else { "Progressing" } },
            "operationState": {
                "phase": phase,
                "operation": { "sync": { "revision": revision }, "info": infos },
                "syncResult": { "revision": revision },
                "startedAt": "2026-11-18T09:46:40Z",
            },
        })
    });
    let never = json!({ "sync": { "status": "OutOfSync" }, "health": { "status": "Missing" } });
    json!({
        "metadata": { "name": name, "namespace": "argocd" },
        "spec": { "project": "default" },
        "status": status.unwrap_or(never),
    })
}
