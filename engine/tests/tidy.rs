//! The house's invariants, held over the source text: who imports whom, and what is nowhere.
//!
//! Absence cannot be read from code, so each rule here is a table or a short list, and a failure says what to do about
//! it. The text is searched without comments, strings and items under `#[cfg(test)]`; it is not parsed, so a rule can
//! be evaded by whoever tries. A line that has to break a rule is a change of design: change the table here and the
//! reason in ARCHITECTURE.md with it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Rooms, lowest first, and the rooms that each may import: always some that stand above it here.
///
/// A room is a folder of `engine/src`, or a file at its top. `lib.rs` only lists them.
const ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("id", &[]),
    ("config", &[]),
    ("hive_type", &[]),
    ("bridge", &["error"]),
    ("java_regex", &[]),
    ("storage", &["error", "config", "bridge"]),
    ("hiveql", &["error"]),
    ("catalog", &["error", "hive_type", "storage"]),
    ("input", &["error", "config", "storage"]),
    ("serdes", &["error", "config", "hive_type", "java_regex", "input"]),
    ("shuffle", &["error", "id", "storage"]),
    ("output", &["error", "id", "storage", "serdes"]),
    ("functions", &["error", "hive_type", "java_regex"]),
    ("observer", &["error", "id", "serdes"]),
    ("table", &["error", "config", "hive_type", "storage", "catalog", "input", "serdes"]),
    (
        "plan",
        &[
            "error",
            "id",
            "config",
            "hive_type",
            "bridge",
            "storage",
            "hiveql",
            "catalog",
            "serdes",
            "functions",
            "observer",
            "table",
        ],
    ),
    (
        "exec",
        &["error", "id", "config", "bridge", "storage", "serdes", "shuffle", "output", "observer", "table", "plan"],
    ),
    ("rows", &["error", "observer", "plan", "exec"]),
    ("settings", &["error", "config", "hiveql"]),
    (
        "session",
        &[
            "error",
            "id",
            "config",
            "hive_type",
            "bridge",
            "storage",
            "hiveql",
            "catalog",
            "serdes",
            "shuffle",
            "output",
            "observer",
            "table",
            "plan",
            "exec",
            "rows",
            "settings",
        ],
    ),
];

/// Crates that are a boundary, and the places of `engine/src` where they may be named.
const CRATES: &[(&str, &[&str])] = &[
    ("datafusion", &["functions/", "table/", "plan/", "exec/", "error/foreign.rs", "session.rs"]),
    ("sqlparser", &["hiveql/", "plan/", "session.rs"]),
    (
        "arrow",
        &[
            "error/foreign.rs",
            "serdes/",
            "shuffle/",
            "output/",
            "functions/",
            "observer.rs",
            "table/",
            "plan/",
            "exec/",
            "rows.rs",
        ],
    ),
    (
        "arrow_schema",
        &[
            "hive_type.rs",
            "catalog/",
            "serdes/",
            "output/",
            "functions/",
            "observer.rs",
            "table/",
            "plan/",
            "exec/",
            "rows.rs",
        ],
    ),
    ("arrow_ipc", &["shuffle/"]),
    ("memmap2", &["shuffle/"]),
    ("object_store", &["storage/", "table/"]),
    ("rustix", &["storage/"]),
    ("flate2", &["input/"]),
    ("bzip2", &["input/"]),
    ("zstd", &["input/"]),
    ("fancy_regex", &["serdes/", "functions/"]),
    ("rayon", &["exec/", "session.rs"]),
    ("crossbeam", &["exec/", "rows.rs"]),
    ("tokio", &["bridge.rs", "storage/s3/", "plan/", "exec/", "session.rs"]),
    ("futures", &["storage/s3/", "table/", "plan/", "exec/"]),
    ("async_trait", &["storage/s3/", "table/"]),
    ("http", &["storage/s3/"]),
    ("http_body", &["storage/s3/"]),
    ("quick_xml", &["storage/s3/"]),
    ("form_urlencoded", &["storage/s3/"]),
];

/// What the command may name of the engine. Types and functions of its root need not be listed.
const FACADE: &[&str] = &[
    "config::",
    "error::",
    "id::",
    "observer::",
    "serdes::CellFormatter",
    "serdes::BadRecords",
    "serdes::report::BadExample",
];

