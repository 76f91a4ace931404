//! A commit that fails or dies at each of its requests, and what the next run makes of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::Int64Array;
use arrow::record_batch::RecordBatch;
use jiff::SignedDuration;
use logq_s3_server::{Fault, Faults, KEY_ID, Server};

use super::*;
use crate::config::{CredentialSource, Credentials, EngineConfig, S3Config, Secret};
use crate::id::{AttemptId, TaskId};
use crate::output::{Committer, WorkPlaces, collect_garbage};
use crate::serdes::Serializer;
use crate::storage::filesystem::LocalFileSystem;
use crate::storage::{Files, Storage, StoragePath};

/// Writes what it is given, ten times a row.
struct Lines;

impl Serializer for Lines {
    fn serialize(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let rows = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(batch.column(0).as_ref());
        rows.values().iter().for_each(|value| out.extend_from_slice(format!("{value}\n").as_bytes()));
        Ok(())
    }
}

/// One machine: what is on its disk outlives its processes.
struct Machine {
    temp_dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Machine { temp_dir: tempfile::tempdir().unwrap() }
    }

    fn storage(&self, server: &Server) -> Storage {
        let source = CredentialSource::Keys { key_id: KEY_ID.into(), secret: Secret::new("s"), session_token: None };
        let credentials = Credentials { source, origin: "the test".into() };
        let s3 = S3Config { endpoint: Some(server.url()), credentials, ..S3Config::default() };
        let temp_dir = self.temp_dir.path().to_owned();
        Storage::new(&EngineConfig { s3, temp_dir, threads: 2, ..EngineConfig::default() })
    }

    fn gc(&self, server: &Server) -> Result<usize> {
        self.gc_of(server, "s3://b/out")
    }

    fn gc_of(&self, server: &Server, place: &str) -> Result<usize> {
        let (storage, place) = (self.storage(server), StoragePath::parse(place, Path::new("/")).unwrap());
        collect_garbage(Arc::new(LocalFileSystem), &storage, &place, self.temp_dir.path())
    }

    fn begin(&self, server: &Server) -> Result<Committer> {
        let places = WorkPlaces { scratch: self.temp_dir.path(), temp_dir: self.temp_dir.path() };
        let storage = self.storage(server);
        Committer::begin(Arc::new(LocalFileSystem), &storage, &dest(), places, &JobId::new(), false, &Stop::never())
    }

    /// Two tasks that write `value` and the number after it.
    fn run(&self, server: &Server, value: i64) -> Result<Vec<CommittedFile>> {
        self.written(server, value)?.commit(&SuccessInfo::default(), 0, &Stop::never())
    }

    fn written(&self, server: &Server, value: i64) -> Result<Committer> {
        let committer = self.begin(server)?;
        for task in [1, 0] {
            let mut writer = committer.start(TaskId(task), AttemptId(0), Box::new(Lines))?;
            let column = Arc::new(Int64Array::from(vec![value + i64::from(task)]));
            writer.write(&RecordBatch::try_from_iter([("n", column as _)]).unwrap())?;
            committer.commit_task(writer.finish()?)?;
        }
        Ok(committer)
    }
}

fn dest() -> StoragePath {
    StoragePath::parse("s3://b/out", Path::new("/")).unwrap()
}

/// Rows that readers see, sorted, and whether there is `_SUCCESS`.
fn seen(server: &Server) -> (Vec<i64>, bool) {
    let objects = server.objects("b");
    let rows = |(name, bytes): (&String, &Vec<u8>)| {
        let is_hidden = name.starts_with("out/_");
        (!is_hidden && name.starts_with("out/")).then(|| String::from_utf8(bytes.clone()).unwrap())
    };
    let text: String = objects.iter().filter_map(rows).collect();
    let mut rows: Vec<i64> = text.lines().map(|line| line.parse().unwrap()).collect();
    rows.sort_unstable();
    (rows, objects.contains_key("out/_SUCCESS"))
}

