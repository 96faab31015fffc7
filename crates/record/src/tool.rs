//! Tools: what an agent calls.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

use tachograph_model::Column;

use crate::core::NameId;
use crate::layout::{Words, field, kind, nanos};
use crate::outcome::error_type_of;
use crate::recorder::{Inner, Recorder};
use crate::scope::{Scope, scoped};

const TOOL: u32 = field(kind::TOOL_CALL, Column::Name);
const DURATION: u32 = field(kind::TOOL_CALL, Column::DurationMs);
const SUCCESS: u32 = field(kind::TOOL_CALL, Column::Success);
const ERROR: u32 = field(kind::TOOL_CALL, Column::ErrorType);
const AGENT: u32 = field(kind::TOOL_CALL, Column::Agent);
const SESSION: u32 = field(kind::TOOL_CALL, Column::SessionId);
const PARENT: u32 = field(kind::TOOL_CALL, Column::ParentId);
const TRACE: u32 = field(kind::TOOL_CALL, Column::TraceId);

/// A tool, resolved once; recording through it costs tens of nanoseconds.
///
/// ```
/// use std::time::Duration;
/// let recorder = tachograph::Recorder::builder().build();
/// let search = recorder.tool("search");
/// search.success(Duration::from_millis(12));
/// search.failure(Duration::from_secs(30), "TimeoutError");
/// let found = search.try_time(|| "42".parse::<u8>());
/// assert_eq!(found, Ok(42));
/// assert_eq!(recorder.tool_metrics("search")["total_calls"], 3);
/// ```
#[derive(Clone)]
pub struct Tool {
    pub(crate) inner: Option<Arc<Inner>>,
    name: NameId,
    pub(crate) scope: Scope,
}

scoped!(Tool);

impl Recorder {
    /// Resolves a tool. Cost: a look-up under a lock; once per tool, not per
    /// call. Beyond the limit of names it is `_other`.
    pub fn tool(&self, name: &str) -> Tool {
        let inner = self.for_tools().cloned();
        Tool {
            name: inner.as_ref().map_or(NameId::OTHER, |i| i.core.name(name)),
            inner,
            scope: Scope::default(),
        }
    }

    /// Records one call of a tool by name; `error_type` counts only for a
    /// failure. Cost: about 10 ns more than through a [`Tool`].
    pub fn record_tool_call(
        &self,
        tool: &str,
        success: bool,
        latency: Duration,
        error_type: Option<&str>,
    ) {
        if let Some(inner) = self.for_tools() {
            let verdict = match (success, error_type) {
                (true, _) => Verdict::Success,
                (false, None) => Verdict::Failure(None),
                (false, Some(error)) => Verdict::Failure(Some(inner.name(error))),
            };
            put(
                inner,
                inner.name(tool),
                &Scope::default(),
                nanos(latency),
                verdict,
            );
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy)]
enum Verdict {
    Success,
    Failure(Option<NameId>),
}

impl Tool {
    /// Records a call that succeeded: the same as [`Tool::success`].
    #[inline]
    pub fn record(&self, latency: Duration) {
        self.success(latency);
    }

    /// Records a call that succeeded. Cost: at most 60 ns.
    #[inline]
    pub fn success(&self, latency: Duration) {
        if let Some(inner) = &self.inner {
            put(
                inner,
                self.name,
                &self.scope,
                nanos(latency),
                Verdict::Success,
            );
        }
    }

    /// Records a call that failed, by the class of its failure, never its
    /// message. Cost: about 70 ns.
    pub fn failure(&self, latency: Duration, error_type: &str) {
        if let Some(inner) = &self.inner {
            self.fail(inner, nanos(latency), error_type);
        }
    }

    /// Records a call that failed for a reason nobody named.
    pub fn failure_unnamed(&self, latency: Duration) {
        if let Some(inner) = &self.inner {
            put(
                inner,
                self.name,
                &self.scope,
                nanos(latency),
                Verdict::Failure(None),
            );
        }
    }

    /// Starts timing a call; the timer records it when it ends.
    #[inline]
    pub fn start(&self) -> Timer<&Self> {
        Timer::of(self)
    }

    /// Starts timing a call with a timer that lives on its own, for tasks.
    /// Cost: one reference count beyond [`Tool::start`].
    pub fn into_timer(self) -> Timer<Self> {
        Timer::of(self)
    }

    /// Times `work` and records it; a panic in it counts as failure `panic`.
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let timer = self.start();
        let done = work();
        timer.ok();
        done
    }

    /// Times `work` and records it: an `Err` as a failure called after the
    /// type of its error ([`error_type_of`]).
    ///
    /// # Errors
    /// Those of `work`.
    pub fn try_time<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let timer = self.start();
        let done = work();
        timer.end(&done);
        done
    }

    #[cold]
    fn fail(&self, inner: &Inner, nanos: u64, error_type: &str) {
        let error = inner.name(error_type);
        put(
            inner,
            self.name,
            &self.scope,
            nanos,
            Verdict::Failure(Some(error)),
        );
    }
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.inner.as_ref().map(|i| i.core.name_text(self.name));
        f.debug_tuple("Tool").field(&name).finish()
    }
}

