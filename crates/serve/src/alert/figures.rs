//! What live state knows, as conditions ask for it.

use std::time::Duration;

use tachograph_model::alert::{Reading, Stat};

use super::book::{Look, Series};
use crate::live::{self, Family, Live, Stats};

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
        let readings = self.readings(family, source, window).into_iter();
        let figures = |reading: live::Reading| {
            let figures = figures(family, reading.window.as_ref());
            ((reading.source, reading.name), figures)
        };
        readings.map(figures).collect()
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
    }
}
