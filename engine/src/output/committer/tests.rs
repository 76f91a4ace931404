//! Commits over old output and none, killed and failed at every step, and by two runs at once.

use std::fs;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;

use crate::error::Code;
use crate::storage::filesystem::LocalFileSystem;
use crate::storage::filesystem::faulty::{Exchange, Fault, FaultyFileSystem};

use super::*;

/// One number a line.
struct Lines;

impl Serializer for Lines {
    fn serialize(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        for value in batch.column(0).as_primitive::<Int64Type>().values() {
            out.extend_from_slice(format!("{value}\n").as_bytes());
        }
        Ok(())
    }
}

fn numbers(values: impl IntoIterator<Item = i64>) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    assert!(column.null_count() == 0);
    RecordBatch::try_from_iter([("n", column)]).unwrap()
}

fn write(committer: &OutputCommitter, task: u32, attempt: u32, value: i64) -> Result<PendingFile> {
    let mut writer = committer.start(TaskId(task), AttemptId(attempt), Box::new(Lines))?;
    writer.write(&numbers([value]))?;
    writer.finish()
}

/// A job of two tasks, the first of which has two attempts; tasks end in the wrong order.
fn run(fs: Arc<dyn FileSystem>, dest: &Path, value: i64, durable: bool) -> Result<Vec<CommittedFile>> {
    let committer = OutputCommitter::begin(fs, dest, &JobId::new(), durable)?;
    for (task, attempt, value) in [(7, 0, value + 1), (3, 1, value), (3, 0, value + 100)] {
        let file = write(&committer, task, attempt, value)?;
        committer.commit_task(file)?;
    }
    committer.commit(&SuccessInfo::default())
}

/// When `run` does this, if its destination does not exist.
fn operation_number(operation: &str) -> usize {
    let root = tempfile::tempdir().unwrap();
    let fs = FaultyFileSystem::healthy(Exchange::Supported);
    run(Arc::new(fs.clone()), &root.path().join("out"), 0, false).unwrap();
    fs.log().iter().position(|line| line == operation).unwrap()
}

