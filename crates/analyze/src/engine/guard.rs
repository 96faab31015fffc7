//! The guard: what asking in SQL may do. One statement that reads, and nothing
//! else; files, settings and the network are out of reach.

use datafusion::error::DataFusionError;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as Sql;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use tachograph_model::AskError;

/// Bytes of a statement, and words and operators in it. Expressions are planned
/// by recursion: so many of them, one in the other, fit the stacks of the threads
/// that plan and work (`work.rs`), and are planned in seconds.
const STATEMENT_BYTES: usize = 256 << 10;
const STATEMENT_WORDS: usize = 2000;

/// Lets pass what is no longer than statements may be. Values and what is
/// between them are not counted: lists of them are not deep.
pub(super) fn check_size(query: &str) -> Result<(), AskError> {
    let too_long = |count: usize, of: &str, most: usize| AskError::Query {
        what: format!("the statement has {count} {of}, the most is {most}"),
    };
    if query.len() > STATEMENT_BYTES {
        return Err(too_long(query.len(), "bytes", STATEMENT_BYTES));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, query).tokenize();
    // What cannot be read is the parser's to explain.
    let words = tokens.unwrap_or_default();
    let words = words.iter().filter(|token| counts(token)).count();
    if words > STATEMENT_WORDS {
        return Err(too_long(words, "words and operators", STATEMENT_WORDS));
    }
    Ok(())
}

fn counts(token: &Token) -> bool {
    !matches!(
        token,
        Token::Whitespace(_)
            | Token::Comma
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::LParen
            | Token::RParen
            | Token::EOF
    )
}

/// What is wrong, in the words of whoever found it.
pub(super) fn words(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::SQL(wrong, _) => match &**wrong {
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
        },
        _ => error.strip_backtrace(),
    }
}

/// Lets one reading statement pass.
pub(super) fn check(query: &str) -> Result<(), AskError> {
    let statements = DFParser::parse_sql(query).map_err(|error| AskError::Query {
        what: words(&error),
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
