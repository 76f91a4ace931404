//! DataFusion's session state with the settings that logq's stages rely on.

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;
use datafusion::prelude::SessionConfig;

use crate::config::{EngineConfig, ExecutionMode};
use crate::functions;

/// From so many rows on, a partial aggregation looks behind each batch whether more than this share of its rows were groups,
/// and then passes on the rows to come without grouping them.
///
/// DataFusion waits for 100,000 rows and 0.8, which is most of a map task. Keys that are equally frequent and have 0.95 here
/// would have 0.74 there: nearly the same queries are taken for hopeless, but earlier.
const PROBE_ROWS: usize = 16_384;
const PROBE_RATIO: f64 = 0.95;

/// A state that plans what can be cut into stages. Tables and functions it does not know: `bind` finds them.
///
/// Each setting has a reason: round robin does not survive a cut; a dynamic filter is made in one stage and waited
/// for in another; the result of an uncorrelated subquery cannot cross a stage; a task that takes its siblings' files
/// would lose rows when it is tried again; splits are cut by `input` alone; a join that collects its left side by
/// its estimated size marks matched rows across tasks.
pub fn session_state(config: &EngineConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    let mut session = SessionConfig::new()
        .with_target_partitions(config.shuffle_partitions.max(1))
        .with_batch_size(config.batch_rows)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = session.options_mut();
    options.optimizer.enable_round_robin_repartition = false;
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    options.optimizer.repartition_file_scans = false;
    options.optimizer.hash_join_single_partition_threshold = 0;
    options.optimizer.hash_join_single_partition_threshold_rows = 0;
    options.optimizer.enable_topk_aggregation = false;
    // These two take whichever rows come first: the first groups of a LIMIT, the branches of a UNION in turn.
    options.optimizer.enable_distinct_aggregation_soft_limit = false;
    options.optimizer.prefer_existing_union = true;
    // What a sort keeps back for merging its runs: the default of 10 MB is more than a small limit has for the sorts that
    // run at a time.
    let n_sorts = match config.execution {
        ExecutionMode::Staged => config.threads,
        ExecutionMode::Pipelined => config.shuffle_partitions,
    };
    let share = config.memory_limit / (8 * n_sorts.max(1) as u64);
    options.execution.sort_spill_reservation_bytes =
        options.execution.sort_spill_reservation_bytes.min(usize::try_from(share).unwrap_or(usize::MAX));
    options.execution.skip_partial_aggregation_probe_rows_threshold = PROBE_ROWS;
    options.execution.skip_partial_aggregation_probe_ratio_threshold = PROBE_RATIO;
    options.execution.enable_file_stream_work_stealing = false;
    options.execution.collect_statistics = false;
    options.sql_parser.enable_ident_normalization = false;
    SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(runtime)
        .with_expr_planners(vec![Arc::new(functions::HiveExprPlanner)])
        .build()
}

/// The same state, with hash joins or merge joins. A hash join's build side does not spill, so it is chosen only
/// where that side is known to be small.
pub fn with_join_choice(mut state: SessionState, hash: bool) -> SessionState {
    state.config_mut().options_mut().optimizer.prefer_hash_join = hash;
    state
}
