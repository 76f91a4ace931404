//! Runs and copies that are stopped or killed in the middle, on the server that can be slow at will.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use logq_s3_server::{KEY_ID, Server};

use super::{RUN, logq, server};
use crate::sandbox::{Finished, Running, Sandbox, start};
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("s3/sigterm_leaves_a_commit_that_is_slow_to_the_next_run", sigterm_leaves_a_slow_commit),
        trial("s3/a_server_that_is_silent_delays_no_end", a_server_that_is_silent_delays_no_end),
        trial("s3/a_copy_that_is_killed_is_found_by_gc", a_copy_that_is_killed_is_found_by_gc),
        trial("s3/sigterm_stops_a_copy_in_the_middle_of_a_part", sigterm_stops_a_copy_in_the_middle_of_a_part),
    ]
}

/// The only file of a result, whose name has the run's id in it.
fn result<'a>(objects: &'a BTreeMap<String, Vec<u8>>, folder: &str) -> &'a [u8] {
    let found: Vec<_> = objects.iter().filter(|(key, _)| key.starts_with(&format!("{folder}000000_0-"))).collect();
    assert_eq!(found.len(), 1, "{:?}", objects.keys());
    found[0].1
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