/// What stands in `_logq/lock` once it has expired.
const EXPIRED: &str = r#"{"run_id": "x", "process": 1, "expires": "2014-07-05T00:00:00Z"}"#;
const LIVING: &str = r#"{"run_id": "x", "process": 1, "expires": "2099-07-05T00:00:00Z"}"#;

/// Names of objects without the run's part.
fn plain_names(server: &Server) -> Vec<String> {
    server.objects("b").into_keys().map(|name| name.split('-').next().unwrap().to_owned()).collect()
}

#[test]
fn no_name_is_used_again_and_success_is_json() {
    let server = Server::start();
    server.make_bucket("b");
    server.put("b", "outside", "x");
    server.put("b", "out/old/deep", "1\n");
    server.put("b", "out/.hidden", "2\n");
    let machine = Machine::new();
    let files = machine.run(&server, 10).unwrap();
    assert_eq!((files[1].rows, files[1].bytes), (1, 3));
    assert_eq!(plain_names(&server), ["out/000000_0", "out/000001_0", "out/_SUCCESS", "outside"]);
    let success: serde_json::Value = serde_json::from_slice(&server.objects("b")["out/_SUCCESS"]).unwrap();
    assert_eq!((success["rows"].as_u64(), success["files"][0]["name"].as_str()), (Some(2), Some(&*files[0].name)));
    for file in success["files"].as_array().unwrap() {
        assert_eq!(file["bytes"], 3);
        assert_eq!(file["etag"], server.etag("b", &format!("out/{}", file["name"].as_str().unwrap())).unwrap());
    }
    let mut used: HashSet<String> = files.into_iter().map(|file| file.name).collect();
    for value in [20, 30] {
        for file in machine.run(&server, value).unwrap() {
            assert!(server.objects("b").contains_key(&format!("out/{}", file.name)));
            assert!(used.insert(file.name));
        }
    }
    assert_eq!(seen(&server), (vec![30, 31], true));
    assert_eq!(plain_names(&server), ["out/000000_0", "out/000001_0", "out/_SUCCESS", "outside"]);
    assert_eq!(server.pending_uploads("b"), [""; 0]);
    // What was staged is gone before the session is.
    assert_eq!(std::fs::read_dir(machine.temp_dir.path()).unwrap().count(), 0);
}

/// Cut off at each request: old, new, or both are seen, and the next run puts it right, on this machine or, once the
/// dead one's lock is gone, by `gc`.
#[test]
fn old_or_new_after_a_death_at_any_request() {
    for n in 0.. {
        let server = Server::start();
        server.make_bucket("b");
        let machine = Machine::new();
        machine.run(&server, 10).unwrap();
        server.set_faults(Faults::cut_off_at(n));
        let result = machine.run(&server, 20);
        let was_hit = server.faults_seen() > 0;
        server.set_faults(Faults::none());
        let (rows, is_success) = seen(&server);
        let is_sound = [vec![10, 11], vec![20, 21], vec![10, 11, 20, 21], vec![10, 11, 20], vec![10, 11, 21]];
        let is_rest = [vec![10, 20, 21], vec![11, 20, 21]];
        assert!(is_sound.contains(&rows) || is_rest.contains(&rows), "at {n}: {rows:?}");
        let has_intent = server.objects("b").keys().any(|name| name.starts_with("out/_logq/commit-"));
        assert!(is_success || has_intent, "at {n}: no sign that the content is not whole");
        assert!(has_intent || rows == [10, 11] || rows == [20, 21], "at {n}: {rows:?}");

        // The lock that the dead run left is another machine's to us: it is taken away as if it had expired.
        let lock = server.objects("b").get("out/_logq/lock").cloned();
        if lock.is_some() && n % 2 == 0 {
            let error = machine.run(&server, 30).unwrap_err();
            assert_eq!(error.code(), codes::OUTPUT_LOCKED, "at {n}");
        }
        if lock.is_some() {
            server.put("b", "out/_logq/lock", EXPIRED);
        }
        if n % 3 == 0 {
            assert_eq!(machine.gc(&server).unwrap(), usize::from(has_intent), "at {n}");
            let (rows, is_success) = seen(&server);
            assert!(is_success && (rows == [10, 11] || rows == [20, 21]), "at {n}: {rows:?}");
            assert_eq!(server.pending_uploads("b"), [""; 0], "at {n}");
        }
        machine.run(&server, 30).unwrap();
        assert_eq!(seen(&server), (vec![30, 31], true), "at {n}");
        assert_eq!(server.pending_uploads("b"), [""; 0], "at {n}");
        assert_eq!(server.objects("b").len(), 3, "at {n}: {:?}", server.objects("b").keys());
        if !was_hit {
            result.unwrap();
            return;
        }
    }
}

