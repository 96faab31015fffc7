//! What the doors turned away since the last look, told to the log: the library
//! only counts it.

use std::sync::Arc;

use serde_json::json;
use tachograph_serve::counters::{Counters, OfSignal, Signal};

use super::log::Log;

/// What there is to tell of: a line, and how often it was so.
type Kind = (&'static str, fn(&Counters) -> u64);

const DISK: &str = "the disk refused what came";

const KINDS: [Kind; 14] = [
    (DISK, |counters| sum(counters, |of| of.failed.get())),
    (
        "the home was gone and was made again; what was in it is lost",
        |counters| counters.homes_made.get(),
    ),
    ("too much came at once", |counters| {
        sum(counters, |of| of.overloaded.get())
    }),
    ("records were wrong and left out", |counters| {
        sum(counters, |of| of.rejected.get())
    }),
    (
        "records were left out: there were too many series; give metrics fewer names and tags",
        |counters| sum(counters, |of| of.crowded.get()),
    ),
    ("requests were denied (host, origin, token)", |counters| {
        counters.requests_denied.get()
    }),
    (
        "connections were turned away: all places were taken, and nobody was idle; have clients \
         keep one connection each, and close those they do not need",
        |counters| counters.connections_refused.get(),
    ),
    (
        "idle connections were closed because others needed their places; have clients keep one \
         connection each, and close those they do not need",
        |counters| counters.connections_evicted.get(),
    ),
    (
        "alerts fired or were resolved; /api/v1/alerts shows them",
        |counters| counters.alerts_told.get(),
    ),
    (
        "the API's alert rules could not be read (alerts/rules.json in the home); those known \
         before are watched",
        |counters| counters.alert_rules_unreadable.get(),
    ),
    (
        "silences could not be read (alerts/silences.json in the home); those known before count",
        |counters| counters.silences_unreadable.get(),
    ),
    (
        "channels of alerts could not be told, and are tried again; /api/v1/alerts says why",
        |counters| counters.notifications_failed.get(),
    ),
    (
        "alerts were given up that a channel could not be told of; alerts/undelivered.jsonl in \
         the home has them",
        |counters| counters.alerts_undelivered.get(),
    ),
    (
        "how alerts stand, or who was told of them, could not be kept (alerts/state.json and \
         alerts/told.jsonl in the home)",
        |counters| counters.alert_states_unkept.get(),
    ),
];

/// The counters, and what they said last.
pub struct Denials {
    counters: Arc<Counters>,
    log: Log,
    last: [u64; KINDS.len()],
    /// Whether it was said that spans are left out which are no agent's.
    told_foreign: bool,
}

impl Denials {
    pub fn new(counters: Arc<Counters>, log: Log) -> Self {
        let last = KINDS.map(|(_, count)| count(&counters));
        Self {
            counters,
            log,
            last,
            told_foreign: false,
        }
    }

    /// Writes a line for each kind of which there was more.
    pub fn tell(&mut self) {
        for ((message, count), last) in KINDS.iter().zip(&mut self.last) {
            let now = count(&self.counters);
            let more = now.saturating_sub(std::mem::replace(last, now));
            if more == 0 {
                continue;
            }
            let mut fields = vec![("count", json!(more))];
            let why = self.counters.last_refusal();
            fields.extend(
                why.filter(|_| *message == DISK)
                    .map(|why| ("why", json!(why))),
            );
            self.log.warning(message, &fields);
        }
        if let Some(why) = self.counters.take_alert_state_lost() {
            let message = "how alerts stood could not be read (alerts/state.json in the home), \
                and is begun anew: what the log says fires is taken to do so";
            self.log.warning(message, &[("why", json!(why))]);
        }
        self.tell_foreign();
    }

    /// Once: a program that is traced sends them all the time.
    fn tell_foreign(&mut self) {
        let foreign = sum(&self.counters, |of| of.foreign.get());
        if foreign == 0 || std::mem::replace(&mut self.told_foreign, true) {
            return;
        }
        let message = "spans were left out that tell of no model, tool or agent (told once); \
            those count that bear gen_ai.operation.name, openinference.span.kind or \
            traceloop.span.kind, which an instrumentation of the model's library sets, or \
            send events as JSON; docs/guide/metrics.md says how many came";
        self.log.info(message, &[("count", json!(foreign))]);
    }
}

fn sum(counters: &Counters, of: fn(&OfSignal) -> u64) -> u64 {
    let signals = Signal::ALL.iter();
    signals.map(|signal| of(counters.of(*signal))).sum()
}
