use std::time::Duration;

use tachograph_model::UnixNanos;
use tachograph_store::Bound;

/// How the engine works: settled values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Threads that work at once, from 1.
    pub threads: usize,
    /// Up to about so many events in the window every value is looked at;
    /// beyond, quantiles come from sketches.
    pub exact_limit: u64,
    /// Up to about so many when exact figures are insisted on: each value takes
    /// 8 bytes. `None`: however many there are.
    pub exact_most: Option<u64>,
    /// How much a question may tell apart; the rest is summed.
    pub bound: Bound,
    /// How long a query in SQL may run, planning and reading its rows included;
    /// `None`: as long as it takes.
    pub sql_time: Option<Duration>,
    /// Memory that a query in SQL may use, bytes. What its operators hold is
    /// counted; of what its functions make, what a call returns (a quarter of
    /// this at most).
    pub sql_memory_bytes: usize,
    /// Bytes of the rows that an answer in SQL holds, about; what is more is
    /// left out, and a note says so. `None`: all of them. Rows that stream
    /// ([`crate::Engine::sql_each`]) are not limited.
    pub sql_result_bytes: Option<usize>,
    /// The present, for answers to questions that have no scope to say it;
    /// `None` is the system's clock.
    pub now: Option<UnixNanos>,
}

impl Default for EngineConfig {
    /// All processors, 5 million events, what [`Bound::QUESTION`] says, no limit
    /// of time or rows, 1 GiB, the system's clock.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            exact_limit: 5_000_000,
            exact_most: None,
            bound: Bound::QUESTION,
            sql_time: None,
            sql_memory_bytes: 1 << 30,
            sql_result_bytes: None,
            now: None,
        }
    }
}
