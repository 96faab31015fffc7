//! What went wrong, as RFC 9457 has it: `application/problem+json` with what
//! helps to ask better: which parameter, what it was, what is allowed.
//!
//! ```
//! use tachograph_serve::api::problem::{Kind, Problem};
//! let problem = Problem::new(Kind::BadParameter, "`days` is no number from 1 to 36500")
//!     .with("parameter", "days")
//!     .with("value", "soon");
//! assert_eq!(problem.json()["type"], "urn:tachograph:problem:bad-parameter");
//! assert_eq!(problem.json()["status"], 400);
//! ```

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::guard::body::TooSlow;

/// Bytes of a value from outside that an answer quotes.
const QUOTED_BYTES: usize = 200;

/// One table: name in code, name on the wire, status, title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $slug:literal $status:ident $title:literal,)*) => {
        /// What kind of problem; its status and title follow from it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in `type`, after `urn:tachograph:problem:`.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The status it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The same for every problem of the kind.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    /// A parameter's value cannot be read or is out of range.
    BadParameter "bad-parameter" BAD_REQUEST "a parameter is wrong",
    /// There is no such parameter here.
    UnknownParameter "unknown-parameter" BAD_REQUEST "there is no such parameter",
    /// The body is not what its type says, or misses something.
    BadBody "bad-body" BAD_REQUEST "the body cannot be read",
    /// The head is not what HTTP asks for.
    BadHead "bad-head" BAD_REQUEST "the request's head is wrong",
    /// The SQL statement is wrong.
    BadQuery "bad-query" BAD_REQUEST "the statement is wrong",
    /// The SQL statement takes more time or memory than one may.
    QueryLimit "query-limit" UNPROCESSABLE_ENTITY "the statement is too much",
    /// There is no token, or a wrong one.
    Unauthorized "unauthorized" UNAUTHORIZED "a token is needed",
    /// The guard says no: host, origin.
    Denied "denied" FORBIDDEN "this request is not allowed",
    /// The SQL statement does more than read.
    ForbiddenQuery "forbidden-query" FORBIDDEN "the statement does what asking must not do",
    /// Nothing is served there.
    NotFound "not-found" NOT_FOUND "nothing is served here",
    /// Something is, but not with this method.
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "the method is not allowed here",
    /// None of the forms asked for is on offer.
    NotAcceptable "not-acceptable" NOT_ACCEPTABLE "none of these forms is on offer",
    /// The request did not come within its time.
    Timeout "timeout" REQUEST_TIMEOUT "the request took too long to come",
    /// The body is larger than is taken, measured after decompression.
    TooLarge "too-large" PAYLOAD_TOO_LARGE "the body is too large",
    /// Of a type or a compression that is not read here.
    UnsupportedType "unsupported-type" UNSUPPORTED_MEDIA_TYPE "this type of body is not read here",
    /// A WebSocket was asked for without asking for one.
    UpgradeRequired "upgrade-required" UPGRADE_REQUIRED "this is a websocket",
    /// More waits already than may.
    Overloaded "overloaded" TOO_MANY_REQUESTS "too much at once",
    /// The events could not be read.
    Unreadable "unreadable" INTERNAL_SERVER_ERROR "the events cannot be read",
    /// A defect of ours.
    Internal "internal" INTERNAL_SERVER_ERROR "something broke",
    /// A channel of alerts could not be told.
    NotDelivered "not-delivered" BAD_GATEWAY "the channel was not told",
    /// The disk said no.
    NotStored "not-stored" SERVICE_UNAVAILABLE "nothing was stored",
    /// The server is leaving.
    Stopping "stopping" SERVICE_UNAVAILABLE "the server is stopping",
}

