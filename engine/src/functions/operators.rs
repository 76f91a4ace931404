//! What Hive's operators mean, decided from the types of their operands while the plan is made.
//!
//! Wherever Arrow's kernel is Hive's operator it is used, between operands cast to one type, so that predicates keep a
//! form the optimizer and the scan understand. The rest are calls of functions.

use arrow::datatypes::{DataType, Field, IntervalMonthDayNano};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference, not_impl_err, plan_err};
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr, RawDictionaryExpr, RawFieldAccessExpr, RawWindowExpr,
};
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, Operator, binary_expr};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::builtin::type_name;
use super::cast::convert;
use super::common_type::{arithmetic_type, comparison_type, is_decimal, is_temporal};
use super::scalar_function;

/// Gives `SqlToRel` Hive's operators, `a[0]` counted from 0, `m['k']` and `s.f`.
///
/// A whole number that DataFusion read as a 64-bit literal is taken as Hive's `int` where it fits.
#[derive(Debug, Default)]
pub struct HiveExprPlanner;

impl ExprPlanner for HiveExprPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = expr;
        let (left, right) = (narrow(left), narrow(right));
        let (a, b) = (left.get_type(schema)?, right.get_type(schema)?);
        let planned = match op {
            BinaryOperator::Plus | BinaryOperator::Minus if is_interval(&a) || is_interval(&b) => {
                add_interval(&op, (left, a), (right, b))?
            }
            BinaryOperator::Minus if is_temporal(&a) && is_temporal(&b) => {
                return not_impl_err!("the difference of two dates as an interval; datediff gives days");
            }
            BinaryOperator::Plus => arithmetic(Operator::Plus, "__add", (left, a), (right, b))?,
            BinaryOperator::Minus => arithmetic(Operator::Minus, "__subtract", (left, a), (right, b))?,
            BinaryOperator::Multiply => arithmetic(Operator::Multiply, "__multiply", (left, a), (right, b))?,
            BinaryOperator::Divide => call("__divide", vec![left, right])?,
            BinaryOperator::Modulo => call("mod", vec![left, right])?,
            BinaryOperator::MyIntegerDivide | BinaryOperator::DuckIntegerDivide => call("div", vec![left, right])?,
            BinaryOperator::StringConcat => call("concat", vec![left, right])?,
            BinaryOperator::Eq => compare(Operator::Eq, (left, a), (right, b))?,
            BinaryOperator::NotEq => compare(Operator::NotEq, (left, a), (right, b))?,
            BinaryOperator::Lt => compare(Operator::Lt, (left, a), (right, b))?,
            BinaryOperator::LtEq => compare(Operator::LtEq, (left, a), (right, b))?,
            BinaryOperator::Gt => compare(Operator::Gt, (left, a), (right, b))?,
            BinaryOperator::GtEq => compare(Operator::GtEq, (left, a), (right, b))?,
            BinaryOperator::Spaceship => compare(Operator::IsNotDistinctFrom, (left, a), (right, b))?,
            BinaryOperator::And => logical(Operator::And, (left, a), (right, b))?,
            BinaryOperator::Or => logical(Operator::Or, (left, a), (right, b))?,
            BinaryOperator::BitwiseAnd => bitwise(Operator::BitwiseAnd, (left, a), (right, b))?,
            BinaryOperator::BitwiseOr => bitwise(Operator::BitwiseOr, (left, a), (right, b))?,
            BinaryOperator::BitwiseXor => bitwise(Operator::BitwiseXor, (left, a), (right, b))?,
            op => return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right })),
        };
        Ok(PlannerResult::Planned(planned))
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { field_access, expr } = expr;
        let data_type = expr.get_type(schema)?;
        let key = match field_access {
            GetFieldAccess::ListIndex { key } => narrow(*key),
            GetFieldAccess::NamedStructField { name } => match data_type {
                DataType::Struct(_) => return Ok(PlannerResult::Planned(field_of(expr, name))),
                _ => Expr::Literal(name, None),
            },
            GetFieldAccess::ListRange { .. } => return not_impl_err!("a range of an array's elements"),
        };
        Ok(PlannerResult::Planned(call("__index", vec![expr, key])?))
    }

    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let column = Expr::Column(Column::from((qualifier, field)));
        let path = nested_names.iter();
        Ok(PlannerResult::Planned(path.fold(column, |expr, name| field_of(expr, ScalarValue::from(name.as_str())))))
    }

    fn plan_array_literal(&self, exprs: Vec<Expr>, _: &DFSchema) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(call("array", exprs)?))
    }

    fn plan_dictionary_literal(
        &self,
        expr: RawDictionaryExpr,
        _: &DFSchema,
    ) -> Result<PlannerResult<RawDictionaryExpr>> {
        let pairs = expr.keys.into_iter().zip(expr.values).flat_map(|(key, value)| [key, value]);
        Ok(PlannerResult::Planned(call("map", pairs.collect())?))
    }

    fn plan_struct_literal(&self, args: Vec<Expr>, is_named_struct: bool) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(call(if is_named_struct { "named_struct" } else { "struct" }, args)?))
    }

    /// `count(*)` counts rows; `count(DISTINCT a, b)` counts the distinct rows in which neither is NULL.
    fn plan_aggregate(&self, mut expr: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        if expr.func.name() == "count" {
            if is_wildcard(&expr.args) {
                expr.args = vec![Expr::Literal(COUNT_STAR_EXPANSION, None)];
            } else if expr.distinct && expr.args.len() > 1 {
                expr.args = vec![call("__distinct_key", std::mem::take(&mut expr.args))?];
            }
        }
        Ok(PlannerResult::Original(expr))
    }

    fn plan_window(&self, mut expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        if expr.func_def.name() == "count" && is_wildcard(&expr.args) {
            expr.args = vec![Expr::Literal(COUNT_STAR_EXPANSION, None)];
        }
        Ok(PlannerResult::Original(expr))
    }

    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(call("substring", args)?))
    }

    fn plan_position(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(call("locate", args)?))
    }

    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let [Expr::Literal(part, _), value] = args.as_slice() else {
            return plan_err!("extract takes a part and a date");
        };
        let part = part.try_as_str().flatten().unwrap_or_default().to_lowercase();
        let function = match part.as_str() {
            "year" | "quarter" | "month" | "day" | "hour" | "minute" | "second" | "dayofweek" => part.as_str(),
            "week" => "weekofyear",
            "dow" => "dayofweek",
            other => return plan_err!("extract takes no part named {other}"),
        };
        Ok(PlannerResult::Planned(call(function, vec![value.clone()])?))
    }
}

