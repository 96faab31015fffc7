//! Regions in files, and recovery from every place where a writer can die.
#![cfg(all(target_os = "linux", not(tachograph_no_ring), not(miri), not(loom)))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::sync::RwLockReadGuard;

use tachograph_log::{Appender, Home};
use tempfile::TempDir;

use super::*;
use crate::drain::Drainer;
use crate::loss;
use crate::recover::{RecoverReport, recover};
use crate::ring::{FORKS, Producer, bear_large_files, in_forked_child};

const EVENTS: usize = 6;

/// A home, and the region of a process that has just died in it.
struct Scene {
    dir: TempDir,
    home: Home,
    _no_forks: Option<Rc<RwLockReadGuard<'static, ()>>>,
}

impl Scene {
    fn new() -> Self {
        Self {
            _no_forks: Some(no_forks()),
            ..Self::in_child()
        }
    }

    fn in_child() -> Self {
        // In memory, where there is one: hundreds of homes take seconds on a disk.
        let dir = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let home = Home::create(dir.path().join("home")).unwrap();
        fs::create_dir(home.rings()).unwrap();
        Self {
            dir,
            home,
            _no_forks: None,
        }
    }

    /// Makes a region with two rings and `EVENTS` events in them.
    fn region(&self) -> (Arc<Region>, Drainer) {
        let table = Table::current();
        let root = self.home.root().canonicalize().unwrap();
        let region = Arc::new(Region::create(&self.home.rings(), &root, &table).unwrap());
        let kinds = table.0.iter().map(|entry| entry.name.as_str());
        loss::first_names(kinds).for_each(|name| assert!(region.add_name(name)));
        let kind = table.kind("file_count_delta").unwrap();
        let mut rings: Vec<_> = (0..2)
            .map(|_| Producer::new(region.add_ring(512).unwrap()))
            .collect();
        for n in 0..EVENTS as u64 {
            rings[n as usize % 2].push(kind, n as i64 * 1_000, 0b10, &[n]);
        }
        let drainer = Drainer::new(region.clone(), &table);
        (region, drainer)
    }

    /// Does what `Drainer::store` does, and dies after `written` bytes.
    fn die_writing(&self, written: usize) -> usize {
        let (region, mut drainer) = self.region();
        drainer.gather(1 << 20, None);
        let log = Appender::new(&self.home);
        let mut locked = log.lock().unwrap();
        let at = locked.prepare().unwrap();
        let batch = drainer.batch();
        let bytes = batch.bytes.clone();
        for (ring, (from, to)) in rings_of(&region).iter().zip(&batch.parts) {
            ring.set_intent(*from, *to);
        }
        let len = bytes.len() as u64;
        region.intend(Intent { at, len });
        locked.write(&bytes[..written.min(bytes.len())]).unwrap();
        bytes.len()
    }

    fn recover(&self) -> RecoverReport {
        let report = recover(&Appender::new(&self.home));
        assert_eq!(report.notes, [""; 0]);
        report
    }

    /// The events in the log, sorted; lines that are no events are counted.
    fn events(&self) -> (Vec<i64>, usize) {
        let mut found = Vec::new();
        let mut broken = 0;
        for file in self.home.files().unwrap().files {
            for line in fs::read(file.path).unwrap().split(|b| *b == b'\n') {
                match tachograph_model::Event::from_line(line) {
                    Ok(event) if event.event_type == "file_count_delta" => {
                        found.extend(event.i64(tachograph_model::Column::Count));
                    }
                    Ok(_) => {}
                    Err(_) if line.is_empty() => {}
                    Err(_) => broken += 1,
                }
            }
        }
        found.sort_unstable();
        (found, broken)
    }

    fn regions_left(&self) -> usize {
        fs::read_dir(self.home.rings()).unwrap().count()
    }
}

/// One guard a thread: a second one could wait for a writer that waits for the
/// first.
fn no_forks() -> Rc<RwLockReadGuard<'static, ()>> {
    thread_local! {
        static HELD: RefCell<Weak<RwLockReadGuard<'static, ()>>> = const { RefCell::new(Weak::new()) };
    }
    HELD.with_borrow_mut(|held| {
        held.upgrade().unwrap_or_else(|| {
            let guard = Rc::new(FORKS.read().unwrap_or_else(PoisonError::into_inner));
            *held = Rc::downgrade(&guard);
            guard
        })
    })
}

fn rings_of(region: &Region) -> Vec<Arc<Ring>> {
    let mut rings = Vec::new();
    region.rings(&mut rings);
    rings
}

fn all() -> Vec<i64> {
    (0..EVENTS as i64).collect()
}

