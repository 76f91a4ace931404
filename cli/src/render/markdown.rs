//! A table in GitHub's Markdown, written as rows come.

use std::io::{self, Write};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::{Cells, RowWriter, is_number};

pub struct Markdown {
    cells: Cells,
}

impl Markdown {
    pub fn new(schema: SchemaRef, null: Option<&str>) -> Self {
        Markdown { cells: Cells::new(schema, null) }
    }
}

impl RowWriter for Markdown {
    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for name in self.cells.names() {
            write!(out, "| {} ", escape(name))?;
        }
        out.write_all(b"|\n")?;
        for field in self.cells.schema.fields() {
            out.write_all(if is_number(field.data_type()) { b"| ---: " } else { b"| --- " })?;
        }
        out.write_all(b"|\n")
    }

    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                write!(out, "| {} ", escape(&self.cells.text(batch, column, row)?))?;
            }
            out.write_all(b"|\n")?;
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// What would end a cell or a row, or be taken for HTML.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
    text.replace("\r\n", "<br>").replace(['\n', '\r'], "<br>")
}
