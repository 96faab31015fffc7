//! Exact answers equal a naive model; sketches stay within their bound.

use proptest::prelude::*;
use tachograph_analyze::EngineConfig;
use tachograph_model::answer::{Method, Spread};
use tachograph_model::question::Tools;
use tachograph_model::{Ask, Column, Event};
use tachograph_stats::{Fraction, Sample, quantile};

use crate::home::{TestHome, ago, days};

fn naive(values: &[f64]) -> Option<Spread> {
    let sample = Sample::new(values.to_vec()).0?;
    Some(Spread {
        count: values.len() as u64,
        sum: tachograph_stats::fsum(values),
        mean: tachograph_stats::mean(values)?,
        min: sample.min(),
        max: sample.max(),
        p50: quantile(&sample, Fraction::MEDIAN),
        p95: quantile(&sample, Fraction::P95),
        p99: quantile(&sample, Fraction::P99),
    })
}

fn events(values: &[f64]) -> Vec<Event> {
    values
        .iter()
        .enumerate()
        .map(|(n, ms)| {
            ago(n as i64 * 40, "tool_call")
                .with(Column::Name, ["a", "b", "c"][n % 3])
                .with(Column::Success, n % 7 != 0)
                .with(Column::DurationMs, *ms)
        })
        .collect()
}

/// Durations as they are: over eight decades, some equal, some zero.
fn durations(most: usize) -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![
        4 => (-4.0..5.0_f64).prop_map(|exponent| 10_f64.powf(exponent)),
        2 => (0_u32..50).prop_map(|tenths| f64::from(tenths) / 10.0),
        1 => Just(0.0),
    ];
    prop::collection::vec(one, 0..most)
}

fn check_exact(values: &[f64]) {
    let home = TestHome::of(&events(values));
    let (found, about) = Tools::new(days(30)).ask(&home.engine()).unwrap();
    assert_eq!(about.method, Method::Exact);
    assert_eq!(found.duration_ms, naive(values));
    for (place, name) in ["a", "b", "c"].iter().enumerate() {
        let of: Vec<f64> = values.iter().copied().skip(place).step_by(3).collect();
        let tool = found.tools.iter().find(|tool| tool.name == *name);
        assert_eq!(tool.and_then(|tool| tool.duration_ms), naive(&of), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn small_answers_are_exact(values in durations(400)) {
        check_exact(&values);
    }

    #[test]
    fn sketches_are_within_their_bound(values in durations(2000)) {
        let home = TestHome::of(&events(&values));
        let config = EngineConfig { exact_limit: 0, ..Default::default() };
        let (found, about) = Tools::new(days(30)).ask(&home.engine_with(config)).unwrap();
        if values.is_empty() {
            return Ok(());
        }
        let Method::Sketch { relative_error } = about.method else {
            panic!("{:?}", about.method);
        };
        let (ours, exact) = (found.duration_ms.unwrap(), naive(&values).unwrap());
        prop_assert_eq!(
            (ours.count, ours.sum, ours.mean, ours.min, ours.max),
            (exact.count, exact.sum, exact.mean, exact.min, exact.max)
        );
        for (ours, exact) in [(ours.p50, exact.p50), (ours.p95, exact.p95), (ours.p99, exact.p99)] {
            prop_assert!((ours - exact).abs() <= relative_error * exact * 1.000_001, "{ours} {exact}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Above some thousand values, quantiles are selected by buckets.
    #[test]
    fn large_answers_are_exact(values in prop::collection::vec(
        prop_oneof![
            3 => (-6.0..6.0_f64).prop_map(|exponent| 10_f64.powf(exponent)),
            1 => (0_u32..5).prop_map(f64::from),
        ],
        20_000..30_000,
    )) {
        check_exact(&values);
    }
}
