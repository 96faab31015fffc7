//! A host whose home cannot be used runs on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tachograph::Recorder;

type Heard = Arc<Mutex<Vec<String>>>;

fn listening(home: &std::path::Path) -> (Recorder, Heard) {
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    let recorder = Recorder::builder()
        .home(home)
        .on_notice(move |notice| ear.lock().expect("not poisoned").push(notice.to_owned()))
        .build();
    (recorder, heard)
}

#[test]
fn a_home_that_cannot_be_made_is_said_once_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").expect("a file");
    let (recorder, heard) = listening(&file.join("home"));
    let tool = recorder.tool("search");
    for _ in 0..1_000 {
        tool.success(Duration::from_millis(1));
    }
    recorder.record_agent_load("ada", Duration::ZERO, 1, 1);
    recorder.flush(Duration::from_secs(5));
    // Live figures need no disk.
    assert_eq!(recorder.tool_metrics("search")["total_calls"], 1_000);
    let lost: u64 = recorder.losses().iter().map(|loss| loss.count).sum();
    assert_eq!(lost, 1_001, "{:?}", recorder.losses());
    let notices = recorder.notices();
    assert!(!notices.is_empty());
    assert_eq!(*heard.lock().expect("not poisoned"), notices);
    let distinct: std::collections::HashSet<_> = notices.iter().collect();
    assert_eq!(distinct.len(), notices.len());
}

#[test]
fn no_home_at_all_keeps_live_windows() {
    let recorder = Recorder::builder()
        .on_notice(|notice| panic!("nobody asked for a log: {notice}"))
        .build();
    let tool = recorder.tool("search");
    tool.success(Duration::from_millis(1));
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!(recorder.tool_metrics("search")["total_calls"], 1);
    assert_eq!(recorder.losses(), []);
}

#[test]
fn dropping_the_last_clone_writes_everything_soon() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    let tool = recorder.clone().tool("search");
    drop(recorder);
    for _ in 0..500 {
        tool.success(Duration::from_millis(1));
    }
    let start = std::time::Instant::now();
    drop(tool); // the last that holds the recorder
    assert!(start.elapsed() < Duration::from_secs(20));
    let log = std::fs::read_to_string(folder.path().join("events.jsonl")).expect("a log");
    assert_eq!(log.lines().count(), 500);
}

#[test]
fn after_shutdown_calls_do_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    recorder.record_cache_hit("c");
    assert!(recorder.shutdown(Duration::from_secs(5)));
    recorder.record_cache_hit("c");
    recorder.flush(Duration::from_millis(10));
    drop(recorder);
    let log = std::fs::read_to_string(folder.path().join("events.jsonl")).expect("a log");
    assert_eq!(log.lines().count(), 1);
}

#[test]
fn a_home_that_is_taken_away_and_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    let (recorder, heard) = listening(&home);
    let tool = recorder.tool("search");
    tool.success(Duration::from_millis(1));
    assert!(recorder.flush(Duration::from_secs(5)));
    std::fs::remove_dir_all(&home).expect("ours");
    (0..50).for_each(|_| tool.success(Duration::from_millis(1)));
    recorder.flush(Duration::from_secs(5));
    assert_eq!(lost(&recorder), 50, "{:?}", recorder.losses());
    assert_eq!(heard.lock().expect("not poisoned").len(), 1);
    std::fs::create_dir(&home).expect("ours");
    (0..50).for_each(|_| tool.success(Duration::from_millis(1)));
    assert!(recorder.flush(Duration::from_secs(5)));
    assert_eq!(calls(&home), 50);
    assert_eq!(lost(&recorder), 50);
    assert_eq!(recorder.tool_metrics("search")["total_calls"], 101);
    assert_eq!(heard.lock().expect("not poisoned").len(), 1);
}

fn lost(recorder: &Recorder) -> u64 {
    recorder.losses().iter().map(|loss| loss.count).sum()
}

/// Tool calls in the live log of a home.
fn calls(home: &std::path::Path) -> usize {
    let log = std::fs::read_to_string(home.join("events.jsonl")).expect("a log");
    let lines = log.lines().map(serde_json::from_str::<serde_json::Value>);
    let types = lines.map(|line| line.expect("a whole line")["event_type"].clone());
    types.filter(|kind| kind == "tool_call").count()
}

