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
use super::utf8::{CheckedText, RecordTexts};
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
    /// In the block's data; or in the side text, which is counted as if it followed the block.
    At { start: u32, end: u32 },
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

impl From<FieldPlace> for PackedPlace {
    #[inline]
    fn from(place: FieldPlace) -> Self {
        match place {
            FieldPlace::Absent => PackedPlace::ABSENT,
            FieldPlace::NoText => PackedPlace::NO_TEXT,
            FieldPlace::At { start, end } => PackedPlace { start, end },
        }
    }
}

impl FieldPlaces {
    #[inline]
    pub(super) fn push(&mut self, place: FieldPlace) {
        self.0.push(place.into());
    }

    /// The places of several rows.
    #[inline]
    pub(super) fn extend(&mut self, places: impl Iterator<Item = FieldPlace>) {
        self.0.extend(places.map(PackedPlace::from));
    }
}

/// The fields of some records, by column and row.
#[derive(Debug, Default)]
pub(super) struct FieldTable {
    /// One list for each of `RowPlan::columns`, each as long as `record_of_row`, or as the rows left by the filters.
    pub columns: Vec<FieldPlaces>,
    /// The record in the block that a row was made from.
    pub record_of_row: Vec<usize>,
    /// Rows that filters have dropped since the table was made.
    pub rows_filtered: u64,
    /// Texts that are not in the block as they are: unescaped, or with U+FFFD.
    side_text: Vec<u8>,
    /// Bytes of the block, where the side text starts.
    block_bytes: usize,
    /// The places of one column in the rows left.
    scratch: Vec<PackedPlace>,
}

impl FieldTable {
    /// Forgets all rows; those to come are of some records of `block`, and makes room for them.
    pub(super) fn clear(&mut self, n_columns: usize, block: &RecordBlock, n_records: usize) {
        self.columns.resize_with(n_columns, FieldPlaces::default);
        self.record_of_row.clear();
        self.record_of_row.reserve(n_records);
        for FieldPlaces(places) in &mut self.columns {
            places.clear();
            places.reserve(n_records);
        }
        self.side_text.clear();
        self.block_bytes = block.data.len();
    }

    /// Keeps a text that is not in the block, and says where it starts.
    pub(super) fn change(&mut self, text: &[u8]) -> Result<u32> {
        let start = self.block_bytes + self.side_text.len();
        self.side_text.extend_from_slice(text);
        let end = start + text.len();
        // Places are u32, and the last of them is no place.
        if end >= u32::MAX as usize {
            return Err(Error::new(codes::RECORD_TOO_LONG, "the records of one block are longer than 4 GiB"));
        }
        Ok(start as u32)
    }

    /// The rows that the plan's filters keep; conversions that failed are counted in `bad_records`.
    pub(super) fn build(
        &mut self,
        plan: &RowPlan,
        texts: &RecordTexts<'_>,
        rules: &impl ValueRules,
        bad_records: &mut BadRecords,
    ) -> Result<RecordBatch> {
        let left = self.filter(plan, texts, rules)?;
        self.build_left(left, plan, texts, rules, bad_records)
    }

    /// Tries the plan's filters, for which the fields of the columns that they look at must have been placed.
    pub(super) fn filter(
        &mut self,
        plan: &RowPlan,
        texts: &RecordTexts<'_>,
        rules: &impl ValueRules,
    ) -> Result<RowsLeft> {
        let mut left = RowsLeft {
            n_rows: self.record_of_row.len(),
            kept: None,
            built: vec![None; plan.columns.len()],
            failures: Failures::default(),
            side_text: Buffer::from_vec(std::mem::take(&mut self.side_text)),
        };
        for step in &plan.steps {
            if left.n_rows == 0 {
                break;
            }
            let columns = self.columns_left(&step.places, &mut left, plan, texts, rules)?;
            let keep = kept_by(step, batch(&step.schema, columns, left.n_rows)?)?;
            step.last_use_of.iter().for_each(|&place| left.built[place] = None);
            if let Some(keep) = keep {
                left.keep(&keep)?;
            }
        }
        self.rows_filtered += (self.record_of_row.len() - left.n_rows) as u64;
        Ok(left)
    }

