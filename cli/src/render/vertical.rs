//! A line for each column, for rows that are too wide to be read as a table.
//!
//! ```text
//! *** row 1 ***
//!       os: iOS
//! requests: 3
//! ```

use std::io::{self, Write};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::{Cells, RowWriter, one_line};

pub struct Vertical {
    /// Padded on the left to the same number of characters.
    names: Vec<String>,
    cells: Cells,
    n_rows: u64,
}

impl Vertical {
    pub fn new(schema: SchemaRef, null: Option<&str>) -> Self {
        let names: Vec<_> = schema.fields().iter().map(|field| one_line(field.name())).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let names = names.into_iter().map(|name| format!("{name:>width$}")).collect();
        Vertical { names, cells: Cells::new(schema, null), n_rows: 0 }
    }
}

impl RowWriter for Vertical {
    fn start(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            self.n_rows += 1;
            writeln!(out, "*** row {} ***", self.n_rows)?;
            for (column, name) in self.names.iter().enumerate() {
                writeln!(out, "{name}: {}", one_line(&self.cells.text(batch, column, row)?))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
