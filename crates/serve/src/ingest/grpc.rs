//! OTLP over gRPC (4317). A call has one message each way and the answer's is
//! all but always empty, so the framing is done here: the message is read where
//! it lies, and its limit holds for what comes out of decompression.
//!
//! Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, Full};

use super::body::{BodyError, Encoding, receive_framed};
use super::otlp::{Failure, export};
use crate::counters::Signal;
use crate::hub::Hub;
use crate::wire::answer::{Code, Form, Rejected, Status, base64};

/// A message begins with whether it is compressed, and its length in 4 bytes.
const PREFIX: usize = 5;
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
const ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip,deflate,zstd");

/// The routes: every path is a method, and most are not implemented.
pub fn router(hub: &Arc<Hub>) -> Router {
    Router::new().fallback(answer).with_state(hub.clone())
}

async fn answer(State(hub): State<Arc<Hub>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let content_type = head.headers.get(header::CONTENT_TYPE);
    if !content_type.is_some_and(|value| is_grpc(value.as_bytes())) {
        return no_grpc(&head.method);
    }
    let Some(signal) = signal(head.uri.path()) else {
        return failed(&Status {
            code: Code::Unimplemented,
            message: format!("no such method: {:.100}", head.uri.path()),
            retry_seconds: None,
        });
    };
    match taken(&hub, signal, &head.headers, body).await {
        Ok(rejected) => done(&rejected.encode(Form::Protobuf, signal)),
        Err(status) => failed(&status),
    }
}

/// `application/grpc`, of protobuf: `grpc-web` is framed otherwise.
fn is_grpc(content_type: &[u8]) -> bool {
    let name = content_type.split(|byte| *byte == b';').next();
    let name = name.unwrap_or_default().trim_ascii();
    name == b"application/grpc" || name == b"application/grpc+proto"
}

/// A browser, or OTLP over HTTP at the wrong port.
fn no_grpc(method: &Method) -> Response {
    let words = "this is OTLP over gRPC; over HTTP it is at another port\n";
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = match *method {
        Method::POST => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::NOT_FOUND,
    };
    response
}

fn signal(path: &str) -> Option<Signal> {
    Some(match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Signal::Traces,
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Signal::Logs,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Signal::Metrics,
        _ => return None,
    })
}

async fn taken(
    hub: &Hub,
    signal: Signal,
    headers: &HeaderMap,
    body: Body,
) -> Result<Rejected, Status> {
    let (limits, budget) = (&hub.config.limits, hub.journal.budget());
    let received = receive_framed(body, PREFIX, limits, budget).await;
    let raw = received.map_err(|error| {
        if let BodyError::Overloaded = error {
            hub.counters.of(signal).overloaded.add(1);
        }
        Failure::from(error).status()
    })?;
    let internal = |message: String| Status {
        code: Code::Internal,
        message,
        retry_seconds: None,
    };
    let [compressed, length @ ..] = *raw
        .bytes
        .first_chunk::<PREFIX>()
        .ok_or_else(|| internal("the call has no message".to_owned()))?;
    let length = u32::from_be_bytes(length) as usize;
    if raw.bytes.len() != PREFIX + length {
        let found = raw.bytes.len() - PREFIX;
        return Err(internal(format!(
            "the call's one message should have {length} bytes and has {found}"
        )));
    }
    let encoding = match compressed {
        0 => Encoding::Identity,
        _ => encoding(headers)?,
    };
    let message = PREFIX..PREFIX + length;
    export(hub, signal, Form::Protobuf, raw, message, encoding)
        .await
        .map_err(|failure| failure.status())
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Status> {
    let name = headers
        .get(ENCODING)
        .map(|value| value.to_str().unwrap_or("?"));
    let Some(name) = name else {
        return Err(Status {
            code: Code::Internal,
            message: "the message is compressed, but grpc-encoding does not say how".to_owned(),
            retry_seconds: None,
        });
    };
    Encoding::by_name(name)
        .ok_or_else(|| Failure::Body(BodyError::Encoding(name.chars().take(40).collect())).status())
}

fn done(message: &[u8]) -> Response {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(framed)).with_trailers(std::future::ready(Some(Ok(trailers))));
    response(Body::new(body))
}

/// An answer without a message: all of it in the headers.
fn failed(status: &Status) -> Response {
    let mut response = response(Body::empty());
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(status.code as u16));
    if let Ok(message) = HeaderValue::from_str(&percent(&status.message)) {
        headers.insert(MESSAGE, message);
    }
    let details = base64(&status.encode(Form::Protobuf));
    if status.retry_seconds.is_some()
        && let Ok(details) = HeaderValue::from_str(&details)
    {
        headers.insert(DETAILS, details);
    }
    response
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    headers.insert(ACCEPT_ENCODING, ENCODINGS);
    response
}

/// As gRPC has texts in headers: printable ASCII but `%`, the rest in percent.
fn percent(text: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | ..=0x1f | 0x7f.. => coded.push_str(&format!("%{byte:02X}")),
            _ => coded.push(char::from(byte)),
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grpc_is() {
        for (name, expected) in [
            ("application/grpc", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc+proto", true),
            ("application/grpc+json", false),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn texts_in_headers() {
        assert_eq!(percent("100 % über\n"), "100 %25 %C3%BCber%0A");
    }
}
