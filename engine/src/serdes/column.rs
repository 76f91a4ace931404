//! Where a block's fields lie, and the columns made from them.
//!
//! A SerDe finds fields and puts their places into a [`FieldTable`]. The columns that filters look at are built first,
//! each with one loop for its type, and the others for the rows that are left. A field lies in the block itself, or in
//! the side text if a byte had to change.

mod text;
mod values;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::compute::FilterBuilder;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};

use self::values::Failures;
use super::BadRecords;
use super::report::BadExample;
use super::row_plan::{FilterStep, RowPlan};
use crate::error::{Error, Result, codes};
use crate::input::RecordBlock;

/// How one SerDe reads values from the text of a field. `None`: the text is no such value.
pub(super) trait ValueRules {
    fn integer(&self, text: &[u8]) -> Option<i64>;
    fn float(&self, text: &[u8]) -> Option<f32>;
    fn double(&self, text: &[u8]) -> Option<f64>;
    /// The unscaled value, already rounded to the scale and checked against the precision.
    fn decimal(&self, text: &[u8], precision: u8, scale: i8) -> Option<i128>;
    fn boolean(&self, text: &[u8]) -> Option<bool>;
    /// What a boolean is where the record has the field and the field no text.
    fn absent_boolean(&self) -> Option<bool> {
        None
    }
    /// Days since 1970-01-01.
    fn date(&self, text: &[u8]) -> Option<i32>;
    /// Nanoseconds since 1970-01-01 00:00:00.
    fn timestamp(&self, text: &[u8]) -> Option<i64>;
    fn binary<'a>(&self, text: &'a [u8]) -> Binary<'a>;
    /// Whether a text that is no value is not worth reporting, since it means that there is none.
    fn says_null(&self, text: &[u8]) -> bool;
}

/// The value of a binary field.
pub(super) enum Binary<'a> {
    AsIs(&'a [u8]),
    Decoded(Vec<u8>),
}

/// Where the text of one field lies; half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldPlace {
    /// There is nothing to read it from: NULL.
    Absent,
    /// The record has the field, and the field no text: NULL, but for what `ValueRules::absent_boolean` says.
    NoText,
    /// In the block's data.
    InBlock { start: u32, end: u32 },
    /// In the side text, counted from the start of the block, which the side text follows.
    Changed { start: u32, end: u32 },
}

/// The places of one column's fields, by row.
#[derive(Debug, Default)]
pub(super) struct FieldPlaces(Vec<PackedPlace>);

/// A place in the block and the side text after it. No text starts at `u32::MAX`; there `end` says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PackedPlace {
    start: u32,
    end: u32,
}

impl PackedPlace {
    const ABSENT: PackedPlace = PackedPlace { start: u32::MAX, end: 0 };
    const NO_TEXT: PackedPlace = PackedPlace { start: u32::MAX, end: 1 };
}

impl FieldPlaces {
    #[inline]
    pub(super) fn push(&mut self, place: FieldPlace) {
        self.0.push(match place {
            FieldPlace::Absent => PackedPlace::ABSENT,
            FieldPlace::NoText => PackedPlace::NO_TEXT,
            FieldPlace::InBlock { start, end } | FieldPlace::Changed { start, end } => PackedPlace { start, end },
        });
    }
}

/// The fields of some records, by column and row.
#[derive(Debug, Default)]
pub(super) struct FieldTable {
    /// One list for each of `RowPlan::columns`, each as long as `record_of_row`.
    pub columns: Vec<FieldPlaces>,
    /// The record in the block that a row was made from.
    pub record_of_row: Vec<usize>,
    /// Rows that filters have dropped since the table was made.
    pub rows_filtered: u64,
    /// Texts that are not in the block as they are: unescaped, or with U+FFFD.
    side_text: Vec<u8>,
    /// Bytes of the block, where the side text starts.
    block_bytes: usize,
    /// The places of one column in the rows that are left.
    left: Vec<PackedPlace>,
}

impl FieldTable {
    /// Forgets all rows; those to come are of `block`.
    pub(super) fn clear(&mut self, n_columns: usize, block: &RecordBlock) {
        self.columns.resize_with(n_columns, FieldPlaces::default);
        self.columns.iter_mut().for_each(|places| places.0.clear());
        self.record_of_row.clear();
        self.side_text.clear();
        self.block_bytes = block.data.len();
    }

    /// Keeps a text that is not in the block.
    pub(super) fn change(&mut self, text: &[u8]) -> Result<FieldPlace> {
        let start = self.block_bytes + self.side_text.len();
        self.side_text.extend_from_slice(text);
        let end = start + text.len();
        // Places are u32, and the last of them is no place.
        if end >= u32::MAX as usize {
            return Err(Error::new(codes::RECORD_TOO_LONG, "the records of one block are longer than 4 GiB"));
        }
        Ok(FieldPlace::Changed { start: start as u32, end: end as u32 })
    }

