//! What is chance and what is a change, over many worlds made from seeds.

#[path = "../../src/question/changes/detect.rs"]
mod detect;

use detect::{Day, Series, find};
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

    /// How many of `trials` happen.
    fn hits(&mut self, trials: u64, rate: f64) -> u64 {
        let bound = (rate * u32::MAX as f64) as u64;
        (0..trials).filter(|_| self.next() >> 32 < bound).count() as u64
    }
}

fn series(name: usize, figure: Figure, days: Vec<(f64, Option<Part>)>) -> Series {
    let days = (0..)
        .zip(days)
        .map(|(day, (value, part))| Day { day, value, part });
    Series {
        event_type: "tool_call",
        name: format!("tool {name}"),
        figure,
        days: days.collect(),
    }
}

/// `days` days of failures, of so many calls each, with the rate of each day.
fn failures(
    chance: &mut Chance,
    name: usize,
    (days, calls): (usize, u64),
    rate: impl Fn(usize) -> f64,
) -> Series {
    let days = (0..days).map(|day| {
        let part = Part::new(chance.hits(calls, rate(day)), calls).unwrap();
        (part.hits() as f64 / calls as f64, Some(part))
    });
    series(name, Figure::FailureRatio, days.collect())
}

/// A world without any change: 50 tools over 90 days, of all sizes and rates.
fn noise(seed: u64) -> Vec<Series> {
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
fn alarms(worlds: u64, noise: fn(u64) -> Vec<Series>) -> Vec<Changes> {
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

#[test]
fn chance_is_rarely_taken_for_a_change_of_level() {
    // Shifts 10 %: 3 are to be expected, more than 7 have a chance of 0.8 %.
    let found = alarms(30, |seed| {
        let mut chance = Chance(seed);
        let mut normal = || {
            let uniform = |_| (chance.next() >> 11) as f64 / (1_u64 << 53) as f64;
            (0..12).map(uniform).sum::<f64>() - 6.0
        };
        let mut medians = |name: usize| {
            let spread = [0.02, 0.1, 0.3][name % 3];
            let days = (0..90).map(|_| ((normal() * spread).exp() * 20.0, None));
            series(name, Figure::MedianMs, days.collect())
        };
        (0..50).map(&mut medians).collect()
    });
    assert!(found.len() <= 7, "{found:?}");
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
        let mut world: Vec<Series> = (1..30)
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
