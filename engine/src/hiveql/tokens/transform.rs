//! `TRANSFORM (a) USING 's' AS (c INT)`, `MAP a USING …`, `REDUCE a USING …` → a call of `__transform`.
//!
//! `__transform('script', 'input row format', 'schema', 'output row format', arguments…) AS (c, …)`: the three in the
//! middle are Hive's text as written, empty if there was none.

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::error::Result;
use crate::hiveql::source_map::SourceMap;

use super::{closing, expected, is, is_one_of, is_word, token_at, word_at};

pub(super) fn rewrite(map: &SourceMap, tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    if !tokens.iter().any(|token| is_word(Some(token), "using")) {
        return Ok(tokens);
    }
    let tokens = map_and_reduce(tokens);
    let mut rewritten = Vec::with_capacity(tokens.len() + 16);
    let mut at = 0;
    while at < tokens.len() {
        let is_call = is_word(tokens.get(at), "transform") && is(tokens.get(at + 1), &Token::LParen);
        match is_call.then(|| Script::parse(map, &tokens, at)).transpose()?.flatten() {
            Some(script) => {
                script.write(&tokens, &mut rewritten);
                at = script.end;
            }
            None => {
                rewritten.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    Ok(rewritten)
}

/// `MAP a, b USING 's'` → `SELECT TRANSFORM (a, b) USING 's'`.
fn map_and_reduce(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    // Places of MAP or REDUCE that may start such a clause, by bracket; the USING after one settles it.
    let mut open_heads: Vec<Option<usize>> = vec![None];
    let mut clauses = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| tokens.get(index));
        match &token.token {
            Token::LParen => open_heads.push(None),
            Token::RParen if open_heads.len() > 1 => {
                open_heads.pop();
            }
            Token::Word(_) => {
                let Some(head) = open_heads.last_mut() else { continue };
                let is_name = is(previous, &Token::Period) || is(previous, &Token::Comma);
                let is_call =
                    matches!(tokens.get(index + 1), Some(next) if matches!(next.token, Token::LParen | Token::Lt));
                if is_one_of(Some(token), &["map", "reduce"]) && !is_name && !is_call {
                    if !is_one_of(previous, &["as", "select"]) && !is_word(tokens.get(index + 1), "keys") {
                        *head = Some(index);
                    }
                } else if is_one_of(Some(token), &["select", "where"]) {
                    *head = None;
                } else if is_word(Some(token), "using")
                    && matches!(tokens.get(index + 1), Some(next) if matches!(next.token, Token::SingleQuotedString(_)))
                    && let Some(head) = head.take()
                {
                    clauses.push((head, index));
                }
            }
            _ => {}
        }
    }
    clauses.sort_unstable();
    let mut rewritten = Vec::with_capacity(tokens.len() + 4 * clauses.len());
    let mut clauses = clauses.into_iter().peekable();
    let mut ends = Vec::new();
    for (index, token) in tokens.into_iter().enumerate() {
        if ends.last() == Some(&index) {
            ends.pop();
            rewritten.push(token_at(Token::RParen, token.span));
        }
        match clauses.next_if(|(head, _)| *head == index) {
            Some((_, using)) => {
                ends.push(using);
                let span = token.span;
                rewritten.extend([word_at("select", span), word_at("transform", span), token_at(Token::LParen, span)]);
            }
            None => rewritten.push(token),
        }
    }
    rewritten
}

/// The parts of one TRANSFORM.
struct Script {
    /// The word TRANSFORM.
    span: Span,
    /// The brackets around the arguments.
    open: usize,
    close: usize,
    script: String,
    input: String,
    schema: String,
    /// Indexes of the column names.
    columns: Vec<usize>,
    output: String,
    end: usize,
}

impl Script {
    /// Reads the TRANSFORM at `at`; nothing if it is a call of a function of that name.
    fn parse(map: &SourceMap, tokens: &[TokenWithSpan], at: usize) -> Result<Option<Script>> {
        let open = at + 1;
        let close = closing(tokens, open).ok_or_else(|| expected(map, tokens, tokens.len(), "`)`"))?;
        let using = row_format(tokens, close + 1);
        if !is_word(tokens.get(using), "using") {
            return Ok(None);
        }
        let Some(Token::SingleQuotedString(script)) = tokens.get(using + 1).map(|token| &token.token) else {
            return Err(expected(map, tokens, using + 1, "the script in quotes after `USING`"));
        };
        let (schema, end) = schema(map, tokens, using + 2)?;
        let output_end = row_format(tokens, end);
        let columns = column_names(tokens, schema.clone());
        if let Some(wrong) = columns.iter().find(|index| !matches!(tokens[**index].token, Token::Word(_))) {
            return Err(expected(map, tokens, *wrong, "a column name"));
        }
        Ok(Some(Script {
            span: tokens[at].span,
            open,
            close,
            script: script.clone(),
            input: text(map, tokens, close + 1..using),
            schema: text(map, tokens, schema),
            columns,
            output: text(map, tokens, end..output_end),
            end: output_end,
        }))
    }

    fn write(&self, tokens: &[TokenWithSpan], rewritten: &mut Vec<TokenWithSpan>) {
        let put = |token| token_at(token, self.span);
        rewritten.extend([word_at("__transform", self.span), put(Token::LParen)]);
        for text in [&self.script, &self.input, &self.schema, &self.output] {
            rewritten.extend([put(Token::SingleQuotedString(text.clone())), put(Token::Comma)]);
        }
        rewritten.extend_from_slice(&tokens[self.open + 1..=self.close]);
        for (nth, column) in self.columns.iter().enumerate() {
            if nth == 0 {
                rewritten.extend([word_at("as", self.span), put(Token::LParen)]);
            } else {
                rewritten.push(put(Token::Comma));
            }
            rewritten.push(tokens[*column].clone());
        }
        if !self.columns.is_empty() {
            rewritten.push(put(Token::RParen));
        }
    }
}

/// The range of the columns after an AS, without brackets, and the place after them.
fn schema(map: &SourceMap, tokens: &[TokenWithSpan], at: usize) -> Result<(std::ops::Range<usize>, usize)> {
    if !is_word(tokens.get(at), "as") {
        return Ok((at..at, at));
    }
    if is(tokens.get(at + 1), &Token::LParen) {
        let close = closing(tokens, at + 1).ok_or_else(|| expected(map, tokens, tokens.len(), "`)`"))?;
        return Ok((at + 2..close, close + 1));
    }
    let mut end = at + 1;
    while matches!(tokens.get(end), Some(token) if matches!(token.token, Token::Word(_))) {
        end += 1;
        if !is(tokens.get(end), &Token::Comma) {
            return Ok((at + 1..end, end));
        }
        end += 1;
    }
    Err(expected(map, tokens, end, "a column name"))
}

/// Indexes of the first token of each element of a list of columns.
fn column_names(tokens: &[TokenWithSpan], range: std::ops::Range<usize>) -> Vec<usize> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut is_first = true;
    for index in range {
        match tokens[index].token {
            Token::Comma if depth == 0 => is_first = true,
            _ if is_first => {
                names.push(index);
                is_first = false;
            }
            Token::LParen | Token::Lt => depth += 1,
            Token::RParen | Token::Gt => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    names
}

/// The place after an optional ROW FORMAT and RECORDREADER or RECORDWRITER.
fn row_format(tokens: &[TokenWithSpan], start: usize) -> usize {
    const CLAUSES: &[(&[&str], usize)] = &[
        (&["fields", "terminated", "by"], 1),
        (&["escaped", "by"], 1),
        (&["collection", "items", "terminated", "by"], 1),
        (&["map", "keys", "terminated", "by"], 1),
        (&["lines", "terminated", "by"], 1),
        (&["null", "defined", "as"], 1),
        (&["delimited"], 0),
        (&["serde"], 1),
    ];
    let mut at = start;
    if is_word(tokens.get(at), "row") && is_word(tokens.get(at + 1), "format") {
        at += 2;
        'clauses: loop {
            for (words, values) in CLAUSES {
                if words.iter().enumerate().all(|(n, word)| is_word(tokens.get(at + n), word)) {
                    at = (at + words.len() + values).min(tokens.len());
                    continue 'clauses;
                }
            }
            if is_word(tokens.get(at), "with") && is_word(tokens.get(at + 1), "serdeproperties") {
                at = closing(tokens, at + 2).map_or(tokens.len(), |close| close + 1);
                continue;
            }
            break;
        }
    }
    if is_one_of(tokens.get(at), &["recordreader", "recordwriter"]) {
        at = (at + 2).min(tokens.len());
    }
    at
}

/// What the user wrote from the first to the last of these tokens.
fn text(map: &SourceMap, tokens: &[TokenWithSpan], range: std::ops::Range<usize>) -> String {
    match tokens.get(range) {
        Some([first, .., last]) => map.text_of(Span::new(first.span.start, last.span.end)).to_owned(),
        Some([only]) => map.text_of(only.span).to_owned(),
        _ => String::new(),
    }
}
