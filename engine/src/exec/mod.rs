//! Runs a `StageGraph`: tasks, attempts, retries and counters, on rayon.
//!
//! The driver (`job`) takes the stages in order. A stage's tasks are partitions of one shared plan; each is driven to
//! its end on a rayon worker (`task`), and its rows go to the shuffle, to a file, or to whoever asked (`sink`).
//! Nothing an attempt made is visible before the driver accepts it.

mod cancel;
mod job;
mod memory;
mod pipelined;
mod range_merge;
mod shuffle_read;
mod sink;
mod sort;
mod task;

#[cfg(test)]
mod tests;

pub use cancel::CancelFlag;
pub use job::{JobContext, StageReport, run_job};
pub use memory::{PoolBudget, UploadMemory};
pub use pipelined::run_pipelined;
pub use sink::{FileOutput, ResultSink, row_channels};
