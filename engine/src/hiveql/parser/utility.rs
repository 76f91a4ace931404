//! EXPLAIN, USE, LOAD, EXPORT, IMPORT, MSCK and ANALYZE.

use sqlparser::tokenizer::Token;

use crate::error::{Error, Result, codes};
use crate::hiveql::statement::{ExplainMode, Load, MsckAction, Statement};

use super::StatementParser;

impl StatementParser<'_> {
    /// What follows the word EXPLAIN.
    pub(super) fn explain(&mut self) -> Result<Statement> {
        const MODES: &[(&str, ExplainMode)] = &[
            ("extended", ExplainMode::Extended),
            ("formatted", ExplainMode::Formatted),
            ("dependency", ExplainMode::Dependency),
            ("logical", ExplainMode::Logical),
            ("physical", ExplainMode::Physical),
            ("authorization", ExplainMode::Other),
            ("locks", ExplainMode::Other),
            ("ast", ExplainMode::Other),
            ("cbo", ExplainMode::Other),
            ("reoptimization", ExplainMode::Other),
        ];
        let mut mode = ExplainMode::Plain;
        // ANALYZE TABLE may be what is explained.
        if self.peek_word("analyze") && !self.peek_nth_word(1, "table") {
            self.parser.advance_token();
            mode = ExplainMode::Analyze;
        } else if self.word("vectorization") {
            mode = ExplainMode::Vectorization;
            self.word("only");
            for detail in ["summary", "operator", "expression", "detail"] {
                self.word(detail);
            }
        } else if let Some((_, known)) = MODES.iter().find(|(word, _)| self.peek_word(word)) {
            self.parser.advance_token();
            mode = *known;
        }
        if self.peek_word("explain") {
            return Err(Error::new(codes::SYNTAX, "an EXPLAIN cannot be explained").at(self.here()));
        }
        Ok(Statement::Explain { mode, statement: Box::new(self.statement()?) })
    }

    pub(super) fn use_database(&mut self) -> Result<Statement> {
        self.expect_word("use")?;
        self.database_name().map(Statement::Use)
    }

    pub(super) fn load(&mut self) -> Result<Statement> {
        self.expect_words(&["load", "data"])?;
        let local = self.word("local");
        self.expect_word("inpath")?;
        let path = self.text("a path")?;
        let overwrite = self.word("overwrite");
        self.expect_words(&["into", "table"])?;
        let table = self.object_name("a table")?;
        let partition = self.optional_partition()?;
        let mut input_format = None;
        if self.word("inputformat") {
            input_format = Some((self.text("a class")?, self.optional_text("serde", "a class")?));
        }
        Ok(Statement::Load(Load { path, local, overwrite, table, partition, input_format }))
    }

    pub(super) fn export(&mut self) -> Result<Statement> {
        self.expect_words(&["export", "table"])?;
        let table = self.object_name("a table")?;
        let partition = self.optional_partition()?;
        self.expect_word("to")?;
        Ok(Statement::Export { table, partition, path: self.text("a path")? })
    }

    pub(super) fn import(&mut self) -> Result<Statement> {
        self.expect_word("import")?;
        let external = self.word("external");
        let mut table = None;
        if external || self.peek_word("table") {
            self.expect_word("table")?;
            table = Some(self.object_name("a table")?);
        }
        let partition = self.optional_partition()?;
        self.expect_word("from")?;
        let path = self.text("a path")?;
        let location = self.optional_text("location", "a location")?;
        Ok(Statement::Import { table, partition, path, external, location })
    }

    pub(super) fn msck(&mut self) -> Result<Statement> {
        self.expect_word("msck")?;
        let repair = self.word("repair");
        self.word("table");
        let table = self.object_name("a table")?;
        let action = if self.words(&["drop", "partitions"]) {
            MsckAction::Drop
        } else if self.words(&["sync", "partitions"]) {
            MsckAction::Sync
        } else {
            self.words(&["add", "partitions"]);
            MsckAction::Add
        };
        Ok(Statement::Msck { table, repair, action })
    }

    pub(super) fn analyze(&mut self) -> Result<Statement> {
        self.expect_words(&["analyze", "table"])?;
        let table = self.object_name("a table")?;
        let partition = self.optional_partition()?;
        self.expect_words(&["compute", "statistics"])?;
        let for_columns = self.words(&["for", "columns"]);
        let mut columns = None;
        if for_columns && matches!(self.peek().token, Token::Word(_)) {
            columns = Some(self.list(|parser| parser.name("a column"))?);
        }
        let no_scan = !for_columns && (self.word("noscan") || self.word("partialscan"));
        Ok(Statement::Analyze { table, partition, columns, for_columns, no_scan })
    }
}
