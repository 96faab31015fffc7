//! Our own server, asked by our own command line: the one that runs on a home,
//! if one does. Nothing else is connected to.

mod pinned;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

pub use self::pinned::digest_of_pem;
use crate::commands::start::lock;

/// How long it may take to be there, and to say something.
const TO_CONNECT: Duration = Duration::from_millis(300);
const TO_ANSWER: Duration = Duration::from_secs(1);
/// Bytes of an answer.
const MOST_BYTES: u64 = 16 << 20;

/// A server that runs on a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is connected to, from this machine.
    pub address: SocketAddr,
    /// Where its page is, for people; `None`: it shows none.
    pub page: Option<String>,
    /// The digest of its certificate; `None`: it speaks no TLS.
    certificate: Option<String>,
    home: PathBuf,
}

impl Server {
    /// The one that holds the lock of a home and has its door open.
    pub fn of(home: &Path) -> Option<Self> {
        let about = lock::running(home)?;
        let text = |key: &str| about[key].as_str().map(str::to_owned);
        let mut address: SocketAddr = text("dashboard")?.parse().ok()?;
        // One that listens on all addresses listens on this machine's own.
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Some(Self {
            address,
            page: text("page"),
            certificate: text("certificate_sha256"),
            home: home.to_owned(),
        })
    }

    /// Its address, for people: that of its page, if it shows one.
    pub fn url(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        let own = || format!("{scheme}://{}", self.address);
        self.page.clone().unwrap_or_else(own)
    }

    /// What it answers to a GET. The token is that of the settings, else the one
    /// in the home, for whoever may read that.
    ///
    /// # Errors
    /// When it does not within a second, or says no.
    pub fn get(&self, path: &str, token: Option<&str>) -> io::Result<Json> {
        let stream = TcpStream::connect_timeout(&self.address, TO_CONNECT)?;
        stream.set_read_timeout(Some(TO_ANSWER))?;
        stream.set_write_timeout(Some(TO_ANSWER))?;
        let kept = match token {
            Some(_) => String::new(),
            None => std::fs::read_to_string(self.home.join("token")).unwrap_or_default(),
        };
        let token = token.unwrap_or(&kept).trim();
        let token = match token.is_empty() || token.contains(char::is_control) {
            true => String::new(),
            false => format!("authorization: Bearer {token}\r\n"),
        };
        // In HTTP/1.0 an answer ends where the connection does.
        let host = self.address;
        let head = format!("GET {path} HTTP/1.0\r\nhost: {host}\r\n{token}\r\n");
        let answer = match &self.certificate {
            None => ask(stream, &head)?,
            Some(certificate) => ask(pinned::over(stream, certificate)?, &head)?,
        };
        body(&answer)
    }
}

fn ask(mut stream: impl Read + Write, head: &str) -> io::Result<Vec<u8>> {
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    let mut answer = Vec::new();
    match stream.take(MOST_BYTES).read_to_end(&mut answer) {
        // TLS that ends without a word; JSON that is cut short is none.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(answer),
        Err(error) => Err(error),
        Ok(_) => Ok(answer),
    }
}

fn body(answer: &[u8]) -> io::Result<Json> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(head.map_or(answer.len(), |at| at + 4));
    let status = head.get(9..12).unwrap_or_default();
    if !head.starts_with(b"HTTP/1.") || status != b"200" {
        if status == b"401" {
            return Err(io::Error::other(
                "it wants another token than that of the settings or the home (`token`)",
            ));
        }
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
        let held = std::fs::File::open(&path).expect("there");
        held.lock().expect("held");
        let check = |text: &str, wanted: Option<(&str, &str)>| {
            std::fs::write(&path, text).expect("written");
            let found = Server::of(home.path());
            let found = found.map(|server| (server.address.to_string(), server.url()));
            let wanted = wanted.map(|(address, url)| (address.to_owned(), url.to_owned()));
            assert_eq!(found, wanted, "{text}");
        };
        for (address, own) in [
            ("0.0.0.0:8090", "127.0.0.1:8090"),
            ("[::]:8090", "[::1]:8090"),
            ("192.0.2.7:80", "192.0.2.7:80"),
        ] {
            let dashboard = format!(r#""dashboard":"{address}""#);
            check(
                &format!("{{{dashboard}}}"),
                Some((own, &format!("http://{own}"))),
            );
            check(
                &format!(r#"{{{dashboard},"page":null,"certificate_sha256":"ab"}}"#),
                Some((own, &format!("https://{own}"))),
            );
            check(
                &format!(r#"{{{dashboard},"page":"https://box:8090"}}"#),
                Some((own, "https://box:8090")),
            );
        }
        for text in [
            "",
            "{",
            "{}",
            r#"{"dashboard":"here"}"#,
            r#"{"dashboard":null}"#,
        ] {
            check(text, None);
        }
    }
}
