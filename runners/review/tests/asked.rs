//! Payloads, settings and suppressions: what is not known is refused, in a sentence.

use placet_sql_review::{Finding, Level, Payload, RULES, Settings, Suppression, apply};

#[test]
fn payloads_with_anything_else_are_refused() {
    for text in [
        "nonsense",
        "[]",
        "{}",
        r#"{"sql": 1}"#,
        r#"{"sql": "SELECT 1", "more": 1}"#,
        r#"{"sql": "SELECT 1", "mode": "fast"}"#,
        r#"{"sql": "SELECT 1", "mode": null}"#,
        r#"{"sql": "SELECT 1", "limit": 0}"#,
        r#"{"sql": "SELECT 1", "limit": -1}"#,
        r#"{"sql": "SELECT 1", "suppress": [{"code": "sql.drop"}]}"#,
        r#"{"sql": "SELECT 1", "suppress": [{"code": "sql.drop", "reason": " "}]}"#,
        r#"{"sql": "SELECT 1", "suppress": [{"code": "sql.drop", "reason": "a", "x": 1}]}"#,
        r#"{"sql": "SELECT 1", "suppress": [{"code": "sql.dorp", "reason": "a"}]}"#,
        r#"{"sql": "SELECT 1", "suppress": [{"code": "sql.commit_inside", "reason": "a"}]}"#,
        r#"{"sql": "SELECT 1", "revert": {"request": "req_1", "revision": 1, "attempt": 1}}"#,
        r#"{"revert": {"request": "req_1", "revision": 1}}"#,
        r#"{"revert": {"request": "req_1", "revision": 0, "attempt": 1}}"#,
        r#"{"revert": {"request": "usr_1", "revision": 1, "attempt": 1}}"#,
        r#"{"revert": {"request": "req_1", "revision": 1, "attempt": 4294967296}}"#,
        r#"{"revert": {"request": "req_1", "revision": 1, "attempt": 1, "all": true}}"#,
        r#"{"sql": "SELECT 1", "sql": "DROP TABLE a", "more": 1}"#,
    ] {
        let error = Payload::from_json(text).unwrap_err();
        assert!(error.len() > 10, "{text}: {error}");
    }
}

#[test]
fn settings_with_anything_else_are_refused() {
    for text in [
        "nonsense",
        "[]",
        r#"{"rule": {}}"#,
        r#"{"rules": {"sql.drop": "fatal"}}"#,
        r#"{"rules": {"sql.drop": 1}}"#,
        r#"{"rules": {"sql.nothing": "off"}}"#,
        r#"{"rules": {"drop": "off"}}"#,
        r#"{"rules_max": 1}"#,
        r#"{"rows_max": 0}"#,
        r#"{"rows_max": "many"}"#,
        r#"{"mask": "people.email"}"#,
        r#"{"mask": [""]}"#,
        r#"{"mask": ["people."]}"#,
        r#"{"mask": [1]}"#,
        r#"{"backup": "sometimes"}"#,
        r#"{"backup": true}"#,
    ] {
        let error = Settings::from_json(text).unwrap_err();
        assert!(error.len() > 10, "{text}: {error}");
    }
    assert_eq!(Settings::from_json("{}").unwrap(), Settings::default());
    let masked = Settings::from_json(r#"{"mask": ["People.Email", "iban"]}"#).unwrap();
    assert_eq!(masked.mask, ["people.email", "iban"]);
    let other = Settings::from_json(r#"{"rules": {"squawk.ban-drop-column": "off"}}"#).unwrap();
    assert_eq!(other.rules.get("squawk.ban-drop-column"), Some(&None));
}

#[test]
fn what_is_fixed_stays_whatever_is_asked() {
    for rule in RULES.iter().filter(|rule| rule.is_fixed) {
        for word in ["off", "info", "warning", "error"] {
            let text = format!(r#"{{"rules": {{"{}": "{word}"}}}}"#, rule.code);
            assert!(Settings::from_json(&text).is_err(), "{text}");
        }
        let found = vec![Finding::new(rule.level, rule.code, "a")];
        // Even for one who makes the settings by hand.
        let mut settings = Settings::default();
        let _none = settings.rules.insert(rule.code.to_owned(), None);
        let known = [Suppression::new(rule.code, "a")];
        assert_eq!(apply(found.clone(), &settings, &known), found);
    }
}

#[test]
fn what_is_taken_as_known_stays_and_asks_for_a_person() {
    let found = || {
        vec![
            Finding::new(Level::Warning, "sql.drop", "it drops"),
            Finding::new(Level::Warning, "squawk.ban-drop-table", "it drops"),
            Finding::new(Level::Error, "sql.dry_run_failed", "no such table"),
        ]
    };
    let known = ["sql.drop", "squawk.ban-drop-table", "sql.dry_run_failed"]
        .map(|code| Suppression::new(code, "agreed"));
    let tuned = apply(found(), &Settings::default(), &known);
    let levels: Vec<_> = tuned.iter().map(|found| (found.level, found.needs_person)).collect();
    assert_eq!(levels, [(Level::Info, true), (Level::Info, true), (Level::Error, false)]);
    assert!(tuned[0].message.contains("agreed"));

    let off =
        Settings::from_json(r#"{"rules": {"sql.drop": "off", "squawk.ban-drop-table": "error"}}"#)
            .unwrap();
    let tuned = apply(found(), &off, &[]);
    let left: Vec<_> = tuned.iter().map(|found| (found.code.as_str(), found.level)).collect();
    assert_eq!(
        left,
        [("squawk.ban-drop-table", Level::Error), ("sql.dry_run_failed", Level::Error)]
    );
}
