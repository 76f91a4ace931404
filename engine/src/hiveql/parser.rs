//! Tokens → [`Statement`].
//!
//! Queries and expressions are sqlparser's business; what Hive has around them is read here, a file for each family
//! of statements. A word is compared by its letters, so nothing depends on what sqlparser takes for a keyword.

mod alter;
mod clauses;
mod create;
pub(super) mod data_type;
mod drop;
mod insert;
mod partition;
mod show;
mod utility;

use sqlparser::ast;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result, Span, codes};

use super::diagnosis;
use super::dialect::HiveQl;
use super::finish::finish;
use super::source_map::SourceMap;
use super::statement::{Name, ObjectName, Properties, Statement, Text};
use super::tokens::{Tokens, is_word, keywords};

/// Depth of sqlparser's own recursion: a bracket costs it a few levels.
const RECURSION_MAX: usize = 1_000;

/// Statements that Hive has and logq does not: first words, or the second after CREATE, DROP, ALTER and SHOW.
const UNSUPPORTED: &[&str] = &[
    "grant",
    "revoke",
    "lock",
    "unlock",
    "start",
    "commit",
    "rollback",
    "kill",
    "abort",
    "repl",
    "reload",
    "role",
    "roles",
    "index",
    "indexes",
    "principals",
    "compactions",
    "transactions",
    "resource",
    "scheduled",
    "user",
];

/// Nesting up to which the caller's stack will do.
const NESTING_SHALLOW: usize = 12;

/// Stack for statements that are nested deeper. In a debug build a subquery takes sqlparser some 200 kB, more than
/// the protection that it has reckons with.
const DEEP_STACK_BYTES: usize = 64 << 20;

/// Parses the tokens of one statement.
pub(super) fn parse(map: &SourceMap, tokens: &Tokens) -> Result<Statement> {
    with_stack_for(tokens, || read_all(map, &tokens.list, |parser| parser.statement()))
}

/// Parses the tokens of one query.
pub(super) fn parse_query(map: &SourceMap, tokens: &Tokens) -> Result<Box<ast::Query>> {
    with_stack_for(tokens, || read_all(map, &tokens.list, |parser| parser.query()))
}

