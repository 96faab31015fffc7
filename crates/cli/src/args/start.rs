//! `tacho start`, as it was typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `tacho start`
#[derive(Args, Debug, Default)]
#[command(
    after_help = "Every door listens on this machine alone, unless --host names another address; \
    then requests must carry a token, which is made, kept in the file `token` of the home, \
    and printed once, on a terminal. Port 0 means any free one. \
    Each flag has a key for config.yaml: `tacho config` lists them. Ctrl-C (SIGINT), SIGTERM or \
    a terminal that closes (SIGHUP; not after `nohup`) ends it, within two seconds and with everything stored; a second one ends it at once.\n\n\
    Examples:\n  \
    tacho start\n  \
    tacho start --port 8091 --otlp-grpc-port 0 --ready-file /run/user/1000/tacho.json\n  \
    tacho start --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem"
)]
pub struct Start {
    /// Settings from this YAML file instead of config.yaml in the home
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// Show the page, although `enable_dashboard` says no
    #[arg(long, overrides_with = "no_dashboard")]
    pub dashboard: bool,
    /// Show no page; the API stays
    #[arg(long)]
    pub no_dashboard: bool,
    /// Port of the page and the API [default: 8090]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Port for OTLP over gRPC [default: 4317]
    #[arg(long, value_name = "PORT")]
    pub otlp_grpc_port: Option<u16>,
    /// Port for OTLP over HTTP [default: 4318]
    #[arg(long, value_name = "PORT")]
    pub otlp_http_port: Option<u16>,
    /// Port of the metrics as JSON; serves them, whatever a setting says [default: 9109]
    #[arg(long, value_name = "PORT")]
    pub json_port: Option<u16>,
    /// Port that Prometheus scrapes; serves it, whatever a setting says [default: 9108]
    #[arg(long, value_name = "PORT")]
    pub prometheus_port: Option<u16>,
    /// Port for StatsD over UDP [default: none]
    #[arg(long, value_name = "PORT")]
    pub statsd_port: Option<u16>,
    /// Ask every request for a token, also on loopback
    #[arg(long)]
    pub require_token: bool,
    /// Ask every request for a token, and make a new one in place of the stored
    #[arg(long)]
    pub new_token: bool,
    /// A name this machine is called by in requests, beside `allowed_hosts`; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Certificate chain (PEM) to speak TLS with, on every door
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Write where it listens into this file, as JSON, once every door answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Form of the log on stderr
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub log_format: LogFormat,
    // The fourth seed's flags, for which this version has no meaning: they are
    // taken, and the log says that they do nothing.
    #[arg(long, hide = true)]
    pub profiling: bool,
    #[arg(long, hide = true)]
    pub no_profiling: bool,
    #[arg(long, hide = true)]
    pub regression: bool,
    #[arg(long, hide = true)]
    pub no_regression: bool,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}
