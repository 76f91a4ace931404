//! The size of rows, however they are laid out.
//!
//! The number of reducers follows from this size, and so the number of output files: it must be the same in memory or
//! spilled, for text in any layout, and however the rows were cut into batches. So it counts values, not buffers.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

/// Bytes of a batch's values: widths of fixed-width columns, lengths of text, nothing for validity.
pub(super) fn value_bytes(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(|column| array_bytes(column)).sum()
}

/// Bytes of rows whose values take `value_bytes`: one bit more for each field, rounded up once for all rows.
pub(super) fn row_bytes(value_bytes: u64, n_rows: u64, n_columns: usize) -> u64 {
    value_bytes + (n_rows * n_columns as u64).div_ceil(8)
}

fn array_bytes(array: &dyn Array) -> u64 {
    let n_rows = array.len() as u64;
    match array.data_type() {
        DataType::Null => 0,
        DataType::Boolean => n_rows,
        DataType::Utf8 => text_bytes(array.as_string::<i32>().offsets(), array),
        DataType::LargeUtf8 => text_bytes(array.as_string::<i64>().offsets(), array),
        DataType::Binary => text_bytes(array.as_binary::<i32>().offsets(), array),
        DataType::LargeBinary => text_bytes(array.as_binary::<i64>().offsets(), array),
        DataType::Utf8View => view_bytes(array.as_string_view().views(), array),
        DataType::BinaryView => view_bytes(array.as_binary_view().views(), array),
        DataType::FixedSizeBinary(width) => n_rows * *width as u64,
        DataType::Struct(_) => array.as_struct().columns().iter().map(|column| array_bytes(column)).sum(),
        DataType::List(_) => list_bytes(array.as_list::<i32>().offsets(), array.as_list::<i32>().values(), array),
        DataType::LargeList(_) => list_bytes(array.as_list::<i64>().offsets(), array.as_list::<i64>().values(), array),
        DataType::Map(_, _) => {
            let map = array.as_map();
            map.entries().columns().iter().map(|column| list_bytes(map.offsets(), column, array)).sum()
        }
        DataType::FixedSizeList(_, _) => array_bytes(array.as_fixed_size_list().values()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            take(dictionary.values(), dictionary.keys(), None).map_or(0, |values| array_bytes(&values))
        }
        data_type => match data_type.primitive_width() {
            Some(width) => n_rows * width as u64,
            None => array.to_data().get_slice_memory_size().unwrap_or(0) as u64,
        },
    }
}

fn text_bytes<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>, array: &dyn Array) -> u64 {
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => (offsets[offsets.len() - 1] - offsets[0]).as_usize() as u64,
        // A null may have bytes in one layout and none in another.
        Some(nulls) => nulls.valid_indices().map(|row| (offsets[row + 1] - offsets[row]).as_usize() as u64).sum(),
    }
}

fn view_bytes(views: &[u128], array: &dyn Array) -> u64 {
    // The low 32 bits of a view are its length.
    let length = |view: u128| u64::from(view as u32);
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => views.iter().map(|view| length(*view)).sum(),
        Some(nulls) => nulls.valid_indices().map(|row| length(views[row])).sum(),
    }
}

fn list_bytes<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>, values: &ArrayRef, array: &dyn Array) -> u64 {
    let of_rows = |first: usize, end: usize| {
        let (start, end) = (offsets[first].as_usize(), offsets[end].as_usize());
        if start == end { 0 } else { array_bytes(&values.slice(start, end - start)) }
    };
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => of_rows(0, array.len()),
        Some(nulls) => nulls.valid_indices().map(|row| of_rows(row, row + 1)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, StringArray, StringViewArray};
    use arrow::compute::cast;

    use super::*;

    #[test]
    fn layout_and_cut_do_not_matter() {
        let text = vec![Some("short"), None, Some(""), Some("longer than twelve bytes")];
        let expect = 5 + 24;
        let views: ArrayRef = Arc::new(StringViewArray::from(text.clone()));
        for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, DataType::BinaryView] {
            assert_eq!(array_bytes(&cast(&views, &data_type).unwrap()), expect, "{data_type}");
        }
        let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
        assert_eq!(array_bytes(&cast(&views, &dictionary).unwrap()), expect);
        let cut: u64 = (0..4).map(|row| array_bytes(&StringArray::from(text.clone()).slice(row, 1))).sum();
        assert_eq!(cut, expect);
        assert_eq!(array_bytes(&Int32Array::from_iter_values(0..10).slice(3, 4)), 16);
    }
}
