//! Names and numbers as they may be stored.

use std::borrow::Cow;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use tachograph_model::privacy::model_name;
use tachograph_model::{Column, Event, Value};

use super::candidate::Side;
use super::facts::{Fact, Facts};
use super::tokens::Tokens;
use crate::wire::view::SpanKind;

/// The longest name of a tool or model that is kept, bytes.
const MAX_NAME_BYTES: usize = 200;

/// What can be a name at all: not empty, not long, in one line. What is a text in
/// a name's place none the less becomes a hash in [`Identities::settle`].
///
/// [`Identities::settle`]: super::identity::Identities::settle
pub fn plain(name: &str) -> Option<&str> {
    let fits =
        !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control);
    fits.then_some(name)
}

/// A model's name as it may be kept: of a path the last part.
pub fn model(name: &str) -> Option<&str> {
    plain(model_name(name))
}

/// The provider by the conventions' name: old names by their new ones, known ones
/// in small letters (OpenLLMetry wrote `OpenAI`), any other as it came.
pub fn provider<'v>(facts: &Facts<'v, '_>) -> Option<&'v str> {
    const NAMES: &[(&str, &str)] = &[
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("gemini", "gcp.gemini"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("az.ai.inference", "azure.ai.inference"),
        ("az.ai.openai", "azure.ai.openai"),
        ("xai", "x_ai"),
        ("aws.bedrock", "aws.bedrock"),
        ("azure.ai.inference", "azure.ai.inference"),
        ("azure.ai.openai", "azure.ai.openai"),
        ("cohere", "cohere"),
        ("deepseek", "deepseek"),
        ("gcp.gemini", "gcp.gemini"),
        ("gcp.gen_ai", "gcp.gen_ai"),
        ("gcp.vertex_ai", "gcp.vertex_ai"),
        ("groq", "groq"),
        ("ibm.watsonx.ai", "ibm.watsonx.ai"),
        ("mistral_ai", "mistral_ai"),
        ("moonshot_ai", "moonshot_ai"),
        ("perplexity", "perplexity"),
        ("x_ai", "x_ai"),
        // OpenInference, OpenLLMetry.
        ("mistralai", "mistral_ai"),
        ("vertexai", "gcp.vertex_ai"),
        ("watsonx", "ibm.watsonx.ai"),
        // Vercel.
        ("mistral", "mistral_ai"),
        ("amazon-bedrock", "aws.bedrock"),
        ("azure-openai", "azure.ai.openai"),
        ("google.generative-ai", "gcp.gemini"),
        ("google.vertex", "gcp.vertex_ai"),
        // Claude Code.
        ("firstParty", "anthropic"),
        ("bedrock", "aws.bedrock"),
        ("vertex", "gcp.vertex_ai"),
    ];
    let known = |name: &str| {
        let known = NAMES.iter().find(|(old, _)| old.eq_ignore_ascii_case(name));
        known.map(|(_, new)| *new)
    };
    let told = facts.str(Fact::Provider);
    let name = told.or_else(|| facts.str(Fact::AiProvider))?;
    // Vercel's `anthropic.messages`, `openai.chat`, which it calls `gen_ai.system`
    // as well: the vendor, and which of its APIs.
    let mut vendor = name;
    loop {
        if let Some(known) = known(vendor) {
            return Some(known);
        }
        match vendor.rsplit_once('.') {
            Some((shorter, _)) => vendor = shorter,
            None => break,
        }
    }
    let is_vercel = facts.str(Fact::AiProvider) == Some(name);
    plain(if is_vercel { vendor } else { name })
}

/// The tool's name.
pub fn tool<'v>(facts: &Facts<'v, '_>) -> Option<&'v str> {
    let entity = || {
        facts
            .str(Fact::EntityName)
            .filter(|_| facts.str(Fact::TraceloopKind) == Some("tool"))
    };
    facts.str(Fact::Tool).or_else(entity).and_then(plain)
}

/// The agent that did it, where that is said.
pub fn agent<'v>(facts: &Facts<'v, '_>) -> Option<&'v str> {
    let entity = || {
        facts
            .str(Fact::EntityName)
            .filter(|_| facts.str(Fact::TraceloopKind) == Some("agent"))
    };
    facts
        .str(Fact::Agent)
        .or_else(entity)
        .or_else(|| facts.str(Fact::GraphNode))
}

/// The id of a model's response. OpenInference has no attribute for it, but
/// shows the response as it came, whose first member is the id; without it a
/// stream of Anthropic's, whose own span lies in another trace, would count twice.
pub fn response<'v>(facts: &Facts<'v, '_>) -> Option<u64> {
    let shown = || {
        let rest = facts.str(Fact::OutputValue)?.strip_prefix("{\"id\":")?;
        let (id, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(id)
    };
    let id = facts.str(Fact::ResponseId).or_else(shown)?;
    Some(hash_of(&[id]))
}

/// The session, by whatever it is known.
pub fn session<'v>(facts: &Facts<'v, '_>) -> Option<Cow<'v, str>> {
    facts
        .id(Fact::Session)
        .or_else(|| facts.id(Fact::McpSession))
}

/// The id of a tool's call. MCP numbers its requests within a session: that and
/// the tool are what client and server both know, whatever session of its own the
/// client's program is in.
pub fn call(facts: &Facts<'_, '_>) -> Option<u64> {
    if let Some(id) = facts.id(Fact::CallId) {
        let session = session(facts).unwrap_or_default();
        return Some(hash_of(&[&*session, &*id]));
    }
    facts.str(Fact::McpMethod)?;
    let request = facts.id(Fact::JsonRpcId)?;
    let session = facts.id(Fact::McpSession).or_else(|| session(facts))?;
    let tool = tool(facts).unwrap_or_default();
    Some(hash_of(&[&*session, &*request, tool]))
}

/// The id of an MCP tool's call where no session is told, as over a pipe: the
/// request's number and the tool, which are another call's as well. What makes
/// them one is that a client and a server tell of them at one time.
pub fn pair(facts: &Facts<'_, '_>, kind: SpanKind) -> Option<(u64, Side)> {
    let side = match kind {
        SpanKind::Client => Side::Client,
        SpanKind::Server => Side::Server,
        _ => return None,
    };
    facts.str(Fact::McpMethod)?;
    let (request, tool) = (facts.id(Fact::JsonRpcId)?, tool(facts)?);
    Some((hash_of(&["mcp", &*request, tool]), side))
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
    let mut digits = Vec::with_capacity(id.len() * 2);
    for byte in id {
        digits.push(DIGITS[usize::from(byte >> 4)]);
        digits.push(DIGITS[usize::from(byte & 15)]);
    }
    String::from_utf8(digits).ok()
}

/// The id that so many hex digits stand for, letters of any case; none of all
/// zeros, and none of any other text.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    let mut id = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    (id != [0; N]).then_some(id)
}

