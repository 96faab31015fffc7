//! What `tacho start` shows first: on a terminal, and where none is.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{ANY_PORTS, Desk, eventually, on_terminal};

/// Lines and columns of the smallest terminal, less two for the prompt.
const LINES: usize = 22;
const COLUMNS: usize = 80;

/// A server on a terminal, where a person looks at both of its streams.
struct Shown {
    child: Child,
    seen: JoinHandle<String>,
}

impl Shown {
    fn start(desk: &Desk, args: &[&str]) -> Self {
        let mut line = vec!["start", "--ready-file", "shown.json"];
        line.extend(ANY_PORTS);
        line.extend(args);
        let (child, seen) = on_terminal(desk.command(&line));
        Self { child, seen }
    }

    /// What was seen until it served, in plain letters.
    fn screen(mut self, desk: &Desk) -> String {
        let ready = desk.cwd().join("shown.json");
        eventually("ready or gone", || {
            ready.exists() || self.child.try_wait().unwrap().is_some()
        });
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let seen = self.seen.join().unwrap().replace("\r\n", "\n");
        let (screen, _) = seen.split_once("stopping").expect("it says so");
        // Without the time of that line.
        let (screen, _) = screen.rsplit_once('\n').unwrap();
        let mut plain = String::new();
        let mut painted = false;
        for letter in screen.chars() {
            match (letter, painted) {
                ('\u{1b}', _) => painted = true,
                ('m', true) => painted = false,
                (_, true) => {}
                (letter, false) => plain.push(letter),
            }
        }
        plain
    }
}

/// Whether it fits, with the home as short as it is on a machine of its own.
#[track_caller]
fn fits(screen: &str, desk: &Desk) {
    assert!(screen.lines().count() <= LINES, "{screen}");
    let home = desk.home().display().to_string();
    for line in screen.replace(&home, "/home/bob/.tachograph").lines() {
        assert!(line.chars().count() <= COLUMNS, "{line}");
    }
}

#[test]
fn a_terminal_shows_the_page_first_and_no_log() {
    let desk = Desk::new();
    let screen = Shown::start(&desk, &[]).screen(&desk);
    fits(&screen, &desk);
    let first = screen.lines().find(|line| line.contains("http://"));
    assert!(first.is_some_and(|line| line.contains("Page")), "{screen}");
    assert!(
        screen.trim_end().ends_with("tells what happened."),
        "{screen}"
    );
    assert!(!screen.contains("serving"), "{screen}");
    let more = ["--statsd-port", "0", "-v"];
    let screen = Shown::start(&desk, &more).screen(&desk);
    assert!(screen.contains("debug   serving"), "{screen}");
    let (screen, _) = screen.split_once("debug   serving").unwrap();
    let (screen, _) = screen.rsplit_once('\n').unwrap();
    assert!(screen.contains("StatsD"), "{screen}");
    fits(screen, &desk);
    // Where there is none, none is named.
    let screen = Shown::start(&desk, &["--no-dashboard"]).screen(&desk);
    assert!(
        !screen.contains("Page") && screen.contains("API"),
        "{screen}"
    );
}

#[test]
fn a_token_is_shown_once_and_on_a_terminal_alone() {
    let desk = Desk::new();
    let open = ["--host", "0.0.0.0"];
    let token = || {
        let text = std::fs::read_to_string(desk.home().join("token")).unwrap();
        text.trim().to_owned()
    };
    let file = desk.home().join("token").display().to_string();
    let screen = Shown::start(&desk, &open).screen(&desk);
    fits(&screen, &desk);
    assert!(screen.contains(&format!("TOKEN={}", token())), "{screen}");
    assert!(
        screen.contains(&file) && screen.contains("--tls-cert"),
        "{screen}"
    );
    // Of no use to another machine.
    assert!(!screen.contains("127.0.0.1"), "{screen}");
    let screen = Shown::start(&desk, &open).screen(&desk);
    fits(&screen, &desk);
    assert!(!screen.contains(&token()), "never again: {screen}");
    assert!(screen.contains(&format!("TOKEN=$(cat {file})")), "{screen}");
    // A name that is given is the one to use.
    let named = ["--host", "0.0.0.0", "--allow-host", "box.example"];
    let screen = Shown::start(&desk, &named).screen(&desk);
    assert!(screen.contains("http://box.example:"), "{screen}");
    for args in [
        &["--new-token"][..],
        &["--new-token", "--log-format", "json"],
        &["--host", "0.0.0.0", "--new-token", "--format", "json"],
    ] {
        let mut server = desk.serve(args);
        server.end(Signal::TERM);
        let said = server.screen() + &desk.server_log();
        assert!(!said.contains(&token()), "{args:?}: {said}");
        assert!(said.contains(&file), "{args:?}: {said}");
    }
    // Into a log of JSON nothing else is mixed.
    let args = ["--log-format", "json"];
    let mut server = desk.serve(&args);
    server.end(Signal::TERM);
    assert_eq!(server.screen(), "");
    let screen = Shown::start(&desk, &args).screen(&desk);
    assert!(screen.lines().all(|line| line.starts_with('{')), "{screen}");
}

#[test]
fn on_this_machine_nobody_is_on_the_way() {
    let desk = Desk::new();
    let screen = Shown::start(&desk, &["--require-token"]).screen(&desk);
    fits(&screen, &desk);
    assert!(screen.contains("TOKEN="), "{screen}");
    assert!(
        !screen.contains("clear") && !screen.contains("TLS"),
        "{screen}"
    );
}

#[test]
fn a_token_that_others_could_read_is_closed_and_told_of() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let file = desk.home().join("token");
    std::fs::write(&file, "a token of one's own\n".replace(' ', "-")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let told = "others could read the token";
    drop(desk.serve(&["--require-token"]));
    let log = desk.server_log();
    assert!(log.contains(told) && log.contains("mode=\"644\""), "{log}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(desk.serve(&["--require-token"]));
    assert!(!desk.server_log().contains(told));
}
