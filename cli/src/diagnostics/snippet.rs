//! A line of a script with carets beneath what is meant.
//!
//! The shape is rustc's. Columns are counted in characters; carets are placed by display width, so tabs and wide
//! characters keep them aligned. Written by hand: annotate-snippets puts a `|` line before the help, and does not let
//! a script's last, empty line stand for its end.

use std::fmt::Write;
use std::ops::Range;

use logq_engine::error::Span;

use super::Style;

/// Columns of a source line that are shown; the rest is cut. Fixed, so that the same error is always the same text.
pub const COLUMNS_MAX: usize = 140;

/// Columns that a tab takes, as in rustc.
const TAB: &str = "    ";

/// What stands for the part of a line that is cut.
const CUT: &str = "...";

/// Line and column of a span's start, counted from 1; the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Finds line and column of `span` in `text`.
pub fn place(text: &str, span: Span) -> Place {
    let span = clamp(text, span);
    let line_start = line_start(text, span.start);
    Place {
        line: text[..line_start].matches('\n').count() + 1,
        column: text[line_start..span.start].chars().count() + 1,
    }
}

/// Renders the place, the line it is on, and carets: ` --> name:3:8` and the lines beneath, newline included.
pub fn render(name: &str, text: &str, span: Span, style: Style) -> String {
    let Place { line: line_number, column } = place(text, span);
    let span = clamp(text, span);
    let line_start = line_start(text, span.start);
    let line = text[line_start..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
    let marked = span.start - line_start..(span.end - line_start).min(line.len());
    let (line, carets) = underline(line, marked);

    let number = line_number.to_string();
    let blank = " ".repeat(number.len());
    let arrow = style.frame(&format!("{blank}-->"));
    let mut shown = format!("{arrow} {name}:{line_number}:{column}\n");
    let _ = writeln!(shown, "{}", style.frame(&format!("{blank} |")));
    let _ = writeln!(shown, "{} {line}", style.frame(&format!("{number} |")));
    let indent = &carets[..carets.find('^').unwrap_or(0)];
    let carets = style.error(&carets[indent.len()..]);
    let _ = writeln!(shown, "{} {indent}{carets}", style.frame(&format!("{blank} |")));
    shown
}

/// The span inside the text, on whole characters. The end of the text is moved behind its last word.
fn clamp(text: &str, span: Span) -> Range<usize> {
    let Range { start, end } = span.range();
    let mut start = text.floor_char_boundary(start);
    let end = text.floor_char_boundary(end);
    if text[start..].trim().is_empty() {
        start = start.min(text.trim_end().len());
    }
    start..end.max(start)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// One character as it is shown.
struct Cell {
    text: String,
    columns: Range<usize>,
}

/// The line as it is shown, and the line of carets beneath it.
fn underline(line: &str, marked: Range<usize>) -> (String, String) {
    let mut cells = Vec::new();
    let mut n_columns = 0;
    let mut carets = None;
    for (at, c) in line.char_indices() {
        let (text, width) = show(c);
        if marked.contains(&at) {
            let start = carets.map_or(n_columns, |range: (usize, usize)| range.0);
            carets = Some((start, n_columns + width));
        } else if at >= marked.start && carets.is_none() {
            carets = Some((n_columns, n_columns + width));
        }
        cells.push(Cell { text, columns: n_columns..n_columns + width });
        n_columns += width;
    }
    let (start, end) = carets.unwrap_or((n_columns, n_columns + 1));
    let end = end.max(start + 1);

    let cut_left = if end + CUT.len() <= COLUMNS_MAX { 0 } else { start.saturating_sub(COLUMNS_MAX / 3) };
    let columns_left = COLUMNS_MAX - if cut_left > 0 { CUT.len() } else { 0 };
    let columns_left = if n_columns - cut_left > columns_left { columns_left - CUT.len() } else { columns_left };
    let visible = cut_left..cut_left + columns_left;

    let mut shown = String::new();
    let mut first_column = None;
    let mut n_shown = 0;
    for cell in cells.iter().filter(|cell| visible.start <= cell.columns.start && cell.columns.end <= visible.end) {
        first_column.get_or_insert(cell.columns.start);
        shown.push_str(&cell.text);
        n_shown = cell.columns.end;
    }
    let first_column = first_column.unwrap_or(0);
    let mut indent = start.saturating_sub(first_column);
    if cut_left > 0 {
        shown.insert_str(0, CUT);
        indent += CUT.len();
    }
    if n_shown < n_columns {
        shown.push_str(CUT);
    }
    let n_carets = (end.min(visible.end).max(start + 1)) - start;
    (shown, format!("{}{}", " ".repeat(indent), "^".repeat(n_carets)))
}

/// How a character is shown, and how many columns that takes.
fn show(c: char) -> (String, usize) {
    match c {
        '\t' => (TAB.to_owned(), TAB.len()),
        c if c.is_control() => ('\u{fffd}'.to_string(), 1),
        c => (c.to_string(), width(c)),
    }
}

/// Columns that a terminal gives a character that is no control character.
///
/// Source: Unicode's East Asian Width, blocks instead of single characters; enough to keep carets aligned.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x0483..=0x0489 | 0x0591..=0x05bd | 0x064b..=0x065f | 0x200b..=0x200f => 0,
        0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f | 0xe0100..=0xe01ef | 0xfeff => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0x33ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff => 2,
        0xa000..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff => 2,
        0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, marked: Range<usize>, expected: (&str, &str)) {
        let (shown, carets) = underline(line, marked);
        assert_eq!((shown.as_str(), carets.as_str()), expected);
    }

    #[test]
    fn carets() {
        check("abc", 1..2, ("abc", " ^"));
        check("abc", 3..3, ("abc", "   ^"));
        check("abc", 1..1, ("abc", " ^"));
        check("", 0..0, ("", "^"));
        check("\ta\x1bb", 1..4, ("    a\u{fffd}b", "    ^^^"));
        check("e\u{301}日x", 3..6, ("e\u{301}日x", " ^^"));
    }

    #[test]
    fn whatever_is_marked_the_first_caret_stands_under_it() {
        let line: String = (0..600).map(|i| if i % 7 == 0 { '日' } else { 'a' }).collect();
        for (at, c) in line.char_indices() {
            let (shown, carets) = underline(&line, at..at + c.len_utf8());
            let column = carets.find('^').unwrap();
            let mut n_columns = 0;
            let under = shown.chars().find(|c| {
                n_columns += width(*c);
                n_columns > column
            });
            assert_eq!(under, Some(c), "at {at}");
        }
    }
}
