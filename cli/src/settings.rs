//! Flags, environment and configuration files → what the command and the engine are told.
//!
//! The only reader of the environment and of the machine's limits. Strongest first: flags, `LOGQ_*` variables, the
//! file of `--config`, `./logq.toml`, `$XDG_CONFIG_HOME/logq/config.toml`. Defaults that belong to the engine are the
//! engine's; here are only those that depend on the machine or the terminal.
//!
//! ```toml
//! format = "csv"             # the long flags without their dashes
//! memory-limit = "2GiB"
//!
//! [variables]                # as -d does
//! INPUT = "sample-data"
//!
//! [settings]                 # as --hiveconf and SET do; dots need no quotes
//! hive.cli.print.header = true
//!
//! [s3]                       # what the AWS_* variables and ~/.aws do not say
//! endpoint = "http://localhost:9000"
//! path-style = true
//! ```

mod aws;
mod credential_process;
mod machine;

pub use machine::Usage;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use logq_engine::config::EngineConfig;
use logq_engine::error::{Error, Result, SourceText, Span, codes};
use serde::Deserialize;

use crate::args::{Args, ColorMode, Command, ErrorFormat, Format, LogFormat, Options, ProgressMode};
use crate::secrets;

/// Everything that the process was given besides its arguments.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables that are UTF-8; others cannot be named in a script.
    pub variables: BTreeMap<String, String>,
    pub working_dir: PathBuf,
    /// This program's own file.
    pub program: PathBuf,
    /// Where `proc` and `sys` are found.
    pub root: PathBuf,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "this file is where the environment is read")]
    pub fn of_process() -> Self {
        let utf8 = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Environment {
            variables: std::env::vars_os().filter_map(utf8).collect(),
            working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("logq")),
            root: PathBuf::from("/"),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// What this process has used so far.
    pub fn usage(&self) -> Usage {
        machine::usage(&self.root)
    }

    /// The value of a variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the environment asks for no colours at all.
    pub fn forbids_color(&self) -> bool {
        self.variable("NO_COLOR").is_some() || self.is_dumb()
    }

    /// Columns of the terminal, where the shell says so.
    pub fn columns(&self) -> Option<u16> {
        self.variable("COLUMNS")?.parse().ok().filter(|columns| self.stdout_is_terminal && *columns >= 20)
    }

    /// Whether the terminal cannot move its cursor.
    pub fn is_dumb(&self) -> bool {
        self.variable("TERM") == Some("dumb")
    }
}

/// What a run is told.
#[derive(Debug)]
pub struct Settings {
    pub engine: EngineConfig,
    /// Weakest first.
    pub hivevars: Vec<Binding>,
    /// Weakest first.
    pub hiveconfs: Vec<Binding>,
    /// `${system:…}`: the few of the Java properties that scripts use.
    pub systems: Vec<Binding>,
    pub database: Option<String>,
    pub format: Format,
    pub header: Option<bool>,
    pub null: Option<String>,
    pub progress: ProgressMode,
    pub timeout: Option<Duration>,
    pub presentation: Presentation,
}

/// A variable or setting, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub key: String,
    pub value: String,
    /// `--hiveconf`, or the name of a file.
    pub origin: String,
}

/// How errors and other lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presentation {
    pub error_format: ErrorFormat,
    pub log_format: LogFormat,
    /// Colours on standard error.
    pub color: bool,
}

/// One source of settings. Doubles as the shape of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Layer {
    database: Option<String>,
    format: Option<Format>,
    header: Option<bool>,
    null: Option<String>,
    progress: Option<ProgressMode>,
    color: Option<ColorMode>,
    error_format: Option<ErrorFormat>,
    log_format: Option<LogFormat>,
    threads: Option<usize>,
    memory_limit: Option<MemoryLimit>,
    temp_dir: Option<PathBuf>,
    s3: aws::S3Layer,
    #[serde(deserialize_with = "duration")]
    timeout: Option<Duration>,
    variables: toml::Table,
    settings: toml::Table,
}

