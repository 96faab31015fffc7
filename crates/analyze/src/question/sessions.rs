//! Sessions: how many, how long, how many tokens.

use tachograph_model::Column;
use tachograph_model::answer::{SessionType, Sessions};

use crate::cells::{self, Cells, Row};

const START: &str = "session_start";
const END: &str = "session_end";

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Sessions {
    let (starts, ends) = (cells.of(START), cells.of(END));
    Sessions {
        started: cells::count(starts),
        ended: cells::count(ends),
        duration_ms: cells::durations(ends).spread(),
        mean_initial_tokens: cells::mean(starts, Column::Tokens),
        mean_tokens: cells::mean(ends, Column::Tokens),
        mean_agents: cells::mean(ends, Column::Count),
        types: cells::groups(starts.iter().chain(ends), |row| Some(row.name()))
            .into_iter()
            .map(|(name, rows)| session_type(name, &rows))
            .collect(),
    }
}

fn session_type(name: &str, rows: &[&Row]) -> SessionType {
    let of = |event_type: &'static str| {
        rows.iter()
            .copied()
            .filter(move |row| &*row.key().event_type == event_type)
    };
    SessionType {
        name: name.to_owned(),
        started: cells::count(of(START)),
        ended: cells::count(of(END)),
        duration_ms: cells::durations(of(END)).spread(),
    }
}
