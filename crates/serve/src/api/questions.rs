//! `GET /api/v1/<question>`: every question of the model, answered as the
//! command line answers it, in the same forms, to the byte.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use tachograph_model::UnixNanos;
use tachograph_model::near::near;

use super::Api;
use super::ask;
use super::form::Form;
use super::json::Json;
use super::params::Params;
use super::problem::{Kind, Problem, quoted};
use super::sql::truncation;
use super::view::{Page, VIEWS, View, wants_storage};

/// `GET /api/v1`: what can be asked.
pub async fn list() -> Json {
    let views = VIEWS.iter().map(|view| {
        json!({
            "name": view.name,
            "about": view.doc,
            "path": format!("/api/v1/{}", view.name),
            "command": view.command,
        })
    });
    let sql = json!({
        "name": "sql",
        "about": "A query in SQL.",
        "path": "/api/v1/sql",
        "command": "tacho sql --json STATEMENT",
    });
    Json(json!({
        "questions": views.chain([sql]).collect::<Vec<_>>(),
        "openapi": "/api/v1/openapi.json",
    }))
}

/// Answers one question.
///
/// # Errors
/// A problem: see [`Params::read`], [`Form::choose`], [`ask::ask`].
pub async fn answer(
    view: &'static View,
    State(api): State<Arc<Api>>,
    uri: OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default().to_owned();
    // What is wrong is said at once, however much waits.
    let params = Params::read(Some(&query), &view.params)?;
    let form = Form::choose(&params, &headers, view.forms)?;
    let now = now();
    let question = view.question(&params, &api.hub.config.asking, now)?;
    drop(params);
    let (body, truncated) = api
        .desk
        .run(move |hub| {
            let params = Params::read(Some(&query), &view.params)?;
            let mut answer = ask::ask(hub, &question)?;
            if wants_storage(view, &params) {
                ask::complete(hub, &mut answer.found)?;
            }
            let truncated = View::limit(&mut answer, form, &params);
            let page = Page {
                folder: &hub.home.root().display().to_string(),
                asking: &hub.config.asking,
            };
            let body = view.render(answer, form, &params, &page)?;
            Ok((body, truncated))
        })
        .await?;
    Ok(truncation(form.answer(body), truncated))
}

/// Whatever else is asked for under `/api/v1/`.
pub async fn unknown(uri: OriginalUri) -> Problem {
    let path = uri.path();
    let asked = path.strip_prefix("/api/v1/").unwrap_or(path);
    let names = VIEWS.iter().map(|view| view.name);
    let names = names.chain(["sql", "live", "alerts", "events", "write", "openapi.json"]);
    let problem = |hint: String| {
        let detail = format!("nothing is served at {}; {hint}", quoted(path));
        Problem::new(Kind::NotFound, detail).with("path", quoted(path))
    };
    match near(asked, names) {
        Some(near) => {
            problem(format!("did you mean /api/v1/{near}?")).with("near", format!("/api/v1/{near}"))
        }
        None => problem("/api/v1 lists what there is".to_owned()),
    }
}

/// The present, in the log's microseconds, as the command line has it.
fn now() -> UnixNanos {
    UnixNanos(UnixNanos::now().0.div_euclid(1_000) * 1_000)
}
