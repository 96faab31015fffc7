//! The server: doors opened, rooms wired, until it is told to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use tachograph_model::{Sink, UnixNanos};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::alert::{Watch, Watcher};
use crate::collect::{self, Collector};
use crate::config::Config;
use crate::counters::Counters;
use crate::guard::listen::{self, House};
use crate::guard::places::Places;
use crate::guard::{self, tls};
use crate::hub::{Doors, Hub};
use crate::ingest::statsd::Statsd;
use crate::live::Live;
use crate::sink::Kept;

/// Doors that take connections.
const DOORS: usize = 5;

/// Where it listens; `None`: that door is shut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    pub dashboard: Option<SocketAddr>,
    pub otlp_grpc: Option<SocketAddr>,
    pub otlp_http: Option<SocketAddr>,
    pub json: Option<SocketAddr>,
    pub prometheus: Option<SocketAddr>,
    pub statsd: Option<SocketAddr>,
}

impl Addresses {
    /// Every door by its name, as the ready file and the API call it.
    pub fn by_name(&self) -> [(&'static str, Option<SocketAddr>); 6] {
        [
            ("dashboard", self.dashboard),
            ("otlp_grpc", self.otlp_grpc),
            ("otlp_http", self.otlp_http),
            ("json", self.json),
            ("prometheus", self.prometheus),
            ("statsd", self.statsd),
        ]
    }
}

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or not allowed.
    #[error("cannot listen on {address} for {door}")]
    Bind {
        /// The door's name in [`Addresses`].
        door: &'static str,
        address: SocketAddr,
        source: std::io::Error,
    },
    /// The certificate or its key does not do.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The operating system gave no threads.
    #[error("cannot start the server's threads")]
    Threads(#[source] std::io::Error),
}

/// A server that runs, on threads of its own.
pub struct Running {
    addresses: Addresses,
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    /// Empty and closed once nobody is served any more.
    served: mpsc::Receiver<Infallible>,
    runtime: tokio::runtime::Runtime,
    collector: Option<Collector>,
    watcher: Option<Watcher>,
}

/// Opens every door and begins to serve.
///
/// # Errors
/// [`StartError`] when one of the doors cannot be opened; then none is.
pub fn start(config: Config, doors: Doors) -> Result<Running, StartError> {
    let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("tacho-serve")
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    let counters = Arc::new(Counters::default());
    let (stop, stopped) = watch::channel(false);
    let answerer = doors.answerer.clone();
    let live = Live::start_after(&doors.home, &config.limits, answerer);
    let live = live.map_err(StartError::Threads)?;
    let sink = Arc::new(Kept {
        sink: doors.sink.clone(),
        live: live.clone(),
        home: doors.home.clone(),
        salt: doors.salt.clone(),
        counters: counters.clone(),
    });
    let started = (UnixNanos::now(), Instant::now());
    let hub = Arc::new(Hub {
        journal: crate::ingest::journal::Journal::start(
            sink.clone(),
            &doors.home,
            counters.clone(),
            &config.limits,
        )
        .map_err(StartError::Threads)?,
        otlp: crate::ingest::otlp::Otlp::new(doors.salt.clone()),
        remote_write: crate::ingest::remote_write::RemoteWrite::new(doors.salt.clone()),
        live,
        alerts: Arc::new(Watch::new(doors.home.root(), &config.alerts, started.0)),
        answerer: doors.answerer,
        home: doors.home,
        salt: doors.salt,
        stopping: stopped.clone(),
        started,
        counters,
        addresses: OnceLock::new(),
        config,
    });
    // Nothing is ever sent: that the last sender is gone is what is waited for.
    let (serving, served) = mpsc::channel(1);
    let house = House {
        limits: hub.config.limits.clone(),
        counters: hub.counters.clone(),
        tls,
        places: Places::new(hub.config.limits.connections, DOORS, hub.counters.clone()),
        served: serving,
        stop: stopped,
    };
    let addresses = runtime.block_on(open(&hub, house))?;
    if let Some(link) = link(&hub.config, &addresses) {
        hub.alerts.post().set_link(link);
    }
    let collect = hub.config.collect.clone();
    let collector = collect
        .map(|what| collect::start(what, hub.journal.clone()))
        .transpose()
        .map_err(StartError::Threads)?;
    let watcher = hub.alerts.enabled().then(|| {
        let ports = (sink as Arc<dyn Sink>, hub.answerer.clone());
        Watcher::start(&hub.alerts, &hub.live, ports, &hub.home, &hub.counters)
    });
    let watcher = watcher.transpose().map_err(StartError::Threads)?;
    Ok(Running {
        collector,
        watcher,
        addresses,
        hub,
        stop,
        served,
        runtime,
    })
}

/// Where the page is, for whoever is told of an alert.
fn link(config: &Config, addresses: &Addresses) -> Option<String> {
    let address = addresses.dashboard.filter(|_| config.page)?;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let named = config.allowed_hosts.first();
    let host = match (address.ip().is_unspecified(), named) {
        (true, Some(name)) => format!("{name}:{}", address.port()),
        (true, None) => format!("localhost:{}", address.port()),
        (false, _) => address.to_string(),
    };
    Some(format!("{scheme}://{host}"))
}

/// Binds every door first, so that either all of them serve or none.
async fn open(hub: &Arc<Hub>, house: House) -> Result<Addresses, StartError> {
    let config = &hub.config;
    let mut bound = Vec::new();
    let mut addresses = Addresses::default();
    for (door, port, address, router) in [
        (
            "dashboard",
            config.dashboard,
            &mut addresses.dashboard,
            dashboard as fn(&Arc<Hub>) -> Router,
        ),
        (
            "otlp_grpc",
            config.otlp_grpc,
            &mut addresses.otlp_grpc,
            otlp_grpc,
        ),
        (
            "otlp_http",
            config.otlp_http,
            &mut addresses.otlp_http,
            otlp_http,
        ),
        ("json", config.json, &mut addresses.json, json),
        (
            "prometheus",
            config.prometheus,
            &mut addresses.prometheus,
            prometheus,
        ),
    ] {
        let Some(port) = port else { continue };
        let asked = SocketAddr::new(config.host, port);
        let listener = TcpListener::bind(asked)
            .await
            .map_err(|source| StartError::Bind {
                door,
                address: asked,
                source,
            })?;
        *address = Some(listener.local_addr().unwrap_or(asked));
        bound.push((listener, door, router));
    }
    if let Some(port) = config.statsd {
        let asked = Statsd::place(config.host, port);
        let bound = Statsd::bind(asked).await;
        let statsd = bound.map_err(|source| StartError::Bind {
            door: "statsd",
            address: asked,
            source,
        })?;
        addresses.statsd = Some(statsd.address().unwrap_or(asked));
        tokio::spawn(statsd.serve(hub.clone(), house.stop.clone(), house.served.clone()));
    }
    // Nobody else sets them.
    let _ = hub.addresses.set(addresses);
    let token = guard::token(hub);
    for (at, (listener, door, router)) in bound.into_iter().enumerate() {
        // Pages and WebSockets, which can send no header, are behind one door.
        let in_query = door == "dashboard";
        let router = guard::guarded(router(hub), hub, token.clone(), in_query);
        tokio::spawn(listen::serve(listener, router, house.clone(), at));
    }
    Ok(addresses)
}

fn dashboard(hub: &Arc<Hub>) -> Router {
    crate::api::finish(
        crate::api::router(hub)
            .merge(crate::ingest::events::router(hub))
            .merge(crate::ingest::remote_write::router(hub)),
    )
}

fn otlp_grpc(hub: &Arc<Hub>) -> Router {
    crate::ingest::grpc::router(hub)
}

fn otlp_http(hub: &Arc<Hub>) -> Router {
    crate::api::finish(crate::ingest::http::router(hub))
}

fn json(hub: &Arc<Hub>) -> Router {
    crate::api::finish(crate::expose::json::router(hub).merge(crate::ingest::events::router(hub)))
}

fn prometheus(hub: &Arc<Hub>) -> Router {
    crate::api::finish(
        crate::expose::prometheus::router(hub).merge(crate::ingest::remote_write::router(hub)),
    )
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What the rooms share.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Shuts the doors, answers what is being asked, has all of it stored, and
    /// leaves; within [`crate::config::Limits::stop_within`] if the disk does
    /// its part. What is not answered by then was not acknowledged.
    pub fn stop(mut self) {
        let began = Instant::now();
        let within = self.hub.config.limits.stop_within;
        drop(self.collector.take());
        drop(self.watcher.take());
        // Nobody may be listening for it.
        let _ = self.stop.send(true);
        self.wait_for_answers(within / 3);
        self.hub.journal.stop();
        // Those who waited for the disk have their answer now.
        let left = within.saturating_sub(began.elapsed());
        self.wait_for_answers(left.min(Duration::from_millis(100)));
        self.hub.live.stop();
        let left = within.saturating_sub(began.elapsed());
        self.runtime
            .shutdown_timeout(left.max(Duration::from_millis(1)));
    }

    fn wait_for_answers(&mut self, most: Duration) {
        let Self {
            runtime, served, ..
        } = self;
        // Whoever is not done by then is cut off.
        let _ = runtime.block_on(async { tokio::time::timeout(most, served.recv()).await });
    }
}
