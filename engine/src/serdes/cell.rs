//! One cell of a result as Hive's command line prints it.
//!
//! Source: `DelimitedJSONSerDe` and `SerDeUtils.buildJSONString`: plain values as in a text file, nested ones as JSON
//! in which text, dates and timestamps are quoted and NULL is `null`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field};

use super::hive_text::{bytes_value, char_padding, is_binary, locate, write_primitive};
use crate::error::Result;

/// Formats cells for people and for TSV.
#[derive(Debug, Clone)]
pub struct CellFormatter {
    null: String,
}

impl CellFormatter {
    /// A formatter that writes `null` where a cell is NULL; Hive's command line says `NULL`.
    pub fn new(null: impl Into<String>) -> Self {
        CellFormatter { null: null.into() }
    }

    /// Appends one cell of a column; `field` says whether its text is a char, which is padded.
    ///
    /// Nulls and bad data: bytes of binary values that are not UTF-8 become U+FFFD, so what is appended is UTF-8.
    pub fn write(&self, field: &Field, column: &dyn Array, row_idx: usize, out: &mut Vec<u8>) -> Result<()> {
        match locate(column, row_idx) {
            None => {
                out.extend_from_slice(self.null.as_bytes());
                Ok(())
            }
            Some((array, row_idx)) => write_value(field, array, row_idx, Quotes::None, out),
        }
    }

    /// One cell as text.
    pub fn text(&self, field: &Field, column: &dyn Array, row_idx: usize) -> Result<String> {
        let mut out = Vec::new();
        self.write(field, column, row_idx, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// Whether a value stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Json,
}

fn write_value(field: &Field, array: &dyn Array, row_idx: usize, quotes: Quotes, out: &mut Vec<u8>) -> Result<()> {
    if let Some(bytes) = bytes_value(array, row_idx) {
        let text = String::from_utf8_lossy(bytes);
        let padding = std::iter::repeat_n(b' ', char_padding(field, bytes));
        if quotes == Quotes::None || is_binary(array.data_type()) {
            out.extend_from_slice(text.as_bytes());
            out.extend(padding);
        } else {
            out.push(b'"');
            write_escaped(&text, out);
            out.extend(padding);
            out.push(b'"');
        }
        return Ok(());
    }
    match array.data_type() {
        DataType::List(item) => write_items(item, &array.as_list::<i32>().value(row_idx), out),
        DataType::LargeList(item) => write_items(item, &array.as_list::<i64>().value(row_idx), out),
        DataType::FixedSizeList(item, _) => write_items(item, &array.as_fixed_size_list().value(row_idx), out),
        DataType::Map(..) => {
            let map = array.as_map();
            let entries = map.value(row_idx);
            let (key, value) = map.entries_fields();
            out.push(b'{');
            for entry_idx in 0..entries.len() {
                if entry_idx > 0 {
                    out.push(b',');
                }
                write_json(key, entries.column(0), entry_idx, out)?;
                out.push(b':');
                write_json(value, entries.column(1), entry_idx, out)?;
            }
            out.push(b'}');
            Ok(())
        }
        DataType::Struct(fields) => {
            out.push(b'{');
            for (field_idx, (field, column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
                if field_idx > 0 {
                    out.push(b',');
                }
                out.push(b'"');
                out.extend_from_slice(field.name().as_bytes());
                out.extend_from_slice(b"\":");
                write_json(field, column, row_idx, out)?;
            }
            out.push(b'}');
            Ok(())
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) if quotes == Quotes::Json => {
            out.push(b'"');
            write_primitive(array, row_idx, out)?;
            out.push(b'"');
            Ok(())
        }
        _ => write_primitive(array, row_idx, out),
    }
}

fn write_items(field: &Field, items: &ArrayRef, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'[');
    for item_idx in 0..items.len() {
        if item_idx > 0 {
            out.push(b',');
        }
        write_json(field, items, item_idx, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_json(field: &Field, array: &dyn Array, row_idx: usize, out: &mut Vec<u8>) -> Result<()> {
    match locate(array, row_idx) {
        None => {
            out.extend_from_slice(b"null");
            Ok(())
        }
        Some((array, row_idx)) => write_value(field, array, row_idx, Quotes::Json, out),
    }
}

fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..32 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests;
