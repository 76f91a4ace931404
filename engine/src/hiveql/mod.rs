//! Text → [`Statement`], spans kept.
//!
//! Four thin layers around sqlparser, in the order in which Hive itself works: [`script`] cuts a script into
//! statements, [`variables`] substitutes `${…}`, [`tokens`] mends the token stream where Hive's lexer and grammar
//! differ from sqlparser's, and [`parser`] reads the statement, calling sqlparser for queries and expressions.

mod command;
mod diagnosis;
mod dialect;
mod finish;
mod lexeme;
mod parser;
mod script;
mod source_map;
mod statement;
mod tokens;
mod variables;
mod walk;

use std::sync::Arc;

use sqlparser::ast;

use crate::error::{Error, Result, SourceText, codes};

pub use script::{Piece, split};
pub use source_map::SourceMap;
pub use statement::*;
pub use tokens::literal::decimal_type;
pub use variables::Variables;
pub use walk::{Part, Rewriter, rewrite, walk};

/// A statement, and the way back from its text to the script.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub statement: Statement,
    pub map: SourceMap,
}

/// Substitutes, tokenizes and parses one piece of a script.
///
/// Errors: of kind Syntax or Unsupported, each with a span in `source`.
pub fn parse(source: &Arc<SourceText>, piece: &Piece, variables: &dyn Variables) -> Result<Parsed> {
    let parsed = || {
        let map = variables::substitute(source, piece, variables)?;
        let statement = match command::parse(&map)? {
            Some(command) => Statement::Command(command),
            None => parser::parse(&map, &tokens::tokenize(&map)?)?,
        };
        Ok(Parsed { statement, map })
    };
    parsed().map_err(|error: Error| error.at(piece.span).in_source(source))
}

/// Parses a query that is kept as text: that of a view.
///
/// Errors: as of [`parse`]; spans are those of `text`, which is no script.
pub fn parse_query_text(text: &str) -> Result<Box<ast::Query>> {
    let map = SourceMap::identity(text);
    if text.len() > u32::MAX as usize {
        return Err(Error::new(codes::SYNTAX, "a query longer than 4 GiB"));
    }
    parser::parse_query(&map, &tokens::tokenize(&map)?)
}

#[cfg(test)]
mod tests;
