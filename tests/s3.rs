//! `logq` over S3: the server of tests/s3_server on loopback, and the command as a stranger would run it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use logq_s3_server::{Fault, Faults, KEY_ID, Server};
use serde_json::{Value, json};

use crate::sandbox::{Finished, Running, Sandbox, run, start};
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("s3/script_tables_and_output", script_tables_and_output),
        trial("s3/one_run_at_a_time_and_gc", one_run_at_a_time_and_gc),
        trial("s3/sigterm_stops_an_upload", sigterm_stops_an_upload),
        trial("s3/sigterm_leaves_a_commit_that_is_slow_to_the_next_run", sigterm_leaves_a_slow_commit),
        trial("s3/a_server_that_is_silent_delays_no_end", a_server_that_is_silent_delays_no_end),
        trial("s3/denied_says_whose_credentials", denied_says_whose_credentials),
        trial("s3/a_process_gives_credentials", a_process_gives_credentials),
        trial("s3/half_a_key_matters_only_to_s3", half_a_key_matters_only_to_s3),
        trial("s3/passing_faults_change_nothing", passing_faults_change_nothing),
        trial("s3/requests_are_told_before_and_after", requests_are_told_before_and_after),
        trial("s3/steps_with_everything_in_a_bucket", steps_with_everything_in_a_bucket),
        trial("s3/copies_of_files", copies_of_files),
        trial("s3/a_copy_that_is_killed_is_found_by_gc", a_copy_that_is_killed_is_found_by_gc),
        trial("s3/sigterm_stops_a_copy_in_the_middle_of_a_part", sigterm_stops_a_copy_in_the_middle_of_a_part),
        trial("s3/files_of_a_group_become_one", files_of_a_group_become_one),
        trial("s3/sync_copies_what_differs", sync_copies_what_differs),
        trial("s3/keys_that_climb_stay_below", keys_that_climb_stay_below),
    ]
}

const SCRIPT: &str = "CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION '${INPUT}/in/';
INSERT OVERWRITE DIRECTORY '${OUTPUT}/out/' SELECT k, sum(n) FROM t GROUP BY k;
";

fn server() -> Server {
    let server = Server::start();
    server.put("b", "report.q", SCRIPT);
    for idx in 0..50 {
        server.put("b", &format!("in/{idx:02}.csv"), format!("a,{idx}\nb,1\n"));
    }
    server
}

fn logq(sandbox: &Sandbox, server: &Server, args: &[&str]) -> Finished {
    let mut command = sandbox.logq();
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_ACCESS_KEY_ID", KEY_ID);
    run(command.env("AWS_SECRET_ACCESS_KEY", "canary-secret").args(args))
}

const RUN: [&str; 6] = ["run", "s3://b/report.q", "-d", "INPUT=s3a://b", "-d", "OUTPUT=s3n://b"];

/// The only file of a result, whose name has the run's id in it.
fn result<'a>(objects: &'a BTreeMap<String, Vec<u8>>, folder: &str) -> &'a [u8] {
    let found: Vec<_> = objects.iter().filter(|(key, _)| key.starts_with(&format!("{folder}000000_0-"))).collect();
    assert_eq!(found.len(), 1, "{:?}", objects.keys());
    found[0].1
}

fn script_tables_and_output() {
    let (sandbox, server) = (Sandbox::new(), server());
    let finished = logq(&sandbox, &server, &RUN);
    finished.assert_code(0);
    let objects = server.objects("b");
    assert_eq!(result(&objects, "out/"), b"a\x011225\nb\x0150\n");
    assert!(objects.contains_key("out/_SUCCESS") && !objects.keys().any(|key| key.starts_with("out/_logq")));
    assert!(finished.stderr().contains("s3://b/out"), "{}", finished.stderr());
    assert!(!finished.stderr().contains("canary"), "{}", finished.stderr());
    let finished = logq(&sandbox, &server, &["-e", "source s3://b/missing.q"]);
    assert!(finished.assert_code(4).stderr().contains("s3://b/missing.q does not exist"), "{}", finished.stderr());
}

