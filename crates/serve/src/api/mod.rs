//! The API over HTTP: every question, the fourth seed's shapes, live pushes.

use std::sync::Arc;

use axum::Router;

use crate::hub::Hub;

/// The routes.
pub fn router(_hub: &Arc<Hub>) -> Router {
    Router::new()
}
