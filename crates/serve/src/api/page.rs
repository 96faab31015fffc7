//! `/`: the page for browsers, a pointer in JSON for programs and where there
//! is no page.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;
use super::assets::Assets;
use super::json::Json;
use super::problem::{Kind, Problem};

/// Files of our own, and questions to this server; no script or style in the
/// markup, no text that becomes markup, nothing from or to anywhere else.
const CSP: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'; require-trusted-types-for 'script'; \
                   trusted-types 'none'";

/// `GET /`
pub async fn get(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    if !api.hub.config.page || !wants_html(&headers) {
        return pointer();
    }
    let assets = Assets::now();
    let Some(index) = assets.index() else {
        let detail = "the page's files are not where this debug build was made; build it anew";
        return Problem::new(Kind::Internal, detail).into_response();
    };
    // It says which version the files are of, so it is asked for each time.
    let mut response = index.answer(&headers, "no-cache");
    let headers = response.headers_mut();
    let csp = HeaderValue::from_static(CSP);
    headers.insert(header::CONTENT_SECURITY_POLICY, csp);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    headers.insert(header::VARY, vary);
    response
}

fn pointer() -> Response {
    let pointer = json!({
        "name": "tachograph",
        "version": env!("CARGO_PKG_VERSION"),
        "about": "the flight recorder for AI agents",
        "api": "/api/v1",
        "openapi": "/api/v1/openapi.json",
        "health": "/health",
    });
    ([(header::VARY, "accept")], Json(pointer)).into_response()
}

/// Browsers name HTML; what does not care gets JSON.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.to_ascii_lowercase().contains("text/html")
}