#[test]
fn what_was_never_written_is() {
    let scene = Scene::new();
    drop(scene.region());
    let report = scene.recover();
    assert_eq!((report.orphans, report.events), (1, EVENTS as u64));
    assert_eq!(scene.events(), (all(), 0));
    assert_eq!(scene.regions_left(), 0);
    assert_eq!(scene.recover(), RecoverReport::default());
}

#[test]
fn the_living_are_left_alone() {
    let scene = Scene::new();
    let alive = scene.region();
    assert_eq!(scene.recover().orphans, 0);
    assert_eq!(scene.regions_left(), 1);
    drop(alive);
    assert_eq!(scene.recover().orphans, 1);
}

#[test]
fn a_writer_may_die_after_any_byte() {
    let mut written = 0;
    loop {
        let scene = Scene::new();
        let len = scene.die_writing(written);
        let report = scene.recover();
        assert_eq!(scene.events(), (all(), 0), "after {written} bytes");
        assert_eq!(report.already + report.events, EVENTS as u64);
        assert_eq!(scene.regions_left(), 0);
        if written == len {
            assert_eq!(report.events, 0);
            break;
        }
        written += 1;
    }
}

#[test]
fn others_may_have_written_behind_the_torn_line_and_rotated_it_away() {
    for rotate in [false, true] {
        for written in 0..400 {
            let scene = Scene::new();
            scene.die_writing(written);
            let log = Appender::new(&scene.home);
            log.append(b"{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"x\"}\n")
                .unwrap();
            if rotate {
                log.lock().unwrap().rotate().unwrap();
                log.append(b"{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"x\"}\n")
                    .unwrap();
            }
            scene.recover();
            let (events, broken) = scene.events();
            assert_eq!(events, all(), "after {written} bytes");
            assert!(
                broken <= 1,
                "the torn line, which is not ours to cut any more"
            );
        }
    }
}

#[test]
fn a_batch_whose_file_was_sealed_away_counts_as_written() {
    let scene = Scene::new();
    scene.die_writing(100);
    fs::remove_file(scene.home.log()).unwrap();
    // A new file, perhaps with the old one's inode.
    fs::write(scene.home.log(), b"").unwrap();
    let report = scene.recover();
    assert_eq!((report.already, report.events), (EVENTS as u64, 0));
    assert_eq!(scene.regions_left(), 0);
}

#[test]
fn tails_that_were_not_moved_after_the_write_are() {
    for moved in 0..=2 {
        let scene = Scene::new();
        {
            let (region, mut drainer) = scene.region();
            drainer.gather(1 << 20, None);
            let log = Appender::new(&scene.home);
            let mut locked = log.lock().unwrap();
            let at = locked.prepare().unwrap();
            let rings = rings_of(&region);
            for (ring, (from, to)) in rings.iter().zip(&drainer.batch().parts) {
                ring.set_intent(*from, *to);
            }
            let bytes = &drainer.batch().bytes;
            region.intend(Intent {
                at,
                len: bytes.len() as u64,
            });
            locked.write(bytes).unwrap();
            region.set_state(State::Written);
            for (ring, (_, to)) in rings.iter().zip(&drainer.batch().parts).take(moved) {
                ring.set_tail(*to);
            }
        }
        assert_eq!(scene.recover().events, 0);
        assert_eq!(scene.events(), (all(), 0));
    }
}

#[test]
fn a_copied_home_does_not_drain_the_original_and_a_moved_one_keeps_its_own() {
    let scene = Scene::new();
    drop(scene.region());
    let copy = Home::create(scene.dir.path().join("copy")).unwrap();
    fs::create_dir(copy.rings()).unwrap();
    let name = only_file(&scene.home.rings());
    fs::copy(scene.home.rings().join(&name), copy.rings().join(&name)).unwrap();
    assert_eq!(recover(&Appender::new(&copy)).orphans, 0);
    // The original is gone: moved here.
    let moved = Home::at(scene.dir.path().join("moved"));
    fs::rename(scene.home.root(), moved.root()).unwrap();
    assert_eq!(recover(&Appender::new(&moved)).events, EVENTS as u64);
}

#[test]
fn damaged_regions_are_named_and_spoil_nothing() {
    let scene = Scene::new();
    drop(scene.region());
    let whole = fs::read(scene.home.rings().join(only_file(&scene.home.rings()))).unwrap();
    // Deterministic noise over the header and the beginnings of blocks.
    for seed in 0..300_usize {
        let mut bytes = whole.clone();
        for step in 0..8 {
            let at = (seed * 7_919 + step * 104_729) % bytes.len().min(4096 * (1 + seed % 40));
            bytes[at] ^= (seed * 31 + step * 17) as u8 | 1;
        }
        if seed % 10 == 0 {
            bytes.truncate(bytes.len() * seed / 300);
        }
        fs::write(scene.home.rings().join(format!("{seed}.ring")), bytes).unwrap();
    }
    let report = recover(&Appender::new(&scene.home));
    assert!(report.orphans >= 1);
    for n in all() {
        assert!(scene.events().0.contains(&n));
    }
}

