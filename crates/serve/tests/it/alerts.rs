//! Alerts: what fires and what does not, told once, over restarts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::{Appender, DurableLog, Home};
use tachograph_model::alert::{Machine, Rule, State, Terms};
use tachograph_model::answer::{Note, NoteKind, RuleValues, SeriesValue};
use tachograph_model::{Answer, Answerer, AskError, Column, Event, Question, UnixNanos, question};
use tachograph_serve::alert::{figures, read};
use tachograph_serve::config::{Alerts, Config};
use tachograph_serve::live::{self, Family};

use crate::common::{Door, NoEngine, Reply, config, get, post, stored};

const SECOND: i64 = 1_000_000_000;
const NOW: i64 = 1_763_640_000 * SECOND;

/// Whether a rule of the fourth seed's documentation fires over those values.
fn fires(case: &Json) -> bool {
    let values = case["values_1s_apart_oldest_first"].as_array();
    let values = values.expect("values").iter().rev().enumerate();
    let mut state = live::State::new(64);
    for (ago, value) in values.collect::<Vec<_>>().into_iter().rev() {
        let event = Event::new(UnixNanos(NOW - ago as i64 * SECOND), "metric")
            .with(Column::Source, "agent")
            .with(Column::Name, "m")
            .with(Column::Value, value.as_f64().expect("a number"));
        state.take(&event.to_line(), UnixNanos(NOW));
    }
    let mut rule = serde_json::json!({"name": "r", "metric_name": "m", "source": "agent",
        "created_at": "2025-11-20"});
    for key in ["condition", "threshold", "window_seconds", "enabled"] {
        if !case[key].is_null() {
            rule[key] = case[key].clone();
        }
    }
    if let Some(source) = case["rule_src"].as_str() {
        rule["source"] = source.into();
    }
    let rule: Rule = serde_json::from_value(rule).expect("a rule");
    let Ok(terms) = Terms::of(&rule) else {
        return false;
    };
    let window = Duration::from_secs(rule.window_seconds);
    let reading = state.reading(
        Family::Metric,
        &rule.source,
        &rule.metric_name,
        window,
        UnixNanos(NOW),
    );
    let (happened, window) = reading.map(|it| (it.happened, it.window)).unzip();
    let (happened, window) = (happened.flatten(), window.flatten());
    let figures = figures(Family::Metric, happened.as_ref(), window.as_ref());
    let value = terms.condition.value(&figures);
    let mut machine = Machine::default();
    machine.step(UnixNanos(NOW), &terms, value);
    rule.enabled && machine.state() == State::Firing
}

#[test]
fn conditions_mean_what_the_fourth_seed_documents() {
    let cases = include_str!("data/alert_conditions.json");
    let cases: Vec<Json> = serde_json::from_str(cases).expect("cases");
    assert_eq!(cases.len(), 25);
    for case in &cases {
        let expected = case["should_fire"].as_bool().expect("an expectation");
        assert_eq!(fires(case), expected, "{case}");
    }
}

pub(crate) fn watching(rules: &Json) -> Config {
    Config {
        alerts: Alerts {
            watch: true,
            builtin: true,
            rules: read::config(rules, UnixNanos(NOW)).expect("rules"),
            ..Alerts::default()
        },
        ..config()
    }
}

fn append(door: &Door, name: &str, value: f64) {
    let now = UnixNanos(UnixNanos::now().0 / 1000 * 1000);
    let event = Event::new(now, "metric")
        .with(Column::Source, "s")
        .with(Column::Name, name)
        .with(Column::Value, value);
    let appender = Appender::new(&Home::at(door.folder()));
    appender.append(&event.to_line()).expect("appended");
    door.running().hub().live.wake();
}

fn said(events: &[Json]) -> Vec<String> {
    let alerts = events.iter().filter(|event| event["event_type"] == "alert");
    alerts
        .map(|event| format!("{} {}", event["rule"], event["status"]).replace('"', ""))
        .collect()
}

pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn now(door: &Door) -> Json {
    get(door.addresses().dashboard, "/api/v1/alerts", &[]).json()
}

fn state(door: &Door, rule: &str) -> String {
    let shown = now(door);
    let alerts = shown["alerts"].as_array().expect("alerts");
    let of = alerts.iter().find(|alert| alert["rule"] == rule);
    of.map_or(String::new(), |alert| {
        alert["state"].to_string().replace('"', "")
    })
}

pub(crate) fn change(door: &Door, method: &str, path: &str, body: &Json) -> Reply {
    let address = door.addresses().dashboard.expect("it is open");
    let url = format!("http://{address}{path}");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let answer = match method {
        "PUT" => agent
            .put(url)
            .header("content-type", "application/json")
            .send(body.to_string().as_bytes()),
        _ => agent.delete(url).call(),
    };
    let (parts, mut body) = answer.expect("an answer").into_parts();
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.read_to_vec().expect("a body"),
    }
}

