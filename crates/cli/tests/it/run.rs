//! `tacho run`: the command's own streams, exit code and signals.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::Desk;

#[test]
fn exit_code_and_streams_are_the_command_s() {
    let desk = Desk::new();
    let said = desk.tacho_with(
        &["run", "--", "sh", "-c", "cat; echo words >&2; exit 3"],
        b"from stdin",
    );
    assert_eq!(said.code, Some(3));
    assert_eq!(
        (said.stdout.as_str(), said.stderr.as_str()),
        ("from stdin", "words\n")
    );
    let event = &desk.events()[0];
    assert_eq!(event["event_type"], "tool_call");
    assert_eq!(event["tool"], "sh");
    assert_eq!(event["success"], false);
    assert_eq!(event["error_type"], "exit_3");
    assert!(event["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(
        !event.to_string().contains("echo"),
        "arguments are not recorded: {event}"
    );
}

#[test]
fn success_is_recorded_under_a_name() {
    let desk = Desk::new();
    desk.ok(&["run", "--name", "build", "sleep", "0.05"]);
    let event = &desk.events()[0];
    assert_eq!(
        (&event["tool"], &event["success"]),
        (&"build".into(), &true.into())
    );
    assert!(event.get("error_type").is_none());
    let ms = event["duration_ms"].as_f64().unwrap();
    assert!((50.0..5_000.0).contains(&ms), "{ms}");
}

#[test]
fn a_signal_kills_both_alike() {
    let desk = Desk::new();
    let status = desk
        .command(&["run", "--", "sh", "-c", "kill -TERM $$"])
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(15));
    assert_eq!(desk.events()[0]["error_type"], "signal_15");
    let status = desk
        .command(&["run", "--", "sh", "-c", "kill -KILL $$"])
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9));
    assert_eq!(desk.events()[1]["error_type"], "signal_9");
}

#[test]
fn a_signal_to_us_reaches_the_command_and_is_recorded() {
    let desk = Desk::new();
    let script = "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
    let mut child = desk
        .command(&["run", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "ready\n");
    let kill = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it did not end");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(7));
    assert_eq!(desk.events()[0]["error_type"], "exit_7");
}

#[test]
fn a_command_that_is_not_there() {
    let desk = Desk::new();
    desk.tacho(&["run", "--", "no-such-command"])
        .fails(127, &["cannot run no-such-command: no such command"]);
    assert_eq!(desk.events()[0]["error_type"], "command_not_found");
    let file = desk.file("plain", "not a program");
    desk.tacho(&["run", "--", file.to_str().unwrap()])
        .fails(126, &["permission denied"]);
    desk.tacho(&["run"]).fails(2, &["COMMAND"]);
    assert_eq!(desk.events().len(), 2);
    for name in ["", "  ", &"x".repeat(257)] {
        let said = desk.tacho(&["run", "--name", name, "--", "touch", "ran"]);
        said.fails(2, &["is not a name of 1 to 256 bytes", "hint: "]);
    }
    assert!(!desk.cwd().join("ran").exists(), "a mistake is told first");
}

#[test]
fn a_failure_to_record_changes_nothing() {
    let desk = Desk::new();
    std::fs::write(desk.home(), "a file").unwrap();
    let said = desk.tacho(&["run", "--", "sh", "-c", "exit 5"]);
    said.fails(5, &["warning: not recorded"]);
    let output = desk
        .command(&["run", "--", "true"])
        .env("METRICS_SLOW_THRESHOLD_MS", "soon")
        .output()
        .unwrap();
    assert!(output.status.success());
}