    /// The rows left. Fields of columns that no filter looks at have been placed for all rows, or for these alone.
    pub(super) fn build_left(
        &mut self,
        mut left: RowsLeft,
        plan: &RowPlan,
        texts: &RecordTexts<'_>,
        rules: &impl ValueRules,
        bad_records: &mut BadRecords,
    ) -> Result<RecordBatch> {
        let columns = self.columns_left(&plan.output, &mut left, plan, texts, rules)?;
        bad_records.failed_conversions += left.failures.count;
        if let Some((row_idx, reason)) = left.failures.first
            && bad_records.first_failed_conversion.is_none()
        {
            let example = BadExample::new(texts.block, self.record_of_row[row_idx], reason);
            bad_records.first_failed_conversion = Some(example);
        }
        batch(&plan.schema, columns, left.n_rows)
    }

    /// Columns of the rows left by their places in the plan, each built once.
    fn columns_left(
        &mut self,
        places: &[usize],
        left: &mut RowsLeft,
        plan: &RowPlan,
        texts: &RecordTexts<'_>,
        rules: &impl ValueRules,
    ) -> Result<Vec<ArrayRef>> {
        let column = |&place: &usize| {
            if let Some(array) = &left.built[place] {
                return Ok(Arc::clone(array));
            }
            let fields = match &left.kept {
                Some(kept) if self.columns[place].0.len() > kept.len() => {
                    self.scratch.clear();
                    self.scratch.extend(kept.iter().map(|&row_idx| self.columns[place].0[row_idx as usize]));
                    &self.scratch
                }
                _ => &self.columns[place].0,
            };
            let texts = Texts { block: &texts.block.data, checked: texts.checked, side: &left.side_text };
            let row_idx = |idx: usize| left.kept.as_ref().map_or(idx, |kept| kept[idx] as usize);
            let array = values::build(&plan.fields[place], fields, &texts, rules, row_idx, &mut left.failures)?;
            left.built[place] = Some(Arc::clone(&array));
            Ok(array)
        };
        places.iter().map(column).collect()
    }
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, n_rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|e| Error::internal("the columns do not make a batch").with_source(e))
}

/// The filter's answer without NULLs; `None` if it drops no row.
fn kept_by(step: &FilterStep, rows: RecordBatch) -> Result<Option<BooleanArray>> {
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

/// The rows that no filter has dropped yet, and what was built of them.
pub(super) struct RowsLeft {
    n_rows: usize,
    /// Which rows of the table they are, ascending; `None`: all.
    kept: Option<Vec<u32>>,
    /// By place in the plan's columns.
    built: Vec<Option<ArrayRef>>,
    failures: Failures,
    side_text: Buffer,
}

impl RowsLeft {
    /// Which rows of the table they are, if some were dropped.
    pub(super) fn kept(&self) -> Option<&[u32]> {
        self.kept.as_deref()
    }

    /// Drops the rows that are not to be kept.
    fn keep(&mut self, keep: &BooleanArray) -> Result<()> {
        let keep_bits = keep.values();
        let mut kept = Vec::with_capacity(keep_bits.count_set_bits());
        match &self.kept {
            None => kept.extend(keep_bits.set_indices_u32()),
            Some(before) => kept.extend(keep_bits.set_indices().map(|idx| before[idx])),
        }
        self.n_rows = kept.len();
        self.kept = Some(kept);
        let filter = FilterBuilder::new(keep).optimize().build();
        for array in self.built.iter_mut().flatten() {
            *array = filter.filter(array).map_err(|e| Error::internal("a column is not filtered").with_source(e))?;
        }
        Ok(())
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
    /// All records of the block, if all of them are text.
    checked: Option<CheckedText<'a>>,
    side: &'a Buffer,
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
