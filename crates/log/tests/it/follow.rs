//! Following the log.

use std::fs;
use std::io::Write as _;

use tachograph_log::{Appender, Follower, Home};

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path().join("home")).unwrap();
    (dir, home)
}

fn poll(follower: &mut Follower) -> String {
    let mut lines = Vec::new();
    let bytes = follower
        .poll(&mut |piece| {
            assert_eq!(piece.last(), Some(&b'\n'), "whole lines only");
            lines.extend_from_slice(piece);
        })
        .unwrap();
    assert_eq!(bytes, lines.len() as u64);
    String::from_utf8(lines).unwrap()
}

#[test]
fn what_comes_is_read_once() {
    let (_dir, home) = home();
    let mut follower = Follower::at_end(&home).unwrap();
    assert_eq!(poll(&mut follower), "", "there is no log yet");
    let log = Appender::new(&home);
    log.append(b"one\n").unwrap();
    assert_eq!(poll(&mut follower), "one\n");
    assert_eq!(poll(&mut follower), "");
    log.append(b"two\nthree\n").unwrap();
    assert_eq!(poll(&mut follower), "two\nthree\n");
}

#[test]
fn the_end_is_after_the_last_whole_line_and_the_start_before_the_oldest_file() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    log.append(b"one\n").unwrap();
    log.lock().unwrap().rotate().unwrap();
    log.append(b"two\n").unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(home.log())
        .unwrap()
        .write_all(b"thr")
        .unwrap();
    let mut end = Follower::at_end(&home).unwrap();
    let mut start = Follower::at_start(&home);
    assert_eq!(poll(&mut end), "");
    assert_eq!(poll(&mut start), "one\ntwo\n");
    fs::OpenOptions::new()
        .append(true)
        .open(home.log())
        .unwrap()
        .write_all(b"ee\n")
        .unwrap();
    assert_eq!(poll(&mut end), "three\n");
    assert_eq!(poll(&mut start), "three\n");
}

#[test]
fn rotations_between_two_looks_lose_and_double_nothing() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    let mut follower = Follower::at_end(&home).unwrap();
    let mut expected = String::new();
    let mut found = String::new();
    for number in 0..200 {
        let line = format!("{number}\n");
        log.append(line.as_bytes()).unwrap();
        expected += &line;
        if number % 3 == 0 {
            log.lock().unwrap().rotate().unwrap();
        }
        if number % 7 == 0 {
            found += &poll(&mut follower);
        }
    }
    found += &poll(&mut follower);
    assert_eq!(found, expected);
}

#[test]
fn a_log_that_is_sealed_away_is_read_to_its_end() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    log.append(b"one\n").unwrap();
    let mut follower = Follower::at_start(&home);
    assert_eq!(poll(&mut follower), "one\n");
    log.append(b"two\n").unwrap();
    let rotated = log.lock().unwrap().rotate().unwrap().unwrap();
    fs::remove_file(rotated).unwrap();
    // The log is gone, and nothing has taken its place yet.
    assert_eq!(poll(&mut follower), "two\n");
    log.append(b"three\n").unwrap();
    assert_eq!(poll(&mut follower), "three\n");
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    let mut follower = Follower::at_end(&home).unwrap();
    let mut file = fs::File::create(home.log()).unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..20 {
        file.write_all(&piece).unwrap();
        assert_eq!(poll(&mut follower), "");
    }
    file.write_all(b"\nnext\n").unwrap();
    assert_eq!(poll(&mut follower), "next\n");
    log.append(b"last\n").unwrap();
    assert_eq!(poll(&mut follower), "last\n");
}

#[test]
fn a_deleted_log_does_not_bring_back_what_was_rotated_before() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    log.append(b"one\n").unwrap();
    log.lock().unwrap().rotate().unwrap();
    log.append(b"two\n").unwrap();
    let mut start = Follower::at_start(&home);
    let mut end = Follower::at_end(&home).unwrap();
    assert_eq!(poll(&mut start), "one\ntwo\n");
    assert_eq!(poll(&mut end), "");
    fs::remove_file(home.log()).unwrap();
    for follower in [&mut start, &mut end] {
        assert_eq!(poll(follower), "");
    }
    log.append(b"three\n").unwrap();
    for follower in [&mut start, &mut end] {
        assert_eq!(poll(follower), "three\n");
        assert_eq!(poll(follower), "");
    }
}

#[test]
fn reading_begins_behind_the_files_that_are_passed_over() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    for line in ["one\n", "two\n", "three\n"] {
        log.lock().unwrap().rotate().unwrap();
        log.append(line.as_bytes()).unwrap();
    }
    let files = home.files().unwrap().files;
    for (passed, found) in [
        (0, "one\ntwo\nthree\n"),
        (1, "two\nthree\n"),
        (2, "three\n"),
        (3, ""),
    ] {
        let mut follower = Follower::after(&home, &files, passed);
        assert_eq!(poll(&mut follower), found, "behind {passed}");
    }
}

/// A writer whose batch a full disk would not take cuts off what it wrote of it,
/// whether or not that was read meanwhile.
#[test]
fn a_log_that_is_cut_is_read_on_from_its_end() {
    let (_dir, home) = home();
    let log = Appender::new(&home);
    let mut follower = Follower::at_start(&home);
    log.append(b"one\n").unwrap();
    assert_eq!(poll(&mut follower), "one\n");
    let mut file = fs::File::options().append(true).open(home.log()).unwrap();
    file.write_all(b"refused\nhalf a li").unwrap();
    assert_eq!(poll(&mut follower), "refused\n");
    file.set_len(4).unwrap();
    assert_eq!(poll(&mut follower), "");
    log.append(b"two\n").unwrap();
    assert_eq!(poll(&mut follower), "two\n");
}
