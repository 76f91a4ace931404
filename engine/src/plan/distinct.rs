//! Several COUNT(DISTINCT) of one GROUP BY as groups, which spill, where sets of values would have to fit into memory.
//!
//! `SELECT k, count(DISTINCT a), count(DISTINCT b) … GROUP BY k` becomes two aggregations: by the grouping sets (k, a) and
//! (k, b), which leave each value once, and by k, which counts those that are not NULL. Spark expands rows the same way
//! (`RewriteDistinctAggregates`); Hive gives one value to one reducer (`hive.optimize.distinct.rewrite`). One
//! COUNT(DISTINCT) alone is rewritten by DataFusion, without grouping sets. Left alone are aggregations in which a sum
//! or a count of all rows stands beside: each row would be counted once for each set.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, GroupingSet, LogicalPlan, LogicalPlanBuilder};

/// The same plan with such aggregations in two steps.
pub(super) fn expand_distincts(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    plan.transform_up(|node| match &node {
        LogicalPlan::Aggregate(aggregate) => match Calls::of(aggregate) {
            Some(calls) => Ok(Transformed::yes(in_two_steps(aggregate, &calls)?)),
            None => Ok(Transformed::no(node)),
        },
        _ => Ok(Transformed::no(node)),
    })
    .data()
}

/// The calls of an aggregation that can be taken in two steps.
struct Calls<'a> {
    /// Each call with its place in one of the lists below.
    calls: Vec<(&'a AggregateFunction, usize)>,
    /// Arguments of COUNT(DISTINCT), each once.
    distinct: Vec<&'a Expr>,
    /// Calls of MIN and MAX, which may see a value twice.
    others: Vec<&'a AggregateFunction>,
}

impl<'a> Calls<'a> {
    /// `None` if there are not two different COUNT(DISTINCT), or anything beside them that cannot be.
    fn of(aggregate: &'a Aggregate) -> Option<Self> {
        if matches!(aggregate.group_expr.first(), Some(Expr::GroupingSet(_))) {
            return None;
        }
        let mut found = Calls { calls: Vec::new(), distinct: Vec::new(), others: Vec::new() };
        for expr in &aggregate.aggr_expr {
            let Expr::AggregateFunction(call) = expr else { return None };
            let params = &call.params;
            let [argument] = params.args.as_slice() else { return None };
            let is_plain = params.filter.is_none() && params.order_by.is_empty() && params.null_treatment.is_none();
            if !is_plain || argument.get_type(aggregate.input.schema()).ok()?.is_nested() {
                return None;
            }
            let place = match call.func.name() {
                "count" if params.distinct => place_of(argument, &mut found.distinct),
                "min" | "max" => place_of(call, &mut found.others),
                _ => return None,
            };
            found.calls.push((call, place));
        }
        (found.distinct.len() > 1).then_some(found)
    }
}

/// The place of `item` in `items`, where it is added if it is not there.
fn place_of<'a, T: PartialEq>(item: &'a T, items: &mut Vec<&'a T>) -> usize {
    items.iter().position(|other| *other == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}

fn in_two_steps(aggregate: &Aggregate, calls: &Calls<'_>) -> DfResult<LogicalPlan> {
    let key = |place: usize| Expr::Column(Column::new_unqualified(format!("__key_{place}")));
    let distinct = |place: usize| Expr::Column(Column::new_unqualified(format!("__distinct_{place}")));
    let other = |place: usize| Expr::Column(Column::new_unqualified(format!("__other_{place}")));
    let named = |expr: &Expr, name: Expr| expr.clone().alias(name.schema_name().to_string());
    let n_keys = aggregate.group_expr.len();
    let keys: Vec<Expr> = (0..n_keys).map(key).collect();
    let call_of = |call: &AggregateFunction, argument: Expr| {
        Expr::AggregateFunction(AggregateFunction::new_udf(
            Arc::clone(&call.func),
            vec![argument],
            false,
            None,
            vec![],
            None,
        ))
    };

    let columns = (aggregate.group_expr.iter().enumerate().map(|(place, expr)| named(expr, key(place))))
        .chain(calls.distinct.iter().enumerate().map(|(place, expr)| named(expr, distinct(place))))
        .chain(calls.others.iter().enumerate().map(|(place, call)| named(&call.params.args[0], other(place))));
    let sets = (0..calls.distinct.len()).map(|place| keys.iter().cloned().chain([distinct(place)]).collect());
    let sets = Expr::GroupingSet(GroupingSet::GroupingSets(sets.collect()));
    let values = calls
        .others
        .iter()
        .enumerate()
        .map(|(place, call)| call_of(call, other(place)).alias(other(place).schema_name().to_string()));
    let results: Vec<Expr> = calls
        .calls
        .iter()
        .map(|(call, place)| call_of(call, if call.params.distinct { distinct(*place) } else { other(*place) }))
        .collect();
    let once = LogicalPlanBuilder::from(Arc::clone(&aggregate.input)).project(columns.collect::<Vec<_>>())?;
    let once = Aggregate::try_new(Arc::new(once.build()?), vec![sets], values.collect())?;
    let results_of = Aggregate::try_new(Arc::new(LogicalPlan::Aggregate(once)), keys.clone(), results.clone())?;
    let columns = keys.into_iter().chain(results).enumerate().map(|(place, expr)| {
        let (qualifier, field) = aggregate.schema.qualified_field(place);
        let column = match place < n_keys {
            true => expr,
            false => Expr::Column(Column::new_unqualified(expr.schema_name().to_string())),
        };
        column.alias_qualified(qualifier.cloned(), field.name())
    });
    LogicalPlanBuilder::from(LogicalPlan::Aggregate(results_of)).project(columns.collect::<Vec<_>>())?.build()
}
