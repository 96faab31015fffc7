use serde::Serialize;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// The worst first, then what got better.
    pub changes: Vec<Change>,
    /// How many daily series were looked at.
    pub series: u64,
    /// How many had too few days to tell.
    pub too_short: u64,
}

/// One finding in one daily series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Type of the events: `tool_call`, `llm_call`, …
    pub event_type: String,
    /// Which of them: the tool, the model, the cache.
    pub name: String,
    /// Which figure of each day.
    pub figure: Figure,
    /// What kind of finding.
    pub finding: Finding,
    /// Date (UTC) since when, or on which.
    pub since: String,
    /// The figure before, or on other days; mean of the days.
    pub before: f64,
    /// The figure since, or on that day; mean of the days.
    pub after: f64,
    /// `after / before`; `None` when it was next to nothing before.
    pub factor: Option<f64>,
    /// Days in `before`.
    pub days_before: u64,
    /// Days in `after`.
    pub days_after: u64,
    /// Chance of such a difference without a change. For a shift two-sided, and
    /// times the splits that were tried: of parts by the events (Fisher's exact
    /// test), of medians the larger of that by the calls (Mood's median test) and
    /// that by the days (Student's t), of sums by the days (Mann–Whitney U). For
    /// an odd day of a part or a median by the events, corrected for all days
    /// looked at (Holm). `None` for an odd day of a sum, which is judged by its
    /// distance.
    pub p: Option<f64>,
    /// Whether it is for the worse.
    pub worse: bool,
}

/// A figure of each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Median duration, ms.
    MedianMs,
    /// Part that failed, 0..=1.
    FailureRatio,
    /// Part that the cache answered, 0..=1.
    HitRatio,
    /// Sum of cost, US dollars.
    CostUsd,
}

impl Figure {
    /// Returns it in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MedianMs => "median latency",
            Self::FailureRatio => "failure rate",
            Self::HitRatio => "hit rate",
            Self::CostUsd => "cost a day",
        }
    }
}

/// What kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// From a day on, it is different.
    LevelShift,
    /// One day stands out.
    Outlier,
}

impl Changes {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
