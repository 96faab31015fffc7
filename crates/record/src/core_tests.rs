//! The engine as a whole.
#![cfg(not(loom))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use tachograph_log::Home;
use tachograph_model::{Column, Event, KINDS, SinkError};
use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_secs(20);

struct Scene {
    dir: TempDir,
    notices: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            notices: Arc::default(),
        }
    }

    fn home(&self) -> Home {
        Home::at(self.dir.path().join("home"))
    }

    fn settings(&self) -> CoreSettings {
        let notices = self.notices.clone();
        CoreSettings {
            home: Some(self.home().root().to_owned()),
            ring_dir: Some(self.dir.path().join("rings")),
            on_notice: Arc::new(move |text| notices.lock().unwrap().push(text.to_owned())),
            ..CoreSettings::default()
        }
    }

    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for file in self.home().files().unwrap().files {
            for line in fs::read_to_string(file.path).unwrap().lines() {
                events.push(Event::from_line(line.as_bytes()).unwrap());
            }
        }
        events
    }

    fn deltas(&self) -> Vec<i64> {
        let events = self.events();
        let of_kind = events
            .iter()
            .filter(|event| event.event_type == "file_count_delta");
        let mut deltas: Vec<_> = of_kind
            .map(|event| event.i64(Column::Count).unwrap())
            .collect();
        deltas.sort_unstable();
        deltas
    }

    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    fn regions(&self) -> usize {
        crate::places::ring_files(&self.home()).len()
    }
}

fn kind(name: &str) -> u8 {
    KINDS.iter().position(|kind| kind.name == name).unwrap() as u8
}

/// Records `file_count_delta` with a number.
fn record(core: &Core, n: i64) {
    core.push(kind("file_count_delta"), core.now(), 0b10, &[n as u64]);
}

fn lost(core: &Core) -> u64 {
    core.losses().iter().map(|(_, _, count)| count).sum()
}

#[test]
fn what_is_pushed_is_in_the_log_after_a_flush() {
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    let search = core.name("search");
    assert_eq!(core.name("search"), search);
    assert_eq!(&*core.name_text(search), "search");
    let before = core.now();
    core.push(
        kind("tool_call"),
        core.now(),
        0b111,
        &[u64::from(search.0), 12_500_000, 1],
    );
    assert!(core.flush(LONG));
    let events = scene.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event_type, "tool_call");
    assert_eq!(events[0].str(Column::Name), Some("search"));
    assert_eq!(events[0].f64(Column::DurationMs), Some(12.5));
    assert_eq!(events[0].bool(Column::Success), Some(true));
    assert!((events[0].time.0 - before).abs() < 1_000_000_000);
    assert_eq!(*scene.notices.lock().unwrap(), [""; 0]);
}

#[test]
fn nothing_is_lost_at_the_end() {
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    (0..1_000).for_each(|n| record(&core, n));
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas(), (0..1_000).collect::<Vec<_>>());
    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    assert_eq!(scene.regions(), 0);
    // Too late: counted.
    record(&core, 1);
    assert_eq!(core.losses(), [("file_count_delta", "write_failed", 1)]);
    assert!(core.shutdown(LONG), "twice is once");

    let core = Core::open(scene.settings());
    record(&core, 1_000);
    drop(core);
    assert_eq!(scene.deltas().len(), 1_001);
}

