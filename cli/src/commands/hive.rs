//! `logq hive ARGS…`, and the binary under the names `hive` and `hive-script`: Hive's own arguments, as they are.
//!
//! Follows Hive 3.1's `OptionsProcessor`, whose parser (commons-cli's `GnuParser`) takes long options with one dash or
//! two, and `CliDriver`: `--database`, then the init files of `-i` or else each `.hiverc` there is, then the first `-e`
//! or the first `-f`, and standard input without them. `--hivevar` wins over `-d`. The words that the shell scripts
//! around it take, Hive's own (`--service`, `--config`, `--auxpath`) and EMR's (`--run-hive-script --args`), are known.
//!
//! Unlike Hive: the exit codes are logq's, which tell bad input from a full disk; statements from standard input stop
//! at the first error, too; and what Hive drops without a word is dropped with one. logq's own options stand before
//! `hive`, or in `LOGQ_…` variables.

use std::path::Path;

use clap::{ArgAction, Args as ClapArgs, Parser};
use logq_engine::error::{Error, Result, codes};

use crate::args::{self, Format, Options};
use crate::settings::Environment;

/// Runs Hive's command line: `logq hive` takes the arguments of `hive` and `hive-script` as they are
#[derive(Debug, ClapArgs)]
#[command(disable_help_flag = true)]
pub struct HiveArgs {
    /// Arguments of Hive's command; `logq hive -H` lists them
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// Hive's command line.
///
/// Without -e and -f, statements are read from standard input. Without -i, each .hiverc that exists is run: in
/// $HIVE_HOME/bin, $HIVE_CONF_DIR and the home directory.
#[derive(Debug, Default, Parser)]
#[command(name = "hive", version = concat!(env!("CARGO_PKG_VERSION"), " (logq)"), max_term_width = 100)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct HiveLine {
    /// SQL from the command line
    #[arg(short = 'e', value_name = "quoted-query-string", allow_hyphen_values = true)]
    execute: Vec<String>,
    /// SQL from a file
    #[arg(short = 'f', value_name = "filename")]
    file: Vec<String>,
    /// Initialization SQL file; may be repeated
    #[arg(short = 'i', value_name = "filename")]
    init: Vec<String>,
    /// Starts in this database
    #[arg(long, value_name = "databasename")]
    database: Vec<String>,
    /// Sets a configuration value
    #[arg(long, value_name = "property=value", value_parser = property)]
    hiveconf: Vec<(String, String)>,
    /// Sets a variable
    #[arg(short = 'd', long, value_name = "key=value", value_parser = property)]
    define: Vec<(String, String)>,
    /// Sets a variable; wins over --define
    #[arg(long, value_name = "key=value", value_parser = property)]
    hivevar: Vec<(String, String)>,
    /// Prints errors only on standard error
    #[arg(short = 'S', long)]
    silent: bool,
    /// Prints each statement before it runs
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Prints this help
    #[arg(short = 'H', long, action = ArgAction::Help)]
    help: Option<bool>,
    /// Which part of Hive to run: `cli` is the only one
    #[arg(long, value_name = "name")]
    service: Option<String>,
    /// Hive's configuration directory, for its .hiverc
    #[arg(long, value_name = "dir")]
    config: Option<String>,
    /// Ignored: logq needs no jars
    #[arg(long, value_name = "path")]
    auxpath: Option<String>,
    /// What Hive ignores too
    #[arg(hide = true)]
    ignored: Vec<String>,
}

/// What Hive's arguments ask for, as options of `logq run`.
#[derive(Debug)]
pub struct HiveRun {
    pub options: Options,
    /// Said before anything runs.
    pub warnings: Vec<String>,
}

