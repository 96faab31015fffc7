//! OTLP over HTTP (4318): `POST /v1/{traces,logs,metrics}`, protobuf or JSON.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;

use super::body::{BodyError, Encoding, receive};
use super::journal::Refused;
use super::otlp::{Failure, export};
use crate::counters::Signal;
use crate::hub::Hub;
use crate::wire::answer::{Code, Form, Rejected, Status};

/// The routes.
pub fn router(hub: &Arc<Hub>) -> Router {
    let door = |signal| {
        post(
            move |State(hub): State<Arc<Hub>>, headers: HeaderMap, body: Body| async move {
                answer(&hub, signal, &headers, body).await
            },
        )
    };
    Router::new()
        .route("/v1/traces", door(Signal::Traces))
        .route("/v1/logs", door(Signal::Logs))
        .route("/v1/metrics", door(Signal::Metrics))
        .with_state(hub.clone())
}

async fn answer(hub: &Hub, signal: Signal, headers: &HeaderMap, body: Body) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.map_or("", |value| value.to_str().unwrap_or("?"));
    let Some(form) = Form::of(content_type) else {
        let status = Status {
            code: Code::InvalidArgument,
            message: format!(
                "content-type `{:.60}` is not known here; known are application/x-protobuf and application/json",
                content_type.escape_debug().to_string()
            ),
            retry_seconds: None,
        };
        return reply(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Form::Json,
            status.encode(Form::Json),
        );
    };
    match taken(hub, signal, form, headers, body).await {
        Ok(rejected) => reply(StatusCode::OK, form, rejected.encode(form, signal)),
        Err(failure) => failed(form, &failure),
    }
}

async fn taken(
    hub: &Hub,
    signal: Signal,
    form: Form,
    headers: &HeaderMap,
    body: Body,
) -> Result<Rejected, Failure> {
    let encoding = Encoding::of(headers)?;
    let received = receive(body, &hub.config.limits, hub.journal.budget()).await;
    let raw = received.inspect_err(|error| {
        if let BodyError::Overloaded = error {
            hub.counters.of(signal).overloaded.add(1);
        }
    })?;
    let all = 0..raw.bytes.len();
    export(hub, signal, form, raw, all, encoding).await
}

fn failed(form: Form, failure: &Failure) -> Response {
    let code = match failure {
        Failure::Body(error) => error.status(),
        Failure::Bad(_) => StatusCode::BAD_REQUEST,
        Failure::TooMany(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::Refused(Refused::Overloaded) => StatusCode::TOO_MANY_REQUESTS,
        Failure::Refused(Refused::Disk(_) | Refused::Stopping) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let status = failure.status();
    let mut response = reply(code, form, status.encode(form));
    if let Some(seconds) = status.retry_seconds {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
    }
    response
}

fn reply(code: StatusCode, form: Form, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code;
    let content_type = HeaderValue::from_static(form.content_type());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
