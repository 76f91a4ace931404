//! Statement text → tokens by the rules of `HiveLexer.g`, in sqlparser's words.
//!
//! Not sqlparser's tokenizer, which is wrong for HiveQL in ways that no Dialect mends: in Hive `'it''s'` is two
//! literals, a doubled backtick is one, `2xx` is a name, `#` is nothing, and `_utf8'x'`, `N'x'`, `$1` and `@x` are
//! other dialects' business.

use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Whitespace, Word};

use crate::error::{Error, Result, codes};
use crate::hiveql::lexeme::{self, Kind};
use crate::hiveql::source_map::SourceMap;
use crate::hiveql::variables;

use super::literal::{self, SuffixType};

/// Cuts the text into tokens without whitespace and comments; of comments, hints (`/*+ … */`) are kept.
///
/// Words are in lower case and no word is a keyword yet.
pub(super) fn lex(map: &SourceMap) -> Result<Vec<TokenWithSpan>> {
    let mut lexer = Lexer { map, at: 0, place: Location { line: 1, column: 1 }, tokens: Vec::new() };
    while let Some(lexeme) = lexeme::next(map.text(), lexer.at) {
        lexer.lexeme(lexeme)?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    map: &'a SourceMap,
    /// Byte offset of the next sign, and its line and column.
    at: usize,
    place: Location,
    tokens: Vec<TokenWithSpan>,
}

impl Lexer<'_> {
    fn lexeme(&mut self, lexeme: lexeme::Lexeme) -> Result<()> {
        let text = &self.map.text()[lexeme.range.clone()];
        if !lexeme.terminated {
            let (what, length) = match lexeme.kind {
                Kind::String => ("string", 1),
                Kind::QuotedName => ("quoted name", 1),
                _ => ("comment", 2),
            };
            return Err(Error::new(codes::UNTERMINATED, format!("this {what} is never closed"))
                .at(self.map.script_span(self.at..self.at + length)));
        }
        match lexeme.kind {
            Kind::Whitespace | Kind::LineComment => self.skip(text),
            Kind::BlockComment if text.starts_with("/*+") => {
                let hint = Whitespace::MultiLineComment(text[2..text.len() - 2].to_owned());
                self.push(Token::Whitespace(hint), text);
            }
            Kind::BlockComment => self.skip(text),
            Kind::String => self.string(text),
            Kind::QuotedName => {
                let value = text[1..text.len() - 1].replace("``", "`");
                if value.is_empty() {
                    return Err(self.error(text.len(), "a quoted name is empty"));
                }
                self.push(word(quoted_name(value), Some('`')), text);
            }
            Kind::Other(first) => return self.other(first),
        }
        Ok(())
    }

    /// Pushes a string; pieces that touch, as in `'it''s'`, are one.
    fn string(&mut self, text: &str) {
        let value = literal::unescape(&text[1..text.len() - 1]);
        let start = self.place;
        if let Some(TokenWithSpan { token: Token::SingleQuotedString(previous), span }) = self.tokens.last_mut()
            && span.end == start
        {
            previous.push_str(&value);
            self.skip(text);
            if let Some(last) = self.tokens.last_mut() {
                last.span.end = self.place;
            }
            return;
        }
        let token = Token::SingleQuotedString(value.into_owned());
        self.push(token, text);
    }

    fn other(&mut self, first: char) -> Result<()> {
        let rest = &self.map.text()[self.at..];
        let after_period = matches!(self.tokens.last(), Some(last) if last.token == Token::Period);
        let second = rest[first.len_utf8()..].chars().next();
        let is_fraction = first == '.' && second.is_some_and(|c| c.is_ascii_digit()) && !self.touches_name();
        if !after_period && (first.is_ascii_digit() || is_fraction) {
            return self.number(rest);
        }
        if is_name_part(first) {
            let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
            let text = &rest[..length];
            self.push(word(text.to_lowercase(), None), text);
            return Ok(());
        }
        let Some((token, length)) = sign(rest) else { return Err(self.unknown_sign(first, rest)) };
        self.push(token, &rest[..length]);
        Ok(())
    }

    /// Whether the token before ends right here and can have a field: `.2xx` is then one, and no fraction.
    fn touches_name(&self) -> bool {
        self.tokens.last().is_some_and(|last| {
            last.span.end == self.place && matches!(last.token, Token::Word(_) | Token::RParen | Token::RBracket)
        })
    }

    /// `1`, `1.5`, `.5`, `1e-3`, `1L`, `1e-5D`, or a name that starts with a digit such as `2xx`.
    fn number(&mut self, rest: &str) -> Result<()> {
        let bytes = rest.as_bytes();
        let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let run = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        let mut end = digits(0);
        let mut is_fraction = false;
        if bytes.get(end) == Some(&b'.') {
            let next = rest[end + 1..].chars().next();
            if end == 0 || !next.is_some_and(|c| is_name_part(c) && !c.is_ascii_digit()) {
                is_fraction = true;
                end = digits(end + 1);
            }
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        let text = &rest[..end + rest[end..].find(|c| !is_name_part(c)).unwrap_or(rest.len() - end)];
        let (number, suffix) = text.split_at(end);
        if let Some(data_type) = literal::suffix_type(number, suffix) {
            return self.typed_number(number, data_type, text);
        }
        // The longer of a number and a name wins, and the number if both are as long: `1e5L` is a name, `1e-5L` is not.
        if is_fraction || end >= run {
            self.push(Token::Number(number.to_owned(), false), number);
        } else {
            self.push(word(rest[..run].to_lowercase(), None), &rest[..run]);
        }
        Ok(())
    }

    /// `1L` is `CAST('1' AS BIGINT)`, all of it in the place of `1L`.
    ///
    /// Errors: a whole number that its type does not hold, as in Hive (error 10040).
    fn typed_number(&mut self, number: &str, data_type: SuffixType, text: &str) -> Result<()> {
        let name = |name: &str| word(name.to_owned(), None);
        let digit = |value: u8| Token::Number(value.to_string(), false);
        let type_tokens = match data_type {
            SuffixType::Integer(data_type, bits) => {
                if number.parse::<u64>().ok().is_none_or(|value| value >> (bits - 1) != 0) {
                    return Err(Error::new(codes::BAD_LITERAL, format!("`{text}` is too large for a {data_type}"))
                        .at(self.map.script_span(self.at..self.at + text.len())));
                }
                vec![name(data_type)]
            }
            SuffixType::Double => vec![name("double")],
            SuffixType::Decimal => {
                // What no decimal holds is NULL, as in Hive.
                let (precision, scale) = literal::decimal_type(number).unwrap_or((1, 0));
                vec![name("decimal"), Token::LParen, digit(precision), Token::Comma, digit(scale), Token::RParen]
            }
        };
        let start = self.place;
        self.skip(text);
        let span = Span::new(start, self.place);
        let value = Token::SingleQuotedString(number.to_owned());
        let tokens = [name("cast"), Token::LParen, value, name("as")].into_iter().chain(type_tokens);
        self.tokens.extend(tokens.chain([Token::RParen]).map(|token| TokenWithSpan { token, span }));
        Ok(())
    }

    fn push(&mut self, token: Token, text: &str) {
        let start = self.place;
        self.skip(text);
        self.tokens.push(TokenWithSpan { token, span: Span::new(start, self.place) });
    }

    fn skip(&mut self, text: &str) {
        self.at += text.len();
        for c in text.chars() {
            if c == '\n' {
                self.place = Location { line: self.place.line + 1, column: 1 };
            } else {
                self.place.column += 1;
            }
        }
    }

    fn error(&self, length: usize, message: impl Into<String>) -> Error {
        Error::new(codes::SYNTAX, message).at(self.map.script_span(self.at..self.at + length))
    }

    fn unknown_sign(&self, first: char, rest: &str) -> Error {
        if let Some(variable) = variables::unknown_at(self.map.text(), self.at) {
            let name = &variable[2..variable.len() - 1];
            let error = self.error(variable.len(), format!("variable `{variable}` is not set"));
            return match name.split_once(':') {
                None | Some(("hivevar", _)) => {
                    let name = name.trim_start_matches("hivevar:");
                    error.with_hint(format!("set it with --hivevar {name}=… or SET hivevar:{name}=…"))
                }
                _ => error,
            };
        }
        let error = self.error(first.len_utf8(), format!("`{first}` means nothing in HiveQL"));
        match first {
            '#' => error.with_hint("a comment starts with `--`"),
            '$' if rest.starts_with("${") => error.with_hint("a variable is written `${name}`, without blanks"),
            _ => error,
        }
    }
}

/// A word that is no keyword.
pub(super) fn word(value: String, quote_style: Option<char>) -> Token {
    Token::Word(Word { value, quote_style, keyword: sqlparser::keywords::Keyword::NoKeyword })
}

/// Names are stored in lower case, also quoted ones. A regular expression over columns (`` `(ds|hr)?+.+` ``) keeps its
/// case, since `\S` is not `\s`.
fn quoted_name(value: String) -> String {
    if value.contains('\\') { value } else { value.to_lowercase() }
}

/// A leading `_` and letters beyond ASCII need backticks in Hive and not here.
fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The operator or punctuation that `text` starts with.
fn sign(text: &str) -> Option<(Token, usize)> {
    let three = text.get(..3).and_then(|sign| (sign == "<=>").then_some(Token::Spaceship));
    let two = || {
        Some(match text.get(..2)? {
            "==" => Token::DoubleEq,
            "!=" | "<>" => Token::Neq,
            "<=" => Token::LtEq,
            ">=" => Token::GtEq,
            "||" => Token::StringConcat,
            "&&" => word("and".to_owned(), None),
            _ => return None,
        })
    };
    let one = || {
        Some(match text.as_bytes()[0] {
            b'(' => Token::LParen,
            b')' => Token::RParen,
            b'[' => Token::LBracket,
            b']' => Token::RBracket,
            b',' => Token::Comma,
            b'.' => Token::Period,
            b':' => Token::Colon,
            b'=' => Token::Eq,
            b'<' => Token::Lt,
            b'>' => Token::Gt,
            b'+' => Token::Plus,
            b'-' => Token::Minus,
            b'*' => Token::Mul,
            b'/' => Token::Div,
            b'%' => Token::Mod,
            b'&' => Token::Ampersand,
            b'|' => Token::Pipe,
            b'^' => Token::Caret,
            b'~' => Token::Tilde,
            // `!` is another way to write NOT.
            b'!' => word("not".to_owned(), None),
            _ => return None,
        })
    };
    three.map(|token| (token, 3)).or_else(|| two().map(|token| (token, 2))).or_else(|| one().map(|token| (token, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as sqlparser writes them, with blanks between.
    fn check(text: &str, expect: &str) {
        let tokens = lex(&SourceMap::identity(text)).unwrap();
        assert_eq!(tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" "), expect, "{text}");
    }

    #[test]
    fn words() {
        check("A Bc `D``e` _c0 2xx t.2xx café 2024_logs", "a bc `d`e` _c0 2xx t . 2xx café 2024_logs");
        check(r"`\S+`", r"`\S+`");
    }

    #[test]
    fn numbers() {
        check("1 1.5 .5 1e3 1.5e-3 1. 100M 0x1F", "1 1.5 .5 1e3 1.5e-3 1. 100m 0x1f");
        check("1L", "cast ( '1' as bigint )");
        check("1.0BD", "cast ( '1.0' as decimal ( 1 , 0 ) )");
        check(
            "1e-5D 1e5d 1.5E+3BD",
            "cast ( '1e-5' as double ) cast ( '1e5' as double ) cast ( '1.5E+3' as decimal ( 4 , 0 ) )",
        );
        check("1e5L 1e-5L 1.5L 1e+3", "1e5l 1e-5 l 1.5 l 1e+3");
        check("1-2 a.b 1e-x", "1 - 2 a . b 1e - x");
    }

    #[test]
    fn numbers_that_their_type_does_not_hold() {
        for text in ["128Y", "32768S", "9223372036854775808L", "99999999999999999999L"] {
            assert_eq!(lex(&SourceMap::identity(text)).unwrap_err().code(), codes::BAD_LITERAL, "{text}");
        }
    }

    #[test]
    fn strings() {
        check(r#"'it''s' "a" 'b\'c'"#, "'its' 'a' 'b'c'");
        check("'a' 'b'", "'a' 'b'");
    }

    #[test]
    fn signs() {
        check("a<=>b >> != ! && ||", "a <=> b > > <> not and ||");
    }

    #[test]
    fn comments_go_and_hints_stay() {
        check("a -- b\n/* c */ d /*+ MAPJOIN(x) */ e", "a d /*+ MAPJOIN(x) */ e");
    }

    #[test]
    fn spans_count_characters() {
        let map = SourceMap::identity("é\n 'ü' x");
        let tokens = lex(&map).unwrap();
        assert_eq!(map.span_of(tokens[1].span).unwrap().range(), 4..8);
        assert_eq!(map.span_of(tokens[2].span).unwrap().range(), 9..10);
    }

    #[test]
    fn other_signs_are_errors() {
        for (text, at) in [("a # b", 2..3), ("${x}", 0..4), ("a @b", 2..3), ("``", 0..2)] {
            let error = lex(&SourceMap::identity(text)).unwrap_err();
            let Some(crate::error::Location::Script { span, .. }) = error.location() else { panic!("no place") };
            assert_eq!(span.range(), at, "{text}");
        }
    }
}
