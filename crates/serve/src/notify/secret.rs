//! What is never shown, and how it is kept out of what others say.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tachograph_model::render::width::clean;

/// In the place of a secret.
const HIDDEN: &str = "(hidden)";
/// Characters of what somebody else says.
const MOST: usize = 240;
/// A shorter part of an address is no secret: `api`, `v1`.
const LEAST_PART: usize = 6;

/// A password, a token, an address with a token in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For whoever sends it to where it belongs.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// The secrets of a channel, to be hidden where a server, a library or a
/// command repeats them.
#[derive(Clone, Default)]
pub(super) struct Veil(Vec<String>);

impl Veil {
    /// Also over a password or a token.
    pub(super) fn over(mut self, secret: &Secret) -> Self {
        let text = secret.reveal();
        self.0
            .extend([text.to_owned(), STANDARD.encode(text), escaped(text)]);
        self.ordered()
    }

    /// Also over name and password, as a mail server is told of them.
    pub(super) fn over_login(self, user: &str, password: &Secret) -> Self {
        let both = format!("\0{user}\0{}", password.reveal());
        let mut veil = self.over(password);
        veil.0.push(STANDARD.encode(both));
        veil.ordered()
    }

    /// Also over all of an address but its host.
    pub(super) fn over_address(mut self, address: &Secret) -> Self {
        let text = address.reveal();
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let parts = path.split(['/', '?', '&', '=']).chain(user.split(':'));
        let long = parts.filter(|part| part.len() >= LEAST_PART);
        self.0.extend(long.flat_map(|part| {
            let decoded = decoded(part);
            [part.to_owned(), decoded, STANDARD.encode(part)]
        }));
        self.0.extend([text.to_owned(), user.to_owned()]);
        self.0
            .extend((path.len() >= LEAST_PART).then(|| path.to_owned()));
        self.ordered()
    }

    /// The longest first, so that none is left over of another.
    fn ordered(mut self) -> Self {
        self.0.retain(|text| !text.is_empty());
        self.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
        self.0.dedup();
        self
    }

    /// What somebody else says, on one line, short and without secrets.
    pub(super) fn cover(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let line: Vec<&str> = text.split_whitespace().collect();
        let line = clean(&line.join(" "));
        match line.char_indices().nth(MOST) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

/// As Rust's `Debug` and JSON show it.
fn escaped(text: &str) -> String {
    text.escape_default().to_string()
}

/// `%41` as `A`, as a server shows a path.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter22")), "(hidden)");
    }

    #[test]
    fn what_repeats_a_secret_is_covered() {
        let address =
            Secret::new("https://me:pass%41word@example.com/services/T0/B0secret?k=abcdefg");
        let veil = Veil::default()
            .over_address(&address)
            .over_login("user", &Secret::new("hunter\n\"22"));
        let check = |text: &str, covered: &str| assert_eq!(veil.cover(text), covered, "{text}");
        check("all is well", "all is well");
        check(address.reveal(), "(hidden)");
        check("example.com says no", "example.com says no");
        check("POST /services/T0/B0secret?k=abcdefg", "POST (hidden)");
        check("no B0secret here", "no (hidden) here");
        check("abcdefg and passAword", "(hidden) and (hidden)");
        check("wrong: hunter\n\"22!", "wrong: (hidden)!");
        check("wrong: hunter\\n\\\"22!", "wrong: (hidden)!");
        check(
            &format!("535 {}", STANDARD.encode("\0user\0hunter\n\"22")),
            "535 (hidden)",
        );
        check(
            &format!("535 {}", STANDARD.encode("hunter\n\"22")),
            "535 (hidden)",
        );
        check("a\u{1b}[31m\r\nb", "a\\u{1b}[31m b");
        let long = veil.cover(&"é".repeat(10_000));
        assert_eq!(long.chars().count(), MOST + 1);
        // Not cut through the middle of one.
        let at_the_end = format!("{}B0secret", "x".repeat(MOST - 3));
        assert!(!veil.cover(&at_the_end).contains("B0"));
    }
}
