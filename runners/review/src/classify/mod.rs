//! What one statement does.

pub(crate) mod functions; // which calls are known
pub(crate) mod objects; // what it names
pub(crate) mod session; // transactions and timeouts
mod alone; // what no transaction can hold
mod query; // reads
mod schema; // changes of the schema

use sqlparser::ast::{Delete, Insert, OnConflictAction, OnInsert, SqliteOnConflict, Statement};

use crate::class::{Class, Effect, Kind, Lock, Risk};
use crate::dialect::Dialect;
use crate::lexer;
use crate::parse::parse;
use crate::tokens::Tokens;

/// Says what one statement does and how much harm it can do. What is not understood is never harmless.
///
/// ```
/// use placet_sql_review::{Kind, Risk, classify};
///
/// assert_eq!(classify("SELECT lower(name) FROM people", "postgresql").kind, Kind::Read);
/// // Nobody knows what it does.
/// let call = classify("SELECT tidy_up(7)", "postgresql");
/// assert_eq!((call.kind, call.risk), (Kind::Unknown, Risk::High));
/// ```
pub fn classify(statement: &str, dialect: &str) -> Class {
    let dialect = Dialect::from(dialect);
    let Some(tokens) = Tokens::of(statement, dialect) else { return Class::unparsed() };
    let parsed = parse(&tokens, dialect);
    class_of(&tokens, parsed.as_ref(), dialect)
}

/// Whether a statement calls at once what is not known to be harmless: then the names in its text are not all that it
/// touches. What is not understood does.
///
/// ```
/// use placet_sql_review::calls_unknown;
///
/// assert!(calls_unknown("SELECT tidy(id) FROM orders", "postgresql"));
/// assert!(calls_unknown("CREATE INDEX by_key ON orders (key_of(id))", "postgresql"));
/// assert!(!calls_unknown("SELECT lower(name) FROM orders", "postgresql"));
/// // It only names the function.
/// assert!(!calls_unknown("CREATE VIEW v AS SELECT tidy(id) FROM orders", "postgresql"));
/// ```
pub fn calls_unknown(statement: &str, dialect: &str) -> bool {
    let dialect = Dialect::from(dialect);
    let Some(tokens) = Tokens::of(statement, dialect) else { return true };
    let Some(parsed) = parse(&tokens, dialect) else { return true };
    if functions::is_asked_for_calls(&parsed) {
        query::has_odd_call(&tokens, dialect)
    } else {
        schema::calls_odd(&parsed, dialect)
    }
}

/// The class of a statement that was read already.
pub(crate) fn class_of(tokens: &Tokens<'_>, parsed: Option<&Statement>, dialect: Dialect) -> Class {
    let effect = alone::effect_of(tokens, dialect);
    let mut class = match parsed {
        _ if session::is_transaction_control(tokens, dialect) => {
            Class::new(Kind::Unknown, Risk::Critical, Lock::None, false)
        }
        // A comment that is run is no part of the tree.
        _ if tokens.has_kind(lexer::Kind::Executable) => Class::unparsed(),
        Some(statement) => {
            let class = of_statement(statement, tokens, dialect);
            Class { objects: objects::objects_of(statement), ..class }
        }
        None => Class::unparsed(),
    };
    // In MySQL, what is not understood may end the transaction that it is in.
    let may_commit = dialect == Dialect::MySql && class.needs_person;
    class.effect = if may_commit { Effect::AtMostOnce } else { effect };
    // One writer at a time, for the whole file.
    if dialect == Dialect::Sqlite && matches!(class.kind, Kind::Write | Kind::Ddl) {
        class.lock = class.lock.max(Lock::Share);
    }
    class
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named here is not understood, and HIGH"
)]
pub(crate) fn of_statement(statement: &Statement, tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    if let Some(class) = schema::of_ddl(statement, tokens, dialect) {
        return class;
    }
    match statement {
        Statement::Query(query) => query::of_query(query, tokens, dialect),
        Statement::Explain { statement, .. } => query::of_explain(statement, tokens, dialect),
        Statement::ExplainTable { .. }
        | Statement::ShowVariable { .. }
        | Statement::ShowVariables { .. }
        | Statement::ShowStatus { .. }
        | Statement::ShowCreate { .. }
        | Statement::ShowColumns { .. }
        | Statement::ShowDatabases { .. }
        | Statement::ShowSchemas { .. }
        | Statement::ShowTables { .. }
        | Statement::ShowViews { .. }
        | Statement::ShowCollation { .. }
        | Statement::ShowCharset(_)
        | Statement::ShowProcessList { .. } => query::of_show(tokens, dialect),
        Statement::Insert(insert) if overwrites(insert) => write(Risk::Medium, tokens, dialect),
        Statement::Insert(_) => write(Risk::Low, tokens, dialect),
        Statement::Update(update) if update.selection.is_none() => {
            write(Risk::High, tokens, dialect)
        }
        Statement::Delete(Delete { selection: None, .. }) => write(Risk::High, tokens, dialect),
        Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => {
            write(Risk::Medium, tokens, dialect)
        }
        Statement::Set(_) => session::of_set(tokens, dialect),
        _ => Class::new(Kind::Unknown, Risk::High, Lock::Exclusive, false),
    }
}

/// A change of rows. What it calls may do more.
fn write(risk: Risk, tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    let risk = if query::has_odd_call(tokens, dialect) { risk.max(Risk::High) } else { risk };
    Class::new(Kind::Write, risk, Lock::Rows, false)
}

/// Whether rows that are there already may be changed or go.
const fn overwrites(insert: &Insert) -> bool {
    insert.replace_into
        || insert.overwrite
        || matches!(insert.or, Some(SqliteOnConflict::Replace))
        || match &insert.on {
            Some(OnInsert::OnConflict(conflict)) => {
                matches!(conflict.action, OnConflictAction::DoUpdate(_))
            }
            Some(_) => true,
            None => false,
        }
}
