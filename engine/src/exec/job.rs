//! The driver of one job: stages in order, their tasks on rayon, failed attempts again.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{RecvTimeoutError, Sender, unbounded};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use tokio::runtime::Handle;

use super::cancel::{CancelFlag, interruptible};
use super::range_merge::RangeMergeExec;
use super::shuffle_read::{ShuffleReadExec, ShuffleSource};
use super::sink::{ResultSink, TaskOutput, TaskSink};
use super::sort::sorts_in_memory;
use super::task::{Attempt, Finished};
use crate::config::EngineConfig;
use crate::error::{Error, Kind, Result, codes};
use crate::id::{AttemptId, JobId, TaskId};
use crate::observer::{JobEvent, JobObserver, StageInfo, StageKind, StageProgress};
use crate::plan::stages::{
    RESULT_RANGES_MAX, Stage, StageGraph, StageInputExec, StageInputMode, StageOutput, stable_merge,
};
use crate::shuffle::{PartitionedRows, ShuffleStore};
use crate::table::ScanReport;

/// What a job runs with.
pub struct JobContext {
    pub job: JobId,
    pub config: Arc<EngineConfig>,
    /// `mapreduce.job.reduces`, where the script sets it.
    pub reducers: Option<usize>,
    pub store: Arc<ShuffleStore>,
    pub context: Arc<TaskContext>,
    pub pool: Arc<rayon::ThreadPool>,
    pub runtime: Handle,
    pub cancel: CancelFlag,
    pub observer: Arc<dyn JobObserver>,
    /// What the scans report, for progress.
    pub scans: Vec<Arc<ScanReport>>,
}

/// What a stage did, for EXPLAIN ANALYZE.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageReport {
    pub tasks: u32,
    pub attempts: u32,
    /// Rows that came out of the stage.
    pub rows: u64,
    /// Bytes of map output, as the shuffle measures them; 0 for the last stage.
    pub shuffle_bytes: u64,
    pub elapsed: Duration,
}

/// How often the driver looks up from waiting: to see a cancel and to tell progress.
const TICK: Duration = Duration::from_millis(50);

/// Runs all stages. On an error, no task is left running when it returns.
pub fn run_job(graph: &StageGraph, sink: &ResultSink, job: &JobContext) -> Result<Vec<StageReport>> {
    let started = Instant::now();
    let infos: Vec<StageInfo> = graph.stages.iter().map(crate::plan::explain::stage_info).collect();
    job.observer.observe(JobEvent::JobStarted { job: job.job, stages: &infos });
    let mut reports = Vec::with_capacity(graph.stages.len());
    for (stage_idx, stage) in graph.stages.iter().enumerate() {
        reports.push(StageRun::new(stage, sink, job)?.run()?);
        for input in &stage.inputs {
            let read_later = graph.stages[stage_idx + 1..].iter().any(|later| later.inputs.contains(input));
            if !read_later {
                job.store.release(*input);
            }
        }
    }
    job.observer.observe(JobEvent::JobFinished { job: job.job, elapsed: started.elapsed() });
    Ok(reports)
}

/// One stage while it runs.
struct StageRun<'a> {
    stage: &'a Stage,
    job: &'a JobContext,
    sink: &'a ResultSink,
    plan: Arc<dyn ExecutionPlan>,
    n_tasks: usize,
    /// Tasks that wait, with the attempt they are at.
    waiting: VecDeque<(TaskId, AttemptId)>,
    running: usize,
    /// Rows of tasks that are done.
    done: BTreeMap<TaskId, u64>,
    attempts: u32,
    /// Tasks that may run side by side: all threads, and one once memory did not suffice.
    running_max: usize,
    enough: CancelFlag,
    started: Instant,
    told: Option<Instant>,
}

/// What a task thread tells the driver.
struct TaskEnd {
    task: TaskId,
    attempt: AttemptId,
    result: Result<Option<Finished>>,
}

