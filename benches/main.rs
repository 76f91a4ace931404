//! Benchmarks of the data path, room by room and whole: `cargo bench -p logq --bench layers -- shuffle`.
//!
//! One binary, since each links DataFusion. `LOGQ_BENCH_ROWS` sets how many lines are generated (default 20,000; without
//! optimisation 2,000). `cargo test -p logq --bench layers` runs everything once, as CI does. Each module says what it
//! measures and which result would disprove what we claim.

mod generate;
mod main_job;
mod reading;
mod serdes;
mod shuffle;
mod splitting;

use criterion::{Criterion, criterion_group, criterion_main};

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = reading::benches, splitting::benches, serdes::benches, shuffle::benches, main_job::benches
}
criterion_main!(benches);