const BODY_LINES_MAX: usize = 900;
/// Longer files, each with the reason why it is one story.
const LONG_FILES: &[(&str, &str)] = &[];

/// Names that say nothing of what is in the file.
const DRAWERS: &[&str] = &["common", "helper", "helpers", "misc", "types", "util", "utils"];

// ---- The rules ---------------------------------------------------------------------------------------------------

#[test]
fn every_file_says_what_it_is() {
    let mut found =
        Violations::new("open the file with `//!`: what it is, whose behaviour it follows, what it leaves out");
    for source in ALL.iter().filter(|source| !source.text.starts_with("//! ")) {
        found.add(source, 1, "does not open with `//!`");
    }
    found.assert_none();
}

#[test]
fn no_file_is_a_drawer() {
    let mut found = Violations::new("find the noun: what do the things in the file have in common?");
    for source in ALL.iter() {
        let path = Path::new(&source.path).with_extension("");
        for part in path.iter().filter_map(|part| part.to_str()).filter(|part| DRAWERS.contains(part)) {
            found.add(source, 1, &format!("is called `{part}`"));
        }
    }
    found.assert_none();
}

#[test]
fn a_file_is_one_story() {
    let advice =
        format!("cut it where the second story begins; over {BODY_LINES_MAX} lines needs a reason in LONG_FILES");
    let mut found = Violations::new(&advice);
    for source in ALL.iter() {
        let n_lines = source.body.lines().count() - source.n_test_lines;
        let is_allowed = LONG_FILES.iter().any(|(path, reason)| *path == source.path && !reason.is_empty());
        if n_lines > BODY_LINES_MAX && !is_allowed {
            found.add(source, 1, &format!("has {n_lines} lines without its tests"));
        }
    }
    found.assert_none();
}

#[test]
fn arrows_between_rooms_point_up() {
    let mut found = Violations::new("move what is needed to the lower room, or hand it in as an argument");
    for (idx, (room, allowed)) in ROOMS.iter().enumerate() {
        for other in *allowed {
            assert!(
                ROOMS[..idx].iter().any(|(above, _)| above == other),
                "ROOMS lets `{room}` import `{other}`, which is not above it"
            );
        }
    }
    for source in engine_sources() {
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == source.room) else {
            if source.room != "lib" {
                found.add(source, 1, &format!("`{}` is not in ROOMS", source.room));
            }
            continue;
        };
        for (line, path) in source.paths_to_root() {
            let other = path.split("::").next().unwrap_or_default();
            if other != source.room && !allowed.contains(&other) {
                found.add(source, line, &format!("`{}` imports `{path}`; it may import {allowed:?}", source.room));
            }
        }
    }
    found.assert_none();
}

