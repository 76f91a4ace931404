//! What holds on every server. A case is written once, and runs on each of them.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::place::{Kind, Place};
use crate::repository;
use crate::sandbox::{Sandbox, run, start};

pub type Case = (&'static str, fn(&Place));

macro_rules! cases {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name)),*] };
}

pub const CASES: &[Case] = cases![
    script_tables_and_output,
    large_objects_and_gzip,
    keys_of_many_kinds,
    scripts_of_all_kinds,
    one_run_at_a_time_and_gc,
    of_racing_runs_one_wins,
    a_killed_run_is_settled,
    sigterm_stops_an_upload,
    a_wrong_secret_is_told,
    steps_with_everything_in_a_bucket,
    copies_of_files,
    the_query_of_the_tutorial,
];

/// Keys, and what SeaweedFS makes of those that it does not keep as Amazon does: its keys are paths of a file system.
const KEYS: &[(&str, Option<&str>)] = &[
    ("odd/with blanks", None),
    ("odd/plus+percent%20", None),
    ("odd/k=1&m=2", None),
    ("odd/question?hash#", None),
    ("odd/Größe-日本", None),
    ("odd/a:b@c,d;e'(f)!*~$", None),
    ("odd/deep//empty", Some("odd/deep/empty")),
];

const SCRIPT: &str = "CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION '${INPUT}/in/';
INSERT OVERWRITE DIRECTORY '${OUTPUT}/out/' SELECT k, sum(n) FROM t GROUP BY k;
";

pub const RUN: [&str; 6] = ["run", "s3://b/report.q", "-d", "INPUT=s3a://b", "-d", "OUTPUT=s3n://b"];

/// What is in `out` after [`RUN`] over what [`fill`] puts.
pub const NEW: &[u8] = b"a\x0145\nb\x0110\n";

/// A script and a few small objects for it to read.
pub fn fill(place: &Place) {
    place.put("report.q", SCRIPT);
    for idx in 0..10 {
        place.put(&format!("in/{idx:02}.csv"), format!("a,{idx}\nb,1\n"));
    }
}

/// Checks that a folder has one result with these bytes, all of it and nothing else, and no upload is pending.
#[track_caller]
pub fn assert_committed(place: &Place, folder: &str, bytes: &[u8]) {
    let objects = place.objects(folder);
    let names: Vec<&str> = objects.keys().filter_map(|key| key.strip_prefix(folder)).collect();
    let [name, "_SUCCESS"] = names[..] else { panic!("{names:?}") };
    assert!(name.starts_with("000000_0-"), "{names:?}");
    let found = &objects[&format!("{folder}{name}")];
    assert!(found == bytes, "{}", String::from_utf8_lossy(found));
    assert_eq!(place.pending_uploads(), [""; 0]);
}

fn script_tables_and_output(place: &Place) {
    fill(place);
    for idx in 10..50 {
        place.put(&format!("in/{idx:02}.csv"), format!("a,{idx}\nb,1\n"));
    }
    let finished = place.logq(&RUN);
    assert_committed(place, "out/", b"a\x011225\nb\x0150\n");
    assert!(finished.assert_code(0).stderr().contains(&place.text("s3://b/out")), "{}", finished.stderr());
    assert!(!finished.stderr().contains("canary"), "{}", finished.stderr());
    // Once more, over what is there.
    place.put("in/50.csv", "c,7\n");
    place.logq(&RUN).assert_code(0);
    assert_committed(place, "out/", b"a\x011225\nb\x0150\nc\x017\n");
    let finished = place.logq(&["-e", "source s3://b/missing.q"]);
    let message = place.text("s3://b/missing.q does not exist");
    assert!(finished.assert_code(4).stderr().contains(&message), "{}", finished.stderr());
}

/// Objects that are read in ranges and written in parts, and gzip of several members.
fn large_objects_and_gzip(place: &Place) {
    let row = |n: u32| format!("{n},{}\n", "abcdefgh".repeat(10));
    let text: String = (0..120_000).map(row).collect();
    place.put("large/plain", text.as_bytes());
    let mut members = Vec::new();
    for member in text.as_bytes().chunks(3_000_000) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(member).unwrap();
        members.extend(encoder.finish().unwrap());
    }
    place.put("large/packed.gz", members);
    let table = "CREATE EXTERNAL TABLE l (n BIGINT, text STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' \
                 LOCATION 's3://b/large';";
    let sql = format!("{table} SELECT count(*), sum(n), min(n), max(n) FROM l");
    assert_eq!(place.logq(&["-e", &sql]).assert_code(0).stdout(), "240000\t14399880000\t0\t119999\n");

    let sql = format!(
        "{table} INSERT OVERWRITE DIRECTORY 's3://b/out' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' \
         SELECT * FROM l WHERE n >= 20000"
    );
    place.logq(&["-e", &sql]).assert_code(0);
    let rows: String = (20_000..120_000).map(row).collect();
    assert!(rows.len() > 8 << 20, "parts have 8 MiB");
    assert_committed(place, "out/", rows.repeat(2).as_bytes());
}

