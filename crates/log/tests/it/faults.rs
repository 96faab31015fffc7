//! Torn lines, full disks, folders that refuse.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tachograph_log::{Appender, Home};

#[test]
fn a_torn_line_is_ended_first() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    fs::write(home.log(), b"{\"a\":1}\n{\"torn").unwrap();
    let log = Appender::new(&home);
    let at = log.append(b"{\"b\":2}\n").unwrap();
    assert_eq!(at.offset, 15);
    let text = fs::read(home.log()).unwrap();
    assert_eq!(text, b"{\"a\":1}\n{\"torn\n{\"b\":2}\n");
}

#[test]
fn a_line_torn_after_our_last_batch_is_ended_too() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = Appender::new(&home);
    log.append(b"one\n").unwrap();
    let mut text = fs::read(home.log()).unwrap();
    text.extend_from_slice(b"torn");
    fs::write(home.log(), text).unwrap();
    log.append(b"two\n").unwrap();
    assert_eq!(fs::read(home.log()).unwrap(), b"one\ntorn\ntwo\n");
}

#[test]
fn a_directory_in_the_log_s_place_is_an_error_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    fs::create_dir(home.log()).unwrap();
    fs::create_dir(home.root().join("events_of_mine.jsonl")).unwrap();
    let error = Appender::new(&home).append(b"x\n").unwrap_err();
    assert!(error.to_string().contains("events.jsonl"), "{error}");
    let listing = home.files().unwrap();
    assert_eq!(listing.files, []);
    assert_eq!(listing.skipped.len(), 2);
}

#[test]
fn a_home_that_is_missing_is_an_error_and_has_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("nowhere"));
    assert_eq!(home.files().unwrap().files, []);
    let error = Appender::new(&home).append(b"x\n").unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert!(error.source().is_some());
}

#[test]
fn a_lock_that_is_not_given_up_is_not_waited_for_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let (one, two) = (Appender::new(&home), Appender::new(&home));
    let held = one.lock().unwrap();
    let start = Instant::now();
    let waited = two.lock_within(Duration::from_millis(30)).unwrap();
    assert!(waited.is_none());
    assert!(start.elapsed() >= Duration::from_millis(30));
    drop((waited, held));
    assert!(
        two.lock_within(Duration::from_millis(30))
            .unwrap()
            .is_some()
    );
}

/// A file system of 64 KiB, where we may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_torn() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(dir.path()) else {
        return left_out("the full disk");
    };
    let home = Home::create(small.0.join("home")).unwrap();
    let log = Appender::new(&home);
    let line = format!("{}\n", "x".repeat(999));
    let batch = line.repeat(10);
    let mut kept = 0;
    let error = loop {
        match log.append(batch.as_bytes()) {
            Ok(_) => kept += batch.len(),
            Err(error) => break error,
        }
        assert!(kept < 1_000_000, "the disk never fills");
    };
    assert!(error.to_string().contains("events.jsonl"), "{error}");
    assert_eq!(
        fs::read(home.log()).unwrap(),
        batch.repeat(kept / batch.len()).as_bytes()
    );
    // Room again: the same appender goes on where it was.
    fs::remove_file(home.log()).unwrap();
    log.append(batch.as_bytes()).unwrap();
    assert_eq!(fs::read(home.log()).unwrap(), batch.as_bytes());
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_home_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(dir.path()) else {
        return left_out("the read-only home");
    };
    let home = Home::create(small.0.join("home")).unwrap();
    Appender::new(&home).append(b"one\n").unwrap();
    assert!(mount(&["-o", "remount,ro"], &small.0));
    let error = Appender::new(&home).append(b"two\n").unwrap_err();
    assert!(error.to_string().contains("events.lock"), "{error}");
    assert_eq!(home.files().unwrap().files[0].len, 4);
}

/// Says so; on a build server nothing may be left out.
#[cfg(target_os = "linux")]
fn left_out(what: &str) {
    let on_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(
        !on_ci,
        "may not mount a tmpfs here, so {what} is not tested"
    );
    println!("SKIPPED: may not mount a tmpfs here, so {what} is not tested");
}

#[cfg(target_os = "linux")]
struct Small(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Small {
    fn mount(at: &Path) -> Option<Self> {
        mount(&["-t", "tmpfs", "-o", "size=64k", "none"], at).then(|| Self(at.to_owned()))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
fn mount(arguments: &[&str], at: &Path) -> bool {
    let mounted = Command::new("mount").args(arguments).arg(at).output();
    mounted.is_ok_and(|output| output.status.success())
}
