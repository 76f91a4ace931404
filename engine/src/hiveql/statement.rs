//! What a HiveQL statement is: queries as sqlparser's tree, everything around them as our own.
//!
//! Identifiers and expressions keep sqlparser's spans (line and column in the substituted text); a [`Parsed`]
//! statement carries the map from those back to the script.

use sqlparser::ast;

use crate::error::Span;

/// `a`, `` `a b` ``: the name in lower case as Hive stores it, and where it stands in the script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    pub value: String,
    pub span: Span,
}

/// `[database.]name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectName {
    pub database: Option<Name>,
    pub name: Name,
}

/// A string literal after Hive's unescaping, and where it stands in the script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    pub value: String,
    pub span: Span,
}

/// `('k'='v', …)` of SERDEPROPERTIES, TBLPROPERTIES and DBPROPERTIES, in script order.
pub type Properties = Vec<(Text, Text)>;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Query(Box<ast::Query>),
    Insert(Box<Insert>),
    CreateTable(Box<CreateTable>),
    CreateView(Box<CreateView>),
    CreateDatabase(CreateDatabase),
    CreateFunction(CreateFunction),
    CreateMacro(Box<CreateMacro>),
    Drop(Drop),
    AlterTable(Box<AlterTable>),
    AlterView {
        name: ObjectName,
        operation: AlterView,
    },
    Truncate {
        table: ObjectName,
        partition: Option<PartitionSpec>,
    },
    Use(Name),
    Show(Show),
    Describe(Describe),
    Explain {
        mode: ExplainMode,
        statement: Box<Statement>,
    },
    Load(Load),
    Export {
        table: ObjectName,
        partition: Option<PartitionSpec>,
        path: Text,
    },
    Import {
        table: Option<ObjectName>,
        partition: Option<PartitionSpec>,
        path: Text,
        external: bool,
        location: Option<Text>,
    },
    Msck {
        table: ObjectName,
        repair: bool,
        action: MsckAction,
    },
    Analyze {
        table: ObjectName,
        partition: Option<PartitionSpec>,
        columns: Option<Vec<Name>>,
        for_columns: bool,
        no_scan: bool,
    },
    /// DELETE, UPDATE and MERGE on ACID tables: parsed, never executed.
    Delete(Box<ast::Statement>),
    Update(Box<ast::Statement>),
    Merge(Box<ast::Statement>),
    /// A line that Hive's command line handles itself and that never reaches a parser of SQL.
    Command(Command),
}

/// `[WITH …] [FROM …] INSERT … SELECT … [INSERT … SELECT …]…`: one source, one or more outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    pub with: Option<ast::With>,
    /// The FROM that stands before the first INSERT; its SELECTs then have none.
    pub from: Option<Vec<ast::TableWithJoins>>,
    /// At least one.
    pub branches: Vec<InsertBranch>,
}

/// One INSERT with its query.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertBranch {
    pub target: InsertTarget,
    pub overwrite: bool,
    pub query: Box<ast::Query>,
    /// From the word INSERT to the end of the target.
    pub span: Span,
}

/// Where the rows go.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertTarget {
    Directory { path: Text, local: bool, row_format: Option<RowFormat>, stored_as: Option<StoredAs> },
    Table { name: ObjectName, partition: Option<PartitionSpec>, if_not_exists: bool, columns: Vec<Name> },
}

/// `PARTITION (dt='x', hr)`: static values and dynamic names, or comparisons in DROP PARTITION.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionSpec {
    pub parts: Vec<PartitionPart>,
    pub span: Span,
}

/// `dt`, `dt='x'`, `dt >= 'x'`.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionPart {
    pub name: Name,
    pub value: Option<(ast::BinaryOperator, ast::Expr)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    pub name: ObjectName,
    pub external: bool,
    pub temporary: bool,
    pub transactional: bool,
    pub if_not_exists: bool,
    pub columns: Vec<ColumnDef>,
    /// PRIMARY KEY, FOREIGN KEY, … of the table: as text, since Hive does not enforce them either.
    pub constraints: Vec<Text>,
    pub like: Option<ObjectName>,
    pub comment: Option<Text>,
    pub partitioned_by: Vec<ColumnDef>,
    pub clustered_by: Option<ClusteredBy>,
    pub skewed_by: Option<SkewedBy>,
    pub row_format: Option<RowFormat>,
    pub stored_as: Option<StoredAs>,
    /// STORED BY 'handler' [WITH SERDEPROPERTIES …].
    pub stored_by: Option<(Text, Properties)>,
    pub location: Option<Text>,
    pub properties: Properties,
    pub query: Option<Box<ast::Query>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    pub name: Name,
    /// Absent in the partition columns of a CTAS.
    pub data_type: Option<HiveType>,
    pub comment: Option<Text>,
    /// NOT NULL, DEFAULT …, PRIMARY KEY …: as text.
    pub constraints: Vec<Text>,
}

