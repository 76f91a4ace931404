//! The façade: settings + catalog + `execute`.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use sqlparser::ast;
use tokio::runtime::Runtime;

use crate::catalog::Catalog;
use crate::config::{EngineConfig, ExecutionMode};
use crate::error::{Error, Result, SourceText, codes};
use crate::exec::{self, CancelFlag, FileOutput, JobContext, PoolBudget, ResultSink, StageReport, UploadMemory};
use crate::hiveql::{self, Command, ExplainMode, Insert, InsertTarget, Parsed, Piece, RowFormat, SourceMap, Statement};
use crate::id::JobId;
use crate::observer::{
    InputSummary, JobObserver, JobSummary, OutputFile, OutputSummary, PlanSummary, PlannedInput, Requests,
};
use crate::output::{self, Committer, Stop, SuccessInfo, WorkPlaces};
use crate::plan::show::TextRows;
use crate::plan::stages::Stage;
use crate::plan::{self, PlanContext, QueryPlan, StageGraph, ddl, explain, show};
use crate::rows::RowStream;
use crate::serdes::{self, TableSerde};
use crate::settings::{self, Namespace, Settings};
use crate::shuffle::ShuffleStore;
use crate::storage::filesystem::LocalFileSystem;
use crate::storage::{RequestCounts, ScratchDirectory, Storage, StoragePath};
use crate::table::ScanReports;

/// One user's engine: a catalog, settings, and one statement after the other.
pub struct Session {
    catalog: Catalog,
    settings: Settings,
    storage: Storage,
    observer: Arc<dyn JobObserver>,
    cancel: CancelFlag,
    runtime: Arc<Runtime>,
    pool: Arc<rayon::ThreadPool>,
    memory: Arc<dyn MemoryPool>,
    environment: Arc<RuntimeEnv>,
    /// Dropped last: what the others spilled lies in it.
    scratch: ScratchDirectory,
}

/// Stops the running job from another thread.
#[derive(Debug, Clone)]
pub struct CancelHandle(CancelFlag);

impl CancelHandle {
    /// Asks the job to stop; it does within a batch.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// What a statement led to.
pub enum Outcome {
    /// DDL, SET k=v: nothing to show.
    Done,
    /// Rows to show.
    Rows(RowStream),
    /// INSERT: what was read and written.
    Written(JobSummary),
    /// A query or an INSERT that was planned and not run.
    Planned(PlanSummary),
    /// A line that only the command can carry out.
    Client(ClientCommand),
}

/// What Hive's command line does itself, and so does ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCommand {
    /// `source FILE`.
    Source(String),
    /// `!command`.
    Shell(String),
    /// `quit`, `exit`.
    Quit,
}

/// Stack of a task thread: expressions are evaluated by recursion.
const TASK_STACK_BYTES: usize = 8 << 20;

fn task_threads(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|idx| format!("logq-task-{idx}"))
        .stack_size(TASK_STACK_BYTES)
        .build()
        .map_err(|error| Error::internal("the task threads cannot start").with_source(error))
}

/// What DataFusion's pool leaves for everything that nobody accounts: 15 % of the limit.
fn pool_bytes(memory_limit: u64) -> usize {
    usize::try_from(memory_limit - memory_limit / 100 * 15).unwrap_or(usize::MAX)
}

impl Session {
    /// A session with an empty catalog.
    pub fn new(config: EngineConfig, observer: Arc<dyn JobObserver>) -> Result<Session> {
        Session::over(Storage::new(&config), config, observer)
    }

