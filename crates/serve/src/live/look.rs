//! One figure of a window, for what asks for many series each second: without
//! the totals, and without putting values in order where nobody asks for that.

use std::time::Duration;

use tachograph_model::UnixNanos;
use tachograph_model::alert::{Reading, Stat};

use super::series::{EXACT, REACH, Series};
use super::slot::At;
use super::{Family, Live};
use crate::alert::{NONE, figures};

impl Live {
    /// The figures of one series, of its percentiles that of `stat` alone;
    /// `None`: there is no such series.
    pub fn figures(
        &self,
        family: Family,
        source: &str,
        name: &str,
        stat: Stat,
        length: Duration,
    ) -> Option<Reading> {
        let now = UnixNanos::now().0;
        let state = self.state();
        let series = &state.entries[state.find(family, source, name)?].series;
        let light = light(series, stat, length, now);
        Some(light.unwrap_or_else(|| {
            let (happened, window) = series.window(length, now).unzip();
            figures(family, happened.as_ref(), window.flatten().as_ref())
        }))
    }
}

/// `None`: it takes the whole window to tell.
fn light(series: &Series, stat: Stat, length: Duration, now: i64) -> Option<Reading> {
    let length = length.min(REACH);
    let from = now.saturating_sub(i64::try_from(length.as_nanos()).ok()?);
    // What failed is told by slots, and what stands for several by nothing here.
    if stat == Stat::Ratio || series.is_weighted() {
        return None;
    }
    let mut points = series.points.since(from, EXACT)?;
    let count = points.len();
    let all = series.bare(from) + count as u64;
    let mut reading = Reading {
        count: all,
        rate: all as f64 / length.as_secs_f64(),
        ..NONE
    };
    if count == 0 {
        return Some(reading);
    }
    (reading.sum, reading.min, reading.max) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for (_, value) in &points {
        reading.sum += value;
        reading.min = reading.min.min(*value);
        reading.max = reading.max.max(*value);
    }
    if !reading.sum.is_finite() {
        return None;
    }
    reading.avg = (reading.sum / count as f64).clamp(reading.min, reading.max);
    match stat {
        Stat::P50 => reading.p50 = ranked(&mut points, 0.5),
        Stat::P95 => reading.p95 = ranked(&mut points, 0.95),
        Stat::P99 => reading.p99 = ranked(&mut points, 0.99),
        _ => {}
    }
    Some(reading)
}

/// Type 7 (Hyndman & Fan, "Sample Quantiles in Statistical Packages", 1996), as
/// everywhere, by selection instead of order. There is at least one point.
fn ranked(points: &mut [At], fraction: f64) -> f64 {
    let rank = fraction * (points.len() - 1) as f64;
    let by_value = |one: &At, other: &At| one.1.total_cmp(&other.1);
    let (_, low, above) = points.select_nth_unstable_by(rank as usize, by_value);
    let low = low.1;
    let next = above.iter().map(|point| point.1).min_by(f64::total_cmp);
    let next = next.unwrap_or(low);
    // Of both ends, so that two far apart do not go beyond what a number holds.
    let part = rank.fract();
    (low * (1.0 - part) + next * part).clamp(low, next)
}

#[cfg(test)]
mod tests {
    use tachograph_model::{Column, Event};

    use super::super::State;
    use super::*;

    #[test]
    fn each_figure_is_that_of_the_whole_window() {
        const SECOND: i64 = 1_000_000_000;
        let now = 1_763_640_000 * SECOND;
        for count in [0_i64, 1, 2, 3, 60, 999, 1001] {
            let mut state = State::new(64);
            for at in 0..count + 1 {
                // The first lies before the window.
                let ago = if at == 0 {
                    2000 * SECOND
                } else {
                    at * SECOND / 4
                };
                let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
                let event = Event::new(UnixNanos(now - ago), "metric")
                    .with(Column::Source, "s")
                    .with(Column::Name, "m")
                    .with(Column::Value, noise as f64 - 1000.0);
                state.take(&event.to_line(), UnixNanos(now));
            }
            let place = state.find(Family::Metric, "s", "m").expect("it is there");
            let series = &state.entries[place].series;
            let length = Duration::from_secs(300);
            let (happened, whole) = series.window(length, now).unzip();
            let whole = whole.flatten();
            let whole = figures(Family::Metric, happened.as_ref(), whole.as_ref());
            for name in Stat::NAMES {
                let text = format!("{name} > 0");
                let condition = tachograph_model::alert::Condition::parse(&text);
                let stat = condition.expect("a condition").stat;
                let Some(found) = light(series, stat, length, now) else {
                    assert!(count > 1000 || stat == Stat::Ratio, "{count} {name}");
                    continue;
                };
                let (found, wanted) = (found.figure(stat), whole.figure(stat));
                let near = match (found, wanted) {
                    (Some(found), Some(wanted)) => {
                        (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
                    }
                    (found, wanted) => found == wanted,
                };
                assert!(near, "{count} {name}: {found:?} {wanted:?}");
            }
        }
    }
}