#[test]
fn passing_faults_are_got_over() {
    for seed in 0..10 {
        let server = Server::start();
        server.make_bucket("b");
        let machine = Machine::new();
        machine.run(&server, 10).unwrap();
        server.set_faults(Faults::seeded(seed, 7));
        machine.run(&server, 20).unwrap();
        server.set_faults(Faults::none());
        assert_eq!(seen(&server), (vec![20, 21], true), "seed {seed}");
        assert_eq!(server.pending_uploads("b"), [""; 0], "seed {seed}");
    }
}

#[test]
fn one_of_two_runs_wins() {
    let server = Server::start();
    server.make_bucket("b");
    let (here, elsewhere) = (Machine::new(), Machine::new());
    let first = here.begin(&server).unwrap();
    for machine in [&here, &elsewhere] {
        let error = machine.begin(&server).unwrap_err();
        assert_eq!(error.code(), codes::OUTPUT_LOCKED);
        assert!(error.message().starts_with("another run is writing `s3://b/out` (run "), "{}", error.message());
    }
    drop(first);
    assert!(server.objects("b").is_empty());
    elsewhere.run(&server, 1).unwrap();
}

#[test]
fn of_racing_runs_one_at_a_time_wins() {
    let server = Server::start();
    server.make_bucket("b");
    let n_won = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|idx| {
                scope.spawn({
                    let server = &server;
                    move || Machine::new().run(server, idx * 10)
                })
            })
            .collect();
        racers.into_iter().filter(|_| true).map(|racer| racer.join().unwrap()).fold(0, |n_won, result| match result {
            Ok(_) => n_won + 1,
            Err(error) => {
                assert_eq!(error.code(), codes::OUTPUT_LOCKED, "{error:?}");
                n_won
            }
        })
    });
    assert!(n_won >= 1);
    let (rows, is_success) = seen(&server);
    assert!(is_success && rows.len() == 2 && rows[1] == rows[0] + 1, "{rows:?}");
}

/// What a `kill -9` leaves on this machine: the lock of the dead run, and a local file that names it.
#[test]
fn the_next_run_on_the_same_machine_does_not_wait() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    let first = machine.begin(&server).unwrap();
    let lock_file = || {
        let entries = std::fs::read_dir(machine.temp_dir.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock")).unwrap()
    };
    let (path, run_id) = (lock_file(), std::fs::read(lock_file()).unwrap());
    let lock = server.objects("b")["out/_logq/lock"].clone();
    drop(first);
    std::fs::write(path, run_id).unwrap();
    server.put("b", "out/_logq/lock", lock);
    assert_eq!(Machine::new().run(&server, 1).unwrap_err().code(), codes::OUTPUT_LOCKED);
    machine.run(&server, 1).unwrap();
    assert_eq!(seen(&server), (vec![1, 2], true));
}