    /// The same, on a storage that is in use already: its connections and credentials are used again.
    pub fn over(storage: Storage, config: EngineConfig, observer: Arc<dyn JobObserver>) -> Result<Session> {
        let scratch = ScratchDirectory::create(&config.temp_dir)?;
        let memory: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(pool_bytes(config.memory_limit)));
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::clone(&memory))
            .with_temp_file_path(scratch.path())
            .build_arc()
            .map_err(Error::from_datafusion)?;
        let pool = task_threads(config.threads)?;
        Ok(Session {
            catalog: Catalog::default(),
            settings: Settings::new(config),
            storage,
            observer,
            cancel: CancelFlag::default(),
            runtime: Arc::new(crate::bridge::runtime(1)?),
            pool: Arc::new(pool),
            memory,
            environment,
            scratch,
        })
    }

    /// Finishes or undoes what runs that died left at an output, and says how many there were.
    ///
    /// Errors: `OUTPUT_LOCKED` if a run is writing there; those of the storage.
    pub fn collect_garbage(storage: &Storage, dest: &StoragePath, config: &EngineConfig) -> Result<usize> {
        output::collect_garbage(Arc::new(LocalFileSystem), storage, dest, &config.temp_dir)
    }

    /// Gives a variable the value that the session starts with, and that RESET gives back.
    pub fn set_variable(&mut self, namespace: Namespace, key: &str, value: &str) -> Result<()> {
        self.settings.set_initial(namespace, key, value)
    }

    /// The value of a setting of `hiveconf`.
    pub fn setting(&self, key: &str) -> Option<String> {
        self.settings.get(Namespace::Hiveconf, key).map(str::to_string)
    }

    /// A handle for a signal handler.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(self.cancel.clone())
    }

    /// Runs one statement to its end, or up to its first rows.
    ///
    /// Errors: every kind; those about the text carry its place in `source`.
    pub fn execute(&mut self, source: &Arc<SourceText>, piece: &Piece) -> Result<Outcome> {
        self.carry_out(source, piece, Session::run)
    }

    /// As [`execute`](Session::execute), but a query or an INSERT is planned and not run: inputs are listed, nothing is
    /// read or written. What only this session sees (tables, settings) changes as it would.
    pub fn dry_run(&mut self, source: &Arc<SourceText>, piece: &Piece) -> Result<Outcome> {
        self.carry_out(source, piece, |session, statement, map| match statement {
            Statement::Query(query) => session.planned(*query, None, map),
            Statement::Insert(insert) => {
                let (target, query) = single_branch(*insert)?;
                session.planned(query, Some(&target), map)
            }
            Statement::Explain { mode: ExplainMode::Analyze, statement } => {
                session.explain(ExplainMode::Plain, *statement, map)
            }
            other => session.run(other, map),
        })
    }

    fn carry_out(
        &mut self,
        source: &Arc<SourceText>,
        piece: &Piece,
        work: impl FnOnce(&mut Session, Statement, &SourceMap) -> Result<Outcome> + Send,
    ) -> Result<Outcome> {
        let Parsed { statement, map } = hiveql::parse(source, piece, &self.settings)?;
        crate::bridge::on_deep_stack(|| {
            self.cancel.check()?;
            work(self, statement, &map)
        })
        .map_err(|error| error.in_source(source))
    }

    /// What a query would read, and write to `target`.
    fn planned(&self, query: ast::Query, target: Option<&InsertTarget>, map: &SourceMap) -> Result<Outcome> {
        let run = self.plan(query, map)?;
        let output = match target {
            Some(target) => Some(self.directory(target, &run.plan)?.path.display().to_string()),
            None => None,
        };
        let inputs = run.job.scans.iter().map(|scan| PlannedInput {
            table: scan.table.clone(),
            files: scan.files,
            partitions: scan.partitions,
            bytes: scan.bytes_total,
            splits: scan.splits,
            requests: told(scan.requests),
        });
        Ok(Outcome::Planned(PlanSummary { inputs: inputs.collect(), output, warnings: run.plan.warnings.clone() }))
    }

    fn run(&mut self, statement: Statement, map: &SourceMap) -> Result<Outcome> {
        match statement {
            Statement::Query(query) => self.select(*query, map),
            Statement::Insert(insert) => self.insert(*insert, map),
            Statement::Explain { mode, statement } => self.explain(mode, *statement, map),
            Statement::CreateTable(create) => {
                done(ddl::create_table(&mut self.catalog, &create, &self.settings.config))
            }
            Statement::CreateView(create) => done(ddl::create_view(&mut self.catalog, &create)),
            Statement::CreateDatabase(create) => done(ddl::create_database(&mut self.catalog, &create)),
            Statement::Drop(drop) => {
                // Hive: hive.exec.drop.ignorenonexistent is true by default.
                let ignore = self.setting("hive.exec.drop.ignorenonexistent").is_none_or(|value| value != "false");
                done(ddl::drop(&mut self.catalog, &drop, ignore))
            }
            Statement::Use(name) => done(self.catalog.use_database(&name.value).map_err(|error| error.at(name.span))),
            Statement::Show(what) => self.shown(|columns_of| show::show(&self.catalog, &what, columns_of)),
            Statement::Describe(what) => self.shown(|columns_of| show::describe(&self.catalog, &what, columns_of)),
            Statement::Command(command) => {
                self.command(command).map_err(|error| error.at(map.script_span(0..map.text().len())))
            }
            other => Err(Error::new(codes::UNSUPPORTED, format!("{} is not supported yet", construct(&other)))
                .at(map.script_span(0..map.text().len()))),
        }
    }

    fn command(&mut self, command: Command) -> Result<Outcome> {
        match command {
            Command::Set { key, value } => {
                let (namespace, key) = Namespace::split(&key);
                done(self.settings.set(namespace, key, &value))
            }
            Command::ShowSettings { all } => lines("set", self.settings.lines(all)),
            Command::ShowSetting(key) => {
                let (namespace, name) = Namespace::split(&key);
                let line = match self.settings.get(namespace, name) {
                    Some(value) => format!("{key}={}", settings::shown(name, value)),
                    None => format!("{key} is undefined"),
                };
                lines("set", vec![line])
            }
            Command::Reset { key } => done(self.settings.reset(key.as_deref())),
            // Scripts add the jars of SerDes that logq has built in.
            Command::AddResource { .. } | Command::DeleteResource { .. } | Command::Reload => Ok(Outcome::Done),
            Command::ListResources { .. } => lines("resource", Vec::new()),
            Command::Dfs(_) => Err(Error::new(codes::UNSUPPORTED, "dfs is not supported yet")
                .with_hint("`!ls` and its kin run a command of the shell")),
            Command::Shell(command) => Ok(Outcome::Client(ClientCommand::Shell(command))),
            Command::Source(path) => Ok(Outcome::Client(ClientCommand::Source(path))),
            Command::Quit => Ok(Outcome::Client(ClientCommand::Quit)),
        }
    }

    fn select(&mut self, query: ast::Query, map: &SourceMap) -> Result<Outcome> {
        let run = self.plan(query, map)?;
        let columns = Arc::clone(&run.plan.columns);
        let n_tasks = match &run.work {
            Work::Staged(graph) => graph.result_tasks_max(),
            Work::Pipelined(_) => 1,
        };
        let (senders, receivers) = exec::row_channels(n_tasks);
        let cancel = run.job.cancel.clone();
        let driver = std::thread::Builder::new()
            .name("logq-driver".to_string())
            .spawn(move || run.finish(ResultSink::Rows(senders)).map(|(summary, _)| summary))
            .map_err(|error| Error::internal("the job's driver cannot start").with_source(error))?;
        Ok(Outcome::Rows(RowStream::of_job(columns, receivers, driver, cancel)))
    }

    fn insert(&mut self, insert: Insert, map: &SourceMap) -> Result<Outcome> {
        let (target, query) = single_branch(insert)?;
        let run = self.plan(query, map)?;
        let directory = self.directory(&target, &run.plan)?;
        let local = Arc::new(LocalFileSystem);
        let config = &run.job.config;
        let places = WorkPlaces { scratch: self.scratch.path(), temp_dir: &config.temp_dir };
        let job = &run.job.job;
        let cancel = run.job.cancel.clone();
        let stop = Stop::new(move || cancel.cancelled_for());
        let committer = Committer::begin(local, &self.storage, &directory.path, places, job, config.durable, &stop)?;
        let committer = committer.merging(run.merge_bytes());
        let output = Arc::new(FileOutput::new(committer, directory.serde));
        let columns = Arc::clone(&run.plan.columns);
        let query_hash = format!("{:08x}", crc32fast::hash(map.text().as_bytes()));
        let job = run.job.job;
        let requests_before = run.requests_before;
        let (mut summary, _) = run.finish(ResultSink::Files(Arc::clone(&output)))?;
        let preview = output.preview();
        let output =
            Arc::into_inner(output).ok_or_else(|| Error::internal("a task still writes after the job's end"))?;
        let success = success_info(&job, query_hash, &summary);
        let started = Instant::now();
        // The job's own memory is free by now.
        let memory = UploadMemory::take(&self.memory, output::UPLOAD_BYTES_MAX);
        let files = output.into_committer().commit(&success, memory.bytes(), &stop)?;
        summary.elapsed += started.elapsed();
        summary.requests = told(self.storage.requests().since(requests_before));
        summary.outputs.push(OutputSummary {
            path: directory.path.display().to_string(),
            rows: files.iter().map(|file| file.rows).sum(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            files: files
                .into_iter()
                .map(|file| OutputFile { name: file.name, rows: file.rows, bytes: file.bytes })
                .collect(),
            preview: Some((columns, preview)),
        });
        Ok(Outcome::Written(summary))
    }

    fn explain(&mut self, mode: ExplainMode, statement: Statement, map: &SourceMap) -> Result<Outcome> {
        let (query, target) = match statement {
            Statement::Query(query) => (*query, None),
            Statement::Insert(insert) => {
                let (target, query) = single_branch(*insert)?;
                (query, Some(target))
            }
            other => {
                return Err(Error::new(
                    codes::UNSUPPORTED,
                    format!("EXPLAIN of {} is not supported yet", construct(&other)),
                )
                .at(map.script_span(0..map.text().len())));
            }
        };
        let run = self.plan(query, map)?;
        let shown_target = match &target {
            Some(target) => format!("directory {}", self.directory(target, &run.plan)?.path.display()),
            None => "client".to_string(),
        };
        let plan_text = |text: String| lines_of("Explain", &text);
        match mode {
            ExplainMode::Plain | ExplainMode::Extended => {
                let graph = plan::cut(Arc::clone(&run.plan.physical))?;
                plan_text(explain::explain(&graph, &shown_target, &[]))
            }
            ExplainMode::Logical => plan_text(run.plan.logical.display_indent().to_string()),
            ExplainMode::Physical => {
                plan_text(datafusion::physical_plan::displayable(run.plan.physical.as_ref()).indent(false).to_string())
            }
            ExplainMode::Analyze => {
                let Work::Staged(graph) = &run.work else {
                    return Err(Error::new(codes::UNSUPPORTED, "EXPLAIN ANALYZE needs `SET logq.execution=staged`"));
                };
                let (senders, receivers) = exec::row_channels(graph.result_tasks_max());
                let drain = std::thread::spawn(move || receivers.into_iter().flatten().for_each(drop));
                let graph = plan::cut(Arc::clone(&run.plan.physical))?;
                let (summary, reports) = run.finish(ResultSink::Rows(senders))?;
                drain.join().map_err(|_| Error::internal("the reader of EXPLAIN ANALYZE panicked"))?;
                let notes: Vec<_> =
                    graph.stages.iter().zip(&reports).map(|(stage, report)| stage_notes(stage, report)).collect();
                let text = explain::explain(&graph, &shown_target, &notes);
                plan_text(format!("{}\n{}", text.trim_end(), request_note(&summary.requests)))
            }
            ExplainMode::Formatted | ExplainMode::Dependency | ExplainMode::Vectorization | ExplainMode::Other => {
                Err(Error::new(codes::UNSUPPORTED, "this form of EXPLAIN is not supported yet")
                    .at(map.script_span(0..map.text().len()))
                    .with_hint("EXPLAIN, EXPLAIN ANALYZE, EXPLAIN LOGICAL and EXPLAIN PHYSICAL work"))
            }
        }
    }

    /// Plans a query and gathers what its job needs.
    fn plan(&self, query: ast::Query, map: &SourceMap) -> Result<QueryRun> {
        let started = Instant::now();
        let requests_before = self.storage.requests();
        let config = Arc::new(self.settings.config.clone());
        let state = plan::session_state(&config, Arc::clone(&self.environment));
        let reports = ScanReports::default();
        let plan = plan::plan_query(query, map, &self.plan_context(&config, &state, &reports))?;
        let work = match config.execution {
            ExecutionMode::Staged => Work::Staged(plan::cut(Arc::clone(&plan.physical))?),
            ExecutionMode::Pipelined => Work::Pipelined(Arc::clone(&plan.physical)),
        };
        let job = JobId::new();
        let shuffle_bytes = config.shuffle_memory.unwrap_or(u64::MAX).min(pool_bytes(config.memory_limit) as u64 / 2);
        let budget = Arc::new(PoolBudget::new(&self.memory, shuffle_bytes));
        let pool = self.task_pool(config.threads)?;
        let job = JobContext {
            job,
            reducers: self.settings.reducers,
            store: Arc::new(ShuffleStore::new(self.scratch.path(), job, budget)),
            context: state.task_ctx(),
            pool,
            runtime: self.runtime.handle().clone(),
            cancel: self.cancel.child(),
            observer: Arc::clone(&self.observer),
            scans: reports.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            config,
        };
        Ok(QueryRun { plan, work, job, started, storage: self.storage.clone(), requests_before })
    }

    fn plan_context<'a>(
        &'a self,
        config: &Arc<EngineConfig>,
        state: &'a SessionState,
        reports: &ScanReports,
    ) -> PlanContext<'a> {
        PlanContext {
            catalog: &self.catalog,
            config: Arc::clone(config),
            storage: self.storage.clone(),
            state,
            runtime: self.runtime.handle().clone(),
            now: jiff::Timestamp::now(),
            allow_empty_input: self.settings.allow_empty_input,
            reports: Arc::clone(reports),
        }
    }

    /// SHOW or DESCRIBE, which ask for the columns that a view's query gives.
    fn shown(&self, rows: impl FnOnce(&show::ColumnsOf<'_>) -> Result<TextRows>) -> Result<Outcome> {
        let config = Arc::new(self.settings.config.clone());
        let state = plan::session_state(&config, Arc::clone(&self.environment));
        let context = self.plan_context(&config, &state, &ScanReports::default());
        text(rows(&|table| plan::columns_of(table, &context))?)
    }

    /// The session's threads, or others where the script asks for another number.
    fn task_pool(&self, threads: usize) -> Result<Arc<rayon::ThreadPool>> {
        if threads == self.pool.current_num_threads() {
            return Ok(Arc::clone(&self.pool));
        }
        task_threads(threads).map(Arc::new)
    }

    /// The directory of an INSERT, checked against what the query reads.
    fn directory(&self, target: &InsertTarget, plan: &QueryPlan) -> Result<Directory> {
        let InsertTarget::Directory { path: text, row_format, stored_as, .. } = target else {
            return Err(Error::internal("an insert that is not into a directory"));
        };
        if let Some(hiveql::StoredAs::Format(format)) = stored_as
            && !format.value.eq_ignore_ascii_case("textfile")
        {
            let message = format!("STORED AS {} is not supported yet", format.value.to_uppercase());
            return Err(Error::new(codes::UNSUPPORTED_SERDE, message).at(format.span));
        }
        if let Some(hiveql::StoredAs::InputOutput { output, .. }) = stored_as {
            return Err(
                Error::new(codes::UNSUPPORTED_SERDE, "STORED AS OUTPUTFORMAT is not supported yet").at(output.span)
            );
        }
        let properties = match row_format {
            Some(RowFormat::Delimited(delimited)) => ddl::delimited_properties(delimited),
            Some(RowFormat::Serde { class, properties }) if class.value == serdes::LAZY_SIMPLE_SERDE => {
                properties.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect()
            }
            Some(RowFormat::Serde { class, .. }) => {
                let message = format!("writing with the SerDe `{}` is not supported yet", class.value);
                return Err(Error::new(codes::UNSUPPORTED_SERDE, message).at(class.span));
            }
            None => Default::default(),
        };
        let path =
            StoragePath::parse(&text.value, &self.settings.config.working_dir).map_err(|error| error.at(text.span))?;
        if let Some(input) = plan.locations.iter().find(|input| input.overlaps(&path)) {
            let message = format!("the output `{}` overlaps the input `{}`", path.display(), input.display());
            return Err(Error::new(codes::OUTPUT_OVERLAPS_INPUT, message)
                .at(text.span)
                .with_hint("INSERT OVERWRITE replaces the whole directory; write to another one"));
        }
        let serde = serdes::directory_serde(&properties, &plan.columns).map_err(|error| error.at(text.span))?;
        Ok(Directory { path, serde })
    }
}

