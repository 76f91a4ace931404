//! `FROM (SELECT …)` → `FROM LATERAL (SELECT …)`, and `TABLE t` → `SELECT * FROM t`.
//!
//! After LATERAL sqlparser knows that a subquery follows. Without it, it tries a subquery, forgets what was wrong
//! with that, and tries a join in parentheses: the error would point at the wrong place, and the time would double
//! with each level. Hive has no LATERAL subqueries, so the mark cannot be mistaken; `finish` takes it off again.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{closing, is, is_one_of, is_word, token_at, word_at};

/// Words that end the list of tables.
const AFTER_FROM: &[&str] = &[
    "select",
    "where",
    "group",
    "having",
    "order",
    "sort",
    "cluster",
    "distribute",
    "window",
    "limit",
    "union",
    "intersect",
    "except",
    "insert",
];

/// Words that a query starts with.
const QUERY: &[&str] = &["select", "with", "from", "values"];

/// Words that go on with a query after a part of it in brackets.
const AFTER_QUERY: &[&str] =
    &["union", "intersect", "except", "minus", "order", "sort", "cluster", "distribute", "limit"];

/// Marks each subquery that stands for a table.
pub(super) fn mark_subqueries(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut marked: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() + 8);
    // For each bracket: whether we are in its FROM, and whether it is that of EXTRACT, which has a FROM of its own.
    let mut levels = vec![(false, false)];
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| tokens.get(index));
        match &token.token {
            Token::LParen => {
                // A level that is in its FROM from the start is the bracket around a join.
                let is_table = levels.last().is_some_and(|level| level.0)
                    && (is_one_of(previous, &["from", "join"])
                        || is(previous, &Token::Comma)
                        || is(previous, &Token::LParen));
                let is_query = is_table && opens_query(&tokens, index);
                if is_query {
                    marked.push(word_at("lateral", token.span));
                }
                levels.push((is_table && !is_query, is_word(previous, "extract")));
            }
            Token::RParen if levels.len() > 1 => {
                levels.pop();
            }
            Token::Word(_) if !is(previous, &Token::Period) => {
                if let Some((in_from, is_extract)) = levels.last_mut() {
                    let is_from = is_word(Some(token), "from") && !*is_extract && !is_word(previous, "distinct");
                    if is_from || is_word(Some(token), "join") {
                        *in_from = true;
                    } else if is_one_of(Some(token), AFTER_FROM) {
                        *in_from = false;
                    }
                }
            }
            _ => {}
        }
        marked.push(token.clone());
    }
    marked
}

/// Whether the bracket at `open` holds a query, and not a join whose first table is in brackets.
fn opens_query(tokens: &[TokenWithSpan], open: usize) -> bool {
    let mut first = open + 1;
    while is(tokens.get(first), &Token::LParen) {
        first += 1;
    }
    if first == open + 1 || !is_one_of(tokens.get(first), QUERY) {
        return is_one_of(tokens.get(open + 1), QUERY);
    }
    let after = closing(tokens, open + 1).and_then(|close| tokens.get(close + 1));
    is(after, &Token::RParen) || is_one_of(after, AFTER_QUERY)
}

/// `TABLE t` as a statement, also after EXPLAIN.
pub(super) fn table_statement(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let first = usize::from(is_word(tokens.first(), "explain"));
    if is_word(tokens.get(first), "table") {
        let span = tokens[first].span;
        let select = [word_at("select", span), token_at(Token::Mul, span), word_at("from", span)];
        tokens.splice(first..=first, select);
    }
    tokens
}
