//! `logq run`, `logq -e`, `logq -f` and SQL from standard input.
//!
//! Follows Hive's command: init scripts first, then statements in order; the first that fails stops the run, unless
//! `hive.cli.errors.ignore` is true. Then the exit code is that of the first failure, where Hive's is the last one's.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use clap::Args;
use logq_engine::error::{Error, Kind, Result, SourceText, codes};
use logq_engine::observer::{JobObserver, JobSummary, OutputSummary, PlanSummary};
use logq_engine::{ClientCommand, Files, Namespace, Outcome, Piece, RowStream, Session, Storage, split_script};

use super::script::Script;
use super::shell_command;
use crate::args::{ErrorFormat, Format, LogFormat, Options, ProgressMode};
use crate::diagnostics::{self, Circumstances, Style};
use crate::exit_code;
use crate::interrupt::Interrupt;
use crate::progress::{Loudness, Manner, Progress, Show};
use crate::render::{self, Layout, RowWriter};
use crate::secrets;
use crate::settings::{self, Binding, Environment, Settings};
use crate::stats::{self, Stats};

/// Runs Hive scripts, one after the other
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The scripts, `-` for standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub options: Options,
}

/// Files that `source` may open inside each other; a file that sources itself would not end.
const SOURCE_DEPTH_MAX: usize = 32;

/// Runs what the options ask for and returns the exit code.
///
/// Errors: the one that stopped the run; those that `hive.cli.errors.ignore` let pass were printed.
pub fn run(options: &Options, files: Vec<String>, environment: &Environment) -> Result<u8> {
    let settings = settings::load(options, environment)?;
    let storage = Storage::new(&settings.engine);
    let results = Files::over(storage.clone(), &settings.engine.working_dir);
    let mut stats = options.stats_json.is_some().then(|| Stats::new(environment));
    let ended = run_scripts(options, files, settings, storage, environment, &mut stats);
    let (Some(stats), Some(file)) = (stats, &options.stats_json) else { return ended };
    let code = ended.as_ref().map_or_else(exit_code::of, |code| *code);
    let written = results.write(file, stats.document(code, ended.as_ref().err()).as_bytes());
    // The run's own failure is the one to tell.
    ended.and_then(|code| written.map(|()| code))
}

fn run_scripts(
    options: &Options,
    files: Vec<String>,
    settings: Settings,
    storage: Storage,
    environment: &Environment,
    stats: &mut Option<Stats<'_>>,
) -> Result<u8> {
    let read = |names: &[String]| -> Result<Vec<Script>> {
        names.iter().map(|name| Script::of_file(name, &environment.working_dir, &storage)).collect()
    };
    // A missing file must be known before the first statement runs.
    let init = read(&options.init)?;
    let names: Vec<String> = options.file.iter().cloned().chain(files).collect();
    let scripts = match (options.execute.is_empty(), names.is_empty()) {
        (false, false) => return Err(Error::new(codes::USAGE, "`-e` and script files exclude each other")),
        (false, true) => options.execute.iter().map(|text| Script::of_command_line(text)).collect(),
        (true, false) => read(&names)?,
        (true, true) if environment.stdin_is_terminal => {
            return Err(Error::new(codes::USAGE, "there is nothing to run, and logq has no interactive shell yet")
                .with_hint(
                    "`logq run FILE` runs a script, `logq -e 'SELECT …'` a statement, and `logq -h` lists more",
                ));
        }
        (true, true) => vec![Script::of_stdin()?],
    };

    let mut runner = Runner::new(options, settings, storage, environment, stats)?;
    let stopped = runner.run_all(&init, &scripts);
    // Bars must not stay behind, whatever happened.
    runner.progress.reset();
    let flushed = runner.out.flush().map_err(Stop::of_stdout);
    let ended = match stopped.and(flushed) {
        Ok(()) => Ok(runner.first_failure.unwrap_or(0)),
        // The reader has seen enough: a quiet success.
        Err(Stop::StdoutClosed) => Ok(0),
        Err(Stop::Failed(error)) => Err(error),
    };
    runner.end(ended)
}

