//! Members that an event's kind does not know: which were seen, and what may
//! have been meant.

use crate::kind::{Field, Kind};
use crate::near::near;

/// How many are remembered.
pub const MAX_UNKNOWN_FIELDS: usize = 20;
/// A longer key is shown shortened.
const SHOWN_CHARS: usize = 64;
/// How often it is looked for what was meant: it takes some microseconds.
const MOST_LOOKS: usize = 10_000;

/// A member that its event's kind does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// The kind.
    pub event_type: &'static str,
    /// The member's key, shortened.
    pub field: String,
    /// The field that may have been meant.
    pub did_you_mean: Option<&'static str>,
}

/// What others call a field of ours.
const ALIASES: &[(&str, &[&str])] = &[
    ("tool", &["name", "tool_name", "function", "function_name"]),
    ("model", &["name", "model_name", "model_id"]),
    ("cache", &["name", "cache_name"]),
    ("name", &["metric", "metric_name", "span_name"]),
    (
        "duration_ms",
        &[
            "duration",
            "latency",
            "latency_ms",
            "elapsed",
            "elapsed_ms",
            "time_ms",
            "ms",
        ],
    ),
    ("success", &["ok", "succeeded", "successful"]),
    ("error_type", &["error", "exception", "error_class"]),
    ("session_id", &["session", "conversation_id"]),
    ("agent", &["agent_name", "agent_id"]),
    ("input_tokens", &["prompt_tokens", "tokens_in"]),
    ("output_tokens", &["completion_tokens", "tokens_out"]),
    ("cost_usd", &["cost"]),
    ("tags", &["labels", "attributes"]),
    ("timestamp", &["time", "ts", "@timestamp"]),
];

/// The field of a kind that may have been meant by a key it does not know.
fn meant(kind: &'static Kind, key: &str) -> Option<&'static str> {
    let known = || {
        let fields = kind.fields.iter().map(|field: &Field| field.key);
        fields.chain(["timestamp", "event_type"])
    };
    let key = key.to_lowercase();
    let alias = ALIASES
        .iter()
        .filter(|(_, aliases)| aliases.contains(&&*key))
        .find_map(|(field, _)| known().find(|known| known == field));
    // Of two letters anything is near.
    alias.or_else(|| near(&key, known()).filter(|_| key.len() > 2))
}

/// The members that were seen, the first of them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) fields: Vec<UnknownField>,
    /// How often it was looked for what may have been meant.
    looked: usize,
}

impl Seen {
    /// Remembers a member of a line, and tells what may have been meant.
    pub(super) fn see(&mut self, kind: &'static Kind, key: &str) -> Option<&'static str> {
        let shown = key.char_indices().nth(SHOWN_CHARS);
        let shown = shown.map_or(key, |(end, _)| &key[..end]);
        let cut = shown.len() < key.len();
        let same = |seen: &&UnknownField| {
            let field = match cut {
                true => seen.field.strip_suffix('…'),
                false => Some(&*seen.field),
            };
            seen.event_type == kind.name && field == Some(shown)
        };
        if let Some(seen) = self.fields.iter().find(same) {
            return seen.did_you_mean;
        }
        // A hostile body may hold millions.
        if cut || self.looked >= MOST_LOOKS {
            return self.remember(kind, shown, cut, None);
        }
        self.looked += 1;
        self.remember(kind, shown, cut, meant(kind, key))
    }

    fn remember(
        &mut self,
        kind: &'static Kind,
        shown: &str,
        cut: bool,
        did_you_mean: Option<&'static str>,
    ) -> Option<&'static str> {
        if self.fields.len() < MAX_UNKNOWN_FIELDS {
            let end = if cut { "…" } else { "" };
            self.fields.push(UnknownField {
                event_type: kind.name,
                field: format!("{shown}{end}"),
                did_you_mean,
            });
        }
        did_you_mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_meant_is_told() {
        let check = |kind: &str, key: &str, expected: Option<&str>| {
            let kind = Kind::by_name(kind).expect("a kind");
            assert_eq!(meant(kind, key), expected, "{key}");
        };
        check("tool_call", "tol", Some("tool"));
        check("tool_call", "Tool", Some("tool"));
        check("tool_call", "name", Some("tool"));
        check("tool_call", "duration", Some("duration_ms"));
        check("tool_call", "sucess", Some("success"));
        check("tool_call", "traceId", Some("trace_id"));
        check("tool_call", "time", Some("timestamp"));
        check("llm_call", "prompt_tokens", Some("input_tokens"));
        check("llm_call", "name", Some("model"));
        check("metric", "labels", Some("tags"));
        check("tool_call", "arguments", None);
        check("tool_call", "x", None);
        check("tool_call", "", None);
        check("tool_call", &"t".repeat(5000), None);
    }

    #[test]
    fn a_member_is_remembered_once_and_shown_short() {
        let kind = Kind::by_name("tool_call").expect("a kind");
        let mut seen = Seen::default();
        let long = "é".repeat(70);
        for _ in 0..2 {
            assert_eq!(seen.see(kind, "tol"), Some("tool"));
            assert_eq!(seen.see(kind, &long), None);
        }
        let shown: Vec<_> = seen.fields.iter().map(|seen| seen.field.clone()).collect();
        assert_eq!(shown, ["tol".to_owned(), "é".repeat(64) + "…"]);
    }
}
