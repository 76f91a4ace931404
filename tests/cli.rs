//! The command line: exit codes, streams, ways to give a script, signals, a closed standard output.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::case::gzip;
use crate::sandbox::{Sandbox, run, run_with_stdin, start};
use crate::{repository, trial};

/// A second is promised; other tests and other people's programs run on the same machine.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

pub fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),+ $(,)?) => { vec![$(trial(concat!("cli/", stringify!($name)), $name)),+] };
    }
    trials![
        exit_codes,
        usage_errors,
        rows_go_to_stdout_only,
        silent_says_nothing,
        verbose_shows_statements,
        sql_from_stdin,
        sql_from_several_options,
        init_scripts_come_first,
        hive_spellings,
        database_option,
        source_and_shell,
        quit_ends_the_script,
        errors_are_ignored_on_request,
        logq_toml_gives_variables,
        environment_gives_settings,
        error_formats,
        explain_error,
        json_progress,
        no_colours_and_no_cursor_codes_in_pipes,
        a_closed_stdout_is_a_quiet_stop,
        sigint_stops_a_select,
        sigint_stops_an_insert_and_leaves_nothing,
        sigterm_stops_a_job,
        what_a_killed_run_left_is_removed_by_the_next,
        a_crlf_script,
        the_tutorial_as_a_crlf_script,
        a_hundred_megabytes_in_one_line,
        a_small_file_that_inflates_to_much,
        an_unreadable_file,
        a_hundred_small_files_are_not_a_hundred_tasks,
        two_writers_of_one_output,
        a_link_as_output_stays_a_link,
        an_output_that_is_a_file,
        deep_nesting_is_an_error_and_no_crash,
    ]
}

/// A sandbox with a table of three rows in `in/t`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("in/t/log", "a\t1\nb\t2\na\t3\n");
    sandbox.write("t.q", TABLE);
    sandbox
}

const TABLE: &str =
    "CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 'in/t';\n";

fn exit_codes() {
    let sandbox = sandbox();
    sandbox.write("in/cut/log.gz", &gzip(b"a\t1\n")[..20]);
    sandbox.write("in/evil/log", "a".repeat(40) + "!\n");
    fs::create_dir_all(sandbox.path("in/empty")).unwrap();
    sandbox.write("file", "not a directory");
    let table = |location: &str| format!("CREATE EXTERNAL TABLE x (k STRING) LOCATION '{location}'; SELECT k FROM x");
    let evil = "CREATE EXTERNAL TABLE x (k STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' \
                WITH SERDEPROPERTIES ('input.regex' = '(a|a)*\\\\1b') LOCATION 'in/evil'; SELECT k FROM x";
    let check = |code: i32, sql: &str| {
        let finished = sandbox.run(&["-e", sql]);
        assert_eq!(finished.status.code(), Some(code), "{sql}\n{}", finished.stderr());
        let has_error = finished.stderr().contains("error[LQ");
        assert_eq!(has_error, code != 0, "{sql}\n{}", finished.stderr());
    };
    check(0, "SELECT 1");
    check(0, "");
    check(1, "!false");
    check(2, "SET logq.threads=no");
    check(2, &format!("{TABLE} INSERT OVERWRITE DIRECTORY 'in/t' SELECT * FROM t"));
    check(3, "SELEC 1");
    check(3, "SELECT x");
    check(3, "ALTER TABLE t RENAME TO u");
    check(4, &table("in/missing"));
    check(4, &table("in/empty"));
    check(5, &table("in/cut"));
    check(5, &format!("SET logq.max_bad_rows=0; {evil}").replace("(a|a)*\\\\1b", "(x)"));
    check(6, &format!("{TABLE} INSERT OVERWRITE DIRECTORY 'file' SELECT * FROM t"));
    check(7, evil);
}

