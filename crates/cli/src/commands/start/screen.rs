//! What is seen first: where it listens, how an agent is connected, how it is
//! stopped. Fits 80 columns.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value as Json, json};
use tachograph_serve::Addresses;

use super::token::Origin;
use crate::out::{Look, Style};

/// What the screen tells of.
pub struct Told<'a> {
    pub addresses: &'a Addresses,
    pub home: &'a Path,
    /// Whether the recorder looks there by itself.
    pub home_is_default: bool,
    pub tls: bool,
    pub token: Option<(&'a str, &'a Origin)>,
}

impl Told<'_> {
    /// The text, painted as `look` says.
    pub fn text(&self, look: &Look) -> String {
        let bold = |text: &str| look.paint(Style::Bold, text);
        let mut text = format!(
            "{} takes in what agents send, keeps it in {}\n\n",
            bold("Tachograph"),
            self.home.display()
        );
        for (what, address, path) in [
            ("API", self.addresses.dashboard, "/api/v1/report"),
            ("OTLP over HTTP", self.addresses.otlp_http, ""),
            ("OTLP over gRPC", self.addresses.otlp_grpc, ""),
            ("Metrics, JSON", self.addresses.json, "/metrics"),
            ("Metrics, Prometheus", self.addresses.prometheus, "/metrics"),
        ] {
            if let Some(address) = address {
                text += &format!("  {what:<21}{}{path}\n", self.url(address));
            }
        }
        if let Some(address) = self.addresses.statsd {
            text += &format!("  {:<21}{address} (UDP)\n", "StatsD");
        }
        text += &self.security(look);
        text += &format!("\n{}\n", bold("Connect an agent, one of three ways"));
        text += &self.otlp(look);
        text += &self.rust(look);
        text += &self.curl(look);
        text += &format!(
            "\n{} `tacho report` tells what happened. Ctrl-C stops the server.\n",
            bold("Then")
        );
        look.glyphs.fit(text)
    }

    fn url(&self, address: SocketAddr) -> String {
        // What is bound to every address is reached here by loopback.
        let host = match address.ip() {
            ip if !ip.is_unspecified() => SocketAddr::new(ip, address.port()),
            ip if ip.is_ipv6() => SocketAddr::new([0, 0, 0, 0, 0, 0, 0, 1].into(), address.port()),
            _ => SocketAddr::new([127, 0, 0, 1].into(), address.port()),
        };
        format!("{}://{host}", if self.tls { "https" } else { "http" })
    }

    fn security(&self, look: &Look) -> String {
        let Some((token, origin)) = self.token else {
            return String::new();
        };
        let mut text = match origin {
            Origin::Made(path) => format!(
                "\n{}, made just now, shown this once, and stored in\n{}:\n  {token}\n",
                look.paint(Style::Bold, "Requests need this token"),
                path.display()
            ),
            Origin::Stored(path) => {
                format!("\nRequests need the token in {}.\n", path.display())
            }
            Origin::Setting(source) => format!("\nRequests need the token of {source}.\n"),
        };
        if !self.tls {
            text += "Without TLS anybody on the way can read it: give --tls-cert and --tls-key, or\n\
                     let a proxy speak TLS (nginx, Caddy) and listen on loopback.\n";
        }
        text
    }

    fn otlp(&self, look: &Look) -> String {
        let (address, protocol) = match (self.addresses.otlp_http, self.addresses.otlp_grpc) {
            (Some(address), _) => (address, "http/protobuf"),
            (None, Some(address)) => (address, "grpc"),
            (None, None) => return String::new(),
        };
        let mut text = format!(
            "\n  1. {} whatever speaks it: Claude Code, Codex, Gemini CLI, any SDK\n\
             \x20    export OTEL_EXPORTER_OTLP_ENDPOINT={}\n\
             \x20    export OTEL_EXPORTER_OTLP_PROTOCOL={protocol}\n",
            look.paint(Style::Bold, "OpenTelemetry,"),
            self.url(address)
        );
        if let Some((_, origin)) = self.token {
            text += &format!(
                "     export OTEL_EXPORTER_OTLP_HEADERS=\"authorization=Bearer {}\"\n",
                shell_token(origin)
            );
        }
        text += "     Claude Code also wants:\n     \
                 export CLAUDE_CODE_ENABLE_TELEMETRY=1\n     \
                 export OTEL_METRICS_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp\n";
        text
    }

    fn rust(&self, look: &Look) -> String {
        let mut text = format!(
            "\n  2. {} the crate `tachograph`; it needs no server to record\n",
            look.paint(Style::Bold, "Rust,")
        );
        if !self.home_is_default {
            text += &format!("     export TACHOGRAPH_HOME={}\n", quoted(self.home));
        }
        text += "     let recorder = tachograph::init();\n     \
                 recorder.tool(\"search\").success(elapsed);\n";
        text
    }

    fn curl(&self, look: &Look) -> String {
        let Some(address) = self.addresses.dashboard.or(self.addresses.json) else {
            return String::new();
        };
        let mut text = format!(
            "\n  3. {} one event or many, from any language\n     \
             curl {}/api/v1/events \\\n     \
             \x20 -H 'Content-Type: application/json' \\\n",
            look.paint(Style::Bold, "JSON,"),
            self.url(address)
        );
        if let Some((_, origin)) = self.token {
            text += &format!(
                "       -H \"Authorization: Bearer {}\" \\\n",
                shell_token(origin)
            );
        }
        text +=
            "       -d '{\"event_type\":\"tool_call\",\"tool\":\"search\",\"duration_ms\":12.5}'\n";
        text
    }
}

/// How a shell gets at the token; it is not printed again.
fn shell_token(origin: &Origin) -> String {
    match origin {
        Origin::Made(path) | Origin::Stored(path) => format!("$(cat {})", quoted(path)),
        Origin::Setting(_) => "$TACHOGRAPH_TOKEN".to_owned(),
    }
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// What `--ready-file`, `--json` and `server.lock` say.
pub fn ready(addresses: &Addresses, home: &Path) -> Json {
    let text = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    json!({
        "pid": std::process::id(),
        "home": home.display().to_string(),
        "dashboard": text(addresses.dashboard),
        "otlp_grpc": text(addresses.otlp_grpc),
        "otlp_http": text(addresses.otlp_http),
        "json": text(addresses.json),
        "prometheus": text(addresses.prometheus),
        "statsd": text(addresses.statsd),
    })
}
