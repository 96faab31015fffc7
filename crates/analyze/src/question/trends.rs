//! Trends: the first seed's rule on exact means, days weighted by how much they
//! hold, and a second opinion.

use tachograph_model::answer::{Direction, Note, NoteKind, SecondOpinion, TrendDay, Trends, ratio};
use tachograph_stats::{halves, mann_kendall, theil_sen};

use super::discovery::{LOOKUP, hits};
use crate::cells::{self, Cells, Row};

const NAME: &str = "trends";

/// Below this chance, a rise or fall is no accident.
const SIGNIFICANT: f64 = 0.05;

/// Answers from the cells.
pub fn answer(cells: &Cells, notes: &mut Vec<Note>) -> Trends {
    let mut by_day = cells::groups(cells.of("agent_discovery"), |row| {
        Some(row.cell.start.day())
    });
    by_day.sort_by_key(|(day, _)| *day);
    let days: Vec<TrendDay> = by_day.iter().map(|(_, rows)| trend_day(rows)).collect();
    let daily: Vec<(f64, u64)> = days
        .iter()
        .filter_map(|day| Some((day.mean_ms?, day.measured)))
        .collect();
    let direction = (daily.len() >= 2).then(|| match halves(&daily) {
        tachograph_stats::Direction::Improving => Direction::Improving,
        tachograph_stats::Direction::Stable => Direction::Stable,
        tachograph_stats::Direction::Degrading => Direction::Degrading,
    });
    if direction.is_none() && !days.is_empty() {
        notes.push(Note::on(
            NAME,
            NoteKind::NotEnoughData,
            "a trend needs latencies on two days at least",
        ));
    }
    let points: Vec<(f64, f64)> = by_day
        .iter()
        .zip(&days)
        .filter_map(|((day, _), row)| Some((*day as f64, row.mean_ms?)))
        .collect();
    let second_opinion = second_opinion(&points);
    note_opinion(direction, second_opinion, notes);
    Trends {
        days,
        direction,
        second_opinion,
    }
}

fn trend_day(rows: &[&Row]) -> TrendDay {
    let durations = cells::durations(rows.iter().copied());
    let lookups: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.name() == LOOKUP)
        .collect();
    let asked = cells::count(lookups.iter().copied());
    let hits = hits(lookups);
    TrendDay {
        date: rows.first().map(|row| row.date()).unwrap_or_default(),
        operations: cells::count(rows.iter().copied()),
        measured: durations.count(),
        mean_ms: durations.mean(),
        lookups: asked,
        hits,
        hit_ratio: ratio(hits, asked),
    }
}

/// Theil–Sen's slope over the days and Mann–Kendall's test; `points` are day
/// numbers and means, in order.
fn second_opinion(points: &[(f64, f64)]) -> Option<SecondOpinion> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let test = mann_kendall(&y)?;
    let line = theil_sen(&x, &y)?;
    let direction = if test.p >= SIGNIFICANT {
        Direction::Stable
    } else if test.s > 0 {
        Direction::Degrading
    } else {
        Direction::Improving
    };
    Some(SecondOpinion {
        slope_ms_per_day: line.slope,
        slope_low: line.slope_low,
        slope_high: line.slope_high,
        tau: test.tau,
        p: test.p,
        direction,
    })
}

fn note_opinion(
    direction: Option<Direction>,
    opinion: Option<SecondOpinion>,
    notes: &mut Vec<Note>,
) {
    let (Some(direction), Some(opinion)) = (direction, opinion) else {
        return;
    };
    if direction == opinion.direction {
        return;
    }
    notes.push(Note::on(
        NAME,
        NoteKind::SecondOpinion,
        format!(
            "by halves the trend is {}, but a Mann-Kendall test over the days says {} \
             (p = {:.3}; median slope {:+.3} ms a day)",
            direction.as_str(),
            opinion.direction.as_str(),
            opinion.p,
            opinion.slope_ms_per_day,
        ),
    ));
}
