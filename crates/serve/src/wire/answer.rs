//! What is answered to OTLP requests, in protobuf and in JSON: empty when all
//! went well, how many records were rejected, or `google.rpc.Status`.
//!
//! Sources: `opentelemetry/proto/collector/*/v1/*_service.proto`,
//! `google/rpc/{status,error_details}.proto`.

use serde_json::json;

use crate::counters::Signal;

/// How messages are written: by the request's `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Protobuf,
    Json,
}

impl Form {
    /// Reads the value of `Content-Type`, whatever its parameters.
    pub fn of(content_type: &str) -> Option<Self> {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("application/x-protobuf")
            || name.eq_ignore_ascii_case("application/protobuf")
        {
            return Some(Self::Protobuf);
        }
        name.eq_ignore_ascii_case("application/json")
            .then_some(Self::Json)
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// The codes of `google.rpc.Code` that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// Why a request failed, and whether to try again.
#[derive(Clone, Debug)]
pub struct Status {
    pub code: Code,
    pub message: String,
    /// After how many seconds it may go well.
    pub retry_seconds: Option<u8>,
}

impl Status {
    /// As a `google.rpc.Status`.
    pub fn encode(&self, form: Form) -> Vec<u8> {
        if form == Form::Json {
            let json = json!({"code": self.code as u8, "message": self.message});
            return json.to_string().into_bytes();
        }
        let mut status = vec![0x08, self.code as u8];
        push_bytes(&mut status, 2, self.message.as_bytes());
        if let Some(seconds) = self.retry_seconds {
            // `RetryInfo`: retry_delay 1 = `Duration`: seconds 1.
            let info = [0x0a, 2, 0x08, seconds & 0x7f];
            let mut any = Vec::new();
            push_bytes(&mut any, 1, b"type.googleapis.com/google.rpc.RetryInfo");
            push_bytes(&mut any, 2, &info);
            push_bytes(&mut status, 3, &any);
        }
        status
    }
}

/// Records of a request that were wrong in themselves; the others are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    pub count: u64,
    /// Why, with counts.
    pub message: String,
}

impl Rejected {
    /// The `Export…ServiceResponse`: empty unless something was rejected.
    pub fn encode(&self, form: Form, signal: Signal) -> Vec<u8> {
        match (form, self.count) {
            (Form::Protobuf, 0) => Vec::new(),
            (Form::Json, 0) => b"{}".to_vec(),
            (Form::Protobuf, count) => {
                let mut partial = vec![0x08];
                push_varint(&mut partial, count);
                push_bytes(&mut partial, 2, self.message.as_bytes());
                let mut response = Vec::new();
                push_bytes(&mut response, 1, &partial);
                response
            }
            (Form::Json, count) => {
                let counted = match signal {
                    Signal::Logs => "rejectedLogRecords",
                    Signal::Metrics => "rejectedDataPoints",
                    _ => "rejectedSpans",
                };
                // 64-bit numbers are text in protobuf's JSON.
                let partial = json!({counted: count.to_string(), "errorMessage": self.message});
                json!({ "partialSuccess": partial })
                    .to_string()
                    .into_bytes()
            }
        }
    }
}

fn push_bytes(to: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    to.push(number << 3 | 2);
    push_varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

fn push_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Base64 without padding, as gRPC has binary metadata.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..=group.len() {
            let six = bits >> (18 - 6 * digit) & 0x3f;
            text.push(char::from(DIGITS[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::protobuf::{Message, Wire};

    fn fields(bytes: &[u8]) -> Vec<(u32, Wire<'_>)> {
        let mut message = Message::new(bytes);
        std::iter::from_fn(|| message.next_field().expect("a message")).collect()
    }

    #[test]
    fn a_status_in_both_forms() {
        let status = Status {
            code: Code::Unavailable,
            message: "x".repeat(200),
            retry_seconds: Some(5),
        };
        let bytes = status.encode(Form::Protobuf);
        let fields = fields(&bytes);
        assert_eq!(fields[0], (1, Wire::Varint(14)));
        assert_eq!(fields[1], (2, Wire::Bytes("x".repeat(200).as_bytes())));
        let any = fields[2].1.bytes(3).expect("bytes");
        assert!(any.ends_with(&[0x12, 4, 0x0a, 2, 0x08, 5]), "{any:?}");
        let json: serde_json::Value =
            serde_json::from_slice(&status.encode(Form::Json)).expect("JSON");
        assert_eq!(json["code"], 14);
    }

    #[test]
    fn what_was_rejected_in_both_forms() {
        let none = Rejected::default();
        assert_eq!(none.encode(Form::Protobuf, Signal::Traces), b"");
        assert_eq!(none.encode(Form::Json, Signal::Traces), b"{}");
        let some = Rejected {
            count: 300,
            message: "no id".to_owned(),
        };
        assert_eq!(
            some.encode(Form::Protobuf, Signal::Logs),
            b"\x0a\x0a\x08\xac\x02\x12\x05no id"
        );
        let check = |signal, json: &str| {
            let found = some.encode(Form::Json, signal);
            assert_eq!(String::from_utf8(found).expect("UTF-8"), json);
        };
        check(
            Signal::Traces,
            r#"{"partialSuccess":{"rejectedSpans":"300","errorMessage":"no id"}}"#,
        );
        check(
            Signal::Metrics,
            r#"{"partialSuccess":{"rejectedDataPoints":"300","errorMessage":"no id"}}"#,
        );
    }

    #[test]
    fn content_types() {
        let check = |name, form| assert_eq!(Form::of(name), form, "{name}");
        check("application/json", Some(Form::Json));
        check("Application/JSON; charset=utf-8", Some(Form::Json));
        check("application/x-protobuf", Some(Form::Protobuf));
        check("text/plain", None);
        check("", None);
    }

    #[test]
    fn base64_of_every_length() {
        // RFC 4648, section 10.
        for (text, coded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }
}
