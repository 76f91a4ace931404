//! The select list of a result: `*` written out, names told apart for DataFusion, and the names that Hive shows.
//!
//! Hive takes columns of one name (`SELECT *, a`), DataFusion does not: the later ones get a name of their own while the
//! query is planned, and their own name again in the result. Below a FROM names must differ in Hive too, but where the
//! whole query is `SELECT * FROM (…)`.
//!
//! Source: Hive 2.3 and 3.1 `SemanticAnalyzer`: `getColAlias`, `genColListRegex`, `convertRowSchemaToResultSetSchema`,
//! `rewriteRRForSubQ`. Left out: the `_u1.` that Hive shows before the columns of a UNION.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned,
    TableFactor, TableWithJoins, With,
};
use sqlparser::tokenizer::Span as Place;

use crate::error::{Error, Result, codes};
use crate::hiveql::{self, Part, SourceMap};

/// A column as the result shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShownColumn {
    pub name: String,
    /// The alias of its table, where the query says it: `t.a`, `*`.
    pub table: Option<String>,
}

/// Finds the columns of a query that selects `*`, in order.
pub(super) type ColumnsOf<'a> = dyn Fn(Query) -> Result<Vec<ShownColumn>> + 'a;

/// Writes out the select list of a query, which was desugared, and returns the columns as Hive shows them; none if the
/// query is of a kind that has no select list.
///
/// Errors: a name that stands for two columns in ORDER BY or below a FROM, at its place.
pub(super) fn write_out(
    query: &mut Query,
    map: &SourceMap,
    columns_of: &ColumnsOf<'_>,
) -> Result<Option<Vec<ShownColumn>>> {
    if let SetExpr::Select(select) = query.body.as_mut()
        && let [SelectItem::Wildcard(_)] = select.projection.as_slice()
    {
        for subquery in select.from.iter_mut().flat_map(subqueries) {
            let with = joined(query.with.as_ref(), subquery.with.as_ref());
            List { with, map, columns_of, below_from: true }.body(&mut subquery.body)?;
        }
    }
    names_below_from_differ(query, map)?;
    let list = List { with: query.with.clone(), map, columns_of, below_from: false };
    let items = list.body(&mut query.body)?;
    if let Some(items) = &items {
        order_keys_are_clear(query, items, map)?;
    }
    Ok(items.map(|items| items.into_iter().map(|item| item.shown).collect()))
}

/// One column of a select list.
struct Item {
    expr: Expr,
    shown: ShownColumn,
    alias: Option<Ident>,
}

/// Writes out the select lists of one query.
struct List<'a> {
    /// The WITH that its tables may be of.
    with: Option<With>,
    map: &'a SourceMap,
    columns_of: &'a ColumnsOf<'a>,
    /// Whether its columns become those of a table.
    below_from: bool,
}

