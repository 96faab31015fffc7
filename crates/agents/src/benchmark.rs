//! The first seed's benchmark: five operations, each measured once as a user
//! meets it, against its targets.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::Serialize;
use thiserror::Error;

use crate::shelf::{Filter, GetError, Shelf};

/// The category that is filtered by, where the shelf has it.
const CATEGORY: &str = "Core Development";

/// Why there is nothing to measure.
#[derive(Debug, Error)]
pub enum BenchmarkError {
    /// A shelf without agents.
    #[error("there are no agents to measure")]
    NoAgents,
    /// The first agent cannot be loaded.
    #[error(transparent)]
    Get(#[from] GetError),
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Benchmark {
    /// Agents on the shelf.
    pub agent_count: usize,
    /// Listing all of them.
    pub list_all: Duration,
    /// Loading the first agent from its file.
    pub get_first: Duration,
    /// The same agent again, from the cache.
    pub get_cached: Duration,
    /// Searching "api".
    pub search: Duration,
    /// What that found.
    pub search_results: usize,
    /// Listing one category.
    pub filter_category: Duration,
    /// What that found.
    pub filter_results: usize,
    /// Hits in per cent after this run, of all since the cache was cleared for it.
    pub cache_hit_rate: f64,
    /// Files that this run read.
    pub file_reads: u64,
}

/// One measurement against what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Name, with its unit.
    pub metric: &'static str,
    /// Measured, in milliseconds.
    pub actual_ms: f64,
    /// The actual must be below this, in milliseconds.
    pub target_ms: u32,
}

impl Target {
    /// Whether the target is met.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.actual_ms < f64::from(self.target_ms)
    }
}

impl Benchmark {
    /// Measures. Clears the shelf's cache first; the shelf's observer sees the
    /// five operations like any others.
    ///
    /// # Errors
    ///
    /// When the shelf is empty or its first agent cannot be loaded.
    pub fn run(shelf: &Shelf) -> Result<Self, BenchmarkError> {
        shelf.clear_cache();
        let reads_before = shelf.stats().file_reads;
        let (all, list_all) = timed(|| shelf.list(&Filter::default()));
        let first = all.first().ok_or(BenchmarkError::NoAgents)?;
        let (loaded, get_first) = timed(|| shelf.get(&first.id));
        loaded?;
        let (cached, get_cached) = timed(|| shelf.get(&first.id));
        cached?;
        let (found, search) = timed(|| shelf.search("api"));
        let category = if all.iter().any(|agent| agent.category == CATEGORY) {
            CATEGORY
        } else {
            &first.category
        };
        let (filtered, filter_category) = timed(|| {
            shelf.list(&Filter {
                category,
                ..Filter::default()
            })
        });
        let stats = shelf.stats();
        Ok(Self {
            agent_count: all.len(),
            list_all,
            get_first,
            get_cached,
            search,
            search_results: found.len(),
            filter_category,
            filter_results: filtered.len(),
            cache_hit_rate: stats.cache_hit_rate,
            file_reads: stats.file_reads - reads_before,
        })
    }

    /// The measurements against their targets.
    #[must_use]
    pub fn targets(&self) -> [Target; 5] {
        let target = |metric, actual, target_ms| Target {
            metric,
            actual_ms: ms(actual),
            target_ms,
        };
        [
            target("list_all_agents_ms", self.list_all, 20),
            target("get_agent_first_ms", self.get_first, 5),
            target("get_agent_cached_ms", self.get_cached, 1),
            target("search_ms", self.search, 10),
            target("filter_category_ms", self.filter_category, 5),
        ]
    }

    /// Whether every target is met.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.targets().iter().all(Target::passed)
    }

    /// The report, in the first seed's words, with a newline at the end.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!(
            "=== Agent Discovery Performance Benchmarks ===

Agent count:         {}

Performance:
  List all agents:   {:.2}ms
  Get agent (first): {:.2}ms
  Get agent (cached):{:.2}ms
  Search 'api':      {:.2}ms ({} results)
  Filter category:   {:.2}ms ({} agents)

Cache statistics:
  Cache hit rate:    {:.1}%
  File reads:        {}

=== Target Validation ===

",
            self.agent_count,
            ms(self.list_all),
            ms(self.get_first),
            ms(self.get_cached),
            ms(self.search),
            self.search_results,
            ms(self.filter_category),
            self.filter_results,
            self.cache_hit_rate,
            self.file_reads,
        );
        for target in self.targets() {
            let verdict = if target.passed() {
                "✅ PASS"
            } else {
                "❌ FAIL"
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:25}: {:6.2}ms < {}ms  {verdict}",
                target.metric, target.actual_ms, target.target_ms
            );
        }
        text.push_str(if self.passed() {
            "\nAll performance targets met! 🎉\n"
        } else {
            "\nSome targets missed. Optimization needed.\n"
        });
        text
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
