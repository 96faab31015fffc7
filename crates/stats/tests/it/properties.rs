//! What must hold for any input.

use proptest::prelude::*;
use tachograph_stats::{
    ExactSum, Fraction, Histogram, Part, RELATIVE_ERROR, Sample, benjamini_hochberg, fisher, fsum,
    holm, level_shifts, mann_kendall, mann_whitney, quantile, quantiles_unsorted, theil_sen, welch,
};

/// Latencies of all sizes, and now and then something else that is small.
fn common() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (0_u32..1_000_000).prop_map(|n| f64::from(n) / 1000.0),
        3 => (-20.0..20.0_f64).prop_map(f64::exp),
        2 => -1000.0..1000.0_f64,
        1 => Just(0.0),
    ]
}

/// Now and then whatever an `f64` can be.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![9 => common(), 1 => any::<u64>().prop_map(f64::from_bits)]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let few = prop::collection::vec(value(), 0..20);
    // Enough of them for a dense range.
    let many = prop::collection::vec(common(), 0..400);
    prop_oneof![few, many]
}

fn fraction() -> impl Strategy<Value = Fraction> {
    prop_oneof![
        (0.0..=1.0_f64).prop_map(|f| Fraction::new(f).unwrap()),
        (0_u32..=100).prop_map(|p| Fraction::percent(f64::from(p)).unwrap()),
    ]
}

fn part(most: u64) -> impl Strategy<Value = Part> {
    (1..=most)
        .prop_flat_map(|trials| (0..=trials).prop_map(move |hits| Part::new(hits, trials).unwrap()))
}

/// All ways to draw the second part, counted one by one.
fn chance_of_at_least(first: Part, second: Part) -> f64 {
    let choose = |all: u64, some: u64| -> f64 {
        (0..some)
            .map(|at| (all - at) as f64 / (some - at) as f64)
            .product()
    };
    let all = first.with(second);
    let misses = all.trials() - all.hits();
    (second.hits()..=second.trials().min(all.hits()))
        .filter(|hits| second.trials() - hits <= misses)
        .map(|hits| choose(all.hits(), hits) * choose(misses, second.trials() - hits))
        .sum::<f64>()
        / choose(all.trials(), second.trials())
}

fn histogram(values: &[f64]) -> Histogram {
    values.iter().copied().collect()
}

fn merged(one: &Histogram, other: &Histogram) -> Histogram {
    let mut both = one.clone();
    both.merge(other);
    both
}

/// What the histogram takes subnormals for.
fn flushed(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .map(|v| if v.is_subnormal() { 0.0 } else { *v })
        .collect()
}

