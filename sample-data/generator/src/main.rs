//! Writes CloudFront logs: those of `sample-data/`, and as many more as a measurement wants.
//!
//! The same arguments give the same rows everywhere: one seed, no clock, no floating point. How gzip packs them may
//! change with the version of the compressor, so `check` compares what is inside. Rows are made one at a time, in the
//! order of time; a gigabyte needs no more memory than a megabyte.
//!
//! Everybody in these logs is made up. Addresses are of the ranges kept for documentation, hosts are of `example.com`.
//!
//! A package of its own, which needs nothing of the engine, so that it is built in seconds.

mod clock;
mod files;
mod random;
mod standard;
mod tutorial;
mod world;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};

use crate::files::{Format, Job, check_logs, write_logs};

/// What is committed: format, rows, files, folder.
const SAMPLE: [(Job, &str); 2] = [
    (
        Job { format: Format::Tutorial, rows: 4996, files: 6, gzip: false, viewers: None, objects: None },
        "cloudfront/data",
    ),
    (Job { format: Format::Standard, rows: 5000, files: 24, gzip: true, viewers: None, objects: None }, "standard"),
];

/// Writes CloudFront logs, the same rows everywhere.
#[derive(Parser)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
enum Command {
    /// Writes logs in the format of Amazon's EMR tutorial: 11 fields, CRLF
    Tutorial(Logs),
    /// Writes CloudFront's standard logs: 33 fields, two header lines
    Standard(Logs),
    /// Writes what sample-data/ holds, in both formats
    Sample(Folder),
    /// Fails unless a folder holds what `sample` would write
    Check(Folder),
}

/// Without `--viewers` and `--objects`, a few viewers and a few objects make up most of the rows, as in a log from the
/// field. With them there are so many, the first wanted only twice as often as the last, for queries with many groups.
#[derive(Args)]
struct Logs {
    /// How many rows to write, over all files
    rows: u64,
    /// Where the files go; the folder is made if it is not there
    folder: PathBuf,
    /// How many files the rows are divided between
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = at_least_one())]
    files: u64,
    /// Compresses the files with gzip
    #[arg(long)]
    gz: bool,
    /// How many viewers there are; by default few of many make up most of the rows
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    viewers: Option<u64>,
    /// How many objects there are; by default few of many make up most of the rows
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    objects: Option<u64>,
}

#[derive(Args)]
struct Folder {
    /// The folder with those of both formats below it
    #[arg(default_value = "sample-data")]
    folder: PathBuf,
}

fn at_least_one() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(done) => {
            eprintln!("{done}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("generate_logs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> io::Result<String> {
    match command {
        Command::Tutorial(logs) => write(Format::Tutorial, &logs),
        Command::Standard(logs) => write(Format::Standard, &logs),
        Command::Sample(Folder { folder }) => {
            for (job, below) in &SAMPLE {
                write_logs(job, &folder.join(below))?;
            }
            Ok(format!("wrote the sample logs to {}", folder.display()))
        }
        Command::Check(Folder { folder }) => {
            for (job, below) in &SAMPLE {
                check_logs(job, &folder.join(below))?;
            }
            Ok(format!("{} holds what is generated", folder.display()))
        }
    }
}

fn write(format: Format, logs: &Logs) -> io::Result<String> {
    let &Logs { rows, files, gz: gzip, viewers, objects, .. } = logs;
    write_logs(&Job { format, rows, files, gzip, viewers, objects }, &logs.folder)?;
    Ok(format!("wrote {rows} rows in {files} files to {}", logs.folder.display()))
}
