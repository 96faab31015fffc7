//! What the attribute macros write calls to; nothing for use by hand.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::OnceLock;

use crate::core::NameId;
use crate::global::installed;
use crate::recorder::Recorder;
use crate::scope::Context;
use crate::span::{DetachedSpan, Span};
use crate::tool::{Timer, Tool};

/// A function marked `#[tool]`; its handle is resolved at the first call after
/// the program has a recorder.
pub struct ToolSite {
    name: &'static str,
    handle: OnceLock<Tool>,
}

impl ToolSite {
    /// Names the tool; costs nothing before the first call.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            handle: OnceLock::new(),
        }
    }

    /// For functions that return no result.
    #[inline]
    pub fn start(&'static self) -> Option<Timer<&'static Tool>> {
        self.tool().map(Tool::start)
    }

    /// For functions that return a result.
    pub fn run<T, E>(&'static self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        match self.tool() {
            Some(tool) => tool.try_time(work),
            None => work(),
        }
    }

    /// For async functions that return no result: from the first poll on.
    pub async fn run_async<F: Future>(&'static self, work: F) -> F::Output {
        let timer = self.start().map(Timer::cancelling);
        let done = work.await;
        if let Some(timer) = timer {
            timer.ok();
        }
        done
    }

    /// For async functions that return a result: from the first poll on.
    pub async fn try_run_async<T, E, F>(&'static self, work: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let timer = self.start().map(Timer::cancelling);
        let done = work.await;
        if let Some(timer) = timer {
            timer.end(&done);
        }
        done
    }

    fn tool(&'static self) -> Option<&'static Tool> {
        match self.handle.get() {
            Some(tool) => Some(tool),
            None => {
                let recorder = installed()?;
                Some(self.handle.get_or_init(|| recorder.tool(self.name)))
            }
        }
    }
}

/// A function marked `#[instrument]`.
pub struct SpanSite {
    name: &'static str,
    resolved: OnceLock<NameId>,
}

impl SpanSite {
    /// Names the span; costs nothing before the first call.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            resolved: OnceLock::new(),
        }
    }

    /// For functions that return no result.
    pub fn start(&'static self) -> Option<Span> {
        self.detached().map(DetachedSpan::enter)
    }

    /// For functions that return a result.
    pub fn run<T, E>(&'static self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let span = self.start();
        let done = work();
        if let Some(span) = span {
            span.end(&done);
        }
        done
    }

    /// For async functions that return no result: from the first poll on.
    pub async fn run_async<F: Future>(&'static self, work: F) -> F::Output {
        let span = self.detached().map(DetachedSpan::cancelling);
        let done = within(&span, work).await;
        if let Some(span) = span {
            span.ok();
        }
        done
    }

    /// For async functions that return a result: from the first poll on.
    pub async fn try_run_async<T, E, F>(&'static self, work: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let span = self.detached().map(DetachedSpan::cancelling);
        let done = within(&span, work).await;
        if let Some(span) = span {
            span.end(&done);
        }
        done
    }

    fn detached(&'static self) -> Option<DetachedSpan> {
        let recorder: &Recorder = installed()?;
        let inner = recorder.inner.as_ref()?;
        let name = *self.resolved.get_or_init(|| inner.core.name(self.name));
        Some(recorder.span_resolved(name, Context::current()))
    }
}

/// Runs `work` so that whatever thread polls it is within the span meanwhile.
async fn within<F: Future>(span: &Option<DetachedSpan>, work: F) -> F::Output {
    let context = span.as_ref().map(DetachedSpan::context);
    let mut work = pin!(work);
    poll_fn(|waker| {
        let _entered = context.map(Context::enter);
        work.as_mut().poll(waker)
    })
    .await
}
