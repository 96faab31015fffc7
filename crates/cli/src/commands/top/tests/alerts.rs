//! The table of alerts, as a server tells it.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;
use serde_json::{Value as Json, json};
use tachograph_model::UnixNanos;
use tachograph_model::render::iso;

use super::super::board::{self, Board};
use super::super::once;
use super::{LARGE, Log, NOW, PLAIN, SMALL, Seat, look};
use crate::args::top::Tab;

/// As a server answers: rule, what it watches, family, source, series, state, for
/// how many seconds.
pub(super) fn alerts_of_a_server(rows: &[(&str, &str, &str, &str, &str, &str, i64)]) -> Json {
    let at = |ago: i64| iso(UnixNanos(NOW.0 - ago * 1_000_000_000));
    let rules = rows.iter().map(|(rule, metric, family, source, ..)| {
        json!({"name": rule, "metric_name": metric, "family": family, "source": source,
            "condition": "avg > 90", "threshold": 90.0, "severity": "critical",
            "description": "somebody should look at it", "created_at": "2025-11-20T10:00:00+00:00",
            "labels": {"team": "agents"}, "for_seconds": 60, "builtin": false, "origin": "api"})
    });
    let alerts = rows
        .iter()
        .map(|(rule, _, family, source, name, state, ago)| {
            json!({"rule": rule, "family": family, "source": source, "name": name, "state": state,
            "severity": "critical", "value": 96.25, "threshold": 90.0, "condition": "avg > 90",
            "since": at(*ago), "fired_at": at(*ago), "resolved_at": null, "description": "",
            "open": matches!(*state, "firing" | "no_data"), "labels": {}})
        });
    let (rules, alerts): (Vec<Json>, Vec<Json>) = (rules.collect(), alerts.collect());
    let count = |state: &str| rows.iter().filter(|row| row.5 == state).count();
    json!({"rules": rules, "alerts": alerts, "more": 0, "unwatched": 0, "enabled": true,
        "notes": [], "totals": {"firing": count("firing"), "pending": count("pending"),
            "resolved": count("resolved"), "no_data": count("no_data"),
            "inactive": count("inactive"), "open_without_data": count("no_data")}})
}

pub(super) fn told(answer: &Json) -> Board {
    let address = "127.0.0.1:8090".parse().expect("an address");
    board::told(answer.clone(), address).expect("an answer")
}

