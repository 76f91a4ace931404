//! What a dry run found: files, partitions, bytes, requests and their price, before a byte is read.
//!
//! Prices are those of Amazon S3 Standard in us-east-1, in dollars per thousand requests; transfer within a region and
//! what the bucket's owner pays otherwise are not in it.

use std::fmt::Write;

use logq_engine::observer::{PlanSummary, Requests};
use serde_json::json;

use super::{bytes, plural, printable};

/// LIST, PUT, COPY and POST.
const DOLLARS_PER_1000_WRITES: f64 = 0.005;
/// GET.
const DOLLARS_PER_1000_READS: f64 = 0.0004;

/// A few lines, newline included. `place` is the statement's, `x.q:3`.
pub fn planned(place: &str, plan: &PlanSummary) -> String {
    let mut text = format!("{}\n", printable(place));
    for input in &plan.inputs {
        let _ = writeln!(
            text,
            "  read    {}: {}{}, {}, {}; {}",
            printable(&input.table),
            plural(input.files, "file"),
            in_partitions(input.partitions),
            bytes(input.bytes),
            plural(input.splits, "split"),
            priced(input.requests),
        );
    }
    if let Some(output) = &plan.output {
        let _ = writeln!(text, "  replace {}", printable(output));
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "  warning: {}", printable(warning));
    }
    text
}

/// The same as one JSON object.
pub fn planned_json(file: &str, line: usize, plan: &PlanSummary) -> serde_json::Value {
    let inputs = plan.inputs.iter().map(|input| {
        json!({
            "table": input.table,
            "files": input.files,
            "partitions": input.partitions,
            "bytes": input.bytes,
            "splits": input.splits,
            "requests": {"list": input.requests.list, "get": input.requests.get},
            "dollars": dollars(input.requests),
        })
    });
    json!({
        "event": "planned",
        "source": {"file": file, "line": line},
        "inputs": inputs.collect::<Vec<_>>(),
        "output": plan.output,
        "warnings": plan.warnings,
    })
}

/// All statements together, newline included.
pub fn planned_total(plans: &[PlanSummary]) -> String {
    let inputs = || plans.iter().flat_map(|plan| &plan.inputs);
    let mut requests = Requests::default();
    for input in inputs() {
        requests.list += input.requests.list;
        requests.get += input.requests.get;
    }
    format!(
        "total: {}{}, {}; {}\n",
        plural(inputs().map(|input| input.files).sum(), "file"),
        in_partitions(inputs().map(|input| input.partitions).sum()),
        bytes(inputs().map(|input| input.bytes).sum()),
        priced(requests),
    )
}

fn in_partitions(n: u64) -> String {
    if n == 0 { String::new() } else { format!(" in {}", plural(n, "partition")) }
}

fn priced(requests: Requests) -> String {
    match requests.list + requests.get {
        0 => "no requests".to_owned(),
        n => format!("{}, ${:.4}", plural(n, "request"), dollars(requests)),
    }
}

fn dollars(requests: Requests) -> f64 {
    ((requests.list + requests.put) as f64 * DOLLARS_PER_1000_WRITES + requests.get as f64 * DOLLARS_PER_1000_READS)
        / 1000.0
}

#[cfg(test)]
mod tests {
    use logq_engine::observer::PlannedInput;

    use super::*;

    #[test]
    fn files_bytes_requests_and_their_price() {
        let requests = Requests { list: 2, get: 2000, ..Requests::default() };
        let input = PlannedInput {
            table: "web.log".into(),
            files: 2000,
            partitions: 31,
            bytes: 100_000_000,
            splits: 4,
            requests,
        };
        let local = PlannedInput { table: "t".into(), files: 1, bytes: 12, splits: 1, ..PlannedInput::default() };
        let plan = PlanSummary { inputs: vec![input, local], output: Some("/out".into()), warnings: Vec::new() };
        assert_eq!(
            planned("x.q:3", &plan),
            "x.q:3\n  read    web.log: 2,000 files in 31 partitions, 100.0 MB, 4 splits; 2,002 requests, $0.0008\n  \
             read    t: 1 file, 12 B, 1 split; no requests\n  replace /out\n"
        );
        assert_eq!(planned_total(&[plan]), "total: 2,001 files in 31 partitions, 100.0 MB; 2,002 requests, $0.0008\n");
    }
}
