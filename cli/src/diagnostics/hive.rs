//! What Hive's command says on standard error, for the programs that look for it.
//!
//! Source: Hive's `CliDriver` (`Time taken`, `Fetched`) and `Driver` (`OK`, `FAILED`, `Launching Job`). Hive's numbers of
//! errors (`[Error 10001]`) are left out: `error[LQ…]` beside these lines has logq's.

use std::time::Duration;

use logq_engine::error::{Error, Kind, Location};

use super::{printable, snippet};

/// A statement was planned and began to run: what stands before `OK`.
pub fn launched(job: &str) -> String {
    format!("Query ID = logq_{job}\nTotal jobs = 1\nLaunching Job 1 out of 1\n")
}

/// `Time taken: 5.747 seconds, Fetched: 6 row(s)`
pub fn time_taken(elapsed: Duration, n_rows: u64) -> String {
    // Java prints 5.0 as Rust's Debug does.
    let seconds = elapsed.as_millis() as f64 / 1000.0;
    match n_rows {
        0 => format!("Time taken: {seconds:?} seconds\n"),
        n_rows => format!("Time taken: {seconds:?} seconds, Fetched: {n_rows} row(s)\n"),
    }
}

/// `FAILED: SemanticException line 3:8 column not found`
pub fn failed(error: &Error) -> String {
    let class = match error.kind() {
        Kind::Syntax => "ParseException",
        Kind::Semantic | Kind::Unsupported | Kind::Config | Kind::NotFound => "SemanticException",
        _ => "Execution Error, return code 2 from logq.",
    };
    let place = match error.location() {
        Some(Location::Script { span, source: Some(source) }) => {
            let place = snippet::place(&source.text, *span);
            format!("line {}:{} ", place.line, place.column)
        }
        _ => String::new(),
    };
    format!("FAILED: {class} {place}{}\n", printable(error.message()).replace('\n', " "))
}

/// Whether Hive's command line carries a statement out itself, and so says no `OK`.
pub fn is_client_command(statement: &str) -> bool {
    const WORDS: &[&str] =
        &["set", "reset", "add", "delete", "list", "reload", "dfs", "source", "quit", "exit", "compile"];
    let mut lines = statement.lines().map(str::trim).skip_while(|line| line.is_empty() || line.starts_with("--"));
    let line = lines.next().unwrap_or_default();
    let word = line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    line.starts_with('!') || WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use logq_engine::error::{SourceText, Span, codes};

    use super::*;

    #[test]
    fn times_look_as_in_java() {
        assert_eq!(time_taken(Duration::from_millis(5747), 6), "Time taken: 5.747 seconds, Fetched: 6 row(s)\n");
        assert_eq!(time_taken(Duration::from_secs(5), 0), "Time taken: 5.0 seconds\n");
        assert_eq!(time_taken(Duration::from_millis(50), 0), "Time taken: 0.05 seconds\n");
    }

    #[test]
    fn failures_have_hives_classes() {
        let source = Arc::new(SourceText { name: "a.q".into(), text: "SELECT\n  x".into() });
        let error = Error::new(codes::UNKNOWN_COLUMN, "no column `x`").at(Span::new(9..10)).in_source(&source);
        assert_eq!(failed(&error), "FAILED: SemanticException line 2:3 no column `x`\n");
        let error = Error::new(codes::MEMORY_LIMIT, "too much");
        assert_eq!(failed(&error), "FAILED: Execution Error, return code 2 from logq. too much\n");
    }

    #[test]
    fn commands_and_statements() {
        for text in ["SET a=b", "\n-- why\nset;", "!ls", "source x.q", "ADD JAR s3://b/x.jar"] {
            assert!(is_client_command(text), "{text}");
        }
        for text in ["SELECT 1", "settle", "ADDRESS", ""] {
            assert!(!is_client_command(text), "{text}");
        }
    }
}