    /// The rows that the plan's filters keep; conversions that failed are counted in `bad_records`.
    pub(super) fn build(
        &mut self,
        plan: &RowPlan,
        block: &RecordBlock,
        rules: &impl ValueRules,
        bad_records: &mut BadRecords,
    ) -> Result<RecordBatch> {
        let texts = Texts { block: &block.data, side: Buffer::from_vec(std::mem::take(&mut self.side_text)) };
        let mut rows = RowsLeft::all(self.record_of_row.len());
        let mut failures = Failures::default();
        let mut built: Vec<Option<ArrayRef>> = vec![None; plan.columns.len()];
        let mut column = |column_idx: usize, built: &mut Vec<Option<ArrayRef>>, rows: &RowsLeft| -> Result<ArrayRef> {
            if let Some(array) = &built[column_idx] {
                return Ok(Arc::clone(array));
            }
            let places = rows.of_column(&self.columns[column_idx].0, &mut self.left);
            let array = values::build(&plan.fields[column_idx], places, &texts, rules, rows, &mut failures)?;
            Ok(Arc::clone(built[column_idx].insert(array)))
        };
        for step in &plan.steps {
            let columns = step.places.iter().map(|&place| column(place, &mut built, &rows)).collect::<Result<_>>()?;
            if let Some(keep) = dropping(step, batch(&step.schema, columns, rows.n)?)? {
                rows.keep(keep.values());
                let filter = FilterBuilder::new(&keep).optimize().build();
                for array in built.iter_mut().flatten() {
                    *array =
                        filter.filter(array).map_err(|e| Error::internal("a column is not filtered").with_source(e))?;
                }
            }
            if rows.n == 0 {
                break;
            }
        }
        let columns = plan.output.iter().map(|&place| column(place, &mut built, &rows)).collect::<Result<_>>()?;
        self.rows_filtered += (self.record_of_row.len() - rows.n) as u64;
        bad_records.failed_conversions += failures.count;
        if let Some((row_idx, reason)) = failures.first
            && bad_records.first_failed_conversion.is_none()
        {
            let example = BadExample::new(block, self.record_of_row[row_idx], reason);
            bad_records.first_failed_conversion = Some(example);
        }
        batch(&plan.schema, columns, rows.n)
    }
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, n_rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|e| Error::internal("the columns do not make a batch").with_source(e))
}

/// The filter's answer without NULLs; `None` if it drops no row.
fn dropping(step: &FilterStep, rows: RecordBatch) -> Result<Option<BooleanArray>> {
    let n_rows = rows.num_rows();
    let keep = step.filter.keep(&rows)?;
    if keep.len() != n_rows {
        return Err(Error::internal(format!("a filter answers for {} of {n_rows} rows", keep.len())));
    }
    let keep: BooleanBuffer = match keep.nulls() {
        Some(nulls) => keep.values() & nulls.inner(),
        None => keep.values().clone(),
    };
    Ok((keep.count_set_bits() < n_rows).then(|| BooleanArray::from(keep)))
}

/// The rows that no filter has dropped yet.
struct RowsLeft {
    n: usize,
    /// Which they are, ascending; `None`: all.
    kept: Option<Vec<u32>>,
}

impl RowsLeft {
    fn all(n_rows: usize) -> Self {
        RowsLeft { n: n_rows, kept: None }
    }

    /// Of the rows left, those whose bit is set.
    fn keep(&mut self, bits: &BooleanBuffer) {
        let kept: Vec<u32> = match &self.kept {
            None => bits.set_indices_u32().collect(),
            Some(kept) => bits.set_indices().map(|idx| kept[idx]).collect(),
        };
        self.n = kept.len();
        self.kept = Some(kept);
    }

    /// The places of these rows.
    fn of_column<'a>(&self, places: &'a [PackedPlace], left: &'a mut Vec<PackedPlace>) -> &'a [PackedPlace] {
        let Some(kept) = &self.kept else {
            return places;
        };
        left.clear();
        left.extend(kept.iter().map(|&row_idx| places[row_idx as usize]));
        left
    }

    /// Which row of the table it is.
    fn row_idx(&self, idx: usize) -> usize {
        self.kept.as_ref().map_or(idx, |kept| kept[idx] as usize)
    }
}

/// Whether a SerDe of text can make columns of this type.
pub(super) fn is_readable(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(..)
            | DataType::Utf8View
            | DataType::Boolean
            | DataType::Binary
            | DataType::Date32
            | DataType::Timestamp(TimeUnit::Nanosecond, None)
    )
}

struct Texts<'a> {
    block: &'a bytes::Bytes,
    side: Buffer,
}

impl Texts<'_> {
    #[inline]
    fn get(&self, PackedPlace { start, end }: PackedPlace) -> Option<&[u8]> {
        if start == u32::MAX {
            return None;
        }
        let (start, end) = (start as usize, end as usize);
        let n_block = self.block.len();
        Some(if end <= n_block { &self.block[start..end] } else { &self.side[start - n_block..end - n_block] })
    }
}
