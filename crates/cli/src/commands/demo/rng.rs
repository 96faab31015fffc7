//! Made-up chance: the same seed gives the same numbers, on every machine.

/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014; reference implementation by Vigna,
/// <https://prng.di.unimi.it/splitmix64.c>.
pub struct Rng(u64);

impl Rng {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number in `from..to`.
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + self.unit() * (to - from)
    }

    /// Returns a whole number from `from` to `to`.
    pub fn whole(&mut self, from: i64, to: i64) -> i64 {
        from + (self.unit() * (to - from + 1) as f64) as i64
    }

    /// Returns true with a chance of `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Returns one of a list, the earlier the likelier (Zipf-like).
    pub fn favorite<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let skewed = self.unit() * self.unit();
        let at = (skewed * list.len() as f64) as usize;
        &list[at.min(list.len() - 1)]
    }

    /// Returns a latency: log-normal around a median, in ms, with a tail.
    pub fn latency(&mut self, median_ms: f64) -> f64 {
        // Box and Muller; 1 - unit() keeps the logarithm finite.
        let normal =
            (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        let ms = median_ms * (0.45 * normal).exp();
        (ms * 1_000.0).round() / 1_000.0
    }

    /// Returns 16 hex digits.
    pub fn id(&mut self) -> String {
        format!("{:016x}", self.next())
    }
}
