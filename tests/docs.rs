//! Runs the commands of docs/emr.md, so that what it promises is so, and finds the tests that docs/reliability.md names.
//!
//! A comment above a fenced block says what becomes of it: `file: NAME` writes it, `run` runs it in bash, `line: PREFIX`
//! runs the rest of the line that begins so, `command: /pointer` runs the list of a JSON document, `python` compiles it.
//! Blocks stand in one folder and run in the order of the page, with a local folder for `s3://my-bucket`.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use libtest_mimic::Trial;

use crate::sandbox::{Sandbox, run, run_with_stdin};
use crate::{repository, trial};

/// `known` are the other tests.
pub fn trials(known: Vec<String>) -> Vec<Trial> {
    vec![trial("docs/emr", emr), trial("docs/reliability", move || reliability(&known))]
}

/// Each row of the catalogue has tests, and each of them exists, or the row says why not.
fn reliability(known: &[String]) {
    let page = fs::read_to_string(repository().join("docs/reliability.md")).unwrap();
    let mut n_tests = 0;
    let mut number = 0;
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [row, _, what, tests] = cells[..] else { continue };
        let Ok(row) = row.parse::<usize>() else { continue };
        number += 1;
        assert_eq!(row, number);
        let names: Vec<&str> =
            tests.split_whitespace().map(|name| name.trim_matches('`')).filter(|name| *name != "|").collect();
        assert!(!names.is_empty() || what.starts_with("nothing: "), "row {row} has no test and no reason");
        for name in names {
            assert!(exists(name, known), "docs/reliability.md, row {row}: there is no test `{name}`");
            n_tests += 1;
        }
    }
    assert!(number == 33 && n_tests > 60, "{number} rows, {n_tests} tests");
}

fn exists(name: &str, known: &[String]) -> bool {
    if let Some((module, function)) = name.rsplit_once("::") {
        // `input::tests::x` is in input/tests.rs, input/tests/… or at the end of input.rs.
        let function = format!("fn {function}(");
        let module = module.trim_end_matches("::tests").replace("::", "/");
        let source = repository().join("engine/src");
        return [format!("{module}.rs"), format!("{module}/tests.rs"), format!("{module}/mod.rs")]
            .iter()
            .any(|file| fs::read_to_string(source.join(file)).is_ok_and(|text| text.contains(&function)));
    }
    // What a tool is missing for is not among the known.
    let area = name.split('/').next().unwrap_or_default();
    let is_left_out = ["kill", "disk", "seaweedfs", "proxy", "schedule", "restart"].contains(&area)
        && !known.iter().any(|known| known.split('/').next() == Some(area));
    is_left_out || known.iter().any(|known| known == name || known.starts_with(&format!("{name}/")))
}

fn emr() {
    let sandbox = Sandbox::new();
    let place = |name: &str| sandbox.path(name).display().to_string();
    sandbox.copy(&repository().join("sample-data"), "bucket/in");
    fs::copy(repository().join("queries/os_requests.sql"), sandbox.path("bucket/os_requests.q")).unwrap();
    for name in ["bin", "etc"] {
        fs::create_dir(sandbox.path(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_logq"), sandbox.path("bin/logq")).unwrap();
    let here = [
        ("s3://my-bucket", place("bucket")),
        ("/usr/local/bin/", format!("{}/", place("bin"))),
        ("/etc/logq/", format!("{}/", place("etc"))),
    ];
    let page = fs::read_to_string(repository().join("docs/emr.md")).unwrap();
    let mut n_blocks = 0;
    for (directive, text) in blocks(&page) {
        let text = here.iter().fold(text, |text, (there, here)| text.replace(there, here));
        let (verb, argument) = directive.split_once(": ").unwrap_or((&directive, ""));
        let output = sandbox.path("bucket/out/os_requests/000000_0");
        let _ = fs::remove_file(&output);
        match verb {
            "file" => {
                sandbox.write(argument, &text);
                if argument == "steps.json" {
                    sandbox.write("etc/steps.json", &text);
                    sandbox.write("bucket/steps.json", &text);
                }
            }
            "run" => drop(run(bash(&sandbox).args(["-euo", "pipefail", "-c", &text])).assert_code(0)),
            "line" => {
                let line = text.lines().find_map(|line| line.strip_prefix(argument.trim_end()));
                run(bash(&sandbox).args(["-c", line.unwrap()])).assert_code(0);
                assert!(output.is_file(), "{line:?}");
            }
            "command" => {
                let document: serde_json::Value = serde_json::from_str(&text).unwrap();
                let words = document.pointer(argument).and_then(|words| words.as_array()).unwrap();
                let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
                run(bash(&sandbox).args(["-c", "\"$@\"", "bash"]).args(words)).assert_code(0);
                assert!(output.is_file(), "{text}");
            }
            "python" => {
                let mut python = sandbox.command("python3");
                python.args(["-c", "import ast, sys; ast.parse(sys.stdin.read())"]);
                run_with_stdin(&mut python, &text).assert_code(0);
            }
            other => panic!("docs/emr.md: nobody knows `{other}`"),
        }
        n_blocks += 1;
    }
    assert!(n_blocks >= 10, "found {n_blocks} blocks only");
}

/// What comments say, and the fenced block beneath each.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(directive) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) else { continue };
        assert!(lines.next().is_some_and(|line| line.starts_with("```")), "no block beneath `{line}`");
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push((directive.to_owned(), text.join("\n") + "\n"));
    }
    blocks
}

/// bash that finds `logq`.
fn bash(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command("bash");
    let path = command.get_envs().find_map(|(name, value)| (name == "PATH").then_some(value?.to_owned()));
    let path = path.unwrap_or_default().into_string().unwrap();
    command.env("PATH", format!("{}:{path}", sandbox.path("bin").display()));
    command
}
