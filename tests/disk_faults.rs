//! A disk that fails, is full, or ends the process at the n-th call, for every n: results, spilled data and logs of steps;
//! and input that changes at the n-th read.
//!
//! `disk_faults/shim.c` stands between the command and the C library and strikes there. It is C, since what it replaces has
//! C's variable arguments, and is compiled here by the compiler that Rust links with. Whatever is struck, the result is the
//! old one or the new one, an error has a code and says which file it was, and nothing is left over once another run is done.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use libtest_mimic::Trial;
use logq_s3_server::{KEY_ID, Server};

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
        add(strike, "logs", step_logs);
        add(strike, "copy", copies);
        add(strike, "staged", staged);
    }
    for (name, change) in CHANGES {
        for limit in ["", " LIMIT 50"] {
            let suffix = if limit.is_empty() { "" } else { "/limit" };
            let name = format!("disk/input/{name}{suffix}");
            trials.push(trial(name, move || changed_input(change, limit)));
        }
    }
    trials.push(trial("disk/gzip", damaged_gzip));
    trials.push(trial("disk/few_descriptors", few_descriptors));
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
            job,
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
        job,
        |run| run.check_output(Some("old\n"), "a\u{1}4\nb\u{1}2\n"),
    );
}

/// A job whose sort does not fit into memory.
fn sort(strike: Strike) {
    const ROWS: usize = 800;
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
            sandbox.write("logq.toml", "memory-limit = \"7MB\"\n");
        },
        job,
        |run| run.check_output(Some("old\n"), &sorted),
    );
}

/// What a neighbour does to a file that is being read; `new` is as long as it, `longer` is longer.
const CHANGES: &[(&str, &str)] = &[
    ("cut", "truncate -s 100 in/log"),
    ("emptied", ": > in/log"),
    ("rewritten", "cat new > in/log"),
    ("rewritten_longer", "cat longer > in/log"),
    ("rewritten_within", "dd if=new of=in/log conv=notrunc bs=1 count=5000 skip=2000 seek=2000 status=none"),
    ("replaced", "mv new in/log"),
    ("appended_to", "cat new >> in/log"),
    ("removed", "rm in/log"),
];

/// A query over several splits of a file that changes at one of its reads.
fn changed_input(change: &'static str, limit: &str) {
    let old: String = (0..1000).map(|i| format!("row {i} of the old file\n")).collect();
    // As long, but with line ends elsewhere.
    let new: String = (0..1000).rev().map(|i| format!("row {i} of the new file\n")).collect();
    let longer = format!("some more\n{new}");
    let answer = |text: &str| {
        text.lines().take(if limit.is_empty() { 1000 } else { 50 }).map(|line| format!("{line}\n")).collect()
    };
    let mut answers: Vec<String> = vec![answer(&old)];
    if !limit.is_empty() {
        // Where nothing was read before the change, the first rows of the new file are an answer, too.
        answers.push(answer(&longer));
    }
    sweep(
        Calls { below: "in", kinds: "r", strikes_min: if limit.is_empty() { 8 } else { 1 } },
        Strike::Run(change),
        |sandbox| {
            sandbox.write("in/log", &old);
            sandbox.write("new", &new);
            sandbox.write("longer", &longer);
            let long_ago = SystemTime::now() - Duration::from_secs(7200);
            File::options().write(true).open(sandbox.path("in/log")).unwrap().set_modified(long_ago).unwrap();
            let table = "CREATE EXTERNAL TABLE t (k STRING) LOCATION 'in';";
            let settings = "SET logq.split.bytes=8192;\nSET logq.block.bytes=1024;";
            sandbox.write("job.q", format!("{settings}\n{table}\nSELECT k FROM t{limit};\n"));
        },
        job,
        |run| {
            let code = run.finished.status.code();
            if code == Some(0) {
                assert!(
                    answers.iter().any(|rows| rows == run.finished.stdout()),
                    "{run}\nsilently wrong: {}",
                    run.finished.stdout()
                );
            } else {
                let stderr = run.finished.stderr();
                // 4: a later split does not find it any more.
                let is_said = stderr.contains("since it was listed") && code == Some(5)
                    || stderr.contains("does not exist") && code == Some(4);
                assert!(run.struck.is_some() && is_said && stderr.contains("in/log"), "{run}");
            }
            run.sandbox.assert_no_scratch();
        },
    );
}

