//! The API over HTTP: every question, the fourth seed's shapes, live pushes.
//!
//! ```text
//! params (what may be asked) ─► view (question, forms) ─► ask (so many at once) ─► form
//! ```

pub mod alerts;
pub mod ask;
pub mod assets;
pub mod form;
pub mod headers;
pub mod json;
mod limits;
pub mod live;
pub mod names;
pub mod openapi;
pub mod page;
pub mod params;
pub mod problem;
pub mod questions;
pub mod seed4;
pub mod server;
pub mod slim;
pub mod socket;
pub mod sql;
pub mod stream;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, delete, get, post, put};

use crate::hub::Hub;

/// What the API's routes share.
pub struct Api {
    pub hub: Arc<Hub>,
    /// Where questions wait.
    pub desk: ask::Desk,
    /// Where statements in SQL wait, each of which may take half a minute.
    pub sql: ask::Desk,
    /// Where live state is read, so that no long question is in its way.
    pub live: ask::Desk,
    /// Where tests of channels wait, each of which may take its time-out.
    pub tests: ask::Desk,
    pub rules: seed4::rules::Rules,
    pub push: seed4::push::Push,
    pub streams: stream::Streams,
    /// Of WebSockets, whatever they say.
    pub places: socket::Places,
}

/// Readings of live state take milliseconds at most.
const READINGS: ask::Manner = ask::Manner {
    what: "readings",
    at_once: 2,
    waiting: 256,
    patience: None,
    retry_after: 1,
    setting: None,
};
/// So many statements in SQL may wait for each that runs, and so long.
const SQL_WAITING: usize = 4;
const SQL_PATIENCE: Duration = Duration::from_secs(2);

/// The routes.
pub fn router(hub: &Arc<Hub>) -> Router {
    let limits = &hub.config.limits;
    let api = Arc::new(Api {
        hub: hub.clone(),
        desk: ask::Desk::new(
            hub,
            ask::Manner {
                what: "questions",
                at_once: limits.questions,
                waiting: limits.questions_waiting,
                ..READINGS
            },
        ),
        sql: ask::Desk::new(
            hub,
            ask::Manner {
                what: "statements in SQL",
                at_once: limits.sql_queries,
                waiting: limits.sql_queries * SQL_WAITING,
                patience: Some(SQL_PATIENCE),
                retry_after: 5,
                setting: Some("sql_queries"),
            },
        ),
        live: ask::Desk::new(hub, READINGS),
        tests: ask::Desk::new(
            hub,
            ask::Manner {
                what: "tests of channels",
                waiting: 4,
                retry_after: 10,
                ..READINGS
            },
        ),
        rules: seed4::rules::Rules::of(hub.home.root()),
        push: seed4::push::Push::default(),
        streams: stream::Streams::new(hub.started.0),
        places: socket::Places::new(limits.websockets),
    });
    let mut router = Router::new()
        .route("/", get(page::get))
        .route("/api/v1", get(questions::list))
        .route("/api/v1/", get(questions::list))
        .route("/api/v1/openapi.json", get(openapi::get))
        .route("/api/v1/live", get(live::get))
        .route("/api/v1/agent_names", get(names::get))
        .route("/api/v1/server", get(server::get))
        .route("/api/v1/stream", get(stream::get))
        .route("/api/v1/alerts", get(alerts::get))
        .route(
            "/api/v1/alerts/rules/{name}",
            put(alerts::put)
                .delete(alerts::delete)
                .layer(DefaultBodyLimit::max(seed4::alerts::BODY_BYTES)),
        )
        .route(
            "/api/v1/alerts/rules",
            put(alerts::put_named)
                .delete(alerts::delete_named)
                .layer(DefaultBodyLimit::max(seed4::alerts::BODY_BYTES)),
        )
        .route(
            "/api/v1/alerts/silences",
            post(alerts::silence).layer(DefaultBodyLimit::max(seed4::alerts::BODY_BYTES)),
        )
        .route("/api/v1/alerts/silences/{id}", delete(alerts::unsilence))
        .route("/api/v1/alerts/test/{channel}", post(alerts::test))
        .route("/api/v1/alerts/test", post(alerts::test_named))
        .route("/api/v1/{*path}", any(questions::unknown))
        .route(
            "/api/v1/sql",
            get(sql::get)
                .post(sql::post)
                .layer(DefaultBodyLimit::max(sql::BODY_BYTES)),
        );
    if hub.config.page {
        router = router.route("/assets/{hash}/{*path}", get(assets::get));
    }
    for view in view::VIEWS.iter() {
        let path = format!("/api/v1/{}", view.name);
        let answer = move |state, uri, headers| questions::answer(view, state, uri, headers);
        router = router.route(&path, get(answer));
    }
    router.merge(seed4::router()).with_state(api)
}

/// What every door that speaks HTTP needs when its routes are there: problems
/// for what no route takes, and the headers.
pub fn finish(router: Router) -> Router {
    headers::with_headers(problem::with_fallbacks(router))
}