fn keys_of_many_kinds(place: &Place) {
    for (idx, (key, _)) in KEYS.iter().enumerate() {
        place.sandbox.write("row", format!("{idx}\n"));
        place.logq(&["aws", "s3", "cp", "row", &format!("s3://b/{key}")]).assert_code(0);
        place.logq(&["aws", "s3", "cp", &format!("s3://b/{key}"), "back"]).assert_code(0);
        assert_eq!(place.sandbox.read("back"), format!("{idx}\n"), "{key}");
    }
    let mut expected: Vec<&str> =
        KEYS.iter().map(|(key, otherwise)| otherwise.filter(|_| place.kind != Kind::Ours).unwrap_or(key)).collect();
    expected.sort();
    assert_eq!(place.keys("odd/"), expected);
    let sql = "CREATE EXTERNAL TABLE o (n INT) LOCATION 's3://b/odd'; SET mapreduce.input.fileinputformat.input.dir.recursive=true; \
               SELECT n FROM o ORDER BY n";
    assert_eq!(place.logq(&["-e", sql]).assert_code(0).stdout(), "0\n1\n2\n3\n4\n5\n6\n");
    place.logq(&["s3-dist-cp", "--src", "s3://b/odd", "--dest", "s3://b/moved", "--deleteOnSuccess"]).assert_code(0);
    assert_eq!((place.keys("odd/").len(), place.keys("moved/").len()), (0, KEYS.len()));
}

fn scripts_of_all_kinds(place: &Place) {
    fill(place);
    place.put_text("init.q", "SET hivevar:INPUT=s3://b;\nSET hivevar:OUTPUT=s3a://b/results;\n");
    place.put_text("outer.q", "source s3://b/inner.q;\n");
    place.put_text("inner.q", "SELECT 7;\n");
    place.logq(&["hive", "-i", "s3://b/init.q", "-f", "s3://b/report.q"]).assert_code(0);
    assert_committed(place, "results/out/", NEW);
    let script = ["hive", "--run-hive-script", "--args", "-f", "s3://b/report.q"];
    place.logq(&[&script[..], &["-d", "INPUT=s3://b", "-d", "OUTPUT=s3://b/again"]].concat()).assert_code(0);
    assert_committed(place, "again/out/", NEW);
    assert_eq!(place.logq(&["run", "s3://b/outer.q"]).assert_code(0).stdout(), "7\n");
    place.logq(&["run", "s3://b/outer.q", "--stats-json", "s3://b/stats.json"]).assert_code(0);
    let stats: Value = serde_json::from_slice(&place.get("stats.json")).unwrap();
    assert_eq!(stats["exit_code"], 0);
}

