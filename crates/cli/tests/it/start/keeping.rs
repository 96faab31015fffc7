//! What is sealed and removed while it serves, and live figures over that.

use std::time::Duration;

use serde_json::Value as Json;

use crate::harness::{Desk, eventually};

/// Where there is no room to seal, deleting is what makes some.
#[test]
fn retention_goes_on_though_sealing_fails() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let write = |name: &str, day: u32| {
        let line = format!(
            "{{\"timestamp\":\"2025-11-{day}T11:00:00+00:00\",\"event_type\":\"tool_call\",\"tool\":\"x\"}}\n"
        );
        std::fs::write(desk.home().join(name), line).unwrap();
    };
    write("events.jsonl", 20);
    desk.ok(&["compact"]);
    let sealed = desk.home().join("segments/day=2025-11-20");
    assert!(std::fs::read_dir(&sealed).unwrap().next().is_some());
    write("events_20251121_110000_000001.jsonl", 21);
    let log = desk.home().join("events_20251121_110000_000001.jsonl");
    let file = std::fs::File::options().append(true).open(&log).unwrap();
    let hours_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 3_600);
    file.set_modified(hours_ago).unwrap();
    // No folder can be made here.
    std::fs::write(desk.home().join("segments/day=2025-11-21"), "").unwrap();
    desk.file("keep.yaml", "retention_days: 1\n");
    let server = desk.serve(&["--config", "keep.yaml"]);
    eventually("deleted", || {
        std::fs::read_dir(&sealed).map_or(true, |mut left| left.next().is_none())
    });
    assert!(log.exists(), "not sealed, so not deleted");
    eventually("told", || {
        desk.server_log().contains("storage could not be kept")
    });
    drop(server);
}

#[test]
fn what_is_old_is_sealed_while_it_serves_and_what_is_young_stays() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let line = |at: u32| {
        format!(
            "{{\"timestamp\":\"2025-11-20T11:00:00.{at:06}+00:00\",\"event_type\":\"tool_call\",\"tool\":\"x\",\"duration_ms\":1.0,\"success\":true}}\n"
        )
    };
    let log = |name: &str, from: u32| {
        let path = desk.home().join(name);
        std::fs::write(&path, (from..from + 100).map(line).collect::<String>()).unwrap();
        path
    };
    let old = log("events_20251120_110000_000001.jsonl", 0);
    let young = log("events_20251120_120000_000001.jsonl", 100);
    let hours_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 3_600);
    let file = std::fs::File::options().append(true).open(&old).unwrap();
    file.set_modified(hours_ago).unwrap();
    let server = desk.serve(&[]);
    eventually("sealed", || !old.exists());
    assert!(young.exists());
    assert!(desk.home().join("manifest.json").exists());
    let count = "select count(*) as n from events where event_type = 'tool_call'";
    let rows = desk.ok(&["sql", "--format", "jsonl", count]).stdout;
    assert_eq!(rows.trim(), r#"{"n":200}"#);
    drop(server);
}

/// The last hour is in no log any more, and shown all the same, once.
#[test]
fn live_figures_go_back_an_hour_whatever_was_sealed_meanwhile() {
    let desk = Desk::new();
    let call = [
        "record",
        "tool_call",
        "--tool",
        "grep",
        "--duration-ms",
        "4",
    ];
    desk.ok(&call);
    desk.ok(&call);
    desk.ok(&["compact"]);
    desk.ok(&call);
    assert!(desk.home().join("segments").exists());
    let server = desk.serve(&[]);
    let path = "/api/v1/live?family=tool&window=3600";
    eventually("read in", || {
        let (_, body) = server.get("dashboard", path);
        let live: Json = serde_json::from_str(&body).unwrap();
        live["series"][0]["count"] == 3
    });
    let (_, metrics) = server.get("prometheus", "/metrics");
    assert!(
        !metrics.contains("tool_name=\"grep\""),
        "a counter has nothing of the past"
    );
    let once = desk
        .ok(&["top", "--once", "--window", "3600", "--format", "json"])
        .stdout;
    let top: Json = serde_json::from_str(&once).unwrap();
    assert!(once.contains("\"grep\""), "{top}");
}

#[test]
fn what_was_sealed_and_is_not_in_the_live_figures_is_in_the_log() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "grep"]);
    desk.ok(&["compact"]);
    let manifest = std::fs::read(desk.home().join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let segment = manifest["segments"][0]["path"].as_str().unwrap();
    std::fs::write(desk.home().join(segment), "no Parquet").unwrap();
    let server = desk.serve(&[]);
    eventually("told", || {
        let log = desk.server_log();
        let told =
            |line: &str| line.contains("live figures do not have all") && line.contains(segment);
        log.lines().filter(|line| told(line)).count() == 1
    });
    drop(server);
}
