//! Every figure against the implementation it is named after; the tables and
//! the script that made them are in `tests/data`.

use serde_json::Value;
use tachograph_stats::{
    Fences, Fraction, Part, RobustScale, Sample, Summary, benjamini_hochberg, fisher, fsum, holm,
    level_shifts, mann_kendall, mann_whitney, mean, quantile, quantiles_unsorted,
    round_half_even_decimal, student, theil_sen, welch,
};

macro_rules! table {
    ($name:literal) => {
        serde_json::from_str::<Vec<serde_json::Value>>(include_str!(concat!("../data/", $name)))
            .unwrap()
    };
}
pub(crate) use table;

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

#[track_caller]
fn close(mine: f64, row: &Value, key: &str, tolerance: f64) {
    let theirs = row[key].as_f64().unwrap();
    let scale = theirs.abs().max(f64::MIN_POSITIVE);
    assert!(
        (mine - theirs).abs() <= tolerance * scale,
        "{key}: {mine} for {theirs}"
    );
}

#[test]
fn rounds_like_python() {
    let table = table!("rounding.json");
    assert_eq!(table.len(), 1000);
    for row in table {
        let (value, digits) = (row[0].as_f64().unwrap(), row[1].as_u64().unwrap());
        let mine = round_half_even_decimal(value, digits as u8);
        let theirs = row[2].as_f64().unwrap();
        assert_eq!(
            mine.to_bits(),
            theirs.to_bits(),
            "{value:?} to {digits}: {mine} for {theirs}"
        );
    }
}

#[test]
fn sums_and_means_equal_python_to_the_last_bit() {
    for row in table!("sums.json") {
        let data = floats(&row["data"]);
        assert_eq!(fsum(&data), row["fsum"].as_f64().unwrap(), "{data:?}");
        assert_eq!(
            mean(&data).unwrap(),
            row["mean"].as_f64().unwrap(),
            "{data:?}"
        );
        let summary = Summary::of(&data).unwrap();
        assert_eq!(summary.sum, row["fsum"].as_f64().unwrap());
        // The squares of subnormals underflow alike, to nothing.
        close(summary.std, &row, "std", 1e-13);
    }
}

#[test]
fn quantiles_equal_numpy() {
    let fractions = [0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0].map(|f| Fraction::new(f).unwrap());
    for row in table!("sums.json") {
        let mut data = floats(&row["data"]);
        let largest = data.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let sample = Sample::new(data.clone()).0.unwrap();
        let found = quantiles_unsorted(&mut data, &fractions).unwrap();
        for ((fraction, mine), theirs) in fractions.iter().zip(found).zip(floats(&row["quantiles"]))
        {
            assert_eq!(mine, quantile(&sample, *fraction));
            assert!(
                (mine - theirs).abs() <= 4.0 * f64::EPSILON * largest + 2e-323,
                "{mine} for {theirs}"
            );
        }
    }
}

#[test]
fn trends_equal_scipy_and_pymannkendall() {
    let table = table!("trends.json");
    assert!(table.len() >= 18);
    for row in table {
        let (x, y) = (floats(&row["x"]), floats(&row["y"]));
        let line = theil_sen(&x, &y).unwrap();
        close(line.slope, &row, "slope", 1e-12);
        close(line.intercept, &row, "intercept", 1e-12);
        close(line.slope_low, &row, "low", 1e-12);
        close(line.slope_high, &row, "high", 1e-12);
        let kendall = mann_kendall(&y).unwrap();
        assert_eq!(kendall.s, row["s"].as_i64().unwrap());
        close(kendall.tau, &row, "tau", 1e-14);
        // Theirs is 2 (1 - cdf), which keeps 16 digits after the point.
        let p = row["p"].as_f64().unwrap();
        assert!((kendall.p - p).abs() < 1e-14, "{} for {p}", kendall.p);
    }
}

#[test]
fn comparisons_equal_scipy() {
    let table = table!("comparisons.json");
    assert!(table.len() >= 30);
    for row in table {
        let (a, b) = (floats(&row["a"]), floats(&row["b"]));
        let mine = welch(&a, &b).unwrap();
        close(mine.t, &row, "t", 1e-11);
        close(mine.degrees, &row, "degrees", 1e-11);
        close(mine.p, &row, "t_p", 1e-10);
        let mine = mann_whitney(&a, &b).unwrap();
        close(mine.u, &row, "u", 0.0);
        close(mine.p, &row, "u_p", 1e-11);
        assert!((mine.cliffs_delta - row["delta"].as_f64().unwrap()).abs() < 1e-15);
    }
}

