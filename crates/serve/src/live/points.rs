//! The newest points of a series, as they came.

use std::collections::VecDeque;

use super::slot::{At, Budget, Pool};

/// A ring of the newest points, by arrival.
#[derive(Debug)]
pub(super) struct Points {
    held: VecDeque<At>,
    /// How many may be held.
    most: usize,
    /// Older ones are dropped, nanoseconds; `i64::MAX`: whatever their age.
    oldest: i64,
    /// How many of them are older than the one before.
    disorder: usize,
    /// The latest of those that were dropped.
    dropped: i64,
    /// Where its memory comes from, and how much of it, points.
    pool: Pool,
    taken: usize,
}

impl Points {
    pub(super) fn new(most: usize, oldest: i64, pool: Pool) -> Self {
        Self {
            held: VecDeque::new(),
            most: most.max(1),
            oldest,
            disorder: 0,
            dropped: i64::MIN,
            pool,
            taken: 0,
        }
    }

    pub(super) fn push(&mut self, point: At, budget: &mut Budget) {
        let since = point.0.saturating_sub(self.oldest);
        while self.held.front().is_some_and(|front| front.0 < since) {
            self.drop_front();
        }
        if self.held.len() == self.most || !self.has_room(budget) {
            self.drop_front();
        }
        if self.held.back().is_some_and(|back| back.0 > point.0) {
            self.disorder += 1;
        }
        self.held.push_back(point);
    }

    /// Those of a time not before `from`, in order of arrival; `None` when
    /// some of them are not here any more, or there are more than `most`.
    pub(super) fn since(&self, from: i64, most: usize) -> Option<Vec<At>> {
        if self.dropped >= from {
            return None;
        }
        let start = match self.disorder {
            0 => self.held.partition_point(|point| point.0 < from),
            _ => 0,
        };
        if self.disorder == 0 && self.held.len() - start > most {
            return None;
        }
        let found: Vec<At> = self
            .held
            .range(start..)
            .filter(|point| point.0 >= from)
            .copied()
            .collect();
        (found.len() <= most).then_some(found)
    }

    /// Those that are held of a time not before `from`, in order of time.
    pub(super) fn ordered(&self, from: i64) -> Vec<At> {
        let start = match self.disorder {
            0 => self.held.partition_point(|point| point.0 < from),
            _ => 0,
        };
        let newer = self.held.range(start..).filter(|point| point.0 >= from);
        let mut found: Vec<At> = newer.copied().collect();
        if self.disorder > 0 {
            found.sort_by_key(|point| point.0);
        }
        found
    }

    /// Every value that is held, in order of arrival.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.held.iter().map(|point| point.1)
    }

    /// Whether points are held whatever their age.
    pub(super) fn holds_old(&self) -> bool {
        self.oldest == i64::MAX
    }

    /// Gives back what memory they hold, before they are dropped.
    pub(super) fn give_back(self, budget: &mut Budget) {
        budget.give_back_points(self.pool, self.taken);
    }

    fn drop_front(&mut self) {
        let Some(front) = self.held.pop_front() else {
            return;
        };
        self.dropped = self.dropped.max(front.0);
        if self.held.front().is_some_and(|next| next.0 < front.0) {
            self.disorder -= 1;
        }
    }

    /// Grows by doubling, as far as all rings together may.
    fn has_room(&mut self, budget: &mut Budget) -> bool {
        let held = self.held.len();
        if held < self.held.capacity() {
            return true;
        }
        let more = held.max(4).min(self.most - held);
        let granted = budget.take_points(self.pool, more);
        if granted {
            self.taken += more;
            self.held.reserve_exact(more);
        }
        // One point is always held.
        granted || held == 0
    }
}