/// ARCHITECTURE.md lists the rooms as `- **`a/`, `b.rs`** — …`, lowest first; rooms of one line may know each other.
#[test]
fn the_list_of_rooms_tells_the_same() {
    let text = fs::read_to_string(repository().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let titles = text.lines().filter_map(|line| line.strip_prefix("- **`")?.split_once("**"));
    let listed: Vec<Vec<&str>> = titles
        .map(|(title, _)| title.split('`').map(|name| name.trim_end_matches('/').trim_end_matches(".rs")).collect())
        .collect();
    let place = |room: &str| {
        let place = listed.iter().position(|rooms| rooms.contains(&room));
        place.unwrap_or_else(|| panic!("ARCHITECTURE.md has no line for the room `{room}`"))
    };
    let mut wrong = String::new();
    for (room, allowed) in ROOMS {
        for other in allowed.iter().filter(|other| place(other) > place(room)) {
            writeln!(wrong, "`{room}` may import `{other}`, which ARCHITECTURE.md lists below it")
                .expect("it takes all");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}What to do: put the line where ROOMS has it\n");
}

#[test]
fn crates_are_named_where_they_belong() {
    let mut found = Violations::new("let the room that owns the crate do it, behind a type of ours");
    for source in engine_sources() {
        for (name, places) in CRATES.iter().filter(|(_, places)| !source.is_in(places)) {
            for line in source.lines_with(&format!("{name}::")) {
                found.add(source, line, &format!("names `{name}`, which belongs to {places:?}"));
            }
        }
    }
    found.assert_none();
}

/// Where a processor's own instructions are called, and where views are made of text that was checked before.
const UNSAFE_FILES: [&str; 5] = [
    "input/line_feeds.rs",
    "serdes/column/text.rs",
    "serdes/delimited/separators.rs",
    "serdes/regex/byte_index.rs",
    "serdes/regex/byte_index/avx2.rs",
];

#[test]
fn unsafe_lives_in_the_shuffle_and_where_it_is_known_to_pay() {
    let mut found =
        Violations::new("do without; a map of a file of our own belongs to shuffle/, with a `SAFETY:` note");
    for source in ALL.iter() {
        for line in source.lines_with("unsafe") {
            let is_noted = source.text.lines().take(line).skip(line.saturating_sub(8)).any(|it| it.contains("SAFETY:"));
            if source.room != "shuffle" && !UNSAFE_FILES.iter().any(|file| source.place == *file) {
                found.add(source, line, "has `unsafe`");
            } else if !is_noted {
                found.add(source, line, "has `unsafe` without a `SAFETY:` note above it");
            }
        }
    }
    found.assert_none();
}

#[test]
fn the_engine_neither_prints_nor_looks_around() {
    let mut found =
        Violations::new("report through JobObserver, a warning or an error; take settings from EngineConfig");
    let words = ["print!", "println!", "eprint!", "eprintln!", "dbg!", "env::", "stdout", "stderr", "stdin"];
    for source in engine_sources() {
        for word in words {
            for line in source.lines_with(word) {
                found.add(source, line, &format!("has `{word}`"));
            }
        }
    }
    found.assert_none();
}

/// Where async code may stand.
const AWAITS: &[&str] =
    &["bridge.rs", "storage/s3/", "table/", "plan/", "exec/cancel.rs", "exec/task.rs", "exec/pipelined.rs"];

#[test]
fn nothing_waits_but_the_bridge() {
    let mut found = Violations::new("keep it a plain call; what DataFusion wants async is driven by `bridge::drive`");
    for source in engine_sources() {
        for (word, places) in [("async", AWAITS), (".await", AWAITS), ("block_on", &["bridge.rs"][..])] {
            if !source.is_in(places) {
                source.lines_with(word).into_iter().for_each(|line| found.add(source, line, &format!("has `{word}`")));
            }
        }
    }
    found.assert_none();
}

#[test]
fn files_are_touched_by_storage_and_spills_alone() {
    let mut found = Violations::new("open inputs with `storage::open`, write results through an `OutputCommitter`");
    for source in engine_sources() {
        for (word, places) in [
            ("fs::", &["storage/", "shuffle/spill.rs"][..]),
            ("File::", &["storage/", "shuffle/spill.rs"]),
            // Who can rename and remove: the committer, and the session that gives it the local one.
            ("FileSystem", &["storage/", "output/"]),
            ("LocalFileSystem", &["storage/", "output/", "session.rs"]),
        ] {
            if !source.is_in(places) {
                source.lines_with(word).into_iter().for_each(|line| found.add(source, line, &format!("has `{word}`")));
            }
        }
    }
    found.assert_none();
}

#[test]
fn plans_read_no_data() {
    let mut found = Violations::new("planning decides and exec moves: do it in a task");
    for source in engine_sources().filter(|source| source.room == "plan") {
        for word in ["rayon::", "thread::", "open_split", "ReadAt", "deserializer"] {
            source.lines_with(word).into_iter().for_each(|line| found.add(source, line, &format!("has `{word}`")));
        }
    }
    found.assert_none();
}

#[test]
fn the_command_knows_the_facade_alone() {
    let mut found =
        Violations::new("the façade lacks a verb: give it one, and name it in FACADE if it is not in the root");
    for source in command_sources() {
        for (line, path) in source.paths("logq_engine::") {
            let is_root = !path.contains("::");
            if !is_root && !FACADE.iter().any(|allowed| path.starts_with(allowed)) {
                found.add(source, line, &format!("imports `{path}`"));
            }
        }
        for name in ["datafusion::", "sqlparser::", "object_store::", "rayon::", "tokio::"] {
            source.lines_with(name).into_iter().for_each(|line| found.add(source, line, &format!("names `{name}`")));
        }
    }
    found.assert_none();
}

#[test]
fn one_file_of_the_command_reads_the_environment() {
    let mut found = Violations::new("take it from cli/src/settings.rs");
    for source in command_sources().filter(|source| !source.is_in(&["settings.rs", "settings/"])) {
        for line in source.lines_with("env::") {
            // The arguments are not the environment.
            if !source.body.lines().nth(line - 1).is_some_and(|text| text.contains("env::args_os()")) {
                found.add(source, line, "has `env::`");
            }
        }
    }
    found.assert_none();
}

// ---- Source text -------------------------------------------------------------------------------------------------

/// One `.rs` file.
struct Source {
    /// From the repository's root.
    path: String,
    /// From `src`: `input/split.rs`.
    place: String,
    /// `input`, `session`, …
    room: String,
    /// As it is.
    text: String,
    /// With comments, strings and, unless the file is all tests, items under `#[cfg(test)]` blanked; lines stay.
    body: String,
    n_test_lines: usize,
    /// Only compiled for tests.
    is_test: bool,
}

struct Violations {
    advice: String,
    lines: String,
}

impl Violations {
    fn new(advice: &str) -> Self {
        Violations { advice: advice.to_owned(), lines: String::new() }
    }

    fn add(&mut self, source: &Source, line: usize, what: &str) {
        writeln!(self.lines, "{}:{line}: {what}", source.path).expect("a string takes all");
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.lines.is_empty(), "\n{}What to do: {}\n", self.lines, self.advice);
    }
}

impl Source {
    fn new(root: &Path, below: &str, file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("source is UTF-8");
        let relative = |to: &Path| file.strip_prefix(to).expect("found below it").to_str().expect("ASCII").to_owned();
        let place = relative(&root.join(below));
        let room = place.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let is_test = place.split('/').any(|part| part.trim_end_matches(".rs").starts_with("test"));
        let code = without_comments_and_strings(&text);
        let (body, n_test_lines) = if is_test { (code, 0) } else { without_tests(&code) };
        Source { path: relative(root), place, room, text, body, n_test_lines, is_test }
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places
            .iter()
            .any(|place| if place.ends_with('/') { self.place.starts_with(place) } else { self.place == *place })
    }

    /// Numbers of the lines that have `word` as a word of its own.
    fn lines_with(&self, word: &str) -> Vec<usize> {
        let lines = self.body.lines().enumerate();
        lines.filter(|(_, line)| places_of(line, word).next().is_some()).map(|(idx, _)| idx + 1).collect()
    }

    /// What follows `prefix`, one path for each member of a group in braces.
    fn paths(&self, prefix: &str) -> Vec<(usize, String)> {
        let mut paths = Vec::new();
        for at in places_of(&self.body, prefix) {
            let line = self.body[..at].matches('\n').count() + 1;
            expand(&self.body[at + prefix.len()..], &mut |path| paths.push((line, path)));
        }
        paths
    }

    /// Paths from the crate's root, written with `crate` or with enough `super`s.
    fn paths_to_root(&self) -> Vec<(usize, String)> {
        let mut paths = self.paths("crate::");
        let module = self.place.trim_end_matches(".rs").trim_end_matches("/mod");
        let supers = "super::".repeat(module.split('/').count());
        paths.extend(self.paths(&supers));
        paths
    }
}

/// Where `word` is in `text`, and no longer word that only contains it.
fn places_of<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        let starts = !word.starts_with(is_part) || !before.is_some_and(is_part);
        let ends = !word.ends_with(is_part) || !after.is_some_and(is_part);
        // `a::crate_name::` is a module of ours.
        let is_path = word.ends_with("::") && word != "env::" && word != "fs::" && word != "thread::";
        starts && ends && !(is_path && text[..at].ends_with("::"))
    })
}

