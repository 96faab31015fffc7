//! OTLP over gRPC, as tonic's client speaks it.

use std::sync::atomic::Ordering;

use bytes::{Buf, BufMut, Bytes};
use http_body_util::BodyExt;
use tachograph_serve::Config;
use tachograph_serve::config::Limits;
use tachograph_serve::counters::Signal;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

use crate::common::{Door, config, post};
use crate::otlp::{calls, ids};

const PROTOBUF: &[u8] = include_bytes!("data/openinference.pb");
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Messages as they are.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Calls a method with a message.
fn export(
    door: &Door,
    method: &'static str,
    encoding: Option<CompressionEncoding>,
    body: &[u8],
) -> Result<Bytes, Status> {
    let address = door.addresses().otlp_grpc.expect("this door is open");
    let body = Bytes::copy_from_slice(body);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async move {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"));
        let channel = endpoint.expect("a URI").connect().await.expect("connected");
        let mut client = tonic::client::Grpc::new(channel);
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding);
        }
        client.ready().await.expect("ready");
        let path = tonic::codegen::http::uri::PathAndQuery::from_static(method);
        let response = client.unary(Request::new(body), path, Raw).await?;
        Ok(response.into_inner())
    })
}

#[test]
fn every_signal_and_encoding_is_taken_and_retries_count_once() {
    use CompressionEncoding::{Gzip, Zstd};
    let door = Door::open();
    for encoding in [None, Some(Gzip), Some(Zstd)] {
        let answer = export(&door, TRACES, encoding, PROTOBUF).expect("stored");
        assert_eq!(answer, Bytes::new(), "{encoding:?}");
        assert_eq!(door.stored().len(), 20, "{encoding:?}");
    }
    for method in [TRACES, LOGS, METRICS] {
        assert_eq!(
            export(&door, method, None, b"").expect("nothing is fine"),
            Bytes::new()
        );
    }
    let of = door.running().hub().counters.of(Signal::Traces);
    assert_eq!(
        (of.stored.get(), of.duplicates.get(), of.requests.get()),
        (20, 40, 4)
    );
}

#[test]
fn a_span_over_two_protocols_counts_once() {
    let door = Door::open();
    let json = [("content-type", "application/json")];
    let protobuf = [("content-type", "application/x-protobuf")];
    let http = door.addresses().otlp_http;
    export(&door, TRACES, None, PROTOBUF).expect("stored");
    assert_eq!(post(http, "/v1/traces", &protobuf, PROTOBUF).status, 200);
    let same = include_bytes!("data/openinference.json");
    assert_eq!(post(http, "/v1/traces", &json, same).status, 200);
    assert_eq!(door.stored().len(), 20);
    assert_eq!(post(http, "/v1/traces", &json, &calls([1])).status, 200);
    assert_eq!(door.stored()[20]["span_id"], ids(1).1);
}

