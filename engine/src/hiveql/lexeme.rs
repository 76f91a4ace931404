//! The coarse shape of HiveQL text: quotes, comments and the rest.
//!
//! Cutting a script into statements and cutting a statement into tokens must agree on where a string or a comment
//! ends, so both ask here.

use std::ops::Range;

/// One stretch of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whitespace,
    /// `-- …` up to the end of its line, which is not part of it.
    LineComment,
    /// `/* … */`, nested.
    BlockComment,
    /// `'…'` or `"…"`: a backslash escapes the next character.
    String,
    /// `` `…` ``: a doubled backtick is one.
    QuotedName,
    /// One character that starts none of these.
    Other(char),
}

/// A kind and its byte range; of something unterminated, up to the end of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub kind: Kind,
    pub range: Range<usize>,
    pub terminated: bool,
}

/// Finds the lexeme that starts at `start`; nothing at the end of the text.
pub(super) fn next(text: &str, start: usize) -> Option<Lexeme> {
    let rest = &text[start..];
    let first = rest.chars().next()?;
    let (kind, length) = match first {
        c if c.is_whitespace() => {
            (Kind::Whitespace, Some(rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())))
        }
        '-' if rest.starts_with("--") => (Kind::LineComment, Some(rest.find('\n').unwrap_or(rest.len()))),
        '/' if rest.starts_with("/*") => (Kind::BlockComment, block_comment(rest.as_bytes())),
        '\'' | '"' => (Kind::String, string(rest.as_bytes())),
        '`' => (Kind::QuotedName, quoted_name(rest.as_bytes())),
        c => (Kind::Other(c), Some(c.len_utf8())),
    };
    let end = start + length.unwrap_or(rest.len());
    Some(Lexeme { kind, range: start..end, terminated: length.is_some() })
}

/// Length of the string that `text` starts with, if it ends.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            byte if byte == text[0] => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Length of the back-quoted name that `text` starts with, if it ends.
fn quoted_name(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'`' if text.get(at + 1) == Some(&b'`') => at += 2,
            b'`' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Length of the comment that `text` starts with, if it ends.
fn block_comment(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (2, 1);
    while at + 1 < text.len() {
        match &text[at..at + 2] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => {
                (at, depth) = (at + 2, depth - 1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: Kind, length: usize) {
        assert_eq!(next(text, 0), Some(Lexeme { kind, range: 0..length, terminated: true }), "{text}");
    }

    #[test]
    fn quotes_and_comments_end_where_hive_ends_them() {
        check(r"'it\'s' x", Kind::String, 7);
        check(r#""a;'b" x"#, Kind::String, 6);
        check("`a``b` x", Kind::QuotedName, 6);
        check("/* a /* b */ c */ x", Kind::BlockComment, 17);
        check("-- a\nb", Kind::LineComment, 4);
        check("日本", Kind::Other('日'), 3);
    }

    #[test]
    fn what_never_ends_says_so() {
        for text in ["'abc\\'", "\"", "`a``", "/* /* */", "'\\"] {
            assert!(!next(text, 0).unwrap().terminated, "{text}");
        }
    }
}
