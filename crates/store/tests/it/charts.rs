//! What charts are made of counts what the events count, whatever it is read
//! from.

use std::num::NonZeroU32;

use tachograph_model::{Column, Event, UnixNanos, Window};
use tachograph_store::{FoldSpec, Folded, Grain, Store};

use crate::common::{BASE, Place, SECOND};

const MANY: i64 = 24_000;

/// Calls of a day: by three tools for so many agents that hours are too many.
fn events() -> Vec<Event> {
    let one = |number: i64| {
        Event::new(UnixNanos(BASE + number * 3 * SECOND), "tool_call")
            .with(
                Column::Name,
                ["search", "read", "write"][number as usize % 3],
            )
            .with(Column::Agent, format!("agent-{}", number * 7 % 100))
            .with(Column::Success, number % 5 != 0)
            .with(Column::DurationMs, number as f64 / 8.0)
    };
    (0..MANY).map(one).collect()
}

type Told = (UnixNanos, String, Option<bool>, u64, f64, bool);

fn told(folded: &Folded) -> Vec<Told> {
    let cells = folded.cells.iter().map(|cell| {
        let key = &cell.key;
        let name = key.name.as_deref().unwrap_or_default().to_owned();
        let sum = cell.durations.sum();
        (
            cell.start,
            name,
            key.success,
            cell.count,
            sum,
            key.agent.is_some(),
        )
    });
    let mut cells: Vec<Told> = cells.collect();
    cells.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
    cells
}

fn check(store: &Store, log: &Store, after: &str) {
    let at = |minutes: i64| UnixNanos(BASE + minutes * 60 * SECOND);
    let windows = [
        Window::ALL,
        Window {
            from: at(95),
            to: UnixNanos::MAX,
        },
        Window {
            from: at(7),
            to: at(700),
        },
    ];
    for seconds in [3_600, 21_600, 86_400] {
        let grain = Grain::Every(NonZeroU32::new(seconds).unwrap());
        let spec = FoldSpec::new(grain).for_charts();
        for window in windows {
            let of = |store: &Store, spec: &FoldSpec| {
                told(&store.snapshot().unwrap().cells(window, spec).unwrap())
            };
            let wanted = of(log, &spec);
            assert!(wanted.iter().all(|cell| !cell.5), "no agent is told");
            assert!(wanted.len() <= 6 * 25);
            assert_eq!(of(store, &spec), wanted, "{after}: {seconds} {window:?}");
            let some = spec.clone().of_types(&["tool_call"]);
            assert_eq!(of(store, &some), wanted, "{after}: {seconds} {window:?}");
        }
    }
}

#[test]
fn charts_count_what_the_events_count() {
    let (place, log) = (Place::new(), Place::new());
    for place in [&place, &log] {
        place.append(&events());
    }
    let log = log.store();
    check(&place.store(), &log, "in the log");
    place.seal();
    let segment = place.snapshot().segments()[0].clone();
    assert!(segment.tiers.contains(&"chart".to_owned()), "{segment:?}");
    assert!(!segment.tiers.contains(&"hour".to_owned()), "{segment:?}");
    let keeping = place.store().keeping(64 << 20);
    for after in ["sealed", "asked again"] {
        check(&place.store(), &log, after);
        check(&keeping, &log, after);
    }
    let whole = FoldSpec::new(Grain::Every(NonZeroU32::new(3_600).unwrap())).for_charts();
    let folded = place.snapshot().cells(Window::ALL, &whole).unwrap();
    assert_eq!(folded.sketched, MANY as u64, "from rollups");
    std::fs::remove_dir_all(place.home.rollups().join("chart")).unwrap();
    check(&place.store(), &log, "without the file");
}