/// A problem, to be answered with.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// Starts one; `detail` says what went wrong this time, and the way out.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            retry_after_seconds: None,
        }
    }

    /// A parameter's value that cannot be used; `allowed` says what can.
    pub fn parameter(parameter: &str, value: &str, allowed: impl Into<Value>) -> Self {
        let allowed = allowed.into();
        let shown = match &allowed {
            Value::String(text) => text.clone(),
            Value::Array(names) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                format!("one of {}", names.join(", "))
            }
            other => other.to_string(),
        };
        let value = quoted(value);
        Self::new(
            Kind::BadParameter,
            format!("`{parameter}` is {value:?}; it takes {shown}"),
        )
        .with("parameter", parameter)
        .with("value", value)
        .with("allowed", allowed)
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again, as `Retry-After` and as a member.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self.with("retry_after_seconds", seconds)
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What went wrong this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The document.
    pub fn json(&self) -> Value {
        let mut out = Map::new();
        let kind = format!("urn:tachograph:problem:{}", self.kind.slug());
        out.insert("type".into(), kind.into());
        out.insert("title".into(), self.kind.title().into());
        out.insert("status".into(), self.kind.status().as_u16().into());
        out.insert("detail".into(), self.detail.clone().into());
        for (name, value) in &self.members {
            out.entry(name.clone()).or_insert_with(|| value.clone());
        }
        out.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json().to_string()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.kind == Kind::Unauthorized {
            let bearer = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

/// A small body, as far as it came.
///
/// # Errors
/// A problem when it is too large, came too slowly, or broke off.
pub fn small_body(body: Result<Bytes, BytesRejection>, most: usize) -> Result<Bytes, Problem> {
    body.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body has more than {most} bytes");
            Problem::new(Kind::TooLarge, detail).with("allowed", most)
        }
        _ if TooSlow::below(&rejected).is_some() => {
            let detail = "the body did not come within its time; nothing was done";
            Problem::new(Kind::Timeout, detail)
        }
        _ => Problem::new(Kind::BadBody, rejected.body_text()),
    })
}

/// A value from outside, cut to what one wants to read in an answer.
pub fn quoted(text: &str) -> String {
    if text.len() <= QUOTED_BYTES {
        return text.to_owned();
    }
    let end = (0..=QUOTED_BYTES)
        .rev()
        .find(|at| text.is_char_boundary(*at));
    format!("{}…", &text[..end.unwrap_or(0)])
}

/// Answers what no route takes, and methods that its route does not, with
/// problems. To be called when all routes of a door are there.
pub fn with_fallbacks(router: Router) -> Router {
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
}

async fn not_found(uri: Uri) -> Problem {
    let path = quoted(uri.path());
    Problem::new(Kind::NotFound, format!("nothing is served at {path}")).with("path", path)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let (method, path) = (quoted(method.as_str()), quoted(uri.path()));
    Problem::new(
        Kind::MethodNotAllowed,
        format!("{path} does not take {method}; the header `Allow` names what it takes"),
    )
    .with("method", method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let mut slugs: Vec<&str> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let status = kind.status();
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn members_help_and_cannot_mislead() {
        let check = |problem: Problem, member: &str, value: Value| {
            assert_eq!(problem.json()[member], value, "{problem:?}");
        };
        let days = || Problem::parameter("days", "soon", "a whole number from 1 to 36500");
        check(days(), "parameter", "days".into());
        check(days(), "value", "soon".into());
        check(days(), "allowed", "a whole number from 1 to 36500".into());
        let detail = "`days` is \"soon\"; it takes a whole number from 1 to 36500";
        check(days(), "detail", detail.into());
        let form = Problem::parameter("format", "pdf", vec!["json", "csv"]);
        let detail = "`format` is \"pdf\"; it takes one of json, csv";
        check(form.clone(), "detail", detail.into());
        check(form, "allowed", vec!["json", "csv"].into());
        // What RFC 9457 names is not for members to say.
        check(days().with("status", 200), "status", 400.into());
        check(days().retry_after(2), "retry_after_seconds", 2.into());
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(quoted("é"), "é");
        let long = "é".repeat(QUOTED_BYTES);
        let cut = quoted(&long);
        assert_eq!(cut.chars().count(), QUOTED_BYTES / 2 + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(
            quoted(&format!("x{long}")).len(),
            QUOTED_BYTES - 1 + '…'.len_utf8()
        );
    }
}
