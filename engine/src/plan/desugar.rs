//! Hive's query tree → one that DataFusion's SQL planner reads the way Hive means it.
//!
//! DataFusion's planner drops some clauses without a word (modifiers of GROUP BY, TABLESAMPLE), so nothing reaches it
//! that is not known here: each part of a query is either passed on because both mean the same, rewritten, or
//! refused as `Unsupported` with its place. Operators and functions get their Hive meaning later, from the types of
//! their operands (`functions`).

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlparser::ast::{
    self, BinaryOperator, CastKind, DataType, DateTimeField, Distinct, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, GroupByExpr, GroupByWithModifier, Ident,
    JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr,
    SetOperator, SetQuantifier, Spanned, TableFactor, UnaryOperator, Value, WindowType,
};

use crate::error::{Error, Result, Span, codes};
use crate::functions;
use crate::hiveql::{self, Part, Rewriter, SourceMap};

/// Rewrites `query` in place; refuses what logq does not execute.
///
/// `now` is the time of the statement: `current_date` and its kin are constants of it, in UTC.
pub(super) fn desugar(query: &mut Query, map: &SourceMap, now: Timestamp) -> Result<()> {
    hiveql::rewrite(query, &mut Desugar { map, now })
}

struct Desugar<'a> {
    map: &'a SourceMap,
    now: Timestamp,
}

impl Rewriter for Desugar<'_> {
    fn query(&mut self, query: &mut Query) -> Result<()> {
        self.query_clauses(query)
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Result<()> {
        self.relation(factor)
    }

    fn expr(&mut self, expr: &mut Expr) -> Result<()> {
        self.expression(expr)
    }
}

