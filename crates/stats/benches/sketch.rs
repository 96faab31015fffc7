//! What a value costs: `cargo bench -p tachograph-stats`. Times are per million
//! values unless said otherwise, so milliseconds read as nanoseconds a value.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sketches_ddsketch::{Config, DDSketch};
use tachograph_stats::{ExactSum, Fraction, Histogram, quantiles_unsorted};

const VALUES: usize = 1_000_000;
const FRACTIONS: [Fraction; 3] = [Fraction::MEDIAN, Fraction::P95, Fraction::P99];

fn main() {
    divan::main();
}

/// Log-normal latencies in milliseconds: median 7, p99 about 230.
fn latencies() -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    (0..VALUES).map(|_| (2.0 + 1.5 * normal()).exp()).collect()
}

#[divan::bench]
fn insert_histogram(bencher: Bencher) {
    let values = latencies();
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        let mut histogram = Histogram::new();
        for value in &values {
            histogram.insert(black_box(*value));
        }
        histogram
    });
}

#[divan::bench]
fn insert_histogram_slice(bencher: Bencher) {
    let values = latencies();
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        let mut histogram = Histogram::new();
        histogram.extend(black_box(&values).iter().copied());
        histogram
    });
}

#[divan::bench]
fn insert_ddsketch(bencher: Bencher) {
    let values = latencies();
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        let mut sketch = DDSketch::new(Config::new(1.0 / 256.0, 4096, 1e-9));
        for value in &values {
            sketch.add(black_box(*value));
        }
        sketch
    });
}

#[divan::bench]
fn exact_sum(bencher: Bencher) {
    let values = latencies();
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        let mut sum = ExactSum::new();
        for value in &values {
            sum.add(black_box(*value));
        }
        sum
    });
}

#[divan::bench]
fn three_quantiles_by_selection(bencher: Bencher) {
    let values = latencies();
    bencher
        .counter(ItemsCount::new(VALUES))
        .with_inputs(|| values.clone())
        .bench_local_values(|mut values| quantiles_unsorted(&mut values, &FRACTIONS));
}

#[divan::bench]
fn three_quantiles_by_sorting(bencher: Bencher) {
    let values = latencies();
    bencher
        .counter(ItemsCount::new(VALUES))
        .with_inputs(|| values.clone())
        .bench_local_values(|mut values| values.sort_unstable_by(f64::total_cmp));
}

/// Per histogram of a million values.
#[divan::bench]
fn three_quantiles_of_a_histogram(bencher: Bencher) {
    let histogram: Histogram = latencies().into_iter().collect();
    bencher.bench_local(|| black_box(&histogram).quantiles(&FRACTIONS));
}

/// Per histogram of so many values.
#[divan::bench(args = [10, 1000, VALUES])]
fn merge_encoded(bencher: Bencher, values: usize) {
    let all: Histogram = latencies().into_iter().collect();
    let bytes = latencies()[..values]
        .iter()
        .copied()
        .collect::<Histogram>()
        .encode();
    bencher
        .counter(divan::counter::BytesCount::new(bytes.len()))
        .with_inputs(|| all.clone())
        .bench_local_refs(|all| all.merge_encoded(black_box(&bytes)));
}