/// A step whose logs cannot be kept or published runs all the same.
fn step_logs(strike: Strike) {
    let steps = r#"[{"Type": "HIVE", "Args": ["-e", "SELECT 1"]}]"#;
    for (below, strikes_min) in [("logs", 8), ("tmp", 8), ("status", 4)] {
        sweep(
            Calls::below(below, strike, strikes_min),
            strike,
            |sandbox| {
                sandbox.write("steps.json", steps);
                fs::create_dir(sandbox.path("logs")).unwrap();
            },
            steps_job,
            |run| {
                let logs = || run.sandbox.tree("logs").into_iter().filter(|file| !file.ends_with('/'));
                if run.strike == Strike::Kill && run.struck.is_some() {
                    assert_eq!(run.finished.status.signal(), Some(9), "{run}");
                    run.names("tmp").iter().for_each(|name| run.grow_old(&format!("tmp/{name}")));
                    run.sandbox.run(&["-e", "SELECT 1"]).assert_code(0);
                    run.sandbox.assert_no_scratch();
                } else {
                    assert_eq!(run.finished.stdout(), "1\n", "{run}");
                    let code = run.finished.status.code();
                    let is_said = run.finished.stderr().contains("the steps go on without");
                    assert!(code == Some(0) && !is_said || matches!(code, Some(1 | 7)) && is_said, "{run}");
                    assert!(code == Some(0) || run.struck.is_some(), "{run}");
                    if run.kind != Some('d') {
                        assert!(!logs().any(|file| file.contains("._logq")), "{run}\n{:?}", logs().collect::<Vec<_>>());
                        run.sandbox.assert_no_scratch();
                    }
                }
                // What is there is whole.
                for file in logs().filter(|file| !file.contains("._logq")) {
                    let file = File::open(run.sandbox.path(&file)).unwrap();
                    io::copy(&mut flate2::read::GzDecoder::new(file), &mut io::sink()).unwrap();
                }
                if run.sandbox.has("status/now.json") {
                    serde_json::from_str::<serde_json::Value>(&run.sandbox.read("status/now.json")).unwrap();
                }
            },
        );
    }
}

/// A copy of three files: each is there as it was, whole, or not at all, and the next copy leaves these alone.
fn copies(strike: Strike) {
    let files = [("a", "1\n"), ("b", "22\n"), ("deep/c", "333\n")];
    sweep(
        Calls::below("to", strike, 8),
        strike,
        |sandbox| {
            files.iter().for_each(|(name, text)| sandbox.write(&format!("from/{name}"), text));
            sandbox.write("to/b", "old\n");
        },
        copy_job,
        |run| {
            run.check_end();
            for (name, text) in files {
                let copy = format!("to/{name}");
                let found = run.sandbox.has(&copy).then(|| run.sandbox.read(&copy));
                let old = (name == "b").then_some("old\n");
                let is_new = found.as_deref() == Some(text);
                assert!(
                    is_new || found.as_deref() == old && !run.finished.status.success(),
                    "{run}\n{name}: {found:?}"
                );
            }
            let names = || run.sandbox.tree("to").into_iter().filter(|name| !name.ends_with('/')).collect::<Vec<_>>();
            if names().iter().any(|name| name.contains("._logq")) {
                assert!(run.strike == Strike::Kill || run.kind == Some('d'), "{run}\n{:?}", names());
                crate::sandbox::run(&mut copy_job(run.sandbox)).assert_code(0);
                assert_eq!(names(), ["to/a", "to/b", "to/deep/c"], "{run}");
            }
        },
    );
}