/// Why a run ends early.
enum Stop {
    Failed(Error),
    /// Nobody reads our rows any more.
    StdoutClosed,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

impl Stop {
    fn of_stdout(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            return Stop::StdoutClosed;
        }
        // A writer of rows wraps an error of the engine, which is better told than the wrapper.
        match error.downcast::<Error>() {
            Ok(error) => Stop::Failed(error),
            Err(error) => {
                Stop::Failed(Error::new(codes::STORAGE, "cannot write to standard output").with_source(error))
            }
        }
    }
}

/// Whether a script goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Quit,
}

struct Runner<'a, 'b> {
    options: &'a Options,
    environment: &'a Environment,
    settings: Settings,
    session: Session,
    storage: Storage,
    progress: Arc<Progress>,
    interrupt: Interrupt,
    out: BufWriter<io::Stdout>,
    style: Style,
    first_failure: Option<u8>,
    /// What the statement that runs has done, once that is known.
    done: Done,
    stats: &'a mut Option<Stats<'b>>,
    /// What a dry run has planned.
    planned: Vec<PlanSummary>,
}

#[derive(Default)]
struct Done {
    summary: Option<JobSummary>,
    n_rows: Option<u64>,
}

impl<'a, 'b> Runner<'a, 'b> {
    fn new(
        options: &'a Options,
        settings: Settings,
        storage: Storage,
        environment: &'a Environment,
        stats: &'a mut Option<Stats<'b>>,
    ) -> Result<Self> {
        let show = match settings.progress {
            _ if options.silent => Show::Nothing,
            ProgressMode::Json => Show::Json,
            ProgressMode::Never => Show::Nothing,
            _ if environment.stderr_is_terminal && !environment.is_dumb() => Show::Bars,
            ProgressMode::Auto => Show::Nothing,
            ProgressMode::Always => Show::Lines,
        };
        let loudness = match (options.silent, options.verbose) {
            (true, _) => Loudness::Silent,
            (false, true) => Loudness::Verbose,
            (false, false) => Loudness::Normal,
        };
        let style = Style::new(settings.presentation.color);
        let manner =
            Manner { with_time: settings.presentation.log_format == LogFormat::Json, speaks_hive: options.speaks_hive };
        let progress = Arc::new(Progress::new(show, manner, loudness, style));
        let interrupt = Interrupt::install()?;
        let observer: Arc<dyn JobObserver> = progress.clone();
        let mut session = Session::over(storage.clone(), settings.engine.clone(), observer)?;
        interrupt.cancels(session.cancel_handle());
        let speaker = Arc::clone(&progress);
        interrupt.last_words(move || speaker.say_warning(UNFINISHED));
        if options.stop_with_stdin {
            interrupt.stop_with_stdin();
        }
        if let Some(limit) = settings.timeout {
            interrupt.limit_time(limit);
        }
        for (name, value) in &environment.variables {
            session.set_variable(Namespace::Env, name, value)?;
        }
        let bound = [
            (Namespace::System, &settings.systems),
            (Namespace::Hivevar, &settings.hivevars),
            (Namespace::Hiveconf, &settings.hiveconfs),
        ];
        for (namespace, bindings) in bound {
            for Binding { key, value, origin } in bindings {
                session
                    .set_variable(namespace, key, value)
                    .map_err(|error| error.with_hint(format!("`{key}` is set by {origin}")))?;
            }
        }
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Ok(Runner {
            options,
            environment,
            settings,
            session,
            storage,
            progress,
            interrupt,
            out,
            style,
            first_failure: None,
            done: Done::default(),
            stats,
            planned: Vec::new(),
        })
    }

    /// Says what stopped the run, as what it was. Gives the exit code.
    fn end(self, ended: Result<u8>) -> Result<u8> {
        let ended = match (ended, self.interrupt.exit_code()) {
            (Err(error), Some(exit_code::RESOURCE_LIMIT)) if is_stop(&error) => Err(self.out_of_time()),
            (Err(error), Some(code)) if is_stop(&error) => {
                self.say_error(&error);
                Ok(code)
            }
            (ended, _) => ended,
        };
        if let Err(error) = &ended {
            self.progress.say_as_hive(|| diagnostics::hive::failed(error));
        }
        ended
    }

