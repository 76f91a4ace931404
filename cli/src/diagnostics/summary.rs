//! What a statement read, wrote and lost, as lines for people or one object for machines.
//!
//! Nothing is lost silently: every count of bad data that is not zero becomes a warning with its first example.

use std::fmt::Write;

use logq_engine::observer::{InputSummary, JobSummary, OutputSummary};
use logq_engine::serdes::report::BadExample;
use serde_json::json;

use super::{Style, bytes, count, duration, plural, printable, warning};

/// What the caller knows about a statement beside its summary.
pub struct Circumstances<'a> {
    /// The number of rows that were printed, if any were to be.
    pub n_rows: Option<u64>,
    /// Whether the user has seen a warning already.
    pub has_said: &'a dyn Fn(&str) -> bool,
    /// What stands beneath the line of an output, newline included.
    pub preview: &'a dyn Fn(&OutputSummary) -> String,
}

/// The summary, newline included.
pub fn summary(summary: &JobSummary, circumstances: &Circumstances<'_>, style: Style) -> String {
    let mut text = String::new();
    let label = |label: &str| style.frame(&format!("{label:<7}"));
    for input in &summary.inputs {
        let _ = writeln!(
            text,
            "{} {}: {}, {}, {}; {}",
            label("read"),
            printable(&input.table),
            plural(input.files, "file"),
            plural(input.rows, "row"),
            bytes(input.bytes),
            plural(input.bad_records.malformed, "malformed row"),
        );
    }
    for output in &summary.outputs {
        let _ = writeln!(text, "{} {}", label("wrote"), written(output));
        text.push_str(&(circumstances.preview)(output));
    }
    if let Some(n_rows) = circumstances.n_rows {
        let _ = writeln!(text, "{} {}", label("result"), plural(n_rows, "row"));
    }
    if summary.retries > 0 {
        let _ = writeln!(text, "{} {}", label("retried"), plural(summary.retries.into(), "attempt"));
    }
    if summary.spilled_bytes > 0 {
        let _ = writeln!(text, "{} {} to disk", label("spilled"), bytes(summary.spilled_bytes));
    }
    let _ = writeln!(text, "{} {}", label("took"), duration(summary.elapsed));
    for input in &summary.inputs {
        for lost in losses(input) {
            text.push_str(&warning(&lost, style));
        }
    }
    for unsaid in summary.warnings.iter().filter(|text| !(circumstances.has_said)(text)) {
        text.push_str(&warning(unsaid, style));
    }
    text
}

/// The summary as one JSON object.
pub fn summary_json(summary: &JobSummary, n_rows: Option<u64>) -> serde_json::Value {
    let example = |example: &Option<BadExample>| {
        example
            .as_ref()
            .map(|first| json!({"file": first.file, "byte_offset": first.byte_offset, "record": first.record, "reason": first.reason}))
    };
    let inputs = summary.inputs.iter().map(|input| {
        let bad = &input.bad_records;
        json!({
            "table": input.table,
            "files": input.files,
            "rows": input.rows,
            "bytes": input.bytes,
            "malformed": bad.malformed,
            "failed_conversions": bad.failed_conversions,
            "invalid_utf8": bad.invalid_utf8,
            "records_too_long": input.records_too_long,
            "first_malformed": example(&bad.first_malformed),
            "first_failed_conversion": example(&bad.first_failed_conversion),
            "first_invalid_utf8": example(&bad.first_invalid_utf8),
        })
    });
    let outputs = summary.outputs.iter().map(|output| {
        let files: Vec<_> = output
            .files
            .iter()
            .map(|file| json!({"name": file.name, "rows": file.rows, "bytes": file.bytes}))
            .collect();
        json!({"path": output.path, "rows": output.rows, "bytes": output.bytes, "files": files})
    });
    json!({
        "event": "summary",
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
        "result_rows": n_rows,
        "warnings": summary.warnings,
        "retries": summary.retries,
        "spilled_bytes": summary.spilled_bytes,
        "elapsed_ms": summary.elapsed.as_millis() as u64,
    })
}

/// `6 rows, 66 B in 1 file to /abs/out/os_requests (000000_0)`
fn written(output: &OutputSummary) -> String {
    let names = match output.files.as_slice() {
        [] => String::new(),
        [only] => format!(" ({})", only.name),
        [first, .., last] => format!(" ({} to {})", first.name, last.name),
    };
    format!(
        "{}, {} in {} to {}{}",
        plural(output.rows, "row"),
        bytes(output.bytes),
        plural(output.files.len() as u64, "file"),
        printable(&output.path),
        printable(&names),
    )
}

