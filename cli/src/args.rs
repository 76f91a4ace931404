//! The command line as clap sees it. Doc comments are the help text.
//!
//! Options may stand before and after `run`; both are read, the later wins, and what may be repeated adds up. Hive's
//! options keep Hive's names; its single-dash spellings (`-hiveconf k=v`) are rewritten before clap sees them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Args as ClapArgs, ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::commands::copy::{AwsArgs, DistCpArgs};
use crate::commands::explain_error::ExplainErrorArgs;
use crate::commands::gc::GcArgs;
use crate::commands::hive::HiveArgs;
use crate::commands::run::RunArgs;
use crate::commands::steps::StepsArgs;
use crate::settings::{self, Environment, MemoryLimit};

/// Runs Hive scripts over logs on one machine.
///
/// Rows go to standard output; progress, warnings, the summary and errors go to standard error.
///
/// Settings, strongest first: options, environment variables (LOGQ_MEMORY_LIMIT is --memory-limit), the file of
/// --config, ./logq.toml, $XDG_CONFIG_HOME/logq/config.toml.
///
/// Exit codes: 0 done, 1 failed at run time, 2 usage or configuration, 3 the SQL is wrong, 4 input missing or access
/// denied, 5 corrupt or changed input, 6 output conflict, 7 resource limit, 130 and 143 stopped by a signal.
#[derive(Debug, Parser)]
#[command(name = "logq", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArgs>),
    Hive(HiveArgs),
    Steps(StepsArgs),
    #[command(name = "s3-dist-cp")]
    DistCp(DistCpArgs),
    Aws(AwsArgs),
    ExplainError(ExplainErrorArgs),
    Gc(Box<GcArgs>),
}

