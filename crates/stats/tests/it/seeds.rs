//! Conformance with the systems this project replaces.

use tachograph_stats::{
    Direction, Fraction, Sample, halves, quantile, quantiles_unsorted, round_half_even_decimal,
};

use crate::reference::{floats, table};

#[test]
fn percentiles_equal_the_first_seeds_to_the_last_bit() {
    let mut checked = 0;
    for row in table!("seed1_percentiles.json") {
        let data = floats(&row["data"]);
        for (percent, expected) in row["expected"].as_object().unwrap() {
            let fraction = Fraction::percent(percent.parse().unwrap()).unwrap();
            let value = Sample::new(data.clone())
                .0
                .map(|sample| quantile(&sample, fraction));
            // The seed shows nothing as 0; here that is the caller's choice.
            let shown = round_half_even_decimal(value.unwrap_or(0.0), 2);
            assert_eq!(shown, expected.as_f64().unwrap(), "p{percent} of {data:?}");
            let selected = quantiles_unsorted(&mut data.clone(), &[fraction]);
            assert_eq!(selected.map(|found| found[0]), value);
            checked += 1;
        }
    }
    assert!(checked >= 180, "{checked}");
}

#[test]
fn percentiles_equal_pythons_inclusive_method() {
    let table = table!("inclusive_percentiles.json");
    let mut checked = 0;
    for row in &table {
        let Some(sample) = Sample::new(floats(&row["samples"])).0 else {
            continue;
        };
        let Some(expected) = row["inclusive_p50_p95_p99"].as_array() else {
            continue;
        };
        for (fraction, expected) in [Fraction::MEDIAN, Fraction::P95, Fraction::P99]
            .into_iter()
            .zip(expected)
        {
            let expected = expected.as_f64().unwrap();
            let mine = quantile(&sample, fraction);
            assert!(
                (mine / expected - 1.0).abs() < 1e-13,
                "{mine} for {expected}"
            );
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

#[test]
fn the_trend_rule_is_the_first_seeds() {
    use Direction::{Degrading, Improving, Stable};
    let cases: [(&[f64], Direction); 11] = [
        (&[20.0, 20.0, 20.0, 20.0, 5.0, 5.0, 5.0, 5.0], Improving),
        (&[5.0, 5.0, 5.0, 5.0, 20.0, 20.0, 20.0, 20.0], Degrading),
        (&[10.0; 7], Stable),
        (&[27.5], Stable),
        (&[10.0, 8.9], Improving),
        (&[10.0, 9.0], Stable),
        (&[10.0, 11.0], Stable),
        (&[10.0, 10.0, 20.0, 20.0, 20.0], Degrading),
        (&[10.0, 9.5, 7.0], Improving),
        (&[0.0, 0.01], Degrading),
        (&[10.0, 10.0, 30.0, 30.0], Degrading),
    ];
    for (means, expected) in cases {
        let daily: Vec<(f64, u64)> = means.iter().map(|mean| (*mean, 1)).collect();
        assert_eq!(halves(&daily), expected, "{means:?}");
    }
}

#[test]
fn the_trend_rule_weighs_days_and_does_not_round_them() {
    // One slow call among fifty quick ones is no improvement when it is gone.
    assert_eq!(
        halves(&[(100.0, 1), (1.0, 990), (1.0, 990), (1.0, 1)]),
        Direction::Stable
    );
    // The seed rounds both to 0.00 and sees nothing.
    assert_eq!(halves(&[(0.001, 1), (0.004, 1)]), Direction::Degrading);
    assert_eq!(halves(&[]), Direction::Stable);
    assert_eq!(
        halves(&[(f64::NAN, 3), (1.0, 0), (1.0, 1)]),
        Direction::Stable
    );
}
