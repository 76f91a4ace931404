//! Script text → the places of its statements.
//!
//! Follows Hive's `CliDriver`, and is more careful than it: a `;` inside quotes, back-quotes or comments never ends a
//! statement. Substitution comes later, when a statement is run.

use crate::error::{Error, Result, SourceText, Span, codes};

use super::command;
use super::lexeme::{self, Kind};

/// One statement of a script, as text: where it stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// From the first to the last sign of the statement, without the `;` and without comments around it.
    pub span: Span,
    /// Parts of the span that are not part of the statement, ascending: column-0 comment lines of a file, and the
    /// backslash of `\;`.
    pub(super) dropped: Vec<Span>,
}

/// Cuts a script into statements.
///
/// `file`: Hive drops each line of a file that starts with `--` before it does anything else, also inside a string
/// of several lines. The text of `-e` is not treated so.
///
/// Errors: [`codes::UNTERMINATED`] at the opening quote.
pub fn split(source: &SourceText, file: bool) -> Result<Vec<Piece>> {
    let comment_lines = if file { column_zero_comments(&source.text) } else { Vec::new() };
    let mut kept = String::with_capacity(source.text.len());
    let mut places = Vec::with_capacity(comment_lines.len() + 1);
    let mut start = 0;
    for end in comment_lines.iter().map(|span| span.start as usize).chain([source.text.len()]) {
        places.push((kept.len(), start));
        kept.push_str(&source.text[start..end]);
        start = comment_lines.get(places.len() - 1).map_or(end, |span| span.end as usize);
    }
    let to_script = |at: usize| {
        let (kept_at, script_at) = places[places.partition_point(|(kept_at, _)| *kept_at <= at) - 1];
        script_at + (at - kept_at)
    };
    let pieces = split_kept(&kept).map_err(|(open, what)| {
        let at = to_script(open);
        Error::new(codes::UNTERMINATED, format!("{what} is never closed"))
            .at(Span::new(at..at + 1 + usize::from(what == "this comment")))
    })?;
    Ok(pieces
        .into_iter()
        .map(|(range, backslashes)| {
            // The end is mapped through the last byte, so that a dropped line after it stays outside.
            let span = Span::new(to_script(range.start)..to_script(range.end - 1) + 1);
            let backslashes = backslashes.into_iter().map(|at| Span::new(to_script(at)..to_script(at) + 1));
            let inside = comment_lines.iter().filter(|line| span.start <= line.start && line.end <= span.end).copied();
            let mut dropped: Vec<Span> = backslashes.chain(inside).collect();
            dropped.sort_by_key(|span| span.start);
            Piece { span, dropped }
        })
        .collect())
}

/// The lines that start with `--`, each with its line end.
fn column_zero_comments(text: &str) -> Vec<Span> {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("--") {
            lines.push(Span::new(at..at + line.len()));
        }
        at += line.len();
    }
    lines
}

/// A statement's range and the backslashes to drop from it.
type KeptPiece = (std::ops::Range<usize>, Vec<usize>);

/// Cuts text without column-0 comments; the error is the place of what is never closed, and what it is.
fn split_kept(text: &str) -> Result<Vec<KeptPiece>, (usize, &'static str)> {
    let mut pieces = Vec::new();
    // First and last byte of the current statement, once it has any.
    let mut current: Option<KeptPiece> = None;
    let mut is_command = false;
    let mut at = 0;
    while let Some(lexeme) = lexeme::next(text, at) {
        let mut end = lexeme.range.end;
        match lexeme.kind {
            Kind::Whitespace => {}
            Kind::LineComment | Kind::BlockComment if !(is_command && current.is_some()) => {
                if !lexeme.terminated {
                    return Err((at, "this comment"));
                }
            }
            Kind::Other(';') => {
                pieces.extend(current.take());
                is_command = false;
            }
            kind => {
                if current.is_none() {
                    is_command = command::starts(&text[at..]);
                }
                let (range, backslashes) = current.get_or_insert((at..at, Vec::new()));
                if kind == Kind::Other('\\') && text[end..].starts_with(';') {
                    backslashes.push(at);
                    end += 1;
                } else if is_command {
                    // Free text: quotes keep a `;` from ending it, but an apostrophe may stand alone.
                    let quoted = matches!(kind, Kind::String) && lexeme.terminated && !text[at..end].contains('\n');
                    end = if quoted { end } else { at + text[at..].chars().next().map_or(1, char::len_utf8) };
                } else if !lexeme.terminated {
                    return Err((at, if kind == Kind::String { "this string" } else { "this quoted name" }));
                }
                range.end = end;
            }
        }
        at = end;
    }
    pieces.extend(current);
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, file: bool) -> Result<Vec<String>> {
        let source = SourceText { name: "x.q".into(), text: text.into() };
        Ok(split(&source, file)?
            .into_iter()
            .map(|piece| {
                let mut kept = String::new();
                let mut at = piece.span.start;
                for dropped in piece.dropped {
                    kept.push_str(&text[at as usize..dropped.start as usize]);
                    at = dropped.end;
                }
                kept + &text[at as usize..piece.span.end as usize]
            })
            .collect())
    }

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(pieces(text, true).unwrap(), expect, "{text}");
    }

    #[test]
    fn semicolons_end_statements() {
        check("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
        check(" ;; SELECT 1 ;\n", &["SELECT 1"]);
        check("", &[]);
    }

    #[test]
    fn semicolons_in_quotes_and_comments_do_not() {
        check("SELECT 'a;b', \"c;'d\", `e;f`;x", &["SELECT 'a;b', \"c;'d\", `e;f`", "x"]);
        check("SELECT 1 -- it's; odd\n, 2; x", &["SELECT 1 -- it's; odd\n, 2", "x"]);
        check("SELECT /* ; ' */ 1; x", &["SELECT /* ; ' */ 1", "x"]);
        check(r#"("a" = "x\;y\"z;")"#, &[r#"("a" = "x\;y\"z;")"#]);
    }

    #[test]
    fn comments_around_a_statement_are_left_out() {
        check("-- a\n  -- b\nSELECT 1 -- c\n; /* d */", &["SELECT 1"]);
        check("-- only a comment", &[]);
    }

    #[test]
    fn column_zero_comment_lines_vanish_from_files() {
        check("SELECT 'a\n-- it's gone\nb';", &["SELECT 'a\nb'"]);
        assert_eq!(pieces("SELECT 'a\n-- b'", false).unwrap(), ["SELECT 'a\n-- b'"]);
        check("SELECT 1,\r\n-- c;\r\n2", &["SELECT 1,\r\n2"]);
    }

    #[test]
    fn commands_are_free_text() {
        check("SET a=b--c; SET d=it's; x", &["SET a=b--c", "SET d=it's", "x"]);
        check("ADD JAR s3://b/*.jar; SET a='x;y'", &["ADD JAR s3://b/*.jar", "SET a='x;y'"]);
        check(r"!echo a\;b; SELECT 1", &["!echo a;b", "SELECT 1"]);
        check("set --x\n;y", &["set --x", "y"]);
    }

    #[test]
    fn unterminated_quotes_point_at_the_opening_one() {
        for (text, at) in [("SELECT 'abc", 7..8), ("-- x\nSELECT `a", 12..13), ("SELECT 1 /* x", 9..11)] {
            let error = pieces(text, true).unwrap_err();
            assert_eq!(error.code(), codes::UNTERMINATED);
            let Some(crate::error::Location::Script { span, .. }) = error.location() else { panic!("no place") };
            assert_eq!(span.range(), at, "{text}");
        }
    }
}
