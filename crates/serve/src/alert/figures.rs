//! What live state knows, as conditions ask for it.

use tachograph_model::alert::Reading;

use crate::live::{Family, Stats};

/// The figures of a window; of nothing there are none.
pub fn figures(family: Family, window: Option<&Stats>) -> Reading {
    let Some(stats) = window else {
        return Reading::default();
    };
    Reading {
        count: stats.count,
        sum: stats.sum,
        min: stats.min,
        max: stats.max,
        avg: stats.avg,
        p50: stats.p50,
        p95: stats.p95,
        p99: stats.p99,
        rate: stats.rate,
        ratio: match family {
            // A hit is a 1, a miss a 0.
            Family::Cache => stats.avg,
            _ => stats.failed as f64 / stats.count as f64,
        },
    }
}