fn usage_errors() {
    let sandbox = sandbox();
    for args in [
        &["-e", "SELECT 1", "-f", "t.q"][..],
        &["-e", "SELECT 1", "run", "t.q"],
        &["--no-such-flag"],
        &["--format", "xml", "-e", "SELECT 1"],
        &["-d", "NOVALUE", "-e", "SELECT 1"],
        &["--threads", "0", "-e", "SELECT 1"],
        &["--config", "missing.toml", "-e", "SELECT 1"],
        &["--hiveconf", "logq.thread=1", "-e", "SELECT 1"],
    ] {
        let finished = sandbox.run(args);
        assert_eq!(finished.status.code(), Some(2), "{args:?}: {}", finished.stderr());
        assert_eq!(finished.stdout(), "", "{args:?}");
        assert!(finished.stderr().starts_with("error"), "{args:?}: {}", finished.stderr());
    }
    sandbox.run(&["run", "missing.q"]).assert_code(4);
    sandbox.run(&["--help"]).assert_code(0);
    assert_eq!(sandbox.run(&["--version"]).assert_code(0).stdout().split(' ').next(), Some("logq"));
}

fn rows_go_to_stdout_only() {
    let sandbox = sandbox();
    let finished =
        sandbox.run(&["-e", &format!("{TABLE} SELECT k, n FROM t; INSERT OVERWRITE DIRECTORY 'out' SELECT 1")]);
    finished.assert_code(0);
    assert_eq!(finished.stdout(), "a\t1\nb\t2\na\t3\n");
    assert!(finished.stderr().contains("read    t: 1 file, 3 rows, 12 B; 0 malformed rows\nresult  3 rows\n"));
    assert!(finished.stderr().contains("wrote   1 row, 2 B in 1 file to"), "{}", finished.stderr());
}

fn silent_says_nothing() {
    let sandbox = sandbox();
    let finished = sandbox.run(&["-S", "-e", &format!("{TABLE} SELECT k FROM t")]);
    assert_eq!((finished.stdout(), finished.stderr()), ("a\nb\na\n", ""));
    let finished = sandbox.run(&["-S", "-e", "SELECT nope"]);
    assert!(finished.assert_code(3).stderr().starts_with("error[LQ0102]"));
}

fn verbose_shows_statements() {
    let finished = sandbox().run(&["-v", "-e", "SELECT\n 1; SELECT 2"]);
    assert_eq!(finished.assert_code(0).stdout(), "1\n2\n");
    assert!(
        finished.stderr().contains("SELECT\n 1\n") && finished.stderr().contains("SELECT 2\n"),
        "{}",
        finished.stderr()
    );
}

fn sql_from_stdin() {
    let sandbox = sandbox();
    let script = format!("-- a comment; with a semicolon\n{TABLE}SELECT count(*) FROM t");
    let finished = run_with_stdin(&mut sandbox.logq(), &script);
    assert_eq!(finished.assert_code(0).stdout(), "3\n");
    let finished = run_with_stdin(sandbox.logq().args(["run", "-"]), "SELECT 1;");
    assert_eq!(finished.assert_code(0).stdout(), "1\n");
    // The first error stops, and its place is one in standard input.
    let finished = run_with_stdin(&mut sandbox.logq(), "SELECT 1;\nSELECT nope;\nSELECT 2;");
    assert_eq!(finished.assert_code(3).stdout(), "1\n");
    assert!(finished.stderr().contains("--> <stdin>:2:8"), "{}", finished.stderr());
}

fn sql_from_several_options() {
    let sandbox = sandbox();
    let finished = sandbox.run(&["-e", TABLE, "-e", "SELECT max(n) FROM t", "-e", "SELECT min(n) FROM t"]);
    assert_eq!(finished.assert_code(0).stdout(), "3\n1\n");
    sandbox.write("a.q", "SELECT max(n) FROM t;");
    let finished = sandbox.run(&["-f", "t.q", "-f", "a.q"]);
    assert_eq!(finished.assert_code(0).stdout(), "3\n");
}

