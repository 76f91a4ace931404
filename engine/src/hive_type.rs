//! Hive's types as Arrow fields: one mapping, kept where every room can see it.
//!
//! | Hive | Arrow |
//! |---|---|
//! | tinyint, smallint, int, bigint | Int8, Int16, Int32, Int64 |
//! | float, double | Float32, Float64 |
//! | decimal(p,s) | Decimal128(p, s) |
//! | string, varchar(n), char(n) | Utf8View |
//! | boolean, binary | Boolean, Binary |
//! | date | Date32 |
//! | timestamp | Timestamp(Nanosecond, no zone): 1677 to 2262; what lies outside is NULL |
//! | array, map, struct | List, Map, Struct |
//!
//! Arrow has no varchar and no char: such a field carries Hive's name for its type in its metadata.

use std::borrow::Cow;

use arrow_schema::{DataType, Field, TimeUnit};

/// The key of the field metadata that holds Hive's name of the type, where Arrow's type alone does not say it.
pub const HIVE_TYPE: &str = "hive.type";

/// The key of the field metadata that holds the alias of the table that a column of a result was taken from.
const TABLE_ALIAS: &str = "logq.table_alias";

/// A column of a result that was taken from the table of this alias.
pub(crate) fn with_table_alias(field: Field, table: &str) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(TABLE_ALIAS.to_string(), table.to_string());
    field.with_metadata(metadata)
}

/// The name of a column of a result as Hive's command prints it: `t.a` where the query says `*` or `t.a`, else `a`.
///
/// Source: Hive 2.3 and 3.1 `SemanticAnalyzer.convertRowSchemaToResultSetSchema`, `hive.resultset.use.unique.column.names`.
pub fn qualified_name(field: &Field) -> Cow<'_, str> {
    match field.metadata().get(TABLE_ALIAS) {
        Some(table) => Cow::Owned(format!("{table}.{}", field.name())),
        None => Cow::Borrowed(field.name()),
    }
}

/// Hive's name for the type of `field`, as DESCRIBE prints it: `bigint`, `varchar(10)`.
pub fn hive_type_name(field: &Field) -> Cow<'_, str> {
    match field.metadata().get(HIVE_TYPE) {
        Some(name) => Cow::Borrowed(name),
        None => type_name(field.data_type()),
    }
}

/// Length in characters and whether it is padded (`char`), for a varchar or char field.
pub fn character_limit(field: &Field) -> Option<(usize, bool)> {
    let name = field.metadata().get(HIVE_TYPE)?;
    let (kind, rest) = name.split_once('(')?;
    let length = rest.strip_suffix(')')?.parse().ok()?;
    match kind {
        "varchar" => Some((length, false)),
        "char" => Some((length, true)),
        _ => None,
    }
}

fn type_name(data_type: &DataType) -> Cow<'static, str> {
    let name = match data_type {
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "int",
        DataType::Int64 => "bigint",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp with local time zone",
        DataType::Null => "void",
        DataType::Decimal128(precision, scale) => return Cow::Owned(format!("decimal({precision},{scale})")),
        DataType::List(item) | DataType::LargeList(item) => {
            return Cow::Owned(format!("array<{}>", hive_type_name(item)));
        }
        DataType::Map(entries, _) => {
            if let DataType::Struct(fields) = entries.data_type()
                && let [key, value] = fields.as_ref()
            {
                return Cow::Owned(format!("map<{},{}>", hive_type_name(key), hive_type_name(value)));
            }
            "map"
        }
        DataType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|f| format!("{}:{}", f.name(), hive_type_name(f))).collect();
            return Cow::Owned(format!("struct<{}>", fields.join(",")));
        }
        // Types that DataFusion makes and Hive does not know: the nearest name that Hive has.
        DataType::UInt8 => "smallint",
        DataType::UInt16 => "int",
        DataType::UInt32 | DataType::UInt64 => "bigint",
        other => return Cow::Owned(other.to_string().to_lowercase()),
    };
    Cow::Borrowed(name)
}

/// Arrow's type for a Hive timestamp.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, None)
}
