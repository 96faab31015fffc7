//! The API over HTTP: every question, the fourth seed's shapes, live pushes.

pub mod headers;
pub mod problem;

use std::sync::Arc;

use axum::Router;

use crate::hub::Hub;

/// The routes.
pub fn router(_hub: &Arc<Hub>) -> Router {
    Router::new()
}

/// What every door that speaks HTTP needs when its routes are there: problems
/// for what no route takes, and the headers.
pub fn finish(router: Router) -> Router {
    headers::with_headers(problem::with_fallbacks(router))
}
