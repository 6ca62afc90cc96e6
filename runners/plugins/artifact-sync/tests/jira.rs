//! A model of Jira, as far as the plugin calls it, and jobs for it.

use std::cell::RefCell;

use placet_artifact_sync::ArtifactSync;
use placet_plugin_sdk::http::{Request, Response};
use placet_plugin_sdk::testing::{FakeHost, Server, World};
use placet_plugin_sdk::{ChangePlan, ExecutionId, Job, Outcome};
use serde_json::{Value, json};

pub(crate) const SETTINGS: &str = r#"{"project": "SHOP", "types": {"USER_STORY": "Story", "TEST_CASE": "Test"}, "fields": {"points": "customfield_10016"}}"#;

/// An artifact of a payload.
pub(crate) fn artifact(id: u64, version: u32) -> Value {
    json!({
        "type": "USER_STORY", "id": id, "version": version, "status": "APPROVED",
        "digest": format!("{id:032x}{version:032x}"), "title": format!("Story {id}"),
        "text": "# Why\nSo that it \"works\".\n\n- one\n- two", "fields": {"points": 3}
    })
}

pub(crate) fn job(artifacts: &[Value]) -> Job {
    Job {
        id: ExecutionId {
            request: "req_1".into(),
            revision: 1,
            attempt: 1,
            fence: 1,
            idempotency_key: "run_1".into(),
        },
        payload: json!({ "artifacts": artifacts }).to_string(),
        payload_digest: String::new(),
        project: "shop".into(),
        module_name: "orders".into(),
        environment: "prod".into(),
        deadline: "2026-01-01T00:30:00Z".into(),
        dry_run: false,
        settings: SETTINGS.into(),
    }
}

pub(crate) fn planned(world: &RefCell<World<Jira>>, job: &Job) -> ChangePlan {
    let plan = ArtifactSync::plan(&FakeHost::reading(world), job).unwrap();
    assert!(plan.findings.iter().all(|found| found.level != "error"), "{:?}", plan.findings);
    plan
}

pub(crate) fn executed(world: &RefCell<World<Jira>>, job: &Job, plan: &ChangePlan) -> Outcome {
    let host = executing(world, job, plan);
    let outcome = ArtifactSync::execute(&host, job, plan);
    let is_success = matches!(outcome, Outcome::Succeeded(_));
    assert!(!is_success || host.left() == 0, "a success without every step");
    assert_eq!(world.borrow().forbidden, 0, "it wrote what nobody approved");
    outcome
}

/// The host of an execution of this plan.
pub(crate) fn executing<'a>(
    world: &'a RefCell<World<Jira>>,
    job: &Job,
    plan: &ChangePlan,
) -> FakeHost<'a, Jira> {
    let bodies = plan.steps.iter().map(|step| &step.body);
    FakeHost::writing(world).approving(&job.id.idempotency_key, bodies)
}

pub(crate) fn verified(world: &RefCell<World<Jira>>, job: &Job, plan: &ChangePlan) -> Outcome {
    ArtifactSync::verify(&FakeHost::reading(world), job, plan)
}

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) fields: Value,
    pub(crate) properties: Value,
    /// How often it was written.
    pub(crate) writes: usize,
}

impl Issue {
    pub(crate) fn property(&self) -> &Value {
        &self.properties[0]["value"]
    }
}

/// Issues, of which the search learns late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jira {
    pub(crate) issues: Vec<Issue>,
    /// The search knows the issues before this one, where it is late.
    pub(crate) searchable: Option<usize>,
    /// Somebody else creates the same at the same moment.
    pub(crate) has_rival: bool,
    /// Whether the search says that there is more.
    pub(crate) has_pages: bool,
}

impl Jira {
    fn search(&self, body: &Value) -> Option<Value> {
        let jql = body["jql"].as_str()?;
        let wanted = jql.rsplit('"').nth(1)?;
        assert!(jql.starts_with("project = \"SHOP\" AND "), "{jql}");
        let by_label = jql.contains("labels = ");
        let seen = self.searchable.unwrap_or(self.issues.len());
        let fits = |issue: &Issue| {
            if by_label {
                issue.fields["labels"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one == wanted))
            } else {
                assert!(jql.contains("issue.property[placet.artifact].id = "), "{jql}");
                issue.property()["id"] == wanted
            }
        };
        let numbered = (1..).zip(&self.issues).take(seen).filter(|(_, issue)| fits(issue));
        let keys: Vec<_> =
            numbered.map(|(number, _)| json!({"key": format!("SHOP-{number}")})).collect();
        let mut answer = json!({"issues": keys, "isLast": !self.has_pages});
        if self.has_pages {
            answer["nextPageToken"] = json!("CAEaAggD");
        }
        Some(answer)
    }

    fn at(&mut self, key: &str) -> Option<&mut Issue> {
        let number = key.strip_prefix("SHOP-")?.parse::<usize>().ok()?;
        self.issues.get_mut(number.checked_sub(1)?)
    }

    fn reply(&mut self, request: &Request) -> Option<(u16, Value)> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let path = request.path_and_query.strip_prefix("/rest/api/3/")?;
        match (request.method.as_str(), path) {
            ("POST", "search/jql") => Some((200, self.search(&body)?)),
            ("POST", "issue") => {
                let (fields, properties) = (body["fields"].clone(), body["properties"].clone());
                let issue = Issue { fields, properties, writes: 1 };
                if self.has_rival {
                    self.issues.push(issue.clone());
                }
                self.issues.push(issue);
                let key = format!("SHOP-{}", self.issues.len());
                Some((201, json!({"id": "1", "key": key})))
            }
            ("PUT", path) => {
                let issue = self.at(path.strip_prefix("issue/")?)?;
                for (name, value) in body["fields"].as_object()? {
                    issue.fields[name] = value.clone();
                }
                issue.properties = body["properties"].clone();
                issue.writes += 1;
                Some((204, Value::Null))
            }
            ("GET", path) => {
                let (key, _) =
                    path.strip_prefix("issue/")?.split_once("/properties/placet.artifact")?;
                let issue = self.at(key)?;
                Some((200, json!({"key": "placet.artifact", "value": issue.property()})))
            }
            _ => None,
        }
    }
}

impl Server for Jira {
    fn answer(&mut self, endpoint: &str, request: &Request) -> Option<Response> {
        if endpoint != "jira" {
            return None;
        }
        let (status, body) = self.reply(request).unwrap_or((404, Value::Null));
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        Some(Response { status, headers: vec![], body })
    }

    fn is_write(&self, request: &Request) -> bool {
        request.method != "GET" && request.path_and_query != "/rest/api/3/search/jql"
    }
}