fn init_scripts_come_first() {
    let sandbox = sandbox();
    sandbox.write("init.q", "SET hivevar:who=init;\nSELECT 'said by init';\n");
    let finished = sandbox.run(&["-i", "t.q", "-i", "init.q", "-e", "SELECT '${who}', count(*) FROM t"]);
    assert_eq!(finished.assert_code(0).stdout(), "said by init\ninit\t3\n");
    sandbox.write("bad.q", "SELECT nope;");
    let finished = sandbox.run(&["-i", "bad.q", "-e", "SELECT 1"]);
    assert_eq!(finished.assert_code(3).stdout(), "");
}

fn hive_spellings() {
    let sandbox = sandbox();
    let sql = "SELECT '${a}', '${hivevar:b}', '${c}', '${hiveconf:x.y}', '${env:WHO}', '${nope}'";
    let args = ["-define", "a=1", "--define", "b=2", "-hivevar", "c=3=4", "-hiveconf", "x.y=5", "-e", sql];
    let finished = run(sandbox.logq().args(args).env("WHO", "me"));
    assert_eq!(finished.assert_code(0).stdout(), "1\t2\t3=4\t5\tme\t${nope}\n");
}

fn database_option() {
    let sandbox = sandbox();
    let finished = sandbox.run(&["--database", "default", "-e", "SHOW TABLES; SELECT 1"]);
    assert_eq!(finished.assert_code(0).stdout(), "1\n");
    let finished = sandbox.run(&["--database", "nope", "-e", "SELECT 1"]);
    assert!(finished.assert_code(3).stderr().starts_with("error[LQ0104]"), "{}", finished.stderr());
}

fn source_and_shell() {
    let sandbox = sandbox();
    sandbox.write("sub/inner.q", "SELECT 'inner', '${x}';\n");
    sandbox.write("outer.q", "SET hivevar:x=1;\nsource sub/inner.q;\n!echo from the shell;\nSELECT 'outer';\n");
    let finished = sandbox.run(&["run", "outer.q"]);
    assert_eq!(finished.assert_code(0).stdout(), "inner\t1\nfrom the shell\nouter\n");

    sandbox.write("self.q", "source self.q;\n");
    let finished = sandbox.run(&["run", "self.q"]);
    assert!(finished.assert_code(3).stderr().contains("error[LQ0005]"), "{}", finished.stderr());
    sandbox.write("gone.q", "SELECT 1;\nsource gone/inner.q;\n");
    let finished = sandbox.run(&["run", "gone.q"]);
    assert_eq!(finished.assert_code(4).stdout(), "1\n");
    assert!(finished.stderr().contains("--> gone.q:2:1"), "{}", finished.stderr());
}

fn quit_ends_the_script() {
    let sandbox = sandbox();
    for word in ["quit", "exit", "QUIT"] {
        let finished = sandbox.run(&["-e", &format!("SELECT 1; {word}; SELECT 2")]);
        assert_eq!(finished.assert_code(0).stdout(), "1\n");
    }
    // A script that ends another one ends the run, too.
    sandbox.write("a.q", "SELECT 1;\nquit;\n");
    sandbox.write("b.q", "SELECT 2;\n");
    assert_eq!(sandbox.run(&["run", "a.q", "b.q"]).assert_code(0).stdout(), "1\n");
}

fn errors_are_ignored_on_request() {
    let sandbox = sandbox();
    let sql = "SET hive.cli.errors.ignore=true; SELECT 1; SELECT nope; SELECT 2";
    let finished = sandbox.run(&["-e", sql]);
    // The script goes on, and the exit code still tells.
    assert_eq!(finished.assert_code(3).stdout(), "1\n2\n");
    assert_eq!(sandbox.run(&["-e", "SELECT 1; SELECT nope; SELECT 2"]).assert_code(3).stdout(), "1\n");
}

