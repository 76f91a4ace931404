//! A disk that fails, is full, or ends the process at the n-th call, for every n: results, spilled data and logs of steps;
//! and input that changes at the n-th read.
//!
//! `disk_faults/shim.c` stands between the command and the C library and strikes there. It is C, since what it replaces has
//! C's variable arguments, and is compiled here by the compiler that Rust links with. Whatever is struck, the result is the
//! old one or the new one, an error has a code and says which file it was, and nothing is left over once another run is done.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use libtest_mimic::Trial;

use crate::sandbox::{Finished, Sandbox, run};
use crate::{repository, trial};

/// What becomes of the call that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    /// It fails with EIO, and later ones do not.
    Error,
    /// It fails with ENOSPC, as do all later ones.
    Full,
    /// The process is killed before it.
    Kill,
    /// It does one byte.
    Short,
    /// It is interrupted by a signal.
    Interrupted,
    /// The shell runs this before it.
    Run(&'static str),
}

const EINTR: i32 = 4;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Calls of one kind, below one folder of the sandbox.
#[derive(Debug, Clone, Copy)]
struct Calls {
    below: &'static str,
    /// Letters, as shim.c has them.
    kinds: &'static str,
    /// Fewer strikes than these show a sweep that sweeps nothing.
    strikes_min: usize,
}

/// More strikes than any command here has calls.
const STRIKES_MAX: usize = 400;

/// One run of a sweep.
struct Run<'a> {
    sandbox: &'a Sandbox,
    finished: Finished,
    strike: Strike,
    /// Of the call that was struck, from 1.
    number: usize,
    /// Of call, as in [`Calls`].
    kind: Option<char>,
    /// The path of the first call that was struck; none if there were fewer calls.
    struck: Option<String>,
}

static SHIM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let shim = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk_faults.so");
    let aside = shim.with_extension(std::process::id().to_string());
    let source = repository().join("tests/disk_faults/shim.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&aside).arg(source).arg("-ldl").output();
    let compiled = compiled.is_ok_and(|output| output.status.success());
    (compiled && fs::rename(&aside, &shim).is_ok()).then_some(shim)
});

pub fn trials() -> Vec<Trial> {
    if !cfg!(target_os = "linux") || SHIM.is_none() {
        eprintln!("skipped: there is no `cc` to make a disk fail with");
        return Vec::new();
    }
    let mut trials = Vec::new();
    let mut add = |strike: Strike, name: &str, sweep: fn(Strike)| {
        let strike_name = format!("{strike:?}").to_lowercase();
        trials.push(trial(format!("disk/{name}/{strike_name}"), move || sweep(strike)));
    };
    for strike in [Strike::Error, Strike::Full, Strike::Kill, Strike::Short, Strike::Interrupted] {
        add(strike, "output", output);
        add(strike, "shuffle", shuffle);
        add(strike, "sort", sort);
    }
    trials
}

const TABLE: &str = "\
SET logq.split.bytes=4;
CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 'in';
";

/// A job of three map tasks, whose files are put together.
fn output(strike: Strike) {
    let insert = "INSERT OVERWRITE DIRECTORY 'parent/out' SELECT k, n FROM t;\n";
    let new = "a\u{1}1\nb\u{1}2\nc\u{1}3\n";
    for old in [Some("old\n"), None] {
        sweep(
            Calls::below("parent", strike, 10),
            strike,
            |sandbox| {
                sandbox.write("in/a", "a\t1\nb\t2\n");
                sandbox.write("in/b", "c\t3\n");
                sandbox.write("job.q", format!("{TABLE}{insert}"));
                fs::create_dir(sandbox.path("parent")).unwrap();
                old.into_iter().for_each(|rows| sandbox.write("parent/out/000000_0", rows));
            },
            |run| run.check_output(old, new),
        );
    }
}

