//! Rows under construction: picked out of batches and copied once, to where they stay.
//!
//! A map task gives each shuffle partition a few hundred rows of every batch. As arrays of their own these would be
//! allocated, compacted and put together later; here each value is appended to its column of its partition.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, BinaryViewArray, BooleanArray, BooleanBufferBuilder, NullBufferBuilder,
    StringViewArray, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

/// Texts up to this length are in the view itself.
const INLINE_BYTES: usize = 12;

/// The least that a block of texts has room for, and the most unless one text is longer.
const BLOCK_BYTES: std::ops::RangeInclusive<usize> = (1 << 10)..=(1 << 20);

/// The columns of one batch, read by row.
#[derive(Debug)]
pub(super) struct BatchRows {
    columns: Vec<SourceColumn>,
    /// Bytes of the values of fixed width in each row.
    fixed_bytes: u64,
}

#[derive(Debug)]
struct SourceColumn {
    data_type: DataType,
    values: SourceValues,
    nulls: Option<NullBuffer>,
}

/// Values by their layout: what they mean does not matter to who copies them.
#[derive(Debug)]
enum SourceValues {
    Bits(BooleanBuffer),
    One(ScalarBuffer<u8>),
    Two(ScalarBuffer<u16>),
    Four(ScalarBuffer<u32>),
    Eight(ScalarBuffer<u64>),
    Sixteen(ScalarBuffer<i128>),
    Views(ScalarBuffer<u128>, Vec<Buffer>),
}

impl BatchRows {
    /// Nothing if a column is of a type that is not copied value by value (lists, text with offsets, intervals…), or if
    /// several of its texts are one in memory, as a join leaves them: each would become a copy of its own.
    pub fn new(batch: &RecordBatch) -> Option<Self> {
        let columns = batch.columns().iter().map(SourceColumn::new).collect::<Option<Vec<_>>>()?;
        if columns.iter().any(SourceColumn::shares_texts) {
            return None;
        }
        let fixed_bytes = columns.iter().map(|column| column.values.fixed_bytes()).sum();
        Some(BatchRows { columns, fixed_bytes })
    }

    /// Bytes of the values of some rows, as `measure` counts them.
    pub fn value_bytes(&self, rows: &[u32]) -> u64 {
        let text_bytes: u64 = self.columns.iter().map(|column| column.text_bytes(rows)).sum();
        self.fixed_bytes * rows.len() as u64 + text_bytes
    }
}

impl SourceColumn {
    fn new(array: &ArrayRef) -> Option<Self> {
        let values = match array.data_type() {
            DataType::Boolean => SourceValues::Bits(array.as_boolean().values().clone()),
            DataType::Utf8View => {
                let text = array.as_string_view();
                SourceValues::Views(text.views().clone(), text.data_buffers().to_vec())
            }
            DataType::BinaryView => {
                let bytes = array.as_binary_view();
                SourceValues::Views(bytes.views().clone(), bytes.data_buffers().to_vec())
            }
            // Their parts are aligned otherwise than a number of the same width.
            DataType::Interval(_) => return None,
            data_type => match data_type.primitive_width()? {
                1 => SourceValues::One(numbers(array)),
                2 => SourceValues::Two(numbers(array)),
                4 => SourceValues::Four(numbers(array)),
                8 => SourceValues::Eight(numbers(array)),
                16 => SourceValues::Sixteen(numbers(array)),
                _ => return None,
            },
        };
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        Some(SourceColumn { data_type: array.data_type().clone(), values, nulls })
    }

    /// Whether views show more than there is.
    fn shares_texts(&self) -> bool {
        let SourceValues::Views(views, buffers) = &self.values else {
            return false;
        };
        let shown_bytes: u64 = views.iter().map(|view| long_bytes(*view) as u64).sum();
        shown_bytes > buffers.iter().map(|buffer| buffer.len() as u64).sum()
    }

    fn text_bytes(&self, rows: &[u32]) -> u64 {
        let SourceValues::Views(views, _) = &self.values else {
            return 0;
        };
        let length = |row: u32| u64::from(views[row as usize] as u32);
        match &self.nulls {
            None => rows.iter().map(|row| length(*row)).sum(),
            Some(nulls) => rows.iter().filter(|row| nulls.is_valid(**row as usize)).map(|row| length(*row)).sum(),
        }
    }
}

impl SourceValues {
    fn fixed_bytes(&self) -> u64 {
        match self {
            SourceValues::Bits(_) | SourceValues::One(_) => 1,
            SourceValues::Two(_) => 2,
            SourceValues::Four(_) => 4,
            SourceValues::Eight(_) => 8,
            SourceValues::Sixteen(_) => 16,
            SourceValues::Views(..) => 0,
        }
    }
}

