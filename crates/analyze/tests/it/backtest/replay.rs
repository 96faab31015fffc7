//! The replay, held against looking every second.

use proptest::prelude::*;
use tachograph_analyze::question::backtest::Point;
use tachograph_model::UnixNanos;
use tachograph_model::alert::{Condition, Machine, Notice, Op, Rule, Stat, State, Terms};

use super::{SECOND, START, STATS, figure, replayed, rule};

const OPS: [Op; 6] = [
    Op::Above,
    Op::AtLeast,
    Op::Below,
    Op::AtMost,
    Op::Equals,
    Op::Differs,
];

/// Start and end of each firing, how often people were told, and the last state.
type Past = (Vec<(UnixNanos, Option<UnixNanos>)>, u64, State);

fn second_by_second(rule: &Rule, points: &[Point], seconds: i64) -> Past {
    let terms = Terms::of(rule).unwrap();
    let mut machine = Machine::default();
    let (mut firings, mut told): (Vec<(UnixNanos, Option<UnixNanos>)>, u64) = (Vec::new(), 0);
    for look in 0..=seconds {
        let at = START + look * SECOND;
        let window = i64::try_from(rule.window_seconds).unwrap();
        let (count, figure) = figure(terms.condition.stat, window, at, points);
        let figure = figure.filter(|_| count >= rule.min_count);
        let transition = machine.step(UnixNanos(at), &terms, figure);
        let notice = transition.and_then(|it| it.notice);
        told += u64::from(notice == Some(Notice::Firing));
        let Some(fired) = machine.fired_at() else {
            continue;
        };
        match firings.last_mut() {
            Some(last) if last.0 == fired => last.1 = machine.resolved_at(),
            _ => firings.push((fired, machine.resolved_at())),
        }
    }
    (firings, told, machine.state())
}

fn point() -> impl Strategy<Value = Point> {
    // Sums of these are exact in any order.
    let value = proptest::option::weighted(0.9, (-40..400_i32).prop_map(|it| f64::from(it) / 4.0));
    let at = prop_oneof![
        (-900..2400_i64).prop_map(|second| second * SECOND),
        -900 * SECOND..2400 * SECOND,
        (300..360_i64).prop_map(|second| second * SECOND),
    ];
    let times = prop_oneof![8 => Just(1), 1 => 1..5_u64];
    (at, value, times, any::<bool>()).prop_map(|(at, value, times, failed)| Point {
        at: UnixNanos(START + at),
        value,
        times: if value.is_some() { times } else { 1 },
        failed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn it_is_as_looking_every_second(
        mut points in proptest::collection::vec(point(), 0..120),
        (stat, op) in (0..STATS.len(), 0..OPS.len()),
        number in (0..200_i32).prop_map(|it| f64::from(it) / 8.0),
        (window, for_seconds, cooldown) in (1..900_u64, 0..120_u64, 0..900_u64),
        min_count in 1..4_u64,
    ) {
        let condition = Condition { stat: STATS[stat], op: OPS[op], number };
        // Ratios and rates are small.
        let number = if matches!(condition.stat, Stat::Ratio | Stat::Rate) {
            number / 25.0
        } else {
            number
        };
        let rule = Rule {
            window_seconds: window,
            for_seconds,
            cooldown_seconds: cooldown,
            min_count,
            threshold: number,
            ..rule("tool", "t", &condition.to_string())
        };
        let seconds = 2000;
        let found = replayed(&rule, &points, seconds);
        // A clock that goes ahead counts as of then.
        let last = UnixNanos(START + seconds * SECOND);
        points.iter_mut().for_each(|point| point.at = point.at.min(last));
        points.sort_by_key(|point| point.at);
        let (firings, told, state) = second_by_second(&rule, &points, seconds);
        let listed: Vec<_> = found.firings.iter().map(|it| (it.start, it.end)).collect();
        prop_assert_eq!(&listed, &firings);
        prop_assert_eq!((found.fired, found.told), (firings.len() as u64, told));
        let total: f64 = firings
            .iter()
            .map(|(start, end)| (end.unwrap_or(last).0 - start.0) as f64 / SECOND as f64)
            .sum();
        prop_assert_eq!(found.firing_seconds, total);
        if let Some(standing) = found.alerts.first() {
            prop_assert_eq!(standing.state, state);
        }
    }
}

/// More values than are put in order one by one, and more than are held.
#[test]
fn of_many_values_percentiles_are_within_the_error_of_sketches() {
    for (count, window) in [(10_000_i64, 600_u64), (200_000, 86_400)] {
        let seconds = 86_400;
        let points: Vec<Point> = (0..count)
            .map(|at| {
                let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                let value = 10_f64.powf(noise as f64 / (1 << 24) as f64 * 4.0);
                let at = seconds * SECOND - (count - at) * (SECOND / 20);
                Point {
                    at: UnixNanos(START + at),
                    value: Some(value),
                    times: 1,
                    failed: false,
                }
            })
            .collect();
        for stat in [
            Stat::P50,
            Stat::P95,
            Stat::Sum,
            Stat::Max,
            Stat::Count,
            Stat::Avg,
        ] {
            let rule = Rule {
                window_seconds: window,
                ..rule("tool", "t", &format!("{} > 0", stat.name()))
            };
            let found = replayed(&rule, &points, seconds)
                .alerts
                .remove(0)
                .value
                .unwrap();
            let now = START + seconds * SECOND;
            let wanted = figure(stat, window as i64, now, &points).1.unwrap();
            let error = if count > 65_536 {
                0.01
            } else {
                1.0 / 256.0 + 1e-12
            };
            let off = (found / wanted - 1.0).abs();
            assert!(off <= error, "{count} {}: {found} {wanted}", stat.name());
        }
    }
}

/// More than are held one by one: the first of a second does not stand for all.
#[test]
fn of_very_many_values_the_mean_is_that_of_all() {
    let point = |value: f64| Point {
        at: UnixNanos(START),
        value: Some(value),
        times: 1,
        failed: false,
    };
    let mut points = vec![point(100.0); (1 << 16) + 1];
    points[0] = point(0.0);
    let found = replayed(&rule("tool", "t", "avg > 99"), &points, 10);
    assert_eq!(found.fired, 1, "{:?}", found.alerts);
}
