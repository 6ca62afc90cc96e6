//! What is not stored, with the reason, and that nothing is written then.

use std::sync::Arc;

use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::limits::Limits;
use placet_core::org::command::SetWorkflow;
use placet_core::request::StateName;
use placet_core::store::{MemoryStore, Store as _};
use placet_core::testing::{Bench, Office};
use placet_core::workflow::{
    ActionCode, Definition, Form, NoForms, Requirement, StateCode, StateDef, Verb,
};

use super::stories::{action, code};

fn own() -> Definition {
    Definition { name: "own".parse().unwrap(), version: 0, ..Definition::change() }
}

/// Stores `definition`; what is refused leaves the log and the rows as they were.
fn store(definition: Definition) -> Result<u32, Error> {
    let store = Arc::new(MemoryStore::default());
    let gate = Gate::new(Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap().parts);
    let office = Office::found(&gate).unwrap();
    let entries = store.log_len().unwrap();
    let answer = gate.manage(&office.root, &SetWorkflow { project: office.project, definition });
    if answer.is_err() {
        assert_eq!(store.log_len().unwrap(), entries);
        assert_eq!(gate.workflows(&office.root, office.project).unwrap().len(), 2);
    }
    answer
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Definition), flaw: &str, path: &str) {
    let mut definition = own();
    change(&mut definition);
    let error = store(definition).unwrap_err();
    assert_eq!(error.code(), Code::UnsoundWorkflow, "{error}");
    assert_eq!((error.details()["flaw"].as_str(), error.details()["path"].as_str()), (flaw, path));
    assert!(error.help().is_some());
}

#[test]
fn a_definition_that_could_go_wrong_is_refused_with_the_path_that_proves_it() {
    assert_eq!(store(own()).unwrap(), 1);
    refused(
        |it| {
            for way in &mut it.transitions {
                way.requires.remove(&Requirement::Quorum);
            }
        },
        "runs_unapproved",
        "DRAFT SUBMIT, PENDING_APPROVAL APPROVE, APPROVED EXECUTE",
    );
    // An edit that stays approved.
    refused(
        |it| it.states[3].edit_to = Some(code("APPROVED")),
        "runs_unapproved",
        "DRAFT SUBMIT, PENDING_APPROVAL APPROVE, APPROVED (edit), APPROVED EXECUTE",
    );
    // A way past everybody.
    refused(
        |it| {
            let mut way = it.transitions[0].clone();
            (way.action, way.verb, way.to) = (action("HURRY"), Verb::Execute, code("EXECUTING"));
            it.transitions.push(way);
        },
        "runs_unapproved",
        "DRAFT HURRY",
    );
    // A draft that could be published.
    refused(|it| it.states[0].is_syncable = true, "hands_on_unapproved", "");
    refused(
        |it| {
            it.states[3].phases.insert(StateName::PendingApproval);
            it.transitions[0].to = code("APPROVED");
        },
        "hands_on_unapproved",
        "DRAFT SUBMIT",
    );
    // A way that its verb does not go.
    refused(
        |it| it.transitions[4].to = code("CANCELLED"),
        "not_in_core",
        "DRAFT SUBMIT, PENDING_APPROVAL REJECT",
    );
    refused(|it| it.states.retain(|state| state.code != code("UNKNOWN")), "unknown_state", "");
    refused(
        |it| {
            it.transitions.retain(|way| way.from != code("UNKNOWN") && way.to != code("UNKNOWN"));
            it.states.retain(|state| state.code != code("UNKNOWN"));
        },
        "run_leads_nowhere",
        "DRAFT SUBMIT, PENDING_APPROVAL APPROVE, APPROVED EXECUTE",
    );
    refused(|it| it.transitions.retain(|way| way.verb != Verb::Reject), "unreachable", "");
    refused(
        |it| {
            it.transitions.retain(|way| way.verb != Verb::Cancel && way.verb != Verb::Submit);
            it.states.truncate(1);
            it.transitions.clear();
        },
        "endless",
        "",
    );
}

#[test]
fn a_definition_that_means_nothing_is_refused() {
    // Whatever somebody wrote would be complete.
    refused(
        |it| {
            it.transitions[0].requires.insert(Requirement::Complete);
        },
        "no_form",
        "",
    );
    // A way that nobody could ever take.
    refused(
        |it| {
            let mut way = it.transitions[0].clone();
            way.verb = Verb::NewVersion;
            (way.action, way.from, way.to) = (action("AGAIN"), code("SUCCEEDED"), code("DRAFT"));
            it.transitions.push(way);
        },
        "only_artifacts",
        "",
    );
    refused(|it| it.initial = code("APPROVED"), "begins_elsewhere", "");
    refused(|it| it.states[0].phases.clear(), "no_phase", "");
    refused(|it| it.states.push(it.states[0].clone()), "same_state", "");
    refused(|it| it.transitions.push(it.transitions[0].clone()), "same_way", "");
    refused(
        |it| {
            it.transitions[0].requires.insert(Requirement::Copy);
        },
        "misplaced_requirement",
        "",
    );
    refused(
        |it| {
            it.transitions[0].roles.insert("Nobody".parse().unwrap());
        },
        "unknown_role",
        "",
    );
    refused(|it| it.states.clear(), "unknown_state", "");
}