#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Options {
    /// Runs SQL given on the command line; may be repeated
    #[arg(short = 'e', value_name = "SQL", allow_hyphen_values = true, help_heading = "What to run")]
    pub execute: Vec<String>,
    /// Runs a script, `-` for standard input; may be repeated
    #[arg(short = 'f', long = "file", value_name = "FILE", help_heading = "What to run")]
    pub file: Vec<String>,
    /// Runs a script first, without a summary; may be repeated
    #[arg(short = 'i', long = "init", value_name = "FILE", help_heading = "What to run")]
    pub init: Vec<String>,
    /// Starts in this database
    #[arg(long, value_name = "NAME", help_heading = "What to run")]
    pub database: Option<String>,

    /// Sets a variable: `${KEY}` and `${hivevar:KEY}` in scripts
    #[arg(
        short = 'd',
        long = "hivevar",
        visible_alias = "define",
        value_name = "KEY=VALUE",
        value_parser = key_value,
        help_heading = "Variables and settings"
    )]
    pub hivevar: Vec<(String, String)>,
    /// Sets a setting, as `SET KEY=VALUE` does
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Variables and settings")]
    pub hiveconf: Vec<(String, String)>,
    /// Reads settings from this file; wins over ./logq.toml
    #[arg(long, value_name = "FILE", help_heading = "Variables and settings")]
    pub config: Option<PathBuf>,

    /// How rows are printed: `auto` is a table on a terminal and Hive's TSV elsewhere
    #[arg(long, value_enum, help_heading = "Output")]
    pub format: Option<Format>,
    /// Prints column names above the rows
    #[arg(long, overrides_with = "no_header", help_heading = "Output")]
    pub header: bool,
    /// Prints no column names
    #[arg(long, overrides_with = "header", help_heading = "Output")]
    pub no_header: bool,
    /// What a NULL looks like [default: NULL; in CSV: an empty field]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Output")]
    pub null: Option<String>,
    /// Prints errors only on standard error
    #[arg(short = 'S', long, visible_alias = "quiet", help_heading = "Output")]
    pub silent: bool,
    /// Prints each statement before it runs, and its stages
    #[arg(short = 'v', long, help_heading = "Output")]
    pub verbose: bool,
    /// When to show progress: `auto` is on a terminal only; `json` prints one object a line
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub progress: Option<ProgressMode>,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<ColorMode>,
    /// How errors are printed
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub error_format: Option<ErrorFormat>,
    /// How lines on standard error look; `json` is `--progress json --error-format json` with times
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub log_format: Option<LogFormat>,
    /// Writes what the run and each statement read, wrote and took, whatever becomes of it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub stats_json: Option<String>,
    /// Says what would be read and written, and runs nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,

    /// Threads that run tasks; the results do not depend on it [default: what the machine has]
    #[arg(long, value_name = "N", value_parser = settings::parse_threads, help_heading = "Resources")]
    pub threads: Option<usize>,
    /// Memory for operators, shuffle and read-ahead: `512MB`, `2GiB`, `1g`, `60%` [default: 60%]
    #[arg(long, value_name = "SIZE", help_heading = "Resources")]
    pub memory_limit: Option<MemoryLimit>,
    /// Where spilled data goes [default: $TMPDIR, or /tmp]
    #[arg(long, value_name = "DIR", help_heading = "Resources")]
    pub temp_dir: Option<PathBuf>,
    /// Stops the run after this time, with exit code 7: `90s`, `10m`, `1h`, or seconds
    #[arg(long, value_name = "TIME", value_parser = settings::parse_duration, help_heading = "Resources")]
    pub timeout: Option<Duration>,

    /// Stops when standard input is closed: how `logq steps` stops a step
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
    /// Says on standard error what Hive says: `OK`, `Time taken`, `FAILED`. Set by the verb, not by a flag.
    #[arg(skip)]
    pub speaks_hive: bool,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `table` on a terminal, `tsv` elsewhere
    Auto,
    /// A table with a frame
    Table,
    /// A line for each column
    Vertical,
    /// Comma-separated values as in RFC 4180, with column names
    #[value(alias = "csv2")]
    Csv,
    /// Tab-separated values as Hive prints them, without column names
    #[value(aliases = ["tsv2", "hive"])]
    Tsv,
    /// An array of objects
    Json,
    /// An object a line
    #[value(alias = "ndjson")]
    Jsonl,
    /// A table in Markdown
    Markdown,
    /// Nothing: the rows are made and thrown away
    Null,
}

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProgressMode {
    /// Bars on a terminal, nothing elsewhere
    Auto,
    /// Bars on a terminal, plain lines elsewhere
    Always,
    /// Nothing
    Never,
    /// One JSON object a line, the summary and warnings too
    Json,
}

/// When colours are used on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorMode {
    Auto,
    Always,
    Never,
}

/// How errors are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorFormat {
    /// With the place in the script and advice
    #[default]
    Human,
    /// One line: `file:line:column: error[CODE]: message`
    Short,
    /// One JSON object
    Json,
}

/// How lines on standard error look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, each with its time
    Json,
}

impl Options {
    /// These options, then `later` ones: later wins, lists add up.
    pub fn then(mut self, later: Options) -> Options {
        self.execute.extend(later.execute);
        self.file.extend(later.file);
        self.init.extend(later.init);
        self.hivevar.extend(later.hivevar);
        self.hiveconf.extend(later.hiveconf);
        if later.header || later.no_header {
            (self.header, self.no_header) = (later.header, later.no_header);
        }
        Options {
            database: later.database.or(self.database),
            config: later.config.or(self.config),
            format: later.format.or(self.format),
            null: later.null.or(self.null),
            silent: self.silent || later.silent,
            verbose: self.verbose || later.verbose,
            progress: later.progress.or(self.progress),
            color: later.color.or(self.color),
            error_format: later.error_format.or(self.error_format),
            log_format: later.log_format.or(self.log_format),
            stats_json: later.stats_json.or(self.stats_json),
            dry_run: self.dry_run || later.dry_run,
            threads: later.threads.or(self.threads),
            memory_limit: later.memory_limit.or(self.memory_limit),
            temp_dir: later.temp_dir.or(self.temp_dir),
            timeout: later.timeout.or(self.timeout),
            stop_with_stdin: self.stop_with_stdin || later.stop_with_stdin,
            speaks_hive: self.speaks_hive || later.speaks_hive,
            ..self
        }
    }

