//! SHOW and DESCRIBE as rows of text.

use arrow_schema::SchemaRef;

use crate::catalog::{Catalog, Table, TableKind};
use crate::error::{Error, Result, codes};
use crate::functions;
use crate::hive_type::hive_type_name;
use crate::hiveql::{Describe, DescribeDetail, Name, ObjectName, Show};

/// Rows of text columns, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRows {
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// One text column to be printed as it is, without a frame: a statement, a plan.
    pub is_text: bool,
}

/// Finds the columns of a table or view.
pub type ColumnsOf<'a> = dyn Fn(&Table) -> Result<SchemaRef> + 'a;

/// SHOW.
pub fn show(catalog: &Catalog, show: &Show, columns_of: &ColumnsOf<'_>) -> Result<TextRows> {
    let list = |column, names: Vec<String>| {
        Ok(TextRows { columns: vec![column], rows: names.into_iter().map(|name| vec![name]).collect(), is_text: false })
    };
    match show {
        Show::Databases { like } => {
            let names = catalog.database_names().filter(|name| fits(like.as_ref().map(|text| &text.value), name));
            list("database_name", names.map(str::to_string).collect())
        }
        Show::Tables { database, like } => {
            list("tab_name", table_names(catalog, database, like.as_ref().map(|text| &text.value), |_| true)?)
        }
        Show::Views { database, like } => {
            let is_view = |kind: &TableKind| matches!(kind, TableKind::View { .. });
            list("tab_name", table_names(catalog, database, like.as_ref().map(|text| &text.value), is_view)?)
        }
        Show::CreateTable(name) => {
            let table = find(catalog, name)?;
            let lines = table.create_statement().lines().map(|line| vec![line.to_string()]).collect();
            Ok(TextRows { columns: vec!["createtab_stmt"], rows: lines, is_text: true })
        }
        Show::Columns { table, like } => {
            let columns = columns_of(&*find(catalog, table)?).map_err(|error| error.at(table.name.span))?;
            let names = columns.fields().iter().map(|field| field.name().clone());
            list("field", names.filter(|name| fits(like.as_ref().map(|text| &text.value), name)).collect())
        }
        Show::TableProperties { table, key } => {
            let table = find(catalog, table)?;
            // Hive prints the value alone if one property is asked for.
            if let Some(key) = key {
                let missing =
                    || format!("Table {}.{} does not have property: {}", table.database, table.name, key.value);
                let value = table.properties.get(&key.value).cloned().unwrap_or_else(missing);
                return list("prpt_name", vec![value]);
            }
            let rows = table.properties.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
            Ok(TextRows { columns: vec!["prpt_name", "prpt_value"], rows, is_text: false })
        }
        Show::Functions { like } => {
            let mut names: Vec<String> = functions::names().into_iter().map(|name| name.to_string()).collect();
            names.retain(|name| !name.starts_with("__") && fits(like.as_ref().map(|text| &text.value), name));
            list("tab_name", names)
        }
        Show::Partitions { table, .. } => Err(unsupported("SHOW PARTITIONS", &table.name)),
        Show::TableExtended { like, .. } => {
            Err(Error::new(codes::UNSUPPORTED, "SHOW TABLE EXTENDED is not supported yet").at(like.span))
        }
        Show::Locks { table, .. } => {
            let error = Error::new(codes::UNSUPPORTED, "SHOW LOCKS is not supported yet");
            Err(match table {
                Some(table) => error.at(table.name.span),
                None => error,
            })
        }
        Show::Conf(key) => Err(Error::new(codes::UNSUPPORTED, "SHOW CONF is not supported yet")
            .at(key.span)
            .with_hint("SET with the name alone shows its value")),
    }
}

/// DESCRIBE.
pub fn describe(catalog: &Catalog, describe: &Describe, columns_of: &ColumnsOf<'_>) -> Result<TextRows> {
    match describe {
        Describe::Table { name, detail: DescribeDetail::Plain, partition: None, column } => {
            let table = find(catalog, name)?;
            let columns = columns_of(&table).map_err(|error| error.at(name.name.span))?;
            let mut rows = Vec::new();
            for field in columns.fields() {
                if column.as_ref().is_none_or(|column| column.value == *field.name()) {
                    let comment = field.metadata().get("comment").cloned().unwrap_or_default();
                    rows.push(vec![field.name().clone(), hive_type_name(field).into_owned(), comment]);
                }
            }
            if let (Some(column), true) = (column, rows.is_empty()) {
                let text = format!("column `{}` not found in table `{}`", column.value, table.name);
                return Err(Error::new(codes::UNKNOWN_COLUMN, text).at(column.span));
            }
            Ok(TextRows { columns: vec!["col_name", "data_type", "comment"], rows, is_text: false })
        }
        Describe::Table { name, partition: Some(_), .. } => Err(unsupported("DESCRIBE … PARTITION", &name.name)),
        Describe::Table { name, .. } => Err(unsupported("DESCRIBE EXTENDED and FORMATTED", &name.name)
            .with_hint("SHOW CREATE TABLE shows all that is known")),
        Describe::Database { name, .. } => {
            let database = catalog.database(&name.value).map_err(|error| error.at(name.span))?;
            let row = vec![
                name.value.clone(),
                database.comment.clone().unwrap_or_default(),
                database.location.clone().unwrap_or_default(),
            ];
            Ok(TextRows { columns: vec!["db_name", "comment", "location"], rows: vec![row], is_text: false })
        }
        Describe::Function { name, .. } => {
            Err(Error::new(codes::UNSUPPORTED, "DESCRIBE FUNCTION is not supported yet").at(name.span))
        }
    }
}

fn find(catalog: &Catalog, name: &ObjectName) -> Result<std::sync::Arc<Table>> {
    let database = name.database.as_ref().map(|database| database.value.as_str());
    catalog.table(database, &name.name.value).map_err(|error| error.at(name.name.span))
}

fn table_names(
    catalog: &Catalog,
    database: &Option<Name>,
    like: Option<&String>,
    wanted: impl Fn(&TableKind) -> bool,
) -> Result<Vec<String>> {
    let tables = catalog.tables(database.as_ref().map(|name| name.value.as_str()));
    let tables = tables.map_err(|error| match database {
        Some(database) => error.at(database.span),
        None => error,
    })?;
    Ok(tables.filter(|table| wanted(&table.kind) && fits(like, &table.name)).map(|table| table.name.clone()).collect())
}

fn unsupported(construct: &str, name: &Name) -> Error {
    Error::new(codes::UNSUPPORTED, format!("{construct} is not supported yet")).at(name.span)
}

/// Whether `name` fits Hive's pattern: `*` is any text, `|` separates alternatives, case does not matter.
///
/// Source: `MetaStoreUtils.filterTableNamesByPattern` and the manual's SHOW TABLES.
fn fits(pattern: Option<&String>, name: &str) -> bool {
    let Some(pattern) = pattern else {
        return true;
    };
    pattern.split('|').any(|alternative| fits_one(&alternative.trim().to_lowercase(), &name.to_lowercase()))
}

fn fits_one(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| fits_one(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        let fits = |pattern: &str, name| fits(Some(&pattern.to_string()), name);
        assert!(fits("x*", "x1") && fits("*", "") && fits("a|b*", "bc") && fits("X", "x"));
        assert!(!fits("x*", "y") && !fits("a|b", "c"));
    }
}
