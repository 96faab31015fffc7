//! `/api/v1/sql`: one reading statement, as `GET ?query=` or in the body of a
//! `POST`. What may be read, for how long and with how much memory is the
//! answerer's to say.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use serde_json::Value;
use tachograph_model::answer::Found;
use tachograph_model::near::near;
use tachograph_model::question::Sql;
use tachograph_model::render::{Style, sql};

use super::Api;
use super::ask;
use super::form::Form;
use super::params::{Param, Params, Takes};
use super::problem::{Kind, Problem, quoted, small_body};
use super::view::pretty;

/// Bytes of a statement.
pub const MOST_BYTES: usize = 64 << 10;
/// Bytes of a body: the statement may be escaped.
pub const BODY_BYTES: usize = 2 * MOST_BYTES;
/// Rows, unless told otherwise.
pub const ROWS: usize = 10_000;
/// Rows, whatever one is told.
pub const MOST_ROWS: usize = 1_000_000;
/// Says `true` when there were more rows than were asked for.
pub const TRUNCATED: HeaderName = HeaderName::from_static("tachograph-truncated");

/// The forms of a table.
pub const FORMS: &[Form] = &[
    Form::Json,
    Form::Jsonl,
    Form::Table,
    Form::Csv,
    Form::Markdown,
    Form::Text,
];

const FORMAT: Param = Param {
    name: "format",
    doc: "Form of the answer; counts before `Accept`. `json` has an object for each row, `table` \
          the columns with their types and rows as lists, which holds what two columns of one \
          name say.",
    takes: Takes::OneOf(&["json", "jsonl", "table", "csv", "markdown", "text"]),
};

const LIMIT: Param = Param {
    name: "limit",
    doc: "At most so many rows, 10000 unless told otherwise; the header \
          `Tachograph-Truncated: true` says that there were more.",
    takes: Takes::Whole(1, MOST_ROWS as u64),
};

const QUERY: Param = Param {
    name: "query",
    doc: "One SELECT, WITH, EXPLAIN, DESCRIBE or SHOW over the tables `events` and `rollups` and \
          a view per kind of event.",
    takes: Takes::Statement(MOST_BYTES),
};

/// What `GET` takes.
pub const GET_PARAMS: &[Param] = &[QUERY, LIMIT, FORMAT];
/// What `POST` takes beside the body.
pub const POST_PARAMS: &[Param] = &[LIMIT, FORMAT];

/// `GET /api/v1/sql?query=…`
///
/// # Errors
/// A problem when the statement is missing, wrong or forbidden.
pub async fn get(
    State(api): State<Arc<Api>>,
    uri: OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::read(uri.query(), GET_PARAMS)?;
    let Some(query) = params.text(QUERY.name) else {
        let detail = "there is no statement: give it as `query`, such as \
                      ?query=select%20count(*)%20from%20events";
        return Err(Problem::new(Kind::BadParameter, detail).with("parameter", QUERY.name));
    };
    let form = Form::choose(&params, &headers, FORMS)?;
    let query = query.to_owned();
    answer(&api, query, limit(&params), form).await
}

/// `POST /api/v1/sql` with the statement as text, or JSON with `query` and
/// perhaps `limit`.
///
/// # Errors
/// As [`get`].
pub async fn post(
    State(api): State<Arc<Api>>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = small_body(body, BODY_BYTES)?;
    let params = Params::read(uri.query(), POST_PARAMS)?;
    let form = Form::choose(&params, &headers, FORMS)?;
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let (query, rows) = match essence.to_ascii_lowercase().as_str() {
        "application/json" => from_json(&body)?,
        "text/plain" | "application/sql" => (text(&body)?.to_owned(), None),
        _ => {
            let detail = format!(
                "a body of type {:?} is not read here; send application/json with `query`, or the \
                 statement as application/sql",
                quoted(media_type)
            );
            return Err(Problem::new(Kind::UnsupportedType, detail));
        }
    };
    if !(1..=MOST_BYTES).contains(&query.trim().len()) {
        let detail = format!("the statement must have 1 to {MOST_BYTES} bytes");
        return Err(Problem::new(Kind::BadBody, detail).with("parameter", QUERY.name));
    }
    let rows = rows.or_else(|| {
        params
            .whole(LIMIT.name)
            .and_then(|rows| rows.try_into().ok())
    });
    answer(&api, query, rows.unwrap_or(ROWS), form).await
}

fn limit(params: &Params) -> usize {
    let rows = params.whole(LIMIT.name);
    rows.and_then(|rows| rows.try_into().ok()).unwrap_or(ROWS)
}

fn text(body: &Bytes) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|error| {
        let detail = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        Problem::new(Kind::BadBody, detail)
    })
}

fn from_json(body: &Bytes) -> Result<(String, Option<usize>), Problem> {
    let bad = |detail: String| Problem::new(Kind::BadBody, detail);
    let Value::Object(body) = serde_json::from_slice(body)
        .map_err(|error| bad(format!("the body is no JSON: {error}")))?
    else {
        return Err(bad("the body is no object with `query`".to_owned()));
    };
    let mut rows = None;
    for (key, value) in &body {
        match (key.as_str(), value) {
            ("query", Value::String(_)) => {}
            ("limit", value) => {
                let most = value
                    .as_u64()
                    .filter(|rows| (1..=MOST_ROWS as u64).contains(rows));
                let Some(most) = most.and_then(|rows| usize::try_from(rows).ok()) else {
                    let allowed = format!("a whole number from 1 to {MOST_ROWS}");
                    return Err(Problem::parameter(LIMIT.name, &value.to_string(), allowed));
                };
                rows = Some(most);
            }
            ("query", _) => return Err(bad("`query` is no text".to_owned())),
            (key, _) => {
                let hint = near(key, ["query", "limit"]);
                let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(bad(format!(
                    "the body has an unknown key {:?}{hint}",
                    quoted(key)
                )));
            }
        }
    }
    match body.get("query").and_then(Value::as_str) {
        Some(query) => Ok((query.to_owned(), rows)),
        None => Err(bad("the body has no `query`".to_owned())),
    }
}

async fn answer(api: &Api, query: String, rows: usize, form: Form) -> Result<Response, Problem> {
    let (body, truncated) = api
        .sql
        .run(move |hub| {
            let question = Sql {
                query,
                row_limit: rows,
            };
            let Found::Sql(found) = ask::ask(hub, &question.into())?.found else {
                let detail = "the answer to \"sql\" is of another kind";
                return Err(Problem::new(Kind::Internal, detail));
            };
            let body = match form {
                Form::Json => pretty(&sql::json(&found)),
                Form::Jsonl => sql::jsonl(&found),
                Form::Table => sql::table(&found),
                Form::Csv => sql::csv(&found),
                Form::Markdown => sql::markdown(&found),
                Form::Text => sql::text(&found, Style::PLAIN),
            };
            Ok((body, found.truncated))
        })
        .await?;
    Ok(truncation(form.answer(body), truncated))
}

/// Says whether there were more rows.
pub fn truncation(mut response: Response, truncated: bool) -> Response {
    if truncated {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(TRUNCATED, yes);
    }
    response
}