#[test]
fn an_alert_fires_once_over_a_restart_and_is_resolved_when_its_rule_goes() {
    let rules = json!([{"name": "high", "metric": "m", "source": "s", "condition": "max > 10",
        "labels": {"team": "x"}, "description": "too high"}]);
    let door = Door::with(watching(&rules));
    append(&door, "m", 11.0);
    until("it fires", || state(&door, "high") == "firing");
    until("it is written", || said(&door.stored()) == ["high firing"]);
    let shown = now(&door);
    let alert = &shown["alerts"][0];
    assert_eq!(alert["value"], 11.0);
    assert_eq!(alert["description"], "too high");
    assert_eq!(alert["labels"], json!({"team": "x"}));
    assert!(alert["fired_at"].is_string() && alert["resolved_at"].is_null());
    assert_eq!(shown["enabled"], true);
    assert_eq!(shown["rules"].as_array().expect("rules").len(), 13);
    let rules_now = shown["rules"].as_array().expect("rules").iter();
    assert_eq!(rules_now.filter(|rule| rule["enabled"] == true).count(), 9);

    let folder = door.close();
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(DurableLog::new(&home));
    let door = Door::on(folder, watching(&rules), sink, Arc::new(NoEngine));
    until("it still fires", || state(&door, "high") == "firing");
    append(&door, "m", 12.0);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(said(&door.stored()), ["high firing"]);

    // One of the API comes before it; turned off, it resolves what fires.
    let mut off = rules[0].clone();
    off["metric_name"] = off["metric"].take();
    off.as_object_mut().expect("an object").remove("metric");
    off["enabled"] = false.into();
    off["threshold"] = 10.into();
    let reply = change(&door, "PUT", "/api/v1/alerts/rules/high", &off);
    assert_eq!(reply.status, 200, "{}", reply.text());
    until("it is resolved", || {
        said(&door.stored()) == ["high firing", "high resolved"]
    });
    let folder = door.close();
    assert_eq!(
        said(&stored(folder.path())),
        ["high firing", "high resolved"]
    );
}

#[test]
fn a_rule_may_have_a_name_that_no_path_can_hold() {
    let door = Door::with(watching(&json!([])));
    let names = [
        ".",
        "..",
        "%2e",
        "a/b?c#d",
        "<i>",
        "\u{202e}x",
        "😀",
        "+ &=",
        "\\",
    ];
    let there = || {
        let shown = now(&door);
        let rules = shown["rules"].as_array().expect("rules").clone();
        let own = rules.into_iter().filter(|rule| rule["origin"] == "api");
        own.filter_map(|rule| rule["name"].as_str().map(str::to_owned))
            .collect::<BTreeSet<String>>()
    };
    let path = |name: &str| {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("/api/v1/alerts/rules?name={encoded}")
    };
    for name in names {
        let rule =
            json!({"metric_name": "m", "source": "s", "condition": "avg > 1", "threshold": 1});
        let reply = change(&door, "PUT", &path(name), &rule);
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        assert_eq!(reply.json()["name"], name);
    }
    let all = names.map(str::to_owned);
    assert_eq!(there(), BTreeSet::from(all));
    for name in names {
        let reply = change(&door, "DELETE", &path(name), &Json::Null);
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
    }
    assert!(there().is_empty());
    for query in ["", "?name=", "?nmae=x"] {
        let path = format!("/api/v1/alerts/rules{query}");
        let reply = change(&door, "DELETE", &path, &Json::Null);
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
    }
}

#[test]
fn rules_are_replaced_and_removed() {
    let door = Door::with(watching(&json!([])));
    let rule = |threshold: f64| {
        json!({"name": "a b/<i>", "metric_name": "m", "source": "s", "condition": "avg > 1",
            "threshold": threshold})
    };
    let path = "/api/v1/alerts/rules/a%20b%2F%3Ci%3E";
    let own = || {
        let shown = now(&door);
        let rules = shown["rules"].as_array().expect("rules").clone();
        rules.into_iter().find(|rule| rule["name"] == "a b/<i>")
    };
    let json = [("content-type", "application/json")];
    let body = rule(5.0).to_string();
    let posted = post(
        door.addresses().dashboard,
        "/api/alerts/rules",
        &json,
        body.as_bytes(),
    );
    assert_eq!(posted.status, 200);
    let mut read = own().expect("it is shown at once");
    assert_eq!(
        (&read["origin"], &read["builtin"]),
        (&json!("api"), &json!(false))
    );
    assert_eq!(read["cooldown_seconds"], 3600);
    // What was read is changed and sent back.
    read["threshold"] = 7.into();
    assert_eq!(change(&door, "PUT", path, &read).json()["threshold"], 7.0);
    assert_eq!(own().expect("it is there")["threshold"], 7.0);
    append(&door, "m", 8.0);
    until("it fires", || state(&door, "a b/<i>") == "firing");
    assert_eq!(change(&door, "DELETE", path, &Json::Null).status, 200);
    assert_eq!(own(), None);
    until("it is resolved", || {
        said(&door.stored()) == ["a b/<i> firing", "a b/<i> resolved"]
    });
    let gone = change(&door, "DELETE", path, &Json::Null);
    assert_eq!(gone.status, 404);
    let builtin = "/api/v1/alerts/rules/High%20CPU%20Usage";
    let reply = change(&door, "DELETE", builtin, &Json::Null);
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("built in"), "{}", reply.text());
    for (body, said) in [
        (json!({"name": "x"}), "the one in the address"),
        (json!([]), "an object"),
        (
            json!({"metric_name": "m", "source": "s", "condition": "avg = 1", "threshold": 1}),
            "column 5",
        ),
        (
            json!({"metric_name": "m", "source": "s", "condition": "avg > 1", "threshold": 1,
            "famly": "tool"}),
            "did you mean family?",
        ),
    ] {
        let reply = change(&door, "PUT", path, &body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.text().contains(said), "{}", reply.text());
    }
    // A broken file is told of, and the rest shown.
    std::fs::write(door.folder().join("alerts/rules.json"), "{").expect("written");
    let shown = now(&door);
    assert!(
        shown["notes"][0]
            .as_str()
            .expect("a note")
            .contains("rules.json")
    );
    assert_eq!(shown["rules"].as_array().expect("rules").len(), 12);
    assert_eq!(change(&door, "PUT", path, &rule(1.0)).status, 500);
}

