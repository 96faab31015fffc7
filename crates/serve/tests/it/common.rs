//! A door on a home of its own, and what clients do to it.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value as Json;
use tachograph_log::{DurableLog, Home};
use tachograph_model::{Answer, Answerer, AskError, Question, Sink};
use tachograph_serve::{Addresses, Config, Doors, Running, start};

/// A server on free ports of loopback; stopped when it is dropped.
pub(crate) struct Door {
    running: Option<Running>,
    folder: tempfile::TempDir,
}

pub(crate) struct NoEngine;

impl Answerer for NoEngine {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        Err(AskError::Mismatch {
            question: question.name(),
        })
    }
}

/// Every door on a free port of loopback.
pub(crate) fn config() -> Config {
    Config {
        dashboard: Some(0),
        otlp_grpc: Some(0),
        otlp_http: Some(0),
        json: Some(0),
        prometheus: Some(0),
        ..Config::default()
    }
}

impl Door {
    pub(crate) fn open() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::create(folder.path()).expect("a home");
        let sink = Arc::new(DurableLog::new(&home));
        Self::on(folder, config, sink, Arc::new(NoEngine))
    }

    pub(crate) fn on(
        folder: tempfile::TempDir,
        config: Config,
        sink: Arc<dyn Sink>,
        answerer: Arc<dyn Answerer>,
    ) -> Self {
        let home = Home::create(folder.path()).expect("a home");
        let doors = Doors {
            sink,
            answerer,
            salt: home.salt().expect("a salt"),
            home,
        };
        let running = start(config, doors).expect("the doors open");
        Self {
            running: Some(running),
            folder,
        }
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.running().addresses()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What is in the log, in its order.
    pub(crate) fn stored(&self) -> Vec<Json> {
        stored(self.folder.path())
    }

    /// Stops the server and leaves what it stored.
    pub(crate) fn close(mut self) -> tempfile::TempDir {
        if let Some(running) = self.running.take() {
            running.stop();
        }
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }
}

/// What is in a home's log, in its order.
pub(crate) fn stored(folder: &std::path::Path) -> Vec<Json> {
    let mut events = Vec::new();
    for file in Home::at(folder).files().expect("files").files {
        let text = std::fs::read_to_string(file.path).expect("a file");
        events.extend(
            text.lines()
                .map(|line| serde_json::from_str(line).expect("a line of JSON")),
        );
    }
    events
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(std::time::Duration::from_secs(20)))
        .build()
        .into()
}

fn reply(response: ureq::http::Response<ureq::Body>) -> Reply {
    let (parts, mut body) = response.into_parts();
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.read_to_vec().expect("a body"),
    }
}

pub(crate) fn get(address: Option<SocketAddr>, path: &str, headers: &[(&str, &str)]) -> Reply {
    let address = address.expect("this door is open");
    let mut request = agent().get(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    reply(request.call().expect("an answer"))
}

pub(crate) fn post(
    address: Option<SocketAddr>,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let address = address.expect("this door is open");
    let mut request = agent().post(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    reply(request.send(body).expect("an answer"))
}
