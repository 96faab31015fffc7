//! A request's body: received within the common budget (its pace is the
//! guard's care), and decompressed up to the limit, never further.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Deref;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

use super::budget::{Budget, Hold};
use super::journal::Refused;
use crate::config::Limits;
use crate::guard::body::TooSlow;

/// A body that takes longer to read than one of this size, bytes, is worked on
/// beside the threads that answer.
const LARGE_BYTES: usize = 1 << 20;
/// Large bodies that are worked on at once.
static LARGE: Semaphore = Semaphore::const_new(2);
/// The largest window of zstd: 2 to the power of this.
const ZSTD_WINDOW_LOG: u32 = 24;
/// How many bytes a byte of snappy's block format may stand for.
const SNAPPY_RATIO: usize = 22;
/// What is decompressed at once at first, bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
    /// zlib's format, as HTTP has it.
    Deflate,
    Zstd,
}

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the limit, decompressed or not.
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    /// It is compressed in a way that is not known here.
    #[error("content-encoding `{0}` is not known here; known are gzip, deflate, zstd and identity")]
    Encoding(String),
    /// It is not what its encoding says.
    #[error("the body is no {encoding}: {source}")]
    Damaged {
        encoding: &'static str,
        source: io::Error,
    },
    /// The client broke off.
    #[error("the body ends early: {0}")]
    Cut(#[source] axum::Error),
    /// It did not come in time; the guard says so.
    #[error("{0}")]
    Slow(String),
    /// There is no memory for it now.
    #[error("{}", Refused::Overloaded)]
    Overloaded,
}

impl BodyError {
    /// The status that tells the client.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Damaged { .. } | Self::Cut(_) => StatusCode::BAD_REQUEST,
            Self::Slow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl Encoding {
    /// Reads `Content-Encoding`.
    ///
    /// # Errors
    /// [`BodyError::Encoding`] for one that is not known here.
    pub fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else {
            return Ok(Self::Identity);
        };
        let name = value.to_str().unwrap_or("?").trim();
        Self::by_name(name).ok_or_else(|| BodyError::Encoding(name.chars().take(40).collect()))
    }

    /// By its name in HTTP and gRPC.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }
}

/// A body as it came.
#[derive(Debug)]
pub struct Raw {
    pub bytes: Bytes,
    limit: usize,
    hold: Hold,
}

/// A body to read; its memory is held until it is dropped.
#[derive(Debug)]
pub struct Whole<'a> {
    bytes: Cow<'a, [u8]>,
}

impl Deref for Whole<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Receives a body. Of one that is too long, or has no room, the rest is read
/// and dropped (up to a bound), because most clients hear an answer only when
/// they have sent all.
///
/// # Errors
/// [`BodyError`].
pub async fn receive(body: Body, limits: &Limits, budget: &Budget) -> Result<Raw, BodyError> {
    receive_framed(body, 0, limits, budget).await
}

/// As [`receive`], of a body that has `framing` bytes beside what is limited.
///
/// # Errors
/// As [`receive`].
pub async fn receive_framed(
    mut body: Body,
    framing: usize,
    limits: &Limits,
    budget: &Budget,
) -> Result<Raw, BodyError> {
    let limit = limits.body_bytes;
    let most = limit.saturating_add(framing);
    let mut hold = budget.take(0).ok_or(BodyError::Overloaded)?;
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken_off)?.into_data() else {
            continue;
        };
        let len = first.len() + all.len() + data.len();
        let refused = if len > most {
            Some(BodyError::TooLarge(limit))
        } else if !hold.grow_to(len) {
            Some(BodyError::Overloaded)
        } else {
            None
        };
        if let Some(refused) = refused {
            drop((first, all, hold));
            pass_over(body, limit).await;
            return Err(refused);
        }
        // A body of one piece needs no copy.
        if len == data.len() {
            first = data;
            continue;
        }
        if !first.is_empty() {
            let expected = usize::try_from(hyper::body::Body::size_hint(&body).lower());
            all.reserve(len + expected.unwrap_or(0).min(most - len));
            all.extend_from_slice(&first);
            first = Bytes::new();
        }
        all.extend_from_slice(&data);
    }
    let bytes = if all.is_empty() { first } else { all.freeze() };
    Ok(Raw { bytes, limit, hold })
}

/// Slow or gone: why no more comes.
fn broken_off(error: axum::Error) -> BodyError {
    if let Some(slow) = TooSlow::below(&error) {
        return BodyError::Slow(slow.to_string());
    }
    BodyError::Cut(error)
}

async fn pass_over(mut body: Body, limit: usize) {
    let mut left = limit.saturating_mul(4);
    while let Some(Ok(frame)) = body.frame().await {
        let len = frame.data_ref().map_or(0, Bytes::len);
        left = left.saturating_sub(len);
        if left == 0 {
            return;
        }
    }
}

