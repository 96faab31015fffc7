//! How a call ended: whether it succeeded, and the class of its error. Messages
//! are looked at for a class and then dropped.

use tachograph_model::privacy::error_class;

use super::facts::{Fact, Facts};
use crate::wire::view::{Any, SpanEvent, Status};

/// The longest class that is taken out of a message, bytes.
const MAX_CLASS_BYTES: usize = 64;

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub success: bool,
    /// The class, when it failed.
    pub error_type: Option<String>,
}

impl Outcome {
    /// The same, of what failed for certain.
    pub fn failed(self) -> Self {
        Self {
            success: false,
            error_type: self.error_type.or_else(|| Some("error".to_owned())),
        }
    }

    /// Reads it off a span or, without status and events, off a log record.
    pub fn of(
        facts: &Facts<'_, '_>,
        status: Status,
        message: &str,
        events: &[SpanEvent<'_>],
    ) -> Self {
        let http = facts.count(Fact::StatusCode).filter(|code| *code >= 400);
        let failed = status == Status::Error
            || facts.str(Fact::ErrorType).is_some()
            || facts.bool(Fact::Success) == Some(false)
            || http.is_some();
        if !failed {
            return Self {
                success: true,
                error_type: None,
            };
        }
        let class = facts
            .str(Fact::ErrorType)
            .and_then(error_class)
            .map(str::to_owned)
            .or_else(|| exception(events))
            .or_else(|| http.map(|code| format!("http_{code}")))
            .or_else(|| leading_class(message))
            .unwrap_or_else(|| "error".to_owned());
        Self {
            success: false,
            error_type: Some(class),
        }
    }
}

/// The class of the last exception event: the last segment of its path.
fn exception(events: &[SpanEvent<'_>]) -> Option<String> {
    events
        .iter()
        .rev()
        .filter(|event| event.name == "exception")
        .flat_map(|event| &event.attrs)
        .find_map(|(key, value)| match value {
            Any::Str(text) if key == "exception.type" => {
                let last = text.rsplit(['.', ':', '/']).next().unwrap_or(text);
                error_class(last).map(str::to_owned)
            }
            _ => None,
        })
}

/// `RateLimitError: …` → `RateLimitError` (OpenInference puts it there only). A
/// message of one word is a message nevertheless, and `Error code: …` names no
/// class.
fn leading_class(message: &str) -> Option<String> {
    let path = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'.';
    let end = message.bytes().position(|byte| !path(byte));
    let class = message[..end.unwrap_or(message.len())].rsplit('.').next()?;
    let named = class
        .strip_suffix("Error")
        .or_else(|| class.strip_suffix("Exception"));
    let fits = named.is_some_and(|kind| !kind.is_empty()) && class.len() <= MAX_CLASS_BYTES;
    fits.then(|| class.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        attrs: &[(&str, Any<'_>)],
        status: Status,
        message: &str,
        exception: Option<&'static str>,
        expected: Option<&str>,
    ) {
        let events: Vec<SpanEvent<'_>> = exception
            .into_iter()
            .map(|class| SpanEvent {
                name: "exception".into(),
                time: 0,
                attrs: vec![
                    ("exception.message".into(), Any::Str("secret".into())),
                    ("exception.type".into(), Any::Str(class.into())),
                ],
            })
            .collect();
        let found = Outcome::of(&Facts::of(attrs), status, message, &events);
        assert_eq!(found.success, expected.is_none(), "{attrs:?} {message}");
        assert_eq!(found.error_type.as_deref(), expected, "{attrs:?} {message}");
    }

    #[test]
    fn a_failure_has_a_class_and_no_message() {
        let text = |text: &'static str| Any::Str(text.into());
        check(&[], Status::Unset, "", None, None);
        check(&[], Status::Ok, "", None, None);
        check(&[("success", text("true"))], Status::Unset, "", None, None);
        check(
            &[("success", text("false"))],
            Status::Unset,
            "",
            None,
            Some("error"),
        );
        check(
            &[("success", Any::Bool(false))],
            Status::Unset,
            "",
            None,
            Some("error"),
        );
        check(
            &[("error.type", text("tool_error"))],
            Status::Unset,
            "",
            None,
            Some("tool_error"),
        );
        check(
            &[("status_code", Any::Int(429))],
            Status::Unset,
            "",
            None,
            Some("http_429"),
        );
        check(
            &[("status_code", text("503"))],
            Status::Unset,
            "",
            None,
            Some("http_503"),
        );
        check(
            &[("status_code", Any::Int(200))],
            Status::Unset,
            "",
            None,
            None,
        );
        check(
            &[],
            Status::Error,
            "boom at /home/alice",
            None,
            Some("error"),
        );
        check(
            &[],
            Status::Error,
            "RateLimitError: key sk-123",
            None,
            Some("RateLimitError"),
        );
        check(
            &[],
            Status::Error,
            "",
            Some("openai.error.APIConnectionError"),
            Some("APIConnectionError"),
        );
        // A message in the place of a class is none.
        check(
            &[("error.type", text("no such file: /home/alice"))],
            Status::Unset,
            "",
            None,
            Some("error"),
        );
        // Past exceptions of a call that ended well are not failures.
        check(&[], Status::Ok, "", Some("TimeoutError"), None);
    }
}
