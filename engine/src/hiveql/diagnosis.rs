//! sqlparser's complaints → errors that point at a word and say it in our words.
//!
//! A `ParserError` is a text that ends in a line and a column. The place becomes the span of the whole token there;
//! the text is kept where it says what was expected, and rewritten where it does not help.

use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::{Error, codes};

use super::source_map::SourceMap;
use super::tokens::{is_one_of, keywords};

/// Words that a statement can start with.
const STARTS: &[&str] = &[
    "SELECT", "FROM", "WITH", "INSERT", "CREATE", "DROP", "ALTER", "TRUNCATE", "USE", "SHOW", "DESCRIBE", "DESC",
    "EXPLAIN", "LOAD", "EXPORT", "IMPORT", "MSCK", "ANALYZE", "DELETE", "UPDATE", "MERGE", "VALUES", "TABLE", "SET",
    "RESET", "ADD", "LIST", "SOURCE", "QUIT", "EXIT", "RELOAD", "MAP", "REDUCE",
];

/// Words that continue a query after a table, a column or an alias.
const CLAUSES: &[&str] = &[
    "FROM",
    "WHERE",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "UNION",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "LATERAL",
    "DISTRIBUTE",
    "CLUSTER",
    "SORT",
    "BETWEEN",
    "WINDOW",
    "LIKE",
    "OUTER",
    "VALUES",
    "SELECT",
];

/// The keyword of a list that a word probably was meant to be.
pub(super) fn similar<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_uppercase();
    if candidates.contains(&word.as_str()) {
        return None;
    }
    let allowed = if word.len() < 5 { 1 } else { 2 };
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), *candidate))
        .filter(|(distance, candidate)| (1..=allowed).contains(distance) && candidate.len() > *distance + 1)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The error of a statement whose first word is unknown.
pub(super) fn unknown_start(map: &SourceMap, token: &TokenWithSpan) -> Error {
    let text = map.text_of(token.span);
    let span = map.span_of(token.span).unwrap_or(map.whole());
    let error = Error::new(codes::SYNTAX, format!("`{text}` does not start a statement")).at(span);
    match similar(text, STARTS) {
        Some(start) => error.with_hint(format!("did you mean `{start}`?")),
        None => error,
    }
}

/// The error that says what was expected where `tokens[index]` stands.
pub(super) fn expected(map: &SourceMap, tokens: &[TokenWithSpan], index: usize, what: &str) -> Error {
    if let Some(error) = misspelt(map, tokens, index) {
        return error;
    }
    let error = |found: &str| Error::new(codes::SYNTAX, format!("expected {what}, found {found}"));
    match tokens.get(index).and_then(|token| Some((token, map.span_of(token.span)?))) {
        Some((token, span)) => {
            let error = error(&found(map, token)).at(span);
            let candidates: Vec<&str> = what.split('`').skip(1).step_by(2).collect();
            match similar(map.text_of(token.span), &candidates) {
                Some(word) => error.with_hint(format!("did you mean `{word}`?")),
                None => error,
            }
        }
        None => error("the end of the statement").at(map.end()),
    }
}

fn found(map: &SourceMap, token: &TokenWithSpan) -> String {
    let text = map.text_of(token.span);
    match &token.token {
        Token::SingleQuotedString(_) if text.chars().count() > 40 || text.contains('\n') => "a string".to_owned(),
        _ => format!("`{text}`"),
    }
}