impl Raw {
    /// Decompresses it, or what of it `part` is. Takes processor time: see
    /// [`work`].
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] as soon as the limit is passed,
    /// [`BodyError::Damaged`], [`BodyError::Overloaded`].
    pub fn open<'a>(
        &'a mut self,
        part: std::ops::Range<usize>,
        encoding: Encoding,
    ) -> Result<Whole<'a>, BodyError> {
        let Self { bytes, limit, hold } = self;
        let held = bytes.len();
        let bytes = bytes.get(part).unwrap_or_default();
        let damaged = |encoding| move |source| BodyError::Damaged { encoding, source };
        let mut room = Room {
            limit: *limit,
            held,
            hold,
        };
        let bytes = match encoding {
            Encoding::Identity => {
                return Ok(Whole {
                    bytes: bytes.into(),
                });
            }
            // Nothing is nothing, however it is compressed.
            _ if bytes.is_empty() => {
                return Ok(Whole {
                    bytes: bytes.into(),
                });
            }
            Encoding::Gzip => room.inflate("gzip", flate2::bufread::MultiGzDecoder::new(bytes)),
            Encoding::Deflate => room.inflate("deflate", flate2::bufread::ZlibDecoder::new(bytes)),
            Encoding::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(bytes).map_err(damaged("zstd"))?;
                decoder
                    .window_log_max(ZSTD_WINDOW_LOG)
                    .map_err(damaged("zstd"))?;
                room.inflate("zstd", decoder)
            }
        };
        bytes.map(|bytes| Whole {
            bytes: bytes.into(),
        })
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_all(&mut self, encoding: Encoding) -> Result<Whole<'_>, BodyError> {
        self.open(0..self.bytes.len(), encoding)
    }

    /// Decompresses all of it from snappy's block format, which says first how
    /// long it will be.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_snappy(&mut self) -> Result<Whole<'_>, BodyError> {
        let Self { bytes, limit, hold } = self;
        let damaged = |source: snap::Error| BodyError::Damaged {
            encoding: "snappy block",
            source: io::Error::other(source),
        };
        if bytes.is_empty() {
            return Ok(Whole { bytes: b"".into() });
        }
        let len = snap::raw::decompress_len(bytes).map_err(damaged)?;
        // Three bytes make 64 at most: what says more is a lie, for which
        // nobody needs memory.
        let most = bytes.len().saturating_mul(SNAPPY_RATIO);
        if len > *limit && len <= most {
            return Err(BodyError::TooLarge(*limit));
        }
        if len > most {
            return Err(BodyError::Damaged {
                encoding: "snappy block",
                source: io::Error::other(format!("it says that it holds {len} bytes")),
            });
        }
        if !hold.grow_to(bytes.len() + len) {
            return Err(BodyError::Overloaded);
        }
        let mut open = vec![0; len];
        let read = snap::raw::Decoder::new().decompress(bytes, &mut open);
        open.truncate(read.map_err(damaged)?);
        Ok(Whole { bytes: open.into() })
    }
}

/// Where decompressed bytes go.
struct Room<'h> {
    limit: usize,
    held: usize,
    hold: &'h mut Hold,
}

impl Room<'_> {
    fn inflate(&mut self, encoding: &'static str, from: impl Read) -> Result<Vec<u8>, BodyError> {
        // One byte more tells what is too long from what just fits.
        let mut from = from.take(self.limit as u64 + 1);
        let mut bytes = Vec::new();
        let mut chunk = CHUNK_BYTES;
        loop {
            if !self.hold.grow_to(self.held + bytes.len() + chunk) {
                return Err(BodyError::Overloaded);
            }
            bytes.reserve(chunk);
            let read = from.by_ref().take(chunk as u64).read_to_end(&mut bytes);
            let read = read.map_err(|source| BodyError::Damaged { encoding, source })?;
            if bytes.len() > self.limit {
                return Err(BodyError::TooLarge(self.limit));
            }
            if read < chunk {
                return Ok(bytes);
            }
            chunk = bytes.len();
        }
    }
}