/// Where an INSERT writes, and how.
struct Directory {
    path: StoragePath,
    serde: Arc<dyn TableSerde>,
}

enum Work {
    Staged(StageGraph),
    Pipelined(Arc<dyn ExecutionPlan>),
}

/// A planned query with all that its job needs.
struct QueryRun {
    plan: QueryPlan,
    work: Work,
    job: JobContext,
    started: Instant,
    storage: Storage,
    /// What was asked of S3 before the query was planned.
    requests_before: RequestCounts,
}

impl QueryRun {
    /// Bytes up to which the files of neighbouring tasks become one. A reducer has its share by size already; a map
    /// task has what its split gave, and all ranges of a sorted result are what one reducer of Hive writes.
    fn merge_bytes(&self) -> u64 {
        match &self.work {
            Work::Staged(graph) if graph.stages.last().is_some_and(|stage| stage.merged_result().is_some()) => u64::MAX,
            Work::Staged(graph) if graph.stages.len() == 1 => self.job.config.reducer_bytes,
            _ => 0,
        }
    }

    /// Runs the job to its end.
    fn finish(self, sink: ResultSink) -> Result<(JobSummary, Vec<StageReport>)> {
        let QueryRun { plan, work, job, started, storage, requests_before } = self;
        let reports = match &work {
            Work::Staged(graph) => exec::run_job(graph, &sink, &job)?,
            Work::Pipelined(plan) => {
                exec::run_pipelined(plan, &sink, &job)?;
                Vec::new()
            }
        };
        let mut summary = JobSummary { warnings: plan.warnings.clone(), ..JobSummary::default() };
        for scan in &job.scans {
            let totals = scan.totals();
            summary.warnings.extend(totals.warnings);
            summary.inputs.push(InputSummary {
                table: scan.table.clone(),
                files: scan.files,
                rows: totals.read.records,
                bytes: totals.read.bytes_read,
                bad_records: totals.bad,
                records_too_long: totals.read.records_too_long,
            });
        }
        check_bad_rows(&summary, job.config.bad_rows_max)?;
        summary.attempts = reports.iter().map(|report| report.attempts).sum();
        summary.retries = reports.iter().map(|report| report.attempts - report.tasks.min(report.attempts)).sum();
        summary.spilled_bytes = job.store.spilled_bytes();
        summary.requests = told(storage.requests().since(requests_before));
        summary.elapsed = started.elapsed();
        Ok((summary, reports))
    }
}

