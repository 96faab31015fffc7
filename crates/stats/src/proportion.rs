//! Is one part larger than another, and which of many findings are no accident.

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part {
    trials: u64,
    /// Never more than `trials`.
    hits: u64,
}

impl Part {
    /// `None` when there are more hits than trials.
    #[must_use]
    pub fn new(hits: u64, trials: u64) -> Option<Self> {
        (hits <= trials).then_some(Self { trials, hits })
    }

    /// Of how many.
    #[must_use]
    pub fn trials(self) -> u64 {
        self.trials
    }

    /// How many.
    #[must_use]
    pub fn hits(self) -> u64 {
        self.hits
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            trials: self.trials + other.trials,
            hits: self.hits + other.hits,
        }
    }
}

/// The chances of a difference between two parts when there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fisher {
    /// Of at least so many hits in the second.
    pub greater: f64,
    /// Of at most so many hits in the second.
    pub less: f64,
}

impl Fisher {
    /// Either way: twice the smaller, at most 1.
    #[must_use]
    pub fn two_sided(self) -> f64 {
        (2.0 * self.greater.min(self.less)).min(1.0)
    }
}

/// Fisher's exact test of two parts: given all hits, how likely do so many of
/// them fall into the second? Exact for any size, however rare the hits. `None`
/// when a side has no trials.
///
/// Source: R. A. Fisher, "Statistical Methods for Research Workers" (1934),
/// 21.02; reference implementation
/// `scipy.stats.fisher_exact(table, alternative="greater")`. Costs a few dozen
/// steps, more by the root of the trials.
#[must_use]
pub fn fisher(first: Part, second: Part) -> Option<Fisher> {
    if first.trials == 0 || second.trials == 0 {
        return None;
    }
    let law = Hypergeometric {
        all: first.with(second),
        drawn: second.trials,
    };
    let at = second.hits;
    let here = law.ln_chance(at).exp();
    // Towards the nearer end the chances only fall, so that few are added.
    let mean = law.all.hits as f64 * law.drawn as f64 / law.all.trials as f64;
    let (greater, less) = if at as f64 >= mean {
        let greater = law.upwards(at, here);
        (greater, 1.0 - (greater - here))
    } else {
        let less = law.downwards(at, here);
        (1.0 - (less - here), less)
    };
    Some(Fisher {
        greater: greater.clamp(0.0, 1.0),
        less: less.clamp(0.0, 1.0),
    })
}

/// Hits among `drawn` trials that are taken from all.
struct Hypergeometric {
    all: Part,
    drawn: u64,
}

impl Hypergeometric {
    fn ln_chance(&self, hits: u64) -> f64 {
        let Part { trials, hits: most } = self.all;
        ln_choose(most, hits) + ln_choose(trials - most, self.drawn - hits)
            - ln_choose(trials, self.drawn)
    }

    /// Chance of `hits + 1` over that of `hits`.
    fn ratio(&self, hits: u64) -> f64 {
        let Part { trials, hits: most } = self.all;
        let misses = trials - most;
        // What is left of the hits and of the draws, and what comes back.
        let up = (most - hits) as f64 * (self.drawn - hits) as f64;
        let down = (hits + 1) as f64 * (misses + hits + 1 - self.drawn) as f64;
        up / down
    }

    fn upwards(&self, from: u64, here: f64) -> f64 {
        let most = self.all.hits.min(self.drawn);
        let (mut sum, mut chance) = (here, here);
        for hits in from..most {
            chance *= self.ratio(hits);
            sum += chance;
            if chance <= sum * f64::EPSILON / 16.0 {
                break;
            }
        }
        sum
    }

    fn downwards(&self, from: u64, here: f64) -> f64 {
        let misses = self.all.trials - self.all.hits;
        let fewest = self.drawn.saturating_sub(misses);
        let (mut sum, mut chance) = (here, here);
        for hits in (fewest..from).rev() {
            chance /= self.ratio(hits);
            sum += chance;
            if chance <= sum * f64::EPSILON / 16.0 {
                break;
            }
        }
        sum
    }
}

/// Logarithm of the number of ways to choose `some` of `all`.
fn ln_choose(all: u64, some: u64) -> f64 {
    let few = some.min(all - some);
    if few <= 32 {
        // Log-gammas of large numbers would cancel.
        return (0..few)
            .map(|at| (all - at) as f64 / (few - at) as f64)
            .map(f64::ln)
            .sum();
    }
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ln_factorial(all) - ln_factorial(some) - ln_factorial(all - some)
}

/// Adjusts the p values of findings for how many were looked for: what is below
/// a level afterwards is so with at most that chance of a single false one among
/// all, whatever depends on what. `looked` counts those too that are not in
/// `values`; fewer than there are values are taken for as many. A NaN stays one.
///
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure",
/// Scandinavian Journal of Statistics 6 (1979); reference implementation R's
/// `p.adjust(values, "holm", looked)`.
#[must_use]
pub fn holm(values: &[f64], looked: usize) -> Vec<f64> {
    let looked = looked.max(values.len());
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut adjusted = vec![f64::NAN; values.len()];
    let mut most = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        if values[at].is_nan() {
            continue;
        }
        most = most.max(values[at] * (looked - rank) as f64).min(1.0);
        adjusted[at] = most;
    }
    adjusted
}

/// Adjusts the p values of findings so that of those below a level afterwards at
/// most that part is false on average. `looked` as for [`holm`].
///
/// Source: Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate",
/// Journal of the Royal Statistical Society B 57 (1995); reference
/// implementation R's `p.adjust(values, "BH", looked)`,
/// `scipy.stats.false_discovery_control`.
#[must_use]
pub fn benjamini_hochberg(values: &[f64], looked: usize) -> Vec<f64> {
    let looked = looked.max(values.len()) as f64;
    let mut order: Vec<usize> = (0..values.len())
        .filter(|at| !values[*at].is_nan())
        .collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut adjusted = vec![f64::NAN; values.len()];
    let mut least = 1.0_f64;
    for (rank, at) in order.into_iter().enumerate().rev() {
        // A factor of 1 at least, whatever is rounded.
        least = least.min(values[at] * (looked / (rank + 1) as f64));
        adjusted[at] = least;
    }
    adjusted
}
