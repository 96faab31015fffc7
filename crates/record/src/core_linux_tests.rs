//! The engine on Linux: forked children, locks of the killed, a disk that is full.

use std::process::Command;
use std::sync::{PoisonError, RwLockWriteGuard};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use tachograph_log::Appender;

use super::*;
use crate::ring::{FORKS, fork_child, in_forked_child};

fn forks() -> RwLockWriteGuard<'static, ()> {
    FORKS.write().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_forked_child_records_into_rings_of_its_own() {
    let _forks = forks();
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    let search = core.name("search");
    record(&core, 0);
    let ok = in_forked_child(|| {
        assert_eq!(&*core.name_text(search), "search", "handles stay good");
        assert_eq!(core.name("search"), search);
        record(&core, 1);
        core.push(kind("tool_call"), core.now(), 1, &[u64::from(search.0)]);
        assert!(in_forked_child(|| {
            record(&core, 2);
            core.flush(LONG)
        }));
        core.flush(LONG) && core.shutdown(LONG)
    });
    assert!(ok);
    record(&core, 3);
    assert!(core.shutdown(LONG));
    // The grandchild flushed and was gone without a word: its region is an
    // orphan with nothing in it.
    crate::recover_orphans(scene.home().root());
    assert_eq!(scene.deltas(), [0, 1, 2, 3]);
    let tools = scene
        .events()
        .into_iter()
        .filter(|e| e.event_type == "tool_call");
    assert_eq!(
        tools
            .map(|e| e.str(Column::Name).map(str::to_owned))
            .collect::<Vec<_>>(),
        [Some("search".to_owned())]
    );
    assert_eq!(scene.regions(), 0);
}

#[test]
fn a_child_that_only_drops_does_no_harm() {
    let _forks = forks();
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    (0..100).for_each(|n| record(&core, n));
    let mut core = Some(core);
    assert!(in_forked_child(|| {
        drop(core.take());
        true
    }));
    let core = core.unwrap();
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas().len(), 100);
}

#[test]
fn a_child_that_never_records_does_not_keep_the_log_of_its_killed_parent_locked() {
    let _forks = forks();
    let scene = Scene::new();
    let home = Home::create(scene.home().root()).unwrap();
    let note = scene.dir.path().join("child");
    let ended_well = in_forked_child(|| {
        let log = Appender::new(&home);
        log.append(b"{}\n").unwrap();
        let child = fork_child(|| {
            std::thread::sleep(LONG);
            true
        });
        fs::write(&note, child.to_string()).unwrap();
        let mut locked = log.lock().unwrap();
        locked.prepare().unwrap();
        kill_process(getpid(), Signal::KILL).unwrap();
        true
    });
    assert!(!ended_well, "the parent was killed while it held the lock");
    let child: i32 = fs::read_to_string(note).unwrap().parse().unwrap();
    let log = Appender::new(&home);
    let locked = log.lock_within(Duration::from_secs(2)).unwrap();
    let killed = kill_process(Pid::from_raw(child).unwrap(), Signal::KILL);
    assert!(locked.is_some(), "the child keeps it");
    assert_eq!(killed, Ok(()), "the child lived until now");
}

/// Whether that child ended well in time; ends it if it did not.
fn ended_well_within(pid: i32, timeout: Duration) -> bool {
    let pid = Pid::from_raw(pid).unwrap();
    let start = std::time::Instant::now();
    while start.elapsed() < timeout {
        if let Some((_, status)) = waitpid(Some(pid), WaitOptions::NOHANG).unwrap() {
            return status.exit_status() == Some(0);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    kill_process(pid, Signal::KILL).unwrap();
    waitpid(Some(pid), WaitOptions::empty()).unwrap();
    false
}

struct StopsWhenDropped<'a>(&'a AtomicUsize);

impl Drop for StopsWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(1, Ordering::Relaxed);
    }
}

