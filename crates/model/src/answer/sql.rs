use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A table, the result of a query in SQL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sql {
    /// The columns.
    pub columns: Vec<SqlColumn>,
    /// The rows; each has as many values as there are columns. Timestamps are
    /// RFC 3339 text, what is not finite is null.
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more rows than may be returned.
    pub truncated: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its type, as the engine calls it.
    pub r#type: String,
    /// Whether its values are numbers (shown flush right).
    pub numeric: bool,
}