fn check_bad_rows(summary: &JobSummary, bad_rows_max: Option<u64>) -> Result<()> {
    let Some(bad_rows_max) = bad_rows_max else {
        return Ok(());
    };
    for input in &summary.inputs {
        let bad_rows = input.bad_records.malformed + input.records_too_long;
        if bad_rows > bad_rows_max {
            let message = format!(
                "{bad_rows} rows of table `{}` could not be read, and `logq.max_bad_rows` is {bad_rows_max}",
                input.table
            );
            let error = Error::new(codes::MALFORMED_RECORD, message);
            return Err(match &input.bad_records.first_malformed {
                Some(example) => {
                    error.in_file(example.file.clone().unwrap_or_default(), Some(example.byte_offset), None)
                }
                None => error,
            });
        }
    }
    Ok(())
}

fn success_info(job: &JobId, query_hash: String, summary: &JobSummary) -> SuccessInfo {
    let mut success = SuccessInfo { run_id: job.to_string(), query_hash, ..SuccessInfo::default() };
    let mut input = output::InputSummary::default();
    for table in &summary.inputs {
        input.files += table.files;
        input.bytes += table.bytes;
        input.rows += table.rows;
        success.bad_records.malformed += table.bad_records.malformed;
        success.bad_records.failed_conversions += table.bad_records.failed_conversions;
        success.bad_records.invalid_utf8 += table.bad_records.invalid_utf8;
        success.bad_records.too_long += table.records_too_long;
    }
    success.input = input;
    success
}

