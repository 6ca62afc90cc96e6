//! What an artifact must say before it is submitted: the form of its type, and never nothing.

use placet_core::error::Code;
use placet_core::gate::{Gate, NewArtifact};
use placet_core::id::RequestId;
use placet_core::org::command::SetArtifactForm;
use placet_core::testing::Office;
use placet_core::workflow::Form;

fn drafted(gate: &Gate, office: &Office, number: i64, kind: &str, body: &str) -> RequestId {
    let new = NewArtifact {
        artifact_type: kind.parse().unwrap(),
        body: body.to_owned(),
        ..office.new_artifact(number).unwrap()
    };
    gate.draft_artifact(&office.ana, &new).unwrap().header.id
}

#[test]
fn an_artifact_that_says_nothing_is_not_submitted() {
    let (gate, office) = Office::in_memory().unwrap();
    office.approved_artifact(&gate, 1).unwrap();
    for (number, body) in (10..).zip(["null", "\"\"", "\" \"", "{}", "[]"]) {
        let id = drafted(&gate, &office, number, "USER_STORY", body);
        let error = gate.submit(&office.ana, id).unwrap_err();
        assert_eq!(error.code(), Code::InvalidPayload, "{body}");
        assert!(error.help().is_some());
        assert_eq!(gate.view(&office.ana, id).unwrap().header.step.as_str(), "DRAFT");
    }
    for (number, body) in (20..).zip(["0", "false", "\"a story\"", "[null]"]) {
        let id = drafted(&gate, &office, number, "USER_STORY", body);
        gate.submit(&office.ana, id).unwrap();
    }
}

#[test]
fn an_artifact_is_submitted_when_it_fits_the_form_of_its_type() {
    let (gate, office) = Office::in_memory().unwrap();
    office.approved_artifact(&gate, 1).unwrap();
    let (root, project) = (&office.root, office.project);
    let set = |kind: &str, form: Option<&str>| {
        let form = form.map(|text| Form::parse(text).unwrap());
        let artifact_type = kind.parse().unwrap();
        gate.manage(root, &SetArtifactForm { project, artifact_type, form })
    };
    let id = drafted(&gate, &office, 42, "USER_STORY", r#"{"i_want":"to pay by card"}"#);
    let other = drafted(&gate, &office, 42, "TEST_CASE", r#"{"i_want":"to pay by card"}"#);
    set("USER_STORY", Some(r#"{"required":["i_want","so_that"]}"#)).unwrap();
    let error = gate.submit(&office.ana, id).unwrap_err();
    assert_eq!(error.code(), Code::InvalidPayload);
    assert_eq!(error.details()["at /so_that"], "is required");
    gate.submit(&office.ana, other).unwrap();
    let whole = office.change(r#"{"i_want":"to pay by card","so_that":"it is fast"}"#).unwrap();
    gate.edit(&office.ana, id, "a user story", &whole).unwrap();
    gate.submit(&office.ana, id).unwrap();

    // Nothing is stored that is no form, and nobody but a manager says what is complete.
    assert_eq!(
        set("USER_STORY", Some(r#"{"required":7}"#)).unwrap_err().code(),
        Code::InvalidInput
    );
    let artifact_type = "USER_STORY".parse().unwrap();
    let own = SetArtifactForm { project, artifact_type, form: None };
    assert_eq!(gate.manage(&office.ana, &own).unwrap_err().code(), Code::Denied);
    let forms = || gate.organisation(root, project).unwrap().artifact_forms;
    assert_eq!(forms().len(), 1);
    set("USER_STORY", None).unwrap();
    set("USER_STORY", None).unwrap();
    assert!(forms().is_empty());
    let (_, leaf) = gate.audit(root, 0).unwrap().pop().unwrap();
    assert_eq!(
        (leaf.event.as_str(), leaf.facts["form"].as_str()),
        ("org.artifact_form_set", "none")
    );
    let id = drafted(&gate, &office, 43, "USER_STORY", r#"{"i_want":"to pay by card"}"#);
    gate.submit(&office.ana, id).unwrap();
}