#[cfg(unix)]
mod limits {
    use std::fs::{OpenOptions, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const CHILD: &str = "TACHOGRAPH_TEST_LIMITS_CHILD";

    /// Runs a test's body in a process of its own, in which a file that would
    /// grow too large is an error, as on a full disk, and no signal. Needs no
    /// rights.
    fn in_child(test: &str, body: fn(&Path)) {
        if let Some(folder) = std::env::var_os(CHILD) {
            return body(Path::new(&folder));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().expect("our name"))
            .args(["--exact", "--nocapture", test])
            .env(CHILD, folder.path())
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{wrong}");
        assert!(
            said.contains("1 passed"),
            "no test is called {test}: {said}"
        );
    }

    /// No file may grow beyond so many bytes; `None`: as far as they like.
    fn limit(bytes: Option<u64>) {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let current = bytes.or(maximum);
        setrlimit(Resource::Fsize, Rlimit { current, maximum }).expect("below the maximum");
    }

    #[test]
    fn a_full_disk_degrades_recording_until_there_is_room() {
        in_child(
            "degraded::limits::a_full_disk_degrades_recording_until_there_is_room",
            |folder| {
                let home = folder.join("home");
                let (recorder, heard) = listening(&home);
                let tool = recorder.tool("search");
                tool.success(Duration::from_millis(1));
                assert!(recorder.flush(LONG));
                assert_eq!(calls(&home), 1);
                limit(Some(50_000));
                // Several times what the ring holds.
                for n in 0..30_000 {
                    tool.success(Duration::from_millis(1));
                    if n % 1_000 == 0 {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
                assert!(!recorder.flush(LONG), "the disk is full");
                let notices = heard.lock().expect("not poisoned").clone();
                assert_eq!(notices.len(), 1, "{notices:?}");
                assert!(notices[0].contains("events.jsonl"), "{notices:?}");
                assert!(lost(&recorder) > 0, "{:?}", recorder.losses());
                limit(None);
                (0..1_000).for_each(|_| tool.success(Duration::from_millis(1)));
                assert!(recorder.flush(LONG), "there is room");
                let kept = calls(&home) as u64;
                assert_eq!(kept + lost(&recorder), 31_001, "{:?}", recorder.losses());
                assert!(kept > 1_000);
                assert_eq!(recorder.notices().len(), 1);
                // And the log itself says what it lacks.
                let lost = lost(&recorder);
                assert!(recorder.shutdown(LONG));
                let log = std::fs::read_to_string(home.join("events.jsonl")).expect("a log");
                let lines = log.lines().map(serde_json::from_str::<serde_json::Value>);
                let said = lines.map(|line| line.expect("a whole line"));
                let losses = said.filter(|event| event["event_type"] == "loss");
                let told: u64 = losses.filter_map(|event| event["count"].as_u64()).sum();
                assert_eq!(told, lost);
            },
        );
    }

    #[test]
    fn a_full_ring_folder_costs_the_safety_alone() {
        in_child(
            "degraded::limits::a_full_ring_folder_costs_the_safety_alone",
            |folder| {
                let home = folder.join("home");
                limit(Some(1_000));
                let (recorder, heard) = listening(&home);
                limit(None);
                let tool = recorder.tool("search");
                (0..1_000).for_each(|_| tool.success(Duration::from_millis(1)));
                assert!(recorder.flush(LONG));
                assert_eq!(calls(&home), 1_000);
                assert_eq!(recorder.losses(), []);
                let notices = heard.lock().expect("not poisoned").clone();
                if cfg!(target_os = "linux") {
                    assert_eq!(notices.len(), 1, "{notices:?}");
                    assert!(notices[0].contains("rings"), "{notices:?}");
                }
            },
        );
    }

    #[test]
    fn a_home_that_becomes_read_only_and_writable_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        let (recorder, heard) = listening(&home);
        let tool = recorder.tool("search");
        tool.success(Duration::from_millis(1));
        assert!(recorder.flush(LONG));
        let refused = Refused::make(&home);
        (0..50).for_each(|_| tool.success(Duration::from_millis(1)));
        assert!(!recorder.flush(LONG));
        assert_eq!(lost(&recorder), 50, "{:?}", recorder.losses());
        drop(refused);
        (0..50).for_each(|_| tool.success(Duration::from_millis(1)));
        assert!(recorder.flush(LONG));
        assert_eq!((calls(&home), lost(&recorder)), (51, 50));
        assert_eq!(heard.lock().expect("not poisoned").len(), 1);
    }

    /// A home that nobody can write to, until this is dropped.
    struct Refused {
        home: PathBuf,
        by: By,
    }

    enum By {
        /// A read-only file system over it, for those who may mount one.
        Mount,
        /// Modes, for those who are bound by them.
        Modes,
        /// A file in its place, for all others.
        File,
    }

    impl Refused {
        fn make(home: &Path) -> Self {
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", "ro,size=64k", "none"])
                .arg(home)
                .output();
            let mut by = By::Mount;
            if !mounted.is_ok_and(|output| output.status.success()) {
                by = By::Modes;
                modes(home, 0o400, 0o500);
                let lock = OpenOptions::new()
                    .append(true)
                    .open(home.join("events.lock"));
                if lock.is_ok() {
                    modes(home, 0o600, 0o700);
                    by = By::File;
                    std::fs::rename(home, home.with_extension("away")).expect("ours");
                    std::fs::write(home, "in the way").expect("ours");
                }
            }
            let home = home.to_owned();
            Self { home, by }
        }
    }

    impl Drop for Refused {
        fn drop(&mut self) {
            match self.by {
                By::Mount => {
                    let unmounted = Command::new("umount").arg(&self.home).status();
                    assert!(unmounted.is_ok_and(|status| status.success()));
                }
                By::Modes => modes(&self.home, 0o600, 0o700),
                By::File => {
                    std::fs::remove_file(&self.home).expect("ours");
                    std::fs::rename(self.home.with_extension("away"), &self.home).expect("ours");
                }
            }
        }
    }

    fn modes(home: &Path, files: u32, folder: u32) {
        for (name, mode) in [
            ("events.lock", files),
            ("events.jsonl", files),
            ("", folder),
        ] {
            let mode = Permissions::from_mode(mode);
            std::fs::set_permissions(home.join(name), mode).expect("ours");
        }
    }
}
