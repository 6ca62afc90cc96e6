//! Schemas that are none, schemas that lead out or grow, and payloads that do not fit.

use placet_core::error::Code;
use placet_core::workflow::{Form, FormChecker as _, FormFault};
use placet_forms::JsonSchemaForms;

fn refused(schema: &str) -> Vec<FormFault> {
    JsonSchemaForms.check_schema(&Form::parse(schema).unwrap()).unwrap()
}

fn faults(schema: &str, payload: &str) -> Vec<String> {
    let (forms, form) = (JsonSchemaForms, Form::parse(schema).unwrap());
    assert_eq!(forms.check_schema(&form).unwrap(), []);
    let found = forms.check_payload(&form, payload).unwrap();
    found.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn a_schema_that_is_none_is_refused_with_its_place() {
    let cases = [
        (r#"{"type": "text"}"#, "/type"),
        (r#"{"properties": {"title": {"type": 7}}}"#, "/properties/title/type"),
        (r#"{"required": "title"}"#, "/required"),
        (r#"{"properties": {"code": {"pattern": "("}}}"#, "/properties/code/pattern"),
        (r#"{"minLength": -1}"#, "/minLength"),
    ];
    for (schema, place) in cases {
        let found = refused(schema);
        assert!(found.iter().any(|fault| fault.pointer == place), "{schema}: {found:?}");
    }
}

#[test]
fn nothing_outside_a_schema_is_read() {
    let cases = [
        r#"{"$ref": "https://example.org/schema"}"#,
        r#"{"$ref": "file:///etc/passwd"}"#,
        r#"{"$ref": "other.json"}"#,
        r##"{"$ref": "#somewhere"}"##,
        r##"{"$dynamicRef": "#node"}"##,
        r#"{"$id": "https://example.org/", "$ref": "a"}"#,
        r#"{"properties": {"deep": {"allOf": [{"$ref": "http://localhost/x"}]}}}"#,
        r#"{"$schema": "https://example.org/own-language"}"#,
        r##"{"$ref": "#/$defs/missing"}"##,
    ];
    for schema in cases {
        assert_ne!(refused(schema), [], "{schema}");
    }
    // A field may have such a name.
    let field = r#"{"properties": {"$ref": {"type": "string"}, "id": {"type": "string"}}}"#;
    assert_eq!(refused(field), []);
}

#[test]
fn a_schema_that_grows_is_refused_and_a_large_one_is_not() {
    assert_ne!(refused(r##"{"properties": {"next": {"$ref": "#"}}}"##), []);
    let doubling: Vec<String> = (0..60)
        .map(|at| {
            let next = at + 1;
            format!(r##""d{at}": {{"allOf": [{{"$ref": "#/$defs/d{next}"}}, {{"$ref": "#/$defs/d{next}"}}]}}"##)
        })
        .collect();
    let schema = format!(
        r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d60": {{"type": "string"}}}}}}"##,
        doubling.join(", ")
    );
    assert_ne!(refused(&schema), []);
    // The same, spelled so that only its reader finds the way.
    for dollar in ["%24", "%2524"] {
        let spelled = schema.replace("#/$defs", &format!("#/{dollar}defs"));
        assert_ne!(refused(&spelled), []);
    }
    assert_ne!(refused(r##"{"properties": {"a": {"$ref": "#/%70roperties/a"}}}"##), []);
    let fields: Vec<String> =
        (0..300).map(|at| format!(r##""f{at}": {{"$ref": "#/$defs/text"}}"##)).collect();
    let wide = format!(
        r#"{{"properties": {{{}}}, "$defs": {{"text": {{"type": "string"}}}}}}"#,
        fields.join(", ")
    );
    assert_eq!(refused(&wide), []);
}

#[test]
fn each_field_that_does_not_fit_is_named() {
    let schema = r#"{
        "type": "object",
        "required": ["title", "steps", "a/b"],
        "properties": {
            "title": {"type": "string", "minLength": 3},
            "mail": {"type": "string", "format": "email"},
            "steps": {"type": "array", "items": {"type": "object", "required": ["text"]}}
        },
        "additionalProperties": false
    }"#;
    let good = r#"{"title": "Log in", "steps": [{"text": "open"}], "a/b": 1}"#;
    // A slash in a name is written as `~1` in a pointer.
    assert_eq!(faults(schema, good), [""], "`a/b` is no property of the form");
    assert_eq!(
        faults(schema, r#"{"title": "x", "mail": "@", "steps": [{}, 7]}"#),
        ["/a~1b", "/mail", "/steps/0/text", "/steps/1", "/title"]
    );
    assert_eq!(faults(schema, "[]"), [""]);
}

#[test]
fn letters_that_mislead_and_long_texts_do_not_reach_whoever_reads_the_fault() {
    let schema = r#"{"properties": {"x": {"const": "a"}}, "propertyNames": {"maxLength": 2}}"#;
    let payload = format!(r#"{{"x": "{}\u202e\u0007"}}"#, "b".repeat(5_000));
    let form = Form::parse(schema).unwrap();
    for fault in JsonSchemaForms.check_payload(&form, &payload).unwrap() {
        let text = fault.to_string();
        assert!(text.chars().count() < 1_000, "{text}");
        assert!(!text.contains(['\u{202e}', '\u{7}']), "{text}");
    }
}

#[test]
fn a_pattern_made_to_take_long_does_not() {
    // A backtracking reader would take longer than anybody waits.
    let schema = r#"{"properties": {"x": {"pattern": "^(a+)+$"}}}"#;
    let payload = format!(r#"{{"x": "{}!"}}"#, "a".repeat(50_000));
    assert_eq!(faults(schema, &payload), ["/x"]);
}

#[test]
fn a_payload_that_would_have_faults_without_end_is_refused_before_it_is_judged() {
    let nulls = vec![r#"{"type":"null"}"#; 900].join(",");
    let names: Vec<String> = (0..900).map(|at| format!("\"n{at}\"")).collect();
    let cases = [
        (format!(r#"{{"items":{{"allOf":[{nulls}]}}}}"#), "[1]", 1),
        (format!(r#"{{"items":{{"required":[{}]}}}}"#, names.join(",")), "[{}]", 1),
        (
            format!(
                r##"{{"items":{{"$ref":"#/$defs/a"}},"$defs":{{"a":{{"anyOf":[{nulls}]}}}}}}"##
            ),
            "[1]",
            1,
        ),
        (format!(r#"{{"additionalProperties":{{"enum":[{}]}}}}"#, names.join(",")), "{}", 0),
    ];
    for (schema, small, faults) in cases {
        let form = Form::parse(&schema).unwrap();
        assert_eq!(JsonSchemaForms.check_schema(&form).unwrap(), []);
        let found = JsonSchemaForms.check_payload(&form, small).unwrap();
        assert!(found.len() >= faults && found.len() <= 1_000, "{}", found.len());
        let inner = if small == "[1]" { "1" } else { "{}" };
        let payload = if small == "{}" {
            let members: Vec<String> = (0..131_000).map(|at| format!("\"m{at}\":1")).collect();
            format!("{{{}}}", members.join(","))
        } else {
            format!("[{}]", vec![inner; 131_000].join(","))
        };
        let error = JsonSchemaForms.check_payload(&form, &payload).unwrap_err();
        assert_eq!(error.code(), Code::TooLarge);
        assert!(error.help().is_some());
    }
    // What asks for little of much is judged.
    let steps = r#"{"items": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}"#;
    let many = format!("[{}]", vec![r#"{"text":"open"}"#; 10_000].join(","));
    assert_eq!(faults(steps, &many), Vec::<String>::new());
    // And not more is told than anybody reads.
    let wrong = format!("[{}]", vec!["7"; 10_000].join(","));
    assert_eq!(faults(steps, &wrong).len(), 1_000);
}
