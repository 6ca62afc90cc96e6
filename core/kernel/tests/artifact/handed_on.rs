//! A runner that hands artifacts on to another system gets those that are approved, as they stand, and no others.

use placet_core::error::{Code, Error};
use placet_core::gate::NewArtifact;
use placet_core::id::RequestId;
use placet_core::request::{Request, StateName};
use placet_core::testing::{Office, Seen};
use placet_core::workflow::Verb;
use serde_json::{Value, json};

use super::life::Desk;

/// What an artifact says of itself, in its own payload.
fn said(number: i64) -> Value {
    json!({
        "type": "USER_STORY", "id": number, "version": 1, "digest": "0".repeat(64), "status": "DRAFT",
        "title": format!("user story {number}"), "text": "pay by card", "points": 3,
    })
}

/// What a payload says of this artifact, with the state that its author would like.
fn entry(request: &Request) -> Value {
    let header = &request.header;
    let artifact = header.artifact.as_ref().unwrap();
    let mut entry = said(artifact.artifact_id);
    entry["digest"] = json!(header.payload_digest);
    entry["status"] = json!("APPROVED");
    entry
}

fn payload(entries: &[Value]) -> String {
    json!({ "artifacts": entries }).to_string()
}

impl Desk {
    /// From now on.
    fn publishes(&self) {
        self.bench.runner.publishes("/artifacts");
    }

    /// A user story that lists itself, as what is to be handed on does.
    fn story(&self, number: i64) -> Request {
        self.story_with(number, payload(&[said(number)]))
    }

    fn story_with(&self, number: i64, body: String) -> Request {
        let new = NewArtifact { body, ..self.office.new_artifact(number).unwrap() };
        self.gate.draft_artifact(&self.office.ana, &new).unwrap()
    }

    fn pending_story(&self, number: i64) -> Request {
        self.gate.submit(&self.office.ana, self.story(number).header.id).unwrap()
    }

    fn approved_story(&self, number: i64) -> Request {
        self.approve(&self.pending_story(number)).unwrap()
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
    let approved = desk.approved_story(1);
    let published = desk.publish(desk.approved_story(2).header.id);
    assert_eq!(published.header.step.as_str(), "SYNCED");
    desk.publishes();
    let id = desk.agreed(&payload(&[entry(&approved), entry(&published)]));
    let ticket = desk.gate.execute(ana, id).unwrap();
    let ended = desk.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(ended.state.name(), StateName::Succeeded);
}

#[test]
fn whatever_a_payload_says_only_the_states_of_the_gate_count() {
    let desk = Desk::new();
    let draft = desk.story(1);
    let pending = desk.pending_story(2);
    let approved = desk.approved_story(3);
    let elsewhere = desk.office.approved_artifact(&desk.gate, 4).unwrap();
    desk.publishes();
    // However it is spelled, the same is the same.
    let spelled = entry(&approved).to_string().replace("pay", "p\\u0061y").replace(':', " :\n ");
    assert!(desk.planned(&format!(r#"{{"artifacts": [{spelled}]}}"#)).is_ok());
    let mut missing = entry(&approved);
    missing["id"] = json!(99);
    let [mut older, mut other, mut reworded, mut more, mut less, mut odd] =
        [(); 6].map(|()| entry(&approved));
    older["version"] = json!(7);
    other["digest"] = json!("00".repeat(32));
    reworded["title"] = json!("another story");
    more["fields"] = json!({ "points": 3 });
    odd["points"] = json!(3.0);
    drop(less.as_object_mut().unwrap().remove("text"));
    for (what, second) in [
        ("a draft", entry(&draft)),
        ("pending", entry(&pending)),
        ("nowhere", missing),
        ("another version", older),
        ("another digest", other),
        ("another title", reworded),
        ("a field that nobody approved", more),
        ("less than was approved", less),
        ("a number that most readers take for the same", odd),
        ("one that does not list itself", entry(&elsewhere)),
    ] {
        let both = payload(&[entry(&approved), second.clone()]);
        not_approved(desk.planned(&both), what);
        not_approved(desk.planned(&payload(&[second])), what);
    }
    assert!(desk.bench.runner.entered().is_empty());
}

/// Most readers take both numbers for the same one, and some read them exactly.
#[test]
fn a_number_that_not_every_reader_can_tell_from_another_is_not_handed_on() {
    let desk = Desk::new();
    let with =
        |text: &str, points: &str| text.replace("\"points\":3", &format!("\"points\":{points}"));
    let (approved, other) = ("100000000000000000001", "100000000000000000002");
    let story = desk.story_with(1, with(&payload(&[said(1)]), approved));
    let pending = desk.gate.submit(&desk.office.ana, story.header.id).unwrap();
    let story = desk.approve(&pending).unwrap();
    desk.publishes();
    for points in [approved, other, "3"] {
        not_approved(desk.planned(&with(&payload(&[entry(&story)]), points)), points);
    }
}

#[test]
fn what_was_taken_back_after_the_approval_of_its_publication_does_not_run() {
    let desk = Desk::new();
    let Office { ana, bo, .. } = &desk.office;
    let approved = desk.approved_story(1);
    desk.publishes();
    let id = desk.agreed(&payload(&[entry(&approved)]));
    desk.gate.revert(bo, approved.header.id, Some("not like this")).unwrap();
    let panel = desk.gate.actions(ana, id).unwrap();
    let offer = panel.offers.iter().find(|offer| offer.verb == Verb::Execute).unwrap();
    let refusal = offer.refusal.as_ref().map(Error::code);
    assert_eq!(refusal, Some(Code::ArtifactNotApproved), "the panel says the same");
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
    // Which of the two counts, the gate and the plugin could see differently.
    let twice = r#"{"artifacts": [17], "artifacts": [{"id": 1}]}"#;
    let error = desk.office.change(twice).unwrap_err();
    assert_eq!(error.code(), Code::InvalidPayload, "{error}");
    let huge = r#"{"artifacts": [{"type": "USER_STORY", "id": -1, "version": 1, "digest": "D"}]}"#;
    let huge = huge.replace('D', &"0".repeat(64));
    assert_eq!(desk.planned(&huge).unwrap_err().code(), Code::InvalidInput);
}

#[test]
fn a_runner_that_hands_on_none_is_not_asked() {
    let desk = Desk::new();
    let draft = desk.story(1);
    assert!(desk.planned(&payload(&[entry(&draft)])).is_ok());
}

#[test]
fn a_plugin_that_hands_on_since_the_approval_is_another_plugin() {
    let desk = Desk::new();
    let approved = desk.approved_story(1);
    let id = desk.agreed(&payload(&[entry(&approved)]));
    desk.publishes();
    let error = desk.gate.execute(&desk.office.ana, id).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch, "{error}");
}
