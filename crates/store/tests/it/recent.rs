//! What was sealed of late is handed on as it lay in the log.

use std::collections::HashSet;
use std::time::Duration;

use tachograph_log::Home;
use tachograph_model::port::Sealed;
use tachograph_model::{Column, Event, UnixNanos, Value};

use crate::common::{Place, SECOND};

/// A call so many seconds ago.
fn call(now: i64, seconds: i64) -> Event {
    let mut event = Event::new(UnixNanos(now - seconds * SECOND), "tool_call");
    event.set(Column::Name, Some(Value::Str(format!("t{}", seconds % 7))));
    event.set(Column::DurationMs, Some(Value::F64(seconds as f64 / 4.0)));
    event.set(Column::Success, Some(Value::Bool(seconds % 3 == 0)));
    event
}

/// As the log has it: whole microseconds.
fn now() -> i64 {
    UnixNanos::now().0 / 1_000 * 1_000
}

/// What is said, and the lines.
fn sealed_since(place: &Place, since: UnixNanos) -> (Sealed, Vec<u8>) {
    let mut lines = Vec::new();
    let sealed = place.store().sealed_since(since, &mut |slice| {
        lines.extend_from_slice(slice);
        true
    });
    (sealed.unwrap(), lines)
}

fn names(home: &Home) -> HashSet<String> {
    let files = home.files().unwrap().files.into_iter();
    files
        .map(|file| {
            file.path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn the_last_hour_comes_back_line_by_line_in_order_of_time() {
    let place = Place::new();
    let now = now();
    // As they came: not in the order of their times, and the old among them.
    let all: Vec<Event> = (0..3_000).map(|at| call(now, at * 7919 % 9_000)).collect();
    let since = UnixNanos(now - 3_600 * SECOND);
    let check = |sealed: usize, after: &str| {
        let (found, lines) = sealed_since(&place, since);
        let mut wanted: Vec<&Event> = all[..sealed].iter().filter(|e| e.time >= since).collect();
        wanted.sort_by_key(|event| event.time);
        let wanted: Vec<u8> = wanted.into_iter().flat_map(Event::to_line).collect();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&lines), text(&wanted), "{after}");
        assert_eq!((found.left_out, found.cut_at), (vec![], None), "{after}");
        found.logs
    };
    assert!(check(0, "an empty home").is_empty());
    place.append(&all[..1_000]);
    assert!(check(0, "in the log").is_empty());
    let there = names(&place.home);
    place.seal();
    // The log has gone: what it was is said.
    let logs = check(1_000, "sealed");
    assert_eq!(logs.len(), 1);
    assert!(!there.contains(&logs[0].name) && logs[0].name.ends_with(".jsonl"));
    place.append(&all[1_000..2_000]);
    check(1_000, "half sealed");
    place.seal();
    place.append(&all[2_000..]);
    place.seal();
    check(3_000, "sealed thrice");
    assert!(place.store().compact(Duration::ZERO).unwrap().joined > 0);
    assert_eq!(check(3_000, "joined").len(), 3);
}

#[test]
fn a_damaged_segment_is_named_and_the_rest_comes() {
    let place = Place::new();
    let now = now();
    for from in [0, 100] {
        let some: Vec<Event> = (from..from + 100).map(|at| call(now, at)).collect();
        place.append(&some);
        place.seal();
    }
    let path = place.snapshot().segments()[0].path.clone();
    std::fs::write(place.home.root().join(path), "no Parquet").unwrap();
    let (found, lines) = sealed_since(&place, UnixNanos(0));
    assert_eq!(lines.split(|byte| *byte == b'\n').count(), 101);
    assert_eq!(found.left_out.len(), 1, "{found:?}");
}

#[test]
fn alerts_come_whole_and_others_without_what_tells_of_them_alone() {
    let place = Place::new();
    let now = now();
    let told = |event: Event| {
        let mut tags = serde_json::Map::new();
        tags.insert("condition".to_owned(), "p95 > 3".into());
        event
            .with(Column::Tags, tags)
            .with(Column::TraceId, "trace")
            .with(Column::Text, "what was said")
    };
    let alert = Event::new(UnixNanos(now - 5 * SECOND), "alert").with(Column::Name, "slow");
    let alert = told(alert);
    let (older, newer) = (call(now, 9), call(now, 1));
    let mut odd = told(newer.clone());
    odd.extra.insert("odd".to_owned(), "[1]".to_owned());
    place.append(&[told(older.clone()), alert.clone(), odd]);
    place.seal();
    let (_, lines) = sealed_since(&place, UnixNanos(0));
    let wanted = [older, alert, newer].map(|event| event.to_line()).concat();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&lines), text(&wanted));
}