/// What of a table could not be read, a sentence each.
fn losses(input: &InputSummary) -> Vec<String> {
    let bad = &input.bad_records;
    let rows = plural(input.rows, "row");
    let table = &input.table;
    let first = |example: &Option<BadExample>| match example {
        None => String::new(),
        Some(example) => {
            // Quoted as in Rust: no line break, and nothing that steers a terminal.
            let BadExample { file, byte_offset, reason, record } = example;
            let file = file.as_deref().map(|file| format!("in {file} ")).unwrap_or_default();
            format!(": first {file}at byte {byte_offset}: {reason}: {record:?}")
        }
    };
    let mut losses = Vec::new();
    if bad.malformed > 0 {
        let n = count(bad.malformed);
        losses.push(format!("{n} of {rows} of {table} could not be read (NULLs){}", first(&bad.first_malformed)));
    }
    if bad.failed_conversions > 0 {
        let n = plural(bad.failed_conversions, "field");
        let example = first(&bad.first_failed_conversion);
        losses.push(format!("{n} of {table} could not be converted (NULLs){example}"));
    }
    if bad.invalid_utf8 > 0 {
        let n = count(bad.invalid_utf8);
        let example = first(&bad.first_invalid_utf8);
        losses.push(format!("{n} of {rows} of {table} held bytes that are not UTF-8 (U+FFFD){example}"));
    }
    if input.records_too_long > 0 {
        let n = plural(input.records_too_long, "record");
        losses.push(format!("{n} of {table} longer than the limit skipped"));
    }
    losses
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use logq_engine::observer::OutputFile;
    use logq_engine::serdes::BadRecords;

    use super::*;

    fn input() -> InputSummary {
        InputSummary {
            table: "cloudfront_logs".into(),
            files: 6,
            rows: 4996,
            bytes: 1_040_000,
            ..InputSummary::default()
        }
    }

    fn job(inputs: Vec<InputSummary>) -> JobSummary {
        JobSummary { inputs, elapsed: Duration::from_millis(120), ..JobSummary::default() }
    }

    #[track_caller]
    fn check(job: &JobSummary, n_rows: Option<u64>, expected: &str) {
        let has_said: &dyn Fn(&str) -> bool = &|text| text == "said";
        let preview: &dyn Fn(&OutputSummary) -> String = &|_| "| preview |\n".into();
        let text = summary(job, &Circumstances { n_rows, has_said, preview }, Style::new(false));
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn what_was_read_and_written() {
        let mut job = job(vec![input()]);
        job.outputs.push(OutputSummary {
            path: "/abs/out/os_requests".into(),
            files: vec![OutputFile { name: "000000_0".into(), rows: 6, bytes: 66 }],
            rows: 6,
            bytes: 66,
            preview: None,
        });
        job.warnings = vec!["said".into(), "unsaid".into()];
        job.retries = 1;
        job.spilled_bytes = 2000;
        check(
            &job,
            None,
            "\
read    cloudfront_logs: 6 files, 4,996 rows, 1.0 MB; 0 malformed rows
wrote   6 rows, 66 B in 1 file to /abs/out/os_requests (000000_0)
| preview |
retried 1 attempt
spilled 2.0 kB to disk
took    0.12 s
warning: unsaid
",
        );
    }

    #[test]
    fn what_was_lost() {
        let example = BadExample {
            file: Some("logs/a.gz".into()),
            byte_offset: 123,
            record: "GET \x1b[2J\"/\"".into(),
            reason: "does not match input.regex".into(),
        };
        let bad_records = BadRecords {
            malformed: 3,
            failed_conversions: 1,
            invalid_utf8: 2,
            first_malformed: Some(example),
            ..BadRecords::default()
        };
        let input = InputSummary { bad_records, records_too_long: 1, ..input() };
        check(
            &job(vec![input]),
            Some(1),
            r#"read    cloudfront_logs: 6 files, 4,996 rows, 1.0 MB; 3 malformed rows
result  1 row
took    0.12 s
warning: 3 of 4,996 rows of cloudfront_logs could not be read (NULLs): first in logs/a.gz at byte 123: does not match input.regex: "GET \u{1b}[2J\"/\""
warning: 1 field of cloudfront_logs could not be converted (NULLs)
warning: 2 of 4,996 rows of cloudfront_logs held bytes that are not UTF-8 (U+FFFD)
warning: 1 record of cloudfront_logs longer than the limit skipped
"#,
        );
    }
}