impl Desugar<'_> {
    fn query_clauses(&self, query: &mut Query) -> Result<()> {
        let place = query.span();
        self.refuse_if(query.with.as_ref().is_some_and(|with| with.recursive), "WITH RECURSIVE", place)?;
        self.refuse_if(query.fetch.is_some(), "FETCH FIRST", place)?;
        self.refuse_if(!query.locks.is_empty(), "FOR UPDATE", place)?;
        self.refuse_if(query.for_clause.is_some(), "FOR", place)?;
        self.refuse_if(query.settings.is_some() || query.format_clause.is_some(), "SETTINGS and FORMAT", place)?;
        self.refuse_if(!query.pipe_operators.is_empty(), "the pipe syntax", place)?;
        if let Some(order_by) = &query.order_by {
            self.refuse_if(order_by.interpolate.is_some(), "INTERPOLATE", place)?;
            match &order_by.kind {
                OrderByKind::All(_) => return Err(self.unsupported("ORDER BY ALL", place)),
                OrderByKind::Expressions(keys) => {
                    for key in keys {
                        self.refuse_if(key.with_fill.is_some(), "WITH FILL", key.span())?;
                    }
                }
            }
        }
        if let Some(LimitClause::LimitOffset { limit_by, .. }) = &query.limit_clause {
            self.refuse_if(!limit_by.is_empty(), "LIMIT BY", place)?;
        }
        self.set_expression(&mut query.body)
    }

    fn set_expression(&self, body: &mut SetExpr) -> Result<()> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
                self.refuse_if(all && *op != SetOperator::Union, "INTERSECT ALL and EXCEPT ALL", left.span())?;
                self.refuse_if(
                    !matches!(set_quantifier, SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None),
                    "a set operation BY NAME",
                    left.span(),
                )?;
                if *op == SetOperator::Minus {
                    *op = SetOperator::Except;
                }
                self.set_expression(left)?;
                self.set_expression(right)
            }
            // A nested query is visited on its own.
            SetExpr::Query(_) | SetExpr::Values(_) => Ok(()),
            other => {
                let place = other.span();
                Err(self.unsupported("this kind of query", place))
            }
        }
    }

    fn select(&self, select: &mut Select) -> Result<()> {
        let place = select.select_token.0.span;
        let place = if place == sqlparser::tokenizer::Span::empty() { select.span() } else { place };
        if let Some(Distinct::On(_)) = &select.distinct {
            return Err(self.unsupported("DISTINCT ON", place));
        }
        self.refuse_if(select.select_modifiers.is_some(), "a modifier of SELECT", place)?;
        self.refuse_if(select.top.is_some(), "TOP", place)?;
        self.refuse_if(select.exclude.is_some(), "EXCLUDE", place)?;
        self.refuse_if(select.into.is_some(), "SELECT INTO", place)?;
        self.refuse_if(!select.lateral_views.is_empty(), "LATERAL VIEW", place)?;
        self.refuse_if(select.prewhere.is_some(), "PREWHERE", place)?;
        self.refuse_if(!select.connect_by.is_empty(), "CONNECT BY", place)?;
        self.refuse_if(select.value_table_mode.is_some(), "AS STRUCT", place)?;
        for (clause, keys) in [("CLUSTER BY", &select.cluster_by), ("DISTRIBUTE BY", &select.distribute_by)] {
            if let Some(key) = keys.first() {
                return Err(self
                    .unsupported(clause, key.span())
                    .with_hint("ORDER BY gives one total order, whatever the number of reducers"));
            }
        }
        if let Some(key) = select.sort_by.first() {
            return Err(self
                .unsupported("SORT BY", key.span())
                .with_hint("ORDER BY gives one total order, whatever the number of reducers"));
        }
        self.group_by(&mut select.group_by)?;
        for table in &mut select.from {
            self.joins(table)?;
        }
        if let Some(selection) = &select.selection {
            self.predicate(selection, true)?;
        }
        let elsewhere = select.having.iter().chain(&select.qualify);
        let shown = select.projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        for expr in elsewhere.chain(shown) {
            self.no_in_subquery(expr)?;
        }
        for (column_idx, item) in select.projection.iter_mut().enumerate() {
            self.select_item(item, column_idx)?;
        }
        Ok(())
    }

    fn joins(&self, table: &mut ast::TableWithJoins) -> Result<()> {
        for join in &mut table.joins {
            let place = join.relation.span();
            self.refuse_if(join.global, "GLOBAL JOIN", place)?;
            self.join(&mut join.join_operator, place)?;
            if let JoinOperator::RightOuter(JoinConstraint::Using(_))
            | JoinOperator::Right(JoinConstraint::Using(_))
            | JoinOperator::FullOuter(JoinConstraint::Using(_)) = &join.join_operator
            {
                return Err(self.unsupported("USING with a RIGHT or FULL join", place).with_hint("ON works"));
            }
        }
        Ok(())
    }

    /// A condition of WHERE, whose NULL is as good as false: `IN (SELECT …)` may stand between ANDs and ORs, `NOT IN`
    /// between ANDs only. DataFusion's marks for them know no NULL, which shows everywhere else.
    fn predicate(&self, expr: &Expr, is_conjunct: bool) -> Result<()> {
        match expr {
            Expr::Nested(inner) => self.predicate(inner, is_conjunct),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.predicate(left, is_conjunct)?;
                self.predicate(right, is_conjunct)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                self.predicate(left, false)?;
                self.predicate(right, false)
            }
            Expr::InSubquery { expr: value, negated, .. } => {
                self.refuse_if(*negated && !is_conjunct, "NOT IN (SELECT …) below OR", expr.span())?;
                self.no_in_subquery(value)
            }
            other => self.no_in_subquery(other),
        }
    }

    fn no_in_subquery(&self, expr: &Expr) -> Result<()> {
        // The subqueries that it is in have conditions of their own, which are looked at there.
        let mut depth = 0;
        let mut place = None;
        hiveql::walk(expr, &mut |part| {
            match part {
                Part::Query(_) => depth += 1,
                Part::EndOfQuery => depth -= 1,
                Part::Expr(expr) if depth == 0 && matches!(expr, Expr::InSubquery { .. }) => {
                    place = Some(expr.span());
                    return ControlFlow::Break(());
                }
                _ => {}
            }
            ControlFlow::Continue(())
        });
        match place {
            None => Ok(()),
            Some(place) => Err(self
                .unsupported("IN (SELECT …) in this place", place)
                .with_hint("it works as a condition of WHERE, between ANDs and ORs")),
        }
    }

    /// Whether a query gives exactly one row, whatever its tables hold: aggregates without GROUP BY.
    fn gives_one_row(query: &Query) -> bool {
        let SetExpr::Select(select) = query.body.as_ref() else {
            return false;
        };
        let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        let is_aggregate = |expr: &Expr| match expr {
            Expr::Function(function) if function.over.is_none() => {
                functions::aggregate_function(&function.name.to_string()).is_some()
            }
            _ => false,
        };
        let aggregated = select.projection.iter().any(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => contains(expr, &is_aggregate),
            _ => false,
        });
        ungrouped && select.having.is_none() && (aggregated || select.from.is_empty()) && query.limit_clause.is_none()
    }

    /// Names what has no name as Hive does: `_c0`, `_c1`, … by its place among the columns.
    fn select_item(&self, item: &mut SelectItem, column_idx: usize) -> Result<()> {
        match item {
            SelectItem::UnnamedExpr(Expr::Identifier(_)) => Ok(()),
            SelectItem::UnnamedExpr(expr) => {
                let name = match &*expr {
                    Expr::CompoundIdentifier(_) => return Ok(()),
                    Expr::Function(function) if is_transform(function) => {
                        return Err(self.unsupported("SELECT TRANSFORM", function.span()));
                    }
                    _ => format!("_c{column_idx}"),
                };
                let expr = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::new(name) };
                Ok(())
            }
            SelectItem::ExprWithAlias { .. } | SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => Ok(()),
            SelectItem::ExprWithAliases { expr: Expr::Function(function), .. } if is_transform(function) => {
                Err(self.unsupported("SELECT TRANSFORM", function.span()))
            }
            SelectItem::ExprWithAliases { expr, .. } => {
                Err(self.unsupported("a function that makes several columns", expr.span()))
            }
        }
    }

    /// `GROUP BY a, b WITH ROLLUP` and its kin as the expressions that mean the same.
    ///
    /// A number is refused: Hive groups by the constant (`hive.groupby.position.alias` is false), DataFusion by the
    /// column at that place.
    fn group_by(&self, group_by: &mut GroupByExpr) -> Result<()> {
        let GroupByExpr::Expressions(keys, modifiers) = group_by else {
            return Err(self.unsupported("GROUP BY ALL", group_by.span()));
        };
        for key in keys.iter() {
            let mut inner = key;
            while let Expr::Nested(expr) | Expr::UnaryOp { expr, .. } = inner {
                inner = expr;
            }
            if let Expr::Value(_) = inner {
                return Err(self
                    .unsupported("GROUP BY with a constant", key.span())
                    .with_hint("Hive does not take a number for a column here; name the column"));
            }
        }
        if modifiers.len() > 1 {
            return Err(
                self.unsupported("several modifiers of GROUP BY", keys.first().map_or_else(empty, Spanned::span))
            );
        }
        let Some(modifier) = modifiers.pop() else {
            return Ok(());
        };
        let sets: Vec<Vec<Expr>> = keys.iter().map(|key| vec![key.clone()]).collect();
        *keys = match modifier {
            GroupByWithModifier::Rollup => vec![Expr::Rollup(sets)],
            GroupByWithModifier::Cube => vec![Expr::Cube(sets)],
            GroupByWithModifier::GroupingSets(sets) => vec![sets],
            GroupByWithModifier::Totals => return Err(self.unsupported("WITH TOTALS", empty())),
        };
        Ok(())
    }

    fn join(&self, operator: &mut JoinOperator, place: sqlparser::tokenizer::Span) -> Result<()> {
        let constraint = match operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
                if *constraint == JoinConstraint::None {
                    *operator = JoinOperator::CrossJoin(JoinConstraint::None);
                    return Ok(());
                }
                constraint
            }
            JoinOperator::CrossJoin(JoinConstraint::None) => return Ok(()),
            JoinOperator::CrossJoin(constraint) => {
                *operator = JoinOperator::Inner(constraint.clone());
                return Ok(());
            }
            JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::Semi(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::Anti(constraint)
            | JoinOperator::LeftAnti(constraint) => constraint,
            _ => return Err(self.unsupported("this kind of join", place)),
        };
        match constraint {
            JoinConstraint::Natural => Err(self.unsupported("NATURAL JOIN", place)),
            JoinConstraint::None => Err(Error::new(codes::SEMANTIC, "this join has no ON").at(self.span(place))),
            JoinConstraint::On(_) | JoinConstraint::Using(_) => Ok(()),
        }
    }

    fn relation(&self, factor: &mut TableFactor) -> Result<()> {
        let place = factor.span();
        match factor {
            TableFactor::Table {
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
                ..
            } => {
                self.refuse_if(args.is_some(), "a table function", place)?;
                self.refuse_if(version.is_some(), "FOR SYSTEM_TIME", place)?;
                self.refuse_if(sample.is_some(), "TABLESAMPLE", place)?;
                let others = *with_ordinality
                    || !with_hints.is_empty()
                    || !partitions.is_empty()
                    || !index_hints.is_empty()
                    || json_path.is_some();
                self.refuse_if(others, "a hint on a table", place)
            }
            TableFactor::Derived { lateral, sample, .. } => {
                self.refuse_if(*lateral, "LATERAL", place)?;
                self.refuse_if(sample.is_some(), "TABLESAMPLE", place)
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.joins(table_with_joins),
            TableFactor::Function { lateral: true, name, .. } => {
                let place = name.span();
                Err(self.unsupported("LATERAL VIEW", place))
            }
            _ => Err(self.unsupported("this kind of table", place)),
        }
    }

    fn expression(&self, expr: &mut Expr) -> Result<()> {
        let place = expr.span();
        match expr {
            Expr::Identifier(ident) => self.virtual_column(ident),
            Expr::CompoundIdentifier(idents) => idents.last().map_or(Ok(()), |ident| self.virtual_column(ident)),
            Expr::CompoundFieldAccess { .. }
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::Nested(_)
            | Expr::TypedString(_)
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Tuple(_)
            | Expr::Interval(_) => Ok(()),
            Expr::Value(value) => {
                if let Value::Number(text, false) = &mut value.value
                    && let Some(function) = number_cast(text)
                {
                    let text = Value::SingleQuotedString(std::mem::take(text)).into();
                    *expr = call(&function, vec![Expr::Value(text)]);
                }
                Ok(())
            }
            Expr::BinaryOp { op, .. } => self.binary_operator(op, place),
            Expr::UnaryOp { op, .. } => match op {
                UnaryOperator::Not | UnaryOperator::Plus => Ok(()),
                UnaryOperator::BangNot => {
                    *op = UnaryOperator::Not;
                    Ok(())
                }
                UnaryOperator::Minus | UnaryOperator::BitwiseNot => {
                    let function = if *op == UnaryOperator::Minus { "negative" } else { "__bitwise_not" };
                    if let Expr::UnaryOp { expr: value, .. } = expr
                        && (function != "negative" || !matches!(value.as_ref(), Expr::Value(_) | Expr::Interval(_)))
                    {
                        *expr = call(function, vec![value.as_ref().clone()]);
                    }
                    Ok(())
                }
                other => {
                    let construct = format!("the operator {other}");
                    Err(self.unsupported(&construct, place))
                }
            },
            Expr::Exists { subquery, .. } => {
                self.refuse_if(Self::gives_one_row(subquery), "EXISTS over an aggregate without GROUP BY", place)
            }
            // The join that DataFusion makes of it would repeat rows if there were several.
            Expr::Subquery(query) => {
                if Self::gives_one_row(query) {
                    return Ok(());
                }
                Err(self
                    .unsupported("a scalar subquery that is no aggregate", place)
                    .with_hint("`SELECT max(…)` without GROUP BY gives exactly one row"))
            }
            // CASE a WHEN b THEN …: so that each comparison sees its own two types.
            Expr::Case { operand, conditions, .. } => {
                if let Some(operand) = operand.take() {
                    for branch in conditions {
                        let value = std::mem::replace(&mut branch.condition, Expr::Value(Value::Null.into()));
                        branch.condition = binary(operand.as_ref().clone(), BinaryOperator::Eq, value);
                    }
                }
                Ok(())
            }
            // a BETWEEN b AND c: so that each comparison sees its own two types.
            Expr::Between { expr: value, negated, low, high } => {
                let (lower, upper, junction) = match negated {
                    false => (BinaryOperator::GtEq, BinaryOperator::LtEq, BinaryOperator::And),
                    true => (BinaryOperator::Lt, BinaryOperator::Gt, BinaryOperator::Or),
                };
                let lower = binary(value.as_ref().clone(), lower, low.as_ref().clone());
                let upper = binary(value.as_ref().clone(), upper, high.as_ref().clone());
                *expr = Expr::Nested(Box::new(binary(lower, junction, upper)));
                Ok(())
            }
            Expr::Like { any: true, .. } => Err(self.unsupported("LIKE ANY", place)),
            Expr::Like { escape_char: Some(_), .. } => Err(self.unsupported("LIKE … ESCAPE", place)),
            Expr::Like { negated, expr: value, pattern, .. } => {
                *expr = negate(call("like", vec![value.as_ref().clone(), pattern.as_ref().clone()]), *negated);
                Ok(())
            }
            Expr::RLike { negated, expr: value, pattern, .. } => {
                *expr = negate(call("rlike", vec![value.as_ref().clone(), pattern.as_ref().clone()]), *negated);
                Ok(())
            }
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon, expr: value, data_type, format: None, ..
            } => {
                let cast = self.cast(value.as_ref().clone(), data_type, place)?;
                *expr = cast;
                Ok(())
            }
            Expr::Extract { field, expr: value, .. } => {
                let function = match field {
                    DateTimeField::Year => "year",
                    DateTimeField::Quarter => "quarter",
                    DateTimeField::Month => "month",
                    DateTimeField::Week(None) => "weekofyear",
                    DateTimeField::Day => "day",
                    DateTimeField::Dow | DateTimeField::DayOfWeek => "dayofweek",
                    DateTimeField::Hour => "hour",
                    DateTimeField::Minute => "minute",
                    DateTimeField::Second => "second",
                    other => {
                        let construct = format!("EXTRACT({other})");
                        return Err(self.unsupported(&construct, place));
                    }
                };
                *expr = call(function, vec![value.as_ref().clone()]);
                Ok(())
            }
            Expr::Substring { expr: value, substring_from: Some(from), substring_for, .. } => {
                let mut arguments = vec![value.as_ref().clone(), from.as_ref().clone()];
                arguments.extend(substring_for.as_deref().cloned());
                *expr = call("substr", arguments);
                Ok(())
            }
            Expr::Trim { expr: value, trim_where: None, trim_what: None, trim_characters: None } => {
                *expr = call("trim", vec![value.as_ref().clone()]);
                Ok(())
            }
            Expr::Ceil { expr: value, .. } => {
                *expr = call("ceil", vec![value.as_ref().clone()]);
                Ok(())
            }
            Expr::Floor { expr: value, field: ast::CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                *expr = call("floor", vec![value.as_ref().clone()]);
                Ok(())
            }
            Expr::Function(function) => match self.clock(function) {
                Some(constant) => {
                    *expr = constant;
                    Ok(())
                }
                None => self.function(function),
            },
            _ => Err(self.unsupported("this expression", place)),
        }
    }

    fn binary_operator(&self, operator: &mut BinaryOperator, place: sqlparser::tokenizer::Span) -> Result<()> {
        match operator {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::MyIntegerDivide
            | BinaryOperator::StringConcat
            | BinaryOperator::Gt
            | BinaryOperator::Lt
            | BinaryOperator::GtEq
            | BinaryOperator::LtEq
            | BinaryOperator::Spaceship
            | BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::And
            | BinaryOperator::Or
            | BinaryOperator::BitwiseOr
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseXor => Ok(()),
            other => {
                let construct = format!("the operator {other}");
                Err(self.unsupported(&construct, place))
            }
        }
    }

    fn cast(&self, value: Expr, data_type: &DataType, place: sqlparser::tokenizer::Span) -> Result<Expr> {
        let function = match data_type {
            DataType::TinyInt(None) => "__cast_tinyint".to_string(),
            DataType::SmallInt(None) => "__cast_smallint".to_string(),
            DataType::Int(None) | DataType::Integer(None) => "__cast_int".to_string(),
            DataType::BigInt(None) => "__cast_bigint".to_string(),
            DataType::Float(_) => "__cast_float".to_string(),
            DataType::Double(_) | DataType::DoublePrecision => "__cast_double".to_string(),
            DataType::Boolean => "__cast_boolean".to_string(),
            DataType::String(None) => "__cast_string".to_string(),
            DataType::Binary(None) => "__cast_binary".to_string(),
            DataType::Date => "__cast_date".to_string(),
            DataType::Timestamp(None, ast::TimezoneInfo::None) => "__cast_timestamp".to_string(),
            DataType::Varchar(Some(ast::CharacterLength::IntegerLength { length, .. })) => {
                format!("__cast_varchar({length})")
            }
            DataType::Char(Some(ast::CharacterLength::IntegerLength { length, .. })) => {
                format!("__cast_char({length})")
            }
            DataType::Decimal(info) | DataType::Numeric(info) | DataType::Dec(info) => {
                // Hive's DECIMAL alone is DECIMAL(10,0): HiveDecimal.USER_DEFAULT_PRECISION.
                let (precision, scale) = match info {
                    ast::ExactNumberInfo::None => (10, 0),
                    ast::ExactNumberInfo::Precision(precision) => (*precision, 0),
                    ast::ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
                };
                if !(1..=38).contains(&precision) || !(0..=precision as i64).contains(&scale) {
                    let message =
                        format!("decimal({precision},{scale}) is no type: precision is 1 to 38, scale 0 to precision");
                    return Err(Error::new(codes::SEMANTIC, message).at(self.span(place)));
                }
                format!("__cast_decimal({precision},{scale})")
            }
            other => {
                let construct = format!("CAST to {other}");
                return Err(self.unsupported(&construct, place));
            }
        };
        Ok(call(&function, vec![value]))
    }

    /// `current_date`, `current_timestamp` and `unix_timestamp()` as the constants that they are in one query.
    ///
    /// Source: Hive's `GenericUDFCurrentDate` and `GenericUDFCurrentTimestamp` take `SessionState.getQueryCurrentTimestamp`.
    fn clock(&self, function: &Function) -> Option<Expr> {
        let no_arguments = match &function.args {
            FunctionArguments::None => true,
            FunctionArguments::List(list) => list.args.is_empty(),
            FunctionArguments::Subquery(_) => false,
        };
        if !no_arguments || function.over.is_some() {
            return None;
        }
        let text = |text: String| Expr::Value(Value::SingleQuotedString(text).into());
        let now = self.now.to_zoned(TimeZone::UTC);
        match function.name.to_string().as_str() {
            "current_date" => Some(call("__cast_date", vec![text(now.strftime("%Y-%m-%d").to_string())])),
            "current_timestamp" => {
                Some(call("__cast_timestamp", vec![text(now.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())]))
            }
            "unix_timestamp" => Some(Expr::Value(Value::Number(self.now.as_second().to_string(), false).into())),
            _ => None,
        }
    }

    /// Hive's virtual columns, which DataFusion would not find.
    fn virtual_column(&self, ident: &Ident) -> Result<()> {
        const VIRTUAL_COLUMNS: [&str; 6] = [
            "input__file__name",
            "block__offset__inside__file",
            "row__offset__inside__block",
            "raw__data__size",
            "grouping__id",
            "row__id",
        ];
        let known = VIRTUAL_COLUMNS.contains(&ident.value.as_str());
        self.refuse_if(known, &format!("the virtual column {}", ident.value.to_uppercase()), ident.span)
    }

    fn function(&self, function: &mut Function) -> Result<()> {
        let place = function.name.span();
        let name = function.name.to_string().to_lowercase();
        self.refuse_if(name == "__transform", "TRANSFORM", place)?;
        self.refuse_if(!matches!(function.parameters, FunctionArguments::None), "parameters of a function", place)?;
        self.refuse_if(!function.within_group.is_empty(), "WITHIN GROUP", place)?;
        self.refuse_if(name.contains('.'), "a function of a database", place)?;
        if let FunctionArguments::List(FunctionArgumentList { clauses, .. }) = &function.args {
            for clause in clauses {
                if !matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_)) {
                    return Err(self.unsupported("a clause inside the arguments of a function", place));
                }
            }
        }
        if let Some(WindowType::WindowSpec(spec)) = &function.over
            && let Some(frame) = &spec.window_frame
        {
            self.refuse_if(matches!(frame.units, ast::WindowFrameUnits::Groups), "GROUPS frames", place)?;
        }
        let names = functions::names();
        if names.contains(&name) {
            return Ok(());
        }
        if functions::is_hive_function(&name) {
            return Err(Error::new(codes::UNSUPPORTED_FUNCTION, format!("the function `{name}` is not supported yet"))
                .at(self.span(place)));
        }
        let error = Error::new(codes::UNKNOWN_FUNCTION, format!("function `{name}` not found")).at(self.span(place));
        Err(match crate::error::nearest(&name, names.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }

    fn refuse_if(&self, present: bool, construct: &str, place: sqlparser::tokenizer::Span) -> Result<()> {
        if present { Err(self.unsupported(construct, place)) } else { Ok(()) }
    }

    fn unsupported(&self, construct: &str, place: sqlparser::tokenizer::Span) -> Error {
        Error::new(codes::UNSUPPORTED, format!("{construct} is not supported yet")).at(self.span(place))
    }

    /// The place in the script; the whole statement where the tree has none.
    fn span(&self, place: sqlparser::tokenizer::Span) -> Span {
        self.map.span_of(place).unwrap_or_else(|| self.map.script_span(0..self.map.text().len()))
    }
}

