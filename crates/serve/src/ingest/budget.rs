//! How much memory what comes in may take, all requests together: bodies that
//! are being read, and batches that wait to be stored. What would be over it
//! is refused, so that no queue grows without bound.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::counters::Counters;

/// The limit, and what is taken of it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Holds what is taken, [`Counters::queued_bytes`].
    counters: Arc<Counters>,
    limit: u64,
}

/// A part of the budget; given back when it is dropped.
#[derive(Debug)]
pub struct Hold {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    /// Makes one of `limit` bytes.
    pub fn new(counters: Arc<Counters>, limit: usize) -> Self {
        Self {
            counters,
            limit: limit as u64,
        }
    }

    /// Takes `bytes`; `None` when there are not so many left.
    ///
    /// Half of the limit is the most that is ever taken at once: what is bigger
    /// than the whole limit could else never come in.
    pub fn take(&self, bytes: usize) -> Option<Hold> {
        let mut hold = Hold {
            budget: self.clone(),
            bytes: 0,
        };
        hold.grow_to(bytes).then_some(hold)
    }
}

impl Hold {
    /// Makes it at least `bytes`; false when there are not so many left, and
    /// it stays as it is.
    pub fn grow_to(&mut self, bytes: usize) -> bool {
        let wanted = (bytes as u64).min(self.budget.limit / 2);
        let Some(more) = wanted.checked_sub(self.bytes) else {
            return true;
        };
        let used = &self.budget.counters.queued_bytes;
        let fits = |used: u64| Some(used + more).filter(|used| *used <= self.budget.limit);
        let taken = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if taken.is_ok() {
            self.bytes = wanted;
        }
        taken.is_ok()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let used = &self.budget.counters.queued_bytes;
        used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back_and_no_more_than_there_is() {
        let counters = Arc::new(Counters::default());
        let budget = Budget::new(counters.clone(), 100);
        let used = || counters.queued_bytes.load(Ordering::Relaxed);
        let mut one = budget.take(30).expect("there is room");
        let big = budget.take(1_000).expect("taken for half");
        assert_eq!(used(), 80);
        assert!(budget.take(21).is_none());
        assert!(one.grow_to(50) && one.grow_to(51), "half is the most");
        assert_eq!(used(), 100);
        assert!(budget.take(1).is_none());
        drop(one);
        assert_eq!(used(), 50);
        drop(big);
        assert_eq!(used(), 0);
    }
}