impl Layer {
    fn of_flags(options: &Options) -> Self {
        Layer {
            database: options.database.clone(),
            format: options.format,
            header: options.header(),
            null: options.null.clone(),
            progress: options.progress,
            color: options.color,
            error_format: options.error_format,
            log_format: options.log_format,
            threads: options.threads,
            memory_limit: options.memory_limit,
            temp_dir: options.temp_dir.clone(),
            timeout: options.timeout,
            ..Layer::default()
        }
    }

    fn of_environment(environment: &Environment) -> Result<Self> {
        fn read<T>(
            environment: &Environment,
            name: &str,
            parse: impl Fn(&str) -> Result<T, String>,
        ) -> Result<Option<T>> {
            let Some(text) = environment.variable(name) else { return Ok(None) };
            let bad = |reason| Error::new(codes::BAD_SETTING, format!("{name}={text}: {reason}"));
            parse(text).map(Some).map_err(bad)
        }
        fn choice<T: ValueEnum>(text: &str) -> Result<T, String> {
            T::from_str(text, true).map_err(|_| {
                let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
                let names: Vec<_> = names.map(|value| value.get_name().to_owned()).collect();
                format!("expected one of {}", names.join(", "))
            })
        }
        let text = |text: &str| Ok(text.to_owned());
        Ok(Layer {
            database: read(environment, "LOGQ_DATABASE", text)?,
            format: read(environment, "LOGQ_FORMAT", choice)?,
            header: read(environment, "LOGQ_HEADER", parse_bool)?,
            null: environment.variables.get("LOGQ_NULL").cloned(),
            progress: read(environment, "LOGQ_PROGRESS", choice)?,
            color: read(environment, "LOGQ_COLOR", choice)?,
            error_format: read(environment, "LOGQ_ERROR_FORMAT", choice)?,
            log_format: read(environment, "LOGQ_LOG_FORMAT", choice)?,
            threads: read(environment, "LOGQ_THREADS", parse_threads)?,
            memory_limit: read(environment, "LOGQ_MEMORY_LIMIT", str::parse)?,
            temp_dir: read(environment, "LOGQ_TEMP_DIR", |text| Ok(PathBuf::from(text)))?,
            timeout: read(environment, "LOGQ_TIMEOUT", parse_duration)?,
            ..Layer::default()
        })
    }

    /// Reads a configuration file; `name` is what the user would call it.
    fn of_text(name: &str, text: String) -> Result<Self> {
        let source = Arc::new(SourceText { name: name.to_owned(), text });
        let layer: Layer = toml::from_str(&source.text).map_err(|error| {
            let message = error.message().trim_end_matches('.').replace('\n', "; ");
            let bad = Error::new(codes::BAD_SETTING, message);
            match error.span() {
                Some(span) => bad.at(Span::new(span)).in_source(&source),
                None => bad.in_file(name, None, None),
            }
        })?;
        if layer.threads == Some(0) {
            return Err(Error::new(codes::BAD_SETTING, "`threads` is 0, expected at least 1").in_file(name, None, None));
        }
        Ok(layer)
    }

    /// JSON lines tell what JSON progress tells.
    fn progress(&self) -> ProgressMode {
        self.progress.unwrap_or(match self.log_format.unwrap_or_default() {
            LogFormat::Text => ProgressMode::Auto,
            LogFormat::Json => ProgressMode::Json,
        })
    }

    fn presentation(&self, environment: &Environment) -> Presentation {
        let log_format = self.log_format.unwrap_or_default();
        let error_format = self.error_format.unwrap_or(match log_format {
            LogFormat::Text => ErrorFormat::Human,
            LogFormat::Json => ErrorFormat::Json,
        });
        Presentation { error_format, log_format, color: use_color(self.color, environment) }
    }

    /// These settings, and `weaker` ones where these say nothing. Variables are not merged here.
    fn or(self, weaker: Layer) -> Layer {
        Layer {
            database: self.database.or(weaker.database),
            format: self.format.or(weaker.format),
            header: self.header.or(weaker.header),
            null: self.null.or(weaker.null),
            progress: self.progress.or(weaker.progress),
            color: self.color.or(weaker.color),
            error_format: self.error_format.or(weaker.error_format),
            log_format: self.log_format.or(weaker.log_format),
            threads: self.threads.or(weaker.threads),
            memory_limit: self.memory_limit.or(weaker.memory_limit),
            temp_dir: self.temp_dir.or(weaker.temp_dir),
            s3: self.s3.or(weaker.s3),
            timeout: self.timeout.or(weaker.timeout),
            ..Layer::default()
        }
    }
}

