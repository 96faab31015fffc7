//! What keys do.

use ratatui::crossterm::event::KeyCode;

use super::super::app::Then;
use super::{LARGE, Log, SMALL, Seat};
use crate::args::top::Tab;

#[test]
fn rows_are_sorted_by_each_column_on_the_screen_either_way() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, LARGE);
    assert_eq!(seat.names(), ["search", "read_file", "run_tests", "deploy"]);
    seat.press(KeyCode::Char('r'));
    // What is not known stays last.
    assert_eq!(seat.names(), ["run_tests", "read_file", "search", "deploy"]);
    // To P50, by way of PER SEC, FAILED and FAIL %.
    seat.letters("ssss");
    assert!(seat.screen().contains("by P50 ▼"), "{}", seat.screen());
    assert_eq!(seat.names(), ["run_tests", "search", "read_file", "deploy"]);
    // P95, P99, MAX, LAST, and then by name.
    seat.letters("sssss");
    assert!(seat.screen().contains("by NAME ▲"), "{}", seat.screen());
    assert_eq!(seat.names(), ["deploy", "read_file", "run_tests", "search"]);
    seat.letters("rs");
    assert!(seat.screen().contains("by CALLS ▼"), "{}", seat.screen());
}

#[test]
fn the_selection_stays_with_its_series_and_within_the_table() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    assert_eq!(seat.selected(), "search");
    seat.letters("j");
    assert_eq!(seat.selected(), "read_file");
    seat.letters("r");
    assert_eq!(seat.selected(), "read_file");
    seat.press(KeyCode::End);
    seat.press(KeyCode::Down);
    seat.press(KeyCode::PageDown);
    assert_eq!(seat.selected(), "deploy");
    seat.letters("gkk");
    assert_eq!(seat.selected(), "run_tests");
}

#[test]
fn a_filter_is_typed_kept_and_cleared() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    // Letters that are keys elsewhere are letters here.
    seat.letters("/R");
    assert!(seat.screen().contains("filter: R_"), "{}", seat.screen());
    assert_eq!(seat.names(), ["search", "read_file", "run_tests"]);
    seat.letters("_q");
    assert!(seat.screen().contains("Nothing is called like \"R_q\""));
    seat.press(KeyCode::Backspace);
    seat.press(KeyCode::Backspace);
    seat.letters("un");
    seat.press(KeyCode::Enter);
    assert_eq!(seat.names(), ["run_tests"]);
    assert!(seat.screen().contains("1 of 4"), "{}", seat.screen());
    seat.press(KeyCode::Esc);
    assert_eq!(seat.names().len(), 4);
    assert_eq!(seat.press(KeyCode::Char('q')), Then::Quit);
}

#[test]
fn keys_go_to_every_table_and_window_and_back() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(seat.picture.tab.title());
        seat.press(KeyCode::Tab);
    }
    assert_eq!(
        seen,
        ["Tools", "Models", "Agents", "Caches", "Metrics", "Alerts"]
    );
    assert_eq!(seat.picture.tab, Tab::Tools);
    seat.letters("h4");
    assert_eq!(seat.picture.tab, Tab::Caches);
    seat.letters("w");
    assert!(seat.screen().contains("window 15 min"));
    seat.press(KeyCode::Enter);
    assert!(seat.screen().contains("hit %"));
    seat.press(KeyCode::Esc);
    assert!(seat.screen().contains("LOOK-UPS"));
    seat.letters("p");
    assert!(seat.screen().contains("PAUSED at 12:00:00 UTC"));
    assert_eq!(seat.press(KeyCode::Char('p')), Then::Read);
}
