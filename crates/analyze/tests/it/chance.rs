//! What is chance and what is a change, over many worlds made from seeds.

#[path = "../../src/question/changes/detect.rs"]
mod detect;

use std::rc::Rc;

use detect::{Calls, Day, Series, find};
use tachograph_model::answer::{Changes, Figure, Finding};
use tachograph_stats::Part;

/// Numbers from a seed: S. Vigna's SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A normal deviate (Box and Muller).
    fn normal(&mut self) -> f64 {
        let mut unit = || ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        let (one, two) = (unit(), unit());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
    }

    /// How many of `trials` happen.
    fn hits(&mut self, trials: u64, rate: f64) -> u64 {
        let bound = (rate * u32::MAX as f64) as u64;
        (0..trials).filter(|_| self.next() >> 32 < bound).count() as u64
    }
}

fn series(name: usize, figure: Figure, days: Vec<(f64, Option<Part>)>) -> Series<'static> {
    let days = (0..).zip(days).map(|(day, (value, part))| Day {
        day,
        value,
        part,
        whole: true,
    });
    Series {
        event_type: "tool_call",
        name: format!("tool {name}"),
        figure,
        days: days.collect(),
        calls: None,
    }
}

/// How long each call of each day took, in order.
struct Latencies(Vec<Vec<f64>>);

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

impl Calls for Latencies {
    fn median(&self, days: &[Day]) -> Option<f64> {
        let calls = days.iter().flat_map(|day| &self.0[day.day as usize]);
        let mut calls: Vec<f64> = calls.copied().collect();
        calls.sort_by(f64::total_cmp);
        Some(median(&calls))
    }

    fn above(&self, day: &Day, threshold: f64) -> Option<Part> {
        let calls = &self.0[day.day as usize];
        let above = calls.iter().filter(|ms| **ms > threshold).count();
        Part::new(above as u64, calls.len() as u64)
    }
}

/// Medians of calls: so many each day, about so long, `spread` apart (of the
/// logarithm).
fn latencies(
    chance: &mut Chance,
    name: usize,
    spread: f64,
    days: impl IntoIterator<Item = (usize, f64)>,
) -> Series<'static> {
    let of_day = |(calls, level): (usize, f64)| {
        let calls = (0..calls).map(|_| level * (spread * chance.normal()).exp());
        let mut calls: Vec<f64> = calls.collect();
        calls.sort_by(f64::total_cmp);
        calls
    };
    let calls: Vec<Vec<f64>> = days.into_iter().map(of_day).collect();
    let days = calls.iter().map(|calls| (median(calls), None)).collect();
    Series {
        calls: Some(Rc::new(Latencies(calls))),
        ..series(name, Figure::MedianMs, days)
    }
}

/// `days` days of failures, of so many calls each, with the rate of each day.
fn failures(
    chance: &mut Chance,
    name: usize,
    (days, calls): (usize, u64),
    rate: impl Fn(usize) -> f64,
) -> Series<'static> {
    let days = (0..days).map(|day| {
        let part = Part::new(chance.hits(calls, rate(day)), calls).unwrap();
        (part.hits() as f64 / calls as f64, Some(part))
    });
    series(name, Figure::FailureRatio, days.collect())
}

/// A world without any change: 50 tools over 90 days, of all sizes and rates.
fn noise(seed: u64) -> Vec<Series<'static>> {
    let mut chance = Chance(seed);
    (0..50)
        .map(|name| {
            let calls = [20, 45, 100, 300][name % 4];
            let rate = [0.002, 0.02, 0.05, 0.15, 0.4][name % 5];
            failures(&mut chance, name, (90, calls), |_| rate)
        })
        .collect()
}

/// The worlds in which something is found.
fn alarms(worlds: u64, noise: impl Fn(u64) -> Vec<Series<'static>>) -> Vec<Changes> {
    let found = (0..worlds).map(|seed| find(&noise(seed)));
    found.filter(|found| !found.is_empty()).collect()
}