impl List<'_> {
    /// Writes out each SELECT of a UNION; the first one names the columns.
    fn body(&self, body: &mut SetExpr) -> Result<Option<Vec<Item>>> {
        match body {
            SetExpr::Select(select) => self.select(select).map(Some),
            SetExpr::SetOperation { left, right, .. } => {
                let mut items = self.body(left)?;
                self.body(right)?;
                for item in items.iter_mut().flatten() {
                    item.shown.table = None;
                }
                Ok(items)
            }
            SetExpr::Query(query) => {
                let with = joined(self.with.as_ref(), query.with.as_ref());
                List { with, ..*self }.body(&mut query.body)
            }
            _ => Ok(None),
        }
    }

    fn select(&self, select: &mut Select) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for item in std::mem::take(&mut select.projection) {
            match item {
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    items.extend(self.every_column(select, &item)?);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let shown = ShownColumn { name: alias.value.clone(), table: None };
                    items.push(Item { expr, shown, alias: Some(alias) });
                }
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAliases { expr, .. } => {
                    let shown = match &expr {
                        Expr::Identifier(ident) => ShownColumn { name: ident.value.clone(), table: None },
                        Expr::CompoundIdentifier(idents) => shown_reference(idents, select),
                        other => ShownColumn { name: other.to_string(), table: None },
                    };
                    items.push(Item { expr, shown, alias: None });
                }
            }
        }
        self.tell_apart(&mut items);
        select.projection = items
            .iter()
            .map(|item| match &item.alias {
                Some(alias) => SelectItem::ExprWithAlias { expr: item.expr.clone(), alias: alias.clone() },
                None => SelectItem::UnnamedExpr(item.expr.clone()),
            })
            .collect();
        Ok(items)
    }

    /// The columns that `*` or `t.*` stands for.
    fn every_column(&self, select: &Select, wildcard: &SelectItem) -> Result<Vec<Item>> {
        let qualifier = match wildcard {
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), _) => Some(table),
            _ => None,
        };
        if let Some(name) = qualifier
            && let Some(table) = last_part(name)
            && !is_table(select, table)
        {
            let message = format!("`{table}` is no table of this query");
            return Err(at(Error::new(codes::UNKNOWN_TABLE, message), name.span(), self.map));
        }
        let place = wildcard.span();
        let item = |shown: ShownColumn| {
            let name = Ident::with_span(place, &shown.name);
            let table = match qualifier {
                Some(table) => table.0.iter().filter_map(|part| part.as_ident().cloned()).collect(),
                None => shown.table.iter().map(|table| Ident::with_span(place, table)).collect::<Vec<_>>(),
            };
            let expr = match table.is_empty() {
                true => Expr::Identifier(name),
                false => Expr::CompoundIdentifier(table.into_iter().chain([name]).collect()),
            };
            Item { expr, shown, alias: None }
        };
        let columns = (self.columns_of)(all_of(select, &self.with, wildcard))?;
        Ok(columns.into_iter().map(item).collect())
    }

    /// Gives columns that DataFusion takes for one another an alias.
    fn tell_apart(&self, items: &mut [Item]) {
        let mut taken: BTreeSet<String> = items.iter().map(|item| item.shown.name.clone()).collect();
        for column_idx in 1..items.len() {
            let (before, rest) = items.split_at_mut(column_idx);
            let Some(item) = rest.first_mut() else { continue };
            let mut namesakes = before.iter().filter(|other| other.shown.name == item.shown.name);
            // Columns of two tables are known by their tables, as long as they are not one table's.
            let clash = namesakes.any(|other| {
                let tables = (&other.shown.table, &item.shown.table);
                self.below_from || tables.0 == tables.1 || tables.0.is_none() || tables.1.is_none()
            });
            if clash {
                let mut unique = match self.below_from {
                    // Hive shows the inner name of a column that it cannot call by its own.
                    true => format!("_col{column_idx}"),
                    false => format!("{}__{column_idx}", item.shown.name),
                };
                while !taken.insert(unique.clone()) {
                    unique.push('_');
                }
                item.alias = Some(Ident::new(unique));
            }
        }
    }
}

/// `t.a` is shown with its table, `s.f` of a struct is not.
fn shown_reference(idents: &[Ident], select: &Select) -> ShownColumn {
    let name = idents.last().map(|ident| ident.value.clone()).unwrap_or_default();
    let table = idents.len().checked_sub(2).and_then(|idx| idents.get(idx)).map(|ident| ident.value.clone());
    ShownColumn { name, table: table.filter(|table| is_table(select, table)) }
}

fn is_table(select: &Select, wanted: &str) -> bool {
    select.from.iter().flat_map(factors).any(|factor| match factor {
        TableFactor::Table { name, alias: None, .. } => last_part(name) == Some(wanted),
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::NestedJoin { alias: Some(alias), .. } => alias.name.value == wanted,
        // Its tables keep their names.
        TableFactor::NestedJoin { alias: None, .. } => true,
        _ => false,
    })
}

