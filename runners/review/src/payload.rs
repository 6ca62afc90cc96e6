//! What a request asks for, read once.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use crate::rules::Rule;

/// The most suppressions of one request. More would hide what is left.
const SUPPRESSIONS_MAX: usize = 100;

/// The most characters of a reason.
const REASON_CHARS_MAX: usize = 500;

/// What a request asks for: a script, or that an attempt be put back.
///
/// ```
/// use placet_sql_review::{Mode, Payload};
///
/// let text = r#"{"sql": "DROP TABLE old", "mode": "steps", "suppress": [{"code": "sql.drop", "reason": "empty"}]}"#;
/// let Payload::Script(script) = Payload::from_json(text)? else { unreachable!() };
/// assert_eq!((script.sql.as_str(), script.mode), ("DROP TABLE old", Some(Mode::Steps)));
/// assert_eq!(script.suppress[0].reason, "empty");
///
/// let wrong = Payload::from_json(r#"{"sql": "SELECT 1", "speed": "fast"}"#).unwrap_err();
/// assert_eq!(wrong, "the payload has a member `speed`, which nobody knows");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a runner must handle each")]
pub enum Payload {
    /// A script.
    Script(Script),
    /// What an attempt changed is put back.
    Revert(Revert),
}

/// A script to be run.
///
/// ```
/// use placet_sql_review::Payload;
///
/// let Payload::Script(script) = Payload::from_json(r#"{"sql": "SELECT 1", "limit": 10}"#)? else { unreachable!() };
/// assert_eq!(script.limit, Some(10));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Script {
    /// The text.
    pub sql: String,
    /// How it asks to be run. Without one, the plan decides.
    pub mode: Option<Mode>,
    /// Findings that its author asks to be taken as known.
    pub suppress: Vec<Suppression>,
    /// The most rows that a query may answer.
    pub limit: Option<u64>,
}

/// How a script is run.
///
/// ```
/// use placet_sql_review::Mode;
/// assert_eq!(Mode::Steps.word(), "steps");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a runner must handle each")]
pub enum Mode {
    /// All statements in one transaction.
    Transaction,
    /// One statement after the other, each with effect at once.
    Steps,
}

impl Mode {
    /// The word of the payload.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Steps => "steps",
        }
    }
}

/// A finding that the author of a request asks to be taken as known. An approver must agree.
///
/// ```
/// use placet_sql_review::Suppression;
///
/// let known = Suppression::new("sql.drop", "it is empty since May");
/// assert_eq!(known.code, "sql.drop");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Suppression {
    /// The rule.
    pub code: String,
    /// Why.
    pub reason: String,
}

impl Suppression {
    /// Takes the findings of `code` as known, for `reason`.
    pub fn new(code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { code: code.into(), reason: reason.into() }
    }
}

/// An attempt whose changes are to be put back.
///
/// ```
/// use placet_sql_review::Payload;
///
/// let text = r#"{"revert": {"request": "req_01", "revision": 1, "attempt": 1}}"#;
/// let Payload::Revert(revert) = Payload::from_json(text)? else { unreachable!() };
/// assert_eq!((revert.request.as_str(), revert.attempt), ("req_01", 1));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Revert {
    /// The request, as written.
    pub request: String,
    /// Its revision.
    pub revision: u32,
    /// The attempt at it, from 1.
    pub attempt: u32,
}

impl Payload {
    /// Reads the payload of a request. What is not known is an error, in a sentence.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("the payload is not JSON: {error}"))?;
        let Value::Object(mut members) = value else {
            return Err("the payload must be an object such as `{\"sql\": \"…\"}`".to_owned());
        };
        let payload = match members.remove("revert") {
            Some(revert) => Self::Revert(revert_of(revert)?),
            None => Self::Script(script_of(&mut members)?),
        };
        nothing_left(&members, "the payload")?;
        Ok(payload)
    }
}

fn script_of(members: &mut Map<String, Value>) -> Result<Script, String> {
    let Some(Value::String(sql)) = members.remove("sql") else {
        return Err("the payload must have a text `sql`, or an object `revert`".to_owned());
    };
    let mode = match members.remove("mode") {
        None => None,
        Some(Value::String(word)) if word == "transaction" => Some(Mode::Transaction),
        Some(Value::String(word)) if word == "steps" => Some(Mode::Steps),
        Some(_) => return Err("`mode` must be `transaction` or `steps`".to_owned()),
    };
    let suppress = match members.remove("suppress") {
        None => Vec::new(),
        Some(Value::Array(list)) if list.len() <= SUPPRESSIONS_MAX => {
            list.into_iter().map(suppression_of).collect::<Result<_, _>>()?
        }
        Some(_) => {
            return Err(format!("`suppress` must be a list of at most {SUPPRESSIONS_MAX}"));
        }
    };
    let limit = match members.remove("limit") {
        None => None,
        Some(value) => Some(positive(&value, "limit")?),
    };
    Ok(Script { sql, mode, suppress, limit })
}

fn suppression_of(value: Value) -> Result<Suppression, String> {
    let shape =
        || "`suppress` must hold objects such as `{\"code\": \"sql.drop\", \"reason\": \"…\"}`";
    let Value::Object(mut members) = value else { return Err(shape().to_owned()) };
    let (Some(Value::String(code)), Some(Value::String(reason))) =
        (members.remove("code"), members.remove("reason"))
    else {
        return Err(shape().to_owned());
    };
    nothing_left(&members, "an entry of `suppress`")?;
    Rule::must_be_tunable(&code)?;
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(format!(
            "the reason for suppressing `{code}` must have 1 to {REASON_CHARS_MAX} characters"
        ));
    }
    Ok(Suppression { code, reason })
}

fn revert_of(value: Value) -> Result<Revert, String> {
    let shape = || {
        "`revert` must be an object such as `{\"request\": \"req_…\", \"revision\": 1, \"attempt\": 1}`"
            .to_owned()
    };
    let Value::Object(mut members) = value else { return Err(shape()) };
    let (Some(Value::String(request)), Some(revision), Some(attempt)) =
        (members.remove("request"), members.remove("revision"), members.remove("attempt"))
    else {
        return Err(shape());
    };
    nothing_left(&members, "`revert`")?;
    let small = |value: &Value, name| {
        u32::try_from(positive(value, name)?).map_err(|_| format!("`{name}` is too large"))
    };
    let (revision, attempt) = (small(&revision, "revision")?, small(&attempt, "attempt")?);
    if !request.starts_with("req_") {
        return Err(format!("`{request}` names no request; an id begins with `req_`"));
    }
    Ok(Revert { request, revision, attempt })
}

pub(crate) fn positive(value: &Value, name: &str) -> Result<u64, String> {
    value
        .as_u64()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("`{name}` must be a whole number from 1"))
}

pub(crate) fn nothing_left(members: &Map<String, Value>, what: &str) -> Result<(), String> {
    match members.keys().next() {
        None => Ok(()),
        Some(name) => {
            let shown: String = name.chars().take(60).collect();
            Err(format!("{what} has a member `{shown}`, which nobody knows"))
        }
    }
}
