//! Models of the products, as far as the templates call them, and jobs for them.

use placet_plugin_sdk::command::Output;
use placet_plugin_sdk::http::{Request, Response};
use placet_plugin_sdk::testing::Server;
use placet_plugin_sdk::{ExecutionId, Job};
use serde_json::{Value, json};

pub(crate) const RUN: &str = "run_0198c0de-0000-7000-8000-000000000001";
pub(crate) const DEADLINE: &str = "2026-01-01T00:30:00Z";

/// The names of the shipped templates, with their texts.
pub(crate) const TEMPLATES: [(&str, &str); 6] = [
    ("rundeck", include_str!("../templates/rundeck.json")),
    ("github", include_str!("../templates/github-actions.json")),
    ("gitlab", include_str!("../templates/gitlab.json")),
    ("jenkins", include_str!("../templates/jenkins.json")),
    ("argo-cd", include_str!("../templates/argo-cd.json")),
    ("gitlab-trigger", include_str!("../templates/gitlab-trigger.json")),
];

/// A deployment of two steps, the second of them a command, with health and rollback.
pub(crate) const TWO_STEPS: &str = r#"{
    "set": {"job": "7"},
    "holes": {
        "version": {"text": {}},
        "share": {"integer": {"min": 1, "max": 100}},
        "colour": {"choice": ["blue", "green"]}
    },
    "steps": [
        {
            "id": "run", "title": "Deploy {version} of {artifact.name}",
            "http": {"endpoint": "rundeck", "path": "/api/41/job/{job}/run", "json":
                {"options": {"placet_run": "{marker}", "share": "{share}", "digest": "{artifact.digest}"}}},
            "found": {"body": "/id"},
            "poll": {"path": "/api/41/execution/{id}", "state": ["/status"], "times_max": 5,
                "words": {"running": "running", "succeeded": "succeeded", "failed": "failed"}},
            "verify": {"path": "/api/41/job/{job}/executions", "items": "/executions",
                "where": {"**": {"contains": "{marker}"}}, "id": "/id", "absent": "not_begun"}
        },
        {
            "id": "switch", "title": "Switch to {colour}",
            "command": {"name": "switch", "arguments": [["run", "{marker}"], ["to", "{colour}"]]},
            "check": {"name": "switched", "arguments": [["run", "{marker}"]], "not_begun": [3]}
        }
    ],
    "health": [{"endpoint": "shop", "path": "/health", "where": {"/status": "ok"}, "times_max": 3}],
    "rollback": [
        {"id": "back", "title": "Switch back",
            "command": {"name": "switch", "arguments": [["run", "{marker}"], ["to", "before"]]}}
    ]
}"#;

pub(crate) fn settings(template: &str) -> String {
    format!(r#"{{"deployments": {{"shop": {template}}}}}"#)
}

pub(crate) fn job(template: &str, payload: &str) -> Job {
    Job {
        id: ExecutionId {
            request: "req_1".into(),
            revision: 1,
            attempt: 1,
            fence: 1,
            idempotency_key: RUN.into(),
        },
        payload: payload.into(),
        payload_digest: String::new(),
        project: "shop".into(),
        module_name: "orders".into(),
        environment: "prod".into(),
        deadline: DEADLINE.into(),
        dry_run: false,
        settings: settings(template),
    }
}

/// The job of a shipped template.
pub(crate) fn shipped(name: &str, template: &str) -> Job {
    let hole = if name == "argo-cd" { "revision" } else { "version" };
    job(template, &json!({"do": "shop", "with": {hole: "1.2.3"}}).to_string())
}

pub(crate) fn two_steps() -> Job {
    let payload = json!({
        "do": "shop",
        "with": {"version": "1.2.3", "share": 5, "colour": "blue"},
        "artifact": {"name": "shop", "digest": "ab".repeat(32)}
    });
    job(TWO_STEPS, &payload.to_string())
}

/// Something that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    marker: String,
    /// How many looks it needs to end.
    pub(crate) left: u32,
    /// How many looks it needs to leave the queue.
    queued: u32,
}

/// All products at once.
#[derive(Clone, Debug)]
pub(crate) struct Products {
    pub(crate) begun: Vec<Begun>,
    pub(crate) switched: Vec<String>,
    pub(crate) fails: bool,
    /// The word that everything ends with, where it is another.
    pub(crate) ends_as: Option<&'static str>,
    pub(crate) is_ill: bool,
    /// How many looks a list is late.
    pub(crate) late: u32,
    /// Whether what left a queue is not known there any more.
    pub(crate) is_queue_tidied: bool,
}