fn with_stack_for<T: Send>(tokens: &Tokens, parse: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    if tokens.nesting <= NESTING_SHALLOW {
        return parse();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("hiveql".to_owned()).stack_size(DEEP_STACK_BYTES);
        let parsing = thread.spawn_scoped(scope, parse).map_err(|error| {
            Error::new(codes::NESTING_DEPTH, "no memory to read a statement this deep").with_source(error)
        })?;
        parsing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn read_all<T>(
    map: &SourceMap,
    tokens: &[TokenWithSpan],
    read: impl FnOnce(&mut StatementParser) -> Result<T>,
) -> Result<T> {
    let dialect = HiveQl::new(tokens.len());
    let mut parser = StatementParser::new(&dialect, map, tokens);
    let read = read(&mut parser)?;
    parser.end()?;
    Ok(read)
}

/// sqlparser's parser, and what it takes to say where things stand.
struct StatementParser<'a> {
    parser: Parser<'a>,
    dialect: &'a HiveQl,
    map: &'a SourceMap,
    /// The tokens that `parser` holds.
    tokens: &'a [TokenWithSpan],
}

impl<'a> StatementParser<'a> {
    fn new(dialect: &'a HiveQl, map: &'a SourceMap, tokens: &'a [TokenWithSpan]) -> Self {
        let parser =
            Parser::new(dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens.to_vec());
        StatementParser { parser, dialect, map, tokens }
    }

    fn statement(&mut self) -> Result<Statement> {
        if self.word("explain") {
            return self.explain();
        }
        let first = match &self.peek().token {
            Token::Word(word) if word.quote_style.is_none() => word.value.clone(),
            Token::LParen => return self.query().map(Statement::Query),
            Token::EOF => return Err(self.expected("a statement")),
            _ => return Err(diagnosis::unknown_start(self.map, self.peek())),
        };
        match first.as_str() {
            "select" | "values" => self.query().map(Statement::Query),
            "with" | "from" | "insert" => self.query_or_insert(),
            "create" => self.create(),
            "alter" => self.alter(),
            "drop" => self.drop(),
            "truncate" => self.truncate(),
            "use" => self.use_database(),
            "show" => self.show(),
            "describe" | "desc" => self.describe(),
            "load" => self.load(),
            "export" => self.export(),
            "import" => self.import(),
            "msck" => self.msck(),
            "analyze" => self.analyze(),
            "delete" => self.sql_statement().map(Statement::Delete),
            "update" => self.sql_statement().map(Statement::Update),
            "merge" => self.sql_statement().map(Statement::Merge),
            first if UNSUPPORTED.contains(&first) => Err(self.unsupported("")),
            _ => Err(diagnosis::unknown_start(self.map, self.peek())),
        }
    }

    // The next token.

    fn peek(&self) -> &TokenWithSpan {
        self.parser.peek_token_ref()
    }

    fn peek_is(&self, token: &Token) -> bool {
        self.peek().token == *token
    }

    fn peek_word(&self, word: &str) -> bool {
        is_word(Some(self.peek()), word)
    }

    fn peek_nth_word(&self, n: usize, word: &str) -> bool {
        is_word(Some(self.parser.peek_nth_token_ref(n)), word)
    }

    // Reading what may be there.

    /// Whether the next token is this word; it is then read.
    fn word(&mut self, word: &str) -> bool {
        self.words(&[word])
    }

    /// Whether the next tokens are these words; all of them are then read, or none.
    fn words(&mut self, words: &[&str]) -> bool {
        let there = words.iter().enumerate().all(|(n, word)| self.peek_nth_word(n, word));
        if there {
            words.iter().for_each(|_| self.parser.advance_token());
        }
        there
    }

    fn token(&mut self, token: &Token) -> bool {
        self.parser.consume_token(token)
    }

    // Reading what must be there.

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.word(word) { Ok(()) } else { Err(self.expected(&format!("`{}`", word.to_uppercase()))) }
    }

    fn expect_words(&mut self, words: &[&str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    fn expect_token(&mut self, token: &Token) -> Result<()> {
        if self.token(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    fn end(&mut self) -> Result<()> {
        if self.peek_is(&Token::EOF) { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    /// A name in a place where any word is one.
    fn name(&mut self, what: &str) -> Result<Name> {
        let TokenWithSpan { token: Token::Word(word), span } = self.peek() else { return Err(self.expected(what)) };
        let name = Name { value: word.value.clone(), span: self.map.span_of(*span).unwrap_or_default() };
        self.parser.advance_token();
        Ok(name)
    }

    /// `[database.]name`, where a reserved word means that the name was forgotten.
    fn object_name(&mut self, what: &str) -> Result<ObjectName> {
        match &self.peek().token {
            Token::Word(word) if keywords::is_name(word.keyword) => {}
            _ => return Err(self.expected(what)),
        }
        let name = self.name(what)?;
        if !self.token(&Token::Period) {
            return Ok(ObjectName { database: None, name });
        }
        Ok(ObjectName { name: self.name(what)?, database: Some(name) })
    }

    fn text(&mut self, what: &str) -> Result<Text> {
        let TokenWithSpan { token: Token::SingleQuotedString(value), span } = self.peek() else {
            return Err(self.expected(&format!("{what} in quotes")));
        };
        let text = Text { value: value.clone(), span: self.map.span_of(*span).unwrap_or_default() };
        self.parser.advance_token();
        Ok(text)
    }

    fn optional_text(&mut self, word: &str, what: &str) -> Result<Option<Text>> {
        if self.word(word) { self.text(what).map(Some) } else { Ok(None) }
    }

    fn number(&mut self, what: &str) -> Result<u32> {
        match &self.peek().token {
            Token::Number(digits, _) if let Ok(number) = digits.parse() => {
                self.parser.advance_token();
                Ok(number)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// `a, b, …`, at least one.
    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut list = vec![element(self)?];
        while self.token(&Token::Comma) {
            list.push(element(self)?);
        }
        Ok(list)
    }

    /// `(a, b, …)`, at least one.
    fn bracketed_list<T>(&mut self, element: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_token(&Token::LParen)?;
        let list = self.list(element)?;
        if !self.token(&Token::RParen) {
            return Err(self.expected("`,` or `)`"));
        }
        Ok(list)
    }

    /// `('k'='v', …)`.
    fn properties(&mut self) -> Result<Properties> {
        self.bracketed_list(|parser| {
            let key = parser.text("the name of a property")?;
            parser.expect_token(&Token::Eq)?;
            Ok((key, parser.text("the value of the property")?))
        })
    }

    fn if_exists(&mut self) -> bool {
        self.words(&["if", "exists"])
    }

    fn if_not_exists(&mut self) -> bool {
        self.words(&["if", "not", "exists"])
    }

    // Parts that sqlparser reads.

    fn sql<T>(&mut self, read: impl FnOnce(&mut Parser<'a>) -> Result<T, ParserError>) -> Result<T> {
        read(&mut self.parser)
            .map_err(|error| diagnosis::from_parser(self.map, self.tokens, self.parser.index(), error))
    }

    fn query(&mut self) -> Result<Box<ast::Query>> {
        let mut query = self.sql(Parser::parse_query)?;
        finish(&mut *query)?;
        Ok(query)
    }

    /// A query, and its text.
    fn query_with_text(&mut self) -> Result<(Box<ast::Query>, String)> {
        let start = self.peek().span;
        let query = self.query()?;
        let end = self.parser.get_current_token().span;
        let text = self.map.text_of(sqlparser::tokenizer::Span::new(start.start, end.end));
        Ok((query, text.to_owned()))
    }

    fn expr(&mut self) -> Result<ast::Expr> {
        let mut expr = self.sql(Parser::parse_expr)?;
        finish(&mut expr)?;
        Ok(expr)
    }

    fn sql_statement(&mut self) -> Result<Box<ast::Statement>> {
        let mut statement = Box::new(self.sql(Parser::parse_statement)?);
        finish(&mut *statement)?;
        Ok(statement)
    }

    // Places and complaints.

    /// The span of the token at the front.
    fn here(&self) -> Span {
        self.map.span_of(self.peek().span).unwrap_or(self.map.end())
    }

    /// From a place to the last token read.
    fn since(&self, start: Span) -> Span {
        self.map.span_of(self.parser.get_current_token().span).map_or(start, |end| start.union(end))
    }

    /// The error that says what was expected in the place of the next token.
    fn expected(&self, what: &str) -> Error {
        diagnosis::expected(self.map, self.tokens, self.parser.index(), what)
    }

    /// The error for a statement that Hive has and logq does not; `before` are the words read so far.
    fn unsupported(&self, before: &str) -> Error {
        let word = self.map.text_of(self.peek().span).to_uppercase();
        let statement = format!("{before} {word}");
        Error::new(codes::UNSUPPORTED, format!("logq has no `{}`", statement.trim())).at(self.here())
    }
}
