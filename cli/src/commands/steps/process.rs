//! Runs a step as a process of its own, so that whatever happens to it is known and written down.
//!
//! What it prints is passed on as it comes and kept for the logs. The process holds the other end of a pipe as its
//! standard input and stops when that is closed: when this process is told to stop, and also when it is killed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use logq_engine::error::{Error, Result, codes};

use super::logs::{self, LogStream};
use super::program::Program;
use crate::interrupt::Interrupt;
use crate::settings::Environment;

/// Time between two looks at a running process.
const POLL: Duration = Duration::from_millis(20);

/// How a step's process ended.
#[derive(Debug)]
pub struct Ended {
    /// 128 + n for signal n, as a shell has it.
    pub exit_code: i32,
    /// The last line of standard error that is an error's first line.
    pub error: Option<String>,
    /// Why what it printed could not be kept.
    pub unkept: Option<Error>,
}

/// Streams that keep what a process prints.
pub struct Kept {
    pub stdout: LogStream,
    pub stderr: LogStream,
}

/// Runs a program to its end.
///
/// Errors: it cannot be started.
pub fn run(
    program: &Program,
    variables: &[(&'static str, String)],
    kept: Option<Kept>,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Result<Ended> {
    let failed = |error: io::Error| Error::new(codes::TASK_FAILED, "cannot run the step's process").with_source(error);
    let mut command = Command::new(&environment.program);
    // Whatever the file is called: a name such as `hive` would be a verb.
    command.arg0("logq").arg("--stop-with-stdin").args(program.os_args());
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.current_dir(&environment.working_dir);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let (keep_stdout, keep_stderr) = kept.map(|kept| (kept.stdout, kept.stderr)).unzip();
    let stdout = child.stdout.take().map(|from| pass_on(from, io::stdout(), keep_stdout));
    let stderr = child.stderr.take().map(|from| pass_on_errors(from, keep_stderr));
    let exit_code = wait(&mut child, interrupt).map_err(failed)?;
    let stdout = joined(stdout).map(|_| ());
    let stderr = joined(stderr).map(Option::unwrap_or_default);
    let (error, unkept) = match stderr {
        Ok((error, log)) => (error, end_log(log, exit_code).and(stdout).err()),
        Err(failure) => (None, Some(failure)),
    };
    let not_kept = |error: io::Error| Error::new(codes::STORAGE, "cannot keep what a step printed").with_source(error);
    Ok(Ended { exit_code, error, unkept: unkept.map(not_kept) })
}

/// Adds what EMR's runner adds.
fn end_log(log: Option<LogStream>, exit_code: i32) -> io::Result<()> {
    let Some(mut log) = log else { return Ok(()) };
    writeln!(log, "Command exiting with ret '{exit_code}'")?;
    logs::finish(log)
}

fn wait(child: &mut Child, interrupt: &Interrupt) -> io::Result<i32> {
    use std::os::unix::process::ExitStatusExt;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1));
        }
        if interrupt.exit_code().is_some() {
            drop(child.stdin.take());
        }
        std::thread::sleep(POLL);
    }
}

/// Copies a stream to where it belongs and to its log, to its end. A closed pipe of ours does not stop the step.
fn pass_on(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    mut log: Option<LogStream>,
) -> JoinHandle<io::Result<()>> {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        let mut kept = Ok(());
        loop {
            let n = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let _ = to.write_all(&buffer[..n]).and_then(|()| to.flush());
            if let (Some(log), Ok(())) = (&mut log, &kept) {
                kept = log.write_all(&buffer[..n]);
            }
        }
        kept.and_then(|()| log.map_or(Ok(()), logs::finish))
    })
}

type Errors = (Option<String>, Option<LogStream>);

/// The same for standard error, line by line, so that the lines of two processes do not tear each other.
fn pass_on_errors(from: impl Read + Send + 'static, mut log: Option<LogStream>) -> JoinHandle<io::Result<Errors>> {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let (mut last_error, mut line) = (None, Vec::new());
        let mut kept = Ok(());
        loop {
            line.clear();
            if from.read_until(b'\n', &mut line)? == 0 {
                return kept.map(|()| (last_error, log));
            }
            let _ = io::stderr().write_all(&line);
            // Whoever stopped to read would stop the step.
            if let (Some(log), Ok(())) = (&mut log, &kept) {
                kept = log.write_all(&line);
            }
            let text = String::from_utf8_lossy(&line);
            if text.contains("error[LQ") || text.starts_with("{") && text.contains("\"level\":\"error\"") {
                last_error = Some(text.trim_end().to_owned());
            }
        }
    })
}

fn joined<T>(thread: Option<JoinHandle<io::Result<T>>>) -> io::Result<Option<T>> {
    match thread.map(JoinHandle::join) {
        Some(Ok(result)) => result.map(Some),
        Some(Err(_)) => Err(io::Error::other("a thread that reads a step's output panicked")),
        None => Ok(None),
    }
}
