//! A server that is killed in the middle of a job and comes back: what the job gives is as if nothing had been.
//!
//! The proxy holds a request, so that the moment is known; the server is killed, the request goes on and breaks, and the
//! server is started again. The command waits that long by itself.

use std::time::Duration;

use libtest_mimic::Trial;

use super::cases::{NEW, RUN, STEPS_OF_A_COMMIT, assert_committed, fill, is_old, put_old};
use super::place::Place;
use crate::sandbox::{Finished, Running};
use crate::trial;

/// How long nobody answers, beside the time that the server takes to start.
const AWAY: Duration = Duration::from_millis(1200);

pub fn trials() -> Vec<Trial> {
    vec![
        trial("restart/while_objects_are_read", while_objects_are_read),
        trial("restart/while_parts_are_uploaded", while_parts_are_uploaded),
        trial("restart/at_each_request_of_a_commit", at_each_request_of_a_commit),
        trial("restart/of_both_in_a_commit", of_both_in_a_commit),
        trial("restart/a_server_that_stays_away", a_server_that_stays_away),
    ]
}

/// Kills the server while the request is held, and starts it again.
fn restart_at(place: &Place, what: &str, nth: usize, start: impl FnOnce() -> Running) -> Finished {
    let held = place.hold(what, nth);
    let running = start();
    held.wait();
    place.process().kill();
    drop(held);
    std::thread::sleep(AWAY);
    place.process().restart();
    running.finish()
}

/// Rows of several blocks, in objects that are read at once.
fn put_rows(place: &Place) -> String {
    let rows: String = (0..400_000).map(|n| format!("{n}\n")).collect();
    for idx in 0..8 {
        place.put(&format!("rows/{idx}"), rows.as_bytes());
    }
    rows
}

fn while_objects_are_read() {
    let place = Place::alone("read");
    put_rows(&place);
    let sql = "CREATE EXTERNAL TABLE r (n BIGINT) LOCATION 's3://b/rows'; SELECT count(*), sum(n), max(n) FROM r";
    for (what, nth) in [("list-type=2", 0), ("GET b/rows/", 0), ("GET b/rows/", 5)] {
        let finished = restart_at(&place, what, nth, || place.start(&["-e", sql]));
        assert_eq!(finished.assert_code(0).stdout(), "3200000\t639998400000\t399999\n", "{what}");
    }
}

fn while_parts_are_uploaded() {
    let place = Place::alone("uploaded");
    let rows = put_rows(&place).repeat(8);
    let sql = "CREATE EXTERNAL TABLE r (n BIGINT) LOCATION 's3://b/rows'; \
               INSERT OVERWRITE DIRECTORY 's3://b/out' SELECT n FROM r";
    assert!(rows.len() > 16 << 20, "parts have 8 MiB");
    for (what, nth) in [("partNumber=1", 0), ("partNumber=3", 0)] {
        restart_at(&place, what, nth, || place.start(&["-e", sql])).assert_code(0);
        assert_committed(&place, "out/", rows.as_bytes());
    }
    place.sandbox.write("large", &rows);
    let copy = ["aws", "s3", "cp", "large", "s3://b/copied"];
    restart_at(&place, "partNumber=2", 0, || place.start(&copy)).assert_code(0);
    assert!(place.get("copied") == rows.as_bytes());
    assert_eq!(place.pending_uploads(), [""; 0]);
}

fn at_each_request_of_a_commit() {
    let place = Place::alone("commit");
    fill(&place);
    for &(what, nth) in STEPS_OF_A_COMMIT {
        place.clear("out/");
        put_old(&place);
        restart_at(&place, what, nth, || place.start(&RUN)).assert_code(0);
        assert_committed(&place, "out/", NEW);
    }
}

/// The command is killed together with the server, and the next run comes when that is back.
fn of_both_in_a_commit() {
    let place = Place::alone("both");
    fill(&place);
    for &(what, nth) in STEPS_OF_A_COMMIT.iter().step_by(3) {
        place.clear("out/");
        put_old(&place);
        let held = place.hold(what, nth);
        let running = place.start(&RUN);
        held.wait();
        place.process().kill();
        running.signal("KILL");
        running.finish();
        drop(held);
        place.process().restart();
        let finished = place.logq(&["gc", "s3://b/out"]);
        finished.assert_code(0);
        assert!(is_old(&place) || place.keys("out/").len() == 2, "{what} {nth}: {:?}", place.keys("out/"));
        assert_eq!(place.pending_uploads(), [""; 0], "{what} {nth}");
        place.logq(&RUN).assert_code(0);
        assert_committed(&place, "out/", NEW);
    }
}

/// An error after the time that the user gives it, and nothing has changed.
fn a_server_that_stays_away() {
    let place = Place::alone("away");
    fill(&place);
    put_old(&place);
    let held = place.hold("partNumber=1", 0);
    let running = place.start(&[&["--timeout", "2s"], &RUN[..]].concat());
    held.wait();
    place.process().kill();
    drop(held);
    running.finish_within(Duration::from_secs(15)).assert_code(7);
    place.process().restart();
    place.logq(&["gc", "s3://b/out"]).assert_code(0);
    assert!(is_old(&place), "{:?}", place.keys("out/"));
    assert_eq!(place.pending_uploads(), [""; 0]);
}