/// Finds out everything that a run is told.
///
/// Errors: `Config`, for a value that cannot be used and for a file of `--config` that cannot be read.
pub fn load(options: &Options, environment: &Environment) -> Result<Settings> {
    let mut hivevars = Bindings::default();
    let mut hiveconfs = Bindings::default();
    let mut files = Layer::default();
    for (name, text) in configuration_files(options, environment)? {
        let layer = Layer::of_text(&name, text)?;
        hivevars.add_table(&layer.variables, "variables", &name)?;
        hiveconfs.add_table(&layer.settings, "settings", &name)?;
        files = layer.or(files);
    }
    for (key, value) in &options.hivevar {
        hivevars.add(key, value, "-d");
    }
    for (key, value) in &options.hiveconf {
        hiveconfs.add(key, value, "--hiveconf");
    }
    let layer = Layer::of_flags(options).or(Layer::of_environment(environment)?).or(files);
    let (progress, presentation) = (layer.progress(), layer.presentation(environment));

    let mut engine = EngineConfig {
        working_dir: environment.working_dir.clone(),
        s3: aws::config(layer.s3, environment)?,
        ..EngineConfig::default()
    };
    if let Some(threads) = layer.threads {
        engine.threads = threads;
    }
    let limit = layer.memory_limit.unwrap_or(MemoryLimit::Percent(60));
    if let Some(bytes) = limit.bytes(machine::memory_bytes(&environment.root)) {
        engine.memory_limit = bytes;
    }
    let temp_dir = layer.temp_dir.or_else(|| environment.variable("TMPDIR").map(PathBuf::from));
    if let Some(temp_dir) = temp_dir {
        engine.temp_dir = environment.working_dir.join(temp_dir);
    }
    Ok(Settings {
        engine,
        hivevars: hivevars.list,
        hiveconfs: hiveconfs.list,
        systems: system_properties(environment),
        database: layer.database,
        format: layer.format.unwrap_or(Format::Auto),
        header: layer.header,
        null: layer.null,
        progress,
        timeout: layer.timeout,
        presentation,
    })
}

/// How errors look before any file was read: flags and environment only, and what cannot be read counts as not said.
pub fn presentation(args: &Args, environment: &Environment) -> Presentation {
    let options = match &args.command {
        Some(Command::Run(run)) => args.options.clone().then(run.options.clone()),
        Some(Command::Gc(gc)) => args.options.clone().then(gc.options.clone()),
        _ => args.options.clone(),
    };
    let layer = Layer::of_flags(&options).or(Layer::of_environment(environment).unwrap_or_default());
    layer.presentation(environment)
}

fn use_color(mode: Option<ColorMode>, environment: &Environment) -> bool {
    match mode {
        Some(ColorMode::Always) => true,
        Some(ColorMode::Never) => false,
        Some(ColorMode::Auto) | None if environment.variable("NO_COLOR").is_some() => false,
        _ if environment.variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        _ => environment.stderr_is_terminal && !environment.is_dumb(),
    }
}

/// Name and text of each configuration file there is, weakest first.
fn configuration_files(options: &Options, environment: &Environment) -> Result<Vec<(String, String)>> {
    let user = environment.variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let user = user.or_else(|| environment.variable("HOME").map(|home| Path::new(home).join(".config")));
    let named = options.config.clone().or_else(|| environment.variable("LOGQ_CONFIG").map(PathBuf::from));

    let mut files = Vec::new();
    let optional = [user.map(|dir| dir.join("logq/config.toml")), Some(PathBuf::from("logq.toml"))];
    for path in optional.into_iter().flatten() {
        match std::fs::read_to_string(environment.working_dir.join(&path)) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(unreadable(&path, error)),
        }
    }
    if let Some(path) = named {
        let text = std::fs::read_to_string(environment.working_dir.join(&path));
        files.push((path.display().to_string(), text.map_err(|error| unreadable(&path, error))?));
    }
    Ok(files)
}

