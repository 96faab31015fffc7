//! A body that has to come at a pace: who dribbles is not waited for.

use std::error::Error;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes};
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::Sleep;

/// Bytes a second that must come once the first wait is used up.
const MIN_BYTES_PER_SECOND: u64 = 16 << 10;

/// The time that a body was waited for is over.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly: {received} bytes in {waited:?}")]
pub struct TooSlow {
    pub received: u64,
    pub waited: Duration,
}

impl TooSlow {
    /// That an error comes of it, whoever has wrapped it since.
    pub fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut causes = std::iter::successors(Some(error), |&error| error.source());
        causes.find_map(|error| error.downcast_ref())
    }
}

/// A body, and how long it has been waited for. What its reader does in
/// between does not count.
pub struct Paced {
    body: Body,
    /// To wait in all, beside what the bytes that came give.
    patience: Duration,
    received: u64,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Paced {
    /// Wraps a body that must come within `patience`, and a second more for
    /// each 16 KiB. Costs nothing until it has to be waited for.
    pub fn wrap(body: Body, patience: Duration) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self {
            body,
            patience,
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        })
    }

    fn allowed(&self) -> Duration {
        let seconds = self.received as f64 / MIN_BYTES_PER_SECOND as f64;
        self.patience + Duration::from_secs_f64(seconds)
    }
}

/// A body that holds something until it is sent, or given up.
pub struct Holding<T> {
    body: Body,
    _held: T,
}

impl<T: Send + Unpin + 'static> Holding<T> {
    /// Wraps a body.
    pub fn wrap(body: Body, held: T) -> Body {
        match body.is_end_stream() {
            true => body,
            false => Body::new(Self { body, _held: held }),
        }
    }
}

impl<T: Unpin> hyper::body::Body for Holding<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl hyper::body::Body for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = frame {
            if let Some((since, _)) = self.waiting.take() {
                self.waited += since.elapsed();
            }
            if let Some(Ok(frame)) = &frame
                && let Some(data) = frame.data_ref()
            {
                self.received += data.len() as u64;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let left = self.allowed().saturating_sub(self.waited);
        let (since, sleep) = self
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        let since = *since;
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let slow = TooSlow {
            received: self.received,
            waited: self.waited + since.elapsed(),
        };
        // What comes later is not read.
        self.body = Body::empty();
        Poll::Ready(Some(Err(slow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
