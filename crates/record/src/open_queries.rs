//! Queries known by their identifier alone, for hosts that cannot hold a
//! [`crate::Query`] from the question to the answer (the fifth seed's calls).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::query::QueryState;
use crate::recorder::{Inner, Recorder};
use crate::scope::Context;

/// Locks, so that threads with different queries rarely meet.
const SHARDS: usize = 16;
/// Most open queries; a host that never finishes any must not fill the memory.
const MAX_OPEN: usize = 65_536;

/// Identifies a query that was started with [`Recorder::start_query`]: 16 hex
/// digits as text, none for one that is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueryId(u64);

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            id => write!(f, "{id:016x}"),
        }
    }
}

impl FromStr for QueryId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Ok(Self(0)),
            text => u64::from_str_radix(text, 16).map(Self),
        }
    }
}

impl Recorder {
    /// Starts a query and keeps it under the identifier returned, which stands
    /// for a query that is not recorded when recording is disabled, this one
    /// is not sampled, or 65,536 are open already (the latter counts as lost).
    /// Its text sets the complexity and is kept only with `keep_text`.
    ///
    /// Cost: about 1 µs, most of it the text.
    pub fn start_query(&self, text: &str, agent_type: &str) -> QueryId {
        let Some(inner) = self.for_queries() else {
            return QueryId(0);
        };
        let state = QueryState::start(inner, agent_type, Context::innermost());
        let id = state.id();
        if id == 0 {
            return QueryId(0);
        }
        state.set_text(inner, text);
        match inner.open_queries.put(state) {
            true => QueryId(id),
            false => {
                inner.count_too_many_open();
                QueryId(0)
            }
        }
    }

    /// An agent was chosen for a query: see [`crate::Query::selection`].
    pub fn record_agent_selection(
        &self,
        query: QueryId,
        selected_agent: &str,
        complexity_score: f64,
        reason: &str,
    ) {
        self.with_query(query, |inner, state| {
            state.select(inner, selected_agent, complexity_score, reason);
        });
    }

    /// A tool was called for a query. Cost: about 30 ns.
    pub fn record_query_tool_call(&self, query: QueryId) {
        self.with_query(query, |_, state| state.count_tool_call());
    }

    /// A GraphQL query was sent for a query. Cost: about 30 ns.
    pub fn record_graphql_query(&self, query: QueryId) {
        self.with_query(query, |_, state| state.count_graphql_query());
    }

    /// Kinds of entity were found in a query.
    pub fn record_entities_detected(&self, query: QueryId, kinds: &[&str]) {
        self.with_query(query, |inner, state| state.add_entities(inner, kinds));
    }

    /// Ends a query. `false` when it is unknown: never started, not recorded,
    /// or finished before. Cost: at most 200 ns, however many are stored.
    pub fn finish_query(
        &self,
        query: QueryId,
        success: bool,
        error_type: Option<&str>,
        result_size_bytes: u64,
    ) -> bool {
        let Some(inner) = self.for_queries() else {
            return false;
        };
        let Some(state) = inner.open_queries.take(query.0) else {
            return false;
        };
        match success {
            true => state.complete(inner, result_size_bytes),
            false => state.fail(inner, error_type.unwrap_or("unknown")),
        }
        true
    }

    fn with_query(&self, query: QueryId, work: impl FnOnce(&Inner, &QueryState)) {
        if let Some(inner) = self.for_queries()
            && let Some(state) = inner.open_queries.shard(query.0).get(&query.0)
        {
            work(inner, state);
        }
    }
}

/// The open ones, by identifier.
#[derive(Default)]
pub(crate) struct OpenQueries {
    shards: [Mutex<HashMap<u64, QueryState>>; SHARDS],
}

impl OpenQueries {
    pub(crate) fn abandon_all(&self, inner: &Inner) {
        for shard in &self.shards {
            let open = std::mem::take(&mut *lock(shard));
            for state in open.values() {
                state.abandon(inner);
            }
        }
    }

    fn put(&self, state: QueryState) -> bool {
        let mut shard = self.shard(state.id());
        if shard.len() >= MAX_OPEN / SHARDS {
            return false;
        }
        shard.insert(state.id(), state);
        true
    }

    fn take(&self, id: u64) -> Option<QueryState> {
        self.shard(id).remove(&id)
    }

    /// Identifiers are random, so any of their bits spread them evenly.
    fn shard(&self, id: u64) -> MutexGuard<'_, HashMap<u64, QueryState>> {
        lock(&self.shards[id as usize % SHARDS])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
