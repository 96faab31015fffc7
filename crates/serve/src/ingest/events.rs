//! To come.

use std::sync::Arc;

use axum::Router;

use crate::hub::Hub;

/// The routes.
pub fn router(_hub: &Arc<Hub>) -> Router {
    Router::new()
}
