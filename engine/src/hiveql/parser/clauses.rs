//! The clauses of CREATE TABLE that other statements have too: columns, ROW FORMAT, STORED AS.

use sqlparser::tokenizer::{self, Token};

use crate::error::Result;
use crate::hiveql::statement::{ColumnDef, Delimited, RowFormat, StoredAs, Text};

use super::StatementParser;

impl StatementParser<'_> {
    /// `a INT COMMENT 'x'`; the type may be absent where there is a query to take it from.
    pub(super) fn column_def(&mut self, is_typed: bool) -> Result<ColumnDef> {
        let name = self.name("a column")?;
        let is_untyped = !is_typed && matches!(self.peek().token, Token::Comma | Token::RParen);
        let data_type = if is_untyped { None } else { Some(self.data_type()?) };
        let mut column = ColumnDef { name, data_type, comment: None, constraints: Vec::new() };
        loop {
            if self.word("comment") {
                column.comment = Some(self.text("a comment")?);
            } else if matches!(self.peek().token, Token::Word(_))
                && !["after", "first", "cascade", "restrict"].iter().any(|word| self.peek_word(word))
            {
                column.constraints.push(self.constraint()?);
            } else {
                return Ok(column);
            }
        }
    }

    /// `PRIMARY KEY (a) DISABLE NOVALIDATE`, `NOT NULL`, `DEFAULT 1`, `CHECK (…)`: up to the next comma, COMMENT, or
    /// bracket that closes.
    pub(super) fn constraint(&mut self) -> Result<Text> {
        const STARTS: &[&str] =
            &["constraint", "primary", "foreign", "unique", "check", "not", "default", "null", "references"];
        const WORDS: &[&str] = &["enable", "disable", "validate", "novalidate", "rely", "norely", "enforced"];
        if !STARTS.iter().chain(WORDS).any(|word| self.peek_word(word)) {
            return Err(self.expected("`,`, `)`, `COMMENT` or a constraint"));
        }
        let start = self.here();
        let first = self.peek().span;
        let mut depth = 0_usize;
        loop {
            match self.peek().token {
                Token::EOF => return Err(self.expected("`)`")),
                Token::Comma if depth == 0 => break,
                Token::RParen if depth == 0 => break,
                Token::Word(_) if depth == 0 && self.peek_word("comment") => break,
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            self.parser.advance_token();
        }
        let last = self.parser.get_current_token().span;
        let value = self.map.text_of(tokenizer::Span::new(first.start, last.end)).to_owned();
        Ok(Text { value, span: self.since(start) })
    }

    pub(super) fn optional_row_format(&mut self) -> Result<Option<RowFormat>> {
        if !self.words(&["row", "format"]) {
            return Ok(None);
        }
        if self.word("serde") {
            let class = self.text("the class of the SerDe")?;
            let has_properties = self.words(&["with", "serdeproperties"]);
            let properties = if has_properties { self.properties()? } else { Vec::new() };
            return Ok(Some(RowFormat::Serde { class, properties }));
        }
        if !self.word("delimited") {
            return Err(self.expected("`DELIMITED` or `SERDE`"));
        }
        let mut delimited = Delimited::default();
        loop {
            let target = if self.words(&["fields", "terminated", "by"]) {
                &mut delimited.fields_terminated_by
            } else if self.words(&["escaped", "by"]) {
                &mut delimited.escaped_by
            } else if self.words(&["collection", "items", "terminated", "by"]) {
                &mut delimited.collection_items_terminated_by
            } else if self.words(&["map", "keys", "terminated", "by"]) {
                &mut delimited.map_keys_terminated_by
            } else if self.words(&["lines", "terminated", "by"]) {
                &mut delimited.lines_terminated_by
            } else if self.words(&["null", "defined", "as"]) {
                &mut delimited.null_defined_as
            } else {
                return Ok(Some(RowFormat::Delimited(delimited)));
            };
            *target = Some(self.text("the delimiter")?);
        }
    }

    /// What follows STORED AS or SET FILEFORMAT.
    pub(super) fn file_format(&mut self) -> Result<StoredAs> {
        if self.word("inputformat") {
            let input = self.text("a class")?;
            self.expect_word("outputformat")?;
            return Ok(StoredAs::InputOutput { input, output: self.text("a class")? });
        }
        let mut name = self.name("a file format")?;
        name.value = name.value.to_uppercase();
        Ok(StoredAs::Format(name))
    }

    pub(super) fn optional_stored_as(&mut self) -> Result<Option<StoredAs>> {
        if self.words(&["stored", "as"]) { self.file_format().map(Some) } else { Ok(None) }
    }
}