/// Reads Hive's arguments.
pub fn read(args: &[String], environment: &Environment) -> Result<HiveRun, HiveUsage> {
    let args = args::rewrite_dashes(without_wrapper(args)?);
    let line = HiveLine::try_parse_from(&args).map_err(HiveUsage::Clap)?;
    if let Some(service) = line.service.as_deref().filter(|service| *service != "cli") {
        let error = Error::new(codes::USAGE, format!("the service `{service}` of Hive is not part of logq"));
        return Err(error.with_hint("`--service cli`, the default, runs scripts").into());
    }
    let mut warnings = Vec::new();
    let mut ignore = |what: &str, values: &[String]| {
        if !values.is_empty() {
            warnings.push(format!("Hive ignores {what}, and so does logq: {}", values.join(" ")));
        }
    };
    ignore("all but the first `-e`", line.execute.get(1..).unwrap_or_default());
    ignore("all but the first `-f`", line.file.get(1..).unwrap_or_default());
    ignore("words that are no options", &line.ignored);
    let mut init = line.init;
    if init.is_empty() {
        init = hiverc_files(line.config.as_deref(), environment);
    }
    let options = Options {
        execute: line.execute.into_iter().take(1).collect(),
        file: line.file.into_iter().take(1).collect(),
        init,
        database: line.database.into_iter().next(),
        hivevar: line.define.into_iter().chain(line.hivevar).collect(),
        hiveconf: line.hiveconf,
        silent: line.silent,
        verbose: line.verbose,
        speaks_hive: true,
        ..Options::default()
    };
    Ok(HiveRun { options, warnings })
}

impl HiveRun {
    /// These options after `weaker` ones, which stand before `hive`. Rows are Hive's TSV unless something else is said.
    pub fn options_after(self, weaker: Options, environment: &Environment) -> Options {
        let mut options = weaker.then(self.options);
        if options.format.is_none() && environment.variable("LOGQ_FORMAT").is_none() {
            options.format = Some(Format::Tsv);
        }
        options
    }
}

/// Why Hive's arguments were not taken.
#[derive(Debug)]
pub enum HiveUsage {
    /// A usage error, or help, for clap to print.
    Clap(clap::Error),
    /// One of ours.
    Refused(Error),
}

impl From<Error> for HiveUsage {
    fn from(error: Error) -> Self {
        HiveUsage::Refused(error)
    }
}

/// Takes off what EMR's `hive-script` takes: `--run-hive-script [--base-path P] [--hive-versions V] --args …`.
fn without_wrapper(args: &[String]) -> Result<&[String]> {
    const TAKES_VALUE: &[&str] = &["--base-path", "--hive-versions"];
    if let Some(action) = args.iter().find(|arg| matches!(arg.as_str(), "--install-hive" | "--install-hive-site")) {
        let error = Error::new(codes::USAGE, format!("`{action}` installs Hive, which logq does without"));
        return Err(error.with_hint("leave this step out"));
    }
    let mut rest = args;
    let mut is_wrapped = false;
    loop {
        rest = match rest {
            [first, rest @ ..] if first == "--run-hive-script" => rest,
            [first, rest @ ..] if first == "--args" => return Ok(rest),
            [first, _, rest @ ..] if TAKES_VALUE.contains(&first.as_str()) => rest,
            [] => return Ok(rest),
            [first, ..] if is_wrapped => {
                let message = format!("`{first}` stands where `--args` and Hive's own arguments were expected");
                return Err(Error::new(codes::USAGE, message));
            }
            _ => return Ok(rest),
        };
        is_wrapped = true;
    }
}

/// `KEY=VALUE`, cut at the first `=`; a bare `KEY` is `true`, as in commons-cli.
fn property(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').unwrap_or((text, "true"));
    match key.trim() {
        "" => Err("expected KEY=VALUE".to_owned()),
        key => Ok((key.to_owned(), value.to_owned())),
    }
}

