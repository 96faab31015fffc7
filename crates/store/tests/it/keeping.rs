//! A store that keeps what it folded answers as one that reads everything anew.

use std::io::Write;

use tachograph_log::Appender;
use tachograph_model::{Column, Event, UnixNanos, Value, Window};
use tachograph_store::{Apart, Cell, FoldSpec, Folded, Grain, SealOptions, Store};

use crate::common::{BASE, Place, SECOND, rich, tool_call};

fn windows() -> Vec<Window> {
    let at = |seconds: i64| UnixNanos(BASE + seconds * SECOND);
    vec![
        Window::ALL,
        Window {
            from: at(3),
            to: UnixNanos::MAX,
        },
        Window {
            from: UnixNanos::MIN,
            to: at(2_000),
        },
        Window {
            from: at(10),
            to: at(20),
        },
    ]
}

/// All that a cell says, exact values in their order.
fn shown(cells: Vec<Cell>) -> Vec<String> {
    let one = |mut cell: Cell| {
        for values in [&mut cell.durations, &mut cell.values, &mut cell.costs] {
            if let tachograph_store::Distribution::Exact(values) = values {
                values.sort_by(f64::total_cmp);
            }
        }
        format!("{cell:?}")
    };
    cells.into_iter().map(one).collect()
}

fn check(keeping: &Store, place: &Place, after: &str) {
    let specs = [
        FoldSpec::new(Grain::Day).exact(),
        FoldSpec::new(Grain::Hour).exact().of_types(&["tool_call"]),
        FoldSpec::new(Grain::Day),
        FoldSpec::new(Grain::Every(std::num::NonZeroU32::new(14_400).unwrap()))
            .of_types(&["tool_call"]),
    ];
    let (kept, anew) = (keeping.snapshot().unwrap(), place.snapshot());
    for spec in &specs {
        for window in windows() {
            let told = |folded: Folded| {
                let order = folded.first_named.in_order();
                let mut order: Vec<_> = order.into_iter().collect();
                order.sort();
                (folded.rows, order, folded.notes, folded.cells)
            };
            let (rows, order, notes, cells) = told(kept.cells(window, spec).unwrap());
            let wanted = told(anew.cells(window, spec).unwrap());
            assert_eq!((rows, notes), (wanted.0, wanted.2), "{after}: {window:?}");
            if spec.exact {
                assert_eq!(shown(cells), shown(wanted.3), "{after}: {window:?}");
                // Entities of other types are seen, too, where all is kept.
                if spec.types.is_none() {
                    assert_eq!(order, wanted.1, "{after}: {window:?}");
                }
            }
        }
    }
}

fn events(from: i64, many: i64) -> Vec<Event> {
    let one = |number| match number % 5 {
        0 => rich(number),
        _ => tool_call(number),
    };
    (from..from + many).map(one).collect()
}

#[test]
fn what_is_kept_follows_the_store() {
    let place = Place::new();
    let keeping = place.store().keeping(8 << 20);
    check(&keeping, &place, "nothing");
    place.append(&events(0, 3_000));
    check(&keeping, &place, "the first events");
    place.append(&events(3_000, 40));
    check(&keeping, &place, "a few more");

    // A line that is still being written, then whole.
    let line = tool_call(5_000).to_line();
    let (half, rest) = line.split_at(line.len() / 2);
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(place.home.log())
        .unwrap();
    log.write_all(half).unwrap();
    check(&keeping, &place, "half a line");
    log.write_all(rest).unwrap();
    check(&keeping, &place, "the other half");
    log.write_all(b"no event\n{\"timestamp\":3}\n").unwrap();
    check(&keeping, &place, "broken lines");

    Appender::new(&place.home).lock().unwrap().rotate().unwrap();
    place.append(&events(3_040, 500));
    check(&keeping, &place, "rotation");
    place.store().seal(SealOptions::default()).unwrap();
    check(&keeping, &place, "sealing");
    place.append(&events(3_540, 100));
    check(&keeping, &place, "events after sealing");
    place.seal();
    place.store().compact(std::time::Duration::ZERO).unwrap();
    check(&keeping, &place, "compacting");

    // Written anew in the same file: what is kept of it is not believed.
    place.append(&events(0, 50));
    check(&keeping, &place, "a new log");
    let log = std::fs::OpenOptions::new()
        .write(true)
        .open(place.home.log())
        .unwrap();
    log.set_len(0).unwrap();
    check(&keeping, &place, "an emptied log");
    place.append(&events(9_000, 60));
    check(&keeping, &place, "a log that began again");
}

#[test]
fn pieces_of_a_large_log_are_kept_one_by_one() {
    let place = Place::new();
    let keeping = place.store().keeping(64 << 20);
    // Two pieces of 8 MiB, then a little more; a line crosses their border.
    let spec = FoldSpec::new(Grain::Day).exact();
    for (from, many) in [(0, 30_000), (30_000, 30_000), (60_000, 10)] {
        place.append(&events(from, many));
        let kept = keeping.snapshot().unwrap().cells(Window::ALL, &spec);
        let anew = place.snapshot().cells(Window::ALL, &spec).unwrap();
        assert_eq!(shown(kept.unwrap().cells), shown(anew.cells), "{from}");
    }
}

#[test]
fn with_little_room_it_still_answers() {
    let place = Place::new();
    let keeping = place.store().keeping(10_000);
    for part in 0..4 {
        place.append(&events(part * 1_000, 1_000));
        if part % 2 == 1 {
            place.seal();
        }
        check(&keeping, &place, &format!("part {part}"));
    }
}

/// Hours of a segment are kept whole, also where a window is of some of them.
#[test]
fn entities_of_other_hours_are_not_named_in_a_window() {
    let place = Place::new();
    let query = |number: i64| {
        let entities = ["every".to_owned(), format!("only {number}")];
        Event::new(UnixNanos(BASE + number * 300 * SECOND), "query")
            .with(Column::Entities, Value::List(entities.into()))
    };
    let events: Vec<Event> = (0..60).map(query).collect();
    place.append(&events);
    place.seal();
    let window = Window {
        from: events[20].time,
        to: events[40].time,
    };
    let spec = FoldSpec::new(Grain::Hour).telling(Apart::Charts);
    let wanted = (20..40).map(|number| format!("only {number}"));
    let mut wanted: Vec<String> = wanted.chain(["every".to_owned()]).collect();
    wanted.sort();
    for store in [place.store(), place.store().keeping(8 << 20)] {
        let folded = store.snapshot().unwrap().cells(window, &spec).unwrap();
        assert_eq!(folded.rows, 20);
        let order = folded.first_named.in_order();
        let mut names: Vec<String> = order.keys().map(|name| name.to_string()).collect();
        names.sort();
        assert_eq!(names, wanted);
    }
}
