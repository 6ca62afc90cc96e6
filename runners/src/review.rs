//! Between the words of the review and those of kernel and targets.

use placet_core::runner::{Finding, Level};
use placet_sql_review as review;
use placet_target::{Touch, TouchKind};

/// Which rows a statement changes, or why that cannot be told.
pub(crate) fn touch(statement: &str, dialect: &str) -> Result<Touch, String> {
    let read = review::touch(statement, dialect)?;
    let kind = match read.kind {
        review::TouchKind::Insert => TouchKind::Insert,
        review::TouchKind::Update => TouchKind::Update,
        review::TouchKind::Delete => TouchKind::Delete,
    };
    let (alias, columns) = (read.alias, read.columns);
    Ok(Touch { kind, table: read.table, alias, columns, condition: read.condition })
}

pub(crate) const fn level_from(level: review::Level) -> Level {
    match level {
        review::Level::Info => Level::Info,
        review::Level::Warning => Level::Warning,
        review::Level::Error => Level::Error,
    }
}

const fn level_of(level: Level) -> review::Level {
    match level {
        Level::Info => review::Level::Info,
        Level::Warning => review::Level::Warning,
        Level::Error => review::Level::Error,
    }
}

/// A finding of the review; `step` names the statement that it is about.
pub(crate) fn finding_from(found: review::Finding, step: Option<String>) -> Finding {
    Finding {
        level: level_from(found.level),
        code: found.code,
        message: found.message,
        step,
        line: found.line,
        position: found.position,
        help: found.help,
        needs_person: found.needs_person,
    }
}

/// A finding, tuned by what the environment and the author ask for; none where it is switched off.
pub(crate) fn tuned(
    found: Finding,
    settings: &review::Settings,
    suppressions: &[review::Suppression],
) -> Option<Finding> {
    let mut plain = review::Finding::new(level_of(found.level), &found.code, found.message);
    plain.needs_person = found.needs_person;
    let tuned = review::apply(vec![plain], settings, suppressions).pop()?;
    let (step, line, position, help) = (found.step, found.line, found.position, found.help);
    Some(Finding { step, line, position, help, ..finding_from(tuned, None) })
}
