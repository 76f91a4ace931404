//! Hive's built-in functions, casts and operators, with Hive's meaning and not DataFusion's or Spark's.
//!
//! The planner finds them by name, as [`scalar_function`], [`aggregate_function`] or [`window_function`], gives `SqlToRel`
//! a [`HiveExprPlanner`], writes CAST as [`cast_to`] and IN as [`in_list`], and brings the branches of CASE and UNION to
//! their [`common_type`].
//!
//! Whose behaviour: Hive 3.1. Names that begin with `__` are operators that have no name in Hive. Strings come out
//! as `Utf8View`; what cannot be converted is NULL; a wrong number or type of arguments is a plan error.

mod builtin;

mod aggregates;
mod arithmetic;
mod calendar;
mod cast;
mod civil_time;
mod collections;
mod common_type;
mod conditional;
mod date_pattern;
mod digests;
mod encoding;
mod get_json_object;
mod java_number;
mod math;
mod operators;
mod parse_url;
mod pattern;
mod regexp;
mod rounding;
mod substring;
mod text;
mod time_zone;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub use builtin::type_name;
pub use cast::cast_to;
pub use common_type::common_type;
pub use operators::{HiveExprPlanner, in_list};

/// Functions of one kind by their names, aliases included. Made when the first is asked for: they are many, and a query
/// has a few.
type ByName<F> = LazyLock<HashMap<String, Arc<F>>>;

static SCALAR: ByName<ScalarUDF> = LazyLock::new(|| {
    let rooms = [
        arithmetic::builtins(),
        calendar::builtins(),
        collections::builtins(),
        conditional::builtins(),
        digests::builtins(),
        encoding::builtins(),
        get_json_object::builtins(),
        math::builtins(),
        parse_url::builtins(),
        regexp::builtins(),
        rounding::builtins(),
        substring::builtins(),
        text::builtins(),
        time_zone::builtins(),
    ];
    let functions = rooms.into_iter().flatten().map(builtin::Builtin::into_udf);
    by_name(functions, |function| (function.name(), function.aliases()))
});

static AGGREGATE: ByName<AggregateUDF> =
    LazyLock::new(|| by_name(aggregates::aggregates(), |function| (function.name(), function.aliases())));

static WINDOW: ByName<WindowUDF> =
    LazyLock::new(|| by_name(windows::windows(), |function| (function.name(), function.aliases())));

fn by_name<F>(
    functions: impl IntoIterator<Item = Arc<F>>,
    names_of: fn(&F) -> (&str, &[String]),
) -> HashMap<String, Arc<F>> {
    let mut by_name = HashMap::new();
    for function in functions {
        let (name, aliases) = names_of(&function);
        for name in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
            by_name.insert(name.to_owned(), Arc::clone(&function));
        }
    }
    by_name
}

/// The scalar function of this name, casts and operators included: what a plan that was written down is read with.
pub fn scalar_function(name: &str) -> Option<Arc<ScalarUDF>> {
    SCALAR.get(name).cloned().or_else(|| cast::cast_by_name(name))
}

/// The aggregate function of this name.
pub fn aggregate_function(name: &str) -> Option<Arc<AggregateUDF>> {
    AGGREGATE.get(name).cloned()
}

/// The function of this name that only stands before OVER.
pub fn window_function(name: &str) -> Option<Arc<WindowUDF>> {
    WINDOW.get(name).cloned()
}

/// The names of all functions that are implemented, aliases included, ascending.
pub fn names() -> Vec<String> {
    let names = SCALAR.keys().chain(AGGREGATE.keys()).chain(WINDOW.keys());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("__")).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Those of the aggregate functions, in any order.
pub fn aggregate_names() -> Vec<String> {
    AGGREGATE.keys().cloned().collect()
}

/// Those of the functions that only stand before OVER, in any order.
pub fn window_names() -> Vec<String> {
    WINDOW.keys().cloned().collect()
}

/// Whether Hive has this function and logq does not have it yet.
pub fn is_hive_function(name: &str) -> bool {
    MISSING.contains(&name)
}

/// Built-ins of Hive 3.1 (`FunctionRegistry`) that are not implemented here. Table functions are the planner's.
const MISSING: &[&str] = &[
    "aes_decrypt",
    "aes_encrypt",
    "assert_true",
    "bloom_filter",
    "buildversion",
    "compute_stats",
    "context_ngrams",
    "create_union",
    "current_authorizer",
    "current_database",
    "current_groups",
    "current_user",
    "decode",
    "encode",
    "ewah_bitmap",
    "ewah_bitmap_and",
    "ewah_bitmap_empty",
    "ewah_bitmap_or",
    "explode",
    "extract_union",
    "floor_day",
    "floor_hour",
    "floor_minute",
    "floor_month",
    "floor_quarter",
    "floor_second",
    "floor_week",
    "floor_year",
    "get_splits",
    "grouping",
    "hash",
    "histogram_numeric",
    "in_bloom_filter",
    "in_file",
    "inline",
    "internal_interval",
    "java_method",
    "json_tuple",
    "levenshtein",
    "likeall",
    "likeany",
    "logged_in_user",
    "mask",
    "mask_first_n",
    "mask_hash",
    "mask_last_n",
    "mask_show_first_n",
    "mask_show_last_n",
    "matchpath",
    "murmur_hash",
    "ngrams",
    "noop",
    "noopstreaming",
    "noopwithmap",
    "noopwithmapstreaming",
    "parse_url_tuple",
    "posexplode",
    "printf",
    "quote",
    "rand",
    "reflect",
    "reflect2",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "replicate_rows",
    "sentences",
    "sort_array_by",
    "soundex",
    "stack",
    "surrogate_key",
    "to_epoch_milli",
    "uuid",
    "version",
    "width_bucket",
    "windowingtablefunction",
    "xpath",
    "xpath_boolean",
    "xpath_double",
    "xpath_float",
    "xpath_int",
    "xpath_long",
    "xpath_number",
    "xpath_short",
    "xpath_string",
];
