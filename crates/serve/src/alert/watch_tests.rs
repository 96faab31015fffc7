use std::sync::atomic::{AtomicBool, Ordering};

use tachograph_log::DurableLog;
use tachograph_model::{Column, SinkError, Value};

use super::super::book::tests::{Figures, rule};
use super::*;
use crate::notify::Channels;

const START: i64 = 1_763_640_000_000_000_000;

/// A log that may refuse.
struct Moody {
    log: DurableLog,
    refuses: Arc<AtomicBool>,
}

impl Sink for Moody {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(SinkError {
                what: "full".to_owned(),
                source: None,
            });
        }
        self.log.put(events)
    }
}

struct Watched {
    _folder: tempfile::TempDir,
    home: Home,
    figures: Figures,
    refuses: Arc<AtomicBool>,
    counters: Arc<Counters>,
    clock: i64,
}

impl Watched {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::create(folder.path()).expect("a home");
        Rules::of(home.root()).add(rule("r", "a")).expect("added");
        Self {
            _folder: folder,
            home,
            figures: Figures::default(),
            refuses: Arc::default(),
            counters: Arc::default(),
            clock: START,
        }
    }

    fn begin(&self) -> Rounds {
        let settings = Alerts {
            watch: true,
            ..Alerts::default()
        };
        let watch = Watch::new(self.home.root(), &settings, UnixNanos(START));
        let sink = Moody {
            log: DurableLog::new(&self.home),
            refuses: self.refuses.clone(),
        };
        Rounds::begin(
            Arc::new(watch),
            Arc::new(sink),
            &self.home,
            self.counters.clone(),
        )
    }

    fn round(&mut self, rounds: &mut Rounds, avg: Option<f64>) {
        self.figures.set("s", "a", avg);
        self.clock += 1_000_000_000;
        rounds.round(UnixNanos(self.clock), &self.figures);
    }

    /// What the log says of alerts.
    fn said(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.log()).unwrap_or_default();
        let events = text.lines().map(|line| Event::from_line(line.as_bytes()));
        let status = |event: Event| match event.get(Column::Status) {
            Some(Value::Str(status)) => status.clone(),
            other => panic!("{other:?}"),
        };
        events
            .map(|event| status(event.expect("an event")))
            .collect()
    }

    fn state(&self) -> std::path::PathBuf {
        self.home.root().join("alerts/state.json")
    }
}

#[test]
fn a_restart_while_it_fires_repeats_nothing() {
    let mut home = Watched::new();
    for _ in 0..5 {
        // Killed: nothing is kept at the end.
        let mut rounds = home.begin();
        home.round(&mut rounds, Some(11.0));
        home.round(&mut rounds, Some(11.0));
    }
    assert_eq!(home.said(), ["firing"]);
    let mut rounds = home.begin();
    for _ in 0..3 {
        home.round(&mut rounds, Some(1.0));
    }
    drop(rounds);
    home.round(&mut home.begin(), Some(1.0));
    assert_eq!(home.said(), ["firing", "resolved"]);
}

#[test]
fn a_kill_between_noting_and_writing_tells_once() {
    // Noted and not written: it is written by the next.
    let mut home = Watched::new();
    home.refuses.store(true, Ordering::Relaxed);
    home.round(&mut home.begin(), Some(11.0));
    assert!(home.said().is_empty());
    let noted = std::fs::read(home.state()).expect("a state");
    home.refuses.store(false, Ordering::Relaxed);
    home.round(&mut home.begin(), Some(11.0));
    assert_eq!(home.said(), ["firing"]);
    // Written, and the note not taken back: it is not written again.
    std::fs::write(home.state(), noted).expect("written");
    home.round(&mut home.begin(), Some(11.0));
    assert_eq!(home.said(), ["firing"]);
}

#[test]
fn the_state_is_written_once_a_look_at_most_and_not_for_nothing() {
    let mut home = Watched::new();
    let mut rounds = home.begin();
    let mark = |home: &Watched| crate::alert::file::mark(&home.state());
    let unwritten = |home: &Watched| {
        let state = std::fs::read(home.state()).expect("a state");
        let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
        state["unwritten"].as_array().map(Vec::len)
    };
    home.round(&mut rounds, Some(11.0));
    // Noted before it was written to the log, and not once more after.
    assert_eq!(unwritten(&home), Some(1));
    assert_eq!(home.said(), ["firing"]);
    home.round(&mut rounds, Some(11.0));
    assert_eq!(unwritten(&home), Some(0));
    let before = mark(&home);
    home.round(&mut rounds, Some(11.0));
    assert_eq!(mark(&home), before);
    // Somebody was told: with the next look.
    rounds.stale = true;
    home.round(&mut rounds, Some(11.0));
    assert_ne!(mark(&home), before);
}

