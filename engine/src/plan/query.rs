//! A query from its tree to a physical plan.

use std::sync::Arc;

use arrow_schema::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use jiff::Timestamp;
use sqlparser::ast;
use tokio::runtime::Handle;

use super::bind::Binder;
use super::select_list::{self, ShownColumn};
use super::{desugar, distinct, hive_types, order, place, with_join_choice};
use crate::bridge;
use crate::catalog::{Catalog, Table, TableKind};
use crate::config::{EngineConfig, ExecutionMode};
use crate::error::{Error, Result};
use crate::hive_type::with_table_alias;
use crate::hiveql::{self, SourceMap};
use crate::storage::{Storage, StoragePath};
use crate::table::ScanReports;

/// What planning one query needs.
pub struct PlanContext<'a> {
    pub catalog: &'a Catalog,
    pub config: Arc<EngineConfig>,
    pub storage: Storage,
    pub state: &'a SessionState,
    pub runtime: Handle,
    /// The time of the statement.
    pub now: Timestamp,
    /// A location without files gives no rows instead of an error.
    pub allow_empty_input: bool,
    /// Filled with a report for each scan.
    pub reports: ScanReports,
}

/// A query that is ready to be cut or run.
#[derive(Debug)]
pub struct QueryPlan {
    pub logical: LogicalPlan,
    pub physical: Arc<dyn ExecutionPlan>,
    /// The columns as Hive names them; the plan's own names may differ.
    pub columns: SchemaRef,
    /// Where the query reads.
    pub locations: Vec<StoragePath>,
    pub warnings: Vec<String>,
}

/// Plans a query. Lists the files of its tables; reads none.
///
/// Errors point at the word in the script where that is known.
pub fn plan_query(mut query: ast::Query, map: &SourceMap, context: &PlanContext<'_>) -> Result<QueryPlan> {
    desugar::desugar(&mut query, map, context.now)?;
    let shown = select_list::write_out(&mut query, map, &|query| columns_of_query(query, map, context))?;
    let tree = query.clone();
    let placed = |error: DataFusionError| place::place(error, &tree, map);

    let binder = Binder::new(context, context.state);
    let logical = sql_to_plan(query, &binder).map_err(|error| place_by_trial(error, &tree, map, context))?;
    let tables = binder.tables.into_inner();
    let sizes = tables.iter().map(|table| table.bytes()).collect::<Result<Vec<_>>>();
    let sizes = sizes.map_err(|error| place::place_ours(error, &tree, map))?;
    let state = with_join_choice(context.state.clone(), small_enough_to_hash(&sizes, &context.config));
    let logical = distinct::expand_distincts(logical).map_err(placed)?;
    let logical = state.optimize(&logical).map_err(placed)?;
    let physical = bridge::drive(&context.runtime, state.query_planner().create_physical_plan(&logical, &state))
        .map_err(placed)?;
    let groups = match context.config.execution {
        ExecutionMode::Staged => order::Groups::StayPartitioned,
        ExecutionMode::Pipelined => order::Groups::Gather,
    };
    let physical = order::deterministic(physical, groups).map_err(placed)?;
    Ok(QueryPlan {
        columns: shown_schema(&physical.schema(), shown.as_deref()),
        logical,
        physical,
        locations: tables.iter().filter_map(|table| table.location().cloned()).collect(),
        warnings: tables.iter().flat_map(|table| table.warnings()).collect(),
    })
}

/// The columns of a table, or those that a view's query gives, which have no comments. Reads nothing.
///
/// Source: Hive's `SemanticAnalyzer.convertRowSchemaToViewSchema`.
pub fn columns_of(table: &Table, context: &PlanContext<'_>) -> Result<SchemaRef> {
    let TableKind::View { query } = &table.kind else {
        return Ok(Arc::clone(&table.columns));
    };
    let plan = Binder::new(context, context.state).view_plan(table, query)?;
    let fields = plan.schema().fields().iter().map(|field| {
        let mut metadata = field.metadata().clone();
        metadata.remove("comment");
        field.as_ref().clone().with_metadata(metadata)
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<Field>>())))
}

