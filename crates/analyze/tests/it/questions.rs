//! Each question, of a log small enough to count by hand.

mod calls;
mod discovery;
mod report;

use tachograph_model::answer::Tally;
use tachograph_model::{Column, Event};

use crate::home::ago;

fn tally(name: &str, count: u64) -> Tally {
    Tally {
        name: name.to_owned(),
        count,
    }
}

fn discovery(seconds: i64, operation: &str, ms: f64, hit: bool) -> Event {
    ago(seconds, "agent_discovery")
        .with(Column::Name, operation)
        .with(Column::DurationMs, ms)
        .with(Column::Hit, hit)
}