#[test]
fn what_nobody_can_read_is_set_aside_and_holds_nothing_up() {
    let check = |word: usize, value: u64, left: &str, unsettled: u64| {
        let scene = Scene::new();
        {
            let (region, _) = scene.region();
            region.header[word].store(value, Ordering::Relaxed);
        }
        let report = recover(&Appender::new(&scene.home));
        assert_eq!(
            (report.orphans, report.unsettled),
            (0, unsettled),
            "{report:?}"
        );
        assert_eq!(report.notes.len(), 1, "{report:?}");
        let name = only_file(&scene.home.rings());
        assert!(name.to_str().unwrap().ends_with(left), "{name:?}");
        let again = recover(&Appender::new(&scene.home));
        assert_eq!(again.notes.len() as u64, unsettled, "{again:?}");
    };
    check(DIRECTORY, u64::MAX, ".ring.damaged", 0);
    check(DIRECTORY + 3, 1 << 40, ".ring.damaged", 0);
    check(HOME, u64::MAX, ".ring.damaged", 0);
    check(VERSION, 2, ".ring", 1);
}

#[test]
fn a_damaged_record_is_counted_and_spoils_its_ring_alone() {
    let scene = Scene::new();
    {
        let (region, mut drainer) = scene.region();
        let rings = rings_of(&region);
        rings[0].spoil(rings[0].tail());
        drainer.gather(1 << 20, None);
        let damage = drainer.take_damage();
        let bytes = 8 * (rings[0].head() - rings[0].tail());
        assert_eq!((damage.stretches, damage.bytes), (1, bytes));
        // Nothing was stored, so it is come upon again.
        drainer.gather(1 << 20, None);
        assert_eq!(drainer.take_damage().stretches, 0, "counted once");
    }
    let report = recover(&Appender::new(&scene.home));
    assert_eq!((report.orphans, report.damaged), (1, 1), "{report:?}");
    assert_eq!(report.notes.len(), 1, "{report:?}");
    assert_eq!(scene.events(), (vec![1, 3, 5], 0));
    let text = fs::read_to_string(scene.home.log()).unwrap();
    let said = r#""kind":"_other","reason":"damaged","count":1"#;
    assert!(text.contains(said), "{text}");
    assert_eq!(scene.recover(), RecoverReport::default());
}

#[test]
fn positions_that_no_ring_has_are_counted_too() {
    for (head, tail) in [(u64::MAX, 0), (5_000, 0), (0, 7), (u64::MAX, u64::MAX - 5)] {
        let scene = Scene::new();
        {
            let (region, _) = scene.region();
            rings_of(&region)[0].place(head, tail);
        }
        let report = recover(&Appender::new(&scene.home));
        assert_eq!(report.damaged, 1, "{head} {tail}: {report:?}");
        assert_eq!(scene.events(), (vec![1, 3, 5], 0), "{head} {tail}");
    }
}

/// A log that can be added to but not cut, and a disk that is full.
#[test]
fn lines_that_could_not_be_cut_off_are_not_written_again() {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::os::fd::AsRawFd;

    let _forks = FORKS.write().unwrap_or_else(PoisonError::into_inner);
    assert!(in_forked_child(|| {
        bear_large_files();
        let most = getrlimit(Resource::Fsize);
        for room in (1..600).step_by(3) {
            let scene = Scene::in_child();
            let (_region, mut drainer) = scene.region();
            let file = memfd_create("log", MemfdFlags::ALLOW_SEALING).unwrap();
            fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            std::os::unix::fs::symlink(path, scene.home.log()).unwrap();
            let log = Appender::new(&scene.home);
            drainer.gather(1 << 20, None);
            let current = Some(room);
            setrlimit(Resource::Fsize, Rlimit { current, ..most }).unwrap();
            let stored = drainer.store(&mut log.lock().unwrap());
            setrlimit(Resource::Fsize, most).unwrap();
            let len = fs::metadata(scene.home.log()).unwrap().len();
            if stored.is_err() {
                assert_eq!(len, room, "so much came");
                drainer.gather(1 << 20, None);
                drainer.store(&mut log.lock().unwrap()).unwrap();
            }
            let text = fs::read_to_string(scene.home.log()).unwrap();
            let lines = text.lines().map(|line| line.as_bytes());
            let events = lines.filter_map(|line| tachograph_model::Event::from_line(line).ok());
            let count = |event: tachograph_model::Event| event.i64(tachograph_model::Column::Count);
            let mut found: Vec<_> = events.filter_map(count).collect();
            found.sort_unstable();
            assert_eq!(found, all(), "room for {room} bytes: {text}");
        }
        true
    }));
}

