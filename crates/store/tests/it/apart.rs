//! Where less is told apart, it counts what the events count, whatever it is
//! read from.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use tachograph_model::{Column, Event, UnixNanos, Window};
use tachograph_store::{Apart, FoldSpec, Folded, Grain, Store};

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
            .with(Column::Success, number % 11 != 0)
            .with(Column::DurationMs, number as f64 / 8.0)
    };
    (0..MANY).map(one).collect()
}

type Told = (UnixNanos, String, String, Option<bool>, u64, f64);

fn told(folded: &Folded) -> Vec<Told> {
    let cells = folded.cells.iter().map(|cell| {
        let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
        let key = &cell.key;
        let (name, agent) = (text(&key.name), text(&key.agent));
        let sum = cell.durations.sum();
        (cell.start, name, agent, key.success, cell.count, sum)
    });
    let mut cells: Vec<Told> = cells.collect();
    cells.sort_by(|a, b| (a.0, &a.1, &a.2, a.3).cmp(&(b.0, &b.1, &b.2, b.3)));
    cells
}

/// A fold, and what it finds where every event is looked at.
struct Case {
    spec: FoldSpec,
    window: Window,
    wanted: Vec<Told>,
}

fn cases(log: &Store) -> Vec<Case> {
    let at = |minutes: i64| UnixNanos(BASE + minutes * 60 * SECOND);
    let window = |from, to| Window { from, to };
    let windows = [
        Window::ALL,
        window(at(95), UnixNanos::MAX),
        window(at(7), at(700)),
    ];
    let every = |seconds| Grain::Every(NonZeroU32::new(seconds).unwrap());
    let kinds = [
        (Apart::Charts, every(3_600), 6),
        (Apart::Charts, every(21_600), 6),
        (Apart::Kinds, every(3_600), 2),
        (Apart::Kinds, every(86_400), 2),
        (Apart::Named, Grain::Day, 6),
        (Apart::Agents, Grain::Day, 200),
        (Apart::Everything, Grain::Day, 600),
    ];
    let of = |(apart, grain, series)| {
        windows.map(|window| {
            let spec = FoldSpec::new(grain).telling(apart);
            let wanted = told(&log.snapshot().unwrap().cells(window, &spec).unwrap());
            let found: HashSet<_> = wanted.iter().map(|(_, n, a, s, ..)| (n, a, s)).collect();
            assert_eq!(found.len(), series, "{apart:?}");
            Case {
                spec,
                window,
                wanted,
            }
        })
    };
    kinds.into_iter().flat_map(of).collect()
}

fn check(store: &Store, cases: &[Case], after: &str) {
    for case in cases {
        let folded = |spec| told(&store.snapshot().unwrap().cells(case.window, spec).unwrap());
        let (spec, window) = (&case.spec, case.window);
        assert_eq!(folded(spec), case.wanted, "{after}: {spec:?} {window:?}");
        let some = spec.clone().of_types(&["tool_call"]);
        assert_eq!(folded(&some), case.wanted, "{after}: {some:?} {window:?}");
    }
}

#[test]
fn less_told_apart_counts_what_the_events_count() {
    let (place, log) = (Place::new(), Place::new());
    for place in [&place, &log] {
        place.append(&events());
    }
    let cases = cases(&log.store());
    place.seal();
    let segment = place.snapshot().segments()[0].clone();
    assert_eq!(
        segment.tiers,
        ["day", "chart", "kind", "named", "agent"],
        "{segment:?}"
    );
    let keeping = place.store().keeping(64 << 20);
    for after in ["sealed", "asked again"] {
        check(&place.store(), &cases, after);
        check(&keeping, &cases, after);
    }
    let kinds = [
        ("chart", Apart::Charts, Grain::Hour),
        ("kind", Apart::Kinds, Grain::Hour),
        ("named", Apart::Named, Grain::Day),
        ("agent", Apart::Agents, Grain::Day),
    ];
    for (_, apart, grain) in kinds {
        let spec = FoldSpec::new(grain).telling(apart);
        let folded = place.snapshot().cells(Window::ALL, &spec).unwrap();
        assert_eq!(folded.sketched, MANY as u64, "{apart:?}, from rollups");
    }
    for (folder, ..) in kinds {
        std::fs::remove_dir_all(place.home.rollups().join(folder)).unwrap();
        check(&place.store(), &cases, "without the files");
    }
}
