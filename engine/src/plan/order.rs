//! Makes the order of rows follow from the data alone.
//!
//! As in MapReduce, a reducer meets its keys in order, so the groups of a GROUP BY come out ascending with NULL
//! first. A sort leaves rows that are equal in its keys as they lie in the files, or orders them by all their other
//! columns if they are not read from files. A join without an equality, and an outer one, gives its rows in the order of
//! one input, for each of these in the order of the other. So neither the number of threads nor the place of a split's
//! edge shows in the result. Hive promises none of it; logq promises the same bytes for the same input.

use std::sync::Arc;

use arrow_schema::{DataType, SchemaRef, SortOptions};
use datafusion::common::tree_node::{TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result as DfResult};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::row_number::RowNumberExec;
use super::stages::{recompute, stable_merge};

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
    let ordered = order_groups(ordered_joins(total_sorts(plan, true)?, true)?, groups, true)?;
    ordered.transform_up(|node| Ok(stable_merge(node))).data()
}

fn is_window(plan: &dyn ExecutionPlan) -> bool {
    plan.downcast_ref::<BoundedWindowAggExec>().is_some() || plan.downcast_ref::<WindowAggExec>().is_some()
}

/// Brings the rows of joins that do not keep the order of their inputs into that order, whatever batches they came in and
/// however often the join had to read them; but not where nobody sees it.
fn ordered_joins(plan: Arc<dyn ExecutionPlan>, is_seen: bool) -> DfResult<Arc<dyn ExecutionPlan>> {
    let is_seen_below = sees_order(plan.as_ref(), is_seen);
    let plan = with_children(plan, |child| ordered_joins(child, is_seen_below))?;
    if !is_seen {
        return Ok(plan);
    }
    let inputs = |left, right| -> DfResult<_> { Ok((numbered(left)?, numbered(right)?)) };
    let (join, projection, fetch): (Arc<dyn ExecutionPlan>, Option<&[usize]>, _) = if let Some(join) =
        plan.downcast_ref::<CrossJoinExec>()
    {
        let (left, right) = inputs(join.left(), join.right())?;
        (Arc::new(CrossJoinExec::new(left, right)), None, None)
    } else if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>()
        && (*join.join_type() == JoinType::Inner || is_outer(join.join_type()))
    {
        let (left, right) = inputs(join.left(), join.right())?;
        let numbered = NestedLoopJoinExec::try_new(left, right, join.filter().cloned(), join.join_type(), None)?;
        (Arc::new(numbered), join.projection().as_deref(), None)
    } else if let Some(join) = plan.downcast_ref::<HashJoinExec>()
        && is_outer(join.join_type())
    {
        // Rows that found no partner come behind the others of their batch, or the last batch first.
        let (left, right) = inputs(join.left(), join.right())?;
        let numbered = join.builder().with_projection(None).with_fetch(None).with_new_children(vec![left, right])?;
        (Arc::new(numbered.recompute_properties().build()?), join.projection.as_deref(), join.fetch())
    } else {
        return Ok(plan);
    };
    in_number_order(join, plan.children()[0].schema().fields().len(), projection, fetch, &plan.schema())
}

fn is_outer(join_type: &JoinType) -> bool {
    matches!(join_type, JoinType::Left | JoinType::Right | JoinType::Full)
}

/// Whether the result of `plan` depends on the order of its input, if the order of its own rows is seen or not.
pub(super) fn sees_order(plan: &dyn ExecutionPlan, is_seen: bool) -> bool {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        // DataFusion's count does not say so of itself.
        let collects =
            |function: &AggregateUDF| function.name() != "count" && !function.order_sensitivity().is_insensitive();
        return aggregate.aggr_expr().iter().any(|call| collects(call.fun()));
    }
    if plan.downcast_ref::<SortExec>().is_some() {
        return plan.schema().fields().iter().any(|field| !is_sortable(field.data_type()));
    }
    is_seen || counts_rows(plan)
}

/// Whether `plan` counts its rows in each of its partitions, so that it shows which rows a partition has. A sort with a
/// limit does not: what it leaves out, the merge of all partitions would leave out too.
pub(super) fn counts_rows(plan: &dyn ExecutionPlan) -> bool {
    let limits = plan.downcast_ref::<GlobalLimitExec>().is_some() || plan.downcast_ref::<LocalLimitExec>().is_some();
    let numbers = plan.downcast_ref::<RowNumberExec>().is_some();
    let fetches = plan.fetch().is_some() && plan.downcast_ref::<SortExec>().is_none();
    limits || is_window(plan) || numbers || fetches
}

