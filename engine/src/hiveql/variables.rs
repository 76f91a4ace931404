//! `${…}` → what it stands for, as Hive does it: on the whole text of a statement, before anything is parsed.
//!
//! Follows `SystemVariables.substitute`: the pattern is `\$\{[^\}\$ ]+\}`, an unknown name stays as written, and the
//! result is substituted again until nothing changes. Quotes and comments are no shelter.

use std::ops::Range;

use crate::error::{Error, Result, SourceText, codes};

use super::script::Piece;
use super::source_map::{Segment, SourceMap};

/// Hive's limit.
const ROUNDS_MAX: usize = 40;

/// A guess: no script is this long, and a variable that doubles itself in each round is.
const BYTES_MAX: usize = 64 << 20;

/// What `${…}` names stand for.
pub trait Variables {
    /// The value of `${hivevar:name}` and `${name}`.
    fn hivevar(&self, name: &str) -> Option<String>;
    /// The value of `${hiveconf:name}`.
    fn hiveconf(&self, name: &str) -> Option<String>;
    /// The value of `${env:name}`.
    fn env(&self, name: &str) -> Option<String>;
    /// The value of `${system:name}`.
    fn system(&self, name: &str) -> Option<String>;
    /// Whether to substitute at all: `hive.variable.substitute`.
    fn substitute(&self) -> bool;
}

/// Makes the text of a statement, and the map back.
///
/// Errors: [`codes::SUBSTITUTION_DEPTH`] after 40 rounds.
pub(super) fn substitute(source: &SourceText, piece: &Piece, variables: &dyn Variables) -> Result<SourceMap> {
    let mut text = String::new();
    let mut segments = Vec::new();
    let mut start = piece.span.start as usize;
    let dropped = piece.dropped.iter().map(|span| span.range());
    let end = piece.span.end as usize;
    for hole in dropped.chain(std::iter::once(end..end)) {
        if start < hole.start {
            segments.push(Segment { at: text.len(), script: start..hole.start, is_verbatim: true });
            text.push_str(&source.text[start..hole.start]);
        }
        start = hole.end;
    }
    let mut map = SourceMap::new(text, segments, piece.span);
    if !variables.substitute() {
        return Ok(map);
    }
    for _ in 0..=ROUNDS_MAX {
        match substitute_once(&map, source, variables)? {
            Some(next) => map = next,
            None => return Ok(map),
        }
    }
    Err(Error::new(codes::SUBSTITUTION_DEPTH, format!("variable substitution did not end after {ROUNDS_MAX} rounds"))
        .at(piece.span)
        .with_hint("a variable's value refers to the variable itself"))
}

/// One round; nothing if no known variable is left.
fn substitute_once(map: &SourceMap, source: &SourceText, variables: &dyn Variables) -> Result<Option<SourceMap>> {
    let old = map.text();
    let mut text = String::with_capacity(old.len());
    let mut segments = Vec::new();
    let mut copied = 0;
    for range in references(old) {
        let Some(value) = value_of(&old[range.start + 2..range.end - 1], variables) else { continue };
        copy(map, source, copied..range.start, &mut text, &mut segments);
        if !value.is_empty() {
            segments.push(Segment {
                at: text.len(),
                script: map.script_span(range.clone()).range(),
                is_verbatim: false,
            });
            text.push_str(&value);
        }
        copied = range.end;
        if text.len() > BYTES_MAX {
            return Err(Error::new(codes::SUBSTITUTION_DEPTH, "variable substitution makes the statement too long")
                .at(map.script_span(range))
                .with_hint("a variable's value refers to the variable itself"));
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    copy(map, source, copied..old.len(), &mut text, &mut segments);
    Ok(Some(SourceMap::new(text, segments, map.whole())))
}

/// The places of `${…}`, from left to right.
fn references(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(found) = text[at..].find("${") {
            let start = at + found;
            let name = start + 2;
            let end = name + text[name..].find(['}', '$', ' ']).unwrap_or(text.len() - name);
            if end > name && text[end..].starts_with('}') {
                at = end + 1;
                return Some(start..at);
            }
            at = name;
        }
        None
    })
}

