//! What is served and where: ports, flags, settings, and mistakes in them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use super::run;
use crate::harness::{ANY_PORTS, Desk, eventually};

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
