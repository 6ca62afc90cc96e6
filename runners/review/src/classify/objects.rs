//! What a statement names.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, ObjectName, Statement, Visit as _, Visitor};

/// The tables and other objects of a statement, sorted. The name of a query inside (`WITH a AS …`) counts as one:
/// left out, it could hide a table of the same name.
pub(crate) fn objects_of(statement: &Statement) -> Vec<String> {
    let mut seen = Names::default();
    let _end = statement.visit(&mut seen);
    seen.own(statement);
    seen.found.into_iter().collect()
}

/// The functions that a statement calls in its expressions, lower case.
pub(crate) fn functions_of(statement: &Statement) -> BTreeSet<String> {
    let mut seen = Names::default();
    let _end = statement.visit(&mut seen);
    seen.functions
}

/// The functions that an expression calls, lower case.
pub(crate) fn functions_in(expression: &Expr) -> BTreeSet<String> {
    let mut seen = Names::default();
    let _end = expression.visit(&mut seen);
    seen.functions
}

#[derive(Debug, Default)]
struct Names {
    found: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.add(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression {
            let _new = self.functions.insert(written(&function.name));
        }
        ControlFlow::Continue(())
    }
}

impl Names {
    fn add(&mut self, name: &ObjectName) {
        let _new = self.found.insert(written(name));
    }

    fn add_ident(&mut self, name: &Ident) {
        let _new = self.found.insert(name.value.to_lowercase());
    }

    /// What the visitor does not take for a relation.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most statements name tables only, and those it finds"
    )]
    fn own(&mut self, statement: &Statement) {
        match statement {
            Statement::Drop { names, table, .. } => {
                for name in names.iter().chain(table) {
                    self.add(name);
                }
            }
            Statement::DropFunction(drop) => {
                for one in &drop.func_desc {
                    self.add(&one.name);
                }
            }
            Statement::DropProcedure { proc_desc, .. } => {
                for one in proc_desc {
                    self.add(&one.name);
                }
            }
            Statement::DropTrigger(drop) => {
                self.add(&drop.trigger_name);
                if let Some(name) = &drop.table_name {
                    self.add(name);
                }
            }
            Statement::DropDomain(drop) => self.add(&drop.name),
            Statement::DropExtension(drop) => {
                for name in &drop.names {
                    self.add_ident(name);
                }
            }
            Statement::CreateFunction(create) => self.add(&create.name),
            Statement::CreateProcedure { name, .. }
            | Statement::CreateSequence { name, .. }
            | Statement::CreateType { name, .. }
            | Statement::AlterIndex { name, .. } => self.add(name),
            Statement::CreateDomain(create) => self.add(&create.name),
            Statement::CreateTrigger(create) => {
                self.add(&create.name);
                self.add(&create.table_name);
            }
            Statement::CreateExtension(create) => self.add_ident(&create.name),
            Statement::AlterType(alter) => self.add(&alter.name),
            Statement::RenameTable(renames) => {
                for rename in renames {
                    self.add(&rename.old_name);
                    self.add(&rename.new_name);
                }
            }
            Statement::Comment { object_name, .. } => self.add(object_name),
            _ => {}
        }
    }
}

/// A name as the text has it, in lower case: `shop.orders`.
pub(crate) fn written(name: &ObjectName) -> String {
    let mut text = String::new();
    for part in &name.0 {
        if !text.is_empty() {
            text.push('.');
        }
        if let Some(ident) = part.as_ident() {
            text.push_str(&ident.value.to_lowercase());
        }
    }
    text
}
