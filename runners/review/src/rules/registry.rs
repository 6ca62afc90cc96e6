//! The rules, as data: documentation and settings read them here.

use alloc::format;
use alloc::string::String;

use crate::dialect::Dialect;
use crate::finding::Level;

/// A rule: what it looks for, and where.
///
/// ```
/// use placet_sql_review::{Level, RULES};
///
/// let rule = RULES.iter().find(|rule| rule.code == "sql.commit_inside").unwrap();
/// assert_eq!((rule.level, rule.is_fixed), (Level::Error, true));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name.
    pub code: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// Whose scripts it reads.
    pub dialects: &'static [Dialect],
    /// How grave a finding is, unless an environment says otherwise.
    pub level: Level,
    /// Whether it can neither be tuned nor taken as known.
    pub is_fixed: bool,
}

const ALL: &[Dialect] = &Dialect::ALL;
const SERVERS: &[Dialect] = &[Dialect::PostgreSql, Dialect::MySql];
const OWN: &[Dialect] = &[Dialect::Sqlite, Dialect::PostgreSql, Dialect::MySql];
const POSTGRESQL: &[Dialect] = &[Dialect::PostgreSql];

const fn rule(
    code: &'static str,
    level: Level,
    dialects: &'static [Dialect],
    title: &'static str,
) -> Rule {
    Rule { code, title, dialects, level, is_fixed: false }
}

const fn fixed(code: &'static str, level: Level, title: &'static str) -> Rule {
    Rule { is_fixed: true, ..rule(code, level, ALL, title) }
}

/// Every rule of this crate.
///
/// ```
/// use placet_sql_review::RULES;
/// assert!(RULES.iter().all(|rule| rule.code.starts_with("sql.")));
/// ```
pub const RULES: &[Rule] = &[
    fixed("sql.commit_inside", Level::Error, "the script begins, ends or marks transactions"),
    fixed("sql.unparsed", Level::Warning, "a statement could not be understood"),
    fixed("sql.invisible_characters", Level::Error, "the text does not look as it reads"),
    rule("sql.outside", Level::Error, ALL, "files, programs or other databases are reached"),
    rule("sql.session_change", Level::Warning, ALL, "the session itself is changed"),
    rule("sql.unknown_function", Level::Warning, ALL, "a function that is not known is called"),
    rule("sql.no_where", Level::Warning, ALL, "UPDATE or DELETE of every row"),
    rule("sql.truncate", Level::Warning, ALL, "a table is emptied"),
    rule("sql.rows_above_limit", Level::Warning, ALL, "more rows change than the limit"),
    rule("sql.drop", Level::Warning, ALL, "something is dropped"),
    rule("sql.cascade", Level::Warning, POSTGRESQL, "what depends on it goes too"),
    rule("sql.rename", Level::Warning, ALL, "a table or column gets another name"),
    rule("sql.no_primary_key", Level::Warning, ALL, "a table without a primary key"),
    rule("sql.not_null_on_existing", Level::Warning, ALL, "old rows need values that nobody gave"),
    rule("sql.unlogged", Level::Warning, POSTGRESQL, "a table that a crash empties"),
    rule("sql.mixed_ddl_dml", Level::Info, ALL, "schema and rows change in one script"),
    rule("sql.non_transactional", Level::Warning, OWN, "no transaction can hold a statement"),
    rule("sql.exclusive_lock_held", Level::Warning, POSTGRESQL, "work while a table is locked"),
    rule("sql.no_lock_timeout", Level::Warning, SERVERS, "a lock is waited for without end"),
    rule("sql.index_not_concurrent", Level::Warning, POSTGRESQL, "an index that locks writers out"),
    rule("sql.rewrites_table", Level::Warning, OWN, "a whole table is written anew"),
];

impl Rule {
    /// The rule of that name.
    pub fn find(code: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.code == code)
    }

    /// An error, in a sentence, where the findings of `code` cannot be tuned: there is no such rule, or it
    /// stays as it is. Rules of other reviewers, such as `squawk.ban-drop-column`, all can.
    pub(crate) fn must_be_tunable(code: &str) -> Result<(), String> {
        match Self::find(code) {
            Some(rule) if rule.is_fixed => {
                Err(format!("the rule `{code}` can be neither tuned nor taken as known"))
            }
            Some(_) => Ok(()),
            None if is_of_another(code) => Ok(()),
            None => {
                Err(format!("there is no rule `{}`", code.chars().take(60).collect::<String>()))
            }
        }
    }
}

fn is_of_another(code: &str) -> bool {
    let Some((reviewer, rule)) = code.split_once('.') else { return false };
    let fits = |part: &str| {
        (1..=60).contains(&part.len())
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
            })
    };
    reviewer != "sql" && fits(reviewer) && fits(rule)
}
