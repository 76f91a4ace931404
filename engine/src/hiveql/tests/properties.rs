//! What holds for every text.

use proptest::prelude::*;

use super::constructs::rows;
use super::{Values, source};
use crate::error::{Location, Span};
use crate::hiveql::{parse, split};

/// Splits and parses, and checks every place that comes out.
fn check(text: &str, file: bool) {
    let source = source(text);
    let is_place = |span: Span| {
        span.start <= span.end && text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize)
    };
    let check_error = |error: crate::error::Error| match error.location() {
        Some(Location::Script { span, source: _ }) => assert!(is_place(*span), "{error:?}"),
        other => panic!("{other:?} of {error:?}"),
    };
    let pieces = match split(&source, file) {
        Ok(pieces) => pieces,
        Err(error) => return check_error(error),
    };
    let mut end = 0;
    for piece in &pieces {
        assert!(is_place(piece.span) && piece.span.start >= end && !piece.span.range().is_empty());
        end = piece.span.end;
        match parse(&source, piece, &Values) {
            Ok(parsed) => {
                let length = parsed.map.text().len();
                for (start, end) in [(0, length), (length / 2, length), (0, length / 2), (length, length)] {
                    if parsed.map.text().is_char_boundary(start) && parsed.map.text().is_char_boundary(end) {
                        let span = parsed.map.script_span(start..end);
                        assert!(is_place(span), "{span:?}");
                        assert!(piece.span.start <= span.start && span.end <= piece.span.end, "{span:?}");
                    }
                }
            }
            Err(error) => check_error(error),
        }
    }
    // Between the pieces there is nothing but blanks, comments and semicolons: with the pieces, the whole text.
    let mut at = 0;
    for next in pieces.iter().map(|piece| piece.span.range().start).chain(std::iter::once(text.len())) {
        let between = split(&super::source(&text[at..next]), file);
        assert!(matches!(&between, Ok(pieces) if pieces.is_empty()), "{:?}", &text[at..next]);
        at =
            pieces.iter().find(|piece| piece.span.start as usize == next).map_or(next, |piece| piece.span.end as usize);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>(), file in any::<bool>()) {
        check(&text, file);
    }

    #[test]
    fn signs_of_hiveql(text in "[-'\"`;/*(){}$a-c0-9 \\\\\n.,<>=\\[\\]:éSELECT]{0,60}", file in any::<bool>()) {
        check(&text, file);
    }

    #[test]
    fn words_of_hiveql(words in prop::collection::vec(prop::sample::select(WORDS), 0..25)) {
        check(&words.join(" "), true);
        check(&format!("SELECT {}", words.join(" ")), true);
    }

    #[test]
    fn mutated_constructs(
        row in 0_usize..411,
        cut in any::<prop::sample::Index>(),
        length in 0_usize..8,
        insert in prop::sample::select(WORDS),
        other in any::<prop::sample::Index>(),
    ) {
        let rows = rows();
        let text = &rows[row % rows.len()].text;
        let mut chars: Vec<char> = text.chars().collect();
        let at = cut.index(chars.len());
        let end = (at + length).min(chars.len());
        chars.splice(at..end, format!(" {insert} ").chars());
        check(&chars.iter().collect::<String>(), true);
        // The start of one construct, the end of another.
        let other = &rows[other.index(rows.len())].text;
        let tail: String = other.chars().skip(cut.index(other.chars().count())).collect();
        check(&(text.chars().take(at).collect::<String>() + &tail), true);
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "a",
    "t",
    "(",
    ")",
    ",",
    "1",
    "'s'",
    "JOIN",
    "ON",
    "LATERAL",
    "VIEW",
    "explode(x)",
    "AS",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "NOT",
    "AND",
    "OR",
    "IN",
    "BETWEEN",
    "LIKE",
    "INTERVAL",
    "DAY",
    "TRANSFORM",
    "USING",
    "MAP",
    "REDUCE",
    "OVER",
    "PARTITION",
    "BY",
    "ORDER",
    "INSERT",
    "INTO",
    "TABLE",
    "VALUES",
    "WITH",
    "UNION",
    "ALL",
    "GROUP",
    "CAST",
    "ARRAY",
    "<",
    ">",
    "[",
    "]",
    ".",
    "*",
    "-",
    "=",
    ";",
    "--",
    "/*",
    "*/",
    "${tbl}",
    "${x}",
    "`a b`",
    "EXTRACT",
    "FLOOR",
    "TO",
    "CREATE",
    "ALTER",
    "DESCRIBE",
    "SHOW",
    "TABLESAMPLE",
    "EXISTS",
    "DIV",
    "WINDOW",
    "NULLS",
];
