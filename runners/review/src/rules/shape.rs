//! What happens to tables: what goes, what is called otherwise, what is missing.
#![expect(clippy::wildcard_enum_match_arm, reason = "a rule names what it looks for")]

use alloc::vec::Vec;

use sqlparser::ast::{
    AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, CreateTable, Statement,
    TableConstraint,
};

use crate::dialect::Dialect;
use crate::finding::Finding;
use crate::rules::Look;

pub(super) fn find(look: &Look<'_>, found: &mut Vec<Finding>) {
    dropped(look, found);
    renamed(look, found);
    match look.tree {
        Some(Statement::CreateTable(create)) => {
            if lacks_key(create) {
                found.extend(look.found(
                    "sql.no_primary_key",
                    "the table has no primary key: its rows cannot be told apart, nor kept for a revert",
                    "add a primary key",
                ));
            }
            if create.unlogged {
                found.extend(unlogged(look));
            }
        }
        Some(Statement::AlterTable(alter)) => {
            let operations = &alter.operations;
            if operations.iter().any(|operation| needs_values(operation, look.dialect)) {
                found.extend(look.found(
                    "sql.not_null_on_existing",
                    "a column must have values in rows that are there already: it fails, or reads them all",
                    "give it a default, or fill it first and demand the values in a later step",
                ));
            }
            if operations.iter().any(|one| matches!(one, AlterTableOperation::SetUnlogged)) {
                found.extend(unlogged(look));
            }
        }
        _ => {}
    }
}

fn unlogged(look: &Look<'_>) -> Option<Finding> {
    look.found(
        "sql.unlogged",
        "the table is emptied after a crash of the server, and is not on replicas",
        "leave out UNLOGGED",
    )
}

fn dropped(look: &Look<'_>, found: &mut Vec<Finding>) {
    let drops_part = |operation: &AlterTableOperation| {
        matches!(
            operation,
            AlterTableOperation::DropColumn { .. }
                | AlterTableOperation::DropPartitions { .. }
                | AlterTableOperation::DropPrimaryKey { .. }
                | AlterTableOperation::DropForeignKey { .. }
                | AlterTableOperation::DropConstraint { .. }
                | AlterTableOperation::DropIndex { .. }
        )
    };
    let alters = matches!(look.tree, Some(Statement::AlterTable(alter)) if alter.operations.iter().any(drops_part));
    if look.begins(&["DROP"]) || alters {
        found.extend(look.found(
            "sql.drop",
            "it drops something for good",
            "make sure that nobody uses it any more; rename it first, and drop it later",
        ));
    }
    // `ON DELETE CASCADE` says what happens later, not now.
    let cascades = look.tokens.is_some_and(|tokens| {
        tokens.is_any(0, &["DROP", "TRUNCATE", "ALTER", "REVOKE"])
            && (1..tokens.len()).any(|at| {
                tokens.is(at, "CASCADE")
                    && !tokens.is_after_dot(at)
                    && !tokens.is_any(at.saturating_sub(1), &["DELETE", "UPDATE"])
            })
    });
    if cascades {
        found.extend(look.found(
            "sql.cascade",
            "what depends on it goes too, and the text does not say what that is",
            "name each object, so that the review shows all that goes",
        ));
    }
}

fn renamed(look: &Look<'_>, found: &mut Vec<Finding>) {
    let renames = |operation: &AlterTableOperation| match operation {
        AlterTableOperation::RenameColumn { .. } | AlterTableOperation::RenameTable { .. } => true,
        AlterTableOperation::ChangeColumn { old_name, new_name, .. } => old_name != new_name,
        _ => false,
    };
    let is_renamed = match look.tree {
        Some(Statement::RenameTable(_)) => true,
        Some(Statement::AlterTable(alter)) => alter.operations.iter().any(renames),
        _ => false,
    };
    if is_renamed {
        found.extend(look.found(
            "sql.rename",
            "what runs now still uses the old name, and fails from then on",
            "add the new name beside the old one, and drop the old one later",
        ));
    }
}

fn lacks_key(create: &CreateTable) -> bool {
    let in_column = |column: &ColumnDef| {
        column.options.iter().any(|option| matches!(option.option, ColumnOption::PrimaryKey(_)))
    };
    let has_key = create.columns.iter().any(in_column)
        || create.constraints.iter().any(|one| matches!(one, TableConstraint::PrimaryKey(_)));
    // Their shape, and their key, come from elsewhere.
    let is_derived =
        create.like.is_some() || create.partition_of.is_some() || create.clone.is_some();
    !(has_key || is_derived || create.temporary)
}

/// Whether rows that are there already must have a value that nobody gave.
fn needs_values(operation: &AlterTableOperation, dialect: Dialect) -> bool {
    match operation {
        AlterTableOperation::AddColumn { column_def, .. } => {
            let has = |is: fn(&ColumnOption) -> bool| {
                column_def.options.iter().any(|option| is(&option.option))
            };
            has(|option| matches!(option, ColumnOption::NotNull))
                && !has(|option| {
                    matches!(
                        option,
                        ColumnOption::Default(_)
                            | ColumnOption::Generated { .. }
                            | ColumnOption::Identity(_)
                    )
                })
        }
        AlterTableOperation::AlterColumn { op: AlterColumnOperation::SetNotNull, .. } => {
            dialect == Dialect::PostgreSql
        }
        _ => false,
    }
}
