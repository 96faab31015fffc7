use serde::Serialize;

/// Discovery day by day.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Trends {
    /// UTC days with operations, in order.
    pub days: Vec<TrendDay>,
    /// Where latency is heading, by the first seed's rule on exact means, each
    /// day weighted by how many values its mean stands for. `None` below two
    /// days with latencies.
    pub direction: Option<Direction>,
    /// What methods say that outliers do not sway; `None` below three days.
    pub second_opinion: Option<SecondOpinion>,
}

/// One UTC day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrendDay {
    /// `2025-11-20`.
    pub date: String,
    /// Discovery operations.
    pub operations: u64,
    /// Of these, with a duration.
    pub measured: u64,
    /// Their mean, ms.
    pub mean_ms: Option<f64>,
    /// Of the operations, `get_agent`.
    pub lookups: u64,
    /// Of these, answered by the cache.
    pub hits: u64,
    /// `hits / lookups`, 0..=1.
    pub hit_ratio: Option<f64>,
}

/// Where latency is heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Falling: the later half of the days is below 0.9 times the earlier.
    Improving,
    /// Neither.
    Stable,
    /// Rising: above 1.1 times.
    Degrading,
}

impl Direction {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Improving => "improving",
            Self::Stable => "stable",
            Self::Degrading => "degrading",
        }
    }
}

/// What Theil–Sen and Mann–Kendall say of the daily means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SecondOpinion {
    /// Median slope, ms a day.
    pub slope_ms_per_day: f64,
    /// Lower end of its 95 % confidence interval.
    pub slope_low: f64,
    /// Upper end.
    pub slope_high: f64,
    /// Kendall's tau: -1 falls always, 1 rises always.
    pub tau: f64,
    /// The chance of such a tau if there were no trend.
    pub p: f64,
    /// Rising or falling when `p` is below 0.05, otherwise stable.
    pub direction: Direction,
}

impl Trends {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }
}
