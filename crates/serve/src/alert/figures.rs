//! What live state knows, as conditions ask for it.

use std::time::Duration;

use tachograph_model::alert::{Reading, Stat};

use super::book::{Look, Series};
use crate::live::{Counts, Family, Live, Stats};

/// Figures of which none is there, as [`Reading::figure`] takes it.
pub const NONE: Reading = Reading {
    count: 0,
    sum: f64::NAN,
    min: f64::NAN,
    max: f64::NAN,
    avg: f64::NAN,
    p50: f64::NAN,
    p95: f64::NAN,
    p99: f64::NAN,
    rate: f64::NAN,
    ratio: f64::NAN,
};

/// The figures of a window; of nothing there are none, and without values only
/// those of how often.
pub fn figures(family: Family, happened: Option<&Counts>, window: Option<&Stats>) -> Reading {
    let Some(counts) = happened else {
        return NONE;
    };
    let of_all = Reading {
        count: counts.count,
        rate: counts.rate,
        ratio: match (family, window) {
            // A hit is a 1, a miss a 0.
            (Family::Cache, Some(stats)) => stats.avg,
            _ => counts.failed as f64 / counts.count as f64,
        },
        ..NONE
    };
    let Some(stats) = window else {
        return of_all;
    };
    Reading {
        sum: stats.sum,
        min: stats.min,
        max: stats.max,
        avg: stats.avg,
        p50: stats.p50,
        p95: stats.p95,
        p99: stats.p99,
        ..of_all
    }
}

impl Look for Live {
    fn one(
        &self,
        family: Family,
        source: &str,
        name: &str,
        stat: Stat,
        window: Duration,
    ) -> Option<Reading> {
        let source = if family.has_source() { source } else { "" };
        self.figures(family, source, name, stat, window)
    }

    fn every(&self, family: Family, source: &str, window: Duration) -> Vec<(Series, Reading)> {
        let source = Some(source).filter(|source| family.has_source() && !source.is_empty());
        self.all_figures(family, source, window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_may_be_watched() {
        assert_eq!(
            tachograph_model::alert::FAMILIES,
            Family::ALL.map(Family::name)
        );
        let sourced = Family::ALL.into_iter().filter(|family| family.has_source());
        let sourced: Vec<&str> = sourced.map(Family::name).collect();
        assert_eq!(sourced, tachograph_model::alert::SOURCED);
    }
}
