//! logq's engine: HiveQL in, parallel map, shuffle and reduce stages over log files, rows or files out.
//!
//! Rooms in reading order along the path of the data; each imports only what stands above it in ARCHITECTURE.md:
//!
//! - [`error`], [`id`], [`config`], `hive_type`, `bridge`: the error, ids, limits, types, future → value
//! - `java_regex`: Java's regular expressions in the syntax of Rust's engines
//! - [`storage`]: bytes; open, list, read ranges, write, rename
//! - [`hiveql`]: text → `Statement`
//! - [`catalog`]: databases, tables, views by name
//! - [`input`]: files → splits → records
//! - [`serdes`]: records ⇄ Arrow
//! - `shuffle`: map output, in memory or spilled
//! - [`output`]: record writers and the output committer
//! - `functions`: Hive's built-ins and operators
//! - [`observer`]: what the engine tells while it works and when it is done
//! - `table`: a catalog table as DataFusion's table provider
//! - `plan`: statement → logical → physical → stages
//! - `exec`: stages → tasks → attempts
//! - [`settings`], [`session`]: what an embedder sees

pub mod catalog;
pub mod config;
pub mod error;
pub mod hive_type;
pub mod hiveql;
pub mod id;
pub mod input;
pub mod observer;
pub mod output;
pub mod serdes;
pub mod session;
pub mod settings;
pub mod shuffle;
pub mod storage;

mod bridge;
mod exec;
mod functions;
mod java_regex;
mod plan;
mod rows;
mod table;

pub use hive_type::qualified_name;
pub use hiveql::{Piece, split as split_script};
pub use rows::RowStream;
pub use session::{CancelHandle, ClientCommand, Outcome, Session};
pub use settings::{Namespace, is_secret_name};
pub use storage::{Files, FoundFile, Place, ScratchDirectory, Storage, StoragePath};