fn logq_toml_gives_variables() {
    let sandbox = sandbox();
    let toml = "format = \"csv\"\n[variables]\nINPUT = \"in\"\n[settings]\nlogq.threads = 1\nmy.own = \"x\"\n";
    sandbox.write("logq.toml", toml);
    let sql = "SELECT '${INPUT}' i, '${hiveconf:my.own}' o, '${hiveconf:logq.threads}' t";
    assert_eq!(
        sandbox.run(&["-e", sql]).assert_code(0).stdout(),
        "i,o,t\r\nin,x,1\r\n".replace("\r\n", NEWLINE_OF_CSV)
    );
    // Flags win, and another file wins over ./logq.toml.
    let finished = sandbox.run(&["-d", "INPUT=flag", "--format", "tsv", "-e", sql]);
    assert_eq!(finished.assert_code(0).stdout(), "flag\tx\t1\n");
    sandbox.write("other.toml", "format = \"tsv\"\n[variables]\nINPUT = \"other\"\n");
    let finished = sandbox.run(&["--config", "other.toml", "-e", sql]);
    assert_eq!(finished.assert_code(0).stdout(), "other\tx\t1\n");
    // A word that it does not know is an error with its place.
    sandbox.write("logq.toml", "formt = \"csv\"\n");
    let finished = sandbox.run(&["-e", "SELECT 1"]);
    assert!(finished.assert_code(2).stderr().contains("--> logq.toml:1:1"), "{}", finished.stderr());
}

/// logq ends CSV lines with LF, as everything else.
const NEWLINE_OF_CSV: &str = "\n";

fn environment_gives_settings() {
    let sandbox = sandbox();
    let finished = run(sandbox.logq().env("LOGQ_FORMAT", "jsonl").args(["-e", "SELECT 1 AS a"]));
    assert_eq!(finished.assert_code(0).stdout(), "{\"a\":1}\n");
    let finished = run(sandbox.logq().env("LOGQ_FORMAT", "jsonl").args(["--format", "tsv", "-e", "SELECT 1 AS a"]));
    assert_eq!(finished.assert_code(0).stdout(), "1\n");
    let finished = run(sandbox.logq().env("LOGQ_FORMAT", "xml").args(["-e", "SELECT 1 AS a"]));
    assert!(finished.assert_code(2).stderr().contains("LOGQ_FORMAT=xml"), "{}", finished.stderr());
}

fn error_formats() {
    let sandbox = sandbox();
    let sql = "SELECT k,\n  stauts FROM t";
    let finished = sandbox.run(&["-i", "t.q", "--error-format", "short", "-e", sql]);
    let short = "<command line>:2:3: error[LQ0102]: column `stauts` not found in table `t`\n";
    assert_eq!(finished.assert_code(3).stderr(), short);
    let finished = sandbox.run(&["-i", "t.q", "--error-format", "json", "-e", sql]);
    for part in ["\"code\":\"LQ0102\"", "\"line\":2", "\"column\":3", "\"exit_code\":3", "\"kind\":\"semantic\""] {
        assert!(finished.stderr().contains(part), "{part}: {}", finished.stderr());
    }
    assert_eq!(finished.stderr().lines().count(), 1);
}

fn explain_error() {
    let finished = sandbox().run(&["explain-error", "LQ0102"]);
    assert!(finished.assert_code(0).stdout().contains("column"), "{}", finished.stdout());
    sandbox().run(&["explain-error", "LQ9999"]).assert_code(2);
}

fn json_progress() {
    let sandbox = sandbox();
    let finished = sandbox.run(&["--progress", "json", "-i", "t.q", "-e", "SELECT k, count(*) FROM t GROUP BY k"]);
    assert_eq!(finished.assert_code(0).stdout(), "a\t2\nb\t1\n");
    let events: Vec<_> = finished.stderr().lines().collect();
    assert!(events.iter().all(|line| line.starts_with('{') && line.ends_with('}')), "{}", finished.stderr());
    for event in ["job_started", "stage_started", "stage_finished", "job_finished", "summary"] {
        assert!(finished.stderr().contains(&format!("\"event\":\"{event}\"")), "{event}: {}", finished.stderr());
    }
}