/// A result for S3, which lies on this machine's disk until it is whole.
fn staged(strike: Strike) {
    let server = RefCell::new(Server::start());
    let rows = || {
        let objects = server.borrow().objects("b");
        let files = objects.into_iter().filter(|(key, _)| key.starts_with("out/0"));
        files.map(|(_, content)| String::from_utf8(content).unwrap()).collect::<String>()
    };
    let command = |sandbox: &Sandbox| {
        let mut command = job(sandbox);
        command.env("AWS_ENDPOINT_URL", server.borrow().url());
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", "x");
        command
    };
    sweep(
        Calls::below("tmp", strike, 8),
        strike,
        |sandbox| {
            server.replace(Server::start());
            server.borrow().put("b", "out/000000_0", "old\n");
            sandbox.write("in/a", "a\t1\nb\t2\n");
            let insert = "INSERT OVERWRITE DIRECTORY 's3://b/out' SELECT k, n FROM t;\n";
            sandbox.write("job.q", format!("{TABLE}{insert}"));
        },
        command,
        |run| {
            const NEW: &str = "a\u{1}1\nb\u{1}2\n";
            run.check_end();
            let found = rows();
            assert!(found == NEW || found == "old\n" && !run.finished.status.success(), "{run}\n{found:?}");
            run.names("tmp").iter().for_each(|name| run.grow_old(&format!("tmp/{name}")));
            crate::sandbox::run(&mut command(run.sandbox)).assert_code(0);
            assert_eq!(rows(), NEW, "{run}");
            let keys: Vec<_> = server.borrow().objects("b").into_keys().collect();
            assert!(keys.len() == 2 && keys[1] == "out/_SUCCESS", "{run}\n{keys:?}");
            assert!(server.borrow().pending_uploads("b").is_empty(), "{run}");
            run.sandbox.assert_no_scratch();
        },
    );
}

/// A small file cut short or with a flipped bit, as the command says it; the engine's tests have every cut and every bit.
fn damaged_gzip() {
    let mut whole = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    whole.write_all(b"a\t1\nb\t2\nb\t3\n").unwrap();
    let whole = whole.finish().unwrap();
    let cut = (1..whole.len()).step_by(5).map(|len| whole[..len].to_vec());
    // From the method on; nobody checks the time and the system, which come before the data.
    let flipped = [2, 10, 15, 20, whole.len() - 8, whole.len() - 5, whole.len() - 4, whole.len() - 1].map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
    for bytes in cut.chain(flipped) {
        let sandbox = Sandbox::new();
        sandbox.write("in/a", "a\t1\n");
        sandbox.write("in/b.gz", &bytes);
        sandbox.write("parent/out/000000_0", "old\n");
        sandbox.write("job.q", format!("{TABLE}INSERT OVERWRITE DIRECTORY 'parent/out' SELECT k, n FROM t;\n"));
        let finished = run(&mut job(&sandbox));
        assert!(finished.assert_code(5).stderr().contains("in/b.gz"), "{}", finished.stderr());
        assert_eq!(sandbox.tree("parent"), ["parent/out/000000_0"]);
        assert_eq!(sandbox.read("parent/out/000000_0"), "old\n");
        sandbox.assert_no_scratch();
    }
}

/// Files, spilled map output and threads together need few open files.
fn few_descriptors() {
    let sandbox = Sandbox::new();
    (0..200).for_each(|i| sandbox.write(&format!("in/{i}"), format!("{}\t1\n", i % 50)));
    let sums =
        "SET logq.shuffle.memory=0;\nSELECT count(*), sum(c) FROM (SELECT k, count(*) AS c FROM t GROUP BY k) s;\n";
    sandbox.write("job.q", format!("{TABLE}{sums}"));
    let mut shell = sandbox.command("sh");
    shell.args(["-c", "ulimit -n 64 && exec \"$0\" run job.q --threads 2", env!("CARGO_BIN_EXE_logq")]);
    assert_eq!(run(&mut shell).assert_code(0).stdout(), "50\t200\n");
}

fn steps_job(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.logq();
    command.args(["steps", "steps.json", "--log-uri", "logs", "--status-json", "status/now.json"]);
    command
}

fn copy_job(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.logq();
    command.args(["aws", "s3", "cp", "--recursive", "from", "to"]);
    command
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
            self.names("tmp").iter().for_each(|name| self.grow_old(&format!("tmp/{name}")));
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

    /// Makes a file or directory one of two hours ago.
    fn grow_old(&self, name: &str) {
        let long_ago = SystemTime::now() - Duration::from_secs(7200);
        File::open(self.sandbox.path(name)).unwrap().set_modified(long_ago).unwrap();
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
            Strike::Run(_) => return,
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
fn sweep(
    calls: Calls,
    strike: Strike,
    prepare: impl Fn(&Sandbox),
    command: impl Fn(&Sandbox) -> Command,
    check: impl Fn(&Run),
) {
    for number in 1..=STRIKES_MAX {
        let sandbox = Sandbox::new();
        prepare(&sandbox);
        sandbox.write("strikes", "");
        let finished = run(arm(&mut command(&sandbox), &sandbox, calls, strike, number));
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
