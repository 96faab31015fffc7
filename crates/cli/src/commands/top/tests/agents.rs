//! What agents are called: by their names where these are known, and always
//! told by their hashes, too.

use std::sync::Arc;

use ratatui::crossterm::event::KeyCode;
use tachograph_model::{Column, Event};
use tachograph_serve::live::Family;

use super::super::once;
use super::alerts::{alerts_of_a_server, told};
use super::{Log, NOW, SMALL, Seat, look};
use crate::args::top::Tab;

const KNOWN: &str = "1ccf43085d79621a";
const STRANGE: &str = "00a1f77c3d2be945";

/// One agent whose definition lies on this machine, and one of which nobody here
/// knows the name.
pub(super) fn named() -> Log {
    let mut log = Log::busy();
    let event = Event::new(NOW, "agent_usage")
        .with(Column::Agent, STRANGE)
        .with(Column::DurationMs, 4.0);
    log.add(Family::Agent, 3, event);
    log.names = Arc::new([(KNOWN.to_owned(), "python-pro".to_owned())].into());
    let row = |rule, name| (rule, "*", "agent", "", name, "firing", 20);
    let answer = alerts_of_a_server(&[row("Slow", KNOWN), row("Slow", STRANGE)]);
    log.board = Arc::new(told(&answer));
    log
}

#[test]
fn a_filter_finds_an_agent_by_name_and_by_hash() {
    let log = named();
    for (typed, found) in [
        ("python", &[KNOWN][..]),
        ("1CCF43", &[KNOWN]),
        ("00a1", &[STRANGE]),
        ("nobody", &[]),
    ] {
        let mut seat = Seat::new(&log, Tab::Agents, SMALL);
        seat.letters(&format!("/{typed}"));
        assert_eq!(seat.names(), found, "{typed}");
        let mut seat = Seat::new(&log, Tab::Alerts, SMALL);
        seat.letters(&format!("/{typed}"));
        let order = seat.app.order(&seat.picture);
        assert_eq!(order.len(), found.len(), "{typed}");
    }
}

#[test]
fn agents_are_sorted_by_what_is_shown() {
    let log = named();
    let mut seat = Seat::new(&log, Tab::Agents, SMALL);
    // Past every column, to the name: 0… before p…, though 1… is the hash of that.
    for _ in 0..20 {
        if seat.screen().contains("by NAME") {
            break;
        }
        seat.letters("s");
    }
    assert_eq!(seat.names(), [STRANGE, KNOWN]);
    let mut other = named();
    other.names = Arc::new([(STRANGE.to_owned(), "zebra".to_owned())].into());
    seat.log = &other;
    seat.letters("wwww");
    assert_eq!(seat.names(), [KNOWN, STRANGE]);
}

#[test]
fn a_name_replaces_no_hash_in_json() {
    let log = named();
    let pictures = [Tab::Agents, Tab::Alerts].map(|tab| Seat::new(&log, tab, SMALL).picture);
    let json = once::document(&pictures, "/h");
    let (agents, alerts) = (&json["top"]["agents"], &json["top"]["alerts"]["alerts"]);
    for rows in [agents, alerts] {
        let rows = rows.as_array().expect("rows");
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row["name"].as_str(), row["agent_name"].as_str()))
            .collect();
        assert_eq!(
            told,
            [(Some(KNOWN), Some("python-pro")), (Some(STRANGE), None)]
        );
    }
    let text = once::page(&pictures, "/h", &look());
    assert!(text.contains("\npython-pro ") && text.contains(&format!("\n{STRANGE} ")));
    assert!(text.contains("python-pro: Slow"), "{text}");
}

#[test]
fn all_about_one_tells_its_hash() {
    let log = named();
    for tab in [Tab::Agents, Tab::Alerts] {
        let mut seat = Seat::new(&log, tab, SMALL);
        seat.press(KeyCode::Enter);
        let screen = seat.screen();
        assert!(screen.contains("python-pro"), "{screen}");
        assert!(screen.contains(KNOWN), "{screen}");
    }
}
