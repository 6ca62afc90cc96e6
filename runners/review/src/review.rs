//! A whole script.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::class::Class;
use crate::classify::class_of;
use crate::dialect::Dialect;
use crate::finding::{Finding, Level};
use crate::parse::parse;
use crate::rules::{Look, Whole, find, hidden};
use crate::split::{Statement, split};
use crate::tokens::Tokens;

/// The most statements of one script. A longer one is data, and belongs into an import.
const STATEMENTS_MAX: usize = 10_000;

/// A reviewed script.
///
/// ```
/// use placet_sql_review::review;
///
/// let review = review("SELECT 'a", "sqlite");
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
/// use placet_sql_review::review;
///
/// let review = review("SELECT 1", "sqlite");
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
    fn refused(found: Finding) -> Self {
        Self { steps: Vec::new(), findings: vec![found] }
    }

    /// Whether anything found refuses the script.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|found| found.level == Level::Error)
    }
}

/// Reviews a script.
///
/// ```
/// use placet_sql_review::{Level, review};
///
/// let review = review("BEGIN; DROP TABLE orders; COMMIT", "postgresql");
/// assert_eq!((review.steps.len(), review.findings[0].level), (3, Level::Error));
/// ```
pub fn review<'a>(script: &'a str, dialect: &str) -> Review<'a> {
    let statements = match split(script, dialect) {
        Ok(statements) => statements,
        Err(unended) => {
            let found = Finding::new(Level::Error, "sql.unended", unended.message());
            return Review::refused(found.at(unended.line, unended.position));
        }
    };
    if statements.is_empty() {
        let message = "the script holds no statement";
        return Review::refused(Finding::new(Level::Error, "sql.empty", message));
    }
    if statements.len() > STATEMENTS_MAX {
        let count = statements.len();
        let message = format!(
            "the script holds {count} statements, and at most {STATEMENTS_MAX} are accepted"
        );
        return Review::refused(Finding::new(Level::Error, "sql.too_many_statements", message));
    }
    of_statements(script, statements, Dialect::from(dialect))
}

fn of_statements<'a>(
    script: &'a str,
    statements: Vec<Statement<'a>>,
    dialect: Dialect,
) -> Review<'a> {
    let mut review = Review::default();
    hidden(script, dialect, &mut review.findings);
    let mut whole = Whole::default();
    for (number, statement) in (1..).zip(statements) {
        // One tree at a time: a long script must not be held as trees.
        let tokens = Tokens::of(statement.text, dialect);
        let tree = tokens.as_ref().and_then(|tokens| parse(tokens, dialect));
        let class = match &tokens {
            Some(tokens) => class_of(tokens, tree.as_ref(), dialect),
            None => Class::unparsed(),
        };
        let look = Look {
            dialect,
            number,
            statement,
            tokens: tokens.as_ref(),
            tree: tree.as_ref(),
            class: &class,
        };
        find(&look, &whole, &mut review.findings);
        whole.take(&look);
        review.steps.push(Step { statement, class });
    }
    whole.end(&mut review.findings);
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