/// Whether a file that need not be there is not there. A home directory that may not be entered counts as none.
fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(codes::BAD_SETTING, format!("cannot read the configuration file `{}`", path.display()))
        .with_source(error)
}

fn system_properties(environment: &Environment) -> Vec<Binding> {
    let mut properties = Bindings::default();
    let directory = environment.working_dir.to_string_lossy();
    properties.add("user.dir", &directory, "environment");
    for (property, variable) in [("user.name", "USER"), ("user.home", "HOME"), ("java.io.tmpdir", "TMPDIR")] {
        if let Some(value) = environment.variable(variable) {
            properties.add(property, value, "environment");
        }
    }
    properties.list
}

/// Bindings of which the last one of a key wins.
#[derive(Default)]
struct Bindings {
    list: Vec<Binding>,
}

impl Bindings {
    fn add(&mut self, key: &str, value: &str, origin: &str) {
        secrets::learn(key, value);
        self.list.retain(|binding| binding.key != key);
        self.list.push(Binding { key: key.to_owned(), value: value.to_owned(), origin: origin.to_owned() });
    }

    /// Adds a table of a configuration file. `a.b = 1` is the key `a.b`, whether or not it is quoted.
    fn add_table(&mut self, table: &toml::Table, prefix: &str, file: &str) -> Result<()> {
        for (key, value) in table {
            self.add_value(key, value, prefix, file)?;
        }
        Ok(())
    }

    fn add_value(&mut self, key: &str, value: &toml::Value, prefix: &str, file: &str) -> Result<()> {
        match value {
            toml::Value::String(text) => self.add(key, text, file),
            toml::Value::Table(table) => {
                for (name, value) in table {
                    self.add_value(&format!("{key}.{name}"), value, prefix, file)?;
                }
            }
            toml::Value::Array(_) => {
                let message = format!("`{prefix}.{key}` is a list, expected text, a number or a boolean");
                return Err(Error::new(codes::BAD_SETTING, message).in_file(file, None, None));
            }
            scalar => self.add(key, &scalar.to_string(), file),
        }
        Ok(())
    }
}

/// Reads a number of threads.
pub fn parse_threads(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(0) | Err(_) => Err("expected a number, at least 1".to_owned()),
        Ok(threads) => Ok(threads),
    }
}

/// Reads a time: `90s`, `10m`, `1h`, `1d`, and a bare number as seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || "expected a time such as `90s`, `10m` or `1h`".to_owned();
    let text = text.trim();
    let unit_start = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_start);
    let number: f64 = number.parse().map_err(|_| bad())?;
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(bad()),
    };
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(bad()),
    }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}

/// How much memory may be used.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum MemoryLimit {
    Bytes(u64),
    /// Of what the machine or its cgroup has.
    Percent(u8),
}

impl MemoryLimit {
    /// In bytes, if it can be known.
    fn bytes(self, machine_bytes: Option<u64>) -> Option<u64> {
        match self {
            MemoryLimit::Bytes(bytes) => Some(bytes),
            MemoryLimit::Percent(percent) => Some(machine_bytes? / 100 * u64::from(percent)),
        }
    }
}

impl FromStr for MemoryLimit {
    type Err = String;

    /// Units: `kB`, `MB`, `GB`, `TB` are powers of 1000; `KiB`, … and the single letters of Java and Docker, `k`, `m`,
    /// `g`, `t`, are powers of 1024. No unit means bytes. Case does not matter.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "expected a size such as `512MB`, `2GiB`, `1g` or `60%`".to_owned();
        let text = text.trim();
        let unit_start = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_start);
        let number: f64 = number.parse().map_err(|_| bad())?;
        let factor: u64 = match unit.trim().to_lowercase().as_str() {
            "%" if (1.0..=100.0).contains(&number) => return Ok(MemoryLimit::Percent(number as u8)),
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1000_u64.pow(2),
            "gb" => 1000_u64.pow(3),
            "tb" => 1000_u64.pow(4),
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "t" | "tib" => 1 << 40,
            _ => return Err(bad()),
        };
        match (number * factor as f64) as u64 {
            0 => Err(bad()),
            bytes => Ok(MemoryLimit::Bytes(bytes)),
        }
    }
}

impl TryFrom<String> for MemoryLimit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
