//! CREATE TABLE, VIEW, DATABASE, FUNCTION and MACRO.

use sqlparser::tokenizer::Token;

use crate::error::{Error, Result, codes};
use crate::hiveql::statement::{
    ClusteredBy, CreateDatabase, CreateFunction, CreateMacro, CreateTable, CreateView, Name, ObjectName, SkewedBy,
    Statement,
};

use super::{StatementParser, UNSUPPORTED};

impl StatementParser<'_> {
    pub(super) fn create(&mut self) -> Result<Statement> {
        self.expect_word("create")?;
        let or_replace = self.words(&["or", "replace"]);
        let (mut temporary, mut external, mut transactional) = (false, false, false);
        loop {
            if self.word("temporary") {
                temporary = true;
            } else if self.word("external") {
                external = true;
            } else if self.word("transactional") {
                transactional = true;
            } else if !self.word("managed") {
                break;
            }
        }
        let is_plain = !external && !transactional;
        if !or_replace && self.word("table") {
            return self.create_table(temporary, external, transactional);
        }
        if is_plain && !temporary {
            let materialized = self.peek_word("materialized") && self.peek_nth_word(1, "view");
            if self.words(&["materialized", "view"]) || self.word("view") {
                return self.create_view(or_replace, materialized);
            }
            if !or_replace && (self.word("database") || self.word("schema")) {
                return self.create_database();
            }
        }
        if is_plain && !or_replace {
            if self.word("function") {
                return self.create_function(temporary);
            }
            if self.word("macro") {
                return self.create_macro();
            }
        }
        if UNSUPPORTED.iter().any(|word| self.peek_word(word)) {
            return Err(self.unsupported("CREATE"));
        }
        Err(self.expected("`TABLE`, `VIEW`, `DATABASE`, `FUNCTION` or `MACRO`"))
    }

    fn create_table(&mut self, temporary: bool, external: bool, transactional: bool) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let mut table = CreateTable {
            name: self.object_name("a table")?,
            external,
            temporary,
            transactional,
            if_not_exists,
            columns: Vec::new(),
            constraints: Vec::new(),
            like: None,
            comment: None,
            partitioned_by: Vec::new(),
            clustered_by: None,
            skewed_by: None,
            row_format: None,
            stored_as: None,
            stored_by: None,
            location: None,
            properties: Vec::new(),
            query: None,
        };
        if self.word("like") {
            table.like = Some(self.object_name("a table")?);
        } else if self.peek_is(&Token::LParen) && !["select", "with", "from"].iter().any(|w| self.peek_nth_word(1, w)) {
            self.columns(&mut table)?;
        }
        while self.table_clause(&mut table)? {}
        if self.word("as") || self.peek_word("select") || self.peek_word("with") || self.peek_is(&Token::LParen) {
            table.query = Some(self.query()?);
        } else if !self.peek_is(&Token::EOF) {
            return Err(self.expected("a clause of CREATE TABLE, or `AS`"));
        }
        Ok(Statement::CreateTable(Box::new(table)))
    }

    /// The bracket of columns and table constraints.
    fn columns(&mut self, table: &mut CreateTable) -> Result<()> {
        const CONSTRAINTS: &[[&str; 2]] = &[["primary", "key"], ["foreign", "key"]];
        self.expect_token(&Token::LParen)?;
        loop {
            let is_constraint = (self.peek_word("constraint") && self.peek_nth_is_word(2))
                || CONSTRAINTS.iter().any(|[first, second]| self.peek_word(first) && self.peek_nth_word(1, second))
                || ((self.peek_word("unique") || self.peek_word("check"))
                    && self.parser.peek_nth_token_ref(1).token == Token::LParen);
            if is_constraint {
                table.constraints.push(self.constraint()?);
            } else {
                table.columns.push(self.column_def(true)?);
            }
            if !self.token(&Token::Comma) {
                break;
            }
        }
        if !self.token(&Token::RParen) {
            return Err(self.expected("`,` or `)`"));
        }
        Ok(())
    }

    fn peek_nth_is_word(&self, n: usize) -> bool {
        matches!(self.parser.peek_nth_token_ref(n).token, Token::Word(_))
    }

    /// One clause after the columns, in any order. Returns whether there was one.
    ///
    /// Hive wants them in a fixed order; people write them in others.
    fn table_clause(&mut self, table: &mut CreateTable) -> Result<bool> {
        let start = self.here();
        let is_again = if self.word("comment") {
            table.comment.replace(self.text("a comment")?).is_some()
        } else if self.words(&["partitioned", "by"]) {
            let columns = self.bracketed_list(|parser| parser.column_def(false))?;
            !std::mem::replace(&mut table.partitioned_by, columns).is_empty()
        } else if self.words(&["clustered", "by"]) {
            table.clustered_by.replace(self.clustered_by()?).is_some()
        } else if self.words(&["skewed", "by"]) {
            table.skewed_by.replace(self.skewed_by()?).is_some()
        } else if let Some(row_format) = self.optional_row_format()? {
            table.row_format.replace(row_format).is_some()
        } else if let Some(stored_as) = self.optional_stored_as()? {
            table.stored_as.replace(stored_as).is_some()
        } else if self.words(&["stored", "by"]) {
            let handler = self.text("the class of the storage handler")?;
            let has_properties = self.words(&["with", "serdeproperties"]);
            let properties = if has_properties { self.properties()? } else { Vec::new() };
            table.stored_by.replace((handler, properties)).is_some()
        } else if self.word("location") {
            table.location.replace(self.text("a location")?).is_some()
        } else if self.word("tblproperties") {
            let properties = self.properties()?;
            !std::mem::replace(&mut table.properties, properties).is_empty()
        } else {
            return Ok(false);
        };
        if is_again {
            return Err(Error::new(codes::SYNTAX, "this clause was given already").at(start));
        }
        Ok(true)
    }

    fn clustered_by(&mut self) -> Result<ClusteredBy> {
        let columns = self.bracketed_list(|parser| parser.name("a column"))?;
        let sorted_by = if self.words(&["sorted", "by"]) {
            self.bracketed_list(|parser| {
                let column = parser.name("a column")?;
                let descending = parser.word("desc");
                parser.word("asc");
                Ok((column, descending))
            })?
        } else {
            Vec::new()
        };
        self.expect_word("into")?;
        let buckets = self.number("the number of buckets")?;
        self.expect_word("buckets")?;
        Ok(ClusteredBy { columns, sorted_by, buckets })
    }

    fn skewed_by(&mut self) -> Result<SkewedBy> {
        let columns = self.bracketed_list(|parser| parser.name("a column"))?;
        self.expect_word("on")?;
        let values = self.bracketed_list(Self::expr)?;
        let as_directories = self.words(&["stored", "as", "directories"]);
        Ok(SkewedBy { columns, values, as_directories })
    }

    fn create_view(&mut self, or_replace: bool, materialized: bool) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name("a view")?;
        let mut columns = Vec::new();
        if self.peek_is(&Token::LParen) {
            columns = self.bracketed_list(|parser| {
                let column = parser.name("a column")?;
                Ok((column, parser.optional_text("comment", "a comment")?))
            })?;
        }
        let mut comment = None;
        let mut partitioned_on = Vec::new();
        let mut properties = Vec::new();
        while !self.word("as") {
            if self.word("comment") {
                comment = Some(self.text("a comment")?);
            } else if self.words(&["partitioned", "on"]) {
                partitioned_on = self.bracketed_list(|parser| parser.name("a column"))?;
            } else if self.word("tblproperties") {
                properties = self.properties()?;
            } else {
                return Err(self.expected("`AS`"));
            }
        }
        let (query, query_text) = self.query_with_text()?;
        Ok(Statement::CreateView(Box::new(CreateView {
            name,
            or_replace,
            materialized,
            if_not_exists,
            columns,
            comment,
            partitioned_on,
            properties,
            query,
            query_text,
        })))
    }

    fn create_database(&mut self) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.database_name()?;
        let mut database =
            CreateDatabase { name, if_not_exists, comment: None, location: None, properties: Vec::new() };
        loop {
            if self.word("comment") {
                database.comment = Some(self.text("a comment")?);
            } else if self.word("location") {
                database.location = Some(self.text("a location")?);
            } else if self.words(&["with", "dbproperties"]) {
                database.properties = self.properties()?;
            } else {
                return Ok(Statement::CreateDatabase(database));
            }
        }
    }

    /// The name of a database, which has no dot.
    pub(super) fn database_name(&mut self) -> Result<Name> {
        match self.object_name("a database")? {
            ObjectName { database: None, name } => Ok(name),
            ObjectName { database: Some(first), name } => {
                Err(Error::new(codes::SYNTAX, "the name of a database has no `.`").at(first.span.union(name.span)))
            }
        }
    }

    fn create_function(&mut self, temporary: bool) -> Result<Statement> {
        let name = self.object_name("a function")?;
        self.expect_word("as")?;
        let class = self.text("the class of the function")?;
        let mut resources = Vec::new();
        if self.word("using") {
            resources = self.list(|parser| {
                let is_kind = ["jar", "file", "archive"].iter().any(|kind| parser.peek_word(kind));
                if !is_kind {
                    return Err(parser.expected("`JAR`, `FILE` or `ARCHIVE`"));
                }
                let mut kind = parser.name("a kind of resource")?;
                kind.value = kind.value.to_uppercase();
                Ok((kind, parser.text("a path")?))
            })?;
        }
        Ok(Statement::CreateFunction(CreateFunction { name, temporary, class, resources }))
    }

    fn create_macro(&mut self) -> Result<Statement> {
        let name = self.name("a macro")?;
        let arguments = if self.peek_is(&Token::LParen) && self.parser.peek_nth_token_ref(1).token == Token::RParen {
            self.parser.advance_token();
            self.parser.advance_token();
            Vec::new()
        } else {
            self.bracketed_list(|parser| parser.column_def(true))?
        };
        let body = self.expr()?;
        Ok(Statement::CreateMacro(Box::new(CreateMacro { name, arguments, body })))
    }
}
