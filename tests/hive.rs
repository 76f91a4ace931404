//! `logq hive`, and the binary under Hive's names: a wrapper script that calls `hive` needs one word changed, or none.

use std::os::unix::fs::symlink;
use std::process::Command;

use libtest_mimic::Trial;

use crate::sandbox::{Sandbox, run, run_with_stdin};

pub fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),* $(,)?) => { vec![$(crate::trial(concat!("hive/", stringify!($name)), $name)),*] };
    }
    trials![
        the_arguments_of_a_step,
        by_hives_names,
        hiverc_and_init_files,
        database_first,
        what_is_said_is_hives,
        failures,
        options_of_logq_stand_before,
        a_wrapper_script_with_one_word_changed,
    ]
}

/// `logq` under another name.
fn called(sandbox: &Sandbox, name: &str) -> Command {
    std::fs::create_dir_all(sandbox.path("bin")).unwrap();
    let link = sandbox.path(&format!("bin/{name}"));
    if !link.is_symlink() {
        symlink(env!("CARGO_BIN_EXE_logq"), &link).unwrap();
    }
    sandbox.command(link.to_str().unwrap())
}

fn the_arguments_of_a_step() {
    let sandbox = Sandbox::with_report();
    let check = |args: &[&str]| {
        let finished = sandbox.run(&[&["hive"], args].concat());
        finished.assert_code(0);
        assert_eq!(sandbox.read("out/sums/000000_0"), "a\u{1}4\nb\u{1}2\n", "{args:?}");
        std::fs::remove_dir_all(sandbox.path("out")).unwrap();
    };
    check(&["-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=out"]);
    check(&["--run-hive-script", "--args", "-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=out"]);
    let before_emr_4 = ["--base-path", "s3://x/libs/hive/", "--run-hive-script", "--hive-versions", "latest", "--args"];
    check(&[&before_emr_4[..], &["-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=out"]].concat());
    check(&["-hiveconf", "a=b", "--hivevar", "INPUT=in", "-hivevar", "OUTPUT=out", "-f", "report.q"]);
    check(&[
        "--service",
        "cli",
        "-S",
        "-d",
        "INPUT=wrong",
        "--hivevar",
        "INPUT=in",
        "-d",
        "OUTPUT=out",
        "-f",
        "report.q",
    ]);
}

fn by_hives_names() {
    let sandbox = Sandbox::with_report();
    let finished = run(called(&sandbox, "hive").args(["-e", "SELECT 1, '${a}'", "-d", "a=x"]));
    assert_eq!(finished.assert_code(0).stdout(), "1\tx\n");
    let args = ["--run-hive-script", "--args", "-e", "SELECT 2"];
    assert_eq!(run(called(&sandbox, "hive-script").args(args)).assert_code(0).stdout(), "2\n");
    let finished = run_with_stdin(&mut called(&sandbox, "hive"), "SELECT 3;\n");
    assert_eq!(finished.assert_code(0).stdout(), "3\n");
    let finished = run(called(&sandbox, "hive").arg("-H"));
    assert!(finished.assert_code(0).stdout().contains("--hiveconf"), "{}", finished.stdout());
}

fn hiverc_and_init_files() {
    let sandbox = Sandbox::with_report();
    sandbox.write("home/.hiverc", "SET hivevar:who=home;\n");
    sandbox.write("conf/.hiverc", "SET hivevar:who=conf;\nSET hivevar:where=conf;\n");
    sandbox.write("init.q", "SET hivevar:who=init;\n");
    let with_homes = |args: &[&str]| {
        let mut command = sandbox.logq();
        command.env("HOME", sandbox.path("home")).env("HIVE_CONF_DIR", sandbox.path("conf"));
        run(command.arg("hive").args(args))
    };
    let sql = "SELECT '${who}', '${where}'";
    assert_eq!(with_homes(&["-e", sql]).assert_code(0).stdout(), "home\tconf\n");
    assert_eq!(with_homes(&["-i", "init.q", "-e", sql]).assert_code(0).stdout(), "init\t${where}\n");
    // `logq run` is not Hive, and reads none of them.
    let finished = run(sandbox.logq().env("HOME", sandbox.path("home")).args(["-e", "SELECT '${who}'"]));
    assert_eq!(finished.assert_code(0).stdout(), "${who}\n");
    // An init file that fails ends the run.
    sandbox.write("home/.hiverc", "SELECT nope;\n");
    assert_eq!(with_homes(&["-e", sql]).assert_code(3).stdout(), "");
    with_homes(&["-i", "missing.q", "-e", sql]).assert_code(4);
}

