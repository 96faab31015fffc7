//! `tacho start`: one command in an empty home, and how it ends.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::harness::{ANY_PORTS, Desk, eventually};

/// Leaving takes no longer.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

fn run(desk: &Desk, args: &[&str]) -> crate::harness::Said {
    let mut line = vec!["start"];
    line.extend(ANY_PORTS);
    line.extend(args);
    desk.tacho(&line)
}

#[test]
fn an_empty_home_is_served_at_once_and_left_in_peace() {
    let desk = Desk::new();
    let mut server = desk.serve(&[]);
    assert_eq!(server.ready["home"], desk.home().to_str().unwrap());
    assert_eq!(server.ready["statsd"], Json::Null);
    for door in ["dashboard", "otlp_grpc", "otlp_http", "json", "prometheus"] {
        assert!(server.address(door).ip().is_loopback());
        // Each answers, if only that it serves nothing there.
        let (status, _) = server.get(door, "/nothing-here");
        assert!((200..500).contains(&status), "{door}: {status}");
    }
    let screen = server.screen();
    let http = server.ready["otlp_http"].as_str().unwrap();
    let api = server.ready["dashboard"].as_str().unwrap();
    for words in [
        format!("export OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}"),
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf".to_owned(),
        "tachograph::init()".to_owned(),
        format!("export TACHOGRAPH_HOME={}", desk.home().display()),
        format!("curl http://{api}/api/v1/events"),
        "Ctrl-C".to_owned(),
    ] {
        assert!(screen.contains(&words), "{words}: {screen}");
    }
    assert!(!screen.contains('\u{1b}'), "into a file nothing is painted");
    let home = desk.home().display().to_string();
    for line in screen.replace(&home, "~/.tachograph").lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(
        desk.server_log().contains("info    serving"),
        "{}",
        desk.server_log()
    );
    let (code, took) = server.end(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(took < LEAVE_WITHIN, "{took:?}");
    assert!(!server.is_ready(), "nothing is ready any more");
    assert!(desk.server_log().contains("stopped"));
}

#[test]
fn it_serves_though_nobody_reads_what_it_says() {
    let desk = Desk::new();
    let mut line = vec!["start", "--ready-file", "ready.json"];
    line.extend(ANY_PORTS);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut server = desk
        .command(&line)
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let ready = desk.cwd().join("ready.json");
    eventually("ready or gone", || {
        ready.exists() || server.try_wait().unwrap().is_some()
    });
    assert!(ready.exists());
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let output = server.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("stdout takes nothing"), "{stderr}");
}

#[test]
fn both_signals_end_it_and_a_second_one_is_no_harm() {
    let desk = Desk::new();
    let mut server = desk.serve(&["-q"]);
    let (code, took) = server.end(Signal::INT);
    assert_eq!(code, Some(0));
    assert!(took < LEAVE_WITHIN);
    assert_eq!(desk.server_log(), "", "-q: errors only");
    let mut server = desk.serve(&[]);
    server.signal(Signal::TERM);
    let (code, _) = server.end(Signal::TERM);
    // It may have left by then; if not, it leaves at once, as the signal says.
    assert!(matches!(code, Some(0 | 143)), "{code:?}");
}

