//! What is answered, and when, whatever the sink does.

use std::future::Future;
use std::sync::atomic::AtomicUsize;

use tachograph_model::{Column, UnixNanos};

use super::*;
use crate::normal::candidate::Keys;

/// A sink that can be told to wait or to refuse.
#[derive(Default)]
struct Fake {
    stored: Mutex<Vec<Vec<i64>>>,
    refuse: Mutex<bool>,
    /// The next batch meets with a defect.
    breaks: std::sync::atomic::AtomicBool,
    /// Held by the test while the sink is to wait.
    gate: Mutex<()>,
    entered: AtomicUsize,
}

impl Sink for Fake {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        self.entered.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.lock().expect("the gate"));
        assert!(!self.breaks.swap(false, Ordering::SeqCst), "on purpose");
        if *self.refuse.lock().expect("a word") {
            return Err(SinkError {
                what: "the disk is full".to_owned(),
                source: None,
            });
        }
        let ids = events.iter().filter_map(|event| event.i64(Column::Count));
        self.stored.lock().expect("a list").push(ids.collect());
        Ok(())
    }
}

impl Fake {
    fn wait_entered(&self, times: usize) {
        while self.entered.load(Ordering::SeqCst) < times {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn stored(&self) -> Vec<Vec<i64>> {
        self.stored.lock().expect("a list").clone()
    }
}

struct Scene {
    sink: Arc<Fake>,
    counters: Arc<Counters>,
    journal: Journal,
    _home: tempfile::TempDir,
}

fn scene(queued_bytes: usize) -> Scene {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::create(dir.path()).expect("a home");
    let (sink, counters) = (Arc::new(Fake::default()), Arc::new(Counters::default()));
    let limits = Limits {
        queued_bytes,
        ..Limits::default()
    };
    let journal = Journal::start(sink.clone(), &home, counters.clone(), &limits).expect("a thread");
    Scene {
        sink,
        counters,
        journal,
        _home: dir,
    }
}

/// Spans by number.
fn batch(spans: std::ops::Range<u8>) -> Batch {
    let candidate = |number| Candidate {
        event: Event::new(UnixNanos(1), "span").with(Column::Count, i64::from(number)),
        keys: Keys {
            trace: [1; 16],
            span: [number; 8],
            ..Keys::default()
        },
    };
    Batch {
        signal: Signal::Traces,
        bytes: spans.len(),
        candidates: spans.map(candidate).collect(),
        links: Vec::new(),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

#[test]
fn what_comes_while_the_disk_is_busy_is_stored_together() {
    let Scene {
        sink,
        journal,
        counters,
        ..
    } = scene(100);
    let gate = sink.gate.lock().expect("the gate");
    journal.offer(batch(1..2)).expect("taken");
    sink.wait_entered(1);
    let others = [2..4, 3..5, 5..6].map(|spans| {
        let journal = journal.clone();
        std::thread::spawn(move || wait(journal.put(batch(spans))).expect("stored").duplicates)
    });
    while counters.queued_batches.load(Ordering::Relaxed) < 3 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(others.iter().all(|other| !other.is_finished()));
    drop(gate);
    let duplicates: u64 = others
        .into_iter()
        .map(|other| other.join().expect("no panic"))
        .sum();
    assert_eq!(duplicates, 1);
    let mut stored = sink.stored();
    stored[1].sort_unstable();
    assert_eq!(stored, [vec![1], vec![2, 3, 4, 5]]);
    let of = counters.of(Signal::Traces);
    assert_eq!((of.stored.get(), of.duplicates.get()), (5, 1));
    assert_eq!(counters.commits.get(), 2);
    journal.stop();
    assert_eq!(counters.queued_bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn a_refusal_is_told_and_forgotten_and_the_next_one_is_taken() {
    let Scene {
        sink,
        journal,
        counters,
        ..
    } = scene(100);
    *sink.refuse.lock().expect("a word") = true;
    let undone = Arc::new(AtomicUsize::new(0));
    let undo: Undo = Box::new({
        let undone = undone.clone();
        move || {
            undone.fetch_add(1, Ordering::SeqCst);
        }
    });
    let refused = wait(journal.put_or(batch(1..3), Some(undo))).expect_err("refused");
    assert!(matches!(&refused, Refused::Disk(_)), "{refused:?}");
    assert!(refused.to_string().contains("the disk is full"));
    assert_eq!(undone.load(Ordering::SeqCst), 1);
    assert_eq!(counters.of(Signal::Traces).failed.get(), 1);
    *sink.refuse.lock().expect("a word") = false;
    assert_eq!(wait(journal.put(batch(1..3))).expect("stored").kept, 2);
    assert_eq!(wait(journal.put(batch(1..3))).expect("known").duplicates, 2);
    assert_eq!(sink.stored(), [[1, 2]]);
}

#[test]
fn why_the_disk_refused_is_told_without_where_the_home_lies() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::create(dir.path().join("home")).expect("a home");
    let sink = Arc::new(tachograph_log::DurableLog::new(&home));
    let counters = Arc::new(Counters::default());
    let journal = Journal::start(sink, &home, counters.clone(), &Limits::default());
    std::fs::remove_dir_all(home.root()).expect("removed");
    let refused = wait(journal.expect("a thread").put(batch(1..2))).expect_err("no home");
    let (told, noted) = (refused.to_string(), counters.last_refusal());
    let noted = noted.expect("noted");
    let path = home.root().display().to_string();
    assert!(told.contains("os error") && !told.contains(&path), "{told}");
    assert!(
        noted.contains("os error") && noted.contains(&path),
        "{noted}"
    );
}

#[test]
fn a_defect_costs_one_window_and_no_more() {
    let Scene { sink, journal, .. } = scene(100);
    let undone = Arc::new(AtomicUsize::new(0));
    let undo = || -> Undo {
        let undone = undone.clone();
        Box::new(move || {
            undone.fetch_add(1, Ordering::SeqCst);
        })
    };
    sink.breaks.store(true, Ordering::SeqCst);
    wait(journal.put_or(batch(1..3), Some(undo()))).expect_err("broken off");
    assert_eq!(undone.load(Ordering::SeqCst), 1);
    let again = wait(journal.put_or(batch(1..3), Some(undo()))).expect("stored");
    assert_eq!((again.kept, again.duplicates), (2, 0));
    assert_eq!(undone.load(Ordering::SeqCst), 1);
    assert_eq!(sink.stored(), [[1, 2]]);
}

/// What an earlier process stored is known again however often the disk says
/// no in between.
#[test]
fn a_retry_after_a_restart_counts_once_though_the_disk_was_full() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::create(dir.path()).expect("a home");
    let stored = Event::new(UnixNanos(1), "metric").to_line();
    let log = tachograph_log::Appender::new(&home);
    log.append(&stored).expect("appended");
    let sink = Arc::new(Fake::default());
    let counters = Arc::new(Counters::default());
    let journal = Journal::start(sink.clone(), &home, counters, &Limits::default());
    let journal = journal.expect("a thread");
    let fresh = Event::new(UnixNanos(2), "metric").to_line();
    let send = || {
        let lines = Lines {
            bytes: [stored.clone(), fresh.clone()].concat(),
            count: 2,
        };
        let pending = journal.send_lines(Signal::RemoteWrite, lines, 100, Box::new(|| ()));
        wait(
            pending
                .map_err(|(refused, _)| refused)
                .expect("taken")
                .stored(),
        )
    };
    *sink.refuse.lock().expect("a word") = true;
    send().expect_err("refused");
    *sink.refuse.lock().expect("a word") = false;
    let tally = send().expect("stored");
    assert_eq!((tally.kept, tally.duplicates), (1, 1));
}

#[test]
fn too_much_is_refused_and_a_closed_journal_refuses_all() {
    let Scene {
        sink,
        journal,
        counters,
        ..
    } = scene(10);
    let gate = sink.gate.lock().expect("the gate");
    journal.offer(batch(0..5)).expect("taken");
    sink.wait_entered(1);
    journal.offer(batch(5..9)).expect("taken");
    assert!(matches!(
        wait(journal.put(batch(9..11))),
        Err(Refused::Overloaded)
    ));
    journal.offer(batch(9..10)).expect("just fits");
    assert_eq!(counters.of(Signal::Traces).overloaded.get(), 1);
    let stopping = std::thread::spawn({
        let journal = journal.clone();
        move || journal.stop()
    });
    while journal.offer(batch(20..20)).is_ok() {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(gate);
    stopping.join().expect("no panic");
    assert_eq!(sink.stored().concat(), (0..10).collect::<Vec<_>>());
    assert!(matches!(
        wait(journal.put(batch(30..31))),
        Err(Refused::Stopping)
    ));
}

#[test]
fn a_disk_that_hangs_holds_nobody_up_for_ever() {
    let Scene { sink, journal, .. } = scene(10);
    let _gate = sink.gate.lock().expect("the gate");
    journal.offer(batch(0..5)).expect("taken");
    sink.wait_entered(1);
    let began = Instant::now();
    journal.stop();
    let took = began.elapsed();
    assert!((STOP_WITHIN..STOP_WITHIN * 3).contains(&took), "{took:?}");
}