fn database_first() {
    let sandbox = Sandbox::with_report();
    sandbox.write("init.q", "SELECT 'init';\n");
    let finished = sandbox.run(&["hive", "--database", "nope", "-i", "init.q", "-e", "SELECT 1"]);
    assert_eq!(finished.assert_code(3).stdout(), "");
}

fn what_is_said_is_hives() {
    let sandbox = Sandbox::with_report();
    let args = ["hive", "-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=out"];
    let finished = sandbox.run(&args);
    let said: Vec<&str> = finished.assert_code(0).stderr().lines().collect();
    let expected = [
        "OK",
        "Time taken: ",
        "Query ID = ",
        "Total jobs = 1",
        "Launching Job 1 out of 1",
        "Moving data to directory ",
    ];
    let mut left = said.iter();
    for start in expected.iter().chain(&["OK", "Time taken: "]) {
        assert!(left.any(|line| line.starts_with(start)), "no `{start}` in its place: {}", finished.stderr());
    }
    let finished = sandbox.run(&["hive", "-e", "SET a=b; SELECT 1 UNION ALL SELECT 2"]);
    assert_eq!(finished.assert_code(0).stderr().matches("OK\n").count(), 1, "{}", finished.stderr());
    assert!(finished.stderr().contains(" seconds, Fetched: 2 row(s)\n"), "{}", finished.stderr());
    // Silent is silent.
    let finished = sandbox.run(&["hive", "-S", "-e", "SELECT 1"]);
    assert_eq!((finished.stdout(), finished.stderr()), ("1\n", ""));
}

fn failures() {
    let sandbox = Sandbox::with_report();
    let finished = sandbox.run(&["hive", "-e", "SELECT 1; SELECT nope; SELECT 2"]);
    assert_eq!(finished.assert_code(3).stdout(), "1\n");
    let failed = finished.stderr().lines().find(|line| line.starts_with("FAILED: ")).unwrap_or_default();
    assert!(failed.starts_with("FAILED: SemanticException line 1:18 "), "{}", finished.stderr());
    let finished = sandbox.run(&["hive", "--hiveconf", "hive.cli.errors.ignore=true", "-e", "SELECT nope; SELECT 2"]);
    assert_eq!(finished.assert_code(3).stdout(), "2\n");
    sandbox.run(&["hive", "-f", "missing.q"]).assert_code(4);
    for args in [&["hive", "--no-such-option"][..], &["hive", "-e", "SELECT 1", "-f", "report.q"]] {
        assert_eq!(sandbox.run(args).assert_code(2).stdout(), "");
    }
    let finished = sandbox.run(&["hive", "-e", "SELECT 1", "-e", "SELECT 2"]);
    assert_eq!(finished.assert_code(0).stdout(), "1\n");
    assert!(finished.stderr().contains("Hive ignores all but the first `-e`"), "{}", finished.stderr());
}

fn options_of_logq_stand_before() {
    let finished = Sandbox::with_report().run(&["--format", "csv", "--threads", "1", "hive", "-e", "SELECT 1 AS a"]);
    assert_eq!(finished.assert_code(0).stdout(), "a\n1\n");
}

fn a_wrapper_script_with_one_word_changed() {
    let sandbox = Sandbox::with_report();
    let script = "set -euo pipefail\nHIVE='hive'\n\
                  $HIVE -hiveconf a=1 -d INPUT=in -d OUTPUT=out -f report.q 2> hive.log || { echo failed; exit 1; }\n\
                  grep -q '^OK$' hive.log && echo done\n";
    sandbox.write("nightly.sh", script.replace("'hive'", &format!("'{} hive'", env!("CARGO_BIN_EXE_logq"))));
    let finished = run(sandbox.command("bash").arg("nightly.sh"));
    assert_eq!(finished.assert_code(0).stdout(), "done\n");
    assert_eq!(sandbox.read("out/sums/000000_0"), "a\u{1}4\nb\u{1}2\n");
}
