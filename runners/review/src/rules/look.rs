//! One statement, as the rules see it.

use alloc::string::String;
use core::ops::ControlFlow;

use sqlparser::ast::{Statement as Tree, Visit as _, Visitor};

use crate::class::Class;
use crate::dialect::Dialect;
use crate::finding::Finding;
use crate::rules::Rule;
use crate::split::Statement;
use crate::tokens::Tokens;

/// One statement, as the rules see it.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) dialect: Dialect,
    /// Its number, from 1.
    pub(crate) number: usize,
    pub(crate) statement: Statement<'a>,
    pub(crate) tokens: Option<&'a Tokens<'a>>,
    pub(crate) tree: Option<&'a Tree>,
    pub(crate) class: &'a Class,
}

impl Look<'_> {
    /// What the rule `code` found in this statement.
    pub(crate) fn found(
        &self,
        code: &'static str,
        message: impl Into<String>,
        help: &str,
    ) -> Option<Finding> {
        let rule = Rule::find(code)?;
        rule.dialects.contains(&self.dialect).then(|| {
            Finding::new(rule.level, code, message)
                .with_help(help)
                .of_statement(self.number)
                .at(self.statement.line, self.statement.position)
        })
    }

    /// Whether one of these words stands in it, one after the other.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.tokens.is_some_and(|tokens| tokens.has(words))
    }

    pub(crate) fn begins(&self, words: &[&str]) -> bool {
        self.tokens.is_some_and(|tokens| tokens.begins(words))
    }

    /// Whether `is_so` of it, or of a statement in it.
    pub(crate) fn any(&self, is_so: fn(&Tree) -> bool) -> bool {
        let mut visitor = Any { is_so };
        self.tree.is_some_and(|tree| tree.visit(&mut visitor).is_break())
    }
}

struct Any {
    is_so: fn(&Tree) -> bool,
}

impl Visitor for Any {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Tree) -> ControlFlow<()> {
        if (self.is_so)(statement) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
