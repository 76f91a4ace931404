//! How the contrib RegexSerDe writes: `output.format.string`, a format of Java's `String.format`.
//!
//! Only `%s`, `%1$s`, `%n` and `%%` are understood; the columns are strings, so nothing else makes much sense.

use arrow::array::{Array, RecordBatch};

use crate::error::{Error, Result, codes};
use crate::serdes::Serializer;
use crate::serdes::hive_text::{bytes_value, locate};

/// A format, checked against the number of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FormatString {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A column by its index, from 0.
    Column(usize),
}

impl FormatString {
    pub(super) fn parse(format: &str, n_columns: usize) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut parts = format.split('%');
        pieces.push(Piece::Text(parts.next().unwrap_or_default().to_owned()));
        let mut n_ordinary = 0;
        while let Some(part) = parts.next() {
            let (piece, rest) = if part.is_empty() {
                // `%%`: the second sign ends here, and what follows it is plain.
                (Piece::Text("%".to_owned()), parts.next().unwrap_or_default())
            } else if let Some(rest) = part.strip_prefix('n') {
                (Piece::Text("\n".to_owned()), rest)
            } else if let Some(rest) = part.strip_prefix('s') {
                n_ordinary += 1;
                (Piece::Column(n_ordinary - 1), rest)
            } else {
                let column =
                    part.split_once("$s").and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
                match column {
                    Some((number @ 1.., rest)) => (Piece::Column(number - 1), rest),
                    _ => {
                        let message = format!("output.format.string `{format}` has more than `%s`, `%1$s`, `%n`, `%%`");
                        return Err(Error::new(codes::BAD_SERDE_PROPERTY, message));
                    }
                }
            };
            if matches!(piece, Piece::Column(column_idx) if column_idx >= n_columns) {
                let message =
                    format!("The table contains {n_columns} columns, but the outputFormatString is asking for more");
                return Err(Error::new(codes::BAD_SERDE_PROPERTY, message));
            }
            pieces.push(piece);
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(FormatString { pieces })
    }
}

/// Writes rows through a format.
pub(super) struct FormattedWriter {
    format: FormatString,
    n_columns: usize,
}

impl FormattedWriter {
    pub(super) fn new(format: FormatString, n_columns: usize) -> Self {
        FormattedWriter { format, n_columns }
    }
}

impl Serializer for FormattedWriter {
    fn serialize(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        if batch.num_columns() != self.n_columns {
            let message = format!(
                "Cannot serialize the object because there are {} fields but the table has {} columns",
                batch.num_columns(),
                self.n_columns
            );
            return Err(Error::new(codes::SEMANTIC, message));
        }
        for row_idx in 0..batch.num_rows() {
            for piece in &self.format.pieces {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                    Piece::Column(column_idx) => write_text(batch.column(*column_idx), row_idx, out)?,
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }
}

fn write_text(column: &dyn Array, row_idx: usize, out: &mut Vec<u8>) -> Result<()> {
    match locate(column, row_idx) {
        // Java formats null so.
        None => out.extend_from_slice(b"null"),
        Some((array, row_idx)) => {
            let text = bytes_value(array, row_idx)
                .ok_or_else(|| Error::internal("the contrib RegexSerDe was given a column that is no string"))?;
            out.extend_from_slice(text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let format = FormatString::parse("%1$s [%2$s] 100%%-%s%n", 2).unwrap();
        let expect = [
            text(""),
            Piece::Column(0),
            text(" ["),
            Piece::Column(1),
            text("] 100"),
            text("%"),
            text("-"),
            Piece::Column(0),
            text(""),
            text("\n"),
            text(""),
        ];
        assert_eq!(format.pieces, expect);
        assert!(FormatString::parse("%3$s", 2).is_err());
        assert!(FormatString::parse("%d", 2).is_err());
        assert!(FormatString::parse("%0$s", 2).is_err());
    }
}
