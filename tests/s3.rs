//! `logq` over S3: the server of tests/s3_server on loopback, and the command as a stranger would run it.

use libtest_mimic::Trial;
use logq_s3_server::{Faults, KEY_ID, Server};

use crate::sandbox::{Finished, Sandbox, run};
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("s3/script_tables_and_output", script_tables_and_output),
        trial("s3/one_run_at_a_time_and_gc", one_run_at_a_time_and_gc),
        trial("s3/denied_says_whose_credentials", denied_says_whose_credentials),
        trial("s3/passing_faults_change_nothing", passing_faults_change_nothing),
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

fn script_tables_and_output() {
    let (sandbox, server) = (Sandbox::new(), server());
    let finished = logq(&sandbox, &server, &RUN);
    finished.assert_code(0);
    let objects = server.objects("b");
    assert_eq!(objects["out/000000_0"], b"a\x011225\nb\x0150\n");
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

fn denied_says_whose_credentials() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.accept_only(&["another"]);
    let finished = logq(&sandbox, &server, &["-e", "source s3://b/report.q"]);
    let stderr = finished.assert_code(4).stderr();
    assert!(stderr.contains("not allowed to read s3://b/report.q"), "{stderr}");
    assert!(stderr.contains("s3:GetObject") && stderr.contains("AWS_ACCESS_KEY_ID in the environment"), "{stderr}");
}

fn passing_faults_change_nothing() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.set_faults(Faults::seeded(1, 9));
    let read = "CREATE EXTERNAL TABLE t (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' \
                LOCATION 's3://b/in'; SELECT k, sum(n) FROM t GROUP BY k";
    assert_eq!(logq(&sandbox, &server, &["-e", read]).assert_code(0).stdout(), "a\t1225\nb\t50\n");
    assert!(server.faults_seen() > 0);
}