/// `expr IN (list)`: all are compared in one type.
///
/// Errors: a plan error if there is no type in which `expr` and the list can be compared.
/// Source: Hive `GenericUDFIn`.
pub fn in_list(expr: Expr, list: Vec<Expr>, negated: bool, schema: &DFSchema) -> Result<Expr> {
    let expr = narrow(expr);
    let from = expr.get_type(schema)?;
    let list: Vec<Expr> = list.into_iter().map(narrow).collect();
    let types = list.iter().map(|e| e.get_type(schema)).collect::<Result<Vec<_>>>()?;
    let mut common = from.clone();
    for data_type in &types {
        common = match comparison_type(&common, data_type) {
            Some(common) => common,
            None => return plan_err!("in compares {} with {}", type_name(&from), type_name(data_type)),
        };
    }
    let list = list.into_iter().zip(&types).map(|(e, t)| convert(e, t, &common)).collect();
    Ok(Expr::InList(InList::new(Box::new(convert(expr, &from, &common)), list, negated)))
}

fn is_wildcard(args: &[Expr]) -> bool {
    #[expect(deprecated, reason = "the SQL planner still makes it of `count(*)`")]
    let is_wildcard = matches!(args, [Expr::Wildcard { .. }]);
    is_wildcard
}

/// A call of a function of this room.
pub(super) fn call(name: &str, args: Vec<Expr>) -> Result<Expr> {
    match scalar_function(name) {
        Some(function) => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, args))),
        None => not_impl_err!("the function {name}"),
    }
}

