use super::Note;

/// By which values alert rules judge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleValues {
    /// Of each rule, in the order in which they were asked about: the series that
    /// it watches and that have been heard of within its window; `None`: that was
    /// not found out, and a note says why.
    pub rules: Vec<Option<Vec<SeriesValue>>>,
    /// What spoils it.
    pub notes: Vec<Note>,
}

/// By which value a rule judges one series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesValue {
    /// Of which source; empty where there is none.
    pub source: String,
    /// Of which metric, tool, model, …
    pub name: String,
    /// The figure; `None`: there is none, or it is of too few values.
    pub value: Option<f64>,
}
