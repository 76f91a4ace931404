//! Errors, warnings and the summary of a statement as text for standard error.
//!
//! Renders and prints nothing. The human shape of an error is rustc's and a contract: golden files pin it.
//!
//! ```text
//! error[LQ0102]: column `stauts` not found in table `access_log`
//!  --> queries/top_errors.q:3:8
//!   |
//! 3 | SELECT stauts, count(*) FROM access_log
//!   |        ^^^^^^
//! help: did you mean `status`?
//! ```

pub mod hive;
mod planned;
mod quantity;
mod snippet;
mod summary;

use std::error::Error as _;
use std::fmt::Write;

use logq_engine::error::{Error, Kind, Location, Span};
use serde_json::json;

pub use planned::{planned, planned_json, planned_total};
pub use quantity::{bytes, count, duration, plural, rate};
pub use summary::{Circumstances, summary, summary_json};

use crate::args::ErrorFormat;
use crate::exit_code;

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    color: bool,
}

impl Style {
    pub fn new(color: bool) -> Self {
        Style { color }
    }

    pub fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub fn warning(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub fn help(self, text: &str) -> String {
        self.paint("1;36", text)
    }

    /// Line numbers, arrows and labels.
    pub fn frame(self, text: &str) -> String {
        self.paint("1;34", text)
    }

    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Renders an error, newline included.
pub fn error(error: &Error, format: ErrorFormat, style: Style) -> String {
    match format {
        ErrorFormat::Human => human(error, style),
        ErrorFormat::Short => {
            let place = error.location().and_then(place).map(|place| format!("{place}: ")).unwrap_or_default();
            format!("{place}error[{}]: {}\n", error.code(), printable(error.message()).replace('\n', " "))
        }
        ErrorFormat::Json => format!("{}\n", error_json(error)),
    }
}

/// The line of a script, counted from 1, that a statement begins in.
pub fn line_of(text: &str, span: Span) -> usize {
    snippet::place(text, span).line
}

/// One line of a log: the object with the time it is said at.
pub fn log_line(mut event: serde_json::Value) -> String {
    if let Some(members) = event.as_object_mut() {
        members.insert("time".to_owned(), json!(format!("{:.3}", jiff::Timestamp::now())));
    }
    format!("{event}\n")
}

/// Renders a warning, newline included.
pub fn warning(text: &str, style: Style) -> String {
    format!("{}: {}\n", style.warning("warning"), indent_rest(text))
}

/// Text in which nothing steers a terminal: control characters but the newline are escaped. Log lines are other
/// people's text.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => printable.push('\n'),
            c if c.is_control() => printable.extend(c.escape_default()),
            c => printable.push(c),
        }
    }
    printable
}

fn human(error: &Error, style: Style) -> String {
    let title = style.error(&format!("error[{}]", error.code()));
    let mut text = format!("{title}{}\n", style.strong(&format!(": {}", indent_rest(error.message()))));
    push_location(&mut text, error.location(), style);
    let mut said = error.message().to_owned();
    let mut cause = error.source();
    while let Some(beneath) = cause {
        let message = beneath.to_string();
        // A wrapper that only repeats what it wraps says nothing.
        if message != said {
            let _ = writeln!(text, "{}: {}", style.strong("caused by"), indent_rest(&message));
            if let Some(beneath) = beneath.downcast_ref::<Error>() {
                push_location(&mut text, beneath.location(), style);
            }
            said = message;
        }
        cause = beneath.source();
    }
    for hint in error.hints() {
        let _ = writeln!(text, "{}: {}", style.help("help"), indent_rest(hint));
    }
    text
}

fn push_location(text: &mut String, location: Option<&Location>, style: Style) {
    match location {
        Some(Location::Script { span, source: Some(source) }) => {
            text.push_str(&snippet::render(&printable(&source.name), &source.text, *span, style));
        }
        Some(location @ Location::Data { .. }) => {
            if let Some(place) = place(location) {
                let _ = writeln!(text, " {} {place}", style.frame("-->"));
            }
        }
        Some(Location::Script { source: None, .. }) | None => {}
    }
}

