//! Which functions a statement calls, and which of them are known to be harmless.
//!
//! The lists name pure functions that come with the database. What is not in them may do anything: send mail,
//! sleep, write files. The lists are kept dense, to be read as lists. Sources: PostgreSQL manual, "Functions and Operators"; MySQL manual, "Built-In Function
//! and Operator Reference"; SQLite, "Built-In Scalar SQL Functions" and its neighbours.

use sqlparser::ast::Statement;

use crate::dialect::Dialect;
use crate::lexer::Kind;
use crate::tokens::Tokens;

/// Keywords and syntax before a parenthesis: no call, or one that every database has built in.
#[rustfmt::skip]
const SYNTAX: &[&str] = &[
    "ALL", "ALWAYS", "AND", "ANY", "ARRAY", "AS", "BETWEEN", "BY", "CASE", "CAST", "CHECK",
    "COALESCE", "COLUMNS", "CONFLICT", "CUBE", "DISTINCT", "ELSE", "EXCEPT", "EXISTS", "EXTRACT",
    "FILTER", "FROM", "GREATEST", "GROUP", "GROUPING", "HAVING", "IF", "IFNULL", "IN", "INTERSECT",
    "IS", "JOIN", "KEY", "LATERAL", "LEAST", "LIKE", "LIMIT", "MATERIALIZED", "NOT", "NULLIF",
    "OFFSET", "ON", "OR", "OVER", "OVERLAY", "PARTITION", "POSITION", "RETURNING", "ROLLUP", "ROW",
    "SELECT", "SET", "SETS", "SIMILAR", "SOME", "SUBSTRING", "THEN", "TO", "TRIM", "UNION",
    "USING", "VALUES", "WHEN", "WHERE", "WITH", "XOR",
];

/// The same arguments, the same answer; nothing else happens. In every database that has them.
#[rustfmt::skip]
const PURE: &[&str] = &[
    "ABS", "ACOS", "ASCII", "ASIN", "ATAN", "ATAN2", "AVG", "CEIL", "CEILING", "CHAR",
    "CHAR_LENGTH", "CHARACTER_LENGTH", "CONCAT", "CONCAT_WS", "COS", "COT", "COUNT", "CUME_DIST",
    "DEGREES", "DENSE_RANK", "EXP", "FIRST_VALUE", "FLOOR", "GROUP_CONCAT", "HEX", "INSTR", "JSON",
    "JSON_ARRAY", "JSON_EXTRACT", "JSON_OBJECT", "JSON_TYPE", "JSON_VALID", "LAG", "LAST_VALUE",
    "LEAD", "LEFT", "LENGTH", "LN", "LOG", "LOG10", "LOG2", "LOWER", "LPAD", "LTRIM", "MAX", "MD5",
    "MIN", "MOD", "NTH_VALUE", "NTILE", "OCTET_LENGTH", "PERCENT_RANK", "PI", "POW", "POWER",
    "RADIANS", "RANK", "REPEAT", "REPLACE", "REVERSE", "RIGHT", "ROUND", "ROW_NUMBER", "RPAD",
    "RTRIM", "SIGN", "SIN", "SQRT", "SUBSTR", "SUM", "TAN", "UPPER",
];

#[rustfmt::skip]
const PURE_POSTGRESQL: &[&str] = &[
    "AGE", "DATE", "TIMEZONE", "ARRAY_AGG", "ARRAY_APPEND", "ARRAY_LENGTH", "ARRAY_POSITION", "ARRAY_REMOVE",
    "ARRAY_TO_STRING", "BIT_AND", "BIT_OR", "BOOL_AND", "BOOL_OR", "BTRIM", "CARDINALITY", "CHR",
    "CORR", "DATE_PART", "DATE_TRUNC", "DECODE", "DIV", "ENCODE", "EVERY", "FORMAT",
    "GENERATE_SERIES", "INITCAP", "JSON_AGG", "JSON_ARRAY_LENGTH", "JSON_BUILD_ARRAY",
    "JSON_BUILD_OBJECT", "JSON_EACH", "JSON_EACH_TEXT", "JSON_OBJECT_AGG", "JSON_TYPEOF",
    "JSONB_AGG", "JSONB_ARRAY_ELEMENTS", "JSONB_ARRAY_ELEMENTS_TEXT", "JSONB_ARRAY_LENGTH",
    "JSONB_BUILD_ARRAY", "JSONB_BUILD_OBJECT", "JSONB_EACH", "JSONB_EACH_TEXT", "JSONB_OBJECT_AGG",
    "JSONB_SET", "JSONB_TYPEOF", "LOWER_INF", "MAKE_DATE", "MAKE_INTERVAL", "MAKE_TIMESTAMP",
    "MODE", "PERCENTILE_CONT", "PERCENTILE_DISC", "REGEXP_MATCH", "REGEXP_MATCHES",
    "REGEXP_REPLACE", "REGEXP_SPLIT_TO_ARRAY", "SPLIT_PART", "STARTS_WITH", "STDDEV", "STRING_AGG",
    "STRING_TO_ARRAY", "STRPOS", "SHA256", "TO_CHAR", "TO_DATE", "TO_JSON", "TO_JSONB",
    "TO_NUMBER", "TO_TIMESTAMP", "TRANSLATE", "TRUNC", "UNNEST", "VARIANCE", "WIDTH_BUCKET",
];