impl<'a> StageRun<'a> {
    fn new(stage: &'a Stage, sink: &'a ResultSink, job: &'a JobContext) -> Result<Self> {
        let plan = with_readers(stage, job)
            .and_then(|plan| with_ranges(plan, stage, sink, job))
            .and_then(sorts_in_memory)
            .and_then(interruptible)
            .map_err(Error::from_datafusion)?;
        let n_tasks = plan.output_partitioning().partition_count();
        if let (StageOutput::Result, ResultSink::Rows(senders)) = (&stage.output, sink) {
            senders.truncate(n_tasks);
        }
        Ok(StageRun {
            stage,
            job,
            sink,
            plan,
            n_tasks,
            waiting: (0..n_tasks as u32).map(|task| (TaskId(task), AttemptId(0))).collect(),
            running: 0,
            done: BTreeMap::new(),
            attempts: 0,
            running_max: job.config.threads.max(1),
            enough: CancelFlag::default(),
            started: Instant::now(),
            told: None,
        })
    }

    fn run(mut self) -> Result<StageReport> {
        let id = self.stage.id;
        self.job.observer.observe(JobEvent::StageStarted { stage: id, tasks: self.n_tasks as u32 });
        let (ends, arrivals) = unbounded::<TaskEnd>();
        let mut failure = None;
        loop {
            if failure.is_none() {
                failure = self.start_tasks(&ends).err();
            }
            if self.running == 0 {
                break;
            }
            match arrivals.recv_timeout(TICK) {
                Ok(end) => {
                    self.running -= 1;
                    if let Err(error) = self.accept(end) {
                        // The first error is the cause; tasks that are stopped by it say only that they were stopped.
                        self.enough.cancel();
                        failure.get_or_insert(error);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tell_progress();
        }
        if let Some(error) = failure {
            return Err(error);
        }
        self.job.cancel.check()?;
        let report = StageReport {
            tasks: self.n_tasks as u32,
            attempts: self.attempts,
            rows: self.done.values().sum(),
            shuffle_bytes: self.job.store.stats(id).iter().map(|partition| partition.bytes).sum(),
            elapsed: self.started.elapsed(),
        };
        let progress = self.progress();
        self.job.observer.observe(JobEvent::StageFinished { stage: id, progress, elapsed: report.elapsed });
        Ok(report)
    }

    fn start_tasks(&mut self, ends: &Sender<TaskEnd>) -> Result<()> {
        self.job.cancel.check()?;
        while !self.enough.is_cancelled() {
            let Some((task, attempt)) = self.waiting.front().copied() else {
                break;
            };
            // Where a reader takes rows in task order, the first task that is not done never waits for others: they wait for
            // the reader, who waits for it. Elsewhere it would take its attempts while others still hold the memory.
            let is_awaited = self.gives_rows() && (0..task.0).all(|earlier| self.done.contains_key(&TaskId(earlier)));
            if self.running >= self.running_max && !is_awaited {
                break;
            }
            self.waiting.pop_front();
            self.start_task(task, attempt, ends)?;
        }
        Ok(())
    }

    /// Whether the rows of this stage go to a reader as they come.
    fn gives_rows(&self) -> bool {
        matches!((&self.stage.output, self.sink), (StageOutput::Result, ResultSink::Rows(_)))
    }

    fn start_task(&mut self, task: TaskId, attempt: AttemptId, ends: &Sender<TaskEnd>) -> Result<()> {
        let plan = match attempt.0 {
            0 => Arc::clone(&self.plan),
            // Joins keep errors of their build side: a later attempt needs a plan without memory.
            _ => reset_plan_states(Arc::clone(&self.plan)).map_err(Error::from_datafusion)?,
        };
        let run = Attempt {
            sink: self.task_sink(task, attempt)?,
            plan,
            partition: task.0 as usize,
            context: Arc::clone(&self.job.context),
            runtime: self.job.runtime.clone(),
            cancel: self.job.cancel.clone(),
            enough: self.enough.clone(),
        };
        let ends = ends.clone();
        self.attempts += 1;
        self.running += 1;
        self.job.pool.spawn(move || {
            let result = run.run();
            // The driver waits for every task that it started, so there is someone to tell.
            let _ = ends.send(TaskEnd { task, attempt, result });
        });
        Ok(())
    }

    fn task_sink(&self, task: TaskId, attempt: AttemptId) -> Result<TaskSink> {
        let writer =
            |n_partitions| self.job.store.start(self.stage.id, task, attempt, self.plan.schema(), n_partitions);
        Ok(match (&self.stage.output, self.sink) {
            (StageOutput::Hash { keys, partitions }, _) => TaskSink::Hash {
                writer: writer(*partitions),
                keys: keys.clone(),
                partitions: *partitions as u32,
                rows: PartitionedRows::default(),
            },
            (StageOutput::Gather { .. }, _) => TaskSink::Gather(writer(1)),
            (StageOutput::Result, ResultSink::Rows(senders)) => TaskSink::Rows {
                sender: senders.get(task)?,
                rows_seen: 0,
                cancel: self.job.cancel.clone(),
                enough: self.enough.clone(),
            },
            (StageOutput::Result, ResultSink::Files(output)) => {
                TaskSink::Files { output: Arc::clone(output), task, attempt, writer: None, preview: Vec::new() }
            }
        })
    }

    fn accept(&mut self, end: TaskEnd) -> Result<()> {
        let TaskEnd { task, attempt, result } = end;
        match result {
            Ok(None) => Ok(()),
            Ok(Some(finished)) => {
                self.commit(task, finished.output)?;
                self.done.insert(task, finished.rows);
                if let StageOutput::Gather { fetch: Some(fetch) } = self.stage.output
                    && self.rows_of_first_tasks() >= fetch as u64
                {
                    self.enough.cancel();
                }
                Ok(())
            }
            Err(error) if self.may_retry(&error, attempt) => {
                let stage = self.stage.id;
                self.job.observer.observe(JobEvent::TaskRetried { stage, task, attempt, error: &error });
                let next = (task, AttemptId(attempt.0 + 1));
                if error.kind() == Kind::ResourceLimit {
                    self.running_max = 1;
                }
                // In task order: the first task that is not done must be the first to start.
                let at = self.waiting.partition_point(|(waiting, _)| *waiting < task);
                self.waiting.insert(at, next);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Tried again is what may go better: storage, panics, and memory that others held.
    fn may_retry(&self, error: &Error, attempt: AttemptId) -> bool {
        if attempt.0 + 1 >= self.job.config.attempts_max || self.job.cancel.is_cancelled() {
            return false;
        }
        match error.kind() {
            Kind::Storage => true,
            Kind::TaskFailed => error.code() == codes::TASK_PANICKED,
            Kind::ResourceLimit => error.code() == codes::MEMORY_LIMIT && (attempt.0 == 0 || self.running > 0),
            _ => false,
        }
    }

    fn commit(&mut self, task: TaskId, output: TaskOutput) -> Result<()> {
        match output {
            TaskOutput::Shuffle(output) => {
                self.job.store.commit(*output);
            }
            TaskOutput::Rows => {
                if let ResultSink::Rows(senders) = self.sink {
                    senders.close(task);
                }
            }
            TaskOutput::File { file, preview } => {
                if let ResultSink::Files(output) = self.sink {
                    output.keep_preview(task, preview);
                    if let Some(file) = file {
                        output.committer.commit_task(file)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Rows of the tasks from the first on without a gap: the same rows whichever task was faster.
    fn rows_of_first_tasks(&self) -> u64 {
        self.done
            .iter()
            .enumerate()
            .take_while(|(idx, (task, _))| task.0 as usize == *idx)
            .map(|(_, (_, rows))| rows)
            .sum()
    }

    fn progress(&self) -> StageProgress {
        let mut progress = StageProgress {
            tasks_done: self.done.len() as u32,
            tasks_total: self.n_tasks as u32,
            attempts: self.attempts,
            ..StageProgress::default()
        };
        if self.stage.kind() == StageKind::Map {
            for scan in &self.job.scans {
                let (rows, bytes) = scan.progress();
                progress.rows += rows;
                progress.bytes += bytes;
                progress.bytes_total += scan.bytes_total;
            }
        } else {
            progress.rows = self.done.values().sum();
        }
        progress
    }

    fn tell_progress(&mut self) {
        if self.told.is_some_and(|told| told.elapsed() < Duration::from_millis(100)) {
            return;
        }
        self.told = Some(Instant::now());
        let progress = self.progress();
        self.job.observer.observe(JobEvent::StageProgress { stage: self.stage.id, progress });
    }
}

/// The stage's plan with readers in place of the stages it reads.
///
/// How many reducers there are follows from the measured map output, never from the machine.
fn with_readers(stage: &Stage, job: &JobContext) -> DfResult<Arc<dyn ExecutionPlan>> {
    let ranges = reducer_ranges(stage, job);
    Arc::clone(&stage.plan)
        .transform_up(|node| {
            let Some(input) = node.downcast_ref::<StageInputExec>() else {
                return Ok(stable_merge(node));
            };
            let source = match input.mode {
                StageInputMode::Partitions => ShuffleSource::Partitions(ranges.clone()),
                StageInputMode::All => ShuffleSource::Partitions(std::iter::once(0..1).collect()),
                StageInputMode::Tasks => ShuffleSource::Tasks(job.store.tasks(input.stage)),
            };
            Ok(Transformed::yes(Arc::new(ShuffleReadExec::new(Arc::clone(&job.store), source, input)) as _))
        })
        .data()
}

/// The same plan with its merge of sorted runs divided into ranges, as many as the measured map output needs, if its rows
/// are the result.
fn with_ranges(
    plan: Arc<dyn ExecutionPlan>,
    stage: &Stage,
    sink: &ResultSink,
    job: &JobContext,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let Some(input) = stage.merged_result() else { return Ok(plan) };
    let stats = job.store.stats(input);
    let bytes: u64 = stats.iter().map(|partition| partition.bytes).sum();
    let n_rows = stats.iter().map(|partition| partition.rows).sum();
    let bytes_max = match sink {
        ResultSink::Files(_) => job.config.sorted_file_bytes(),
        ResultSink::Rows(_) => job.config.sorted_rows_bytes(),
    };
    let n_ranges = bytes.div_ceil(bytes_max.max(1)).clamp(1, RESULT_RANGES_MAX as u64) as usize;
    if n_ranges == 1 {
        return Ok(plan);
    }
    plan.transform_up(|node| {
        let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>() else {
            return Ok(Transformed::no(node));
        };
        let runs: Vec<_> = job.store.tasks(input).into_iter().filter_map(|task| job.store.run(input, task)).collect();
        let ranges = job.pool.install(|| RangeMergeExec::try_new(merge, runs, n_rows, n_ranges))?;
        Ok(ranges.map_or(Transformed::no(Arc::clone(&node)), |ranges| Transformed::yes(Arc::new(ranges) as _)))
    })
    .data()
}

/// The shuffle partitions of each reducer of a stage: neighbours, as evenly as they can be divided.
fn reducer_ranges(stage: &Stage, job: &JobContext) -> Vec<Range<u32>> {
    let mut bytes = 0;
    let mut n_partitions = 1;
    let _ = stage.plan.apply(|node| {
        if let Some(input) = node.downcast_ref::<StageInputExec>()
            && input.mode == StageInputMode::Partitions
        {
            bytes += job.store.stats(input.stage).iter().map(|partition| partition.bytes).sum::<u64>();
            n_partitions = n_partitions.max(node.output_partitioning().partition_count());
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    let n_needed = |bytes_max: u64| usize::try_from(bytes.div_ceil(bytes_max.max(1))).unwrap_or(usize::MAX);
    let n_reducers = match job.reducers {
        Some(reducers) => reducers,
        None if stage.division_shows => n_needed(job.config.reducer_bytes),
        // A power of two divides 32 partitions evenly, and mostly the threads.
        None => {
            let n_needed = n_needed(job.config.reducer_bytes.min(job.config.inner_reducer_bytes()));
            n_needed.min(n_partitions).next_power_of_two()
        }
    };
    let n_reducers = n_reducers.clamp(1, n_partitions);
    (0..n_reducers)
        .map(|reducer| (reducer * n_partitions / n_reducers) as u32..((reducer + 1) * n_partitions / n_reducers) as u32)
        .collect()
}
