//! Many looks at once, where nothing changes between them: for replaying months.

use super::{Machine, SECOND, SHOWN, State, Terms, Transition};
use crate::time::UnixNanos;

impl Machine {
    /// As up to so many looks, each a second after the one before, at the value
    /// of the last [`Self::step`]; it ends after the first that is a transition.
    /// Returns how many looks it was.
    ///
    /// Equal to that many calls of `step`, at the cost of one.
    pub fn repeat(&mut self, looks: u64, terms: &Terms) -> (u64, Option<Transition>) {
        let idle = self.idle_looks(terms).min(looks);
        self.pass(idle, terms);
        if idle == looks {
            return (idle, None);
        }
        let now = UnixNanos(self.seen.0.saturating_add(SECOND));
        (idle + 1, self.step(now, terms, self.value))
    }

    /// Whether the condition holds at the last value; `None`: there is none.
    fn held_last(&self, terms: &Terms) -> Option<bool> {
        let condition = &terms.condition;
        let value = self.value?;
        Some(condition.op.holds(value, condition.number))
    }

    /// How many looks change nothing but what is counted.
    fn idle_looks(&self, terms: &Terms) -> u64 {
        let wait = match self.held_last(terms) {
            Some(true) if !self.open => terms.for_nanos.saturating_sub(self.held),
            Some(true) if !self.told => self.cooling,
            Some(false) if self.open => terms.for_nanos.saturating_sub(self.clear),
            Some(false) if self.state == State::Resolved => {
                let shown = self.seen.0.saturating_sub(self.since.0);
                SHOWN.saturating_sub(shown)
            }
            // It takes longer than that, not as long.
            None if self.open => {
                let left = terms.missing.saturating_sub(self.missing);
                left.saturating_add(1)
            }
            _ => return u64::MAX,
        };
        // Something may happen at the look at which the wait is over.
        let until = wait.max(0).saturating_add(SECOND - 1) / SECOND;
        u64::try_from(until.saturating_sub(1)).unwrap_or(0)
    }

    /// Counts so many looks, as [`Machine::step`] does.
    fn pass(&mut self, looks: u64, terms: &Terms) {
        let nanos = |looks| {
            i64::try_from(looks)
                .unwrap_or(i64::MAX)
                .saturating_mul(SECOND)
        };
        let passed = nanos(looks);
        self.seen = UnixNanos(self.seen.0.saturating_add(passed));
        self.cooling = self.cooling.saturating_sub(passed).max(0);
        match self.held_last(terms) {
            Some(true) => self.held = self.held.saturating_add(passed),
            Some(false) => {
                // The time before the first of them is not its own.
                let first = u64::from(self.clear_looks == 0).min(looks);
                self.clear = self.clear.saturating_add(nanos(looks - first));
                let more = u32::try_from(looks).unwrap_or(u32::MAX);
                self.clear_looks = self.clear_looks.saturating_add(more);
            }
            None => self.missing = self.missing.saturating_add(passed),
        }
    }
}
