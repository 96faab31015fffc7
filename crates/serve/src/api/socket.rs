//! WebSockets, whatever they say: so many places, a client that is heard of now
//! and then, and nobody who is waited for. What is sent is held for no client:
//! one that does not take it is told so and dropped.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::problem::{Kind, Problem};

/// Between two pushes, at least.
pub const SOONEST: Duration = Duration::from_millis(250);
/// Between two pushes, at most, where time alone changes what is pushed.
pub const LATEST: Duration = Duration::from_secs(1);
/// A client that does not take what it is sent within this is dropped.
const PATIENCE: Duration = Duration::from_secs(5);
/// And so long it may take to hear why.
const LAST_WORD: Duration = Duration::from_secs(1);
/// So often a client is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// A client that nothing was heard of for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of a message from a client; a ping takes 15.
const MOST_BYTES: usize = 4096;
/// Messages from a client in a second.
const MOST_MESSAGES: u32 = 20;

/// Room for so many clients.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    most: usize,
}

impl Places {
    /// For `most` clients at once.
    pub fn new(most: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most)),
            most,
        }
    }

    /// Clients there are.
    pub fn taken(&self) -> usize {
        self.most.saturating_sub(self.free.available_permits())
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.free.clone().try_acquire_owned().map_err(|_| {
            let detail = format!(
                "there are {} websockets already, and no more may be",
                self.most
            );
            Problem::new(Kind::Overloaded, detail).retry_after(10)
        })
    }
}

/// What is said to one client.
pub trait Talk: Send + 'static {
    /// Waits for what is to be said next. May be dropped and asked again at any
    /// time, without anything being left out.
    fn next(&mut self) -> impl Future<Output = Result<Utf8Bytes, Problem>> + Send;

    /// What is said to a text of the client's, if anything.
    fn reply(&self, _text: &str) -> Option<Utf8Bytes> {
        None
    }
}

/// Takes a place and begins to talk.
pub fn begin(
    upgrade: WebSocketUpgrade,
    places: &Places,
    stopping: watch::Receiver<bool>,
    talk: impl Talk,
) -> Response {
    let place = match places.take() {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    upgrade
        .max_message_size(MOST_BYTES)
        .max_frame_size(MOST_BYTES)
        .on_upgrade(move |socket| client(socket, stopping, talk, place))
}

/// To who asks for a WebSocket in a wrong way, or not at all.
pub fn no_websocket(rejected: &WebSocketUpgradeRejection) -> Response {
    let detail = format!("this is a websocket: {}", rejected.body_text());
    let mut response = Problem::new(Kind::UpgradeRequired, detail).into_response();
    let websocket = HeaderValue::from_static("websocket");
    response.headers_mut().insert(header::UPGRADE, websocket);
    response
}

/// How it ended.
enum Ended {
    Gone,
    Stopping,
    TooMany,
    TooSlow,
    Failed,
}

/// Serves one client until it or the server leaves.
async fn client(
    mut socket: WebSocket,
    stopping: watch::Receiver<bool>,
    talk: impl Talk,
    _place: OwnedSemaphorePermit,
) {
    let (code, reason) = match converse(&mut socket, stopping, talk).await {
        Ended::Gone => return,
        Ended::Stopping => (close_code::AWAY, "the server is leaving"),
        Ended::TooMany => (close_code::POLICY, "too many messages"),
        Ended::TooSlow => (
            close_code::AGAIN,
            "too slow: what was sent was not taken within 5 s",
        ),
        Ended::Failed => (close_code::ERROR, "the events cannot be read"),
    };
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    let last = socket.send(Message::Close(Some(frame)));
    // Who does not take it will see a broken connection.
    let _ = timeout(LAST_WORD, last).await;
}

async fn converse(
    socket: &mut WebSocket,
    mut stopping: watch::Receiver<bool>,
    mut talk: impl Talk,
) -> Ended {
    let began = Instant::now();
    let (mut heard, mut ping) = (began, began + PING);
    let mut messages = (began, 0);
    loop {
        let sent = tokio::select! {
            () = left(&mut stopping) => return Ended::Stopping,
            message = socket.recv() => {
                heard = Instant::now();
                if messages.0.elapsed() > Duration::from_secs(1) {
                    messages = (heard, 0);
                }
                messages.1 += 1;
                if messages.1 > MOST_MESSAGES {
                    return Ended::TooMany;
                }
                match message {
                    // Pings of the protocol are answered below us; what else a
                    // client says means nothing here.
                    Some(Ok(Message::Text(text))) => match talk.reply(&text) {
                        Some(reply) => send(socket, Message::Text(reply)).await,
                        None => Ok(()),
                    },
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ended::Gone,
                    Some(Ok(_)) => Ok(()),
                }
            }
            () = sleep_until(ping) => {
                if heard.elapsed() > SILENCE {
                    return Ended::Gone;
                }
                ping = Instant::now() + PING;
                send(socket, Message::Ping(Default::default())).await
            }
            text = talk.next() => match text {
                Ok(text) => send(socket, Message::Text(text)).await,
                Err(_) => return Ended::Failed,
            }
        };
        if let Err(ended) = sent {
            return ended;
        }
    }
}

/// Waits until the server leaves.
async fn left(stopping: &mut watch::Receiver<bool>) {
    // An error says that its end is gone, and so the server.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Sends, unless the client does not take it.
async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Ended> {
    match timeout(PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Ended::Gone),
        Err(_) => Err(Ended::TooSlow),
    }
}