/// A hash of parts that stands for them: what has the same one is taken for the
/// same. So it is SipHash and not the quicker [`super::mix`], which gave two in a
/// quarter of a million counted-up ids one hash. The same in one build; not for
/// storage.
pub fn hash_of<T: Hash>(parts: &[T]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::mix::MixSet;
    use crate::wire::view::Any;

    #[test]
    fn ids_that_are_counted_up_have_hashes_of_their_own() {
        let mut hashes = MixSet::default();
        for spans_in_trace in [1, 3, 8, 10] {
            for number in 0..300_000_u64 {
                let trace = u128::from(number / spans_in_trace + 1).to_be_bytes();
                let span = (number + 1).to_be_bytes();
                hashes.insert(hash_of(&[(trace, span)]));
            }
            assert_eq!(hashes.len(), 300_000, "{spans_in_trace} spans in a trace");
            hashes.clear();
        }
    }

    #[test]
    fn of_a_path_the_last_part_is_the_model() {
        let check = |name: &str, expected| assert_eq!(model(name), expected, "{name}");
        for name in [
            "gpt-5",
            "openai/gpt-oss-20b",
            "models/gemini-2.5-flash",
            "a:b/c",
        ] {
            check(name, Some(name));
        }
        for path in [
            "/home/alice/models/m.gguf",
            "~/m.gguf",
            "./models/m.gguf/",
            "C:\\Users\\alice\\m.gguf",
            "C:/Users/alice/m.gguf",
            "file:///home/alice/m.gguf",
        ] {
            check(path, Some("m.gguf"));
        }
        check("/", None);
        check("", None);
        check("two\nlines", None);
    }

    #[test]
    fn a_provider_has_one_name() {
        let check = |attrs: &[(&str, &'static str)], expected| {
            let attrs: Vec<_> = attrs
                .iter()
                .map(|(key, text)| (*key, Any::Str((*text).into())))
                .collect();
            assert_eq!(provider(&Facts::of(&attrs)), Some(expected), "{attrs:?}");
        };
        let vercel = |name| [("gen_ai.system", name), ("ai.model.provider", name)];
        check(&vercel("openai.responses"), "openai");
        check(&vercel("anthropic.messages"), "anthropic");
        check(&vercel("google.generative-ai"), "gcp.gemini");
        check(&vercel("google.vertex.chat"), "gcp.vertex_ai");
        check(&vercel("amazon-bedrock"), "aws.bedrock");
        check(&vercel("my-own.chat"), "my-own");
        check(&[("gen_ai.system", "my.own")], "my.own");
        check(&[("gen_ai.system", "azure.ai.openai")], "azure.ai.openai");
        check(&[("llm.provider", "mistralai")], "mistral_ai");
        check(&[("anthropic.provider", "firstParty")], "anthropic");
    }
}
