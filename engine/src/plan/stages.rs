//! Cuts a physical plan at its exchanges into stages, as Hive cuts a query into map and reduce work.
//!
//! Cut only where known to be safe; whatever is not cut still runs, inside a task. The places are those of Ballista's
//! planner: a hash repartitioning is cut and goes away; a gather (`CoalescePartitionsExec`,
//! `SortPreservingMergeExec`) is cut below, and stays above the reader.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result as DfResult};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::joins::{CrossJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
};

use super::order::{counts_rows, sees_order, total_order};
use crate::error::{Error, Result};
use crate::id::StageId;
use crate::observer::StageKind;

/// A query as stages. Each reads only stages before it; the last one makes the result.
#[derive(Debug)]
pub struct StageGraph {
    pub stages: Vec<Stage>,
}

/// The most tasks that a sorted result is merged by.
pub const RESULT_RANGES_MAX: usize = 256;

impl StageGraph {
    /// The most tasks that the last stage may have.
    pub fn result_tasks_max(&self) -> usize {
        let last = self.stages.last();
        let partitions = last.map_or(1, |stage| stage.plan.output_partitioning().partition_count());
        match last.and_then(|stage| result_merge(&stage.plan)) {
            Some(_) => partitions.max(RESULT_RANGES_MAX),
            None => partitions,
        }
    }
}

/// The merge of all sorted runs that `plan` gives as they come, so that each range of its keys may be a task.
fn result_merge(plan: &Arc<dyn ExecutionPlan>) -> Option<&SortPreservingMergeExec> {
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return result_merge(projection.input());
    }
    plan.downcast_ref::<SortPreservingMergeExec>().filter(|merge| {
        let input = merge.input().downcast_ref::<StageInputExec>();
        merge.fetch().is_none() && input.is_some_and(|input| input.mode == StageInputMode::Tasks)
    })
}

impl Stage {
    /// The stage whose sorted runs become the result as they come, if this stage does nothing but merge them.
    pub fn merged_result(&self) -> Option<StageId> {
        let merge = result_merge(&self.plan).filter(|_| matches!(self.output, StageOutput::Result))?;
        merge.input().downcast_ref::<StageInputExec>().map(|input| input.stage)
    }
}

/// A plan whose partitions are tasks, and what becomes of their rows.
#[derive(Debug)]
pub struct Stage {
    pub id: StageId,
    pub plan: Arc<dyn ExecutionPlan>,
    pub inputs: Vec<StageId>,
    pub output: StageOutput,
    /// Whether the order of rows in the result could tell into how many tasks this stage is divided.
    pub division_shows: bool,
}

/// What becomes of a stage's rows.
#[derive(Debug, Clone)]
pub enum StageOutput {
    /// Hashed by the keys into shuffle partitions.
    Hash { keys: Vec<Arc<dyn PhysicalExpr>>, partitions: usize },
    /// Brought to one task. With `fetch`, that many rows are enough.
    Gather { fetch: Option<usize> },
    /// The rows of the query.
    Result,
}

impl Stage {
    /// A stage that reads input splits maps; one that reads map output reduces.
    pub fn kind(&self) -> StageKind {
        if self.inputs.is_empty() { StageKind::Map } else { StageKind::Reduce }
    }
}

/// How a stage reads another one's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageInputMode {
    /// By shuffle partition: the runner decides how many reducers share them.
    Partitions,
    /// Everything, in task order, as one partition.
    All,
    /// One partition per task of the other stage, each in its own order.
    Tasks,
}

/// The leaf that stands for another stage's output. The runner puts a reader in its place; it cannot run itself.
#[derive(Debug, Clone)]
pub struct StageInputExec {
    pub stage: StageId,
    pub mode: StageInputMode,
    properties: Arc<PlanProperties>,
}

impl StageInputExec {
    fn new(stage: StageId, mode: StageInputMode, child: &Arc<dyn ExecutionPlan>, partitioning: Partitioning) -> Self {
        // What is constant in all tasks stays so. Each task's order is there only where its rows stay apart.
        let mut equivalences = child.equivalence_properties().clone();
        equivalences.clear_per_partition_constants();
        if mode != StageInputMode::Tasks {
            equivalences.clear_orderings();
        }
        StageInputExec { stage, mode, properties: Arc::new(properties(equivalences, partitioning)) }
    }
}

