//! Where a series stands: which of its times were taken, and how far its total
//! has come.

/// Times that are told apart. A time older than these is taken for one that
/// was sent again.
const TIMES: usize = 4;

/// Where a series stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct State {
    times: Times,
    total: Option<Total>,
    /// Growth that could not be stored when it came: count and sum.
    owed: (f64, f64),
}

/// The newest times, newest first, Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    newest: [i64; TIMES],
    /// What is not newer counts as taken.
    floor: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Total {
    /// 0: not told.
    pub(super) start: i64,
    pub(super) count: f64,
    pub(super) sum: f64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            newest: [i64::MIN; TIMES],
            floor: i64::MIN,
        }
    }
}

impl Times {
    /// Takes a time; false if it was taken.
    fn take(&mut self, time: i64) -> bool {
        if time <= self.floor || self.newest.contains(&time) {
            return false;
        }
        let place = self.newest.iter().position(|held| *held < time);
        let place = place.unwrap_or(TIMES);
        if place == TIMES {
            // Older than all that are held: nothing below it can be told apart.
            self.floor = time;
            return true;
        }
        self.floor = self.floor.max(self.newest[TIMES - 1]);
        self.newest[place..].rotate_right(1);
        self.newest[place] = time;
        true
    }

    fn give_back(&mut self, time: i64) {
        if let Some(place) = self.newest.iter().position(|held| *held == time) {
            self.newest[place..].rotate_left(1);
            self.newest[TIMES - 1] = i64::MIN;
        }
    }
}

impl State {
    /// Takes the time of a level; false if it was taken already.
    pub(super) fn level(&mut self, time: i64) -> bool {
        self.times.take(time)
    }

    /// Takes a running total; false if its time is not newer than the last.
    /// What it grew by since then, in count and sum, is in the second place:
    /// `None` when it did not. A first total counts whole if its source began
    /// after `since`.
    pub(super) fn total(
        &mut self,
        time: i64,
        now: Total,
        since: i64,
    ) -> (bool, Option<(f64, f64)>) {
        if time <= self.times.newest[0] || !self.times.take(time) {
            return (false, None);
        }
        let grown = match self.total.replace(now) {
            None if now.start != 0 && now.start >= since => (now.count, now.sum),
            None => (0.0, 0.0),
            Some(before) => {
                let later = before.start != 0 && now.start > before.start;
                if later || now.sum < before.sum || now.count < before.count {
                    (now.count, now.sum)
                } else {
                    (now.count - before.count, now.sum - before.sum)
                }
            }
        };
        let grown = (grown.0 + self.owed.0, grown.1 + self.owed.1);
        self.owed = (0.0, 0.0);
        (true, (grown != (0.0, 0.0)).then_some(grown))
    }

    /// Takes back what turned `before` into `after` and was not stored. Where
    /// the series has gone on since, its times can be sent again and the growth
    /// counts with the next.
    pub(super) fn undo(&mut self, before: &Self, after: &Self) {
        if self == after {
            *self = *before;
            return;
        }
        let (Some(was), Some(is)) = (before.total, after.total) else {
            for time in after.times.newest {
                if !before.times.newest.contains(&time) {
                    self.times.give_back(time);
                }
            }
            return;
        };
        let grown = |was: f64, is: f64| if is < was { is } else { is - was };
        self.owed.0 += grown(was.count, is.count) + before.owed.0;
        self.owed.1 += grown(was.sum, is.sum) + before.owed.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(sum: f64) -> Total {
        Total {
            start: 0,
            count: 0.0,
            sum,
        }
    }

    #[test]
    fn a_time_is_taken_once_in_whatever_order() {
        let mut state = State::default();
        for (time, taken) in [
            (10, true),
            (10, false),
            (30, true),
            (20, true),
            (20, false),
            (40, true),
            (50, true), // 10 is let go of.
            (10, false),
            (9, false),
            (15, true), // Older than all that are held, newer than those let go.
            (15, false),
            (14, false),
            (60, true),
        ] {
            assert_eq!(state.level(time), taken, "{time}");
        }
    }

    #[test]
    fn totals_become_what_they_grew() {
        let mut state = State::default();
        let mut check = |time, start, value, expected| {
            let now = Total {
                start,
                ..sum(value)
            };
            let found = state.total(time, now, 100);
            assert_eq!(found, expected, "{time} {value}");
        };
        check(10, 0, 5.0, (true, None)); // Where it stood before us.
        check(20, 0, 8.0, (true, Some((0.0, 3.0))));
        check(20, 0, 8.0, (false, None));
        check(15, 0, 6.0, (false, None));
        check(30, 0, 8.0, (true, None));
        check(40, 0, 2.0, (true, Some((0.0, 2.0)))); // It began anew.
        check(50, 45, 4.0, (true, Some((0.0, 2.0)))); // It tells its start now.
        check(60, 55, 9.0, (true, Some((0.0, 9.0)))); // And began anew.
        for (start, grown) in [(99, None), (100, Some((0.0, 7.0)))] {
            let first = Total { start, ..sum(7.0) };
            assert_eq!(State::default().total(1, first, 100), (true, grown));
        }
    }

    #[test]
    fn what_was_not_stored_counts_when_it_comes_again() {
        let mut state = State::default();
        state.total(10, sum(100.0), 0);
        let before = state;
        state.total(20, sum(105.0), 0);
        let after = state;
        state.undo(&before, &after);
        assert_eq!(state, before);
        // The next was counted from there already.
        state = after;
        assert_eq!(state.total(30, sum(108.0), 0), (true, Some((0.0, 3.0))));
        state.undo(&before, &after);
        assert_eq!(state.total(20, sum(105.0), 0), (false, None));
        assert_eq!(state.total(40, sum(109.0), 0), (true, Some((0.0, 6.0))));

        let before = State::default();
        let mut state = before;
        state.level(10);
        let after = state;
        state.level(20);
        state.undo(&before, &after);
        assert!(state.level(10) && !state.level(20) && !state.level(10));
    }
}
