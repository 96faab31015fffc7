//! What every message says of the whole.

use std::time::Duration;

use serde_json::{Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::alert::State;

use crate::alert::Book;
use crate::alert::silence::Silence;
use crate::api::alerts::alert;
use crate::live::Live;

/// Alerts of a state that are named; how many there are is told in any case.
const MOST: usize = 100;

/// Alerts that matter now.
pub(super) struct Alerts {
    firing: usize,
    pending: usize,
    /// The first of them.
    pub(super) lists: Value,
}

impl Alerts {
    pub(super) fn of(book: &Book, silences: &[Silence]) -> Self {
        let now = UnixNanos::now();
        let (mut firing, mut pending) = (0, 0);
        let (mut fire, mut wait) = (Vec::new(), Vec::new());
        for of in book.alerts() {
            let (count, list) = match of.machine.state() {
                State::Firing => (&mut firing, &mut fire),
                State::Pending => (&mut pending, &mut wait),
                _ => continue,
            };
            *count += 1;
            if list.len() < MOST {
                list.push(alert(&of, silences, now));
            }
        }
        Self {
            firing,
            pending,
            lists: json!({"firing": fire, "pending": wait}),
        }
    }
}

pub(super) fn of(live: &Live, window: Duration, alerts: &Alerts) -> Value {
    let pace = live.pace(window);
    json!({
        "events_per_second": pace.events_per_second,
        "failed_per_second": pace.failed_per_second,
        "tokens_per_second": pace.tokens_per_second,
        "cost_per_hour": pace.cost_per_hour,
        "active_sessions": live.overview().active_sessions,
        "alerts_firing": alerts.firing,
        "alerts_pending": alerts.pending,
    })
}
