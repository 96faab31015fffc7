//! The store's notes and errors in the model's words.

use tachograph_model::AskError;
use tachograph_model::answer::{Note, NoteKind};
use tachograph_store::StoreError;

pub(super) fn of_store(notes: &[tachograph_store::Note]) -> Vec<Note> {
    use tachograph_store::Note as From;
    notes
        .iter()
        .map(|note| {
            let kind = match note {
                From::BrokenLines { .. } => NoteKind::LinesSkipped,
                From::NegativeDurations { .. } => NoteKind::ValuesSkipped,
                From::Crowded { .. } => NoteKind::Cardinality,
                _ => NoteKind::SegmentSkipped,
            };
            Note::new(kind, note.to_string())
        })
        .collect()
}

pub(super) fn negative(count: u64) -> Option<Note> {
    (count > 0).then(|| {
        let text = tachograph_store::Note::NegativeDurations { count }.to_string();
        Note::new(NoteKind::ValuesSkipped, text)
    })
}

pub(super) fn read_error(error: StoreError) -> AskError {
    AskError::Read {
        what: error.to_string(),
        source: Some(Box::new(error)),
    }
}
