//! The rules of squawk, a linter for PostgreSQL migrations, as findings: `squawk.ban-drop-column` and its kin.
//!
//! It reads the script once more, with a parser of its own. What it finds stands beside what placet's own rules
//! find, and is tuned by the same settings.

use std::panic::{AssertUnwindSafe, catch_unwind};

use placet_sql_review::{Finding, Level, is_shallow, split};
use squawk_linter::{Linter, Violation};
use squawk_syntax::SourceFile;

/// Which rules these are: the version of squawk.
///
/// ```
/// assert_eq!(placet_review_squawk::VERSION.split('.').count(), 3);
/// ```
pub const VERSION: &str = "2.68.0";

/// Lints a script for PostgreSQL. Not tuned yet: give what comes back to [`placet_sql_review::apply`].
///
/// Comments that ask squawk to look away are not obeyed: what an author takes as known is said in the request,
/// where an approver agrees to it. A script that squawk cannot read is a finding of its own.
///
/// ```
/// let found = placet_review_squawk::lint("SELECT 1;\nALTER TABLE orders DROP COLUMN paid;");
/// let dropped = found.iter().find(|found| found.code == "squawk.ban-drop-column").unwrap();
/// assert_eq!((dropped.line, dropped.statement), (Some(2), Some(2)));
/// ```
pub fn lint(script: &str) -> Vec<Finding> {
    let Ok(statements) = split(script, "postgresql") else {
        return vec![unread("the script cannot be cut into statements")];
    };
    // Its parser goes down at every step, and an overflow of the stack ends the process.
    if !statements.iter().all(|statement| is_shallow(statement.text, "postgresql")) {
        return vec![unread("a statement is too deep for it")];
    }
    // The same length, so that places stay what they are.
    let deaf = script.replace("squawk", "sqvawk");
    let linted = catch_unwind(AssertUnwindSafe(|| {
        let parsed = SourceFile::parse(&deaf);
        let is_whole = parsed.errors().is_empty();
        (Linter::with_default_rules().lint(&parsed, &deaf), is_whole)
    }));
    let Ok((violations, is_whole)) = linted else {
        return vec![unread("it gave up")];
    };
    let starts: Vec<u32> = statements.iter().map(|statement| statement.position).collect();
    let mut places = Places { script, at: 0, line: 1, position: 1 };
    let found = violations.into_iter().map(|violation| finding(violation, &mut places, &starts));
    let mut found: Vec<_> = found.collect();
    if !is_whole {
        found.push(unread("some of it is not what it expects"));
    }
    found
}

fn unread(why: &str) -> Finding {
    let message = format!("squawk could not read the whole script: {why}");
    Finding::new(Level::Warning, "squawk.unread", message)
        .with_help("a person must read what no rule could")
        .for_a_person()
}

fn finding(violation: Violation, places: &mut Places<'_>, starts: &[u32]) -> Finding {
    let (line, position) = places.of(usize::from(violation.text_range.start()));
    let code = format!("squawk.{}", violation.code);
    let number = starts.partition_point(|start| *start <= position);
    let found = Finding::new(Level::Warning, &code, violation.message).at(line, position);
    let found = if number == 0 { found } else { found.of_statement(number) };
    match violation.help {
        Some(help) => found.with_help(help),
        None => found,
    }
}

/// Lines and characters of places in a text, asked in order.
struct Places<'a> {
    script: &'a str,
    at: usize,
    line: u32,
    position: u32,
}

impl Places<'_> {
    fn of(&mut self, place: usize) -> (u32, u32) {
        if let Some(between) = self.script.get(self.at..place) {
            for letter in between.chars() {
                self.position = self.position.saturating_add(1);
                self.line = self.line.saturating_add(u32::from(letter == '\n'));
            }
            self.at = place;
        }
        (self.line, self.position)
    }
}
