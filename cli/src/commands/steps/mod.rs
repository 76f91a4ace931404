//! `logq steps FILE`: runs the steps of an EMR job in order, on this machine.
//!
//! Source: EMR's API reference (AddJobFlowSteps) and management guide. Steps run one after the other; what a failure
//! does to the others is its `ActionOnFailure`. A step that logq cannot run is named before the first one runs. Unlike
//! EMR, where only the steps have a state, the run has an exit code: that of the first step that failed.

mod config;
mod logs;
mod process;
mod program;
mod shell;
mod state;

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use jiff::Timestamp;
use logq_engine::Files;
use logq_engine::error::{Error, Kind, Result, codes};
use serde_json::json;

use self::config::StepConfig;
use self::logs::{LogFolder, StepLogs};
use self::process::Ended;
use self::program::Program;
use self::state::{Failure, State, Step};
use crate::args::{LogFormat, Options};
use crate::diagnostics::{self, Style};
use crate::exit_code;
use crate::interrupt::Interrupt;
use crate::secrets;
use crate::settings::{self, Environment, Presentation, Settings};
use crate::stderr;

/// Runs EMR steps: the JSON that `aws emr add-steps --steps`, its API and EMR Serverless take
#[derive(Debug, ClapArgs)]
pub struct StepsArgs {
    /// The steps: a JSON file or URL, `-` for standard input, or aws-cli's `Type=HIVE,Name=…,Args=[…]`, each a step
    #[arg(value_name = "FILE", required = true)]
    pub steps: Vec<String>,
    /// Writes each step's logs below this location, as EMR does: steps/ID/{controller,syslog,stderr,stdout}.gz
    #[arg(long, value_name = "LOCATION")]
    pub log_uri: Option<String>,
    /// Keeps in this file what `aws emr describe-step` would say of each step
    #[arg(long, value_name = "FILE")]
    pub status_json: Option<String>,
    /// Leaves out steps that logq cannot run, instead of running none
    #[arg(long)]
    pub skip_unsupported: bool,
    /// Says what each step would run, read and write, and does nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Stops after this time, with exit code 7: `90s`, `10m`, `1h`, or seconds
    #[arg(long, value_name = "TIME", value_parser = settings::parse_duration)]
    pub timeout: Option<Duration>,
}

/// Runs the steps and returns the exit code.
pub fn run(args: &StepsArgs, options: &Options, environment: &Environment) -> Result<u8> {
    refuse_options_of_runs(options)?;
    let settings = settings::load(options, environment)?;
    let files = Files::new(&settings.engine);
    let configs = read(&args.steps, &files)?;
    let mut run = StepsRun {
        steps: plan(configs, args, environment)?,
        logs: args.log_uri.as_ref().map(|uri| LogFolder::new(uri, files.clone(), temp_dir(&settings))),
        variables: variables(options, &settings),
        args,
        files,
        settings,
        environment,
        unwritten: None,
    };
    if args.dry_run || options.dry_run {
        return run.plan();
    }
    run.all()
}

/// Options that say what a single run does. Steps have arguments of their own.
fn refuse_options_of_runs(options: &Options) -> Result<()> {
    let given = [
        ("-e", !options.execute.is_empty()),
        ("-f", !options.file.is_empty()),
        ("-i", !options.init.is_empty()),
        ("-d", !options.hivevar.is_empty()),
        ("--hiveconf", !options.hiveconf.is_empty()),
        ("--database", options.database.is_some()),
        ("--stats-json", options.stats_json.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(Error::new(codes::USAGE, format!("`{name}` says nothing to `logq steps`"))
            .with_hint("each step has its own arguments, in the file of the steps")),
        None => Ok(()),
    }
}

/// The steps of a file, of standard input, or of the words themselves.
fn read(words: &[String], files: &Files) -> Result<Vec<StepConfig>> {
    let bytes = match words {
        [file] if file == "-" => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| Error::new(codes::STORAGE, "cannot read standard input").with_source(error))?;
            bytes
        }
        words if words.iter().all(|word| config::is_shorthand(word)) => return config::read_shorthand(words),
        [file] => files.read(file)?,
        _ => {
            let error = Error::new(codes::USAGE, "`logq steps` takes one file");
            return Err(error.with_hint("a file holds any number of steps"));
        }
    };
    let not_utf8 = |_| Error::new(codes::BAD_SETTING, "the steps are not UTF-8").in_file(&words[0], None, None);
    config::read(&words[0], &String::from_utf8(bytes).map_err(not_utf8)?)
}

