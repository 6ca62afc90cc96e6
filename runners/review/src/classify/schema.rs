//! Statements that change the schema: how much harm, which lock, and whether a table is written anew.
//!
//! Sources: PostgreSQL manual, "Explicit Locking" and "ALTER TABLE"; MySQL manual, "Online DDL Operations";
//! SQLite, "ALTER TABLE" and "VACUUM".
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named here is not understood, and HIGH"
)]

use alloc::string::ToString as _;

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, ColumnDef, ColumnOption, Expr,
    ObjectType, Statement, TableConstraint,
};

use crate::class::{Class, Kind, Lock, Risk};
use crate::classify::functions::{is_deterministic, is_harmless};
use crate::classify::objects::functions_of;
use crate::dialect::Dialect;
use crate::tokens::Tokens;

const fn ddl(risk: Risk, lock: Lock, reversible: bool) -> Class {
    Class::new(Kind::Ddl, risk, lock, reversible)
}

/// The class of a statement that changes the schema; [`None`] where it is none, or none that is known.
pub(crate) fn of_ddl(
    statement: &Statement,
    tokens: &Tokens<'_>,
    dialect: Dialect,
) -> Option<Class> {
    // What else is new can be dropped again. What it replaces cannot be had back.
    let replaces = tokens.begins(&["CREATE", "OR", "REPLACE"]);
    let new = |risk| ddl(risk, Lock::None, !replaces);
    let class = match statement {
        Statement::CreateTable(create) if create.query.is_some() => new(Risk::Medium),
        Statement::CreateView(_) if replaces => ddl(Risk::Medium, Lock::Exclusive, false),
        Statement::CreateView(view) if view.materialized => new(Risk::Medium),
        Statement::CreateTable(_) if replaces => ddl(Risk::Critical, Lock::Exclusive, false),
        Statement::CreateTable(_)
        | Statement::CreateView(_)
        | Statement::CreateSchema { .. }
        | Statement::CreateSequence { .. }
        | Statement::CreateType { .. }
        | Statement::CreateDomain(_) => new(Risk::Low),
        Statement::CreateIndex(index) if index.concurrently => new(Risk::Low),
        Statement::CreateIndex(_) => ddl(Risk::Low, Lock::Share, true),
        Statement::CreateTrigger(_) => ddl(Risk::Medium, Lock::Share, !replaces),
        Statement::CreateDatabase { .. }
        | Statement::CreateFunction(_)
        | Statement::CreateProcedure { .. } => new(Risk::Medium),
        Statement::Comment { .. } => ddl(Risk::Low, Lock::None, false),
        Statement::Analyze(_) => ddl(Risk::Low, Lock::None, true),
        Statement::Truncate(_) => ddl(Risk::Critical, Lock::Exclusive, false),
        Statement::Drop { .. }
        | Statement::DropFunction(_)
        | Statement::DropDomain(_)
        | Statement::DropProcedure { .. }
        | Statement::DropTrigger(_)
        | Statement::DropPolicy(_)
        | Statement::DropExtension(_) => of_drop(statement, tokens),
        Statement::AlterTable(alter) => of_alter_table(alter, tokens, dialect),
        Statement::RenameTable(_) => ddl(Risk::High, Lock::Exclusive, true),
        Statement::AlterIndex { .. } | Statement::AlterView { .. } | Statement::AlterType(_) => {
            ddl(Risk::Medium, Lock::Exclusive, false)
        }
        Statement::Vacuum(_) => of_vacuum(tokens),
        _ => return None,
    };
    Some(calling(class, statement, dialect))
}

fn calling(mut class: Class, statement: &Statement, dialect: Dialect) -> Class {
    if calls_odd(statement, dialect) {
        class.risk = class.risk.max(Risk::High);
    }
    class
}

/// Whether it calls at once what is not known to be harmless: what is computed for an index, a new column or a new table
/// calls functions.
pub(crate) fn calls_odd(statement: &Statement, dialect: Dialect) -> bool {
    let runs = match statement {
        Statement::CreateTable(create) => create.query.is_some(),
        Statement::CreateView(view) => view.materialized,
        _ => matches!(statement, Statement::CreateIndex(_) | Statement::AlterTable(_)),
    };
    runs && functions_of(statement).iter().any(|name| !is_harmless(name, dialect))
}

