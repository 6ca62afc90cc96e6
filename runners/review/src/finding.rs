//! What a reviewer found.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

/// How grave a finding is.
///
/// ```
/// use placet_sql_review::Level;
/// assert!(Level::Error > Level::Warning);
/// assert_eq!(Level::Info.word(), "info");
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "an error refuses, the others do not")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// An approver should look at it.
    Warning,
    /// The script is refused.
    Error,
}

impl Level {
    /// The word of the plugin interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that an approver should know.
///
/// ```
/// use placet_sql_review::review;
///
/// let review = review("SELECT 1;\nDELETE FROM orders", "postgresql");
/// let found = &review.findings[0];
/// assert_eq!((found.code.as_str(), found.statement, found.line), ("sql.no_where", Some(2), Some(2)));
/// assert_eq!(found.position, Some(11));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// Which rule found it, such as `sql.no_where`.
    pub code: String,
    /// What is wrong, and why that matters.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The statement that it is about, from 1.
    pub statement: Option<usize>,
    /// The line in the script, from 1.
    pub line: Option<u32>,
    /// The character in the script, from 1.
    pub position: Option<u32>,
    /// Whether a person must look at it, whatever a rule says.
    pub needs_person: bool,
}

impl Finding {
    /// A finding about the script as a whole.
    pub fn new(level: Level, code: &str, message: impl Into<String>) -> Self {
        Self {
            level,
            code: code.to_owned(),
            message: message.into(),
            help: None,
            statement: None,
            line: None,
            position: None,
            needs_person: false,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Says where it is: line and character in the script, both from 1.
    #[must_use]
    pub fn at(self, line: u32, position: u32) -> Self {
        Self { line: Some(line), position: Some(position), ..self }
    }

    /// Says which statement it is about, from 1.
    #[must_use]
    pub fn of_statement(self, number: usize) -> Self {
        Self { statement: Some(number), ..self }
    }

    /// Asks for a person.
    #[must_use]
    pub fn for_a_person(self) -> Self {
        Self { needs_person: true, ..self }
    }
}
