//! `OVER (DISTRIBUTE BY a SORT BY b)` → `OVER (PARTITION BY a ORDER BY b)`, and the same in `WINDOW w AS (…)`.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{is, is_word, lexer};

pub(super) fn rewrite(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    // For each bracket: whether it is that of a window.
    let mut levels = Vec::new();
    for index in 0..tokens.len() {
        match tokens[index].token {
            Token::LParen => levels.push(opens_window(&tokens, index)),
            Token::RParen => {
                levels.pop();
            }
            Token::Word(_) if levels.last() == Some(&true) && is_word(tokens.get(index + 1), "by") => {
                let replacement = match () {
                    () if is_word(tokens.get(index), "distribute") => "partition",
                    () if is_word(tokens.get(index), "sort") => "order",
                    () => continue,
                };
                tokens[index].token = lexer::word(replacement.to_owned(), None);
            }
            _ => {}
        }
    }
    tokens
}

/// `OVER (`, `WINDOW w AS (` and `, w AS (`; of the last, a WITH query's too, whose own clauses are never first in it.
fn opens_window(tokens: &[TokenWithSpan], open: usize) -> bool {
    let before = |n: usize| open.checked_sub(n).and_then(|index| tokens.get(index));
    is_word(before(1), "over")
        || (is_word(before(1), "as")
            && (is_word(before(3), "window") || is(before(3), &Token::Comma))
            && !is_word(tokens.get(open + 1), "select")
            && !is_word(tokens.get(open + 1), "from"))
}
