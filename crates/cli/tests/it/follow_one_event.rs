//! The guided tour: one event from the instant it is recorded to the answer it
//! becomes part of. Read it from top to bottom; each step is one room.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use tachograph::Recorder;

use crate::harness::{Desk, Server, events_in, eventually};

/// Set for the child process, which plays the agent.
const HOME: &str = "FOLLOW_ONE_EVENT_HOME";

#[test]
fn follow_one_event() {
    let desk = Desk::new();

    // 1. RECORD. An agent, a process of its own, embeds the recorder (crate
    //    `tachograph`). A call writes a few words into a ring: memory that is
    //    mapped from a file, so it costs nanoseconds and no system call. Then
    //    the agent is killed, by the signal that no program can answer.
    let agent = play_the_agent(&desk);
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&agent),
        Some(9)
    );

    // 2. KILLED. The agent's drain thread, which carries events from rings to
    //    the log, had been told to take an hour over it: nothing is in the log.
    assert_eq!(events_in(&desk.home()).len(), 0);

    // 3. RECOVER. But the ring outlived the process. Whatever command reads the
    //    home first, finds it, and moves its events into the log
    //    (`record/recover.rs`, called by `cli/place.rs`).
    let said = desk.ok(&[
        "-v",
        "sql",
        "--format",
        "json",
        "select count(*) as n from events",
    ]);
    assert!(
        said.stderr
            .contains("took in 3 events that 1 dead processes had recorded"),
        "{said:?}"
    );
    let log = events_in(&desk.home());
    assert_eq!(log.len(), 3);
    //    A line of the log is the first seed's format: any JSON tool reads it.
    let event = &log[0];
    assert_eq!(event["event_type"], "tool_call");
    assert_eq!(event["tool"], "search");
    assert_eq!(event["duration_ms"], 12.5);
    assert_eq!(event["success"], true);

    // 4. ASK. The report (`cli` → `analyze` → `store`) reads the log as it
    //    lies.
    assert_eq!(calls_of_search(&desk), (2, 1));

    // 5. SEAL. `compact` turns the log into Parquet, with rollups beside it
    //    (`store/seal.rs`); the log is deleted only when the manifest names
    //    what took its place.
    let sealed = desk.ok(&["compact", "--json"]).json();
    assert_eq!(sealed["sealed"]["events"], 3);
    assert_eq!(events_in(&desk.home()).len(), 0);
    assert!(desk.home().join("manifest.json").is_file());

    // 6. ASK AGAIN. The same question, from the sealed segment: the same
    //    answer.
    assert_eq!(calls_of_search(&desk), (2, 1));

    // 7. OUT AGAIN. The export gives back the very line.
    let exported = desk.ok(&["export", "--format", "jsonl"]).stdout;
    let first: serde_json::Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    assert_eq!(first, *event);

    // 8. SERVE. `tacho start` opens the doors on the same home (`serve/server.rs`).
    //    An agent in any language sends an event by HTTP; the answer comes when
    //    it is on the disk (`serve/ingest/journal.rs`), beside all the others.
    let mut server = desk.serve(&[]);
    let sent = r#"{"event_type":"tool_call","tool":"search","duration_ms":7.5,"success":true}"#;
    let json = ["content-type: application/json"];
    let (status, answer) = server.ask("dashboard", "POST", "/api/v1/events", &json, sent);
    assert_eq!(status, 200, "{answer}");
    let log = events_in(&desk.home());
    let stored = log.iter().filter(|event| event["duration_ms"] == 7.5);
    assert_eq!(stored.count(), 1, "acknowledged, so it is there: {log:?}");

    // 9. SCRAPE. The server follows the log (`serve/live`), and shows what
    //    happens now to whoever asks: Prometheus (`serve/expose`) sees the call
    //    within moments.
    let calls = |server: &Server, success: bool| {
        let (status, page) = server.get("prometheus", "/metrics");
        assert_eq!(status, 200, "{page}");
        let status = if success {
            "status=\"ok\""
        } else {
            "status=\"error\""
        };
        let of_search = |line: &&str| {
            line.starts_with("tachograph_tool_calls_total{")
                && line.contains("\"search\"")
                && line.contains(status)
        };
        let lines = page.lines().filter(of_search);
        let value = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok());
        lines.filter_map(value).sum::<f64>()
    };
    eventually("scraped", || calls(&server, true) == 1.0);

    // 10. WHATEVER IS RECORDED SHOWS UP. The agent of step 1 again: it knows no
    //     server, and is killed as before. The server finds its ring
    //     (`cli/start/background.rs`), and the failed call is in the next scrape.
    play_the_agent(&desk);
    eventually("its ring was found", || calls(&server, false) == 1.0);
    assert_eq!(calls(&server, true), 2.0);

    // 11. LEAVE. Told to stop, it leaves at once; nothing is lost, and the
    //     report counts what came by each way.
    let (code, _) = server.end(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0));
    assert_eq!(calls_of_search(&desk), (5, 2));
}

/// Calls and failures of the tool `search`, as the report tells them.
fn calls_of_search(desk: &Desk) -> (u64, u64) {
    let sql = "select count(*) as calls, count(*) filter (where not success) as failures \
               from events where event_type = 'tool_call' and name = 'search'";
    let rows = desk.ok(&["sql", "--format", "jsonl", sql]).stdout;
    let row: serde_json::Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    (
        row["calls"].as_u64().unwrap(),
        row["failures"].as_u64().unwrap(),
    )
}

fn play_the_agent(desk: &Desk) -> std::process::ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "follow_one_event::the_agent"])
        .env(HOME, desk.home())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

/// The agent's program: the child process of the test above. Run by itself it
/// has no home to work in, and ends at once.
#[test]
fn the_agent() {
    let Some(home) = std::env::var_os(HOME) else {
        return;
    };
    let home = std::path::PathBuf::from(home);
    let recorder = Recorder::builder()
        .home(&home)
        .ring_dir(home.with_file_name("run"))
        .drain_interval(Duration::from_secs(3_600))
        .build();
    // The drain looks once when it starts, and then not for an hour.
    std::thread::sleep(Duration::from_millis(300));
    let search = recorder.tool("search");
    search.success(Duration::from_micros(12_500));
    search.failure(Duration::from_secs(30), "TimeoutError");
    recorder.record_cache_hit("pages");
    let own = rustix::process::getpid();
    let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    // The signal is on its way.
    std::thread::sleep(Duration::from_secs(60));
}
