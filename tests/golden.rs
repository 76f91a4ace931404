//! Golden scripts: `golden/<area>/<name>.q` beside `<name>.q.out`, each run in every mode with the same answer.
//!
//! An answer holds standard output, standard error, the exit code if it is not 0, and every file under `out/`. Text that
//! differs from run to run is rewritten: `$WORK` is the case's directory, `$TIME` a duration, `$RUN` a run's id, `$HASH` its query's.
//! Control characters but TAB and LF, and bytes that are not UTF-8, are shown as `\xNN`.
//!
//! `queries/*.sql` run the same way over `sample-data/`, their answers in `golden/queries/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::case::Case;
use crate::repository;
use crate::sandbox::{Finished, Sandbox, run};

/// Ways to run the same script, each a set of settings. `default` comes first: it writes the answers.
pub const MODES: &[(&str, &[&str])] = &[
    ("default", &[]),
    ("one_thread", &["logq.threads=1"]),
    ("threads_8", &["logq.threads=8"]),
    ("tiny_splits", &["logq.split.bytes=64", "logq.block.bytes=64", "logq.batch.rows=3"]),
    ("spill", &["logq.shuffle.memory=0"]),
    ("pipelined", &["logq.execution=pipelined"]),
];

/// One script and where its answer is.
#[derive(Clone)]
struct Script {
    /// `area/name`
    name: String,
    path: PathBuf,
    answer: PathBuf,
    /// Runs over `sample-data/` with the repository's `logq.toml`.
    is_query: bool,
}

/// A test for each script and mode, and one that finds answers without a script.
pub fn trials() -> Vec<Trial> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so, not whoever runs logq")]
    let update = std::env::var_os("LOGQ_UPDATE").is_some();
    let scripts: Vec<Script> = golden_scripts().into_iter().chain(query_scripts()).collect();
    let mut trials = Vec::new();
    for script in &scripts {
        for (mode, settings) in MODES {
            let is_default = *mode == "default";
            let restricted = is_restricted(script, mode);
            if restricted || (update && !is_default) {
                continue;
            }
            let script = script.clone();
            trials.push(Trial::test(format!("golden/{}/{mode}", script.name), move || {
                check(&script, mode, settings, update)
            }));
        }
    }
    let answers: BTreeSet<PathBuf> = scripts.into_iter().map(|script| script.answer).collect();
    trials.push(Trial::test("golden/every_answer_has_a_script", move || {
        let orphans: Vec<_> = files_in(&golden()).into_iter().filter(|path| is_answer(path)).collect();
        match orphans.iter().find(|path| !answers.contains(*path)) {
            None => Ok(()),
            Some(orphan) => Err(format!("{} has no script", orphan.display()).into()),
        }
    }));
    trials
}

fn is_restricted(script: &Script, mode: &str) -> bool {
    let text = fs::read_to_string(&script.path).unwrap_or_default();
    // A case that cannot be read fails in every mode.
    Case::parse(&text).is_ok_and(|case| !case.modes.is_empty() && !case.modes.iter().any(|name| name == mode))
}

fn golden() -> PathBuf {
    repository().join("tests/golden")
}

fn is_answer(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(".out"))
}

/// Files under a directory, ascending.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(directory) else { return files };
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_in(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn golden_scripts() -> Vec<Script> {
    let scripts = files_in(&golden()).into_iter().filter(|path| path.extension().is_some_and(|name| name == "q"));
    scripts
        .map(|path| Script {
            name: path.strip_prefix(golden()).unwrap().with_extension("").to_str().unwrap().to_owned(),
            answer: path.with_extension("q.out"),
            path,
            is_query: false,
        })
        .collect()
}

fn query_scripts() -> Vec<Script> {
    if !repository().join("sample-data").is_dir() {
        eprintln!("skipped: there is no sample-data/ to run queries/ over");
        return Vec::new();
    }
    let scripts = files_in(&repository().join("queries")).into_iter();
    let scripts = scripts.filter(|path| path.extension().is_some_and(|name| name == "sql" || name == "q"));
    scripts
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let answer = golden().join(format!("queries/{name}.q.out"));
            Script { name: format!("queries/{name}"), path, answer, is_query: true }
        })
        .collect()
}

fn check(script: &Script, mode: &str, settings: &[&str], update: bool) -> Result<(), Failed> {
    let text = fs::read_to_string(&script.path)?;
    let case = Case::parse(&text)?;
    if let Some(unknown) = case.modes.iter().find(|mode| MODES.iter().all(|(name, _)| name != mode)) {
        return Err(format!("there is no mode `{unknown}`").into());
    }
    let sandbox = Sandbox::new();
    let script_name = prepare(script, &case, &sandbox);
    let mut command = sandbox.logq();
    command.args(["run", &script_name]).args(&case.args).envs(case.env.iter().map(|(name, value)| (name, value)));
    for setting in settings {
        command.args(["--hiveconf", setting]);
    }
    if script.is_query {
        command.args(["-d", "OUTPUT=out"]);
    }
    if script.is_query && mode == "tiny_splits" {
        // Megabytes in pieces of 64 bytes would be a test of patience, and a window over batches of 3 rows has none.
        for setting in ["logq.split.bytes=4096", "logq.block.bytes=4096", "logq.batch.rows=1000"] {
            command.args(["--hiveconf", setting]);
        }
    }
    let actual = answer(&run(&mut command), &case, &sandbox, mode);
    sandbox.assert_no_scratch();
    if update {
        fs::create_dir_all(script.answer.parent().unwrap())?;
        return Ok(fs::write(&script.answer, actual)?);
    }
    let expected = fs::read_to_string(&script.answer)
        .map_err(|_| format!("no {}: run with LOGQ_UPDATE=1 and read it", script.answer.display()))?;
    if actual == expected {
        return Ok(());
    }
    Err(format!("{} differs (- expected, + actual)\n{}", script.answer.display(), diff(&expected, &actual)).into())
}

