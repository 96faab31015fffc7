use super::Scope;
use crate::time::{UnixNanos, Window};

/// Asks for figures over time: so many stretches of equal length, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Which events.
    pub scope: Scope,
    /// Only events of this type. Without one: all, and then no latencies, which
    /// mean nothing over different kinds.
    pub kind: Option<String>,
    /// Only series of this name: a tool, a model, a cache, a metric.
    pub name: Option<String>,
    /// Only series of this source: a provider, a component.
    pub source: Option<String>,
    /// At most so many stretches, 1 to [`Timeline::MOST`].
    pub buckets: u32,
}

/// The stretches of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// Where the first begins; none of the window lies before it.
    pub from: UnixNanos,
    /// How long each is, seconds. A whole number of them fits from the epoch
    /// to `from`, unless there is only one.
    pub seconds: u64,
    /// How many.
    pub count: u32,
}

/// Lengths that people think in, seconds; then whole days.
const STEPS: [u64; 21] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400,
    21_600, 28_800, 43_200,
];
const DAY: u64 = 86_400;
const NANOS: i64 = 1_000_000_000;

impl Timeline {
    /// Stretches unless told otherwise.
    pub const BUCKETS: u32 = 120;
    /// The most there may be: every hour of a month.
    pub const MOST: u32 = 800;

    /// Asks about all events of a scope.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            kind: None,
            name: None,
            source: None,
            buckets: Self::BUCKETS,
        }
    }

    /// Returns the window that the stretches cover: where it has no end, up to
    /// the present.
    pub fn window(&self) -> Window {
        let Window { from, to } = self.scope.window;
        let to = match to {
            // What is recorded in this very instant belongs to it.
            UnixNanos::MAX => UnixNanos(self.scope.now.0.saturating_add(1)),
            to => to,
        };
        Window {
            from,
            to: to.max(UnixNanos(from.0.saturating_add(1))),
        }
    }

    /// Divides the window: the shortest length that people think in of which no
    /// more than were asked for are needed. They begin at whole multiples of it
    /// in UTC, so that the first and the last may reach beyond the window.
    pub fn stretches(&self) -> Buckets {
        let Window { from, to } = self.window();
        let most = u64::from(self.buckets.clamp(1, Self::MOST));
        let last = i128::from(to.0) - 1;
        if most == 1 {
            let length = last + 1 - i128::from(from.0);
            return Buckets {
                from,
                seconds: u64::try_from((length - 1) / i128::from(NANOS) + 1).unwrap_or(1),
                count: 1,
            };
        }
        let needed = |seconds: u64| {
            let nanos = i128::from(seconds) * i128::from(NANOS);
            last.div_euclid(nanos) - i128::from(from.0).div_euclid(nanos) + 1
        };
        let fits = |seconds: &u64| needed(*seconds) <= i128::from(most);
        let seconds = STEPS.iter().copied().find(fits).unwrap_or_else(|| {
            let length = (last - i128::from(from.0)) / i128::from(NANOS);
            let days = u64::try_from(length).unwrap_or(0) / DAY;
            // Whole days that always do: one stretch is cut in two at the edges.
            let enough = days / (most - 1) + 1;
            let lengths = (days / most).max(1)..enough;
            let mut lengths = lengths.map(|days| days * DAY);
            lengths.find(fits).unwrap_or(enough * DAY)
        });
        let nanos = i128::from(seconds) * i128::from(NANOS);
        let start = i128::from(from.0).div_euclid(nanos) * nanos;
        // The first stretch of all time begins before there is an instant: what
        // lies in it counts to the second.
        let (start, cut) = match i64::try_from(start) {
            Ok(start) => (start, 0),
            Err(_) => (i64::try_from(start + nanos).unwrap_or(i64::MAX), 1),
        };
        let count = u32::try_from(needed(seconds) - cut).unwrap_or(1);
        Buckets {
            from: UnixNanos(start),
            seconds,
            count: count.max(1),
        }
    }
}

impl Buckets {
    /// Where the stretch of this place begins.
    pub fn start(&self, place: u32) -> UnixNanos {
        let start = i128::from(self.from.0)
            + i128::from(place) * i128::from(self.seconds) * i128::from(NANOS);
        UnixNanos(i64::try_from(start).unwrap_or(i64::MAX))
    }

    /// In which stretch an instant lies; one before the first counts to it, and
    /// one after the last has none.
    pub fn place(&self, at: UnixNanos) -> Option<u32> {
        let since = i128::from(at.0) - i128::from(self.from.0);
        let place = since.max(0) / (i128::from(self.seconds) * i128::from(NANOS));
        u32::try_from(place)
            .ok()
            .filter(|place| *place < self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text, true).expect("an instant")
    }

