//! A fresh directory, and `logq` run in it as a stranger would: no environment, a deadline, everything captured.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A script of the kind that a step runs; `Sandbox::with_report` has what it reads.
const REPORT: &str = "\
CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION '${INPUT}/t';
INSERT OVERWRITE DIRECTORY '${OUTPUT}/sums/' SELECT k, sum(n) FROM t GROUP BY k;
";

/// No test may take longer: whatever does, hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// The directory of one test. Removed with it.
pub struct Sandbox {
    root: PathBuf,
    _dir: TempDir,
}

/// What a process left behind.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// A process that runs.
pub struct Running {
    pub child: Child,
    started: Instant,
    done: mpsc::Receiver<()>,
    stdout: thread::JoinHandle<Vec<u8>>,
    stderr: thread::JoinHandle<Vec<u8>>,
}

impl Sandbox {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("logq-test-").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("tmp")).unwrap();
        Sandbox { root, _dir: dir }
    }

    /// A directory with `report.q` and its logs in `in`; with `out` for OUTPUT it writes `out/sums`.
    pub fn with_report() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("in/t/log", "a\t1\nb\t2\na\t3\n");
        sandbox.write("report.q", REPORT);
        sandbox
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file and the directories above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// Whether a file or directory of this name exists.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Copies a directory of the repository.
    pub fn copy(&self, from: &Path, to: &str) {
        fs::create_dir_all(self.path(to)).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{to}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.copy(&entry.path(), &name);
            } else {
                fs::copy(entry.path(), self.path(&name)).unwrap();
            }
        }
    }

    /// `logq` in this directory, spilling under `tmp/`; nothing of our environment but PATH.
    pub fn logq(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_logq"))
    }

    /// Another program in the same surroundings.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_clear().env("TMPDIR", self.root.join("tmp")).stdin(Stdio::null());
        // logq finds `sh` where the tests do.
        if let Some(path) = from_environment("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// `logq` with these arguments, to its end.
    pub fn run(&self, args: &[&str]) -> Finished {
        run(self.logq().args(args))
    }

    /// Every file beneath `name`, ascending, and every directory without entries, with a `/` at its end.
    pub fn tree(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(name, &mut found);
        found.sort();
        found
    }

    fn walk(&self, name: &str, found: &mut Vec<String>) {
        let entries: Vec<_> = fs::read_dir(self.path(name)).unwrap().map(|entry| entry.unwrap()).collect();
        if entries.is_empty() {
            found.push(format!("{name}/"));
        }
        for entry in entries {
            let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => self.walk(&name, found),
                false => found.push(name),
            }
        }
    }

    /// Fails if a run left spilled data behind.
    #[track_caller]
    pub fn assert_no_scratch(&self) {
        assert_eq!(self.tree("tmp"), ["tmp/"], "the run left temporary files");
    }
}

/// A variable of the tests' own environment.
pub fn from_environment(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "tests are told by it what there is on this machine")]
    std::env::var_os(name)
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Finished {
    start(command).finish()
}

/// Runs a command that reads `input`.
pub fn run_with_stdin(command: &mut Command, input: &str) -> Finished {
    let mut running = start(command.stdin(Stdio::piped()));
    // A program that does not read to its end closes the pipe, which is its right.
    let _ = running.child.stdin.take().unwrap().write_all(input.as_bytes());
    running.finish()
}

/// Starts a command with both streams captured.
pub fn start(command: &mut Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (sender, done) = mpsc::channel();
    let stdout = drain(child.stdout.take().unwrap(), sender.clone());
    let stderr = drain(child.stderr.take().unwrap(), sender);
    Running { child, started: Instant::now(), done, stdout, stderr }
}

fn drain(mut stream: impl Read + Send + 'static, done: mpsc::Sender<()>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let _ = done.send(());
        bytes
    })
}

impl Running {
    /// Sends a signal by its name, as in `kill -INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status().unwrap();
        assert!(status.success());
    }

    /// Waits for both streams to be closed and the process to end; kills it at the deadline.
    pub fn finish(self) -> Finished {
        let left = DEADLINE.saturating_sub(self.started.elapsed());
        self.finish_within(left)
    }

    /// Fails if the process does not end in time.
    pub fn finish_within(mut self, limit: Duration) -> Finished {
        let deadline = Instant::now() + limit;
        for _ in 0..2 {
            if self.done.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_err() {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("still running after {limit:?}");
            }
        }
        let status = self.child.wait().unwrap();
        Finished { status, stdout: self.stdout.join().unwrap(), stderr: self.stderr.join().unwrap() }
    }
}

impl Finished {
    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap()
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "stdout: {}\nstderr: {}", self.stdout(), self.stderr());
        self
    }
}