/// The one output of an INSERT and its query, a FROM before the INSERT put back into the SELECT.
fn single_branch(insert: Insert) -> Result<(InsertTarget, ast::Query)> {
    let Insert { with, from, mut branches } = insert;
    let Some(branch) = branches.pop() else {
        return Err(Error::internal("an insert without an output"));
    };
    if !branches.is_empty() {
        return Err(
            Error::new(codes::UNSUPPORTED, "several INSERTs from one FROM are not supported yet").at(branch.span)
        );
    }
    if let InsertTarget::Table { .. } = branch.target {
        return Err(Error::new(codes::UNSUPPORTED, "INSERT into a table is not supported yet")
            .at(branch.span)
            .with_hint("INSERT OVERWRITE DIRECTORY '…' writes the result as files"));
    }
    if !branch.overwrite {
        return Err(Error::new(codes::UNSUPPORTED, "INSERT INTO a directory is not supported")
            .at(branch.span)
            .with_hint("INSERT OVERWRITE DIRECTORY replaces it"));
    }
    let mut query = *branch.query;
    if let Some(from) = from {
        match query.body.as_mut() {
            ast::SetExpr::Select(select) if select.from.is_empty() => select.from = from,
            _ => {
                return Err(
                    Error::new(codes::SEMANTIC, "a SELECT after FROM … INSERT has no FROM of its own").at(branch.span)
                );
            }
        }
    }
    if let Some(with) = with {
        match &mut query.with {
            None => query.with = Some(with),
            Some(inner) => inner.cte_tables.splice(0..0, with.cte_tables).for_each(drop),
        }
    }
    Ok((branch.target, query))
}