/// A terminal that is closed stops it as well; not who was told to outlive that.
#[test]
fn a_terminal_that_closes_ends_it_unless_it_was_to_go_on() {
    let desk = Desk::new();
    let mut server = desk.serve(&[]);
    let (code, took) = server.end(Signal::HUP);
    assert_eq!(code, Some(0));
    assert!(took < LEAVE_WITHIN);
    assert!(!server.is_ready());
    let log = desk.server_log();
    assert!(log.contains("stopping signal=\"SIGHUP\""), "{log}");
    assert!(log.contains("stopped"), "{log}");
    let ready = desk.cwd().join("kept.json");
    let mut line = vec![
        "-c",
        "trap '' HUP; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_tacho"),
        "start",
        "--ready-file",
        "kept.json",
    ];
    line.extend(ANY_PORTS);
    let mut kept = desk
        .program("sh", &line)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("ready", || ready.exists());
    let pid = rustix::process::Pid::from_child(&kept);
    rustix::process::kill_process(pid, Signal::HUP).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(kept.try_wait().unwrap().is_none(), "it goes on");
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(kept.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_server_on_one_home_names_the_first() {
    let desk = Desk::new();
    let mut first = desk.serve(&[]);
    let pid = first.ready["pid"].to_string();
    let second = run(&desk, &[]);
    let api = first.ready["dashboard"].as_str().unwrap();
    second.fails(1, &["already runs", &pid, api, "hint:", "--home"]);
    // The first does not notice.
    assert_eq!(first.get("dashboard", "/nothing-here").0, 404);
    assert!(first.is_ready());
    first.end(Signal::TERM);
    let again = desk.serve(&[]);
    assert_ne!(again.ready["pid"].to_string(), pid);
}

#[test]
fn a_server_that_was_killed_is_in_nobody_s_way() {
    let desk = Desk::new();
    let mut killed = desk.serve(&[]);
    let (code, _) = killed.end(Signal::KILL);
    assert_eq!(code, None);
    assert!(killed.is_ready(), "it could not clear up");
    let server = desk.serve(&[]);
    assert_ne!(server.ready["pid"], killed.ready["pid"]);
    assert_eq!(server.get("json", "/nothing-here").0, 404);
}

#[test]
fn a_port_that_is_taken_names_flag_key_and_way_out() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (flag, key) in [
        ("--port", "`dashboard_port`"),
        ("--otlp-grpc-port", "`otlp_grpc_port`"),
        ("--otlp-http-port", "`otlp_http_port`"),
        ("--json-port", "`json_port`"),
        ("--prometheus-port", "`prometheus_port`"),
    ] {
        let mut line = vec!["start"];
        line.extend(ANY_PORTS);
        let at = line.iter().position(|word| *word == flag).unwrap();
        line[at + 1] = &port;
        let said = desk.tacho(&line);
        said.fails(
            1,
            &[&format!("127.0.0.1:{port}"), &format!("{flag} PORT"), key],
        );
        assert_eq!(said.stdout, "", "nothing is promised that is not kept");
    }
}

#[test]
fn settings_and_flags_say_what_is_served() {
    let desk = Desk::new();
    let yaml = "enable_dashboard: false\nprometheus_enabled: false\ncollect_system: false\n";
    desk.file("other.yaml", yaml);
    let served = |args: &[&str]| {
        let mut line = vec![
            "start",
            "--port",
            "0",
            "--otlp-grpc-port",
            "0",
            "--otlp-http-port",
            "0",
        ];
        line.extend(["--ready-file", "shown.json", "--format", "json"]);
        line.extend(args);
        let child = desk
            .command(&line)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let shown = desk.cwd().join("shown.json");
        eventually("ready", || shown.exists());
        let ready: Json = serde_json::from_str(&std::fs::read_to_string(shown).unwrap()).unwrap();
        let page = shows_a_page(ready["dashboard"].as_str().unwrap());
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        // With --format json, stdout says the same.
        let printed: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed, ready);
        let open = |door: &str| ready[door].is_string();
        (page, open("json"), open("prometheus"))
    };
    let json = ["--json-port", "0"];
    let prometheus = ["--prometheus-port", "0"];
    let file = ["--config", "other.yaml"];
    assert_eq!(served(&[json, prometheus].concat()), (true, true, true));
    assert_eq!(
        served(&[json, prometheus, ["--no-dashboard", "-q"]].concat()),
        (false, true, true)
    );
    assert_eq!(served(&[file, json].concat()), (false, true, false));
    // A flag is stronger, and a port that was typed is meant.
    let stronger = [&file[..], &json, &prometheus, &["--dashboard"]].concat();
    assert_eq!(served(&stronger), (true, true, true));
    std::fs::create_dir_all(desk.home()).unwrap();
    std::fs::write(desk.home().join("config.yaml"), yaml).unwrap();
    assert_eq!(served(&json), (false, true, false));
}

/// A port that was typed is meant, and so is the setting: that both cannot be had
/// is said. Names that are typed are taken beside those of the settings.
#[test]
fn flags_and_settings_that_contradict_are_told_and_names_add_up() {
    let desk = Desk::new();
    let yaml = "json_endpoint_enabled: false\nallowed_hosts: [one.example]\n";
    desk.file("other.yaml", yaml);
    let args = [
        "--config",
        "other.yaml",
        "--allow-host",
        "two.example",
        "--allow-host",
        "three.example",
    ];
    let server = desk.serve(&args);
    let log = desk.server_log();
    let told = "a flag counts more than a setting flag=\"--json-port\" \
                setting=\"json_endpoint_enabled: false\" of=\"other.yaml\"";
    assert!(log.contains(told), "{log}");
    assert!(!log.contains("--prometheus-port"), "{log}");
    for (name, status) in [
        ("one.example", 200),
        ("two.example", 200),
        ("three.example", 200),
        ("four.example", 403),
    ] {
        assert_eq!(server.get_as(name, "json", "/health"), status, "{name}");
    }
}