/// `SELECT <wildcard> FROM …` of the same tables.
fn all_of(select: &Select, with: &Option<With>, wildcard: &SelectItem) -> Query {
    let select = Select {
        projection: vec![wildcard.clone()],
        distinct: None,
        selection: None,
        group_by: sqlparser::ast::GroupByExpr::Expressions(Vec::new(), Vec::new()),
        having: None,
        qualify: None,
        named_window: Vec::new(),
        ..select.clone()
    };
    Query {
        with: with.clone(),
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

fn joined(outer: Option<&With>, inner: Option<&With>) -> Option<With> {
    match (outer, inner) {
        (Some(outer), Some(inner)) => {
            let mut with = outer.clone();
            with.cte_tables.retain(|cte| inner.cte_tables.iter().all(|hiding| hiding.alias.name != cte.alias.name));
            with.cte_tables.extend(inner.cte_tables.iter().cloned());
            Some(with)
        }
        (outer, inner) => inner.or(outer).cloned(),
    }
}

fn last_part(name: &ObjectName) -> Option<&str> {
    name.0.last()?.as_ident().map(|ident| ident.value.as_str())
}

fn factors(table: &TableWithJoins) -> impl Iterator<Item = &TableFactor> {
    std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
}

fn subqueries(table: &mut TableWithJoins) -> impl Iterator<Item = &mut Query> {
    let factors = std::iter::once(&mut table.relation).chain(table.joins.iter_mut().map(|join| &mut join.relation));
    factors.filter_map(|factor| match factor {
        TableFactor::Derived { subquery, .. } => Some(subquery.as_mut()),
        _ => None,
    })
}

/// An ORDER BY sees the result: a name that two different columns of it have is refused.
///
/// Source: Hive's `RowResolver.get`, "Found in more than One Tables/Subqueries".
fn order_keys_are_clear(query: &Query, items: &[Item], map: &SourceMap) -> Result<()> {
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order_by| &order_by.kind) else {
        return Ok(());
    };
    for key in keys {
        let Expr::Identifier(ident) = &key.expr else { continue };
        let mut meant = items.iter().filter(|item| item.shown.name == ident.value);
        if let Some(first) = meant.next()
            && meant.any(|other| !is_same_column(&first.expr, &other.expr))
        {
            let message = format!("more than one column of the result has the name `{}`", ident.value);
            return Err(at(Error::new(codes::AMBIGUOUS_COLUMN, message), ident.span, map)
                .with_hint("give one of them another name: `SELECT a AS a2`"));
        }
    }
    Ok(())
}

fn is_same_column(left: &Expr, right: &Expr) -> bool {
    let parts = |expr: &Expr| match expr {
        Expr::Identifier(ident) => Some((None, ident.value.clone())),
        Expr::CompoundIdentifier(idents) => match idents.as_slice() {
            [.., table, name] => Some((Some(table.value.clone()), name.value.clone())),
            _ => None,
        },
        _ => None,
    };
    match (parts(left), parts(right)) {
        (Some((left_table, left)), Some((right_table, right))) => {
            left == right && (left_table == right_table || left_table.is_none() || right_table.is_none())
        }
        _ => left == right,
    }
}

/// Refuses two columns of one name in a subquery or WITH, as far as its text shows them.
///
/// Source: Hive's `SemanticAnalyzer.rewriteRRForSubQ`, error 10007.
fn names_below_from_differ(query: &Query, map: &SourceMap) -> Result<()> {
    let mut repeated = None;
    each_subquery(query, &mut |subquery, alias, renames| {
        if repeated.is_none() && !renames {
            repeated = repeated_name(&subquery.body, alias);
        }
    });
    match repeated {
        None => Ok(()),
        Some((name, subquery, place)) => Err(at(twice(&name, &subquery), place, map)),
    }
}

/// The place of the second of two columns of one name in a subquery, of which one is of a `*`.
pub(super) fn place_of_second(query: &Query, name: &str) -> Option<Place> {
    let mut second = None;
    each_subquery(query, &mut |subquery, _, _| {
        let SetExpr::Select(select) = subquery.body.as_ref() else { return };
        let is_wildcard =
            |item: &&SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        let named = select.projection.iter().filter_map(written_name).find(|ident| ident.value == name);
        let last = select.projection.iter().rev().find(is_wildcard);
        let place = last.map(|wildcard| named.map_or_else(|| wildcard.span(), |ident| ident.span));
        second = second.or(place);
    });
    second
}

/// Shows `see` each subquery of FROM and of WITH, its alias, and whether that names its columns anew.
fn each_subquery(query: &Query, see: &mut dyn FnMut(&Query, &str, bool)) {
    hiveql::walk(query, &mut |part| {
        match part {
            Part::TableFactor(TableFactor::Derived { subquery, alias, .. }) => {
                let alias = alias.as_ref().map(|alias| alias.name.value.as_str());
                see(subquery, alias.unwrap_or_default(), false);
            }
            Part::Query(query) => {
                for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
                    see(&cte.query, &cte.alias.name.value, !cte.alias.columns.is_empty());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// The error of two columns of one name in the subquery of this alias.
pub(super) fn twice(name: &str, subquery: &str) -> Error {
    let subquery = if subquery.is_empty() { "a subquery".to_string() } else { format!("subquery `{subquery}`") };
    Error::new(codes::DUPLICATE_COLUMN, format!("two columns of {subquery} have the name `{name}`"))
        .with_hint(format!("give one of them another name: `SELECT {name} AS {name}2`"))
}

fn repeated_name(body: &SetExpr, subquery: &str) -> Option<(String, String, Place)> {
    match body {
        SetExpr::Select(select) => {
            let mut seen = BTreeSet::new();
            let mut names = select.projection.iter().filter_map(written_name);
            let ident = names.find(|ident| !seen.insert(ident.value.as_str()))?;
            Some((ident.value.clone(), subquery.to_string(), ident.span))
        }
        SetExpr::SetOperation { left, .. } => repeated_name(left, subquery),
        _ => None,
    }
}

fn written_name(item: &SelectItem) -> Option<&Ident> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(ident),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(idents)) => idents.last(),
        _ => None,
    }
}

fn at(error: Error, place: Place, map: &SourceMap) -> Error {
    match map.span_of(place) {
        Some(span) => error.at(span),
        None => error,
    }
}
