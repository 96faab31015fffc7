//! `tacho start`: one command in an empty home, and how it ends.
#![cfg(unix)]

mod keeping;
mod settings;

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::harness::{ANY_PORTS, Desk, eventually};

/// Leaving takes no longer.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

fn run(desk: &Desk, args: &[&str]) -> crate::harness::Said {
    let mut line = vec!["start"];
    line.extend(ANY_PORTS);
    line.extend(args);
    desk.tacho(&line)
}

#[test]
fn an_empty_home_is_served_at_once_and_left_in_peace() {
    let desk = Desk::new();
    let mut server = desk.serve(&[]);
    assert_eq!(server.ready["home"], desk.home().to_str().unwrap());
    assert_eq!(server.ready["statsd"], Json::Null);
    for door in ["dashboard", "otlp_grpc", "otlp_http", "json", "prometheus"] {
        assert!(server.address(door).ip().is_loopback());
        // Each answers, if only that it serves nothing there.
        let (status, _) = server.get(door, "/nothing-here");
        assert!((200..500).contains(&status), "{door}: {status}");
    }
    let screen = server.screen();
    let http = server.ready["otlp_http"].as_str().unwrap();
    let api = server.ready["dashboard"].as_str().unwrap();
    for words in [
        format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf".to_owned(),
        "tachograph::init()".to_owned(),
        format!("export TACHOGRAPH_HOME={}", desk.home().display()),
        format!("curl http://{api}/api/v1/events"),
        "Ctrl-C".to_owned(),
    ] {
        assert!(screen.contains(&words), "{words}: {screen}");
    }
    assert!(!screen.contains('\u{1b}'), "into a file nothing is painted");
    let home = desk.home().display().to_string();
    for line in screen.replace(&home, "~/.tachograph").lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(
        desk.server_log().contains("info    serving"),
        "{}",
        desk.server_log()
    );
    let (code, took) = server.end(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(took < LEAVE_WITHIN, "{took:?}");
    assert!(!server.is_ready(), "nothing is ready any more");
    assert!(desk.server_log().contains("stopped"));
}

#[test]
fn it_serves_though_nobody_reads_what_it_says() {
    let desk = Desk::new();
    let mut line = vec!["start", "--ready-file", "ready.json"];
    line.extend(ANY_PORTS);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut server = desk
        .command(&line)
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let ready = desk.cwd().join("ready.json");
    eventually("ready or gone", || {
        ready.exists() || server.try_wait().unwrap().is_some()
    });
    assert!(ready.exists());
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let output = server.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("stdout takes nothing"), "{stderr}");
}

#[test]
fn both_signals_end_it_and_a_second_one_is_no_harm() {
    let desk = Desk::new();
    let mut server = desk.serve(&["-q"]);
    let (code, took) = server.end(Signal::INT);
    assert_eq!(code, Some(0));
    assert!(took < LEAVE_WITHIN);
    assert_eq!(desk.server_log(), "", "-q: errors only");
    let mut server = desk.serve(&[]);
    server.signal(Signal::TERM);
    let (code, _) = server.end(Signal::TERM);
    // It may have left by then; if not, it leaves at once, as the signal says.
    assert!(matches!(code, Some(0 | 143)), "{code:?}");
}

/// A terminal that is closed stops it as well; not who was told to outlive that.
#[test]
fn a_terminal_that_closes_ends_it_unless_it_was_to_go_on() {
    let desk = Desk::new();
    let mut server = desk.serve(&[]);
    let (code, took) = server.end(Signal::HUP);
    assert_eq!(code, Some(0));
    assert!(took < LEAVE_WITHIN);
    assert!(!server.is_ready());
    let log = desk.server_log();
    assert!(log.contains("stopping signal=\"SIGHUP\""), "{log}");
    assert!(log.contains("stopped"), "{log}");
    let ready = desk.cwd().join("kept.json");
    let mut line = vec![
        "-c",
        "trap '' HUP; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_tacho"),
        "start",
        "--ready-file",
        "kept.json",
    ];
    line.extend(ANY_PORTS);
    let mut kept = desk
        .program("sh", &line)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("ready", || ready.exists());
    let pid = rustix::process::Pid::from_child(&kept);
    rustix::process::kill_process(pid, Signal::HUP).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(kept.try_wait().unwrap().is_none(), "it goes on");
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(kept.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_server_on_one_home_names_the_first() {
    let desk = Desk::new();
    let mut first = desk.serve(&[]);
    let pid = first.ready["pid"].to_string();
    let second = run(&desk, &[]);
    let api = first.ready["dashboard"].as_str().unwrap();
    second.fails(1, &["already runs", &pid, api, "hint:", "--home"]);
    // The first does not notice.
    assert_eq!(first.get("dashboard", "/nothing-here").0, 404);
    assert!(first.is_ready());
    first.end(Signal::TERM);
    let again = desk.serve(&[]);
    assert_ne!(again.ready["pid"].to_string(), pid);
}

#[test]
fn a_server_that_was_killed_is_in_nobody_s_way() {
    let desk = Desk::new();
    let mut killed = desk.serve(&[]);
    let (code, _) = killed.end(Signal::KILL);
    assert_eq!(code, None);
    assert!(killed.is_ready(), "it could not clear up");
    let server = desk.serve(&[]);
    assert_ne!(server.ready["pid"], killed.ready["pid"]);
    assert_eq!(server.get("json", "/nothing-here").0, 404);
}

/// The container's check, wherever the API listens and whatever it speaks.
#[cfg(target_os = "linux")]
#[test]
fn a_container_is_healthy_while_it_serves() {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../integrations/container/healthy"
    );
    let desk = Desk::new();
    let healthy = || {
        let mut check = desk.program("bash", &[script]);
        check.output().unwrap().status.success()
    };
    assert!(!healthy(), "no home");
    let mut server = desk.serve(&["--host", "0.0.0.0"]);
    assert!(healthy());
    server.end(Signal::TERM);
    assert!(!healthy(), "gone");
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../serve/tests/data");
    let (cert, key) = (
        format!("{data}/tls-cert.pem"),
        format!("{data}/tls-key.pem"),
    );
    let _server = desk.serve(&["--tls-cert", &cert, "--tls-key", &key]);
    assert!(healthy(), "over TLS");
}
