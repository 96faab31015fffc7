//! What could not be recorded: counted per kind and reason, told to whoever
//! asks, and written to the log as `loss` events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tachograph_model::KINDS;

use crate::ring::{MAX_KINDS, Ring};

/// Why something was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A ring was full: events came faster than they could be written.
    Overload,
    /// There were too many distinct names; the event was kept under `_other`.
    Cardinality,
    /// The log could not be written, for longer than the rings could wait.
    WriteFailed,
    /// A name was too long and was cut.
    TooLong,
    /// A ring held what is no record; everything behind it was skipped, which
    /// counts as one event of unknown kind.
    Damaged,
}

pub(crate) const REASONS: [(Reason, &str); 5] = [
    (Reason::Overload, "overload"),
    (Reason::Cardinality, "cardinality"),
    (Reason::WriteFailed, "write_failed"),
    (Reason::TooLong, "too_long"),
    (Reason::Damaged, DAMAGED),
];

/// Stands for the kind where a name, not an event, was lost.
pub(crate) const NAME: &str = "name";

/// Stands for the kind of what could not be read.
pub(crate) const UNKNOWN: &str = "_other";
/// Why it could not.
pub(crate) const DAMAGED: &str = "damaged";
/// Its place among the kinds: behind [`NAME`]'s.
const UNKNOWN_KIND: usize = KINDS.len() + 1;

/// Counters of everything but what rings count themselves.
pub(crate) struct Losses {
    counts: [[AtomicU64; MAX_KINDS]; REASONS.len()],
}

impl Default for Losses {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
        }
    }
}

impl Losses {
    /// Counts events of a kind; `None` for names.
    pub(crate) fn count(&self, kind: Option<u8>, reason: Reason, events: u64) {
        let kind = kind.map_or(KINDS.len(), usize::from).min(MAX_KINDS - 1);
        self.counts[reason as usize][kind].fetch_add(events, Ordering::Relaxed);
    }

    /// Counts what could not be read.
    pub(crate) fn count_damaged(&self, stretches: u64) {
        self.counts[Reason::Damaged as usize][UNKNOWN_KIND].fetch_add(stretches, Ordering::Relaxed);
    }

    /// Returns every count that is not zero: kind, reason (by number), count.
    /// What the rings lost counts as overload.
    pub(crate) fn all(&self, rings: &[Arc<Ring>]) -> Vec<(usize, usize, u64)> {
        let mut all = Vec::new();
        for (reason, counts) in self.counts.iter().enumerate() {
            for (kind, count) in counts.iter().enumerate() {
                let mut count = count.load(Ordering::Relaxed);
                if reason == Reason::Overload as usize {
                    count += rings.iter().map(|ring| ring.lost(kind)).sum::<u64>();
                }
                if count > 0 {
                    all.push((kind, reason, count));
                }
            }
        }
        all
    }
}

/// Returns the name of a kind in a loss.
pub(crate) fn kind_name(kind: usize) -> &'static str {
    match KINDS.get(kind) {
        Some(kind) => kind.name,
        None if kind == KINDS.len() => NAME,
        None => UNKNOWN,
    }
}

/// The names that `loss` events refer to stand at the beginning of every
/// region, so that recovery finds them: `_other`, the kinds, [`NAME`], the
/// reasons.
pub(crate) fn first_names<'a>(
    kinds: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    let reasons = REASONS.iter().map(|(_, name)| *name);
    std::iter::once(UNKNOWN)
        .chain(kinds)
        .chain([NAME])
        .chain(reasons)
}

/// Returns the values of a `loss` event: names by their place in
/// [`first_names`], and the count. All its fields are present.
pub(crate) fn values(kinds: usize, kind: usize, reason: usize, count: u64) -> [u64; 3] {
    let kind = if kind <= kinds { 1 + kind as u64 } else { 0 };
    [
        kind,
        2 + kinds as u64 + reason as u64,
        count.min(i64::MAX as u64),
    ]
}

/// All three fields of a `loss` event.
pub(crate) const PRESENCE: u32 = 0b111;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use tachograph_model::Kind;

    #[test]
    fn names_of_losses_stand_where_events_look_for_them() {
        let names: Vec<_> = first_names(KINDS.iter().map(|kind| kind.name)).collect();
        for (kind, KindName(name)) in KINDS.iter().map(|k| KindName(k.name)).enumerate() {
            for (reason, (_, text)) in REASONS.iter().enumerate() {
                let [a, b, count] = values(KINDS.len(), kind, reason, 9);
                assert_eq!(
                    (names[a as usize], names[b as usize], count),
                    (name, *text, 9)
                );
            }
        }
        let [a, ..] = values(KINDS.len(), 63, 0, 1);
        assert_eq!(names[a as usize], UNKNOWN);
        let [a, ..] = values(KINDS.len(), KINDS.len(), 0, 1);
        assert_eq!(names[a as usize], NAME);
        let keys: Vec<_> = Kind::by_name("loss")
            .unwrap()
            .fields
            .iter()
            .map(|f| f.key)
            .collect();
        assert_eq!(keys, ["kind", "reason", "count"]);
    }

    struct KindName(&'static str);
}