/// A job whose map output goes to disk.
fn shuffle(strike: Strike) {
    let sums =
        "SET logq.shuffle.memory=0;\nINSERT OVERWRITE DIRECTORY 'parent/out' SELECT k, sum(n) FROM t GROUP BY k;\n";
    sweep(
        Calls::below("tmp", strike, 5),
        strike,
        |sandbox| {
            sandbox.write("in/a", "a\t1\nb\t2\n");
            sandbox.write("in/b", "a\t3\n");
            sandbox.write("parent/out/000000_0", "old\n");
            sandbox.write("job.q", format!("{TABLE}{sums}"));
        },
        |run| run.check_output(Some("old\n"), "a\u{1}4\nb\u{1}2\n"),
    );
}

/// A job whose sort does not fit into memory.
fn sort(strike: Strike) {
    const ROWS: usize = 400;
    let text = "y".repeat(4000);
    let rows: String = (0..ROWS).map(|i| format!("{text}{i}\t{}\n", i * 101 % ROWS)).collect();
    let mut sorted: Vec<usize> = (0..ROWS).collect();
    sorted.sort_by_key(|i| i * 101 % ROWS);
    let sorted: String = sorted.into_iter().map(|i| format!("{text}{i}\u{1}{}\n", i * 101 % ROWS)).collect();
    let table = TABLE.lines().last().unwrap();
    sweep(
        Calls::below("tmp", strike, 20),
        strike,
        |sandbox| {
            sandbox.write("in/a", &rows);
            sandbox.write("parent/out/000000_0", "old\n");
            let sort = "INSERT OVERWRITE DIRECTORY 'parent/out' SELECT k, n FROM t ORDER BY n;\n";
            sandbox.write("job.q", format!("{table}\n{sort}"));
            sandbox.write("logq.toml", "memory-limit = \"6MB\"\n");
        },
        |run| run.check_output(Some("old\n"), &sorted),
    );
}

fn job(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.logq();
    command.args(["run", "job.q", "--threads", "1"]);
    command
}

impl Calls {
    /// All that such a strike can hit.
    fn below(below: &'static str, strike: Strike, strikes_min: usize) -> Calls {
        let kinds = match strike {
            Strike::Error | Strike::Kill => "wscmda",
            Strike::Full => "wsc",
            Strike::Short | Strike::Interrupted => "w",
            Strike::Run(_) => "r",
        };
        // About a quarter of all calls write.
        Calls { below, kinds, strikes_min: if kinds == "w" { strikes_min / 4 } else { strikes_min } }
    }
}

