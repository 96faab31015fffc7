//! What `hyper` answers by itself: to a head that it cannot take, before there is a
//! request that anybody here sees. Its answer has no body, and gets the problem
//! that every other refusal has.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pace::Pace;
use crate::api::headers;
use crate::api::problem::{Kind, Problem};

/// A stream on which such answers say more.
pub(super) struct Worded<S> {
    stream: S,
    pace: Arc<Pace>,
    /// All that was written was sent: what comes next is the head of an answer.
    flushed: bool,
    instead: Option<Instead>,
}

/// What is written in the place of so many bytes.
struct Instead {
    text: Vec<u8>,
    written: usize,
    of: usize,
}

impl<S> Worded<S> {
    pub(super) fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self {
            stream,
            pace,
            flushed: true,
            instead: None,
        }
    }

    fn look(&mut self, bytes: &[u8]) {
        let is_head = self.flushed && !self.pace.is_answering();
        if self.instead.is_none() && is_head {
            self.instead = worded(bytes).map(|text| Instead {
                text,
                written: 0,
                of: bytes.len(),
            });
        }
        self.flushed = false;
    }
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    fn write_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<usize>>> {
        let Some(instead) = &mut self.instead else {
            return Poll::Ready(Ok(None));
        };
        while let rest @ [_, ..] = &instead.text[instead.written..] {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                some => instead.written += some,
            }
        }
        let of = instead.of;
        self.instead = None;
        Poll::Ready(Ok(Some(of)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.look(bytes);
        match ready!(self.write_instead(cx))? {
            Some(of) => Poll::Ready(Ok(of)),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut full = pieces.iter().filter(|piece| !piece.is_empty());
        // Such an answer is a head, and nothing more.
        match (full.next(), full.next()) {
            (Some(only), None) => self.look(only),
            _ => self.flushed = false,
        }
        match ready!(self.write_instead(cx))? {
            Some(of) => Poll::Ready(Ok(of)),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The same answer with a problem in it; `None`: it is another.
fn worded(bytes: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let first = lines.next()?;
    let status = first.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let problem = problem(StatusCode::from_u16(status).ok()?)?;
    let (length, rest): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| line.eq_ignore_ascii_case("content-length: 0"));
    if length.len() != 1 || rest.contains(&"") {
        return None;
    }
    let body = problem.json().to_string();
    let mut text = format!(
        "{first}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n",
        body.len()
    );
    let own = headers::ALWAYS.map(|(name, value)| format!("{name}: {value}"));
    for line in rest.into_iter().chain(own.iter().map(String::as_str)) {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(&body);
    Some(text.into_bytes())
}

fn problem(status: StatusCode) -> Option<Problem> {
    Some(match status {
        StatusCode::URI_TOO_LONG => Problem::new(
            Kind::LongAddress,
            "the address has more than 65534 bytes as it was sent, percent-encoded; ask for less \
             in one, or send it as a body where one is taken",
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Problem::new(
            Kind::LongHead,
            "the head of the request, its address and headers together, is too long or has too \
             many headers; send fewer or shorter ones",
        ),
        StatusCode::BAD_REQUEST => Problem::new(
            Kind::BadHead,
            "what came is no head of an HTTP/1.1 request: its method, address, version or a \
             header cannot be read",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    const OWN: &str = "HTTP/1.1 414 URI Too Long\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    /// What is sent of what is written, piece by piece.
    async fn sent(pieces: &[&str], flush: bool, answering: bool) -> String {
        let pace = Pace::new(Duration::from_secs(10));
        let held = answering.then(|| pace.request(false));
        let mut sent = Vec::new();
        let mut stream = Worded::new(&mut sent, pace);
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await.expect("written");
            if flush {
                stream.flush().await.expect("sent");
            }
        }
        drop((stream, held));
        String::from_utf8(sent).expect("text")
    }

    #[tokio::test]
    async fn an_answer_of_hypers_own_gets_a_problem_and_no_other_does() {
        for (status, kind) in [("414 URI Too Long", "long-address"), ("431 X", "long-head")] {
            let own = OWN.replace("414 URI Too Long", status);
            let told = sent(&[&own], false, false).await;
            let (head, body) = told.split_once("\r\n\r\n").expect("a head");
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{head}"
            );
            assert!(head.contains("\r\nconnection: close"), "{head}");
            assert!(head.contains("application/problem+json"), "{head}");
            let length = format!("content-length: {}\r\n", body.len());
            assert!(head.contains(&length), "{head}");
            assert!(body.contains(&format!("problem:{kind}\"")), "{body}");
        }
        let with_body = OWN.replace("content-length: 0", "content-length: 2") + "{}";
        let other = OWN.replace("414 URI Too Long", "200 OK");
        let two = format!("{OWN}{OWN}");
        for same in [
            &with_body,
            &other,
            &two,
            "",
            "\r\n\r\n",
            "HTTP/1.1 é\r\n\r\n",
        ] {
            assert_eq!(sent(&[same], true, false).await, same);
        }
        // What reads like one, in an answer.
        assert_eq!(sent(&[OWN], true, true).await, OWN);
        let body = ["HTTP/1.1 200 OK\r\n\r\n", OWN];
        assert_eq!(sent(&body, false, false).await, body.concat());
        // The next one on a connection.
        let after = sent(&["HTTP/1.1 200 OK\r\n\r\n", OWN], true, false).await;
        assert!(after.contains("problem:long-address"), "{after}");
    }
}
