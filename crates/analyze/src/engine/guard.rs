//! The guard: what asking in SQL may do. One statement that reads, and nothing
//! else; files, settings and the network are out of reach.

use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as Sql;
use tachograph_model::AskError;

/// Lets one reading statement pass.
pub(super) fn check(query: &str) -> Result<(), AskError> {
    let statements = DFParser::parse_sql(query).map_err(|error| AskError::Query {
        what: error.strip_backtrace(),
    })?;
    match statements.len() {
        0 => Err(AskError::Query {
            what: "there is no statement".to_owned(),
        }),
        1 => statements.iter().try_for_each(statement),
        more => Err(forbidden(format!("{more} statements at once"))),
    }
}

fn statement(statement: &Statement) -> Result<(), AskError> {
    match statement {
        Statement::Statement(sql) => plain(sql),
        Statement::Explain(explain) => self::statement(&explain.statement),
        Statement::CopyTo(_) => Err(forbidden("COPY writes files")),
        Statement::CreateExternalTable(_) => {
            Err(forbidden("CREATE EXTERNAL TABLE opens other files"))
        }
        Statement::Reset(_) => Err(forbidden("RESET changes settings")),
    }
}

fn plain(sql: &Sql) -> Result<(), AskError> {
    match sql {
        Sql::Query(_)
        | Sql::ExplainTable { .. }
        | Sql::ShowTables { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowVariable { .. }
        | Sql::ShowFunctions { .. } => Ok(()),
        Sql::Explain { statement, .. } => plain(statement),
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or("this");
            Err(forbidden(format!(
                "{} changes something",
                word.to_uppercase()
            )))
        }
    }
}

fn forbidden(what: impl Into<String>) -> AskError {
    AskError::Forbidden { what: what.into() }
}