/// A Hive type, as it is written in DDL, with the place of its first word.
#[derive(Debug, Clone, PartialEq)]
pub struct HiveType {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    /// Precision 1 to 38 and scale; `DECIMAL` alone is (10, 0), as in Hive.
    Decimal(u8, i8),
    String,
    Varchar(u32),
    Char(u32),
    Boolean,
    Binary,
    Date,
    Timestamp,
    TimestampLocalTz,
    IntervalYearMonth,
    IntervalDayTime,
    Array(Box<HiveType>),
    Map(Box<HiveType>, Box<HiveType>),
    /// Name, type, comment.
    Struct(Vec<(String, HiveType, Option<String>)>),
    Union(Vec<HiveType>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ClusteredBy {
    pub columns: Vec<Name>,
    /// Column, descending.
    pub sorted_by: Vec<(Name, bool)>,
    pub buckets: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SkewedBy {
    pub columns: Vec<Name>,
    pub values: Vec<ast::Expr>,
    pub as_directories: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RowFormat {
    Delimited(Delimited),
    Serde { class: Text, properties: Properties },
}

/// ROW FORMAT DELIMITED; each clause as written, unescaped.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delimited {
    pub fields_terminated_by: Option<Text>,
    pub escaped_by: Option<Text>,
    pub collection_items_terminated_by: Option<Text>,
    pub map_keys_terminated_by: Option<Text>,
    pub lines_terminated_by: Option<Text>,
    pub null_defined_as: Option<Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StoredAs {
    /// TEXTFILE, PARQUET, …, upper case.
    Format(Name),
    InputOutput {
        input: Text,
        output: Text,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    pub name: ObjectName,
    pub or_replace: bool,
    pub materialized: bool,
    pub if_not_exists: bool,
    pub columns: Vec<(Name, Option<Text>)>,
    pub comment: Option<Text>,
    pub partitioned_on: Vec<Name>,
    pub properties: Properties,
    pub query: Box<ast::Query>,
    /// The text of the query, for SHOW CREATE TABLE.
    pub query_text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateDatabase {
    pub name: Name,
    pub if_not_exists: bool,
    pub comment: Option<Text>,
    pub location: Option<Text>,
    pub properties: Properties,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateFunction {
    pub name: ObjectName,
    pub temporary: bool,
    pub class: Text,
    /// JAR, FILE or ARCHIVE, and the path.
    pub resources: Vec<(Name, Text)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateMacro {
    pub name: Name,
    pub arguments: Vec<ColumnDef>,
    pub body: ast::Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    pub object: DropObject,
    pub name: ObjectName,
    pub if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropObject {
    Table { purge: bool },
    View,
    MaterializedView,
    Database { cascade: bool },
    Function { temporary: bool },
    Macro,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    pub name: ObjectName,
    /// `ALTER TABLE t PARTITION (…) …`.
    pub partition: Option<PartitionSpec>,
    pub operation: AlterOperation,
    /// CASCADE after a change of columns: also in the metadata of partitions.
    pub cascade: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterOperation {
    AddPartitions { if_not_exists: bool, partitions: Vec<(PartitionSpec, Option<Text>)> },
    DropPartitions { if_exists: bool, partitions: Vec<PartitionSpec>, purge: bool },
    RenamePartition(PartitionSpec),
    Rename(ObjectName),
    SetLocation(Text),
    SetProperties(Properties),
    UnsetProperties { if_exists: bool, keys: Vec<Text> },
    SetSerdeProperties(Properties),
    SetSerde { class: Text, properties: Properties },
    SetFileFormat(StoredAs),
    AddColumns(Vec<ColumnDef>),
    ReplaceColumns(Vec<ColumnDef>),
    ChangeColumn { from: Name, to: ColumnDef, position: Option<ColumnPosition> },
    RecoverPartitions,
    Concatenate,
    ExchangePartition { partition: PartitionSpec, with: ObjectName },
    Touch(Option<PartitionSpec>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum ColumnPosition {
    First,
    After(Name),
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterView {
    As { query: Box<ast::Query>, query_text: String },
    SetProperties(Properties),
    Rename(ObjectName),
}

/// SHOW …; patterns are Hive's (`*` and `|`).
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    Databases { like: Option<Text> },
    Tables { database: Option<Name>, like: Option<Text> },
    Views { database: Option<Name>, like: Option<Text> },
    Partitions { table: ObjectName, partition: Option<PartitionSpec> },
    CreateTable(ObjectName),
    Functions { like: Option<Text> },
    Columns { table: ObjectName, like: Option<Text> },
    TableProperties { table: ObjectName, key: Option<Text> },
    TableExtended { database: Option<Name>, like: Text, partition: Option<PartitionSpec> },
    Locks { table: Option<ObjectName>, partition: Option<PartitionSpec>, extended: bool },
    Conf(Text),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Describe {
    Table { name: ObjectName, detail: DescribeDetail, partition: Option<PartitionSpec>, column: Option<Name> },
    Database { name: Name, extended: bool },
    Function { name: Text, extended: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DescribeDetail {
    Plain,
    Extended,
    Formatted,
}

/// The words after EXPLAIN. LOGICAL and PHYSICAL are logq's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainMode {
    Plain,
    Extended,
    Formatted,
    Dependency,
    Analyze,
    Vectorization,
    Logical,
    Physical,
    /// AUTHORIZATION, LOCKS, AST, CBO: parsed, not executed.
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    pub path: Text,
    pub local: bool,
    pub overwrite: bool,
    pub table: ObjectName,
    pub partition: Option<PartitionSpec>,
    pub input_format: Option<(Text, Option<Text>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MsckAction {
    Add,
    Drop,
    Sync,
}

/// What Hive's command line handles itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `SET`, `SET -v`.
    ShowSettings {
        all: bool,
    },
    /// `SET key`.
    ShowSetting(String),
    /// `SET key=value`; the key keeps its `hivevar:`, `hiveconf:`, … prefix, the value is free text.
    Set {
        key: String,
        value: String,
    },
    Reset {
        key: Option<String>,
    },
    /// ADD JAR|FILE|ARCHIVE and the paths.
    AddResource {
        kind: String,
        paths: Vec<String>,
    },
    ListResources {
        kind: String,
    },
    DeleteResource {
        kind: String,
        paths: Vec<String>,
    },
    Reload,
    Dfs(String),
    /// `!cmd`.
    Shell(String),
    Source(String),
    Quit,
}
