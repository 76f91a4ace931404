//! A server that is killed in the middle of a job and comes back: what the job gives is as if nothing had been.
//!
//! Several jobs run side by side, each to a moment of its own, since a proxy of its own holds one of its requests. Then the
//! server is killed, the requests go on and break, and it is started again. The commands wait that long by themselves.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;

use super::cases::{NEW, RUN, STEPS_OF_A_COMMIT, assert_committed, fill, is_old, put_old};
use super::place::Place;
use super::seaweedfs::SeaweedFs;
use crate::sandbox::Finished;
use crate::trial;

/// How long nobody answers, beside the time that the server takes to start.
const AWAY: Duration = Duration::from_millis(700);

pub fn trials() -> Vec<Trial> {
    vec![
        trial("restart/while_objects_are_read", while_objects_are_read),
        trial("restart/while_parts_are_uploaded", while_parts_are_uploaded),
        trial("restart/at_each_request_of_a_commit", at_each_request_of_a_commit),
        trial("restart/of_both_in_a_commit", of_both_in_a_commit),
        trial("restart/while_steps_tell_how_it_goes", while_steps_tell_how_it_goes),
        trial("restart/at_any_time", at_any_time),
        trial("restart/a_server_that_stays_away", a_server_that_stays_away),
    ]
}

/// A job, and the request at which it is when the server is killed: the `nth` that has this in it, counted from 0.
struct Job<'a> {
    place: &'a Place,
    args: &'a [&'a str],
    request: (&'a str, usize),
}

