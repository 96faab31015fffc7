//! Spans: timed operations with a place in a trace.

use std::sync::Arc;

use tachograph_model::Column;

use crate::core::NameId;
use crate::ids;
use crate::layout::{Words, field, kind};
use crate::outcome::error_type_of;
use crate::recorder::{Inner, Recorder};
use crate::scope::{Context, Entered};

/// An operation under way on this thread: what the thread records until it
/// ends is within it.
///
/// Ends when it is dropped, also on an early return and on a panic (failure
/// `panic`). Cost: about 150 ns from start to end.
///
/// ```
/// let recorder = tachograph::Recorder::builder().build();
/// let plan = recorder.span("plan");
/// recorder.tool("search").time(|| ()); // a call within the span
/// let context = plan.context();
/// std::thread::scope(|threads| {
///     threads.spawn(|| {
///         // Another thread: name the parent.
///         let step = recorder.span_within("step", context);
///         step.ok();
///     });
/// });
/// plan.ok();
/// ```
#[must_use = "a span that is dropped at once times nothing"]
pub struct Span {
    /// Dropped before the guard, so that it is recorded with its own parent.
    running: DetachedSpan,
    _entered: Option<Entered>,
}

/// An operation under way that no thread is within: `Send`, for tasks that
/// wander between threads. Give its [`DetachedSpan::context`] to what works
/// for it. Otherwise like [`Span`].
#[must_use = "a span that is dropped at once times nothing"]
pub struct DetachedSpan {
    inner: Option<Arc<Inner>>,
    name: NameId,
    context: Context,
    /// 0: none.
    parent: u64,
    started: u64,
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

impl Recorder {
    /// Starts an operation on this thread, within what the thread is within.
    pub fn span(&self, name: &str) -> Span {
        self.span_detached(name, Context::current()).enter()
    }

    /// Starts an operation on this thread, within `parent`.
    pub fn span_within(&self, name: &str, parent: Context) -> Span {
        self.span_detached(name, Some(parent)).enter()
    }

    /// Starts an operation that may wander between threads, within `parent`
    /// or at the root of a trace of its own.
    pub fn span_detached(&self, name: &str, parent: Option<Context>) -> DetachedSpan {
        let name = self.inner.as_ref().map_or(NameId::OTHER, |i| i.name(name));
        self.span_resolved(name, parent)
    }

    pub(crate) fn span_resolved(&self, name: NameId, parent: Option<Context>) -> DetachedSpan {
        let parent = parent.filter(|parent| *parent != Context::UNSAMPLED);
        let Some(inner) = &self.inner else {
            return DetachedSpan {
                inner: None,
                name,
                context: Context::UNSAMPLED,
                parent: 0,
                started: 0,
                dropped: Dropped::Recorded,
            };
        };
        let id = ids::next(inner.core.now());
        DetachedSpan {
            inner: Some(Arc::clone(inner)),
            name,
            context: Context {
                trace: parent.map_or(id, |parent| parent.trace),
                id,
            },
            parent: parent.map_or(0, |parent| parent.id),
            started: inner.core.mono(),
            dropped: match std::thread::panicking() {
                true => Dropped::SuccessAnyway,
                false => Dropped::Success,
            },
        }
    }
}

impl Span {
    /// Its place in the trace, for what works on it on other threads.
    pub fn context(&self) -> Context {
        self.running.context
    }

    /// It succeeded: the same as dropping it.
    pub fn ok(self) {
        self.running.ok();
    }

    /// It failed, by the class of the failure, never its message.
    pub fn fail(self, error_type: &str) {
        self.running.fail(error_type);
    }

    /// It ended with this result; an error is called after its type.
    pub fn end<T, E>(self, result: &Result<T, E>) {
        self.running.end(result);
    }
}

impl DetachedSpan {
    /// Its place in the trace.
    pub fn context(&self) -> Context {
        self.context
    }

    /// Binds it to this thread.
    pub fn enter(self) -> Span {
        let entered = self.inner.is_some().then(|| self.context.enter());
        Span {
            running: self,
            _entered: entered,
        }
    }

    /// It succeeded: the same as dropping it.
    pub fn ok(mut self) {
        self.finish(None);
    }

    /// It failed, by the class of the failure, never its message.
    pub fn fail(mut self, error_type: &str) {
        self.finish(Some(error_type));
    }

    /// It ended with this result; an error is called after its type.
    pub fn end<T, E>(self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.ok(),
            Err(_) => self.fail(&error_type_of::<E>()),
        }
    }

    /// The same, but dropping it unfinished is failure `cancelled`.
    pub(crate) fn cancelling(mut self) -> Self {
        if self.dropped == Dropped::Success {
            self.dropped = Dropped::Cancelled;
        }
        self
    }

    fn finish(&mut self, error_type: Option<&str>) {
        if self.dropped == Dropped::Recorded {
            return;
        }
        self.dropped = Dropped::Recorded;
        let Some(inner) = &self.inner else {
            return;
        };
        const KIND: u8 = kind::SPAN;
        let mut words = Words::<7>::of(KIND);
        words.name(const { field(KIND, Column::Name) }, self.name);
        words.put(const { field(KIND, Column::Id) }, self.context.id);
        words.put(const { field(KIND, Column::TraceId) }, self.context.trace);
        words.maybe_id(const { field(KIND, Column::ParentId) }, self.parent);
        let nanos = inner.core.mono().saturating_sub(self.started);
        words.put(const { field(KIND, Column::DurationMs) }, nanos);
        let success = u64::from(error_type.is_none());
        words.put(const { field(KIND, Column::Success) }, success);
        let error = error_type.map(|error| inner.name(error));
        words.maybe_name(const { field(KIND, Column::ErrorType) }, error);
        words.push(&inner.core);
    }
}

impl Drop for DetachedSpan {
    fn drop(&mut self) {
        let unwinding = std::thread::panicking();
        match self.dropped {
            Dropped::Recorded => {}
            Dropped::Success | Dropped::Cancelled if unwinding => self.finish(Some("panic")),
            Dropped::Cancelled => self.finish(Some("cancelled")),
            Dropped::Success | Dropped::SuccessAnyway => self.finish(None),
        }
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Span").field(&self.running.context).finish()
    }
}

impl std::fmt::Debug for DetachedSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DetachedSpan").field(&self.context).finish()
    }
}
