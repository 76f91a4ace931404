//! Sorts the rows of one task: keys are sorted with the places of their rows, then whole rows are gathered once.
//!
//! DataFusion's sort orders batch by batch and merges them, so that each row is copied twice, and counts a text's
//! block once for each batch and column that points into it. What fits into the memory limit is sorted here; what does
//! not goes through DataFusion's, which spills.

mod places;

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, StringViewBuilder};
use arrow::compute::interleave;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow::row::{RowConverter, Rows, SortField};
use arrow_schema::{DataType, SchemaRef};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{FutureExt, StreamExt, TryStreamExt};

use self::places::{Place, sorted_places};

/// The same plan with its sorts done here; those with a limit keep only what they need and stay as they are.
pub(super) fn sorts_in_memory(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        Ok(match node.downcast_ref::<SortExec>() {
            Some(sort) if sort.fetch().is_none() => Transformed::yes(Arc::new(TaskSortExec(sort.clone())) as _),
            _ => Transformed::no(node),
        })
    })
    .data()
}

/// Stands for a sort, and gives what it gives; rows that are equal to it stay in their order.
#[derive(Debug, Clone)]
struct TaskSortExec(SortExec);

impl DisplayAs for TaskSortExec {
    fn fmt_as(&self, display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(display, f)
    }
}

impl ExecutionPlan for TaskSortExec {
    fn name(&self) -> &str {
        "TaskSortExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.0.input()]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let sort = SortExec::new(self.0.expr().clone(), children.swap_remove(0))
            .with_preserve_partitioning(self.0.preserve_partitioning());
        Ok(Arc::new(TaskSortExec(sort)))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.0.apply_expressions(f)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let input = self.0.input().execute(partition, Arc::clone(&context))?;
        let rows = futures::stream::once(sorted(input, self.0.expr().clone(), context)?).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

/// Sorts all rows of `input` once they are there.
fn sorted(
    input: SendableRecordBatchStream,
    keys: LexOrdering,
    context: Arc<TaskContext>,
) -> DfResult<impl Future<Output = DfResult<SendableRecordBatchStream>>> {
    let schema = input.schema();
    let reservation = MemoryConsumer::new("sort").with_can_spill(true).register(context.memory_pool());
    let merge = MemoryConsumer::new("sort merge").register(context.memory_pool());
    // Where there is not even that much, no row is kept, and DataFusion's sort says what is missing.
    let merge_bytes = context.session_config().options().execution.sort_spill_reservation_bytes;
    let may_keep = merge.try_grow(merge_bytes).is_ok();
    let buffer = SortBuffer::new(&keys, &schema, (reservation, merge), may_keep)?;
    let collected = Collect(Some((input, buffer)));
    Ok(collected.map(move |collected| match collected? {
        Collected::All(buffer) => {
            let batches = buffer.into_sorted(context.session_config().batch_size().max(1));
            Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches))) as _)
        }
        Collected::TooMuch(input) => spilling_sort(input, keys, context),
    }))
}

/// Reads a stream into a buffer.
struct Collect(Option<(SendableRecordBatchStream, SortBuffer)>);

enum Collected {
    All(Box<SortBuffer>),
    /// There is no memory for all rows, which are in here.
    TooMuch(SendableRecordBatchStream),
}

impl Future for Collect {
    type Output = DfResult<Collected>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some((input, buffer)) = &mut self.0 {
            let next = ready!(input.poll_next_unpin(context)).transpose()?;
            if let Some(batch) = &next
                && (batch.num_rows() == 0 || buffer.push(batch)?)
            {
                continue;
            }
            let Some((input, buffer)) = self.0.take() else { break };
            let Some(batch) = next else { return Poll::Ready(Ok(Collected::All(Box::new(buffer)))) };
            let schema = input.schema();
            // What was held goes first; its memory is counted again by whoever takes it.
            let all = futures::stream::iter(buffer.batches.into_iter().chain([batch]).map(Ok)).chain(input);
            return Poll::Ready(Ok(Collected::TooMuch(Box::pin(RecordBatchStreamAdapter::new(schema, all)))));
        }
        Poll::Ready(Err(crate::error::Error::internal("a sort was asked for its rows twice").into()))
    }
}

/// DataFusion's sort over a stream that is there already.
fn spilling_sort(
    input: SendableRecordBatchStream,
    keys: LexOrdering,
    context: Arc<TaskContext>,
) -> DfResult<SendableRecordBatchStream> {
    let schema = input.schema();
    let rest: Arc<dyn PartitionStream> =
        Arc::new(Taken { schema: Arc::clone(&schema), stream: Mutex::new(Some(input)) });
    let leaf = StreamingTableExec::try_new(schema, vec![rest], None, [], false, None)?;
    SortExec::new(keys, Arc::new(leaf)).execute(0, context)
}

