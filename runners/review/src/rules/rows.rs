//! How many rows change, where a dry run or an estimate told.

use alloc::format;
use alloc::vec::Vec;

use crate::finding::Finding;
use crate::rules::Rule;
use crate::settings::Settings;

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
