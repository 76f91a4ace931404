//! SHOW and DESCRIBE.

use sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::hiveql::statement::{Describe, DescribeDetail, Name, ObjectName, Show, Statement, Text};

use super::{StatementParser, UNSUPPORTED};

impl StatementParser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        self.expect_word("show")?;
        let show = if self.word("databases") || self.word("schemas") {
            Show::Databases { like: self.like()? }
        } else if self.word("tables") {
            Show::Tables { database: self.in_database()?, like: self.like()? }
        } else if self.word("views") || self.words(&["materialized", "views"]) {
            Show::Views { database: self.in_database()?, like: self.like()? }
        } else if self.word("partitions") {
            Show::Partitions { table: self.object_name("a table")?, partition: self.optional_partition()? }
        } else if self.words(&["create", "table"]) || self.words(&["create", "view"]) {
            Show::CreateTable(self.object_name("a table")?)
        } else if self.word("functions") {
            Show::Functions { like: self.like()? }
        } else if self.word("columns") {
            self.show_columns()?
        } else if self.word("tblproperties") {
            let table = self.object_name("a table")?;
            let mut key = None;
            if self.token(&Token::LParen) {
                key = Some(self.text("the name of a property")?);
                self.expect_token(&Token::RParen)?;
            }
            Show::TableProperties { table, key }
        } else if self.words(&["table", "extended"]) {
            let database = self.in_database()?;
            self.expect_word("like")?;
            let like = self.pattern()?;
            Show::TableExtended { database, like, partition: self.optional_partition()? }
        } else if self.word("locks") {
            self.show_locks()?
        } else if self.word("conf") {
            Show::Conf(self.text("the name of a setting")?)
        } else if UNSUPPORTED.iter().any(|word| self.peek_word(word)) || self.peek_word("current") {
            return Err(self.unsupported("SHOW"));
        } else {
            return Err(self.expected("`TABLES`, `DATABASES`, `PARTITIONS` or another word of SHOW"));
        };
        Ok(Statement::Show(show))
    }

    fn in_database(&mut self) -> Result<Option<Name>> {
        if self.word("in") || self.word("from") { self.database_name().map(Some) } else { Ok(None) }
    }

    /// `[LIKE] 'x*'`.
    fn like(&mut self) -> Result<Option<Text>> {
        let has_pattern = self.word("like") || matches!(self.peek().token, Token::SingleQuotedString(_));
        if has_pattern { self.pattern().map(Some) } else { Ok(None) }
    }

    /// A pattern; Hive takes a bare name for one too.
    fn pattern(&mut self) -> Result<Text> {
        if matches!(self.peek().token, Token::Word(_)) {
            let Name { value, span } = self.name("a pattern")?;
            return Ok(Text { value, span });
        }
        self.text("a pattern")
    }

    /// `COLUMNS IN t [IN db] [LIKE 'x']`.
    fn show_columns(&mut self) -> Result<Show> {
        if !self.word("in") && !self.word("from") {
            return Err(self.expected("`IN` or `FROM`"));
        }
        let mut table = self.object_name("a table")?;
        if let Some(database) = self.in_database()? {
            table.database = Some(database);
        }
        Ok(Show::Columns { table, like: self.like()? })
    }

    fn show_locks(&mut self) -> Result<Show> {
        let mut table = None;
        let mut partition = None;
        if matches!(self.peek().token, Token::Word(_)) && !self.peek_word("extended") {
            table = Some(self.object_name("a table")?);
            partition = self.optional_partition()?;
        }
        Ok(Show::Locks { table, partition, extended: self.word("extended") })
    }

    pub(super) fn describe(&mut self) -> Result<Statement> {
        // DESCRIBE or DESC.
        self.parser.advance_token();
        let describe = if self.word("database") || self.word("schema") {
            let extended = self.word("extended");
            Describe::Database { name: self.database_name()?, extended }
        } else if self.word("function") {
            let extended = self.word("extended");
            Describe::Function { name: self.function_name()?, extended }
        } else {
            self.describe_table()?
        };
        Ok(Statement::Describe(describe))
    }

    /// A name, an operator such as `+`, or either in quotes.
    fn function_name(&mut self) -> Result<Text> {
        match &self.peek().token {
            Token::EOF => Err(self.expected("a function")),
            Token::SingleQuotedString(_) => self.text("a function"),
            _ => {
                let span = self.here();
                let mut value = self.map.text_of(self.peek().span).to_lowercase();
                self.parser.advance_token();
                if self.token(&Token::Period) {
                    value = format!("{value}.{}", self.name("a function")?.value);
                }
                Ok(Text { value, span: self.since(span) })
            }
        }
    }

    /// `[EXTENDED|FORMATTED] [db.]t [PARTITION (…)] [column]`.
    fn describe_table(&mut self) -> Result<Describe> {
        let detail = if self.word("extended") {
            DescribeDetail::Extended
        } else if self.word("formatted") {
            DescribeDetail::Formatted
        } else {
            DescribeDetail::Plain
        };
        let name: ObjectName = self.object_name("a table")?;
        let mut partition = self.optional_partition()?;
        let has_column = matches!(self.peek().token, Token::Word(_));
        let column = if has_column { Some(self.name("a column")?) } else { None };
        if partition.is_none() {
            partition = self.optional_partition()?;
        }
        Ok(Describe::Table { name, detail, partition, column })
    }
}
