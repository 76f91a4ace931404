//! Every limit of the engine with its default.
//!
//! The engine never reads the environment: whoever embeds it fills this struct. `SET logq.…` in a script overrides
//! what a script may override; `session` applies those.

mod s3;

use std::path::PathBuf;

pub use s3::{CredentialSource, CredentialSupplier, Credentials, Encryption, S3Config, Secret, SuppliedKeys};

/// How the tasks of a job are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionMode {
    /// Map, shuffle and reduce stages on logq's own runner (default).
    Staged,
    /// The same plan on DataFusion's streaming executor.
    Pipelined,
}

/// What to do with a record that a RegexSerDe cannot match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMismatch {
    /// A row of NULLs, counted (default, as in Hive).
    Null,
    /// No row, counted.
    Skip,
    /// The job fails.
    Fail,
}

/// What to do with bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnInvalidUtf8 {
    /// Each wrong sequence becomes U+FFFD, counted (default).
    Replace,
    /// The job fails.
    Fail,
}

/// What to do with bytes after the end of a gzip file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTrailingGarbage {
    /// The job fails (default, as in Hive).
    Fail,
    /// They are ignored with a warning; no rows are made from them.
    Warn,
}

/// How records are cut and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputConfig {
    /// Bytes of one block that is read, decompressed or handed to a SerDe at a time. Default 1 MiB. Larger saves
    /// calls, smaller saves memory; a record that does not fit makes its block grow.
    pub block_bytes: usize,
    /// Bytes of the longest record. Default 256 MiB. A longer one is malformed: the reader skips to the next line.
    pub record_bytes_max: usize,
    /// Bytes of one input split of a plain file; compressed bytes count eight times. `None` (default): 32 MiB; less for
    /// inputs below 512 MiB so that there are about 16 splits, but not under 16 MiB; more for inputs over 1 GiB so that
    /// there are about 32, but not over 256 MiB. A file is cut into pieces of one length, at most a tenth over it. Never
    /// derived from the number of threads.
    pub split_bytes: Option<u64>,
    /// `logq.gzip.trailing`.
    pub on_trailing_garbage: OnTrailingGarbage,
    /// `logq.sniff_compression`: trust magic bytes over names. Default false.
    pub sniff_compression: bool,
}

impl Default for InputConfig {
    fn default() -> Self {
        InputConfig {
            block_bytes: 1 << 20,
            record_bytes_max: 256 << 20,
            split_bytes: None,
            on_trailing_garbage: OnTrailingGarbage::Fail,
            sniff_compression: false,
        }
    }
}

/// How records become rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerdeConfig {
    /// `logq.serde.strict`: more regex groups than columns is an error as in Hive, not a warning. Default false.
    pub strict: bool,
    /// `logq.serde.on_mismatch`.
    pub on_mismatch: OnMismatch,
    /// `logq.invalid_utf8`.
    pub on_invalid_utf8: OnInvalidUtf8,
    /// Steps that a backtracking regular expression may take on one record. Default 1,000,000.
    pub backtrack_limit: usize,
}

impl Default for SerdeConfig {
    fn default() -> Self {
        SerdeConfig {
            strict: false,
            on_mismatch: OnMismatch::Null,
            on_invalid_utf8: OnInvalidUtf8::Replace,
            backtrack_limit: 1_000_000,
        }
    }
}

/// The settings of one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// Threads that run tasks. Default: what the machine has. Results do not depend on it.
    pub threads: usize,
    /// Bytes that operators, shuffle and read-ahead may hold together. Default 60 % of what the machine or its
    /// cgroup has, found by the caller; 4 GiB where nobody said.
    pub memory_limit: u64,
    /// Where spilled runs go: a directory of the job's own is made in it and removed with the job.
    pub temp_dir: PathBuf,
    /// Relative paths in scripts are relative to this directory.
    pub working_dir: PathBuf,
    pub execution: ExecutionMode,
    pub input: InputConfig,
    pub serde: SerdeConfig,
    /// Parts into which map output is hashed, and so the largest number of reducers. Default 32. Fixed, so that
    /// results do not depend on the machine.
    pub shuffle_partitions: usize,
    /// Bytes of map output for one reducer. Default 256 MiB.
    pub reducer_bytes: u64,
    /// Whether joins may hold their smaller tables in memory: `hive.auto.convert.join`. Default true.
    pub map_joins: bool,
    /// Bytes that those tables may have together, as they are stored: `hive.auto.convert.join.noconditionaltask.size`.
    /// Default 10 MB, as in Hive. Never derived from the memory limit, since the order of rows depends on the join.
    pub map_join_bytes: u64,
    /// Bytes of map output that may stay in memory. Default, and at most: half of what operators and shuffle share.
    pub shuffle_memory: Option<u64>,
    /// Rows of one record batch. Default 8192.
    pub batch_rows: usize,
    /// `logq.scan.pushdown`: predicates are tried by the SerDe, before a row is built. Default true; without it they are
    /// tried on whole rows, with the same result.
    pub scan_pushdown: bool,
    /// Attempts of one task before the job fails. Default 4, as in Hadoop.
    pub attempts_max: u32,
    /// Stop counted malformed rows at this number, if set: one more fails the job.
    pub bad_rows_max: Option<u64>,
    pub s3: S3Config,
    /// Write output files durably: fsync files and directories before they are made visible. Default true.
    pub durable: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig {
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            memory_limit: 4 << 30,
            temp_dir: std::path::PathBuf::from("/tmp"),
            working_dir: std::path::PathBuf::from("."),
            execution: ExecutionMode::Staged,
            input: InputConfig::default(),
            serde: SerdeConfig::default(),
            shuffle_partitions: 32,
            reducer_bytes: 256 << 20,
            map_joins: true,
            map_join_bytes: 10_000_000,
            shuffle_memory: None,
            batch_rows: 8192,
            scan_pushdown: true,
            attempts_max: 4,
            bad_rows_max: None,
            s3: S3Config::default(),
            durable: true,
        }
    }
}

impl EngineConfig {
    /// Bytes of map output for one reducer of a stage whose division nobody can see. A quarter of a split, 8 MiB: map
    /// output is denser than text, and the groups of one reducer then still fit into a cache.
    pub fn inner_reducer_bytes(&self) -> u64 {
        self.input.split_bytes.unwrap_or(32 << 20).div_ceil(4)
    }

    /// Bytes of map output for one task of those that merge a sorted result into parts of a file: 64 MiB. Several tasks
    /// write at the same time then.
    pub fn sorted_file_bytes(&self) -> u64 {
        self.reducer_bytes.min(64 << 20)
    }

    /// The same for rows that go to a reader, who sees no edges of files: two splits.
    pub fn sorted_rows_bytes(&self) -> u64 {
        self.reducer_bytes.min(self.input.split_bytes.unwrap_or(32 << 20).saturating_mul(2))
    }
}
