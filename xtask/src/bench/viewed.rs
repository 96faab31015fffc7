//! The views of the page as a browser opens them: everything that one asks, at
//! once, over a month of ten million sealed events.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::Value as Json;

use super::Row;
use super::generate::ANCHOR;
use super::lab::Lab;
use super::process::{mebibytes, time};
use super::served::middle;
use crate::server::{Client, Server};

/// A view, and what it asks. `{session}` and `{trace}` stand for those of the
/// session that was seen last.
const VIEWS: &[(&str, &[&str])] = &[
    (
        "overview",
        &[
            "health",
            "tools",
            "models",
            "timeline?kind=tool_call&buckets=120",
            "timeline?kind=llm_call&buckets=120",
            "timeline?kind=cache&buckets=120",
            "session_list?limit=8",
            "changes",
        ],
    ),
    (
        "tools",
        &["tools", "timeline?kind=tool_call&buckets=120", "errors"],
    ),
    (
        "one tool",
        &[
            "tools",
            "timeline?kind=tool_call&name=tool-3&buckets=400",
            "changes",
        ],
    ),
    (
        "models and cost",
        &[
            "models",
            "timeline?kind=llm_call&buckets=120",
            "timeline?kind=llm_call&name=gpt-5&buckets=120",
        ],
    ),
    ("caches", &["caches", "timeline?kind=cache&buckets=120"]),
    (
        "queries",
        &["queries", "trends", "timeline?kind=query&buckets=120"],
    ),
    (
        "agents, with a heatmap by the hour",
        &["agents", "timeline?buckets=800"],
    ),
    (
        "sessions",
        &["session_list?limit=100", "sessions", "agents"],
    ),
    ("one session", &["trace?session={session}"]),
    ("one trace", &["trace?trace={trace}"]),
    ("the latest session", &["trace"]),
    (
        "system",
        &[
            "metrics",
            "timeline?kind=metric&name=system.cpu.utilization&buckets=120",
            "storage",
        ],
    ),
    ("report", &["report"]),
];
/// Each is opened so often after the first time.
const TIMES: usize = 20;

/// How long each view takes until the last of its answers is there.
pub(crate) fn views(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.sessions(10_000_000)?;
    let server = Server::start(lab.tacho(), &home, &[])?;
    let address = server.address("dashboard")?;
    let one = latest(address)?;
    let mut rows = Vec::new();
    for (view, asked) in VIEWS {
        let paths: Vec<String> = asked.iter().map(|asked| path(asked, &one)).collect();
        let mut clients = paths
            .iter()
            .map(|_| Client::to(address))
            .collect::<Result<Vec<_>>>()?;
        let first = open(&mut clients, &paths)?;
        let mut all = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            all.push(open(&mut clients, &paths)?);
        }
        let (p50, p99) = (middle(&mut all, 0.5), middle(&mut all, 0.99));
        let many = match asked.len() {
            1 => "1 question".to_owned(),
            many => format!("{many} questions at once"),
        };
        rows.push(Row::new(
            &format!("{view}, {many}"),
            "≤ 300 ms",
            format!("{} (p99 {}, first {})", time(p50), time(p99), time(first)),
        ));
    }
    let resident = server.resident_bytes()?;
    rows.push(Row::new(
        "resident memory after all of them",
        "–",
        mebibytes(resident),
    ));
    Ok(rows)
}

/// A session and one of its traces.
struct One {
    session: String,
    trace: String,
}

/// The session that was seen last, of a server that has just been started for
/// it: what it reads for that is not kept for the views.
fn latest(address: SocketAddr) -> Result<One> {
    let statement = "SELECT session_id, trace_id FROM events WHERE trace_id IS NOT NULL AND \
                     timestamp > '2025-11-20T11:00:00Z' ORDER BY timestamp DESC LIMIT 1";
    let query = statement.replace(' ', "%20").replace('>', "%3E");
    let body = Client::to(address)?.get(&format!("/api/v1/sql?query={query}"))?;
    let answer: Json = serde_json::from_slice(&body)?;
    let text = |column: &str| answer[0][column].as_str().map(str::to_owned);
    let found = text("session_id").zip(text("trace_id"));
    let (session, trace) = found.with_context(|| format!("no session in {answer}"))?;
    Ok(One { session, trace })
}

fn path(asked: &str, one: &One) -> String {
    let asked = asked
        .replace("{session}", &one.session)
        .replace("{trace}", &one.trace);
    let (name, params) = asked.split_once('?').unwrap_or((&asked, ""));
    match name {
        // What lies on the disk has no window.
        "storage" => "/api/v1/storage".to_owned(),
        _ => format!("/api/v1/{name}?days=30&as_of={ANCHOR}&{params}")
            .trim_end_matches('&')
            .to_owned(),
    }
}

/// Asks everything at once; until the last answer.
fn open(clients: &mut [Client], paths: &[String]) -> Result<Duration> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        let asked = clients.iter_mut().zip(paths);
        let asked: Vec<_> = asked
            .map(|(client, path)| scope.spawn(move || client.get(path)))
            .collect();
        for answer in asked {
            answer.join().map_err(|_| anyhow!("asking panicked"))??;
        }
        Ok(began.elapsed())
    })
}

#[cfg(test)]
mod tests {
    use super::{One, path};

    #[test]
    fn questions_are_of_a_month() {
        let one = One {
            session: "s".to_owned(),
            trace: "t".to_owned(),
        };
        let month = "days=30&as_of=2025-11-20T12:00:00Z";
        let cases = [
            ("health", format!("/api/v1/health?{month}")),
            (
                "trace?trace={trace}",
                format!("/api/v1/trace?{month}&trace=t"),
            ),
            ("storage", "/api/v1/storage".to_owned()),
        ];
        for (asked, wanted) in cases {
            assert_eq!(path(asked, &one), wanted);
        }
    }
}
