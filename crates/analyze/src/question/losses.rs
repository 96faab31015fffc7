//! Losses: what the recorder says it could not record.

use tachograph_model::Column;
use tachograph_model::answer::{Loss, Losses, Note, NoteKind};

use super::tools::{first, last};
use crate::cells::{self, Cells, Row, UNKNOWN};

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Losses {
    let rows = cells.of("loss");
    let mut losses: Vec<Loss> = cells::groups(rows, |row| {
        Some((row.name(), row.key().status.as_deref().unwrap_or(UNKNOWN)))
    })
    .into_iter()
    .map(|((kind, reason), rows)| loss(kind, reason, &rows))
    .collect();
    losses.sort_by_key(|loss| std::cmp::Reverse(loss.count));
    Losses {
        total: losses.iter().map(|loss| loss.count).sum(),
        losses,
    }
}

/// What every answer over a window with losses must say.
pub fn note(cells: &Cells) -> Option<Note> {
    let losses = answer(cells);
    (losses.total > 0).then(|| {
        let s = if losses.total == 1 { "" } else { "s" };
        Note::new(
            NoteKind::LossyRecording,
            format!(
                "{} event{s} of this window could not be recorded",
                losses.total
            ),
        )
    })
}

fn loss(kind: &str, reason: &str, rows: &[&Row]) -> Loss {
    Loss {
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        count: u64::try_from(cells::sum(rows.iter().copied(), Column::Count)).unwrap_or(0),
        first: first(rows),
        last: last(rows),
    }
}
