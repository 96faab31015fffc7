//! What a value is by its shape: a word, an address, an id.

use std::net::{IpAddr, SocketAddr};

/// The longest word that is kept of a tag that nobody knows, in bytes.
const MAX_WORD_BYTES: usize = 64;

/// Whether a text is one short word of letters, digits and `_.:+-`.
pub(super) fn is_plain_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_WORD_BYTES
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '+' | '-'))
}

/// Whether a text is the address of a mailbox, a machine or a network card.
pub(super) fn is_address(text: &str) -> bool {
    is_mail(text) || is_network_address(text)
}

fn is_mail(text: &str) -> bool {
    let Some((who, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let part = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "/\\=:".contains(c))
    };
    part(who) && part(domain)
}

/// Whether a text is the address of a machine, with its port or without, or of a
/// network card.
pub(super) fn is_network_address(text: &str) -> bool {
    // All of them have digits and dots or colons, and none has many letters.
    let may_be = text
        .bytes()
        .all(|b| b.is_ascii_hexdigit() || b".:[]%-".contains(&b))
        && text.contains(['.', ':', '-']);
    may_be
        && (text.parse::<IpAddr>().is_ok()
            || text.parse::<SocketAddr>().is_ok()
            || text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'))
                .is_some_and(|text| text.parse::<IpAddr>().is_ok())
            || is_card(text))
}

fn is_card(text: &str) -> bool {
    let parts = |by: char| {
        let parts = || text.split(by);
        parts().count() == 6 && parts().all(|part| part.len() == 2)
    };
    parts(':') || parts('-')
}

/// Whether a text is long and looks drawn by lot, or is a long number: a UUID, a
/// hash, a key, a phone's number.
pub(super) fn is_random(text: &str) -> bool {
    is_sole_id(text) || has_random_run(text)
}

/// Whether a text is an id as a whole: many hex digits or digits, whatever
/// stands between them.
pub(super) fn is_sole_id(text: &str) -> bool {
    let (mut digits, mut letters) = (0, 0);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'f' | b'A'..=b'F' => letters += 1,
            b'-' | b':' | b'.' | b'_' | b'+' => {}
            _ => return false,
        }
    }
    match letters {
        0 => {
            let whole = !text.contains('.');
            whole && (digits >= 10 || text.starts_with('+') && digits >= 7)
        }
        _ => digits > 0 && digits + letters >= 16,
    }
}

/// Whether letters and digits without a mark between them change too often to be
/// words.
fn has_random_run(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|run| run.len() >= 16)
        .any(|run| {
            let count = |is: fn(&u8) -> bool| run.bytes().filter(is).count();
            let digits = count(u8::is_ascii_digit);
            let capitals = count(u8::is_ascii_uppercase);
            let small = count(u8::is_ascii_lowercase);
            let changes = run
                .as_bytes()
                .windows(2)
                .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
                .count();
            let mixed = capitals > 0 && small > 0;
            let by_lot = run.len() >= 20 && mixed && capitals * 10 >= run.len() * 3;
            digits > 0 && changes >= 4
                || digits > 0 && digits < run.len() && run.len() >= 20
                || by_lot && small * 10 >= run.len() * 3
        })
}
