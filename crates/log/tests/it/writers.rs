//! Many writers, one log.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use tachograph_log::{Appender, Home};

const CHILD: &str = "TACHOGRAPH_LOG_TEST_CHILD";

fn lines_of(home: &Home) -> Vec<String> {
    let mut lines = Vec::new();
    for file in home.files().unwrap().files {
        let text = fs::read_to_string(&file.path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

fn append_some(home: &Home, writer: usize, batches: usize) {
    let log = Appender::with_rotation(home, 4_096);
    for batch in 0..batches {
        let mut lines = String::new();
        for line in 0..5 {
            lines += &format!("{{\"writer\":{writer},\"n\":{}}}\n", batch * 5 + line);
        }
        log.append(lines.as_bytes()).unwrap();
    }
}

#[test]
fn threads_and_processes_rotate_and_lose_nothing() {
    if let Some(spec) = std::env::var_os(CHILD) {
        let spec = spec.to_str().unwrap().to_owned();
        let (writer, root) = spec.split_once(':').unwrap();
        append_some(&Home::at(root), writer.parse().unwrap(), 100);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path().join("home")).unwrap();
    let mut children: Vec<_> = (0..3)
        .map(|writer| {
            Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "writers::threads_and_processes_rotate_and_lose_nothing",
                ])
                .env(CHILD, format!("{writer}:{}", home.root().display()))
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for writer in 3..6 {
            let home = &home;
            scope.spawn(move || append_some(home, writer, 100));
        }
    });
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let lines = lines_of(&home);
    let distinct: HashSet<_> = lines.iter().collect();
    assert_eq!(lines.len(), 6 * 500);
    assert_eq!(distinct.len(), lines.len());
    let files = home.files().unwrap().files;
    assert!(files.len() > 5, "rotated {} times", files.len() - 1);
    for file in &files {
        assert!(file.len < 4_096 + 5 * 40, "{file:?}");
    }
}

#[test]
fn threads_that_share_one_appender_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = Appender::new(&home);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..200 {
                    let line = format!("{{\"writer\":{writer},\"n\":{n}}}\n");
                    let at = log.append(line.as_bytes()).unwrap();
                    let text = fs::read(log.home().log()).unwrap();
                    let (from, to) = (at.offset as usize, (at.offset + at.len) as usize);
                    assert_eq!(&text[from..to], line.as_bytes());
                }
            });
        }
    });
    assert_eq!(lines_of(&home).len(), 800);
}

#[test]
fn a_full_log_is_rotated_before_the_write_and_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = Appender::with_rotation(&home, 4);
    // Rotating as fast as the clock can tell stamps apart, or faster.
    for n in 0..200 {
        log.append(format!("{n:04}\n").as_bytes()).unwrap();
    }
    let files = home.files().unwrap().files;
    assert_eq!(files.len(), 200);
    let lines: Vec<_> = lines_of(&home);
    let expected: Vec<_> = (0..200).map(|n| format!("{n:04}")).collect();
    assert_eq!(lines, expected, "rotated files are listed in order");
}

#[test]
fn a_log_renamed_by_somebody_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = Appender::new(&home);
    log.append(b"one\n").unwrap();
    // As the first seed's writer rotates: without a lock.
    let elsewhere = home.root().join("events_20250101_000000_000000.jsonl");
    fs::rename(home.log(), &elsewhere).unwrap();
    let at = log.append(b"two\n").unwrap();
    assert_eq!(at.offset, 0);
    assert_eq!(fs::read(&elsewhere).unwrap(), b"one\n");
    assert_eq!(fs::read(home.log()).unwrap(), b"two\n");
}

#[test]
fn sealers_rotate_on_demand() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let log = Appender::new(&home);
    assert_eq!(
        log.lock().unwrap().rotate().unwrap(),
        None::<std::path::PathBuf>
    );
    log.append(b"one\n").unwrap();
    let rotated = log.lock().unwrap().rotate().unwrap().unwrap();
    assert!(!Path::new(&home.log()).exists());
    log.append(b"two\n").unwrap();
    assert_eq!(fs::read(rotated).unwrap(), b"one\n");
    assert_eq!(fs::read(home.log()).unwrap(), b"two\n");
}