proptest! {
    #[test]
    fn fisher_counts_all_ways(first in part(12), second in part(12)) {
        let found = fisher(first, second).unwrap();
        let counted = chance_of_at_least(first, second);
        prop_assert!((found.greater - counted).abs() < 1e-12, "{found:?} for {counted}");
    }

    #[test]
    fn fisher_is_a_chance_and_the_same_from_either_side(
        first in part(3_000_000), second in part(3_000_000),
    ) {
        let (one, other) = (fisher(first, second).unwrap(), fisher(second, first).unwrap());
        for p in [one.greater, one.less, one.two_sided()] {
            prop_assert!((0.0..=1.0).contains(&p));
        }
        // What lies in both tails is counted twice.
        prop_assert!(one.greater + one.less > 1.0 - 1e-6);
        let scale = one.greater.max(1e-300);
        prop_assert!((one.greater - other.less).abs() <= 1e-6 * scale, "{one:?} {other:?}");
        if second.hits() < second.trials() {
            let more = Part::new(second.hits() + 1, second.trials()).unwrap();
            prop_assert!(fisher(first, more).unwrap().greater <= one.greater * (1.0 + 1e-6));
        }
    }

    #[test]
    fn adjusting_keeps_the_order_and_makes_nothing_smaller(
        values in prop::collection::vec(0.0..=1.0_f64, 0..30), more in 0..100_usize,
    ) {
        let looked = values.len() + more;
        for adjusted in [holm(&values, looked), benjamini_hochberg(&values, looked)] {
            prop_assert_eq!(adjusted.len(), values.len());
            for (at, p) in adjusted.iter().enumerate() {
                prop_assert!((values[at]..=1.0).contains(p));
                for (other, q) in adjusted.iter().enumerate() {
                    prop_assert!(values[at] > values[other] || p <= q);
                }
            }
        }
        let (strict, mild) = (holm(&values, looked), benjamini_hochberg(&values, looked));
        prop_assert!(strict.iter().zip(&mild).all(|(strict, mild)| strict >= mild));
        if let [only] = values.as_slice() {
            prop_assert_eq!(holm(&values, 0), vec![*only]);
        }
    }

    #[test]
    fn selection_equals_sorting(values in values(), fractions in prop::collection::vec(fraction(), 0..8)) {
        let mut finite: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let sample = Sample::new(finite.clone()).0;
        let expected: Option<Vec<f64>> = sample.map(|s| fractions.iter().map(|f| quantile(&s, *f)).collect());
        prop_assert_eq!(quantiles_unsorted(&mut finite, &fractions), expected);
    }

    #[test]
    fn selection_among_integers_equals_sorting(mut values in prop::collection::vec(0_u64..5000, 1..300), fractions in prop::collection::vec(fraction(), 1..5)) {
        let sample = Sample::new(values.iter().map(|v| *v as f64).collect()).0.unwrap();
        let expected: Vec<f64> = fractions.iter().map(|f| quantile(&sample, *f)).collect();
        prop_assert_eq!(quantiles_unsorted(&mut values, &fractions), Some(expected));
    }

    #[test]
    fn a_quantile_stays_inside_and_rises(values in values(), one in fraction(), other in fraction()) {
        if let (Some(sample), _) = Sample::new(values) {
            let (low, high) = if one <= other { (one, other) } else { (other, one) };
            let (low, high) = (quantile(&sample, low), quantile(&sample, high));
            prop_assert!(sample.min() <= low && low <= high && high <= sample.max());
        }
    }

    #[test]
    fn a_histogram_keeps_its_error_bound(values in values(), fraction in fraction()) {
        let magnitudes: Vec<f64> = flushed(&values).iter().map(|v| v.abs()).collect();
        for (sign, values) in [(1.0, magnitudes.clone()), (-1.0, magnitudes.iter().map(|v| -v).collect())] {
            let found = histogram(&values).quantile(fraction);
            let exact = Sample::new(values).0.map(|s| quantile(&s, fraction));
            prop_assert_eq!(found.is_some(), exact.is_some(), "{}", sign);
            if let (Some(found), Some(exact)) = (found, exact) {
                prop_assert!((found - exact).abs() <= exact.abs() * RELATIVE_ERROR, "{} for {}", found, exact);
            }
        }
    }

    #[test]
    fn a_histogram_of_both_signs_errs_no_more_than_its_ranks(values in values(), fraction in fraction()) {
        let histogram = histogram(&values);
        if let Some(sample) = Sample::new(flushed(&values)).0 {
            let at = fraction.get() * (sample.len() - 1) as f64;
            let ranks = [sample.values()[at.floor() as usize], sample.values()[at.ceil() as usize]];
            let largest = ranks[0].abs().max(ranks[1].abs());
            let found = histogram.quantile(fraction).unwrap();
            let error = (found / 2.0 - quantile(&sample, fraction) / 2.0).abs();
            prop_assert!(error <= largest / 2.0 * RELATIVE_ERROR, "{} of {}", error, largest);
        }
    }

    #[test]
    fn count_sum_and_ends_are_exact(values in values()) {
        let histogram = histogram(&values);
        let finite: Vec<f64> = flushed(&values).into_iter().filter(|v| v.is_finite()).collect();
        prop_assert_eq!(histogram.count(), finite.len() as u64);
        prop_assert_eq!(histogram.non_finite(), (values.len() - finite.len()) as u64);
        prop_assert_eq!(histogram.sum(), fsum(&finite));
        prop_assert_eq!(histogram.mean(), tachograph_stats::mean(&finite));
        let sample = Sample::new(finite).0;
        prop_assert_eq!(histogram.min(), sample.as_ref().map(Sample::min));
        prop_assert_eq!(histogram.max(), sample.as_ref().map(Sample::max));
    }

    #[test]
    fn merging_equals_inserting_all(one in values(), other in values()) {
        let all = [one.clone(), other.clone()].concat();
        let (one, other) = (histogram(&one), histogram(&other));
        let both = merged(&one, &other);
        prop_assert_eq!(&both, &histogram(&all));
        prop_assert_eq!(&both, &merged(&other, &one));
        prop_assert_eq!(both.encode(), histogram(&all).encode());
    }

    #[test]
    fn merging_is_associative(a in values(), b in values(), c in values()) {
        let (a, b, c) = (histogram(&a), histogram(&b), histogram(&c));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }

    #[test]
    fn bytes_come_back_as_they_went(one in values(), other in values()) {
        let (one, other) = (histogram(&one), histogram(&other));
        let bytes = one.encode();
        let back = Histogram::decode(&bytes).unwrap();
        prop_assert_eq!(&back, &one);
        prop_assert_eq!(back.encode(), bytes.clone());
        prop_assert_eq!(back.sum(), one.sum());
        let mut both = other.clone();
        both.merge_encoded(&bytes).unwrap();
        prop_assert_eq!(both, merged(&one, &other));
    }

    #[test]
    fn garbage_is_refused_or_read_but_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        touch(&bytes);
        touch(&[&[1], bytes.as_slice()].concat());
    }

    #[test]
    fn damage_is_refused_or_read_but_never_panics(values in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = histogram(&values).encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        touch(&bytes);
        touch(&bytes[..at]);
    }

    #[test]
    fn counting_above_brackets_the_truth(values in values(), threshold in value()) {
        let above = flushed(&values).iter().filter(|v| v.is_finite() && **v > threshold).count() as u64;
        let bounds = histogram(&values).count_above(threshold);
        prop_assert!(bounds.at_least <= above && above <= bounds.at_most, "{:?} for {}", bounds, above);
    }

    #[test]
    fn an_exact_sum_does_not_depend_on_order(values in values()) {
        let mut forward = ExactSum::new();
        let mut backward = ExactSum::new();
        values.iter().for_each(|v| { forward.add(*v); });
        values.iter().rev().for_each(|v| { backward.add(*v); });
        prop_assert_eq!(&forward, &backward);
        values.iter().for_each(|v| { backward.add(-*v); });
        prop_assert_eq!(backward, ExactSum::new());
    }

    #[test]
    fn inversions_count_as_the_definition_does(values in prop::collection::vec(-5_i32..5, 3..40)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let mut s = 0;
        for (index, early) in values.iter().enumerate() {
            for late in &values[index + 1..] {
                s += i64::from(late > early) - i64::from(late < early);
            }
        }
        prop_assert_eq!(mann_kendall(&values).unwrap().s, s);
    }

    #[test]
    fn shifts_cost_no_more_than_any_other_segmentation(values in prop::collection::vec(0.0..10.0_f64, 2..12), least in 1_usize..4, penalty in 0.1..30.0_f64) {
        if let Some(shifts) = level_shifts(&values, least, penalty) {
            let mine = price(&values, &shifts, penalty);
            for choice in 0_u32..1 << (values.len() - 1) {
                let other: Vec<usize> = (1..values.len()).filter(|at| choice >> (at - 1) & 1 == 1).collect();
                let ends = [vec![0], other.clone(), vec![values.len()]].concat();
                if ends.windows(2).all(|pair| pair[1] - pair[0] >= least) {
                    prop_assert!(mine <= price(&values, &other, penalty) + 1e-9, "{:?} beats {:?}", other, shifts);
                }
            }
        }
    }

    #[test]
    fn nothing_panics(one in values(), other in values(), penalty in any::<f64>(), least in 0_usize..50) {
        let _ = theil_sen(&one, &other);
        let _ = welch(&one, &other);
        let _ = mann_kendall(&one);
        let _ = level_shifts(&one, least, penalty);
        let _ = tachograph_stats::noise_penalty(&one);
        let _ = tachograph_stats::Summary::of(&one);
        if let Some(result) = mann_whitney(&one, &other) {
            prop_assert!((0.0..=1.0).contains(&result.p) && result.cliffs_delta.abs() <= 1.0);
        }
        if let Some(sample) = Sample::new(one).0 {
            let _ = tachograph_stats::RobustScale::of(&sample).map(|scale| scale.z(penalty));
            let _ = tachograph_stats::Fences::of(&sample, penalty);
        }
    }
}

