//! Sealing, compacting, keeping.

use std::fs;
use std::time::Duration;

use tachograph_log::Home;
use tachograph_model::{Column, Event, UnixNanos, Window};
use tachograph_store::{Retention, SealOptions, Segment, Store, StoreError};

use crate::common::{BASE, Place, SECOND, lines_of, rich, tool_call};

#[test]
fn what_was_put_comes_back_before_and_after() {
    let place = Place::new();
    let events: Vec<Event> = (0..200).map(rich).chain((0..200).map(tool_call)).collect();
    place.append(&events);
    let wanted = lines_of(events.iter().cloned());
    assert_eq!(place.lines(), wanted);
    let report = place.seal();
    assert_eq!((report.events, report.logs), (400, 1));
    assert_eq!(place.lines(), wanted);
    for event in place.snapshot().events(Window::ALL).unwrap() {
        assert!(events.contains(&event), "{event:?}");
    }
    assert_eq!(place.seal().events, 0);
}

#[test]
fn many_steps_and_many_seals_make_many_segments_and_one_after_compacting() {
    let place = Place::new();
    let events: Vec<Event> = (0..3_000).map(tool_call).collect();
    for part in events.chunks(1_000) {
        place.append(part);
        let options = SealOptions {
            step_bytes: 40_000,
            ..SealOptions::default()
        };
        place.store().seal(options).unwrap();
    }
    let before = place.snapshot().segments().len();
    assert!(before > 6, "{before}");
    assert_eq!(place.lines(), lines_of(events.iter().cloned()));
    let report = place.store().compact(Duration::ZERO).unwrap();
    assert_eq!(report.joined, before);
    assert_eq!(place.snapshot().segments().len(), 1);
    assert_eq!(place.lines(), lines_of(events.into_iter()));
    assert_eq!(place.store().compact(Duration::ZERO).unwrap().joined, 0);
}

#[test]
fn who_has_little_memory_joins_less_at_once() {
    let place = Place::new();
    let events: Vec<Event> = (0..400).map(tool_call).collect();
    for part in events.chunks(100) {
        place.append(part);
        place.seal();
    }
    let options = || SealOptions {
        join_rows: 250,
        ..SealOptions::default()
    };
    let report = place.store().compact_with(options()).unwrap();
    assert_eq!((report.joined, report.written), (4, 2));
    // What fits no more is left, not written anew again and again.
    assert_eq!(place.store().compact_with(options()).unwrap().joined, 0);
    assert_eq!(place.lines(), lines_of(events.into_iter()));
}

#[test]
fn only_the_logs_that_are_named_are_sealed() {
    let place = Place::new();
    let events: Vec<Event> = (0..300).map(tool_call).collect();
    let home = Home::at(place.store().home().root());
    for part in events.chunks(100) {
        place.append(part);
        if part[0] != events[200] {
            tachograph_log::Appender::new(&home)
                .lock()
                .unwrap()
                .rotate()
                .unwrap();
        }
    }
    let logs = || -> Vec<_> { home.files().unwrap().files };
    let before = logs();
    assert_eq!(before.len(), 3);
    let wanted = lines_of(events.into_iter());
    // The older of the rotated ones, one that is not there, and the live one,
    // which is being written and stays.
    let only = [
        before[0].path.clone(),
        home.root().join("events_no.jsonl"),
        home.log(),
    ];
    let options = SealOptions {
        only: Some(&only),
        ..SealOptions::default()
    };
    let report = place.store().seal(options).unwrap();
    assert_eq!((report.events, report.logs), (100, 1));
    assert_eq!(logs(), before[1..]);
    assert_eq!(place.lines(), wanted);
    assert_eq!(place.seal().events, 200);
    assert_eq!(place.lines(), wanted);
}

