//! `WS /ws`: what is going on, pushed once a second and, when something came,
//! up to four times. Every client gets the same text, made once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Utf8Bytes, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};
use tachograph_model::UnixNanos;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{alerts, shape};
use crate::api::Api;
use crate::api::problem::Problem;
use crate::api::socket::{self, LATEST, SOONEST, Talk};
use crate::live::Family;

/// The window that is pushed.
const WINDOW: Duration = Duration::from_secs(60);

/// What all clients share.
#[derive(Debug, Default)]
pub struct Push {
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
        let update = api.live.run(move |hub| {
            let now = UnixNanos::now();
            let readings = hub.live.readings(Family::Metric, None, WINDOW);
            let alerts = alerts::recent(hub);
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
    match upgrade {
        Ok(upgrade) => {
            let stopping = api.hub.stopping.clone();
            let shared = api.clone();
            socket::begin(upgrade, &shared.places, stopping, Updates::to(api))
        }
        Err(rejected) => socket::no_websocket(&rejected),
    }
}

/// What one client is told.
struct Updates {
    changes: watch::Receiver<u64>,
    /// When it was told last, and at which change.
    told: Option<(Instant, u64)>,
    api: Arc<Api>,
}

impl Updates {
    fn to(api: Arc<Api>) -> Self {
        Self {
            changes: api.hub.live.changes(),
            told: None,
            api,
        }
    }
}

impl Talk for Updates {
    async fn next(&mut self) -> Result<Utf8Bytes, Problem> {
        let mut kind = "initial_data";
        if let Some((at, of)) = self.told {
            kind = "metrics_update";
            sleep_until(at + SOONEST).await;
            // Its end says that live state has stopped; the server follows.
            let _ = timeout_at(at + LATEST, self.changes.wait_for(|now| *now != of)).await;
        }
        let told = (Instant::now(), *self.changes.borrow());
        let text = self.api.push.message(&self.api, kind).await?;
        self.told = Some(told);
        Ok(text)
    }

    fn reply(&self, text: &str) -> Option<Utf8Bytes> {
        let message: Option<Value> = serde_json::from_str(text).ok();
        message.filter(|message| message["type"] == "ping")?;
        let pong = json!({"type": "pong", "timestamp": shape::time(UnixNanos::now())});
        Some(pong.to_string().into())
    }
}
