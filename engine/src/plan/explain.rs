//! EXPLAIN: the stages as a Hive user knows them.
//!
//! The shape follows Hive's `ExplainTask` (STAGE DEPENDENCIES, STAGE PLANS, operators from the source down); the
//! expressions are DataFusion's.

use std::fmt::Write;
use std::sync::LazyLock;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::displayable;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use regex::Regex;

use super::row_number::{ROW_NUMBER, RowNumberExec};
use super::stages::{Stage, StageGraph, StageInputExec, StageInputMode, StageOutput};
use crate::observer::{StageInfo, StageKind};

/// What a stage did, in lines to be shown below it.
pub type StageNotes = Vec<String>;

/// The stages of a query as text, `notes` (one entry per stage, or none at all) below each.
pub fn explain(graph: &StageGraph, target: &str, notes: &[StageNotes]) -> String {
    let mut text = String::from("STAGE DEPENDENCIES:\n");
    for stage in &graph.stages {
        match stage.inputs.as_slice() {
            [] => {
                let _ = writeln!(text, "  Stage-{} is a root stage", stage.id);
            }
            inputs => {
                let inputs: Vec<_> = inputs.iter().map(|input| format!("Stage-{input}")).collect();
                let _ = writeln!(text, "  Stage-{} depends on stages: {}", stage.id, inputs.join(", "));
            }
        }
    }
    text.push_str("\nSTAGE PLANS:\n");
    for (stage_idx, stage) in graph.stages.iter().enumerate() {
        let tree = match stage.kind() {
            StageKind::Map => "Map Operator Tree",
            StageKind::Reduce => "Reduce Operator Tree",
        };
        let _ = writeln!(text, "  Stage: Stage-{}", stage.id);
        if let Some(notes) = notes.get(stage_idx) {
            for note in notes {
                let _ = writeln!(text, "    {note}");
            }
        }
        let _ = writeln!(text, "    {tree}:");
        let mut tree = Tree { text: &mut text };
        let depth = tree.node(stage.plan.as_ref(), 3);
        tree.output(stage, target, depth);
        text.push('\n');
    }
    text
}

/// A stage in one line.
pub fn stage_info(stage: &Stage) -> StageInfo {
    let mut words = Vec::new();
    collect_words(stage.plan.as_ref(), &mut words);
    let kind = match stage.kind() {
        StageKind::Map => "map",
        StageKind::Reduce => "reduce",
    };
    StageInfo { stage: stage.id, kind: stage.kind(), label: format!("{kind}: {}", words.join(", ")) }
}

fn collect_words(plan: &dyn ExecutionPlan, words: &mut Vec<String>) {
    for child in plan.children() {
        collect_words(child.as_ref(), words);
    }
    let word = match plan.name() {
        "DataSourceExec" => scan_name(plan).map_or_else(|| "read".to_string(), |table| format!("scan {table}")),
        "FilterExec" => "filter".to_string(),
        "AggregateExec" => "group".to_string(),
        "SortExec" | "SortPreservingMergeExec" => "sort".to_string(),
        "HashJoinExec" | "SortMergeJoinExec" | "NestedLoopJoinExec" | "CrossJoinExec" => "join".to_string(),
        "BoundedWindowAggExec" | "WindowAggExec" => "window".to_string(),
        "GlobalLimitExec" | "LocalLimitExec" => "limit".to_string(),
        _ => return,
    };
    if words.last() != Some(&word) {
        words.push(word);
    }
    if scan_config(plan).is_some_and(|scan| scan.file_source().filter().is_some()) {
        words.push("filter".to_string());
    }
}

/// What the scans of a stage read, decoded and left out, in plan order.
pub fn scan_notes(plan: &dyn ExecutionPlan) -> StageNotes {
    let mut notes: StageNotes = plan.children().into_iter().flat_map(|child| scan_notes(child.as_ref())).collect();
    let Some((scan, source)) = scan_config(plan).map(|scan| (scan, scan.file_source().as_ref())) else {
        return notes;
    };
    let Some(report) = crate::table::scan_report(source) else {
        return notes;
    };
    let (table, totals) = (&report.table, report.totals());
    notes.push(format!("read of {table}: {} rows, {} bytes", totals.read.records, totals.read.bytes_read));
    let n_bytes_left = report.bytes_total.saturating_sub(totals.read.bytes_read);
    if n_bytes_left > 0 {
        let n_splits_left = report.splits.saturating_sub(totals.splits_opened);
        notes.push(format!(
            "not read of {table}: {n_bytes_left} bytes, {n_splits_left} of {} splits not opened",
            report.splits
        ));
    }
    if let Some(decoded) = crate::table::scan_decoded(source) {
        notes.push(format!("decoded of {table}: {decoded}"));
    }
    if scan.file_source().filter().is_some() {
        notes.push(format!("dropped of {table}: {} rows before they were built", totals.rows_filtered));
    }
    notes
}

