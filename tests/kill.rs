//! A process that dies at any moment of an INSERT leaves the old output or the new one, and the next run cleans up.
//!
//! `strace` kills the process as it enters the n-th system call of a kind, for every n until a run survives. The call
//! is not carried out. Each thread's calls of one name are counted by themselves.
//!
//! Calls of names of files that go past the C library, where tests/disk_faults cannot see them, also fail here.

use std::fs;
use std::process::Command;

use libtest_mimic::Trial;

use crate::sandbox::{Sandbox, run};
use crate::trial;

/// Everything that changes a file system: calls, and how many kills there are at least with old output and without. A
/// tool that kills nothing would pass everything. `?` is for calls that some machines do not have.
const CALLS: &[(&str, usize, usize)] = &[
    ("?rename,?renameat", 1, 1),
    ("renameat2", 1, 0),
    ("unlinkat", 4, 2),
    ("?unlink,?rmdir", 0, 0),
    ("?mkdir,mkdirat", 3, 3),
    ("fsync,fdatasync", 3, 3),
    ("?chmod,fchmod,fchmodat", 1, 0),
    ("flock", 1, 1),
    ("write,pwrite64", 2, 2),
];

/// More kills than any commit needs.
const KILLS_MAX: usize = 100;

const OLD: &[(&str, &str)] = &[("000000_0", "old\u{1}1\n"), ("000001_0", "old\u{1}2\n")];
const NEW: &[(&str, &str)] = &[("000000_0", "a\u{1}2\nb\u{1}1\n")];

const SCRIPT: &str = "\
CREATE EXTERNAL TABLE t (k STRING) LOCATION 'in';
INSERT OVERWRITE DIRECTORY 'parent/out' SELECT k, count(*) FROM t GROUP BY k;
";

pub fn trials() -> Vec<Trial> {
    // Where it is there, it may still be forbidden to trace.
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !traced.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no strace to kill a commit with");
        return Vec::new();
    }
    let mut trials = Vec::new();
    for (calls, over_old, without_old) in CALLS {
        let name = calls.split(',').next().unwrap_or(calls).trim_start_matches('?');
        trials.push(trial(format!("kill/{name}/over_old_output"), || kill_at_each(calls, OLD, *over_old)));
        trials.push(trial(format!("kill/{name}/no_old_output"), || kill_at_each(calls, &[], *without_old)));
    }
    for (error, exit_code) in ERRORS {
        trials.push(trial(format!("kill/renameat2/{error}"), || fail_at_each("renameat2", error, *exit_code)));
    }
    trials
}

/// What the exchange of two directories may answer, and what becomes of the run: the two renames that take its place are
/// what a system without it gets.
const ERRORS: &[(&str, i32)] =
    &[("EIO", 6), ("ENOSPC", 7), ("EDQUOT", 7), ("EROFS", 4), ("EACCES", 4), ("EINVAL", 0), ("ENOSYS", 0)];

fn fail_at_each(call: &str, error: &str, exit_code: i32) {
    let sandbox = Sandbox::new();
    sandbox.write("in/log", "a\nb\na\n");
    sandbox.write("job.q", SCRIPT);
    for number in 1..=KILLS_MAX {
        let _ = fs::remove_dir_all(sandbox.path("parent"));
        for (name, content) in OLD {
            sandbox.write(&format!("parent/out/{name}"), content);
        }
        let mut strace = sandbox.command("strace");
        strace.args(["-f", "-o", "trace", "-e", &format!("trace={call}")]);
        strace.args(["-e", &format!("inject={call}:error={error}:when={number}")]);
        strace.args([env!("CARGO_BIN_EXE_logq"), "run", "job.q", "--threads", "1"]);
        let finished = run(&mut strace);
        let trace = sandbox.read("trace");
        let was_hit = trace.contains("(INJECTED)");
        let expected_code = if was_hit { exit_code } else { 0 };
        assert_eq!(finished.status.code(), Some(expected_code), "{number}: {}\n{trace}", finished.stderr());
        let found = content(&sandbox);
        assert_eq!(found, expected(if expected_code == 0 { NEW } else { OLD }), "{number}\n{trace}");
        if expected_code != 0 {
            assert!(finished.stderr().contains("parent/out"), "{}", finished.stderr());
        }
        let names: Vec<_> =
            fs::read_dir(sandbox.path("parent")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["out"], "{number} left something behind\n{trace}");
        sandbox.assert_no_scratch();
        if !was_hit {
            assert!(number > 1, "{call} is never called\n{trace}");
            return;
        }
    }
    panic!("{KILLS_MAX} failures, and no run without");
}

fn kill_at_each(calls: &str, old: &[(&str, &str)], kills_min: usize) {
    let sandbox = Sandbox::new();
    sandbox.write("in/log", "a\nb\na\n");
    sandbox.write("job.q", SCRIPT);
    for number in 1..=KILLS_MAX {
        let _ = fs::remove_dir_all(sandbox.path("parent"));
        fs::create_dir(sandbox.path("parent")).unwrap();
        for (name, content) in old {
            sandbox.write(&format!("parent/out/{name}"), content);
        }

        let mut strace = sandbox.command("strace");
        // Not with --seccomp-bpf: strace 6.1 then forgets to count.
        strace.args(["-f", "-o", "trace", "-e", &format!("trace={calls}")]);
        strace.args(["-e", &format!("inject={calls}:signal=SIGKILL:when={number}")]);
        strace.args([env!("CARGO_BIN_EXE_logq"), "run", "job.q", "--threads", "1"]);
        let killed = run(&mut strace);
        let survived = killed.status.success();
        let found = content(&sandbox);
        let is_old = found == expected(old);
        let is_new = found == expected(NEW);
        let trace = || fs::read_to_string(sandbox.path("trace")).unwrap_or_default();
        assert!(
            is_new || is_old && !survived,
            "kill {number}: neither old nor new: {found:?}\n{}\n{}",
            killed.stderr(),
            trace()
        );

        let again = sandbox.run(&["run", "job.q", "--threads", "1"]);
        again.assert_code(0);
        assert_eq!(content(&sandbox), expected(NEW), "the run after kill {number}\n{}", trace());
        let names: Vec<_> =
            fs::read_dir(sandbox.path("parent")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["out"], "the run after kill {number} left something behind\n{}", trace());
        if survived {
            assert!(number > kills_min, "{} kills only: {}\n{}", number - 1, killed.stderr(), trace());
            return;
        }
    }
    panic!("{KILLS_MAX} kills, and no run survived");
}

/// The data files of the output as a reader sees them: hidden names are none.
fn content(sandbox: &Sandbox) -> Vec<(String, String)> {
    if !sandbox.has("parent/out") {
        return Vec::new();
    }
    let files = sandbox.tree("parent/out").into_iter().filter_map(|path| {
        let name = path.strip_prefix("parent/out/")?.to_owned();
        let is_hidden = name.is_empty() || name.starts_with(['_', '.']);
        (!is_hidden).then(|| (name, sandbox.read(&path)))
    });
    files.collect()
}

fn expected(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, content)| (name.to_string(), content.to_string())).collect()
}
