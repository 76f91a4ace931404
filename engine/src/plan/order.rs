//! Makes the order of rows follow from the data alone.
//!
//! As in MapReduce, a reducer meets its keys in order, so the groups of a GROUP BY come out ascending with NULL
//! first; and a sort orders rows that are equal in its keys by all their other columns, so that neither the number
//! of threads nor the place of a split's edge shows in the result. Hive promises neither; logq promises the same
//! bytes for the same input.

use std::sync::Arc;

use arrow_schema::{DataType, SortOptions};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::stages::recompute;

/// NULL first when ascending, as Hive sorts.
const ASCENDING: SortOptions = SortOptions { descending: false, nulls_first: true };

/// Whether the groups of the last GROUP BY are brought together into one partition, or stay in their partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
    StayPartitioned,
    Gather,
}

/// The same plan with an order that does not depend on how it is run.
pub(super) fn deterministic(plan: Arc<dyn ExecutionPlan>, groups: Groups) -> DfResult<Arc<dyn ExecutionPlan>> {
    order_groups(total_sorts(plan)?, groups)
}

/// Extends each sort by the columns that it does not name.
fn total_sorts(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        if let Some(sort) = node.downcast_ref::<SortExec>() {
            let keys = total_order(sort.expr(), sort.input());
            let total = SortExec::new(keys, Arc::clone(sort.input()))
                .with_fetch(sort.fetch())
                .with_preserve_partitioning(sort.preserve_partitioning());
            return Ok(Transformed::yes(Arc::new(total) as _));
        }
        if let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>()
            && let Some(ordering) = merge.input().output_ordering()
            && ordering.len() > merge.expr().len()
            && merge.expr().iter().zip(ordering.iter()).all(|(key, input_key)| key == input_key)
        {
            let total =
                SortPreservingMergeExec::new(ordering.clone(), Arc::clone(merge.input())).with_fetch(merge.fetch());
            return Ok(Transformed::yes(Arc::new(total) as _));
        }
        Ok(Transformed::no(node))
    })
    .data()
}

/// The keys of a sort, and behind them the columns that it does not name.
pub(super) fn total_order(keys: &LexOrdering, input: &Arc<dyn ExecutionPlan>) -> LexOrdering {
    let schema = input.schema();
    let mut total: Vec<PhysicalSortExpr> = keys.iter().cloned().collect();
    for (column_idx, field) in schema.fields().iter().enumerate() {
        let column = Column::new(field.name(), column_idx);
        let named = total.iter().any(|key| key.expr.downcast_ref::<Column>() == Some(&column));
        if !named && is_sortable(field.data_type()) {
            total.push(PhysicalSortExpr::new(Arc::new(column), ASCENDING));
        }
    }
    LexOrdering::new(total).unwrap_or_else(|| keys.clone())
}

fn is_sortable(data_type: &DataType) -> bool {
    !matches!(
        data_type,
        DataType::Map(..) | DataType::Union(..) | DataType::Struct(_) | DataType::List(_) | DataType::LargeList(_)
    )
}

/// Sorts the groups whose order reaches the output.
fn order_groups(plan: Arc<dyn ExecutionPlan>, groups: Groups) -> DfResult<Arc<dyn ExecutionPlan>> {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let last = !matches!(aggregate.mode(), AggregateMode::Partial | AggregateMode::PartialReduce);
        let n_keys = aggregate.group_expr().output_exprs().len();
        let schema = plan.schema();
        let keys = schema.fields().iter().take(n_keys).enumerate().filter(|(_, field)| is_sortable(field.data_type()));
        let keys = keys.map(|(column_idx, field)| {
            PhysicalSortExpr::new(Arc::new(Column::new(field.name(), column_idx)), ASCENDING)
        });
        let Some(keys) = LexOrdering::new(keys).filter(|_| last) else {
            return Ok(plan);
        };
        let partitions = plan.output_partitioning().partition_count();
        let sorted: Arc<dyn ExecutionPlan> =
            Arc::new(SortExec::new(keys.clone(), plan).with_preserve_partitioning(true));
        return match groups {
            Groups::Gather if partitions > 1 => Ok(Arc::new(SortPreservingMergeExec::new(keys, sorted))),
            _ => Ok(sorted),
        };
    }
    if let Some(coalesce) = plan.downcast_ref::<CoalescePartitionsExec>() {
        let input = order_groups(Arc::clone(coalesce.input()), groups)?;
        let ordering = input.output_ordering().cloned();
        return Ok(match ordering {
            Some(ordering) if input.output_partitioning().partition_count() > 1 => {
                Arc::new(SortPreservingMergeExec::new(ordering, input).with_fetch(coalesce.fetch()))
            }
            _ => plan.replace_children(vec![input], recompute())?,
        });
    }
    // A window's rows come in the order of its partition keys already.
    if plan.downcast_ref::<BoundedWindowAggExec>().is_some() || plan.downcast_ref::<WindowAggExec>().is_some() {
        let ordering = plan.output_ordering().cloned();
        return Ok(match ordering {
            Some(ordering) if groups == Groups::Gather && plan.output_partitioning().partition_count() > 1 => {
                Arc::new(SortPreservingMergeExec::new(ordering, plan))
            }
            _ => plan,
        });
    }
    let children = plan.children();
    let keeps_order =
        plan.maintains_input_order().iter().all(|keeps| *keeps) || plan.downcast_ref::<UnionExec>().is_some();
    if children.is_empty() || !keeps_order || plan.downcast_ref::<SortExec>().is_some() {
        return Ok(plan);
    }
    let ordered =
        children.into_iter().map(|child| order_groups(Arc::clone(child), groups)).collect::<DfResult<Vec<_>>>()?;
    plan.replace_children(ordered, recompute())
}
