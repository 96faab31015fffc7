//! Flags and settings → what the server is to do.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value as Json, json};
use tachograph_log::Home;
use tachograph_model::UnixNanos;
use tachograph_model::alert::Rule;
use tachograph_serve::alert::read;
use tachograph_serve::config::{Alerts, Asking, Collect, Config, Limits, Tls};
use tachograph_serve::notify::Channels;

use super::log::Log;
use super::token::{self, Origin};
use crate::args::start::Start;
use crate::channels::channels;
use crate::commands::alerts::file;
use crate::commands::ask;
use crate::context::Context;
use crate::exit::{Result, usage};
use crate::names;
use crate::settings::{Key, Settings, Settled, Source};

/// A door, by its names.
pub struct Door {
    /// In [`tachograph_serve::Addresses`] and the ready file.
    pub name: &'static str,
    /// For people.
    pub words: &'static str,
    pub flag: &'static str,
    pub key: Key,
}

const fn door(name: &'static str, words: &'static str, flag: &'static str, key: Key) -> Door {
    Door {
        name,
        words,
        flag,
        key,
    }
}

/// Every door.
pub const DOORS: [Door; 6] = [
    door(
        "dashboard",
        "the page and the API",
        "--port",
        Key::DashboardPort,
    ),
    door(
        "otlp_grpc",
        "OTLP over gRPC",
        "--otlp-grpc-port",
        Key::OtlpGrpcPort,
    ),
    door(
        "otlp_http",
        "OTLP over HTTP",
        "--otlp-http-port",
        Key::OtlpHttpPort,
    ),
    door("json", "metrics as JSON", "--json-port", Key::JsonPort),
    door(
        "prometheus",
        "Prometheus",
        "--prometheus-port",
        Key::PrometheusPort,
    ),
    door("statsd", "StatsD", "--statsd-port", Key::StatsdPort),
];

/// What was settled.
#[derive(Debug)]
pub struct Plan {
    pub config: Config,
    /// Where the token came from, if one is asked for.
    pub token: Option<Origin>,
    /// What is not as whoever set it may think.
    odd: Vec<Odd>,
}

/// A message and its fields.
type Odd = (&'static str, Vec<(&'static str, Json)>);

impl Plan {
    /// Tells the log what is odd.
    pub fn tell(&self, log: &Log) {
        for (message, fields) in &self.odd {
            log.warning(message, fields);
        }
    }
}

/// Settles flags over settings.
///
/// # Errors
/// A usage error that names the flag or key, or when a file it names cannot be
/// read.
pub fn settle(args: &Start, home: &Path, ctx: &Context) -> Result<Plan> {
    let mut settings = ctx.settings.clone();
    let mut odd = flags(args, &mut settings);
    let host = host(&settings)?;
    let is = |key| settings.is(key);
    let token = match !host.is_loopback() || is(Key::RequireToken) || args.new_token {
        true => Some(token::settle(home, &settings, args.new_token)?),
        false => None,
    };
    if let Some(mode) = token.as_ref().and_then(|token| token.was_open) {
        odd.push((
            "others could read the token; now only you can, and --new-token makes another",
            vec![
                ("file", json!(home.join("token").display().to_string())),
                ("mode", json!(format!("{mode:o}"))),
            ],
        ));
    }
    let mut allowed_hosts = texts(&settings, Key::AllowedHosts)?;
    allowed_hosts.extend(args.allow_host.iter().cloned());
    let config = Config {
        host,
        dashboard: port(&settings, Key::DashboardPort),
        page: is(Key::EnableDashboard),
        otlp_grpc: port(&settings, Key::OtlpGrpcPort),
        otlp_http: port(&settings, Key::OtlpHttpPort),
        json: port(&settings, Key::JsonPort).filter(|_| is(Key::JsonEnabled)),
        prometheus: port(&settings, Key::PrometheusPort).filter(|_| is(Key::PrometheusEnabled)),
        statsd: port(&settings, Key::StatsdPort),
        token: token.as_ref().map(|token| token.text.clone()),
        allowed_hosts,
        tls: tls(args, &settings)?,
        collect: collect(&settings)?,
        alerts: alerts(args, &settings, home, ctx)?,
        asking: asking(home, ctx)?,
        keep_text: is(Key::KeepText),
        limits: Limits {
            sql_queries: ask::sql_queries(ctx),
            ..Limits::default()
        },
    };
    apart(&config, &settings)?;
    Ok(Plan {
        config,
        token: token.map(|token| token.origin),
        odd,
    })
}

