//! The command `logq`: runs Hive scripts over logs.
//!
//! Runs the verb, renders the error, chooses the exit code. Rows go to standard output, everything else to standard
//! error. Which file does what: `args` the flags, `settings` the environment and the configuration files, `commands`
//! the verbs, `render` rows, `progress` and `diagnostics` what is said beside them.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod diagnostics;
mod exit_code;
mod interrupt;
mod progress;
mod render;
mod settings;

use std::io::Write;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::args::{Args, Command};
use crate::diagnostics::Style;
use crate::settings::Environment;

fn main() -> ExitCode {
    keep_quiet_about_task_panics();
    let environment = Environment::of_process();
    let parsed = args::command(&environment)
        .try_get_matches_from(args::rewrite_hive_spellings(std::env::args_os()))
        .and_then(|matches| Args::from_arg_matches(&matches));
    let code = match parsed {
        Ok(args) => run(args, &environment),
        Err(usage) => {
            // Help and version come this way too, with exit code 0; a closed pipe is no reason to complain.
            let usage = args::with_tip(usage);
            let _ = usage.print();
            usage.exit_code() as u8
        }
    };
    ExitCode::from(code)
}

/// A panic on a thread of the engine comes back as an error of the job, and is rendered as one.
fn keep_quiet_about_task_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_task = std::thread::current().name().is_some_and(|name| name.starts_with("logq-"));
        if !is_task {
            usual(panic);
        }
    }));
}

fn run(args: Args, environment: &Environment) -> u8 {
    let presentation = settings::presentation(&args, environment);
    let result = match args.command {
        Some(Command::ExplainError(command)) => commands::explain_error::run(&command).map(|()| 0),
        Some(Command::Gc(command)) => {
            let options = args.options.then(command.options);
            commands::gc::run(&options, &command.paths, environment).map(|()| 0)
        }
        Some(Command::Run(command)) => {
            let options = args.options.then(command.options);
            commands::run::run(&options, command.files, environment)
        }
        None => commands::run::run(&args.options, Vec::new(), environment),
    };
    result.unwrap_or_else(|error| {
        let code = exit_code::of(&error);
        let text = diagnostics::error(&error, presentation.error_format, Style::new(presentation.color));
        let _ = std::io::stderr().write_all(text.as_bytes());
        code
    })
}
