//! Commands of the shell in a script: `!command`.
//!
//! As in Hive the command is the shell's and its output ours. It gets a process group of its own, so that a stop reaches
//! what the shell has started, too.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use logq_engine::error::{Error, Result, codes};

use crate::interrupt::Interrupt;

/// Time between two looks at the running command.
const POLL: Duration = Duration::from_millis(20);

/// How long it may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs a command to its end.
///
/// Errors: `TASK_FAILED` if it does not start or does not end well; `CANCELLED`.
pub fn run(command: &str, working_dir: &Path, interrupt: &Interrupt) -> Result<()> {
    let failed = |message: String| Error::new(codes::TASK_FAILED, message);
    let mut shell = Command::new("sh")
        .args(["-c", command])
        .current_dir(working_dir)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| failed("cannot start `sh`".to_owned()).with_source(error))?;
    let mut stopped: Option<Instant> = None;
    let status = loop {
        let waited = shell.try_wait();
        match waited.map_err(|error| failed("cannot wait for `sh`".to_owned()).with_source(error))? {
            Some(status) => break status,
            None if interrupt.exit_code().is_none() => {}
            None => match stopped {
                None => {
                    signal(&shell, "TERM");
                    stopped = Some(Instant::now());
                }
                Some(since) if since.elapsed() >= PATIENCE => signal(&shell, "KILL"),
                Some(_) => {}
            },
        }
        std::thread::sleep(POLL);
    };
    interrupt.check()?;
    if !status.success() {
        return Err(failed(format!("the command `{}` ended with {status}", command.trim())));
    }
    Ok(())
}

/// Sends a signal to the command's process group, by the shell that is there anyway.
fn signal(shell: &Child, name: &str) {
    let kill = format!("kill -s {name} -- -{}", shell.id());
    // It may have ended just now.
    let _ = Command::new("sh").args(["-c", &kill]).stdin(Stdio::null()).stderr(Stdio::null()).status();
}
