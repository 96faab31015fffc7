//! `tacho alerts`: rules over what is recorded, with a server and without.

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
    assert!(said.stdout.contains("Nothing fires"), "{said:?}");
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

/// Five calls of five seconds each, so many seconds ago.
fn recorded_ago(seconds: u64) -> Desk {
    let desk = Desk::new();
    let now = tachograph_model::UnixNanos::now();
    let lines: String = (0..5)
        .map(|at| {
            let ago = std::time::Duration::from_secs(seconds + at);
            let mut stamp = Vec::new();
            now.saturating_sub(ago).write(&mut stamp);
            let stamp = String::from_utf8(stamp).unwrap();
            format!(
                "{{\"timestamp\":\"{stamp}\",\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":5000}}\n"
            )
        })
        .collect();
    let said = desk.tacho_with(&["record"], lines.as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    desk
}

#[test]
fn without_data_it_neither_fires_nor_is_resolved() {
    // The window is five minutes: in the next five it is open.
    for (ago, code, state, said) in [
        (10, 1, Some("firing"), "1 alert fires"),
        (420, 0, Some("no_data"), "1 without data that fired before"),
        (900, 0, None, "Nothing fires: 1 rule, 1 series\n"),
    ] {
        let desk = recorded_ago(ago);
        let args = ["alerts", "check", "--rules", "-"];
        let told = desk.tacho_with(&args, SLOW.as_bytes());
        assert_eq!(told.code, Some(code), "{told:?}");
        assert!(told.stdout.contains(said), "{told:?}");
        let told = json(&desk.tacho_with(&[&args[..], &["--json"]].concat(), SLOW.as_bytes()));
        let alerts = &told["check"]["alerts"];
        assert_eq!(alerts[0]["state"].as_str(), state, "{told}");
        assert_eq!(
            alerts.as_array().map(Vec::len),
            Some(usize::from(state.is_some()))
        );
        if state.is_some() {
            assert_eq!(alerts[0]["open"], true);
        }
    }
}