/// Whether a browser is shown a page there; a pointer to the API if not.
fn shows_a_page(address: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET / HTTP/1.0\r\nhost: {address}\r\naccept: text/html\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("/api/v1"), "{answer}");
    answer.contains("<!doctype html>")
}

#[test]
fn mistakes_are_named_before_anything_is_served() {
    let desk = Desk::new();
    desk.file("cert.pem", "nothing");
    let said = |args: &[&str]| run(&desk, args);
    said(&["--as-of", "2025-11-20"]).fails(2, &["--as-of"]);
    said(&["--events", "."]).fails(2, &["--events"]);
    said(&["--config", "none.yaml"]).fails(2, &["none.yaml", "no such file"]);
    said(&["--host", "nowhere"]).fails(2, &["nowhere", "127.0.0.1"]);
    said(&["--host", "192.0.2.1"]).fails(1, &["192.0.2.1", "does not have that address"]);
    said(&["--tls-cert", "cert.pem"]).fails(2, &["--tls-key"]);
    said(&["--tls-cert", "none.pem", "--tls-key", "cert.pem"]).fails(1, &["none.pem"]);
    said(&["--tls-cert", "cert.pem", "--tls-key", "cert.pem"]).fails(1, &["no certificate in PEM"]);
    said(&["--format", "csv"]).fails(2, &["csv"]);
    desk.file("odd.yaml", "collection_intervals: {system: soon}\n");
    said(&["--config", "odd.yaml"]).fails(2, &["collection_intervals.system", "soon"]);
    desk.file("odd.yaml", "collection_intervals: [5]\n");
    said(&["--config", "odd.yaml"]).fails(2, &["collection_intervals", "[5]", "1 to 3600"]);
    desk.file("odd.yaml", "dashboard_port: 4711\njson_port: 4711\n");
    let line = ["start", "--config", "odd.yaml"];
    let words = [
        "the page and the API",
        "metrics as JSON",
        "port 4711",
        "--json-port",
        "`json_port`",
    ];
    desk.tacho(&line).fails(2, &words);
    desk.file("odd.yaml", "allowed_hosts: [1]\n");
    said(&["--config", "odd.yaml"]).fails(2, &["allowed_hosts", "not a list of names"]);
    desk.file("odd.yaml", "token: short\n");
    said(&["--config", "odd.yaml", "--require-token"]).fails(2, &["at least 16 characters"]);
    let output = desk
        .command(&["start"])
        .env("TACHOGRAPH_DISABLED", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("TACHOGRAPH_DISABLED=1"), "{stderr}");
}

/// Names of files are bytes: none is passed over because it is no text.
#[cfg(target_os = "linux")]
#[test]
fn paths_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let desk = Desk::new();
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let home = desk.home().join(odd);
    let server = desk.serve_at(&home, &[]);
    let event = r#"{"event_type":"tool_call","tool":"x"}"#;
    let (status, body) = server.ask("json", "POST", "/api/v1/events", &[], event);
    assert_eq!(status, 200, "{body}");
    let query = "select%20count(*)%20as%20n%20from%20tool_calls";
    let (status, body) = server.get("dashboard", &format!("/api/v1/sql?query={query}"));
    assert_eq!(status, 200, "{body}");
    drop(server);
    // A certificate that is passed over would be served without.
    let mut line: Vec<&std::ffi::OsStr> = ["start", "--tls-cert"].map(AsRef::as_ref).to_vec();
    line.extend([odd, "--tls-key".as_ref(), odd]);
    line.extend(ANY_PORTS.iter().map(std::ffi::OsStr::new));
    let output = desk.command(&line).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("cannot read caf"), "{stderr}");
}

