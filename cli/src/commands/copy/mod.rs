//! `logq s3-dist-cp` and `logq aws s3 cp|sync`: the copies that log jobs begin or end with, by the arguments of their
//! namesakes.
//!
//! Source: the S3DistCp page of EMR's release guide, and aws-cli's reference of `s3 cp` and `s3 sync`. Taken are the
//! options that say what is copied where, and grouped and compressed how; an option that would change the copies in another
//! way (a storage class, a key) is refused and not ignored. Files are listed first, copied one after the other, and removed
//! only when all are copied.

mod aws_s3;
mod dist_cp;
mod glob;
mod recode;

use std::collections::HashSet;
use std::io::Write;
use std::time::SystemTime;

use clap::Args as ClapArgs;
use logq_engine::Files;
use logq_engine::error::{Error, Result, codes};

use self::recode::Codec;
use crate::args::Options;
use crate::diagnostics::{self, Style};
use crate::exit_code;
use crate::interrupt::Interrupt;
use crate::secrets;
use crate::settings::{self, Environment};
use crate::stderr;

/// Copies files as EMR's s3-dist-cp does
#[derive(Debug, ClapArgs)]
#[command(disable_help_flag = true)]
pub struct DistCpArgs {
    /// `--src SRC --dest DEST [--srcPattern REGEX] [--groupBy REGEX] [--targetSize MIB] [--outputCodec CODEC] [--deleteOnSuccess]`
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// Copies files as `aws s3 cp` and `aws s3 sync` do
#[derive(Debug, ClapArgs)]
#[command(disable_help_flag = true)]
pub struct AwsArgs {
    /// `s3 cp|sync SRC DEST [--recursive] [--exclude GLOB] [--include GLOB] [--delete] [--size-only] [--exact-timestamps]`
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// Why arguments were not taken: clap's error, help among them.
pub type Usage = clap::Error;

/// What is to be done, in this order.
#[derive(Debug, Default)]
struct CopyPlan {
    copies: Vec<Copy>,
    /// Removed once all is copied.
    removals: Vec<String>,
    is_quiet: bool,
    /// Only said, not done.
    is_dry_run: bool,
}

/// One file to be written.
#[derive(Debug)]
struct Copy {
    /// Its content: these files, one behind the other.
    from: Vec<String>,
    to: String,
    codec: Codec,
    /// The time that it gets, if it lies on this machine.
    modified: Option<SystemTime>,
}

impl Copy {
    /// The same file at another place.
    fn of_file(from: String, to: String) -> Copy {
        Copy { from: vec![from], to, codec: Codec::Keep, modified: None }
    }

    fn carry_out(&self, files: &Files, interrupt: &Interrupt) -> Result<()> {
        let proceed = || interrupt.check();
        match (&self.from[..], self.codec) {
            ([from], Codec::Keep) => files.copy(from, &self.to, &proceed)?,
            (from, codec) => files.write_from(&self.to, &mut recode::content(files, from, codec), &proceed)?,
        };
        self.modified.map_or(Ok(()), |modified| files.set_modified(&self.to, modified))
    }
}

/// Whether s3-dist-cp's arguments can be carried out.
///
/// Errors: a message whose first line says what cannot.
pub fn check_dist_cp(args: &[String]) -> Result<(), String> {
    dist_cp::read(args).map(drop).map_err(|error| error.to_string())
}

/// Whether the arguments of `aws` can be carried out. Errors as of [`check_dist_cp`].
pub fn check_aws(args: &[String]) -> Result<(), String> {
    aws_s3::read(args).map(drop).map_err(|error| error.to_string())
}

/// Runs s3-dist-cp and returns the exit code.
pub fn run_dist_cp(args: &[String], options: &Options, environment: &Environment) -> Result<Result<u8>, Usage> {
    let command = dist_cp::read(args)?;
    Ok(run(options, environment, |files| command.plan(files)))
}

/// Runs `aws s3 …` and returns the exit code.
pub fn run_aws(args: &[String], options: &Options, environment: &Environment) -> Result<Result<u8>, Usage> {
    let command = aws_s3::read(args)?;
    Ok(run(options, environment, |files| command.plan(files)))
}

fn run(options: &Options, environment: &Environment, plan: impl Fn(&Files) -> Result<CopyPlan>) -> Result<u8> {
    let settings = settings::load(options, environment)?;
    let files = Files::new(&settings.engine);
    let interrupt = Interrupt::install()?;
    interrupt.waits();
    interrupt.last_words(|| stderr::say(&diagnostics::warning(UNFINISHED, Style::new(false))));
    if options.stop_with_stdin {
        interrupt.stop_with_stdin();
    }
    if let Some(limit) = settings.timeout {
        interrupt.limit_time(limit);
    }
    let copied = plan(&files).and_then(|plan| carry_out(&plan, &files, &interrupt));
    match (copied, interrupt.exit_code()) {
        (Err(error), Some(code)) if exit_code::of(&error) == exit_code::INTERRUPTED => {
            stderr::say(&diagnostics::error(&error, settings.presentation.error_format, Style::new(false)));
            Ok(code)
        }
        (copied, _) => copied.map(|()| 0),
    }
}

/// Said when the process ends while a copy has not stopped, as when a server does not answer.
const UNFINISHED: &str = "ended in the middle of a copy: `logq gc PATH` gives up what was uploaded of it";

fn carry_out(plan: &CopyPlan, files: &Files, interrupt: &Interrupt) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let prefix = if plan.is_dry_run { "(dryrun) " } else { "" };
    let mut say = |text: String| {
        if !plan.is_quiet {
            // A closed pipe is no reason to stop copying.
            let _ = writeln!(out, "{prefix}{}", secrets::mask(&diagnostics::printable(&text)));
        }
    };
    let mut written = HashSet::new();
    for copy in &plan.copies {
        if !plan.is_dry_run {
            copy.carry_out(files, interrupt)?;
            if !plan.removals.is_empty() {
                written.insert(files.identity(&copy.to)?);
            }
        }
        for from in &copy.from {
            say(format!("copy: {from} to {}", copy.to));
        }
    }
    for location in &plan.removals {
        interrupt.check()?;
        // What was copied onto itself is there to stay.
        if written.contains(&files.identity(location)?) {
            continue;
        }
        if !plan.is_dry_run {
            files.remove(location)?;
        }
        say(format!("delete: {location}"));
    }
    Ok(())
}

/// A location below a folder.
fn below(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

fn is_not_there(location: &str) -> Error {
    Error::new(codes::NOT_FOUND, format!("there is no file `{location}`"))
}
