//! One tool's window: its last latencies, and what it did since the start.

use crate::core::NameId;

/// Most error types that are kept apart; more count as `_other`.
const MAX_ERROR_TYPES: usize = 64;

/// The last latencies of a tool, and its totals.
#[derive(Default)]
pub(crate) struct ToolWindow {
    /// Nanoseconds; once full, the oldest is overwritten.
    samples: Vec<u64>,
    oldest: usize,
    totals: Totals,
}

/// What a tool did since the start.
#[derive(Clone, Default)]
pub(crate) struct Totals {
    pub(crate) calls: u64,
    pub(crate) successes: u64,
    pub(crate) nanos: u128,
    /// In the order in which they first came.
    pub(crate) errors: Vec<(NameId, u64)>,
}

impl ToolWindow {
    /// Adds a call; keeps the last `length` latencies.
    pub(crate) fn add(&mut self, nanos: u64, success: bool, error: Option<NameId>, length: usize) {
        self.totals.calls += 1;
        self.totals.successes += u64::from(success);
        self.totals.nanos += u128::from(nanos);
        if let Some(error) = error {
            self.totals.count_error(error);
        }
        if self.samples.len() < length {
            self.grow(length);
            self.samples.push(nanos);
            return;
        }
        self.samples[self.oldest] = nanos;
        self.oldest = (self.oldest + 1) % length;
    }

    /// The window's latencies, in no particular order.
    pub(crate) fn samples(&self) -> &[u64] {
        &self.samples
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Doubles, but never beyond what the window may hold: a thousand tools of
    /// a few calls each stay small, and a full window wastes nothing.
    fn grow(&mut self, length: usize) {
        let held = self.samples.len();
        if held == self.samples.capacity() {
            let more = held.max(4).min(length - held);
            self.samples.reserve_exact(more);
        }
    }
}

impl Totals {
    fn count_error(&mut self, error: NameId) {
        let known = |errors: &[(NameId, u64)], name| errors.iter().position(|(e, _)| *e == name);
        let name = match known(&self.errors, error) {
            Some(_) => error,
            None if self.errors.len() < MAX_ERROR_TYPES => error,
            None => NameId::OTHER,
        };
        match known(&self.errors, name) {
            Some(at) => self.errors[at].1 += 1,
            None => self.errors.push((name, 1)),
        }
    }
}

/// A tool's figures; latencies in nanoseconds, 0 when there are none.
pub(crate) struct ToolStats {
    pub(crate) totals: Totals,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl ToolStats {
    /// Works out the figures; reorders `samples`.
    pub(crate) fn of(totals: Totals, samples: &mut [u64]) -> Self {
        let (min, max) = samples
            .iter()
            .fold((u64::MAX, 0), |(min, max), &n| (n.min(min), n.max(max)));
        let [p99, p95, p50] = percentiles(samples, [99, 95, 50]);
        Self {
            totals,
            p50,
            p95,
            p99,
            min: if samples.is_empty() { 0 } else { min },
            max,
        }
    }
}

/// Percentiles by type 7 (Hyndman & Fan 1996; Python's
/// `statistics.quantiles(method="inclusive")`), exact in integers until the
/// last division; 0 when there are no samples. Reorders `samples`.
///
/// `percents` fall: each selection leaves what is smaller on its left, so the
/// next one has less to look at.
fn percentiles(samples: &mut [u64], percents: [usize; 3]) -> [f64; 3] {
    let Some(last) = samples.len().checked_sub(1) else {
        return [0.0; 3];
    };
    let mut rest = samples;
    let (mut low, mut high) = (0, 0);
    percents.map(|percent| {
        let (rank, part) = (last * percent / 100, last * percent % 100);
        if rank < rest.len() {
            let beyond = low;
            let (left, found, above) = std::mem::take(&mut rest).select_nth_unstable(rank);
            low = *found;
            // The next one up is the least above, or what the last search found.
            high = above.iter().copied().min().unwrap_or(beyond.max(low));
            rest = left;
        }
        let part = part as u128;
        (u128::from(low) * (100 - part) + u128::from(high) * part) as f64 / 100.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        samples: Vec<f64>,
        inclusive_p50_p95_p99: [f64; 3],
        min: f64,
        max: f64,
    }

    fn stats(nanos: &[u64]) -> ToolStats {
        ToolStats::of(Totals::default(), &mut nanos.to_vec())
    }

    /// The table was printed by Python's `statistics.quantiles`.
    #[test]
    fn percentiles_are_python_s_inclusive_ones() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/data/percentiles.json"))
                .expect("a table");
        assert!(cases.len() > 5);
        for case in cases {
            let nanos: Vec<u64> = case
                .samples
                .iter()
                .map(|ms| (ms * 1e6).round() as u64)
                .collect();
            let found = stats(&nanos);
            let pairs = [found.p50, found.p95, found.p99]
                .into_iter()
                .zip(case.inclusive_p50_p95_p99);
            for (ours, theirs) in pairs {
                assert!((ours / 1e6 - theirs).abs() < 1e-6, "{ours} {theirs}");
                assert!(ours >= found.min as f64 && ours <= found.max as f64);
            }
            assert_eq!(found.min, (case.min * 1e6).round() as u64);
            assert_eq!(found.max, (case.max * 1e6).round() as u64);
        }
    }

    #[test]
    fn a_full_window_forgets_the_oldest_and_keeps_its_size() {
        let mut window = ToolWindow::default();
        for nanos in 1..=1_007 {
            window.add(nanos, true, None, 1_000);
        }
        assert_eq!(window.samples.capacity(), 1_000);
        let found = stats(window.samples());
        assert_eq!((found.min, found.max), (8, 1_007));
        assert_eq!(window.totals.calls, 1_007);
        assert_eq!(window.totals.nanos, 1_007 * 1_008 / 2);
    }

    #[test]
    fn error_types_are_bounded() {
        let mut window = ToolWindow::default();
        for error in 1..=1_000 {
            window.add(1, false, Some(NameId(error)), 10);
        }
        assert_eq!(window.totals.errors.len(), MAX_ERROR_TYPES + 1);
        let counted: u64 = window.totals.errors.iter().map(|(_, n)| n).sum();
        assert_eq!(counted, 1_000);
    }
}