/// Numbered below a gather, where the partitions still have their order.
fn numbered(input: &Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    match input.downcast_ref::<CoalescePartitionsExec>() {
        Some(gather) => {
            let rows = Arc::new(RowNumberExec::try_new(Arc::clone(gather.input()))?);
            Arc::clone(input).replace_children(vec![rows], recompute())
        }
        None => Ok(Arc::new(RowNumberExec::try_new(Arc::clone(input))?)),
    }
}

/// The rows of a join of numbered rows in the order of the right ones, then of the left ones, and without the numbers.
/// Left rows without a partner come last.
///
/// The left input has `n_left` columns and its number behind them; `projection` counts without the numbers, and `schema`
/// is what it leaves.
fn in_number_order(
    join: Arc<dyn ExecutionPlan>,
    n_left: usize,
    projection: Option<&[usize]>,
    fetch: Option<usize>,
    schema: &SchemaRef,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let column = |column_idx: usize| -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(join.schema().field(column_idx).name(), column_idx))
    };
    let ascending = SortOptions { descending: false, nulls_first: false };
    let right_number = join.schema().fields().len() - 1;
    let order = [right_number, n_left].map(|number| PhysicalSortExpr::new(column(number), ascending));
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let column_idx = projection.map_or(place, |projection| projection[place]);
            (column(if column_idx < n_left { column_idx } else { column_idx + 1 }), field.name().clone())
        })
        .collect();
    let sorted = SortExec::new(LexOrdering::from(order), join).with_preserve_partitioning(true).with_fetch(fetch);
    Ok(Arc::new(ProjectionExec::try_new(columns, Arc::new(sorted))?))
}

/// Leaves no two rows equal to a sort: by their place in the input, where that is the order of the files, and by the
/// columns that the sort does not name elsewhere. A sort whose order nobody sees, as that of a join below a GROUP BY, is
/// left alone, unless it has a limit, by which it chooses rows.
fn total_sorts(plan: Arc<dyn ExecutionPlan>, is_seen: bool) -> DfResult<Arc<dyn ExecutionPlan>> {
    let is_seen_below = sees_order(plan.as_ref(), is_seen);
    let plan = with_children(plan, |child| total_sorts(child, is_seen_below))?;
    if let Some(sort) = plan.downcast_ref::<SortExec>()
        && (is_seen || sort.fetch().is_some())
    {
        if is_in_file_order(sort.input()) {
            return stable_sort(sort);
        }
        let keys = total_order(sort.expr(), sort.input());
        let total = SortExec::new(keys, Arc::clone(sort.input()))
            .with_fetch(sort.fetch())
            .with_preserve_partitioning(sort.preserve_partitioning());
        return Ok(Arc::new(total));
    }
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        let keys = match merge.input().output_ordering() {
            Some(ordering)
                if ordering.len() > merge.expr().len()
                    && merge.expr().iter().zip(ordering.iter()).all(|(key, input_key)| key == input_key) =>
            {
                ordering.clone()
            }
            _ => merge.expr().clone(),
        };
        return Ok(Arc::new(SortPreservingMergeExec::new(keys, Arc::clone(merge.input())).with_fetch(merge.fetch())));
    }
    Ok(plan)
}

/// Whether rows and partitions come as they lie in the files, wherever these are split.
fn is_in_file_order(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let keeps_order = plan.downcast_ref::<FilterExec>().is_some()
        || plan.downcast_ref::<ProjectionExec>().is_some()
        || plan.downcast_ref::<UnionExec>().is_some();
    plan.downcast_ref::<DataSourceExec>().is_some() || keeps_order && plan.children().into_iter().all(is_in_file_order)
}

