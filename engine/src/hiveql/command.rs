//! SET, RESET, ADD JAR, dfs, `!cmd`, … : lines that Hive's command line handles itself. Their arguments are free text
//! and never reach the tokenizer.

use crate::error::{Error, Result, codes};

use super::source_map::SourceMap;
use super::statement::Command;

const RESOURCES: &[&str] = &["JAR", "JARS", "FILE", "FILES", "ARCHIVE", "ARCHIVES"];

/// Whether a statement that starts so is a command.
pub(super) fn starts(text: &str) -> bool {
    if text.starts_with('!') {
        return true;
    }
    let (word, rest) = first_word(text);
    match word.to_ascii_uppercase().as_str() {
        // `set;` and `set -v` too, but not `set(…)` and the like, which are nothing anyway.
        "SET" | "RESET" | "DFS" | "SOURCE" | "QUIT" | "EXIT" | "RELOAD" => true,
        "ADD" | "LIST" | "DELETE" => is_resource(first_word(rest).0),
        _ => false,
    }
}

fn is_resource(word: &str) -> bool {
    RESOURCES.iter().any(|resource| resource.eq_ignore_ascii_case(word))
}

/// The leading letters, and what follows them without leading blanks.
fn first_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// Reads a statement as a command, if it is one.
pub(super) fn parse(map: &SourceMap) -> Result<Option<Command>> {
    let text = map.text().trim();
    if !starts(text) {
        return Ok(None);
    }
    if let Some(shell) = text.strip_prefix('!') {
        return Ok(Some(Command::Shell(shell.trim().to_owned())));
    }
    let (word, rest) = first_word(text);
    let word = word.to_ascii_uppercase();
    let command = match word.as_str() {
        "SET" => set(rest),
        "RESET" => Command::Reset { key: (!rest.is_empty()).then(|| rest.trim_start_matches("-d ").trim().to_owned()) },
        "DFS" => Command::Dfs(rest.to_owned()),
        "SOURCE" if rest.is_empty() => return Err(missing(map, "a file", "SOURCE")),
        "SOURCE" => Command::Source(rest.to_owned()),
        "RELOAD" => Command::Reload,
        "QUIT" | "EXIT" => Command::Quit,
        _ => {
            let (kind, rest) = first_word(rest);
            let kind = kind.to_ascii_uppercase().trim_end_matches('S').to_owned();
            let paths: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            match word.as_str() {
                "ADD" if paths.is_empty() => return Err(missing(map, "a path", &format!("ADD {kind}"))),
                "ADD" => Command::AddResource { kind, paths },
                "DELETE" => Command::DeleteResource { kind, paths },
                _ => Command::ListResources { kind },
            }
        }
    };
    Ok(Some(command))
}

fn set(rest: &str) -> Command {
    match rest.split_once('=') {
        Some((key, value)) => Command::Set { key: key.trim().to_owned(), value: value.trim().to_owned() },
        None if rest.is_empty() => Command::ShowSettings { all: false },
        None if rest == "-v" => Command::ShowSettings { all: true },
        None => Command::ShowSetting(rest.to_owned()),
    }
}

fn missing(map: &SourceMap, what: &str, after: &str) -> Error {
    Error::new(codes::SYNTAX, format!("expected {what} after `{after}`, found the end of the statement"))
        .at(map.script_span(0..map.text().len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Command) {
        assert_eq!(parse(&SourceMap::identity(text)).unwrap(), Some(expect), "{text}");
    }

    #[test]
    fn set_takes_free_text() {
        check("SET", Command::ShowSettings { all: false });
        check("set -v", Command::ShowSettings { all: true });
        check("SET x.y", Command::ShowSetting("x.y".into()));
        check("SET mapred.reduce.tasks = 10", Command::Set { key: "mapred.reduce.tasks".into(), value: "10".into() });
        check("SET a=-Xmx2g -XX:b=c", Command::Set { key: "a".into(), value: "-Xmx2g -XX:b=c".into() });
        check("SET hiveconf:x='abc'", Command::Set { key: "hiveconf:x".into(), value: "'abc'".into() });
        check("RESET", Command::Reset { key: None });
        check("RESET -d a.b", Command::Reset { key: Some("a.b".into()) });
    }

    #[test]
    fn resources() {
        let paths = vec!["/x/y.py".to_owned(), "/z/w.py".to_owned()];
        check("ADD FILES /x/y.py /z/w.py", Command::AddResource { kind: "FILE".into(), paths });
        check("LIST JARS", Command::ListResources { kind: "JAR".into() });
        check("delete jar x.jar", Command::DeleteResource { kind: "JAR".into(), paths: vec!["x.jar".into()] });
        assert!(parse(&SourceMap::identity("ADD JAR")).is_err());
    }

    #[test]
    fn the_rest() {
        check("!ls -l", Command::Shell("ls -l".into()));
        check("dfs -ls /", Command::Dfs("-ls /".into()));
        check("source /x/y.hql", Command::Source("/x/y.hql".into()));
        check("exit", Command::Quit);
    }

    #[test]
    fn statements_are_no_commands() {
        for text in ["DELETE FROM t", "SELECT 1", "settings", "LISTING", "ADD PARTITION"] {
            assert_eq!(parse(&SourceMap::identity(text)).unwrap(), None, "{text}");
        }
    }
}
