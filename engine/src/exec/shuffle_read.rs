//! The leaf through which a reduce task reads map output.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};

use crate::error::{Error, Result};
use crate::id::{StageId, TaskId};
use crate::plan::stages::{StageInputExec, properties};
use crate::shuffle::{MergeInput, ShuffleStore};

/// What each partition of a [`ShuffleReadExec`] reads.
#[derive(Debug, Clone)]
pub(super) enum ShuffleSource {
    /// Ranges of shuffle partitions, over all map tasks.
    Partitions(Vec<Range<u32>>),
    /// The output of one map task each.
    Tasks(Vec<TaskId>),
}

/// Reads the committed output of another stage; can be read again by a later attempt.
#[derive(Clone)]
pub(super) struct ShuffleReadExec {
    store: Arc<ShuffleStore>,
    stage: StageId,
    source: ShuffleSource,
    properties: Arc<PlanProperties>,
}

impl ShuffleReadExec {
    /// A reader in the place of `input`.
    pub fn new(store: Arc<ShuffleStore>, source: ShuffleSource, input: &StageInputExec) -> Self {
        let n_partitions = match &source {
            ShuffleSource::Partitions(ranges) => ranges.len(),
            ShuffleSource::Tasks(tasks) => tasks.len(),
        };
        let partitioning = match &input.properties().partitioning {
            Partitioning::Hash(keys, _) => Partitioning::Hash(keys.clone(), n_partitions),
            _ => Partitioning::UnknownPartitioning(n_partitions),
        };
        let properties = Arc::new(properties(input.properties().eq_properties.clone(), partitioning));
        ShuffleReadExec { store, stage: input.stage, source, properties }
    }
}

impl fmt::Debug for ShuffleReadExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShuffleReadExec").field("stage", &self.stage).field("source", &self.source).finish()
    }
}

impl DisplayAs for ShuffleReadExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShuffleReadExec: Stage-{}", self.stage)
    }
}

impl ExecutionPlan for ShuffleReadExec {
    fn name(&self) -> &str {
        "ShuffleReadExec"
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

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let missing = || Error::internal(format!("Stage-{} has no shuffle source {partition}", self.stage));
        let batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send> = match &self.source {
            ShuffleSource::Partitions(ranges) => {
                Box::new(self.store.read(self.stage, ranges.get(partition).cloned().ok_or_else(missing)?))
            }
            ShuffleSource::Tasks(tasks) => {
                let run = self.store.read_task(self.stage, *tasks.get(partition).ok_or_else(missing)?);
                Box::new(MergeInput::new(run, tasks.len()))
            }
        };
        let batches = futures::stream::iter(batches.map(|batch| batch.map_err(Into::into)));
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches))))
    }
}