#[test]
fn a_whole_bucket_is_not_replaced() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    let places = WorkPlaces { scratch: machine.temp_dir.path(), temp_dir: machine.temp_dir.path() };
    let dest = StoragePath::parse("s3://b/", Path::new("/")).unwrap();
    let begun = Committer::begin(
        Arc::new(LocalFileSystem),
        &machine.storage(&server),
        &dest,
        places,
        &JobId::new(),
        false,
        &Stop::never(),
    );
    assert_eq!(begun.unwrap_err().code(), codes::COMMIT);
    assert!(server.requests().is_empty());
}

/// Old and new objects side by side are not read as one table; while files are only uploaded, the old ones are.
#[test]
fn an_unfinished_commit_is_not_read() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    machine.run(&server, 10).unwrap();
    let list = |place: &str| machine.storage(&server).list(&StoragePath::parse(place, Path::new("/")).unwrap());
    server.put("b", "out/_logq/commit-y.json", r#"{"run_id": "y", "state": {"uploading": {"names": []}}}"#);
    assert_eq!(list("s3://b/out").unwrap().files.len(), 2);
    let committing = r#"{"run_id": "y", "state": {"committing": {"uploads": [], "replaced": [], "success": ""}}}"#;
    server.put("b", "out/_logq/commit-y.json", committing);
    for place in ["s3://b/out", "s3://b"] {
        let error = list(place).unwrap_err();
        assert_eq!(error.code(), codes::COMMIT);
        assert!(error.hints()[0].contains("logq gc"), "{error:?}");
    }
    assert_eq!(machine.gc(&server).unwrap(), 1);
    assert_eq!(list("s3://b/out").unwrap().files.len(), 2);
}

/// The server did what it was asked at each request, and the run was not told.
#[test]
fn an_answer_that_is_lost_blocks_nobody() {
    for n in 0.. {
        let server = Server::start();
        server.make_bucket("b");
        let machine = Machine::new();
        machine.run(&server, 10).unwrap();
        server.set_faults(Faults::at(n, Fault::LostAnswer));
        machine.run(&server, 20).unwrap();
        let was_hit = server.faults_seen() > 0;
        server.set_faults(Faults::none());
        machine.gc(&server).unwrap();
        assert_eq!(seen(&server), (vec![20, 21], true), "at {n}");
        assert_eq!((server.pending_uploads("b").len(), server.objects("b").len()), (0, 3), "at {n}");
        machine.run(&server, 30).unwrap();
        if !was_hit {
            return;
        }
    }
}

/// A bucket's rule aborts what a dead run uploaded, before anybody could finish it.
#[test]
fn a_commit_whose_uploads_are_gone_is_undone() {
    for n in 0.. {
        let server = Server::start();
        server.make_bucket("b");
        let machine = Machine::new();
        machine.run(&server, 10).unwrap();
        server.set_faults(Faults::cut_off_at(n));
        let _ = machine.run(&server, 20);
        let was_hit = server.faults_seen() > 0;
        server.set_faults(Faults::none());
        let had_success = server.objects("b").contains_key("out/_SUCCESS");
        server.expire_uploads("b");
        if server.objects("b").contains_key("out/_logq/lock") {
            server.put("b", "out/_logq/lock", EXPIRED);
        }
        machine.gc(&server).unwrap();
        let (rows, is_success) = seen(&server);
        assert!(rows == [10, 11] || rows == [20, 21], "at {n}: {rows:?}");
        assert!(is_success || !had_success, "at {n}");
        assert!(!server.objects("b").keys().any(|name| name.starts_with("out/_logq")), "at {n}");
        machine.run(&server, 30).unwrap();
        assert_eq!(seen(&server), (vec![30, 31], true), "at {n}");
        if !was_hit {
            return;
        }
    }
}