fn one_run_at_a_time_and_gc() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.put("b", "out/_logq/lock", r#"{"run_id": "x", "process": 1, "expires": "2099-01-01T00:00:00Z"}"#);
    let finished = logq(&sandbox, &server, &RUN);
    assert!(finished.assert_code(6).stderr().contains("another run is writing `s3://b/out`"), "{}", finished.stderr());
    logq(&sandbox, &server, &["gc", "s3://b/out"]).assert_code(6);
    server.put("b", "out/_logq/lock", r#"{"run_id": "x", "process": 1, "expires": "2014-07-05T00:00:00Z"}"#);
    let finished = logq(&sandbox, &server, &["gc", "s3://b/out", "local"]);
    assert_eq!(finished.assert_code(0).stderr().matches("nothing was left behind").count(), 2);
    assert!(!server.objects("b").keys().any(|key| key.starts_with("out/")));
}

fn sigterm_stops_an_upload() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.put("b", "out/old", "old");
    server.set_latency(Duration::from_millis(500));
    let mut command = sandbox.logq();
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_ACCESS_KEY_ID", KEY_ID);
    let running = start(command.env("AWS_SECRET_ACCESS_KEY", "x").args(RUN));
    let deadline = Instant::now() + Duration::from_secs(60);
    // Each upload takes two requests more.
    while !server.requests().iter().any(|request| request.starts_with("PUT b/out/_logq/commit-")) {
        assert!(Instant::now() < deadline, "{:?}", server.requests());
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal("TERM");
    running.finish_within(Duration::from_secs(10)).assert_code(143);
    let left: Vec<String> = server.objects("b").into_keys().filter(|key| key.starts_with("out/")).collect();
    assert_eq!(left, ["out/old"]);
    assert_eq!(server.pending_uploads("b"), [""; 0]);
    sandbox.assert_no_scratch();
}

/// Starts the report and stops it by `signal` as soon as a request begins with `request`, which the server sees when
/// each takes as long as `latency` from then on.
fn signal_at(sandbox: &Sandbox, server: &Server, signal: &str, request: &str, latency: Duration) -> Finished {
    server.set_latency(Duration::from_millis(300));
    let mut command = sandbox.logq();
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_ACCESS_KEY_ID", KEY_ID);
    let running = start(command.env("AWS_SECRET_ACCESS_KEY", "x").args(RUN));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !server.requests().iter().any(|made| made.starts_with(request)) {
        assert!(Instant::now() < deadline, "{:?}", server.requests());
        std::thread::sleep(Duration::from_millis(5));
    }
    server.set_latency(latency);
    running.signal(signal);
    running.finish_within(Duration::from_secs(10))
}

fn sigterm_leaves_a_slow_commit() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.put("b", "out/_SUCCESS", "");
    server.put("b", "out/old", "old");
    let finished = signal_at(&sandbox, &server, "TERM", "POST b/?delete", Duration::from_millis(1200));
    let stderr = finished.assert_code(143).stderr();
    assert!(stderr.contains("`logq gc s3://b/out`, finishes what was begun"), "{stderr}");
    let left: Vec<String> = server.objects("b").into_keys().filter(|key| key.starts_with("out/_logq/")).collect();
    assert!(left.len() == 1 && left[0].starts_with("out/_logq/commit-"), "{left:?}");
    sandbox.assert_no_scratch();
    server.set_latency(Duration::ZERO);
    let finished = logq(&sandbox, &server, &["gc", "s3://b/out"]);
    assert!(finished.assert_code(0).stderr().contains("settled what 1 run or copy left"), "{}", finished.stderr());
    let objects = server.objects("b");
    assert_eq!(result(&objects, "out/"), b"a\x011225\nb\x0150\n");
    assert!(!objects.contains_key("out/old") && objects.contains_key("out/_SUCCESS"));
    assert_eq!(server.pending_uploads("b"), [""; 0]);
}

