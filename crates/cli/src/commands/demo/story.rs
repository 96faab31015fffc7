//! What is special in the fortnight, and when.

use std::time::Duration;

use tachograph_model::time::{NANOS_PER_DAY, NANOS_PER_SECOND};
use tachograph_model::{UnixNanos, Window};

/// How long the story is.
pub const DAYS: i64 = 14;
/// The tool that breaks down for two hours.
pub const BROKEN_TOOL: &str = "web_fetch";
/// The tool that gets slower over the last days.
pub const SLOWING_TOOL: &str = "sql_query";
/// The model that is used too much on one day.
pub const DEAR_MODEL: &str = "claude-opus";

const HOUR: i64 = 3_600 * NANOS_PER_SECOND;

/// When the special things happen.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// The fortnight.
    pub window: Window,
    /// Two hours in which one tool fails.
    pub incident: Window,
    /// From here on one tool gets slower, to the end.
    pub slowing: Window,
    /// One day on which the dear model does everything.
    pub dear_day: Window,
    /// A weekend with hardly anything.
    pub quiet: Window,
}

impl Story {
    /// Places the story in the fortnight before `end`.
    pub fn ending_at(end: UnixNanos) -> Self {
        let window = Window {
            from: UnixNanos(end.0 - DAYS * NANOS_PER_DAY),
            to: end,
        };
        let incident_day = workday_before(end.day() - 2);
        let dear_day = workday_before(incident_day - 1);
        let at = |day: i64, hour: i64| UnixNanos(day * NANOS_PER_DAY + hour * HOUR);
        let saturday = last_saturday(end.day() - 2);
        Self {
            window,
            incident: Window {
                from: at(incident_day, 13),
                to: at(incident_day, 15),
            },
            slowing: Window::last(Duration::from_secs(5 * 86_400), end),
            dear_day: Window {
                from: at(dear_day, 0),
                to: at(dear_day + 1, 0),
            },
            quiet: Window {
                from: at(saturday, 0),
                to: at(saturday + 2, 0),
            },
        }
    }

    /// How many times slower the slowing tool is at an instant.
    pub fn slowness(&self, at: UnixNanos) -> f64 {
        if at < self.slowing.from {
            return 1.0;
        }
        let days = (at.0 - self.slowing.from.0) as f64 / NANOS_PER_DAY as f64;
        1.0 + 0.3 * days
    }
}

/// Whether a day is Saturday or Sunday.
pub fn is_weekend(day: i64) -> bool {
    UnixNanos(day * NANOS_PER_DAY).weekday() >= 5
}

fn workday_before(mut day: i64) -> i64 {
    while is_weekend(day) {
        day -= 1;
    }
    day
}

/// The last weekend that is over.
fn last_saturday(mut day: i64) -> i64 {
    while !(is_weekend(day) && is_weekend(day + 1)) {
        day -= 1;
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whenever_it_ends_everything_happens_within_it() {
        for hours in 0..24 * 15 {
            let end = UnixNanos(1_763_640_000 * NANOS_PER_SECOND + hours * HOUR);
            let story = Story::ending_at(end);
            for part in [story.incident, story.slowing, story.dear_day, story.quiet] {
                assert!(
                    story.window.from <= part.from && part.to <= story.window.to,
                    "{story:?}"
                );
            }
            let length = story.quiet.length();
            assert_eq!(length, Duration::from_secs(2 * 86_400));
            assert!(!is_weekend(story.incident.from.day()));
        }
    }
}
