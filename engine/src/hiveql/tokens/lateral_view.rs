//! `LATERAL VIEW [OUTER] f(a) t [AS c, …]` → `CROSS JOIN LATERAL f(a) AS t (c, …)`, or `LEFT JOIN … ON TRUE`.
//!
//! A lateral view then sees everything to its left and may stand anywhere in a FROM, also before a JOIN, as in Hive.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::Result;
use crate::hiveql::source_map::SourceMap;

use super::{closing, expected, is, is_one_of, is_word, token_at, word_at};

pub(super) fn rewrite(map: &SourceMap, tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    if !tokens.iter().any(|token| is_word(Some(token), "lateral")) {
        return Ok(tokens);
    }
    let mut rewritten = Vec::with_capacity(tokens.len() + 8);
    let mut at = 0;
    while at < tokens.len() {
        let after_period = is(rewritten.last(), &Token::Period);
        if !after_period && is_word(tokens.get(at), "lateral") && is(tokens.get(at + 1), &Token::LParen) {
            return Err(expected(map, &tokens, at + 1, "`VIEW` after `LATERAL`"));
        }
        if after_period || !is_word(tokens.get(at), "lateral") || !is_word(tokens.get(at + 1), "view") {
            rewritten.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at = lateral_view(map, &tokens, at, &mut rewritten)?;
    }
    Ok(rewritten)
}

/// Rewrites the view at `at` and returns the place after it.
fn lateral_view(
    map: &SourceMap,
    tokens: &[TokenWithSpan],
    at: usize,
    rewritten: &mut Vec<TokenWithSpan>,
) -> Result<usize> {
    let span = tokens[at].span;
    let is_outer = is_word(tokens.get(at + 2), "outer");
    let function = at + 2 + usize::from(is_outer);
    let mut open = function;
    while matches!(tokens.get(open), Some(token) if matches!(token.token, Token::Word(_) | Token::Period)) {
        open += 1;
    }
    if open == function || !is(tokens.get(open), &Token::LParen) {
        return Err(expected(map, tokens, open, "a call of a table function"));
    }
    let close = closing(tokens, open).ok_or_else(|| expected(map, tokens, tokens.len(), "`)`"))?;
    let alias = match tokens.get(close + 1) {
        Some(token) if matches!(token.token, Token::Word(_)) && !is_one_of(Some(token), &["as", "where"]) => token,
        _ => return Err(expected(map, tokens, close + 1, "a name for the lateral view")),
    };
    let join = if is_outer { "left" } else { "cross" };
    rewritten.extend([word_at(join, span), word_at("join", span), word_at("lateral", span)]);
    rewritten.extend_from_slice(&tokens[function..=close]);
    rewritten.extend([word_at("as", span), alias.clone()]);
    let mut at = close + 2;
    if is_word(tokens.get(at), "as") {
        let mut is_first = true;
        loop {
            at += 1;
            let Some(column) = tokens.get(at).filter(|token| matches!(token.token, Token::Word(_))) else {
                return Err(expected(map, tokens, at, "a name for a column of the lateral view"));
            };
            let separator = if is_first { Token::LParen } else { Token::Comma };
            rewritten.extend([token_at(separator, column.span), column.clone()]);
            is_first = false;
            at += 1;
            // A comma may also go on to the next table of the FROM, but then a word alone does not follow.
            let goes_on = is(tokens.get(at), &Token::Comma)
                && matches!(tokens.get(at + 1), Some(token) if matches!(token.token, Token::Word(_)));
            if !goes_on {
                break;
            }
        }
        rewritten.push(token_at(Token::RParen, tokens[at - 1].span));
    }
    if is_outer {
        rewritten.extend([word_at("on", span), word_at("true", span)]);
    }
    Ok(at)
}
