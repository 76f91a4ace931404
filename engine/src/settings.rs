//! `SET`: Hive's variables of a script, and the settings of the engine that a script may change.
//!
//! Four namespaces as in Hive's `SystemVariables`: `hivevar` (also without prefix inside `${…}`), `hiveconf`,
//! `system` and `env`. Keys of `logq.…` are checked and change how the next statements run; a few of Hadoop's are
//! understood; the others are kept and do nothing, since scripts are full of them.

use std::collections::BTreeMap;

use crate::config::{EngineConfig, ExecutionMode, OnInvalidUtf8, OnMismatch, OnTrailingGarbage};
use crate::error::{Error, Result, codes};
use crate::hiveql::Variables;

/// Where a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespace {
    Hivevar,
    Hiveconf,
    System,
    Env,
}

impl Namespace {
    /// The namespace of `prefix:key`, and the key; `hiveconf` without a prefix, as in `SET key=value`.
    pub fn split(key: &str) -> (Namespace, &str) {
        let prefixes = [
            ("hivevar:", Namespace::Hivevar),
            ("hiveconf:", Namespace::Hiveconf),
            ("system:", Namespace::System),
            ("env:", Namespace::Env),
        ];
        for (prefix, namespace) in prefixes {
            if let Some(key) = key.strip_prefix(prefix) {
                return (namespace, key);
            }
        }
        (Namespace::Hiveconf, key)
    }

    fn prefix(self) -> &'static str {
        match self {
            Namespace::Hivevar => "hivevar:",
            Namespace::Hiveconf => "",
            Namespace::System => "system:",
            Namespace::Env => "env:",
        }
    }
}

/// The settings of a session.
#[derive(Debug, Clone)]
pub struct Settings {
    variables: BTreeMap<(Namespace, String), String>,
    /// As the session was started.
    initial: EngineConfig,
    initial_variables: BTreeMap<(Namespace, String), String>,
    /// As `SET` left it.
    pub config: EngineConfig,
    /// `mapreduce.job.reduces`; -1 and 0 leave the choice to the engine.
    pub reducers: Option<usize>,
    /// `logq.input.empty`.
    pub allow_empty_input: bool,
}

impl Settings {
    /// No variable set.
    pub fn new(config: EngineConfig) -> Self {
        Settings {
            variables: BTreeMap::new(),
            initial: config.clone(),
            initial_variables: BTreeMap::new(),
            config,
            reducers: None,
            allow_empty_input: false,
        }
    }

    /// `SET namespace:key=value`.
    ///
    /// Errors: [`codes::BAD_SETTING`] for a value that a setting of logq's cannot have, or an unknown `logq.…` key.
    pub fn set(&mut self, namespace: Namespace, key: &str, value: &str) -> Result<()> {
        if namespace == Namespace::Hiveconf {
            self.apply(key, value)?;
        }
        self.variables.insert((namespace, key.to_string()), value.to_string());
        Ok(())
    }

    /// As [`set`](Settings::set), for the session's whole life: RESET comes back to it.
    pub fn set_initial(&mut self, namespace: Namespace, key: &str, value: &str) -> Result<()> {
        self.set(namespace, key, value)?;
        self.initial_variables.insert((namespace, key.to_string()), value.to_string());
        Ok(())
    }

    /// The value of a variable.
    pub fn get(&self, namespace: Namespace, key: &str) -> Option<&str> {
        self.variables.get(&(namespace, key.to_string())).map(String::as_str)
    }