/// Every file below a directory with its text, sorted; `None` if there is no directory.
fn content(directory: &Path) -> Option<Vec<(String, String)>> {
    fn walk(root: &Path, directory: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                out.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    directory.is_dir().then(|| walk(directory, directory, &mut out))?;
    out.sort();
    Some(out)
}

/// Whether a directory is whole and holds what `run` writes.
fn holds(directory: &Path, value: i64) -> bool {
    let Some(files) = content(directory) else { return false };
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    names == ["000000_0", "000001_0", SUCCESS_FILE]
        && files[0].1 == format!("{value}\n")
        && files[1].1 == format!("{}\n", value + 1)
        && serde_json::from_str::<serde_json::Value>(&files[2].1).is_ok_and(|json| json["rows"] == 2)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn make_old(dest: &Path) {
    fs::create_dir_all(dest.join("day=1/deep")).unwrap();
    fs::write(dest.join("000000_0"), "old\n").unwrap();
    fs::write(dest.join("day=1/deep/x"), "older\n").unwrap();
}

fn local() -> Arc<dyn FileSystem> {
    Arc::new(LocalFileSystem)
}

#[track_caller]
fn check_code<T: std::fmt::Debug>(result: Result<T>, code: Code) -> Error {
    let error = result.expect_err("an error");
    assert_eq!(error.code(), code, "{error:?}");
    error
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Before {
    /// Not even the directory above.
    Nothing,
    Old,
}

/// Fails one operation after the other and looks at what is left each time.
fn sweep(fault: Fault, exchange: Exchange, before: Before) {
    for n in 0.. {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("parent");
        let dest = parent.join("out");
        if before == Before::Old {
            make_old(&dest);
        }
        let old = content(&dest);
        let is_old = || content(&dest) == old;
        let faulty = FaultyFileSystem::new(n, fault, exchange);
        let result = run(Arc::new(faulty.clone()), &dest, 10, true);
        let case = format!("{fault:?} {exchange:?} {before:?} at {n}: {:?}", faulty.log().get(n));
        if result.is_ok() {
            assert!(holds(&dest, 10), "committed: {case}");
        } else if content(&dest).is_none() && before == Before::Old {
            // Only between two renames, and only for the dead: the next run's start puts it right.
            assert!(exchange == Exchange::Unsupported && fault == Fault::Death, "old data is gone: {case}");
            OutputCommitter::begin(local(), &dest, &JobId::new(), false).unwrap().abort();
            assert!(holds(&dest, 10), "not finished: {case}");
        } else {
            assert!(is_old() || holds(&dest, 10), "a mix: {case}: {:?}", content(&dest));
        }
        let swap = if exchange == Exchange::Supported && before == Before::Old { "exchange" } else { "rename" };
        let is_swapped = faulty.log().iter().take(n).any(|line| *line == format!("{swap} result out"));
        if result.is_err() && matches!(fault, Fault::Once(_)) {
            assert!(is_swapped || is_old(), "an error before the swap changed the output: {case}");
        }

        run(Arc::new(FaultyFileSystem::healthy(exchange)), &dest, 20, false).expect(&case);
        assert!(holds(&dest, 20), "next run: {case}");
        assert_eq!(names(&parent), ["out"], "leftovers: {case}");
        if !faulty.was_hit() {
            assert!(result.is_ok());
            return;
        }
    }
}

#[test]
fn old_or_new_after_any_error() {
    for before in [Before::Nothing, Before::Old] {
        sweep(Fault::Once(ErrorKind::Other), Exchange::Supported, before);
        sweep(Fault::Once(ErrorKind::Other), Exchange::Unsupported, before);
    }
}

#[test]
fn old_or_new_after_any_death() {
    for before in [Before::Nothing, Before::Old] {
        sweep(Fault::Death, Exchange::Supported, before);
        sweep(Fault::Death, Exchange::Unsupported, before);
    }
}

/// Dead without a word: nothing is dropped, as after `kill -9`.
#[test]
fn next_run_takes_over_from_a_leaked_one() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    let n = operation_number("write 000007_0");
    let faulty = FaultyFileSystem::new(n, Fault::Death, Exchange::Supported);
    let committer = OutputCommitter::begin(Arc::new(faulty.clone()), &dest, &JobId::new(), false).unwrap();
    let mut writer = committer.start(TaskId(7), AttemptId(0), Box::new(Lines)).unwrap();
    while writer.write(&numbers(0..100_000)).is_ok() {}
    assert!(faulty.was_hit());
    std::mem::forget((committer, writer));
    assert_eq!(names(root.path()).len(), 2);
    run(local(), &dest, 20, false).unwrap();
    assert!(holds(&dest, 20));
    assert_eq!(names(root.path()), ["out"]);
}

#[test]
fn synced_before_visible() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    make_old(&dest);
    let fs = FaultyFileSystem::healthy(Exchange::Supported);
    run(Arc::new(fs.clone()), &dest, 10, true).unwrap();
    let log = fs.log();
    let at = |line: &str| log.iter().position(|l| l == line).unwrap_or_else(|| panic!("no {line} in {log:#?}"));
    let swap = at("exchange result out");
    for line in ["sync 000003_1", "sync 000007_0", "sync _SUCCESS", "sync_dir result"] {
        assert!(at(line) < swap, "{line} comes after the swap: {log:#?}");
    }
    let parent = format!("sync_dir {}", root.path().file_name().unwrap().to_string_lossy());
    assert!(swap < at(&parent) && at(&parent) < at("remove_file x"), "{log:#?}");

    let fs = FaultyFileSystem::healthy(Exchange::Supported);
    run(Arc::new(fs.clone()), &dest, 10, false).unwrap();
    assert!(!fs.log().iter().any(|line| line.starts_with("sync")));
}

#[test]
fn one_of_two_runs_wins() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    let first = OutputCommitter::begin(local(), &dest, &JobId::new(), false).unwrap();
    let error = check_code(OutputCommitter::begin(local(), &dest, &JobId::new(), false), codes::OUTPUT_LOCKED);
    assert!(error.message().contains("another run is writing"), "{error}");
    assert!(error.message().contains(&format!("process {}", std::process::id())), "{error}");
    let file = write(&first, 0, 0, 1).unwrap();
    first.commit_task(file).unwrap();
    first.commit(&SuccessInfo::default()).unwrap();
    assert_eq!(names(root.path()), ["out"]);
}

#[test]
fn of_sixteen_racers_each_wins_alone() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    let (n_won, n_locked) = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..16)
            .map(|value| {
                let dest = &dest;
                scope.spawn(move || run(local(), dest, value * 10, false))
            })
            .collect();
        racers.into_iter().fold((0, 0), |(won, locked), racer| match racer.join().unwrap() {
            Ok(_) => (won + 1, locked),
            Err(e) => {
                assert_eq!(e.code(), codes::OUTPUT_LOCKED, "{e:?}");
                (won, locked + 1)
            }
        })
    });
    assert!(n_won >= 1 && n_won + n_locked == 16);
    assert!((0..16).any(|value| holds(&dest, value * 10)));
    assert_eq!(names(root.path()), ["out"]);
}

#[test]
fn files_are_named_and_counted_in_task_order() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("a/b/out");
    let files = run(local(), &dest, 10, true).unwrap();
    assert_eq!(files[0], CommittedFile { name: "000000_0".into(), rows: 1, bytes: 3, etag: None });
    assert_eq!(files[1].name, "000001_0");
    assert!(holds(&dest, 10));
}