fn no_colours_and_no_cursor_codes_in_pipes() {
    let sandbox = sandbox();
    for args in
        [&["--help"][..], &["-e", "SELECT nope"], &["--progress", "always", "-i", "t.q", "-e", "SELECT * FROM t"]]
    {
        let finished = run(sandbox.logq().args(args).env("TERM", "xterm-256color"));
        let text = format!("{}{}", finished.stdout(), finished.stderr());
        assert!(!text.contains('\x1b') && !text.contains('\r'), "{args:?}: {text:?}");
    }
    let finished = sandbox.run(&["--color", "always", "-e", "SELECT nope"]);
    assert!(finished.assert_code(3).stderr().contains('\x1b'));
}

fn a_closed_stdout_is_a_quiet_stop() {
    let sandbox = sandbox();
    sandbox.write("in/big/log", "0123456789\n".repeat(200_000));
    let sql = "CREATE EXTERNAL TABLE b (k STRING) LOCATION 'in/big'; SELECT k FROM b; SELECT 'not reached'";
    let mut command = sandbox.logq();
    let mut child = command.args(["-e", sql]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "0123456789\n");
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    sandbox.assert_no_scratch();
}

/// Rows that no machine gets through: 3000⁴ of them.
const ENDLESS: &str = "FROM b x CROSS JOIN b y CROSS JOIN b z CROSS JOIN b w WHERE x.k + y.k + z.k + w.k < 0";

fn check_signal(sql: &str, signal: &str, code: i32) {
    let sandbox = Sandbox::new();
    sandbox.write("in/log", (0..3000).map(|number| format!("{number}\n")).collect::<String>());
    sandbox.write("out/old/000000_0", "old\n");
    let sql = format!("CREATE EXTERNAL TABLE b (k INT) LOCATION 'in'; {sql}");
    let mut running = start(sandbox.logq().args(["-e", &sql]));
    // Nothing that can be seen from outside says that a task is at work.
    std::thread::sleep(Duration::from_millis(700));
    assert!(running.child.try_wait().unwrap().is_none(), "the job is not endless");
    running.signal(signal);
    let finished = running.finish_within(STOPS_WITHIN);
    finished.assert_code(code);
    assert!(finished.stderr().contains("error[LQ0900]"), "{}", finished.stderr());
    assert_eq!(sandbox.tree("out"), ["out/old/000000_0"]);
    assert_eq!(sandbox.read("out/old/000000_0"), "old\n");
    sandbox.assert_no_scratch();
}

fn sigint_stops_a_select() {
    check_signal(&format!("SELECT count(*) {ENDLESS}"), "INT", 130);
}

fn sigint_stops_an_insert_and_leaves_nothing() {
    check_signal(
        &format!("INSERT OVERWRITE DIRECTORY 'out/old' SELECT x.k, count(*) {ENDLESS} GROUP BY x.k"),
        "INT",
        130,
    );
}

fn sigterm_stops_a_job() {
    check_signal(&format!("INSERT OVERWRITE DIRECTORY 'out/new' SELECT x.k {ENDLESS}"), "TERM", 143);
}

