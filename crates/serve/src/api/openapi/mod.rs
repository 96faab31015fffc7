//! The OpenAPI 3.1 document of the door, made from the tables that make the
//! routes.

mod alerts;
mod answers;
mod paths;
mod schemas;
mod seed4;
mod server;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use self::schemas::Schemas;

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

/// `GET /api/v1/openapi.json`
pub async fn get() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], DOCUMENT.clone()).into_response()
}

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let paths = paths::all(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tachograph",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "the flight recorder for AI agents",
            "description": "Questions about what was recorded (`/api/v1`), events in, and live \
                state in the shapes of the FreeAgentics dashboard (`/api/metrics`, `/api/alerts`, \
                `/api/export`, `/ws`). Times are UTC with their offset. Whatever a time or a size \
                is in, its name says. An address of more than 65,534 bytes is answered with 414, \
                and a head that is too long altogether with 431, both without a body.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}, {"token_in_address": []}],
        "tags": [
            {"name": "questions", "description": "what `tacho` answers, over HTTP"},
            {"name": "events", "description": "what agents send"},
            {"name": "live", "description": "what is going on, in the fourth seed's shapes"},
            {"name": "alerts", "description": "rules are looked at each second; what \
                fires or is resolved is an `alert` event of the log"},
            {"name": "about", "description": "the server itself"},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.all(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "needed when the server listens on more than loopback",
                },
                "token_in_address": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "token",
                    "description": "for pages and websockets",
                },
            },
        },
    })
}
