//! THE ARITHMETIC: slices in, numbers out. Knows nothing of events, files or
//! time; uses no other room.
//!
//! ```text
//!   Vec<f64> ──► Sample (finite, ordered) ──► quantile, outliers
//!   &mut [T] ──────────────────────────────► quantiles_unsorted (O(n), exact)
//!   values, one by one ──► Histogram ──► quantiles (≤ 0.4 %), exact count, sum, ends
//!                            │   ▲                      merge, encode, decode
//!                            └───┘
//!   series in order of time ──► trend, changepoint       two slices ──► compare
//!   so many of so many, twice ──► fisher   p values of many findings ──► holm
//! ```
//!
//! ```
//! use tachograph_stats::{Fraction, Sample, quantile, round_half_even_decimal};
//!
//! let (sample, dropped) = Sample::new(vec![3.0, 1.0, f64::NAN, 2.0, 4.0]);
//! assert_eq!(dropped, 1);
//! let p95 = quantile(&sample.expect("four values"), Fraction::P95);
//! assert_eq!(round_half_even_decimal(p95, 2), 3.85);
//! ```
//!
//! Invariants:
//! - One definition of a quantile: type 7, never outside minimum and maximum.
//! - "Not enough data" is `None`, never 0.0. No input panics.
//! - Sums and means are exact and rounded once, so they do not depend on order
//!   or on how the values were split and merged.
//! - Each algorithm names its paper and its reference implementation; tables
//!   made by the latter are in `tests/data`.

#![deny(missing_docs)]

mod changepoint;
mod compare;
mod exact;
mod outlier;
mod proportion;
mod quantile;
mod round;
mod sample;
mod sketch;
mod special;
mod summary;
mod trend;

pub use changepoint::{level_shifts, noise_penalty};
pub use compare::{Difference, MannWhitney, mann_whitney, student, welch};
pub use exact::ExactSum;
pub use outlier::{Fences, RobustScale};
pub use proportion::{Fisher, Part, benjamini_hochberg, fisher, holm};
pub use quantile::{Measure, quantile, quantiles_unsorted};
pub use round::{fsum, mean, round_half_even_decimal};
pub use sample::{Fraction, Sample};
pub use sketch::{Bucket, CountBounds, DecodeError, Histogram, MAX_COUNT, RELATIVE_ERROR};
pub use summary::Summary;
pub use trend::{Direction, Line, MannKendall, THEIL_SEN_EXACT, halves, mann_kendall, theil_sen};
