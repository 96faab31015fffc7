//! What is drawn of odd logs, on odd screens.

use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;
use tachograph_model::render::Glyphs;
use tachograph_model::{Column, Event};
use tachograph_serve::live::Family;

use super::super::once;
use super::super::picture::TABS;
use super::super::view::Theme;
use super::{Log, NOW, PLAIN, SMALL, Seat, settled, text};
use crate::args::top::Tab;

#[test]
fn what_is_too_small_says_so_at_any_size() {
    let log = Log::watched();
    for size in [(59, 24), (80, 14), (20, 4), (1, 1)] {
        let screen = Seat::new(&log, Tab::Tools, size).screen();
        assert!(!screen.contains("CALLS"), "{screen}");
    }
    let screen = Seat::new(&log, Tab::Tools, (40, 10)).screen();
    assert!(
        screen.contains("This window is 40 x 10.\ntacho top needs 60 x 15"),
        "{screen}"
    );
    // From there on every table and every view can be drawn.
    for width in [60, 61, 79, 133, 250] {
        for tab in TABS {
            let mut seat = Seat::new(&log, tab, (width, 15));
            assert!(seat.screen().contains(tab.title()));
            seat.press(KeyCode::Enter);
            let all = match tab {
                Tab::Alerts => "condition",
                _ => "All that was read",
            };
            assert!(seat.screen().contains(all), "{}", seat.screen());
        }
    }
}

#[test]
fn names_command_nothing_and_all_is_ascii_where_only_that_can_be_shown() {
    let log = Log::hostile();
    for enter in [false, true] {
        let mut seat = Seat::new(&log, Tab::Tools, SMALL);
        for _ in 0..9 {
            let ascii = Theme {
                glyphs: Glyphs::Ascii,
                ..PLAIN
            };
            for (theme, only_ascii) in [(PLAIN, false), (ascii, true)] {
                for cell in &seat.buffer(theme).content {
                    let symbol = cell.symbol();
                    assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                    assert!(!symbol.contains(['\u{202e}', '\u{2066}']), "{symbol:?}");
                    assert!(!only_ascii || symbol.is_ascii(), "{symbol:?}");
                }
            }
            if enter {
                seat.press(KeyCode::Enter);
                seat.buffer(PLAIN);
                seat.press(KeyCode::Esc);
            }
            seat.press(KeyCode::Down);
        }
    }
}

#[test]
fn without_colors_there_are_none_and_with_them_the_letters_are_the_same() {
    let log = Log::busy();
    for key in [KeyCode::Null, KeyCode::Enter] {
        let mut seat = Seat::new(&log, Tab::Tools, SMALL);
        seat.press(key);
        let plain = seat.buffer(PLAIN);
        let is_plain = |color| color == Color::Reset;
        assert!(
            plain
                .content
                .iter()
                .all(|cell| is_plain(cell.fg) && is_plain(cell.bg))
        );
        let painted = seat.buffer(Theme {
            color: true,
            ..PLAIN
        });
        assert!(painted.content.iter().any(|cell| cell.fg == Color::Red));
        assert_eq!(text(&plain), text(&painted));
    }
}

#[test]
fn what_nobody_told_is_not_zero() {
    let mut log = Log::new();
    let event = Event::new(NOW, "tool_call")
        .with(Column::Name, "mute")
        .with(Column::DurationMs, 5.0);
    log.add(Family::Tool, 1, event);
    let event = Event::new(NOW, "tool_call").with(Column::Name, "timeless");
    log.add(Family::Tool, 1, event);
    let log = settled(log);
    let seat = Seat::new(&log, Tab::Tools, SMALL);
    let screen = seat.screen();
    let line = |name: &str| {
        let line = screen.lines().find(|line| line.contains(name));
        line.map(|line| {
            line.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(
        line(" mute ").as_deref(),
        Some("mute 1 <0.01 – 5.0 ms 5.0 ms 1 s"),
        "{screen}"
    );
    assert_eq!(
        line(" timeless ").as_deref(),
        Some("1 <0.01 – – – 1 s"),
        "{screen}"
    );
    assert!(screen.contains("tokens/min –   cost/h –"), "{screen}");
    assert!(screen.contains("1 event without a duration"), "{screen}");
    let json = once::document(std::slice::from_ref(&seat.picture), "/h");
    let tools = &json["top"]["tools"];
    assert_eq!(tools[0]["name"], "mute");
    assert!(
        tools[0]["failed"].is_null() && tools[1]["p95"].is_null(),
        "{tools}"
    );
    assert_eq!(tools[1]["events_read"], 1);
    assert!(json["top"]["overview"]["cost_per_hour"].is_null());
}