fn a_server_that_is_silent_delays_no_end() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.put("b", "out/old", "old");
    let finished = signal_at(&sandbox, &server, "INT", "PUT b/out/_logq/commit-", Duration::from_secs(60));
    let stderr = finished.assert_code(130).stderr();
    assert!(stderr.contains("warning: ended before everything was cleared away"), "{stderr}");
    assert!(stderr.contains("`logq gc PATH`"), "{stderr}");
    server.set_latency(Duration::ZERO);
    logq(&sandbox, &server, &["gc", "s3://b/out"]).assert_code(0);
    let left: Vec<String> = server.objects("b").into_keys().filter(|key| key.starts_with("out/")).collect();
    assert_eq!(left, ["out/old"]);
    assert_eq!(server.pending_uploads("b"), [""; 0]);
}

fn denied_says_whose_credentials() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.accept_only(&["another"]);
    let finished = logq(&sandbox, &server, &["-e", "source s3://b/report.q"]);
    let stderr = finished.assert_code(4).stderr();
    assert!(stderr.contains("not allowed to read s3://b/report.q"), "{stderr}");
    assert!(stderr.contains("s3:GetObject") && stderr.contains("AWS_ACCESS_KEY_ID in the environment"), "{stderr}");
}

fn a_process_gives_credentials() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.accept_only(&["from-a-process"]);
    let document = r#"{"Version": 1, "AccessKeyId": "from-a-process", "SecretAccessKey": "canary-secret"}"#;
    sandbox.write("keys.json", document);
    sandbox.write(".aws/config", "[default]\ncredential_process = cat keys.json\nregion = eu-west-1\n");
    let read = || {
        let mut command = sandbox.logq();
        command.env("AWS_ENDPOINT_URL", server.url()).env("HOME", sandbox.root());
        run(command.args(["-e", "source s3://b/report.q", "-d", "INPUT=s3://b", "-d", "OUTPUT=s3://b"]))
    };
    let finished = read();
    finished.assert_code(0);
    assert!(!finished.stderr().contains("canary"), "{}", finished.stderr());
    sandbox.write(".aws/config", "[default]\ncredential_process = sh -c 'echo canary >&2; exit 1'\n");
    let stderr = read().assert_code(4).stderr().to_owned();
    assert!(stderr.contains("no credentials could be had from the profile `default`"), "{stderr}");
    assert!(stderr.contains("the credential_process `sh` ended with exit status: 1"), "{stderr}");
    assert!(!stderr.contains("canary"), "{stderr}");
}

fn half_a_key_matters_only_to_s3() {
    let sandbox = Sandbox::new();
    let run_with = |sql: &str| run(sandbox.logq().env("AWS_ACCESS_KEY_ID", "x").args(["-e", sql]));
    assert_eq!(run_with("SELECT 1").assert_code(0).stdout(), "1\n");
    let finished = run_with("source s3://b/report.q");
    assert!(finished.assert_code(2).stderr().contains("AWS_SECRET_ACCESS_KEY is not set"), "{}", finished.stderr());
}

fn passing_faults_change_nothing() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.set_faults(Faults::seeded(1, 9));
    let read = "CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' \
                LOCATION 's3://b/in'; SELECT k, sum(n) FROM t GROUP BY k";
    assert_eq!(logq(&sandbox, &server, &["-e", read]).assert_code(0).stdout(), "a\t1225\nb\t50\n");
    assert!(server.faults_seen() > 0);
}