/// What R's manual prints for `t.test(extra ~ group, data = sleep, var.equal =
/// TRUE)`, the data of Student (1908); of sides of one size t is Welch's.
#[test]
fn student_slept_as_in_his_paper() {
    let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let mine = student(&first, &second).unwrap();
    assert_eq!(mine.degrees, 18.0);
    assert!((mine.t - 1.8608).abs() < 5e-5, "{mine:?}");
    assert!((mine.p - 0.07919).abs() < 5e-6, "{mine:?}");
    let other = welch(&first, &second).unwrap();
    assert!((mine.t - other.t).abs() < 1e-12, "{mine:?} {other:?}");
    // Two and one: t is 3 / sqrt(0.5 * 1.5), of one degree of freedom, whose
    // tail is that of Cauchy's distribution.
    let mine = student(&[1.0, 2.0], &[4.5]).unwrap();
    let t = 3.0 / 0.75_f64.sqrt();
    assert!((mine.t - t).abs() < 1e-12, "{mine:?}");
    let tail = 1.0 - 2.0 / std::f64::consts::PI * t.atan();
    assert!((mine.p - tail).abs() < 1e-12, "{mine:?} {tail}");
    for (a, b) in [
        (&[][..], &[1.0, 2.0, 3.0][..]),
        (&[1.0], &[2.0]),
        (&[1.0, 1.0], &[2.0]),
    ] {
        assert_eq!(student(a, b), None, "{a:?} {b:?}");
    }
}

#[test]
fn outliers_equal_scipy() {
    for row in table!("outliers.json") {
        let sample = Sample::new(floats(&row["data"])).0.unwrap();
        let scale = RobustScale::of(&sample).unwrap();
        close(scale.median, &row, "median", 1e-14);
        close(scale.mad, &row, "mad", 1e-13);
        close(scale.z(sample.max()), &row, "z_of_max", 1e-4);
        let fences = Fences::of(&sample, 1.5);
        close(fences.q1, &row, "q1", 1e-14);
        close(fences.q3, &row, "q3", 1e-14);
    }
}

#[test]
fn shifts_are_the_best_there_are() {
    let table = table!("shifts.json");
    assert!(
        table
            .iter()
            .any(|row| row["shifts"].as_array().unwrap().len() >= 3)
    );
    assert!(
        table
            .iter()
            .any(|row| row["shifts"].as_array().unwrap().is_empty())
    );
    for row in table {
        let least = row["min_segment"].as_u64().unwrap() as usize;
        let mine = level_shifts(
            &floats(&row["data"]),
            least,
            row["penalty"].as_f64().unwrap(),
        );
        let theirs: Vec<usize> = floats(&row["shifts"])
            .iter()
            .map(|at| *at as usize)
            .collect();
        assert_eq!(mine.unwrap(), theirs, "{row}");
    }
}

#[test]
fn proportions_equal_scipy() {
    let table = table!("proportions.json");
    assert!(table.len() >= 60);
    for row in table {
        let part = |key: &str| {
            let counts = row[key].as_array().unwrap();
            Part::new(counts[0].as_u64().unwrap(), counts[1].as_u64().unwrap()).unwrap()
        };
        let mine = fisher(part("first"), part("second")).unwrap();
        // Log-gammas of millions leave nine digits, theirs as ours.
        close(mine.greater, &row, "greater", 1e-8);
        close(mine.less, &row, "less", 1e-8);
    }
}

#[test]
fn adjusted_p_values_equal_r_and_scipy() {
    for row in table!("adjustments.json") {
        let (values, looked) = (floats(&row["values"]), row["looked"].as_u64().unwrap());
        let check = |mine: Vec<f64>, key: &str| {
            let theirs = floats(&row[key]);
            assert_eq!(mine.len(), theirs.len());
            for (mine, theirs) in mine.iter().zip(theirs) {
                assert!((mine - theirs).abs() < 1e-12, "{key}: {mine} for {theirs}");
            }
        };
        check(holm(&values, looked as usize), "holm");
        check(benjamini_hochberg(&values, looked as usize), "bh");
    }
}