#[test]
fn a_run_whose_lock_was_not_renewed_changes_nothing() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    machine.run(&server, 10).unwrap();
    let before = server.objects("b");
    let committer = machine.written(&server, 20).unwrap();
    let Committer::S3(committer) = committer else { unreachable!() };
    let state = IntentState::Committing {
        uploads: Vec::new(),
        replaced: before.keys().map(|key| key["out/".len()..].to_owned()).collect(),
        success: String::new(),
    };
    committer.lock.age(SignedDuration::from_secs(89));
    committer.lock.check().unwrap();
    committer.lock.age(SignedDuration::from_secs(2));
    let intent = Intent { run_id: committer.run_id.clone(), state };
    assert_eq!(intent.carry_out(&committer.folder, &committer.lock, &Stop::never()).unwrap_err().code(), codes::COMMIT);
    // Meanwhile another run took it over; its lock stays, too.
    server.put("b", "out/_logq/lock", LIVING);
    let error = committer.commit(&SuccessInfo::default(), 0, &Stop::never()).unwrap_err();
    assert_eq!(error.code(), codes::COMMIT, "{error:?}");
    let mut after = server.objects("b");
    assert_eq!(after.remove("out/_logq/lock").unwrap(), LIVING.as_bytes());
    assert_eq!(after, before);
}

#[test]
fn only_its_own_lock_is_released() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    let committer = machine.begin(&server).unwrap();
    server.put("b", "out/_logq/lock", LIVING);
    drop(committer);
    assert_eq!(server.objects("b")["out/_logq/lock"], LIVING.as_bytes());
}

#[test]
fn outputs_below_are_left_to_their_runs() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    server.put("b", "out/sub/_logq/lock", LIVING);
    let error = machine.run(&server, 10).unwrap_err();
    assert_eq!(error.code(), codes::OUTPUT_LOCKED);
    assert!(error.message().starts_with("another run is writing `s3://b/out/sub` (run x"), "{}", error.message());

    // One that begins later is seen, too.
    server.put("b", "out/sub/_logq/lock", EXPIRED);
    let committer = machine.written(&server, 10).unwrap();
    server.put("b", "out/sub/_logq/lock", LIVING);
    let error = committer.commit(&SuccessInfo::default(), 0, &Stop::never()).unwrap_err();
    assert_eq!(error.code(), codes::OUTPUT_LOCKED);

    server.put("b", "out/sub/_logq/lock", EXPIRED);
    let dead = r#"{"run_id": "y", "state": {"committing": {"uploads": [], "replaced": ["x"], "success": "{}"}}}"#;
    server.put("b", "out/sub/_logq/commit-y.json", dead);
    server.put("b", "out/sub/x", "1\n");
    machine.begin(&server).unwrap();
    let names: Vec<String> = server.objects("b").into_keys().collect();
    assert_eq!(names, ["out/sub/_SUCCESS", "out/sub/_logq/lock"]);
    machine.run(&server, 20).unwrap();
    assert_eq!(plain_names(&server), ["out/000000_0", "out/000001_0", "out/_SUCCESS", "out/sub/_logq/lock"]);
}

#[test]
fn a_server_that_refuses_is_not_taken_for_another_run() {
    let server = Server::start();
    server.make_bucket("b");
    server.set_faults(Faults::to_each("PUT", Fault::Conflict));
    let error = Machine::new().begin(&server).unwrap_err();
    assert_eq!((error.code(), error.message()), (codes::STORAGE, "cannot write s3://b/out/_logq/lock"));
}

#[test]
fn a_run_that_is_stopped_leaves_no_upload() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    machine.run(&server, 10).unwrap();
    let before = server.objects("b");
    let committer = machine.written(&server, 20).unwrap();
    server.set_latency(Duration::from_millis(300));
    let asked_before = server.requests().len();
    let is_uploading = {
        let begun = AtomicUsize::new(0);
        move || (begun.fetch_add(1, Ordering::Relaxed) > 4).then_some(Duration::ZERO)
    };
    let error = committer.commit(&SuccessInfo::default(), 0, &Stop::new(is_uploading)).unwrap_err();
    assert_eq!(error.code(), codes::CANCELLED);
    assert!(server.requests()[asked_before..].iter().any(|request| request.starts_with("POST b/out/000000_0-")));
    assert_eq!(server.objects("b"), before);
    assert_eq!(server.pending_uploads("b"), [""; 0]);
}

