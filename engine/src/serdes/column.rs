//! Where a block's fields lie, and the columns made from them.
//!
//! A SerDe finds fields and puts their places into a [`FieldTable`]; the columns are then built one after the other,
//! each with one loop for its type. A field lies in the block itself, or in the side text if a byte had to change.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Decimal128Builder, PrimitiveBuilder, RecordBatch,
    RecordBatchOptions, StringViewBuilder,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, SchemaRef, TimeUnit, TimestampNanosecondType,
};

use super::BadRecords;
use super::report::BadExample;
use crate::error::{Error, Result, codes};
use crate::hive_type::{character_limit, hive_type_name};
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
    /// In the side text.
    Changed { start: u32, end: u32 },
}

/// The fields of some records, by column and row.
#[derive(Debug, Default)]
pub(super) struct FieldTable {
    /// One list a projected column, in the order asked for; each as long as `record_of_row`.
    pub columns: Vec<Vec<FieldPlace>>,
    /// The record in the block that a row was made from.
    pub record_of_row: Vec<usize>,
    /// Texts that are not in the block as they are: unescaped, or with U+FFFD.
    pub side_text: Vec<u8>,
}

impl FieldTable {
    pub(super) fn clear(&mut self, n_columns: usize) {
        self.columns.resize_with(n_columns, Vec::new);
        self.columns.iter_mut().for_each(Vec::clear);
        self.record_of_row.clear();
        self.side_text.clear();
    }

    /// Keeps a text that is not in the block.
    pub(super) fn change(&mut self, text: &[u8]) -> Result<FieldPlace> {
        let start = self.side_text.len();
        self.side_text.extend_from_slice(text);
        // Arrow takes no block of u32::MAX bytes.
        if self.side_text.len() >= u32::MAX as usize {
            return Err(Error::new(codes::RECORD_TOO_LONG, "the records of one block are longer than 4 GiB"));
        }
        Ok(FieldPlace::Changed { start: start as u32, end: self.side_text.len() as u32 })
    }

    /// The rows as a batch of `schema`; conversions that failed are counted in `bad_records`.
    pub(super) fn build(
        &mut self,
        schema: &SchemaRef,
        block: &RecordBlock,
        rules: &impl ValueRules,
        bad_records: &mut BadRecords,
    ) -> Result<RecordBatch> {
        let side_text = Buffer::from_vec(std::mem::take(&mut self.side_text));
        let texts = Texts { block: &block.data, side: side_text };
        let mut failures = Failures::default();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (field, places) in schema.fields().iter().zip(&self.columns) {
            columns.push(build_column(field, places, &texts, rules, &mut failures)?);
        }
        bad_records.failed_conversions += failures.count;
        if let Some((row_idx, reason)) = failures.first
            && bad_records.first_failed_conversion.is_none()
        {
            let example = BadExample::new(block, self.record_of_row[row_idx], reason);
            bad_records.first_failed_conversion = Some(example);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.record_of_row.len()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
            .map_err(|e| Error::internal("the columns do not make a batch").with_source(e))
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
    fn get(&self, place: FieldPlace) -> Option<&[u8]> {
        match place {
            FieldPlace::Absent | FieldPlace::NoText => None,
            FieldPlace::InBlock { start, end } => Some(&self.block[start as usize..end as usize]),
            FieldPlace::Changed { start, end } => Some(&self.side[start as usize..end as usize]),
        }
    }
}

#[derive(Default)]
struct Failures {
    count: u64,
    /// The first row that has one, and why.
    first: Option<(usize, String)>,
}

impl Failures {
    #[cold]
    fn add(&mut self, row_idx: usize, text: &[u8], field: &Field) {
        self.count += 1;
        if self.first.as_ref().is_none_or(|(first_row_idx, _)| row_idx < *first_row_idx) {
            let hive_type = hive_type_name(field);
            let article = if hive_type.starts_with("int") { "an" } else { "a" };
            let text: String = String::from_utf8_lossy(text).chars().take(60).collect();
            self.first = Some((row_idx, format!("{text:?} is not {article} {hive_type} (column {})", field.name())));
        }
    }
}

/// What every loop over the fields of one column needs.
struct ColumnFields<'a, R> {
    field: &'a Field,
    places: &'a [FieldPlace],
    texts: &'a Texts<'a>,
    rules: &'a R,
}

fn build_column<R: ValueRules>(
    field: &Field,
    places: &[FieldPlace],
    texts: &Texts<'_>,
    rules: &R,
    failures: &mut Failures,
) -> Result<ArrayRef> {
    let fields = ColumnFields { field, places, texts, rules };
    Ok(match field.data_type() {
        DataType::Int8 => fields.numbers::<Int8Type>(failures, |text| rules.integer(text)?.try_into().ok()),
        DataType::Int16 => fields.numbers::<Int16Type>(failures, |text| rules.integer(text)?.try_into().ok()),
        DataType::Int32 => fields.numbers::<Int32Type>(failures, |text| rules.integer(text)?.try_into().ok()),
        DataType::Int64 => fields.numbers::<Int64Type>(failures, |text| rules.integer(text)),
        DataType::Float32 => fields.numbers::<Float32Type>(failures, |text| rules.float(text)),
        DataType::Float64 => fields.numbers::<Float64Type>(failures, |text| rules.double(text)),
        DataType::Date32 => fields.numbers::<Date32Type>(failures, |text| rules.date(text)),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            fields.numbers::<TimestampNanosecondType>(failures, |text| rules.timestamp(text))
        }
        &DataType::Decimal128(precision, scale) => {
            let mut builder = Decimal128Builder::with_capacity(places.len()).with_data_type(field.data_type().clone());
            fields.values(failures, |text| rules.decimal(text, precision, scale), |value| builder.append_option(value));
            Arc::new(builder.finish())
        }
        DataType::Boolean => {
            let mut builder = BooleanBuilder::with_capacity(places.len());
            for (row_idx, &place) in places.iter().enumerate() {
                let value = match texts.get(place) {
                    None if place == FieldPlace::NoText => rules.absent_boolean(),
                    None => None,
                    Some(text) => fields.value(failures, row_idx, text, |text| rules.boolean(text)),
                };
                builder.append_option(value);
            }
            Arc::new(builder.finish())
        }
        DataType::Binary => {
            let mut builder = BinaryBuilder::new();
            for &place in places {
                match texts.get(place).map(|text| rules.binary(text)) {
                    None => builder.append_null(),
                    Some(Binary::AsIs(bytes)) => builder.append_value(bytes),
                    Some(Binary::Decoded(bytes)) => builder.append_value(bytes),
                }
            }
            Arc::new(builder.finish())
        }
        DataType::Utf8View => fields.strings()?,
        other => return Err(Error::internal(format!("a text SerDe was asked for a column of type {other}"))),
    })
}