#[test]
fn nothing_is_watched_unless_asked_for() {
    let door = Door::open();
    let shown = now(&door);
    assert_eq!(shown["enabled"], false);
    assert_eq!(
        (&shown["rules"], &shown["alerts"]),
        (&json!([]), &json!([]))
    );
}

/// What the store would say of a window of a day.
struct Days;

impl Answerer for Days {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        NoEngine.answer(question)
    }

    fn rule_values(&self, asked: &question::RuleValues) -> Result<RuleValues, AskError> {
        let of = |rule: &Rule| {
            if rule.metric_name != "*" {
                return Vec::new();
            }
            let one = |at: usize| SeriesValue {
                source: String::new(),
                name: format!("tool {at}"),
                // The first three are too much.
                value: Some(if at < 3 { 11.0 } else { 1.0 }),
            };
            (0..1_500).map(one).collect()
        };
        Ok(RuleValues {
            rules: asked.rules.iter().map(|rule| Some(of(rule))).collect(),
            notes: vec![Note::new(NoteKind::SegmentSkipped, "a torn segment")],
        })
    }
}

#[test]
fn rules_of_days_are_asked_of_the_store_and_all_alerts_are_counted() {
    let rules = json!([
        {"name": "z", "family": "tool", "metric": "*", "condition": "avg > 10",
            "window_seconds": 86_400},
        {"name": "B", "family": "tool", "metric": "x", "condition": "avg > 10",
            "window_seconds": 31_622_400, "group": "a"},
        {"name": "a", "family": "tool", "metric": "x", "condition": "avg > 10", "group": "a"},
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(DurableLog::new(&home));
    let door = Door::on(folder, watching(&rules), sink, Arc::new(Days));
    until("they are looked at", || now(&door)["totals"]["firing"] == 3);
    let shown = now(&door);
    // Those built in have no data, but for what the machine says of itself.
    let totals = &shown["totals"];
    assert_eq!(totals["inactive"], 1_497, "{totals}");
    assert_eq!(totals["open_without_data"], 0);
    let listed = shown["alerts"].as_array().expect("alerts");
    let more = shown["more"].as_u64().expect("a count");
    assert_eq!(listed.len(), 1_000);
    let all: u64 = ["firing", "pending", "resolved", "no_data", "inactive"]
        .iter()
        .map(|state| totals[state].as_u64().expect("a count"))
        .sum();
    assert_eq!(all, 1_000 + more);
    assert!(
        listed[..3]
            .iter()
            .all(|it| it["state"] == "firing" && it["open"] == true)
    );
    assert_eq!(shown["notes"], json!(["a torn segment"]));
    // By group and name, those of no group first.
    let names = shown["rules"].as_array().expect("rules").iter();
    let names: Vec<&str> = names.filter_map(|rule| rule["name"].as_str()).collect();
    assert_eq!(names[..3], ["z", "a", "B"]);
    let seeds = get(door.addresses().dashboard, "/api/alerts", &[]).json();
    let seeds = seeds["rules"].as_array().expect("rules").iter();
    let seeds: Vec<&str> = seeds.filter_map(|rule| rule["name"].as_str()).collect();
    assert_eq!(names, seeds);
}

#[test]
fn a_window_may_be_of_a_year_and_no_longer() {
    let door = Door::with(watching(&json!([])));
    let check = |seconds: u64, status: u16| {
        let rule = json!({"metric_name": "m", "source": "s", "condition": "avg > 1", "threshold": 1,
            "window_seconds": seconds});
        let reply = change(&door, "PUT", "/api/v1/alerts/rules/r", &rule);
        assert_eq!(reply.status, status, "{seconds}: {}", reply.text());
    };
    check(3_601, 200);
    check(31_622_400, 200);
    check(31_622_401, 400);
    check(0, 400);
    // Nobody knows what the store holds: that is said, and nothing fires.
    until("it is said", || {
        now(&door)["notes"]
            .to_string()
            .contains("nothing is known of the past")
    });
    assert_eq!(state(&door, "r"), "");
}