#[test]
fn more_threads_than_rings_and_more_cores_than_one() {
    let (one, two) = (Scene::new(), Scene::new());
    let cores = [&one, &two].map(|scene| {
        Core::open(CoreSettings {
            max_rings: 2,
            ring_bytes: 64 * 1024,
            rotate_bytes: 20_000,
            ..scene.settings()
        })
    });
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let cores = &cores;
            scope.spawn(move || {
                for n in 0..2_000 {
                    cores
                        .iter()
                        .for_each(|core| record(core, thread * 2_000 + n));
                    if n % 100 == 0 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
    });
    for (core, scene) in cores.iter().zip([&one, &two]) {
        assert!(core.shutdown(LONG));
        let mut deltas = scene.deltas();
        let kept = deltas.len() as u64;
        deltas.dedup();
        assert_eq!(deltas.len() as u64, kept, "none twice");
        assert_eq!(kept + lost(core), 16_000);
        assert!(scene.home().files().unwrap().files.len() > 3);
    }
}

#[test]
fn rings_of_finished_threads_are_used_again() {
    let scene = Scene::new();
    let core = Core::open(CoreSettings {
        max_rings: 1,
        ..scene.settings()
    });
    for n in 0..50 {
        let core = &core;
        std::thread::scope(|scope| {
            scope.spawn(move || record(core, n));
        });
    }
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas().len(), 50);
    assert_eq!(lost(&core), 0);
}

#[test]
fn overload_is_counted_and_reported() {
    let scene = Scene::new();
    let core = Core::open(CoreSettings {
        ring_bytes: 4_096,
        ..scene.settings()
    });
    // Longer than the drain can keep up with 4 KiB.
    (0..200_000).for_each(|n| record(&core, n));
    let lost = lost(&core);
    assert!(lost > 0);
    assert_eq!(core.losses(), [("file_count_delta", "overload", lost)]);
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas().len() as u64 + lost, 200_000);
    let told: i64 = scene
        .events()
        .iter()
        .filter(|event| event.event_type == "loss")
        .map(|event| {
            assert_eq!(event.str(Column::Name), Some("file_count_delta"));
            assert_eq!(event.str(Column::Status), Some("overload"));
            event.i64(Column::Count).unwrap()
        })
        .sum();
    assert_eq!(told as u64, lost);
}

#[test]
fn too_many_names_fold_into_one() {
    let scene = Scene::new();
    let core = Core::open(CoreSettings {
        max_names: 60,
        ..scene.settings()
    });
    let names: Vec<_> = (0..100).map(|n| core.name(&format!("tool {n}"))).collect();
    assert_ne!(names[0], NameId::OTHER);
    assert_eq!(names[99], NameId::OTHER);
    assert_eq!(&*core.name_text(names[99]), "_other");
    assert_eq!(&*core.name_text(NameId(9_999)), "_other");
    let folded = names.iter().filter(|name| **name == NameId::OTHER).count() as u64;
    assert_eq!(core.losses(), [("name", "cardinality", folded)]);

    // What a host itself calls so is another.
    let scene = Scene::new();
    let apart = Core::open(scene.settings());
    let own = apart.name("_other");
    assert_ne!(own, NameId::OTHER);
    assert_eq!(&*apart.name_text(own), "__other");
    assert_eq!(apart.losses(), []);

    let long = core.name(&"ä".repeat(3_000));
    assert_eq!(long, NameId::OTHER, "too long, and one too many");
    assert!(core.losses().contains(&("name", "too_long", 1)));
}

#[test]
fn the_observer_sees_every_record_once_and_in_order() {
    let scene = Scene::new();
    let core = Core::open(CoreSettings {
        home: None,
        ..scene.settings()
    });
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let sink = seen.clone();
    core.set_observer(Box::new(move |record| {
        assert_eq!(
            (record.kind, record.presence),
            (kind("file_count_delta"), 0b10)
        );
        sink.lock().unwrap().push(record.words[0]);
    }));
    (0..5_000).for_each(|n| record(&core, n));
    assert!(core.flush(LONG));
    assert_eq!(*seen.lock().unwrap(), (0..5_000).collect::<Vec<_>>());
    assert_eq!(lost(&core), 0, "without a home nothing is to be kept");
}

#[test]
fn an_observer_that_panics_stops_nothing() {
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    core.set_observer(Box::new(|_| panic!("on purpose")));
    (0..100).for_each(|n| record(&core, n));
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas().len(), 100);
    assert_eq!(scene.notices.lock().unwrap().len(), 1);
}

