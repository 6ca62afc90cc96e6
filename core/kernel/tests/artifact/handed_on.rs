//! A runner that hands artifacts on to another system gets those that are approved, as they stand, and no others.

use placet_core::error::{Code, Error};
use placet_core::id::RequestId;
use placet_core::request::{Request, StateName};
use placet_core::testing::{Office, Seen};
use serde_json::{Value, json};

use super::life::Desk;

/// What a payload says of this artifact, with the state that its author would like.
fn entry(request: &Request) -> Value {
    let header = &request.header;
    let artifact = header.artifact.as_ref().unwrap();
    json!({
        "type": artifact.artifact_type, "id": artifact.artifact_id, "version": artifact.version,
        "digest": header.payload_digest, "status": "APPROVED", "title": "a user story",
    })
}

fn payload(entries: &[Value]) -> String {
    json!({ "artifacts": entries }).to_string()
}

impl Desk {
    /// From now on; artifacts that were written before are not about others.
    fn publishes(&self) {
        self.bench.runner.publishes("/artifacts");
    }

    fn drafted(&self, payload: &str) -> RequestId {
        let new = self.office.request(self.office.change(payload).unwrap());
        self.gate.draft(&self.office.ana, &new).unwrap().header.id
    }

    fn planned(&self, payload: &str) -> Result<RequestId, Error> {
        let id = self.drafted(payload);
        self.gate.plan(&self.office.ana, id).map(|_| id)
    }

    /// A request over these artifacts that Bo said yes to.
    fn agreed(&self, payload: &str) -> RequestId {
        let id = self.planned(payload).unwrap();
        let pending = self.gate.submit(&self.office.ana, id).unwrap();
        self.approve(&pending).unwrap();
        id
    }
}

fn not_approved<T>(answer: Result<T, Error>, what: &str) {
    let Err(error) = answer else { panic!("{what}: allowed") };
    assert_eq!(error.code(), Code::ArtifactNotApproved, "{what}: {error}");
    assert_eq!(error.to_string(), "Artifact not approved", "{what}");
    assert!(error.details()["artifact"].starts_with("USER_STORY/"), "{what}");
    assert!(error.help().is_some(), "{what}");
}

#[test]
fn what_is_approved_or_published_is_handed_on() {
    let desk = Desk::new();
    let Office { ana, .. } = &desk.office;
    let approved = desk.office.approved_artifact(&desk.gate, 1).unwrap();
    desk.bench.runner.publishes("/artifacts");
    desk.publishes();
    let id = desk.agreed(&payload(&[entry(&approved)]));
    let ticket = desk.gate.execute(ana, id).unwrap();
    let ended = desk.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(ended.state.name(), StateName::Succeeded);
}

#[test]
fn whatever_a_payload_says_only_the_states_of_the_gate_count() {
    let desk = Desk::new();
    let draft = desk.office.artifact(&desk.gate, 1).unwrap();
    let pending = desk.office.pending_artifact(&desk.gate, 2).unwrap();
    let approved = desk.office.approved_artifact(&desk.gate, 3).unwrap();
    desk.publishes();
    let mut missing = entry(&approved);
    missing["id"] = json!(99);
    let (mut older, mut other) = (entry(&approved), entry(&approved));
    older["version"] = json!(7);
    other["digest"] = json!("00".repeat(32));
    for (what, second) in [
        ("a draft", entry(&draft)),
        ("pending", entry(&pending)),
        ("nowhere", missing),
        ("another version", older),
        ("another text", other),
    ] {
        let both = payload(&[entry(&approved), second.clone()]);
        not_approved(desk.planned(&both), what);
        not_approved(desk.planned(&payload(&[second])), what);
    }
    assert!(desk.bench.runner.entered().is_empty());
}

#[test]
fn what_was_taken_back_after_the_approval_of_its_publication_does_not_run() {
    let desk = Desk::new();
    let Office { ana, bo, .. } = &desk.office;
    let approved = desk.office.approved_artifact(&desk.gate, 1).unwrap();
    desk.publishes();
    let id = desk.agreed(&payload(&[entry(&approved)]));
    desk.gate.revert(bo, approved.header.id, Some("not like this")).unwrap();
    not_approved(desk.gate.execute(ana, id), "reverted");
    assert!(desk.bench.runner.entered().is_empty());
    let kept = desk.gate.view(ana, id).unwrap();
    assert_eq!(kept.state.name(), StateName::Approved);
}

#[test]
fn a_payload_that_lists_nothing_is_no_payload() {
    let desk = Desk::new();
    desk.publishes();
    for text in [
        "{}",
        r#"{"artifacts": []}"#,
        r#"{"artifacts": {}}"#,
        r#"{"artifacts": [{"type": "USER_STORY", "id": 1, "version": 1}]}"#,
        r#"{"artifacts": [{"type": "user story", "id": 1, "version": 1, "digest": ""}]}"#,
        "[]",
        "17",
    ] {
        let error = desk.planned(text).unwrap_err();
        assert_eq!(error.code(), Code::InvalidPayload, "{text}: {error}");
    }
    let huge = r#"{"artifacts": [{"type": "USER_STORY", "id": -1, "version": 1, "digest": "D"}]}"#;
    let huge = huge.replace('D', &"0".repeat(64));
    assert_eq!(desk.planned(&huge).unwrap_err().code(), Code::InvalidInput);
}

#[test]
fn a_runner_that_hands_on_none_is_not_asked() {
    let desk = Desk::new();
    let draft = desk.office.artifact(&desk.gate, 1).unwrap();
    assert!(desk.planned(&payload(&[entry(&draft)])).is_ok());
}

#[test]
fn a_plugin_that_hands_on_since_the_approval_is_another_plugin() {
    let desk = Desk::new();
    let approved = desk.office.approved_artifact(&desk.gate, 1).unwrap();
    let id = desk.agreed(&payload(&[entry(&approved)]));
    desk.publishes();
    let error = desk.gate.execute(&desk.office.ana, id).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch, "{error}");
}