/// The steps with what runs them.
///
/// Errors: `UNSUPPORTED` that names every step that cannot run.
fn plan(configs: Vec<StepConfig>, args: &StepsArgs, environment: &Environment) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut refused = Vec::new();
    for (idx, config) in configs.into_iter().enumerate() {
        for (key, value) in &config.properties {
            secrets::learn(key, value);
        }
        let program = Program::of_step(&config, environment);
        if let Err(what) = &program {
            refused.push(format!("step {}, `{}`, {what}", idx + 1, config.name));
        }
        steps.push(Step::new(config, program.ok()));
    }
    if args.skip_unsupported {
        for what in refused {
            stderr::say(&diagnostics::warning(&format!("skipped: {what}"), Style::new(false)));
        }
    } else if !refused.is_empty() {
        let file = args.steps.first().filter(|word| !config::is_shorthand(word));
        let error = Error::new(codes::UNSUPPORTED, refused.join("\n"));
        let error = match file {
            Some(file) => error.in_file(file, None, None),
            None => error,
        };
        return Err(error.with_hint("nothing was run; `--skip-unsupported` runs the other steps"));
    }
    Ok(steps)
}

struct StepsRun<'a> {
    args: &'a StepsArgs,
    steps: Vec<Step>,
    files: Files,
    logs: Option<LogFolder>,
    /// How the processes of steps are told logq's own options.
    variables: Vec<(&'static str, String)>,
    settings: Settings,
    environment: &'a Environment,
    /// The first log or status that could not be written. Steps go on without, as on EMR.
    unwritten: Option<Error>,
}