/// Gives the paths of a `use` tree: `a::{b, c::{d, e}}` is `a::b`, `a::c::d`, `a::c::e`.
fn expand(tree: &str, give: &mut dyn FnMut(String)) {
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    for c in tree.chars() {
        match c {
            '{' => prefixes.push(std::mem::take(&mut path)),
            ',' | '}' if !prefixes.is_empty() => {
                if !path.is_empty() {
                    give(prefixes.concat() + &std::mem::take(&mut path));
                }
                if c == '}' {
                    prefixes.pop();
                    if prefixes.is_empty() {
                        return;
                    }
                }
            }
            c if c.is_alphanumeric() || c == '_' || c == ':' => path.push(c),
            c if c.is_whitespace() && !prefixes.is_empty() => {}
            _ => break,
        }
    }
    if !path.is_empty() {
        give(path);
    }
}

/// Blanks comments, strings and characters.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_word_before = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let raw = rest.trim_start_matches(['b', 'c']).strip_prefix('r').map(|rest| rest.trim_start_matches('#'));
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let (false, Some(text)) = (is_word_before, raw.filter(|raw| raw.starts_with('"'))) {
            let n_hashes = rest[..rest.len() - text.len()].matches('#').count();
            let start = rest.len() - text.len() + 1;
            let end = "\"".to_owned() + &"#".repeat(n_hashes);
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if c == '"' {
            string_len(rest, '"')
        } else if c == '\'' && (rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\'')) {
            string_len(rest, '\'')
        } else {
            0
        };
        if len == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[len..];
        }
    }
    code
}

