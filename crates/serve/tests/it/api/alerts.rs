//! `/api/v1/alerts`, of more alerts than are listed, and of more than are watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tachograph_log::{DurableLog, Home};
use tachograph_model::answer::{RuleValues, SeriesValue};
use tachograph_model::{Answer, Answerer, AskError, Question, question};
use tachograph_serve::notify::{Channels, Given};

use crate::alerts::{change, now, until, watching};
use crate::common::{Door, NoEngine, post};

/// Of every rule on `*` the same series; the first three have more than the others.
struct Many(usize);

impl Answerer for Many {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        NoEngine.answer(question)
    }

    fn rule_values(&self, asked: &question::RuleValues) -> Result<RuleValues, AskError> {
        let one = |at: usize| SeriesValue {
            source: String::new(),
            name: format!("tool {at:05}"),
            value: Some(if at < 3 { 11.0 } else { 1.0 }),
        };
        let series: Vec<SeriesValue> = (0..self.0).map(one).collect();
        Ok(RuleValues {
            rules: asked.rules.iter().map(|_| Some(series.clone())).collect(),
            notes: Vec::new(),
        })
    }
}

/// A server that watches windows of a day.
fn door(series: usize, rules: &[(&str, &str, &str)]) -> Door {
    let rules = rules.iter().map(|(name, condition, severity)| {
        json!({"name": name, "family": "tool", "metric": "*", "condition": condition,
            "severity": severity, "window_seconds": 86_400})
    });
    let rules: Json = rules.collect();
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(DurableLog::new(&home));
    Door::on(folder, watching(&rules), sink, Arc::new(Many(series)))
}

fn rule(shown: &Json, name: &str) -> Json {
    let rules = shown["rules"].as_array().expect("rules").iter();
    let mut named = rules.filter(|rule| rule["name"] == name);
    named.next().expect("the rule").clone()
}

#[test]
fn a_rule_says_how_all_its_alerts_stand_though_none_of_them_is_listed() {
    let rules = [
        ("loud", "avg > 0", "critical"),
        ("some", "avg > 10", "info"),
        ("well", "avg > 99", "info"),
    ];
    let door = door(1_200, &rules);
    until("they fire", || now(&door)["totals"]["firing"] == 1_203);
    let shown = now(&door);
    let listed = shown["alerts"].as_array().expect("alerts");
    assert_eq!(listed.len(), 1_000);
    assert!(listed.iter().all(|alert| alert["rule"] == "loud"));
    let check = |name: &str, state: Json, open: u64, series: [u64; 5]| {
        let found = rule(&shown, name);
        let states = ["firing", "pending", "resolved", "no_data", "inactive"];
        let counts: BTreeMap<&str, u64> = states.into_iter().zip(series).collect();
        assert_eq!(found["state"], state, "{found}");
        assert_eq!(found["series"], json!(counts), "{found}");
        assert_eq!(found["open"], open, "{found}");
        assert_eq!(found["unwatched"], 0, "{found}");
    };
    check("loud", "firing".into(), 1_200, [1_200, 0, 0, 0, 0]);
    check("some", "firing".into(), 3, [3, 0, 0, 0, 1_197]);
    check("well", "inactive".into(), 0, [0, 0, 0, 0, 1_200]);
    // Of those built in: without data, and off.
    check(
        "High Database Query Latency",
        "no_data".into(),
        0,
        [0, 0, 0, 1, 0],
    );
    check("Slow Tool", Json::Null, 0, [0; 5]);
    assert_eq!(shown["unwatched"], 0);
    assert_eq!(shown["notes"], json!([]));

    // What was read is changed and sent back, and stands as it is then.
    let mut off = rule(&shown, "loud");
    off["enabled"] = false.into();
    off["threshold"] = 0.into();
    let reply = change(&door, "PUT", "/api/v1/alerts/rules/loud", &off);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let off = rule(&now(&door), "loud");
    assert_eq!((&off["state"], &off["open"]), (&Json::Null, &json!(0)));
}

#[test]
fn series_that_nobody_watches_are_told_of() {
    let rules = ["a", "b", "c", "d"].map(|name| (name, "avg > 10", "info"));
    let door = door(3_000, &rules);
    let counts = |shown: &Json| {
        let of = |key: &str| shown["totals"][key].as_u64().expect("a count");
        let watched = ["firing", "pending", "resolved", "no_data", "inactive"].map(of);
        (watched.iter().sum::<u64>(), shown["more"].as_u64())
    };
    until("all are looked at", || counts(&now(&door)).0 == 10_000);
    let shown = now(&door);
    // Those that are not listed are watched.
    assert_eq!(counts(&shown), (10_000, Some(9_000)));
    let beyond = shown["unwatched"].as_u64().expect("a count");
    let of = |name: &str| rule(&shown, name)["unwatched"].as_u64();
    assert_eq!(["a", "b", "c"].map(of), [Some(0); 3]);
    assert_eq!(of("d"), Some(beyond));
    assert!((2_000..2_030).contains(&beyond), "{beyond}");
    let note = shown["notes"][0].as_str().expect("a note");
    let said = "of the rule \"d\": all rules together watch 10,000 at most";
    assert!(note.contains(said), "{note}");
    let check = |name: &str, state: &str| assert_eq!(rule(&shown, name)["state"], state);
    check("c", "firing");
    check("d", "firing");
}

#[test]
fn a_channel_may_have_a_name_that_no_path_can_hold() {
    let names = [".", "..", "%2e", "a/b?c#d", "+ &=", "😀"];
    let channels = names.map(|name| {
        (
            name.to_owned(),
            json!({"kind": "exec", "command": ["true"]}),
        )
    });
    let channels = Json::Object(channels.into_iter().collect());
    let given = Given {
        channels: &channels,
        ..Given::default()
    };
    let mut config = watching(&json!([]));
    config.alerts.channels = Channels::from_config(&given).expect("channels");
    let door = Door::with(config);
    let tried = |query: &str| {
        let path = format!("/api/v1/alerts/test{query}");
        post(door.addresses().dashboard, &path, &[], b"")
    };
    let named = |name: &str| {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        tried(&format!("?name={encoded}"))
    };
    for name in names {
        let told = named(name);
        assert_eq!(told.status, 200, "{name}: {}", told.text());
        assert_eq!(told.json()["channel"], name);
    }
    assert_eq!(named("nobody").status, 404);
    for query in ["", "?name=", "?nmae=x"] {
        assert_eq!(tried(query).status, 400, "{query}");
    }
}
