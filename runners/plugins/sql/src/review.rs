//! Reads a payload and reviews its script: steps as an approver sees them, and findings.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::{Finding, Step};

use crate::classify::{Class, Warning, classify, title};
use crate::split::{Statement, split};

/// The most statements of one script. A longer one is data, and belongs into an import.
const STATEMENTS_MAX: usize = 10_000;

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

    fn refused(code: &str, message: String, line: Option<u32>) -> Self {
        Self { findings: vec![finding("error", code, message, None, line)], ..Self::default() }
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

/// Reviews the payload `{"sql": "…"}` in the given dialect.
pub fn review(payload: &str, dialect: &str) -> Review {
    let script = match script_of(payload) {
        Ok(script) => script,
        Err(message) => return Review::refused("sql.payload", message, None),
    };
    let statements = match split(&script, dialect) {
        Ok(statements) => statements,
        Err(unended) => {
            let message = format!("the {} that begins here has no end", unended.what);
            return Review::refused("sql.unended", message, Some(unended.line));
        }
    };
    if statements.is_empty() {
        let message = "the script holds no statement".to_string();
        return Review::refused("sql.empty", message, None);
    }
    if statements.len() > STATEMENTS_MAX {
        let message = format!(
            "the script holds {} statements, and at most {STATEMENTS_MAX} are accepted",
            statements.len()
        );
        return Review::refused("sql.too_many_statements", message, None);
    }
    of_statements(&statements, dialect)
}

fn script_of(payload: &str) -> Result<String, String> {
    let value: serde_json::Value = serde_json::from_str(payload)
        .map_err(|error| format!("the payload is not JSON: {error}"))?;
    let expected = || "the payload must be `{\"sql\": \"…\"}` and nothing more".to_string();
    let serde_json::Value::Object(mut members) = value else { return Err(expected()) };
    // The host reads these.
    for name in ["mode", "suppress", "limit"] {
        members.remove(name);
    }
    match (members.remove("sql"), members.is_empty()) {
        (Some(serde_json::Value::String(script)), true) => Ok(script),
        _ => Err(expected()),
    }
}

fn of_statements(statements: &[Statement<'_>], dialect: &str) -> Review {
    let mut review = Review::default();
    for (index, statement) in statements.iter().enumerate() {
        let id = format!("s{}", index.saturating_add(1));
        let class = classify(statement.text, dialect);
        if let Some(found) = warning_of(&class, &id, statement.line) {
            review.findings.push(found);
        }
        review.steps.push(step(id, statement.text, &class));
        review.lines.push(statement.line);
    }
    let has = |kind| review.steps.iter().any(|step| step.kind == kind);
    if has("ddl") && has("write") {
        let message = "the script changes both the schema and rows".to_string();
        review.findings.push(finding("info", "sql.mixed_ddl_dml", message, None, None));
    }
    review
}

fn step(id: String, body: &str, class: &Class) -> Step {
    Step {
        id,
        title: title(body),
        body: body.to_string(),
        // The host computes it.
        body_digest: String::new(),
        target: crate::CONNECTION.to_string(),
        kind: class.kind.to_string(),
        risk: class.risk.to_string(),
        effect: "transactional".to_string(),
        estimated_rows: None,
        reversible: class.reversible,
        lock: String::new(),
        rewrites: false,
        objects: Vec::new(),
    }
}

fn warning_of(class: &Class, step: &str, line: u32) -> Option<Finding> {
    let (level, code, message) = match class.warning? {
        Warning::NoWhere => ("warning", "sql.no_where", "it has no WHERE and touches every row"),
        Warning::Drop => ("warning", "sql.drop", "it drops something for good"),
        Warning::Truncate => ("warning", "sql.truncate", "it empties a whole table"),
        Warning::TransactionControl => (
            "error",
            "sql.commit_inside",
            "a script must not begin, end or mark transactions; the host runs it in one",
        ),
        Warning::Unparsed => {
            ("warning", "sql.unparsed", "it could not be parsed; a person must read it")
        }
    };
    Some(finding(level, code, message.to_string(), Some(step), Some(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(payload: &str) -> Vec<String> {
        review(payload, "sqlite").findings.into_iter().map(|found| found.code).collect()
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
        let reviewed = review(r#"{"sql": "SELECT 1;\nDELETE FROM a;\nDROP TABLE a;"}"#, "sqlite");
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
                ("sql.mixed_ddl_dml", None, None)
            ]
        );
        assert!(!reviewed.is_refused());
        assert!(review(r#"{"sql": "BEGIN; COMMIT"}"#, "sqlite").is_refused());
    }
}
