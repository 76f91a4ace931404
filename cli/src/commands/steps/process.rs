//! Runs a step as a process of its own, so that whatever happens to it is known and written down.
//!
//! What it prints is passed on as it comes and kept for the logs. The process holds the other end of a pipe as its
//! standard input and stops when that is closed: when this process is told to stop, and also when it is killed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use logq_engine::error::{Error, Result, codes};

use super::logs::{self, LogStream};
use super::program::Program;
use crate::interrupt::Interrupt;
use crate::secrets;
use crate::settings::Environment;

/// Time between two looks at a running process.
const POLL: Duration = Duration::from_millis(20);

/// How long the streams of a process that has ended are waited for.
const GRACE: Duration = Duration::from_secs(2);

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

/// Runs a program to its end: each command once the one before has ended well, as `&&` has it.
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
    let (stdout, stderr) = kept.map(|kept| (kept.stdout, kept.stderr)).unzip();
    let mut stdout = Copied { log: stdout, ..Copied::default() };
    let mut stderr = Copied { log: stderr, ..Copied::default() };
    let mut exit_code = 0;
    for (idx, args) in program.commands().iter().enumerate() {
        // What was not begun for a stop did not run well.
        if let Some(code) = interrupt.exit_code().filter(|_| idx > 0) {
            exit_code = i32::from(code);
            break;
        }
        let mut command = Command::new(&environment.program);
        // Whatever the file is called: a name such as `hive` would be a verb.
        command.arg0("logq").arg("--stop-with-stdin").args(args);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(&environment.working_dir);
        exit_code = run_command(&mut command, &mut stdout, &mut stderr, interrupt).map_err(failed)?;
        if exit_code != 0 {
            break;
        }
    }
    let error = stderr.last_error.clone();
    // What EMR's runner adds.
    let ended = stderr.finish(&format!("Command exiting with ret '{exit_code}'\n")).and(stdout.finish(""));
    let not_kept = |error: io::Error| Error::new(codes::STORAGE, "cannot keep what a step printed").with_source(error);
    Ok(Ended { exit_code, error, unkept: ended.err().map(not_kept) })
}

/// Runs a command to its end, keeps what it prints, and gives its exit code.
fn run_command(
    command: &mut Command,
    stdout: &mut Copied,
    stderr: &mut Copied,
    interrupt: &Interrupt,
) -> io::Result<i32> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let followed_stdout = child.stdout.take().map(|from| Followed::bytes(from, std::mem::take(stdout)));
    let followed_stderr = child.stderr.take().map(|from| Followed::lines(from, std::mem::take(stderr)));
    let exit_code = wait(&mut child, interrupt)?;
    let deadline = Instant::now() + GRACE;
    *stdout = followed_stdout.map(|stream| stream.end(deadline)).unwrap_or_default();
    *stderr = followed_stderr.map(|stream| stream.end(deadline)).unwrap_or_default();
    Ok(exit_code)
}

fn wait(child: &mut Child, interrupt: &Interrupt) -> io::Result<i32> {
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

/// A stream of a process that a thread passes on and keeps.
struct Followed {
    copied: Arc<Mutex<Copied>>,
    done: mpsc::Receiver<()>,
}

/// What was kept of a stream.
#[derive(Default)]
struct Copied {
    log: Option<LogStream>,
    failure: Option<io::Error>,
    last_error: Option<String>,
}

impl Followed {
    /// Rows: as they come.
    fn bytes(mut from: impl Read + Send + 'static, kept: Copied) -> Self {
        Followed::start(kept, move |copied| {
            let mut buffer = vec![0; 64 << 10];
            loop {
                match from.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(n) => {
                        // A closed pipe of ours does not stop the step.
                        let mut stdout = io::stdout();
                        let _ = stdout.write_all(&buffer[..n]).and_then(|()| stdout.flush());
                        lock(copied).keep(&buffer[..n]);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return lock(copied).fail(error),
                }
            }
        })
    }

    /// Messages: line by line, so that those of two processes do not tear each other; without secrets.
    fn lines(from: impl Read + Send + 'static, kept: Copied) -> Self {
        Followed::start(kept, move |copied| {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            loop {
                line.clear();
                match from.read_until(b'\n', &mut line) {
                    Ok(0) => return,
                    Ok(_) => {
                        let text = String::from_utf8_lossy(&line);
                        let text = secrets::mask(&text);
                        let _ = io::stderr().write_all(text.as_bytes());
                        let mut copied = lock(copied);
                        copied.keep(text.as_bytes());
                        if text.contains("error[LQ") || text.starts_with('{') && text.contains("\"level\":\"error\"") {
                            copied.last_error = Some(text.trim_end().to_owned());
                        }
                    }
                    Err(error) => return lock(copied).fail(error),
                }
            }
        })
    }

    fn start(kept: Copied, follow: impl FnOnce(&Mutex<Copied>) + Send + 'static) -> Self {
        let copied = Arc::new(Mutex::new(kept));
        let (sender, done) = mpsc::channel();
        let own = Arc::clone(&copied);
        std::thread::spawn(move || {
            follow(&own);
            // Nobody may wait any more.
            let _ = sender.send(());
        });
        Followed { copied, done }
    }

    /// What was kept until the stream's end, or until `deadline`: a program that the step left behind may hold its
    /// streams for ever.
    fn end(self, deadline: Instant) -> Copied {
        let _ = self.done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        std::mem::take(&mut *lock(&self.copied))
    }
}

impl Copied {
    /// Keeps bytes until that fails once. Who stopped to read would stop the step.
    fn keep(&mut self, bytes: &[u8]) {
        if let (Some(log), None) = (&mut self.log, &self.failure) {
            self.failure = log.write_all(bytes).err();
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.failure.get_or_insert(error);
    }

    fn finish(mut self, last: &str) -> io::Result<()> {
        self.keep(last.as_bytes());
        match (self.failure, self.log) {
            (Some(error), _) => Err(error),
            (None, Some(log)) => logs::finish(log),
            (None, None) => Ok(()),
        }
    }
}

fn lock(copied: &Mutex<Copied>) -> MutexGuard<'_, Copied> {
    copied.lock().unwrap_or_else(PoisonError::into_inner)
}