/// The `.hiverc` files that exist, in the order in which Hive runs them.
fn hiverc_files(config: Option<&str>, environment: &Environment) -> Vec<String> {
    let home = environment.variable("HIVE_HOME").map(|home| Path::new(home).join("bin"));
    let conf = config.or(environment.variable("HIVE_CONF_DIR")).map(|dir| Path::new(dir).to_owned());
    let user = environment.variable("HOME").map(|home| Path::new(home).to_owned());
    let files = [home, conf, user].into_iter().flatten().map(|dir| dir.join(".hiverc"));
    let there = files.filter(|file| environment.working_dir.join(file).is_file());
    there.filter_map(|file| file.to_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            ..Environment::default()
        }
    }

    fn parse(args: &[&str]) -> HiveRun {
        let args: Vec<_> = args.iter().map(|arg| arg.to_string()).collect();
        match read(&args, &environment(&[])) {
            Ok(run) => run,
            Err(usage) => panic!("{usage:?}"),
        }
    }

    fn pairs(pairs: &[(String, String)]) -> String {
        pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn clap_accepts_its_own_definition() {
        use clap::CommandFactory;
        HiveLine::command().debug_assert();
    }

    #[test]
    fn every_spelling_of_the_options() {
        let options = parse(&["-f", "x.q", "-d", "A=1=2", "-hiveconf", "a.b=c", "--hivevar", "B=", "-define", "C=3"]);
        let options = options.options;
        assert_eq!(options.file, ["x.q"]);
        assert_eq!(pairs(&options.hivevar), "A=1=2 C=3 B=");
        assert_eq!(pairs(&options.hiveconf), "a.b=c");
        let options = parse(&["--f", "x.q", "-database", "web", "-silent", "--e", "SELECT 1"]).options;
        assert_eq!((options.file.len(), options.execute.len(), options.silent), (1, 1, true));
        assert_eq!(options.database.as_deref(), Some("web"));
    }

    #[test]
    fn hivevar_wins_over_define_and_a_bare_key_is_true() {
        let options = parse(&["--hivevar", "A=var", "-d", "A=define", "--hiveconf", "x"]).options;
        assert_eq!(pairs(&options.hivevar), "A=define A=var");
        assert_eq!(pairs(&options.hiveconf), "x=true");
    }

    #[test]
    fn the_wrappers_words_are_taken_off() {
        let check = |wrapper: &[&str]| {
            let args: Vec<&str> = wrapper.iter().copied().chain(["-f", "s3://b/x.q", "-d", "A=--args"]).collect();
            let options = parse(&args).options;
            assert_eq!(
                (options.file.as_slice(), pairs(&options.hivevar)),
                (&["s3://b/x.q".into()][..], "A=--args".into())
            );
        };
        check(&[]);
        check(&["--run-hive-script", "--args"]);
        check(&["--run-hive-script", "--hive-versions", "latest", "--args"]);
        check(&["--base-path", "s3://r/libs/hive/", "--run-hive-script", "--args"]);
        check(&["--service", "cli"]);
    }

    #[test]
    fn what_hive_drops_is_said() {
        let run = parse(&["-f", "a.q", "-f", "b.q", "word"]);
        assert_eq!(run.options.file, ["a.q"]);
        assert_eq!(
            run.warnings,
            [
                "Hive ignores all but the first `-f`, and so does logq: b.q",
                "Hive ignores words that are no options, and so does logq: word",
            ]
        );
    }

    #[test]
    fn what_is_refused() {
        let refused = |args: &[&str]| {
            let args: Vec<_> = args.iter().map(|arg| arg.to_string()).collect();
            read(&args, &environment(&[])).unwrap_err()
        };
        assert!(matches!(refused(&["--no-such-flag"]), HiveUsage::Clap(_)));
        assert!(matches!(refused(&["-H"]), HiveUsage::Clap(_)));
        assert!(matches!(refused(&["--run-hive-script", "-f", "x.q"]), HiveUsage::Refused(_)));
        assert!(matches!(refused(&["--install-hive"]), HiveUsage::Refused(_)));
        assert!(matches!(refused(&["--service", "hiveserver2"]), HiveUsage::Refused(_)));
    }

    #[test]
    fn each_hiverc_that_exists_is_run_without_i() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        for name in ["hive/bin", "conf", "home"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        for name in ["hive/bin/.hiverc", "home/.hiverc"] {
            std::fs::write(path(name), "").unwrap();
        }
        let (hive, conf, home) = (path("hive"), path("conf"), path("home"));
        let environment = environment(&[("HIVE_HOME", &hive), ("HIVE_CONF_DIR", &conf), ("HOME", &home)]);
        let read = |args: &[&str]| {
            let args: Vec<_> = args.iter().map(|arg| arg.to_string()).collect();
            read(&args, &environment).unwrap().options.init
        };
        assert_eq!(read(&["-e", ""]), [path("hive/bin/.hiverc"), path("home/.hiverc")]);
        std::fs::write(path("conf/.hiverc"), "").unwrap();
        assert_eq!(read(&["-e", ""])[1], path("conf/.hiverc"));
        assert_eq!(read(&["-e", "", "-i", "my.q"]), ["my.q"]);
    }
}