impl<R: ValueRules> ColumnFields<'_, R> {
    fn value<T>(
        &self,
        failures: &mut Failures,
        row_idx: usize,
        text: &[u8],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let value = read(text);
        if value.is_none() && !self.rules.says_null(text) {
            failures.add(row_idx, text, self.field);
        }
        value
    }

    fn values<T>(&self, failures: &mut Failures, read: impl Fn(&[u8]) -> Option<T>, mut append: impl FnMut(Option<T>)) {
        for (row_idx, &place) in self.places.iter().enumerate() {
            append(self.texts.get(place).and_then(|text| self.value(failures, row_idx, text, &read)));
        }
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        failures: &mut Failures,
        read: impl Fn(&[u8]) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(self.places.len());
        self.values(failures, read, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    /// Views of the texts where they lie. A varchar is cut and a char loses its padding, so both stay views.
    fn strings(&self) -> Result<ArrayRef> {
        let limit = character_limit(self.field);
        let mut builder = StringViewBuilder::with_capacity(self.places.len());
        let block = builder.append_block(Buffer::from(self.texts.block.clone()));
        let side = builder.append_block(self.texts.side.clone());
        for &place in self.places {
            let (buffer, start, mut end) = match place {
                FieldPlace::Absent | FieldPlace::NoText => {
                    builder.append_null();
                    continue;
                }
                FieldPlace::InBlock { start, end } => (block, start, end),
                FieldPlace::Changed { start, end } => (side, start, end),
            };
            if let Some((length_max, padded)) = limit {
                let text = self.texts.get(place).unwrap_or_default();
                end = start + kept_bytes(text, length_max, padded) as u32;
            }
            builder
                .try_append_view(buffer, start, end - start)
                .map_err(|e| Error::internal("a field of checked text is not UTF-8").with_source(e))?;
        }
        let strings = builder.finish();
        debug_assert_eq!(strings.len(), self.places.len());
        Ok(Arc::new(strings))
    }
}

/// Bytes of the first `length_max` characters, without trailing blanks if the type pads them anyway.
fn kept_bytes(text: &[u8], length_max: usize, padded: bool) -> usize {
    let is_first_byte = |byte: &u8| (*byte as i8) >= -0x40;
    let mut kept = text.len();
    if text.len() > length_max {
        let next_character = text.iter().enumerate().filter(|(_, byte)| is_first_byte(byte)).nth(length_max);
        kept = next_character.map_or(text.len(), |(byte_idx, _)| byte_idx);
    }
    if padded {
        kept = text[..kept].iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    }
    kept
}
