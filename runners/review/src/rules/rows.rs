//! What happens to rows.

use alloc::format;
use alloc::vec::Vec;

use sqlparser::ast::Statement;

use crate::finding::Finding;
use crate::rules::{Look, Rule};
use crate::settings::Settings;

pub(super) fn find(look: &Look<'_>, found: &mut Vec<Finding>) {
    if look.any(has_no_where) {
        found.extend(look.found(
            "sql.no_where",
            "it has no WHERE and touches every row",
            "say which rows, or write WHERE TRUE to show that every row is meant",
        ));
    }
    if look.any(|statement| matches!(statement, Statement::Truncate(_))) {
        found.extend(look.found(
            "sql.truncate",
            "it empties a whole table, and its rows are not kept",
            "DELETE keeps the rows for a revert, if they are few enough",
        ));
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "two statements have such a WHERE")]
fn has_no_where(statement: &Statement) -> bool {
    match statement {
        Statement::Update(update) => update.selection.is_none(),
        Statement::Delete(delete) => delete.selection.is_none(),
        _ => false,
    }
}

/// Compares how many rows the statements change with the limit of `settings`. `rows` holds what a dry run or
/// an estimate told of each statement, in order. Not yet tuned: give it to [`apply`](crate::apply).
///
/// ```
/// use placet_sql_review::{Settings, rows_above_limit};
///
/// let settings = Settings::from_json(r#"{"rows_max": 100}"#)?;
/// let found = rows_above_limit(&[None, Some(100), Some(101)], &settings);
/// assert_eq!(found.len(), 1);
/// assert_eq!((found[0].code.as_str(), found[0].statement), ("sql.rows_above_limit", Some(3)));
/// # Ok::<(), String>(())
/// ```
pub fn rows_above_limit(rows: &[Option<u64>], settings: &Settings) -> Vec<Finding> {
    let Some(limit) = settings.rows_max else { return Vec::new() };
    let numbered = (1_usize..).zip(rows);
    let above = numbered.filter_map(|(number, rows)| Some((number, (*rows)?)));
    above
        .filter(|(_, rows)| *rows > limit)
        .filter_map(|(number, rows)| {
            let rule = Rule::find("sql.rows_above_limit")?;
            let message =
                format!("it changes {rows} rows, and more than {limit} are too many here");
            let help = "change fewer rows at a time, or ask for a higher `rows_max`";
            Some(Finding::new(rule.level, rule.code, message).with_help(help).of_statement(number))
        })
        .collect()
}