#[test]
fn chance_is_rarely_taken_for_a_change_of_rate() {
    // Odd days 1 %, shifts 5 %: of 30 worlds 1.8 are to be expected at most, and
    // more than 5 have a chance of 0.7 %.
    let found = alarms(30, noise);
    assert!(found.len() <= 5, "{found:?}");
}

/// A world in which no tool gets slower or faster: 24 tools over three weeks, of
/// all sizes, the last day of which has hardly begun. Days differ by `apart` (of
/// the logarithm) beside what chance makes of the calls.
fn steady(seed: u64, apart: f64) -> Vec<Series<'static>> {
    let mut chance = Chance(seed);
    let mut tool = |name: usize| {
        let calls = [10, 18, 40, 120][name % 4];
        let spread = [0.2, 0.45, 1.0][name % 3];
        let mut days = vec![(calls, 20.0); 20];
        days.push((10.max(calls / 4), 20.0));
        for day in &mut days {
            day.1 *= (apart * chance.normal()).exp();
        }
        latencies(&mut chance, name, spread, days)
    };
    (0..24).map(&mut tool).collect()
}

#[test]
fn chance_is_rarely_taken_for_a_change_of_latency() {
    // Odd days 1 %, shifts 5 %: of 40 worlds 2.4 are to be expected at most, and
    // more than 7 have a chance of 0.3 %; whether days are alike or not. (It is
    // 0, 0, 2 and 5: where days differ much, so do their differences.)
    for apart in [0.0, 0.05, 0.15, 0.3] {
        let found = alarms(40, |seed| steady(seed, apart));
        assert!(found.len() <= 7, "{apart}: {}: {found:?}", found.len());
    }
}

#[test]
fn a_tool_that_stays_slower_is_found_among_two_dozen() {
    for seed in 0..10 {
        let mut world = steady(seed, 0.05);
        let level = |day| if day >= 15 { 32.0 } else { 20.0 };
        let days = (0..21).map(|day| (if day < 20 { 60 } else { 15 }, level(day)));
        world.push(latencies(&mut Chance(3000 + seed), 99, 0.45, days));
        let found = find(&world);
        let slow = found.changes.iter().find(|change| change.name == "tool 99");
        let slow = slow.unwrap_or_else(|| panic!("seed {seed}: {found:?}"));
        assert_eq!((slow.finding, slow.worse), (Finding::LevelShift, true));
        let since = ["1970-01-15", "1970-01-16", "1970-01-17"];
        assert!(since.contains(&&*slow.since), "seed {seed}: {slow:?}");
        assert!(slow.p.unwrap() < 0.05);
    }
}

/// As the demo has it: what gets slower day by day is highest on the last, of
/// which there is little yet.
#[test]
fn what_gets_slower_day_by_day_is_no_odd_day_at_the_end() {
    for seed in 0..20 {
        let mut chance = Chance(seed);
        let level = |day: usize| 45.0 * (1.0 + 0.3 * day.saturating_sub(8) as f64);
        let days = (0..14).map(|day| match day {
            5 | 6 => (10, level(day)),
            11 | 12 => (30, level(day)),
            13 => (80, level(day)),
            _ => (300, level(day)),
        });
        let found = find(&[latencies(&mut chance, 1, 0.45, days)]);
        let [slow] = &found.changes[..] else {
            panic!("seed {seed}: {found:?}");
        };
        assert_eq!((slow.finding, slow.worse), (Finding::LevelShift, true));
        // It begins within the ninth day, and shows on the tenth.
        let since = ["1970-01-09", "1970-01-10", "1970-01-11"];
        assert!(since.contains(&&*slow.since), "seed {seed}: {slow:?}");
    }
}

#[test]
fn one_slow_day_is_found_from_so_many_calls_on() {
    let check = |calls: usize, found: bool| {
        for seed in 0..10 {
            let mut chance = Chance(seed);
            let mut days = vec![(200, 20.0); 14];
            days[9] = (calls, 60.0);
            let mut world: Vec<_> = steady(seed, 0.0);
            world.push(latencies(&mut chance, 99, 0.3, days));
            let changes = find(&world).changes;
            let odd = changes.iter().find(|change| change.name == "tool 99");
            assert_eq!(
                odd.is_some(),
                found,
                "{calls} calls, seed {seed}: {changes:?}"
            );
            if let Some(odd) = odd {
                let said = (odd.finding, odd.worse, &*odd.since);
                assert_eq!(said, (Finding::Outlier, true, "1970-01-10"));
                assert!(odd.p.unwrap() <= 0.01);
            }
        }
    };
    // Of all of them above the median the chance is 2^-calls, and 500 days were
    // looked at.
    check(10, false);
    check(40, true);
    check(400, true);
}