/// Bytes up to and with the end of a string in which `\` escapes.
fn string_len(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Blanks each item under `#[cfg(test)]`, to its `;` or to the end of its braces, and counts the line ends in them.
fn without_tests(code: &str) -> (String, usize) {
    const TEST: &str = "#[cfg(test)]";
    let mut body = String::with_capacity(code.len());
    let mut n_test_lines = 0;
    let mut rest = code;
    while let Some(at) = rest.find(TEST) {
        body.push_str(&rest[..at]);
        let item = &rest[at..];
        let mut depth = 0;
        let mut len = item.len();
        for (at, c) in item.char_indices().skip(TEST.len()) {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 && (c == ';' || c == '}') {
                len = at + 1;
                break;
            }
        }
        let n_line_ends = item[..len].matches('\n').count();
        body.push_str(&"\n".repeat(n_line_ends));
        n_test_lines += n_line_ends;
        rest = &item[len..];
    }
    (body + rest, n_test_lines)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

/// Every file below a folder, in order; none if there is no such folder.
fn sources(below: &str) -> Vec<Source> {
    let root = repository();
    let mut folders = vec![root.join(below)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.expect("a folder of ours can be read").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().map(|file| Source::new(&root, below, file)).collect()
}

/// All source text of ours, read once.
static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let folders = ["engine/src", "engine/tests", "engine/examples", "cli/src", "tests", "benches"];
    folders.map(sources).into_iter().flatten().collect()
});

/// The engine's files, but those that are only compiled for tests.
fn engine_sources() -> impl Iterator<Item = &'static Source> {
    assert!(ALL.iter().any(|source| source.path == "engine/src/lib.rs"), "the engine has moved");
    ALL.iter().filter(|source| source.path.starts_with("engine/src/") && !source.is_test)
}

/// The command's files.
fn command_sources() -> impl Iterator<Item = &'static Source> {
    assert!(ALL.iter().any(|source| source.path == "cli/src/main.rs"), "the command has moved");
    ALL.iter().filter(|source| source.path.starts_with("cli/src/"))
}

// ---- And these rules see what they should -------------------------------------------------------------------------

#[test]
fn comments_strings_and_tests_are_no_code() {
    let text = "let a = \"un\\\"safe\"; // unsafe\nlet b = r#\"unsafe\"#;\nlet c: &'a str = 'x';\n#[cfg(test)]\nmod tests {\n  fn f() {}\n}\nfn g() {}\n";
    let (body, n_test_lines) = without_tests(&without_comments_and_strings(text));
    assert_eq!((body.lines().count(), n_test_lines), (text.lines().count(), 3));
    assert!(!body.contains("unsafe") && !body.contains("mod tests"), "{body}");
    assert!(body.contains("let c: &'a str =    ;") && body.ends_with("fn g() {}\n"), "{body}");
    assert_eq!(without_tests("#[cfg(test)]\nmod tests;\nuse a;"), ("\n\nuse a;".to_owned(), 1));
}

#[test]
fn use_trees_are_expanded() {
    let paths = |tree: &str| {
        let mut paths = Vec::new();
        expand(tree, &mut |path| paths.push(path));
        paths.join(" ")
    };
    assert_eq!(paths("plan;"), "plan");
    assert_eq!(paths("plan::stages::cut(x)"), "plan::stages::cut");
    assert_eq!(paths("{plan, exec::{self, job::Job},\n  id};"), "plan exec::self exec::job::Job id");
    assert!(places_of("use datafusion::x", "datafusion::").next().is_some());
    assert!(places_of("use self::regex::x; my_regex::y", "regex::").next().is_none());
    assert!(places_of("fsync_all; rustfs::x", "fs::").next().is_none());
}
