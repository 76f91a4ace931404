//! Names → catalog objects, for DataFusion's SQL planner.

use std::cell::RefCell;
use std::sync::Arc;

use arrow_schema::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result as DfResult, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::datasource::provider_as_source;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF};

use super::query::PlanContext;
use crate::catalog::{Table, TableKind};
use crate::error::{Error, Result, codes};
use crate::functions;
use crate::table::LogTable;

/// Views that may stand in each other.
const VIEW_DEPTH_MAX: usize = 32;

/// Finds tables and functions, and remembers the tables that a query reads.
pub(super) struct Binder<'a> {
    context: &'a PlanContext<'a>,
    state: &'a SessionState,
    /// Tables found so far; each scan of a table is one entry.
    pub tables: RefCell<Vec<Arc<LogTable>>>,
    view_depth: usize,
    /// The database of the view that is being read: its names are of that one.
    database: Option<String>,
}

impl<'a> Binder<'a> {
    pub fn new(context: &'a PlanContext<'a>, state: &'a SessionState) -> Self {
        Binder { context, state, tables: RefCell::default(), view_depth: 0, database: None }
    }

    /// The time of the statement.
    pub fn now(&self) -> jiff::Timestamp {
        self.context.now
    }

    fn table(&self, name: &TableReference) -> Result<Arc<dyn TableSource>> {
        let table = self.context.catalog.table(name.schema().or(self.database.as_deref()), name.table())?;
        if let TableKind::View { query } = &table.kind {
            return self.view(&table, query);
        }
        let provider = Arc::new(LogTable::new(
            table,
            Arc::clone(&self.context.config),
            self.context.storage.clone(),
            self.context.allow_empty_input,
            Arc::clone(&self.context.reports),
        )?);
        self.tables.borrow_mut().push(Arc::clone(&provider));
        Ok(provider_as_source(provider as Arc<dyn TableProvider>))
    }

    fn view(&self, view: &Table, query: &str) -> Result<Arc<dyn TableSource>> {
        let plan = self.view_plan(view, query)?;
        Ok(provider_as_source(Arc::new(datafusion::datasource::ViewTable::new(plan, Some(query.to_string())))))
    }

    /// Plans the query of a view, whose names are of the view's database.
    pub fn view_plan(&self, view: &Table, query: &str) -> Result<LogicalPlan> {
        if self.view_depth >= VIEW_DEPTH_MAX {
            return Err(Error::new(
                codes::NESTING_DEPTH,
                format!("view `{}` is nested deeper than {VIEW_DEPTH_MAX}", view.name),
            ));
        }
        let inner = Binder {
            context: self.context,
            state: self.state,
            tables: RefCell::default(),
            view_depth: self.view_depth + 1,
            database: Some(view.database.clone()),
        };
        let plan = super::query::plan_view(&view.name, query, &inner)?;
        self.tables.borrow_mut().extend(inner.tables.into_inner());
        Ok(plan)
    }
}

impl ContextProvider for Binder<'_> {
    fn get_table_source(&self, name: TableReference) -> DfResult<Arc<dyn TableSource>> {
        self.table(&name).map_err(DataFusionError::from)
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        functions::scalar_function(name)
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        functions::aggregate_function(name)
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        functions::window_function(name)
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        functions::names()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        functions::aggregate_names()
    }

    fn udwf_names(&self) -> Vec<String> {
        functions::window_names()
    }
}
