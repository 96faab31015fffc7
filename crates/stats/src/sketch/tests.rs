use super::{CountBounds, DecodeError, Histogram, RELATIVE_ERROR};
use crate::{Fraction, Sample, quantile};

#[test]
fn the_empty_histogram_has_no_answers() {
    let histogram = Histogram::new();
    assert!(histogram.is_empty());
    assert_eq!(histogram.count(), 0);
    assert_eq!(histogram.quantile(Fraction::MEDIAN), None);
    assert_eq!(
        (histogram.min(), histogram.max(), histogram.mean()),
        (None, None, None)
    );
    assert_eq!(histogram.sum(), 0.0);
    assert_eq!(Histogram::decode(&histogram.encode()), Ok(histogram));
}

#[test]
fn one_value_is_its_every_quantile() {
    let histogram: Histogram = [0.1].into_iter().collect();
    for fraction in [Fraction::ZERO, Fraction::P95, Fraction::ONE] {
        assert_eq!(histogram.quantile(fraction), Some(0.1));
    }
    assert_eq!(histogram.sum(), 0.1);
}

#[test]
fn sets_aside_what_is_not_a_number_and_keeps_signs_apart() {
    let values = [
        f64::NAN,
        f64::INFINITY,
        -2.0,
        -1.0,
        0.0,
        -0.0,
        5e-324,
        1.0,
        2.0,
    ];
    let histogram: Histogram = values.into_iter().collect();
    assert_eq!(histogram.non_finite(), 2);
    assert_eq!(
        (histogram.count(), histogram.zeros(), histogram.negatives()),
        (7, 3, 2)
    );
    assert_eq!((histogram.min(), histogram.max()), (Some(-2.0), Some(2.0)));
    assert_eq!(histogram.sum(), 0.0);
    assert_eq!(histogram.quantile(Fraction::MEDIAN), Some(0.0));
}

#[test]
fn the_ends_of_the_number_line() {
    let values = [
        f64::MAX,
        f64::MIN_POSITIVE,
        -f64::MAX,
        -f64::MIN_POSITIVE,
        1e300,
        1e-300,
    ];
    let histogram: Histogram = values.into_iter().cycle().take(6000).collect();
    let sample = Sample::new(values.into_iter().cycle().take(6000).collect())
        .0
        .expect("finite");
    for fraction in [
        Fraction::ZERO,
        Fraction::P25,
        Fraction::P75,
        Fraction::P99,
        Fraction::ONE,
    ] {
        let exact = quantile(&sample, fraction);
        let answer = histogram.quantile(fraction).expect("not empty");
        assert!(
            (answer - exact).abs() <= exact.abs() * RELATIVE_ERROR,
            "{answer} for {exact}"
        );
    }
    assert_eq!(Histogram::decode(&histogram.encode()), Ok(histogram));
}

#[test]
fn every_size_of_number_at_once() {
    let sizes = || (-1022..1024).map(|exponent| 2.0_f64.powi(exponent) * 1.3);
    let rising: Histogram = sizes().chain(sizes().map(|v| -v)).collect();
    let mut falling = Histogram::new();
    for value in sizes().collect::<Vec<f64>>().into_iter().rev() {
        falling.insert(-value);
    }
    falling.extend(sizes());
    assert_eq!(rising, falling);
    assert_eq!(
        (rising.count(), rising.negatives(), rising.sum()),
        (4092, 2046, 0.0)
    );
    let sample = Sample::new(sizes().chain(sizes().map(|v| -v)).collect())
        .0
        .expect("finite");
    for percent in [0.0, 1.0, 20.0, 49.0, 51.0, 99.0, 100.0] {
        let fraction = Fraction::percent(percent).expect("a percentage");
        let exact = quantile(&sample, fraction);
        let answer = rising.quantile(fraction).expect("not empty");
        assert!(
            (answer / exact - 1.0).abs() <= RELATIVE_ERROR,
            "{answer} for {exact}"
        );
    }
    let bytes = rising.encode();
    assert_eq!(
        Histogram::decode(&bytes).map(|back| back == rising),
        Ok(true)
    );
}

#[test]
fn the_worst_value_of_a_bucket_stays_within_the_bound() {
    // Buckets are relatively widest just above a power of two.
    let low = 1.0_f64;
    let high = (1.0 + 1.0 / 128.0_f64).next_down();
    for inside in [low, high] {
        let histogram: Histogram = [0.5, inside, inside, inside, 2.0].into_iter().collect();
        let median = histogram.quantile(Fraction::MEDIAN).expect("not empty");
        let error = (median / inside - 1.0).abs();
        assert!((0.0038..=RELATIVE_ERROR).contains(&error), "{error}");
    }
}

