use tachograph_analyze::EngineConfig;
use tachograph_log::Home;
use tachograph_model::{Column, Event};
use tachograph_store::{SealOptions, Store};

use super::*;

fn minute(number: i64) -> UnixNanos {
    UnixNanos(number * 60_000_000_000)
}

#[test]
fn a_window_is_divided_between_minutes() {
    let check = |counts: &[(i64, u64)], cuts: &[i64]| {
        let minutes: Vec<_> = counts.iter().map(|(at, n)| (minute(*at), *n)).collect();
        let stretches = divide(Window::ALL, &minutes, 10);
        let ends: Vec<_> = stretches.iter().map(|stretch| stretch.to).collect();
        let mut expected: Vec<_> = cuts.iter().map(|at| minute(*at)).collect();
        expected.push(UnixNanos::MAX);
        assert_eq!(ends, expected, "{counts:?}");
        assert_eq!(stretches[0].from, UnixNanos::MIN);
        let joined = stretches.windows(2).all(|pair| pair[0].to == pair[1].from);
        assert!(joined, "{stretches:?}");
    };
    check(&[(1, 4), (2, 6), (9, 1)], &[9]);
    check(&[(1, 50), (2, 50)], &[2]);
    check(&[(1, 1), (2, 50), (3, 1)], &[2, 3]);
    check(&[(1, 11)], &[]);
}

/// Many of one instant that differ in one column or another, some in none.
fn lines() -> Vec<Vec<u8>> {
    let at = |n: i64| UnixNanos(minute(1_000 + n / 150).0);
    (0..600_i64)
        .map(|n| {
            let mut event = Event::new(at(n), ["tool_call", "query"][n as usize % 2])
                .with(Column::Name, ["a", "b", "c"][n as usize % 3])
                .with(Column::Success, n % 5 == 0);
            if n % 2 == 1 {
                event.set(Column::SizeBytes, Some(((n * 7) % 40).into()));
                let entity = ["x", "y"][n as usize / 2 % 2].to_owned();
                event.set(Column::Entities, Some(vec![entity].into()));
            }
            if n % 4 == 0 {
                event.extra.insert("more".into(), (n * 31 % 97).to_string());
            }
            event.to_line()
        })
        .collect()
}

fn exported(home: &Home, form: Format, at_once: u64) -> Vec<u8> {
    let engine = Engine::open(Store::open(home), EngineConfig::default());
    let scope = Scope::all(minute(2_000));
    let job = Job {
        engine: &engine,
        scope,
        kinds: Vec::new(),
        at_once,
    };
    let mut about = About::new(&scope);
    let mut out = Vec::new();
    let count = match form {
        Format::Parquet => {
            let count = job
                .parquet(&mut out, Path::new("out"), &mut about)
                .expect("Parquet");
            let path = home.root().join("out.parquet");
            std::fs::write(&path, &out).expect("a file");
            out.clear();
            tachograph_analyze::read_parquet(&path, |_, rows| {
                let text = rows.iter().map(|row| format!("{row:?}\n"));
                out.extend(text.collect::<String>().into_bytes());
                ControlFlow::Continue(())
            })
            .expect("rows");
            count
        }
        form => job
            .write(&mut out, form, Shape::Events, &mut about)
            .expect("an export"),
    };
    assert_eq!(count, 600);
    assert!(about.notes.is_empty(), "{about:?}");
    out
}

/// Whatever the order they were recorded in, raw or sealed, sorted at once or
/// stretch by stretch.
#[test]
fn equal_recordings_give_equal_files() {
    let home = |lines: &[Vec<u8>]| {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(Home::at(dir.path()).log(), lines.concat()).expect("a log");
        dir
    };
    let mut lines = lines();
    let one = home(&lines);
    lines.reverse();
    lines.rotate_left(517);
    let other = home(&lines);
    let sealed = home(&lines);
    let store = Store::open(&Home::at(sealed.path()));
    store.seal(SealOptions::default()).expect("a seal");
    for form in [Format::Jsonl, Format::Parquet] {
        let expected = exported(&Home::at(one.path()), form, u64::MAX);
        for (dir, what) in [(&one, "same"), (&other, "shuffled"), (&sealed, "sealed")] {
            for at_once in [u64::MAX, 250] {
                let found = exported(&Home::at(dir.path()), form, at_once);
                assert!(found == expected, "{form:?}, {what}, {at_once} at once");
            }
        }
    }
}