/// Fills the sandbox and returns the script's name in it.
fn prepare(script: &Script, case: &Case, sandbox: &Sandbox) -> String {
    let file_name = script.path.file_name().unwrap().to_str().unwrap();
    if script.is_query {
        let link = |name: &str| std::os::unix::fs::symlink(repository().join(name), sandbox.path(name)).unwrap();
        link("queries");
        link("sample-data");
        fs::copy(repository().join("logq.toml"), sandbox.path("logq.toml")).unwrap();
        return format!("queries/{file_name}");
    }
    sandbox.copy(&repository().join("tests/data"), "data");
    case.prepare(sandbox);
    fs::copy(&script.path, sandbox.path(file_name)).unwrap();
    file_name.to_owned()
}

/// The text of an answer.
fn answer(finished: &Finished, case: &Case, sandbox: &Sandbox, mode: &str) -> String {
    let mut answer = String::new();
    let mut stdout = visible(&finished.stdout);
    if case.sort {
        let mut lines: Vec<_> = stdout.lines().collect();
        lines.sort_unstable();
        stdout = lines.iter().map(|line| format!("{line}\n")).collect();
    }
    section(&mut answer, "stdout", &rewrite(&stdout, sandbox, mode));
    section(&mut answer, "stderr", &rewrite(&visible(&finished.stderr), sandbox, mode));
    match finished.status.code() {
        Some(0) => {}
        Some(code) => answer.push_str(&format!("== exit {code}\n")),
        None => answer.push_str(&format!("== {}\n", finished.status)),
    }
    if sandbox.has("out") {
        for name in sandbox.tree("out") {
            if name.ends_with('/') {
                answer.push_str(&format!("== {name}\n"));
                continue;
            }
            let content = visible(&fs::read(sandbox.path(&name)).unwrap());
            let content = match name.ends_with("/_SUCCESS") {
                true => on_one_line(&content),
                false => content,
            };
            match content.is_empty() {
                true => answer.push_str(&format!("== {name}\n")),
                false => section(&mut answer, &name, &content),
            }
        }
    }
    answer
}

/// A title and a text; nothing where there is no text.
fn section(answer: &mut String, title: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    answer.push_str(&format!("== {title}\n{text}"));
    if !text.ends_with('\n') {
        answer.push_str("\n(no line end)\n");
    }
}

fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' | '\t' => text.push(c),
                c if c.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => text.push(c),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// `_SUCCESS` without its line breaks, the id of its run and the hash of its query, which may hold a path.
fn on_one_line(json: &str) -> String {
    let mut line = json.lines().map(str::trim).collect::<Vec<_>>().join(" ") + "\n";
    for (key, name) in [("\"run_id\": \"", "$RUN"), ("\"query_hash\": \"", "$HASH")] {
        if let Some(found) = line.find(key) {
            let start = found + key.len();
            let end = start + line[start..].find('"').unwrap();
            line.replace_range(start..end, name);
        }
    }
    line
}

/// Replaces what differs from run to run.
fn rewrite(text: &str, sandbox: &Sandbox, mode: &str) -> String {
    let text = text.replace(sandbox.root().to_str().unwrap(), "$WORK");
    let mut rewritten = String::new();
    for line in text.split_inclusive('\n') {
        // Only said where something is spilled, which is what this mode is for.
        if mode == "spill" && line.starts_with("spilled ") {
            continue;
        }
        match line.split_once("time: ") {
            _ if line.starts_with("took    ") => rewritten.push_str("took    $TIME\n"),
            Some((before, rest)) if rest.ends_with(" s\n") => rewritten.push_str(&format!("{before}time: $TIME\n")),
            _ => rewritten.push_str(line),
        }
    }
    rewritten
}

/// All lines, the common ones at both ends left out but for three.
fn diff(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let n_before = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[n_before..], &new[n_before..]);
    let n_after = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let mut text = String::new();
    let mut push = |sign: char, lines: &[&str]| {
        for line in lines {
            text.push_str(&format!("{sign} {line}\n"));
        }
    };
    push(' ', &old[n_before.saturating_sub(3)..n_before]);
    push('-', &old_rest[..old_rest.len() - n_after]);
    push('+', &new_rest[..new_rest.len() - n_after]);
    push(' ', &old_rest[old_rest.len() - n_after..][..n_after.min(3)]);
    text
}