fn requests_are_told_before_and_after() {
    let (sandbox, server) = (Sandbox::new(), server());
    let finished = logq(&sandbox, &server, &[&["--dry-run", "--stats-json", "planned.json"], &RUN[..]].concat());
    let stdout = finished.assert_code(0).stdout();
    assert!(stdout.contains("50 files, 440 B, 50 splits; 51 requests, $0.0000"), "{stdout}");
    assert!(!server.objects("b").contains_key("out/_SUCCESS"));
    for day in ["dt=1/h=1/a", "dt=1/h=1/b", "dt=1/h=2/a", "dt=2/a", "a"] {
        server.put("b", &format!("y/days=/{day}"), "1\n");
    }
    let days = "CREATE EXTERNAL TABLE t (k STRING) LOCATION 's3://b/y/days='; SELECT count(*) FROM t";
    let stdout = logq(&sandbox, &server, &["--dry-run", "-e", days]).assert_code(0).stdout().to_owned();
    assert!(stdout.contains("5 files in 3 partitions, 10 B, "), "{stdout}");

    let before = server.requests().len();
    server.set_faults(Faults::at(9, Fault::SlowDown));
    logq(&sandbox, &server, &[&["--stats-json", "stats.json"], &RUN[..]].concat()).assert_code(0);
    let stats: Value = serde_json::from_str(&sandbox.read("stats.json")).unwrap();
    let told = &stats["requests"];
    let made = server.requests().split_off(before);
    let n_made = |is: &dyn Fn(&str) -> bool| made.iter().filter(|request| is(request)).count();
    let lists = n_made(&|request| request.starts_with("GET b/?"));
    assert_eq!(told["list"], lists, "{told} {made:#?}");
    // The script is read before any statement runs.
    let gets = n_made(&|request| request.starts_with("GET b/in/") || request.starts_with("GET b/out/"));
    let heads = n_made(&|request| request.starts_with("HEAD "));
    assert_eq!(told["get"], gets + heads, "{told} {made:#?}");
    let writes = n_made(&|request| request.starts_with("PUT") || request.starts_with("POST b/out"));
    assert_eq!(told["put"], writes, "{told} {made:#?}");
    assert_eq!(told["retries"], 1, "{told}");

    let explain = "CREATE EXTERNAL TABLE t (k STRING) LOCATION 's3://b/in'; EXPLAIN ANALYZE SELECT count(*) FROM t";
    let finished = logq(&sandbox, &server, &["-e", explain]);
    let stdout = finished.assert_code(0).stdout();
    assert!(stdout.contains("requests to S3: 1 LIST, 50 GET, 0 PUT, 0 of them again; readers waited 0."), "{stdout}");
}