/// A call under way. Records itself once: with the verdict it is given, or when
/// it is dropped: as a success, as failure `panic` while the thread unwinds.
///
/// ```
/// # let recorder = tachograph::Recorder::builder().build();
/// # let fetch = recorder.tool("fetch");
/// fn page(fetch: &tachograph::Tool, url: &str) -> Option<String> {
///     let timer = fetch.start();
///     let host = url.strip_prefix("https://")?; // an early return is recorded too
///     if host.is_empty() {
///         timer.fail("EmptyHost");
///         return None;
///     }
///     timer.ok();
///     Some(host.to_owned())
/// }
/// page(&fetch, "https://");
/// assert_eq!(recorder.tool_metrics("fetch")["error_types"]["EmptyHost"], 1);
/// ```
#[must_use = "a timer that is dropped at once times nothing"]
pub struct Timer<T: Borrow<Tool> = Tool> {
    tool: T,
    /// On the engine's steady clock.
    started: u64,
    /// What being dropped means.
    dropped: Dropped,
}

#[derive(Clone, Copy, PartialEq)]
enum Dropped {
    Recorded,
    Success,
    Cancelled,
    /// Made while its thread was unwinding already: that is no failure of its.
    SuccessAnyway,
}

impl<T: Borrow<Tool>> Timer<T> {
    #[inline]
    fn of(tool: T) -> Self {
        let (started, dropped) = match &tool.borrow().inner {
            None => (0, Dropped::Recorded),
            Some(inner) if std::thread::panicking() => (inner.core.mono(), Dropped::SuccessAnyway),
            Some(inner) => (inner.core.mono(), Dropped::Success),
        };
        Self {
            tool,
            started,
            dropped,
        }
    }

    /// The same, but dropping it unfinished is failure `cancelled`.
    pub(crate) fn cancelling(mut self) -> Self {
        if self.dropped == Dropped::Success {
            self.dropped = Dropped::Cancelled;
        }
        self
    }

    /// The call succeeded.
    #[inline]
    pub fn ok(mut self) {
        self.finish(Verdict::Success);
    }

    /// The call failed, by the class of its failure.
    pub fn fail(mut self, error_type: &str) {
        let tool = self.tool.borrow();
        if let Some(inner) = &tool.inner {
            let error = inner.name(error_type);
            self.finish(Verdict::Failure(Some(error)));
        }
    }

    /// The call ended with this result; an error is called after its type.
    pub fn end<V, E>(self, result: &Result<V, E>) {
        match result {
            Ok(_) => self.ok(),
            Err(_) => self.fail(&error_type_of::<E>()),
        }
    }

    /// Forgets the call: nothing is recorded.
    pub fn discard(mut self) {
        self.dropped = Dropped::Recorded;
    }

    /// How long the call has run so far; 0 when recording is disabled.
    pub fn elapsed(&self) -> Duration {
        let inner = self.tool.borrow().inner.as_ref();
        let nanos = inner.map_or(0, |inner| inner.core.mono().saturating_sub(self.started));
        Duration::from_nanos(nanos)
    }

    #[inline]
    fn finish(&mut self, verdict: Verdict) {
        if self.dropped == Dropped::Recorded {
            return;
        }
        self.dropped = Dropped::Recorded;
        let tool = self.tool.borrow();
        if let Some(inner) = &tool.inner {
            let nanos = inner.core.mono().saturating_sub(self.started);
            put(inner, tool.name, &tool.scope, nanos, verdict);
        }
    }

    #[cold]
    fn finish_unjudged(&mut self) {
        let Some(inner) = &self.tool.borrow().inner else {
            return;
        };
        let unwinding = std::thread::panicking() && self.dropped != Dropped::SuccessAnyway;
        let verdict = match self.dropped {
            _ if unwinding => Verdict::Failure(Some(inner.name("panic"))),
            Dropped::Cancelled => Verdict::Failure(Some(inner.name("cancelled"))),
            _ => Verdict::Success,
        };
        self.finish(verdict);
    }
}

impl<T: Borrow<Tool>> Drop for Timer<T> {
    #[inline]
    fn drop(&mut self) {
        if self.dropped != Dropped::Recorded {
            self.finish_unjudged();
        }
    }
}

impl<T: Borrow<Tool>> std::fmt::Debug for Timer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Timer").field(self.tool.borrow()).finish()
    }
}

/// Records a call that succeeded at a given time, for the benches: what is left
/// of [`Tool::success`] is the reading of the clock.
#[inline]
pub fn success_at(tool: &Tool, latency: Duration, time: i64) {
    if let Some(inner) = &tool.inner {
        let verdict = Verdict::Success;
        let record = record_of(tool.name, &tool.scope, nanos(latency), verdict);
        record.push_at(&inner.core, time);
    }
}

#[inline]
fn put(inner: &Inner, tool: NameId, scope: &Scope, nanos: u64, verdict: Verdict) {
    record_of(tool, scope, nanos, verdict).push(&inner.core);
}

#[inline]
fn record_of(tool: NameId, scope: &Scope, nanos: u64, verdict: Verdict) -> Words<8> {
    let mut words = Words::<8>::of(kind::TOOL_CALL);
    words.name(TOOL, tool);
    words.put(DURATION, nanos);
    match verdict {
        Verdict::Success => words.put(SUCCESS, 1),
        Verdict::Failure(error) => {
            words.put(SUCCESS, 0);
            words.maybe_name(ERROR, error);
        }
    }
    words.maybe_name(AGENT, scope.agent);
    words.maybe_id(SESSION, scope.session);
    let (parent, trace) = scope.place();
    words.maybe_id(PARENT, parent);
    words.maybe_id(TRACE, trace);
    words
}