#[rustfmt::skip]
const PURE_MYSQL: &[&str] = &[
    "ADDDATE", "BIN", "BIT_AND", "BIT_COUNT", "BIT_LENGTH", "BIT_OR", "BIT_XOR", "CONV", "CONVERT",
    "CRC32", "DATE_ADD", "DATE_FORMAT", "DATE_SUB", "DATEDIFF", "DAY", "DAYNAME", "DAYOFMONTH",
    "DAYOFWEEK", "DAYOFYEAR", "ELT", "FIELD", "FIND_IN_SET", "FORMAT", "FROM_DAYS",
    "FROM_UNIXTIME", "HOUR", "INTERVAL", "ISNULL", "JSON_ARRAYAGG", "JSON_CONTAINS", "JSON_KEYS",
    "JSON_LENGTH", "JSON_OBJECTAGG", "JSON_SET", "JSON_UNQUOTE", "JSON_VALUE", "LAST_DAY", "LCASE",
    "LOCATE", "MAKEDATE", "MID", "MINUTE", "MONTH", "MONTHNAME", "OCT", "ORD", "PERIOD_ADD",
    "PERIOD_DIFF", "QUARTER", "QUOTE", "REGEXP_INSTR", "REGEXP_LIKE", "REGEXP_REPLACE",
    "REGEXP_SUBSTR", "SEC_TO_TIME", "SECOND", "SHA1", "SHA2", "SPACE", "STD", "STDDEV",
    "STR_TO_DATE", "STRCMP", "SUBDATE", "SUBSTRING_INDEX", "TIME_FORMAT", "TIME_TO_SEC",
    "TIMEDIFF", "TIMESTAMPADD", "TIMESTAMPDIFF", "TO_DAYS", "TRUNCATE", "UCASE", "UNHEX",
    "VARIANCE", "WEEK", "WEEKDAY", "WEEKOFYEAR", "YEAR", "YEARWEEK",
];

#[rustfmt::skip]
const PURE_SQLITE: &[&str] = &[
    "FORMAT", "GLOB", "IIF", "JSON_ARRAY_LENGTH", "JSON_EACH", "JSON_GROUP_ARRAY",
    "JSON_GROUP_OBJECT", "JSON_INSERT", "JSON_PATCH", "JSON_QUOTE", "JSON_REMOVE", "JSON_REPLACE",
    "JSON_SET", "JSON_TREE", "JSONB", "LIKELY", "LIKE", "PRINTF", "QUOTE", "SOUNDEX", "TOTAL",
    "TRUNC", "TYPEOF", "UNHEX", "UNICODE", "UNLIKELY", "ZEROBLOB",
];

