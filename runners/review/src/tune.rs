//! Findings, tuned by what an environment and the author of a request ask for.

use alloc::format;
use alloc::vec::Vec;

use crate::finding::{Finding, Level};
use crate::payload::Suppression;
use crate::rules::Rule;
use crate::settings::Settings;

/// Tunes findings: an environment sets how grave each is, or leaves it out; what the author of a request
/// takes as known stays in the list, with the reason, for a person to agree.
///
/// What cannot be switched off stays as it is, whatever is asked.
///
/// ```
/// use placet_sql_review::{Finding, Level, Settings, Suppression, apply};
///
/// let found = vec![Finding::new(Level::Warning, "sql.drop", "it drops a table")];
/// let strict = Settings::from_json(r#"{"rules": {"sql.drop": "error"}}"#)?;
/// assert_eq!(apply(found.clone(), &strict, &[])[0].level, Level::Error);
///
/// let known = apply(found, &strict, &[Suppression::new("sql.drop", "it is empty")]);
/// assert_eq!((known[0].level, known[0].needs_person), (Level::Info, true));
/// assert!(known[0].message.contains("it is empty"));
/// # Ok::<(), String>(())
/// ```
pub fn apply(
    findings: Vec<Finding>,
    settings: &Settings,
    suppress: &[Suppression],
) -> Vec<Finding> {
    findings.into_iter().filter_map(|found| tuned(found, settings, suppress)).collect()
}

fn tuned(found: Finding, settings: &Settings, suppress: &[Suppression]) -> Option<Finding> {
    if Rule::must_be_tunable(&found.code).is_err() {
        return Some(found);
    }
    let mut found = match settings.rules.get(&found.code) {
        None => found,
        Some(None) => return None,
        Some(Some(level)) => Finding { level: *level, ..found },
    };
    if let Some(known) = suppress.iter().find(|known| known.code == found.code) {
        found.message = format!("{} (taken as known: {})", found.message, known.reason);
        found.level = Level::Info;
        found.needs_person = true;
    }
    Some(found)
}
