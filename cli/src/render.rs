//! Rows → text on standard output, one file for each family of formats.
//!
//! Formats write as rows come and hold nothing back but `table`, which looks at up to a thousand rows before it chooses
//! its widths. Cells look as Hive's command prints them; only JSON has types of its own.

mod json;
mod markdown;
mod table;
mod text;
mod vertical;

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use logq_engine::qualified_name;
use logq_engine::serdes::CellFormatter;

use crate::args::Format;

/// How rows are to look.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Never `Auto`.
    pub format: Format,
    /// Column names in `table`, `csv` and `tsv`; the other formats have them by nature.
    pub header: bool,
    /// What a NULL looks like, if the user said so.
    pub null: Option<String>,
    /// Columns of the terminal, where known.
    pub width: Option<u16>,
}

/// Writes the rows of one statement. Called in the order of its methods.
///
/// Errors: those of `out`, and the engine's error of a cell that has no text, wrapped.
pub trait RowWriter {
    /// What stands before the first row.
    fn start(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Rows; may keep them for later.
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()>;

    /// What is kept, and what stands behind the last row. Not called after a failure.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// The columns under the names that a layout shows.
///
/// Where a row of names is printed these are Hive's: `t.a` for the columns of `*` and for `t.a`, unless
/// `hive.resultset.use.unique.column.names` is off. Keys of JSON are what a program asks for: plain names, and Hive's
/// where two columns have one name.
pub fn named_columns(schema: &SchemaRef, format: Format, unique_names: bool) -> SchemaRef {
    let n_columns_of = |name: &str| schema.fields().iter().filter(|field| field.name() == name).count();
    let name = |field: &Field| match format {
        _ if !unique_names => field.name().clone(),
        Format::Json | Format::Jsonl if n_columns_of(field.name()) == 1 => field.name().clone(),
        _ => qualified_name(field).into_owned(),
    };
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_name(name(field)));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// Makes the writer of a layout.
pub fn row_writer(schema: &SchemaRef, layout: &Layout) -> Box<dyn RowWriter> {
    let schema = schema.clone();
    let null = layout.null.as_deref();
    match layout.format {
        Format::Table => Box::new(table::Table::new(schema, layout)),
        Format::Vertical => Box::new(vertical::Vertical::new(schema, null)),
        Format::Csv => Box::new(text::Csv::new(schema, null, layout.header)),
        Format::Tsv | Format::Auto => Box::new(text::Tsv::new(schema, null, layout.header)),
        Format::Json => Box::new(json::Json::array(schema)),
        Format::Jsonl => Box::new(json::Json::lines(schema)),
        Format::Markdown => Box::new(markdown::Markdown::new(schema, null)),
        Format::Null => Box::new(Nothing),
    }
}

/// Makes the writer of rows that are lines of text, as EXPLAIN gives: printed as they are, whatever the format.
pub fn line_writer(schema: &SchemaRef) -> Box<dyn RowWriter> {
    Box::new(text::Tsv::new(schema.clone(), None, false))
}

struct Nothing;

impl RowWriter for Nothing {
    fn start(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, _batch: &RecordBatch, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// The text of cells, as Hive's command prints them.
struct Cells {
    schema: SchemaRef,
    formatter: CellFormatter,
    /// One cell; kept to use its memory again.
    text: Vec<u8>,
}

impl Cells {
    fn new(schema: SchemaRef, null: Option<&str>) -> Self {
        Cells { schema, formatter: CellFormatter::new(null.unwrap_or("NULL")), text: Vec::new() }
    }

    /// The names of the columns.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// The bytes of one cell.
    fn bytes(&mut self, batch: &RecordBatch, column: usize, row: usize) -> io::Result<&[u8]> {
        self.text.clear();
        let field = self.schema.field(column);
        self.formatter.write(field, batch.column(column), row, &mut self.text).map_err(io::Error::other)?;
        Ok(&self.text)
    }

    /// The text of one cell.
    fn text(&mut self, batch: &RecordBatch, column: usize, row: usize) -> io::Result<Cow<'_, str>> {
        self.bytes(batch, column, row).map(String::from_utf8_lossy)
    }
}

/// Whether a cell is NULL; every cell of a column of type void is.
fn is_null(array: &dyn Array, row: usize) -> bool {
    array.data_type() == &DataType::Null || array.is_null(row)
}

/// Whether a column stands on the right side of its place.
fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Text on one line that does not steer a terminal: log lines are other people's text.
fn one_line(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
        line
    })
}

#[cfg(test)]
mod tests;
