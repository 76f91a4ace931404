//! `logq steps`: jobs of EMR as they stand, their states, their logs, and what becomes of the rest when one fails.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sandbox::{Finished, Sandbox, run, start};

pub fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),* $(,)?) => { vec![$(crate::trial(concat!("steps/", stringify!($name)), $name)),*] };
    }
    trials![
        every_documented_form,
        the_shorthand,
        commands_of_a_shell_in_a_row,
        states_in_their_order,
        what_a_failure_does_to_the_others,
        unsupported_steps_are_named_before_anything_runs,
        a_plan_of_the_steps,
        logs_and_status,
        logs_of_a_failure,
        logs_that_cannot_be_written,
        a_signal_stops_the_step,
        the_time_limit,
        what_a_step_leaves_behind_holds_nobody_up,
        a_step_dies_with_its_runner,
        copies_before_and_after,
        a_copy_of_what_is_not_there,
        secrets_appear_nowhere,
    ]
}

/// Writes `steps.json` with these steps and runs it.
fn run_steps(sandbox: &Sandbox, steps: &Value, args: &[&str]) -> Finished {
    sandbox.write("steps.json", steps.to_string());
    sandbox.run(&[&["steps", "steps.json"], args].concat())
}

fn hive(name: &str, sql: &str, action: &str) -> Value {
    json!({"Name": name, "ActionOnFailure": action, "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["hive", "-e", sql]}})
}

/// The states that were said, `name STATE`, in order.
fn states(finished: &Finished) -> Vec<String> {
    let lines = finished.stderr().lines().filter(|line| line.contains("Z s-"));
    let words = |line: &str| line.split_whitespace().skip(2).take(2).map(str::to_owned).collect::<Vec<_>>();
    lines.map(words).map(|words| format!("{} {}", words[1].trim_end_matches(':'), words[0])).collect()
}

fn gunzip(sandbox: &Sandbox, name: &str) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(sandbox.path(name)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn every_documented_form() {
    let args = ["-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=out"];
    let api = |args: &[&str]| json!({"Name": "n", "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args}});
    let wrapper = ["hive-script", "--run-hive-script", "--args"];
    let script = format!("hive-script --run-hive-script --args {}", args.join(" "));
    let region = "s3://us-east-1.elasticmapreduce/libs";
    let hive_script = format!("{region}/hive/hive-script");
    let old_args = [&[&*hive_script, "--run-hive-script", "--hive-versions", "latest", "--args"], &args[..]].concat();
    let old = json!({"Jar": format!("{region}/script-runner/script-runner.jar"), "Args": old_args});
    let serverless = json!({"query": "report.q", "parameters": "--hivevar INPUT=in --hivevar OUTPUT=out --hiveconf hive.exec.scratchdir=s3://b/x"});
    for steps in [
        json!([{"Type": "HIVE", "Args": args}]),
        json!([api(&[&wrapper[..], &args].concat())]),
        json!({"JobFlowId": "j-1", "Steps": [api(&[&["hive"], &args[..]].concat())]}),
        json!([api(&["bash", "-c", &script])]),
        json!([old]),
        json!({"applicationId": "x", "jobDriver": {"hive": serverless}}),
        json!({"Type": "AWS::EMR::Step", "Properties": api(&[&wrapper[..], &args].concat())}),
    ] {
        let sandbox = Sandbox::with_report();
        run_steps(&sandbox, &steps, &[]).assert_code(0);
        assert_eq!(sandbox.read("out/sums/000000_0"), "a\u{1}4\nb\u{1}2\n", "{steps}");
    }
}

fn commands_of_a_shell_in_a_row() {
    let command = |text: &str| {
        let args = ["bash", "-ec", text];
        json!([{"Name": "n", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args}}])
    };
    let sandbox = Sandbox::with_report();
    let steps =
        command("aws s3 sync in copied --quiet\nhive -f report.q -d INPUT=copied -d OUTPUT=out; hive -e 'SELECT 1'");
    run_steps(&sandbox, &steps, &["--dry-run"]).assert_code(0);
    assert!(!sandbox.has("copied"));
    let finished = run_steps(&sandbox, &steps, &["--log-uri", "logs"]);
    assert_eq!(finished.assert_code(0).stdout(), "1\n");
    assert_eq!(sandbox.read("out/sums/000000_0"), "a\u{1}4\nb\u{1}2\n");
    let steps = command("hive -e 'SELECT 1' && hive -f missing.q && hive -e 'SELECT 2'");
    let finished = run_steps(&sandbox, &steps, &[]);
    assert_eq!(finished.assert_code(4).stdout(), "1\n");
}

fn the_shorthand() {
    let sandbox = Sandbox::with_report();
    let step = "Type=HIVE,Name=one,ActionOnFailure=CONTINUE,Args=[-f,report.q,-d,INPUT=in,-d,OUTPUT=out]";
    let finished = sandbox.run(&["steps", step, "Type=HIVE,Name='two',Args=[-e,'SELECT 1, 2']"]);
    assert_eq!(finished.assert_code(0).stdout(), "1\t2\n");
    assert_eq!(sandbox.read("out/sums/000000_0"), "a\u{1}4\nb\u{1}2\n");
    sandbox.run(&["steps", "a.json", "b.json"]).assert_code(2);
    sandbox.run(&["steps", "missing.json"]).assert_code(4);
}

fn states_in_their_order() {
    let steps = json!([hive("one", "SELECT 1", "CONTINUE"), hive("two", "SELECT 2", "CONTINUE")]);
    let finished = run_steps(&Sandbox::with_report(), &steps, &[]);
    assert_eq!(finished.assert_code(0).stdout(), "1\n2\n");
    let expected = ["one PENDING", "two PENDING", "one RUNNING", "one COMPLETED", "two RUNNING", "two COMPLETED"];
    assert_eq!(states(&finished), expected);
    let finished = run(Sandbox::with_report().logq().args(["--log-format", "json", "steps", "-"]));
    assert_eq!(finished.status.code(), Some(2), "standard input is no list of steps");
}

fn what_a_failure_does_to_the_others() {
    let check = |action: &str, expected: &[&str]| {
        let steps = json!([hive("bad", "SELECT nope", action), hive("two", "SELECT 2", "CONTINUE")]);
        let finished = run_steps(&Sandbox::with_report(), &steps, &[]);
        // The exit code is that of the step that failed, whatever the others do.
        finished.assert_code(3);
        assert_eq!(states(&finished)[2..], *expected, "{action}");
    };
    check("CONTINUE", &["bad RUNNING", "bad FAILED", "two RUNNING", "two COMPLETED"]);
    for action in ["CANCEL_AND_WAIT", "TERMINATE_CLUSTER", "TERMINATE_JOB_FLOW"] {
        check(action, &["bad RUNNING", "bad FAILED", "two CANCELLED"]);
    }
}

fn unsupported_steps_are_named_before_anything_runs() {
    let sandbox = Sandbox::with_report();
    let spark = json!({"Type": "SPARK", "Name": "train", "Args": ["s3://b/x.py"]});
    let steps = json!([hive("first", "!touch made", "CONTINUE"), spark, {"Name": "mine", "Jar": "s3://b/my.jar"}]);
    let finished = run_steps(&sandbox, &steps, &[]);
    assert_eq!(finished.assert_code(3).stdout(), "");
    for part in [
        "step 2, `train`, runs `spark-submit`",
        "step 3, `mine`, runs `s3://b/my.jar`",
        "--> steps.json",
        "--skip-unsupported",
    ] {
        assert!(finished.stderr().contains(part), "{part}: {}", finished.stderr());
    }
    assert!(!sandbox.has("made"));
    let finished = run_steps(&sandbox, &steps, &["--skip-unsupported"]);
    assert_eq!(
        states(finished.assert_code(0))[3..],
        ["first RUNNING", "first COMPLETED", "train CANCELLED", "mine CANCELLED"]
    );
    assert!(sandbox.has("made"));
}

fn a_plan_of_the_steps() {
    let sandbox = Sandbox::with_report();
    let copy = json!({"Name": "copy", "Jar": "command-runner.jar", "Args": ["aws", "s3", "cp", "report.q", "made"]});
    let report =
        json!({"Type": "HIVE", "Name": "sums", "Args": ["-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=made"]});
    let later = hive("later", "CREATE EXTERNAL TABLE m (k STRING) LOCATION 'made'; SELECT k FROM m", "CONTINUE");
    let steps = json!([hive("shell", "!touch made", "CONTINUE"), copy, report, later]);
    let finished = run_steps(&sandbox, &steps, &["--dry-run"]);
    let stdout = finished.assert_code(0).stdout();
    for part in [
        "1. shell (CONTINUE): logq hive -e '!touch made'\n",
        "2. copy (CONTINUE): logq aws s3 cp report.q made\n(dryrun) copy: report.q to made\n",
        "3. sums (CONTINUE): logq hive --run-hive-script --args -f report.q",
        "report.q:2\n  read    t: 1 file, 12 B, 1 split; no requests\n  replace ",
        "4. later (CONTINUE): ",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    assert!(finished.stderr().contains("error[LQ0400]"), "{}", finished.stderr());
    assert!(!sandbox.has("made"));
    let steps = json!([hive("bad", "SELEC 1", "CONTINUE")]);
    run_steps(&sandbox, &steps, &["--dry-run"]).assert_code(3);
}

fn logs_and_status() {
    let sandbox = Sandbox::with_report();
    let args = ["-f", "report.q", "-d", "INPUT=in", "-d", "OUTPUT=out"];
    let steps = json!([{"Type": "HIVE", "Name": "os report", "Args": args}, hive("rows", "SELECT 7", "CONTINUE")]);
    run_steps(&sandbox, &steps, &["--log-uri", "logs/", "--status-json", "status.json"]).assert_code(0);

    let status: Value = serde_json::from_str(&sandbox.read("status.json")).unwrap();
    let step = &status["Steps"][0];
    let id = step["Id"].as_str().unwrap();
    assert_eq!((&step["Name"], &step["ActionOnFailure"]), (&json!("os report"), &json!("CONTINUE")));
    assert_eq!(step["Status"]["State"], "COMPLETED");
    assert_eq!(step["Config"]["Args"][2], "--args");
    let timeline = step["Status"]["Timeline"].as_object().unwrap();
    assert_eq!(timeline.keys().collect::<Vec<_>>(), ["CreationDateTime", "EndDateTime", "StartDateTime"]);

    let found = sandbox.tree("logs");
    let of_step: Vec<_> = found.iter().filter(|file| file.starts_with(&format!("logs/steps/{id}/"))).collect();
    assert_eq!((found.len(), of_step.len()), (8, 4), "{found:?}");
    let controller = gunzip(&sandbox, &format!("logs/steps/{id}/controller.gz"));
    let started = "INFO startExec 'hadoop jar /var/lib/aws/emr/step-runner/hadoop-jars/command-runner.jar \
                   hive-script --run-hive-script --args -f report.q -d INPUT=in -d OUTPUT=out'\nINFO Environment:\n";
    assert!(controller.contains(started), "{controller}");
    assert!(controller.contains("INFO waitProcessCompletion ended with exit code 0 : hadoop jar "), "{controller}");
    assert!(controller.contains("\nINFO total process run time: "), "{controller}");
    let last = controller.lines().last().unwrap();
    assert!(last.contains(" INFO Step succeeded with exitCode 0 and took ") && last.ends_with(" seconds"), "{last}");
    let stderr = gunzip(&sandbox, &format!("logs/steps/{id}/stderr.gz"));
    assert!(stderr.contains("\nOK\nTime taken: ") && stderr.ends_with("Command exiting with ret '0'\n"), "{stderr}");
    assert!(stderr.contains(&format!("Moving data to directory {}", sandbox.path("out/sums").display())), "{stderr}");
    assert!(gunzip(&sandbox, &format!("logs/steps/{id}/syslog.gz")).contains(" COMPLETED\n"));
    let second = status["Steps"][1]["Id"].as_str().unwrap();
    assert_eq!(gunzip(&sandbox, &format!("logs/steps/{second}/stdout.gz")), "7\n");
    sandbox.assert_no_scratch();
}

fn logs_of_a_failure() {
    let sandbox = Sandbox::with_report();
    let sql = "CREATE EXTERNAL TABLE x (k STRING) LOCATION 'in/missing'; SELECT k FROM x";
    let steps = json!([hive("bad", sql, "TERMINATE_CLUSTER"), hive("two", "SELECT 2", "CONTINUE")]);
    run_steps(&sandbox, &steps, &["--log-uri", "logs", "--status-json", "status.json"]).assert_code(4);
    let status: Value = serde_json::from_str(&sandbox.read("status.json")).unwrap();
    let bad = &status["Steps"][0]["Status"];
    let id = status["Steps"][0]["Id"].as_str().unwrap();
    assert_eq!(bad["State"], "FAILED");
    assert_eq!(bad["FailureDetails"]["Reason"], "Input is missing or may not be read.");
    assert_eq!(bad["FailureDetails"]["LogFile"], format!("logs/steps/{id}/stderr.gz"));
    assert!(bad["FailureDetails"]["Message"].as_str().unwrap().starts_with("error[LQ0400]: "), "{bad}");
    assert_eq!(status["Steps"][1]["Status"]["State"], "CANCELLED");
    let controller = gunzip(&sandbox, &format!("logs/steps/{id}/controller.gz"));
    assert!(controller.lines().last().unwrap().contains(" WARN Step failed with exitCode 4 and took "), "{controller}");
    let stderr = gunzip(&sandbox, &format!("logs/steps/{id}/stderr.gz"));
    assert!(
        stderr.contains("\nFAILED: SemanticException ") && stderr.ends_with("Command exiting with ret '4'\n"),
        "{stderr}"
    );
}

fn logs_that_cannot_be_written() {
    let sandbox = Sandbox::with_report();
    let steps = json!([hive("one", "SELECT 1", "CONTINUE"), hive("two", "SELECT 2", "CONTINUE")]);
    let finished =
        run_steps(&sandbox, &steps, &["--log-uri", "report.q/logs", "--status-json", "report.q/status.json"]);
    // The steps go on, and the run tells.
    assert_eq!(finished.assert_code(1).stdout(), "1\n2\n");
    assert_eq!(finished.stderr().matches("the steps go on without").count(), 1, "{}", finished.stderr());
    sandbox.run(&["-d", "A=1", "steps", "steps.json"]).assert_code(2);
}

/// A step that never ends, and one behind it.
fn endless(sandbox: &Sandbox) {
    let steps = json!([
        hive("endless", "!touch began && sleep 100; SELECT 1", "CONTINUE"),
        hive("two", "SELECT 2", "CONTINUE")
    ]);
    sandbox.write("steps.json", steps.to_string());
}

fn wait_for(sandbox: &Sandbox, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !sandbox.has(name) {
        assert!(Instant::now() < deadline, "{name} does not come");
        std::thread::yield_now();
    }
}

fn a_signal_stops_the_step() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let sandbox = Sandbox::with_report();
        endless(&sandbox);
        let args = ["steps", "steps.json", "--log-uri", "logs", "--status-json", "status.json"];
        let running = start(sandbox.logq().args(args));
        wait_for(&sandbox, "began");
        running.signal(signal);
        let finished = running.finish_within(Duration::from_secs(10));
        finished.assert_code(code);
        assert_eq!(states(&finished)[2..], ["endless RUNNING", "endless INTERRUPTED", "two CANCELLED"]);
        assert_eq!(sandbox.tree("logs").len(), 4);
        let status: Value = serde_json::from_str(&sandbox.read("status.json")).unwrap();
        assert_eq!(status["Steps"][0]["Status"]["State"], "INTERRUPTED");
        sandbox.assert_no_scratch();
    }
}

fn the_time_limit() {
    let sandbox = Sandbox::with_report();
    endless(&sandbox);
    let finished = sandbox.run(&["steps", "steps.json", "--timeout", "1s"]);
    assert_eq!(states(finished.assert_code(7))[2..], ["endless RUNNING", "endless FAILED", "two CANCELLED"]);
}

fn what_a_step_leaves_behind_holds_nobody_up() {
    let sandbox = Sandbox::with_report();
    let steps = json!([hive("one", "!sleep 30 & echo begun", "CONTINUE"), hive("two", "SELECT 2", "CONTINUE")]);
    sandbox.write("steps.json", steps.to_string());
    let mut command = sandbox.logq();
    command.args(["steps", "steps.json", "--log-uri", "logs", "--status-json", "status.json"]);
    // Not captured: the process that is left behind would hold these streams, too.
    let started = Instant::now();
    let status = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let status: Value = serde_json::from_str(&sandbox.read("status.json")).unwrap();
    let id = status["Steps"][0]["Id"].as_str().unwrap();
    assert_eq!(gunzip(&sandbox, &format!("logs/steps/{id}/stdout.gz")), "begun\n");
}

/// Whoever kills the runner must not find its step still writing.
fn a_step_dies_with_its_runner() {
    let sandbox = Sandbox::with_report();
    endless(&sandbox);
    let running = start(sandbox.logq().args(["steps", "steps.json"]));
    wait_for(&sandbox, "began");
    running.signal("KILL");
    // Both streams are closed when the step has ended, too.
    let finished = running.finish_within(Duration::from_secs(10));
    assert_eq!(finished.status.code(), None);
}

fn copies_before_and_after() {
    let sandbox = Sandbox::with_report();
    sandbox.write("bucket/logs/2026/a.log", "a\t1\n");
    sandbox.write("bucket/logs/2026/b.tmp", "x\t9\n");
    let command =
        |name: &str, args: &[&str]| json!({"Name": name, "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args}});
    let steps = json!([
        command("fetch", &["s3-dist-cp", "--src=bucket/logs/2026", "--dest=work/t", "--srcPattern=.*\\.log"]),
        command("report", &["hive", "-f", "report.q", "-d", "INPUT=work", "-d", "OUTPUT=out"]),
        command("publish", &["aws", "s3", "sync", "out", "bucket/reports", "--exclude", "_*"]),
        command("one", &["aws", "s3", "cp", "out/sums/000000_0", "bucket/latest/"]),
    ]);
    let finished = run_steps(&sandbox, &steps, &[]);
    finished.assert_code(0);
    assert_eq!(sandbox.tree("work"), ["work/t/a.log"]);
    assert_eq!(sandbox.read("bucket/reports/sums/000000_0"), "a\u{1}1\n");
    assert_eq!(sandbox.read("bucket/latest/000000_0"), "a\u{1}1\n");
    assert!(finished.stdout().contains("copy: "), "{}", finished.stdout());
}

fn a_copy_of_what_is_not_there() {
    let sandbox = Sandbox::with_report();
    sandbox.run(&["aws", "s3", "cp", "missing", "x"]).assert_code(4);
    sandbox.run(&["s3-dist-cp", "--src", "missing", "--dest", "x"]).assert_code(4);
    sandbox.run(&["s3-dist-cp", "--src", "in"]).assert_code(2);
    sandbox.run(&["aws", "ec2"]).assert_code(2);
    sandbox.run(&["s3-dist-cp", "--src", "in", "--dest", "copied", "--deleteOnSuccess"]).assert_code(0);
    assert_eq!((sandbox.tree("copied"), sandbox.has("in/t/log")), (vec!["copied/t/log".to_owned()], false));
}

fn secrets_appear_nowhere() {
    let sandbox = Sandbox::with_report();
    let args =
        ["hive", "-v", "-hiveconf", "fs.s3a.secret.key=CANARY/conf", "-e", "SET; SET fs.s3a.secret.key; SELECT nope"];
    let properties = json!([{"Key": "fs.s3a.session.token", "Value": "CANARY/property"}]);
    let steps =
        json!([{"Name": "n", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args, "Properties": properties}}]);
    sandbox.write("steps.json", steps.to_string());
    let mut command = sandbox.logq();
    command.env("AWS_SECRET_ACCESS_KEY", "CANARY/env").env("LOGQ_SECRET", "CANARY/variable");
    let finished =
        run(command.args(["steps", "steps.json", "--log-uri", "written", "--status-json", "written/status.json"]));
    assert!(!format!("{}{}", finished.stdout(), finished.stderr()).contains("CANARY"), "{}", finished.stderr());
    for file in sandbox.tree("written") {
        let text = if file.ends_with(".gz") { gunzip(&sandbox, &file) } else { sandbox.read(&file) };
        assert!(!text.contains("CANARY"), "{file}: {text}");
    }
    let finished = sandbox.run(&["steps", "steps.json", "--dry-run"]);
    assert!(!finished.stdout().contains("CANARY"), "{}", finished.stdout());
}
