//! Looks into expressions and functions for what a module's statements do not show by themselves.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, Pattern, Stmt};

/// Something in an expression.
pub(super) enum Found<'a> {
    Call(&'a ExprCall),
    Member(&'a Expr, &'a Expr),
}

/// Calls and dictionary members in an expression; the body of a lambda does not run.
pub(super) struct Calls<'a>(pub(super) Vec<Found<'a>>);

impl<'a> Visitor<'a> for Calls<'a> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Lambda(_) => return,
            Expr::Dict(dict) => {
                let members = dict.items.iter().filter_map(|item| Some((item.key.as_ref()?, &item.value)));
                self.0.extend(members.map(|(key, value)| Found::Member(key, value)));
            }
            _ => {}
        }
        visitor::walk_expr(self, expression);
        if let Expr::Call(call) = expression {
            self.0.push(Found::Call(call));
        }
    }
}

/// Names of `global` statements.
pub(super) struct Globals<'a>(pub(super) &'a mut BTreeSet<Box<str>>);

impl<'a> Visitor<'a> for Globals<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Global(global) = statement {
            self.0.extend(global.names.iter().map(|name| Box::from(name.as_str())));
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Names bound by `:=`, wherever they stand: one too many does no harm.
pub(super) struct Walrus<'a>(pub(super) &'a mut BTreeSet<Box<str>>);

impl<'a> Visitor<'a> for Walrus<'_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Named(named) = expression
            && let Expr::Name(name) = &*named.target
        {
            self.0.insert(name.id.as_str().into());
        }
        visitor::walk_expr(self, expression);
    }
}

/// Names that a pattern captures.
pub(super) struct Captures<'a>(pub(super) &'a mut BTreeSet<Box<str>>);

impl<'a> Visitor<'a> for Captures<'_> {
    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(capture) => capture.name.as_ref(),
            Pattern::MatchStar(capture) => capture.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        self.0.extend(name.map(|name| Box::from(name.as_str())));
        visitor::walk_pattern(self, pattern);
    }
}