#[test]
fn uploads_that_nobody_may_list_block_nobody() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    let dead = r#"{"run_id": "y", "state": {"uploading": {"names": ["000000_0-y"]}}}"#;
    server.put("b", "out/_logq/commit-y.json", dead);
    server.set_faults(Faults::to_each("GET b/?uploads", Fault::AccessDenied));
    machine.run(&server, 10).unwrap();
    let error = machine.gc(&server).unwrap_err();
    assert_eq!(error.code(), codes::ACCESS_DENIED);
    assert!(server.objects("b").contains_key("out/_logq/commit-y.json"));
    server.set_faults(Faults::none());
    assert_eq!(machine.gc(&server).unwrap(), 1);
    assert_eq!(seen(&server), (vec![10, 11], true));
}

/// In a folder for temporary files that all may write, names of locks are known to all.
#[test]
fn a_link_in_the_place_of_the_local_lock_is_not_followed() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    let committer = machine.begin(&server).unwrap();
    let entries: Vec<_> =
        std::fs::read_dir(machine.temp_dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let lock = entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock")).unwrap();
    drop(committer);
    let precious = machine.temp_dir.path().join("precious");
    std::fs::write(&precious, "mine").unwrap();
    std::os::unix::fs::symlink(&precious, &lock).unwrap();
    machine.run(&server, 10).unwrap();
    assert_eq!(std::fs::read(&precious).unwrap(), b"mine");
    assert!(lock.is_symlink());
}

/// At each request of the part that only goes forward: what is left is finished by the next run, which need not wait.
#[test]
fn a_commit_that_may_not_go_on_is_finished_by_the_next_run() {
    for n in 0.. {
        let server = Arc::new(Server::start());
        server.make_bucket("b");
        let machine = Machine::new();
        machine.run(&server, 10).unwrap();
        let committer = machine.written(&server, 20).unwrap();
        // The first n that ask once the record says that the commit only goes forward may go on.
        let stop = {
            let (asked, server) = (AtomicUsize::new(0), Arc::clone(&server));
            Stop::new(move || {
                let is_committing = server.objects("b").iter().any(|(key, text)| {
                    key.starts_with("out/_logq/commit-") && String::from_utf8_lossy(text).contains("committing")
                });
                (is_committing && asked.fetch_add(1, Ordering::Relaxed) >= n).then_some(Duration::from_secs(60))
            })
        };
        let result = committer.commit(&SuccessInfo::default(), 0, &stop);
        let names: Vec<String> = server.objects("b").into_keys().collect();
        assert!(!names.contains(&"out/_logq/lock".to_owned()), "at {n}: {names:?}");
        let has_intent = names.iter().any(|name| name.starts_with("out/_logq/commit-"));
        assert_eq!(has_intent, result.is_err(), "at {n}: {names:?}");
        let Err(error) = result else {
            assert!(n > 5, "{n}");
            return;
        };
        assert_eq!(error.code(), codes::CANCELLED);
        assert!(error.hints()[0].contains("`logq gc s3://b/out`, finishes"), "{:?}", error.hints());
        assert_eq!(machine.gc(&server).unwrap(), 1);
        let success = String::from_utf8(server.objects("b")["out/_SUCCESS"].clone()).unwrap();
        assert_eq!(success.matches("\"etag\"").count(), 2, "{success}");
        assert_eq!(seen(&server), (vec![20, 21], true), "at {n}");
        assert_eq!(server.pending_uploads("b"), [""; 0]);
    }
}

