//! A host whose home cannot be used runs on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tachograph::Recorder;

type Heard = Arc<Mutex<Vec<String>>>;

fn listening(home: &std::path::Path) -> (Recorder, Heard) {
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    let recorder = Recorder::builder()
        .home(home)
        .on_notice(move |notice| ear.lock().expect("not poisoned").push(notice.to_owned()))
        .build();
    (recorder, heard)
}

#[test]
fn a_home_that_cannot_be_made_is_said_once_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").expect("a file");
    let (recorder, heard) = listening(&file.join("home"));
    let tool = recorder.tool("search");
    for _ in 0..1_000 {
        tool.success(Duration::from_millis(1));
    }
    recorder.record_agent_load("ada", Duration::ZERO, 1, 1);
    recorder.flush(Duration::from_secs(5));
    // Live figures need no disk.
    assert_eq!(recorder.tool_metrics("search")["total_calls"], 1_000);
    let lost: u64 = recorder.losses().iter().map(|loss| loss.count).sum();
    assert_eq!(lost, 1_001, "{:?}", recorder.losses());
    let notices = recorder.notices();
    assert!(!notices.is_empty());
    assert_eq!(*heard.lock().expect("not poisoned"), notices);
    let distinct: std::collections::HashSet<_> = notices.iter().collect();
    assert_eq!(distinct.len(), notices.len());
}

#[test]
fn no_home_at_all_keeps_live_windows() {
    let recorder = Recorder::builder()
        .on_notice(|notice| panic!("nobody asked for a log: {notice}"))
        .build();
    let tool = recorder.tool("search");
    tool.success(Duration::from_millis(1));
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!(recorder.tool_metrics("search")["total_calls"], 1);
    assert_eq!(recorder.losses(), []);
}

#[test]
fn dropping_the_last_clone_writes_everything_soon() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    let tool = recorder.clone().tool("search");
    drop(recorder);
    for _ in 0..500 {
        tool.success(Duration::from_millis(1));
    }
    let start = std::time::Instant::now();
    drop(tool); // the last that holds the recorder
    assert!(start.elapsed() < Duration::from_secs(2));
    let log = std::fs::read_to_string(folder.path().join("events.jsonl")).expect("a log");
    assert_eq!(log.lines().count(), 500);
}

#[test]
fn after_shutdown_calls_do_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    recorder.record_cache_hit("c");
    assert!(recorder.shutdown(Duration::from_secs(5)));
    recorder.record_cache_hit("c");
    recorder.flush(Duration::from_millis(10));
    drop(recorder);
    let log = std::fs::read_to_string(folder.path().join("events.jsonl")).expect("a log");
    assert_eq!(log.lines().count(), 1);
}