/// A stream that is read once.
struct Taken {
    schema: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken").finish_non_exhaustive()
    }
}

impl PartitionStream for Taken {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let taken = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| {
            let error = crate::error::Error::internal("the input of a sort was read twice");
            let stream = futures::stream::iter([Err(error.into())]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream))
        })
    }
}

/// Rows that are held until all are there.
struct SortBuffer {
    keys: LexOrdering,
    schema: SchemaRef,
    converter: RowConverter,
    batches: Vec<RecordBatch>,
    /// The keys of each batch, comparable byte by byte.
    rows: Vec<Rows>,
    /// Addresses of the buffers that are counted: batches of a scan share the blocks that they point into.
    counted: HashSet<usize>,
    reservation: MemoryReservation,
    /// What DataFusion's sort needs before its first row, kept free for it: others would fill the memory meanwhile.
    merge: MemoryReservation,
    may_keep: bool,
}

impl SortBuffer {
    fn new(
        keys: &LexOrdering,
        schema: &SchemaRef,
        (reservation, merge): (MemoryReservation, MemoryReservation),
        may_keep: bool,
    ) -> DfResult<Self> {
        let fields = keys
            .iter()
            .map(|key| Ok(SortField::new_with_options(key.expr.data_type(schema)?, key.options)))
            .collect::<DfResult<Vec<_>>>()?;
        Ok(SortBuffer {
            keys: keys.clone(),
            schema: Arc::clone(schema),
            converter: RowConverter::new(fields)?,
            batches: Vec::new(),
            rows: Vec::new(),
            counted: HashSet::new(),
            reservation,
            merge,
            may_keep,
        })
    }

    /// Keeps a batch; false if there is no memory for it.
    fn push(&mut self, batch: &RecordBatch) -> DfResult<bool> {
        if !self.may_keep {
            return Ok(false);
        }
        let columns = self
            .keys
            .iter()
            .map(|key| key.expr.evaluate(batch).and_then(|value| value.into_array(batch.num_rows())))
            .collect::<DfResult<Vec<_>>>()?;
        let rows = self.converter.convert_columns(&columns)?;
        let mut bytes = rows.size() + batch.num_rows() * size_of::<Place>();
        for column in batch.columns() {
            count_buffers(&column.to_data(), &mut self.counted, &mut bytes);
        }
        if self.reservation.try_grow(bytes).is_err() {
            return Ok(false);
        }
        self.batches.push(batch.clone());
        self.rows.push(rows);
        Ok(true)
    }

    /// The rows in order, in batches of `batch_rows`.
    fn into_sorted(self, batch_rows: usize) -> impl Iterator<Item = DfResult<RecordBatch>> + Send {
        let SortBuffer { schema, batches, rows, reservation, merge, .. } = self;
        drop(merge);
        let places = sorted_places(&rows);
        drop(rows);
        let mut start = 0;
        std::iter::from_fn(move || {
            // The memory is free once the last of the rows is taken.
            let _held = &reservation;
            let end = places.len().min(start + batch_rows);
            let batch = (start < end).then(|| gather(&schema, &batches, &places[start..end]));
            start = end;
            batch
        })
    }
}

/// Adds the bytes of buffers that are not counted yet.
fn count_buffers(data: &ArrayData, counted: &mut HashSet<usize>, bytes: &mut usize) {
    let nulls = data.nulls().map(|nulls| nulls.buffer());
    for buffer in data.buffers().iter().chain(nulls) {
        if counted.insert(buffer.data_ptr().as_ptr() as usize) {
            *bytes += buffer.capacity();
        }
    }
    for child in data.child_data() {
        count_buffers(child, counted, bytes);
    }
}

