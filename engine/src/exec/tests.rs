//! Attempts that fail, panic or are stopped: what the runner makes of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryPool, UnboundedMemoryPool};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};

use super::{CancelFlag, JobContext, PoolBudget, ResultSink, row_channels, run_job};
use crate::config::EngineConfig;
use crate::error::{Error, Kind, Result, codes};
use crate::id::JobId;
use crate::observer::NoObserver;
use crate::plan::stages::properties;
use crate::shuffle::ShuffleStore;

/// What the first attempts of partition 1, or of 1 and 2 if it is memory, do after their first batch.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    Storage,
    Panic,
    Corrupt,
    Memory,
    /// Partition 0 has no memory as long as partition 1 runs.
    Crowded,
}

/// Bits of `FaultyScan::failures` where partitions meet.
const STARTED: u32 = 1;
const ENDED: u32 = 2;
const FAILED: u32 = 4;

/// Three partitions of five batches each, more than a channel holds; partition p holds p*10 … p*10+9.
struct FaultyScan {
    fault: Fault,
    failures: Arc<AtomicU32>,
    properties: Arc<PlanProperties>,
}

impl FaultyScan {
    fn plan(fault: Fault, failures: u32) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int32, false)]));
        let properties = Arc::new(properties(EquivalenceProperties::new(schema), Partitioning::UnknownPartitioning(3)));
        Arc::new(FaultyScan { fault, failures: Arc::new(AtomicU32::new(failures)), properties })
    }

    fn batch(&self, from: i32) -> RecordBatch {
        let column = Arc::new(Int32Array::from(vec![from, from + 1]));
        RecordBatch::try_new(self.schema(), vec![column]).unwrap()
    }
}

impl fmt::Debug for FaultyScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyScan({:?})", self.fault)
    }
}

impl DisplayAs for FaultyScan {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyScan")
    }
}

impl ExecutionPlan for FaultyScan {
    fn name(&self) -> &str {
        "FaultyScan"
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
        let first = partition as i32 * 10;
        let fails = match self.fault {
            Fault::None => false,
            // Each of two partitions once: a bit says that it has.
            Fault::Memory => {
                partition > 0 && self.failures.fetch_or(1 << partition, Ordering::SeqCst) & (1 << partition) == 0
            }
            Fault::Crowded => {
                if partition == 1 {
                    self.failures.fetch_or(STARTED, Ordering::SeqCst);
                }
                let fails = partition == 0 && wait_for(&self.failures, STARTED) & ENDED == 0;
                self.failures.fetch_or(if fails { FAILED } else { 0 }, Ordering::SeqCst);
                fails
            }
            _ => {
                let left = |left: u32| left.checked_sub(1);
                partition == 1 && self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
            }
        };
        let (fault, failures) = (self.fault, Arc::clone(&self.failures));
        let second = self.batch(first + 2);
        let rest: Vec<_> = [4, 6, 8].into_iter().map(|from| Ok(self.batch(first + from))).collect();
        let batches = vec![Ok(self.batch(first))].into_iter().chain(std::iter::once_with(move || match fault {
            Fault::Storage if fails => Err(Error::new(codes::STORAGE, "the disk hiccups").into()),
            Fault::Corrupt if fails => Err(Error::new(codes::CORRUPT_FILE, "the file is corrupt").into()),
            Fault::Memory | Fault::Crowded if fails => Err(Error::new(codes::MEMORY_LIMIT, "no memory left").into()),
            Fault::Crowded if partition == 1 => {
                wait_for(&failures, FAILED);
                // Time for as many attempts as there may be.
                (0..10_000).for_each(|_| std::thread::yield_now());
                failures.fetch_or(ENDED, Ordering::SeqCst);
                Ok(second)
            }
            Fault::Panic if fails => panic!("a bug"),
            _ => Ok(second),
        }));
        let batches = batches.chain(rest);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), futures::stream::iter(batches))))
    }
}

/// Gives all bits once `bit` is among them.
fn wait_for(bits: &AtomicU32, bit: u32) -> u32 {
    loop {
        let now = bits.load(Ordering::SeqCst);
        if now & bit != 0 {
            return now;
        }
        std::thread::yield_now();
    }
}

