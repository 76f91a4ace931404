//! CREATE, DROP and USE: statements that change the catalog and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};

use crate::catalog::{Catalog, Database, Table, TableKind};
use crate::config::EngineConfig;
use crate::error::{Error, Result, Span, codes};
use crate::hive_type::{HIVE_TYPE, timestamp};
use crate::hiveql::{
    ColumnDef, CreateDatabase, CreateTable, CreateView, Drop, DropObject, HiveType, ObjectName, Properties, RowFormat,
    StoredAs, TypeKind,
};
use crate::serdes::{self, LAZY_SIMPLE_SERDE};
use crate::storage::StoragePath;

/// CREATE TABLE.
///
/// Source: checks that Hive makes here and not at the first SELECT: the SerDe's class and properties
/// (`DDLTask.createTable` asks for the deserializer), columns twice, types.
pub fn create_table(catalog: &mut Catalog, create: &CreateTable, config: &EngineConfig) -> Result<()> {
    refuse_clauses(create)?;
    let (database, name) = names(catalog, &create.name)?;
    if catalog.contains(Some(&database), &name) && create.if_not_exists {
        return Ok(());
    }
    let table = match &create.like {
        Some(like) => {
            let like_table = catalog.table(like.database.as_ref().map(|name| name.value.as_str()), &like.name.value);
            let like_table = like_table.map_err(|error| error.at(like.name.span))?;
            let mut table_properties = like_table.properties.clone();
            table_properties.extend(properties(&create.properties));
            Table {
                database,
                name,
                properties: table_properties,
                kind: kind(create),
                location: create.location.as_ref().map(|text| text.value.clone()),
                ..like_table.as_ref().clone()
            }
        }
        None => Table {
            database,
            name,
            kind: kind(create),
            columns: Arc::new(schema(&create.columns)?),
            comment: create.comment.as_ref().map(|text| text.value.clone()),
            serde: serde_class(create)?,
            serde_properties: serde_properties(create),
            properties: properties(&create.properties),
            location: create.location.as_ref().map(|text| text.value.clone()),
        },
    };
    if table.columns.fields().is_empty() {
        return Err(Error::new(codes::SEMANTIC, "a table needs at least one column").at(create.name.name.span));
    }
    serdes::plan_serde(&table.serde, &table.serde_parameters(), &table.columns, &config.serde)
        .map_err(|error| error.at(serde_span(create)))?;
    if let Some(location) = &create.location {
        StoragePath::parse(&location.value, Path::new(&config.working_dir)).map_err(|error| error.at(location.span))?;
    }
    catalog.put_table(table, false).map_err(|error| error.at(create.name.name.span))
}

/// CREATE VIEW. The query is checked when the view is used, as its tables may come later.
pub fn create_view(catalog: &mut Catalog, create: &CreateView) -> Result<()> {
    let span = create.name.name.span;
    if create.materialized {
        return Err(Error::new(codes::UNSUPPORTED, "CREATE MATERIALIZED VIEW is not supported yet").at(span));
    }
    if !create.columns.is_empty() || !create.partitioned_on.is_empty() {
        return Err(Error::new(codes::UNSUPPORTED, "a view with a list of columns is not supported yet")
            .at(span)
            .with_hint("name the columns in its SELECT: `SELECT a AS x`"));
    }
    let (database, name) = names(catalog, &create.name)?;
    if catalog.contains(Some(&database), &name) && create.if_not_exists {
        return Ok(());
    }
    let view = Table {
        database,
        name,
        kind: TableKind::View { query: create.query_text.clone() },
        columns: Arc::new(Schema::empty()),
        comment: create.comment.as_ref().map(|text| text.value.clone()),
        serde: String::new(),
        serde_properties: BTreeMap::new(),
        properties: properties(&create.properties),
        location: None,
    };
    if let Ok(old) = catalog.table(Some(&view.database), &view.name)
        && !matches!(old.kind, TableKind::View { .. })
    {
        return Err(Error::new(codes::TABLE_EXISTS, format!("`{}` is a table, not a view", view.name)).at(span));
    }
    catalog.put_table(view, create.or_replace).map_err(|error| error.at(span))
}

/// CREATE DATABASE.
pub fn create_database(catalog: &mut Catalog, create: &CreateDatabase) -> Result<()> {
    let text = |text: &Option<crate::hiveql::Text>| text.as_ref().map(|text| text.value.clone());
    let database = Database::new(text(&create.comment), text(&create.location));
    catalog
        .create_database(&create.name.value, database, create.if_not_exists)
        .map_err(|error| error.at(create.name.span))
}

