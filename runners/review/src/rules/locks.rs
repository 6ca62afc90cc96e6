//! Who has to wait.

use alloc::vec::Vec;

use sqlparser::ast::Statement;

use crate::class::Effect;
use crate::finding::Finding;
use crate::rules::{Look, Whole};

pub(super) fn find(look: &Look<'_>, whole: &Whole, found: &mut Vec<Finding>) {
    if let Some(Statement::CreateIndex(index)) = look.tree
        && !index.concurrently
        && !whole.made(&index.table_name)
    {
        found.extend(look.found(
            "sql.index_not_concurrent",
            "nobody can write to the table until the index is built",
            "CREATE INDEX CONCURRENTLY lets others write; it runs by itself, outside of a transaction",
        ));
    }
    let is_new = matches!(look.tree, Some(Statement::AlterTable(alter)) if whole.made(&alter.name));
    if look.class.rewrites && !is_new {
        found.extend(look.found(
            "sql.rewrites_table",
            "every row is written anew, and nobody can use the table meanwhile",
            "add a new column, fill it bit by bit, and change over to it",
        ));
    }
    if look.class.effect == Effect::AtMostOnce {
        found.extend(look.found(
            "sql.non_transactional",
            "no transaction can hold it: it takes effect at once, and a failure later does not undo it",
            "keep it in a script of its own; if its answer is lost, the outcome is unknown",
        ));
    }
}
