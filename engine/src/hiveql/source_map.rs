//! From a statement's text after substitution back to the script.

use std::ops::Range;

use sqlparser::tokenizer;

use super::lexeme::{self, Kind};
use crate::error::Span;

/// A statement's text as it is parsed, and where each part of it stands in the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMap {
    text: String,
    /// Ascending by `at`, without gaps, none empty; at least one unless the text is empty.
    segments: Vec<Segment>,
    /// Byte offsets of the starts of lines.
    lines: Vec<usize>,
    is_ascii: bool,
    /// Where the text as a whole stands in the script.
    whole: Span,
}

/// A stretch of the text that has one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Byte offset in the text.
    pub at: usize,
    /// Bytes of the script.
    pub script: Range<usize>,
    /// Copied byte by byte; otherwise the value of a variable, all of which stands for all of `script`.
    pub is_verbatim: bool,
}

impl SourceMap {
    pub(super) fn new(text: String, segments: Vec<Segment>, whole: Span) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let is_ascii = text.is_ascii();
        SourceMap { text, segments, lines, is_ascii, whole }
    }

    /// The map of a text that is its own script.
    pub(crate) fn identity(text: &str) -> Self {
        let segments = vec![Segment { at: 0, script: 0..text.len(), is_verbatim: true }];
        SourceMap::new(text.to_owned(), segments, Span::new(0..text.len()))
    }

    /// The text of the statement after substitution.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Maps a span of sqlparser's (lines and columns from 1, in characters of the text) to the script. Nothing for
    /// an empty span. A place inside a variable's value maps to the `${name}` that it stands for.
    pub fn span_of(&self, span: tokenizer::Span) -> Option<Span> {
        if span.start.line == 0 || span.end.line == 0 {
            return None;
        }
        let range = self.offset_of(span.start)..self.offset_of(span.end);
        (range.start < range.end).then(|| self.script_span(range))
    }

    /// As [`Self::span_of`], for an expression: sqlparser's span of a call ends before its bracket, which belongs to it.
    pub fn span_of_expression(&self, span: tokenizer::Span) -> Option<Span> {
        self.span_of(span)?;
        let (start, mut end) = (self.offset_of(span.start), self.offset_of(span.end));
        let mut n_open = 0_usize;
        let mut at = start;
        while let Some(lexeme) = lexeme::next(&self.text, at) {
            if at >= end && n_open == 0 && (at > end || lexeme.kind != Kind::Other('(')) {
                break;
            }
            match lexeme.kind {
                Kind::Other('(' | '[') => n_open += 1,
                Kind::Other(')' | ']') => n_open = n_open.saturating_sub(1),
                _ => {}
            }
            at = lexeme.range.end;
            if at > end && n_open == 0 {
                end = at;
            }
        }
        Some(self.script_span(start..end))
    }

    /// Maps a byte range of the text to the smallest span of the script that gave rise to it.
    pub fn script_span(&self, range: Range<usize>) -> Span {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        if self.segments.is_empty() {
            return self.whole;
        }
        let first = self.script_range(start..start.max(end.min(start + 1)));
        let last = self.script_range(end.saturating_sub(1).max(start)..end);
        Span::new(first.start.min(last.end)..last.end.max(first.start))
    }

    /// Where the text as a whole stands in the script.
    pub(super) fn whole(&self) -> Span {
        self.whole
    }

    /// The place right after the statement.
    pub(super) fn end(&self) -> Span {
        Span { start: self.whole.end, end: self.whole.end }
    }

    /// The text that a span of sqlparser's covers.
    pub(super) fn text_of(&self, span: tokenizer::Span) -> &str {
        self.text.get(self.offset_of(span.start)..self.offset_of(span.end)).unwrap_or("")
    }

    /// The segment that holds a byte of the text, and where it ends in the text.
    pub(super) fn segment_at(&self, at: usize) -> (&Segment, usize) {
        let next = self.segments.partition_point(|segment| segment.at <= at).max(1);
        let end = self.segments.get(next).map_or(self.text.len(), |segment| segment.at);
        (&self.segments[next - 1], end)
    }

    /// Script range of a range that lies in one segment.
    fn script_range(&self, range: Range<usize>) -> Range<usize> {
        let (segment, _) = self.segment_at(range.start);
        if !segment.is_verbatim {
            return segment.script.clone();
        }
        let start = segment.script.start + (range.start - segment.at);
        start..start + range.len()
    }

    /// Byte offset of a line and column; beyond the text, its end.
    pub(super) fn offset_of(&self, location: tokenizer::Location) -> usize {
        let Some(&start) = self.lines.get((location.line as usize).wrapping_sub(1)) else { return self.text.len() };
        let column = (location.column as usize).saturating_sub(1);
        if self.is_ascii {
            return (start + column).min(self.text.len());
        }
        self.text[start..].char_indices().nth(column).map_or(self.text.len(), |(at, _)| start + at)
    }
}
