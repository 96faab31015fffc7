use serde::Serialize;

use super::Spread;
use crate::time::UnixNanos;

/// Series of measurements.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// By source, then name.
    pub series: Vec<Series>,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Component; `None` for the host's own `performance` events.
    pub source: Option<String>,
    /// Its name.
    pub name: String,
    /// counter, gauge, histogram, summary or rate; `None` where unsaid.
    pub r#type: Option<String>,
    /// What its values are in, as whoever measured says (UCUM's words as a rule:
    /// `s`, `By`); `None` where nobody says, or they say several.
    pub unit: Option<String>,
    /// How many measurements, including those without a number.
    pub points: u64,
    /// Their values, in the series' own unit.
    pub value: Option<Spread>,
    /// When first measured.
    pub first: UnixNanos,
    /// When last measured.
    pub last: UnixNanos,
}

impl Metrics {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}