/// Plans the query of a view.
///
/// Errors have no place: the text is not the script's.
pub(super) fn plan_view(name: &str, text: &str, binder: &Binder<'_>) -> Result<LogicalPlan> {
    let plan = || {
        let map = SourceMap::identity(text);
        let mut query = *hiveql::parse_query_text(text)?;
        desugar::desugar(&mut query, &map, binder.now())?;
        let tree = query.clone();
        sql_to_plan(query, binder).map_err(|error| place::place(error, &tree, &map))
    };
    plan().map_err(|error| Error::new(error.code(), format!("view `{name}` cannot be read: {}", error.message())))
}

fn sql_to_plan(query: ast::Query, binder: &Binder<'_>) -> datafusion::common::Result<LogicalPlan> {
    let options = ParserOptions::new()
        .with_enable_ident_normalization(false)
        // `1.5` is a decimal: Hive 3.1, `TypeCheckProcFactory.NumExprProcessor`.
        .with_parse_float_as_decimal(true)
        // NULL is the smallest value: first ascending, last descending, as in Hive.
        .with_default_null_ordering(NullOrdering::NullsMin);
    let plan =
        SqlToRel::new_with_options(binder, options).sql_statement_to_plan(ast::Statement::Query(Box::new(query)))?;
    let plan = hive_types::coerce(plan)?;
    names_of_subqueries_differ(&plan)?;
    Ok(plan)
}

/// DataFusion gives the second of two columns of one name a name of its own, Hive refuses them.
fn names_of_subqueries_differ(plan: &LogicalPlan) -> datafusion::common::Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::SubqueryAlias(subquery) = node
            && let LogicalPlan::Projection(renaming) = subquery.input.as_ref()
        {
            let given = renaming.input.schema().fields();
            let mut names = given.iter().zip(subquery.schema.fields());
            if given.len() == subquery.schema.fields().len()
                && let Some((twice, _)) = names.find(|(given, renamed)| {
                    renamed.name().strip_prefix(given.name().as_str()).is_some_and(|rest| rest.starts_with(':'))
                })
            {
                return Err(select_list::twice(twice.name(), subquery.alias.table()).into());
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether all tables but the largest are small enough to be held in memory, as for Hive's map join.
fn small_enough_to_hash(sizes: &[u64], config: &EngineConfig) -> bool {
    let largest = sizes.iter().max().copied().unwrap_or(0);
    let others = sizes.iter().sum::<u64>() - largest;
    config.map_joins && others <= config.map_join_bytes
}

/// The columns of a query that selects `*`. Its own binder: these tables are not read.
fn columns_of_query(query: ast::Query, map: &SourceMap, context: &PlanContext<'_>) -> Result<Vec<ShownColumn>> {
    let tree = query.clone();
    let binder = Binder::new(context, context.state);
    let plan = sql_to_plan(query, &binder).map_err(|error| place_by_trial(error, &tree, map, context))?;
    let shown = |(table, field): (Option<&TableReference>, &FieldRef)| ShownColumn {
        name: field.name().clone(),
        table: table.map(|table| table.table().to_string()),
    };
    Ok(plan.schema().iter().map(shown).collect())
}

fn place_by_trial(error: DataFusionError, tree: &ast::Query, map: &SourceMap, context: &PlanContext<'_>) -> Error {
    place::place_by_trial(error, tree, map, &|changed| {
        sql_to_plan(changed, &Binder::new(context, context.state)).err().map(Error::from_datafusion)
    })
}

/// The columns with the names that Hive shows, and with the alias of their table beside them.
fn shown_schema(schema: &Schema, shown: Option<&[ShownColumn]>) -> SchemaRef {
    let Some(shown) = shown.filter(|shown| shown.len() == schema.fields().len()) else {
        return Arc::new(schema.clone());
    };
    let fields = schema.fields().iter().zip(shown).map(|(field, column)| {
        let field = field.as_ref().clone().with_name(&column.name);
        match &column.table {
            Some(table) => with_table_alias(field, table),
            None => field,
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}
