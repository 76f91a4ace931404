//! Rows as LazySimpleSerDe writes them.
//!
//! Source: `LazySimpleSerDe.serialize`, `LazyUtils.writeEscaped`. An array takes one separator more than what it is
//! in, a map two, a struct one; NULL is the null format at every depth.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::delimited::DelimitedFormat;
use super::hive_text::{bytes_value, char_padding, is_binary, locate, write_integer, write_primitive};
use super::{Serializer, base64};
use crate::error::{Error, Result, codes};
use crate::hive_type::character_limit;

/// Writes rows as delimited text.
pub(super) struct TextWriter {
    format: Arc<DelimitedFormat>,
    columns: SchemaRef,
    /// Which bytes of text get the escape character before them.
    needs_escape: Option<Box<[bool; 256]>>,
}

impl TextWriter {
    pub(super) fn new(format: Arc<DelimitedFormat>, columns: &SchemaRef) -> Result<Self> {
        for field in columns.fields() {
            let n_levels = 1 + levels(field.data_type());
            if n_levels > format.separators.len() {
                let message = format!(
                    "column `{}` is nested {n_levels} levels deep, LazySimpleSerDe has separators for {}",
                    field.name(),
                    format.separators.len()
                );
                return Err(Error::new(codes::UNSUPPORTED_TYPE, message).with_hint(
                    "the serde property 'hive.serialization.extend.nesting.levels'='true' gives 24 levels",
                ));
            }
        }
        let needs_escape = format.escape.map(|escape| {
            let mut needs_escape = Box::new([false; 256]);
            needs_escape[usize::from(escape)] = true;
            for &separator in &format.separators {
                needs_escape[usize::from(separator)] = true;
            }
            if format.escape_line_breaks {
                needs_escape[usize::from(b'\n')] = true;
                needs_escape[usize::from(b'\r')] = true;
            }
            needs_escape
        });
        Ok(TextWriter { format, columns: Arc::clone(columns), needs_escape })
    }

    fn write_value(
        &self,
        field: &Field,
        array: &dyn Array,
        row_idx: usize,
        level: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let Some((array, row_idx)) = locate(array, row_idx) else {
            out.extend_from_slice(&self.format.null);
            return Ok(());
        };
        if let Some(bytes) = bytes_value(array, row_idx) {
            if is_binary(array.data_type()) {
                base64::encode(bytes, out);
            } else {
                self.write_text(bytes, out);
                out.extend(std::iter::repeat_n(b' ', char_padding(field, bytes)));
            }
            return Ok(());
        }
        match array.data_type() {
            DataType::List(item) => self.write_items(item, &array.as_list::<i32>().value(row_idx), level, out),
            DataType::LargeList(item) => self.write_items(item, &array.as_list::<i64>().value(row_idx), level, out),
            DataType::FixedSizeList(item, _) => {
                self.write_items(item, &array.as_fixed_size_list().value(row_idx), level, out)
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let entries = map.value(row_idx);
                let (key, value) = map.entries_fields();
                for entry_idx in 0..entries.len() {
                    if entry_idx > 0 {
                        out.push(self.separator(level)?);
                    }
                    self.write_value(key, entries.column(0), entry_idx, level + 2, out)?;
                    out.push(self.separator(level + 1)?);
                    self.write_value(value, entries.column(1), entry_idx, level + 2, out)?;
                }
                Ok(())
            }
            DataType::Struct(fields) => {
                for (field_idx, (field, column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
                    if field_idx > 0 {
                        out.push(self.separator(level)?);
                    }
                    self.write_value(field, column, row_idx, level + 1, out)?;
                }
                Ok(())
            }
            _ => write_primitive(array, row_idx, out),
        }
    }

    fn write_items(&self, field: &Field, items: &ArrayRef, level: usize, out: &mut Vec<u8>) -> Result<()> {
        for item_idx in 0..items.len() {
            if item_idx > 0 {
                out.push(self.separator(level)?);
            }
            self.write_value(field, items, item_idx, level + 1, out)?;
        }
        Ok(())
    }

    fn separator(&self, level: usize) -> Result<u8> {
        let separator = self.format.separators.get(level).copied();
        separator.ok_or_else(|| Error::internal("a value is nested deeper than its column's type"))
    }

    fn write_text(&self, text: &[u8], out: &mut Vec<u8>) {
        let (Some(needs_escape), Some(escape)) = (&self.needs_escape, self.format.escape) else {
            out.extend_from_slice(text);
            return;
        };
        for &byte in text {
            if !needs_escape[usize::from(byte)] {
                out.push(byte);
                continue;
            }
            out.push(escape);
            out.push(match byte {
                b'\n' => b'n',
                b'\r' => b'r',
                byte => byte,
            });
        }
    }
}

impl Serializer for TextWriter {
    fn serialize(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let n_columns = self.columns.fields().len();
        if n_columns != batch.num_columns() {
            let message = format!("rows have {} columns, the table has {n_columns}", batch.num_columns());
            return Err(Error::internal(message));
        }
        let columns: Vec<Cells<'_>> =
            self.columns.fields().iter().zip(batch.columns()).map(|(field, column)| Cells::of(field, column)).collect();
        for row_idx in 0..batch.num_rows() {
            for (column_idx, cells) in columns.iter().enumerate() {
                if column_idx > 0 {
                    out.push(self.format.separators[0]);
                }
                match cells {
                    Cells::Text(texts) if texts.is_valid(row_idx) => {
                        self.write_text(texts.value(row_idx).as_bytes(), out)
                    }
                    Cells::Number(numbers) if numbers.is_valid(row_idx) => write_integer(numbers.value(row_idx), out),
                    Cells::Other(field, column) => self.write_value(field, *column, row_idx, 1, out)?,
                    _ => out.extend_from_slice(&self.format.null),
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }
}

/// A column of a batch: those that most columns are, found once for all rows, and any other.
enum Cells<'a> {
    /// Text without a length of its own.
    Text(&'a StringViewArray),
    Number(&'a Int64Array),
    Other(&'a Field, &'a dyn Array),
}

impl<'a> Cells<'a> {
    fn of(field: &'a Field, column: &'a ArrayRef) -> Self {
        match column.data_type() {
            DataType::Utf8View if character_limit(field).is_none() => Cells::Text(column.as_string_view()),
            DataType::Int64 => Cells::Number(column.as_primitive()),
            _ => Cells::Other(field, column.as_ref()),
        }
    }
}

/// Separators that values of this type need inside their column.
fn levels(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            1 + levels(item.data_type())
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => 2 + fields.iter().map(|field| levels(field.data_type())).max().unwrap_or(0),
            _ => 2,
        },
        DataType::Struct(fields) => 1 + fields.iter().map(|field| levels(field.data_type())).max().unwrap_or(0),
        DataType::Dictionary(_, values) => levels(values),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
