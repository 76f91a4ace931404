//! ALTER TABLE and ALTER VIEW.

use sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::hiveql::statement::{AlterOperation, AlterTable, AlterView, ColumnPosition, PartitionSpec, Statement};

use super::{StatementParser, UNSUPPORTED};

/// ALTER TABLE operations that Hive has and logq does not.
const UNSUPPORTED_OPERATIONS: &[&str] =
    &["archive", "unarchive", "compact", "enable", "disable", "clustered", "skewed", "not", "into", "update"];

impl StatementParser<'_> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        self.expect_word("alter")?;
        if self.word("view") {
            return self.alter_view();
        }
        if !self.word("table") {
            let known = ["database", "schema", "materialized"].iter().chain(UNSUPPORTED);
            let is_known = known.into_iter().any(|word| self.peek_word(word));
            return Err(if is_known { self.unsupported("ALTER") } else { self.expected("`TABLE` or `VIEW`") });
        }
        let name = self.object_name("a table")?;
        let partition = self.optional_partition()?;
        let operation = self.alter_operation(partition.is_some())?;
        let changes_columns = matches!(
            operation,
            AlterOperation::AddColumns(_) | AlterOperation::ReplaceColumns(_) | AlterOperation::ChangeColumn { .. }
        );
        let cascade = changes_columns && self.word("cascade");
        if changes_columns && !cascade {
            // The default.
            self.word("restrict");
        }
        Ok(Statement::AlterTable(Box::new(AlterTable { name, partition, operation, cascade })))
    }

    fn alter_operation(&mut self, has_partition: bool) -> Result<AlterOperation> {
        if self.word("add") {
            if self.word("columns") {
                return self.bracketed_list(|parser| parser.column_def(true)).map(AlterOperation::AddColumns);
            }
            if self.peek_word("constraint") {
                return Err(self.unsupported("ALTER TABLE … ADD"));
            }
            let if_not_exists = self.if_not_exists();
            return Ok(AlterOperation::AddPartitions { if_not_exists, partitions: self.added_partitions()? });
        }
        if self.word("drop") {
            if self.peek_word("constraint") {
                return Err(self.unsupported("ALTER TABLE … DROP"));
            }
            let if_exists = self.if_exists();
            let partitions = self.list(Self::partition)?;
            return Ok(AlterOperation::DropPartitions { if_exists, partitions, purge: self.word("purge") });
        }
        if self.words(&["rename", "to"]) {
            return if has_partition {
                self.partition().map(AlterOperation::RenamePartition)
            } else {
                self.object_name("the new name of the table").map(AlterOperation::Rename)
            };
        }
        if self.word("set") {
            return self.alter_set();
        }
        if self.words(&["unset", "tblproperties"]) {
            let if_exists = self.if_exists();
            let keys = self.bracketed_list(|parser| parser.text("the name of a property"))?;
            return Ok(AlterOperation::UnsetProperties { if_exists, keys });
        }
        if self.words(&["replace", "columns"]) {
            return self.bracketed_list(|parser| parser.column_def(true)).map(AlterOperation::ReplaceColumns);
        }
        if self.word("change") {
            return self.change_column();
        }
        if self.words(&["recover", "partitions"]) {
            return Ok(AlterOperation::RecoverPartitions);
        }
        if self.word("concatenate") {
            return Ok(AlterOperation::Concatenate);
        }
        if self.word("exchange") {
            let partition = self.partition()?;
            self.expect_words(&["with", "table"])?;
            return Ok(AlterOperation::ExchangePartition { partition, with: self.object_name("a table")? });
        }
        if self.word("touch") {
            return self.optional_partition().map(AlterOperation::Touch);
        }
        if UNSUPPORTED_OPERATIONS.iter().any(|word| self.peek_word(word)) {
            return Err(self.unsupported("ALTER TABLE …"));
        }
        Err(self.expected("`ADD`, `DROP`, `SET`, `RENAME`, `CHANGE` or another operation of ALTER TABLE"))
    }

    /// `PARTITION (…) [LOCATION '…'] [,] PARTITION …`.
    fn added_partitions(&mut self) -> Result<Vec<(PartitionSpec, Option<crate::hiveql::Text>)>> {
        let mut partitions = Vec::new();
        loop {
            let partition = self.partition()?;
            partitions.push((partition, self.optional_text("location", "a location")?));
            if !self.token(&Token::Comma) && !self.peek_word("partition") {
                return Ok(partitions);
            }
        }
    }

    fn alter_set(&mut self) -> Result<AlterOperation> {
        if self.word("location") {
            return self.text("a location").map(AlterOperation::SetLocation);
        }
        if self.word("tblproperties") {
            return self.properties().map(AlterOperation::SetProperties);
        }
        if self.word("serdeproperties") {
            return self.properties().map(AlterOperation::SetSerdeProperties);
        }
        if self.word("serde") {
            let class = self.text("the class of the SerDe")?;
            let has_properties = self.words(&["with", "serdeproperties"]);
            let properties = if has_properties { self.properties()? } else { Vec::new() };
            return Ok(AlterOperation::SetSerde { class, properties });
        }
        if self.word("fileformat") {
            return self.file_format().map(AlterOperation::SetFileFormat);
        }
        if ["skewed", "owner"].iter().any(|word| self.peek_word(word)) {
            return Err(self.unsupported("ALTER TABLE … SET"));
        }
        Err(self.expected("`LOCATION`, `TBLPROPERTIES`, `SERDEPROPERTIES`, `SERDE` or `FILEFORMAT`"))
    }

    fn change_column(&mut self) -> Result<AlterOperation> {
        self.word("column");
        let from = self.name("a column")?;
        let to = self.column_def(true)?;
        let position = if self.word("first") {
            Some(ColumnPosition::First)
        } else if self.word("after") {
            Some(ColumnPosition::After(self.name("a column")?))
        } else {
            None
        };
        Ok(AlterOperation::ChangeColumn { from, to, position })
    }

    fn alter_view(&mut self) -> Result<Statement> {
        let name = self.object_name("a view")?;
        let operation = if self.words(&["set", "tblproperties"]) {
            AlterView::SetProperties(self.properties()?)
        } else if self.words(&["rename", "to"]) {
            AlterView::Rename(self.object_name("the new name of the view")?)
        } else if self.word("as") || self.peek_word("select") {
            let (query, query_text) = self.query_with_text()?;
            AlterView::As { query, query_text }
        } else {
            return Err(self.expected("`AS`, `SET TBLPROPERTIES` or `RENAME TO`"));
        };
        Ok(Statement::AlterView { name, operation })
    }
}