#[test]
fn what_cannot_be_taken_has_its_code() {
    let limits = Limits {
        body_bytes: 1 << 20,
        ..Limits::default()
    };
    let door = Door::with(Config { limits, ..config() });
    let check = |method, encoding, body: &[u8], code: Code, says: &str| {
        let status = export(&door, method, encoding, body).expect_err("refused");
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(says), "{status:?}");
    };
    let bomb = vec![0; 8 << 20];
    let gzip = Some(CompressionEncoding::Gzip);
    let too_large = "longer than 1048576 bytes";
    check(TRACES, gzip, &bomb, Code::ResourceExhausted, too_large);
    check(
        TRACES,
        Some(CompressionEncoding::Zstd),
        &bomb,
        Code::ResourceExhausted,
        too_large,
    );
    check(
        TRACES,
        None,
        &bomb[..(1 << 20) + 1],
        Code::ResourceExhausted,
        "longer than",
    );
    check(
        TRACES,
        None,
        &PROTOBUF[..PROTOBUF.len() - 1],
        Code::InvalidArgument,
        "ends within",
    );
    check(
        "/grpc.health.v1.Health/Check",
        None,
        b"",
        Code::Unimplemented,
        "Health/Check",
    );
    check(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
        None,
        b"",
        Code::Unimplemented,
        "Import",
    );
    assert!(door.stored().is_empty());
    // As long as it may be.
    let mut fits = PROTOBUF.to_vec();
    let pad = (1 << 20) - PROTOBUF.len() - 4;
    fits.extend([
        0x7a,
        0x80 | (pad & 0x7f) as u8,
        0x80 | (pad >> 7 & 0x7f) as u8,
        (pad >> 14) as u8,
    ]);
    fits.resize(1 << 20, 0);
    export(&door, TRACES, gzip, &fits).expect("stored");
    assert_eq!(door.stored().len(), 20);
    let counters = &door.running().hub().counters;
    assert_eq!(counters.queued_bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn some_rejected_are_said_and_the_others_stored() {
    let door = Door::open();
    // The first trace id of the body, made zeros.
    let at = PROTOBUF
        .windows(2)
        .position(|bytes| bytes == [0x0a, 16])
        .expect("a trace id");
    let mut body = PROTOBUF.to_vec();
    body[at + 2..at + 18].fill(0);
    let answer = export(&door, TRACES, None, &body).expect("partly");
    assert_eq!(answer[..1], [0x0a], "partial_success");
    assert_eq!(answer[2..4], [0x08, 1], "rejected_spans");
    assert!(String::from_utf8_lossy(&answer).contains("1: the trace id"));
    assert_eq!(door.stored().len(), 19);
}

#[test]
fn overload_is_unavailable_and_says_when_to_come_again() {
    let limits = Limits {
        queued_bytes: 0,
        ..Limits::default()
    };
    let door = Door::with(Config { limits, ..config() });
    // A budget of nothing still lets in what is nothing.
    assert!(export(&door, TRACES, None, b"").is_ok());
    door.running()
        .hub()
        .counters
        .queued_bytes
        .store(1, Ordering::Relaxed);
    let status = export(&door, TRACES, None, PROTOBUF).expect_err("refused");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    let details = String::from_utf8_lossy(status.details()).into_owned();
    assert!(details.contains("google.rpc.RetryInfo"), "{details}");
    assert!(door.stored().is_empty());
}

/// Frames that no client of good faith sends.
#[test]
fn broken_frames_are_said() {
    let door = Door::open();
    let address = door.addresses().otlp_grpc.expect("open");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let check = |headers: &[(&str, &str)], body: &'static [u8], expected: &str| {
        let mut request = hyper::Request::post(format!("http://{address}{TRACES}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let message = http_body_util::Full::new(Bytes::from_static(body));
        let request = request.body(message).expect("a request");
        let found = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address)
                .await
                .expect("connected");
            let io = hyper_util::rt::TokioIo::new(stream);
            let executor = hyper_util::rt::TokioExecutor::new();
            let (mut send, connection) = hyper::client::conn::http2::handshake(executor, io)
                .await
                .expect("HTTP/2");
            tokio::spawn(connection);
            let response = send.send_request(request).await.expect("an answer");
            let status = response.headers().get("grpc-status").cloned();
            let code = response.status().as_u16();
            let trailers = response.into_body().collect().await.expect("a body");
            let status = status.or_else(|| trailers.trailers()?.get("grpc-status").cloned());
            let status = status.map(|value| value.to_str().expect("text").to_owned());
            format!("{code} {}", status.unwrap_or_default())
        });
        assert_eq!(found, expected, "{headers:?} {body:?}");
    };
    let grpc = ("content-type", "application/grpc+proto");
    check(&[grpc], b"\0\0\0\0\0", "200 0");
    check(&[grpc], b"", "200 13");
    check(&[grpc], b"\0\0\0\0", "200 13");
    check(&[grpc], b"\0\0\0\0\x09abc", "200 13");
    check(&[grpc], b"\0\0\0\0\x01abc", "200 13");
    check(&[grpc], b"\x01\0\0\0\x03abc", "200 13");
    check(
        &[grpc, ("grpc-encoding", "snappy")],
        b"\x01\0\0\0\x03abc",
        "200 12",
    );
    check(
        &[grpc, ("grpc-encoding", "gzip")],
        b"\x01\0\0\0\x03abc",
        "200 3",
    );
    check(&[("content-type", "application/json")], b"{}", "415 ");
}
