//! What the doors turned away since the last look, told to the log: the library
//! only counts it.

use std::sync::Arc;

use serde_json::json;
use tachograph_serve::counters::{Count, Counters, Faults, OfSignal, Signal};
use tachograph_serve::hub::Hub;
use tachograph_serve::live::Live;

use super::log::Log;

/// What there is to tell of: a line, how often it was so, and why the last time,
/// where that is known.
type Kind = (&'static str, fn(&Counters) -> Seen);
type Seen = (u64, Option<String>);

const KINDS: [Kind; 17] = [
    ("the disk refused what came", |counters| {
        let times = sum(counters, |of| of.failed.get());
        (times, counters.last_refusal())
    }),
    (
        "the home was gone and was made again; what was in it is lost",
        |counters| count(&counters.homes_made),
    ),
    ("too much came at once", |counters| {
        (sum(counters, |of| of.overloaded.get()), None)
    }),
    ("records were wrong and left out", |counters| {
        (sum(counters, |of| of.rejected.get()), None)
    }),
    (
        "records were left out: there were too many series; give metrics fewer names and tags",
        |counters| (sum(counters, |of| of.crowded.get()), None),
    ),
    ("requests were denied (host, origin, token)", |counters| {
        count(&counters.requests_denied)
    }),
    (
        "connections were turned away: all places were taken, and nobody was idle; have clients \
         keep one connection each, and close those they do not need",
        |counters| count(&counters.connections_refused),
    ),
    (
        "idle connections were closed because others needed their places; have clients keep one \
         connection each, and close those they do not need",
        |counters| count(&counters.connections_evicted),
    ),
    (
        "alerts fired or were resolved; /api/v1/alerts shows them",
        |counters| count(&counters.alerts_told),
    ),
    (
        "the API's alert rules could not be read (alerts/rules.json in the home); those known \
         before are watched",
        |counters| faults(&counters.alert_rules_unreadable),
    ),
    (
        "silences could not be read (alerts/silences.json in the home); those known before count",
        |counters| faults(&counters.silences_unreadable),
    ),
    (
        "channels of alerts could not be told, and are tried again; /api/v1/alerts says why",
        |counters| count(&counters.notifications_failed),
    ),
    (
        "alerts were given up that a channel could not be told of; alerts/undelivered.jsonl in \
         the home has them",
        |counters| count(&counters.alerts_undelivered),
    ),
    (
        "alerts that a channel could not be told of could not be noted either \
         (alerts/undelivered.jsonl in the home)",
        |counters| faults(&counters.undelivered_unwritten),
    ),
    (
        "how alerts stand, or who was told of them, could not be kept (alerts/state.json and \
         alerts/told.jsonl in the home)",
        |counters| faults(&counters.alert_states_unkept),
    ),
    (
        "how alerts stood could not be read (alerts/state.json in the home), and is begun anew: \
         what the log says fires is taken to do so",
        |counters| faults(&counters.alert_states_lost),
    ),
    (
        "who was told of alerts last could not be read (alerts/told.jsonl in the home): some may \
         be told again",
        |counters| faults(&counters.told_unreadable),
    ),
];

/// The counters, and what they said last.
pub struct Denials {
    counters: Arc<Counters>,
    live: Arc<Live>,
    log: Log,
    last: [u64; KINDS.len()],
    /// Whether it was said that spans are left out which are no agent's.
    told_foreign: bool,
}

impl Denials {
    /// Of counters of this process: whatever they say is still to be told.
    pub fn new(hub: &Hub, log: Log) -> Self {
        Self {
            counters: hub.counters.clone(),
            live: hub.live.clone(),
            log,
            last: [0; KINDS.len()],
            told_foreign: false,
        }
    }

    /// Writes a line for each kind of which there was more.
    pub fn tell(&mut self) {
        for ((message, seen), last) in KINDS.iter().zip(&mut self.last) {
            let (now, why) = seen(&self.counters);
            let more = now.saturating_sub(std::mem::replace(last, now));
            if more == 0 {
                continue;
            }
            let why = why.map(|why| ("why", json!(why)));
            let fields: Vec<_> = [("count", json!(more))].into_iter().chain(why).collect();
            self.log.warning(message, &fields);
        }
        for what in self.live.take_left_out() {
            let message = "live figures do not have all that was sealed before the start";
            self.log.warning(message, &[("without", json!(what))]);
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

fn count(count: &Count) -> Seen {
    (count.get(), None)
}

fn faults(faults: &Faults) -> Seen {
    (faults.get(), faults.why())
}

fn sum(counters: &Counters, of: fn(&OfSignal) -> u64) -> u64 {
    let signals = Signal::ALL.iter();
    signals.map(|signal| of(counters.of(*signal))).sum()
}
