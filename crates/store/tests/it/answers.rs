//! Folds equal what a plain loop over the events says, however they are
//! answered.

use std::num::NonZeroU32;

use std::collections::BTreeMap;

use tachograph_model::{Column, Event, UnixNanos, Value, Window};
use tachograph_stats::{Fraction, RELATIVE_ERROR};
use tachograph_store::{FoldSpec, Grain};

use crate::common::{BASE, Place, SECOND, count, tool_call};

const DAY: i64 = 86_400 * SECOND;

/// Two hours of each of three days, enough for every tier to be written.
fn busy() -> (Place, Vec<Event>) {
    let place = Place::new();
    let events: Vec<Event> = (0..45_000)
        .map(|number| {
            let mut event = tool_call(number / 15_000);
            event.time =
                UnixNanos(BASE + number / 15_000 * DAY + number % 15_000 * SECOND / 2 + number % 7);
            event.set(Column::DurationMs, Value::F64(0.5 + (number % 977) as f64));
            event
        })
        .collect();
    for part in events.chunks(15_000) {
        place.append(part);
    }
    (place, events)
}

fn windows() -> Vec<Window> {
    let at = |nanos: i64| UnixNanos(BASE + nanos);
    vec![
        Window::ALL,
        Window {
            from: at(0),
            to: at(DAY + 5_000 * SECOND),
        },
        Window {
            from: at(1_234_567_891),
            to: at(2 * DAY + 7_000 * SECOND + 3),
        },
        Window {
            from: at(7_200 * SECOND),
            to: at(7_200 * SECOND + 61 * SECOND),
        },
        Window {
            from: at(5),
            to: at(6),
        },
        Window {
            from: at(500),
            to: at(500),
        },
        Window {
            from: at(900 * SECOND),
            to: at(100 * SECOND),
        },
    ]
}

#[test]
fn rollups_count_what_the_events_count() {
    let (place, events) = busy();
    let raw = place.snapshot();
    place.seal();
    let sealed = place.snapshot();
    assert_eq!(sealed.log_bytes(), 0);
    assert!(
        sealed
            .segments()
            .iter()
            .any(|s| s.tiers == ["minute", "hour", "day"])
    );
    for window in windows() {
        let wanted = events.iter().filter(|e| window.contains(e.time)).count() as u64;
        let every = |seconds| Grain::Every(NonZeroU32::new(seconds).unwrap());
        let own = [7, 45, 60, 300, 7_200, 90_000].map(every);
        let grains = [Grain::Minute, Grain::Hour, Grain::Day, Grain::Window];
        for grain in grains.into_iter().chain(own) {
            let spec = FoldSpec::new(grain);
            let from_log = raw.cells(window, &spec).unwrap();
            let exact = sealed.cells(window, &spec.clone().exact()).unwrap();
            let sketch = sealed.cells(window, &spec).unwrap();
            for folded in [&from_log, &exact, &sketch] {
                assert_eq!(count(folded), wanted, "{window:?} {grain:?}");
                assert_eq!(folded.rows, wanted);
                assert_eq!(folded.notes, []);
            }
            assert_eq!(sketch.cells.len(), exact.cells.len());
            for (one, other) in sketch.cells.iter().zip(&exact.cells) {
                assert_eq!(
                    (&one.key, one.start, one.count),
                    (&other.key, other.start, other.count)
                );
                assert_eq!((one.first, one.last), (other.first, other.last));
                assert_eq!(one.by_hour, other.by_hour);
                assert_eq!(one.by_hour.iter().sum::<u64>(), one.count);
                assert_eq!(one.durations.sum(), other.durations.sum());
                assert_eq!(one.durations.min(), other.durations.min());
                assert_eq!(one.durations.max(), other.durations.max());
                let mut pair = [one.durations.clone(), other.durations.clone()];
                let [a, b] = pair.each_mut().map(|d| d.quantiles(&[Fraction::P95]));
                let (a, b) = (a.unwrap()[0], b.unwrap()[0]);
                assert!((a - b).abs() <= b * RELATIVE_ERROR * 1.001, "{a} {b}");
            }
        }
    }
    // The day tier was used, not only the events.
    let sketch = sealed
        .cells(Window::ALL, &FoldSpec::new(Grain::Day))
        .unwrap();
    assert_eq!(sketch.sketched, 45_000);
}

#[test]
fn a_fold_of_some_types_counts_only_those() {
    let place = Place::new();
    let mut events: Vec<Event> = (0..100).map(tool_call).collect();
    events.extend((0..50).map(crate::common::rich));
    place.append(&events);
    for sealed in [false, true] {
        if sealed {
            place.seal();
        }
        let spec = FoldSpec::new(Grain::Window).of_types(&["query"]);
        let folded = place.snapshot().cells(Window::ALL, &spec).unwrap();
        assert_eq!(count(&folded), 50);
        let calls: i128 = folded
            .cells
            .iter()
            .map(|c| c.whole(Column::ToolCalls).sum)
            .sum();
        assert_eq!(calls, 150);
        let mut entities = BTreeMap::new();
        for cell in &folded.cells {
            for (entity, times) in &cell.entities {
                *entities.entry(entity.to_string()).or_insert(0) += times;
            }
        }
        assert_eq!(entities["função"], 33);
    }
}

#[test]
fn negative_durations_stand_apart() {
    let place = Place::new();
    let mut event = tool_call(1);
    event.set(Column::DurationMs, Value::F64(-5.0));
    place.append(&[event, tool_call(1)]);
    let folded = place
        .snapshot()
        .cells(Window::ALL, &FoldSpec::new(Grain::Window).exact())
        .unwrap();
    assert_eq!(folded.cells[0].negative, 1);
    assert_eq!(folded.cells[0].durations.count(), 1);
    assert_eq!(folded.notes.len(), 1);
}

#[test]
fn half_sealed_half_not_is_one_answer() {
    let place = Place::new();
    place.append(&(0..500).map(tool_call).collect::<Vec<_>>());
    place.seal();
    place.append(&(500..900).map(tool_call).collect::<Vec<_>>());
    let snapshot = place.snapshot();
    let folded = snapshot
        .cells(Window::ALL, &FoldSpec::new(Grain::Window))
        .unwrap();
    assert_eq!(count(&folded), 900);
    let times: Vec<_> = snapshot
        .events(Window::ALL)
        .unwrap()
        .map(|e| e.time)
        .collect();
    assert!(times.is_sorted());
    // A snapshot keeps answering after the log was sealed and deleted.
    place.seal();
    let again = snapshot
        .cells(Window::ALL, &FoldSpec::new(Grain::Window))
        .unwrap();
    assert_eq!(count(&again), 900);
}