impl Products {
    pub(crate) fn new() -> Self {
        Self {
            begun: vec![],
            switched: vec![],
            fails: false,
            ends_as: None,
            is_ill: false,
            late: 0,
            is_queue_tidied: false,
        }
    }

    /// Lets time pass until everything ended.
    pub(crate) fn settle(&mut self) {
        self.late = 0;
        for begun in &mut self.begun {
            (begun.left, begun.queued) = (0, 0);
        }
    }

    /// How often a step was begun.
    pub(crate) fn times(&self, step: &str) -> usize {
        if step == "switch" || step == "back" { self.switched.len() } else { self.begun.len() }
    }

    fn begin(&mut self, marker: Option<&str>) -> usize {
        let marker = marker.unwrap_or_default().to_owned();
        self.begun.push(Begun { marker, left: 2, queued: 1 });
        self.begun.len()
    }

    /// The word of one, which is a look closer to its end.
    fn word(&mut self, number: &str, words: [&str; 3]) -> Option<String> {
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        let fails = self.fails;
        let begun = self.begun.get_mut(index)?;
        if begun.left > 0 {
            begun.left -= 1;
            return Some(words[0].to_owned());
        }
        let ends_as = self.ends_as.unwrap_or(words[if fails { 2 } else { 1 }]);
        Some(ends_as.to_owned())
    }

    fn list(&mut self, item: impl Fn(usize, &Begun) -> Value) -> Value {
        if self.late > 0 {
            self.late -= 1;
            return json!([]);
        }
        (1..).zip(&self.begun).map(|(number, begun)| item(number, begun)).collect()
    }

    fn rundeck(&mut self, request: &Request, body: &Value) -> Option<Value> {
        let path = request.path_and_query.split('?').next()?;
        if request.method == "POST" && path.ends_with("/run") {
            let id = self.begin(body.pointer("/options/placet_run").and_then(Value::as_str));
            return Some(json!({"id": id, "status": "running"}));
        }
        if path.ends_with("/executions") {
            let item = |id, begun: &Begun| json!({"id": id, "argstring": format!("-placet_run {} -v 1", begun.marker)});
            return Some(json!({"executions": self.list(item)}));
        }
        let (_, id) = path.split_once("/execution/")?;
        let status = self.word(id, ["running", "succeeded", "failed"])?;
        Some(json!({"id": id, "status": status}))
    }

    fn github(&mut self, request: &Request, body: &Value) -> Option<Value> {
        let path = request.path_and_query.split('?').next()?;
        if request.method == "POST" && path.ends_with("/dispatches") {
            self.begin(body.pointer("/inputs/placet_run").and_then(Value::as_str));
            return Some(Value::Null);
        }
        if path.ends_with("/actions/runs") {
            let item = |id, begun: &Begun| json!({"id": id, "display_title": format!("Deploy ({})", begun.marker)});
            return Some(
                json!({"total_count": self.begun.len(), "workflow_runs": self.list(item)}),
            );
        }
        let (_, id) = path.split_once("/actions/runs/")?;
        let word = self.word(id, ["in_progress", "success", "failure"])?;
        let title = format!("Deploy ({})", self.begun.get(id.parse::<usize>().ok()? - 1)?.marker);
        Some(match word.as_str() {
            "in_progress" => {
                json!({"id": id, "display_title": title, "status": word, "conclusion": null})
            }
            _ => {
                json!({"id": id, "display_title": title, "status": "completed", "conclusion": word})
            }
        })
    }

