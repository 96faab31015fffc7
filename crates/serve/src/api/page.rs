//! The page at `/`: what this is, and where the API is. Plain HTML, no script.
//! Without a page: a pointer in JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;
use super::form::Form;
use super::json::Json;
use super::view::VIEWS;

const CSS: &str = include_str!("page.css");
/// Styles of our own and nothing else.
const CSP: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'";

/// What else is worth a visit.
const OTHERS: [(&str, &str); 7] = [
    ("/api/v1/openapi.json", "all of it, as OpenAPI 3.1 has it"),
    ("/health", "whether the server lives"),
    (
        "/api/v1/live",
        "every figure of the last minutes, of metrics, tools, models and all else (family)",
    ),
    (
        "/api/metrics/summary",
        "measurements of the last five minutes",
    ),
    ("/api/metrics/sources", "where measurements come from"),
    ("/api/alerts", "alerts and their rules"),
    (
        "/api/export/prometheus",
        "measurements of the last hour as text",
    ),
];

/// `GET /`
pub async fn get(State(api): State<Arc<Api>>, uri: OriginalUri, headers: HeaderMap) -> Response {
    let config = &api.hub.config;
    if !config.page || !wants_html(&headers) {
        return pointer();
    }
    // The guard has looked at it; links are of no use without.
    let token = config.token.as_ref().and_then(|_| token(uri.query()?));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let csp = HeaderValue::from_static(CSP);
    let vary = HeaderValue::from_static("accept");
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, html),
        (header::CONTENT_SECURITY_POLICY, csp),
        (header::VARY, vary),
    ];
    (headers, html_page(token)).into_response()
}

/// `GET /page.css`
pub async fn css() -> Response {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, css)], CSS).into_response()
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
    Json(pointer).into_response()
}

/// Browsers name HTML; what does not care gets JSON.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.to_ascii_lowercase().contains("text/html")
}

/// The token in the address, if it can stand in a link as it is.
fn token(query: &str) -> Option<&str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == "token")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    token.bytes().all(plain).then_some(token)
}

fn html_page(token: Option<&str>) -> String {
    let suffix = token.map_or(String::new(), |token| format!("?token={token}"));
    let link = |out: &mut String, path: &str, about: &str| {
        let (path, about) = (escaped(path), escaped(about));
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "<dt><a href=\"{path}{suffix}\">{path}</a></dt><dd>{about}</dd>"
        );
    };
    let mut questions = String::new();
    for view in VIEWS.iter() {
        link(&mut questions, &format!("/api/v1/{}", view.name), view.doc);
    }
    let mut others = String::new();
    for (path, about) in OTHERS {
        link(&mut others, path, about);
    }
    let version = env!("CARGO_PKG_VERSION");
    let forms = super::form::FORMS;
    let forms: Vec<&str> = forms.iter().copied().map(Form::name).collect();
    let forms = forms.join(", ");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Tachograph</title>\n<link rel=\"stylesheet\" href=\"/page.css{suffix}\">\n</head>\n\
         <body>\n<main>\n<h1>Tachograph</h1>\n\
         <p class=\"about\">The flight recorder for AI agents, version {version}. \
         What is recorded stays on this machine.</p>\n\
         <h2>Questions</h2>\n\
         <p>Each takes <code>days</code>, <code>hours</code>, <code>since</code> and \
         <code>until</code>, and answers as {forms} (<code>format</code>). \
         <code>/api/v1/sql</code> takes a statement.</p>\n\
         <dl>\n{questions}</dl>\n\
         <h2>More</h2>\n<dl>\n{others}</dl>\n\
         <h2>Record something</h2>\n\
         <pre>curl {{this address}}/api/v1/events \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{{\"event_type\":\"tool_call\",\"tool\":\"search\",\"duration_ms\":12.5}}'</pre>\n\
         </main>\n</body>\n</html>\n"
    )
}

/// Text in HTML, in a quoted attribute, too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_into_links_only_as_it_is() {
        assert_eq!(token("token=abc-_.~09"), Some("abc-_.~09"));
        assert_eq!(token("a=b&token=abc"), Some("abc"));
        assert_eq!(token("token=%22%3E"), None);
        assert_eq!(token("token=\"><script>"), None);
        assert_eq!(token("a=b"), None);
        let page = html_page(Some("abc"));
        assert!(page.contains("href=\"/api/v1/tools?token=abc\""));
        assert_eq!(
            escaped("<a b='c' d=\"e\">&"),
            "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;"
        );
    }
}
