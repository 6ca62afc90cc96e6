//! The script as a whole: what one statement means for those after it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sqlparser::ast::{ObjectName, Statement};

use crate::class::{Effect, Kind, Lock};
use crate::classify::objects::written;
use crate::classify::session::timeout_set;
use crate::dialect::Dialect;
use crate::finding::Finding;
use crate::rules::Look;

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// Tables that the script itself makes: nobody else waits for them.
    made: BTreeSet<String>,
    has_timeout: bool,
    kinds: BTreeSet<Kind>,
    mixed: Option<Finding>,
    waits: Option<Finding>,
    /// The number of the first statement that locks others out, and of what.
    holder: Option<(usize, String)>,
    held: Option<Finding>,
    /// Statements after the holder.
    after: usize,
    /// Whether every statement can be in one transaction.
    is_split: bool,
}

impl Whole {
    /// Whether the script itself made that table, earlier.
    pub(crate) fn made(&self, table: &ObjectName) -> bool {
        self.made.contains(&written(table))
    }

    /// Looks at the next statement.
    pub(crate) fn take(&mut self, look: &Look<'_>) {
        let sets_timeout =
            look.tokens.and_then(|tokens| timeout_set(tokens, look.dialect)).is_some();
        if sets_timeout {
            self.has_timeout |= look.has(&["LOCK_TIMEOUT"]) || look.has(&["LOCK_WAIT_TIMEOUT"]);
            return;
        }
        self.is_split |= look.class.effect == Effect::AtMostOnce;
        self.take_kind(look);
        self.take_lock(look);
        if let Some(Statement::CreateTable(create)) = look.tree {
            let _new = self.made.insert(written(&create.name));
        }
    }

    fn take_kind(&mut self, look: &Look<'_>) {
        let _new = self.kinds.insert(look.class.kind);
        let is_mixed = self.kinds.contains(&Kind::Ddl) && self.kinds.contains(&Kind::Write);
        if is_mixed && self.mixed.is_none() {
            self.mixed = look.found(
                "sql.mixed_ddl_dml",
                "the script changes both the schema and rows: locks of the one are held during the other",
                "put them into two requests",
            );
        }
    }

    fn take_lock(&mut self, look: &Look<'_>) {
        if self.holder.is_some() {
            self.after = self.after.saturating_add(1);
            if self.after == 1 {
                self.held = look.found("sql.exclusive_lock_held", "", HELD);
            }
        }
        // What the script itself made, nobody else waits for.
        let locks_others = look.class.lock >= Lock::Share
            && !look.class.needs_person
            && !(is_alter(look.tree)
                && !look.class.objects.is_empty()
                && look.class.objects.iter().all(|name| self.made.contains(name)));
        let is_ddl = look.class.kind == Kind::Ddl;
        if is_ddl && locks_others && !self.has_timeout && self.waits.is_none() {
            let name = if look.dialect == Dialect::MySql {
                "SET SESSION lock_wait_timeout = 5"
            } else {
                "SET LOCAL lock_timeout = '5s'"
            };
            self.waits = look.found(
                "sql.no_lock_timeout",
                "it waits for its lock without end, and everybody after it waits too",
                &format!("begin with `{name}`"),
            );
        }
        if is_ddl && locks_others && look.class.lock == Lock::Exclusive && self.holder.is_none() {
            let name = look.class.objects.first().cloned().unwrap_or_default();
            self.holder = Some((look.number, name));
        }
    }

    /// What the script as a whole is found to do.
    pub(crate) fn end(self, found: &mut Vec<Finding>) {
        found.extend(self.waits);
        // Step by step, each lock ends with its statement.
        if let (Some(held), Some((number, name)), false) = (self.held, self.holder, self.is_split) {
            let statements = match self.after {
                1 => String::from("1 statement runs"),
                count => format!("{count} statements run"),
            };
            let message = format!(
                "{statements} while nobody else can use `{name}`, which statement {number} locks until the end"
            );
            found.push(Finding { message, ..held });
        }
        found.extend(self.mixed);
    }
}

const HELD: &str = "put what locks others out last, or into a request of its own";

const fn is_alter(tree: Option<&Statement>) -> bool {
    matches!(
        tree,
        Some(
            Statement::AlterTable(_)
                | Statement::CreateIndex(_)
                | Statement::CreateTrigger(_)
                | Statement::Truncate(_)
                | Statement::Drop { .. }
        )
    )
}