    fn out_of_time(&self) -> Error {
        let limit = self.settings.timeout.unwrap_or_default();
        let error = Error::new(codes::TIME_LIMIT, format!("not done after {}", diagnostics::duration(limit)));
        error.with_hint("`--timeout` sets the limit")
    }

    fn run_all(&mut self, init: &[Script], scripts: &[Script]) -> Result<(), Stop> {
        if let Some(database) = &self.settings.database {
            let text = format!("USE `{}`", database.replace('`', "``"));
            let source = SourceText { name: "--database".into(), text };
            self.run_script(&Script { source: Arc::new(source), is_file: false }, 0)?;
        }
        let loudness = self.progress.set_loudness(Loudness::Silent);
        for script in init {
            if self.run_script(script, 0)? == Flow::Quit {
                return Ok(());
            }
        }
        self.progress.set_loudness(loudness);
        for script in scripts {
            if self.run_script(script, 0)? == Flow::Quit {
                break;
            }
        }
        if self.options.dry_run && !self.is_json() {
            let total = diagnostics::planned_total(&self.planned);
            self.out.write_all(total.as_bytes()).map_err(Stop::of_stdout)?;
        }
        Ok(())
    }

    fn run_script(&mut self, script: &Script, depth: usize) -> Result<Flow, Stop> {
        let source = &script.source;
        let pieces = split_script(source, script.is_file).map_err(|error| error.in_source(source))?;
        for piece in &pieces {
            self.interrupt.check()?;
            match self.watch_statement(source, piece, depth) {
                Ok(Flow::Continue) => {}
                Ok(Flow::Quit) => return Ok(Flow::Quit),
                Err(Stop::Failed(error)) if self.goes_on_after(&error) => {
                    self.first_failure.get_or_insert(exit_code::of(&error));
                    self.progress.reset();
                    self.progress.say_as_hive(|| diagnostics::hive::failed(&error));
                    self.say_error(&error);
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(Flow::Continue)
    }

    fn goes_on_after(&self, error: &Error) -> bool {
        !is_stop(error) && self.is_true("hive.cli.errors.ignore")
    }

    /// Runs a statement, and keeps for the statistics what it did.
    fn watch_statement(&mut self, source: &Arc<SourceText>, piece: &Piece, depth: usize) -> Result<Flow, Stop> {
        self.done = Done::default();
        let running = self.stats.as_ref().map(Stats::begin);
        let result = self.run_statement(source, piece, depth);
        let done = std::mem::take(&mut self.done);
        if let (Some(stats), Some(running)) = (self.stats.as_mut(), running) {
            let finished = stats::Finished {
                source: (&source.name, diagnostics::line_of(&source.text, piece.span)),
                text: statement_text(source, piece),
                summary: done.summary.as_ref(),
                result_rows: done.n_rows,
                error: match &result {
                    Err(Stop::Failed(error)) => Some(error),
                    _ => None,
                },
            };
            stats.end(&running, &finished);
        }
        result
    }

    fn run_statement(&mut self, source: &Arc<SourceText>, piece: &Piece, depth: usize) -> Result<Flow, Stop> {
        self.progress.reset();
        let text = statement_text(source, piece);
        secrets::learn_statement(text);
        if self.progress.loudness() == Loudness::Verbose {
            self.progress.say_statement(text);
        }
        let started = Instant::now();
        let outcome = match self.options.dry_run {
            true => self.session.dry_run(source, piece),
            false => self.session.execute(source, piece),
        };
        let outcome = match outcome.map_err(|error| error.in_source(source)) {
            Err(error) if self.may_read_what_is_not_there_yet(&error) => {
                self.print_unplanned(&error, source, piece)?;
                return Ok(Flow::Continue);
            }
            outcome => outcome?,
        };
        match outcome {
            Outcome::Done => {
                if !diagnostics::hive::is_client_command(text) {
                    self.say_ok(started.elapsed(), 0);
                }
            }
            Outcome::Rows(rows) => {
                self.print_rows(rows, source)?;
                if !diagnostics::hive::is_client_command(text) {
                    self.say_ok(started.elapsed(), self.done.n_rows.unwrap_or(0));
                }
            }
            Outcome::Written(summary) => {
                for output in &summary.outputs {
                    self.progress
                        .say_as_hive(|| format!("Moving data to directory {}\n", diagnostics::printable(&output.path)));
                }
                self.say_summary(&summary, None);
                self.say_ok(started.elapsed(), 0);
            }
            Outcome::Planned(plan) => self.print_plan(plan, source, piece)?,
            Outcome::Client(ClientCommand::Quit) => return Ok(Flow::Quit),
            Outcome::Client(ClientCommand::Shell(_)) if self.options.dry_run => {}
            Outcome::Client(ClientCommand::Shell(command)) => {
                self.run_shell(&command).map_err(|stop| place(stop, source, piece))?;
            }
            Outcome::Client(ClientCommand::Source(file)) => {
                if depth == SOURCE_DEPTH_MAX {
                    let message = format!("`source` is nested more than {SOURCE_DEPTH_MAX} files deep");
                    return Err(place(Error::new(codes::NESTING_DEPTH, message).into(), source, piece));
                }
                let script = Script::of_file(file.trim(), &self.environment.working_dir, &self.storage)
                    .map_err(|error| place(error.into(), source, piece))?;
                return self.run_script(&script, depth + 1);
            }
        }
        Ok(Flow::Continue)
    }

    fn print_rows(&mut self, mut rows: RowStream, source: &Arc<SourceText>) -> Result<(), Stop> {
        let schema = rows.schema();
        let mut writer =
            if rows.is_text() { render::line_writer(&schema) } else { self.row_writer(&schema, &self.layout()) };
        let mut n_rows = 0;
        let mut has_started = false;
        for batch in rows.by_ref() {
            // Rows that were made before the failure stay printed; the exit code says that they are not all.
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    self.out.flush().map_err(Stop::of_stdout)?;
                    return Err(error.in_source(source).into());
                }
            };
            self.interrupt.check()?;
            n_rows += batch.num_rows() as u64;
            if self.environment.stdout_is_terminal {
                self.progress.rows_begin();
            }
            if !has_started {
                writer.start(&mut self.out).map_err(Stop::of_stdout)?;
                has_started = true;
            }
            writer.write(&batch, &mut self.out).map_err(Stop::of_stdout)?;
            // Whoever reads along should not wait for the end.
            self.out.flush().map_err(Stop::of_stdout)?;
        }
        self.progress.rows_begin();
        if !has_started {
            writer.start(&mut self.out).map_err(Stop::of_stdout)?;
        }
        writer.finish(&mut self.out).and_then(|()| self.out.flush()).map_err(Stop::of_stdout)?;
        self.done.n_rows = Some(n_rows);
        self.say_summary(rows.summary(), Some(n_rows));
        Ok(())
    }

    /// Prints what a dry run would read and write.
    fn print_plan(&mut self, plan: PlanSummary, source: &SourceText, piece: &Piece) -> Result<(), Stop> {
        let line = diagnostics::line_of(&source.text, piece.span);
        let text = match self.is_json() {
            true => format!("{}\n", diagnostics::planned_json(&source.name, line, &plan)),
            false => diagnostics::planned(&format!("{}:{line}", source.name), &plan),
        };
        self.planned.push(plan);
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).map_err(Stop::of_stdout)
    }

