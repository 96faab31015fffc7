//! The page of `tacho demo`: on a terminal, or when it is asked for; in nobody's way
//! elsewhere.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::harness::{Desk, Server, eventually, on_terminal};

/// A demo with more flags, its home, and a browser that writes down what it opens.
struct Stage {
    desk: Desk,
    opened: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let desk = Desk::new();
        let opened = desk.user().join("opened");
        let bin = desk.user().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let browser = bin.join("xdg-open");
        let script = format!("#!/bin/sh\necho \"$1\" >> {}\n", opened.display());
        std::fs::write(&browser, script).unwrap();
        std::fs::set_permissions(&browser, PermissionsExt::from_mode(0o755)).unwrap();
        Self { desk, opened }
    }

    fn home(&self) -> PathBuf {
        self.desk.cwd().join("tachograph-demo")
    }

    fn demo(&self, args: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = self.desk.command(&[&["demo"], args].concat());
        let bin = self.desk.user().join("bin");
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .envs(env.iter().copied());
        command
    }

    fn opened(&self) -> String {
        std::fs::read_to_string(&self.opened).unwrap_or_default()
    }
}

fn json(server: &Server, path: &str) -> Json {
    let (status, body) = server.get("dashboard", path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn a_terminal_shows_where_the_page_is_until_it_is_ended() {
    let stage = Stage::new();
    let (child, seen) = on_terminal(stage.demo(&["--port", "0"], &[("DISPLAY", ":0")]));
    let mut server = Server::of(child, &stage.home());
    let address = server.address("dashboard");
    let page = format!("http://{address}/#/overview?range=14d");
    eventually("the browser opens it", || {
        stage.opened() == format!("{page}\n")
    });
    assert_eq!(server.get("dashboard", "/").0, 200);
    for door in ["otlp_grpc", "otlp_http", "json", "prometheus", "statsd"] {
        assert_eq!(server.ready[door], Json::Null, "{door}");
    }
    let tools = json(&server, "/api/v1/tools?days=14");
    assert!(
        tools["tools"]["calls"]["succeeded"].as_u64() > Some(10_000),
        "{tools}"
    );
    // What lives at once, and goes on: made up as the rest, and nothing of this machine.
    let sources = || {
        let live = json(&server, "/api/v1/live?family=metric&window=300");
        live["series"].as_array().unwrap().clone()
    };
    eventually("live figures", || !sources().is_empty());
    let before = crate::harness::events_in(&stage.home()).len();
    eventually("more of them", || {
        crate::harness::events_in(&stage.home()).len() > before
    });
    // Measurements of the invented machine alone: each at the same part of a second.
    let log = crate::harness::events_in(&stage.home());
    let measured = log
        .iter()
        .filter(|event| event["name"] == "cpu_usage_percent");
    let parts: BTreeSet<&str> = measured
        .filter_map(|event| Some(event["timestamp"].as_str()?.split_once('.')?.1))
        .collect();
    assert_eq!(parts.len(), 1, "{parts:?}");
    // Nobody takes its home away meanwhile.
    stage
        .desk
        .tacho(&["demo"])
        .fails(1, &["a server already runs", "hint: "]);
    assert_eq!(server.end(Signal::INT).0, Some(0));
    let seen = seen.join().unwrap();
    assert!(
        seen.contains(&page) && seen.contains("Ctrl-C ends it"),
        "{seen}"
    );
    // And it is filled anew, with nothing left of what came after.
    stage.desk.ok(&["demo"]);
    assert!(crate::harness::events_in(&stage.home()).is_empty());
}

#[test]
fn into_a_pipe_it_prints_and_ends_unless_it_is_to_serve() {
    let stage = Stage::new();
    let said = stage.demo(&[], &[("DISPLAY", ":0")]).output().unwrap();
    assert_eq!(said.status.code(), Some(0));
    let stdout = String::from_utf8(said.stdout).unwrap();
    assert!(
        stdout.contains("=== ") && !stdout.contains("http://"),
        "{stdout}"
    );

    let end = "2025-11-20T12:00:00Z";
    let args = ["--serve", "--port", "0", "--as-of", end];
    let mut serving = stage.demo(&args, &[("DISPLAY", ":0")]);
    serving.stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = Server::of(serving.spawn().unwrap(), &stage.home());
    let all = json(&server, "/api/v1/health?days=1");
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    // What ended at an instant stays as it is, and no browser was asked.
    assert!(crate::harness::events_in(&stage.home()).is_empty(), "{all}");
    assert_eq!(stage.opened(), "");
    assert_eq!(server.end(Signal::TERM).0, Some(0));
}

#[test]
fn a_browser_is_opened_for_whoever_sees_it() {
    for (args, env) in [
        (&[][..], &[][..]),
        (&["--no-open"], &[("DISPLAY", ":0")]),
        (&[], &[("DISPLAY", ":0"), ("CI", "true")]),
        (&[], &[("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")]),
    ] {
        let stage = Stage::new();
        let args = [args, &["--port", "0"]].concat();
        let (child, seen) = on_terminal(stage.demo(&args, env));
        let mut server = Server::of(child, &stage.home());
        assert_eq!(server.get("dashboard", "/").0, 200);
        assert_eq!(server.end(Signal::INT).0, Some(0));
        drop(seen.join());
        assert_eq!(stage.opened(), "", "{args:?} {env:?}");
    }
    // And where nothing is served nothing is opened.
    let stage = Stage::new();
    let (mut child, seen) = on_terminal(stage.demo(&["--no-serve"], &[("DISPLAY", ":0")]));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!seen.join().unwrap().contains("http://"));
    assert_eq!(stage.opened(), "");
}

#[test]
fn a_port_that_is_taken_is_no_matter_unless_it_was_asked_for() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let stage = Stage::new();
    stage
        .desk
        .tacho(&["demo", "--serve", "--port", &port])
        .fails(1, &["another program listens there", "--port"]);
}