mod hostile {
    use proptest::prelude::*;

    use super::*;

    /// Most bytes that a log may come to have of one ring file of these tests,
    /// whatever stands in it.
    const MOST_LOGGED: u64 = 64 << 20;

    fn recovered(bytes: &[u8]) {
        let scene = Scene::new();
        fs::write(scene.home.rings().join("1-1-0.ring"), bytes).unwrap();
        drop(scene.region());
        let report = recover(&Appender::new(&scene.home));
        let (events, _) = scene.events();
        for n in all() {
            assert!(events.contains(&n), "good rings beside it are recovered");
        }
        let logged = fs::metadata(scene.home.log()).unwrap().len();
        assert!(logged < MOST_LOGGED, "{logged} bytes");
        let settled = report.orphans == 2 || !report.notes.is_empty();
        let left_alone = scene.home.rings().join("1-1-0.ring").exists();
        assert!(settled || left_alone, "{report:?}");
    }

    /// A region as its owner would leave it, batch under way.
    fn whole() -> Vec<u8> {
        let scene = Scene::new();
        scene.die_writing(100);
        fs::read(scene.home.rings().join(only_file(&scene.home.rings()))).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
            recovered(&bytes);
        }

        /// Words of a good region replaced by others, odd ones above all.
        #[test]
        fn any_words_in_a_good_region(
            changes in prop::collection::vec(
                (
                    prop_oneof![0_usize..400, any::<prop::sample::Index>().prop_map(|at| at.index(100_000))],
                    prop_oneof![any::<u64>(), 0_u64..3_000, Just(u64::MAX), Just(1 << 62), Just(i64::MAX as u64)],
                ),
                1..12,
            ),
        ) {
            let mut bytes = whole();
            for (at, value) in changes {
                // The magic, the version and the owner stay: else it is not ours.
                let at = 8 + at % (bytes.len() / 8 - 8);
                bytes[at * 8..at * 8 + 8].copy_from_slice(&value.to_le_bytes());
            }
            recovered(&bytes);
        }

        /// Positions, intents and records of a ring, where the harm is done.
        #[test]
        fn any_ring(
            header in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..2_000], 5),
            data in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..70_000], 0..512),
            state in 0_u64..4,
        ) {
            let scene = Scene::new();
            let (region, _) = scene.region();
            let rings = rings_of(&region);
            rings[0].place(header[0], header[1]);
            rings[0].set_intent(header[2], header[3]);
            data.iter().enumerate().for_each(|(at, word)| rings[0].write(at as u64, *word));
            let at = tachograph_log::Placement { file: tachograph_log::FileId::default(), offset: header[4] };
            region.intend(Intent { at, len: header[4] });
            region.header[STATE].store(state, Ordering::Relaxed);
            drop((region, rings));
            recovered(&fs::read(scene.home.rings().join(only_file(&scene.home.rings()))).unwrap());
        }
    }
}

#[test]
fn losses_that_were_not_reported_are() {
    let scene = Scene::new();
    {
        let (region, _) = scene.region();
        let kind = Table::current().kind("tool_call").unwrap();
        let mut producer = Producer::new(rings_of(&region)[1].clone());
        (0..5).for_each(|_| producer.lose(kind));
    }
    assert_eq!(scene.recover().events, EVENTS as u64 + 1);
    let text = fs::read_to_string(scene.home.log()).unwrap();
    let line = text.lines().find(|line| line.contains("\"loss\"")).unwrap();
    assert!(
        line.contains(r#""kind":"tool_call","reason":"overload","count":5"#),
        "{line}"
    );
}

#[test]
fn names_and_tables_survive() {
    let scene = Scene::new();
    let (region, _) = scene.region();
    let long = "x".repeat(MAX_NAME);
    let names: Vec<_> = (0..100)
        .map(|n| format!("{n}{}", &long[..n * 40]))
        .collect();
    names.iter().for_each(|name| assert!(region.add_name(name)));
    assert!(!region.add_name(&"y".repeat(NAME_BLOCK_WORDS * 8)));
    drop(region);
    let path = scene.home.rings().join(only_file(&scene.home.rings()));
    let root = scene.home.root().canonicalize().unwrap();
    let region = Region::open_orphan(&path, &root).unwrap().unwrap();
    assert_eq!(region.table(), Some(Table::current()));
    let mut found = Vec::new();
    region.names_from(0, |name| found.push(name.to_owned()));
    assert_eq!(found[found.len() - 100..], names);
    let mut last = Vec::new();
    region.names_from(found.len() - 1, |name| last.push(name.to_owned()));
    assert_eq!(last, names[99..]);
}

fn only_file(dir: &Path) -> std::ffi::OsString {
    fs::read_dir(dir)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name()
}
