//! `tacho top`, on a terminal and into a pipe.

use serde_json::Value as Json;

use rustix::process::Signal;

use crate::harness::{Desk, eventually};

fn recorded() -> Desk {
    let desk = Desk::new();
    for (ms, ok) in [("12.5", "true"), ("30", "false")] {
        desk.ok(&[
            "record",
            "tool_call",
            "--tool",
            "search",
            "--duration-ms",
            ms,
            "--success",
            ok,
        ]);
    }
    // Who writes into the log without the recorder may write any name.
    let log = desk.home().join("events.jsonl");
    let lines = std::fs::read_to_string(&log).unwrap();
    let hostile = r#""search\u001b[2J""#;
    std::fs::write(&log, lines.replace(r#""search""#, hostile)).unwrap();
    desk
}

#[test]
fn once_prints_what_is_there_and_ends() {
    let desk = recorded();
    let text = desk.ok(&["top", "--once"]).stdout;
    let line = text.lines().find(|line| line.contains("search"));
    let line = line.expect("the tool");
    assert!(line.starts_with(r"search\u{1b}[2J"), "{line}");
    for figure in [" 2 ", " 50.0% ", " 30.0 ms "] {
        assert!(line.contains(figure), "{figure}: {line}");
    }
    assert!(!text.contains("MODEL"), "{text}");
    let json = desk.ok(&["top", "--once", "--format", "json", "--window", "1h"]);
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    let top = &json["top"];
    assert_eq!(top["window_seconds"], 3600);
    assert_eq!(top["tools"][0]["name"], "search\u{1b}[2J");
    assert_eq!(top["tools"][0]["count"], 2);
    assert_eq!(top["tools"][0]["failed"], 1);
    assert_eq!(top["models"], Json::Array(Vec::new()));
    assert!(top["overview"]["tokens_per_second"].is_null());
    let tab = desk.ok(&["top", "--once", "--json", "--tab", "caches"]);
    let tab: Json = serde_json::from_str(&tab.stdout).unwrap();
    assert!(tab["top"]["caches"].is_array() && tab["top"]["tools"].is_null());
}

#[test]
fn agents_whose_definitions_lie_here_are_called_by_their_names() {
    let desk = recorded();
    std::fs::create_dir(desk.cwd().join("defs")).unwrap();
    let text = "---\nname: python-pro\ndescription: Writes Python.\n---\nBody.\n";
    desk.file("defs/python-pro.md", text);
    for agent in ["python-pro", "somebody-else"] {
        let used = ["record", "tool_call", "--tool", "t", "--agent", agent];
        desk.ok(&used);
    }
    let top = |more: &[&str]| {
        let args = [&["top", "--once", "--tab", "agents"], more].concat();
        desk.ok(&args).stdout
    };
    assert!(!top(&[]).contains("python-pro"));
    desk.ok(&["agents", "index", "defs"]);
    let text = top(&[]);
    assert!(
        text.contains("\npython-pro ") && !text.contains("somebody-else"),
        "{text}"
    );
    let json: Json = serde_json::from_str(&top(&["--json"])).unwrap();
    let agents = json["top"]["agents"].as_array().unwrap();
    let named = |name: &str| agents.iter().find(|it| it["agent_name"] == name);
    let hash = named("python-pro").expect("named")["name"]
        .as_str()
        .unwrap();
    assert_eq!(hash.len(), 16, "{json}");
    assert!(
        agents
            .iter()
            .any(|it| it["agent_name"].is_null() && it["name"] != hash)
    );
    // The events without the secret tell nobody who it was.
    let log = std::fs::read(desk.home().join("events.jsonl")).unwrap();
    std::fs::create_dir(desk.cwd().join("copy")).unwrap();
    std::fs::write(desk.cwd().join("copy/events.jsonl"), log).unwrap();
    let text = top(&["--events", "copy"]);
    assert!(
        text.contains(hash) && !text.contains("python-pro"),
        "{text}"
    );
}

#[test]
fn an_empty_home_is_told_and_not_made() {
    let desk = Desk::new();
    let text = desk.ok(&["top", "--once"]).stdout;
    assert!(text.contains("Nothing of the kind"), "{text}");
    assert!(!desk.home().exists());
}

#[test]
fn what_it_cannot_do_it_says_with_a_way_out() {
    let desk = Desk::new();
    for (args, code, hint) in [
        (&["top"][..], 1, "hint: `tacho top --once`"),
        (&["top", "--json"], 2, "hint: say so: tacho top --once"),
        (&["top", "--once", "--format", "csv"], 2, "text, json"),
        (&["top", "--events", "nowhere"], 2, "no such folder"),
        (
            &["top", "--as-of", "2025-11-20T12:00:00Z"],
            2,
            "top shows the present",
        ),
    ] {
        let said = desk.tacho(args);
        assert_eq!(said.code, Some(code), "{args:?}: {said:?}");
        assert!(said.stderr.contains(hint), "{args:?}: {said:?}");
        assert_eq!(said.stdout, "");
    }
}

#[cfg(unix)]
mod terminal {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::process::Child;
    use std::sync::{Arc, Mutex};

    use rustix::process::{Pid, Signal, kill_process};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

    use super::recorded;
    use crate::harness::{Desk, eventually};

    const ENTER: &str = "\u{1b}[?1049h";
    const LEAVE: &str = "\u{1b}[?1049l";

    /// A person's terminal, with `tacho top` on it.
    struct Screen {
        child: Child,
        keys: File,
        /// Keeps the terminal there after the child has gone.
        end: File,
        seen: Arc<Mutex<Vec<u8>>>,
    }

    impl Screen {
        fn open(desk: &Desk, env: &[(&str, &str)]) -> Self {
            let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&terminal).unwrap();
            unlockpt(&terminal).unwrap();
            let size = Winsize {
                ws_row: 24,
                ws_col: 80,
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            tcsetwinsize(&terminal, size).unwrap();
            let name = ptsname(&terminal, Vec::new()).unwrap();
            let open = || {
                let mut options = File::options();
                options.read(true).write(true);
                options.open(name.to_str().unwrap()).unwrap()
            };
            let end = open();
            let mut command = desk.command(&["top"]);
            command.env("TERM", "xterm").env("LANG", "C.UTF-8");
            command.envs(env.iter().copied());
            command.stdin(open()).stdout(open()).stderr(open());
            let child = command.spawn().unwrap();
            let seen = Arc::new(Mutex::new(Vec::new()));
            let keys = File::from(terminal);
            let mut from = keys.try_clone().unwrap();
            let into = Arc::clone(&seen);
            // Ends with the terminal, or with the test.
            std::thread::spawn(move || {
                let mut some = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut some) {
                    into.lock().unwrap().extend_from_slice(&some[..count]);
                }
            });
            Self {
                child,
                keys,
                end,
                seen,
            }
        }

        fn seen(&self) -> String {
            String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
        }

        fn shows(&self, text: &str) {
            eventually(text, || self.seen().contains(text));
        }

        fn ended(mut self) -> (Option<i32>, String) {
            let code = self.child.wait().unwrap().code();
            // The terminal takes whole lines again, and shows what is typed.
            let modes = tcgetattr(&self.end).unwrap().local_modes;
            assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO));
            self.shows(LEAVE);
            (code, self.seen())
        }
    }

    #[test]
    fn keys_are_taken_and_the_terminal_is_given_back() {
        let desk = recorded();
        let mut screen = Screen::open(&desk, &[]);
        screen.shows(ENTER);
        screen.shows("search");
        screen.keys.write_all(b"\r").unwrap();
        screen.shows("All that was read");
        screen.keys.write_all(b"q").unwrap();
        let (code, seen) = screen.ended();
        assert_eq!(code, Some(0));
        // What the name would have commanded was not done.
        assert!(!seen.contains("search\u{1b}[2J"));
        assert!(seen.contains(r"search\u{1b}"));
        assert!(seen.contains("\u{1b}[38;5;"), "colors");
    }

    #[test]
    fn new_events_show_up_by_themselves() {
        let desk = recorded();
        let screen = Screen::open(&desk, &[("NO_COLOR", "1")]);
        screen.shows("search");
        desk.ok(&[
            "record",
            "tool_call",
            "--tool",
            "newcomer",
            "--duration-ms",
            "7",
        ]);
        screen.shows("newcomer");
        assert!(!screen.seen().contains("\u{1b}[38;5;"), "no colors");
        kill_process(Pid::from_child(&screen.child), Signal::TERM).unwrap();
        assert_eq!(screen.ended().0, Some(0));
    }

    #[test]
    fn a_terminal_that_is_closed_ends_it() {
        let desk = recorded();
        let mut screen = Screen::open(&desk, &[]);
        screen.shows("search");
        // As the system does when a terminal goes: it is no session of its own here.
        kill_process(Pid::from_child(&screen.child), Signal::HUP).unwrap();
        drop((screen.keys, screen.end));
        assert_eq!(screen.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn alerts_are_asked_of_the_server_and_read_where_it_left_them() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let rules =
        "alert_rules:\n  - {name: Many, family: tool, metric: search, condition: 'count > 0'}\n";
    std::fs::write(desk.home().join("config.yaml"), rules).unwrap();
    let alerts = || -> Json {
        let said = desk
            .ok(&["top", "--once", "--json", "--tab", "alerts"])
            .stdout;
        let json: Json = serde_json::from_str(&said).unwrap();
        json["top"]["alerts"].clone()
    };
    assert_eq!(alerts()["from"], "nobody");
    let mut server = desk.serve(&[]);
    let mut asked = Json::Null;
    eventually("it answers", || {
        asked = alerts();
        asked["from"] == "server"
    });
    assert_eq!(asked["at"], server.address("dashboard").to_string());
    let rules = asked["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["name"] == "Many"), "{asked}");
    desk.ok(&["record", "tool_call", "--tool", "search"]);
    let fires = |alerts: &Json| alerts["alerts"][0]["state"] == "firing";
    eventually("it fires", || fires(&alerts()));
    let text = desk.ok(&["top", "--once", "--tab", "alerts"]).stdout;
    assert!(
        text.contains("1 firing") && text.contains("FIRING"),
        "{text}"
    );
    let kept = || std::fs::read_to_string(desk.home().join("alerts/state.json")).unwrap();
    eventually("that is kept", || kept().contains("\"firing\""));
    server.end(Signal::KILL);
    let left = alerts();
    assert_eq!(left["from"], "file", "{left}");
    assert!(fires(&left), "{left}");
    assert_eq!(left["alerts"][0]["rule"], "Many");
    std::fs::write(desk.home().join("alerts/state.json"), "{").unwrap();
    let torn = alerts();
    assert!(
        torn["note"].as_str().unwrap().contains("state.json"),
        "{torn}"
    );
}
