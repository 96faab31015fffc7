//! Headers that every answer has, whoever made it: nothing is guessed, framed,
//! cached, or loaded from elsewhere. There are no CORS headers: no other site's
//! page reads anything here.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

/// What an answer may load and do when a browser shows it: nothing.
pub const CSP_NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, CSP_NOTHING),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Puts them on every answer of a door; what an answer says itself stays.
pub fn with_headers(router: Router) -> Router {
    router.layer(axum::middleware::map_response(add))
}

async fn add(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