impl StepsRun<'_> {
    /// Says what each step would run, read and write. Gives the exit code of the first that could not.
    fn plan(&self) -> Result<u8> {
        let interrupt = Interrupt::install()?;
        interrupt.waits();
        let mut first_failure = None;
        for (idx, step) in self.steps.iter().enumerate() {
            let command = step.program.as_ref().map_or("skipped".to_owned(), Program::command_line);
            let action = step.config.action_on_failure.name();
            println_masked(&format!(
                "{}. {} ({action}): {command}",
                idx + 1,
                diagnostics::printable(&step.config.name)
            ));
            for (command_idx, planning) in step.program.iter().flat_map(Program::planning).enumerate() {
                let ended = process::run(&planning, &self.variables, None, self.environment, &interrupt)?;
                let code = u8::try_from(ended.exit_code).unwrap_or(1);
                // What an earlier step or command makes is not there yet.
                let follows_another = idx > 0 || command_idx > 0;
                let may_come = follows_another && code == exit_code::of_kind(Kind::NotFound);
                if code != 0 && !may_come {
                    first_failure.get_or_insert(code);
                }
            }
            if let Some(code) = interrupt.exit_code() {
                return Ok(code);
            }
        }
        Ok(first_failure.unwrap_or(0))
    }

    fn all(&mut self) -> Result<u8> {
        let interrupt = Interrupt::install()?;
        interrupt.waits();
        if let Some(limit) = self.args.timeout.or(self.settings.timeout) {
            interrupt.limit_time(limit);
        }
        for idx in 0..self.steps.len() {
            self.say_state(idx);
        }
        self.write_status();
        let mut first_failure = None;
        let mut goes_on = true;
        for idx in 0..self.steps.len() {
            if !goes_on || self.steps[idx].program.is_none() || interrupt.exit_code().is_some() {
                self.change(idx, State::Cancelled);
                continue;
            }
            let code = self.one(idx, &interrupt);
            if code != 0 {
                first_failure.get_or_insert(code);
                goes_on = self.steps[idx].config.action_on_failure.goes_on();
            }
        }
        match (interrupt.exit_code().or(first_failure), self.unwritten.take()) {
            (Some(code), _) => Ok(code),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(0),
        }
    }

    /// Runs a step and gives its exit code.
    fn one(&mut self, idx: usize, interrupt: &Interrupt) -> u8 {
        self.steps[idx].started = Some(Timestamp::now());
        self.change(idx, State::Running);
        let logs = self.logs.as_ref().map(LogFolder::begin).transpose();
        let mut logs = self.written(logs).flatten();
        if let Some(logs) = &mut logs {
            let inherited = self.environment.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
            let own = self.variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            logs.say_started(idx + 1, &self.steps[idx], inherited.chain(own));
            logs.say_state(&self.steps[idx]);
        }
        let kept = logs.as_ref().map(StepLogs::streams).transpose();
        let kept = self.written(kept).flatten();
        let ended = match &self.steps[idx].program {
            Some(program) => process::run(program, &self.variables, kept, self.environment, interrupt),
            None => Err(Error::internal("a step that nothing runs")),
        };
        // A process that could not be started is a failed step, with logs like any other.
        let ended = ended.unwrap_or_else(|error| {
            self.say_error(&error);
            Ended { exit_code: 1, error: Some(error.to_string()), unkept: None }
        });
        self.written(ended.unkept.map_or(Ok(()), Err));
        let code = u8::try_from(ended.exit_code).unwrap_or(1);
        let state = match (code, interrupt.exit_code()) {
            (0, _) => State::Completed,
            (_, Some(exit_code::RESOURCE_LIMIT) | None) => State::Failed,
            _ => State::Interrupted,
        };
        self.steps[idx].ended = Some(Timestamp::now());
        if state != State::Completed {
            let log_file = self.logs.as_ref().map(|folder| folder.location(&self.steps[idx], "stderr"));
            let reason = state::reason(interrupt.exit_code().unwrap_or(code));
            self.steps[idx].failure = Some(Failure { reason, message: ended.error, log_file });
        }
        self.change(idx, state);
        if let (Some(logs), Some(folder)) = (&mut logs, &self.logs) {
            logs.say_state(&self.steps[idx]);
            logs.say_ended(&self.steps[idx], ended.exit_code);
            let published = folder.publish(&self.steps[idx], logs);
            self.written(published);
        }
        code
    }

    fn change(&mut self, idx: usize, state: State) {
        self.steps[idx].state = state;
        self.say_state(idx);
        self.write_status();
    }

    /// Keeps and says the first failure to write a log or the status.
    fn written<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                if self.unwritten.is_none() {
                    let style = Style::new(self.settings.presentation.color);
                    stderr::say(&diagnostics::warning(&format!("{error}; the steps go on without"), style));
                    self.unwritten = Some(error);
                }
                None
            }
        }
    }

    fn say_error(&self, error: &Error) {
        let Presentation { error_format, color, .. } = self.settings.presentation;
        stderr::say(&diagnostics::error(error, error_format, Style::new(color)));
    }

    fn say_state(&self, idx: usize) {
        let step = &self.steps[idx];
        let failure = step.failure.as_ref();
        if self.settings.presentation.log_format == LogFormat::Json {
            let event = json!({
                "event": "step", "step": step.id, "name": step.config.name, "state": step.state.name(),
                "reason": failure.map(|failure| failure.reason), "message": failure.and_then(|failure| failure.message.as_deref()),
            });
            stderr::say(&diagnostics::log_line(secrets::mask_json(event)));
            return;
        }
        let reason = failure.map(|failure| format!(": {}", failure.reason)).unwrap_or_default();
        let name = diagnostics::printable(&step.config.name);
        stderr::say(&format!("{:.0} {} {:<11} {name}{reason}\n", Timestamp::now(), step.id, step.state.name()));
    }

    fn write_status(&mut self) {
        let Some(file) = &self.args.status_json else { return };
        let steps: Vec<_> = self.steps.iter().map(Step::describe).collect();
        let document = format!("{:#}\n", secrets::mask_json(json!({"Steps": steps})));
        let written = self.files.write(file, document.as_bytes());
        self.written(written);
    }
}

fn println_masked(line: &str) {
    use std::io::Write;
    // A closed pipe is no failure.
    let _ = writeln!(std::io::stdout(), "{}", secrets::mask(line));
}

fn temp_dir(settings: &Settings) -> PathBuf {
    settings.engine.temp_dir.clone()
}

/// logq's own options, for the processes of steps, as variables: their arguments are Hive's.
fn variables(options: &Options, settings: &Settings) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("LOGQ_THREADS", settings.engine.threads.to_string()),
        ("LOGQ_MEMORY_LIMIT", settings.engine.memory_limit.to_string()),
        ("LOGQ_TEMP_DIR", settings.engine.temp_dir.display().to_string()),
    ];
    if let Some(config) = &options.config {
        variables.push(("LOGQ_CONFIG", config.display().to_string()));
    }
    let name = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
    let formats = [
        ("LOGQ_LOG_FORMAT", options.log_format.and_then(|format| name(format.to_possible_value()))),
        ("LOGQ_ERROR_FORMAT", options.error_format.and_then(|format| name(format.to_possible_value()))),
        ("LOGQ_PROGRESS", options.progress.and_then(|mode| name(mode.to_possible_value()))),
        ("LOGQ_FORMAT", options.format.and_then(|format| name(format.to_possible_value()))),
    ];
    variables.extend(formats.into_iter().filter_map(|(variable, name)| Some((variable, name?))));
    variables
}
