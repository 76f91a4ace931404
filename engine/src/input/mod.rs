//! Plan input splits; split → records; decompress. Knows lines, not columns.
//!
//! [`plan_splits`] says what each map task reads, [`read_ahead`] announces it and [`open_split`] reads it. What a line is, which split it belongs to
//! and what becomes of a file that is cut or corrupt are Hive's rules; `line_reader` and `decoder` name them.

mod buffers;
mod codec;
mod decoder;
mod footer;
mod line_feeds;
mod line_reader;
mod open;
pub mod record;
mod split;

#[cfg(test)]
mod tests;

pub use buffers::ReadBuffers;
pub use codec::Codec;
pub use open::{FOOTER_LINES_MAX, LineOptions, open_split, read_ahead};
pub use record::{ReadCounters, RecordBlock, RecordRange, RecordReader};
pub use split::{InputSplit, SplitOptions, plan_splits};