fn value_of(name: &str, variables: &dyn Variables) -> Option<String> {
    match name.split_once(':') {
        Some(("system", name)) => variables.system(name),
        Some(("env", name)) => variables.env(name),
        Some(("hiveconf", name)) => variables.hiveconf(name),
        Some(("hivevar", name)) => variables.hivevar(name),
        _ => variables.hivevar(name),
    }
}

/// Appends a range of the old text, with the origins of its parts.
fn copy(map: &SourceMap, source: &SourceText, range: Range<usize>, text: &mut String, segments: &mut Vec<Segment>) {
    let mut at = range.start;
    while at < range.end {
        let (segment, segment_end) = map.segment_at(at);
        let end = segment_end.min(range.end);
        let script = if segment.is_verbatim {
            let start = segment.script.start + (at - segment.at);
            debug_assert_eq!(source.text[start..start + (end - at)], map.text()[at..end]);
            start..start + (end - at)
        } else {
            segment.script.clone()
        };
        segments.push(Segment { at: text.len(), script, is_verbatim: segment.is_verbatim });
        text.push_str(&map.text()[at..end]);
        at = end;
    }
}

/// The span of an unknown variable's name, for a hint.
pub(super) fn unknown_at(text: &str, at: usize) -> Option<&str> {
    let range = references(&text[at..]).next().filter(|range| range.start == 0)?;
    Some(&text[at..][range])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Span;

    /// `a=1 b=${a}` …; hiveconf, env and system answer with their own names.
    pub(crate) struct Fixed(pub &'static [(&'static str, &'static str)], pub bool);

    impl Variables for Fixed {
        fn hivevar(&self, name: &str) -> Option<String> {
            self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        }
        fn hiveconf(&self, name: &str) -> Option<String> {
            Some(format!("conf-{name}"))
        }
        fn env(&self, name: &str) -> Option<String> {
            Some(format!("env-{name}"))
        }
        fn system(&self, name: &str) -> Option<String> {
            Some(format!("system-{name}"))
        }
        fn substitute(&self) -> bool {
            self.1
        }
    }

    const VALUES: &[(&str, &str)] = &[("a", "1"), ("b", "<${a}>"), ("n", "b"), ("empty", ""), ("loop", "${loop}")];

    fn map(text: &str) -> Result<SourceMap> {
        let source = SourceText { name: "x".into(), text: text.into() };
        let piece = Piece { span: Span::new(0..text.len()), dropped: vec![] };
        substitute(&source, &piece, &Fixed(VALUES, true))
    }

    fn check(text: &str, expect: &str) {
        assert_eq!(map(text).unwrap().text(), expect, "{text}");
    }

    #[test]
    fn names_and_prefixes() {
        check("x ${a} ${hivevar:a} ${hiveconf:k} ${env:H} ${system:s}", "x 1 1 conf-k env-H system-s");
        check("'${a}' -- ${a}", "'1' -- 1");
        check("${A} ${nope} ${nope:a} ${} ${a b} $a ${", "${A} ${nope} ${nope:a} ${} ${a b} $a ${");
    }

    #[test]
    fn values_are_substituted_again() {
        check("${b}", "<1>");
        check("${${n}}", "<1>");
        check("a${empty}b", "ab");
    }

    #[test]
    fn a_variable_of_itself_is_an_error() {
        assert_eq!(map("${loop}").unwrap_err().code(), codes::SUBSTITUTION_DEPTH);
    }

    #[test]
    fn places_in_values_map_to_the_reference() {
        let map = map("xy ${b} z${empty}q").unwrap();
        assert_eq!(map.text(), "xy <1> zq");
        for (range, script) in [(0..2, 0..2), (3..6, 3..7), (4..5, 3..7), (7..8, 8..9), (8..9, 17..18), (0..9, 0..18)] {
            assert_eq!(map.script_span(range.clone()).range(), script, "{range:?}");
        }
    }

    #[test]
    fn substitution_can_be_off() {
        let text = "${a}";
        let source = SourceText { name: "x".into(), text: text.into() };
        let piece = Piece { span: Span::new(0..text.len()), dropped: vec![] };
        assert_eq!(substitute(&source, &piece, &Fixed(VALUES, false)).unwrap().text(), text);
    }
}