fn stage_notes(stage: &Stage, report: &StageReport) -> Vec<String> {
    let mut notes = vec![format!(
        "tasks: {}, attempts: {}, time: {:.3} s",
        report.tasks,
        report.attempts,
        report.elapsed.as_secs_f64()
    )];
    notes.extend(explain::scan_notes(stage.plan.as_ref()));
    notes.push(format!("rows out: {}", report.rows));
    if report.shuffle_bytes > 0 {
        notes.push(format!("bytes to shuffle: {}", report.shuffle_bytes));
    }
    notes
}

/// As an embedder sees them.
fn told(counts: RequestCounts) -> Requests {
    let RequestCounts { list, get, put, retries, waited } = counts;
    Requests { list, get, put, retries, waited }
}

/// What a job asked of S3, on a line; none if it asked for nothing.
fn request_note(requests: &Requests) -> String {
    let Requests { list, get, put, retries, waited } = *requests;
    match list + get + put {
        0 => String::new(),
        _ => format!(
            "requests to S3: {list} LIST, {get} GET, {put} PUT, {retries} of them again; readers waited {:.3} s\n",
            waited.as_secs_f64()
        ),
    }
}

fn done(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Done)
}

fn text(rows: TextRows) -> Result<Outcome> {
    RowStream::of_text(rows).map(Outcome::Rows)
}