#[test]
fn a_home_that_cannot_be_is_said_once_and_counted() {
    let scene = Scene::new();
    fs::write(scene.home().root(), b"a file").unwrap();
    let core = Core::open(scene.settings());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    core.set_observer(Box::new(move |record| {
        assert_eq!(
            record.kind,
            kind("file_count_delta"),
            "no talk of losses to nobody"
        );
        count.fetch_add(1, Ordering::Relaxed);
    }));
    (0..100).for_each(|n| record(&core, n));
    core.flush(LONG);
    (0..100).for_each(|n| record(&core, n));
    core.shutdown(LONG);
    assert_eq!(seen.load(Ordering::Relaxed), 200, "windows go on");
    assert_eq!(core.losses(), [("file_count_delta", "write_failed", 200)]);
    let notices = scene.notices.lock().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("home"), "{notices:?}");
}

#[test]
fn a_log_that_is_a_directory_is_said_once_and_counted() {
    let scene = Scene::new();
    let home = Home::create(scene.home().root()).unwrap();
    fs::create_dir(home.log()).unwrap();
    let core = Core::open(scene.settings());
    for _ in 0..3 {
        record(&core, 1);
        core.flush(LONG);
    }
    core.shutdown(LONG);
    assert_eq!(core.losses(), [("file_count_delta", "write_failed", 3)]);
    assert_eq!(scene.notices.lock().unwrap().len(), 1);
    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    assert_eq!(scene.regions(), 0, "waiting would not help");
}

struct Collect(Mutex<Vec<Event>>, AtomicUsize);

impl Sink for Collect {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        // Every third batch is refused once.
        if self.1.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
            let what = "refused".to_owned();
            return Err(SinkError { what, source: None });
        }
        self.0.lock().unwrap().extend_from_slice(events);
        Ok(())
    }
}

#[test]
fn a_sink_takes_the_log_s_place_and_may_refuse() {
    let scene = Scene::new();
    let sink = Arc::new(Collect(Mutex::default(), AtomicUsize::new(0)));
    let core = Core::open(CoreSettings {
        sink: Some(sink.clone()),
        ..scene.settings()
    });
    for n in 0..10 {
        record(&core, n);
        while !core.flush(LONG) {}
    }
    let events = sink.0.lock().unwrap();
    let deltas: Vec<_> = events
        .iter()
        .map(|event| event.i64(Column::Count).unwrap())
        .collect();
    assert_eq!(deltas, (0..10).collect::<Vec<_>>());
    assert!(!scene.home().root().exists());
}

#[test]
fn damage_is_said_once_and_counted() {
    let scene = Scene::new();
    let core = Core::open(CoreSettings {
        drain_interval: Duration::from_secs(2),
        ..scene.settings()
    });
    record(&core, 0);
    assert!(core.flush(LONG));
    // The drain sleeps for seconds now, unless it is asked.
    (1..4).for_each(|n| record(&core, n));
    let mut rings = Vec::new();
    core.here().region().rings(&mut rings);
    let ring = rings.iter().find(|ring| ring.head() > ring.tail()).unwrap();
    ring.spoil(ring.tail());
    assert!(core.flush(LONG));
    assert_eq!(core.losses(), [("_other", "damaged", 1)]);
    assert_eq!(scene.notices.lock().unwrap().len(), 1);
    record(&core, 4);
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas(), [0, 4]);
    let events = scene.events();
    let losses: Vec<_> = events.iter().filter(|e| e.event_type == "loss").collect();
    let [loss] = losses.as_slice() else {
        panic!("{losses:?}");
    };
    assert_eq!(loss.str(Column::Name), Some("_other"));
    assert_eq!(loss.str(Column::Status), Some("damaged"));
    assert_eq!(loss.i64(Column::Count), Some(1));
}

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
#[path = "core_linux_tests.rs"]
mod linux;
