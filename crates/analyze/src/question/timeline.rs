//! Figures over time: cells of as long a stretch as the answer's, or of whole
//! parts of it.

use std::num::NonZeroU32;

use tachograph_model::answer::{Measure, Note, NoteKind, Timeline, TimelineBucket};
use tachograph_model::question::{self, Buckets};
use tachograph_model::{Column, KINDS};
use tachograph_store::Grain;

use super::caches::{self, What};
use crate::cells::{self, Cells, Row};

const NAME: &str = "timeline";

/// How finely events are folded for it.
pub(crate) fn grain(question: &question::Timeline) -> Grain {
    let Buckets { seconds, count, .. } = question.stretches();
    let every = u32::try_from(seconds).ok().and_then(NonZeroU32::new);
    match every {
        // One alone begins anywhere, which no stretch of the fold does.
        Some(seconds) if count > 1 => Grain::Every(seconds),
        _ => Grain::Day,
    }
}

/// Answers from the cells.
pub fn answer(question: &question::Timeline, cells: &Cells, notes: &mut Vec<Note>) -> Timeline {
    let stretches = question.stretches();
    let kind = question.kind.as_deref();
    let wanted = |row: &&Row| {
        let is = |asked: &Option<String>, held: &str| asked.as_ref().is_none_or(|a| a == held);
        is(&question.name, row.name())
            && is(&question.source, row.source().unwrap_or(cells::UNKNOWN))
    };
    let rows = match kind {
        Some(kind) => cells.of(kind),
        None => cells.all(),
    };
    let mut places: Vec<Vec<&Row>> = vec![Vec::new(); stretches.count as usize];
    let mut later = 0;
    for row in rows.iter().filter(wanted) {
        match stretches.place(row.cell.start) {
            Some(place) => places[place as usize].push(row),
            None => later += row.cell.count,
        }
    }
    if later > 0 {
        let text = format!("{later} of the events are later than the last stretch, in the future");
        notes.push(Note::on(NAME, NoteKind::ValuesSkipped, text));
    }
    let measure = kind.map(measure_of);
    Timeline {
        kind: question.kind.clone(),
        name: question.name.clone(),
        source: question.source.clone(),
        measure,
        bucket_seconds: stretches.seconds,
        buckets: places
            .iter()
            .zip(0..)
            .map(|(rows, place)| TimelineBucket {
                from: stretches.start(place),
                ..bucket(rows, measure)
            })
            .collect(),
        later,
    }
}

/// What a type of event is looked at for: how long it took, where it says.
fn measure_of(kind: &str) -> Measure {
    let has = |column: Column| {
        let mut kinds = KINDS.iter();
        let kind = kinds.find(|known| known.name == kind);
        kind.is_some_and(|kind| kind.fields.iter().any(|field| field.column == column))
    };
    match has(Column::Value) && !has(Column::DurationMs) {
        true => Measure::Value,
        false => Measure::DurationMs,
    }
}

fn bucket(rows: &[&Row], measure: Option<Measure>) -> TimelineBucket {
    let all = || rows.iter().copied();
    let of = |kind: &'static str| all().filter(move |row| &*row.key().event_type == kind);
    let outcomes = cells::outcomes(all());
    let spread = match measure {
        Some(Measure::DurationMs) => cells::durations(all()).spread(),
        Some(Measure::Value) => cells::values(all()).spread(),
        None => None,
    };
    let tokens = |column| {
        let mut calls = of("llm_call");
        let said = calls.any(|row| row.cell.whole(column).present > 0);
        said.then(|| cells::sum(of("llm_call"), column))
    };
    let count = |what: What| cells::count(all().filter(|row| caches::what_of(row.key()) == what));
    let (hits, misses) = (count(What::Hit), count(What::Miss));
    let looked_up = hits + misses > 0;
    TimelineBucket {
        count: outcomes.total(),
        failed: outcomes.failed,
        unknown: outcomes.unknown,
        p50: spread.map(|s| s.p50),
        p95: spread.map(|s| s.p95),
        p99: spread.map(|s| s.p99),
        mean: spread.map(|s| s.mean),
        sum: spread.map(|s| s.sum),
        input_tokens: tokens(Column::InputTokens),
        output_tokens: tokens(Column::OutputTokens),
        cost_usd: cells::costs(of("llm_call")).sum(),
        hits: looked_up.then_some(hits),
        misses: looked_up.then_some(misses),
        ..TimelineBucket::default()
    }
}
