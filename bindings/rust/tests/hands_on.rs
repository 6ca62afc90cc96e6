//! Artifacts go to Jira once they are approved, and no others: a gate, the shipped plugin, and a server on loopback.

use placet::NewArtifact;
use placet::error::{Code, Error};
use placet::org::command::SetRunnerSettings;
use placet::request::{Request, StateName};
use placet::runners::deploy::DeployTarget;
use placet::runners::{Grant, shipped};
use placet_target_deploy::testing::{Product, ProductServer};
use serde_json::{Value, json};

use crate::shop::Shop;

const SETTINGS: &str = r#"{"project": "SHOP", "types": {"USER_STORY": "Story"}}"#;

struct Office {
    shop: Shop,
    jira: ProductServer,
}

impl Office {
    fn new() -> Self {
        let jira = ProductServer::start(Product::Jira);
        let target = DeployTarget::builder().endpoint("jira", jira.endpoint()).build().unwrap();
        let sync = shipped::artifact_sync();
        let shop = Shop::with(|builder| {
            let grant = Grant::none().with("http");
            builder
                .plugin("artifact-sync", sync.component, sync.manifest, grant)
                .deploy_target("jira", target)
        });
        let (project, environment) = (shop.office.project, shop.office.environment);
        let (runner, settings) = ("artifact-sync".parse().unwrap(), SETTINGS.to_owned());
        let settings = SetRunnerSettings { project, environment, runner, settings };
        shop.gate.manage(&shop.office.root, &settings).unwrap();
        shop.office.give_artifact_roles(&shop.gate).unwrap();
        Self { shop, jira }
    }

    /// What a story says of itself.
    fn said(number: i64, digest: &str) -> Value {
        json!({
            "type": "USER_STORY", "id": number, "version": 1, "status": "APPROVED",
            "digest": digest, "title": format!("Story {number}"), "text": "pay by card",
        })
    }

    /// A story that publishes itself: what is reviewed is what Jira gets.
    fn drafted(&self, number: i64) -> Request {
        let entry = Self::said(number, &"0".repeat(64));
        let new = NewArtifact {
            body: json!({ "artifacts": [entry] }).to_string(),
            runner: "artifact-sync".parse().unwrap(),
            target: "jira".parse().unwrap(),
            ..self.shop.office.new_artifact(number).unwrap()
        };
        self.shop.gate.draft_artifact(&self.shop.office.ana, &new).unwrap()
    }

    fn approved(&self, number: i64) -> Request {
        let id = self.drafted(number).header.id;
        let pending = self.shop.gate.submit(&self.shop.office.ana, id).unwrap().header;
        let digest = pending.change_digest().unwrap();
        self.shop.gate.approve(&self.shop.office.bo, id, digest, None).unwrap()
    }

    /// What a change says of an artifact: the truth, but for the state.
    fn entry(request: &Request) -> Value {
        let header = &request.header;
        let number = header.artifact.as_ref().unwrap().artifact_id;
        Self::said(number, &header.payload_digest.to_string())
    }

    fn publish(&self, artifacts: &[&Request]) -> Result<Request, Error> {
        let entries: Vec<Value> = artifacts.iter().map(|request| Self::entry(request)).collect();
        self.publish_as(&entries)
    }

    fn publish_as(&self, entries: &[Value]) -> Result<Request, Error> {
        let payload = json!({ "artifacts": entries }).to_string();
        self.shop.run(self.shop.change_for("artifact-sync", "jira", &payload)?)
    }
}

#[test]
fn a_story_becomes_an_issue_when_it_is_synced_and_not_before() {
    let office = Office::new();
    let Shop { gate, office: people, .. } = &office.shop;
    let draft = office.drafted(1);
    let error = gate.execute(&people.bo, draft.header.id).unwrap_err();
    assert_eq!(error.code(), Code::ArtifactNotApproved, "{error}");
    assert_eq!(office.jira.begun(), 0);
    let approved = office.approved(2);
    let synced = gate.execute(&people.bo, approved.header.id).unwrap().wait().unwrap();
    assert_eq!(
        (synced.state.name(), synced.header.step.as_str()),
        (StateName::Succeeded, "SYNCED")
    );
    assert_eq!(office.jira.begun(), 1);
}

#[test]
fn a_change_publishes_artifacts_that_are_approved_and_no_others() {
    let office = Office::new();
    let (approved, other) = (office.approved(1), office.approved(2));
    let draft = office.drafted(3);
    for wrong in [vec![&draft], vec![&approved, &draft]] {
        let error = office.publish(&wrong).unwrap_err();
        assert_eq!(error.code(), Code::ArtifactNotApproved, "{error}");
        assert_eq!(error.details()["artifact"], "USER_STORY/3");
    }
    let reworded = Office::entry(&approved).to_string().replace("pay by card", "pay by cheque");
    let reworded = reworded.parse().unwrap();
    let error = office.publish_as(&[reworded]).unwrap_err();
    assert_eq!(error.code(), Code::ArtifactNotApproved, "{error}");
    assert_eq!(office.jira.begun(), 0, "whatever the payload says of it");
    let done = office.publish(&[&approved, &other]).unwrap();
    assert_eq!(done.state.name(), StateName::Succeeded, "{:?}", done.state);
    assert_eq!(office.jira.begun(), 2);
}