/// A location on one line.
fn place(location: &Location) -> Option<String> {
    match location {
        Location::Script { span, source } => {
            let source = source.as_ref()?;
            let place = snippet::place(&source.text, *span);
            Some(format!("{}:{}:{}", printable(&source.name), place.line, place.column))
        }
        Location::Data { path, byte_offset, record } => {
            let offset = byte_offset.map(|offset| format!("byte offset {offset}"));
            let record = record.map(|record| format!("record {record}"));
            let detail: Vec<_> = offset.into_iter().chain(record).collect();
            Some(match detail.is_empty() {
                true => printable(path),
                false => format!("{} ({})", printable(path), detail.join(", ")),
            })
        }
    }
}

/// An error as one JSON object.
pub fn error_json(error: &Error) -> serde_json::Value {
    let location = match error.location() {
        Some(Location::Script { span, source: Some(source) }) => {
            let place = snippet::place(&source.text, *span);
            json!({
                "file": source.name,
                "line": place.line,
                "column": place.column,
                "byte_start": span.start,
                "byte_end": span.end,
            })
        }
        Some(Location::Data { path, byte_offset, record }) => {
            json!({"file": path, "byte_offset": byte_offset, "record": record})
        }
        _ => serde_json::Value::Null,
    };
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(beneath) = cause {
        causes.push(beneath.to_string());
        cause = beneath.source();
    }
    json!({
        "level": "error",
        "code": error.code().to_string(),
        "kind": kind_name(error.kind()),
        "message": error.message(),
        "location": location,
        "causes": causes,
        "hints": error.hints(),
        "exit_code": exit_code::of(error),
    })
}

/// The name of a kind in JSON: a contract, unlike the name of the variant.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Syntax => "syntax",
        Kind::Semantic => "semantic",
        Kind::Unsupported => "unsupported",
        Kind::Config => "config",
        Kind::NotFound => "not_found",
        Kind::AccessDenied => "access_denied",
        Kind::Storage => "storage",
        Kind::Data => "data",
        Kind::ResourceLimit => "resource_limit",
        Kind::TaskFailed => "task_failed",
        Kind::Commit => "commit",
        Kind::Cancelled => "cancelled",
        Kind::Internal => "internal",
    }
}