fn scan_name(plan: &dyn ExecutionPlan) -> Option<String> {
    let scan = scan_config(plan)?;
    crate::table::scan_report(scan.file_source().as_ref()).map(|report| report.table.clone())
}

fn scan_config(plan: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    plan.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

struct Tree<'a> {
    text: &'a mut String,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{}{}", "  ".repeat(depth), line.as_ref());
    }

    /// Writes the operators from the leaves down to `plan`; gives the depth for what comes after it.
    fn node(&mut self, plan: &dyn ExecutionPlan, depth: usize) -> usize {
        let children = plan.children();
        let mut below = depth;
        if children.len() == 1 {
            below = self.node(children[0].as_ref(), depth);
        } else {
            for (child_idx, child) in children.iter().enumerate() {
                self.line(depth, format!("input {child_idx}:"));
                below = below.max(self.node(child.as_ref(), depth + 1));
            }
        }
        self.operator(plan, below)
    }

    fn operator(&mut self, plan: &dyn ExecutionPlan, depth: usize) -> usize {
        let detail = depth + 1;
        if let Some(scan) = scan_config(plan) {
            self.scan(scan, depth);
        } else if let Some(input) = plan.downcast_ref::<StageInputExec>() {
            let how = match input.mode {
                StageInputMode::Partitions => "by shuffle partition",
                StageInputMode::All => "all of it, in task order",
                StageInputMode::Tasks => "one run per task, merged",
            };
            self.line(depth, format!("Map output of Stage-{} ({how})", input.stage));
        } else if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            self.line(depth, "Filter Operator");
            self.line(detail, format!("predicate: {}", readable(filter.predicate().as_ref())));
        } else if let Some(project) = plan.downcast_ref::<ProjectionExec>() {
            // It only takes the numbers of the rows away.
            if project.input().schema().fields().last().is_some_and(|field| field.name() == ROW_NUMBER) {
                return depth;
            }
            self.line(depth, "Select Operator");
            let columns: Vec<_> =
                project.expr().iter().map(|column| named(column.expr.as_ref(), &column.alias)).collect();
            self.line(detail, format!("expressions: {}", columns.join(", ")));
        } else if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            self.line(depth, "Group By Operator");
            let functions: Vec<_> =
                aggregate.aggr_expr().iter().map(|function| readable_text(function.name())).collect();
            if !functions.is_empty() {
                self.line(detail, format!("aggregations: {}", functions.join(", ")));
            }
            let keys: Vec<_> =
                aggregate.group_expr().expr().iter().map(|(key, name)| named(key.as_ref(), name)).collect();
            if !keys.is_empty() {
                self.line(detail, format!("keys: {}", keys.join(", ")));
            }
            let mode = match aggregate.mode() {
                AggregateMode::Partial => "hash",
                AggregateMode::PartialReduce => "partials",
                AggregateMode::Final | AggregateMode::FinalPartitioned => "mergepartial",
                AggregateMode::Single | AggregateMode::SinglePartitioned => "complete",
            };
            self.line(detail, format!("mode: {mode}"));
        } else if let Some(sort) = plan.downcast_ref::<SortExec>() {
            self.line(depth, if sort.fetch().is_some() { "Top N Key Operator" } else { "Sort Operator" });
            self.sort_keys(sort.expr(), detail);
            if let Some(fetch) = sort.fetch() {
                self.line(detail, format!("top n: {fetch}"));
            }
        } else if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
            self.line(depth, "Merge Operator");
            self.sort_keys(merge.expr(), detail);
        } else if let Some(limit) = plan.downcast_ref::<LocalLimitExec>() {
            self.line(depth, "Limit");
            self.line(detail, format!("Number of rows: {}", limit.fetch()));
        } else if let Some(limit) = plan.downcast_ref::<GlobalLimitExec>() {
            self.line(depth, "Limit");
            if let Some(fetch) = limit.fetch() {
                self.line(detail, format!("Number of rows: {fetch}"));
            }
            if limit.skip() > 0 {
                self.line(detail, format!("Offset of rows: {}", limit.skip()));
            }
        } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            self.line(depth, "Map Join Operator");
            self.line(detail, format!("condition map: {}", join.join_type()));
            let on: Vec<_> = join
                .on()
                .iter()
                .map(|(left, right)| format!("{} = {}", readable(left.as_ref()), readable(right.as_ref())))
                .collect();
            self.line(detail, format!("keys: {}", on.join(", ")));
        } else if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
            self.line(depth, "Merge Join Operator");
            self.line(detail, format!("condition map: {}", join.join_type()));
            let on: Vec<_> = join
                .on()
                .iter()
                .map(|(left, right)| format!("{} = {}", readable(left.as_ref()), readable(right.as_ref())))
                .collect();
            self.line(detail, format!("keys: {}", on.join(", ")));
        } else if plan.downcast_ref::<CoalescePartitionsExec>().is_some()
            || plan.downcast_ref::<RowNumberExec>().is_some()
        {
            return depth;
        } else {
            let text = displayable(plan).one_line().to_string();
            self.line(depth, readable_text(text.trim()));
        }
        detail
    }

    fn scan(&mut self, scan: &FileScanConfig, depth: usize) {
        let detail = depth + 1;
        self.line(depth, "TableScan");
        if let Some(report) = crate::table::scan_report(scan.file_source().as_ref()) {
            self.line(detail, format!("table: {}", report.table));
            self.line(
                detail,
                format!(
                    "input: {} files, {} bytes, {} splits in {} tasks",
                    report.files,
                    report.bytes_total,
                    report.splits,
                    scan.file_groups.len()
                ),
            );
        }
        if let Some(serde) = crate::table::scan_serde(scan.file_source().as_ref()) {
            self.line(detail, format!("serde: {serde}"));
        }
        if let Some(filter) = scan.file_source().filter() {
            self.line(detail, format!("filterExpr: {}", readable(filter.as_ref())));
        }
        if let Some(projection) = scan.file_source().projection() {
            let columns: Vec<_> = projection.iter().map(|column| named(column.expr.as_ref(), &column.alias)).collect();
            self.line(detail, format!("columns: {}", columns.join(", ")));
        }
        if let Some(limit) = scan.limit {
            self.line(detail, format!("Number of rows: {limit}"));
        }
    }

    fn sort_keys(&mut self, keys: &LexOrdering, depth: usize) {
        let is_number = |key: &dyn PhysicalExpr| key.downcast_ref::<Column>().is_some_and(|c| c.name() == ROW_NUMBER);
        let name = |key: &PhysicalSortExpr| match is_number(key.expr.as_ref()) {
            true => "place in the input".to_string(),
            false => readable(key.expr.as_ref()),
        };
        let names: Vec<_> = keys.iter().map(name).collect();
        self.line(depth, format!("key expressions: {}", names.join(", ")));
        let order: String = keys.iter().map(|key| if key.options.descending { '-' } else { '+' }).collect();
        self.line(depth, format!("sort order: {order}"));
    }

    fn output(&mut self, stage: &Stage, target: &str, depth: usize) {
        match &stage.output {
            StageOutput::Hash { keys, partitions } => {
                self.line(depth, "Reduce Output Operator");
                let keys: Vec<_> = keys.iter().map(|key| readable(key.as_ref())).collect();
                self.line(depth + 1, format!("key expressions: {}", keys.join(", ")));
                self.line(depth + 1, format!("shuffle partitions: {partitions}"));
            }
            StageOutput::Gather { fetch } => {
                self.line(depth, "Reduce Output Operator");
                let n_tasks = stage.plan.output_partitioning().partition_count();
                let reducers = super::stages::reads_partitions(&stage.plan);
                let tasks = if reducers {
                    format!("reducers, as many as the map output needs, at most {n_tasks}")
                } else {
                    n_tasks.to_string()
                };
                self.line(depth + 1, format!("tasks: {tasks}; into 1"));
                if let Some(fetch) = fetch {
                    self.line(depth + 1, format!("Number of rows: {fetch}"));
                }
            }
            StageOutput::Result => {
                self.line(depth, "File Output Operator");
                self.line(depth + 1, format!("to: {target}"));
            }
        }
    }
}

fn named(expr: &dyn PhysicalExpr, alias: &str) -> String {
    let (text, alias) = (readable(expr), readable_text(alias));
    if text == alias { text } else { format!("{text} AS {alias}") }
}

/// An expression as a user would write it.
fn readable(expr: &dyn PhysicalExpr) -> String {
    readable_text(&expr.to_string())
}

/// DataFusion shows a column with its index (`os@0`) and a literal with its type (`Int64(1)`); a user knows neither.
fn readable_text(text: &str) -> String {
    static INDEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"([\w)])@\d+").expect("a constant pattern"));
    static LITERAL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\b(?:U?Int(?:8|16|32|64)|Float(?:32|64)|Boolean)\(([^()]*)\)"#).expect("a constant pattern")
    });
    static TEXT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\bUtf8(?:View)?\("((?:[^"\\]|\\.)*)"\)"#).expect("a constant pattern"));
    let text = INDEX.replace_all(text, "$1");
    let text = LITERAL.replace_all(&text, "$1");
    TEXT.replace_all(&text, "'$1'").into_owned()
}
