//! Statement text → the tokens that sqlparser's parser gets.
//!
//! Hive's syntax that sqlparser does not know is rewritten here into syntax that it does know. A token that was put
//! in has the span of the token that it stands for, so errors and trees still point at what the user wrote.

mod from_clause;
pub(super) mod keywords;
mod lateral_view;
mod lexer;
pub(super) mod literal;
mod nesting;
mod transform;
mod window;

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::error::{Error, Result, codes};

use super::source_map::SourceMap;

#[cfg(test)]
pub(super) use nesting::{CONNECTIVES_MAX, NESTING_MAX, OPERATORS_MAX};

/// The tokens of one statement.
pub(super) struct Tokens {
    pub list: Vec<TokenWithSpan>,
    /// How deep brackets and the like are nested.
    pub nesting: usize,
}

/// Makes the tokens of one statement.
pub(super) fn tokenize(map: &SourceMap) -> Result<Tokens> {
    let tokens = lexer::lex(map)?;
    let nesting = nesting::check(map, &tokens)?;
    let tokens = from_clause::table_statement(tokens);
    let tokens = transform::rewrite(map, tokens)?;
    let tokens = lateral_view::rewrite(map, tokens)?;
    let tokens = from_clause::mark_subqueries(tokens);
    let tokens = window::rewrite(tokens);
    Ok(Tokens { list: keywords::mark(map, tokens)?, nesting })
}

/// Whether a token is this word, unquoted. `expect` is in lower case.
pub(super) fn is_word(token: Option<&TokenWithSpan>, expect: &str) -> bool {
    matches!(token, Some(TokenWithSpan { token: Token::Word(word), .. })
        if word.quote_style.is_none() && word.value == expect)
}

/// Whether a token is one of these words, unquoted.
pub(super) fn is_one_of(token: Option<&TokenWithSpan>, expect: &[&str]) -> bool {
    expect.iter().any(|word| is_word(token, word))
}

fn is(token: Option<&TokenWithSpan>, expect: &Token) -> bool {
    token.is_some_and(|token| token.token == *expect)
}

/// A word put in at the place of another token.
fn word_at(word: &str, span: Span) -> TokenWithSpan {
    TokenWithSpan { token: lexer::word(word.to_owned(), None), span }
}

fn token_at(token: Token, span: Span) -> TokenWithSpan {
    TokenWithSpan { token, span }
}

/// Index of the `)` that closes the `(` at `open`.
fn closing(tokens: &[TokenWithSpan], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// The error that says what was expected in the place of `tokens[index]`.
fn expected(map: &SourceMap, tokens: &[TokenWithSpan], index: usize, what: &str) -> Error {
    let (found, span) = match tokens.get(index).and_then(|token| Some((token, map.span_of(token.span)?))) {
        Some((token, span)) => (format!("`{}`", map.text_of(token.span)), span),
        None => ("the end of the statement".to_owned(), map.end()),
    };
    Error::new(codes::SYNTAX, format!("expected {what}, found {found}")).at(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens after all rewriting, as sqlparser writes them, with blanks between.
    fn check(text: &str, expect: &str) {
        let tokens = tokenize(&SourceMap::identity(text)).unwrap().list;
        let shown: Vec<String> = tokens.iter().map(|token| token.token.to_string()).collect();
        assert_eq!(shown.join(" "), expect, "{text}");
    }

    #[test]
    fn lateral_views_become_joins() {
        check(
            "SELECT x FROM t LATERAL VIEW explode(a) e AS x, y",
            "select x from t cross join lateral explode ( a ) as e ( x , y )",
        );
        check(
            "FROM t LATERAL VIEW OUTER db.f(a) `E` WHERE 1",
            "from t left join lateral db . f ( a ) as `e` on true where 1",
        );
    }

    #[test]
    fn scripts_become_calls() {
        check(
            "SELECT TRANSFORM (a, b) ROW FORMAT DELIMITED USING 'x' AS (c STRING, d INT) FROM t",
            "select __transform ( 'x' , 'ROW FORMAT DELIMITED' , 'c STRING, d INT' , '' , a , b ) as ( c , d ) from t",
        );
        check(
            "FROM t MAP a, b USING 'm' AS k, v CLUSTER BY k",
            "from t select __transform ( 'm' , '' , 'k, v' , '' , a , b ) as ( k , v ) cluster by k",
        );
    }

    #[test]
    fn windows_and_from_clauses() {
        check(
            "SELECT f() OVER (DISTRIBUTE BY a SORT BY b) FROM t",
            "select f ( ) over ( partition by a order by b ) from t",
        );
        check(
            "SELECT 1 FROM (SELECT 2) a, (SELECT 3) b",
            "select 1 from lateral ( select 2 ) a , lateral ( select 3 ) b",
        );
        check("SELECT (SELECT 1), (SELECT 2)", "select ( select 1 ) , ( select 2 )");
        check("TABLE t", "select * from t");
    }
}