#[test]
fn alerts_are_walked_filtered_and_looked_into() {
    let log = Log::watched();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    seat.letters("6");
    let lines = |seat: &Seat<'_>| -> Vec<String> {
        let order = seat.app.order(&seat.picture);
        order.iter().map(|at| seat.picture.name(*at)).collect()
    };
    let all = lines(&seat);
    assert_eq!(
        all,
        [
            "run_tests: Slow Tool",
            "High CPU Usage",
            "Costly",
            "Slow Tool",
            "High CPU Usage",
            "Costly",
            "High Memory Usage",
        ]
    );
    assert!(seat.screen().contains("1 firing, 1 pending, 1 resolved"));
    // There is one order: what matters first.
    seat.letters("srj");
    assert_eq!(lines(&seat), all);
    seat.press(KeyCode::Enter);
    assert!(seat.screen().contains("system"), "{}", seat.screen());
    assert!(seat.screen().contains("team=agents"), "{}", seat.screen());
    seat.press(KeyCode::Esc);
    seat.letters("/costly");
    assert_eq!(lines(&seat), ["Costly", "Costly"]);
    seat.press(KeyCode::Esc);
    seat.letters("1");
    assert!(seat.screen().contains("CALLS"), "{}", seat.screen());
    let json = once::document(&[Seat::new(&log, Tab::Alerts, SMALL).picture], "/h");
    let alerts = &json["top"]["alerts"];
    assert_eq!(alerts["from"], "server");
    assert_eq!(alerts["alerts"].as_array().map(Vec::len), Some(3));
    assert_eq!(alerts["alerts"][0]["state"], "firing");
    assert_eq!(alerts["rules"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_fired_until_its_data_ended_is_told_apart() {
    let mut log = Log::busy();
    let mut answer = alerts_of_a_server(&[
        ("Once", "*", "tool", "", "over", "no_data", 30),
        ("Open", "*", "tool", "", "silent", "no_data", 20),
        ("Waits", "*", "tool", "", "slow", "pending", 10),
    ]);
    // That one was resolved before; when, the server says no more.
    answer["alerts"][0]["open"] = false.into();
    answer["totals"]["open_without_data"] = 1.into();
    log.board = Arc::new(told(&answer));
    let seat = Seat::new(&log, Tab::Alerts, SMALL);
    let screen = seat.screen();
    assert!(screen.contains("1 pending, 1 without data"), "{screen}");
    let json = once::document(&[seat.picture], "/h");
    let alerts = json["top"]["alerts"]["alerts"].as_array().expect("alerts");
    let told: Vec<_> = alerts
        .iter()
        .map(|it| (it["name"].as_str(), it["open"].as_bool()))
        .collect();
    assert_eq!(
        told,
        [(Some("slow"), Some(false)), (Some("silent"), Some(true))]
    );
}

#[test]
fn alerts_that_a_server_does_not_list_are_counted() {
    let mut log = Log::busy();
    let names: Vec<String> = (0..25).map(|at| format!("t{at}")).collect();
    let row = |name| ("Slow", "*", "tool", "", name, "firing", 5);
    let rows: Vec<_> = names.iter().map(|name| row(name.as_str())).collect();
    let mut answer = alerts_of_a_server(&rows);
    answer["totals"]["firing"] = 1026.into();
    answer["totals"]["resolved"] = 2.into();
    answer["unwatched"] = 3334.into();
    log.board = Arc::new(told(&answer));
    let seat = Seat::new(&log, Tab::Alerts, LARGE);
    let wanted = "1,026 firing, 2 resolved; 25 of 1,028 listed; nobody watches 3,334 series more";
    assert!(seat.screen().contains(wanted), "{}", seat.screen());
    let text = once::page(std::slice::from_ref(&seat.picture), "/h", &look());
    assert!(text.contains(wanted), "{text}");
    assert!(text.contains("\n5 more rows: --format json"), "{text}");
    let json = once::document(&[seat.picture], "/h");
    let alerts = &json["top"]["alerts"];
    assert_eq!(
        alerts["counts"],
        json!({"firing": 1026, "pending": 0, "no_data": 0, "resolved": 2})
    );
    assert_eq!(
        (&alerts["more"], &alerts["unwatched"]),
        (&1003.into(), &3334.into())
    );
}

#[test]
fn that_nothing_is_known_of_alerts_is_told_where_nothing_else_is() {
    let page = |note: Option<&str>| {
        let mut log = Log::new();
        log.state.settle();
        log.board = Arc::new(Board {
            note: note.map(str::to_owned),
            ..Board::default()
        });
        let tabs = [Tab::Tools, Tab::Alerts];
        let pictures = tabs.map(|tab| Seat::new(&log, tab, SMALL).picture);
        once::page(&pictures, "/h", &look())
    };
    let nothing = "\nNothing of the kind in this log so far.\n";
    assert!(page(None).ends_with(nothing), "{}", page(None));
    let told = page(Some("the server says nothing: who knows"));
    let said = format!("{nothing}\nAlerts: ! the server says nothing: who knows\n");
    assert!(told.ends_with(&said), "{told}");
}

#[test]
fn alerts_of_any_name_command_nothing() {
    let mut log = Log::busy();
    let long = "x".repeat(10_000);
    let names = [
        "\u{1b}[2J\u{7}",
        "\u{202e}exe",
        &long,
        "🚀👩\u{200d}🚀",
        "日本語",
    ];
    let rows: Vec<_> = names
        .iter()
        .map(|name| (*name, "*", "tool", *name, *name, "firing", 5))
        .collect();
    log.board = Arc::new(told(&alerts_of_a_server(&rows)));
    for enter in [false, true] {
        let mut seat = Seat::new(&log, Tab::Alerts, SMALL);
        for _ in 0..2 * names.len() {
            if enter {
                seat.press(KeyCode::Enter);
            }
            for cell in &seat.buffer(PLAIN).content {
                let symbol = cell.symbol();
                assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                assert!(!symbol.contains('\u{202e}'), "{symbol:?}");
            }
            seat.press(KeyCode::Esc);
            seat.press(KeyCode::Down);
        }
    }
}
