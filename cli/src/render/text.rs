//! TSV as Hive's command prints it, and CSV after RFC 4180.

use std::io::{self, Write};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::{Cells, RowWriter, is_null};

/// Values with tabs between them, raw: a tab or a line break in a value is written as it is, as Hive does.
pub struct Tsv {
    cells: Cells,
    header: bool,
}

impl Tsv {
    pub fn new(schema: SchemaRef, null: Option<&str>, header: bool) -> Self {
        Tsv { cells: Cells::new(schema, null), header }
    }
}

impl RowWriter for Tsv {
    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.header {
            return Ok(());
        }
        let names: Vec<_> = self.cells.names().collect();
        writeln!(out, "{}", names.join("\t"))
    }

    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                if column > 0 {
                    out.write_all(b"\t")?;
                }
                out.write_all(self.cells.bytes(batch, column, row)?)?;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// Values with commas between them, quoted where they must be; lines end in `\n`.
///
/// Nulls: an empty field, while an empty string is `""`, so that the two can be told apart; with a text for NULL,
/// a string that is the same text is quoted.
pub struct Csv {
    cells: Cells,
    null: String,
    header: bool,
}

impl Csv {
    pub fn new(schema: SchemaRef, null: Option<&str>, header: bool) -> Self {
        Csv { cells: Cells::new(schema, None), null: null.unwrap_or_default().to_owned(), header }
    }
}

impl RowWriter for Csv {
    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.header {
            return Ok(());
        }
        for (idx, name) in self.cells.names().enumerate() {
            if idx > 0 {
                out.write_all(b",")?;
            }
            write_field(name, &self.null, out)?;
        }
        out.write_all(b"\n")
    }

    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                if column > 0 {
                    out.write_all(b",")?;
                }
                if is_null(batch.column(column), row) {
                    out.write_all(self.null.as_bytes())?;
                } else {
                    write_field(&self.cells.text(batch, column, row)?, &self.null, out)?;
                }
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// A field, quoted if it would be taken for more than one field, or for NULL.
fn write_field(text: &str, null: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.contains([',', '"', '\n', '\r']) || text == null {
        write!(out, "\"{}\"", text.replace('"', "\"\""))
    } else {
        out.write_all(text.as_bytes())
    }
}