fn steps_with_everything_in_a_bucket() {
    let (sandbox, server) = (Sandbox::new(), server());
    let command =
        |name: &str, args: &[&str]| json!({"Name": name, "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args}});
    let report = ["hive-script", "--run-hive-script", "--args", "-f", "s3://b/report.q"];
    let steps = json!([
        command("fetch", &["s3-dist-cp", "--src=s3://b/in", "--dest=s3://b/work/in", "--srcPattern=.*/0[0-9][.]csv"]),
        command("report", &[&report[..], &["-d", "INPUT=s3://b/work", "-d", "OUTPUT=s3://b"]].concat()),
        command("publish", &["aws", "s3", "sync", "s3://b/out", "s3://b/reports/", "--exclude", "_*"]),
        {"Type": "HIVE", "Name": "bad", "Args": ["-f", "s3://b/missing.q"], "ActionOnFailure": "CONTINUE"},
    ]);
    server.put("b", "steps.json", steps.to_string());
    let args = ["steps", "s3://b/steps.json", "--log-uri", "s3://b/logs", "--status-json", "s3://b/status.json"];
    // The last step's failure is told.
    logq(&sandbox, &server, &args).assert_code(4);

    let objects = server.objects("b");
    assert_eq!(result(&objects, "reports/"), b"a\x0145\nb\x0110\n");
    assert!(!objects.contains_key("reports/_SUCCESS"));
    let status: Value = serde_json::from_slice(&objects["status.json"]).unwrap();
    let states: Vec<_> = (0..4).map(|idx| status["Steps"][idx]["Status"]["State"].as_str().unwrap()).collect();
    assert_eq!(states, ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]);
    for step in status["Steps"].as_array().unwrap() {
        for file in ["controller.gz", "syslog.gz", "stderr.gz", "stdout.gz"] {
            let key = format!("logs/steps/{}/{file}", step["Id"].as_str().unwrap());
            assert!(objects.contains_key(&key), "{key}");
        }
    }
    assert_eq!(server.pending_uploads("b"), [""; 0]);
}

fn copies_of_files() {
    let (sandbox, server) = (Sandbox::new(), server());
    logq(&sandbox, &server, &["aws", "s3", "cp", "s3://b/in", "fetched", "--recursive"]).assert_code(0);
    assert_eq!((sandbox.tree("fetched").len(), sandbox.read("fetched/49.csv")), (50, "a,49\nb,1\n".to_owned()));
    sandbox.write("fetched/50.csv", "new\n");
    let stdout = logq(&sandbox, &server, &["aws", "s3", "sync", "fetched", "s3://b/in"]).stdout().to_owned();
    assert_eq!(server.objects("b")["in/50.csv"], b"new\n", "{stdout}");
    logq(&sandbox, &server, &["s3-dist-cp", "--src", "s3://b/in", "--dest", "moved", "--deleteOnSuccess"])
        .assert_code(0);
    assert_eq!(sandbox.tree("moved").len(), 51);
    assert!(!server.objects("b").keys().any(|key| key.starts_with("in/")));
    logq(&sandbox, &server, &["aws", "s3", "cp", "s3://b/in/none", "x"]).assert_code(4);
    let finished = logq(&sandbox, &server, &["aws", "s3", "cp", "moved/00.csv", "s3://missing/x"]);
    assert!(finished.assert_code(4).stderr().contains("s3://missing/x"), "{}", finished.stderr());
}

/// A copy of a large file of which the second part is on its way and does not arrive.
fn copy_in_the_middle(sandbox: &Sandbox, server: &Server) -> Running {
    sandbox.write("large", vec![7; 17_000_000]);
    server.set_latency(Duration::from_millis(100));
    let mut command = sandbox.logq();
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_ACCESS_KEY_ID", KEY_ID);
    let running =
        start(command.env("AWS_SECRET_ACCESS_KEY", "x").args(["aws", "s3", "cp", "large", "s3://b/to/large"]));
    for part in ["partNumber=1", "partNumber=2"] {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !server.requests().iter().any(|made| made.contains(part)) {
            assert!(Instant::now() < deadline, "{:?}", server.requests());
            std::thread::sleep(Duration::from_millis(5));
        }
        server.set_latency(Duration::from_secs(60));
    }
    server.set_latency(Duration::ZERO);
    running
}

fn a_copy_that_is_killed_is_found_by_gc() {
    let (sandbox, server) = (Sandbox::new(), server());
    let running = copy_in_the_middle(&sandbox, &server);
    // A copy that lives is left alone.
    logq(&sandbox, &server, &["gc", "s3://b/to/large"]).assert_code(0);
    assert_eq!(server.pending_uploads("b"), ["to/large"]);
    running.signal("KILL");
    assert!(running.finish().status.code().is_none());
    assert_eq!(server.pending_uploads("b"), ["to/large"]);
    let finished = logq(&sandbox, &server, &["gc", "s3://b/to/large"]);
    assert!(finished.assert_code(0).stderr().contains("settled what 1 run or copy left"), "{}", finished.stderr());
    assert_eq!(server.pending_uploads("b"), [""; 0]);
    assert!(!server.objects("b").keys().any(|key| key.starts_with("to/")));
    sandbox.assert_no_scratch();
}

fn sigterm_stops_a_copy_in_the_middle_of_a_part() {
    let (sandbox, server) = (Sandbox::new(), server());
    let running = copy_in_the_middle(&sandbox, &server);
    running.signal("TERM");
    running.finish_within(Duration::from_secs(8)).assert_code(143);
    assert_eq!(server.pending_uploads("b"), [""; 0]);
    assert!(!server.objects("b").keys().any(|key| key.starts_with("to/")));
    sandbox.assert_no_scratch();
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> String {
    std::io::read_to_string(flate2::read::MultiGzDecoder::new(bytes)).unwrap()
}

fn files_of_a_group_become_one() {
    let (sandbox, server) = (Sandbox::new(), server());
    for (name, text) in
        [("E1.2014-07-05-01.a", "one\n"), ("E1.2014-07-05-02.b", "two\n"), ("E1.2014-07-06-01.c", "three\n")]
    {
        server.put("b", &format!("logs/{name}.gz"), gzip(text));
    }
    let dist_cp = |more: &[&str]| {
        let args = ["s3-dist-cp", "--src=s3://b/logs", "--dest=s3://b/days", r"--groupBy=.*/E1\.([0-9-]{10})-.*"];
        logq(&sandbox, &server, &[&args[..], more].concat())
    };
    // As in Amazon's own examples.
    dist_cp(&["--s3Endpoint=s3.amazonaws.com", "--targetSize=128"]).assert_code(0);
    let objects = server.objects("b");
    assert_eq!(gunzip(&objects["days/2014-07-05.gz"]), "one\ntwo\n");
    assert_eq!(gunzip(&objects["days/2014-07-06.gz"]), "three\n");
    dist_cp(&["--outputCodec=none"]).assert_code(0);
    assert_eq!(server.objects("b")["days/2014-07-05"], b"one\ntwo\n");
    let args = ["s3-dist-cp", "--src=s3://b/in", "--dest=packed", "--groupBy=.*/0(.)[.]csv", "--outputCodec=gz"];
    logq(&sandbox, &server, &args).assert_code(0);
    assert_eq!(sandbox.tree("packed").len(), 10);
    assert_eq!(gunzip(&std::fs::read(sandbox.path("packed/7.gz")).unwrap()), "a,7\nb,1\n");

    // A file that is cut makes no other.
    let cut = gzip("four\n");
    server.put("b", "logs/E1.2014-07-07-01.d.gz", &cut[..cut.len() - 5]);
    let finished = dist_cp(&["--outputCodec=none", "--deleteOnSuccess"]);
    let stderr = finished.assert_code(5).stderr();
    assert!(stderr.contains("s3://b/logs/E1.2014-07-07-01.d.gz is not whole gzip data"), "{stderr}");
    let objects = server.objects("b");
    assert!(!objects.contains_key("days/2014-07-07") && objects.contains_key("logs/E1.2014-07-05-01.a.gz"));

    // What lies where it is copied to is not removed.
    server.put("b", "own/x", "1");
    let args = ["s3-dist-cp", "--src=s3://b/own", "--dest=s3a://b/own", "--deleteOnSuccess"];
    logq(&sandbox, &server, &args).assert_code(0);
    assert_eq!(server.objects("b")["own/x"], b"1");
}

fn sync_copies_what_differs() {
    let (sandbox, server) = (Sandbox::new(), server());
    let sync = |more: &[&str]| {
        let args = ["aws", "s3", "sync", "s3://b/in", "fetched"];
        logq(&sandbox, &server, &[&args[..], more].concat()).assert_code(0).stdout().lines().count()
    };
    assert_eq!(sync(&[]), 50);
    // Now they have the times of their objects.
    assert_eq!((sync(&[]), sync(&["--exact-timestamps"])), (0, 0));
    sandbox.write("fetched/00.csv", "a,9\nb,1\n");
    sandbox.write("fetched/new", "x");
    assert_eq!((sync(&["--size-only"]), sync(&["--delete", "--dryrun"]), sync(&["--delete"])), (0, 2, 2));
    assert_eq!(sandbox.read("fetched/00.csv"), "a,0\nb,1\n");
    assert_eq!(sync(&["--exact-timestamps"]), 0);
}

/// Keys are any text; one that reads as a way out of the folder writes nothing outside of it.
fn keys_that_climb_stay_below() {
    for key in ["climb/../../evil", "climb/a/../../../evil", "climb//evil", "climb/..%2f..%2fevil", "climb/./evil"] {
        let (sandbox, server) = (Sandbox::new(), server());
        server.put("b", key, "x");
        for args in [
            &["aws", "s3", "cp", "s3://b/climb", "deep/to", "--recursive"][..],
            &["aws", "s3", "sync", "s3://b/climb", "deep/to"],
            &["s3-dist-cp", "--src", "s3://b/climb", "--dest", "deep/to"],
        ] {
            let finished = logq(&sandbox, &server, args);
            let outside: Vec<_> = sandbox.tree(".").into_iter().filter(|file| file.contains("evil")).collect();
            assert!(outside.iter().all(|file| file.starts_with("./deep/to/")), "{key}: {outside:?}");
            assert!(matches!(finished.status.code(), Some(0..=4)), "{key}: {}", finished.stderr());
        }
    }
}
