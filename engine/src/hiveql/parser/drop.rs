//! DROP and TRUNCATE.

use crate::error::Result;
use crate::hiveql::statement::{Drop, DropObject, ObjectName, Statement};

use super::{StatementParser, UNSUPPORTED};

impl StatementParser<'_> {
    pub(super) fn drop(&mut self) -> Result<Statement> {
        self.expect_word("drop")?;
        let temporary = self.word("temporary");
        let (mut object, what) = if self.word("function") {
            (DropObject::Function { temporary }, "a function")
        } else if self.word("macro") {
            (DropObject::Macro, "a macro")
        } else if temporary {
            return Err(self.expected("`FUNCTION` or `MACRO`"));
        } else if self.word("table") {
            (DropObject::Table { purge: false }, "a table")
        } else if self.word("view") {
            (DropObject::View, "a view")
        } else if self.words(&["materialized", "view"]) {
            (DropObject::MaterializedView, "a view")
        } else if self.word("database") || self.word("schema") {
            (DropObject::Database { cascade: false }, "a database")
        } else if UNSUPPORTED.iter().any(|word| self.peek_word(word)) {
            return Err(self.unsupported("DROP"));
        } else {
            return Err(self.expected("`TABLE`, `VIEW`, `DATABASE`, `FUNCTION` or `MACRO`"));
        };
        let if_exists = self.if_exists();
        let name = match object {
            DropObject::Database { .. } => ObjectName { database: None, name: self.database_name()? },
            _ => self.object_name(what)?,
        };
        match &mut object {
            DropObject::Table { purge } => *purge = self.word("purge"),
            DropObject::Database { cascade } => *cascade = self.word("cascade") || self.no_restrict(),
            _ => {}
        }
        Ok(Statement::Drop(Drop { object, name, if_exists }))
    }

    /// Reads RESTRICT, which is the default.
    fn no_restrict(&mut self) -> bool {
        self.word("restrict");
        false
    }

    pub(super) fn truncate(&mut self) -> Result<Statement> {
        self.expect_word("truncate")?;
        self.word("table");
        let table = self.object_name("a table")?;
        Ok(Statement::Truncate { table, partition: self.optional_partition()? })
    }
}