/// Harmless, and yet another answer the next time.
const CHANGING: &[&str] =
    &["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];

#[rustfmt::skip]
const CHANGING_POSTGRESQL: &[&str] = &[
    "CLOCK_TIMESTAMP", "CURRENT_DATABASE", "CURRENT_SCHEMA", "CURRENT_SETTING", "GEN_RANDOM_UUID",
    "JUSTIFY_INTERVAL", "PG_COLUMN_SIZE", "PG_DATABASE_SIZE", "PG_RELATION_SIZE", "PG_SIZE_PRETTY",
    "PG_TABLE_SIZE", "PG_TOTAL_RELATION_SIZE", "PG_TYPEOF", "RANDOM", "STATEMENT_TIMESTAMP",
    "TIMEOFDAY", "TO_REGCLASS", "VERSION",
];

/// Of the transaction in PostgreSQL: the same answer until it ends.
const STABLE_POSTGRESQL: &[&str] = &["NOW", "TRANSACTION_TIMESTAMP"];

#[rustfmt::skip]
const CHANGING_MYSQL: &[&str] = &[
    "CONNECTION_ID", "CURDATE", "CURRENT_USER", "CURTIME", "DATABASE", "DATE", "FOUND_ROWS", "NOW",
    "RAND", "ROW_COUNT", "SCHEMA", "SYSDATE", "TIME", "TIMESTAMP", "UNIX_TIMESTAMP", "USER",
    "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "UUID", "VERSION",
];

#[rustfmt::skip]
const CHANGING_SQLITE: &[&str] = &[
    "CHANGES", "DATE", "DATETIME", "JULIANDAY", "LAST_INSERT_ROWID", "PRAGMA_FOREIGN_KEY_LIST",
    "PRAGMA_INDEX_INFO", "PRAGMA_INDEX_LIST", "PRAGMA_TABLE_INFO", "PRAGMA_TABLE_XINFO", "RANDOM",
    "RANDOMBLOB", "SQLITE_VERSION", "STRFTIME", "TIME", "TIMEDIFF", "TOTAL_CHANGES", "UNIXEPOCH",
];

/// Whether calling it changes nothing.
pub(crate) fn is_harmless(name: &str, dialect: Dialect) -> bool {
    let changing: &[&[&str]] = match dialect {
        Dialect::PostgreSql => &[CHANGING, CHANGING_POSTGRESQL, STABLE_POSTGRESQL],
        Dialect::MySql => &[CHANGING, CHANGING_MYSQL],
        Dialect::Sqlite => &[CHANGING, CHANGING_SQLITE],
        Dialect::Generic => &[],
    };
    is_pure(name, dialect) || is_in(name, changing)
}

/// Whether it answers the same again, within one transaction.
pub(crate) fn is_deterministic(name: &str, dialect: Dialect) -> bool {
    is_pure(name, dialect)
        || dialect == Dialect::PostgreSql && is_in(name, &[CHANGING, STABLE_POSTGRESQL])
}

/// Whether it is a word that answers otherwise the next time, with or without parentheses.
pub(crate) fn is_changing_word(word: &str, dialect: Dialect) -> bool {
    dialect != Dialect::PostgreSql && is_in(word, &[CHANGING])
        || dialect == Dialect::MySql && is_in(word, &[&["UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP"]])
}

fn is_pure(name: &str, dialect: Dialect) -> bool {
    let own: &[&str] = match dialect {
        Dialect::PostgreSql => PURE_POSTGRESQL,
        Dialect::MySql => PURE_MYSQL,
        Dialect::Sqlite => PURE_SQLITE,
        // Anybody's function may have any name there.
        Dialect::Generic => return false,
    };
    is_in(name, &[PURE, own])
}

fn is_in(name: &str, lists: &[&[&str]]) -> bool {
    lists.iter().any(|list| list.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// In other statements, a name before a parenthesis is not always a call.
pub(crate) const fn is_asked_for_calls(tree: &Statement) -> bool {
    matches!(
        tree,
        Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_)
            | Statement::Explain { .. }
            | Statement::Call(_)
    )
}

/// The first call of which `is_fine` says no, among the tokens from `first` to before `end`.
pub(crate) fn odd_call<'a>(
    tokens: &Tokens<'a>,
    (first, end): (usize, usize),
    is_fine: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    (first..end).find_map(|at| {
        let opens = tokens.is_symbol(at.saturating_add(1), b'(');
        (opens && is_call(tokens, at) && !is_known(tokens, at, &is_fine))
            .then(|| tokens.text_at(at))
    })
}

/// Whether what stands before a parenthesis is the name of a function.
fn is_call(tokens: &Tokens<'_>, at: usize) -> bool {
    let is_name = matches!(tokens.kind(at), Some(Kind::Word | Kind::Name));
    let first = name_start(tokens, at);
    let before = first.checked_sub(1);
    let after = |words: &[&str]| before.is_some_and(|before| tokens.is_any(before, words));
    // `INSERT INTO a (b)`, `CAST(a AS numeric(10, 2))`, `a::numeric(10, 2)`, `WITH a (b) AS (SELECT …)`.
    let is_cast = before.is_some_and(|before| {
        tokens.is_symbol(before, b':')
            && before.checked_sub(1).is_some_and(|before| tokens.is_symbol(before, b':'))
    });
    is_name && !after(&["INTO", "AS"]) && !is_cast && !is_common_table(tokens, at)
}

/// Where a dotted name begins that ends at `at`.
fn name_start(tokens: &Tokens<'_>, at: usize) -> usize {
    let mut first = at;
    while let (true, Some(before)) = (tokens.is_after_dot(first), first.checked_sub(2)) {
        first = before;
    }
    first
}

fn is_known(tokens: &Tokens<'_>, at: usize, is_fine: &impl Fn(&str) -> bool) -> bool {
    // Only the schema of the built-in functions is known not to hold others.
    let is_ours = !tokens.is_after_dot(at)
        || name_start(tokens, at) == at.saturating_sub(2)
            && tokens.is(at.saturating_sub(2), "pg_catalog");
    // A name in quotes is never a keyword.
    let word = tokens.word(at);
    is_ours && !word.is_empty() && (is_in(word, &[SYNTAX]) || is_fine(word))
}

/// `WITH name (column, …) AS (SELECT …)`: the name of a query.
fn is_common_table(tokens: &Tokens<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    if !(tokens.is_any(before, &["WITH", "RECURSIVE"]) || tokens.is_symbol(before, b',')) {
        return false;
    }
    let mut next = at.saturating_add(2);
    while matches!(tokens.kind(next), Some(Kind::Word | Kind::Name | Kind::Symbol(b','))) {
        next = next.saturating_add(1);
    }
    let mut after = next.saturating_add(1);
    let closes = tokens.is_symbol(next, b')') && tokens.is(after, "AS");
    after = after.saturating_add(1);
    while tokens.is_any(after, &["NOT", "MATERIALIZED"]) {
        after = after.saturating_add(1);
    }
    let queries = ["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];
    closes && tokens.is_symbol(after, b'(') && tokens.is_any(after.saturating_add(1), &queries)
}
