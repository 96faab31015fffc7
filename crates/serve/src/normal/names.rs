//! Names and numbers as they may be stored.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use tachograph_model::{Column, Event, Value};

use super::facts::{Fact, Facts};
use super::tokens::Tokens;

/// The longest name of a tool or model that is kept, bytes.
const MAX_NAME_BYTES: usize = 200;

/// A name as it may be kept: not empty, not long, in one line. Anything else
/// is a text in a name's place.
pub fn plain(name: &str) -> Option<&str> {
    let fits =
        !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control);
    fits.then_some(name)
}

/// A provider by the conventions' name.
pub fn provider(name: &str) -> Option<String> {
    let known = match name {
        "gemini" => "gcp.gemini",
        "vertex_ai" => "gcp.vertex_ai",
        "az.ai.inference" => "azure.ai.inference",
        "az.ai.openai" => "azure.ai.openai",
        "xai" => "x_ai",
        // Vercel's `anthropic.messages`, `openai.chat`.
        _ => match name.split_once('.') {
            Some((vendor @ ("anthropic" | "openai" | "google" | "mistral" | "xai"), _)) => vendor,
            _ => name,
        },
    };
    plain(known).map(str::to_owned)
}

/// Sets the token columns.
pub fn tokens(event: &mut Event, tokens: &Tokens) {
    for (column, count) in [
        (Column::InputTokens, tokens.input),
        (Column::OutputTokens, tokens.output),
        (Column::CacheReadTokens, tokens.cache_read),
        (Column::CacheWriteTokens, tokens.cache_write),
        (Column::ReasoningTokens, tokens.reasoning),
    ] {
        event.set(column, count.map(Value::I64));
    }
}

/// Sets what it cost, where the source says so.
pub fn cost(event: &mut Event, facts: &Facts<'_, '_>) {
    let micros = facts.f64(Fact::CostMicros).map(|micros| micros / 1e6);
    let cost = micros
        .or_else(|| facts.f64(Fact::Cost))
        .filter(|cost| *cost >= 0.0);
    event.set(Column::CostUsd, cost.map(Value::F64));
}

/// An id in hex; none of all zeros.
pub fn hex(id: &[u8]) -> Option<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if id.iter().all(|byte| *byte == 0) {
        return None;
    }
    let mut text = String::with_capacity(id.len() * 2);
    for byte in id {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    Some(text)
}

/// A hash of parts, the same in one build on one machine; not for storage.
pub fn hash_of<T: Hash>(parts: &[T]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(parts)
}
