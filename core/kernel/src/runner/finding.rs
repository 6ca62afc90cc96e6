//! What a runner found while it looked at a payload.

use serde::{Deserialize, Serialize};

/// How much a finding matters.
///
/// ```
/// use placet_core::runner::{Level, Runner};
/// # use placet_core::testing::ScriptedRunner;
/// # let runner = ScriptedRunner::default();
/// let refuses = |payload: &str| -> Result<bool, placet_core::error::Error> {
///     let findings = runner.validate(&"sql".parse()?, payload)?;
///     Ok(findings.iter().any(|finding| finding.level == Level::Error))
/// };
/// assert!(refuses("\"refuse\"")?);
/// assert!(!refuses("\"raise the price\"")?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "an error refuses; whoever shows findings must know")]
pub enum Level {
    /// Good to know.
    Info,
    /// Look twice.
    Warning,
    /// This refuses the payload.
    Error,
}

/// Something that an approver should know.
///
/// ```
/// use placet_core::error::Code;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let draft = gate.draft(&office.ana, &office.request(office.change("\"warn\"")?))?.header.id;
///
/// let finding = &gate.plan(&office.ana, draft)?.findings[0];
/// assert_eq!(finding.code, "scripted.warn");
/// assert_eq!(finding.message, "the script found something");
///
/// let error = gate.submit(&office.ana, draft).expect_err("its level is error");
/// assert_eq!(error.code(), Code::InvalidPayload);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// A stable code such as `sql.no_where`.
    pub code: String,
    /// What was found, in words.
    pub message: String,
    /// The step that it is about.
    pub step: Option<String>,
    /// The line in the payload's text, counted from 1.
    pub line: Option<u32>,
    /// The character in the payload's text, counted from 1.
    pub position: Option<u32>,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether a person must look at it, whoever else agrees: no rule and no empty quorum approves it alone. One that was
    /// written before findings said so asks for a person.
    #[serde(default = "yes")]
    pub needs_person: bool,
}

const fn yes() -> bool {
    true
}

impl Finding {
    /// A finding about no place in particular.
    ///
    /// ```
    /// use placet_core::runner::{Finding, Level};
    /// let message = "it could not be parsed; a person must read it".to_owned();
    /// let unread = Finding::new(Level::Warning, "sql.unparsed".to_owned(), message);
    /// assert!(Finding { needs_person: true, ..unread }.help.is_none());
    /// ```
    pub const fn new(level: Level, code: String, message: String) -> Self {
        let (step, line, position, help) = (None, None, None, None);
        Self { level, code, message, step, line, position, help, needs_person: false }
    }
}