#[test]
fn one_attempt_of_a_task_is_chosen() {
    let root = tempfile::tempdir().unwrap();
    let committer = OutputCommitter::begin(local(), &root.path().join("out"), &JobId::new(), false).unwrap();
    let (first, second) = (write(&committer, 0, 0, 1).unwrap(), write(&committer, 0, 1, 2).unwrap());
    let second_path = second.path.clone();
    assert!(committer.commit_task(first).unwrap());
    assert!(!committer.commit_task(second).unwrap());
    assert!(!second_path.exists());
}

#[test]
fn dropped_writers_and_committers_leave_nothing() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    make_old(&dest);
    let old = content(&dest);
    let committer = OutputCommitter::begin(local(), &dest, &JobId::new(), false).unwrap();
    let writer = committer.start(TaskId(0), AttemptId(0), Box::new(Lines)).unwrap();
    drop(writer);
    assert!(names(&committer.attempts()).is_empty());
    committer.abort();
    assert_eq!(content(&dest), old);
    assert_eq!(names(root.path()), ["out"]);
}

#[test]
fn no_files_still_replace() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    make_old(&dest);
    let committer = OutputCommitter::begin(local(), &dest, &JobId::new(), false).unwrap();
    assert!(committer.commit(&SuccessInfo::default()).unwrap().is_empty());
    assert_eq!(names(&dest), [SUCCESS_FILE]);
}

#[test]
fn a_file_is_not_replaced() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    fs::write(&dest, "mine").unwrap();
    check_code(OutputCommitter::begin(local(), &dest, &JobId::new(), false), codes::COMMIT);
    check_code(OutputCommitter::begin(local(), Path::new("/"), &JobId::new(), false), codes::COMMIT);
    assert_eq!(names(root.path()), ["out"]);
    assert_eq!(fs::read_to_string(dest).unwrap(), "mine");
}

#[cfg(target_os = "linux")]
#[test]
fn a_mount_point_is_refused_at_the_start() {
    let error = check_code(OutputCommitter::begin(local(), Path::new("/proc"), &JobId::new(), false), codes::COMMIT);
    assert!(error.message().contains("mount point"), "{error}");
}

#[test]
fn tasks_may_write_from_any_thread() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<OutputCommitter>();
    sent::<RecordWriter>();
    sent::<PendingFile>();
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_its_directory_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let real = root.path().join("elsewhere/real");
    make_old(&real);
    let link = root.path().join("out");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let mut with_slash = link.clone().into_os_string();
    with_slash.push("/");
    run(local(), Path::new(&with_slash), 10, false).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(holds(&real, 10));
    assert_eq!(names(real.parent().unwrap()), ["real"]);

    let nowhere = root.path().join("nowhere");
    std::os::unix::fs::symlink(root.path().join("missing"), &nowhere).unwrap();
    check_code(run(local(), &nowhere, 10, false), codes::COMMIT);
}

#[cfg(unix)]
#[test]
fn rights_of_the_old_directory_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    make_old(&dest);
    fs::set_permissions(&dest, fs::Permissions::from_mode(0o2770)).unwrap();
    run(local(), &dest, 10, false).unwrap();
    assert_eq!(fs::metadata(&dest).unwrap().permissions().mode() & 0o7777, 0o2770);
}

#[test]
fn foreign_neighbours_are_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    for name in [".out._logq_tmp-notes", ".other._logq_tmp-9b2f6f5e-7a40-4c0e-9b0e-1d1b7c1d2a11", "_logq_tmp-x"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    run(local(), &dest, 10, false).unwrap();
    assert_eq!(names(root.path()).len(), 4);
}

#[test]
fn old_data_outlives_a_stranger_in_its_place() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("out");
    let work = root.path().join(format!(".out._logq_tmp-{}", JobId::new()));
    make_old(&work.join("old"));
    fs::create_dir(work.join("result")).unwrap();
    fs::create_dir(&dest).unwrap();
    check_code(run(local(), &dest, 10, false), codes::COMMIT);
    assert!(work.join("old/000000_0").exists());
}

#[test]
fn full_disk_and_missing_rights_say_so() {
    for (kind, code) in
        [(ErrorKind::StorageFull, codes::DISK_LIMIT), (ErrorKind::PermissionDenied, codes::ACCESS_DENIED)]
    {
        let root = tempfile::tempdir().unwrap();
        let dest = root.path().join("out");
        let n = operation_number("write 000007_0");
        let faulty = FaultyFileSystem::new(n, Fault::Once(kind), Exchange::Supported);
        let error = check_code(run(Arc::new(faulty), &dest, 20, false), code);
        assert!(error.message().contains("000007_0"), "{error}");
        assert!(names(root.path()).is_empty());
    }
}