#[test]
fn beyond_the_exact_limit_the_line_stays_close() {
    let x: Vec<f64> = (0..5000).map(f64::from).collect();
    // A fifth of the points are far off.
    let y: Vec<f64> = x
        .iter()
        .map(|x| {
            if x % 5.0 == 0.0 {
                1e6
            } else {
                3.0 * x + (x * 1.7).sin()
            }
        })
        .collect();
    let line = theil_sen(&x, &y).unwrap();
    assert!((line.slope - 3.0).abs() < 0.01, "{line:?}");
    assert!(line.slope_low <= line.slope && line.slope <= line.slope_high);
}

/// Reads bytes and, if they are a histogram, uses it in every way.
fn touch(bytes: &[u8]) {
    if let Ok(mut histogram) = Histogram::decode(bytes) {
        assert_eq!(histogram.encode(), bytes, "one encoding only");
        let copy = histogram.clone();
        histogram.merge(&copy);
        let _ = (histogram.sum(), histogram.mean(), histogram.count());
        let found = histogram.quantile(Fraction::P95);
        assert_eq!(found.is_none(), histogram.is_empty());
        let _ = histogram.count_above(1.0);
    }
}

fn price(values: &[f64], shifts: &[usize], penalty: f64) -> f64 {
    let ends = [&[0], shifts, &[values.len()]].concat();
    let cost = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        part.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()
    };
    ends.windows(2)
        .map(|pair| cost(&values[pair[0]..pair[1]]))
        .sum::<f64>()
        + penalty * shifts.len() as f64
}