/// DROP TABLE, VIEW and DATABASE. Data is never touched: no table of this catalog owns any.
///
/// With `ignore_missing`, a table or view that is not there is no error: `hive.exec.drop.ignorenonexistent`. It does not
/// hold for databases.
pub fn drop(catalog: &mut Catalog, drop: &Drop, ignore_missing: bool) -> Result<()> {
    let name = &drop.name.name;
    let database = drop.name.database.as_ref().map(|name| name.value.as_str());
    match drop.object {
        DropObject::Table { .. } | DropObject::View => {
            if (drop.if_exists || ignore_missing) && !catalog.contains(database, &name.value) {
                return Ok(());
            }
            let table = catalog.table(database, &name.value).map_err(|error| error.at(name.span))?;
            let is_view = matches!(table.kind, TableKind::View { .. });
            // Hive: "Cannot drop a view with DROP TABLE" and the reverse.
            match (drop.object == DropObject::View, is_view) {
                (true, false) => Err(Error::new(codes::SEMANTIC, format!("`{}` is a table, not a view", name.value))
                    .at(name.span)
                    .with_hint("DROP TABLE removes it")),
                (false, true) => Err(Error::new(codes::SEMANTIC, format!("`{}` is a view, not a table", name.value))
                    .at(name.span)
                    .with_hint("DROP VIEW removes it")),
                _ => catalog.drop_table(database, &name.value).map(|_| ()),
            }
        }
        DropObject::Database { cascade } => {
            catalog.drop_database(&name.value, drop.if_exists, cascade).map_err(|error| error.at(name.span))
        }
        DropObject::MaterializedView => Err(unsupported("DROP MATERIALIZED VIEW", name.span)),
        DropObject::Function { .. } => Err(unsupported("DROP FUNCTION", name.span)),
        DropObject::Macro => Err(unsupported("DROP MACRO", name.span)),
    }
}

fn unsupported(construct: &str, span: Span) -> Error {
    Error::new(codes::UNSUPPORTED, format!("{construct} is not supported yet")).at(span)
}

fn names(catalog: &Catalog, name: &ObjectName) -> Result<(String, String)> {
    let database = match &name.database {
        Some(database) => {
            catalog.database(&database.value).map_err(|error| error.at(database.span))?;
            database.value.clone()
        }
        None => catalog.current().to_string(),
    };
    Ok((database, name.name.value.clone()))
}

fn kind(create: &CreateTable) -> TableKind {
    if create.external { TableKind::External } else { TableKind::Managed }
}

fn refuse_clauses(create: &CreateTable) -> Result<()> {
    let span = create.name.name.span;
    let refused = [
        (create.query.is_some(), "CREATE TABLE … AS SELECT", "INSERT OVERWRITE DIRECTORY writes a result"),
        (
            !create.partitioned_by.is_empty(),
            "PARTITIONED BY",
            "without it, sub-folders of LOCATION are read as one table",
        ),
        (create.clustered_by.is_some(), "CLUSTERED BY", "a table that is only read needs no buckets"),
        (create.skewed_by.is_some(), "SKEWED BY", "a table that is only read needs it not"),
        (create.stored_by.is_some(), "STORED BY", "text files are read"),
        (create.transactional, "TRANSACTIONAL", "text files are read"),
    ];
    for (present, clause, hint) in refused {
        if present {
            return Err(unsupported(clause, span).with_hint(hint));
        }
    }
    match &create.stored_as {
        Some(StoredAs::Format(format)) if !format.value.eq_ignore_ascii_case("textfile") => {
            let text = format!("STORED AS {} is not supported yet", format.value.to_uppercase());
            Err(Error::new(codes::UNSUPPORTED_SERDE, text).at(format.span).with_hint("STORED AS TEXTFILE works"))
        }
        Some(StoredAs::InputOutput { input, output }) => {
            let text_input = input.value == "org.apache.hadoop.mapred.TextInputFormat";
            let text_output = output.value.ends_with("HiveIgnoreKeyTextOutputFormat")
                || output.value.ends_with("IgnoreKeyTextOutputFormat");
            if text_input && text_output {
                return Ok(());
            }
            let (class, span) = if text_input { (&output.value, output.span) } else { (&input.value, input.span) };
            Err(Error::new(codes::UNSUPPORTED_SERDE, format!("the format `{class}` is not supported yet"))
                .at(span)
                .with_hint("org.apache.hadoop.mapred.TextInputFormat works"))
        }
        _ => Ok(()),
    }
}

fn serde_class(create: &CreateTable) -> Result<String> {
    Ok(match &create.row_format {
        Some(RowFormat::Serde { class, .. }) => class.value.clone(),
        Some(RowFormat::Delimited(_)) | None => LAZY_SIMPLE_SERDE.to_string(),
    })
}