/// What questions are asked with, as the other commands ask them.
///
/// # Errors
/// When the home's salt cannot be read or made.
fn asking(home: &Path, ctx: &Context) -> Result<Asking> {
    let salt = Home::at(home).salt()?;
    let ctx = ctx.clone();
    Ok(Asking {
        limits: ask::limits(&ctx),
        targets: ask::targets(&ctx),
        names: Arc::new(names::names(home.to_owned(), salt)),
        baseline: Arc::new(move || ask::baseline(&ctx)),
    })
}

/// Notes what was typed, as the strongest source. Returns what of the settings is
/// turned into its opposite by a flag that does not say so.
fn flags(args: &Start, settings: &mut Settings) -> Vec<Odd> {
    // A port that was typed is meant to be served.
    let ports = [
        (args.json_port, "--json-port", Key::JsonEnabled),
        (
            args.prometheus_port,
            "--prometheus-port",
            Key::PrometheusEnabled,
        ),
    ];
    let mut odd = Vec::new();
    for (_, flag, key) in ports.into_iter().filter(|(port, ..)| port.is_some()) {
        if !settings.is(key) {
            let settled = settings.get(key);
            odd.push((
                "a flag counts more than a setting",
                vec![
                    ("flag", json!(flag)),
                    ("setting", json!(format!("{}: false", settled.def.name))),
                    ("of", json!(settled.source.to_string())),
                ],
            ));
        }
        settings.set(key, true.into(), flag);
    }
    let mut set = |key, value: Option<Json>, flag| {
        if let Some(value) = value {
            settings.set(key, value, flag);
        }
    };
    set(
        Key::DashboardHost,
        args.host.clone().map(Json::from),
        "--host",
    );
    set(
        Key::EnableDashboard,
        args.dashboard.then(|| true.into()),
        "--dashboard",
    );
    set(
        Key::EnableDashboard,
        args.no_dashboard.then(|| false.into()),
        "--no-dashboard",
    );
    set(
        Key::RequireToken,
        args.require_token.then(|| true.into()),
        "--require-token",
    );
    let ports = [
        args.port,
        args.otlp_grpc_port,
        args.otlp_http_port,
        args.json_port,
        args.prometheus_port,
        args.statsd_port,
    ];
    for (door, port) in DOORS.iter().zip(ports) {
        set(door.key, port.map(Json::from), door.flag);
    }
    odd
}

fn host(settings: &Settings) -> Result<IpAddr> {
    let text = settings.text(Key::DashboardHost).unwrap_or("127.0.0.1");
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_err(|_| {
        let source = &settings.get(Key::DashboardHost).source;
        usage(format!(
            "{text:?} ({source}) is not an address of this machine\n\
             hint: 127.0.0.1 serves this machine alone, 0.0.0.0 every network it is in"
        ))
    })
}

fn port(settings: &Settings, key: Key) -> Option<u16> {
    settings.int(key).and_then(|port| u16::try_from(port).ok())
}

fn texts(settings: &Settings, key: Key) -> Result<Vec<String>> {
    let settled = settings.get(key);
    let list = settled.value.as_array().and_then(|list| {
        let texts = list.iter().map(|item| Some(item.as_str()?.to_owned()));
        texts.collect()
    });
    list.ok_or_else(|| {
        usage(format!(
            "{} ({}): {} is not a list of names\nhint: write {}: [one, another]",
            settled.def.name, settled.source, settled.value, settled.def.name
        ))
    })
}

/// Two doors cannot share a port: said here, where both have their names.
fn apart(config: &Config, settings: &Settings) -> Result<()> {
    let ports = [
        config.dashboard,
        config.otlp_grpc,
        config.otlp_http,
        config.json,
        config.prometheus,
    ];
    let doors: Vec<_> = DOORS.iter().zip(ports).collect();
    for (at, (second, port)) in doors.iter().enumerate() {
        let same = |(_, other): &&(_, Option<u16>)| other == port;
        let Some(port) = port.filter(|port| *port != 0) else {
            continue;
        };
        if let Some((first, _)) = doors[..at].iter().find(same) {
            let from = |door: &Door| &settings.get(door.key).source;
            return Err(usage(format!(
                "{} ({}) and {} ({}) are both to listen on port {port}\n\
                 hint: take another with {} PORT (`{}` in config.yaml); 0 takes any free one",
                first.words,
                from(first),
                second.words,
                from(second),
                second.flag,
                second.key.def().name
            )));
        }
    }
    Ok(())
}

