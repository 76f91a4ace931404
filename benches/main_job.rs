//! The main job through the façade: `queries/os_requests.sql`, unchanged, from log files to committed output.
//!
//! `tutorial` is that script; `standard` is a filter and a GROUP BY over 33 columns in gzip files. Each runs in stages and
//! on DataFusion's streaming executor. We claim that stages cost no more than a few milliseconds a job: `staged` falling
//! behind `pipelined` by more than a tenth at a million lines (`LOGQ_BENCH_ROWS=1000000`) disproves it.

use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use logq_engine::config::{EngineConfig, ExecutionMode};
use logq_engine::error::SourceText;
use logq_engine::observer::NoObserver;
use logq_engine::{Namespace, Outcome, Session, split_script};

use crate::generate::{self, STANDARD_COLUMNS};

const OS_REQUESTS: &str = include_str!("../queries/os_requests.sql");
const HEADER: &str = "#Version: 1.0\n#Fields: date time x-edge-location\n";

pub fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let rows = generate::rows();
    let tutorial = generate::tutorial(rows);
    let standard = generate::standard(rows);
    generate::write_files(&folder.path().join("cloudfront/data"), &tutorial, 6, "", false);
    generate::write_files(&folder.path().join("standard"), &standard, 24, HEADER, true);
    let hits = format!(
        "CREATE EXTERNAL TABLE logs ({STANDARD_COLUMNS}) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
         LOCATION '${{INPUT}}/standard' TBLPROPERTIES ('skip.header.line.count' = '2');
         INSERT OVERWRITE DIRECTORY '${{OUTPUT}}/hits' SELECT cs_uri_stem, count(*), sum(sc_bytes) FROM logs
         WHERE x_edge_result_type = 'Hit' AND sc_status = 200 GROUP BY cs_uri_stem;"
    );

    let mut group = criterion.benchmark_group("main_job");
    group.sample_size(10);
    for (name, script, n_bytes) in [("tutorial", OS_REQUESTS, tutorial.len()), ("standard", &hits, standard.len())] {
        // Of text, also where less is stored.
        group.throughput(Throughput::Bytes(n_bytes as u64));
        for (mode, execution) in [("staged", ExecutionMode::Staged), ("pipelined", ExecutionMode::Pipelined)] {
            group.bench_function(format!("{name}/{mode}"), |bencher| {
                bencher.iter(|| assert_eq!(run(script, folder.path(), execution), rows));
            });
        }
    }
    group.finish();
}

/// Runs a script in a session of its own, as the command does, and returns the number of rows it read.
fn run(script: &str, folder: &Path, execution: ExecutionMode) -> u64 {
    let config = EngineConfig { temp_dir: folder.to_owned(), execution, ..EngineConfig::default() };
    let mut session = Session::new(config, Arc::new(NoObserver)).expect("threads can start");
    let folder = folder.to_str().expect("a temporary folder has a plain name");
    for (name, value) in [("INPUT", folder.to_owned()), ("OUTPUT", format!("{folder}/out"))] {
        session.set_variable(Namespace::Hivevar, name, &value).expect("any variable can be set");
    }
    let source = Arc::new(SourceText { name: "bench.q".to_owned(), text: script.to_owned() });
    let mut n_rows = 0;
    for piece in split_script(&source, true).expect("the script is whole") {
        if let Outcome::Written(summary) = session.execute(&source, &piece).expect("the script is sound") {
            n_rows += summary.inputs.iter().map(|input| input.rows).sum::<u64>();
        }
    }
    n_rows
}
