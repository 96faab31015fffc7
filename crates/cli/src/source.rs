//! Our own server, asked by our own command line: the one that runs on a home,
//! if one does. Nothing else is connected to.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

/// How long it may take to be there, and to say something.
const TO_CONNECT: Duration = Duration::from_millis(300);
const TO_ANSWER: Duration = Duration::from_secs(1);
/// Bytes of an answer.
const MOST_BYTES: u64 = 16 << 20;

/// A server that runs on a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub address: SocketAddr,
    home: PathBuf,
}

impl Server {
    /// The one that holds the lock of a home and has its door open.
    pub fn of(home: &Path) -> Option<Self> {
        let file = File::open(home.join("server.lock")).ok()?;
        // What nobody holds was left by one that is gone.
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let mut text = String::new();
        (&file).take(64 << 10).read_to_string(&mut text).ok()?;
        let about: Json = serde_json::from_str(&text).ok()?;
        let mut address: SocketAddr = about["dashboard"].as_str()?.parse().ok()?;
        // One that listens on all addresses listens on this machine's own.
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        Some(Self {
            address,
            home: home.to_owned(),
        })
    }

    /// What it answers to a GET.
    ///
    /// # Errors
    /// When it does not within a second, or says no.
    pub fn get(&self, path: &str) -> io::Result<Json> {
        let mut stream = TcpStream::connect_timeout(&self.address, TO_CONNECT)?;
        stream.set_read_timeout(Some(TO_ANSWER))?;
        stream.set_write_timeout(Some(TO_ANSWER))?;
        // The token lies in the home, for whoever may read that.
        let token = std::fs::read_to_string(self.home.join("token")).unwrap_or_default();
        let token = token.trim();
        let token = match token.is_empty() || token.contains(char::is_control) {
            true => String::new(),
            false => format!("authorization: Bearer {token}\r\n"),
        };
        // In HTTP/1.0 an answer ends where the connection does.
        let host = self.address;
        let head = format!("GET {path} HTTP/1.0\r\nhost: {host}\r\n{token}\r\n");
        stream.write_all(head.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(MOST_BYTES).read_to_end(&mut answer)?;
        body(&answer)
    }
}

fn body(answer: &[u8]) -> io::Result<Json> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(head.map_or(answer.len(), |at| at + 4));
    let status = head.get(9..12).unwrap_or_default();
    if !head.starts_with(b"HTTP/1.") || status != b"200" {
        let status = String::from_utf8_lossy(status);
        return Err(io::Error::other(format!("it answers {status:?}")));
    }
    Ok(serde_json::from_slice(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_body_or_an_error() {
        let check = |answer: &str, wanted: Option<Json>| {
            assert_eq!(body(answer.as_bytes()).ok(), wanted, "{answer:?}");
        };
        check(
            "HTTP/1.0 200 OK\r\na: b\r\n\r\n{\"a\":1}",
            Some(serde_json::json!({"a": 1})),
        );
        check("HTTP/1.1 200 OK\r\n\r\n[]", Some(serde_json::json!([])));
        check("HTTP/1.0 401 No\r\n\r\n{}", None);
        check("HTTP/1.0 200 OK\r\n\r\n{\"a\":", None);
        check("HTTP/1.0 200 OK\r\n", None);
        check("SSH-2.0-200\r\n\r\n{}", None);
        check("", None);
    }

    #[test]
    fn a_lock_that_nobody_holds_is_no_server() {
        let home = tempfile::tempdir().expect("a folder");
        assert_eq!(Server::of(home.path()), None);
        let path = home.path().join("server.lock");
        std::fs::write(&path, r#"{"dashboard":"0.0.0.0:8090"}"#).expect("written");
        assert_eq!(Server::of(home.path()), None);
        let held = File::open(&path).expect("there");
        held.lock().expect("held");
        let address = Server::of(home.path()).map(|server| server.address.to_string());
        assert_eq!(address.as_deref(), Some("127.0.0.1:8090"));
        for text in ["", "{", "{}", r#"{"dashboard":"here"}"#] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(Server::of(home.path()), None, "{text}");
        }
    }
}
