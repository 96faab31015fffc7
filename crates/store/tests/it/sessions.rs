//! Sessions one by one, and the events of one, equal what a list of all events
//! says: wherever they lie, whatever is kept, and whatever is lost of what can
//! be made again.

use std::collections::BTreeMap;
use std::sync::Mutex;

use arrow::array::{Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use tachograph_model::answer::OneSession;
use tachograph_model::{Column, Event, UnixNanos, Value, Window};
use tachograph_store::{Manifest, Note, Snapshot, Store, TIMESTAMP, Whose, event_of};

use crate::common::{BASE, Place, SECOND};

const DAY: i64 = 86_400 * SECOND;
const HOSTILE: &str = "x' OR '1'='1' -- \u{202e}<script>/\\ \"";
const KINDS: [&str; 4] = ["tool_call", "llm_call", "span", "cache"];

/// Events of two days; a session lasts minutes, some hours, a few all the time.
fn events(seed: u64, many: u64) -> Vec<Event> {
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let one = |_| {
        let session = random(many / 8 + 1);
        let lasts = match session % 50 {
            0 => 2 * 86_400,
            1..=5 => 20_000,
            _ => 600,
        };
        let from = BASE - DAY + (session * 7919 % 170_000) as i64 * SECOND;
        let at = from + random(lasts) as i64 * SECOND / 2;
        let mut event = Event::new(UnixNanos(at), KINDS[random(4) as usize]);
        event.set(Column::Name, Some(Value::Str(format!("n{}", random(9)))));
        let id = match session {
            7 => HOSTILE.to_owned(),
            8 => String::new(),
            // Letters that hash filters have seen in other orders.
            _ => format!(
                "session-{session:05}-{}",
                ["ä", "b"][(session % 2) as usize]
            ),
        };
        if session != 9 {
            event.set(Column::SessionId, Some(Value::Str(id)));
            let trace = format!("t{}", session * 3 + random(3));
            event.set(Column::TraceId, Some(Value::Str(trace)));
        }
        if random(3) > 0 {
            let agent = format!(
                "a{}",
                session % 5 + u64::from(session % 40 == 0) * random(2)
            );
            event.set(Column::Agent, Some(Value::Str(agent)));
        }
        if random(2) > 0 {
            event.set(Column::Success, Some(Value::Bool(random(5) > 0)));
        }
        if random(2) > 0 {
            event.set(Column::InputTokens, Some(Value::I64(random(9_000) as i64)));
        }
        if random(2) > 0 {
            event.set(Column::OutputTokens, Some(Value::I64(random(900) as i64)));
        }
        if random(2) > 0 {
            event.set(
                Column::CostUsd,
                Some(Value::F64(random(9_000) as f64 / 1e4)),
            );
        }
        if random(2) > 0 {
            let odd = [-5.0, -0.0, 0.0, 1e12, 1.1e12, f64::MAX];
            let took = match random(20) {
                0 => odd[random(6) as usize],
                _ => random(900_000) as f64 / 7.0,
            };
            event.set(Column::DurationMs, Some(Value::F64(took)));
        }
        // What its kind has no field for is no column's when it is read.
        Event::from_line(event.to_line().trim_ascii_end()).unwrap()
    };
    (0..many).map(one).collect()
}

fn text(event: &Event, column: Column) -> Option<&str> {
    match event.get(column) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    }
}

/// When an event began: what takes longer than a thousand billion milliseconds,
/// or less than nothing, took no time.
fn start(event: &Event) -> UnixNanos {
    match event.get(Column::DurationMs) {
        Some(Value::F64(ms)) if *ms >= 0.0 && *ms <= 1e12 => {
            UnixNanos(event.time.0 - (ms * 1e6).round() as i64)
        }
        _ => event.time,
    }
}

/// What is to be answered.
fn naive(events: &[Event], window: Window) -> Vec<OneSession> {
    naive_of(None, events, window)
}