fn numbers<T: ArrowNativeType>(array: &ArrayRef) -> ScalarBuffer<T> {
    let data = array.to_data();
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

/// Rows of one batch to come.
#[derive(Debug)]
pub(super) struct RowBuilder {
    columns: Vec<ColumnBuilder>,
    n_rows: usize,
}

#[derive(Debug)]
struct ColumnBuilder {
    data_type: DataType,
    values: Values,
    nulls: NullBufferBuilder,
}

#[derive(Debug)]
enum Values {
    Bits(BooleanBufferBuilder),
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(Vec<u32>),
    Eight(Vec<u64>),
    Sixteen(Vec<i128>),
    Views(ViewBuilder),
}

impl RowBuilder {
    /// For rows of batches like this one.
    pub fn new(source: &BatchRows) -> Self {
        RowBuilder { columns: source.columns.iter().map(ColumnBuilder::new).collect(), n_rows: 0 }
    }

    /// Appends some rows of a batch, in this order.
    pub fn append(&mut self, source: &BatchRows, rows: &[u32]) -> Result<(), ArrowError> {
        self.n_rows += rows.len();
        self.columns.iter_mut().zip(&source.columns).try_for_each(|(column, source)| column.append(source, rows))
    }

    /// Bytes of memory held.
    pub fn held_bytes(&self) -> usize {
        self.columns.iter().map(|column| column.values.held_bytes() + column.nulls.allocated_size()).sum()
    }

    /// The rows as a batch of `schema`, which holds little more memory than they need.
    pub fn finish(self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let arrays = self.columns.into_iter().map(ColumnBuilder::finish).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.n_rows));
        RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
    }
}

impl ColumnBuilder {
    fn new(source: &SourceColumn) -> Self {
        let values = match &source.values {
            SourceValues::Bits(_) => Values::Bits(BooleanBufferBuilder::new(0)),
            SourceValues::One(_) => Values::One(Vec::new()),
            SourceValues::Two(_) => Values::Two(Vec::new()),
            SourceValues::Four(_) => Values::Four(Vec::new()),
            SourceValues::Eight(_) => Values::Eight(Vec::new()),
            SourceValues::Sixteen(_) => Values::Sixteen(Vec::new()),
            SourceValues::Views(..) => Values::Views(ViewBuilder::default()),
        };
        ColumnBuilder { data_type: source.data_type.clone(), values, nulls: NullBufferBuilder::new(0) }
    }

    fn append(&mut self, source: &SourceColumn, rows: &[u32]) -> Result<(), ArrowError> {
        if self.data_type != source.data_type {
            return Err(ArrowError::SchemaError(format!("{} in a column of {}", source.data_type, self.data_type)));
        }
        match (&mut self.values, &source.values) {
            (Values::Bits(bits), SourceValues::Bits(values)) => {
                rows.iter().for_each(|row| bits.append(values.value(*row as usize)));
            }
            (Values::One(numbers), SourceValues::One(values)) => append_numbers(numbers, values, rows),
            (Values::Two(numbers), SourceValues::Two(values)) => append_numbers(numbers, values, rows),
            (Values::Four(numbers), SourceValues::Four(values)) => append_numbers(numbers, values, rows),
            (Values::Eight(numbers), SourceValues::Eight(values)) => append_numbers(numbers, values, rows),
            (Values::Sixteen(numbers), SourceValues::Sixteen(values)) => append_numbers(numbers, values, rows),
            (Values::Views(text), SourceValues::Views(views, buffers)) => {
                let is_null = |row: u32| source.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row as usize));
                // What the view of a null says does not count.
                let view = |row: &u32| if is_null(*row) { 0 } else { views[*row as usize] };
                let mut bytes_left = rows.iter().map(|row| long_bytes(view(row))).sum();
                for view in rows.iter().map(view) {
                    text.append(view, buffers, bytes_left);
                    bytes_left -= long_bytes(view);
                }
            }
            _ => return Err(ArrowError::SchemaError(format!("two layouts of {}", self.data_type))),
        }
        match &source.nulls {
            None => self.nulls.append_n_non_nulls(rows.len()),
            Some(nulls) => rows.iter().for_each(|row| self.nulls.append(nulls.is_valid(*row as usize))),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let (nulls, data_type) = (self.nulls.finish(), &self.data_type);
        match self.values {
            Values::Bits(mut bits) => Ok(Arc::new(BooleanArray::new(bits.finish(), nulls))),
            Values::One(numbers) => number_array(data_type, numbers, nulls),
            Values::Two(numbers) => number_array(data_type, numbers, nulls),
            Values::Four(numbers) => number_array(data_type, numbers, nulls),
            Values::Eight(numbers) => number_array(data_type, numbers, nulls),
            Values::Sixteen(numbers) => number_array(data_type, numbers, nulls),
            Values::Views(text) => Ok(text.finish(data_type, nulls)),
        }
    }
}

