//! The token: who does not have it is not let in, and who guesses has to wait.
//! One wrong token over and over is no guessing: an exporter that has an old one
//! must not keep out all others on its machine.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{Method, header};
use subtle::ConstantTimeEq;

/// Wrong tokens of one peer within [`WINDOW`], each other than the last few
/// before it, after which it waits.
const MOST_WRONG: u32 = 20;
/// The last few.
const REMEMBERED: usize = 4;
const WINDOW: Duration = Duration::from_secs(60);
/// Peers that are remembered.
const MOST_PEERS: usize = 1024;

/// The token that is asked for.
pub struct Token {
    text: String,
    wrong: Mutex<HashMap<IpAddr, Wrong>>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    since: Instant,
    count: u32,
    /// Hashes of the last ones.
    last: [u64; REMEMBERED],
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    Missing,
    Wrong,
    /// Too many wrong ones came from there: another has to wait, and from other
    /// machines even a right one.
    Waits,
}

impl Token {
    pub fn new(text: String) -> Self {
        Self {
            text,
            wrong: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Checks a request: `Authorization: Bearer …`, or where `in_query` allows
    /// it, for a page's address and WebSockets, which can send no header,
    /// `?token=…`.
    pub fn check(&self, head: &Parts, peer: IpAddr, in_query: bool, now: Instant) -> Checked {
        let header = head.headers.get(header::AUTHORIZATION);
        let sent = header.map(|value| bearer(value.as_bytes())).or_else(|| {
            (in_query && head.method == Method::GET)
                .then(|| query(head.uri.query()?))
                .flatten()
        });
        let Some(sent) = sent else {
            return Checked::Missing;
        };
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|_, wrong| now.duration_since(wrong.since) < WINDOW);
        let waits = wrong
            .get(&peer)
            .is_some_and(|wrong| wrong.count >= MOST_WRONG);
        // Those of loopback cannot be told apart, and behind a proxy everybody is
        // one of them: who has the token is not to wait for who has not.
        if waits && !peer.is_loopback() {
            return Checked::Waits;
        }
        // The same time for every token of the right length, however much of
        // it is right.
        if bool::from(sent.ct_eq(self.text.as_bytes())) {
            return Checked::Right;
        }
        if waits {
            return Checked::Waits;
        }
        // So many peers at once are an attack; it is not to take memory too.
        if wrong.len() < MOST_PEERS || wrong.contains_key(&peer) {
            let first = Wrong {
                since: now,
                count: 0,
                last: [0; REMEMBERED],
            };
            let of_peer = wrong.entry(peer).or_insert(first);
            let sent = self.hasher.hash_one(sent);
            if !of_peer.last.contains(&sent) {
                of_peer.last[of_peer.count as usize % REMEMBERED] = sent;
                of_peer.count += 1;
            }
        }
        Checked::Wrong
    }
}

/// What follows `Bearer`; the header as it is when nothing like it stands there.
fn bearer(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => value,
    }
}

fn query(query: &str) -> Option<&[u8]> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(name, _)| *name == "token")
        .map(|(_, token)| token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const TOKEN: &str = "0123456789abcdef";
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn check(target: &str, header: Option<&str>, in_query: bool) -> Checked {
        let mut request = Request::builder().uri(target);
        if let Some(value) = header {
            request = request.header("authorization", value);
        }
        let head = request.body(()).expect("a request").into_parts().0;
        Token::new(TOKEN.to_owned()).check(&head, PEER, in_query, Instant::now())
    }

    #[test]
    fn a_token_is_right_wrong_or_missing() {
        use Checked::{Missing, Right, Wrong};
        for (header, checked) in [
            (Some("Bearer 0123456789abcdef"), Right),
            (Some("bearer  0123456789abcdef "), Right),
            (Some("Bearer 0123456789abcdeF"), Wrong),
            (Some("Bearer 0123456789abcde"), Wrong),
            (Some("Bearer 0123456789abcdef0"), Wrong),
            (Some("Bearer "), Wrong),
            (Some("Basic 0123456789abcdef"), Wrong),
            (None, Missing),
        ] {
            assert_eq!(check("/", header, true), checked, "{header:?}");
        }
        assert_eq!(check("/ws?a=b&token=0123456789abcdef", None, true), Right);
        assert_eq!(
            check("/ws?a=b&token=0123456789abcdef", None, false),
            Missing
        );
        assert_eq!(check("/ws?token=x", None, true), Wrong);
        // The header counts where there is one.
        assert_eq!(
            check("/ws?token=0123456789abcdef", Some("Bearer x"), true),
            Wrong
        );
    }

    #[test]
    fn who_guesses_waits_a_minute() {
        let token = Token::new(TOKEN.to_owned());
        let sent = |text: &str| {
            let request = Request::builder().header("authorization", format!("Bearer {text}"));
            request.body(()).expect("a request").into_parts().0
        };
        let now = Instant::now();
        // Some programs that have an old one.
        for at in 0..1000 {
            let old = format!("old {}", at % REMEMBERED);
            assert_eq!(token.check(&sent(&old), PEER, false, now), Checked::Wrong);
        }
        assert_eq!(token.check(&sent(TOKEN), PEER, false, now), Checked::Right);
        for at in REMEMBERED..MOST_WRONG as usize {
            let guess = format!("guess {at}");
            assert_eq!(token.check(&sent(&guess), PEER, false, now), Checked::Wrong);
        }
        assert_eq!(token.check(&sent(TOKEN), PEER, false, now), Checked::Waits);
        let other = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        assert_eq!(token.check(&sent(TOKEN), other, false, now), Checked::Right);
        for at in 0..MOST_WRONG {
            let guess = format!("guess {at}");
            token.check(&sent(&guess), other, false, now);
        }
        assert_eq!(token.check(&sent("x"), other, false, now), Checked::Waits);
        assert_eq!(token.check(&sent(TOKEN), other, false, now), Checked::Right);
        let later = now + WINDOW;
        assert_eq!(
            token.check(&sent(TOKEN), PEER, false, later),
            Checked::Right
        );
    }
}
