//! What a scheduler needs of a run: statistics, a plan with its price, a time limit, log lines, and no secrets anywhere.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::sandbox::{Finished, Sandbox, run, start};

pub fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),* $(,)?) => { vec![$(crate::trial(concat!("unattended/", stringify!($name)), $name)),*] };
    }
    trials![
        statistics_of_a_run,
        statistics_of_a_failure,
        statistics_that_cannot_be_written,
        a_dry_run_reads_and_writes_nothing,
        a_dry_run_of_what_is_not_there_yet,
        a_dry_run_as_json,
        the_time_limit,
        a_shell_command_is_stopped,
        log_lines_as_json,
        secrets_appear_nowhere,
    ]
}

const TABLE: &str =
    "CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 'in/t';\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("in/t/log", "a\t1\nb\t2\na\t3\n");
    sandbox.write("report.q", format!("{TABLE}INSERT OVERWRITE DIRECTORY 'out' SELECT k FROM t;\nSELECT k FROM t;\n"));
    sandbox
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn statistics_of_a_run() {
    let sandbox = sandbox();
    sandbox.run(&["run", "report.q", "--stats-json", "stats/run.json"]).assert_code(0);
    let stats = json(&sandbox.read("stats/run.json"));
    assert_eq!((&stats["exit_code"], &stats["error"]), (&json("0"), &json("null")));
    assert_eq!(
        (stats["rows_read"].as_u64(), stats["bytes_read"].as_u64(), stats["files_read"].as_u64()),
        (Some(6), Some(24), Some(2))
    );
    assert_eq!((stats["rows_written"].as_u64(), stats["bytes_written"].as_u64()), (Some(3), Some(6)));
    assert_eq!(
        (stats["result_rows"].as_u64(), stats["attempts"].as_u64(), stats["retries"].as_u64()),
        (Some(3), Some(2), Some(0))
    );
    assert_eq!(stats["requests"], json(r#"{"list":0,"get":0,"put":0,"retries":0,"wait_seconds":0.0}"#));
    assert!(stats["peak_memory_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{stats}");
    assert!(stats["wall_seconds"].as_f64().is_some_and(|time| time > 0.0), "{stats}");
    assert!(stats["cpu_seconds"].as_f64().is_some(), "{stats}");
    let statements = stats["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 3);
    assert_eq!(statements[1]["source"], json(r#"{"file":"report.q","line":2}"#));
    assert_eq!(statements[1]["text"], "INSERT OVERWRITE DIRECTORY 'out' SELECT k FROM t");
    assert_eq!((statements[1]["rows_written"].as_u64(), statements[2]["result_rows"].as_u64()), (Some(3), Some(3)));
    assert_eq!(statements[1]["outputs"][0]["path"], sandbox.path("out").to_str().unwrap());
}

fn statistics_of_a_failure() {
    let sandbox = sandbox();
    sandbox.run(&["-e", "SELECT 1; SELECT nope", "--stats-json", "s.json"]).assert_code(3);
    let stats = json(&sandbox.read("s.json"));
    assert_eq!((stats["exit_code"].as_u64(), stats["error"]["code"].as_str()), (Some(3), Some("LQ0102")));
    assert_eq!(stats["statements"][0]["error"], json("null"));
    assert_eq!(stats["statements"][1]["error"]["code"], "LQ0102");
    // Nor does it matter how early it comes.
    sandbox.run(&["run", "missing.q", "--stats-json", "early.json"]).assert_code(4);
    let stats = json(&sandbox.read("early.json"));
    assert_eq!((stats["exit_code"].as_u64(), &stats["statements"]), (Some(4), &json("[]")));
}

fn statistics_that_cannot_be_written() {
    let finished = sandbox().run(&["-e", "SELECT 1", "--stats-json", "report.q/s.json"]);
    assert!(finished.assert_code(1).stderr().contains("report.q"), "{}", finished.stderr());
}

fn a_dry_run_reads_and_writes_nothing() {
    let sandbox = sandbox();
    // Whoever read it would fail.
    sandbox.write("in/t/log.gz", "not gzip");
    sandbox.write("shell.q", "!touch made;\n");
    let finished = sandbox.run(&["run", "report.q", "shell.q", "--dry-run"]);
    let out = sandbox.path("out").display().to_string();
    let expected = format!(
        "report.q:2\n  read    t: 2 files, 20 B, 2 splits; no requests\n  replace {out}\n\
         report.q:3\n  read    t: 2 files, 20 B, 2 splits; no requests\ntotal: 4 files, 40 B; no requests\n"
    );
    assert_eq!(finished.assert_code(0).stdout(), expected);
    assert!(!sandbox.has("out") && !sandbox.has("made"));
    sandbox.assert_no_scratch();
    // What would be an error before anything ran is one.
    sandbox.run(&["--dry-run", "-e", &format!("{TABLE} SELECT nope FROM t")]).assert_code(3);
    sandbox
        .run(&["--dry-run", "-e", &format!("{TABLE} INSERT OVERWRITE DIRECTORY 'in' SELECT * FROM t")])
        .assert_code(2);
}

fn a_dry_run_of_what_is_not_there_yet() {
    let sandbox = sandbox();
    let table = |name: &str, location: &str| format!("CREATE EXTERNAL TABLE {name} (k STRING) LOCATION '{location}';");
    let write = "INSERT OVERWRITE DIRECTORY 'out' SELECT k FROM t;";
    let sql = format!("{TABLE}{write}{} SELECT * FROM o", table("o", "out"));
    let finished = sandbox.run(&["--dry-run", "-e", &sql]);
    let note = "warning: not known before an earlier statement has run: ";
    assert!(finished.assert_code(0).stdout().contains(note), "{}", finished.stdout());
    // What nobody would have written is missing.
    let sql = format!("{TABLE}{write}{} SELECT * FROM o", table("o", "elsewhere"));
    sandbox.run(&["--dry-run", "-e", &sql]).assert_code(4);
}

fn a_dry_run_as_json() {
    let finished = sandbox().run(&["run", "report.q", "--dry-run", "--format", "jsonl"]);
    let plans: Vec<_> = finished.assert_code(0).stdout().lines().map(json).collect();
    assert_eq!(plans.len(), 2);
    assert_eq!((&plans[0]["event"], &plans[0]["inputs"][0]["bytes"]), (&json("\"planned\""), &json("12")));
    assert_eq!(plans[1]["output"], json("null"));
}

/// Rows that no machine gets through.
const ENDLESS: &str = "CREATE EXTERNAL TABLE b (k INT) LOCATION 'many'; \
    INSERT OVERWRITE DIRECTORY 'out' SELECT x.k FROM b x CROSS JOIN b y CROSS JOIN b z CROSS JOIN b w WHERE x.k + y.k + z.k + w.k < 0";

fn the_time_limit() {
    let sandbox = Sandbox::new();
    sandbox.write("many/log", (0..3000).map(|number| format!("{number}\n")).collect::<String>());
    let started = Instant::now();
    let finished = sandbox.run(&["--timeout", "1s", "--stats-json", "s.json", "-e", ENDLESS]);
    assert!(
        finished.assert_code(7).stderr().starts_with("error[LQ0604]: not done after 1.00 s"),
        "{}",
        finished.stderr()
    );
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(json(&sandbox.read("s.json"))["exit_code"].as_u64(), Some(7));
    assert!(!sandbox.has("out"));
    sandbox.assert_no_scratch();
    sandbox.run(&["--timeout", "1h", "-e", "SELECT 1"]).assert_code(0);
    sandbox.run(&["--timeout", "soon", "-e", "SELECT 1"]).assert_code(2);
}

fn a_shell_command_is_stopped() {
    let sandbox = sandbox();
    let mut command = sandbox.logq();
    let running = start(command.args(["-e", "!touch began && sleep 60"]));
    let deadline = Instant::now() + Duration::from_secs(30);
    while !sandbox.has("began") {
        assert!(Instant::now() < deadline, "the command does not begin");
        std::thread::yield_now();
    }
    running.signal("TERM");
    running.finish_within(Duration::from_secs(10)).assert_code(143);
}

fn log_lines_as_json() {
    let sandbox = sandbox();
    let finished = sandbox.run(&["--log-format", "json", "-e", &format!("{TABLE} SELECT k FROM t; SELECT nope")]);
    let lines: Vec<_> = finished.assert_code(3).stderr().lines().map(json).collect();
    assert!(lines.len() > 3);
    for line in &lines {
        let time = line["time"].as_str().unwrap_or_default();
        assert!(time.ends_with('Z') && time.len() == "2026-01-01T00:00:00.000Z".len(), "{line}");
    }
    assert_eq!(lines.last().unwrap()["code"], "LQ0102");
    let finished = run(sandbox.logq().env("LOGQ_LOG_FORMAT", "json").args(["-e", "SELECT nope"]));
    assert_eq!(json(finished.assert_code(3).stderr())["level"], "error");
}

/// Every secret that a run is given, and every way in which something is written.
fn secrets_appear_nowhere() {
    let sandbox = sandbox();
    let canary = |name: &str| format!("CANARY/{name}+x");
    let check = |finished: &Finished, args: &[&str]| {
        for text in [finished.stdout(), finished.stderr()] {
            assert!(!text.contains("CANARY"), "{args:?}: {text}");
        }
        for file in sandbox.tree("written").into_iter().filter(|file| !file.ends_with('/')) {
            let text = String::from_utf8_lossy(&std::fs::read(sandbox.path(&file)).unwrap()).into_owned();
            assert!(!text.contains("CANARY"), "{args:?}: {file}: {text}");
        }
    };
    let set = canary("set");
    sandbox.write(
        "set.q",
        format!("SET fs.s3a.secret.key={set};\nSET;\nSET fs.s3a.secret.key;\n{TABLE}SELECT nope FROM t;\n"),
    );
    sandbox.write("inline.q", format!("SET hivevar:db.password = '{set}';\nSELECT '{set}' +;\n"));
    std::fs::create_dir_all(sandbox.path("written")).unwrap();
    let conf = format!("fs.s3a.secret.key={}", canary("conf"));
    let wrong = format!("logq.secret.threads={}", canary("wrong"));
    let url = format!("s3://b/x.q?X-Amz-Signature={}&X-Amz-Security-Token={}", canary("url"), canary("token"));
    let cases: &[&[&str]] = &[
        &["-v", "--progress", "always", "--stats-json", "written/a.json", "run", "set.q"],
        &["-v", "--log-format", "json", "--stats-json", "written/b.json", "run", "set.q"],
        &["-v", "--error-format", "short", "run", "inline.q"],
        &["--hiveconf", &conf, "-v", "-e", "SET -v; SET; SET env:AWS_SECRET_ACCESS_KEY; SELECT nope"],
        &["--hiveconf", &wrong, "-e", "SELECT 1"],
        &["hive", "-v", "-hiveconf", &conf, "-e", "SET;"],
        &["--hiveconf", &conf, "--no-such-flag"],
        &["run", &url],
        &["hive", "-f", &url],
        &["--dry-run", "run", "set.q"],
    ];
    for args in cases {
        let mut command = sandbox.logq();
        command.env("AWS_SECRET_ACCESS_KEY", canary("env")).env("AWS_SESSION_TOKEN", canary("session"));
        check(&run(command.args(*args)), args);
    }
}
