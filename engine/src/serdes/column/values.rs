//! One column from the texts of its fields.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, BooleanBuilder, Decimal128Builder, NullBufferBuilder, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampNanosecondType,
};

use super::text::strings;
use super::{Binary, PackedPlace, Texts, ValueRules};
use crate::error::{Error, Result};
use crate::hive_type::hive_type_name;

/// The fields that could not be converted.
#[derive(Default)]
pub(super) struct Failures {
    pub count: u64,
    /// The first row of the table that has one, and why.
    pub first: Option<(usize, String)>,
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
struct ColumnFields<'a, R, I> {
    field: &'a Field,
    places: &'a [PackedPlace],
    texts: &'a Texts<'a>,
    rules: &'a R,
    /// The row of the table that a place belongs to.
    row_idx: I,
}

/// The column `field` of rows whose fields lie at `places`; `row_idx` says which row of the table each is.
pub(super) fn build<R: ValueRules, I: Fn(usize) -> usize>(
    field: &Field,
    places: &[PackedPlace],
    texts: &Texts<'_>,
    rules: &R,
    row_idx: I,
    failures: &mut Failures,
) -> Result<ArrayRef> {
    let fields = ColumnFields { field, places, texts, rules, row_idx };
    Ok(match field.data_type() {
        DataType::Int8 => fields.numbers::<Int8Type>(failures, |text| rules.integer(text)?.try_into().ok()),
        DataType::Int16 => fields.numbers::<Int16Type>(failures, |text| rules.integer(text)?.try_into().ok()),
        DataType::Int32 => fields.numbers::<Int32Type>(failures, |text| rules.integer(text)?.try_into().ok()),
        DataType::Int64 => fields.numbers::<Int64Type>(failures, |text| rules.integer(text)),
        DataType::Float32 => fields.numbers::<Float32Type>(failures, |text| rules.float(text)),
        DataType::Float64 => fields.numbers::<Float64Type>(failures, |text| rules.double(text)),
        DataType::Date32 => {
            let mut recent = RecentDates::default();
            fields.numbers::<Date32Type>(failures, |text| recent.read(text, |text| rules.date(text)))
        }
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
                    None if place == PackedPlace::NO_TEXT => rules.absent_boolean(),
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
        DataType::Utf8View => strings(field, places, texts)?,
        other => return Err(Error::internal(format!("a text SerDe was asked for a column of type {other}"))),
    })
}

impl<R: ValueRules, I: Fn(usize) -> usize> ColumnFields<'_, R, I> {
    fn value<T>(
        &self,
        failures: &mut Failures,
        row_idx: usize,
        text: &[u8],
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let value = read(text);
        if value.is_none() && !self.rules.says_null(text) {
            failures.add((self.row_idx)(row_idx), text, self.field);
        }
        value
    }

    fn values<T>(
        &self,
        failures: &mut Failures,
        mut read: impl FnMut(&[u8]) -> Option<T>,
        mut append: impl FnMut(Option<T>),
    ) {
        for (row_idx, &place) in self.places.iter().enumerate() {
            append(self.texts.get(place).and_then(|text| self.value(failures, row_idx, text, &mut read)));
        }
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        failures: &mut Failures,
        read: impl FnMut(&[u8]) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut values: Vec<T::Native> = Vec::with_capacity(self.places.len());
        let mut nulls = NullBufferBuilder::new(self.places.len());
        self.values(failures, read, |value| {
            nulls.append(value.is_some());
            values.push(value.unwrap_or_default());
        });
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls.finish()))
    }
}

/// The dates read last. Lines of a log come nearly in the order of time, so few days are enough.
struct RecentDates([(PlainDate, Option<i32>); RecentDates::SLOTS]);

/// `yyyy-mm-dd`
type PlainDate = [u8; 10];

impl Default for RecentDates {
    fn default() -> Self {
        // A text that is no date, and so gives none.
        RecentDates([([0; 10], None); RecentDates::SLOTS])
    }
}

impl RecentDates {
    /// More than a month has days.
    const SLOTS: usize = 64;

    #[inline]
    fn read(&mut self, text: &[u8], read: impl FnOnce(&[u8]) -> Option<i32>) -> Option<i32> {
        let Ok(date) = PlainDate::try_from(text) else {
            return read(text);
        };
        let day = date[8].wrapping_mul(10).wrapping_add(date[9]).wrapping_add(date[6].wrapping_mul(31));
        let (kept, days) = &mut self.0[usize::from(day) % RecentDates::SLOTS];
        if *kept != date {
            (*kept, *days) = (date, read(text));
        }
        *days
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serdes::java_calendar::parse_date;

    #[test]
    fn recent_dates_are_those_of_their_text() {
        let mut recent = RecentDates::default();
        let days = (0..400).map(|day| format!("2014-{:02}-{:02}", 1 + day / 31 % 12, 1 + day % 31));
        let others = ["2014-07-05", "2015-07-05", "2014-07-05x", "2014-7-5", "no date at", "", "\0\0\0\0\0\0\0\0\0\0"];
        for text in days.chain(others.map(str::to_owned)) {
            for _ in 0..2 {
                assert_eq!(recent.read(text.as_bytes(), parse_date), parse_date(text.as_bytes()), "{text:?}");
            }
        }
    }
}
