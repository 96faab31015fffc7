//! The stretch of time that a question is about.

use clap::Args;
use tachograph_model::UnixNanos;
use tachograph_model::question::{Asked, AskedError, Scope, asked};

use crate::exit::{Result, usage};

/// Which events to look at. Without any of these: the command's own default.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Window")]
pub struct WindowArgs {
    /// The last N days (1 to 36500)
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(asked::MOST_DAYS)), conflicts_with_all = ["hours", "since"])]
    pub days: Option<u32>,
    /// The last N hours (1 to 876000)
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(asked::MOST_HOURS)), conflicts_with = "since")]
    pub hours: Option<u32>,
    /// From this instant or date on (UTC unless it says otherwise)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Before this instant or date
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
}

impl WindowArgs {
    /// Returns the scope that is meant, as [`Asked::scope`] has it.
    ///
    /// # Errors
    /// A usage error when an instant cannot be read or the window is empty.
    pub fn scope(&self, now: UnixNanos, default: Option<u32>) -> Result<Scope> {
        self.asked().scope(now, default).map_err(wrong)
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            days: self.days,
            hours: self.hours,
            since: self.since.as_deref(),
            until: self.until.as_deref(),
        }
    }
}

/// Reads an instant that was given with `flag`.
///
/// # Errors
/// A usage error that shows how to write one.
pub fn instant(flag: &'static str, text: &str) -> Result<UnixNanos> {
    asked::instant(flag.trim_start_matches('-'), text).map_err(wrong)
}

fn wrong(error: AskedError) -> anyhow::Error {
    usage(match error {
        AskedError::Instant { name, text, source } => format!(
            "--{name} {text:?}: {source}\n\
             hint: write 2025-11-20, or 2025-11-20T12:00:00Z, or 2025-11-20T13:00:00+01:00"
        ),
        AskedError::Both(one, other) => format!("--{one} and --{other} exclude each other"),
        AskedError::Empty(_) => format!("{error}\nhint: --since must lie before --until"),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_empty_or_unreadable_window_says_how() {
        let now = instant("--as-of", "2025-11-20T12:00:00Z").expect("an instant");
        let error = |since: &str| {
            let args = WindowArgs {
                since: Some(since.into()),
                ..WindowArgs::default()
            };
            args.asked()
                .window(now, Duration::from_secs(1))
                .map_err(wrong)
                .expect_err("an error")
                .to_string()
        };
        assert!(error("2026-01-01").contains("the window is empty"));
        assert!(error("yesterday").contains("hint: write 2025-11-20"));
    }
}