impl Values {
    fn held_bytes(&self) -> usize {
        match self {
            Values::Bits(bits) => bits.capacity() / 8,
            Values::One(numbers) => numbers.capacity(),
            Values::Two(numbers) => numbers.capacity() * 2,
            Values::Four(numbers) => numbers.capacity() * 4,
            Values::Eight(numbers) => numbers.capacity() * 8,
            Values::Sixteen(numbers) => numbers.capacity() * 16,
            Values::Views(text) => text.views.capacity() * 16 + text.finished_bytes + text.block.capacity(),
        }
    }
}

fn append_numbers<T: Copy>(numbers: &mut Vec<T>, values: &[T], rows: &[u32]) {
    numbers.extend(rows.iter().map(|row| values[*row as usize]));
}

fn number_array<T: ArrowNativeType>(
    data_type: &DataType,
    mut numbers: Vec<T>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    numbers.shrink_to_fit();
    let data = ArrayData::builder(data_type.clone()).len(numbers.len()).nulls(nulls);
    data.add_buffer(Buffer::from_vec(numbers)).build().map(make_array)
}

/// The bytes that a view needs beside itself.
#[inline]
fn long_bytes(view: u128) -> usize {
    let length = view as u32 as usize;
    if length > INLINE_BYTES { length } else { 0 }
}

/// Views, and blocks of the texts that do not fit into them. Blocks are filled one after the other, and never grow.
#[derive(Debug, Default)]
struct ViewBuilder {
    views: Vec<u128>,
    finished: Vec<Buffer>,
    finished_bytes: usize,
    block: Vec<u8>,
}

impl ViewBuilder {
    /// Appends the text that a view of an array with these buffers shows, the first of `bytes_left` bytes.
    #[inline]
    fn append(&mut self, view: u128, buffers: &[Buffer], bytes_left: usize) {
        let length = view as u32 as usize;
        if length <= INLINE_BYTES {
            self.views.push(view);
            return;
        }
        let (buffer_idx, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
        let text = &buffers[buffer_idx][start..start + length];
        if self.block.capacity() - self.block.len() < length {
            self.next_block(length, bytes_left);
        }
        let place = (self.finished.len() as u128) << 64 | (self.block.len() as u128) << 96;
        self.block.extend_from_slice(text);
        self.views.push(view & u128::from(u64::MAX) | place);
    }

    /// Begins a block for a text of this length, and those to come as far as they are known.
    #[cold]
    fn next_block(&mut self, length: usize, bytes_left: usize) {
        let wanted = (self.block.capacity() * 2).max(bytes_left);
        let bytes = wanted.clamp(*BLOCK_BYTES.start(), *BLOCK_BYTES.end()).max(length);
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(bytes));
        self.finish_block(block);
    }

    fn finish_block(&mut self, mut block: Vec<u8>) {
        if !block.is_empty() {
            block.shrink_to_fit();
            self.finished_bytes += block.capacity();
            self.finished.push(Buffer::from_vec(block));
        }
    }

    fn finish(mut self, data_type: &DataType, nulls: Option<NullBuffer>) -> ArrayRef {
        let block = std::mem::take(&mut self.block);
        self.finish_block(block);
        self.views.shrink_to_fit();
        let views = ScalarBuffer::from(self.views);
        if *data_type == DataType::BinaryView {
            // SAFETY: as below; any bytes are a value.
            return Arc::new(unsafe { BinaryViewArray::new_unchecked(views, self.finished, nulls) });
        }
        // SAFETY: every view comes from an array that was valid, and `append` alone makes them here: a short one is the
        // same, a long one keeps length and prefix and is of a copy of its bytes, in the block that has the number it
        // got: the one after those that were finished by then. Views of nulls are of nothing. The bytes are those of
        // a text array, since `ColumnBuilder::append` takes no other for a column of this type.
        let text = unsafe { StringViewArray::new_unchecked(views, self.finished, nulls) };
        debug_assert!(text.to_data().validate_full().is_ok());
        Arc::new(text)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListArray, UInt32Array};
    use arrow::compute::{cast, concat_batches, take_record_batch};
    use arrow::datatypes::{Field, Int64Type, Schema, TimeUnit};
    use proptest::prelude::*;