/// The same, of one agent's.
fn naive_of(agent: Option<&str>, events: &[Event], window: Window) -> Vec<OneSession> {
    let mut all: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|event| window.contains(event.time)) {
        if let Some(id) = text(event, Column::SessionId).filter(|id| !id.is_empty()) {
            all.entry(id).or_default().push(event);
        }
    }
    let is_theirs = |of: &Vec<&Event>| {
        let mut of = of.iter();
        agent.is_none() || of.any(|event| text(event, Column::Agent) == agent)
    };
    let mut list: Vec<OneSession> = all
        .into_iter()
        .filter(|(_, of)| is_theirs(of))
        .map(|(id, of)| {
            let count = |is: &dyn Fn(&Event) -> bool| of.iter().filter(|e| is(e)).count() as u64;
            let of_kind = |kind: &str| count(&|event| event.event_type == kind);
            let mut agents: Vec<&str> = of.iter().filter_map(|e| text(e, Column::Agent)).collect();
            agents.sort_unstable();
            agents.dedup();
            let models = || of.iter().filter(|event| event.event_type == "llm_call");
            let tokens = models().flat_map(|event| {
                [Column::InputTokens, Column::OutputTokens]
                    .into_iter()
                    .filter_map(|column| match event.get(column) {
                        Some(Value::I64(tokens)) => Some(*tokens),
                        _ => None,
                    })
            });
            let costs = models().filter_map(|event| match event.get(Column::CostUsd) {
                Some(Value::F64(cost)) => Some((cost * 1e4).round()),
                _ => None,
            });
            let some = |any: bool, sum: f64| any.then_some(sum);
            OneSession {
                session: id.to_owned(),
                agent: (agents.len() == 1).then(|| agents[0].to_owned()),
                first: of.iter().map(|event| start(event)).min().unwrap(),
                last: of.iter().map(|event| event.time).max().unwrap(),
                events: of.len() as u64,
                tool_calls: of_kind("tool_call"),
                llm_calls: of_kind("llm_call"),
                failed: count(&|e| e.get(Column::Success) == Some(&Value::Bool(false))),
                tokens: tokens.clone().next().map(|_| tokens.clone().sum()),
                cost_usd: some(
                    costs.clone().next().is_some(),
                    costs.clone().sum::<f64>() / 1e4,
                ),
            }
        })
        .collect();
    list.sort_by(|a, b| (b.last, &a.session).cmp(&(a.last, &b.session)));
    list
}

fn windows() -> Vec<Window> {
    let at = |seconds: i64| UnixNanos(BASE - DAY + seconds * SECOND);
    let part = |from, to| Window { from, to };
    vec![
        Window::ALL,
        part(at(40_000), UnixNanos::MAX),
        part(UnixNanos::MIN, at(60_000)),
        part(at(82_900), at(83_500)),
        part(at(90_000), at(90_001)),
        part(at(900_000), UnixNanos::MAX),
    ]
}

#[track_caller]
fn check(store: &Store, events: &[Event], after: &str) {
    let snapshot = store.snapshot().unwrap();
    for window in windows() {
        for (agent, limit) in [
            (None, 7),
            (None, 7_000),
            (Some("a0"), 7_000),
            (Some("a1"), 7),
            (Some("nobody"), 7),
        ] {
            let wanted = naive_of(agent, events, window);
            let how = format!("{after}: {agent:?} {window:?} {limit}");
            let found = snapshot.sessions_of(agent, window, limit).unwrap();
            assert_eq!(found.found, wanted.len() as u64, "{how}");
            assert_eq!(found.notes, [], "{how}");
            let expected = &wanted[..wanted.len().min(limit)];
            assert_eq!(found.sessions, expected, "{how}");
        }
    }
    check_one(&snapshot, events, 7, after);
}

#[track_caller]
fn check_one(snapshot: &Snapshot, events: &[Event], number: usize, after: &str) {
    let event = &events[number % events.len()];
    let (session, trace) = (text(event, Column::SessionId), text(event, Column::TraceId));
    let asked = [
        (session, None),
        (None, trace),
        (session, trace),
        (Some("session-00001-b"), trace),
        (Some("nobody's"), None),
        (Some(HOSTILE), None),
    ];
    for window in windows().into_iter().step_by(2) {
        for (session, trace) in asked {
            if session.is_none() && trace.is_none() {
                continue;
            }
            let found = Mutex::new(Vec::new());
            let columns = [TIMESTAMP, "event_type", "name"];
            let whose = Whose { session, trace };
            let notes = snapshot.events_of(whose, window, &columns, |batch| {
                let rows = 0..batch.num_rows();
                assert_eq!(batch.column(0).null_count(), 0);
                found
                    .lock()
                    .unwrap()
                    .extend(rows.map(|row| told(&event_of(&batch, row))));
            });
            assert_eq!(notes.unwrap(), [], "{after}");
            let is = |asked: Option<&str>, event, column| {
                asked.is_none_or(|asked| text(event, column) == Some(asked))
            };
            let mut wanted: Vec<_> = events
                .iter()
                .filter(|event| window.contains(event.time))
                .filter(|event| is(session, event, Column::SessionId))
                .filter(|event| is(trace, event, Column::TraceId))
                .map(told)
                .collect();
            let mut found = found.into_inner().unwrap();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{after}: {session:?} {trace:?} {window:?}");
        }
    }
}

