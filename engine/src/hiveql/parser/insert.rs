//! `[WITH …] [FROM …] INSERT … SELECT …`, once or several times; and the queries that start with the same words.

use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::hiveql::finish::finish;
use crate::hiveql::statement::{Insert, InsertBranch, InsertTarget, Statement};

use super::StatementParser;

impl StatementParser<'_> {
    /// A statement that starts with WITH, FROM or INSERT.
    pub(super) fn query_or_insert(&mut self) -> Result<Statement> {
        let start = self.parser.index();
        let with = self.optional_with()?;
        let mut from = None;
        if !self.peek_word("insert") {
            if !self.word("from") {
                return self.query_from(start);
            }
            let tables = self.sql(|parser| parser.parse_comma_separated(Parser::parse_table_and_joins))?;
            if !self.peek_word("insert") {
                return self.query_from(start);
            }
            from = Some(tables);
        }
        let mut branches = vec![self.insert_branch()?];
        while from.is_some() && self.peek_word("insert") {
            branches.push(self.insert_branch()?);
        }
        let mut insert = Insert { with, from, branches };
        for cte in insert.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            finish(&mut *cte.query)?;
        }
        for table in insert.from.iter_mut().flatten() {
            finish(table)?;
        }
        Ok(Statement::Insert(Box::new(insert)))
    }

    /// Reads again from an earlier token on, as a query.
    fn query_from(&mut self, start: usize) -> Result<Statement> {
        *self = StatementParser::new(self.dialect, self.map, self.tokens);
        while self.parser.index() < start {
            self.parser.advance_token();
        }
        self.query().map(Statement::Query)
    }

    fn optional_with(&mut self) -> Result<Option<ast::With>> {
        if !self.word("with") {
            return Ok(None);
        }
        let with_token = self.parser.get_current_token().clone().into();
        let cte_tables = self.sql(|parser| parser.parse_comma_separated(Parser::parse_cte))?;
        Ok(Some(ast::With { with_token, recursive: false, cte_tables }))
    }

    fn insert_branch(&mut self) -> Result<InsertBranch> {
        let start = self.here();
        self.expect_word("insert")?;
        let overwrite = self.word("overwrite");
        if !overwrite && !self.word("into") {
            return Err(self.expected("`OVERWRITE` or `INTO`"));
        }
        let target = self.insert_target(overwrite)?;
        let span = self.since(start);
        let starts_query = ["select", "with", "from", "values"].iter().any(|word| self.peek_word(word));
        if !starts_query && !self.peek_is(&Token::LParen) {
            return Err(self.expected("`SELECT` or `VALUES`"));
        }
        Ok(InsertBranch { target, overwrite, query: self.query()?, span })
    }

    fn insert_target(&mut self, overwrite: bool) -> Result<InsertTarget> {
        let local = overwrite && self.peek_nth_word(1, "directory") && self.word("local");
        let is_directory = local || matches!(self.parser.peek_nth_token_ref(1).token, Token::SingleQuotedString(_));
        if is_directory && self.word("directory") {
            let path = self.text("the path of the directory")?;
            let row_format = self.optional_row_format()?;
            return Ok(InsertTarget::Directory { path, local, row_format, stored_as: self.optional_stored_as()? });
        }
        self.word("table");
        let name = self.object_name("a table")?;
        let mut columns = self.insert_columns()?;
        let partition = self.optional_partition()?;
        let if_not_exists = partition.is_some() && self.if_not_exists();
        if columns.is_empty() {
            columns = self.insert_columns()?;
        }
        Ok(InsertTarget::Table { name, partition, if_not_exists, columns })
    }

    /// `(a, b)`, unless the bracket holds a query.
    fn insert_columns(&mut self) -> Result<Vec<crate::hiveql::Name>> {
        let holds_query = ["select", "with", "from", "values"].iter().any(|word| self.peek_nth_word(1, word))
            || self.parser.peek_nth_token_ref(1).token == Token::LParen;
        if !self.peek_is(&Token::LParen) || holds_query {
            return Ok(Vec::new());
        }
        self.bracketed_list(|parser| parser.name("a column"))
    }
}