fn what_a_killed_run_left_is_removed_by_the_next() {
    let sandbox = Sandbox::new();
    sandbox.write("in/log", (0..3000).map(|number| format!("{number}\n")).collect::<String>());
    let sql = format!("CREATE EXTERNAL TABLE b (k INT) LOCATION 'in'; SELECT x.k {ENDLESS} ORDER BY x.k");
    let mut running = start(sandbox.logq().args(["-e", &sql]));
    let started = Instant::now();
    while sandbox.tree("tmp") == ["tmp/"] && started.elapsed() < STOPS_WITHIN {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(running.child.try_wait().unwrap().is_none(), "the job is not endless");
    running.signal("KILL");
    running.finish_within(STOPS_WITHIN);
    assert_ne!(sandbox.tree("tmp"), ["tmp/"], "the killed run left nothing to remove");
    sandbox.run(&["-e", "SELECT 1"]).assert_code(0);
    sandbox.assert_no_scratch();
}

fn a_crlf_script() {
    let sandbox = sandbox();
    let script = format!("-- a comment; here\n{TABLE}SELECT k\n-- 'another'\n, n\nFROM t\nWHERE k = 'b';\n");
    sandbox.write("a.q", script.replace('\n', "\r\n"));
    assert_eq!(sandbox.run(&["run", "a.q"]).assert_code(0).stdout(), "b\t2\n");
}

/// Variant V3 of the tutorial; a golden script cannot have such line ends, since comments are read from it.
fn the_tutorial_as_a_crlf_script() {
    let sandbox = Sandbox::new();
    sandbox.copy(&repository().join("tests/data"), "data");
    let script = fs::read_to_string(repository().join("tests/golden/serdes/tutorial_v2.q")).unwrap();
    let script = script.replace("DateObject Date", "DateLog DATE").replace("dateobject", "datelog");
    sandbox.write("a.q", script.replace("COUNT(*) count", "COUNT(*)").replace('\n', "\r\n"));
    sandbox.run(&["run", "a.q", "-d", "INPUT=data", "-d", "OUTPUT=out"]).assert_code(0);
    assert_eq!(sandbox.read("out/os_requests/000000_0"), "Android\u{1}1\nLinux\u{1}2\nMacOS\u{1}1\nWindows\u{1}2\n");
}

fn a_hundred_megabytes_in_one_line() {
    let sandbox = Sandbox::new();
    let mut content = vec![b'x'; 100 << 20];
    content.extend_from_slice(b"\nshort\n");
    sandbox.write("in/log", content);
    let sql = "CREATE EXTERNAL TABLE b (k STRING) LOCATION 'in'; SELECT length(k) FROM b";
    let finished = sandbox.run(&["-e", sql]);
    assert_eq!(finished.assert_code(0).stdout(), "104857600\n5\n");
    let finished = sandbox.run(&["--hiveconf", "logq.max_line_bytes=1000", "-e", sql]);
    assert_eq!(finished.assert_code(0).stdout(), "5\n");
    assert!(finished.stderr().contains("longer than the limit"), "{}", finished.stderr());
}

/// 300 MB of zeros in 300 kB.
fn a_small_file_that_inflates_to_much() {
    let sandbox = Sandbox::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..300).for_each(|_| packed.write_all(&zeros).unwrap());
    packed.write_all(b"\nshort\n").unwrap();
    sandbox.write("in/log.gz", packed.finish().unwrap());
    let sql = "CREATE EXTERNAL TABLE b (k STRING) LOCATION 'in'; SELECT length(k) FROM b";
    let args = ["--hiveconf", "logq.max_line_bytes=1000000", "--stats-json", "stats.json", "-e", sql];
    assert_eq!(sandbox.run(&args).assert_code(0).stdout(), "5\n");
    let stats: serde_json::Value = serde_json::from_str(&sandbox.read("stats.json")).unwrap();
    assert!(stats["peak_memory_bytes"].as_u64().is_some_and(|bytes| bytes < 150 << 20), "{stats}");
}

fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = sandbox();
    fs::set_permissions(sandbox.path("in/t/log"), fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything, unless it gives up the right to.
    const SETPRIV: &[&str] = &["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let prefix = if fs::read(sandbox.path("in/t/log")).is_err() { &[] } else { SETPRIV };
    let bound = |program: &str| {
        let mut words = prefix.iter().copied().chain([program]);
        let mut command = sandbox.command(words.next().unwrap());
        command.args(words);
        command
    };
    let is_bound = bound("cat").arg("in/t/log").output().is_ok_and(|it| {
        let text = String::from_utf8_lossy(&it.stderr);
        !it.status.success() && text.starts_with("cat:")
    });
    if !is_bound {
        eprintln!("skipped: root may read everything, and there is no setpriv that forbids it");
        return;
    }
    let mut logq = bound(env!("CARGO_BIN_EXE_logq"));
    let finished = run(logq.args(["-i", "t.q", "-e", "SELECT * FROM t"]));
    let stderr = finished.assert_code(4).stderr();
    assert!(stderr.contains("error[LQ0401]") && stderr.contains("in/t/log"), "{stderr}");
}

fn a_hundred_small_files_are_not_a_hundred_tasks() {
    let sandbox = Sandbox::new();
    for number in 0..100 {
        sandbox.write(&format!("in/log{number:03}"), format!("{number}\n"));
    }
    let sql =
        "CREATE EXTERNAL TABLE s (n INT) LOCATION 'in'; EXPLAIN ANALYZE SELECT sum(n) FROM s; SELECT sum(n) FROM s";
    let finished = sandbox.run(&["-e", sql]);
    let stdout = finished.assert_code(0).stdout();
    assert!(stdout.ends_with("\n4950\n"), "{stdout}");
    let tasks =
        stdout.lines().find_map(|line| line.trim().strip_prefix("tasks: ")).expect("EXPLAIN ANALYZE counts tasks");
    let n_tasks: usize = tasks.split(',').next().unwrap().parse().unwrap();
    assert!(n_tasks <= 4, "{stdout}");
}

fn two_writers_of_one_output() {
    let sandbox = Sandbox::new();
    sandbox.write("in/log", (0..3000).map(|number| format!("{number}\n")).collect::<String>());
    let table = "CREATE EXTERNAL TABLE b (k INT) LOCATION 'in';";
    let endless = format!("{table} INSERT OVERWRITE DIRECTORY 'out' SELECT x.k {ENDLESS}");
    let mut running = start(sandbox.logq().args(["-e", &endless]));
    let deadline = Instant::now() + Duration::from_secs(30);
    while !sandbox.has(".out._logq_lock") {
        assert!(Instant::now() < deadline, "the first run takes no lock");
        std::thread::yield_now();
    }
    let finished = sandbox.run(&["-e", &format!("{table} INSERT OVERWRITE DIRECTORY 'out' SELECT 1")]);
    assert!(finished.assert_code(6).stderr().starts_with("error[LQ0801]"), "{}", finished.stderr());
    // The lock dies with its holder.
    running.child.kill().unwrap();
    running.finish();
    sandbox.run(&["-e", "INSERT OVERWRITE DIRECTORY 'out' SELECT 1"]).assert_code(0);
    assert_eq!(sandbox.read("out/000000_0"), "1\n");
}

fn a_link_as_output_stays_a_link() {
    let sandbox = sandbox();
    sandbox.write("real/000000_0", "old\n");
    std::os::unix::fs::symlink("real", sandbox.path("link")).unwrap();
    sandbox.run(&["-e", "INSERT OVERWRITE DIRECTORY 'link' SELECT 'new'"]).assert_code(0);
    assert!(fs::symlink_metadata(sandbox.path("link")).unwrap().is_symlink());
    assert_eq!(sandbox.read("real/000000_0"), "new\n");
}

fn an_output_that_is_a_file() {
    let sandbox = sandbox();
    sandbox.write("file", "precious");
    let finished = sandbox.run(&["-e", "INSERT OVERWRITE DIRECTORY 'file' SELECT 1"]);
    assert!(finished.assert_code(6).stderr().starts_with("error[LQ0800]"), "{}", finished.stderr());
    assert_eq!(sandbox.read("file"), "precious");
}

fn deep_nesting_is_an_error_and_no_crash() {
    let sandbox = sandbox();
    for (open, close) in [("(", ")"), ("NOT ", ""), ("- ", ""), ("CASE WHEN true THEN ", " END"), ("(SELECT ", ")")] {
        let sql = format!("SELECT {}1{}", open.repeat(5000), close.repeat(5000));
        sandbox.write("deep.q", &sql);
        let finished = sandbox.run(&["run", "deep.q"]);
        let code = finished.status.code();
        assert!(code == Some(0) || code == Some(3), "{open}: {:?} {}", finished.status, finished.stderr());
    }
    let sql = format!("SELECT 1{}", " + 1".repeat(20_000));
    sandbox.write("long.q", &sql);
    let finished = sandbox.run(&["run", "long.q"]);
    assert!(matches!(finished.status.code(), Some(0 | 3)), "{:?}", finished.status);
}