fn told(event: &Event) -> (i64, String, String) {
    let name = text(event, Column::Name).unwrap_or_default();
    (event.time.0, event.event_type.to_string(), name.to_owned())
}

/// Every way to ask says the same.
#[track_caller]
fn check_all(place: &Place, keeping: &[Store], events: &[Event], after: &str) {
    check(&place.store(), events, after);
    for store in keeping {
        check(store, events, &format!("{after}, kept"));
    }
    // What was kept by now.
    check(&keeping[0], events, &format!("{after}, asked again"));
}

fn files(place: &Place) -> Vec<std::path::PathBuf> {
    let folder = place.home.rollups().join("session");
    let days = std::fs::read_dir(folder).into_iter().flatten();
    let files = days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn sessions_wherever_their_events_lie() {
    let place = Place::new();
    let keeping = [
        place.store().keeping(64 << 20),
        place.store().keeping(9_000),
    ];
    let all = events(1, 12_000);
    place.append(&all[..1_500]);
    check_all(&place, &keeping, &all[..1_500], "in the log");
    place.append(&all[1_500..2_000]);
    check_all(&place, &keeping, &all[..2_000], "in a log that grew");
    place.seal();
    place.append(&all[2_000..7_000]);
    check_all(&place, &keeping, &all[..7_000], "half sealed");
    place.append(&all[7_000..]);
    place.seal();
    check_all(&place, &keeping, &all, "sealed");
    assert!(files(&place).len() >= 2);
    let report = place.store().compact(std::time::Duration::ZERO).unwrap();
    assert!(report.joined > 0);
    check_all(&place, &keeping, &all, "joined");
    for file in files(&place) {
        std::fs::write(file, "no Parquet").unwrap();
    }
    let fresh = [place.store().keeping(64 << 20)];
    check_all(&place, &fresh, &all, "with damaged files");
    let missing = place.store().doctor().unwrap();
    let missing = missing.iter().filter(|f| f.what.contains("rollup"));
    let snapshot = place.snapshot();
    let tiers = snapshot.segments().iter().map(|segment| &segment.tiers);
    let wanted = tiers.filter(|tiers| tiers.contains(&"session".to_owned()));
    assert_eq!(missing.count(), wanted.count());
    std::fs::remove_dir_all(place.home.rollups()).unwrap();
    check_all(&place, &fresh, &all, "without files");
    place.store().repair(std::time::Duration::ZERO).unwrap();
    assert!(!files(&place).is_empty(), "made again");
    check_all(&place, &fresh, &all, "repaired");
}

/// Makes the files of sessions what they were before they kept when one began.
fn make_older(place: &Place) {
    for path in files(place) {
        let file = std::fs::File::open(&path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batches = reader.build().unwrap().map(|batch| {
            let mut batch: RecordBatch = batch.unwrap();
            batch.remove_column(batch.schema().index_of("began").unwrap());
            batch
        });
        let batches: Vec<RecordBatch> = batches.collect();
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
        batches
            .iter()
            .for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
    }
    let (mut manifest, _) = Manifest::load(&place.home).unwrap();
    for segment in &mut manifest.segments {
        segment.tier_checksums.clear();
    }
    let bytes = serde_json::to_vec(&manifest).unwrap();
    std::fs::write(place.home.manifest(), bytes).unwrap();
}

#[test]
fn files_that_do_not_tell_when_a_session_began_are_read_as_ever() {
    let place = Place::new();
    let of = |session: &str, seconds: i64, took: i64| {
        Event::new(UnixNanos(BASE + seconds * SECOND), "span")
            .with(Column::SessionId, session.to_owned())
            .with(Column::DurationMs, took as f64 * 1e3)
    };
    // When they began, and their last event, in seconds.
    let check = |after: &str, wanted: [(&str, i64, i64); 2]| {
        for store in [place.store(), place.store().keeping(1 << 20)] {
            for _ in 0..2 {
                let list = store.snapshot().unwrap();
                let list = list.sessions(Window::ALL, 9).unwrap().sessions;
                let seconds = |at: UnixNanos| (at.0 - BASE) / SECOND;
                let found = list.iter().map(|one| {
                    let id = one.session.as_str();
                    (id, seconds(one.first), seconds(one.last))
                });
                assert_eq!(found.collect::<Vec<_>>(), wanted, "{after}");
            }
        }
    };
    let all = (0..5_000).map(|at| of(["a", "b"][at as usize % 2], at * 10, 30));
    place.append(&all.collect::<Vec<_>>());
    place.seal();
    check("sealed", [("b", -20, 49_990), ("a", -30, 49_980)]);
    make_older(&place);
    check("older files", [("b", 10, 49_990), ("a", 0, 49_980)]);
    place.append(&[of("a", 60_000, 70_000)]);
    let mixed = [("a", -10_000, 60_000), ("b", 10, 49_990)];
    check("older files and the log", mixed);
    place.seal();
    check("older files and events", mixed);
    let report = place.store().compact(std::time::Duration::ZERO).unwrap();
    assert_eq!(report.joined, 2);
    let wanted = [("a", -10_000, 60_000), ("b", -20, 49_990)];
    check("joined", wanted);
    let segments = place.snapshot().segments().to_vec();
    assert!(segments[0].tiers.contains(&"session".to_owned()));
}

/// A session of few agents, and one of too many to tell apart.
#[test]
fn a_session_of_very_many_agents_is_told_of_where_one_of_them_is_asked_for() {
    let of = |session: &str, at: i64| {
        let mut event = Event::new(UnixNanos(BASE + at * SECOND), "tool_call");
        let agent = format!("agent {}", at % 100);
        event.set(Column::SessionId, Some(Value::Str(session.to_owned())));
        event.set(Column::Agent, Some(Value::Str(agent)));
        event
    };
    let few = (0..5_000).map(|at| of("few", at - at % 100 + at % 3));
    let all: Vec<Event> = few.chain((0..5_000).map(|at| of("many", at))).collect();
    let place = Place::new();
    place.append(&all);
    for after in ["in the log", "sealed", "sealed, by the file"] {
        for (agent, sessions) in [("agent 1", vec!["few"]), ("agent 50", vec![])] {
            let list = place.snapshot();
            let list = list.sessions_of(Some(agent), Window::ALL, 9).unwrap();
            let found: Vec<&str> = list.sessions.iter().map(|one| &*one.session).collect();
            assert_eq!(found, sessions, "{after}: {agent}");
            assert_eq!(list.found, sessions.len() as u64, "{after}: {agent}");
            let said = [Note::AgentsNotKnown { sessions: 1 }];
            assert_eq!(list.notes, said, "{after}: {agent}");
        }
        place.seal();
    }
}

#[test]
fn broken_lines_are_told_of_and_lose_nothing_else() {
    let place = Place::new();
    let all = events(2, 400);
    place.append(&all[..200]);
    let mut line = all[200].to_line();
    line.truncate(40);
    line.push(b'\n');
    tachograph_log::Appender::new(&place.home)
        .append(&line)
        .unwrap();
    place.append(&all[200..]);
    for store in [place.store(), place.store().keeping(1 << 20)] {
        for _ in 0..2 {
            let found = store
                .snapshot()
                .unwrap()
                .sessions(Window::ALL, 10_000)
                .unwrap();
            assert_eq!(found.sessions, naive(&all, Window::ALL));
            let [Note::BrokenLines { count, .. }] = &found.notes[..] else {
                panic!("{:?}", found.notes);
            };
            assert_eq!(*count, 1);
        }
    }
}

#[test]
fn a_damaged_segment_is_left_out_and_named() {
    let place = Place::new();
    place.append(&events(3, 6_000));
    place.seal();
    let segment = place.snapshot().segments()[0].clone();
    let path = place.home.root().join(&segment.path);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let snapshot = place.snapshot();
    let whose = Whose {
        session: Some("session-00020-ä"),
        trace: None,
    };
    let notes = snapshot
        .events_of(whose, Window::ALL, &[TIMESTAMP], |_| {})
        .unwrap();
    assert!(
        matches!(&notes[..], [Note::UnreadableSegment { .. }]),
        "{notes:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn sessions_are_what_a_list_of_events_says(
        seed in 0_u64..1_000_000,
        many in 1_u64..300,
        sealed in 0_usize..300,
    ) {
        let place = Place::new();
        let all = events(seed, many);
        let (first, rest) = all.split_at(sealed.min(all.len()));
        place.append(first);
        place.seal();
        place.append(rest);
        check(&place.store(), &all, "once");
        check(&place.store().keeping(1 << 20), &all, "kept");
    }
}
