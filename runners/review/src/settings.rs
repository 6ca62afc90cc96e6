//! What an environment asks for.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::finding::Level;
use crate::payload::{nothing_left, positive};
use crate::rules::Rule;

/// What an environment asks for, as data.
///
/// ```
/// use placet_sql_review::{Backup, Settings};
///
/// let settings = Settings::from_json(
///     r#"{"rules": {"sql.drop": "error"}, "rows_max": 1000, "mask": ["people.email"], "backup": "required"}"#,
/// )?;
/// assert_eq!((settings.rows_max, settings.backup), (Some(1_000), Backup::Required));
///
/// // A misspelt word must not quietly mean less.
/// assert!(Settings::from_json(r#"{"rules": {"sql.dorp": "error"}}"#).is_err());
/// assert!(Settings::from_json(r#"{"rules": {"sql.unparsed": "off"}}"#).is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// How grave the findings of a rule are; none: they are left out.
    pub rules: BTreeMap<String, Option<Level>>,
    /// The most rows that one statement should change. See [`rows_above_limit`](crate::rows_above_limit).
    pub rows_max: Option<u64>,
    /// Columns whose values a query does not show, in lower case: `table.column`, or `column` in every table.
    pub mask: Vec<String>,
    /// The most rows that a query may answer.
    pub limit: Option<u64>,
    /// Whether rows are kept before they are changed.
    pub backup: Backup,
}

/// Whether rows are kept before they are changed.
///
/// ```
/// use placet_sql_review::Backup;
/// assert_eq!(Backup::default(), Backup::WhenPossible);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a runner must handle each")]
pub enum Backup {
    /// A change whose rows cannot be kept is refused.
    Required,
    /// Where that can be done; where not, the plan says so.
    #[default]
    WhenPossible,
    /// Never.
    Off,
}

impl Settings {
    /// Reads settings. What is not known is an error, in a sentence.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("the settings are not JSON: {error}"))?;
        let Value::Object(mut members) = value else {
            return Err("the settings must be an object".to_owned());
        };
        let rules = match members.remove("rules") {
            None => BTreeMap::new(),
            Some(rules) => rules_of(rules)?,
        };
        let mut number =
            |name: &str| members.remove(name).map(|value| positive(&value, name)).transpose();
        let (rows_max, limit) = (number("rows_max")?, number("limit")?);
        let mask = match members.remove("mask") {
            None => Vec::new(),
            Some(Value::Array(columns)) => {
                columns.into_iter().map(masked).collect::<Result<_, _>>()?
            }
            Some(_) => return Err("`mask` must be a list of columns".to_owned()),
        };
        let backup = match members.remove("backup") {
            None => Backup::default(),
            Some(Value::String(word)) if word == "required" => Backup::Required,
            Some(Value::String(word)) if word == "when_possible" => Backup::WhenPossible,
            Some(Value::String(word)) if word == "off" => Backup::Off,
            Some(_) => {
                return Err("`backup` must be `required`, `when_possible` or `off`".to_owned());
            }
        };
        nothing_left(&members, "the settings")?;
        Ok(Self { rules, rows_max, mask, limit, backup })
    }
}

fn rules_of(value: Value) -> Result<BTreeMap<String, Option<Level>>, String> {
    let Value::Object(members) = value else {
        return Err("`rules` must be an object such as `{\"sql.drop\": \"error\"}`".to_owned());
    };
    let mut rules = BTreeMap::new();
    for (code, word) in members {
        let level = match word.as_str() {
            Some("error") => Some(Level::Error),
            Some("warning") => Some(Level::Warning),
            Some("info") => Some(Level::Info),
            Some("off") => None,
            _ => {
                return Err(format!(
                    "the rule `{code}` must be `error`, `warning`, `info` or `off`"
                ));
            }
        };
        Rule::must_be_tunable(&code)?;
        let _former = rules.insert(code, level);
    }
    Ok(rules)
}

fn masked(value: Value) -> Result<String, String> {
    let shape = "`mask` must hold names such as `people.email` or `email`";
    let Value::String(column) = value else { return Err(shape.to_owned()) };
    let fits = column.split('.').count() <= 3
        && column.split('.').all(|part| !part.is_empty() && part.trim() == part);
    if fits { Ok(column.to_lowercase()) } else { Err(shape.to_owned()) }
}