/// Where there is no room to seal, deleting is what makes some.
#[test]
fn retention_goes_on_though_sealing_fails() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let write = |name: &str, day: u32| {
        let line = format!(
            "{{\"timestamp\":\"2025-11-{day}T11:00:00+00:00\",\"event_type\":\"tool_call\",\"tool\":\"x\"}}\n"
        );
        std::fs::write(desk.home().join(name), line).unwrap();
    };
    write("events.jsonl", 20);
    desk.ok(&["compact"]);
    let sealed = desk.home().join("segments/day=2025-11-20");
    assert!(std::fs::read_dir(&sealed).unwrap().next().is_some());
    write("events_20251121_110000_000001.jsonl", 21);
    let log = desk.home().join("events_20251121_110000_000001.jsonl");
    let file = std::fs::File::options().append(true).open(&log).unwrap();
    let hours_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 3_600);
    file.set_modified(hours_ago).unwrap();
    // No folder can be made here.
    std::fs::write(desk.home().join("segments/day=2025-11-21"), "").unwrap();
    desk.file("keep.yaml", "retention_days: 1\n");
    let server = desk.serve(&["--config", "keep.yaml"]);
    eventually("deleted", || {
        std::fs::read_dir(&sealed).map_or(true, |mut left| left.next().is_none())
    });
    assert!(log.exists(), "not sealed, so not deleted");
    eventually("told", || {
        desk.server_log().contains("storage could not be kept")
    });
    drop(server);
}

#[cfg(unix)]
#[test]
fn files_of_alerts_that_cannot_be_used_are_in_the_log_once_and_why() {
    let desk = Desk::new();
    let alerts = desk.home().join("alerts");
    std::fs::create_dir_all(alerts.join("told.jsonl")).unwrap();
    let files = [
        ("rules.json", r#"{"version":1,"rules":[{"name":7}]}"#),
        ("silences.json", r#"{"version":1,"silences":["#),
        ("state.json", "{"),
    ];
    for (name, text) in files {
        std::fs::write(alerts.join(name), text).unwrap();
    }
    let mut server = desk.serve(&[]);
    // Whoever asks first keeps it from nobody.
    let (status, body) = server.get("dashboard", "/api/v1/alerts");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("rules.json: rule 1: invalid type"), "{body}");
    let told = [
        ("alert rules could not be read", "rule 1: invalid type"),
        ("silences could not be read", "it is torn"),
        ("how alerts stood could not be read", "EOF"),
        ("who was told of alerts last could not", "directory"),
    ];
    let said = |(what, why): &(&str, &str)| {
        let log = desk.server_log();
        let of_it = log.lines().filter(|line| line.contains(what));
        let of_it: Vec<_> = of_it.map(|line| line.contains(why)).collect();
        of_it == [true]
    };
    eventually("told", || told.iter().all(said));
    // Looked at again, and told of no more; at its end it tells of what is left.
    std::thread::sleep(Duration::from_millis(1_500));
    server.end(rustix::process::Signal::TERM);
    let log = desk.server_log();
    assert!(told.iter().all(said), "{log}");
    assert!(!log.contains("could not be kept"), "{log}");
}

#[test]
fn the_fourth_seed_s_line_and_file_start_it() {
    let desk = Desk::new();
    let yaml = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/freeagentics.yaml");
    // Its host is 0.0.0.0: that takes a token.
    let line = [
        "--config",
        yaml,
        "--dashboard",
        "--no-profiling",
        "--regression",
    ];
    let mut server = desk.serve(&line);
    let token_file = desk.home().join("token");
    let token = std::fs::read_to_string(&token_file).unwrap();
    let token = token.trim();
    let mode = std::fs::metadata(&token_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(token.len(), 64);
    let screen = server.screen();
    let file = token_file.display().to_string();
    assert!(
        screen.contains(&file) && screen.contains("--tls-cert"),
        "where it is, and how to protect it: {screen}"
    );
    let log = desk.server_log();
    for flag in ["--no-profiling", "--regression"] {
        assert!(
            log.contains(&format!("does nothing flag={flag:?}")),
            "{log}"
        );
    }
    let port = server.address("json").port();
    server.ready["json"] = format!("127.0.0.1:{port}").into();
    assert_eq!(server.get("json", "/metrics").0, 401);
    assert!(
        server.get("json", "/health").0 != 401,
        "watching needs none"
    );
    let bearer = format!("authorization: Bearer {token}");
    assert_ne!(server.ask("json", "GET", "/metrics", &[&bearer], "").0, 401);
    server.end(Signal::TERM);
    let _anew = desk.serve(&[&line[..], &["--new-token"]].concat());
    let new = std::fs::read_to_string(&token_file).unwrap();
    assert_ne!(new.trim(), token);
    // What does nothing is not advertised.
    let help = desk.ok(&["start", "--help"]).stdout;
    assert!(
        !help.contains("--profiling") && !help.contains("--no-regression"),
        "{help}"
    );
}

#[test]
fn the_log_is_json_if_asked_and_tells_what_was_turned_away() {
    let desk = Desk::new();
    let mut server = desk.serve(&["--log-format", "json"]);
    let denied = server.ask(
        "json",
        "POST",
        "/api/v1/events",
        &["origin: http://evil.example"],
        "{}",
    );
    assert_eq!(denied.0, 403);
    server.end(Signal::TERM);
    let log = desk.server_log();
    let lines: Vec<Json> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let messages: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["message"].as_str())
        .collect();
    let denied = "requests were denied (host, origin, token)";
    assert_eq!(messages[0], "serving");
    assert!(messages.contains(&"stopped"), "{log}");
    let told = lines
        .iter()
        .find(|line| line["message"] == denied)
        .expect("told");
    assert_eq!(
        (&told["level"], &told["count"]),
        (&"warning".into(), &1.into())
    );
}

#[test]
fn what_is_old_is_sealed_while_it_serves_and_what_is_young_stays() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let line = |at: u32| {
        format!(
            "{{\"timestamp\":\"2025-11-20T11:00:00.{at:06}+00:00\",\"event_type\":\"tool_call\",\"tool\":\"x\",\"duration_ms\":1.0,\"success\":true}}\n"
        )
    };
    let log = |name: &str, from: u32| {
        let path = desk.home().join(name);
        std::fs::write(&path, (from..from + 100).map(line).collect::<String>()).unwrap();
        path
    };
    let old = log("events_20251120_110000_000001.jsonl", 0);
    let young = log("events_20251120_120000_000001.jsonl", 100);
    let hours_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 3_600);
    let file = std::fs::File::options().append(true).open(&old).unwrap();
    file.set_modified(hours_ago).unwrap();
    let server = desk.serve(&[]);
    eventually("sealed", || !old.exists());
    assert!(young.exists());
    assert!(desk.home().join("manifest.json").exists());
    let count = "select count(*) as n from events where event_type = 'tool_call'";
    let rows = desk.ok(&["sql", "--format", "jsonl", count]).stdout;
    assert_eq!(rows.trim(), r#"{"n":200}"#);
    drop(server);
}