    /// Whether a statement of a dry run misses what an earlier one would have written.
    fn may_read_what_is_not_there_yet(&self, error: &Error) -> bool {
        self.options.dry_run
            && error.kind() == Kind::NotFound
            && self
                .planned
                .iter()
                .any(|plan| plan.output.as_ref().is_some_and(|output| error.message().contains(output)))
    }

    fn print_unplanned(&mut self, error: &Error, source: &SourceText, piece: &Piece) -> Result<(), Stop> {
        let what = format!("not known before an earlier statement has run: {}", error.message());
        self.print_plan(PlanSummary { warnings: vec![what], ..PlanSummary::default() }, source, piece)
    }

    fn is_json(&self) -> bool {
        matches!(self.settings.format, Format::Json | Format::Jsonl)
    }

    fn say_ok(&self, elapsed: Duration, n_rows: u64) {
        self.progress.say_as_hive(|| format!("OK\n{}", diagnostics::hive::time_taken(elapsed, n_rows)));
    }

    fn row_writer(&self, schema: &SchemaRef, layout: &Layout) -> Box<dyn RowWriter> {
        let unique_names = self
            .session
            .setting("hive.resultset.use.unique.column.names")
            .is_none_or(|value| !value.trim().eq_ignore_ascii_case("false"));
        render::row_writer(&render::named_columns(schema, layout.format, unique_names), layout)
    }

