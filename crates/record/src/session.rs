//! Sessions: from their start to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tachograph_model::Column;

use crate::core::NameId;
use crate::ids;
use crate::layout::{Words, field, kind, nanos};
use crate::recorder::{Inner, Recorder};

/// A session under way: recorded when it starts and when it ends, which is at
/// the latest when this is dropped. May be shared between threads.
///
/// ```
/// let recorder = tachograph::Recorder::builder().build();
/// let session = recorder.session("interactive", 1_500);
/// session.add_agent_load(450);
/// let search = recorder.tool("search").in_session(&session);
/// search.time(|| ());
/// session.end();
/// ```
pub struct Session {
    inner: Option<Arc<Inner>>,
    id: u64,
    kind: NameId,
    started: u64,
    tokens: AtomicU64,
    agents: AtomicU64,
}

impl Recorder {
    /// Starts a session of a kind, with so many tokens in context, under an
    /// identifier of its own. Cost: about 100 ns.
    pub fn session(&self, session_type: &str, initial_tokens: u64) -> Session {
        let id = self.inner.as_ref().map_or(0, |i| ids::next(i.core.now()));
        self.start_session(id, session_type, initial_tokens)
    }

    /// Starts a session that the host knows by an identity of its own, which
    /// is kept as a keyed hash: equal ones are one session. Cost: about 1 µs.
    pub fn session_of(&self, identity: &str, session_type: &str, initial_tokens: u64) -> Session {
        let id = self.inner.as_ref().map_or(0, |i| i.hashed_id(identity));
        self.start_session(id, session_type, initial_tokens)
    }

    /// Records the start of a session whose end is recorded elsewhere.
    pub fn record_session_start(&self, session_type: &str, initial_tokens: u64) {
        if let Some(inner) = &self.inner {
            put_start(inner, inner.name(session_type), initial_tokens, 0);
        }
    }

    /// Records the end of a session whose start was recorded elsewhere.
    pub fn record_session_end(
        &self,
        duration: Duration,
        total_tokens_loaded: u64,
        agents_loaded: u64,
    ) {
        if let Some(inner) = &self.inner {
            put_end(
                inner,
                nanos(duration),
                total_tokens_loaded,
                agents_loaded,
                None,
            );
        }
    }

    fn start_session(&self, id: u64, session_type: &str, initial_tokens: u64) -> Session {
        let inner = self.inner.clone();
        let kind = inner
            .as_ref()
            .map_or(NameId::OTHER, |i| i.name(session_type));
        if let Some(inner) = &inner {
            put_start(inner, kind, initial_tokens, id);
        }
        Session {
            started: inner.as_ref().map_or(0, |i| i.core.mono()),
            inner,
            id,
            kind,
            tokens: AtomicU64::new(0),
            agents: AtomicU64::new(0),
        }
    }
}

impl Session {
    /// Identifier: 16 hex digits.
    pub fn id(&self) -> String {
        format!("{:016x}", self.id)
    }

    /// An agent of so many tokens was loaded. Cost: two atomic additions.
    pub fn add_agent_load(&self, tokens: u64) {
        self.agents.fetch_add(1, Ordering::Relaxed);
        self.tokens.fetch_add(tokens, Ordering::Relaxed);
    }

    /// Ends the session: the same as dropping it.
    pub fn end(self) {}

    pub(crate) fn number(&self) -> u64 {
        self.id
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            let nanos = inner.core.mono().saturating_sub(self.started);
            let tokens = self.tokens.load(Ordering::Relaxed);
            let agents = self.agents.load(Ordering::Relaxed);
            put_end(inner, nanos, tokens, agents, Some((self.kind, self.id)));
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

fn put_start(inner: &Inner, session_type: NameId, tokens: u64, id: u64) {
    const KIND: u8 = kind::SESSION_START;
    let mut words = Words::<3>::of(KIND);
    words.name(const { field(KIND, Column::Name) }, session_type);
    words.count(const { field(KIND, Column::Tokens) }, tokens);
    words.maybe_id(const { field(KIND, Column::SessionId) }, id);
    words.push(&inner.core);
}

fn put_end(inner: &Inner, nanos: u64, tokens: u64, agents: u64, which: Option<(NameId, u64)>) {
    const KIND: u8 = kind::SESSION_END;
    let mut words = Words::<5>::of(KIND);
    words.put(const { field(KIND, Column::DurationMs) }, nanos);
    words.count(const { field(KIND, Column::Tokens) }, tokens);
    words.count(const { field(KIND, Column::Count) }, agents);
    if let Some((session_type, id)) = which {
        words.name(const { field(KIND, Column::Name) }, session_type);
        words.maybe_id(const { field(KIND, Column::SessionId) }, id);
    }
    words.push(&inner.core);
}