    /// `RESET`, `RESET key`: as the session was started.
    pub fn reset(&mut self, key: Option<&str>) -> Result<()> {
        match key {
            Some(key) => {
                self.variables.remove(&(Namespace::Hiveconf, key.to_string()));
            }
            None => self.variables.retain(|(namespace, _), _| *namespace != Namespace::Hiveconf),
        }
        for (name, value) in &self.initial_variables {
            self.variables.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self.config = self.initial.clone();
        self.reducers = None;
        self.allow_empty_input = false;
        let kept: Vec<_> = self.variables.clone().into_iter().collect();
        for ((namespace, key), value) in kept {
            if namespace == Namespace::Hiveconf {
                self.apply(&key, &value)?;
            }
        }
        Ok(())
    }

    /// `key=value` of all that was set, `env` and `system` only with `all`; ascending.
    pub fn lines(&self, all: bool) -> Vec<String> {
        self.variables
            .iter()
            .filter(|((namespace, _), _)| all || matches!(namespace, Namespace::Hivevar | Namespace::Hiveconf))
            .map(|((namespace, key), value)| format!("{}{key}={}", namespace.prefix(), shown(key, value)))
            .collect()
    }

    fn apply(&mut self, key: &str, value: &str) -> Result<()> {
        let text = value.trim();
        match key {
            "logq.execution" => {
                self.config.execution =
                    choice(key, text, &[("staged", ExecutionMode::Staged), ("pipelined", ExecutionMode::Pipelined)])?;
            }
            "logq.threads" => self.config.threads = number(key, text, 1, 1024)? as usize,
            "logq.split.bytes" => self.config.input.split_bytes = Some(number(key, text, 1, u64::MAX)?),
            "logq.block.bytes" => self.config.input.block_bytes = number(key, text, 1, 1 << 30)? as usize,
            "logq.max_line_bytes" => {
                self.config.input.record_bytes_max = number(key, text, 1, 2 << 30)? as usize;
            }
            "logq.gzip.trailing" => {
                self.config.input.on_trailing_garbage =
                    choice(key, text, &[("error", OnTrailingGarbage::Fail), ("warn", OnTrailingGarbage::Warn)])?;
            }
            "logq.sniff_compression" => self.config.input.sniff_compression = boolean(key, text)?,
            "logq.input.empty" => self.allow_empty_input = boolean(key, text)?,
            "logq.serde.strict" => self.config.serde.strict = boolean(key, text)?,
            "logq.serde.on_mismatch" => {
                let choices = [("null", OnMismatch::Null), ("skip", OnMismatch::Skip), ("fail", OnMismatch::Fail)];
                self.config.serde.on_mismatch = choice(key, text, &choices)?;
            }
            "logq.invalid_utf8" => {
                let choices = [("replace", OnInvalidUtf8::Replace), ("fail", OnInvalidUtf8::Fail)];
                self.config.serde.on_invalid_utf8 = choice(key, text, &choices)?;
            }
            "logq.regex.backtrack_limit" => {
                self.config.serde.backtrack_limit = number(key, text, 1, u64::from(u32::MAX))? as usize;
            }
            "logq.max_bad_rows" => self.config.bad_rows_max = Some(number(key, text, 0, u64::MAX)?),
            "logq.shuffle.partitions" => self.config.shuffle_partitions = number(key, text, 1, 4096)? as usize,
            "logq.shuffle.memory" => self.config.shuffle_memory = Some(number(key, text, 0, u64::MAX)?),
            "logq.batch.rows" => self.config.batch_rows = number(key, text, 1, 1 << 20)? as usize,
            "logq.scan.pushdown" => self.config.scan_pushdown = boolean(key, text)?,
            "logq.task.attempts" => self.config.attempts_max = number(key, text, 1, 100)? as u32,
            "hive.exec.reducers.bytes.per.reducer" => {
                self.config.reducer_bytes = number(key, text, 1, u64::MAX)?;
            }
            "hive.auto.convert.join" => self.config.map_joins = boolean(key, text)?,
            "hive.auto.convert.join.noconditionaltask.size" => {
                self.config.map_join_bytes = number(key, text, 0, u64::MAX)?;
            }
            "mapreduce.job.reduces" | "mapred.reduce.tasks" => {
                // -1 leaves the choice to Hive; so does 0, which Hive takes for a map-only job.
                let reducers: i64 = text.parse().map_err(|_| bad(key, text, "a number"))?;
                self.reducers = usize::try_from(reducers).ok().filter(|reducers| *reducers > 0);
            }
            _ if key.starts_with("logq.") => {
                let error = Error::new(codes::BAD_SETTING, format!("there is no setting `{key}`"));
                return Err(match crate::error::nearest(key, KEYS.iter().copied()) {
                    Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                    None => error.with_hint(format!("logq's settings are: {}", KEYS.join(", "))),
                });
            }
            _ => {}
        }
        Ok(())
    }
}

/// Every setting of logq's own.
const KEYS: &[&str] = &[
    "logq.batch.rows",
    "logq.block.bytes",
    "logq.execution",
    "logq.gzip.trailing",
    "logq.input.empty",
    "logq.invalid_utf8",
    "logq.max_bad_rows",
    "logq.max_line_bytes",
    "logq.regex.backtrack_limit",
    "logq.scan.pushdown",
    "logq.serde.on_mismatch",
    "logq.serde.strict",
    "logq.shuffle.memory",
    "logq.shuffle.partitions",
    "logq.sniff_compression",
    "logq.split.bytes",
    "logq.task.attempts",
    "logq.threads",
];

impl Variables for Settings {
    fn hivevar(&self, name: &str) -> Option<String> {
        self.get(Namespace::Hivevar, name).map(str::to_string)
    }

