//! A query from its tree to a physical plan.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_schema::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, SchemaError, TableReference};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use jiff::Timestamp;
use sqlparser::ast::{self, Expr, Ident, Spanned, Visit, Visitor};
use tokio::runtime::Handle;

use super::bind::Binder;
use super::select_list::{self, ShownColumn};
use super::{desugar, hive_types, order, with_join_choice};
use crate::bridge;
use crate::catalog::{Catalog, Table, TableKind};
use crate::config::{EngineConfig, ExecutionMode};
use crate::error::{Error, Result, Span, codes, nearest};
use crate::functions;
use crate::hive_type::with_table_alias;
use crate::hiveql::{self, SourceMap};
use crate::storage::StoragePath;
use crate::table::ScanReports;

/// What planning one query needs.
pub struct PlanContext<'a> {
    pub catalog: &'a Catalog,
    pub config: Arc<EngineConfig>,
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
    let placed = |error: DataFusionError| place(error, &tree, map);

    let binder = Binder::new(context, context.state);
    let logical = sql_to_plan(query, &binder).map_err(placed)?;
    let tables = binder.tables.into_inner();
    let sizes = tables.iter().map(|table| table.bytes()).collect::<Result<Vec<_>>>();
    let sizes = sizes.map_err(|error| place_ours(error, &tree, map))?;
    let state = with_join_choice(context.state.clone(), small_enough_to_hash(&sizes, &context.config));
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
        sql_to_plan(query, binder).map_err(|error| place(error, &tree, &map))
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

/// A hash join holds its build side in memory: all tables but the largest must fit into a fraction of the limit,
/// with room for what rows take more than their text.
fn small_enough_to_hash(sizes: &[u64], config: &EngineConfig) -> bool {
    let largest = sizes.iter().max().copied().unwrap_or(0);
    let others = sizes.iter().sum::<u64>() - largest;
    others.saturating_mul(8) <= config.memory_limit / 4
}

/// The columns of a query that selects `*`. Its own binder: these tables are not read.
fn columns_of_query(query: ast::Query, map: &SourceMap, context: &PlanContext<'_>) -> Result<Vec<ShownColumn>> {
    let tree = query.clone();
    let binder = Binder::new(context, context.state);
    let plan = sql_to_plan(query, &binder).map_err(|error| place(error, &tree, map))?;
    let shown = |(table, field): (Option<&TableReference>, &FieldRef)| ShownColumn {
        name: field.name().clone(),
        table: table.map(|table| table.table().to_string()),
    };
    Ok(plan.schema().iter().map(shown).collect())
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

/// The planner's error with the place of the word that it is about.
fn place(error: DataFusionError, query: &ast::Query, map: &SourceMap) -> Error {
    if let Some(schema_error) = find_schema_error(&error) {
        return schema_error_in_words(schema_error, query, map);
    }
    place_ours(Error::from_datafusion(error), query, map)
}

fn place_ours(error: Error, query: &ast::Query, map: &SourceMap) -> Error {
    match error.code() {
        _ if error.location().is_none() && error.message().starts_with("view `") => {
            let name = backquoted(error.message()).unwrap_or_default().to_string();
            match find_relation(query, map, &name) {
                Some(span) => error.at(span),
                None => error,
            }
        }
        codes::UNKNOWN_TABLE
        | codes::UNKNOWN_DATABASE
        | codes::UNSUPPORTED_SERDE
        | codes::BAD_REGEX
        | codes::NOT_FOUND
        | codes::ACCESS_DENIED
        | codes::NO_INPUT_FILES => {
            let name = backquoted(error.message()).map(|name| name.rsplit('.').next().unwrap_or(name).to_string());
            match name.and_then(|name| find_relation(query, map, &name)) {
                Some(span) => error.at(span),
                None => error,
            }
        }
        codes::SEMANTIC if error.message().contains("require unique expression names") => {
            let name = error.message().split('"').nth(1).and_then(|name| name.rsplit('.').next()).unwrap_or_default();
            place_twice(select_list::twice(name, ""), name, query, map)
        }
        codes::DUPLICATE_COLUMN if error.location().is_none() => {
            let name = error.message().rsplit('`').nth(1).unwrap_or_default().to_string();
            place_twice(error, &name, query, map)
        }
        codes::SEMANTIC if let Some(span) = find_function(query, map, error.message()) => {
            Error::new(codes::WRONG_ARGUMENTS, error.message()).at(span)
        }
        codes::SEMANTIC if let Some(column) = not_grouped(error.message()) => {
            let message = format!("column `{column}` is neither in GROUP BY nor inside an aggregate function");
            let error = Error::new(codes::SEMANTIC, message);
            match find_name(query, map, |ident| ident.value == column) {
                Some(span) => error.at(span),
                None => error,
            }
        }
        // What DataFusion says of its own trees is no word of the user's.
        codes::UNSUPPORTED if error.location().is_none() && error.message().contains(['{', '(']) => {
            Error::new(codes::UNSUPPORTED, "a part of this statement is not supported yet")
                .with_source(error.message().to_string())
                .at(map.script_span(0..map.text().len()))
        }
        codes::SEMANTIC | codes::UNSUPPORTED | codes::WRONG_ARGUMENTS | codes::TYPE_MISMATCH => {
            error.at(map.script_span(0..map.text().len()))
        }
        _ => error,
    }
}

fn place_twice(error: Error, name: &str, query: &ast::Query, map: &SourceMap) -> Error {
    let place = select_list::place_of_second(query, name).and_then(|place| map.span_of(place));
    error.at(place.unwrap_or_else(|| map.script_span(0..map.text().len())))
}

fn find_schema_error(error: &DataFusionError) -> Option<&SchemaError> {
    match error {
        DataFusionError::SchemaError(inner, _) => Some(inner),
        DataFusionError::Context(_, inner) => find_schema_error(inner),
        DataFusionError::Diagnostic(_, inner) => find_schema_error(inner),
        DataFusionError::Collection(errors) => errors.iter().find_map(find_schema_error),
        _ => None,
    }
}

fn schema_error_in_words(error: &SchemaError, query: &ast::Query, map: &SourceMap) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut tables: Vec<_> = valid_fields
                .iter()
                .filter_map(|valid| valid.relation.as_ref())
                .map(|relation| relation.table())
                .collect();
            tables.dedup();
            let message = match (&field.relation, tables.as_slice()) {
                (Some(relation), _) => format!("column `{}` not found in table `{}`", field.name, relation.table()),
                (None, [table]) => format!("column `{}` not found in table `{table}`", field.name),
                (None, _) => format!("column `{}` not found", field.name),
            };
            let mut placed = Error::new(codes::UNKNOWN_COLUMN, message);
            if let Some(span) = find_name(query, map, |ident| ident.value == field.name) {
                placed = placed.at(span);
            }
            let names = valid_fields.iter().map(|valid| valid.name.as_str());
            match nearest(&field.name, names) {
                Some(near) => placed.with_hint(format!("did you mean `{near}`?")),
                None => placed,
            }
        }
        SchemaError::AmbiguousReference { field } => {
            let message = format!("column `{}` is in more than one table", field.name);
            let placed =
                Error::new(codes::AMBIGUOUS_COLUMN, message).with_hint(format!("name the table: `t.{}`", field.name));
            match find_name(query, map, |ident| ident.value == field.name) {
                Some(span) => placed.at(span),
                // Nobody refers to it: two columns of one select list.
                None => place_twice(select_list::twice(&field.name, ""), &field.name, query, map),
            }
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            let placed = Error::new(codes::DUPLICATE_COLUMN, format!("column `{name}` is there twice"));
            match find_name(query, map, |ident| ident.value == *name) {
                Some(span) => placed.at(span),
                None => placed,
            }
        }
    }
}

