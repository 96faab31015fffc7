//! What the doors turned away since the last look, told to the log: the library
//! only counts it.

use std::sync::Arc;

use serde_json::json;
use tachograph_serve::counters::{Counters, OfSignal, Signal};

use super::log::Log;

/// What there is to tell of, in the order of [`counts`].
const KINDS: [&str; 5] = [
    "the disk refused what came",
    "too much came at once",
    "records were wrong and left out",
    "requests were denied (host, origin, token)",
    "connections were turned away",
];

/// The counters, and what they said last.
pub struct Denials {
    counters: Arc<Counters>,
    log: Log,
    last: [u64; KINDS.len()],
}

impl Denials {
    pub fn new(counters: Arc<Counters>, log: Log) -> Self {
        let last = counts(&counters);
        Self {
            counters,
            log,
            last,
        }
    }

    /// Writes a line for each kind of which there was more.
    pub fn tell(&mut self) {
        let counts = counts(&self.counters);
        for ((message, now), before) in KINDS.iter().zip(&counts).zip(&self.last) {
            let more = now.saturating_sub(*before);
            if more == 0 {
                continue;
            }
            let mut fields = vec![("count", json!(more))];
            let why = self.counters.last_refusal();
            fields.extend(
                why.filter(|_| *message == KINDS[0])
                    .map(|why| ("why", json!(why))),
            );
            self.log.warning(message, &fields);
        }
        self.last = counts;
    }
}

fn counts(counters: &Counters) -> [u64; KINDS.len()] {
    let sum = |of: fn(&OfSignal) -> u64| {
        Signal::ALL
            .iter()
            .map(|signal| of(counters.of(*signal)))
            .sum()
    };
    [
        sum(|of| of.failed.get()),
        sum(|of| of.overloaded.get()),
        sum(|of| of.rejected.get()),
        counters.requests_denied.get(),
        counters.connections_refused.get(),
    ]
}
