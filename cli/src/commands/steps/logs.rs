//! A step's logs in the layout of EMR: `LOGURI/steps/s-…/{controller,syslog,stderr,stdout}.gz`.
//!
//! Source: EMR's management guide on log files, and controller logs of Hive steps for the wording. What a step says is
//! compressed as it comes into files of this machine; when the step has ended, however it did, all four are put where
//! `--log-uri` says. EMR does so every five minutes, too.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use logq_engine::error::{Error, Result, codes};
use logq_engine::{Files, ScratchDirectory};

use super::process::Kept;
use super::state::{State, Step};
use crate::secrets;

/// Where the logs of all steps go.
#[derive(Debug)]
pub struct LogFolder {
    uri: String,
    files: Files,
    temp_dir: PathBuf,
}

/// The logs of a step that runs.
#[derive(Debug)]
pub struct StepLogs {
    /// Removed with the logs, or by a later run if this process is killed.
    folder: ScratchDirectory,
    controller: String,
    syslog: String,
}

/// One of its streams, compressed as it is written.
pub type LogStream = GzEncoder<File>;

/// Variables that say where a step runs, and no secret. `LOGQ_…` too.
const SHOWN_VARIABLES: &[&str] = &[
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "HIVE_CONF_DIR",
    "HIVE_HOME",
    "HOME",
    "PATH",
    "TMPDIR",
    "TZ",
    "USER",
];

/// The program of EMR that a controller log shows.
const STEP_RUNNER: &str = "/var/lib/aws/emr/step-runner/hadoop-jars";

impl LogFolder {
    /// Logs below `uri`; until then in `temp_dir`.
    pub fn new(uri: &str, files: Files, temp_dir: PathBuf) -> Self {
        LogFolder { uri: uri.trim_end_matches('/').to_owned(), files, temp_dir }
    }

    /// Where a log of a step is found.
    pub fn location(&self, step: &Step, name: &str) -> String {
        format!("{}/steps/{}/{name}.gz", self.uri, step.id)
    }

    /// Begins the logs of a step.
    pub fn begin(&self) -> Result<StepLogs> {
        std::fs::create_dir_all(&self.temp_dir).map_err(not_kept)?;
        let folder = ScratchDirectory::create(&self.temp_dir)?;
        Ok(StepLogs { folder, controller: String::new(), syslog: String::new() })
    }

    /// Puts the logs of a step that has ended where they belong.
    pub fn publish(&self, step: &Step, logs: &StepLogs) -> Result<()> {
        for (name, text) in [("controller", &logs.controller), ("syslog", &logs.syslog)] {
            let mut stream = logs.stream(name)?;
            stream.write_all(secrets::mask(text).as_bytes()).and_then(|()| finish(stream)).map_err(not_kept)?;
        }
        for name in ["controller", "syslog", "stderr", "stdout"] {
            let from = logs.path(name);
            if !from.exists() {
                finish(logs.stream(name)?).map_err(not_kept)?;
            }
            let content = from.display().to_string();
            self.files.copy(&content, &self.location(step, name), &|| Ok(()))?;
        }
        Ok(())
    }
}

impl StepLogs {
    /// Opens what keeps the output of the step's process.
    pub fn streams(&self) -> Result<Kept> {
        Ok(Kept { stdout: self.stream("stdout")?, stderr: self.stream("stderr")? })
    }

    fn stream(&self, name: &str) -> Result<LogStream> {
        let file = File::create(self.path(name)).map_err(not_kept)?;
        Ok(GzEncoder::new(file, Compression::default()))
    }

    /// The controller says how the step is started.
    pub fn say_started(&mut self, number: usize, step: &Step, variables: impl Iterator<Item = (String, String)>) {
        let jar = step.config.jar.rsplit('/').next().unwrap_or_default();
        self.say("INFO", &format!("Ensure step {number} jar file {jar}"));
        self.controller.push_str(&format!("INFO startExec '{}'\nINFO Environment:\n", command(step)));
        for (name, value) in variables {
            if SHOWN_VARIABLES.contains(&name.as_str()) || name.starts_with("LOGQ_") {
                self.controller.push_str(&format!("  {name}={value}\n"));
            }
        }
        if let Some(program) = &step.program {
            self.controller.push_str(&format!("INFO logq runs it as: {}\n", program.command_line()));
        }
    }

    /// The controller says how it ended.
    pub fn say_ended(&mut self, step: &Step, exit_code: i32) {
        let seconds = match (step.started, step.ended) {
            (Some(started), Some(ended)) => ended.duration_since(started).as_secs(),
            _ => 0,
        };
        self.controller.push_str(&format!(
            "INFO waitProcessCompletion ended with exit code {exit_code} : {}\nINFO total process run time: {seconds} seconds\n",
            command(step)
        ));
        let (level, outcome) = match step.state {
            State::Completed => ("INFO", "succeeded"),
            _ => ("WARN", "failed"),
        };
        self.say(level, &format!("Step {outcome} with exitCode {exit_code} and took {seconds} seconds"));
    }

    /// The system log says which state the step is in.
    pub fn say_state(&mut self, step: &Step) {
        let now = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S,%3f").to_string();
        self.syslog.push_str(&format!("{now} INFO logq (main): Step {} {}\n", step.id, step.state.name()));
    }

    fn say(&mut self, level: &str, text: &str) {
        self.controller.push_str(&format!("{:.3} {level} {text}\n", Timestamp::now()));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Ends a stream, so that it can be read.
pub fn finish(stream: LogStream) -> io::Result<()> {
    stream.finish()?.sync_all()
}

fn not_kept(error: io::Error) -> Error {
    Error::new(codes::STORAGE, "cannot keep the logs of a step").with_source(error)
}

/// What EMR would have started.
fn command(step: &Step) -> String {
    let jar = match step.config.jar.contains('/') {
        true => step.config.jar.clone(),
        false => format!("{STEP_RUNNER}/{}", step.config.jar),
    };
    let words: Vec<&str> = ["hadoop", "jar", &jar]
        .into_iter()
        .chain(step.config.main_class.as_deref())
        .chain(step.config.args.iter().map(String::as_str))
        .collect();
    words.join(" ")
}