/// The last hour is in no log any more, and shown all the same, once.
#[test]
fn live_figures_go_back_an_hour_whatever_was_sealed_meanwhile() {
    let desk = Desk::new();
    let call = [
        "record",
        "tool_call",
        "--tool",
        "grep",
        "--duration-ms",
        "4",
    ];
    desk.ok(&call);
    desk.ok(&call);
    desk.ok(&["compact"]);
    desk.ok(&call);
    assert!(desk.home().join("segments").exists());
    let server = desk.serve(&[]);
    let path = "/api/v1/live?family=tool&window=3600";
    eventually("read in", || {
        let (_, body) = server.get("dashboard", path);
        let live: Json = serde_json::from_str(&body).unwrap();
        live["series"][0]["count"] == 3
    });
    let (_, metrics) = server.get("prometheus", "/metrics");
    assert!(
        !metrics.contains("tool_name=\"grep\""),
        "a counter has nothing of the past"
    );
    let once = desk
        .ok(&["top", "--once", "--window", "3600", "--format", "json"])
        .stdout;
    let top: Json = serde_json::from_str(&once).unwrap();
    assert!(once.contains("\"grep\""), "{top}");
}

#[test]
fn what_was_sealed_and_is_not_in_the_live_figures_is_in_the_log() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "grep"]);
    desk.ok(&["compact"]);
    let manifest = std::fs::read(desk.home().join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let segment = manifest["segments"][0]["path"].as_str().unwrap();
    std::fs::write(desk.home().join(segment), "no Parquet").unwrap();
    let server = desk.serve(&[]);
    eventually("told", || {
        let log = desk.server_log();
        let told =
            |line: &str| line.contains("live figures do not have all") && line.contains(segment);
        log.lines().filter(|line| told(line)).count() == 1
    });
    drop(server);
}

/// The container's check, wherever the API listens and whatever it speaks.
#[cfg(target_os = "linux")]
#[test]
fn a_container_is_healthy_while_it_serves() {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../integrations/container/healthy"
    );
    let desk = Desk::new();
    let healthy = || {
        let mut check = desk.program("bash", &[script]);
        check.output().unwrap().status.success()
    };
    assert!(!healthy(), "no home");
    let mut server = desk.serve(&["--host", "0.0.0.0"]);
    assert!(healthy());
    server.end(Signal::TERM);
    assert!(!healthy(), "gone");
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../serve/tests/data");
    let (cert, key) = (
        format!("{data}/tls-cert.pem"),
        format!("{data}/tls-key.pem"),
    );
    let _server = desk.serve(&["--tls-cert", &cert, "--tls-key", &key]);
    assert!(healthy(), "over TLS");
}
