use tachograph_model::UnixNanos;

/// How the engine works: settled values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Threads that work at once, from 1.
    pub threads: usize,
    /// Up to about so many events in the window every value is looked at;
    /// beyond, quantiles come from sketches.
    pub exact_limit: u64,
    /// Memory that a query in SQL may use, bytes.
    pub sql_memory_bytes: usize,
    /// The present, for answers to questions that have no scope to say it;
    /// `None` is the system's clock.
    pub now: Option<UnixNanos>,
}

impl Default for EngineConfig {
    /// All processors, 5 million events, 1 GiB, the system's clock.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            exact_limit: 5_000_000,
            sql_memory_bytes: 1 << 30,
            now: None,
        }
    }
}
