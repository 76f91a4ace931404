//! Takes the marks of the token pass out of a finished tree.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Select, SelectItem, TableFactor, VisitMut};

use super::walk::{Rewriter, rewrite};
use crate::error::Result;

/// Finishes any tree of sqlparser's.
pub(super) fn finish(tree: &mut impl VisitMut) -> Result<()> {
    rewrite(tree, &mut Finish)
}

struct Finish;

impl Rewriter for Finish {
    /// `DIV` has no token of its own and came as a custom operator. Long chains of AND and OR are balanced.
    fn expr(&mut self, expr: &mut Expr) -> Result<()> {
        balance(expr);
        if let Expr::BinaryOp { op, .. } = expr
            && matches!(op, BinaryOperator::Custom(name) if name == "div")
        {
            *op = BinaryOperator::MyIntegerDivide;
        }
        Ok(())
    }

    /// Subqueries in FROM were marked LATERAL, which Hive does not have.
    fn table_factor(&mut self, factor: &mut TableFactor) -> Result<()> {
        match factor {
            TableFactor::Derived { lateral, alias, .. } => {
                *lateral = false;
                alias.iter_mut().for_each(|alias| quoted_alias(&mut alias.name));
            }
            TableFactor::Table { alias: Some(alias), .. } => quoted_alias(&mut alias.name),
            _ => {}
        }
        Ok(())
    }

    fn select(&mut self, select: &mut Select) -> Result<()> {
        for item in &mut select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                quoted_alias(alias);
            }
        }
        Ok(())
    }
}

/// Chains of fewer terms stay as they were written.
const BALANCED_TERMS_MIN: usize = 32;

/// Makes `((a OR b) OR c) OR d …` as shallow as it can be: AND and OR are associative, also with NULLs.
fn balance(expr: &mut Expr) {
    let Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } = &*expr else { return };
    let op = op.clone();
    let mut length = 1;
    let mut at = &*expr;
    while let Expr::BinaryOp { left, op: inner, .. } = at
        && *inner == op
    {
        (length, at) = (length + 1, left);
    }
    if length < BALANCED_TERMS_MIN {
        return;
    }
    let mut terms = Vec::with_capacity(length);
    let mut rest = std::mem::replace(expr, placeholder());
    loop {
        match rest {
            Expr::BinaryOp { left, op: inner, right } if inner == op => {
                terms.push(*right);
                rest = *left;
            }
            first => {
                terms.push(first);
                break;
            }
        }
    }
    terms.reverse();
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut left_to_pair = terms.into_iter();
        while let Some(left) = left_to_pair.next() {
            pairs.push(match left_to_pair.next() {
                Some(right) => Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) },
                None => left,
            });
        }
        terms = pairs;
    }
    *expr = terms.pop().unwrap_or_else(placeholder);
}

/// Stands in a tree while its parts are moved.
fn placeholder() -> Expr {
    Expr::Tuple(Vec::new())
}

/// `SELECT a 'X'` is `` SELECT a `x` ``.
fn quoted_alias(alias: &mut Ident) {
    if alias.quote_style == Some('\'') {
        alias.quote_style = Some('`');
        alias.value = alias.value.to_lowercase();
    }
}
