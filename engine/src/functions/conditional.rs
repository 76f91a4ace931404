//! `if`, `nvl`, `coalesce`, `nullif`, tests for NULL and truth, `greatest` and `least`.
//!
//! Source: Hive `GenericUDFIf`, `GenericUDFCoalesce`, `GenericUDFNullif`, `GenericUDFOPNull`, `GenericUDFOPTrue` …,
//! `GenericUDFGreatest`: one NULL among the arguments of `greatest` and `least` makes them NULL (since Hive 2).

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, make_comparator};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::builtin::{Arguments, Builtin, CallTypes, check_count, type_name};
use super::cast::convert;
use super::common_type::{common_type, comparison_type};

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::new("if", if_types, evaluate_if).simplify(if_as_case),
        Builtin::new("coalesce", |given| common("coalesce", given, 1, usize::MAX), coalesce).simplify(coalesce_as_case),
        Builtin::new("nvl", |given| common("nvl", given, 2, 2), coalesce).simplify(coalesce_as_case),
        Builtin::new("nullif", nullif_types, nullif),
        Builtin::new("greatest", |given| common("greatest", given, 2, usize::MAX), |a| extreme(a, Ordering::Greater)),
        Builtin::new("least", |given| common("least", given, 2, usize::MAX), |a| extreme(a, Ordering::Less)),
        test("isnull", |value| value.is_none()),
        test("isnotnull", |value| value.is_some()),
        test("istrue", |value| value == Some(true)),
        test("isnottrue", |value| value != Some(true)),
        test("isfalse", |value| value == Some(false)),
        test("isnotfalse", |value| value != Some(false)),
    ]
}

/// A test of one value; what is not boolean counts as true unless it is NULL.
fn test(name: &'static str, holds: fn(Option<bool>) -> bool) -> Builtin {
    let types = move |given: &[DataType]| {
        check_count(name, given, 1, 1)?;
        if name.ends_with("null") {
            return Ok(CallTypes { arguments: given.to_vec(), result: DataType::Boolean });
        }
        match &given[0] {
            DataType::Boolean | DataType::Null => {
                Ok(CallTypes { arguments: vec![DataType::Boolean], result: DataType::Boolean })
            }
            other => plan_err!("{name} takes a boolean, found {}", type_name(other)),
        }
    };
    Builtin::new(name, types, move |arguments| {
        let array = arguments.array(0);
        let nulls = array.logical_nulls();
        let booleans = array.as_any().downcast_ref::<BooleanArray>();
        arguments.to_booleans(|row| {
            let row = arguments.row(0, row);
            let null = nulls.as_ref().is_some_and(|n| n.is_null(row));
            Some(holds((!null).then(|| booleans.is_none_or(|b| b.value(row)))))
        })
    })
}

fn if_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("if", given, 3, 3)?;
    if !matches!(given[0], DataType::Boolean | DataType::Null) {
        return plan_err!("if takes a boolean as its first argument, found {}", type_name(&given[0]));
    }
    match common_type(&given[1], &given[2]) {
        Some(common) => {
            Ok(CallTypes { arguments: vec![DataType::Boolean, common.clone(), common.clone()], result: common })
        }
        None => plan_err!("if gives one type, found {} and {}", type_name(&given[1]), type_name(&given[2])),
    }
}

fn evaluate_if(arguments: &Arguments) -> Result<ArrayRef> {
    let condition = arguments.booleans(0)?;
    choose(arguments, |row| Some(if condition.get(row) == Some(true) { 1 } else { 2 }))
}

/// CASE evaluates only the branch it needs.
fn if_as_case(args: &[Expr], info: &SimplifyContext) -> Result<Option<Expr>> {
    let [condition, then, otherwise] = args else { return Ok(None) };
    let (a, b) = (then.get_type(info.schema())?, otherwise.get_type(info.schema())?);
    let Some(common) = common_type(&a, &b) else { return Ok(None) };
    let when = convert(condition.clone(), &condition.get_type(info.schema())?, &DataType::Boolean);
    let branches = vec![(Box::new(when), Box::new(exactly(then, &a, &common)))];
    Ok(Some(Expr::Case(Case::new(None, branches, Some(Box::new(exactly(otherwise, &b, &common)))))))
}