#[test]
fn a_child_forked_while_its_parent_s_locks_are_held_is_not_stuck() {
    let _forks = forks();
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    let search = core.name("search");
    record(&core, 0);
    let held = core.here().hold_all_locks();
    let pid = fork_child(|| {
        record(&core, 1);
        assert_eq!(core.name("search"), search);
        core.flush(LONG) && core.shutdown(LONG)
    });
    drop(held);
    assert!(ended_well_within(pid, LONG), "the child waits for ever");
    assert!(core.shutdown(LONG));
    assert_eq!(scene.deltas(), [0, 1]);
}

#[test]
fn a_child_forked_while_threads_record_is_not_stuck() {
    let _forks = forks();
    let scene = Scene::new();
    let core = Core::open(scene.settings());
    let stop = AtomicUsize::new(0);
    let mut pushed = 0;
    std::thread::scope(|scope| {
        // Dropped also when a child fails: the scope waits for the threads.
        let stopped = StopsWhenDropped(&stop);
        let busy: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut n = 0;
                    while stop.load(Ordering::Relaxed) == 0 {
                        record(&core, -1);
                        core.name(&format!("name {}", n % 50));
                        n += 1;
                        if n % 64 == 0 {
                            std::thread::sleep(Duration::from_micros(100));
                        }
                    }
                    n
                })
            })
            .collect();
        for n in 0..20 {
            assert!(in_forked_child(|| {
                record(&core, n);
                core.flush(LONG) && core.shutdown(LONG)
            }));
        }
        drop(stopped);
        for thread in busy {
            pushed += thread.join().unwrap();
        }
    });
    assert!(core.shutdown(LONG));
    let deltas = scene.deltas();
    let (parents, children): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|n| *n < 0);
    assert_eq!(children, (0..20).collect::<Vec<_>>());
    assert_eq!(parents.len() as u64 + lost(&core), pushed);
}

#[test]
fn a_full_disk_is_waited_for() {
    let scene = Scene::new();
    let root = scene.home();
    fs::create_dir(root.root()).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "none"])
        .arg(root.root())
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        let why = "may not mount a tmpfs here, so the full disk is not tested";
        let on_ci = std::env::var_os("CI");
        let on_ci = on_ci.is_some_and(|value| !value.is_empty() && value != "false");
        assert!(!on_ci, "{why}; on a build server nothing may be left out");
        println!("SKIPPED: {why}");
        return;
    }
    let _mounted = Mounted(root.root().to_owned());
    let core = Core::open(scene.settings());
    fs::write(root.root().join("ballast"), vec![1; 200_000]).unwrap();
    // About 90 bytes each: more than there is room for.
    std::thread::scope(|scope| {
        scope.spawn(|| (0..1_000).for_each(|n| record(&core, n)));
    });
    assert!(!core.flush(LONG));
    let notices = scene.notices.lock().unwrap().clone();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("events.jsonl"), "{notices:?}");
    assert!(!core.shutdown(LONG));
    assert_eq!(lost(&core), 0, "in the rings, for whoever comes later");
    assert_eq!(scene.regions(), 1);
    assert_eq!(
        crate::recover_orphans(root.root()).orphans,
        0,
        "it still has an owner"
    );
    drop(core);
    let report = recover_in_time(root.root());
    assert_eq!((report.events, report.notes.len()), (0, 1), "{report:?}");
    // Somebody makes room.
    fs::remove_file(root.root().join("ballast")).unwrap();
    let report = recover_in_time(root.root());
    // What a first small batch had room for is in the log already.
    assert_eq!(report.orphans, 1, "{report:?}");
    assert!((1..=1_000).contains(&report.events), "{report:?}");
    assert_eq!(scene.deltas(), (0..1_000).collect::<Vec<_>>());
}

/// Other tests fork, and their children hold our files for a moment.
fn recover_in_time(home: &std::path::Path) -> crate::RecoverReport {
    let start = std::time::Instant::now();
    loop {
        let report = crate::recover_orphans(home);
        if report != crate::RecoverReport::default() || start.elapsed() > LONG {
            return report;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