    use super::super::measure::value_bytes;
    use super::*;

    /// A column of each type that is copied value by value, made of numbers.
    fn batch(numbers: &[Option<i64>]) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
        let text = |number: i64| "text é ".repeat(number.unsigned_abs() as usize % 9) + &number.to_string();
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter(
            numbers.as_primitive::<Int64Type>().iter().map(|number| number.map(text)),
        ));
        let types = [
            DataType::Boolean,
            DataType::Int8,
            DataType::UInt16,
            DataType::Float16,
            DataType::Int32,
            DataType::Float32,
            DataType::Int64,
            DataType::Float64,
            DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            DataType::Decimal128(38, 3),
        ];
        let mut columns: Vec<ArrayRef> = types.iter().map(|to| cast(&numbers, to).unwrap()).collect();
        columns.push(cast(&cast(&numbers, &DataType::Int32).unwrap(), &DataType::Date32).unwrap());
        columns.push(cast(&texts, &DataType::BinaryView).unwrap());
        columns.push(texts);
        let field = |(i, column): (usize, &ArrayRef)| Field::new(i.to_string(), column.data_type().clone(), true);
        let schema = Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    proptest! {
        /// Beside the slow way: a part of each batch is taken, and the parts are put together.
        #[test]
        fn picked_rows_are_those_that_are_taken(
            batches in prop::collection::vec(
                (prop::collection::vec(prop::option::weighted(0.8, -1000..1000_i64), 1..40),
                 prop::collection::vec(any::<prop::sample::Index>(), 0..40), 0..5_usize),
                1..8,
            ),
        ) {
            let mut taken = Vec::new();
            let mut builder = None;
            for (numbers, rows, skipped) in &batches {
                let whole = batch(numbers);
                let batch = whole.slice((*skipped).min(numbers.len() - 1), numbers.len().saturating_sub(*skipped).max(1));
                let rows: Vec<u32> = rows.iter().map(|row| row.index(batch.num_rows()) as u32).collect();
                let source = BatchRows::new(&batch).unwrap();
                let part = take_record_batch(&batch, &UInt32Array::from(rows.clone())).unwrap();
                prop_assert_eq!(source.value_bytes(&rows), value_bytes(&part));
                builder.get_or_insert_with(|| RowBuilder::new(&source)).append(&source, &rows).unwrap();
                taken.push(part);
            }
            let expect = concat_batches(&taken[0].schema(), &taken).unwrap();
            let picked = builder.unwrap().finish(&expect.schema()).unwrap();
            prop_assert_eq!(&picked, &expect);
            for column in picked.columns() {
                prop_assert!(column.to_data().validate_full().is_ok());
            }
        }
    }

    #[test]
    fn texts_of_many_blocks_stay_whole() {
        let long = |i: usize| format!("{i} {}", "x".repeat(i * 37 % 5000));
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..3000).map(long)));
        let batch = RecordBatch::try_from_iter([("text", texts)]).unwrap();
        let source = BatchRows::new(&batch).unwrap();
        let rows: Vec<u32> = (0..3000).rev().collect();
        let mut builder = RowBuilder::new(&source);
        rows.chunks(100).for_each(|rows| builder.append(&source, rows).unwrap());
        let picked = builder.finish(&batch.schema()).unwrap();
        assert_eq!(picked, take_record_batch(&batch, &UInt32Array::from(rows)).unwrap());
        let text = picked.column(0).as_string_view();
        assert!((5..30).contains(&text.data_buffers().len()), "{} blocks", text.data_buffers().len());
        let (held, needed) = (picked.get_array_memory_size(), value_bytes(&picked) as usize + 3000 * 16);
        assert!(held < needed + needed / 8, "{held} bytes held for {needed}");
    }

    #[test]
    fn other_types_are_left_to_others() {
        let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]));
        let text: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["a"]));
        for column in [list, text] {
            assert!(BatchRows::new(&RecordBatch::try_from_iter([("c", column)]).unwrap()).is_none());
        }
    }

    #[test]
    fn a_column_keeps_its_type() {
        let batches = [DataType::BinaryView, DataType::Utf8View].map(|to| {
            let texts: ArrayRef = Arc::new(BinaryViewArray::from(vec![&b"text"[..]]));
            BatchRows::new(&RecordBatch::try_from_iter([("c", cast(&texts, &to).unwrap())]).unwrap()).unwrap()
        });
        assert!(RowBuilder::new(&batches[1]).append(&batches[0], &[0]).is_err());
    }
}