/// Text of several lines stands out from the lines around it.
fn indent_rest(text: &str) -> String {
    printable(text.trim_end()).replace('\n', "\n  ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use logq_engine::error::{Code, SourceText, codes};

    use super::*;

    /// An error at the part of `text` between `«` and `»`.
    fn marked(code: Code, message: &str, text: &str) -> Error {
        let start = text.find('«').unwrap();
        let end = text.find('»').unwrap() - '«'.len_utf8();
        let text = text.replace(['«', '»'], "");
        let source = Arc::new(SourceText { name: "queries/top_errors.q".into(), text });
        Error::new(code, message).at(Span::new(start..end)).in_source(&source)
    }

    #[track_caller]
    fn check(error_to_show: Error, expected: &str) {
        let shown = error(&error_to_show, ErrorFormat::Human, Style::new(false));
        assert_eq!(shown, expected, "\n{shown}");
    }

    #[test]
    fn an_error_in_a_script() {
        let text = "-- errors\n\nSELECT «stauts», count(*) FROM access_log\nGROUP BY stauts;\n";
        check(
            marked(codes::UNKNOWN_COLUMN, "column `stauts` not found in table `access_log`", text)
                .with_hint("did you mean `status`?"),
            "\
error[LQ0102]: column `stauts` not found in table `access_log`
 --> queries/top_errors.q:3:8
  |
3 | SELECT stauts, count(*) FROM access_log
  |        ^^^^^^
help: did you mean `status`?
",
        );
    }

    #[test]
    fn an_error_in_data_with_its_causes() {
        let io = std::io::Error::other("unexpected end of file");
        let cause = Error::new(codes::TRUNCATED_FILE, "the file ends in the middle of a gzip member")
            .in_file("logs/a.gz", Some(1024), Some(17))
            .with_source(io);
        check(
            Error::new(codes::TASK_FAILED, "task 3 of Stage-1 failed 4 times").with_source(cause),
            "\
error[LQ0700]: task 3 of Stage-1 failed 4 times
caused by: the file ends in the middle of a gzip member
 --> logs/a.gz (byte offset 1024, record 17)
caused by: unexpected end of file
",
        );
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_caret_in_place() {
        check(
            marked(codes::SYNTAX, "x", "\tSELECT '日本é', «oops» FROM t"),
            "\
error[LQ0001]: x
 --> queries/top_errors.q:1:16
  |
1 |     SELECT '日本é', oops FROM t
  |                     ^^^^
",
        );
    }

    #[test]
    fn of_many_lines_the_first_is_underlined() {
        check(
            marked(codes::UNTERMINATED, "x", "SELECT\r\n1,\r\n  «'abc\r\nFROM t\r\n»"),
            "\
error[LQ0001]: x
 --> queries/top_errors.q:3:3
  |
3 |   'abc
  |   ^^^^
"
            .replace("LQ0001", "LQ0002")
            .as_str(),
        );
    }

    #[test]
    fn the_end_of_the_text_is_shown_behind_its_last_word() {
        let text = format!("{}SELECT a FROM\n\n«»", "\n".repeat(9));
        check(
            marked(codes::SYNTAX, "expected a table, found the end of the text", &text),
            "\
error[LQ0001]: expected a table, found the end of the text
  --> queries/top_errors.q:10:14
   |
10 | SELECT a FROM
   |              ^
",
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("SELECT {}«oops», {}", "a, ".repeat(100), "b, ".repeat(100));
        let shown = error(&marked(codes::SYNTAX, "x", &text), ErrorFormat::Human, Style::new(false));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[1], " --> queries/top_errors.q:1:308");
        assert!(lines[3].starts_with("1 | ...") && lines[3].ends_with("..."), "{shown}");
        assert!(lines[3].chars().count() <= 4 + snippet::COLUMNS_MAX, "{shown}");
        let caret = lines[4].find('^').unwrap();
        assert_eq!(&lines[3][caret..caret + 6], "oops, ");
        assert_eq!(&lines[4][caret..], "^^^^");
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        check(
            Error::new(codes::STORAGE, "no \x1b[2Jfile\nor directory"),
            "error[LQ0402]: no \\u{1b}[2Jfile\n  or directory\n",
        );
    }

    #[test]
    fn a_place_outside_the_text_is_no_panic() {
        for span in [Span { start: 7, end: 3 }, Span { start: 90, end: 99 }, Span { start: 1, end: 2 }] {
            let source = Arc::new(SourceText { name: "a.q".into(), text: "éa".into() });
            let shown = Error::new(codes::SYNTAX, "x").at(span).in_source(&source);
            assert!(error(&shown, ErrorFormat::Human, Style::new(false)).contains("a.q:1:"));
        }
    }

    #[test]
    fn short_and_json() {
        let shown = marked(codes::UNKNOWN_COLUMN, "no such column", "SELECT «a»").with_hint("look");
        assert_eq!(
            error(&shown, ErrorFormat::Short, Style::new(false)),
            "queries/top_errors.q:1:8: error[LQ0102]: no such column\n"
        );
        let value: serde_json::Value =
            serde_json::from_str(&error(&shown, ErrorFormat::Json, Style::new(false))).unwrap();
        assert_eq!(value["code"], "LQ0102");
        assert_eq!(value["kind"], "semantic");
        assert_eq!(value["location"]["column"], 8);
        assert_eq!(value["exit_code"], 3);
    }

    #[test]
    fn colours_are_for_terminals() {
        let shown = marked(codes::SYNTAX, "x", "«a»");
        assert!(error(&shown, ErrorFormat::Human, Style::new(true)).starts_with("\x1b[1;31merror[LQ0001]\x1b[0m"));
        assert!(!error(&shown, ErrorFormat::Human, Style::new(false)).contains('\x1b'));
    }
}