    /// Decided for each statement, since a script may say `SET hive.cli.print.header=true` on its way.
    fn layout(&self) -> Layout {
        let format = match self.settings.format {
            Format::Auto if self.environment.stdout_is_terminal => Format::Table,
            Format::Auto => Format::Tsv,
            format => format,
        };
        let header = self.settings.header.unwrap_or_else(|| match format {
            Format::Tsv => self.is_true("hive.cli.print.header"),
            _ => true,
        });
        Layout { format, header, null: self.settings.null.clone(), width: self.environment.columns() }
    }

    fn is_true(&self, key: &str) -> bool {
        self.session.setting(key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Runs a command of `!`; its standard output is ours, as rows are.
    fn run_shell(&mut self, command: &str) -> Result<(), Stop> {
        self.out.flush().map_err(Stop::of_stdout)?;
        Ok(shell_command::run(command, &self.environment.working_dir, &self.interrupt)?)
    }

    fn say_error(&self, error: &Error) {
        match self.settings.presentation.error_format {
            ErrorFormat::Json => self.progress.say_json(diagnostics::error_json(error)),
            format => self.progress.say(&diagnostics::error(error, format, self.style)),
        }
    }

    /// After a statement that read or wrote something; the rest has nothing to report.
    fn say_summary(&mut self, summary: &JobSummary, n_rows: Option<u64>) {
        if self.stats.is_some() {
            self.done.summary = Some(summary.clone());
        }
        let is_empty = summary.inputs.is_empty() && summary.outputs.is_empty() && summary.warnings.is_empty();
        match (self.progress.show(), self.progress.loudness()) {
            (_, Loudness::Silent) => {}
            _ if is_empty => {}
            (Show::Json, _) => self.progress.say_json(diagnostics::summary_json(summary, n_rows)),
            _ => {
                let circumstances = Circumstances {
                    n_rows,
                    has_said: &|text| self.progress.has_said(text),
                    preview: &|output| self.preview(output),
                };
                self.progress.say(&diagnostics::summary(summary, &circumstances, self.style));
            }
        }
    }

    /// The first rows of an output as a table, on a terminal.
    fn preview(&self, output: &OutputSummary) -> String {
        let Some((schema, batches)) = &output.preview else { return String::new() };
        if !self.environment.stderr_is_terminal || output.rows == 0 {
            return String::new();
        }
        let layout = Layout { format: Format::Table, header: true, ..self.layout() };
        let mut text = Vec::new();
        let mut writer = self.row_writer(schema, &layout);
        let written = writer
            .start(&mut text)
            .and_then(|()| batches.iter().try_for_each(|batch| writer.write(batch, &mut text)))
            .and_then(|()| writer.finish(&mut text));
        debug_assert!(written.is_ok(), "memory takes all that is written to it");
        let n_more = output.rows.saturating_sub(batches.iter().map(|batch| batch.num_rows() as u64).sum());
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if n_more > 0 {
            text.push_str(&format!("and {} more\n", diagnostics::plural(n_more, "row")));
        }
        text
    }
}

/// Whether an error says that somebody stopped the run.
/// Said when the process ends while a job has not stopped, as when a server does not answer.
const UNFINISHED: &str = "ended before everything was cleared away: the next run on the same output, or `logq gc PATH`, \
     finishes or undoes what was begun";

fn is_stop(error: &Error) -> bool {
    exit_code::of(error) == exit_code::INTERRUPTED
}

fn statement_text<'a>(source: &'a SourceText, piece: &Piece) -> &'a str {
    source.text.get(piece.span.range()).unwrap_or_default().trim()
}

/// Places an error of a client command at its statement.
fn place(stop: Stop, source: &Arc<SourceText>, piece: &Piece) -> Stop {
    match stop {
        Stop::Failed(error) => Stop::Failed(error.at(piece.span).in_source(source)),
        closed => closed,
    }
}