#[test]
fn two_sealers_at_once_seal_everything_once() {
    let place = Place::new();
    let events: Vec<Event> = (0..2_000).map(tool_call).collect();
    place.append(&events);
    let total: u64 = std::thread::scope(|scope| {
        let seal = || {
            let options = SealOptions {
                wait: Duration::from_secs(60),
                step_bytes: 50_000,
                ..SealOptions::default()
            };
            place.store().seal(options).unwrap().events
        };
        let other = scope.spawn(seal);
        seal() + other.join().unwrap()
    });
    assert_eq!(total, 2_000);
    assert_eq!(place.lines(), lines_of(events.into_iter()));
}

#[test]
fn a_second_sealer_that_will_not_wait_is_told() {
    let place = Place::new();
    place.append(&[tool_call(1)]);
    let store = place.store();
    let mut seen = None;
    let mut hook = || {
        seen = Some(store.seal(SealOptions::default()));
        Ok(())
    };
    let options = SealOptions {
        before_seal: Some(&mut hook),
        ..SealOptions::default()
    };
    store.seal(options).unwrap();
    assert!(matches!(seen, Some(Err(StoreError::Busy { .. }))));
}

#[test]
fn what_the_hook_adds_is_kept() {
    let place = Place::new();
    place.append(&[tool_call(1)]);
    let mut hook = || {
        place.append(&[tool_call(2)]);
        Ok(())
    };
    let options = SealOptions {
        before_seal: Some(&mut hook),
        ..SealOptions::default()
    };
    place.store().seal(options).unwrap();
    assert_eq!(place.lines().len(), 2);
}

