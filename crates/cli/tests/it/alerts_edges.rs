//! `tacho alerts` where something is amiss or unusual: files that are torn, settings
//! that are wrong, servers that listen everywhere or speak TLS, names without end.

use serde_json::{Value as Json, json};

use crate::harness::{Desk, Said, eventually};

fn json(said: &Said) -> Json {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn rule(name: &str, condition: &str) -> Json {
    json!({"name": name, "metric_name": "m", "source": "s", "condition": condition,
        "threshold": 1, "created_at": "2025-11-20T12:00:00Z"})
}

/// A home with such rules of the API.
fn with_rules(rules: &[Json]) -> Desk {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home().join("alerts")).unwrap();
    let text = format!("{{\"version\":1,\"rules\":{}}}", json!(rules));
    std::fs::write(desk.home().join("alerts/rules.json"), text).unwrap();
    desk
}

#[test]
fn rules_that_can_be_read_are_there_beside_those_that_cannot() {
    let desk = with_rules(&[rule("Good", "avg > 1"), rule("Bad", "avg = 1")]);
    let check = |said: &str| {
        let listed = desk.tacho(&["alerts", "list", "--json"]);
        assert_eq!(listed.code, Some(1), "{listed:?}");
        let wanted = ["rules.json", said, "1 rule in it", "move it away"];
        for word in wanted {
            assert!(listed.stderr.contains(word), "{word}: {listed:?}");
        }
        let rules = json(&listed)["alert_rules"].clone();
        let own = rules.as_array().unwrap().iter();
        let own = own.filter(|rule| rule["origin"] == "api");
        let own: Vec<_> = own.map(|rule| rule["rule"]["name"].clone()).collect();
        assert_eq!(own, ["Good"]);
        // Nobody says that nothing fires who has not looked at all of them.
        let checked = desk.tacho(&["alerts", "check"]);
        assert_eq!(checked.code, Some(2), "{checked:?}");
        assert!(checked.stderr.contains(said), "{checked:?}");
        // One that cannot be read may fire in a server that could.
        desk.ok(&["alerts", "silence", "Bad", "--for", "1m"]);
    };
    check("rule 2 (Bad): the condition");
    let path = desk.home().join("alerts/rules.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 9]).unwrap();
    check("it is torn");
    // The same of silences.
    let path = desk.home().join("alerts/silences.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 9]).unwrap();
    let said = desk.tacho(&["alerts", "silence", "--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(json(&said)["silences"].as_array().map(Vec::len), Some(1));
    assert!(
        said.stderr.contains("silences.json: it is torn"),
        "{said:?}"
    );
}

#[test]
fn what_is_wrong_with_rules_of_the_settings_is_said_with_its_place() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let path = desk.home().join("config.yaml");
    let check = |line: &str, args: &[&str], said: &str| {
        let text = format!(
            "enable_alerts: true\nalert_rules:\n  - name: Slow\n    family: tool\n    metric: '*'\n{line}"
        );
        std::fs::write(&path, text).unwrap();
        let found = desk.tacho(args);
        assert_eq!(found.code, Some(2), "{line}: {found:?}");
        let said = format!("{}:{said}", path.display());
        assert!(found.stderr.contains(&said), "{said}: {found:?}");
        assert!(found.stderr.contains("\nhint: "), "{found:?}");
    };
    let list = &["alerts", "list"][..];
    check(
        "    condition: p95 = 1\n",
        list,
        "6:16: alert_rules: rule 1 (\"Slow\"): the condition",
    );
    check(
        "    condition: p95 > 1\n    severity: bad\n",
        list,
        "7:15: ",
    );
    check("    condition: p95 > 1\n  - 7\n", list, "7:5: ");
    check(
        "    condition: p95 > 1\n  - name: Slow\n    family: tool\n    metric: x\n    condition: avg > 1\n",
        list,
        "7:11: ",
    );
    let start = &["start", "--port", "0", "--no-dashboard"][..];
    check(
        "    condition: p95 > 1\n    channels: [chat]\n",
        start,
        "7:15: alert_rules: rule 1 (\"Slow\"): `channels`: there is no channel \"chat\"",
    );
}

/// The first line of what is said of a home's settings, with exit code 2.
fn refused(desk: &Desk, args: &[&str]) -> String {
    let said = desk.tacho(args);
    assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
    assert!(said.stdout.is_empty(), "{args:?}: {said:?}");
    said.stderr.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_a_server_would_not_start_with_is_not_taken_for_well() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let path = desk.home().join("config.yaml");
    let check = |config: &str, said: &str| {
        std::fs::write(&path, config).unwrap();
        let start = refused(&desk, &["start", "--port", "0", "--no-dashboard"]);
        assert!(
            start.contains(said) && start.contains("config.yaml"),
            "{start}"
        );
        for command in ["list", "check", "backtest", "export"] {
            assert_eq!(refused(&desk, &["alerts", command]), start, "{command}");
        }
    };
    check("alert_rules: 5\n", "5 is not a list");
    check("alert_rules: hello\n", "\"hello\" is not a list");
    check("alert_channels: 5\n", "alert_channels");
    check("alert_channels: {x: {kind: nope}}\n", "x: `kind` is none");
    let rule = "{name: Slow, family: tool, metric: '*', condition: p95 > 1, channels: [gone]}";
    check(
        &format!("alert_rules:\n- {rule}\n"),
        "`channels`: there is no channel \"gone\"",
    );
    // What is not about alerts is the server's, and so are its secrets.
    let config = format!(
        "dashboard_port: hello\nalert_channels:\n  gone: {{kind: webhook, url_env: NOWHERE_SET}}\nalert_rules:\n- {rule}\n"
    );
    std::fs::write(&path, config).unwrap();
    for command in ["list", "check", "backtest"] {
        desk.ok(&["alerts", command]);
    }
}

/// What a webhook was told by `tacho alerts test`.
fn told_page(desk: &Desk) -> Option<String> {
    let out = desk.cwd().join("told.json");
    let _ = std::fs::remove_file(&out);
    desk.ok(&["alerts", "test", "own"]);
    let told: Json = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    told["externalURL"].as_str().map(str::to_owned)
}

#[cfg(unix)]
#[test]
fn a_server_is_found_wherever_it_listens_and_whatever_it_speaks() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../serve/tests/data");
    let (cert, key) = (
        format!("{data}/tls-cert.pem"),
        format!("{data}/tls-key.pem"),
    );
    let tls = ["--tls-cert", cert.as_str(), "--tls-key", key.as_str()];
    let everywhere = ["--host", "0.0.0.0"];
    let check = |args: &[&str], scheme: &str, host: &str| {
        let desk = Desk::new();
        std::fs::create_dir_all(desk.home()).unwrap();
        let out = desk.cwd().join("told.json");
        let config = format!(
            "alert_channels:\n  own: {{kind: exec, command: [sh, -c, 'cat > {}']}}\n",
            out.display()
        );
        std::fs::write(desk.home().join("config.yaml"), config).unwrap();
        let mut server = desk.serve(args);
        let port = server.address("dashboard").port();
        let page = format!("{scheme}://{host}:{port}");
        let listed = desk.ok(&["alerts", "list"]);
        assert!(
            listed.stderr.contains(&format!(" ({page}/);")),
            "{listed:?}"
        );
        assert_eq!(told_page(&desk).as_deref(), Some(page.as_str()));
        let top = || {
            let args = ["top", "--once", "--json", "--tab", "alerts"];
            json(&desk.ok(&args))["top"]["alerts"].clone()
        };
        let mut seen = Json::Null;
        eventually("it answers", || {
            seen = top();
            seen["from"] == "server"
        });
        assert_eq!(seen["at"], format!("127.0.0.1:{port}"), "{seen}");
        assert_eq!(seen["note"], Json::Null, "{seen}");
        let kept = desk.home().join("alerts/state.json");
        eventually("its first look is kept", || kept.exists());
        server.end(rustix::process::Signal::TERM);
        assert_eq!(top()["from"], "file");
    };
    check(&[], "http", "127.0.0.1");
    check(&everywhere, "http", "localhost");
    check(&tls, "https", "127.0.0.1");
    check(&[&everywhere[..], &tls].concat(), "https", "localhost");
}

#[cfg(unix)]
#[test]
fn a_server_is_asked_with_the_token_of_the_settings() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.home()).unwrap();
    let settle = |token: &str| {
        let config = format!("require_token: true\ntoken: {token}\n");
        std::fs::write(desk.home().join("config.yaml"), config).unwrap();
    };
    settle("only-the-settings-know-it");
    let _server = desk.serve(&[]);
    let told = || {
        let top = desk.ok(&["top", "--once", "--json", "--tab", "alerts"]);
        json(&top)["top"]["alerts"].clone()
    };
    let mut seen = Json::Null;
    eventually("it answers", || {
        seen = told();
        seen["from"] == "server"
    });
    settle("none-that-the-server-has");
    let note = told()["note"].to_string();
    assert!(note.contains("another token"), "{note}");
    assert!(!note.contains("none-that"), "{note}");
    says_why_it_knows_nothing(&desk, "another token");
}