    fn hiveconf(&self, name: &str) -> Option<String> {
        self.get(Namespace::Hiveconf, name).map(str::to_string)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.get(Namespace::Env, name).map(str::to_string)
    }

    fn system(&self, name: &str) -> Option<String> {
        self.get(Namespace::System, name).map(str::to_string)
    }

    fn substitute(&self) -> bool {
        self.get(Namespace::Hiveconf, "hive.variable.substitute").is_none_or(|value| value != "false")
    }
}

/// Parts of names whose values are secrets, in lower case. Hive's `hive.conf.hidden.list` holds `fs.s3a.access.key`, too.
const SECRET_WORDS: &[&str] =
    &["secret", "password", "passwd", "token", "credential", "signature", "fs.s3a.access.key"];

/// Ends of names whose values say where a secret is, or who keeps it.
const NO_SECRET_ENDS: &[&str] = &["file", "path", "uri", "url", "provider", "arn"];

/// Whether the value of a setting or variable of this name is a secret: a password, a key, a token.
///
/// Source: Hive's `hive.conf.hidden.list`, which names a few settings; here a name is judged by its words, so that
/// variables of the environment and of other tools are known as well.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word)) && !NO_SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// A value as SET shows it.
pub(crate) fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret_name(key) { "***" } else { value }
}

fn bad(key: &str, value: &str, expected: &str) -> Error {
    let value = shown(key, value);
    Error::new(codes::BAD_SETTING, format!("`{key}` is {value:?}, expected {expected}"))
}

fn choice<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        bad(key, value, &names.join(" or "))
    })
}

fn boolean(key: &str, value: &str) -> Result<bool> {
    choice(key, value, &[("true", true), ("false", false)])
}

fn number(key: &str, value: &str, least: u64, most: u64) -> Result<u64> {
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| bad(key, value, &format!("a number from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_reset() {
        let mut settings = Settings::new(EngineConfig::default());
        settings.set(Namespace::Hiveconf, "logq.execution", "pipelined").unwrap();
        assert_eq!(settings.config.execution, ExecutionMode::Pipelined);
        let error = settings.set(Namespace::Hiveconf, "logq.execution", "x").unwrap_err();
        assert_eq!(error.message(), "`logq.execution` is \"x\", expected staged or pipelined");
        let error = settings.set(Namespace::Hiveconf, "logq.thread", "1").unwrap_err();
        assert_eq!(error.hints(), ["did you mean `logq.threads`?"]);
        settings.reset(None).unwrap();
        assert_eq!(settings.config.execution, ExecutionMode::Staged);
    }

    #[test]
    fn namespaces() {
        assert_eq!(Namespace::split("hivevar:x"), (Namespace::Hivevar, "x"));
        assert_eq!(Namespace::split("a.b"), (Namespace::Hiveconf, "a.b"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut settings = Settings::new(EngineConfig::default());
        settings.set(Namespace::Hiveconf, "fs.s3a.secret.key", "x").unwrap();
        settings.set(Namespace::Env, "AWS_SESSION_TOKEN", "x").unwrap();
        settings.set(Namespace::Env, "AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token").unwrap();
        let expected =
            ["env:AWS_SESSION_TOKEN=***", "env:AWS_WEB_IDENTITY_TOKEN_FILE=/run/token", "fs.s3a.secret.key=***"];
        let mut lines = settings.lines(true);
        lines.sort();
        assert_eq!(lines, expected);
        // A script may still use it.
        assert_eq!(settings.get(Namespace::Hiveconf, "fs.s3a.secret.key"), Some("x"));
    }

    #[test]
    fn keys_are_sorted_and_known() {
        assert!(KEYS.is_sorted());
        for key in KEYS {
            let error = Settings::new(EngineConfig::default()).set(Namespace::Hiveconf, key, "?").unwrap_err();
            assert!(error.message().contains("expected"), "{error}");
        }
    }
}