fn tls(args: &Start, settings: &Settings) -> Result<Option<Tls>> {
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    // A path that was typed need not be text; a setting's is.
    let named = |typed: &Option<PathBuf>, key| match typed {
        Some(path) => Some(path.clone()),
        None => settings.text(key).map(PathBuf::from),
    };
    let cert = named(&args.tls_cert, Key::TlsCert);
    match (cert, named(&args.tls_key, Key::TlsKeyFile)) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(Tls {
            certificates: read(&cert)?,
            key: read(&key)?,
        })),
        _ => Err(usage(
            "TLS takes both a certificate and its key\nhint: give --tls-cert and --tls-key, or \
             set `tls_cert` and `tls_key`",
        )),
    }
}

fn collect(settings: &Settings) -> Result<Option<Collect>> {
    if !settings.is(Key::CollectSystem) {
        return Ok(None);
    }
    Ok(Some(Collect {
        system_every: interval(settings, "system", 5.0)?,
        processes_every: interval(settings, "agent", 10.0)?,
        processes: texts(settings, Key::CollectProcesses)?,
    }))
}

/// The alert rules of the settings, which name no channels but those there are.
///
/// # Errors
/// A usage error that says which is wrong, and how.
pub fn alert_rules(settings: &Settings, channels: &Channels) -> Result<Vec<Rule>> {
    let settled = settings.get(Key::AlertRules);
    let rules = match &settled.value {
        Json::Null => Ok(Vec::new()),
        rules => read::config(rules, UnixNanos::now()),
    };
    let rules = rules.map_err(|what| wrong_rules(settled, &what, &|_| Ok(())))?;
    let check = |rule: &Rule| {
        let named = channels.check(&rule.channels);
        named.map_err(|what| format!("`channels`: {what}"))
    };
    for rule in &rules {
        check(rule).map_err(|what| {
            let what = format!("rule {:?}: {what}", rule.name);
            wrong_rules(settled, &what, &check)
        })?;
    }
    Ok(rules)
}

/// With the place of what is wrong, where that stands in a file.
fn wrong_rules(settled: &Settled, what: &str, check: file::Check<'_>) -> anyhow::Error {
    let found = match &settled.source {
        Source::File(path) => file::wrong_in(path, UnixNanos::now(), check),
        _ => None,
    };
    let told = found.unwrap_or_else(|| format!("alert_rules ({}): {what}", settled.source));
    usage(format!(
        "{told}\nhint: docs/guide/alerts.md shows how to write one"
    ))
}

fn alerts(args: &Start, settings: &Settings, home: &Path, ctx: &Context) -> Result<Alerts> {
    let log = Log::new(args.log_format, ctx);
    let say = Arc::new(move |line: &str| log.warning("alert", &[("alert", json!(line))]));
    let channels = channels(settings, home, say)?;
    Ok(Alerts {
        watch: settings.is(Key::EnableAlerts),
        builtin: true,
        rules: alert_rules(settings, &channels)?,
        channels,
    })
}

fn interval(settings: &Settings, name: &str, default: f64) -> Result<Duration> {
    let settled = settings.get(Key::CollectionIntervals);
    if !settled.value.is_null() && !settled.value.is_object() {
        return Err(usage(format!(
            "collection_intervals ({}): {} does not name what is measured\n\
             hint: write collection_intervals: {{system: 5, agent: 10}}, seconds from 1 to 3600",
            settled.source, settled.value
        )));
    }
    let Some(value) = settled.value.get(name).filter(|value| !value.is_null()) else {
        return Ok(Duration::from_secs_f64(default));
    };
    let seconds = value
        .as_f64()
        .filter(|seconds| (1.0..=3_600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        usage(format!(
            "collection_intervals.{name} ({}): {value} is not a number of seconds from 1 to 3600\n\
             hint: correct it, or leave it out for {default}",
            settled.source
        ))
    })
}
