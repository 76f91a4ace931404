//! JSON: an array of objects, or an object a line.
//!
//! Numbers, booleans and NULL are JSON's own; a float that is no number in JSON is null; dates, timestamps and binary
//! are the text that Hive prints. Arrays are arrays, structs and maps are objects. Written by hand rather than with
//! arrow's writer, which has other texts for timestamps and takes maps with text keys only.

use std::borrow::Cow;
use std::io::{self, Write};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float16Type, Float32Type, Float64Type, SchemaRef};
use arrow::record_batch::RecordBatch;
use logq_engine::error::Result;
use logq_engine::serdes::CellFormatter;

use super::{RowWriter, is_null};

/// How objects are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Array,
    Lines,
}

pub struct Json {
    frame: Frame,
    schema: SchemaRef,
    /// The names of the columns as JSON strings.
    names: Vec<String>,
    encoder: Encoder,
    /// One row; kept to use its memory again.
    line: String,
    n_rows: u64,
}

impl Json {
    pub fn array(schema: SchemaRef) -> Self {
        Json::new(schema, Frame::Array)
    }

    pub fn lines(schema: SchemaRef) -> Self {
        Json::new(schema, Frame::Lines)
    }

    fn new(schema: SchemaRef, frame: Frame) -> Self {
        let names = schema.fields().iter().map(|field| quoted(field.name())).collect();
        Json { frame, schema, names, encoder: Encoder::new(), line: String::new(), n_rows: 0 }
    }
}

impl RowWriter for Json {
    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.frame {
            Frame::Array => out.write_all(b"["),
            Frame::Lines => Ok(()),
        }
    }

    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            self.line.clear();
            if self.frame == Frame::Array {
                self.line.push_str(if self.n_rows == 0 { "\n" } else { ",\n" });
            }
            self.line.push('{');
            for (idx, (name, column)) in self.names.iter().zip(batch.columns()).enumerate() {
                if idx > 0 {
                    self.line.push(',');
                }
                self.line.push_str(name);
                self.line.push(':');
                let field = self.schema.field(idx);
                self.encoder.encode(field, column, row, &mut self.line).map_err(io::Error::other)?;
            }
            self.line.push('}');
            if self.frame == Frame::Lines {
                self.line.push('\n');
            }
            out.write_all(self.line.as_bytes())?;
            self.n_rows += 1;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.frame, self.n_rows) {
            (Frame::Lines, _) => Ok(()),
            (Frame::Array, 0) => out.write_all(b"]\n"),
            (Frame::Array, _) => out.write_all(b"\n]\n"),
        }
    }
}

/// Cells → JSON values.
struct Encoder {
    formatter: CellFormatter,
    text: Vec<u8>,
}

impl Encoder {
    fn new() -> Self {
        Encoder { formatter: CellFormatter::new("NULL"), text: Vec::new() }
    }

    fn encode(&mut self, field: &Field, array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
        if is_null(array, row) {
            out.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
            DataType::Float16 => push_float(array.as_primitive::<Float16Type>().value(row).to_f32(), out),
            DataType::Float32 => push_float(array.as_primitive::<Float32Type>().value(row), out),
            DataType::Float64 => push_float(array.as_primitive::<Float64Type>().value(row), out),
            data_type if data_type.is_numeric() => out.push_str(&self.text(field, array, row)?),
            DataType::List(item) => self.encode_list(item, &array.as_list::<i32>().value(row), out)?,
            DataType::LargeList(item) => self.encode_list(item, &array.as_list::<i64>().value(row), out)?,
            DataType::FixedSizeList(item, _) => {
                self.encode_list(item, &array.as_fixed_size_list().value(row), out)?;
            }
            DataType::Struct(fields) => {
                out.push('{');
                for (idx, (field, column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
                    if idx > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(field.name()));
                    out.push(':');
                    self.encode(field, column, row, out)?;
                }
                out.push('}');
            }
            DataType::Map(_, _) => {
                let entries = array.as_map().value(row);
                let (key, value) = (&entries.fields()[0], &entries.fields()[1]);
                out.push('{');
                for entry in 0..entries.len() {
                    if entry > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(&self.text(key, entries.column(0), entry)?));
                    out.push(':');
                    self.encode(value, entries.column(1), entry, out)?;
                }
                out.push('}');
            }
            _ => out.push_str(&quoted(&self.text(field, array, row)?)),
        }
        Ok(())
    }

    fn encode_list(&mut self, field: &Field, items: &dyn Array, out: &mut String) -> Result<()> {
        out.push('[');
        for item in 0..items.len() {
            if item > 0 {
                out.push(',');
            }
            self.encode(field, items, item, out)?;
        }
        out.push(']');
        Ok(())
    }

    /// A cell's text, as Hive prints it.
    fn text(&mut self, field: &Field, array: &dyn Array, row: usize) -> Result<Cow<'_, str>> {
        self.text.clear();
        self.formatter.write(field, array, row, &mut self.text)?;
        Ok(String::from_utf8_lossy(&self.text))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The shortest text that reads back as the same float; `null` for NaN and the infinities.
fn push_float<T: serde::Serialize>(value: T, out: &mut String) {
    out.push_str(&serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned()));
}
