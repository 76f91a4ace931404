//! Hive's built-in functions, casts and operators, with Hive's meaning and not DataFusion's or Spark's.
//!
//! The planner registers [`scalar_functions`], [`aggregate_functions`] and [`window_functions`], gives `SqlToRel` a
//! [`HiveExprPlanner`], writes CAST as [`cast_to`] and IN as [`in_list`], and brings the branches of CASE and UNION to
//! their [`common_type`].
//!
//! Whose behaviour: Hive 3.1. Names that begin with `__` are operators that have no name in Hive. Strings come out
//! as `Utf8View`; what cannot be converted is NULL; a wrong number or type of arguments is a plan error.

mod builtin;

mod arithmetic;
mod cast;
mod civil_time;
mod common_type;
mod conditional;
mod encoding;
mod get_json_object;
mod java_regex;
mod math;
mod parse_url;
mod regexp;
mod rounding;
mod substring;
mod text;
mod java_number;
mod operators;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub use cast::cast_to;
pub use common_type::{common_type, comparison_type};
pub use operators::{HiveExprPlanner, in_list};

static SCALAR: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let rooms = [
        arithmetic::builtins(),
        conditional::builtins(),
        encoding::builtins(),
        get_json_object::builtins(),
        math::builtins(),
        parse_url::builtins(),
        regexp::builtins(),
        rounding::builtins(),
        substring::builtins(),
        text::builtins(),
    ];
    rooms.into_iter().flatten().map(builtin::Builtin::into_udf).collect()
});

static SCALAR_BY_NAME: LazyLock<HashMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let mut by_name = HashMap::new();
    for function in SCALAR.iter() {
        for name in std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str)) {
            by_name.insert(name.to_owned(), Arc::clone(function));
        }
    }
    by_name
});

/// The scalar functions, each with Hive's aliases.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    SCALAR.clone()
}

/// The scalar function of this name, casts and operators included: what a plan that was written down is read with.
pub fn scalar_function(name: &str) -> Option<Arc<ScalarUDF>> {
    SCALAR_BY_NAME.get(name).cloned().or_else(|| cast::cast_by_name(name))
}

/// The aggregate functions, each with Hive's aliases.
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    Vec::new()
}

/// The functions that only stand before OVER.
pub fn window_functions() -> Vec<Arc<WindowUDF>> {
    Vec::new()
}
