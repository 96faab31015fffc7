//! Changes: what got worse or better, and since when, from one figure a day.

mod detect;

use detect::{Day, Series};
use tachograph_model::answer::{Changes, Figure};
use tachograph_stats::Part;

use super::discovery::{LOOKUP, hits};
use crate::cells::{self, Cells, Row};

/// Events that a day needs for any figure, for a median (the middle of fewer is
/// chance), and for a part of them that failed.
const MIN_EVENTS: u64 = 5;
const MIN_MEDIAN: u64 = 10;
const MIN_TRIALS: u64 = 20;

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Changes {
    detect::find(&all_series(cells))
}

fn all_series(cells: &Cells) -> Vec<Series> {
    let mut all = Vec::new();
    for event_type in [
        "tool_call",
        "llm_call",
        "query",
        "agent_discovery",
        "agent_load",
        "span",
    ] {
        for (name, rows) in
            cells::groups(cells.of(event_type), |row| Some(name_of(event_type, row)))
        {
            let mut add = |figure, of: fn(&[&Row]) -> Option<Value>| {
                let days = by_day(&rows, of);
                if !days.is_empty() {
                    all.push(Series {
                        event_type,
                        name: name.clone(),
                        figure,
                        days,
                    });
                }
            };
            add(Figure::MedianMs, median);
            add(Figure::FailureRatio, failures);
            if event_type == "llm_call" {
                add(Figure::CostUsd, |rows| {
                    let costs = cells::costs(rows.iter().copied());
                    (costs.count() > 0)
                        .then(|| costs.spread().map(|s| Value::Plain(s.sum)))
                        .flatten()
                });
            }
            if event_type == "agent_discovery" && name == LOOKUP {
                add(Figure::HitRatio, |rows| {
                    let asked = cells::count(rows.iter().copied());
                    let of_them = Part::new(hits(rows.iter().copied()), asked);
                    of_them.filter(|_| enough(rows)).map(Value::Part)
                });
            }
        }
    }
    for (name, rows) in cells::groups(cells.of("cache"), |row| Some(row.name().to_owned())) {
        let days = by_day(&rows, |rows| {
            let of = |hit| {
                cells::count(
                    rows.iter()
                        .copied()
                        .filter(|row| row.key().hit == Some(hit)),
                )
            };
            let (hits, misses) = (of(true), of(false));
            let asked = hits + misses;
            Part::new(hits, asked)
                .filter(|_| asked >= MIN_EVENTS)
                .map(Value::Part)
        });
        if !days.is_empty() {
            all.push(Series {
                event_type: "cache",
                name,
                figure: Figure::HitRatio,
                days,
            });
        }
    }
    all
}

/// What tells series of a type apart: queries by the agent that answered,
/// models with their provider, agents by their hash.
fn name_of(event_type: &str, row: &Row) -> String {
    let key = row.key();
    match (event_type, &key.source, &key.agent) {
        ("llm_call", Some(provider), _) => format!("{provider}/{}", row.name()),
        ("query", _, Some(agent)) => agent.to_string(),
        // One series for all: an agent is loaded too seldom for a day's figure.
        ("agent_load", _, _) => "all agents".to_owned(),
        _ => row.name().to_owned(),
    }
}

/// A day's figure: a part knows of how many.
enum Value {
    Plain(f64),
    Part(Part),
}

fn by_day(rows: &[&Row], figure: fn(&[&Row]) -> Option<Value>) -> Vec<Day> {
    let mut days = cells::groups(rows.iter().copied(), |row| Some(row.cell.start.day()));
    days.sort_by_key(|(day, _)| *day);
    let day = |(day, rows): &(i64, Vec<&Row>)| {
        let (value, part) = match figure(rows)? {
            Value::Plain(value) => (value, None),
            Value::Part(part) => (part.hits() as f64 / part.trials() as f64, Some(part)),
        };
        let day = *day;
        value.is_finite().then_some(Day { day, value, part })
    };
    days.iter().filter_map(day).collect()
}

fn enough(rows: &[&Row]) -> bool {
    cells::count(rows.iter().copied()) >= MIN_EVENTS
}

fn median(rows: &[&Row]) -> Option<Value> {
    let durations = cells::durations(rows.iter().copied());
    (durations.count() >= MIN_MEDIAN)
        .then(|| durations.spread().map(|s| Value::Plain(s.p50)))
        .flatten()
}

fn failures(rows: &[&Row]) -> Option<Value> {
    let outcomes = cells::outcomes(rows.iter().copied());
    let said = outcomes.succeeded + outcomes.failed;
    let failed = Part::new(outcomes.failed, said);
    failed.filter(|_| said >= MIN_TRIALS).map(Value::Part)
}
