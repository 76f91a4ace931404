//! The shuffle: map output, kept until reduce tasks have read it.
//!
//! A map attempt assigns its rows to shuffle partitions ([`PartitionedRows`]) and writes them to a
//! [`MapOutputWriter`], which holds them in memory while the [`MemoryBudget`] allows and spills them to one file
//! otherwise. Nothing is visible before [`ShuffleStore::commit`]; afterwards the output can be read again and again.
//! Keys are columns here, and nobody knows why they are keys: no SQL, no SerDes, no plans, no retries.
//!
//! What a reader gets does not depend on where the output lay: the same rows in the same order **in the same
//! batches**, since operators may show how their input is cut.

pub mod budget;
pub mod partitioner;
pub mod reader;
pub mod store;
pub mod writer;

mod buffer;
mod compact;
mod hash;
mod index;
mod measure;
mod merge_input;
mod row_builder;
mod spill;
mod task_run;

pub use budget::MemoryBudget;
pub use merge_input::MergeInput;
pub use partitioner::PartitionedRows;
pub use reader::ShuffleReader;
pub use store::{PartitionStats, ShuffleStore};
pub use task_run::{RunPlace, TaskRun};
pub use writer::{MapOutput, MapOutputWriter};

use arrow::error::ArrowError;

use crate::error::Error;

/// A failure of an Arrow kernel over data that was valid: our bug.
fn kernel_error(error: ArrowError) -> Error {
    Error::internal("the shuffle could not handle a batch").with_source(error)
}