#[test]
fn a_store_for_reading_changes_nothing() {
    let place = Place::new();
    place.append(&[tool_call(1)]);
    let store = Store::open_readonly(&place.home);
    assert!(matches!(
        store.seal(SealOptions::default()),
        Err(StoreError::ReadOnly { .. })
    ));
    assert!(matches!(
        store.compact(Duration::ZERO),
        Err(StoreError::ReadOnly { .. })
    ));
    assert!(matches!(
        store.repair(Duration::ZERO),
        Err(StoreError::ReadOnly { .. })
    ));
    assert_eq!(
        store
            .snapshot()
            .unwrap()
            .events(Window::ALL)
            .unwrap()
            .count(),
        1
    );
    let held = || {
        let mut held: Vec<_> = fs::read_dir(place.home.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        held.sort();
        held
    };
    let before = held();
    assert!(
        store
            .retain(
                Retention {
                    max_age: None,
                    max_bytes: Some(0)
                },
                UnixNanos(i64::MAX),
                Duration::ZERO
            )
            .is_err()
    );
    store.stats().unwrap();
    store.doctor().unwrap();
    assert_eq!(held(), before);
    // Nor is a home made where there is none.
    let nowhere = Home::at(place.home.root().join("nowhere"));
    let store = Store::open_readonly(&nowhere);
    assert_eq!(store.snapshot().unwrap().log_bytes(), 0);
    store.stats().unwrap();
    store.doctor().unwrap();
    assert!(!nowhere.root().exists());
}

#[test]
fn retention_removes_whole_old_days_and_says_so() {
    let place = Place::new();
    let day = 86_400 * SECOND;
    for number in 0..5 {
        let events: Vec<Event> = (0..10)
            .map(|n| {
                let mut event = tool_call(n);
                event.time = UnixNanos(BASE + number * day + n);
                event
            })
            .collect();
        place.append(&events);
        place.seal();
    }
    let now = UnixNanos(BASE + 4 * day);
    let store = place.store();
    let snapshot = place.snapshot();
    let segments: &[Segment; 5] = snapshot.segments().try_into().unwrap();
    let paths = segments
        .each_ref()
        .map(|segment| snapshot.segment_path(segment));
    let sizes = segments.each_ref().map(|segment| segment.bytes);
    let nothing = store
        .retain(Retention::default(), now, Duration::ZERO)
        .unwrap();
    assert_eq!(nothing.events, 0);
    let by_age = Retention {
        max_age: Some(Duration::from_secs(2 * 86_400)),
        max_bytes: None,
    };
    let report = store.retain(by_age, now, Duration::ZERO).unwrap();
    assert_eq!(report.segments, paths[..2]);
    assert_eq!((report.events, report.bytes), (20, sizes[0] + sizes[1]));
    assert_eq!(report.kept_from, Some(UnixNanos(BASE + 2 * day)));
    assert_eq!(
        paths.map(|path| path.exists()),
        [false, false, true, true, true]
    );
    assert_eq!(place.lines().len(), 30);
    let one = place.snapshot().segments()[0].bytes;
    let by_size = Retention {
        max_age: None,
        max_bytes: Some(one + one / 2),
    };
    assert_eq!(
        store.retain(by_size, now, Duration::ZERO).unwrap().events,
        20
    );
    assert_eq!(place.lines().len(), 10);
    // Of today the newest stays, whatever is asked.
    let all = Retention {
        max_age: Some(Duration::ZERO),
        max_bytes: Some(0),
    };
    let report = store.retain(all, now, Duration::ZERO).unwrap();
    assert_eq!((report.events, report.segments.len()), (0, 0));
    assert_eq!(place.lines().len(), 10);
    let tomorrow = UnixNanos(now.0 + day);
    let report = store.retain(all, tomorrow, Duration::ZERO).unwrap();
    assert_eq!((report.events, report.kept_from), (10, None));
    assert_eq!(place.lines().len(), 0);
}

#[test]
fn a_busy_day_is_kept_within_the_bytes_too() {
    let place = Place::new();
    for round in 0..4 {
        let events: Vec<Event> = (0..10).map(|n| tool_call(round * 10 + n)).collect();
        place.append(&events);
        place.seal();
    }
    let one = place.snapshot().segments()[0].bytes;
    let now = UnixNanos(BASE + SECOND);
    let retain = |max_bytes| {
        let retention = Retention {
            max_age: Some(Duration::from_secs(86_400)),
            max_bytes: Some(max_bytes),
        };
        place
            .store()
            .retain(retention, now, Duration::ZERO)
            .unwrap()
    };
    assert_eq!(retain(one * 5).events, 0);
    assert_eq!(retain(one * 2 + one / 2).events, 20);
    assert_eq!(retain(0).events, 10);
    assert_eq!(place.lines().len(), 10);
}

#[test]
fn rotated_logs_of_one_stamp_are_all_read_and_sealed() {
    let place = Place::new();
    let stamp = "events_20251120_110000_000000";
    let mut wanted = Vec::new();
    for (number, name) in ["", "_1", "_2", "_10"].iter().enumerate() {
        // The same bytes in two of them: a log is not told by its start alone.
        let events = [tool_call(number as i64 / 2)];
        let path = place.home.root().join(format!("{stamp}{name}.jsonl"));
        fs::write(path, events[0].to_line()).unwrap();
        wanted.extend(lines_of(events.into_iter()));
    }
    wanted.sort();
    assert_eq!(place.lines(), wanted);
    let report = place.seal();
    assert_eq!((report.events, report.logs), (4, 4));
    assert_eq!(place.lines(), wanted);
}

#[test]
fn stats_count_lines_and_find_the_latest() {
    let place = Place::new();
    place.append(&(0..100).map(tool_call).collect::<Vec<_>>());
    place.seal();
    place.append(&[tool_call(7), tool_call(500), tool_call(3)]);
    let mut log = fs::read(place.home.log()).unwrap();
    log.extend_from_slice(b"\nbroken {\"timestamp\":\"2030-01-01T00:00:00Z\"\n{\"timestamp\":\"2031-01-01T00:00:00Z\",");
    fs::write(place.home.log(), &log).unwrap();
    let stats = place.store().stats().unwrap();
    assert_eq!(
        (stats.log_lines, stats.segment_events, stats.total_events),
        (6, 100, 106)
    );
    assert_eq!(
        (stats.log_files, stats.segments, stats.file_count),
        (1, 1, 2)
    );
    assert_eq!(stats.latest_event_time, Some(tool_call(500).time));
    assert_eq!(stats.log_bytes, log.len() as u64);
    let empty = Place::new().store().stats().unwrap();
    assert_eq!((empty.total_events, empty.latest_event_time), (0, None));
}

#[cfg(unix)]
#[test]
fn everything_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.append(&(0..5_000).map(|n| tool_call(n % 3)).collect::<Vec<_>>());
    place.seal();
    let mut folders = vec![place.home.root().to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            assert_eq!(mode, 0, "{}", path.display());
            seen += 1;
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(seen > 8);
    assert_eq!(place.store().doctor().unwrap(), []);
}

#[test]
fn a_name_is_found_in_the_column_it_was_put_in() {
    let place = Place::new();
    place.append(&[tool_call(1)]);
    place.seal();
    let event = place
        .snapshot()
        .events(Window::ALL)
        .unwrap()
        .next()
        .unwrap();
    assert_eq!(event.str(Column::Name), Some("read"));
    assert_eq!(event.str(Column::ParentId), Some("call-1"));
}

#[test]
fn what_is_rotated_after_the_hook_began_is_left_to_the_next_seal() {
    let place = Place::new();
    place.append(&[tool_call(1)]);
    let rotate = || {
        let appender = tachograph_log::Appender::new(&place.home);
        appender.lock().unwrap().rotate().unwrap().unwrap()
    };
    let before = rotate();
    place.append(&[tool_call(2)]);
    let mut after = None;
    let mut hook = || {
        // What it took in may be all that a dead process' ring can be held
        // against, and a full log is rotated by whoever comes next.
        place.append(&[tool_call(3)]);
        after = Some(rotate());
        Ok(())
    };
    let options = SealOptions {
        before_seal: Some(&mut hook),
        ..SealOptions::default()
    };
    let report = place.store().seal(options).unwrap();
    assert_eq!((report.events, report.logs), (2, 2));
    assert!(!before.exists());
    assert!(after.unwrap().exists());
    assert_eq!(place.lines().len(), 3);
    let report = place.seal();
    assert_eq!((report.events, report.logs), (1, 1));
    assert_eq!(place.lines().len(), 3);
}

#[test]
fn what_the_hook_cuts_off_a_log_is_not_sealed() {
    let place = Place::new();
    let whole = tool_call(1).to_line();
    let mut log = whole.clone();
    log.extend_from_slice(&tool_call(2).to_line()[..20]);
    fs::write(place.home.log(), &log).unwrap();
    let mut hook = || {
        let rotated = place.home.files().unwrap().files.remove(0).path;
        let file = fs::OpenOptions::new().write(true).open(rotated).unwrap();
        file.set_len(whole.len() as u64).unwrap();
        Ok(())
    };
    let options = SealOptions {
        before_seal: Some(&mut hook),
        ..SealOptions::default()
    };
    let report = place.store().seal(options).unwrap();
    assert_eq!((report.events, report.rejected, report.logs), (1, 0, 1));
    assert_eq!(report.notes, []);
}

#[test]
fn without_a_home_nothing_is_changed_and_none_is_made() {
    let place = Place::new();
    let nowhere = Home::at(place.home.root().join("nowhere"));
    let store = Store::open(&nowhere);
    assert_eq!(store.seal(SealOptions::default()).unwrap().events, 0);
    assert_eq!(store.compact(Duration::ZERO).unwrap().joined, 0);
    let all = Retention {
        max_age: None,
        max_bytes: Some(0),
    };
    let now = UnixNanos(BASE);
    assert_eq!(store.retain(all, now, Duration::ZERO).unwrap().events, 0);
    let report = store.repair(Duration::ZERO).unwrap();
    assert_eq!(report, tachograph_store::RepairReport::default());
    assert!(!nowhere.root().exists());
}