/// Also where there is no other table to be printed.
#[cfg(unix)]
fn says_why_it_knows_nothing(desk: &Desk, why: &str) {
    for args in [
        &["top", "--once"][..],
        &["top", "--once", "--tab", "alerts"],
    ] {
        let text = desk.ok(args).stdout;
        let line = text.lines().find(|line| line.starts_with("Alerts: ! "));
        assert!(
            line.is_some_and(|line| line.contains(why)),
            "{args:?}: {text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn another_certificate_than_the_servers_is_not_trusted() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../serve/tests/data");
    let (cert, key) = (
        format!("{data}/tls-cert.pem"),
        format!("{data}/tls-key.pem"),
    );
    let desk = Desk::new();
    let _server = desk.serve(&["--tls-cert", &cert, "--tls-key", &key]);
    // As if another program had taken the port.
    let lock = desk.home().join("server.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    let mut about: Json = serde_json::from_str(&text).unwrap();
    about["certificate_sha256"] = "00".repeat(32).into();
    std::fs::write(&lock, about.to_string()).unwrap();
    let top = desk.ok(&["top", "--once", "--json", "--tab", "alerts"]);
    let note = json(&top)["top"]["alerts"]["note"].to_string();
    assert!(note.contains("certificate"), "{note}");
    says_why_it_knows_nothing(&desk, "certificate");
}

#[test]
fn series_that_no_server_watches_are_told_of() {
    let desk = with_rules(&[rule("Most", "avg > 1"), rule("None", "avg > 1")]);
    let state = |quiet: Json| {
        let text = json!({"version": 1, "rules": [], "unwritten": [], "quiet": quiet});
        std::fs::write(desk.home().join("alerts/state.json"), text.to_string()).unwrap();
    };
    state(json!({
        "Most": {"well": 9000, "without_data": 0, "unwatched": 25},
        "None": {"well": 0, "without_data": 0, "unwatched": 1025},
    }));
    let told = desk.ok(&["alerts", "list"]);
    let said = "nobody watches 1,050 series of the rule \"Most\" and 1 other: ";
    assert!(told.stderr.contains(said), "{told:?}");
    for cell in ["9,000 series, 25 unwatched", "1,025 unwatched"] {
        assert!(told.stdout.contains(cell), "{cell}: {told:?}");
    }
    let of = |name: &str| {
        let listed = json(&desk.ok(&["alerts", "list", "--json"]));
        let rules = listed["alert_rules"].as_array().unwrap().clone();
        let mut rules = rules.into_iter();
        let found = rules.find(|it| it["rule"]["name"] == name).unwrap();
        (found["state"].clone(), found["series_unwatched"].clone())
    };
    assert_eq!(of("Most"), (json!("inactive"), json!(25)));
    assert_eq!(of("None"), (json!("unwatched"), json!(1025)));
    // One that an earlier server left tells of none.
    state(json!({"Most": {"well": 1, "without_data": 2}}));
    let told = desk.ok(&["alerts", "list"]);
    assert!(!told.stderr.contains("nobody watches"), "{told:?}");
    assert!(told.stdout.contains("1 series, 2 without data"), "{told:?}");
}

#[cfg(unix)]
#[test]
fn a_name_without_end_is_cut_on_a_terminal() {
    let long = "very long name ".repeat(17);
    let desk = with_rules(&[rule(long.trim(), "avg > 1"), rule("b", "avg > 1")]);
    desk.ok(&["alerts", "silence", long.trim(), "--for", "1m"]);
    for args in [&["alerts", "list"][..], &["alerts", "silence"]] {
        for columns in [80, 120] {
            let mut command = desk.command(args);
            command.env("COLUMNS", columns.to_string());
            let (mut child, seen) = crate::harness::on_terminal(command);
            assert!(child.wait().unwrap().success());
            let seen = seen.join().unwrap();
            assert!(seen.contains("very long") && seen.contains('…'), "{seen}");
            for line in seen.lines().filter(|line| line.contains("very long")) {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
        }
        // Into a pipe it is whole.
        let whole = desk.ok(args).stdout;
        assert!(whole.contains(long.trim()), "{whole}");
    }
}