    #[track_caller]
    fn check(from: &str, to: &str, buckets: u32, first: &str, seconds: u64, count: u32) {
        let window = Window {
            from: at(from),
            to: at(to),
        };
        let scope = Scope {
            window,
            ..Scope::all(at("2025-11-20T12:00:00Z"))
        };
        let timeline = Timeline {
            buckets,
            ..Timeline::new(scope)
        };
        let found = timeline.stretches();
        let expected = Buckets {
            from: at(first),
            seconds,
            count,
        };
        assert_eq!(found, expected);
        assert!(found.from <= window.from);
        assert!(found.start(found.count) >= window.to);
        assert_eq!(found.place(window.from), Some(0));
        assert_eq!(
            found.place(UnixNanos(window.to.0 - 1)),
            Some(found.count - 1)
        );
    }

    #[test]
    fn stretches_are_of_lengths_that_people_think_in() {
        let (day, next) = ("2025-11-20", "2025-11-21");
        check(day, next, 120, day, 900, 96);
        check(day, next, 24, day, 3_600, 24);
        check(day, next, 23, day, 7_200, 12);
        check(day, next, 2, day, 43_200, 2);
        // Not on a border: it takes one more.
        let (from, to) = ("2025-11-20T00:30:00Z", "2025-11-21T00:30:00Z");
        check(from, to, 24, day, 7_200, 13);
        check(from, to, 25, day, 3_600, 25);
        check("2025-11-14", next, 120, "2025-11-14", 7_200, 84);
        check("2025-10-22", next, 120, "2025-10-22", 21_600, 120);
        check(
            "2025-10-21T23:00:00Z",
            next,
            120,
            "2025-10-21T16:00:00Z",
            28_800,
            91,
        );
        check(
            "2025-11-20T12:00:00Z",
            "2025-11-20T12:01:00Z",
            500,
            "2025-11-20T12:00:00Z",
            1,
            60,
        );
        // Each hour of a month, and the one that is going on.
        let (from, to) = ("2025-10-20T00:30:00Z", "2025-11-20T00:30:00Z");
        check(from, to, 800, "2025-10-20", 3_600, 745);
        let (from, to) = ("2025-11-20T00:30:00Z", "2025-11-21T00:30:00Z");
        check("2000-01-01", "2001-01-01", 3, "1999-12-31", 132 * 86_400, 3);
        // One is as long as the window, wherever that begins.
        check(from, to, 1, from, 86_400, 1);
        let half = "2025-11-20T00:30:00.5Z";
        check(from, half, 1, from, 1, 1);
        check(from, half, 120, from, 1, 1);
    }

    #[test]
    fn however_long_or_short_the_window_there_are_no_more_than_were_asked_for() {
        let instants = [
            i64::MIN,
            i64::MIN + 1,
            -1,
            0,
            1,
            1_763_640_000_123_456_789,
            i64::MAX,
        ];
        for from in instants {
            for to in instants {
                for buckets in [0, 1, 2, 3, 7, 120, 500, u32::MAX] {
                    let scope = Scope {
                        window: Window {
                            from: UnixNanos(from),
                            to: UnixNanos(to),
                        },
                        ..Scope::all(UnixNanos(1_763_640_000_000_000_000))
                    };
                    let timeline = Timeline {
                        buckets,
                        ..Timeline::new(scope)
                    };
                    let found = timeline.stretches();
                    let most = buckets.clamp(1, Timeline::MOST);
                    assert!(
                        (1..=most).contains(&found.count),
                        "{scope:?} {buckets} {found:?}"
                    );
                    assert!(found.seconds >= 1);
                    assert_eq!(found.place(timeline.window().from), Some(0));
                }
            }
        }
    }

    #[test]
    fn without_an_end_it_goes_up_to_the_present_and_what_is_later_has_no_place() {
        let now = at("2025-11-20T12:00:00Z");
        let timeline = Timeline::new(Scope::last_hours(1, now));
        let found = timeline.stretches();
        assert_eq!((found.seconds, found.count), (60, 61));
        assert_eq!(found.place(now), Some(60));
        assert_eq!(found.place(at("2025-11-20T12:01:00Z")), None);
        assert_eq!(found.place(UnixNanos::MAX), None);
        // A window that is all in the future.
        let scope = Scope {
            window: Window {
                from: at("2026-01-01"),
                to: UnixNanos::MAX,
            },
            ..Scope::all(now)
        };
        assert_eq!(Timeline::new(scope).stretches().count, 1);
    }
}
