//! One figure of a window, for what asks for many series each second: without
//! the totals, and without putting values in order where nobody asks for that.

use std::time::Duration;

use tachograph_model::UnixNanos;
use tachograph_model::alert::{Reading, Stat};

use super::series::{self, EXACT, REACH};
use super::slot::{At, Slot};
use super::{Family, Live};
use crate::alert::{NONE, Series, figures};

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
        let light = light(family, series, stat, length, now);
        Some(light.unwrap_or_else(|| {
            let (happened, window) = series.window(length, now).unzip();
            figures(family, happened.as_ref(), window.flatten().as_ref())
        }))
    }

    /// The figures of every series of a family, of those of one `source` alone
    /// when it is given.
    pub fn all_figures(
        &self,
        family: Family,
        source: Option<&str>,
        length: Duration,
    ) -> Vec<(Series, Reading)> {
        let now = UnixNanos::now().0;
        self.each(family, source, |entry| {
            let (happened, window) = entry.series.window(length, now).unzip();
            let figures = figures(family, happened.as_ref(), window.flatten().as_ref());
            Some(((entry.source.clone(), entry.name.clone()), figures))
        })
    }
}

/// `None`: it takes the whole window to tell.
fn light(
    family: Family,
    series: &series::Series,
    stat: Stat,
    length: Duration,
    now: i64,
) -> Option<Reading> {
    let length = length.min(REACH);
    let from = now.saturating_sub(i64::try_from(length.as_nanos()).ok()?);
    let seconds = length.as_secs_f64();
    // What stands for several is not told one by one.
    let points = match series.is_weighted() {
        false => series.points.since(from, EXACT),
        true => None,
    };
    let Some(mut points) = points else {
        let ranked = matches!(stat, Stat::P50 | Stat::P95 | Stat::P99);
        return (!ranked).then(|| summed(family, series.total(from), seconds));
    };
    let count = points.len();
    let (bare, failed) = series.bare_and_failed(from);
    let all = bare + count as u64;
    if all == 0 {
        return Some(NONE);
    }
    let mut reading = Reading {
        count: all,
        rate: all as f64 / seconds,
        ratio: failed.min(all) as f64 / all as f64,
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
    if family == Family::Cache {
        // A hit is a 1, a miss a 0.
        reading.ratio = reading.avg;
    }
    match stat {
        Stat::P50 => reading.p50 = ranked(&mut points, 0.5),
        Stat::P95 => reading.p95 = ranked(&mut points, 0.95),
        Stat::P99 => reading.p99 = ranked(&mut points, 0.99),
        _ => {}
    }
    Some(reading)
}

/// Of counts and sums alone.
fn summed(family: Family, total: Option<Slot>, seconds: f64) -> Reading {
    let Some(total) = total else { return NONE };
    let all = total.bare.saturating_add(total.count);
    let of_all = Reading {
        count: all,
        rate: all as f64 / seconds,
        ratio: total.failed.min(all) as f64 / all as f64,
        ..NONE
    };
    if total.count == 0 {
        return of_all;
    }
    let avg = total.mean();
    Reading {
        sum: total.sum,
        min: total.min,
        max: total.max,
        avg,
        ratio: match family {
            Family::Cache => avg,
            _ => of_all.ratio,
        },
        ..of_all
    }
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
        for (count, kind) in [0_i64, 1, 2, 3, 60, 999, 1001, 1190]
            .into_iter()
            .flat_map(|count| [(count, "metric"), (count, "tool_call"), (count, "cache")])
        {
            let family = match kind {
                "metric" => Family::Metric,
                "tool_call" => Family::Tool,
                _ => Family::Cache,
            };
            let mut state = State::new(64);
            for at in 0..count + 1 {
                // The first lies before the window.
                let ago = if at == 0 {
                    2000 * SECOND
                } else {
                    at * SECOND / 4
                };
                let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
                let event = Event::new(UnixNanos(now - ago), kind).with(Column::Name, "m");
                let event = match kind {
                    "metric" => event
                        .with(Column::Source, "s")
                        .with(Column::Value, noise as f64 - 1000.0),
                    // Some tell no duration, and some failed.
                    "tool_call" if noise.is_multiple_of(5) => event.with(Column::Success, false),
                    "tool_call" => event
                        .with(Column::DurationMs, noise as f64)
                        .with(Column::Success, !noise.is_multiple_of(3)),
                    _ => event.with(Column::Hit, !noise.is_multiple_of(3)),
                };
                state.take(&event.to_line(), UnixNanos(now));
            }
            let source = if kind == "metric" { "s" } else { "" };
            let place = state.find(family, source, "m").expect("it is there");
            let series = &state.entries[place].series;
            let length = Duration::from_secs(300);
            let (happened, whole) = series.window(length, now).unzip();
            let whole = whole.flatten();
            let whole = figures(family, happened.as_ref(), whole.as_ref());
            for name in Stat::NAMES {
                let text = format!("{name} > 0");
                let condition = tachograph_model::alert::Condition::parse(&text);
                let stat = condition.expect("a condition").stat;
                let Some(found) = light(family, series, stat, length, now) else {
                    assert!(count > 1000 && name.starts_with('p'), "{count} {name}");
                    continue;
                };
                let (found, wanted) = (found.figure(stat), whole.figure(stat));
                let near = match (found, wanted) {
                    (Some(found), Some(wanted)) => {
                        (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
                    }
                    (found, wanted) => found == wanted,
                };
                assert!(near, "{count} {kind} {name}: {found:?} {wanted:?}");
            }
        }
    }
}
