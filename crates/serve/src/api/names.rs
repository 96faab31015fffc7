//! `GET /api/v1/agent_names`: what the agents are called whose definitions lie
//! on this machine. Events hold hashes of agents' names; whoever has the
//! definitions and the home's secret can tell which is which, and nobody else.

use std::sync::Arc;

use axum::extract::State;
use serde_json::json;

use super::Api;
use super::json::Json;
use super::problem::Problem;

/// Answers with names by their hashes.
///
/// # Errors
/// A problem when too much is asked at once.
pub async fn get(State(api): State<Arc<Api>>) -> Result<Json, Problem> {
    let names = api.live.run(|hub| Ok((hub.config.asking.names)()));
    Ok(Json(json!({"names": *names.await?})))
}