/// Copies rows to a batch of their own.
fn gather(schema: &SchemaRef, batches: &[RecordBatch], places: &[Place]) -> DfResult<RecordBatch> {
    let indices: Vec<(usize, usize)> =
        places.iter().map(|place| (place.batch_idx as usize, place.row_idx as usize)).collect();
    let columns = (0..schema.fields().len()).map(|column_idx| {
        let columns: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(column_idx).as_ref()).collect();
        match schema.field(column_idx).data_type() {
            DataType::Utf8View => Ok(gather_text(&columns, &indices)),
            _ => interleave(&columns, &indices),
        }
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// As `interleave`, but the text goes to one buffer of its own size, and no view is looked up in a map of buffers.
fn gather_text(columns: &[&dyn Array], indices: &[(usize, usize)]) -> ArrayRef {
    const INLINE_BYTES_MAX: u32 = 12;
    let columns: Vec<_> = columns.iter().map(|column| column.as_string_view()).collect();
    let text_bytes: u64 = indices
        .iter()
        .map(|(batch_idx, row_idx)| columns[*batch_idx].views()[*row_idx] as u32)
        .filter(|length| *length > INLINE_BYTES_MAX)
        .map(u64::from)
        .sum();
    let block_bytes = text_bytes.clamp(1, 1 << 30) as u32;
    let mut builder = StringViewBuilder::with_capacity(indices.len()).with_fixed_block_size(block_bytes);
    for (batch_idx, row_idx) in indices {
        let column = columns[*batch_idx];
        if column.is_null(*row_idx) {
            builder.append_null();
        } else {
            builder.append_value(column.value(*row_idx));
        }
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};
    use arrow::compute::concat_batches;
    use arrow_schema::SortOptions;
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::execution::memory_pool::FairSpillPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::physical_expr::PhysicalSortExpr;
    use datafusion::physical_expr::expressions::col;

    use super::*;

    /// Rows whose first column has few values, whose second tells them apart, and whose third is text of any length.
    fn batches() -> Vec<RecordBatch> {
        let batch = |start: i64| {
            let numbers = start..start + 1000;
            let few = Int64Array::from_iter(numbers.clone().map(|n| (n % 7 != 0).then_some(n * 31 % 5)));
            let text =
                numbers.clone().map(|n| (n % 11 != 0).then(|| "text ".repeat((n % 9) as usize) + &n.to_string()));
            let columns: [(&str, ArrayRef); 3] = [
                ("few", Arc::new(few)),
                ("n", Arc::new(Int64Array::from_iter_values(numbers.map(|n| n * 7919 % 20_011)))),
                ("text", Arc::new(StringViewArray::from_iter(text))),
            ];
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
        };
        (0..20).map(|idx| batch(idx * 1000)).collect()
    }

    fn sort(keys: &[(&str, SortOptions)], memory: usize, in_memory: bool) -> RecordBatch {
        let schema = batches()[0].schema();
        let input = MemorySourceConfig::try_new_exec(&[batches()], Arc::clone(&schema), None).unwrap();
        let keys = keys.iter().map(|(name, options)| PhysicalSortExpr::new(col(name, &schema).unwrap(), *options));
        let sort: Arc<dyn ExecutionPlan> = Arc::new(SortExec::new(LexOrdering::new(keys).unwrap(), input));
        let plan = if in_memory { sorts_in_memory(sort).unwrap() } else { sort };
        let pool = Arc::new(FairSpillPool::new(memory));
        let environment = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
        let mut config = datafusion::prelude::SessionConfig::new();
        config.options_mut().execution.sort_spill_reservation_bytes = memory / 8;
        let context = TaskContext::default().with_runtime(environment).with_session_config(config);
        let runtime = crate::bridge::runtime(1).unwrap();
        let rows = plan.execute(0, Arc::new(context)).unwrap().try_collect::<Vec<_>>();
        concat_batches(&schema, &crate::bridge::drive(runtime.handle(), rows).unwrap()).unwrap()
    }

    #[test]
    fn rows_are_those_of_datafusions_sort_with_and_without_memory() {
        let ascending = SortOptions { descending: false, nulls_first: true };
        let descending = SortOptions { descending: true, nulls_first: false };
        for keys in [[("few", ascending), ("n", descending)], [("text", descending), ("n", ascending)]] {
            let expect = sort(&keys, 64 << 20, false);
            assert_eq!(sort(&keys, 64 << 20, true), expect);
            assert_eq!(sort(&keys, 1 << 20, true), expect, "spilled");
        }
    }

    #[test]
    fn equal_rows_keep_their_order() {
        let sorted = sort(&[("few", SortOptions { descending: true, nulls_first: false })], 64 << 20, true);
        let again = sort(&[("few", SortOptions { descending: true, nulls_first: false })], 64 << 20, true);
        assert_eq!(sorted, again);
        // `n` tells where a row was: 7919 n mod 20011, and the places of equal rows ascend.
        let place_of: std::collections::HashMap<i64, usize> =
            (0..20_000).map(|n| (n * 7919 % 20_011, n as usize)).collect();
        let few = sorted.column(0).as_primitive::<arrow::datatypes::Int64Type>();
        let n = sorted.column(1).as_primitive::<arrow::datatypes::Int64Type>();
        let rows: Vec<_> = few.iter().zip(n.values()).map(|(few, n)| (few, place_of[n])).collect();
        assert!(rows.windows(2).all(|pair| pair[0].0 > pair[1].0 || pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1));
    }
}