/// The properties of a leaf that gives batches as they come.
pub fn properties(equivalences: EquivalenceProperties, partitioning: Partitioning) -> PlanProperties {
    PlanProperties::new(equivalences, partitioning, EmissionType::Incremental, Boundedness::Bounded)
}

impl DisplayAs for StageInputExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StageInputExec: Stage-{}", self.stage)
    }
}

impl ExecutionPlan for StageInputExec {
    fn name(&self) -> &str {
        "StageInputExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        Err(Error::internal(format!("the output of Stage-{} was read before it was made", self.stage)).into())
    }
}

/// Cuts `plan`.
pub fn cut(plan: Arc<dyn ExecutionPlan>) -> Result<StageGraph> {
    let mut stages = Vec::new();
    let root = plan.transform_up(|node| cut_node(node, &mut stages)).data().map_err(Error::from_datafusion)?;
    push(&mut stages, root, StageOutput::Result);
    mark_divisions(&mut stages);
    Ok(StageGraph { stages })
}

/// Finds the stages of which nobody can see into how many tasks they are divided: no order of rows follows from it.
fn mark_divisions(stages: &mut [Stage]) {
    // What the stages behind this one read.
    let mut read: Vec<StageRead> = Vec::new();
    for stage in stages.iter_mut().rev() {
        let of_this = || read.iter().filter(|read| read.stage == stage.id);
        // By a total order, whoever has which run.
        let is_merged = of_this().any(|read| read.mode == StageInputMode::Tasks);
        let is_seen = matches!(stage.output, StageOutput::Result)
            || of_this().any(|read| read.mode != StageInputMode::Tasks && read.is_seen);
        let mut inputs = Vec::new();
        find_reads(&stage.plan, is_seen || is_merged, &mut inputs);
        stage.division_shows = is_seen
            || inputs.iter().any(|input| input.mode == StageInputMode::Partitions && input.is_seen)
            || stage.plan.exists(|node| Ok(counts_rows(node.as_ref()))).unwrap_or(true);
        read.extend(inputs);
    }
}

/// A place where one stage reads another.
struct StageRead {
    stage: StageId,
    mode: StageInputMode,
    /// Whether the order in which the rows are read there is seen in the result.
    is_seen: bool,
}

fn find_reads(plan: &Arc<dyn ExecutionPlan>, is_seen: bool, found: &mut Vec<StageRead>) {
    if let Some(input) = plan.downcast_ref::<StageInputExec>() {
        found.push(StageRead { stage: input.stage, mode: input.mode, is_seen });
    }
    let is_seen_below = sees_order(plan.as_ref(), is_seen);
    for child in plan.children() {
        find_reads(child, is_seen_below, found);
    }
}