impl Run<'_> {
    /// The rows of `parent/out` are the old ones or the new ones, and nothing lies about.
    #[track_caller]
    fn check_output(&self, old: Option<&str>, new: &str) {
        self.check_end();
        let succeeded = self.finished.status.success();
        let rows = self.rows("parent/out");
        let is_new = rows.as_deref() == Some(new);
        assert!(
            is_new || rows.as_deref() == old && !succeeded,
            "{self}\nneither old nor new: {:?}",
            rows.map(|rows| rows.len())
        );
        let is_clean = |run: &Self| run.names("parent").iter().all(|name| name == "out") && run.names("tmp").is_empty();
        if !is_clean(self) {
            let may_leave = self.strike == Strike::Kill || self.kind == Some('d');
            assert!(may_leave, "{self}\nleft over: {:?} {:?}", self.sandbox.tree("parent"), self.sandbox.tree("tmp"));
            // The run after it cleans up; a directory for temporary files that was just being made is left for an hour.
            let long_ago = SystemTime::now() - Duration::from_secs(7200);
            for name in self.names("tmp") {
                let directory = File::open(self.sandbox.path("tmp").join(name)).unwrap();
                directory.set_modified(long_ago).unwrap();
            }
            self.sandbox.run(&["run", "job.q", "--threads", "1"]).assert_code(0);
            assert_eq!(self.rows("parent/out").as_deref(), Some(new), "{self}");
            assert!(
                is_clean(self),
                "{self}\nleft over: {:?} {:?}",
                self.sandbox.tree("parent"),
                self.sandbox.tree("tmp")
            );
        }
    }

    /// Fails unless the process ended as one does that was struck so: by the kill, well, or with an error that says what
    /// failed where.
    #[track_caller]
    fn check_end(&self) {
        let code = self.finished.status.code();
        if self.struck.is_none() {
            assert_eq!(code, Some(0), "{self}");
            return;
        }
        let codes: &[i32] = match self.strike {
            Strike::Kill => {
                assert_eq!(self.finished.status.signal(), Some(9), "{self}");
                return;
            }
            // 6 is a commit that failed; an attempt that is repeated may do without what failed.
            Strike::Error => &[0, 1, 6],
            Strike::Full => &[7],
            Strike::Short | Strike::Interrupted => &[0],
            Strike::Run(_) => &[0, 5],
        };
        assert!(code.is_some_and(|code| codes.contains(&code)), "{self}");
        if code != Some(0) {
            self.check_message();
        }
    }

    /// An error with a code, which names the file and says what the system said.
    #[track_caller]
    fn check_message(&self) {
        let stderr = self.finished.stderr();
        let cause = match self.strike {
            Strike::Full => "no space left",
            _ => "Input/output error",
        };
        let path = Path::new(self.struck.as_ref().unwrap());
        // The file, or the folder in which it cannot be made.
        let is_named = path.ancestors().take(3).any(|path| stderr.contains(path.to_str().unwrap()));
        assert!(stderr.contains("error[LQ") && stderr.contains(cause) && is_named, "{self}");
    }

    /// The rows of a directory as a reader sees them: of files without a hidden name, in order. None without a directory.
    fn rows(&self, directory: &str) -> Option<String> {
        self.sandbox.has(directory).then(|| {
            let names = self.names(directory).into_iter().filter(|name| !name.starts_with(['_', '.']));
            names.map(|name| self.sandbox.read(&format!("{directory}/{name}"))).collect()
        })
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.sandbox.path(directory)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { finished, strike, number, struck, .. } = self;
        let what = struck.as_deref().unwrap_or("nothing");
        write!(f, "{strike:?} at call {number} struck {what}: {}\n{}", finished.status, finished.stderr())
    }
}

/// Strikes one call after the other, each in a sandbox of its own, until none is left, and looks at what came of it.
fn sweep(calls: Calls, strike: Strike, prepare: impl Fn(&Sandbox), check: impl Fn(&Run)) {
    for number in 1..=STRIKES_MAX {
        let sandbox = Sandbox::new();
        prepare(&sandbox);
        sandbox.write("strikes", "");
        let finished = run(arm(&mut job(&sandbox), &sandbox, calls, strike, number));
        let first = sandbox.read("strikes").lines().next().map(str::to_owned);
        let kind = first.as_ref().and_then(|line| line.chars().next());
        let was_struck = first.is_some();
        let struck = first.map(|line| line[2..].trim_end_matches(" (deleted)").to_owned());
        check(&Run { sandbox: &sandbox, finished, strike, number, kind, struck });
        if !was_struck {
            assert!(number > calls.strikes_min, "{} strikes only at {calls:?}", number - 1);
            return;
        }
    }
    panic!("{STRIKES_MAX} strikes at {calls:?}, and no run without one");
}

fn arm<'a>(
    command: &'a mut Command,
    sandbox: &Sandbox,
    calls: Calls,
    strike: Strike,
    number: usize,
) -> &'a mut Command {
    let action = match strike {
        Strike::Error => EIO.to_string(),
        Strike::Full => ENOSPC.to_string(),
        Strike::Interrupted => EINTR.to_string(),
        Strike::Kill => "kill".to_owned(),
        Strike::Short => "short".to_owned(),
        Strike::Run(script) => format!("run cd '{}' && {script}", sandbox.root().display()),
    };
    if strike == Strike::Full {
        command.env("DISK_FAULT_EVER", "1");
    }
    command
        .env("LD_PRELOAD", SHIM.as_ref().unwrap())
        .env("DISK_FAULT_BELOW", sandbox.path(calls.below))
        .env("DISK_FAULT_CALLS", calls.kinds)
        .env("DISK_FAULT_AT", number.to_string())
        .env("DISK_FAULT_DO", action)
        .env("DISK_FAULT_LOG", sandbox.path("strikes"))
}