/// Does what takes a while for large bodies: at once for those of few `bytes`,
/// for large ones two at a time and beside the threads that answer.
pub async fn work<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes < LARGE_BYTES {
        return work();
    }
    // It is never closed.
    let _permit = LARGE.acquire().await;
    tokio::task::block_in_place(work)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Write;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use hyper::body::Frame;

    use super::*;
    use crate::counters::Counters;
    use crate::guard::body::Paced;

    fn compress(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match encoding {
            Encoding::Identity => bytes.to_vec(),
            Encoding::Gzip => {
                let mut to = flate2::write::GzEncoder::new(Vec::new(), level);
                to.write_all(bytes).expect("written");
                to.finish().expect("finished")
            }
            Encoding::Deflate => {
                let mut to = flate2::write::ZlibEncoder::new(Vec::new(), level);
                to.write_all(bytes).expect("written");
                to.finish().expect("finished")
            }
            Encoding::Zstd => zstd::encode_all(bytes, 3).expect("compressed"),
        }
    }

    const ALL: [Encoding; 4] = [
        Encoding::Identity,
        Encoding::Gzip,
        Encoding::Deflate,
        Encoding::Zstd,
    ];

    fn limits(body_bytes: usize) -> Limits {
        Limits {
            body_bytes,
            ..Limits::default()
        }
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    /// What becomes of a body; the budget is whole again afterwards.
    fn read(
        encoding: Encoding,
        body: Body,
        limit: usize,
        budget: usize,
    ) -> Result<Vec<u8>, String> {
        let counters = Arc::new(Counters::default());
        let budget = Budget::new(counters.clone(), budget);
        let read = wait(receive(body, &limits(limit), &budget))
            .and_then(|mut raw| raw.open_all(encoding).map(|whole| whole.to_vec()))
            .map_err(|error| format!("{} {error}", error.status().as_u16()));
        assert_eq!(counters.queued_bytes.load(Ordering::Relaxed), 0);
        read
    }

    fn pieces(bytes: &[u8], size: usize) -> Body {
        let pieces = bytes.chunks(size).map(Bytes::copy_from_slice);
        Body::new(Pieces(Some(pieces.collect())))
    }

    /// A body in pieces; with `None` a client that sends nothing.
    struct Pieces(Option<VecDeque<Bytes>>);

    impl hyper::body::Body for Pieces {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
            match &mut self.0 {
                Some(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
                None => Poll::Pending,
            }
        }
    }

    #[test]
    fn every_encoding_in_one_piece_and_in_many() {
        let text = b"tachograph ".repeat(20_000);
        for encoding in ALL {
            let body = compress(encoding, &text);
            for size in [1000, usize::MAX] {
                let found = read(encoding, pieces(&body, size), text.len(), 1 << 20);
                assert_eq!(found.as_deref(), Ok(&text[..]), "{encoding:?} {size}");
            }
            let found = read(encoding, Body::empty(), 10, 100);
            assert_eq!(found, Ok(Vec::new()), "{encoding:?}");
        }
    }

    #[test]
    fn the_limit_is_that_of_what_comes_out() {
        let text = vec![b'x'; 1001];
        for encoding in ALL {
            let found = read(
                encoding,
                pieces(&compress(encoding, &text), 100),
                1000,
                1 << 20,
            );
            assert_eq!(
                found,
                Err("413 the body is longer than 1000 bytes".to_owned())
            );
        }
    }

    #[test]
    fn a_bomb_costs_no_more_than_the_limit() {
        let bomb = compress(Encoding::Gzip, &vec![0; 16 << 20]);
        let counters = Arc::new(Counters::default());
        let budget = Budget::new(counters.clone(), 64 << 20);
        let mut raw = wait(receive(Body::from(bomb), &limits(1 << 20), &budget)).expect("small");
        let error = raw.open_all(Encoding::Gzip).expect_err("too large");
        assert!(matches!(error, BodyError::TooLarge(_)), "{error}");
        let held = counters.queued_bytes.load(Ordering::Relaxed);
        assert!(held < 3 << 20, "{held}");
    }

    #[test]
    fn what_is_damaged_or_has_no_room_or_comes_too_late_is_said() {
        let check = |encoding, body, budget, expected: &str| {
            let found = read(encoding, body, 1 << 20, budget).expect_err("an error");
            assert!(found.starts_with(expected), "{found} for {expected}");
        };
        for encoding in [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd] {
            check(
                encoding,
                Body::from("no such thing"),
                1 << 20,
                "400 the body is no ",
            );
            let mut cut = compress(encoding, &b"tachograph ".repeat(100));
            cut.truncate(cut.len() / 2);
            check(encoding, Body::from(cut), 1 << 20, "400 the body is no ");
        }
        check(
            Encoding::Identity,
            Paced::wrap(Body::new(Pieces(None)), Duration::from_millis(20)),
            100,
            "408 the body came too slowly: 0 bytes in ",
        );
    }

    #[test]
    fn what_others_hold_is_not_taken() {
        let counters = Arc::new(Counters::default());
        let budget = Budget::new(counters.clone(), 200_000);
        let held = budget.take(99_000);
        let large = compress(Encoding::Gzip, &vec![b'x'; 1 << 19]);
        let mut raw = wait(receive(Body::from(large), &limits(1 << 20), &budget)).expect("small");
        let whole = raw
            .open_all(Encoding::Gzip)
            .expect("half of it may be one's");
        assert_eq!(whole.len(), 1 << 19);
        drop((held, raw));
        let held = [budget.take(99_000), budget.take(99_000)];
        let error = wait(receive(
            Body::from(vec![0; 3000]),
            &limits(1 << 20),
            &budget,
        ));
        assert!(matches!(error, Err(BodyError::Overloaded)));
        drop(held);
        assert_eq!(counters.queued_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn names_of_encodings() {
        let check = |name: &str, expected: Option<Encoding>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, name.parse().expect("a value"));
            let found = Encoding::of(&headers);
            match expected {
                Some(encoding) => assert_eq!(found.expect(name), encoding),
                None => assert_eq!(found.expect_err(name).status().as_u16(), 415),
            }
        };
        check("", Some(Encoding::Identity));
        check("GZIP", Some(Encoding::Gzip));
        check("zstd", Some(Encoding::Zstd));
        check("br", None);
        check("gzip, gzip", None);
    }
}
