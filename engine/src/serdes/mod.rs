//! Records ⇄ Arrow, one file per SerDe.
//!
//! A SerDe knows bytes, columns and Hive's conversion rules. It opens no file and knows no SQL.
//!
//! A table's `ROW FORMAT` is checked once by [`plan_serde`]; each task then asks the [`TableSerde`] for a
//! [`Deserializer`] of its own, and each writer for a [`Serializer`].

pub mod report;

mod delimited;
mod regex;

mod cell;
mod column;
mod row_plan;
mod text_writer;
mod utf8;

mod base64;
mod decimal;
mod digits;
mod hive_text;
mod java_calendar;
mod java_float;
mod java_value;
mod lazy_value;

#[cfg(test)]
mod test_rows;

pub use cell::CellFormatter;
pub use report::BadRecords;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::config::SerdeConfig;
use crate::error::{Error, Result, codes};
use crate::input::RecordBlock;

/// The class of `ROW FORMAT DELIMITED`, and of a table without a row format.
pub const LAZY_SIMPLE_SERDE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
/// Hive's own regular-expression SerDe.
pub const REGEX_SERDE: &str = "org.apache.hadoop.hive.serde2.RegexSerDe";
/// Its elder in `contrib`: STRING columns only, any number of groups.
pub const CONTRIB_REGEX_SERDE: &str = "org.apache.hadoop.hive.contrib.serde2.RegexSerDe";

/// A table's `ROW FORMAT`, checked: made once for a query and shared by its tasks.
pub trait TableSerde: Send + Sync + Debug {
    /// A reader for one task.
    ///
    /// Shape: `projection` holds indices of table columns in output order; none, or one twice, is fine. `filters` are
    /// tried in their order, each on the rows that those before it kept; a column that only they look at is not in
    /// the output.
    /// Errors: what Hive finds out at the first row and not before, as `GROUPS_DO_NOT_MATCH`.
    fn deserializer(&self, projection: &[usize], filters: &[Arc<dyn RowFilter>]) -> Result<Box<dyn Deserializer>>;

    /// A writer of rows that have all the table's columns.
    fn serializer(&self) -> Result<Box<dyn Serializer>>;

    /// What works, and perhaps not as meant; one sentence each.
    fn warnings(&self) -> Vec<String>;

    /// One line for EXPLAIN.
    fn describe(&self) -> String;

    /// How much of a record is decoded where these table columns are needed, each of which is named once.
    fn describe_decoded(&self, columns: &[usize]) -> String;
}

/// A condition on rows that is tried before they are built.
///
/// Called by the deserializers of a query's tasks, each from its own thread.
pub trait RowFilter: Send + Sync + Debug {
    /// Table columns that it looks at, each once, in the order in which `keep` gets them.
    fn columns(&self) -> &[usize];

    /// For each row whether it stays. NULL drops it, as in WHERE.
    fn keep(&self, rows: &RecordBatch) -> Result<BooleanArray>;
}

/// Checks a table's `ROW FORMAT`: class, serde properties, and columns without the partition columns.
///
/// Errors: `UNSUPPORTED_SERDE`, `UNSUPPORTED_TYPE`, `BAD_SERDE_PROPERTY`, `BAD_REGEX`.
pub fn plan_serde(
    class: &str,
    properties: &BTreeMap<String, String>,
    columns: &SchemaRef,
    config: &SerdeConfig,
) -> Result<Arc<dyn TableSerde>> {
    Ok(match class {
        LAZY_SIMPLE_SERDE => Arc::new(delimited::DelimitedSerde::new(properties, columns, config)?),
        REGEX_SERDE => Arc::new(regex::RegexSerde::new(regex::Generation::Serde2, properties, columns, config)?),
        CONTRIB_REGEX_SERDE => {
            Arc::new(regex::RegexSerde::new(regex::Generation::Contrib, properties, columns, config)?)
        }
        _ => {
            let message = format!("SerDe `{class}` is not supported");
            let nearest = if class.to_ascii_lowercase().contains("regex") { REGEX_SERDE } else { LAZY_SIMPLE_SERDE };
            return Err(Error::new(codes::UNSUPPORTED_SERDE, message)
                .with_hint(format!("logq reads ROW FORMAT DELIMITED and the RegexSerDe; the nearest is `{nearest}`")));
        }
    })
}

/// How `INSERT OVERWRITE DIRECTORY` writes: LazySimpleSerDe with the properties of its `ROW FORMAT DELIMITED`, if any.
///
/// Shape: `columns` are those of the query; unlike a table's they may be nested and of any Arrow type.
pub fn directory_serde(properties: &BTreeMap<String, String>, columns: &SchemaRef) -> Result<Arc<dyn TableSerde>> {
    Ok(Arc::new(delimited::DelimitedSerde::for_output(properties, columns)?))
}

/// Turns records into rows, following one `ROW FORMAT`.
///
/// Made by one task for its splits, which it gets one after the other, and called from its thread only. After an error it is not called again.
pub trait Deserializer: Send {
    /// The rows of `block.records[rows]` that the filters keep, in order: one row per record unless the settings say
    /// to skip what cannot be read.
    ///
    /// Shape: the projected columns in the order asked for; text columns are `Utf8View` over the block's own bytes
    /// where no byte had to change. A projection of no columns gives a batch with a row count and no columns.
    /// Nulls and bad data: Hive's rules for the SerDe; what could not be read is counted in the report. Every record
    /// counts as malformed or as no UTF-8 whether or not a filter keeps it; a conversion fails only where it is tried,
    /// and those of a row's other columns are not tried once a filter has dropped it.
    fn deserialize(&mut self, block: &RecordBlock, rows: Range<usize>) -> Result<RecordBatch>;

    /// What could not be read since the last call.
    fn take_bad_records(&mut self) -> BadRecords;

    /// Rows that the filters have dropped so far.
    fn rows_filtered(&self) -> u64;
}

/// Turns rows into the bytes of records, terminators included.
pub trait Serializer: Send {
    /// Appends the rows of `batch` to `out`.
    fn serialize(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()>;
}