    fn gitlab(&mut self, request: &Request, body: &Value) -> Option<Value> {
        let (path, query) =
            request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        if request.method == "POST" && path.ends_with("/1/pipeline") {
            let id = self.begin(body.pointer("/variables/1/value").and_then(Value::as_str));
            return Some(json!({"id": id, "status": "created"}));
        }
        if request.method == "POST" && path.ends_with("/trigger/pipeline") {
            let form = String::from_utf8(request.body.clone()).ok()?;
            let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name));
            field("ref=")?;
            let id = self.begin(field("variables%5BPLACET_RUN%5D="));
            return Some(json!({"id": id, "status": "created"}));
        }
        if path.ends_with("/pipelines") {
            let wanted = query
                .split('&')
                .find_map(|part| part.strip_prefix("name="))
                .unwrap_or_default()
                .to_owned();
            let all = self.list(|id, begun| json!({"id": id, "name": begun.marker}));
            let items = all.as_array()?.iter().filter(|item| item["name"] == wanted.as_str());
            return Some(items.cloned().collect());
        }
        let (_, id) = path.split_once("/pipelines/")?;
        let status = self.word(id, ["running", "success", "failed"])?;
        Some(json!({"id": id, "status": status}))
    }

    fn jenkins(&mut self, request: &Request) -> Option<(Value, Option<String>)> {
        let path = request.path_and_query.split('?').next()?;
        if request.method == "POST" && path.ends_with("/buildWithParameters") {
            let form = String::from_utf8(request.body.clone()).ok()?;
            let marker = form.split('&').find_map(|pair| pair.strip_prefix("PLACET_RUN="));
            let item = 100 + self.begin(marker);
            return Some((
                Value::Null,
                Some(format!("https://jenkins.example/queue/item/{item}/")),
            ));
        }
        if let Some(rest) = path.strip_prefix("/queue/item/").filter(|_| !self.is_queue_tidied) {
            let number = rest.split('/').next()?.parse::<usize>().ok()?.checked_sub(100)?;
            let begun = self.begun.get_mut(number.checked_sub(1)?)?;
            let waits = begun.queued > 0;
            begun.queued = begun.queued.saturating_sub(1);
            return Some((
                if waits {
                    json!({"why": "busy"})
                } else {
                    json!({"executable": {"number": number}})
                },
                None,
            ));
        }
        let parts: Vec<_> = path.split('/').collect();
        if let ["", "job", _, "api", "json"] = parts.as_slice() {
            let item = |number, begun: &Begun| json!({"number": number, "actions": [{}, {"parameters": [{"name": "PLACET_RUN", "value": begun.marker}]}]});
            return Some((json!({"builds": self.list(item)}), None));
        }
        let ["", "job", _, number, "api", "json"] = parts.as_slice() else { return None };
        let word = self.word(number, ["", "SUCCESS", "FAILURE"])?;
        let left = self.begun.get(number.parse::<usize>().ok()?.checked_sub(1)?)?.left;
        let result = match word.as_str() {
            // What comes after the build runs on when its result is known.
            "" if left == 0 => json!(if self.fails { "FAILURE" } else { "SUCCESS" }),
            "" => Value::Null,
            ended => json!(ended),
        };
        Some((json!({"building": word.is_empty(), "result": result}), None))
    }

    fn argo(&mut self, request: &Request, body: &Value) -> Option<Value> {
        if request.method == "POST" {
            self.begin(body.pointer("/infos/0/value").and_then(Value::as_str));
            return Some(json!({"metadata": {"name": "shop"}}));
        }
        let info = self.begun.last().map(|begun| begun.marker.clone());
        let number = self.begun.len().to_string();
        let phase = self.word(&number, ["Running", "Succeeded", "Failed"]);
        Some(json!({
            "metadata": {"name": "shop"},
            "status": {
                "operationState": {"phase": phase, "operation": {"info": [{"name": "placet-run", "value": info}]}},
                "health": {"status": if self.is_ill { "Degraded" } else { "Healthy" }},
                "sync": {"status": "Synced"}
            }
        }))
    }
}

impl Server for Products {
    fn answer(&mut self, endpoint: &str, request: &Request) -> Option<Response> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut headers = Vec::new();
        let answer = match endpoint {
            "rundeck" => self.rundeck(request, &body),
            "github" => self.github(request, &body),
            "gitlab" => self.gitlab(request, &body),
            "jenkins" => self.jenkins(request).map(|(answer, location)| {
                headers.extend(location.map(|location| ("Location".to_owned(), location)));
                answer
            }),
            "argo-cd" => self.argo(request, &body),
            "shop" => {
                let status = if self.is_ill { "ill" } else { "ok" };
                Some(json!({"status": status}))
            }
            _ => return None,
        };
        let Some(answer) = answer else {
            return Some(Response { status: 404, headers, body: vec![] });
        };
        let status = if request.method == "POST" { 201 } else { 200 };
        let body = if answer.is_null() { vec![] } else { answer.to_string().into_bytes() };
        Some(Response { status, headers, body })
    }

    fn run(&mut self, name: &str, arguments: &[(String, String)]) -> Option<Output> {
        let run = arguments.iter().find(|(name, _)| name == "run")?.1.clone();
        let exit_code = match name {
            "switch" => {
                self.switched.push(run);
                0
            }
            "switched" if self.switched.contains(&run) => 0,
            "switched" => 3,
            _ => return None,
        };
        Some(Output { exit_code, stdout: vec![], stderr: vec![], truncated: false })
    }

    fn is_writing(&self, name: &str) -> bool {
        name != "switched"
    }
}
