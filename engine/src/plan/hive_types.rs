//! IN and CASE with Hive's common types: DataFusion's planner has no hook for them.
//!
//! Operators and functions are given their types while they are planned (`functions`); these two only afterwards, and
//! before DataFusion's own coercion, which would compare a number with a text as texts.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult, plan_err};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Case, Expr, ExprSchemable, LogicalPlan};

use arrow_schema::{DataType, Field};

use crate::functions;
use crate::hive_type::hive_type_name;

/// The same plan with the operands of IN and the branches of CASE brought to Hive's common type.
pub(super) fn coerce(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        let schema = match node.inputs().as_slice() {
            [] => node.schema().as_ref().clone(),
            inputs => merge_schema(inputs),
        };
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = expr.transform_up(|expr| coerce_expr(expr, &schema))?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?;
        node.map_data(|node| node.recompute_schema())
    })
    .map(|plan| plan.data)
}

fn coerce_expr(expr: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    match expr {
        Expr::InList(InList { expr, list, negated }) => {
            functions::in_list(*expr, list, negated, schema).map(Transformed::yes)
        }
        Expr::InSubquery(subquery) => {
            let inner = subquery.subquery.subquery.schema().field(0).data_type().clone();
            let outer = subquery.expr.get_type(schema)?;
            if is_text(&inner) != is_text(&outer) && inner != DataType::Null && outer != DataType::Null {
                let name = |data_type| hive_type_name(&Field::new("", data_type, true)).into_owned();
                let (outer, inner) = (name(outer), name(inner));
                return plan_err!("IN compares {outer} with {inner}; bring both to one type with CAST");
            }
            Ok(Transformed::no(Expr::InSubquery(subquery)))
        }
        Expr::Case(case) => coerce_case(case, schema),
        other => Ok(Transformed::no(other)),
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn coerce_case(case: Case, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    let results = case.when_then_expr.iter().map(|(_, then)| then).chain(case.else_expr.iter());
    let types = results.map(|result| result.get_type(schema)).collect::<DfResult<Vec<_>>>()?;
    let mut common = DataType::Null;
    for data_type in &types {
        common = match functions::common_type(&common, data_type) {
            Some(common) => common,
            None => {
                let [common, other] = [&common, data_type].map(functions::type_name);
                return plan_err!("the branches of CASE are {common} and {other}, which have no common type");
            }
        };
    }
    if common == DataType::Null || types.iter().all(|data_type| *data_type == common) {
        return Ok(Transformed::no(Expr::Case(case)));
    }
    let target = Field::new("case", common, true);
    let when_then_expr = case
        .when_then_expr
        .into_iter()
        .map(|(when, then)| (when, Box::new(functions::cast_to(*then, &target))))
        .collect();
    let else_expr = case.else_expr.map(|other| Box::new(functions::cast_to(*other, &target)));
    Ok(Transformed::yes(Expr::Case(Case { expr: case.expr, when_then_expr, else_expr })))
}
