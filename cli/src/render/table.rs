//! A table with a frame.
//!
//! Widths are chosen from the first thousand rows; later rows are printed in chunks of the same widths, and a longer
//! value is wrapped inside its cell, so that nothing is lost and memory stays bounded.

use std::io::{self, Write};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Width};

use super::{Cells, Layout, RowWriter, is_number, one_line};

/// Rows of one chunk.
const CHUNK_ROWS: usize = 1000;

pub struct Table {
    cells: Cells,
    header: bool,
    /// Of the terminal, where known.
    width: Option<u16>,
    chunk: comfy_table::Table,
    /// The widths of the columns, once the first chunk was printed.
    widths: Option<Vec<u16>>,
    /// Closes the frame.
    last_line: Option<String>,
}

impl Table {
    pub fn new(schema: SchemaRef, layout: &Layout) -> Self {
        let mut table = Table {
            cells: Cells::new(schema, layout.null.as_deref()),
            header: layout.header,
            width: layout.width,
            chunk: comfy_table::Table::new(),
            widths: None,
            last_line: None,
        };
        table.chunk = table.new_chunk();
        table
    }

    fn new_chunk(&self) -> comfy_table::Table {
        let mut chunk = comfy_table::Table::new();
        chunk.load_preset(UTF8_FULL_CONDENSED);
        if self.widths.is_none() {
            if self.header {
                chunk.set_header(self.cells.names().map(one_line));
            }
            // A terminal that does not know its width says 0.
            if let Some(width) = self.width.or_else(|| chunk.width()).filter(|width| *width > 0) {
                chunk.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            }
        }
        chunk
    }

    fn print_chunk(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let is_first = self.widths.is_none();
        let mut chunk = std::mem::take(&mut self.chunk);
        if let Some(widths) = &self.widths {
            // A constraint is for a column that is there: without a header it is its rows that make it.
            chunk.set_constraints(widths.iter().map(|width| ColumnConstraint::Absolute(Width::Fixed(*width))));
        }
        let mut lines: Vec<String> = chunk.lines().collect();
        if is_first {
            self.widths = lines.first().map(|frame| frame_widths(frame));
        } else if !lines.is_empty() {
            lines.remove(0);
        }
        self.last_line = lines.pop();
        self.chunk = self.new_chunk();
        for line in lines {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl RowWriter for Table {
    fn start(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            let mut cells = Vec::with_capacity(batch.num_columns());
            for (idx, column) in batch.columns().iter().enumerate() {
                let cell = Cell::new(one_line(&self.cells.text(batch, idx, row)?));
                let side = if is_number(column.data_type()) { CellAlignment::Right } else { CellAlignment::Left };
                cells.push(cell.set_alignment(side));
            }
            self.chunk.add_row(cells);
            if self.chunk.row_count() == CHUNK_ROWS {
                self.print_chunk(out)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.widths.is_none() || self.chunk.row_count() > 0 {
            self.print_chunk(out)?;
        }
        match self.last_line.take() {
            Some(line) => writeln!(out, "{line}"),
            None => Ok(()),
        }
    }
}

/// The widths of the columns, padding included, as the frame above them shows: `┌────┬──┐`.
fn frame_widths(frame: &str) -> Vec<u16> {
    let inside = frame.trim_start_matches('┌').trim_end_matches('┐');
    inside.split('┬').map(|segment| segment.chars().count() as u16).collect()
}