fn coalesce_as_case(args: &[Expr], info: &SimplifyContext) -> Result<Option<Expr>> {
    let types = args.iter().map(|e| e.get_type(info.schema())).collect::<Result<Vec<_>>>()?;
    let Some(common) = types.iter().try_fold(DataType::Null, |common, t| common_type(&common, t)) else {
        return Ok(None);
    };
    let mut converted: Vec<Expr> = args.iter().zip(&types).map(|(e, t)| exactly(e, t, &common)).collect();
    let (Some(last), false) = (converted.pop(), converted.is_empty()) else { return Ok(None) };
    let branches = converted.into_iter().map(|e| (Box::new(e.clone().is_not_null()), Box::new(e)));
    // A branch that is never NULL would make the whole not nullable; the last is kept nullable by its own type.
    Ok(Some(Expr::Case(Case::new(None, branches.collect(), Some(Box::new(last))))))
}

/// Converts also between Arrow's kinds of strings, so that the type is the one promised.
fn exactly(expr: &Expr, from: &DataType, to: &DataType) -> Expr {
    if from == to {
        return expr.clone();
    }
    if super::common_type::is_string(from) && super::common_type::is_string(to) {
        return datafusion::logical_expr::cast(expr.clone(), to.clone());
    }
    convert(expr.clone(), from, to)
}

fn common(name: &'static str, given: &[DataType], min: usize, max: usize) -> Result<CallTypes> {
    check_count(name, given, min, max)?;
    let mut common = DataType::Null;
    for data_type in given {
        common = match common_type(&common, data_type) {
            Some(common) => common,
            None => {
                return plan_err!("{name} takes one type, found {} and {}", type_name(&common), type_name(data_type));
            }
        };
    }
    Ok(CallTypes { arguments: vec![common.clone(); given.len()], result: common })
}

fn coalesce(arguments: &Arguments) -> Result<ArrayRef> {
    choose(arguments, |row| {
        (0..arguments.len()).find(|position| !arguments.array(*position).is_null(arguments.row(*position, row)))
    })
}

fn nullif_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("nullif", given, 2, 2)?;
    match comparison_type(&given[0], &given[1]) {
        Some(_) => Ok(CallTypes { arguments: given.to_vec(), result: super::common_type::normal(&given[0]) }),
        None => plan_err!("nullif compares {} with {}", type_name(&given[0]), type_name(&given[1])),
    }
}

fn nullif(arguments: &Arguments) -> Result<ArrayRef> {
    let Some(common) = comparison_type(arguments.data_type(0), arguments.data_type(1)) else {
        return plan_err!("nullif compares values of one type");
    };
    let left = super::cast::cast_array(arguments.array(0), &common)?;
    let right = super::cast::cast_array(arguments.array(1), &common)?;
    let comparator = make_comparator(&left, &right, SortOptions::default())?;
    choose(arguments, |row| {
        let (l, r) = (arguments.row(0, row), arguments.row(1, row));
        let equal = !left.is_null(l) && !right.is_null(r) && comparator(l, r) == Ordering::Equal;
        (!equal).then_some(0)
    })
}

fn extreme(arguments: &Arguments, wanted: Ordering) -> Result<ArrayRef> {
    let n = arguments.len();
    // comparators[p] compares argument p with those before it.
    let mut comparators = Vec::new();
    for position in 1..n {
        let before = (0..position)
            .map(|q| make_comparator(arguments.array(position), arguments.array(q), SortOptions::default()));
        comparators.push(before.collect::<Result<Vec<_>, _>>()?);
    }
    choose(arguments, |row| {
        let mut best = 0;
        for position in 0..n {
            let at = arguments.row(position, row);
            if arguments.array(position).is_null(at) {
                return None;
            }
            if position > 0 && comparators[position - 1][best](at, arguments.row(best, row)) == wanted {
                best = position;
            }
        }
        Some(best)
    })
}

/// Takes each row from the argument that `choice` names, or NULL.
fn choose(arguments: &Arguments, choice: impl Fn(usize) -> Option<usize>) -> Result<ArrayRef> {
    let null = arrow::array::new_null_array(&arguments.result, 1);
    let mut arrays = Vec::with_capacity(arguments.len() + 1);
    for position in 0..arguments.len() {
        let array = arguments.array(position);
        // Arguments of another type are only tested, never taken.
        let usable = *array.data_type() == arguments.result;
        arrays.push(if usable { Arc::clone(array) } else { super::cast::cast_array(array, &arguments.result)? });
    }
    arrays.push(null);
    let indices: Vec<(usize, usize)> = (0..arguments.rows)
        .map(|row| match choice(row) {
            Some(position) => (position, arguments.row(position, row)),
            None => (arguments.len(), 0),
        })
        .collect();
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&arrays, &indices)?)
}