#[test]
fn a_disk_that_refuses_is_told_when_it_does_not() {
    let mut home = Watched::new();
    let mut rounds = home.begin();
    home.refuses.store(true, Ordering::Relaxed);
    for avg in [11.0, 1.0, 1.0, 1.0] {
        home.round(&mut rounds, Some(avg));
    }
    home.refuses.store(false, Ordering::Relaxed);
    home.round(&mut rounds, Some(1.0));
    assert_eq!(home.said(), ["firing", "resolved"]);
}

#[test]
fn a_torn_state_is_begun_anew_and_said() {
    let mut home = Watched::new();
    home.round(&mut home.begin(), Some(11.0));
    let whole = std::fs::read(home.state()).expect("a state");
    let mut lost = 0;
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(home.state(), &whole[..length]).expect("written");
        let mut rounds = home.begin();
        lost += 1;
        assert_eq!(home.counters.alert_states_lost.get(), lost, "{length}");
        assert!(home.counters.alert_states_lost.why().is_some(), "{length}");
        home.round(&mut rounds, Some(1.0));
    }
    std::fs::write(home.state(), &whole).expect("written");
    home.begin();
    assert_eq!(home.counters.alert_states_lost.get(), lost);
}

#[test]
fn a_rule_deleted_while_it_fires_is_resolved_also_while_nobody_watched() {
    let mut home = Watched::new();
    let rules = Rules::of(home.home.root());
    let mut rounds = home.begin();
    home.round(&mut rounds, Some(11.0));
    rules.remove("r").expect("removed");
    home.round(&mut rounds, Some(11.0));
    assert_eq!(home.said(), ["firing", "resolved"]);
    rules.add(rule("r", "a")).expect("added");
    home.round(&mut rounds, Some(11.0));
    drop(rounds);
    rules.remove("r").expect("removed");
    home.round(&mut home.begin(), Some(11.0));
    assert_eq!(home.said(), ["firing", "resolved", "firing", "resolved"]);
}

#[test]
fn rules_that_cannot_be_read_leave_those_that_were() {
    let mut home = Watched::new();
    let mut rounds = home.begin();
    home.round(&mut rounds, Some(1.0));
    let path = home.home.root().join("alerts/rules.json");
    std::fs::write(&path, "{").expect("written");
    home.round(&mut rounds, Some(11.0));
    assert_eq!(home.said(), ["firing"]);
    assert_eq!(home.counters.alert_rules_unreadable.get(), 1);
    // One that starts then watches what is not of the API.
    drop(rounds);
    let settings = Alerts {
        watch: true,
        builtin: true,
        channels: Channels::default(),
        rules: vec![rule("mine", "a"), rule("High CPU Usage", "a")],
    };
    let watch = Watch::new(home.home.root(), &settings, UnixNanos(START));
    assert!(watch.renew().is_err());
    assert_eq!(watch.book().rules().len(), 13);
    std::fs::remove_file(&path).expect("removed");
    Rules::of(home.home.root())
        .add(rule("mine", "b"))
        .expect("added");
    watch.renew().expect("rules");
    let book = watch.book();
    let owned = |name: &str| {
        let mut of = book.rules().iter().filter(|owned| owned.rule.name == name);
        let first = of.next().expect(name);
        assert!(of.next().is_none());
        (first.origin, first.rule.metric_name.clone())
    };
    assert_eq!(owned("mine"), (Origin::Api, "b".to_owned()));
    assert_eq!(owned("High CPU Usage"), (Origin::Config, "a".to_owned()));
    assert_eq!(owned("Slow Tool").0, Origin::Builtin);
}

#[test]
fn a_silence_is_over_by_the_machines_clock() {
    let watched = Watched::new();
    let rounds = watched.begin();
    let watch = &rounds.watch;
    let nearly = UnixNanos(UnixNanos::now().0 - 59_500_000_000);
    let ask = crate::alert::silence::Ask::rule("r", 1);
    watch.silences().add(ask, "cli", nearly).expect("made");
    watch.renew_silences().expect("read");
    assert_eq!(watch.post().silences().len(), 1);
    // The file stays as it is.
    std::thread::sleep(Duration::from_millis(600));
    watch.renew_silences().expect("read");
    assert_eq!(watch.post().silences(), []);
}

