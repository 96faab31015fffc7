use serde::{Deserialize, Serialize};

/// Something one should know to judge an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// In words: a sentence without a capital or a full stop.
    pub text: String,
    /// The question it belongs to; `None` when it belongs to all.
    pub question: Option<&'static str>,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Quantiles come from sketches; the text states the error.
    SketchError,
    /// Lines of the log that hold no event were left out.
    LinesSkipped,
    /// A damaged file was left out.
    SegmentSkipped,
    /// Values that are not numbers, or negative durations, were left out.
    ValuesSkipped,
    /// Too few values to tell.
    NotEnoughData,
    /// Events were lost while recording.
    LossyRecording,
    /// A second method's opinion of the same data.
    SecondOpinion,
    /// What the figure is measured against.
    Baseline,
    /// More rows were found than returned.
    RowLimit,
    /// Series were folded into one, or names left out, to bound their number.
    Cardinality,
    /// Of several things asked together, one has no answer; the text says why.
    Unanswered,
}

impl Note {
    /// Makes a note that belongs to the whole answer.
    pub fn new(kind: NoteKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            question: None,
        }
    }

    /// Makes a note that belongs to one question's figures.
    pub fn on(question: &'static str, kind: NoteKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            question: Some(question),
        }
    }
}
