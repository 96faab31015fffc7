//! `tacho alerts`: rules over what is recorded, with a server and without.

mod past;
mod replay;

use serde_json::Value as Json;

use crate::harness::{Desk, Said, eventually};

const SLOW: &str = "- {name: Slow, family: tool, metric: '*', condition: p95 > 1000}\n";

/// Ten calls, of which `slow` take five seconds.
fn recorded(slow: usize) -> Desk {
    let desk = Desk::new();
    let line = |at: usize| {
        let ms = if at < slow { 5_000 } else { 10 };
        format!(
            "{{\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":{ms},\"success\":true}}\n"
        )
    };
    let lines: String = (0..10).map(line).collect();
    let said = desk.tacho_with(&["record"], lines.as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    desk
}

fn json(said: &Said) -> Json {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[test]
fn every_rule_is_listed_with_who_made_it() {
    let desk = recorded(0);
    std::fs::write(
        desk.home().join("config.yaml"),
        format!("alert_rules:\n{SLOW}- {{name: High CPU Usage, metric: cpu_usage_percent, source: system, condition: avg > 50, enabled: false}}\n"),
    )
    .unwrap();
    let listed = json(&desk.ok(&["alerts", "list", "--json"]));
    let rules = listed["alert_rules"].as_array().unwrap();
    let of = |name: &str| {
        let found = rules.iter().find(|it| it["rule"]["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name}: {listed}"));
        (
            found["origin"].as_str().unwrap(),
            found["state"].as_str().unwrap(),
        )
    };
    assert_eq!(rules.len(), 13);
    assert_eq!(of("Slow"), ("config", "unwatched"));
    assert_eq!(of("High CPU Usage"), ("config", "off"));
    assert_eq!(of("High Memory Usage"), ("builtin", "unwatched"));
    assert_eq!(of("Slow Tool"), ("builtin", "off"));
    assert!(listed["server"].is_null());
    let said = desk.ok(&["alerts", "list"]);
    assert!(
        said.stdout.contains("High Database Query Latency"),
        "{said:?}"
    );
    assert!(said.stderr.contains("tacho alerts check"), "{said:?}");
    // They are in the order of their groups, which are shown.
    for form in ["text", "markdown"] {
        let said = desk.ok(&["alerts", "list", "--format", form]);
        let line = |name: &str| said.stdout.lines().find(|line| line.contains(name));
        assert!(line("Group").is_some(), "{said:?}");
        let slow = line("Slow Agent Inference").unwrap_or_default();
        let words = slow.replace("Slow Agent Inference", "");
        let mut words = words.split([' ', '|']).filter(|word| !word.is_empty());
        assert_eq!(words.next(), Some("agent"), "{said:?}");
    }
    let said = desk.ok(&["alerts", "list", "--format", "csv"]);
    assert!(
        said.stdout.contains("Slow Agent Inference,group,agent"),
        "{said:?}"
    );
    // A torn file of states is told of, and the rules are there.
    std::fs::create_dir_all(desk.home().join("alerts")).unwrap();
    std::fs::write(desk.home().join("alerts/state.json"), "{\"version\":1,\"ru").unwrap();
    let said = desk.ok(&["alerts", "list"]);
    assert!(said.stderr.contains("state.json"), "{said:?}");
}

#[test]
fn a_check_says_what_fires_and_ends_with_it() {
    let check = |slow: usize, code: i32, alerts: usize| {
        let desk = recorded(slow);
        let args = ["alerts", "check", "--rules", "-", "--json"];
        let said = desk.tacho_with(&args, SLOW.as_bytes());
        assert_eq!(said.code, Some(code), "{said:?}");
        let found = json(&said);
        let listed = found["check"]["alerts"].as_array().unwrap();
        assert_eq!(listed.len(), alerts, "{found}");
        if let Some(alert) = listed.first() {
            assert_eq!(alert["value"], 5_000.0);
            assert_eq!(alert["threshold"], 1_000.0);
            assert_eq!(alert["name"], "grep");
            assert!(alert["since"].is_string(), "{alert}");
        }
    };
    check(0, 0, 0);
    check(10, 1, 1);
    // Nobody has recorded anything, and of long ago nothing is known.
    let empty = Desk::new();
    let said = empty.ok(&["alerts", "check"]);
    assert!(said.stdout.starts_with("Nothing fires: "), "{said:?}");
    assert_eq!(said.stdout.lines().count(), 1, "{said:?}");
    let page = empty.ok(&["alerts", "check", "--format", "markdown"]);
    assert_eq!(page.stdout, said.stdout);
    assert!(!empty.home().exists());
    let desk = recorded(10);
    desk.file("rules.yaml", SLOW);
    let args = ["alerts", "check", "--rules", "rules.yaml"];
    let said = desk.tacho(&args);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stdout.contains("1 alert fires") && said.stdout.contains("Slow"),
        "{said:?}"
    );
    let then = ["--as-of", "2025-01-01T00:00:00Z"];
    desk.ok(&[&args[..], &then[..]].concat());
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_place() {
    let desk = recorded(0);
    let check = |text: &str, args: &[&str], said: &str| {
        desk.file("rules.yaml", text);
        let found = desk.tacho(args);
        assert_eq!(found.code, Some(2), "{text}: {found:?}");
        let wanted = found.stderr.contains(said) && found.stderr.contains("hint: ");
        assert!(wanted, "{said}: {found:?}");
    };
    let file = &["alerts", "check", "--rules", "rules.yaml"][..];
    let rule = "- name: Slow\n  family: tool\n  metric: '*'\n";
    let with = |line: &str| format!("{rule}  {line}\n");
    check(
        &with("condition: p95 = 1"),
        file,
        "rules.yaml:4:14: rule 1 (\"Slow\"): the condition",
    );
    check(&with("condition: p95 > .nan"), file, "rules.yaml:4:14: ");
    check(&with("condition: 7"), file, "rules.yaml:4:14: ");
    check(
        &with("condition: p95 > 1\n  window: 7"),
        file,
        "rules.yaml:5:11: ",
    );
    check("- name: [", file, "rules.yaml:");
    check(
        "",
        &["alerts", "check", "--rules", "nowhere.yaml"],
        "no such file",
    );
    check("", &["alerts", "check", "--rules", "."], "--rules .: ");
    check(
        "",
        &["alerts", "check", "--rule", "Slow Tol"],
        "did you mean Slow Tool?",
    );
    check(
        "",
        &["alerts", "backtest", "--condition", "p95 = 1"],
        "column 5",
    );
    check(
        "",
        &["alerts", "backtest", "--condition", "p95 > 1"],
        "--family tool",
    );
    let named = ["--family", "metric", "--metric", "zz"];
    let tried = ["alerts", "backtest", "--condition", "p95 > 5"];
    check(
        "",
        &[&tried[..], &named].concat(),
        "the metric \"zz\" needs its source\nhint: give --source",
    );
    check(
        "",
        &[
            "alerts",
            "backtest",
            "--condition",
            "ratio > 20",
            "--family",
            "tool",
        ],
        "--condition: its number must be from 0 to 1 for a ratio: 20 % is 0.2",
    );
    check(
        &with("condition: ratio > 20"),
        file,
        "rules.yaml:4:14: rule 1 (\"Slow\"): the number of `condition` must be from 0",
    );
    check(
        "",
        &["alerts", "silence", "Slow Tol", "--for", "2h"],
        "did you mean Slow Tool?",
    );
    check(
        "",
        &["alerts", "silence", "Slow Tool", "--for", "31d"],
        "--for",
    );
    check(
        "",
        &["alerts", "silence", "--remove", "nobody"],
        "there is no silence",
    );
    check("", &["alerts", "test", "nobody"], "there is no channel");
    for args in [
        &["alerts", "silence", "Slow Tool"][..],
        &[
            "alerts",
            "backtest",
            "--condition",
            "p95 > 1",
            "--family",
            "tools",
        ],
        &[
            "alerts",
            "backtest",
            "--condition",
            "p95 > 1",
            "--family",
            "tool",
            "--over",
            "5y",
        ],
    ] {
        assert_eq!(desk.tacho(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn rules_are_exported_and_what_cannot_be_is_named() {
    let desk = recorded(0);
    desk.file(
        "rules.yaml",
        format!("{SLOW}- {{name: Largest, family: tool, metric: grep, condition: max > 1}}\n"),
    );
    let args = ["alerts", "export", "--rules", "rules.yaml"];
    let said = desk.ok(&args);
    assert!(
        said.stdout.contains("alert: \"Slow\"") && said.stdout.contains("histogram_quantile"),
        "{said:?}"
    );
    let note = "\"Largest\" is not exported";
    assert!(
        said.stdout.contains(note) && said.stderr.contains(note),
        "{said:?}"
    );
    desk.ok(&[&args[..], &["--output", "out/x.yml"]].concat());
    let written = std::fs::read_to_string(desk.cwd().join("out/x.yml")).unwrap();
    assert_eq!(written, said.stdout);
}

#[test]
fn silences_come_and_go_with_a_server_and_without() {
    let desk = recorded(0);
    let made = desk.ok(&[
        "alerts",
        "silence",
        "Slow Tool",
        "--name",
        "grep",
        "--for",
        "2h",
    ]);
    let id = made.stdout.trim().to_owned();
    assert!(made.stderr.contains("nobody is told"), "{made:?}");
    let server = desk.serve(&[]);
    let listed = json(&desk.ok(&["alerts", "silence", "--json"]));
    assert_eq!(listed["silences"][0]["id"], id.as_str());
    assert_eq!(listed["silences"][0]["name"], "grep");
    let shown = || server.get("dashboard", "/api/v1/alerts").1;
    eventually("the server heeds it", || shown().contains(&id));
    let all = desk.ok(&["alerts", "silence", "*", "--for", "1m", "--json"]);
    let all = json(&all)["silence"]["id"].as_str().unwrap().to_owned();
    eventually("and the next", || shown().contains(&all));
    for id in [&id, &all] {
        desk.ok(&["alerts", "silence", "--remove", id]);
    }
    let said = desk.ok(&["alerts", "silence"]);
    assert_eq!(said.stdout, "Nothing is silenced\n");
    let listed = json(&desk.ok(&["alerts", "list", "--json"]));
    assert!(listed["server"]["dashboard"].is_string(), "{listed}");
}

#[test]
fn a_channel_is_tried_once() {
    let desk = recorded(0);
    let config = "alert_channels:\n  words: {kind: terminal}\n  gone: {kind: webhook, url: 'http://127.0.0.1:9/?token=geheim'}\n";
    std::fs::write(desk.home().join("config.yaml"), config).unwrap();
    let said = desk.ok(&["alerts", "test", "words"]);
    assert!(
        said.stderr.contains("words (terminal) took the test"),
        "{said:?}"
    );
    let said = desk.tacho(&["alerts", "test", "gone"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr.contains("was not told") && !said.stderr.contains("geheim"),
        "{said:?}"
    );
    let said = desk.tacho(&["alerts", "test", "wrods"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("did you mean words?"), "{said:?}");
}

#[test]
fn a_wrong_channel_is_told_with_the_file_it_stands_in() {
    let check = |config: &str, wanted: &str| {
        let desk = recorded(0);
        std::fs::write(desk.home().join("config.yaml"), config).unwrap();
        let said = desk.tacho(&["alerts", "test", "mail"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        let first = said.stderr.lines().next().unwrap_or_default();
        assert!(
            first.contains(wanted) && first.contains("config.yaml") && !first.contains("default"),
            "{said:?}"
        );
    };
    check("alert_email: me\n", "alert_email: ");
    check("alert_webhook: not a url\n", "alert_webhook: ");
    check("alert_channels:\n  a: {kind: nosuch}\n", "alert_channels");
}
