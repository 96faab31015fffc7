//! Settled values. Nothing here reads the environment or a file.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tachograph_model::alert::Rule;
use tachograph_model::question::{Baseline, QueryLimits};
use tachograph_model::render::health::Targets;

use crate::notify::Channels;

/// How to serve. `None` as a port: that door stays shut; 0: any free port.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; anything but loopback needs [`Self::token`].
    pub host: IpAddr,
    /// The API and, with it, the dashboard.
    pub dashboard: Option<u16>,
    /// Whether that door shows a page; the API is there in any case.
    pub page: bool,
    pub otlp_grpc: Option<u16>,
    pub otlp_http: Option<u16>,
    /// The third seed's JSON metrics.
    pub json: Option<u16>,
    pub prometheus: Option<u16>,
    /// StatsD over UDP; off unless set.
    pub statsd: Option<u16>,
    /// Whether requests must carry a token, and which.
    pub token: Option<String>,
    /// Names by which this machine may be called, beside those of loopback and
    /// addresses.
    pub allowed_hosts: Vec<String>,
    /// Built-in TLS, on every door but StatsD's.
    pub tls: Option<Tls>,
    /// The machine's own metrics; `None`: they are not collected.
    pub collect: Option<Collect>,
    /// What is watched for being too much; nothing unless set.
    pub alerts: Alerts,
    pub asking: Asking,
    pub limits: Limits,
    /// Whether texts are kept (prompts, messages); off unless asked for.
    pub keep_text: bool,
}

impl Default for Config {
    /// The ports of the seeds and of OTLP, on loopback.
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            dashboard: Some(8090),
            page: true,
            otlp_grpc: Some(4317),
            otlp_http: Some(4318),
            json: Some(9109),
            prometheus: Some(9108),
            statsd: None,
            token: None,
            allowed_hosts: Vec::new(),
            tls: None,
            collect: None,
            alerts: Alerts::default(),
            asking: Asking::default(),
            limits: Limits::default(),
            keep_text: false,
        }
    }
}

/// What questions are asked with, as the command line asks them.
#[derive(Clone)]
pub struct Asking {
    /// What counts as a slow or complex query.
    pub limits: QueryLimits,
    /// What the health check wants.
    pub targets: Targets,
    /// What token savings are measured against; asked each time, for agents may
    /// be indexed while the server runs.
    pub baseline: Arc<dyn Fn() -> Baseline + Send + Sync>,
    /// What agents are called; asked each time, as the baseline is.
    pub names: Arc<dyn Fn() -> Arc<Names> + Send + Sync>,
}

/// Names of agents by the hashes that events hold.
pub type Names = BTreeMap<String, String>;

impl Default for Asking {
    fn default() -> Self {
        Self {
            limits: QueryLimits::default(),
            targets: Targets::default(),
            baseline: Arc::new(Baseline::default),
            names: Arc::new(Arc::default),
        }
    }
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking")
            .field("limits", &self.limits)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

/// A certificate chain and its key, as PEM.
#[derive(Clone)]
pub struct Tls {
    pub certificates: Vec<u8>,
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Tls {
    /// Never shows the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// What is measured of the machine, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    /// Between two measurements of the machine.
    pub system_every: Duration,
    /// Between two measurements of the named processes.
    pub processes_every: Duration,
    /// Names of processes whose CPU and memory are measured; arguments are
    /// never looked at.
    pub processes: Vec<String>,
}

/// Rules that are watched, beside those of the API.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// Whether any are.
    pub watch: bool,
    /// Whether there are those that are built in.
    pub builtin: bool,
    /// Those of the settings, each checked.
    pub rules: Vec<Rule>,
    /// Who is told.
    pub channels: Channels,
}

/// How much is too much.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a body, measured after decompression.
    pub body_bytes: usize,
    /// Bytes of bodies that wait to be stored, all together.
    pub queued_bytes: usize,
    /// Connections at once, all doors together.
    pub connections: usize,
    /// A request's head, and its body, must have come within this.
    pub read_timeout: Duration,
    /// Series that live state keeps; more are counted, not kept.
    pub live_series: usize,
    /// How long leaving may take.
    pub stop_within: Duration,
    /// Questions that are answered at once.
    pub questions: usize,
    /// Questions that may wait for their turn.
    pub questions_waiting: usize,
    /// Statements in SQL that run at once; they keep no question waiting.
    pub sql_queries: usize,
    /// WebSockets at once.
    pub websockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 << 20,
            queued_bytes: 128 << 20,
            connections: 512,
            read_timeout: Duration::from_secs(15),
            live_series: 4480,
            stop_within: Duration::from_millis(1500),
            questions: 4,
            questions_waiting: 32,
            sql_queries: 4,
            websockets: 64,
        }
    }
}
