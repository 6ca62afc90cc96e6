//! A payload as a plugin shows it: steps and findings, in the words of the interface.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::{Finding, Step};
use placet_sql_review as sql;
use placet_sql_review::{Payload, Settings, apply, title};

/// A reviewed script.
#[derive(Debug, Default)]
pub struct Review {
    /// One step for each statement.
    pub steps: Vec<Step>,
    /// The line of each step.
    pub lines: Vec<u32>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Review {
    /// Whether anything found refuses the script.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == "error")
    }

    fn refused(code: &str, message: String) -> Self {
        Self { findings: vec![finding("error", code, message, None, None)], ..Self::default() }
    }
}

/// A finding from its parts.
pub fn finding(
    level: &str,
    code: &str,
    message: String,
    step: Option<&str>,
    line: Option<u32>,
) -> Finding {
    Finding {
        level: level.to_string(),
        code: code.to_string(),
        message,
        step: step.map(ToString::to_string),
        line,
        position: None,
        help: None,
        needs_person: false,
    }
}

/// Reviews the script of a payload in the given dialect, with the settings of its environment. A payload that
/// puts an attempt back has no script, and no findings.
pub fn review(payload: &str, settings: &str, dialect: &str) -> Review {
    let script = match Payload::from_json(payload) {
        Ok(Payload::Script(script)) => script,
        Ok(Payload::Revert(_)) => return Review::default(),
        Err(message) => return Review::refused("sql.payload", message),
    };
    // Settings that cannot be read must not quietly mean none.
    let settings = match Settings::from_json(settings) {
        Ok(settings) => settings,
        Err(message) => return Review::refused("sql.settings", message),
    };
    let reviewed = sql::review(&script.sql, dialect);
    let findings = apply(reviewed.findings, &settings, &script.suppress);
    Review {
        lines: reviewed.steps.iter().map(|step| step.statement.line).collect(),
        findings: findings.into_iter().map(shown).collect(),
        steps: (1..).zip(reviewed.steps).map(|(number, step)| step_of(number, step)).collect(),
    }
}

/// What is wrong with a payload in every dialect: the target, and with it the dialect, is not known yet.
pub fn everywhere(payload: &str) -> Vec<Finding> {
    let review = |dialect| review(payload, "{}", dialect).findings;
    let mut found = review("sqlite");
    for dialect in ["postgresql", "mysql"] {
        let there = review(dialect);
        found.retain(|one| {
            there.iter().any(|other| (&one.code, one.line) == (&other.code, other.line))
        });
    }
    // What does not parse here may well parse there.
    found.retain(|finding| finding.code != "sql.unparsed");
    found
}

fn id_of(number: usize) -> String {
    format!("s{number}")
}

fn step_of(number: usize, step: sql::Step<'_>) -> Step {
    let (body, class) = (step.statement.text, step.class);
    Step {
        id: id_of(number),
        title: title(body),
        body: body.to_string(),
        // The host computes it.
        body_digest: String::new(),
        target: crate::CONNECTION.to_string(),
        kind: class.kind.word().to_string(),
        risk: class.risk.word().to_string(),
        effect: class.effect.word().to_string(),
        estimated_rows: None,
        reversible: class.reversible,
        lock: class.lock.word().to_string(),
        rewrites: class.rewrites,
        objects: class.objects,
    }
}

fn shown(found: sql::Finding) -> Finding {
    Finding {
        level: found.level.word().to_string(),
        code: found.code,
        message: found.message,
        step: found.statement.map(id_of),
        line: found.line,
        position: found.position,
        help: found.help,
        needs_person: found.needs_person,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(payload: &str) -> Vec<String> {
        review(payload, "{}", "sqlite").findings.into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn payloads_that_are_not_scripts_are_refused() {
        assert_eq!(codes("nonsense"), ["sql.payload"]);
        assert_eq!(codes("{}"), ["sql.payload"]);
        assert_eq!(codes(r#"{"sql": 1}"#), ["sql.payload"]);
        assert_eq!(codes(r#"{"sql": "SELECT 1", "more": 1}"#), ["sql.payload"]);
        assert_eq!(codes(r#"{"sql": " -- nothing"}"#), ["sql.empty"]);
        assert_eq!(codes(r#"{"sql": "SELECT 'a"}"#), ["sql.unended"]);
    }

    #[test]
    fn findings_name_step_and_line() {
        let payload = r#"{"sql": "SELECT 1;\nDELETE FROM a;\nDROP TABLE a;"}"#;
        let reviewed = review(payload, "{}", "sqlite");
        let found: Vec<_> = reviewed
            .findings
            .iter()
            .map(|found| (found.code.as_str(), found.step.as_deref(), found.line))
            .collect();
        assert_eq!(
            found,
            [
                ("sql.no_where", Some("s2"), Some(2)),
                ("sql.drop", Some("s3"), Some(3)),
                ("sql.mixed_ddl_dml", Some("s3"), Some(3))
            ]
        );
        assert!(!reviewed.is_refused());
        assert!(review(r#"{"sql": "BEGIN; COMMIT"}"#, "{}", "sqlite").is_refused());
    }

    #[test]
    fn settings_and_suppressions_tune_what_is_found() {
        let payload = r#"{"sql": "DROP TABLE a"}"#;
        let strict = r#"{"rules": {"sql.drop": "error"}}"#;
        assert!(review(payload, strict, "sqlite").is_refused());
        assert!(review(payload, r#"{"rules": {"sql.dorp": "off"}}"#, "sqlite").is_refused());
        let known =
            r#"{"sql": "DROP TABLE a", "suppress": [{"code": "sql.drop", "reason": "empty"}]}"#;
        let reviewed = review(known, strict, "sqlite");
        assert!(!reviewed.is_refused());
        assert!(reviewed.findings.iter().all(|found| found.needs_person));
    }

    #[test]
    fn before_the_dialect_is_known_only_what_is_wrong_everywhere_is_said() {
        let codes = |payload| -> Vec<String> {
            everywhere(payload).into_iter().map(|found| found.code).collect()
        };
        assert_eq!(codes(r#"{"sql": "SELECT $a$ ' $a$, E'\\''"}"#), Vec::<String>::new());
        assert_eq!(codes(r#"{"sql": "BEGIN"}"#), ["sql.commit_inside"]);
        assert_eq!(codes("{}"), ["sql.payload"]);
    }
}
