//! `Statement` → logical → physical → `StageGraph`; EXPLAIN.
//!
//! `desugar` makes Hive's query tree one that DataFusion plans the way Hive means it, `bind` finds its names in the
//! catalog, `select_list` its columns, `query` runs the planner and the optimizer with the settings that keep a plan cuttable, `order` makes
//! the order of rows follow from the data alone, and `stages` cuts.

mod bind;
pub mod ddl;
mod desugar;
mod distinct;
pub mod explain;
mod hive_types;
mod order;
mod place;
mod query;
mod row_number;
mod select_list;
pub mod show;
pub mod stages;
mod state;

pub use query::{PlanContext, QueryPlan, columns_of, plan_query};
pub use stages::{StageGraph, cut};
pub use state::{session_state, with_join_choice};