#[test]
fn names_that_are_taken_and_sizes_without_end_are_refused() {
    for name in ["change", "artifact"] {
        let definition = Definition { name: name.parse().unwrap(), ..own() };
        assert_eq!(store(definition).unwrap_err().code(), Code::AlreadyExists);
    }
    let mut many = own();
    for number in 0..100 {
        many.states.push(StateDef { code: code(&format!("S{number}")), ..many.states[0].clone() });
    }
    assert_eq!(store(many).unwrap_err().code(), Code::TooLarge);
    let mut wide = own();
    for number in 0..10_000 {
        let mut way = wide.transitions[0].clone();
        way.action = action(&format!("A{number}"));
        wide.transitions.push(way);
    }
    assert_eq!(store(wide).unwrap_err().code(), Code::TooLarge);
    assert_eq!(store(Definition { version: 7, ..own() }).unwrap_err().code(), Code::WrongState);
}

#[test]
fn a_form_that_is_none_is_refused() {
    let not_a_list = Form::parse(r#"{"required": 7}"#).unwrap();
    let error = store(Definition { form: Some(not_a_list), ..own() }).unwrap_err();
    assert_eq!(
        (error.code(), error.details()["at /required"].as_str()),
        (Code::InvalidInput, "must be a list")
    );
    for (text, code) in [
        ("", Code::InvalidInput),
        ("{", Code::InvalidInput),
        ("7", Code::InvalidInput),
        ("[]", Code::InvalidInput),
        (r#"{"a":1,}"#, Code::InvalidInput),
    ] {
        assert_eq!(Form::parse(text).unwrap_err().code(), code, "{text}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    assert_eq!(Form::parse(&deep).unwrap_err().code(), Code::TooLarge);
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(10 << 20));
    assert_eq!(Form::parse(&long).unwrap_err().code(), Code::TooLarge);
}

#[test]
fn a_gate_without_a_reader_of_forms_stores_none() {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let parts = placet_core::gate::Parts { forms: Arc::new(NoForms), ..bench.parts };
    let gate = Gate::new(parts);
    let office = Office::found(&gate).unwrap();
    let project = office.project;
    let definition = Definition { form: Some(Form::parse("{}").unwrap()), ..own() };
    let error = gate.manage(&office.root, &SetWorkflow { project, definition }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
    gate.manage(&office.root, &SetWorkflow { project, definition: own() }).unwrap();
}

#[test]
fn what_is_not_a_code_a_name_or_a_definition_is_refused_at_the_door() {
    let long = "A".repeat(33);
    for text in ["", "draft", "_A", "A_", "A B", "A\u{202e}B", "🙂", "1A", "É", "A\n", "A-B", &long]
    {
        let error = text.parse::<StateCode>().unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput, "{text}");
        assert!(text.parse::<ActionCode>().is_err());
    }
    let good = serde_json::to_value(own()).unwrap();
    let read = |json: &serde_json::Value| serde_json::from_value::<Definition>(json.clone());
    assert_eq!(read(&good).unwrap(), own());
    let spoil = |pointer: &str, value: serde_json::Value| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        read(&json).unwrap_err().to_string()
    };
    assert!(spoil("/states/0/code", "half done".into()).contains("is not the code of a state"));
    assert!(spoil("/states/0/label", "turned \u{202e}round".into()).contains("is not a name"));
    assert!(spoil("/states/0/label", "bell \u{7}".into()).contains("is not a name"));
    assert!(spoil("/states/0/phases/0", "SLEEPING".into()).contains("unknown variant"));
    assert!(spoil("/transitions/0/verb", "jump".into()).contains("unknown variant"));
    assert!(spoil("/transitions/0/action", "".into()).contains("is not the code of an action"));
    let mut more = good.clone();
    more["color"] = "red".into();
    assert!(read(&more).unwrap_err().to_string().contains("unknown field"));
    // Letters that mean no harm stay as they are.
    let mut label = own();
    label.states[0].label = "\u{5d8}\u{5d9}\u{5d5}\u{5d8}\u{5d4} 🙂".parse().unwrap();
    assert_eq!(store(label).unwrap(), 1);
}

#[test]
fn a_step_that_is_no_way_or_says_too_much_changes_nothing() {
    let (gate, office) = Office::in_memory().unwrap();
    let id = office.pending(&gate).unwrap().header.id;
    let before = gate.view(&office.ana, id).unwrap().header;
    let advance = |name: &str, comment: &str| {
        gate.advance(&office.bo, id, &action(name), Some(comment)).unwrap_err().code()
    };
    assert_eq!(advance("NOWHERE", "x"), Code::WrongState);
    // One that another verb takes is not taken here.
    assert_eq!(advance("APPROVE", "x"), Code::WrongState);
    assert_eq!(advance("NOWHERE", &"x".repeat(10 << 20)), Code::TooLarge);
    assert_eq!(advance("NOWHERE", "\u{7}"), Code::InvalidInput);
    assert_eq!(advance("NOWHERE", "\u{202e}"), Code::InvalidInput);
    assert_eq!(gate.view(&office.ana, id).unwrap().header, before);
    assert!(Limits::default().text_bytes_max < 10 << 20);
    assert_eq!(before.step.as_str(), StateName::PendingApproval.as_str());
}
