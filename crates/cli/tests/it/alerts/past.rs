//! Rules over the past, and over windows of days.

use serde_json::Value as Json;

use super::{SLOW, json, recorded};
use crate::harness::{Desk, eventually};

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
    let count = |many: usize| format!("{many} rules");
    let added = format!("added {} to ", count(rules.len()));
    assert!(
        said.stderr.contains(&added) && said.stderr.contains("rules.json"),
        "{said:?}"
    );
    // Those of the same names are no more of them.
    let said = desk.ok(&[&args[..], &["--write"]].concat());
    let replaced = format!("replaced {} of the same name in ", count(rules.len()));
    assert!(
        said.stderr.contains(&replaced) && !said.stderr.contains("added"),
        "{said:?}"
    );
    let listed = json(&desk.ok(&["alerts", "list", "--home", home, "--json"]));
    let own = listed["alert_rules"].as_array().unwrap();
    let own = own.iter().filter(|rule| rule["origin"] == "api");
    assert_eq!(own.count(), rules.len());
}
