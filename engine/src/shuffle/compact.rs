//! Compaction: what is held must not keep alive what nobody needs any more.
//!
//! A text column of a scan points into the block that was read, and a slice into the array it was cut from. Before
//! such arrays are held over many batches, they are copied to buffers of their own size.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericByteViewArray, GenericListArray, MapArray, OffsetSizeTrait,
    StructArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{ByteViewType, DataType};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

/// Bytes that may be wasted in any array: less is not worth a copy.
const SLACK_BYTES: usize = 4096;

/// Copies those columns that hold on to more memory than they need.
pub(super) fn compact_batch(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(compact).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
}

fn compact(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Utf8View => tighten(compact_text(array, array.as_string_view()), size_of::<u128>() * array.len()),
        DataType::BinaryView => tighten(compact_text(array, array.as_binary_view()), size_of::<u128>() * array.len()),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(compact).collect::<Result<Vec<_>, _>>()?;
            let nulls = array.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, array.len())?))
        }
        DataType::List(_) => compact_list(array.as_list::<i32>()),
        DataType::LargeList(_) => compact_list(array.as_list::<i64>()),
        DataType::Map(field, is_sorted) => {
            let map = array.as_map();
            let (offsets, range) = rebase(map.offsets());
            let entries: ArrayRef = Arc::new(map.entries().slice(range.0, range.1));
            let entries = compact(&entries)?.as_struct().clone();
            let nulls = map.nulls().cloned();
            Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *is_sorted)?))
        }
        DataType::FixedSizeList(field, size) => {
            let list = array.as_fixed_size_list();
            let values = compact(list.values())?;
            let nulls = list.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(field), *size, values, nulls)?))
        }
        _ => {
            // Types that cannot tell their size are kept as they are.
            let needed = array.to_data().get_slice_memory_size().unwrap_or(usize::MAX / 4);
            tighten(Arc::clone(array), needed)
        }
    }
}

/// Copies the text of views that hold on to more than twice of it; `views` is `array`.
fn compact_text<T: ByteViewType>(array: &ArrayRef, views: &GenericByteViewArray<T>) -> ArrayRef {
    let held_bytes: usize = views.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
    if held_bytes <= views.total_buffer_bytes_used().saturating_mul(2) + SLACK_BYTES {
        return Arc::clone(array);
    }
    Arc::new(views.gc())
}

fn compact_list<O: OffsetSizeTrait>(list: &GenericListArray<O>) -> Result<ArrayRef, ArrowError> {
    let (DataType::List(field) | DataType::LargeList(field)) = list.data_type() else {
        return Ok(Arc::new(list.clone()));
    };
    let (offsets, range) = rebase(list.offsets());
    let values = compact(&list.values().slice(range.0, range.1))?;
    Ok(Arc::new(GenericListArray::try_new(Arc::clone(field), offsets, values, list.nulls().cloned())?))
}

/// The same offsets counted from 0, and the first value and number of values that they span.
fn rebase<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> (OffsetBuffer<O>, (usize, usize)) {
    let first = offsets[0];
    let last = offsets[offsets.len() - 1];
    let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]).as_usize());
    (OffsetBuffer::from_lengths(lengths), (first.as_usize(), (last - first).as_usize()))
}

/// Copies an array whose own buffers are more than twice what it needs.
fn tighten(array: ArrayRef, needed_bytes: usize) -> Result<ArrayRef, ArrowError> {
    let data = array.to_data();
    // A view's text is compact already; only the views themselves can be a slice of something larger.
    let held_bytes = match array.data_type() {
        DataType::Utf8View | DataType::BinaryView => data.buffers()[0].capacity(),
        _ => data.get_buffer_memory_size(),
    };
    if held_bytes <= needed_bytes.saturating_mul(2).saturating_add(SLACK_BYTES) {
        return Ok(array);
    }
    let every_row = UInt32Array::from_iter_values(0..array.len() as u32);
    take(&array, &every_row, None)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListBuilder, StringArray, StringViewArray, StringViewBuilder};

    use super::*;

    fn check(array: ArrayRef, bytes_max: usize) {
        let compacted = compact(&array).unwrap();
        assert_eq!(&compacted, &array);
        let bytes = compacted.get_array_memory_size();
        assert!(bytes <= bytes_max, "{bytes} bytes held by {:?}", array.data_type());
    }

    #[test]
    fn slices_let_go_of_the_rest() {
        let long = |i: i32| format!("a value that is not stored inline {i}");
        check(Arc::new(Int64Array::from_iter_values(0..100_000).slice(5, 10)), 1000);
        check(Arc::new(StringArray::from_iter_values((0..10_000).map(long)).slice(5, 10)), 2000);
        check(Arc::new(StringViewArray::from_iter_values((0..10_000).map(long)).slice(5, 10)), 2000);
        check(Arc::new(StringViewArray::from_iter_values((0..10_000).map(|i| i.to_string())).slice(5, 10)), 2000);
    }

    #[test]
    fn nested_text_is_compacted() {
        let mut builder = ListBuilder::new(StringViewBuilder::new());
        for i in 0..5000 {
            builder.values().append_value(format!("a value that is not stored inline {i}"));
            builder.append(i % 3 != 0);
        }
        check(Arc::new(builder.finish().slice(1000, 4)), 4000);
    }

    #[test]
    fn tight_arrays_are_not_copied() {
        let array: ArrayRef = Arc::new(Int64Array::from_iter_values(0..8192));
        let compacted = compact(&array).unwrap();
        assert_eq!(compacted.to_data().buffers()[0].as_ptr(), array.to_data().buffers()[0].as_ptr());
    }
}
