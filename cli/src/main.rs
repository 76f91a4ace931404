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
mod secrets;
mod settings;
mod stats;
mod stderr;

use std::process::ExitCode;

use clap::FromArgMatches;
use logq_engine::error::Error;

use crate::args::{Args, Command, ErrorFormat, LogFormat};
use crate::commands::hive::HiveUsage;
use crate::diagnostics::Style;
use crate::settings::{Environment, Presentation};

fn main() -> ExitCode {
    keep_quiet_about_task_panics();
    let environment = Environment::of_process();
    secrets::learn_environment(&environment);
    let parsed = args::command(&environment)
        .try_get_matches_from(args::rewrite_hive_spellings(std::env::args_os()))
        .and_then(|matches| Args::from_arg_matches(&matches));
    let code = match parsed {
        Ok(args) => run(args, &environment),
        Err(usage) => say_usage(args::with_tip(usage)),
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

/// Help and version come this way too, with exit code 0; a closed pipe is no reason to complain.
fn say_usage(usage: clap::Error) -> u8 {
    let text = usage.render().to_string();
    match secrets::mask(&text) {
        masked if masked == text => drop(usage.print()),
        masked => stderr::say(&masked),
    }
    usage.exit_code() as u8
}

fn say_error(error: &Error, presentation: Presentation) {
    let Presentation { error_format, log_format, color } = presentation;
    let object = || secrets::mask_json(diagnostics::error_json(error));
    stderr::say(&match (error_format, log_format) {
        (ErrorFormat::Json, LogFormat::Json) => diagnostics::log_line(object()),
        (ErrorFormat::Json, LogFormat::Text) => format!("{}\n", object()),
        (format, _) => diagnostics::error(error, format, Style::new(color)),
    });
}

fn run(args: Args, environment: &Environment) -> u8 {
    let presentation = settings::presentation(&args, environment);
    let result = match args.command {
        Some(Command::ExplainError(command)) => commands::explain_error::run(&command).map(|()| 0),
        Some(Command::Gc(command)) => {
            let options = args.options.then(command.options);
            commands::gc::run(&options, &command.paths, environment).map(|()| 0)
        }
        Some(Command::Hive(command)) => match commands::hive::read(&command.args, environment) {
            Ok(hive) => {
                for warning in &hive.warnings {
                    stderr::say(&diagnostics::warning(warning, Style::new(presentation.color)));
                }
                commands::run::run(&hive.options_after(args.options, environment), Vec::new(), environment)
            }
            Err(HiveUsage::Refused(error)) => Err(error),
            Err(HiveUsage::Clap(usage)) => return say_usage(usage),
        },
        Some(Command::Steps(command)) => commands::steps::run(&command, &args.options, environment),
        Some(Command::DistCp(command)) => {
            match commands::copy::run_dist_cp(&command.args, &args.options, environment) {
                Ok(result) => result,
                Err(usage) => return say_usage(usage),
            }
        }
        Some(Command::Aws(command)) => match commands::copy::run_aws(&command.args, &args.options, environment) {
            Ok(result) => result,
            Err(usage) => return say_usage(usage),
        },
        Some(Command::Run(command)) => {
            let options = args.options.then(command.options);
            commands::run::run(&options, command.files, environment)
        }
        None => commands::run::run(&args.options, Vec::new(), environment),
    };
    result.unwrap_or_else(|error| {
        let code = exit_code::of(&error);
        say_error(&error, presentation);
        code
    })
}
