//! The log as a sink: what it has said yes to is there, whatever happens to
//! the file.

use std::fs;

use tachograph_log::{DurableLog, Home};
use tachograph_model::{Column, Event, Sink, UnixNanos};

fn events(names: &[&str]) -> Vec<Event> {
    let event = |name: &&str| Event::new(UnixNanos(1), "tool_call").with(Column::Name, *name);
    names.iter().map(event).collect()
}

/// The names of what stands in a home's log, oldest first.
fn names(home: &Home) -> Vec<String> {
    let mut names = Vec::new();
    for file in home.files().unwrap().files {
        for line in fs::read(file.path).unwrap().split(|byte| *byte == b'\n') {
            if let Ok(event) = Event::from_line(line) {
                names.push(event.str(Column::Name).unwrap_or_default().to_owned());
            }
        }
    }
    names
}

#[test]
fn batches_come_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = DurableLog::new(&home);
    log.put(&events(&["a", "b"])).unwrap();
    log.put(&events(&[])).unwrap();
    log.put(&events(&["c"])).unwrap();
    assert_eq!(names(&home), ["a", "b", "c"]);
}

#[test]
fn a_log_taken_away_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = DurableLog::new(&home);
    log.put(&events(&["a"])).unwrap();
    fs::remove_file(home.log()).unwrap();
    log.put(&events(&["b"])).unwrap();
    assert_eq!(names(&home), ["b"]);
    fs::rename(
        home.log(),
        dir.path().join("events_20251120_110000_000001.jsonl"),
    )
    .unwrap();
    log.put(&events(&["c"])).unwrap();
    assert_eq!(names(&home), ["b", "c"]);
}

#[test]
fn a_home_taken_away_is_an_error_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path().join("home")).unwrap();
    let log = DurableLog::new(&home);
    log.put(&events(&["a"])).unwrap();
    fs::remove_dir_all(home.root()).unwrap();
    let error = log.put(&events(&["b"])).unwrap_err();
    assert!(error.to_string().contains("events.lock"), "{error}");
    Home::create(home.root()).unwrap();
    log.put(&events(&["b"])).unwrap();
    assert_eq!(names(&home), ["b"]);
}