/// Runs a plan and gives its values with the number of attempts of all stages.
fn run(plan: Arc<dyn ExecutionPlan>, threads: usize, shuffle_memory: Option<u64>) -> Result<(Vec<i32>, u32)> {
    let temp_dir = tempfile::tempdir().unwrap();
    let runtime = crate::bridge::runtime(1)?;
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let job = JobId::new();
    let config = EngineConfig { threads, attempts_max: 3, ..EngineConfig::default() };
    let context = JobContext {
        job,
        reducers: None,
        store: Arc::new(ShuffleStore::new(
            temp_dir.path(),
            job,
            Arc::new(PoolBudget::new(&pool, shuffle_memory.unwrap_or(u64::MAX))),
        )),
        context: Arc::default(),
        pool: Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()),
        runtime: runtime.handle().clone(),
        cancel: CancelFlag::default(),
        observer: Arc::new(NoObserver),
        scans: Vec::new(),
        config: Arc::new(config),
    };
    let graph = crate::plan::cut(plan)?;
    let (senders, receivers) = row_channels(3);
    let reader = std::thread::spawn(move || receivers.into_iter().flatten().collect::<Vec<_>>());
    let sink = ResultSink::Rows(senders);
    let reports = run_job(&graph, &sink, &context);
    drop(sink);
    let batches = reader.join().unwrap();
    let attempts = reports?.iter().map(|report| report.attempts).sum();
    let values = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_any().downcast_ref::<Int32Array>().unwrap().values().to_vec());
    Ok((values.collect(), attempts))
}

/// The rows of a map-only job and of one with a gather, at 1, 2 and 8 threads, in memory and spilled.
fn check(fault: Fault, failures: u32, expect: std::result::Result<u32, Kind>) {
    for threads in [1, 2, 8] {
        for shuffle_memory in [None, Some(0)] {
            for gather in [false, true] {
                let scan = FaultyScan::plan(fault, failures);
                let plan = if gather { Arc::new(CoalescePartitionsExec::new(scan)) as _ } else { scan };
                let got = run(plan, threads, shuffle_memory);
                let case = format!("{fault:?}, {threads} threads, {shuffle_memory:?}, gather {gather}");
                match expect {
                    Ok(attempts) => {
                        let (values, made) = got.unwrap_or_else(|error| panic!("{case}: {error}"));
                        assert_eq!(values, (0..30).collect::<Vec<_>>(), "{case}");
                        assert_eq!(made, attempts + u32::from(gather), "{case}");
                    }
                    Err(kind) => assert_eq!(got.expect_err(&case).kind(), kind, "{case}"),
                }
            }
        }
    }
}

#[test]
fn without_faults() {
    check(Fault::None, 0, Ok(3));
}

#[test]
fn a_storage_error_is_tried_again_and_no_row_comes_twice() {
    check(Fault::Storage, 2, Ok(5));
}

#[test]
fn a_storage_error_that_stays_fails_the_job() {
    check(Fault::Storage, 99, Err(Kind::Storage));
}

#[test]
fn a_panic_is_tried_again() {
    check(Fault::Panic, 1, Ok(4));
}

#[test]
fn a_panic_that_stays_fails_the_job_and_not_the_process() {
    check(Fault::Panic, 99, Err(Kind::TaskFailed));
}

#[test]
fn corrupt_data_is_not_tried_again() {
    check(Fault::Corrupt, 1, Err(Kind::Data));
}

#[test]
fn tasks_without_memory_are_tried_again_in_an_order_that_the_reader_can_follow() {
    for _ in 0..20 {
        check(Fault::Memory, 0, Ok(5));
    }
}

#[test]
fn a_task_without_memory_waits_until_the_others_have_ended() {
    let plan = Arc::new(CoalescePartitionsExec::new(FaultyScan::plan(Fault::Crowded, 0)));
    let (values, attempts) = run(plan, 2, None).unwrap();
    assert_eq!(values, (0..30).collect::<Vec<_>>());
    assert_eq!(attempts, 5, "three tasks, one of them twice, and the one that gathers");
}
