//! `--stats-json`: what a run and each of its statements read, wrote and took, as one JSON document.
//!
//! Written when the run ends, however it ends short of `kill -9`. Numbers are plain: bytes, seconds, counts. Members
//! may be added later, and what they mean does not change.

use std::time::Instant;

use jiff::Timestamp;
use logq_engine::error::Error;
use logq_engine::observer::{JobSummary, Requests};
use serde_json::{Value, json};

use crate::diagnostics;
use crate::secrets;
use crate::settings::{Environment, Usage};

/// Gathers what a run did.
pub struct Stats<'a> {
    environment: &'a Environment,
    began: Timestamp,
    started: Instant,
    totals: Totals,
    statements: Vec<Value>,
}

/// A statement that runs.
pub struct Running {
    started: Instant,
    usage: Usage,
}

/// What a statement did.
pub struct Finished<'a> {
    /// Where its text is: the script's name and the line it begins in.
    pub source: (&'a str, usize),
    pub text: &'a str,
    pub summary: Option<&'a JobSummary>,
    /// Rows that were printed.
    pub result_rows: Option<u64>,
    pub error: Option<&'a Error>,
}

#[derive(Default)]
struct Totals {
    rows_read: u64,
    bytes_read: u64,
    files_read: u64,
    malformed: u64,
    skipped: u64,
    rows_written: u64,
    bytes_written: u64,
    files_written: u64,
    result_rows: u64,
    spilled_bytes: u64,
    attempts: u64,
    retries: u64,
    requests: Requests,
}

impl<'a> Stats<'a> {
    /// Begins with nothing done.
    pub fn new(environment: &'a Environment) -> Self {
        Stats {
            environment,
            began: Timestamp::now(),
            started: Instant::now(),
            totals: Totals::default(),
            statements: Vec::new(),
        }
    }

    /// A statement begins.
    pub fn begin(&self) -> Running {
        Running { started: Instant::now(), usage: self.environment.usage() }
    }

    /// A statement has ended, well or not.
    pub fn end(&mut self, running: &Running, statement: &Finished<'_>) {
        let usage = self.environment.usage();
        let mut totals = Totals::default();
        if let Some(summary) = statement.summary {
            totals.add(summary);
        }
        totals.result_rows = statement.result_rows.unwrap_or(0);
        let tables = statement.summary.map(|summary| diagnostics::summary_json(summary, statement.result_rows));
        let mut value = totals.json();
        value["source"] = json!({"file": statement.source.0, "line": statement.source.1});
        value["text"] = json!(statement.text);
        value["wall_seconds"] = json!(seconds(running.started));
        value["cpu_seconds"] = json!(cpu_seconds(usage, running.usage));
        value["peak_memory_bytes"] = json!(usage.peak_memory_bytes);
        value["inputs"] = tables.as_ref().map_or(json!([]), |tables| tables["inputs"].clone());
        value["outputs"] = tables.as_ref().map_or(json!([]), |tables| tables["outputs"].clone());
        value["warnings"] = tables.as_ref().map_or(json!([]), |tables| tables["warnings"].clone());
        value["error"] = statement.error.map_or(Value::Null, diagnostics::error_json);
        self.statements.push(value);
        self.totals.merge(totals);
    }

    /// The document, secrets masked.
    pub fn document(self, exit_code: u8, error: Option<&Error>) -> String {
        let usage = self.environment.usage();
        let mut value = self.totals.json();
        value["logq_version"] = json!(env!("CARGO_PKG_VERSION"));
        value["began"] = json!(self.began.to_string());
        value["ended"] = json!(Timestamp::now().to_string());
        value["wall_seconds"] = json!(seconds(self.started));
        value["cpu_seconds"] = json!(usage.cpu_time.map(|time| time.as_secs_f64()));
        value["peak_memory_bytes"] = json!(usage.peak_memory_bytes);
        value["exit_code"] = json!(exit_code);
        value["error"] = error.map_or(Value::Null, diagnostics::error_json);
        value["statements"] = Value::Array(self.statements);
        format!("{:#}\n", secrets::mask_json(value))
    }
}

impl Totals {
    fn add(&mut self, summary: &JobSummary) {
        for input in &summary.inputs {
            self.rows_read += input.rows;
            self.bytes_read += input.bytes;
            self.files_read += input.files;
            self.malformed += input.bad_records.malformed;
            self.skipped += input.records_too_long;
        }
        for output in &summary.outputs {
            self.rows_written += output.rows;
            self.bytes_written += output.bytes;
            self.files_written += output.files.len() as u64;
        }
        self.spilled_bytes += summary.spilled_bytes;
        self.attempts += u64::from(summary.attempts);
        self.retries += u64::from(summary.retries);
        self.requests = summary.requests;
    }

    fn merge(&mut self, other: Totals) {
        self.rows_read += other.rows_read;
        self.bytes_read += other.bytes_read;
        self.files_read += other.files_read;
        self.malformed += other.malformed;
        self.skipped += other.skipped;
        self.rows_written += other.rows_written;
        self.bytes_written += other.bytes_written;
        self.files_written += other.files_written;
        self.result_rows += other.result_rows;
        self.spilled_bytes += other.spilled_bytes;
        self.attempts += other.attempts;
        self.retries += other.retries;
        self.requests.list += other.requests.list;
        self.requests.get += other.requests.get;
        self.requests.put += other.requests.put;
        self.requests.retries += other.requests.retries;
        self.requests.waited += other.requests.waited;
    }

    fn json(&self) -> Value {
        let Requests { list, get, put, retries, waited } = self.requests;
        json!({
            "rows_read": self.rows_read,
            "bytes_read": self.bytes_read,
            "files_read": self.files_read,
            "malformed_rows": self.malformed,
            "skipped_records": self.skipped,
            "rows_written": self.rows_written,
            "bytes_written": self.bytes_written,
            "files_written": self.files_written,
            "result_rows": self.result_rows,
            "spilled_bytes": self.spilled_bytes,
            "attempts": self.attempts,
            "retries": self.retries,
            "requests": {"list": list, "get": get, "put": put, "retries": retries, "wait_seconds": waited.as_secs_f64()},
        })
    }
}

fn seconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64()
}

/// To a tick of 10 ms; null where the system does not say.
fn cpu_seconds(now: Usage, before: Usage) -> Option<f64> {
    Some(now.cpu_time?.saturating_sub(before.cpu_time?).as_secs_f64())
}
