//! Aggregate functions with Hive's types: where DataFusion's accumulators mean the same they are used. Sums of doubles
//! are exact until they are shown, so no result depends on how the rows were divided.
//!
//! Source: Hive `GenericUDAFSum` (whole numbers give bigint and wrap, floats and text double), `GenericUDAFAverage`,
//! `GenericUDAFCount`, `GenericUDAFVariance` (`stddev` and `variance` are of the population), `GenericUDAFCorrelation`.

mod collect;
mod decimal;
mod exact_sum;
mod histogram;
mod moments;
mod percentile;
mod typed;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::functions_aggregate as theirs;
use datafusion::logical_expr::AggregateUDF;

use super::builtin::{check_count, type_name};
use super::common_type::{is_decimal, is_numeric, is_string, normal};
use decimal::Total;
use moments::{Divisor, Moment};
use typed::Typed;

pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let typed = |aggregate: Typed| Arc::new(AggregateUDF::new_from_impl(aggregate));
    let moment =
        |name, aliases: &[&str], moment, wants| Typed::new(name, aliases, moments::moment(name, moment), wants);
    let (population, sample) = (Divisor::Population, Divisor::Sample);
    vec![
        theirs::count::count_udaf(),
        theirs::min_max::min_udaf(),
        theirs::min_max::max_udaf(),
        typed(
            moment("sum", &[], Moment::Sum, |given| Ok(vec![number("sum", given, true)?]))
                .with_others(theirs::sum::sum_udaf())
                .of_decimals(Total::Sum),
        ),
        typed(
            moment("avg", &[], Moment::Average, |given| Ok(vec![number("avg", given, false)?]))
                .of_decimals(Total::Average),
        ),
        typed(moment("stddev_pop", &["stddev", "std"], Moment::Deviation(population), |given| {
            doubles("stddev", given, 1)
        })),
        typed(moment("stddev_samp", &[], Moment::Deviation(sample), |given| doubles("stddev_samp", given, 1))),
        typed(moment("var_pop", &["variance"], Moment::Variance(population), |given| doubles("variance", given, 1))),
        typed(moment("var_samp", &[], Moment::Variance(sample), |given| doubles("var_samp", given, 1))),
        typed(moment("corr", &[], Moment::Correlation, |given| doubles("corr", given, 2))),
        typed(moment("covar_pop", &[], Moment::Covariance(population), |given| doubles("covar_pop", given, 2))),
        typed(moment("covar_samp", &[], Moment::Covariance(sample), |given| doubles("covar_samp", given, 2))),
        collect::list(),
        collect::set(),
        percentile::exact(),
        percentile::approximate(),
    ]
}

/// What `sum` and `avg` compute in: decimals as they are, whole numbers as bigint if they stay whole, else double.
fn number(name: &str, given: &[DataType], whole: bool) -> Result<DataType> {
    check_count(name, given, 1, 1)?;
    match normal(&given[0]) {
        other if is_decimal(&other) => Ok(other),
        other if other.is_integer() && whole => Ok(DataType::Int64),
        other if is_numeric(&other) || is_string(&other) || other.is_null() => Ok(DataType::Float64),
        other => plan_err!("{name} takes a number, found {}", type_name(&other)),
    }
}

fn doubles(name: &str, given: &[DataType], n: usize) -> Result<Vec<DataType>> {
    check_count(name, given, n, n)?;
    given.iter().map(|t| number(name, std::slice::from_ref(t), false).map(|_| DataType::Float64)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::query;

    #[track_caller]
    fn check(aggregate: &str, values: &str, expected: &str) {
        let rows = query(&format!("SELECT {aggregate} FROM (VALUES {values}) t(a, b)")).unwrap();
        let found: Vec<_> = rows[0].iter().map(|v| v.clone().unwrap_or("NULL".to_owned())).collect();
        assert_eq!(found.join(" "), expected, "{aggregate}");
    }

    #[test]
    fn sums() {
        let values = "(1, 'x'), (2, '1.5'), (3, '2'), (NULL, NULL)";
        check("sum(a), sum(b), count(*), count(a), avg(a), avg(b)", values, "6 3.5 4 3 2.0 1.75");
        check("min(b), max(b)", values, "1.5 x");
        check("count(DISTINCT a, b), count(DISTINCT a)", "(1, 'x'), (1, 'x'), (1, 'y'), (2, NULL)", "2 2");
        check("sum(a)", "(9223372036854775807, 1), (1, 1)", "-9223372036854775808");
        check("sum(a)", "(NULL, 1)", "NULL");
    }

    #[test]
    fn spread() {
        let values = "(1, 2), (2, 4), (3, 6), (4, 8)";
        check(
            "stddev(a), stddev_samp(a), variance(a), var_samp(b)",
            values,
            "1.118033988749895 1.2909944487358056 1.25 6.666666666666667",
        );
        check("round(corr(a, b), 6), covar_pop(a, b)", values, "1.0 2.5");
        check("var_samp(a)", "(1, 1)", "NULL");
    }

    #[test]
    fn collections() {
        let values = "(1, 'b'), (NULL, 'a'), (1, 'b'), (2, NULL)";
        check(
            "collect_list(a), collect_set(a), collect_list(b), collect_set(b)",
            values,
            "[1,1,2] [1,2] [\"b\",\"a\",\"b\"] [\"b\",\"a\"]",
        );
        check("collect_list(a)", "(NULL, 1)", "[]");
    }

    #[test]
    fn percentiles() {
        let values = "(1, 1), (2, 2), (3, 3), (4, 4), (NULL, 5)";
        check("percentile(a, 0.5), percentile(a, array(0.0, 0.25, 1.0))", values, "2.5 [1.0,1.75,4.0]");
        check("percentile_approx(a, 0.5), percentile_approx(a, array(0.25, 0.75))", values, "2.0 [1.0,3.0]");
        check("percentile_approx(a, 0.6)", values, "2.4");
        check("percentile(a, 0.5), percentile_approx(a, 0.5)", "(NULL, 1)", "NULL NULL");
        check("percentile_approx(a, 0.5, 2)", values, "2.0");
    }
}
