//! What is seen first: the page, the doors, how an agent is connected, how it is
//! stopped. Fits a terminal of 80 columns and 24 lines, with the prompt.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value as Json, json};
use tachograph_serve::config::Tls;
use tachograph_serve::{Addresses, Running};

use super::token::Origin;
use crate::context::user_home;
use crate::out::{Look, Style};
use crate::source::digest_of_pem;

/// Lines of the smallest terminal, without those of the prompt.
const MOST_LINES: usize = 22;

/// What the screen tells of.
pub struct Told<'a> {
    pub addresses: &'a Addresses,
    /// What this machine is called from where it is to be reached, if that is
    /// not the address a door is bound to.
    pub reached_as: Option<&'a str>,
    /// Whether the API's door shows a page.
    pub page: bool,
    pub home: &'a Path,
    /// Whether the recorder looks there by itself.
    pub home_is_default: bool,
    pub tls: bool,
    /// Whether others than this machine can get at it.
    pub open: bool,
    pub token: Option<Kept<'a>>,
}

/// The token that requests must carry.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    pub origin: &'a Origin,
    /// The token itself, where a person looks and it has just been made: what
    /// goes to a file or a log says where it is kept instead.
    pub shown: Option<&'a str>,
}

impl Told<'_> {
    /// The text, painted as `look` says. What makes it easy to read is given up
    /// where it would not fit.
    pub fn text(&self, look: &Look) -> String {
        let (head, ways, end) = (self.head(look), self.ways(look), self.end());
        let lay = |between: &str, before_end: &str| {
            format!("{head}\n{}{before_end}{end}", ways.join(between))
        };
        let mut text = lay("\n", "\n");
        for (between, before_end) in [("", "\n"), ("", "")] {
            if text.lines().count() <= MOST_LINES {
                break;
            }
            text = lay(between, before_end);
        }
        look.glyphs.fit(text)
    }

    fn head(&self, look: &Look) -> String {
        let mut text = format!(
            "{} keeps what your agents do in {}\n\n",
            look.paint(Style::Bold, "Tachograph"),
            short(self.home)
        );
        let rows = self.rows();
        let with_more = rows.iter().filter(|row| row.beside.is_some());
        let width = with_more.map(|row| row.value.len()).max().unwrap_or(0);
        for (at, row) in rows.iter().enumerate() {
            let value = match at {
                0 => look.paint(Style::Bold, &row.value),
                _ => row.value.clone(),
            };
            let _ = write!(text, "  {:<7}   {value}", row.name);
            if let Some(beside) = &row.beside {
                let gap = width - row.value.len() + 3;
                let _ = write!(text, "{:gap$}{}", "", look.paint(Style::Dim, beside));
            }
            text.push('\n');
        }
        text
    }

    fn rows(&self) -> Vec<Row> {
        let doors = self.addresses;
        let mut rows = Vec::new();
        let mut row = |name, value, beside| {
            rows.push(Row {
                name,
                value,
                beside,
            });
        };
        if let Some(address) = doors.dashboard {
            let url = self.url(address);
            match (self.page, self.token.is_some()) {
                (true, asks) => row(
                    "Page",
                    // A browser has no other way to send it.
                    url + if asks { "/?token=TOKEN" } else { "" },
                    Some("API   /api/v1".to_owned()),
                ),
                (false, _) => row("API", url + "/api/v1", None),
            }
        }
        let port = |what: &str, address: SocketAddr, path: &str| {
            format!("{what}  :{}{path}", address.port())
        };
        match (doors.otlp_http, doors.otlp_grpc) {
            (Some(http), grpc) => row(
                "OTLP",
                self.url(http),
                grpc.map(|grpc| port("gRPC", grpc, "")),
            ),
            (None, Some(grpc)) => row("OTLP", self.url(grpc), Some("gRPC".to_owned())),
            (None, None) => {}
        }
        match (doors.prometheus, doors.json) {
            (Some(prometheus), json) => row(
                "Metrics",
                self.url(prometheus) + "/metrics",
                json.map(|json| port("JSON", json, "/metrics")),
            ),
            (None, Some(json)) => row(
                "Metrics",
                self.url(json) + "/metrics",
                Some("JSON".to_owned()),
            ),
            (None, None) => {}
        }
        if let Some(address) = doors.statsd {
            row("StatsD", address.to_string(), Some("UDP".to_owned()));
        }
        if let Some(token) = self.token {
            let kept = match (token.origin, token.shown) {
                (Origin::Made(path), Some(_)) => {
                    format!("shown this once, kept in {}", short(path))
                }
                (Origin::Made(path) | Origin::Stored(path), _) => {
                    format!("kept in {}", short(path))
                }
                (Origin::Setting(source), _) => format!("that of {source}"),
            };
            row("Token", kept, None);
        }
        rows
    }

    fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        match self.reached_as {
            Some(name) => format!("{scheme}://{name}:{}", address.port()),
            None => format!("{scheme}://{address}"),
        }
    }

    /// The three ways to connect an agent, each to be copied as it is.
    fn ways(&self, look: &Look) -> Vec<String> {
        let way = |name: &str, about: &str, lines: Vec<String>| {
            let mut text = format!("{} {about}\n", look.paint(Style::Bold, name));
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
            text
        };
        let mut ways = Vec::new();
        if let Some(lines) = self.otlp() {
            let about = "Claude Code, Codex, Gemini CLI, any SDK";
            ways.push(way("Connect an agent by OpenTelemetry:", about, lines));
        }
        let about = match self.open {
            true => "on this machine, server or not",
            false => "which needs no server to record",
        };
        ways.push(way("Or by Rust,", about, self.rust()));
        if let Some(lines) = self.curl() {
            ways.push(way("Or by JSON,", "from any language", lines));
        }
        ways
    }

    /// What Claude Code wants beside the standard's variables is harmless to others.
    fn otlp(&self) -> Option<Vec<String>> {
        let (address, protocol) = match (self.addresses.otlp_http, self.addresses.otlp_grpc) {
            (Some(address), _) => (address, "http/protobuf"),
            (None, address) => (address?, "grpc"),
        };
        let mut lines: Vec<String> = self.shell_token().into_iter().collect();
        lines.push(format!(
            "export OTEL_EXPORTER_OTLP_ENDPOINT={}",
            self.url(address)
        ));
        lines.push(format!(
            "export OTEL_EXPORTER_OTLP_PROTOCOL={protocol} OTEL_LOGS_EXPORTER=otlp"
        ));
        if self.token.is_some() {
            lines.push(
                "export OTEL_EXPORTER_OTLP_HEADERS=\"authorization=Bearer $TOKEN\"".to_owned(),
            );
        }
        lines.push("export CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_METRICS_EXPORTER=otlp".to_owned());
        Some(lines)
    }

    fn rust(&self) -> Vec<String> {
        let home = format!("export TACHOGRAPH_HOME={}", quoted(self.home));
        let mut lines: Vec<String> = (!self.home_is_default)
            .then_some(home)
            .into_iter()
            .collect();
        lines.push("let recorder = tachograph::init();".to_owned());
        lines.push("let found = recorder.tool(\"search\").time(|| find(\"x\"));".to_owned());
        lines
    }

    fn curl(&self) -> Option<Vec<String>> {
        let address = self.addresses.dashboard.or(self.addresses.json)?;
        let content = "-H 'Content-Type: application/json'";
        let mut lines = vec![format!("curl {}/api/v1/events \\", self.url(address))];
        if self.token.is_some() {
            lines.push(format!(
                "  -H \"Authorization: Bearer $TOKEN\" {content} \\"
            ));
        } else {
            lines.push(format!("  {content} \\"));
        }
        lines.push(
            "  -d '{\"event_type\":\"tool_call\",\"tool\":\"search\",\"duration_ms\":12.5}'"
                .to_owned(),
        );
        Some(lines)
    }

    /// How a shell gets at the token, which the lines below use as `$TOKEN`.
    fn shell_token(&self) -> Option<String> {
        let token = self.token?;
        Some(match (token.origin, token.shown) {
            (Origin::Made(_), Some(text)) => format!("TOKEN={text}"),
            (Origin::Made(path) | Origin::Stored(path), _) => {
                format!("TOKEN=$(cat {})", quoted(path))
            }
            (Origin::Setting(source), _) => format!("TOKEN='that of {source}'"),
        })
    }

    fn end(&self) -> String {
        match self.open && !self.tls {
            // What travels in clear is worth more than what to do later.
            true => {
                "Ctrl-C stops it. Without --tls-cert and --tls-key the token travels in clear.\n"
            }
            false => "Ctrl-C stops it. `tacho report` tells what happened.\n",
        }
        .to_owned()
    }
}

/// A line of the table.
struct Row {
    name: &'static str,
    value: String,
    /// The same door's other side.
    beside: Option<String>,
}

/// A path for people: `~` for the user's home.
fn short(path: &Path) -> String {
    let below = user_home().and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
    match below {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
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

/// What `--ready-file`, `--json` and `server.lock` say: where the doors are, where
/// the page is, and the digest of the certificate if TLS is spoken.
pub fn ready(running: &Running, home: &Path, tls: Option<&Tls>) -> Json {
    let mut told = json!({
        "pid": std::process::id(),
        "home": home.display().to_string(),
        "page": running.hub().alerts.post().link(),
        "certificate_sha256": tls.and_then(|tls| digest_of_pem(&tls.certificates)),
    });
    for (door, address) in running.addresses().by_name() {
        told[door] = json!(address.map(|address| address.to_string()));
    }
    told
}