fn serde_span(create: &CreateTable) -> Span {
    match &create.row_format {
        Some(RowFormat::Serde { class, properties }) => {
            // The regular expression is what can be wrong; the class, if there is none.
            properties.iter().find(|(key, _)| key.value == "input.regex").map_or(class.span, |(_, value)| value.span)
        }
        _ => create.name.name.span,
    }
}

fn serde_properties(create: &CreateTable) -> BTreeMap<String, String> {
    match &create.row_format {
        Some(RowFormat::Serde { properties: pairs, .. }) => properties(pairs),
        Some(RowFormat::Delimited(delimited)) => delimited_properties(delimited),
        None => BTreeMap::new(),
    }
}

/// The properties that ROW FORMAT DELIMITED stands for.
///
/// Source: `BaseSemanticAnalyzer.RowFormatParams.analyzeRowFormat`; `colelction.delim` is Hive's own spelling.
pub fn delimited_properties(delimited: &crate::hiveql::Delimited) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    let mut put = |key: &str, text: &Option<crate::hiveql::Text>| {
        if let Some(text) = text {
            properties.insert(key.to_string(), text.value.clone());
        }
    };
    put("field.delim", &delimited.fields_terminated_by);
    put("serialization.format", &delimited.fields_terminated_by);
    put("escape.delim", &delimited.escaped_by);
    put("colelction.delim", &delimited.collection_items_terminated_by);
    put("mapkey.delim", &delimited.map_keys_terminated_by);
    put("line.delim", &delimited.lines_terminated_by);
    put("serialization.null.format", &delimited.null_defined_as);
    properties
}

fn properties(pairs: &Properties) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect()
}

fn schema(columns: &[ColumnDef]) -> Result<Schema> {
    let mut seen = HashSet::new();
    let mut fields = Vec::with_capacity(columns.len());
    for column in columns {
        if !seen.insert(column.name.value.as_str()) {
            let text = format!("column `{}` is there twice", column.name.value);
            return Err(Error::new(codes::DUPLICATE_COLUMN, text).at(column.name.span));
        }
        let Some(data_type) = &column.data_type else {
            return Err(
                Error::new(codes::SEMANTIC, format!("column `{}` has no type", column.name.value)).at(column.name.span)
            );
        };
        let field = field(&column.name.value, data_type)?;
        let field = match &column.comment {
            Some(comment) => {
                let mut metadata = field.metadata().clone();
                metadata.insert("comment".to_string(), comment.value.clone());
                field.with_metadata(metadata)
            }
            None => field,
        };
        fields.push(field);
    }
    Ok(Schema::new(fields))
}

fn field(name: &str, hive_type: &HiveType) -> Result<Field> {
    let named = |hive_name: String| HashMap::from([(HIVE_TYPE.to_string(), hive_name)]);
    let refused = |construct: &str| {
        Error::new(codes::UNSUPPORTED_TYPE, format!("the type {construct} is not supported yet")).at(hive_type.span)
    };
    let (data_type, metadata) = match &hive_type.kind {
        TypeKind::TinyInt => (DataType::Int8, HashMap::new()),
        TypeKind::SmallInt => (DataType::Int16, HashMap::new()),
        TypeKind::Int => (DataType::Int32, HashMap::new()),
        TypeKind::BigInt => (DataType::Int64, HashMap::new()),
        TypeKind::Float => (DataType::Float32, HashMap::new()),
        TypeKind::Double => (DataType::Float64, HashMap::new()),
        TypeKind::Decimal(precision, scale) => (DataType::Decimal128(*precision, *scale), HashMap::new()),
        TypeKind::String => (DataType::Utf8View, HashMap::new()),
        TypeKind::Varchar(length) => (DataType::Utf8View, named(format!("varchar({length})"))),
        TypeKind::Char(length) => (DataType::Utf8View, named(format!("char({length})"))),
        TypeKind::Boolean => (DataType::Boolean, HashMap::new()),
        TypeKind::Binary => (DataType::Binary, HashMap::new()),
        TypeKind::Date => (DataType::Date32, HashMap::new()),
        TypeKind::Timestamp => (timestamp(), HashMap::new()),
        TypeKind::TimestampLocalTz => return Err(refused("TIMESTAMP WITH LOCAL TIME ZONE")),
        TypeKind::IntervalYearMonth | TypeKind::IntervalDayTime => return Err(refused("INTERVAL")),
        TypeKind::Array(_) => return Err(refused("ARRAY")),
        TypeKind::Map(..) => return Err(refused("MAP")),
        TypeKind::Struct(_) => return Err(refused("STRUCT")),
        TypeKind::Union(_) => return Err(refused("UNIONTYPE")),
    };
    Ok(Field::new(name, data_type, true).with_metadata(metadata))
}
