//! `/api/v1/stream`: what is going on, as it changes. Over a WebSocket a snapshot
//! and then deltas, at most four a second; over plain HTTP one of the two.
//!
//! ```text
//! live, alerts ─ look (once for all clients of a choice) ─► state ─► texts, made once
//!                                                            ▲            │
//!                             client: the number it has ─────┘            └─► socket
//! ```

mod channel;
mod overview;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Utf8Bytes, WebSocketUpgrade};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tachograph_model::alert::FAMILIES;

use super::Api;
use super::params::{Param, Params, Takes};
use super::problem::{Kind, Problem};
use super::socket::{self, SOONEST, Talk};
use crate::live::{Family, REACH};
pub use channel::Streams;
use channel::{Channel, Choice};

/// Seconds, unless told otherwise.
const WINDOW: u64 = 300;
/// Unless told otherwise.
const USUAL: [Family; 4] = [Family::Tool, Family::Model, Family::Cache, Family::Agent];

/// What it takes.
pub const PARAMS: &[Param] = &[
    Param {
        name: "families",
        doc: "What series are of; tool, model, cache and agent unless told otherwise.",
        takes: Takes::SomeOf(&FAMILIES),
    },
    Param {
        name: "window",
        doc: "Seconds, 300 unless told otherwise.",
        takes: Takes::Whole(1, REACH.as_secs()),
    },
    Param {
        name: "after",
        doc: "The `seq` of the newest message that the client has of the same families and \
            window: what changed since is told, if that is still known, and else everything.",
        takes: Takes::Whole(0, u64::MAX),
    },
];

/// `GET /api/v1/stream`
pub async fn get(
    State(api): State<Arc<Api>>,
    uri: OriginalUri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (choice, after) = match asked(uri.query()) {
        Ok(asked) => asked,
        Err(problem) => return problem.into_response(),
    };
    let wants_one = || headers.contains_key(header::UPGRADE);
    let upgrade = match upgrade {
        Ok(upgrade) => Some(upgrade),
        Err(rejected) if wants_one() => return socket::no_websocket(&rejected),
        Err(_) => None,
    };
    let channel = match api.streams.of(&choice) {
        Ok(channel) => channel,
        Err(problem) => return problem.into_response(),
    };
    let mut client = Client {
        api: api.clone(),
        channel,
        known: after,
        greeted: false,
    };
    let Some(upgrade) = upgrade else {
        return match client.first().await {
            Ok(text) => json(text),
            Err(problem) => problem.into_response(),
        };
    };
    let stopping = api.hub.stopping.clone();
    socket::begin(upgrade, &api.places, stopping, client)
}

fn asked(query: Option<&str>) -> Result<(Choice, Option<u64>), Problem> {
    let params = Params::read(query, PARAMS)?;
    let named = params.text("families").map(|text| text.split(','));
    let families = match named {
        Some(names) => {
            let names: Vec<&str> = names.collect();
            let all = Family::ALL.into_iter();
            all.filter(|it| names.contains(&it.name())).collect()
        }
        None => USUAL.to_vec(),
    };
    let window = Duration::from_secs(params.whole("window").unwrap_or(WINDOW));
    Ok((Choice { families, window }, params.whole("after")))
}

fn json(text: Utf8Bytes) -> Response {
    let json = HeaderValue::from_static("application/json");
    let body = axum::body::Bytes::from(text);
    ([(header::CONTENT_TYPE, json)], body).into_response()
}

/// What one client is told.
struct Client {
    api: Arc<Api>,
    channel: Arc<Channel>,
    /// The number of its newest message.
    known: Option<u64>,
    greeted: bool,
}

impl Client {
    /// What it is told at once, were it that nothing changed.
    async fn first(&mut self) -> Result<Utf8Bytes, Problem> {
        self.channel.renew(&self.api).await?;
        let told = self.channel.since(&self.api, self.known).await?;
        let (seq, text) = told.ok_or_else(|| {
            let detail = "live state was not read; the server's log says more";
            Problem::new(Kind::Internal, detail)
        })?;
        (self.known, self.greeted) = (Some(seq), true);
        Ok(text)
    }

    async fn more(&mut self) -> Result<Utf8Bytes, Problem> {
        loop {
            if let Some((seq, text)) = self.channel.news(&self.api, self.known).await? {
                self.known = Some(seq);
                return Ok(text);
            }
            self.channel
                .wait(&self.api, self.known.unwrap_or_default())
                .await?;
        }
    }
}

impl Talk for Client {
    async fn next(&mut self) -> Result<Utf8Bytes, Problem> {
        loop {
            let text = match self.greeted {
                true => self.more().await,
                false => self.first().await,
            };
            match text {
                // There is a moment in which nobody else asks.
                Err(problem) if problem.kind() == Kind::Overloaded => {
                    tokio::time::sleep(SOONEST).await;
                }
                text => return text,
            }
        }
    }
}
