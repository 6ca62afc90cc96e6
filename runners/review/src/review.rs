//! A whole script.

use alloc::string::String;
use alloc::vec::Vec;

use crate::class::Class;
use crate::classify::classify;
use crate::finding::{Finding, Level};
use crate::settings::Settings;
use crate::split::{Statement, split};

/// A reviewed script.
///
/// ```
/// use placet_sql_review::{Settings, review};
///
/// let review = review("SELECT 'a", "sqlite", &Settings::default());
/// assert!(review.is_refused());
/// assert_eq!(review.findings[0].code, "sql.unended");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Review<'a> {
    /// Its statements.
    pub steps: Vec<Step<'a>>,
    /// What was found. Not yet tuned: give it to [`apply`](crate::apply).
    pub findings: Vec<Finding>,
}

/// One statement of a script.
///
/// ```
/// use placet_sql_review::{Settings, review};
///
/// let review = review("SELECT 1", "sqlite", &Settings::default());
/// assert_eq!(review.steps[0].statement.text, "SELECT 1");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Step<'a> {
    /// Where it stands.
    pub statement: Statement<'a>,
    /// What it is.
    pub class: Class,
}

impl Review<'_> {
    /// Whether anything found refuses the script.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|found| found.level == Level::Error)
    }
}

/// Reviews a script.
///
/// ```
/// use placet_sql_review::{Level, Settings, review};
///
/// let review = review("BEGIN; DROP TABLE orders; COMMIT", "postgresql", &Settings::default());
/// assert_eq!((review.steps.len(), review.findings[0].level), (3, Level::Error));
/// ```
pub fn review<'a>(script: &'a str, dialect: &str, _settings: &Settings) -> Review<'a> {
    let mut review = Review::default();
    match split(script, dialect) {
        Ok(statements) => {
            for statement in statements {
                let class = classify(statement.text, dialect);
                review.steps.push(Step { statement, class });
            }
        }
        Err(unended) => {
            let found = Finding::new(Level::Error, "sql.unended", unended.message());
            review.findings.push(found.at(unended.line, unended.position));
        }
    }
    review
}

/// A title of a few words: the beginning of a statement on one line.
///
/// ```
/// use placet_sql_review::title;
/// assert_eq!(title("UPDATE a\n  SET b = 1"), "UPDATE a SET b = 1");
/// ```
pub fn title(statement: &str) -> String {
    let mut title = String::new();
    for word in statement.split_whitespace() {
        if title.chars().count().saturating_add(word.chars().count()) > 60 {
            if title.is_empty() {
                title.extend(word.chars().take(60));
            }
            title.push('…');
            break;
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.push_str(word);
    }
    title
}