#[test]
fn what_can_be_read_of_a_file_counts_and_what_was_known_goes_on() {
    let home = Watched::new();
    let root = home.home.root();
    Rules::of(root).add(rule("q", "a")).expect("added");
    let ask = |rule: &str| crate::alert::silence::Ask::rule(rule, 5);
    let silences = Silences::of(root);
    for rule in ["r", "q"] {
        let made = silences.add(ask(rule), "cli", UnixNanos::now());
        made.expect("made");
    }
    let watch = || Watch::new(root, &Alerts::default(), UnixNanos(START));
    let known = |watch: &Watch| {
        let rules = watch.book().rules().len();
        (rules, watch.post().silences().len())
    };
    let before = watch();
    before.renew().expect("rules");
    before.renew_silences().expect("silences");
    assert_eq!(known(&before), (2, 2));
    for name in ["rules", "silences"] {
        let path = root.join("alerts").join(name).with_extension("json");
        let text = std::fs::read(&path).expect("there");
        std::fs::write(&path, &text[..text.len() - 12]).expect("torn");
    }
    // One that starts now knows one of each; the other still knows both.
    for (watch, wanted) in [(watch(), (1, 1)), (before, (2, 2))] {
        assert!(watch.renew().is_err() && watch.renew_silences().is_err());
        assert_eq!(known(&watch), wanted);
    }
}

#[test]
fn what_cannot_be_read_is_counted_once_whoever_reads_it_first() {
    let mut home = Watched::new();
    let mut rounds = home.begin();
    let watch = rounds.watch.clone();
    let torn = |name: &str| {
        let path = home.home.root().join("alerts").join(name);
        std::fs::write(path, r#"{"version":1,"#).expect("written");
    };
    torn("rules.json");
    torn("silences.json");
    let unread = || watch.renew().is_err() && watch.renew_silences().is_err();
    // As the API does.
    assert!(unread());
    for _ in 0..3 {
        home.round(&mut rounds, Some(1.0));
        let Counters {
            alert_rules_unreadable: rules,
            silences_unreadable: silences,
            ..
        } = &*home.counters;
        assert_eq!((rules.get(), silences.get()), (1, 1));
        for (faults, name) in [(rules, "rules.json"), (silences, "silences.json")] {
            let why = faults.why().expect("why");
            assert!(why.contains(name) && why.contains("torn"), "{why}");
        }
    }
    // It is said as long as it is so.
    assert!(unread());
    std::fs::remove_file(home.home.root().join("alerts/rules.json")).expect("gone");
    assert!(watch.renew().is_ok());
    // Another file is another fault.
    let path = home.home.root().join("alerts/silences.json");
    std::fs::write(path, "no JSON at all").expect("written");
    home.round(&mut rounds, Some(1.0));
    assert_eq!(home.counters.silences_unreadable.get(), 2);
}

#[cfg(unix)]
#[test]
fn what_the_disk_does_not_give_is_tried_again_at_each_look() {
    let mut home = Watched::new();
    let mut rounds = home.begin();
    home.round(&mut rounds, Some(1.0));
    let path = home.home.root().join("alerts/rules.json");
    let rules = std::fs::read(&path).expect("there");
    std::fs::remove_file(&path).expect("removed");
    // A folder is there and cannot be read.
    std::fs::create_dir(&path).expect("made");
    for times in 1..=2 {
        home.round(&mut rounds, Some(11.0));
        assert_eq!(home.counters.alert_rules_unreadable.get(), times);
    }
    assert_eq!(home.said(), ["firing"]);
    std::fs::remove_dir(&path).expect("removed");
    std::fs::write(&path, rules).expect("written");
    home.round(&mut rounds, Some(11.0));
    assert!(rounds.watch.renew().is_ok());
    assert_eq!(home.counters.alert_rules_unreadable.get(), 2);
}

#[test]
fn what_cannot_be_kept_or_read_is_counted_as_what_it_is() {
    let home = Watched::new();
    std::fs::create_dir(home.home.root().join("alerts/told.jsonl")).expect("made");
    home.begin();
    let Counters {
        alert_states_unkept,
        told_unreadable,
        ..
    } = &*home.counters;
    assert_eq!((told_unreadable.get(), alert_states_unkept.get()), (1, 0));
    assert!(told_unreadable.why().is_some_and(|why| !why.is_empty()));
}