#[test]
fn the_sum_does_not_round_on_the_way() {
    let mut histogram: Histogram = std::iter::repeat_n(0.1, 1_000_000).collect();
    histogram.extend([1e16, -1e16]);
    // A million times the binary value of 0.1, rounded once.
    assert_eq!(histogram.sum(), 100_000.0);
    assert_eq!(histogram.mean(), Some(100_000.0 / 1_000_002.0));
}

#[test]
fn counting_above_a_threshold_gives_bounds() {
    let histogram: Histogram = (1..=1000).map(f64::from).collect();
    let exactly = |count| CountBounds {
        at_least: count,
        at_most: count,
    };
    assert_eq!(histogram.count_above(1000.0), exactly(0));
    assert_eq!(histogram.count_above(0.5), exactly(1000));
    assert_eq!(histogram.count_above(f64::NAN), exactly(0));
    let bounds = histogram.count_above(500.0);
    assert!(
        bounds.at_least <= 500 && 500 <= bounds.at_most,
        "{bounds:?}"
    );
    assert!(bounds.at_most - bounds.at_least <= 2, "{bounds:?}");
}

#[test]
fn damaged_bytes_are_named() {
    let bytes = (1..=100).map(f64::from).collect::<Histogram>().encode();
    assert_eq!(Histogram::decode(&[]), Err(DecodeError::Short { at: 0 }));
    assert_eq!(Histogram::decode(&[9]), Err(DecodeError::Version(9)));
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        Histogram::decode(&longer),
        Err(DecodeError::Trailing { count: 1 })
    );
    for end in 0..bytes.len() {
        assert!(Histogram::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_failed_merge_changes_nothing() {
    let mut histogram: Histogram = (1..=10).map(f64::from).collect();
    let before = histogram.clone();
    let mut bytes = (1..=100).map(f64::from).collect::<Histogram>().encode();
    bytes.pop();
    assert!(histogram.merge_encoded(&bytes).is_err());
    assert_eq!(histogram, before);
}

#[test]
fn beyond_the_largest_count_nothing_panics() {
    let mut histogram = Histogram::new();
    histogram.insert_n(1.999, u64::MAX);
    for _ in 0..4 {
        let copy = histogram.clone();
        histogram.merge(&copy);
    }
    histogram.extend([1.999; 3]);
    assert_eq!(histogram.count(), super::MAX_COUNT);
    assert!(histogram.sum().is_finite());
    assert!(Histogram::decode(&histogram.encode()).is_ok());
}

#[test]
fn a_bucket_s_middle_is_within_the_error_of_all_its_values() {
    for value in [
        1.0,
        -1.0,
        0.1,
        1.999_999,
        -3.7e-5,
        8.25e300,
        f64::MAX,
        f64::MIN_POSITIVE,
        -2.5e-308,
        127.999,
    ] {
        let bucket = Histogram::bucket_of(value);
        for level in 0..=7_i32 {
            let group = bucket.signum() * (bucket.abs() >> level);
            let middle = Histogram::middle_of(group, level.cast_unsigned());
            let error = (middle / value - 1.0).abs();
            let bound = RELATIVE_ERROR * f64::from(1 << level);
            assert!(error <= bound, "{value} at level {level}: {middle}");
        }
    }
    for none in [0.0, -0.0, 1e-310] {
        assert_eq!(Histogram::bucket_of(none), 0);
    }
    assert_eq!(Histogram::middle_of(0, 3), 0.0);
    let rising = [f64::MIN, -2.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 2.0, f64::MAX];
    assert!(
        rising
            .map(Histogram::bucket_of)
            .is_sorted_by(|one, next| one < next)
    );
}

#[test]
fn a_packed_histogram_is_the_same_and_takes_more_in() {
    for many in [0, 1, 63, 64, 65, 200, 5_000, 100_000] {
        let value = |n: u64| ((n * 7_919) % 100_003) as f64 / 7.0 - 100.0;
        let whole: Histogram = (0..many).map(value).collect();
        let mut packed = whole.clone();
        packed.pack();
        assert!(packed.memory_bytes() <= whole.memory_bytes(), "{many}");
        assert_eq!(packed.encode(), whole.encode(), "{many}");
        let Ok(decoded) = Histogram::decode(&whole.encode()) else {
            panic!("{many}");
        };
        let mut merged = Histogram::new();
        merged.merge(&whole);
        let more: Histogram = (many..many + 3_000).map(value).collect();
        let mut wanted = whole.clone();
        wanted.merge(&more);
        for mut start in [packed, decoded, merged] {
            assert_eq!(start, whole, "{many}");
            let mut by_one = start.clone();
            by_one.extend((many..many + 3_000).map(value));
            start.merge(&more);
            assert_eq!((&start, &by_one), (&wanted, &wanted), "{many}");
        }
    }
}
