//! `PARTITION (dt='x', hr)`.

use sqlparser::ast::BinaryOperator;
use sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::hiveql::statement::{PartitionPart, PartitionSpec};

use super::StatementParser;

impl StatementParser<'_> {
    /// The word PARTITION and what follows it.
    pub(super) fn partition(&mut self) -> Result<PartitionSpec> {
        let start = self.here();
        self.expect_word("partition")?;
        let parts = self.bracketed_list(Self::partition_part)?;
        Ok(PartitionSpec { parts, span: self.since(start) })
    }

    pub(super) fn optional_partition(&mut self) -> Result<Option<PartitionSpec>> {
        if self.peek_word("partition") { self.partition().map(Some) } else { Ok(None) }
    }

    /// `dt`, `dt='x'`, `dt >= 'x'`.
    fn partition_part(&mut self) -> Result<PartitionPart> {
        let name = self.name("a partition column")?;
        let operator = match self.peek().token {
            Token::Eq | Token::DoubleEq => BinaryOperator::Eq,
            Token::Neq => BinaryOperator::NotEq,
            Token::Lt => BinaryOperator::Lt,
            Token::LtEq => BinaryOperator::LtEq,
            Token::Gt => BinaryOperator::Gt,
            Token::GtEq => BinaryOperator::GtEq,
            _ => return Ok(PartitionPart { name, value: None }),
        };
        self.parser.advance_token();
        Ok(PartitionPart { name, value: Some((operator, self.expr()?)) })
    }
}
