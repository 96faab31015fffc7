//! THE ARITHMETIC: slices in, numbers out.

mod exact;
mod quantile;
mod sample;
mod sketch;

pub use exact::ExactSum;
pub use quantile::{Measure, quantile, quantiles_unsorted};
pub use sample::{Fraction, Sample};
pub use sketch::{Bucket, CountBounds, DecodeError, Histogram, MAX_COUNT, RELATIVE_ERROR};