/// Runs the jobs, all of which are in the middle when the server is killed.
fn with_restart(server: &SeaweedFs, jobs: &[Job<'_>]) -> Vec<Finished> {
    let held: Vec<_> = jobs.iter().map(|job| job.place.hold(job.request.0, job.request.1)).collect();
    let running: Vec<_> = jobs.iter().map(|job| job.place.start(job.args)).collect();
    held.iter().for_each(|held| held.wait());
    server.kill();
    drop(held);
    std::thread::sleep(AWAY);
    server.restart();
    running.into_iter().map(|running| running.finish()).collect()
}

const N_OBJECTS: usize = 8;
const ROWS: &str = "CREATE EXTERNAL TABLE r (n INT, text STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' \
                    LOCATION 's3://b/rows';";

/// Objects that are read side by side. Gives the rows of all.
fn put_rows(place: &Place) -> String {
    let rows: String = (0..20_000).map(|n| format!("{n},{}\n", "abcdefgh".repeat(12))).collect();
    for idx in 0..N_OBJECTS {
        place.put(&format!("rows/{idx}"), rows.as_bytes());
    }
    rows.repeat(N_OBJECTS)
}

fn while_objects_are_read() {
    let server = Arc::new(SeaweedFs::start());
    let sql = format!("{ROWS} SELECT count(*), sum(n), max(text) FROM r");
    let args = ["-e", &sql];
    let requests = [("list-type=2", 0), ("GET b/rows/", 0), ("GET b/rows/", 5)];
    let places: Vec<Place> = (0..requests.len()).map(|idx| Place::on(&server, &format!("read-{idx}"))).collect();
    places.iter().for_each(|place| drop(put_rows(place)));
    let jobs: Vec<Job<'_>> =
        places.iter().zip(requests).map(|(place, request)| Job { place, args: &args, request }).collect();
    for finished in with_restart(&server, &jobs) {
        let expected = format!("160000\t1599920000\t{}\n", "abcdefgh".repeat(12));
        assert_eq!(finished.assert_code(0).stdout(), expected);
    }
}

fn while_parts_are_uploaded() {
    let server = Arc::new(SeaweedFs::start());
    let sql = format!(
        "{ROWS} INSERT OVERWRITE DIRECTORY 's3://b/out' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' SELECT * FROM r"
    );
    let insert = ["-e", &sql];
    let copy = ["aws", "s3", "cp", "large", "s3://b/copied"];
    let [first, later, copied] = ["first", "later", "copied"].map(|name| Place::on(&server, name));
    let rows = [&first, &later].map(put_rows)[0].clone();
    assert!(rows.len() > 8 << 20, "parts have 8 MiB");
    copied.sandbox.write("large", &rows);
    let jobs = [
        Job { place: &first, args: &insert, request: ("partNumber=1", 0) },
        Job { place: &later, args: &insert, request: ("partNumber=2", 0) },
        Job { place: &copied, args: &copy, request: ("partNumber=2", 0) },
    ];
    for finished in with_restart(&server, &jobs) {
        finished.assert_code(0);
    }
    assert_committed(&first, "out/", rows.as_bytes());
    assert_committed(&later, "out/", rows.as_bytes());
    assert!(copied.get("copied") == rows.as_bytes());
    assert_eq!(copied.pending_uploads(), [""; 0]);
}

/// A place for each request of a commit, with old content.
fn places_of_a_commit(server: &Arc<SeaweedFs>) -> Vec<Place> {
    let places = (0..STEPS_OF_A_COMMIT.len()).map(|idx| {
        let place = Place::on(server, &format!("commit-{idx}"));
        fill(&place);
        put_old(&place);
        place
    });
    places.collect()
}

fn at_each_request_of_a_commit() {
    let server = Arc::new(SeaweedFs::start());
    let places = places_of_a_commit(&server);
    let jobs: Vec<Job<'_>> =
        places.iter().zip(STEPS_OF_A_COMMIT).map(|(place, &request)| Job { place, args: &RUN, request }).collect();
    let finished = with_restart(&server, &jobs);
    for (job, finished) in jobs.iter().zip(finished) {
        assert_eq!(finished.status.code(), Some(0), "{:?}: {}", job.request, finished.stderr());
        assert_committed(job.place, "out/", NEW);
    }
}

/// The command is killed together with the server, and the next run comes when that is back.
fn of_both_in_a_commit() {
    let server = Arc::new(SeaweedFs::start());
    let places = places_of_a_commit(&server);
    let held: Vec<_> =
        places.iter().zip(STEPS_OF_A_COMMIT).map(|(place, &(what, nth))| place.hold(what, nth)).collect();
    let running: Vec<_> = places.iter().map(|place| place.start(&RUN)).collect();
    held.iter().for_each(|held| held.wait());
    server.kill();
    running.iter().for_each(|running| running.signal("KILL"));
    running.into_iter().for_each(|running| drop(running.finish()));
    drop(held);
    server.restart();
    for (place, request) in places.iter().zip(STEPS_OF_A_COMMIT) {
        place.logq(&["gc", "s3://b/out"]).assert_code(0);
        assert_eq!(place.pending_uploads(), [""; 0], "{request:?}");
        if !is_old(place) {
            assert_committed(place, "out/", NEW);
        }
        place.logq(&RUN).assert_code(0);
        assert_committed(place, "out/", NEW);
    }
}

fn while_steps_tell_how_it_goes() {
    let server = Arc::new(SeaweedFs::start());
    let report = [&["-f"], &RUN[1..]].concat();
    let steps = serde_json::json!([{"Type": "HIVE", "Name": "report", "Args": report}]).to_string();
    let requests = [("GET b/steps.json", 0), ("PUT b/logs/", 0), ("PUT b/status.json", 0)];
    let places: Vec<Place> = (0..requests.len()).map(|idx| Place::on(&server, &format!("steps-{idx}"))).collect();
    for place in &places {
        fill(place);
        place.put_text("steps.json", &steps);
    }
    let args = ["steps", "s3://b/steps.json", "--log-uri", "s3://b/logs", "--status-json", "s3://b/status.json"];
    let jobs: Vec<Job<'_>> =
        places.iter().zip(requests).map(|(place, request)| Job { place, args: &args, request }).collect();
    let finished = with_restart(&server, &jobs);
    for (place, finished) in places.iter().zip(finished) {
        finished.assert_code(0);
        assert_committed(place, "out/", NEW);
        let names: Vec<String> =
            place.keys("logs/steps/").iter().filter_map(|key| Some(key.rsplit_once('/')?.1.to_owned())).collect();
        assert_eq!(names, ["controller.gz", "stderr.gz", "stdout.gz", "syslog.gz"]);
        assert!(String::from_utf8_lossy(&place.get("status.json")).contains("COMPLETED"));
    }
}

/// Without a proxy between, which takes connections while nobody is behind it.
fn at_any_time() {
    let server = Arc::new(SeaweedFs::start());
    let places: Vec<Place> = (0..6).map(|idx| Place::on(&server, &format!("time-{idx}"))).collect();
    places.iter().for_each(fill);
    places.iter().for_each(put_old);
    // The last ones have hardly begun when the server goes, the first ones may be done.
    let running: Vec<_> = places
        .iter()
        .map(|place| {
            std::thread::sleep(Duration::from_millis(40));
            place.start(&RUN)
        })
        .collect();
    server.kill();
    std::thread::sleep(AWAY);
    server.restart();
    let finished: Vec<_> = running.into_iter().map(|running| running.finish()).collect();
    for (place, finished) in places.iter().zip(finished) {
        finished.assert_code(0);
        assert_committed(place, "out/", NEW);
    }
}

/// An error after the time that the user gives it, and nothing has changed.
fn a_server_that_stays_away() {
    let server = Arc::new(SeaweedFs::start());
    let place = Place::on(&server, "away");
    fill(&place);
    put_old(&place);
    let held = place.hold("partNumber=1", 0);
    let running = place.start(&[&["--timeout", "3s"], &RUN[..]].concat());
    held.wait();
    server.kill();
    drop(held);
    running.finish_within(Duration::from_secs(30)).assert_code(7);
    server.restart();
    place.logq(&["gc", "s3://b/out"]).assert_code(0);
    assert!(is_old(&place), "{:?}", place.keys("out/"));
    assert_eq!(place.pending_uploads(), [""; 0]);
}