/// Uploads of files under these names, as other programs begin them.
fn begin_foreign_upload(machine: &Machine, server: &Server, key: &str) {
    let file = machine.temp_dir.path().join("foreign");
    std::fs::write(&file, "x").unwrap();
    let bucket = ObjectPath { bucket: "b".into(), key: String::new() };
    let folder = ObjectFolder::new(machine.storage(server).s3(), &bucket).unwrap();
    folder.upload(vec![(file.clone(), key.to_owned())], 0, || false).unwrap();
    std::fs::remove_file(file).unwrap();
}

/// Cut off at each request, a copy leaves an upload that is found, but for one without parts of which nobody can say whose
/// it is. The upload of somebody else to the same name stays.
#[test]
fn a_copy_that_dies_leaves_nothing_that_gc_does_not_find() {
    let mut n_unknown = 0;
    for n in 0.. {
        let server = Server::start();
        server.make_bucket("b");
        let machine = Machine::new();
        begin_foreign_upload(&machine, &server, "in/large");
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("large"), vec![7; 9_000_000]).unwrap();
        let files = Files::over(machine.storage(&server), home.path());
        let asked_before = server.requests().len();
        server.set_faults(Faults::cut_off_at(n));
        let copied = files.copy("large", "s3://b/in/large", &|| Ok(()));
        let was_hit = server.faults_seen() > 0;
        server.set_faults(Faults::none());
        let last = server.requests()[asked_before + usize::try_from(n).unwrap()..].first().cloned().unwrap_or_default();
        let place = ["s3://b/in", "s3://b/in/large"][usize::try_from(n % 2).unwrap()];
        machine.gc_of(&server, place).unwrap();
        let is_unknown = last.starts_with("PUT b/in/_logq/copy-") && copied.is_err();
        n_unknown += usize::from(is_unknown);
        assert_eq!(server.pending_uploads("b").len(), 1 + usize::from(is_unknown), "at {n}: {last}");
        assert!(server.objects("b").keys().all(|key| key == "in/large"), "at {n}: {:?}", server.objects("b").keys());
        assert_eq!(std::fs::read_dir(machine.temp_dir.path()).unwrap().count(), 0, "at {n}");
        if !was_hit {
            copied.unwrap();
            break;
        }
    }
    assert_eq!(n_unknown, 1);
}

#[test]
fn a_copy_that_lives_is_left_alone_and_records_speak_for_their_folder() {
    let server = Server::start();
    server.make_bucket("b");
    let machine = Machine::new();
    for key in ["in/large", "elsewhere/large", "large"] {
        begin_foreign_upload(&machine, &server, key);
    }
    // The server counts its uploads.
    let record = |key: &str, id: u32, year: u32| {
        format!(r#"{{"upload": {{"key": "{key}", "id": "upload-{id}"}}, "expires": "{year}-07-05T00:00:00Z"}}"#)
    };
    let name = "_logq/copy-67e55044-10b1-426f-9247-bb680e5fe0c8.json";
    let in_folder = format!("in/{name}");
    for (content, n_settled) in [
        (record("in/large", 1, 2099), 0),
        (record("elsewhere/large", 2, 2014), 0),
        ("{}".to_owned(), 0),
        (record("in/large", 1, 2014), 1),
    ] {
        server.put("b", &in_folder, content.clone());
        assert_eq!(machine.gc_of(&server, "s3://b/in").unwrap(), n_settled, "{content}");
        assert_eq!(server.objects("b").contains_key(&in_folder), n_settled == 0, "{content}");
    }
    assert_eq!(server.pending_uploads("b"), ["elsewhere/large", "large"]);
    server.put("b", name, record("large", 3, 2014));
    assert_eq!(machine.gc_of(&server, "s3://b/other").unwrap(), 0);
    assert_eq!(machine.gc_of(&server, "s3://b").unwrap(), 1);
    assert_eq!(server.pending_uploads("b"), ["elsewhere/large"]);
}