#[test]
fn a_sum_of_part_of_a_day_is_in_no_level_and_may_be_too_much_already() {
    let costs = |last: f64, first: f64| {
        let days = (0..16).map(|day| {
            let wobble = 1.0 + 0.02 * (day * 7 % 5) as f64;
            let day = match day {
                0 => first,
                15 => last,
                _ => 10.0,
            };
            (day * wobble, None)
        });
        let mut costs = series(0, Figure::CostUsd, days.collect());
        costs.days[0].whole = false;
        costs.days[15].whole = false;
        find(&[costs]).changes
    };
    assert!(costs(0.5, 0.1).is_empty());
    let [odd] = &costs(40.0, 5.0)[..] else {
        panic!("one");
    };
    assert_eq!((odd.finding, odd.worse), (Finding::Outlier, true));
    // Whole days alone make what is usual.
    assert_eq!(odd.days_before, 14);
    assert!((9.9..10.8).contains(&odd.before), "{odd:?}");
}

#[test]
fn a_bad_day_of_300_calls_is_found_among_fifty_tools() {
    for seed in 0..10 {
        let mut world = noise(seed);
        let rate = |day| if day == 60 { 0.12 } else { 0.02 };
        world.push(failures(&mut Chance(1000 + seed), 99, (90, 300), rate));
        let found = find(&world);
        let bad = found.changes.iter().find(|change| change.name == "tool 99");
        let bad = bad.unwrap_or_else(|| panic!("seed {seed}: {found:?}"));
        assert_eq!(
            (bad.finding, bad.since.as_str()),
            (Finding::Outlier, "1970-03-02")
        );
        assert!(bad.worse && bad.p.unwrap() <= 0.01);
    }
}

#[test]
fn a_rate_that_stays_high_is_found_among_fifty_tools() {
    for seed in 0..10 {
        let mut world = noise(seed);
        let rate = |day| if day >= 80 { 0.12 } else { 0.02 };
        world.push(failures(&mut Chance(2000 + seed), 99, (90, 300), rate));
        let found = find(&world);
        let bad = found.changes.iter().find(|change| change.name == "tool 99");
        let bad = bad.unwrap_or_else(|| panic!("seed {seed}: {found:?}"));
        assert_eq!((bad.finding, bad.worse), (Finding::LevelShift, true));
        assert_eq!((bad.since.as_str(), bad.days_after), ("1970-03-22", 10));
    }
}

#[test]
fn a_few_failures_more_on_one_day_are_chance() {
    let mut chance = Chance(7);
    let quiet = failures(&mut chance, 0, (14, 230), |_| 0.013);
    for (failed, calls) in [(10, 230), (4, 78)] {
        let mut days: Vec<_> = quiet.days.iter().map(|day| (day.value, day.part)).collect();
        let part = Part::new(failed, calls).unwrap();
        days[8] = (failed as f64 / calls as f64, Some(part));
        let mut world: Vec<Series<'static>> = (1..30)
            .map(|name| failures(&mut chance, name, (14, 230), |_| 0.013))
            .collect();
        world.push(series(0, Figure::FailureRatio, days));
        let found = find(&world);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn a_few_failures_where_there_were_none_are_chance() {
    let days = |failed: u64| {
        let mut days = vec![(0.0, Part::new(0, 24)); 14];
        days[6] = (failed as f64 / 24.0, Part::new(failed, 24));
        find(&[series(0, Figure::FailureRatio, days)])
    };
    assert!(days(1).is_empty(), "one call of 24");
    assert!(days(2).is_empty(), "two calls of 24");
    assert_eq!(days(6).changes.len(), 1, "six calls of 24");
}