/// `SELECT a FORM t`: the parser took `FORM` for an alias and stumbles over `t`.
fn misspelt(map: &SourceMap, tokens: &[TokenWithSpan], index: usize) -> Option<Error> {
    let looks_like = |index: usize| {
        let token = tokens.get(index)?;
        let Token::Word(word) = &token.token else { return None };
        let is_plain = word.quote_style.is_none() && keywords::is_name(word.keyword);
        let keyword = similar(&word.value, CLAUSES).filter(|_| is_plain)?;
        let text = map.text_of(token.span);
        let error = Error::new(codes::SYNTAX, format!("expected `{keyword}`, found `{text}`"));
        Some(error.at(map.span_of(token.span)?).with_hint(format!("did you mean `{keyword}`?")))
    };
    // A column's own name is no misspelling: the word before must not stand after a comma or a dot.
    let before = index.checked_sub(1)?;
    let is_alias = before.checked_sub(1).is_some_and(|index| {
        matches!(&tokens[index].token, Token::Word(word) if keywords::is_name(word.keyword))
            || matches!(tokens[index].token, Token::RParen | Token::RBracket | Token::Mul | Token::Number(..))
            || matches!(tokens[index].token, Token::SingleQuotedString(_))
    });
    if is_alias && is_one_of(tokens.get(before), &["group", "order", "sort", "cluster", "distribute", "partition"]) {
        let found = tokens.get(index).map_or("the end of the statement".to_owned(), |token| found(map, token));
        let span = tokens.get(index).and_then(|token| map.span_of(token.span)).unwrap_or(map.end());
        return Some(Error::new(codes::SYNTAX, format!("expected `BY`, found {found}")).at(span));
    }
    is_alias.then(|| looks_like(before)).flatten().or_else(|| looks_like(index))
}

/// Turns sqlparser's error into ours. `index` is where the parser stood.
pub(super) fn from_parser(map: &SourceMap, tokens: &[TokenWithSpan], index: usize, error: ParserError) -> Error {
    let text = match error {
        ParserError::RecursionLimitExceeded => {
            let span = tokens.get(index).and_then(|token| map.span_of(token.span)).unwrap_or(map.end());
            return Error::new(codes::NESTING_DEPTH, "this statement is nested too deeply to be read").at(span);
        }
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
    };
    let (message, place) = cut_place(&text);
    let index = match place {
        Some(place) => tokens.iter().position(|token| token.span.start == place).unwrap_or(index),
        None if message.ends_with("found: EOF") => tokens.len(),
        None => index,
    };
    if let Some((what, _)) = message.strip_prefix("Expected: ").and_then(|rest| rest.split_once(", found: ")) {
        return expected(map, tokens, index, &in_our_words(what));
    }
    if message.starts_with("No infix parser") {
        return expected(map, tokens, index, "the end of the statement");
    }
    let message = message.trim_start_matches("sql parser error: ").trim_end_matches(['.', ' ']);
    let mut letters = message.chars();
    let message = match letters.next() {
        Some(first) if !message.starts_with("ALL") => first.to_lowercase().chain(letters).collect(),
        _ => message.to_owned(),
    };
    let span = tokens.get(index).and_then(|token| map.span_of(token.span)).unwrap_or(map.end());
    Error::new(codes::SYNTAX, message).at(span)
}

/// sqlparser's name of what it expected, with keywords in quotes.
fn in_our_words(what: &str) -> String {
    match what {
        "end of statement" => "the end of the statement".to_owned(),
        "identifier" | "an identifier after AS" => "a name".to_owned(),
        "an expression" | "an expression:" => "an expression".to_owned(),
        "joined table" => "a join".to_owned(),
        "SELECT, VALUES, or a subquery in the query body" => "`SELECT`, `VALUES` or a subquery".to_owned(),
        _ if what.chars().all(|c| c.is_ascii_uppercase() || c == '_') => format!("`{what}`"),
        _ if what.chars().all(|c| c.is_ascii_punctuation()) => format!("`{what}`"),
        _ => what.to_owned(),
    }
}

/// Cuts ` at Line: 1, Column: 2` off.
fn cut_place(text: &str) -> (&str, Option<Location>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return (text, None) };
    let location = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Some(Location { line: line.parse().ok()?, column: column.parse().ok()? }));
    match location {
        Some(location) => (message, Some(location)),
        None => (text, None),
    }
}