    /// What the flags say about column names, if they say anything.
    pub fn header(&self) -> Option<bool> {
        match (self.header, self.no_header) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// The clap command. Help is coloured on a terminal only, and never when the environment says no.
pub fn command(environment: &Environment) -> clap::Command {
    let color = if environment.forbids_color() { ColorChoice::Never } else { ColorChoice::Auto };
    Args::command().color(color)
}

/// Adds advice to a usage error: a script's name where a verb was expected.
pub fn with_tip(mut error: clap::Error) -> clap::Error {
    let given = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string);
    if let Some(given) = given.filter(|given| given.contains(['.', '/'])) {
        let tip = StyledStr::from(format!("`logq run {given}` runs a script"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// Splits at the first `=`, as Hive does.
fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Names of the binary that stand for a verb.
const VERBS_BY_NAME: &[(&str, &str)] = &[("hive", "hive"), ("hive-script", "hive"), ("s3-dist-cp", "s3-dist-cp")];

/// Options of one letter, which commons-cli takes with two dashes, too.
const SHORT: &[&str] = &["-e", "-f", "-i", "-d", "-S", "-v"];

/// Long options that Hive's command also takes with a single dash.
const SINGLE_DASH: &[&str] =
    &["-hiveconf", "-hivevar", "-define", "-database", "-silent", "-verbose", "-help", "-version", "-service"];

/// Options whose value is the next argument, and so must not be rewritten.
const TAKES_VALUE: &[&str] = &[
    "-e",
    "-f",
    "-i",
    "-d",
    "-hiveconf",
    "-hivevar",
    "-define",
    "-database",
    "--file",
    "--init",
    "--database",
    "--define",
    "--hivevar",
    "--hiveconf",
    "--config",
    "--null",
    "--temp-dir",
    "--stats-json",
    "--timeout",
    "--log-uri",
    "--status-json",
];

/// Rewrites the arguments of a process, its name first: `-hiveconf k=v`, `-hivevar k=v`, `-define k=v` and their kin get
/// two dashes, and `-H` becomes `--help`.
///
/// The names under which Hive's programs are called become verbs: `hive -f x.q` is `logq hive -f x.q`.
pub fn rewrite_hive_spellings(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter();
    let program = args.next().unwrap_or_else(|| OsString::from("logq"));
    let called = Path::new(&program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let verb = VERBS_BY_NAME.iter().find(|(name, _)| *name == called).map(|(_, verb)| OsString::from(verb));
    let mut rewritten: Vec<_> = std::iter::once(program).chain(verb).collect();
    let mut is_value = false;
    let mut is_positional = false;
    for arg in args {
        let text = arg.to_str().unwrap_or_default();
        let takes_value = !is_value && TAKES_VALUE.contains(&text);
        let new = match () {
            () if is_value || is_positional => arg,
            () => {
                is_positional = text == "--";
                with_two_dashes(text).map_or(arg, OsString::from)
            }
        };
        rewritten.push(new);
        is_value = takes_value;
    }
    rewritten
}

/// Rewrites the arguments of Hive's command, in which short options may also have two dashes.
pub fn rewrite_dashes(args: &[String]) -> Vec<String> {
    let mut is_value = false;
    let rewrite = |arg: &String| {
        let short = arg.strip_prefix('-').filter(|short| SHORT.contains(short));
        let new = match short.map(str::to_owned).or_else(|| with_two_dashes(arg)) {
            Some(new) if !is_value => new,
            _ => arg.clone(),
        };
        is_value = !is_value && TAKES_VALUE.contains(&new.as_str());
        new
    };
    args.iter().map(rewrite).collect()
}

/// An option as clap has it, if it is one that Hive spells in another way.
fn with_two_dashes(arg: &str) -> Option<String> {
    let name = arg.split_once('=').map_or(arg, |(name, _)| name);
    match arg {
        "-H" => Some("--help".to_owned()),
        _ if SINGLE_DASH.contains(&name) => Some(format!("-{arg}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(args: &[&str]) -> Vec<String> {
        let args = std::iter::once("logq").chain(args.iter().copied()).map(OsString::from);
        rewrite_hive_spellings(args).into_iter().skip(1).map(|arg| arg.into_string().unwrap()).collect()
    }

    fn parse(args: &[&str]) -> Options {
        let args = rewrite_hive_spellings(std::iter::once("logq").chain(args.iter().copied()).map(OsString::from));
        let args = Args::try_parse_from(args).unwrap();
        match args.command {
            Some(Command::Run(run)) => args.options.then(run.options),
            _ => args.options,
        }
    }

    #[test]
    fn clap_accepts_its_own_definition() {
        Args::command().debug_assert();
    }

    #[test]
    fn single_dashes_are_rewritten() {
        assert_eq!(rewrite(&["-hiveconf", "a=b"]), ["--hiveconf", "a=b"]);
        assert_eq!(rewrite(&["-hivevar=a=b", "-define", "c=d"]), ["--hivevar=a=b", "--define", "c=d"]);
        assert_eq!(rewrite(&["-H"]), ["--help"]);
    }

    #[test]
    fn values_and_what_follows_two_dashes_are_left_alone() {
        assert_eq!(rewrite(&["-e", "-define", "-d", "-H"]), ["-e", "-define", "-d", "-H"]);
        assert_eq!(rewrite(&["run", "--", "-hiveconf"]), ["run", "--", "-hiveconf"]);
        assert_eq!(rewrite(&["-e", "-e", "-hiveconf", "k=v"]), ["-e", "-e", "--hiveconf", "k=v"]);
    }

    #[test]
    fn the_name_of_the_binary_may_be_a_verb() {
        let rewrite = |args: &[&str]| rewrite_hive_spellings(args.iter().map(OsString::from));
        assert_eq!(rewrite(&["/usr/bin/hive", "-f", "x.q"]), ["/usr/bin/hive", "hive", "-f", "x.q"]);
        assert_eq!(rewrite(&["hive-script", "--args"]), ["hive-script", "hive", "--args"]);
        assert_eq!(rewrite(&["./logq", "-e"]), ["./logq", "-e"]);
    }

    #[test]
    fn options_before_and_after_the_verb_add_up() {
        let options = parse(&["-d", "A=1", "--format", "csv", "run", "x.q", "-define", "B=x=y", "--format", "json"]);
        assert_eq!(options.hivevar, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
        assert_eq!(options.format, Some(Format::Json));
    }

    #[test]
    fn the_later_of_header_and_no_header_wins() {
        assert_eq!(parse(&["--header", "--no-header"]).header(), Some(false));
        assert_eq!(parse(&["--no-header", "run", "x.q", "--header"]).header(), Some(true));
        assert_eq!(parse(&[]).header(), None);
    }

    #[test]
    fn sql_may_start_with_a_comment() {
        assert_eq!(parse(&["-e", "-- why\nSELECT 1"]).execute, ["-- why\nSELECT 1"]);
    }

    #[test]
    fn a_script_without_its_verb_gets_a_tip() {
        let tip = |name| with_tip(Args::try_parse_from(["logq", name]).unwrap_err()).to_string();
        assert!(tip("a.q").contains("tip: `logq run a.q` runs a script"), "{}", tip("a.q"));
        assert!(!tip("explain").contains("runs a script"));
    }

    #[test]
    fn a_variable_needs_a_value() {
        assert!(Args::try_parse_from(["logq", "-d", "INPUT"]).is_err());
        assert_eq!(parse(&["-d", "INPUT="]).hivevar, [("INPUT".into(), String::new())]);
    }
}