/// Reads DataFusion's 64-bit literals as Hive's `int` where they fit.
fn narrow(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => match i32::try_from(value) {
            Ok(value) => Expr::Literal(ScalarValue::Int32(Some(value)), metadata),
            Err(_) => Expr::Literal(ScalarValue::Int64(Some(value)), metadata),
        },
        other => other,
    }
}

fn field_of(expr: Expr, name: ScalarValue) -> Expr {
    let name = Expr::Literal(name, None);
    Expr::ScalarFunction(ScalarFunction::new_udf(datafusion::functions::core::get_field(), vec![expr, name]))
}

fn arithmetic(
    operator: Operator,
    decimal: &str,
    (left, a): (Expr, DataType),
    (right, b): (Expr, DataType),
) -> Result<Expr> {
    match arithmetic_type(&a, &b) {
        Some(common) if is_decimal(&common) => call(decimal, vec![left, right]),
        Some(common) => Ok(binary_expr(convert(left, &a, &common), operator, convert(right, &b, &common))),
        None => plan_err!("{operator} takes two numbers, found {} and {}", type_name(&a), type_name(&b)),
    }
}

fn compare(operator: Operator, (left, a): (Expr, DataType), (right, b): (Expr, DataType)) -> Result<Expr> {
    match comparison_type(&a, &b) {
        Some(common) => Ok(binary_expr(convert(left, &a, &common), operator, convert(right, &b, &common))),
        None => plan_err!("{operator} compares values of one type, found {} and {}", type_name(&a), type_name(&b)),
    }
}

fn logical(operator: Operator, (left, a): (Expr, DataType), (right, b): (Expr, DataType)) -> Result<Expr> {
    for data_type in [&a, &b] {
        if !matches!(data_type, DataType::Boolean | DataType::Null) {
            return plan_err!("{operator} takes booleans, found {}", type_name(data_type));
        }
    }
    let boolean = DataType::Boolean;
    Ok(binary_expr(convert(left, &a, &boolean), operator, convert(right, &b, &boolean)))
}

fn bitwise(operator: Operator, (left, a): (Expr, DataType), (right, b): (Expr, DataType)) -> Result<Expr> {
    match arithmetic_type(&a, &b) {
        Some(common) if common.is_integer() => {
            Ok(binary_expr(convert(left, &a, &common), operator, convert(right, &b, &common)))
        }
        _ => plan_err!("{operator} takes two whole numbers, found {} and {}", type_name(&a), type_name(&b)),
    }
}

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_))
}

/// `date + interval`: with months it stays a date, with days and seconds it becomes a timestamp.
///
/// Source: Hive `GenericUDFOPDTIPlus`.
fn add_interval(op: &BinaryOperator, (left, a): (Expr, DataType), (right, b): (Expr, DataType)) -> Result<Expr> {
    let minus = *op == BinaryOperator::Minus;
    if is_interval(&a) && (minus || is_interval(&b)) {
        return not_impl_err!("arithmetic on intervals alone");
    }
    let (value, data_type, interval) = if is_interval(&b) { (left, a, right) } else { (right, b, left) };
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) = interval else {
        return not_impl_err!("an interval that is not a literal");
    };
    if !is_temporal(&data_type) {
        return plan_err!("an interval is added to a date or timestamp, found {}", type_name(&data_type));
    }
    let sign = if minus { -1 } else { 1 };
    let IntervalMonthDayNano { months, days, nanoseconds } = interval;
    let months_expr = Expr::Literal(ScalarValue::Int32(Some(months * sign)), None);
    let only_months = days == 0 && nanoseconds == 0;
    if only_months && data_type == DataType::Date32 {
        return call("__date_plus_months", vec![value, months_expr]);
    }
    let nanoseconds = i64::from(days) * 86_400_000_000_000 + nanoseconds;
    let nanos_expr = Expr::Literal(ScalarValue::Int64(Some(nanoseconds * i64::from(sign))), None);
    call("__timestamp_plus", vec![value, months_expr, nanos_expr])
}