fn empty() -> sqlparser::tokenizer::Span {
    sqlparser::tokenizer::Span::empty()
}

fn is_transform(function: &Function) -> bool {
    function.name.to_string() == "__transform"
}

/// The cast that makes of a number what it is in Hive, where DataFusion takes it for something else: a number with an
/// exponent is a double, `100.0` is a decimal(3,0), and so is a whole number that is too large for a bigint, and what no
/// decimal holds is a double. A fraction only loses the zeros at its end: `2.50` is a decimal(2,1).
///
/// Source: Hive 2.3 and 3.1 `TypeCheckProcFactory.NumExprProcessor`.
fn number_cast(literal: &mut String) -> Option<String> {
    if literal.contains(['e', 'E']) {
        return Some("__cast_double".to_string());
    }
    if !literal.contains('.') && literal.parse::<i64>().is_ok() {
        return None;
    }
    match hiveql::decimal_type(literal) {
        Some((precision, scale)) if scale == 0 || precision == 38 => {
            Some(format!("__cast_decimal({precision},{scale})"))
        }
        Some(_) => {
            literal.truncate(literal.trim_end_matches('0').len());
            None
        }
        None => Some("__cast_double".to_string()),
    }
}

fn contains(expr: &Expr, wanted: &dyn Fn(&Expr) -> bool) -> bool {
    hiveql::walk(expr, &mut |part| match part {
        Part::Expr(expr) if wanted(expr) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn negate(expr: Expr, negated: bool) -> Expr {
    match negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) },
        false => expr,
    }
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: vec![] }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}
