/// Asks in SQL: one `SELECT`, `WITH`, `EXPLAIN`, `DESCRIBE` or `SHOW`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sql {
    /// The statement.
    pub query: String,
    /// At most so many rows are returned; a note says when there were more.
    pub row_limit: usize,
}
