//! Databases, tables and views by name, in memory: it lives as long as the session, as on a transient EMR cluster.
//!
//! Names come in lower case, as the front end stores them. Reads no table data.

mod table;

pub use table::{Table, TableKind};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result, codes, nearest};

/// Hive's name for the database that is always there.
pub const DEFAULT_DATABASE: &str = "default";

/// What a session knows of databases and tables.
#[derive(Debug, Clone)]
pub struct Catalog {
    databases: BTreeMap<String, Database>,
    current: String,
}

/// One database.
#[derive(Debug, Clone, Default)]
pub struct Database {
    pub comment: Option<String>,
    pub location: Option<String>,
    tables: BTreeMap<String, Arc<Table>>,
}

impl Database {
    /// A database without tables.
    pub fn new(comment: Option<String>, location: Option<String>) -> Self {
        Database { comment, location, tables: BTreeMap::new() }
    }
}

impl Default for Catalog {
    fn default() -> Self {
        let databases = BTreeMap::from([(DEFAULT_DATABASE.to_string(), Database::default())]);
        Catalog { databases, current: DEFAULT_DATABASE.to_string() }
    }
}

impl Catalog {
    /// The database that names without a database belong to.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// `USE name`.
    pub fn use_database(&mut self, name: &str) -> Result<()> {
        self.database(name)?;
        self.current = name.to_string();
        Ok(())
    }

    /// Names of all databases, ascending.
    pub fn database_names(&self) -> impl Iterator<Item = &str> {
        self.databases.keys().map(String::as_str)
    }

    /// The database of this name.
    pub fn database(&self, name: &str) -> Result<&Database> {
        self.databases.get(name).ok_or_else(|| self.unknown_database(name))
    }

    /// Adds a database; an existing one is an error unless `if_not_exists`.
    pub fn create_database(&mut self, name: &str, database: Database, if_not_exists: bool) -> Result<()> {
        if self.databases.contains_key(name) {
            return match if_not_exists {
                true => Ok(()),
                false => Err(Error::new(codes::DATABASE_EXISTS, format!("database `{name}` exists already"))),
            };
        }
        self.databases.insert(name.to_string(), database);
        Ok(())
    }

    /// Removes a database; one that holds tables only with `cascade`.
    ///
    /// Source: Hive refuses to drop `default` and, without CASCADE, a database that is not empty
    /// (metastore `HiveMetaStore.drop_database_core`).
    pub fn drop_database(&mut self, name: &str, if_exists: bool, cascade: bool) -> Result<()> {
        let Some(database) = self.databases.get(name) else {
            return if if_exists { Ok(()) } else { Err(self.unknown_database(name)) };
        };
        if name == DEFAULT_DATABASE {
            return Err(Error::new(codes::SEMANTIC, "the database `default` cannot be dropped"));
        }
        if !database.tables.is_empty() && !cascade {
            return Err(Error::new(codes::DATABASE_NOT_EMPTY, format!("database `{name}` still has tables"))
                .with_hint("DROP DATABASE … CASCADE drops them with it"));
        }
        self.databases.remove(name);
        if self.current == name {
            self.current = DEFAULT_DATABASE.to_string();
        }
        Ok(())
    }

    /// The table or view `[database.]name`; near names are in the error's hint.
    pub fn table(&self, database: Option<&str>, name: &str) -> Result<Arc<Table>> {
        let database_name = database.unwrap_or(&self.current);
        let tables = &self.database(database_name)?.tables;
        tables.get(name).cloned().ok_or_else(|| {
            let place = match database {
                Some(database) => format!("`{database}.{name}`"),
                None => format!("`{name}`"),
            };
            let error = Error::new(codes::UNKNOWN_TABLE, format!("table {place} not found"));
            match nearest(name, tables.keys().map(String::as_str)) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => error,
            }
        })
    }

    /// Whether there is a table or view of this name.
    pub fn contains(&self, database: Option<&str>, name: &str) -> bool {
        self.databases.get(database.unwrap_or(&self.current)).is_some_and(|database| database.tables.contains_key(name))
    }

    /// The tables and views of a database, ascending by name.
    pub fn tables(&self, database: Option<&str>) -> Result<impl Iterator<Item = &Arc<Table>>> {
        Ok(self.database(database.unwrap_or(&self.current))?.tables.values())
    }

    /// Adds a table or view, over an existing one if `replace`.
    pub fn put_table(&mut self, table: Table, replace: bool) -> Result<()> {
        let unknown = self.unknown_database(&table.database);
        let tables = &mut self.databases.get_mut(&table.database).ok_or(unknown)?.tables;
        if tables.contains_key(&table.name) && !replace {
            return Err(Error::new(codes::TABLE_EXISTS, format!("table `{}` exists already", table.name))
                .with_hint("CREATE … IF NOT EXISTS leaves an existing one as it is"));
        }
        tables.insert(table.name.clone(), Arc::new(table));
        Ok(())
    }

    /// Removes a table or view. Data is never touched.
    pub fn drop_table(&mut self, database: Option<&str>, name: &str) -> Result<Arc<Table>> {
        let table = self.table(database, name)?;
        if let Some(database) = self.databases.get_mut(&table.database) {
            database.tables.remove(name);
        }
        Ok(table)
    }

    fn unknown_database(&self, name: &str) -> Error {
        let error = Error::new(codes::UNKNOWN_DATABASE, format!("database `{name}` not found"));
        match nearest(name, self.databases.keys().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_database_stays() {
        let mut catalog = Catalog::default();
        assert!(catalog.drop_database("default", false, true).is_err());
        catalog.create_database("d", Database::default(), false).unwrap();
        catalog.use_database("d").unwrap();
        catalog.drop_database("d", false, false).unwrap();
        assert_eq!(catalog.current(), "default");
    }
}
