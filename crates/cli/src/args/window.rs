//! The stretch of time that a question is about.

use std::time::Duration;

use clap::Args;
use tachograph_model::{UnixNanos, Window};

use crate::exit::{Result, usage};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Which events to look at. Without any of these: the command's own default.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Window")]
pub struct WindowArgs {
    /// The last N days (1 to 36500)
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500), conflicts_with_all = ["hours", "since"])]
    pub days: Option<u32>,
    /// The last N hours (1 to 876000)
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=876_000), conflicts_with = "since")]
    pub hours: Option<u32>,
    /// From this instant or date on (UTC unless it says otherwise)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Before this instant or date
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
}

impl WindowArgs {
    /// Returns the window that is meant: `[from, to)`. It ends at `--until`,
    /// else just after `now`, and begins at `--since`, else as long before its
    /// end as `--days`, `--hours` or `default` say.
    ///
    /// # Errors
    /// A usage error when an instant cannot be read or the window is empty.
    pub fn settle(&self, now: UnixNanos, default: Duration) -> Result<Window> {
        let to = match &self.until {
            Some(text) => instant("--until", text)?,
            // What is recorded in this very instant belongs to the answer.
            None => now.saturating_add(Duration::from_nanos(1)),
        };
        let from = match &self.since {
            Some(text) => instant("--since", text)?,
            None => {
                let end = if self.until.is_some() { to } else { now };
                end.saturating_sub(self.length().unwrap_or(default))
            }
        };
        if from >= to {
            return Err(usage(format!(
                "the window is empty: it begins at {from} and ends at {to}\n\
                 hint: --since must lie before --until"
            )));
        }
        Ok(Window { from, to })
    }

    /// Returns what `--days` or `--hours` say, if either was given.
    pub fn length(&self) -> Option<Duration> {
        let days = self.days.map(|days| u64::from(days) * DAY);
        let hours = self.hours.map(|hours| u64::from(hours) * HOUR);
        days.or(hours).map(Duration::from_secs)
    }
}

/// Reads an instant that was given with `flag`.
///
/// # Errors
/// A usage error that shows how to write one.
pub fn instant(flag: &str, text: &str) -> Result<UnixNanos> {
    UnixNanos::parse(text, true).map_err(|error| {
        usage(format!(
            "{flag} {text:?}: {error}\n\
             hint: write 2025-11-20, or 2025-11-20T12:00:00Z, or 2025-11-20T13:00:00+01:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text, false).expect("an instant")
    }

    #[test]
    fn windows_are_settled() {
        let now = at("2025-11-20T12:00:00Z");
        let week = Duration::from_secs(7 * DAY);
        let check = |args: WindowArgs, from: &str, to: &str| {
            let window = args.settle(now, week).expect("a window");
            assert_eq!(window.from, at(from));
            assert_eq!(window.to, at(to));
        };
        let none = WindowArgs::default;
        check(
            none(),
            "2025-11-13T12:00:00Z",
            "2025-11-20T12:00:00.000000001Z",
        );
        check(
            WindowArgs {
                hours: Some(1),
                ..none()
            },
            "2025-11-20T11:00:00Z",
            "2025-11-20T12:00:00.000000001Z",
        );
        check(
            WindowArgs {
                days: Some(1),
                until: Some("2025-11-02".into()),
                ..none()
            },
            "2025-11-01T00:00:00Z",
            "2025-11-02T00:00:00Z",
        );
        check(
            WindowArgs {
                since: Some("2025-11-01T01:00:00+01:00".into()),
                until: Some("2025-11-02".into()),
                ..none()
            },
            "2025-11-01T00:00:00Z",
            "2025-11-02T00:00:00Z",
        );
    }

    #[test]
    fn an_empty_or_unreadable_window_says_how() {
        let now = at("2025-11-20T12:00:00Z");
        let error = |since: &str| {
            let args = WindowArgs {
                since: Some(since.into()),
                ..WindowArgs::default()
            };
            args.settle(now, Duration::from_secs(1))
                .expect_err("an error")
                .to_string()
        };
        assert!(error("2026-01-01").contains("the window is empty"));
        assert!(error("yesterday").contains("hint: write 2025-11-20"));
    }
}