fn cut_node(node: Arc<dyn ExecutionPlan>, stages: &mut Vec<Stage>) -> DfResult<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(repartition) = node.downcast_ref::<RepartitionExec>() {
        if repartition.preserve_order() {
            return Ok(Transformed::no(node));
        }
        let child = Arc::clone(repartition.input());
        let Partitioning::Hash(keys, partitions) = repartition.partitioning() else {
            return Ok(Transformed::yes(child));
        };
        let partitioning = Partitioning::Hash(keys.clone(), *partitions);
        let output = StageOutput::Hash { keys: keys.clone(), partitions: *partitions };
        let id = push(stages, Arc::clone(&child), output);
        let input: Arc<dyn ExecutionPlan> =
            Arc::new(StageInputExec::new(id, StageInputMode::Partitions, &child, partitioning));
        // One sorted input leaves its partitions sorted, and a window above may count on that; a task that reads several
        // of them does not find it so.
        return Ok(Transformed::yes(match node.output_ordering() {
            Some(ordering) => {
                let keys = total_order(ordering, &input);
                Arc::new(SortExec::new(keys, input).with_preserve_partitioning(true))
            }
            None => input,
        }));
    }
    if let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>() {
        let child = Arc::clone(merge.input());
        let n_tasks = child.output_partitioning().partition_count();
        if n_tasks == 1 && !reads_partitions(&child) {
            return Ok(Transformed::no(node));
        }
        // No fetch: which of the runs holds the first rows is known only when all are there.
        let id = push(stages, Arc::clone(&child), StageOutput::Gather { fetch: None });
        let partitioning = Partitioning::UnknownPartitioning(n_tasks);
        let input = StageInputExec::new(id, StageInputMode::Tasks, &child, partitioning);
        let merged = Arc::clone(&node).replace_children(vec![Arc::new(input)], recompute())?;
        return Ok(Transformed::yes(stable_merge(merged).data));
    }
    if let Some(coalesce) = node.downcast_ref::<CoalescePartitionsExec>() {
        let child = Arc::clone(coalesce.input());
        let input = gather(child, coalesce.fetch(), stages);
        return Ok(Transformed::yes(Arc::clone(&node).replace_children(vec![input], recompute())?));
    }
    // The tasks of a nested loop join share marks of the left rows that found a partner, and the last task emits the
    // others. One task that does it all gives the same rows wherever it runs, and can be tried again.
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
        && !matches!(
            join.join_type(),
            JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
        )
    {
        let children = vec![Arc::clone(join.left()), gather(Arc::clone(join.right()), None, stages)];
        return Ok(Transformed::yes(Arc::clone(&node).replace_children(children, recompute())?));
    }
    if let Some(join) = node.downcast_ref::<CrossJoinExec>()
        && reads_partitions(join.left())
    {
        let children = vec![gather(Arc::clone(join.left()), None, stages), Arc::clone(join.right())];
        return Ok(Transformed::yes(Arc::clone(&node).replace_children(children, recompute())?));
    }
    Ok(Transformed::no(node))
}

/// Cuts below `child` so that one task gets all its rows; leaves a child alone that is one task already.
fn gather(child: Arc<dyn ExecutionPlan>, fetch: Option<usize>, stages: &mut Vec<Stage>) -> Arc<dyn ExecutionPlan> {
    if child.output_partitioning().partition_count() == 1 && !reads_partitions(&child) {
        return child;
    }
    let id = push(stages, Arc::clone(&child), StageOutput::Gather { fetch });
    Arc::new(StageInputExec::new(id, StageInputMode::All, &child, Partitioning::UnknownPartitioning(1)))
}

/// Whether the number of this plan's partitions is decided only when the stages before it are done.
pub(super) fn reads_partitions(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.exists(|node| {
        Ok(node.downcast_ref::<StageInputExec>().is_some_and(|input| input.mode == StageInputMode::Partitions))
    })
    .unwrap_or(true)
}

fn push(stages: &mut Vec<Stage>, plan: Arc<dyn ExecutionPlan>, output: StageOutput) -> StageId {
    let mut inputs = Vec::new();
    // The closure never fails and never stops early.
    let _ = plan.apply(|node| {
        if let Some(input) = node.downcast_ref::<StageInputExec>()
            && !inputs.contains(&input.stage)
        {
            inputs.push(input.stage);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    let id = StageId(stages.len() as u32 + 1);
    stages.push(Stage { id, plan, inputs, output, division_shows: true });
    id
}

/// A merge that takes equal rows from its first partition first. DataFusion's takes them in turn, also a copy of one that
/// did not.
pub fn stable_merge(node: Arc<dyn ExecutionPlan>) -> Transformed<Arc<dyn ExecutionPlan>> {
    match node.downcast_ref::<SortPreservingMergeExec>() {
        Some(merge) => {
            let stable = SortPreservingMergeExec::new(merge.expr().clone(), Arc::clone(merge.input()))
                .with_fetch(merge.fetch())
                .with_round_robin_repartition(false);
            Transformed::yes(Arc::new(stable) as _)
        }
        None => Transformed::no(node),
    }
}

/// A node with other children learns its properties anew.
pub(super) fn recompute() -> ReplaceChildrenOptions {
    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)
}