fn of_drop(statement: &Statement, tokens: &Tokens<'_>) -> Class {
    let (risk, lock) = match statement {
        Statement::Drop { object_type: ObjectType::Index, .. } if tokens.has(&["CONCURRENTLY"]) => {
            (Risk::High, Lock::None)
        }
        Statement::Drop { object_type: ObjectType::Index | ObjectType::View, .. } => {
            (Risk::High, Lock::Exclusive)
        }
        Statement::Drop { .. } => (Risk::Critical, Lock::Exclusive),
        _ => (Risk::High, Lock::Exclusive),
    };
    ddl(risk, lock, false)
}

fn of_vacuum(tokens: &Tokens<'_>) -> Class {
    let full = tokens.has(&["FULL"]);
    let lock = if full { Lock::Exclusive } else { Lock::None };
    Class { rewrites: full, ..ddl(Risk::Medium, lock, true) }
}

fn of_alter_table(alter: &AlterTable, tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    let mut class = ddl(Risk::Medium, Lock::None, true);
    for operation in &alter.operations {
        let (risk, lock, reversible) = of_operation(operation);
        class.risk = class.risk.max(risk);
        class.lock = class.lock.max(lock);
        class.reversible &= reversible;
        class.rewrites |= rewrites(operation, dialect);
    }
    // ENGINE, CONVERT TO CHARACTER SET and ALGORITHM = COPY write the table anew too.
    if dialect == Dialect::MySql {
        class.lock = Lock::Exclusive;
        class.rewrites |=
            tokens.has(&["ENGINE"]) || tokens.has(&["CONVERT"]) || tokens.has(&["COPY"]);
    }
    class
}

fn of_operation(operation: &AlterTableOperation) -> (Risk, Lock, bool) {
    match operation {
        AlterTableOperation::AddConstraint {
            constraint: TableConstraint::ForeignKey(_), ..
        } => (Risk::Medium, Lock::Share, true),
        AlterTableOperation::ValidateConstraint { .. } => (Risk::Low, Lock::None, true),
        AlterTableOperation::AddConstraint { .. } | AlterTableOperation::AddColumn { .. } => {
            (Risk::Medium, Lock::Exclusive, true)
        }
        AlterTableOperation::RenameColumn { .. }
        | AlterTableOperation::RenameTable { .. }
        | AlterTableOperation::RenameConstraint { .. } => (Risk::High, Lock::Exclusive, true),
        AlterTableOperation::DropColumn { .. } | AlterTableOperation::DropPartitions { .. } => {
            (Risk::Critical, Lock::Exclusive, false)
        }
        AlterTableOperation::AlterColumn {
            op: AlterColumnOperation::SetDataType { .. }, ..
        }
        | AlterTableOperation::ChangeColumn { .. }
        | AlterTableOperation::ModifyColumn { .. }
        | AlterTableOperation::DropConstraint { .. }
        | AlterTableOperation::DropPrimaryKey { .. }
        | AlterTableOperation::DropForeignKey { .. }
        | AlterTableOperation::DisableRowLevelSecurity
        | AlterTableOperation::DisableTrigger { .. } => (Risk::High, Lock::Exclusive, false),
        _ => (Risk::Medium, Lock::Exclusive, false),
    }
}

/// Whether every row is written anew.
pub(crate) fn rewrites(operation: &AlterTableOperation, dialect: Dialect) -> bool {
    match operation {
        AlterTableOperation::AlterColumn {
            op: AlterColumnOperation::SetDataType { .. }, ..
        }
        | AlterTableOperation::ChangeColumn { .. }
        | AlterTableOperation::ModifyColumn { .. }
        | AlterTableOperation::SetLogged
        | AlterTableOperation::SetUnlogged => true,
        AlterTableOperation::DropPrimaryKey { .. }
        | AlterTableOperation::AddConstraint {
            constraint: TableConstraint::PrimaryKey(_), ..
        } => dialect == Dialect::MySql,
        AlterTableOperation::DropColumn { .. } => dialect == Dialect::Sqlite,
        AlterTableOperation::AddColumn { column_def, .. } => {
            dialect == Dialect::PostgreSql && is_computed(column_def)
        }
        _ => false,
    }
}

/// A new column whose values differ from row to row: a default that is not the same for all, a stored generated
/// column, or an identity. Types that count up by themselves are such defaults.
fn is_computed(column: &ColumnDef) -> bool {
    let counts = column.data_type.to_string().to_ascii_lowercase().contains("serial");
    counts
        || column.options.iter().any(|option| match &option.option {
            ColumnOption::Default(value) => is_volatile(value),
            ColumnOption::Generated { .. } | ColumnOption::Identity(_) => true,
            _ => false,
        })
}

fn is_volatile(value: &Expr) -> bool {
    let called = crate::classify::objects::functions_in(value);
    called.iter().any(|name| !is_deterministic(name, Dialect::PostgreSql))
}
