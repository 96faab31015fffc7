//! Privacy: keyed hashes, and the rules for what may be stored.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

mod name;
mod tag;
mod value;
mod words;

pub use name::{MAX_KEPT_NAME_BYTES, is_name, is_unit, is_word_id, model_name, told_from_other};
pub use tag::{MAX_TAG_KEY_BYTES, TagKind, is_plain_mark, tag};

/// The installation's secret, which makes its hashes its own: 32 random bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Takes 32 bytes that must come from the operating system's generator.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for keeping them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the keyed hash of an identifier: the first 16 hex digits (64
    /// bits) of HMAC-SHA256. Equal identifiers of one installation get equal
    /// hashes; without the salt nobody can try names against them.
    ///
    /// Costs about 0.5 µs; do it once per name.
    pub fn hash(&self, identifier: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("a key of any length is taken"));
        mac.update(identifier.as_bytes());
        hex(&mac.finalize().into_bytes()[..8])
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// The longest class of an error, in bytes.
const MAX_ERROR_CLASS_BYTES: usize = 100;

/// Returns the class of an error that a text tells: the text itself if it is
/// one word of letters, digits and `_.:-`; else the word it begins with, if
/// that ends in `Error` or `Exception` (`KeyError: 'alice'`); `None` for a
/// message, of which nothing may be kept.
pub fn error_class(text: &str) -> Option<&str> {
    let is_class = |word: &str| {
        !word.is_empty()
            && word.len() <= MAX_ERROR_CLASS_BYTES
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
    };
    if is_class(text) {
        return Some(text);
    }
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b"_.".contains(&byte)))?;
    let word = &text[..end];
    let says_so = word.ends_with("Error") || word.ends_with("Exception");
    (says_so && is_class(word)).then_some(word)
}

/// Returns the hash that the first seed stores for an agent: the first 8 hex
/// digits of the plain SHA-256. Only to recognise agents in its logs: anyone
/// who has the list of names can undo it.
pub fn legacy_agent_hash(agent_id: &str) -> String {
    hex(&Sha256::digest(agent_id.as_bytes())[..4])
}

/// Tells whether a text has the form of what [`Salt::hash`] returns: 16 hex
/// digits, letters small. Any other is an identity still to be hashed, however
/// many hex digits it is made of.
pub fn is_keyed_hash(text: &str) -> bool {
    is_hex(text, 16)
}

/// Tells whether a text has the form of what [`legacy_agent_hash`] returns: 8
/// hex digits, letters small.
pub fn is_legacy_agent_hash(text: &str) -> bool {
    is_hex(text, 8)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Tells whether a number or flag of this name may be kept as metadata of an
/// `agent_usage` or `error` event: an allow-list (the second seed's), because a
/// key that a program makes up may itself say what nobody asked to be kept.
pub fn is_plain_metadata(key: &str) -> bool {
    const PLAIN: &[&str] = &[
        "duration_ms",
        "success",
        "retry_count",
        "cache_hit",
        "result_count",
        "status_code",
    ];
    PLAIN.contains(&key)
}

/// Returns the full SHA-256 of `bytes` in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_hashes_are_the_seed_s() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/data/agent_id_hash.json")).expect("JSON");
        let pairs = vectors.as_object().expect("an object");
        assert!(!pairs.is_empty());
        for (agent, hash) in pairs {
            assert_eq!(legacy_agent_hash(agent), hash.as_str().expect("text"));
        }
    }

    #[test]
    fn only_what_could_be_our_hash_looks_like_one() {
        let ours = Salt::new([1; 32]).hash("alice");
        assert!(is_keyed_hash(&ours) && !is_legacy_agent_hash(&ours));
        assert!(is_legacy_agent_hash(&legacy_agent_hash("alice")));
        let upper = ours.to_uppercase();
        let long = sha256_hex(b"alice");
        for other in [
            "",
            "alice",
            "deadbeef",
            &ours[1..],
            &upper,
            &long,
            "0123456789abcdeg",
        ] {
            assert!(!is_keyed_hash(other), "{other}");
        }
        assert!(!is_legacy_agent_hash("DEADBEEF"));
    }

    #[test]
    fn a_class_is_a_word_and_a_message_is_none() {
        let check = |text: &str, class: Option<&str>| {
            assert_eq!(error_class(text), class, "{text}");
        };
        check("TimeoutError", Some("TimeoutError"));
        check("std::io::ErrorKind", Some("std::io::ErrorKind"));
        check("http_429", Some("http_429"));
        check("KeyError: 'alice'", Some("KeyError"));
        check(
            "openai.RateLimitError (key sk-1)",
            Some("openai.RateLimitError"),
        );
        check("could not open /home/alice", None);
        check("/home/alice", None);
        check("alice@example.org", None);
        check("", None);
        check("Ünerwartet", None);
        check(&"x".repeat(101), None);
    }

    #[test]
    fn a_hash_depends_on_the_salt_and_shows_neither() {
        let (a, b) = (Salt::new([1; 32]), Salt::new([2; 32]));
        assert_eq!(a.hash("alice"), a.hash("alice"));
        assert_ne!(a.hash("alice"), b.hash("alice"));
        assert_ne!(a.hash("alice"), a.hash("bob"));
        assert_eq!(a.hash("alice").len(), 16);
        assert_eq!(format!("{a:?}"), "Salt(..)");
    }
}