fn lines(column: &'static str, lines: Vec<String>) -> Result<Outcome> {
    text(TextRows { columns: vec![column], rows: lines.into_iter().map(|line| vec![line]).collect(), is_text: true })
}

fn lines_of(column: &'static str, text: &str) -> Result<Outcome> {
    lines(column, text.trim_end().lines().map(str::to_string).collect())
}

fn construct(statement: &Statement) -> &'static str {
    match statement {
        Statement::Query(_) => "a query",
        Statement::Insert(_) => "INSERT",
        Statement::CreateTable(_) => "CREATE TABLE",
        Statement::CreateView(_) => "CREATE VIEW",
        Statement::CreateDatabase(_) => "CREATE DATABASE",
        Statement::CreateFunction(_) => "CREATE FUNCTION",
        Statement::CreateMacro(_) => "CREATE MACRO",
        Statement::Drop(_) => "DROP",
        Statement::AlterTable(_) => "ALTER TABLE",
        Statement::AlterView { .. } => "ALTER VIEW",
        Statement::Truncate { .. } => "TRUNCATE TABLE",
        Statement::Use(_) => "USE",
        Statement::Show(_) => "SHOW",
        Statement::Describe(_) => "DESCRIBE",
        Statement::Explain { .. } => "EXPLAIN",
        Statement::Load(_) => "LOAD DATA",
        Statement::Export { .. } => "EXPORT TABLE",
        Statement::Import { .. } => "IMPORT TABLE",
        Statement::Msck { .. } => "MSCK REPAIR TABLE",
        Statement::Analyze { .. } => "ANALYZE TABLE",
        Statement::Delete(_) => "DELETE",
        Statement::Update(_) => "UPDATE",
        Statement::Merge(_) => "MERGE",
        Statement::Command(_) => "this command",
    }
}