/// The same sort, with rows that are equal to it in the order of the input.
fn stable_sort(sort: &SortExec) -> DfResult<Arc<dyn ExecutionPlan>> {
    let schema = sort.input().schema();
    let n_columns = schema.fields().len();
    let numbered = Arc::new(RowNumberExec::try_new(Arc::clone(sort.input()))?);
    let number = Column::new(numbered.schema().field(n_columns).name(), n_columns);
    let keys = sort.expr().iter().cloned().chain([PhysicalSortExpr::new(Arc::new(number), ASCENDING)]);
    let Some(keys) = LexOrdering::new(keys) else { return Ok(Arc::new(sort.clone())) };
    let sorted =
        SortExec::new(keys, numbered).with_fetch(sort.fetch()).with_preserve_partitioning(sort.preserve_partitioning());
    let columns = schema.fields().iter().enumerate().map(|(column_idx, field)| {
        (Arc::new(Column::new(field.name(), column_idx)) as Arc<dyn PhysicalExpr>, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), Arc::new(sorted))?))
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

/// Sorts the groups whose order can be seen: in the output, or in what a LIMIT takes or an aggregate collects of them.
fn order_groups(plan: Arc<dyn ExecutionPlan>, groups: Groups, is_seen: bool) -> DfResult<Arc<dyn ExecutionPlan>> {
    let is_seen_below = sees_order(plan.as_ref(), is_seen);
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let last = !matches!(aggregate.mode(), AggregateMode::Partial | AggregateMode::PartialReduce);
        let n_keys = aggregate.group_expr().output_exprs().len();
        let schema = plan.schema();
        let keys = schema.fields().iter().take(n_keys).enumerate().filter(|(_, field)| is_sortable(field.data_type()));
        let keys = keys.map(|(column_idx, field)| {
            PhysicalSortExpr::new(Arc::new(Column::new(field.name(), column_idx)), ASCENDING)
        });
        let keys = LexOrdering::new(keys).filter(|_| last && is_seen);
        let plan = order_groups_below(plan, Groups::StayPartitioned, is_seen_below)?;
        let Some(keys) = keys else { return Ok(plan) };
        let partitions = plan.output_partitioning().partition_count();
        let sorted: Arc<dyn ExecutionPlan> =
            Arc::new(SortExec::new(keys.clone(), plan).with_preserve_partitioning(true));
        return match groups {
            Groups::Gather if partitions > 1 => Ok(Arc::new(SortPreservingMergeExec::new(keys, sorted))),
            _ => Ok(sorted),
        };
    }
    if let Some(coalesce) = plan.downcast_ref::<CoalescePartitionsExec>() {
        let input = order_groups(Arc::clone(coalesce.input()), groups, is_seen_below)?;
        let ordering = input.output_ordering().cloned().filter(|_| is_seen);
        return Ok(match ordering {
            Some(ordering) if input.output_partitioning().partition_count() > 1 => {
                Arc::new(SortPreservingMergeExec::new(ordering, input).with_fetch(coalesce.fetch()))
            }
            _ => plan.replace_children(vec![input], recompute())?,
        });
    }
    // A window's rows come in the order of its keys, if it has any.
    if is_window(plan.as_ref())
        && let Some(ordering) = plan.output_ordering().cloned()
    {
        let plan = order_groups_below(plan, Groups::StayPartitioned, is_seen_below)?;
        return Ok(match groups {
            Groups::Gather if is_seen && plan.output_partitioning().partition_count() > 1 => {
                Arc::new(SortPreservingMergeExec::new(ordering, plan))
            }
            _ => plan,
        });
    }
    let keeps_order =
        plan.maintains_input_order().iter().all(|keeps| *keeps) || plan.downcast_ref::<UnionExec>().is_some();
    let passes_on = keeps_order && plan.downcast_ref::<SortExec>().is_none();
    order_groups_below(plan, if passes_on { groups } else { Groups::StayPartitioned }, is_seen_below)
}

fn order_groups_below(plan: Arc<dyn ExecutionPlan>, groups: Groups, is_seen: bool) -> DfResult<Arc<dyn ExecutionPlan>> {
    with_children(plan, |child| order_groups(child, groups, is_seen))
}

/// The same node over changed children.
fn with_children(
    plan: Arc<dyn ExecutionPlan>,
    change: impl Fn(Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let children = plan.children().into_iter().map(|child| change(Arc::clone(child))).collect::<DfResult<Vec<_>>>()?;
    let changed = children.iter().zip(plan.children()).any(|(child, old)| !Arc::ptr_eq(child, old));
    if changed { plan.replace_children(children, recompute()) } else { Ok(plan) }
}