fn one_run_at_a_time_and_gc(place: &Place) {
    fill(place);
    place.put("out/_logq/lock", r#"{"run_id": "x", "process": 1, "expires": "2099-01-01T00:00:00Z"}"#);
    let finished = place.logq(&RUN);
    let message = place.text("another run is writing `s3://b/out`");
    assert!(finished.assert_code(6).stderr().contains(&message), "{}", finished.stderr());
    place.logq(&["gc", "s3://b/out"]).assert_code(6);
    place.put("out/_logq/lock", r#"{"run_id": "x", "process": 1, "expires": "2014-07-05T00:00:00Z"}"#);
    let finished = place.logq(&["gc", "s3://b/out", "local"]);
    assert_eq!(finished.assert_code(0).stderr().matches("nothing was left behind").count(), 2);
    assert_eq!(place.keys("out/"), [""; 0]);
}

/// Each run is on a machine of its own, so that the lock on the server alone decides.
fn of_racing_runs_one_wins(place: &Place) {
    fill(place);
    let held = place.hold("PUT b/out/_logq/commit-", 0);
    let first = place.start(&RUN);
    held.wait();
    let elsewhere = Sandbox::new();
    let second = run(&mut place.command_in(&elsewhere, &RUN));
    assert!(second.assert_code(6).stderr().contains("another run is writing"), "{}", second.stderr());
    drop(held);
    first.finish().assert_code(0);
    assert_committed(place, "out/", NEW);

    let machines: Vec<Sandbox> = (0..4).map(|_| Sandbox::new()).collect();
    let racers: Vec<_> = machines.iter().map(|machine| start(&mut place.command_in(machine, &RUN))).collect();
    let codes: Vec<_> = racers.into_iter().map(|racer| racer.finish().status.code()).collect();
    assert!(codes.contains(&Some(0)) && codes.iter().all(|code| matches!(code, Some(0 | 6))), "{codes:?}");
    assert_committed(place, "out/", NEW);
}

/// Requests of [`RUN`] over old content at which it is killed, by what they have in them, and how many such come before.
pub const STEPS_OF_A_COMMIT: &[(&str, usize)] = &[
    ("PUT b/out/_logq/lock", 0),
    ("PUT b/out/_logq/commit-", 0),
    ("?uploads=", 0),
    ("partNumber=1", 0),
    ("PUT b/out/_logq/commit-", 1),
    ("?delete", 0),
    ("?uploadId=", 0),
    ("?uploads=", 1),
    ("?delete", 1),
    ("PUT b/out/_SUCCESS", 0),
    ("?delete", 2),
    ("?delete", 3),
];

/// Puts the result of an earlier run.
pub fn put_old(place: &Place) {
    place.put("out/000000_0-01d01d01", "old\x011\n");
    place.put("out/000001_0-01d01d01", "old\x012\n");
    place.put("out/_SUCCESS", "{}");
}

/// Whether `out` has its old content, all of it and nothing else.
pub fn is_old(place: &Place) -> bool {
    place.keys("out/") == ["out/000000_0-01d01d01", "out/000001_0-01d01d01", "out/_SUCCESS"]
}

fn a_killed_run_is_settled(place: &Place) {
    fill(place);
    // What is disturbed takes its time.
    let every = if place.kind == Kind::Proxied { 3 } else { 1 };
    for &(step, nth) in STEPS_OF_A_COMMIT.iter().step_by(every) {
        place.clear("out/");
        put_old(place);
        let held = place.hold(step, nth);
        let running = place.start(&RUN);
        held.wait();
        running.signal("KILL");
        assert_eq!(running.finish().status.code(), None, "{step}");
        drop(held);

        let keys = place.keys("out/");
        let has_intent = keys.iter().any(|key| key.starts_with("out/_logq/commit-"));
        let rows = keys.iter().filter(|key| key.starts_with("out/0")).count();
        // Old; old and new; or new, before the record and the lock are gone.
        assert!(has_intent || rows == 2 || rows == 1, "{step} {nth}: {keys:?}");
        assert!(has_intent || keys.contains(&"out/_SUCCESS".to_owned()), "{step} {nth}: {keys:?}");
        place.logq(&["gc", "s3://b/out"]).assert_code(0);
        assert_eq!(place.pending_uploads(), [""; 0], "{step} {nth}");
        if !is_old(place) {
            assert_committed(place, "out/", NEW);
        }
        place.logq(&RUN).assert_code(0);
        assert_committed(place, "out/", NEW);
    }
}

fn sigterm_stops_an_upload(place: &Place) {
    fill(place);
    place.put("out/old", "old");
    let held = place.hold("partNumber=1", 0);
    let running = place.start(&RUN);
    held.wait();
    running.signal("TERM");
    running.finish_within(Duration::from_secs(10)).assert_code(143);
    assert_eq!(place.keys("out/"), ["out/old"]);
    assert_eq!(place.pending_uploads(), [""; 0]);
    place.sandbox.assert_no_scratch();
}

fn a_wrong_secret_is_told(place: &Place) {
    fill(place);
    let variable = match place.kind {
        // It knows whose a signature says to be, and not whether it is right.
        Kind::Ours => {
            place.server().accept_only(&["another"]);
            "AWS_ACCESS_KEY_ID"
        }
        Kind::SeaweedFs | Kind::Proxied => "AWS_SECRET_ACCESS_KEY",
    };
    let table = "CREATE EXTERNAL TABLE t (k STRING) LOCATION 's3://b/in'; SELECT * FROM t";
    for (sql, what, permission) in [
        ("source s3://b/report.q", "not allowed to read s3://b/report.q", "s3:GetObject"),
        (table, "not allowed to list s3://b/in", "s3:ListBucket"),
        ("INSERT OVERWRITE DIRECTORY 's3://b/out' SELECT 1", "not allowed to write s3://b/out/", "s3:PutObject"),
    ] {
        let mut command = place.command(&["-e", sql]);
        let finished = run(command.env(variable, "canary-wrong"));
        let stderr = finished.assert_code(4).stderr();
        for part in [&place.text(what), permission, "the credentials are those of AWS_ACCESS_KEY_ID in the environment"]
        {
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
        assert!(variable == "AWS_ACCESS_KEY_ID" || !stderr.contains("canary"), "{stderr}");
    }
}

fn steps_with_everything_in_a_bucket(place: &Place) {
    fill(place);
    let command =
        |name: &str, args: &[&str]| json!({"Name": name, "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args}});
    let report = ["hive-script", "--run-hive-script", "--args", "-f", "s3://b/report.q"];
    let steps = json!([
        command("fetch", &["s3-dist-cp", "--src=s3://b/in", "--dest=s3://b/work/in", "--srcPattern=.*/0[0-4][.]csv"]),
        command("report", &[&report[..], &["-d", "INPUT=s3://b/work", "-d", "OUTPUT=s3://b"]].concat()),
        command("publish", &["aws", "s3", "sync", "s3://b/out", "s3://b/reports/", "--exclude", "_*"]),
        {"Type": "HIVE", "Name": "bad", "Args": ["-f", "s3://b/missing.q"], "ActionOnFailure": "CONTINUE"},
    ]);
    place.put_text("steps.json", &steps.to_string());
    let args = ["steps", "s3://b/steps.json", "--log-uri", "s3://b/logs", "--status-json", "s3://b/status.json"];
    // The last step's failure is told.
    place.logq(&args).assert_code(4);

    let reports: Vec<Vec<u8>> = place.objects("reports/").into_values().collect();
    assert_eq!(reports, [b"a\x0110\nb\x015\n"]);
    let status: Value = serde_json::from_slice(&place.get("status.json")).unwrap();
    let states: Vec<_> = (0..4).map(|idx| status["Steps"][idx]["Status"]["State"].as_str().unwrap()).collect();
    assert_eq!(states, ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]);
    let keys = place.keys("logs/steps/");
    for step in status["Steps"].as_array().unwrap() {
        for file in ["controller.gz", "syslog.gz", "stderr.gz", "stdout.gz"] {
            let key = format!("logs/steps/{}/{file}", step["Id"].as_str().unwrap());
            assert!(keys.contains(&key), "{key}");
        }
    }
    assert_eq!(place.pending_uploads(), [""; 0]);
}

fn copies_of_files(place: &Place) {
    fill(place);
    let sandbox = &place.sandbox;
    place.logq(&["aws", "s3", "cp", "s3://b/in", "fetched", "--recursive"]).assert_code(0);
    assert_eq!((sandbox.tree("fetched").len(), sandbox.read("fetched/09.csv")), (10, "a,9\nb,1\n".to_owned()));
    sandbox.write("fetched/10.csv", "new\n");
    place.logq(&["aws", "s3", "sync", "fetched", "s3://b/in"]).assert_code(0);
    assert_eq!(place.get("in/10.csv"), b"new\n");
    place.logq(&["s3-dist-cp", "--src", "s3://b/in", "--dest", "moved", "--deleteOnSuccess"]).assert_code(0);
    assert_eq!((sandbox.tree("moved").len(), place.keys("in/").len()), (11, 0));
    place.logq(&["aws", "s3", "cp", "s3://b/in/none", "x"]).assert_code(4);
    let finished = place.logq(&["aws", "s3", "cp", "moved/00.csv", "s3://missing/x"]);
    assert!(finished.assert_code(4).stderr().contains("s3://missing/x"), "{}", finished.stderr());

    // In parts, there and back.
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    sandbox.write("large", &large);
    place.logq(&["aws", "s3", "cp", "large", "s3://b/large"]).assert_code(0);
    place.logq(&["aws", "s3", "cp", "s3://b/large", "s3://b/copied"]).assert_code(0);
    place.logq(&["aws", "s3", "cp", "s3://b/copied", "back"]).assert_code(0);
    assert!(std::fs::read(sandbox.path("back")).unwrap() == large);
}

/// As on local disk, over the logs that come with the repository.
fn the_query_of_the_tutorial(place: &Place) {
    let sandbox = &place.sandbox;
    sandbox.copy(&repository().join("sample-data/cloudfront"), "bucket/cloudfront");
    for file in sandbox.tree("bucket/cloudfront") {
        place.put(file.trim_start_matches("bucket/"), std::fs::read(sandbox.path(&file)).unwrap());
    }
    let script = std::fs::read_to_string(repository().join("queries/os_requests.sql")).unwrap();
    place.put("os_requests.q", script.as_bytes());
    sandbox.write("os_requests.q", script);
    sandbox.run(&["run", "os_requests.q", "-d", "INPUT=bucket", "-d", "OUTPUT=out"]).assert_code(0);
    place.logq(&["run", "s3://b/os_requests.q", "-d", "INPUT=s3://b", "-d", "OUTPUT=s3://b"]).assert_code(0);
    assert_committed(place, "os_requests/", sandbox.read("out/os_requests/000000_0").as_bytes());
}
