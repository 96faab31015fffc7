//! Queries: from a user's question to the answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tachograph_model::Column;

use crate::complexity::complexity_score;
use crate::core::NameId;
use crate::ids;
use crate::layout::{Words, field, kind};
use crate::outcome::error_type_of;
use crate::recorder::{Inner, Recorder};
use crate::scope::{Context, Entered};

/// Most kinds of entity, and most distinct tools, kept of one query.
const MAX_LISTED: usize = 32;

/// A query under way.
///
/// Each is kept apart by its own identifier, so queries may nest and run side
/// by side, and one may be shared by many threads (`Arc<Query>` or a scoped
/// thread's borrow). It is recorded once, when it is finished; if that never
/// happens, as `abandoned` when it is dropped.
///
/// ```
/// let recorder = tachograph::Recorder::builder().build();
/// let query = recorder.query("selector");
/// let text = "show customers and list their bills";
/// let chosen = tachograph::select_agent(text);
/// query.selection(chosen.agent, tachograph::complexity_score(text), chosen.reason);
/// let answering = query.query(chosen.agent); // nested: keeps its parent
/// answering.tool_call_named("graphql");
/// answering.graphql_query();
/// answering.entities(&["customers", "bills"]);
/// answering.finish_ok(2_048);
/// query.finish_ok(2_048);
/// ```
pub struct Query {
    inner: Option<Arc<Inner>>,
    state: QueryState,
}

/// What is known of a query so far.
pub(crate) struct QueryState {
    /// 0: not sampled, records nothing.
    id: u64,
    trace: u64,
    parent: u64,
    agent_type: NameId,
    started: u64,
    tool_calls: AtomicU64,
    graphql_queries: AtomicU64,
    /// Bits of the score; NaN while there is none.
    complexity: AtomicU64,
    details: Mutex<Details>,
    finished: AtomicBool,
}

#[derive(Default)]
struct Details {
    entities: Vec<NameId>,
    tools: Vec<(NameId, u64)>,
    text: Option<NameId>,
}

/// How a query ended.
enum Ending<'a> {
    Completed(u64),
    Failed(&'a str),
    Abandoned,
}

impl Recorder {
    /// Starts a query that a type of agent answers (`simple`, `crewai`,
    /// `selector`, …; stored as it is, so never a person's or agent's
    /// identity). It is within what the thread is within, if anything.
    ///
    /// Cost: about 100 ns. Whether it is sampled is decided here, once, for
    /// all that is asked within it too.
    pub fn query(&self, agent_type: &str) -> Query {
        let inner = self.for_queries().cloned();
        let state = match &inner {
            Some(inner) => QueryState::start(inner, agent_type, Context::innermost()),
            None => QueryState::unsampled(),
        };
        Query { inner, state }
    }

    pub(crate) fn for_queries(&self) -> Option<&Arc<Inner>> {
        self.inner
            .as_ref()
            .filter(|inner| inner.settings.query_metrics)
    }
}

impl Query {
    /// Identifier: 16 hex digits; empty when the query is not recorded.
    pub fn id(&self) -> String {
        match self.state.id {
            0 => String::new(),
            id => format!("{id:016x}"),
        }
    }

    /// Whether it is recorded: enabled, and sampled.
    pub fn is_recorded(&self) -> bool {
        self.inner.is_some() && self.state.id != 0
    }

    /// Its place in the trace, for what works on it elsewhere; `None` when it
    /// is not recorded.
    pub fn context(&self) -> Option<Context> {
        self.is_recorded().then(|| self.state.context())
    }

    /// Makes it the parent of what this thread records, until the guard is
    /// dropped. Queries asked within one that is not sampled are not either.
    pub fn enter(&self) -> Entered {
        self.context().unwrap_or(Context::UNSAMPLED).enter()
    }

    /// Starts a query within this one. It is recorded if this one is.
    pub fn query(&self, agent_type: &str) -> Self {
        let state = match &self.inner {
            Some(inner) if self.state.id != 0 => {
                QueryState::within(inner, agent_type, self.state.context())
            }
            _ => QueryState::unsampled(),
        };
        Self {
            inner: self.inner.clone(),
            state,
        }
    }

    /// Its text: sets the complexity ([`complexity_score`]); the text itself
    /// is kept only with `keep_text`. Cost: about 1 µs.
    pub fn text(&self, text: &str) {
        if let Some(inner) = self.recording() {
            self.state.set_text(inner, text);
        }
    }

