//! `WS /ws`: what is going on, pushed once a second and, when something came,
//! up to four times. Every client gets the same text, made once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tachograph_model::UnixNanos;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::shape;
use crate::api::Api;
use crate::api::problem::{Kind, Problem};
use crate::live::Family;

/// Between two pushes, at least.
const SOONEST: Duration = Duration::from_millis(250);
/// Between two pushes, at most.
const LATEST: Duration = Duration::from_secs(1);
/// The window that is pushed.
const WINDOW: Duration = Duration::from_secs(60);
/// A client that does not take what it is sent within this is dropped.
const PATIENCE: Duration = Duration::from_secs(5);
/// So often a client is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// A client that nothing was heard of for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of a message from a client; a ping takes 15.
const MOST_BYTES: usize = 4096;
/// Messages from a client in a second.
const MOST_MESSAGES: u32 = 20;

/// What all clients share.
#[derive(Debug)]
pub struct Push {
    places: Arc<Semaphore>,
    most: usize,
    made: Mutex<Option<Made>>,
    /// Held by the one who makes anew what all others wait for.
    making: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Made {
    at: Instant,
    timestamp: String,
    data: Arc<str>,
}

impl Push {
    /// For `most` clients at once.
    pub fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            made: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    /// Clients there are.
    pub fn clients(&self) -> usize {
        self.most.saturating_sub(self.places.available_permits())
    }

    /// The text of a message of that type: data no older than [`SOONEST`].
    async fn message(&self, api: &Arc<Api>, kind: &str) -> Result<Utf8Bytes, Problem> {
        let Made {
            timestamp, data, ..
        } = match self.fresh() {
            Some(made) => made,
            None => {
                let _making = self.making.lock().await;
                match self.fresh() {
                    Some(made) => made,
                    None => self.make(api).await?,
                }
            }
        };
        let text = format!(r#"{{"type":"{kind}","timestamp":"{timestamp}","data":{data}}}"#);
        Ok(text.into())
    }

    fn fresh(&self) -> Option<Made> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.clone().filter(|made| made.at.elapsed() < SOONEST)
    }

    async fn make(&self, api: &Arc<Api>) -> Result<Made, Problem> {
        let alerts = api.alerts.clone();
        let update = api.live.run(move |hub| {
            let now = UnixNanos::now();
            let readings = hub.live.readings(Family::Metric, None, WINDOW);
            let alerts = alerts.at_hand(hub);
            let update = shape::update(&readings, WINDOW, now, &alerts);
            Ok((shape::time(now), update.to_string()))
        });
        let (timestamp, data) = update.await?;
        let made = Made {
            at: Instant::now(),
            timestamp,
            data: data.into(),
        };
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }
}

/// `GET /ws`
pub async fn upgrade(
    State(api): State<Arc<Api>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejected) => return no_websocket(&rejected),
    };
    let Ok(place) = api.push.places.clone().try_acquire_owned() else {
        let detail = format!(
            "there are {} websockets already, and no more may be",
            api.push.most
        );
        return Problem::new(Kind::Overloaded, detail)
            .retry_after(10)
            .into_response();
    };
    upgrade
        .max_message_size(MOST_BYTES)
        .max_frame_size(MOST_BYTES)
        .on_upgrade(move |socket| client(socket, api, place))
}

fn no_websocket(rejected: &WebSocketUpgradeRejection) -> Response {
    let detail = format!("this is a websocket: {}", rejected.body_text());
    let mut response = Problem::new(Kind::UpgradeRequired, detail).into_response();
    let websocket = HeaderValue::from_static("websocket");
    response.headers_mut().insert(header::UPGRADE, websocket);
    response
}

/// Serves one client until it or the server leaves.
async fn client(mut socket: WebSocket, api: Arc<Api>, _place: OwnedSemaphorePermit) {
    let close = match talk(&mut socket, &api).await {
        Ended::Gone => return,
        Ended::Stopping => (close_code::AWAY, "the server is leaving"),
        Ended::TooMany => (close_code::POLICY, "too many messages"),
        Ended::Failed => (close_code::ERROR, "the events cannot be read"),
    };
    let frame = CloseFrame {
        code: close.0,
        reason: close.1.into(),
    };
    send(&mut socket, Message::Close(Some(frame))).await;
}

/// How it ended.
enum Ended {
    Gone,
    Stopping,
    TooMany,
    Failed,
}

async fn talk(socket: &mut WebSocket, api: &Arc<Api>) -> Ended {
    let mut changes = api.hub.live.changes();
    let mut stopping = api.hub.stopping.clone();
    changes.mark_unchanged();
    let Ok(first) = api.push.message(api, "initial_data").await else {
        return Ended::Failed;
    };
    if !send(socket, Message::Text(first)).await {
        return Ended::Gone;
    }
    let (mut pushed, mut heard, mut pinged) = (Instant::now(), Instant::now(), Instant::now());
    let mut messages = (Instant::now(), 0);
    let mut beat = tokio::time::interval(SOONEST);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
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
                    Some(Ok(Message::Text(text))) if is_ping(&text) => {
                        let pong = json!({"type": "pong", "timestamp": shape::time(UnixNanos::now())});
                        if !send(socket, Message::Text(pong.to_string().into())).await {
                            return Ended::Gone;
                        }
                    }
                    // Pings of the protocol are answered below us; what else a
                    // client says means nothing here.
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ended::Gone,
                    Some(Ok(_)) => {}
                }
            }
            _ = beat.tick() => {
                if heard.elapsed() > SILENCE {
                    return Ended::Gone;
                }
                if pinged.elapsed() >= PING {
                    pinged = Instant::now();
                    if !send(socket, Message::Ping(Default::default())).await {
                        return Ended::Gone;
                    }
                }
                // A closed channel means that live state has stopped; the
                // server follows.
                let changed = changes.has_changed().unwrap_or(false);
                if !changed && pushed.elapsed() < LATEST {
                    continue;
                }
                changes.mark_unchanged();
                pushed = Instant::now();
                let Ok(text) = api.push.message(api, "metrics_update").await else {
                    return Ended::Failed;
                };
                if !send(socket, Message::Text(text)).await {
                    return Ended::Gone;
                }
            }
        }
    }
}

/// Waits until the server leaves.
async fn left(stopping: &mut watch::Receiver<bool>) {
    // An error says that its end is gone, and so the server.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Sends, unless the client does not take it.
async fn send(socket: &mut WebSocket, message: Message) -> bool {
    let sent = tokio::time::timeout(PATIENCE, socket.send(message)).await;
    matches!(sent, Ok(Ok(())))
}

fn is_ping(text: &str) -> bool {
    let message: Option<Value> = serde_json::from_str(text).ok();
    message.is_some_and(|message| message["type"] == "ping")
}
