//! Walks through sqlparser's trees.
//!
//! Each type that implements sqlparser's `Visitor` makes another copy of the walk through the whole syntax, a few hundred
//! functions. The two here are the only ones.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, Query, Select, TableFactor, Visit, VisitMut, Visitor, VisitorMut};

use crate::error::{Error, Result};

/// What a walk comes past, outer parts before inner ones.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    Query(&'a Query),
    /// The query that was entered last is left.
    EndOfQuery,
    Relation(&'a ObjectName),
    TableFactor(&'a TableFactor),
    Expr(&'a Expr),
}

/// Shows `see` each part until it breaks off; returns whether it did.
pub fn walk(tree: &impl Visit, see: &mut dyn FnMut(Part<'_>) -> ControlFlow<()>) -> bool {
    tree.visit(&mut Walk(see)).is_break()
}

struct Walk<'a>(&'a mut dyn FnMut(Part<'_>) -> ControlFlow<()>);

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        (self.0)(Part::Query(query))
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        (self.0)(Part::EndOfQuery)
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        (self.0)(Part::Relation(relation))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        (self.0)(Part::TableFactor(factor))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        (self.0)(Part::Expr(expr))
    }
}

/// Changes the parts of a tree, outer ones before inner ones but for `expr_after`.
pub trait Rewriter {
    fn query(&mut self, _query: &mut Query) -> Result<()> {
        Ok(())
    }

    fn select(&mut self, _select: &mut Select) -> Result<()> {
        Ok(())
    }

    fn table_factor(&mut self, _factor: &mut TableFactor) -> Result<()> {
        Ok(())
    }

    fn expr(&mut self, _expr: &mut Expr) -> Result<()> {
        Ok(())
    }

    /// Comes to an expression after all that is in it.
    fn expr_after(&mut self, _expr: &mut Expr) -> Result<()> {
        Ok(())
    }
}

/// Rewrites a tree in place, up to the first error.
pub fn rewrite(tree: &mut impl VisitMut, rewriter: &mut dyn Rewriter) -> Result<()> {
    match tree.visit(&mut Rewrite(rewriter)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewrite<'a>(&'a mut dyn Rewriter);

fn flow(result: Result<()>) -> ControlFlow<Error> {
    result.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}

impl VisitorMut for Rewrite<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        flow(self.0.query(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        flow(self.0.select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        flow(self.0.table_factor(factor))
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        flow(self.0.expr(expr))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        flow(self.0.expr_after(expr))
    }
}
