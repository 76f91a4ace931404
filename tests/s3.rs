//! `logq` over S3, as a stranger would run it: cases on every server that there is, and cases on the one that can be told
//! what to do.
//!
//! `s3/…` run on the server of tests/s3_server, `seaweedfs/…` on SeaweedFS, `proxy/…` on SeaweedFS behind a proxy that
//! disturbs one request in seven by a seed, which a failure prints and `LOGQ_TEST_SEED` sets; `restart/…` kill SeaweedFS in
//! the middle and start it again.

use libtest_mimic::Trial;
use logq_s3_server::{Fault, Faults, KEY_ID, Server};
use serde_json::Value;

use crate::sandbox::{Finished, Sandbox, run};
use crate::trial;

mod cases;
mod copies;
mod place;
mod restarts;
mod schedules;
mod seaweedfs;
mod stops;

use place::{Kind, Place};
use seaweedfs::SeaweedFs;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("s3/half_a_key_matters_only_to_s3", half_a_key_matters_only_to_s3),
        trial("s3/a_process_gives_credentials", a_process_gives_credentials),
        trial("s3/passing_faults_change_nothing", passing_faults_change_nothing),
        trial("s3/requests_are_told_before_and_after", requests_are_told_before_and_after),
        trial("s3/keys_that_climb_stay_below", keys_that_climb_stay_below),
        trial("s3/who_pays_and_which_key_encrypts", who_pays_and_which_key_encrypts),
    ];
    trials.extend(stops::trials());
    trials.extend(copies::trials());
    let mut add = |area: &str, kind: Kind| {
        for &(name, case) in cases::CASES {
            trials.push(trial(format!("{area}/{name}"), move || case(&Place::new(kind, name))));
        }
    };
    add("s3", Kind::Ours);
    if SeaweedFs::program().is_none() {
        eprintln!(
            "skipped: LOGQ_TEST_WEED names no program of SeaweedFS to test against; CONTRIBUTING.md says how to get it"
        );
        return trials;
    }
    add("seaweedfs", Kind::SeaweedFs);
    add("proxy", Kind::Proxied);
    trials.extend(schedules::trials());
    trials.extend(restarts::trials());
    trials
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

fn half_a_key_matters_only_to_s3() {
    let sandbox = Sandbox::new();
    let run_with = |sql: &str| run(sandbox.logq().env("AWS_ACCESS_KEY_ID", "x").args(["-e", sql]));
    assert_eq!(run_with("SELECT 1").assert_code(0).stdout(), "1\n");
    let finished = run_with("source s3://b/report.q");
    assert!(finished.assert_code(2).stderr().contains("AWS_SECRET_ACCESS_KEY is not set"), "{}", finished.stderr());
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

fn who_pays_and_which_key_encrypts() {
    let (sandbox, server) = (Sandbox::new(), server());
    server.want_payment();
    logq(&sandbox, &server, &RUN).assert_code(4);
    sandbox.write("logq.toml", "[s3]\nrequester-pays = true\nkms-key = \"the-key\"\n");
    let n_requests = server.requests().len();
    logq(&sandbox, &server, &RUN).assert_code(0);
    let requests = server.requests().split_off(n_requests);
    let paid = server.headers("x-amz-request-payer").split_off(n_requests);
    let keys = server.headers("x-amz-server-side-encryption-aws-kms-key-id").split_off(n_requests);
    for ((request, payer), key) in requests.iter().zip(paid).zip(keys) {
        assert_eq!(payer.as_deref(), Some("requester"), "{request}");
        // Parts are encrypted as their upload was begun.
        let makes_an_object =
            !request.contains("?part") && request.starts_with("PUT ") || request.ends_with("?uploads=");
        assert_eq!(key.as_deref(), makes_an_object.then_some("the-key"), "{request}");
    }
}