/// The column that DataFusion misses in GROUP BY.
fn not_grouped(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("column \"")?;
    let (column, rest) = rest.split_once('"')?;
    rest.starts_with(" must appear in the GROUP BY").then(|| column.rsplit('.').next().unwrap_or(column).to_string())
}

fn backquoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once('`')?;
    rest.split_once('`').map(|(name, _)| name)
}

/// The place of the function that `message` begins with: `substring takes 2 to 3 arguments`. The script may call it by
/// another of its names.
fn find_function(query: &ast::Query, map: &SourceMap, message: &str) -> Option<Span> {
    struct Finder<'a>(&'a str);

    impl Visitor for Finder<'_> {
        type Break = sqlparser::tokenizer::Span;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
            if let Expr::Function(function) = expr {
                let name = function.name.to_string();
                let own_name = functions::scalar_function(&name).map(|function| function.name().to_string());
                if name == self.0 || own_name.as_deref() == Some(self.0) {
                    return ControlFlow::Break(function.name.span());
                }
            }
            ControlFlow::Continue(())
        }
    }

    match query.visit(&mut Finder(message.split_whitespace().next()?)) {
        ControlFlow::Break(span) => map.span_of(span),
        ControlFlow::Continue(()) => None,
    }
}

/// The place of the first table of this name in `query`.
fn find_relation(query: &ast::Query, map: &SourceMap, name: &str) -> Option<Span> {
    let place = ast::visit_relations(query, |relation| {
        match relation.0.iter().filter_map(|part| part.as_ident()).find(|ident| ident.value == name) {
            Some(ident) => ControlFlow::Break(ident.span),
            None => ControlFlow::Continue(()),
        }
    });
    map.span_of(place.break_value()?)
}

/// The place of the first name in `query` that is meant.
fn find_name(query: &ast::Query, map: &SourceMap, is_meant: impl Fn(&Ident) -> bool) -> Option<Span> {
    struct Finder<F>(F);

    impl<F: Fn(&Ident) -> bool> Visitor for Finder<F> {
        type Break = sqlparser::tokenizer::Span;

        fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<Self::Break> {
            for part in &relation.0 {
                if let Some(ident) = part.as_ident()
                    && (self.0)(ident)
                {
                    return ControlFlow::Break(ident.span);
                }
            }
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
            let found = match expr {
                Expr::Identifier(ident) => std::slice::from_ref(ident).iter().find(|ident| (self.0)(ident)),
                Expr::CompoundIdentifier(idents) => idents.iter().rev().find(|ident| (self.0)(ident)),
                _ => None,
            };
            match found {
                Some(ident) => ControlFlow::Break(ident.span),
                None => ControlFlow::Continue(()),
            }
        }
    }

    match query.visit(&mut Finder(is_meant)) {
        ControlFlow::Break(span) => map.span_of(span),
        ControlFlow::Continue(()) => None,
    }
}