#[test]
fn a_window_of_days_is_right_at_once_also_after_a_restart() {
    let desk = recorded_ago(7_200);
    let rules = "alert_rules:\n\
        - {name: Day, family: tool, metric: '*', condition: count >= 5, window_seconds: 86400}\n\
        - {name: Calm, family: tool, metric: grep, condition: p95 > 5001, window_seconds: 86400}\n\
        - {name: Gone, family: tool, metric: grep, condition: count > 0, window_seconds: 3601}\n\
        - {name: Live, family: tool, metric: grep, condition: count > 0, window_seconds: 300}\n";
    std::fs::write(desk.home().join("config.yaml"), rules).unwrap();
    let told = |text: String| -> Vec<(String, String, Option<f64>)> {
        let shown: Json = serde_json::from_str(&text).unwrap();
        let alerts = shown["alerts"].as_array().unwrap().iter();
        let own = alerts
            .filter(|it| ["Day", "Calm", "Gone", "Live"].contains(&it["rule"].as_str().unwrap()));
        let text = |it: &Json| it.as_str().unwrap().to_owned();
        own.map(|it| (text(&it["rule"]), text(&it["state"]), it["value"].as_f64()))
            .collect()
    };
    let stands = |rule: &str, state: &str, value| (rule.to_owned(), state.to_owned(), value);
    for _ in 0..2 {
        let server = desk.serve(&[]);
        eventually("all are looked at", || {
            let mut found = told(server.get("dashboard", "/api/v1/alerts").1);
            found.sort_by(|one, other| one.0.cmp(&other.0));
            found
                == [
                    stands("Calm", "inactive", Some(5_000.0)),
                    stands("Day", "firing", Some(5.0)),
                    stands("Gone", "no_data", None),
                    stands("Live", "no_data", None),
                ]
        });
        // What is kept follows within a look.
        eventually("it is kept", || {
            let listed = json(&desk.ok(&["alerts", "list", "--json"]));
            let rules = listed["alert_rules"].as_array().unwrap();
            let calm = rules.iter().find(|it| it["rule"]["name"] == "Calm");
            calm.is_some_and(|it| it["state"] == "inactive")
        });
        drop(server);
    }
    // Told once, and as the replay sees it.
    let log = desk.ok(&[
        "sql",
        "select count(*) as n from events where event_type = 'alert'",
        "--json",
    ]);
    assert_eq!(json(&log), serde_json::json!([{"n": 1}]), "{log:?}");
    let said = desk.tacho(&["alerts", "check", "--rule", "Day", "--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(json(&said)["check"]["alerts"][0]["value"], 5.0);
    // What was looked at is told apart from what nobody knows of.
    let listed = json(&desk.ok(&["alerts", "list", "--json"]));
    let rules = listed["alert_rules"].as_array().unwrap();
    for (name, state, well) in [
        ("Day", "firing", 0),
        ("Calm", "inactive", 1),
        ("Gone", "no_data", 0),
        ("High Database Query Latency", "no_data", 0),
    ] {
        let rule = rules.iter().find(|it| it["rule"]["name"] == name).unwrap();
        assert_eq!(rule["state"], state, "{rule}");
        assert_eq!(rule["series_well"], well, "{rule}");
    }
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
fn the_past_is_replayed() {
    let desk = recorded(10);
    let tried = [
        "alerts",
        "backtest",
        "--condition",
        "p95 > 1000",
        "--family",
        "tool",
    ];
    let found = json(&desk.ok(&[&tried[..], &["--json", "--over", "2d"]].concat()));
    let past = &found["backtest"]["rules"][0];
    assert_eq!(
        (&past["fired"], &past["told"]),
        (&1.into(), &1.into()),
        "{found}"
    );
    assert_eq!(past["firings"][0]["worst"], 5_000.0);
    assert_eq!(past["firings"][0]["end"], Json::Null);
    let said = desk.ok(&tried);
    assert!(
        said.stdout.contains("would have fired 1 time, "),
        "{said:?}"
    );
    let quiet = desk.ok(&["alerts", "backtest", "--rule", "Low Cache Hit Rate"]);
    assert!(
        quiet.stdout.contains("Low Cache Hit Rate: quiet"),
        "{quiet:?}"
    );
    for form in ["csv", "markdown"] {
        let said = desk.ok(&[&tried[..], &["--format", form]].concat());
        assert!(said.stdout.contains("grep"), "{said:?}");
    }
}

#[test]
fn the_demos_incident_is_caught_and_its_quiet_days_are_quiet() {
    let desk = Desk::new();
    let home = desk.cwd().join("demo");
    let home = home.to_str().unwrap();
    let as_of = "2025-11-20T12:00:00Z";
    desk.ok(&["demo", "--home", home, "--as-of", as_of, "--quiet"]);
    let args = ["alerts", "suggest", "--home", home, "--as-of", as_of];
    let found = json(&desk.ok(&[&args[..], &["--json"]].concat()));
    let rules = found["suggest"]["rules"].as_array().unwrap();
    let of = |name: &str| {
        let found = rules.iter().find(|it| it["past"]["rule"]["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {rules:#?}"))
    };
    // The two hours in which one tool breaks down, the day before the last.
    let told = json(&desk.ok(&["changes", "--home", home, "--as-of", as_of, "--json"]));
    assert!(told.to_string().contains("web_fetch"), "{told}");
    for name in ["Failing tool: web_fetch", "Slow tool: web_fetch"] {
        let rule = of(name);
        assert_eq!(rule["fired_days"], 1, "{rule:#}");
        assert_eq!(
            rule["past"]["firings"][0]["start"].as_str().unwrap()[..13],
            *"2025-11-18T13"
        );
    }
    // The day on which the dear model does everything.
    assert_eq!(of("Dear model: anthropic/claude-opus")["fired_days"], 1);
    for rule in rules {
        let name = rule["past"]["rule"]["name"].as_str().unwrap();
        if !name.contains("web_fetch") && !name.contains("claude-opus") {
            assert_eq!(rule["past"]["fired"], 0, "{rule:#}");
        }
    }
    // What is printed may be pasted, and what is written is watched.
    let said = desk.ok(&args);
    desk.file("rules.yaml", &said.stdout);
    let file = [
        "alerts",
        "backtest",
        "--home",
        home,
        "--as-of",
        as_of,
        "--rules",
        "rules.yaml",
    ];
    let past = json(&desk.ok(&[&file[..], &["--json"]].concat()));
    let fired = |rules: &Json| -> Vec<Json> {
        let rules = rules.as_array().unwrap().iter();
        rules.map(|rule| rule["fired"].clone()).collect()
    };
    let suggested: Vec<Json> = rules
        .iter()
        .map(|rule| rule["past"]["fired"].clone())
        .collect();
    assert_eq!(fired(&past["backtest"]["rules"]), suggested);
    let said = desk.ok(&[&args[..], &["--write"]].concat());
    assert!(said.stderr.contains("rules.json"), "{said:?}");
    let listed = json(&desk.ok(&["alerts", "list", "--home", home, "--json"]));
    let own = listed["alert_rules"].as_array().unwrap();
    let own = own.iter().filter(|rule| rule["origin"] == "api");
    assert_eq!(own.count(), rules.len());
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

/// Events of every kind that a series is made of, odd ones among them.
const ODD: &str = r#"
{"event_type":"tool_call","tool":"a","duration_ms":5,"success":true}
{"event_type":"tool_call","tool":"a","agent":"g","duration_ms":50,"success":false,"error_type":"Timeout"}
{"event_type":"tool_call","tool":"a","error_type":"Timeout"}
{"event_type":"tool_call","tool":"a","duration_ms":-5}
{"event_type":"tool_call","tool":"b\u202e","agent":"h\u202e","success":false}
{"event_type":"llm_call","provider":"p","model":"m","duration_ms":7,"input_tokens":5,"output_tokens":6,"cost_usd":0.5,"success":true,"agent":"g"}
{"event_type":"llm_call","provider":"p","model":"m","agent":"h","duration_ms":9,"cost_usd":-1,"error_type":"RateLimit"}
{"event_type":"llm_call","duration_ms":9,"input_tokens":5}
{"event_type":"cache","cache":"c","operation":"hit","hit":true}
{"event_type":"cache","cache":"c","operation":"miss","hit":false}
{"event_type":"cache","cache":"c","operation":"eviction"}
{"event_type":"cache","cache":"c","hit":true}
{"event_type":"agent_usage","agent_id_hash":"g","duration_ms":3,"success":false}
{"event_type":"query","agent_type":"q","duration_ms":30,"success":true}
{"event_type":"query","agent_type":"q","success":false}
{"event_type":"agent_selection","selected_agent":"q","complexity_score":0.4}
{"event_type":"agent_selection","selected_agent":"q"}
{"event_type":"error","error_type":"E","source":"s"}
{"event_type":"error","source":"s"}
{"event_type":"agent_discovery","operation":"search","duration_ms":2}
{"event_type":"profile","component":"x","operation":"parse","duration_ms":4}
{"event_type":"loss","kind":"tool_call","reason":"overload","count":3}
{"event_type":"loss","kind":"tool_call","reason":"overload"}
{"event_type":"metric","source":"s","name":"v","value":3}
{"event_type":"metric","source":"s","name":"v","value":-4,"count":3}
{"event_type":"metric","source":"s","name":"none"}
{"event_type":"performance","metric_name":"speed","value":3}
{"event_type":"span","name":"step","duration_ms":5,"success":false}
{"event_type":"nobody_knows_it","name":"x"}
"#;

#[test]
fn a_replay_sees_what_live_state_sees() {
    use std::time::Duration;
    use tachograph_analyze::{Engine, EngineConfig};
    use tachograph_model::alert::{Condition, EVERY, Rule, Stat};
    use tachograph_model::{Scope, UnixNanos, Window, question};
    use tachograph_serve::alert::figures;
    use tachograph_serve::live::{Family, State};

    let now = UnixNanos(1_763_640_000_000_000_000);
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (at, line) in ODD.lines().filter(|line| !line.is_empty()).enumerate() {
        // Within the window, and the last of them by a clock that goes ahead.
        let seconds = 20 - at as i64;
        let mut stamp = Vec::new();
        UnixNanos(now.0 - seconds * 1_000_000_000).write(&mut stamp);
        let stamp = String::from_utf8(stamp).unwrap();
        lines.push_str(&format!("{{\"timestamp\":\"{stamp}\",{}\n", &line[1..]));
    }
    std::fs::write(folder.path().join("events.jsonl"), &lines).unwrap();
    let mut live = State::new(4096);
    live.take(lines.as_bytes(), now);
    let home = tachograph_log::Home::at(folder.path());
    let store = tachograph_store::Store::open(&home);
    let engine = Engine::open(store, EngineConfig::default());
    let scope = Scope {
        window: Window {
            from: UnixNanos(now.0 - 3_600_000_000_000),
            to: UnixNanos::MAX,
        },
        ..Scope::all(now)
    };
    let mut compared = 0;
    for family in Family::ALL {
        for stat in Stat::NAMES {
            let condition = Condition::parse(&format!("{stat} != -12345")).unwrap();
            // Any source but for a metric, of which a rule names one.
            let sources = match family {
                Family::Metric => &["s", "performance"][..],
                _ => &[""],
            };
            let rule = |source: &&str| Rule {
                family: family.name().to_owned(),
                ..Rule::new(source, EVERY, source, condition)
            };
            let rules = sources.iter().map(rule);
            let rules = rules
                .map(|rule| Rule {
                    name: "r".to_owned(),
                    ..rule
                })
                .collect();
            let asked = question::RuleValues {
                rules,
                now,
                within: Duration::from_secs(60),
            };
            let values = engine.rule_values(&asked).unwrap();
            let asked = question::Backtest {
                scope,
                rules: asked.rules,
            };
            let (found, _) = engine.backtest(&asked, &mut |_| {}).unwrap();
            let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                (a, b) => a == b,
            };
            for (past, values) in found.rules.iter().zip(&values.rules) {
                let values = values.as_ref().expect("found out");
                let same = past.alerts.len() == values.len()
                    && past.alerts.iter().zip(values).all(|(one, other)| {
                        (&one.source, &one.name) == (&other.source, &other.name)
                            && near(one.value, other.value)
                    });
                assert!(same, "{family:?} {stat}: {values:?} {past:?}");
            }
            let standing = found.rules.iter().flat_map(|past| &past.alerts);
            let mut any = false;
            for one in standing {
                let length = Duration::from_secs(300);
                let reading = live.reading(family, &one.source, &one.name, length, now);
                let reading = reading.unwrap_or_else(|| panic!("{family:?} {one:?}"));
                let (happened, window) = (reading.happened.as_ref(), reading.window.as_ref());
                let wanted = figures(family, happened, window).figure(condition.stat);
                // Of values that stand for several live state knows buckets.
                let near = near(one.value, wanted) || one.name == "v" && stat.starts_with('p');
                assert!(near, "{family:?} {stat} {one:?}: {wanted:?}");
                any = true;
                compared += 1;
            }
            assert!(any, "{family:?} has no series");
        }
    }
    assert!(compared > 200, "{compared}");
}
