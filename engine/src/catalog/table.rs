//! One table or view as the catalog holds it, and the DDL that makes it again.

use std::collections::BTreeMap;
use std::fmt::Write;

use arrow_schema::SchemaRef;

use crate::hive_type::hive_type_name;

/// What a name of the catalog stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// Files that Hive does not own.
    External,
    /// Files that DROP TABLE would remove.
    Managed,
    /// A query, as text.
    View { query: String },
}

/// A table or view. Columns are Arrow fields (see `hive_type`), comments in their metadata under `comment`.
#[derive(Debug, Clone)]
pub struct Table {
    pub database: String,
    pub name: String,
    pub kind: TableKind,
    pub columns: SchemaRef,
    pub comment: Option<String>,
    /// Class of the SerDe.
    pub serde: String,
    pub serde_properties: BTreeMap<String, String>,
    pub properties: BTreeMap<String, String>,
    /// As written after substitution; absent for a managed table, whose data this catalog has no place for.
    pub location: Option<String>,
}

impl Table {
    /// `name`, or `database.name` outside the default database.
    pub fn display_name(&self) -> String {
        match self.database == super::DEFAULT_DATABASE {
            true => self.name.clone(),
            false => format!("{}.{}", self.database, self.name),
        }
    }

    /// What the SerDe is told: its own properties, and the table's over them.
    ///
    /// Source: Hive's `MetaStoreUtils.getSchema`, which puts the table's parameters last.
    pub fn serde_parameters(&self) -> BTreeMap<String, String> {
        let mut parameters = self.serde_properties.clone();
        parameters.extend(self.properties.clone());
        parameters
    }

    /// The statement that would create this table again.
    ///
    /// Source: the layout follows Hive 3.1's `ShowCreateTableOperation` (clauses, order, two-space indents).
    pub fn create_statement(&self) -> String {
        let mut ddl = String::new();
        let name = match self.database == super::DEFAULT_DATABASE {
            true => format!("`{}`", self.name),
            false => format!("`{}`.`{}`", self.database, self.name),
        };
        if let TableKind::View { query } = &self.kind {
            return format!("CREATE VIEW {name} AS {query}");
        }
        let external = if self.kind == TableKind::External { "EXTERNAL " } else { "" };
        let _ = writeln!(ddl, "CREATE {external}TABLE {name}(");
        let n_columns = self.columns.fields().len();
        for (column_idx, field) in self.columns.fields().iter().enumerate() {
            let comment = match field.metadata().get("comment") {
                Some(comment) => format!(" COMMENT {}", quote(comment)),
                None => String::new(),
            };
            let end = if column_idx + 1 == n_columns { ")" } else { ", " };
            let _ = writeln!(ddl, "  `{}` {}{comment}{end}", field.name(), hive_type_name(field));
        }
        if let Some(comment) = &self.comment {
            let _ = writeln!(ddl, "COMMENT {}", quote(comment));
        }
        let _ = writeln!(ddl, "ROW FORMAT SERDE ");
        let _ = writeln!(ddl, "  {}", quote(&self.serde));
        if !self.serde_properties.is_empty() {
            let _ = writeln!(ddl, "WITH SERDEPROPERTIES ( ");
            ddl.push_str(&properties(&self.serde_properties));
        }
        let _ = writeln!(ddl, "STORED AS TEXTFILE");
        if let Some(location) = &self.location {
            let _ = writeln!(ddl, "LOCATION");
            let _ = writeln!(ddl, "  {}", quote(location));
        }
        if !self.properties.is_empty() {
            let _ = writeln!(ddl, "TBLPROPERTIES (");
            ddl.push_str(&properties(&self.properties));
        }
        ddl.truncate(ddl.trim_end().len());
        ddl
    }
}

fn properties(properties: &BTreeMap<String, String>) -> String {
    let lines: Vec<_> = properties.iter().map(|(key, value)| format!("  {}={}", quote(key), quote(value))).collect();
    format!("{})\n", lines.join(", \n"))
}

/// A string literal that Hive reads back as `text`.
fn quote(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn quoted_text_is_read_back() {
        assert_eq!(quote("a'b\\s\t\u{1}"), r"'a\'b\\s\t\u0001'");
    }
}