    /// An agent was chosen for it: which type, at what complexity (0..=1), by
    /// which rule. Recorded at once, also if the query never finishes.
    pub fn selection(&self, selected_agent: &str, complexity_score: f64, reason: &str) {
        if let Some(inner) = self.recording() {
            self.state
                .select(inner, selected_agent, complexity_score, reason);
        }
    }

    /// A tool was called for it. Cost: one atomic addition.
    #[inline]
    pub fn tool_call(&self) {
        self.state.tool_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// A tool was called for it, by name; how often each was, is recorded as
    /// `tool_usage` when the query ends. Cost: about 40 ns.
    pub fn tool_call_named(&self, tool: &str) {
        if let Some(inner) = self.recording() {
            self.state.count_tool(inner.name(tool));
        }
    }

    /// A GraphQL query was sent for it. Cost: one atomic addition.
    #[inline]
    pub fn graphql_query(&self) {
        self.state.graphql_queries.fetch_add(1, Ordering::Relaxed);
    }

    /// Kinds of entity found in it, beside those found before; each counts
    /// once, at most 32.
    pub fn entities(&self, kinds: &[&str]) {
        if let Some(inner) = self.recording() {
            self.state.add_entities(inner, kinds);
        }
    }

    /// It was answered, with so many bytes. Only the first ending counts.
    /// Cost: at most 200 ns, however many queries were recorded before.
    pub fn finish_ok(&self, result_size_bytes: u64) {
        self.end(&Ending::Completed(result_size_bytes));
    }

    /// It failed, by the class of the failure, never its message.
    pub fn finish_err(&self, error_type: &str) {
        self.end(&Ending::Failed(error_type));
    }

    /// It ended with this result, of so many bytes; an error is called after
    /// its type.
    pub fn finish<T, E>(&self, result: &Result<T, E>, result_size_bytes: u64) {
        match result {
            Ok(_) => self.finish_ok(result_size_bytes),
            Err(_) => self.finish_err(&error_type_of::<E>()),
        }
    }

    fn end(&self, ending: &Ending<'_>) {
        if let Some(inner) = self.recording() {
            self.state.end(inner, ending);
        }
    }

    fn recording(&self) -> Option<&Inner> {
        self.inner.as_deref().filter(|_| self.state.id != 0)
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        self.end(&Ending::Abandoned);
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

impl QueryState {
    /// Starts a query, sampling it unless what it is within was sampled.
    pub(crate) fn start(inner: &Inner, agent_type: &str, within: Option<Context>) -> Self {
        match within {
            Some(Context::UNSAMPLED) => return Self::unsampled(),
            Some(parent) => return Self::within(inner, agent_type, parent),
            None => {}
        }
        let id = ids::next(inner.core.now());
        if ids::chance(id) >= inner.settings.sampling_rate {
            return Self::unsampled();
        }
        Self::new(inner.name(agent_type), id, id, 0, inner.core.mono())
    }

    fn within(inner: &Inner, agent_type: &str, parent: Context) -> Self {
        let id = ids::next(inner.core.now());
        let agent_type = inner.name(agent_type);
        Self::new(agent_type, id, parent.trace, parent.id, inner.core.mono())
    }

    fn unsampled() -> Self {
        Self::new(NameId::OTHER, 0, 0, 0, 0)
    }

    fn new(agent_type: NameId, id: u64, trace: u64, parent: u64, started: u64) -> Self {
        Self {
            id,
            trace,
            parent,
            agent_type,
            started,
            tool_calls: AtomicU64::new(0),
            graphql_queries: AtomicU64::new(0),
            complexity: AtomicU64::new(f64::NAN.to_bits()),
            details: Mutex::default(),
            finished: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn set_text(&self, inner: &Inner, text: &str) {
        self.set_complexity(complexity_score(text));
        if inner.settings.keep_text {
            self.details().text = Some(inner.core.name(text));
        }
    }

    pub(crate) fn select(&self, inner: &Inner, agent: &str, complexity: f64, reason: &str) {
        const KIND: u8 = kind::AGENT_SELECTION;
        let mut words = Words::<4>::of(KIND);
        words.put(const { field(KIND, Column::Id) }, self.id);
        words.name(const { field(KIND, Column::Agent) }, inner.name(agent));
        if complexity.is_finite() {
            self.set_complexity(complexity);
            words.float(const { field(KIND, Column::Value) }, complexity);
        } else {
            inner.count_invalid(KIND);
        }
        words.name(const { field(KIND, Column::Name) }, inner.name(reason));
        words.push(&inner.core);
    }

    pub(crate) fn count_tool_call(&self) {
        self.tool_calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_graphql_query(&self) {
        self.graphql_queries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_entities(&self, inner: &Inner, kinds: &[&str]) {
        let mut details = self.details();
        for kind in kinds {
            let kind = inner.name(kind);
            if details.entities.len() < MAX_LISTED && !details.entities.contains(&kind) {
                details.entities.push(kind);
            }
        }
    }

    pub(crate) fn complete(&self, inner: &Inner, result_size_bytes: u64) {
        self.end(inner, &Ending::Completed(result_size_bytes));
    }

    pub(crate) fn fail(&self, inner: &Inner, error_type: &str) {
        self.end(inner, &Ending::Failed(error_type));
    }

    pub(crate) fn abandon(&self, inner: &Inner) {
        self.end(inner, &Ending::Abandoned);
    }

    fn context(&self) -> Context {
        Context {
            trace: self.trace,
            id: self.id,
        }
    }

    fn count_tool(&self, tool: NameId) {
        self.count_tool_call();
        let mut details = self.details();
        let held = details.tools.iter().position(|(held, _)| *held == tool);
        let other = || details.tools.iter().position(|(t, _)| *t == NameId::OTHER);
        match held {
            Some(at) => details.tools[at].1 += 1,
            None if details.tools.len() < MAX_LISTED => details.tools.push((tool, 1)),
            None => match other() {
                Some(at) => details.tools[at].1 += 1,
                None => details.tools.push((NameId::OTHER, 1)),
            },
        }
    }

    fn set_complexity(&self, score: f64) {
        self.complexity.store(score.to_bits(), Ordering::Relaxed);
    }

    fn end(&self, inner: &Inner, ending: &Ending<'_>) {
        if self.finished.swap(true, Ordering::AcqRel) {
            return;
        }
        let details = self.details();
        self.put(inner, ending, &details);
        for (tool, calls) in &details.tools {
            const KIND: u8 = kind::TOOL_USAGE;
            let mut words = Words::<3>::of(KIND);
            words.put(const { field(KIND, Column::Id) }, self.id);
            words.name(const { field(KIND, Column::Name) }, *tool);
            words.count(const { field(KIND, Column::ToolCalls) }, *calls);
            words.push(&inner.core);
        }
    }

    fn put(&self, inner: &Inner, ending: &Ending<'_>, details: &Details) {
        const KIND: u8 = kind::QUERY;
        let mut words = Words::<{ 14 + MAX_LISTED }>::of(KIND);
        words.put(const { field(KIND, Column::Id) }, self.id);
        words.name(const { field(KIND, Column::Agent) }, self.agent_type);
        let nanos = inner.core.mono().saturating_sub(self.started);
        words.put(const { field(KIND, Column::DurationMs) }, nanos);
        let (success, error, status, size) = match ending {
            Ending::Completed(size) => (Some(1), None, "completed", Some(*size)),
            Ending::Failed(error) => (Some(0), Some(inner.name(error)), "completed", None),
            Ending::Abandoned if std::thread::panicking() => {
                (Some(0), Some(inner.name("panic")), "abandoned", None)
            }
            // Whether it would have succeeded, nobody knows.
            Ending::Abandoned => (None, None, "abandoned", None),
        };
        if let Some(success) = success {
            words.put(const { field(KIND, Column::Success) }, success);
        }
        words.maybe_name(const { field(KIND, Column::ErrorType) }, error);
        words.name(const { field(KIND, Column::Status) }, inner.name(status));
        if let Some(size) = size {
            words.count(const { field(KIND, Column::SizeBytes) }, size);
        }
        let tool_calls = self.tool_calls.load(Ordering::Relaxed);
        words.count(const { field(KIND, Column::ToolCalls) }, tool_calls);
        let graphql = self.graphql_queries.load(Ordering::Relaxed);
        words.count(const { field(KIND, Column::GraphqlQueries) }, graphql);
        if !details.entities.is_empty() {
            words.list(
                const { field(KIND, Column::Entities) },
                &details.entities,
                3,
            );
        }
        let complexity = f64::from_bits(self.complexity.load(Ordering::Relaxed));
        if !complexity.is_nan() {
            words.float(const { field(KIND, Column::Value) }, complexity);
        }
        words.maybe_id(const { field(KIND, Column::ParentId) }, self.parent);
        words.maybe_name(const { field(KIND, Column::Text) }, details.text);
        words.push(&inner.core);
    }

    fn details(&self) -> MutexGuard<'_, Details> {
        self.details.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
