//! Where a call happens: on whose behalf, in which session, within what.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::core::NameId;

/// A place in a trace: what calls made within it name as their parent.
///
/// Two words, `Copy` and `Send`: hand it to the threads and tasks that work
/// for a [`crate::Span`] or [`crate::Query`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub(crate) trace: u64,
    pub(crate) id: u64,
}

impl Context {
    /// Identifier of the trace: 16 hex digits.
    pub fn trace_id(&self) -> String {
        format!("{:016x}", self.trace)
    }

    /// Identifier of the span or query: 16 hex digits.
    pub fn id(&self) -> String {
        format!("{:016x}", self.id)
    }

    /// Makes this the parent of what the current thread records, until the
    /// guard is dropped. Cost: a few nanoseconds.
    pub fn enter(self) -> Entered {
        let _ = STACK.try_with(|stack| {
            if let Ok(mut stack) = stack.try_borrow_mut() {
                stack.push(self);
            }
        });
        Entered {
            context: self,
            stays: PhantomData,
        }
    }

    /// What the current thread is within. Cost: 2 ns.
    pub fn current() -> Option<Self> {
        Self::innermost().filter(|context| *context != Self::UNSAMPLED)
    }

    /// Within a query that is not recorded.
    pub(crate) const UNSAMPLED: Self = Self { trace: 0, id: 0 };

    /// The same as [`Context::current`], but also says when that is nothing
    /// because a query was not sampled.
    #[inline]
    pub(crate) fn innermost() -> Option<Self> {
        STACK
            .try_with(|stack| stack.try_borrow().ok()?.last().copied())
            .ok()
            .flatten()
    }
}

thread_local! {
    static STACK: RefCell<Vec<Context>> = const { RefCell::new(Vec::new()) };
}

/// The current thread is within a [`Context`] as long as this lives.
#[must_use = "dropping it leaves the context at once"]
#[derive(Debug)]
pub struct Entered {
    context: Context,
    /// It belongs to the stack of the thread that made it.
    stays: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = STACK.try_with(|stack| {
            if let Ok(mut stack) = stack.try_borrow_mut()
                && let Some(at) = stack.iter().rposition(|held| *held == self.context)
            {
                // Guards may be dropped in any order; only this one leaves.
                stack.remove(at);
            }
        });
    }
}

/// What a handle adds to each of its records.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope {
    pub(crate) agent: Option<NameId>,
    /// 0: none.
    pub(crate) session: u64,
    pub(crate) parent: Option<Context>,
}

impl Scope {
    /// Parent and trace, 0 where there is none.
    #[inline]
    pub(crate) fn place(&self) -> (u64, u64) {
        self.parent
            .or_else(Context::innermost)
            .map_or((0, 0), |context| (context.id, context.trace))
    }
}

/// Gives a handle with `inner` and `scope` the methods that narrow its scope.
macro_rules! scoped {
    ($handle:ident) => {
        impl $handle {
            /// The same, on behalf of an agent, whose identity is kept as a
            /// keyed hash. Cost: about 1 µs; resolve once.
            #[must_use]
            pub fn for_agent(mut self, agent_id: &str) -> Self {
                if let Some(inner) = &self.inner {
                    self.scope.agent = Some(inner.hashed(agent_id));
                }
                self
            }

            /// The same, in a session.
            #[must_use]
            pub fn in_session(mut self, session: &$crate::Session) -> Self {
                self.scope.session = session.number();
                self
            }

            /// The same, always within `parent` instead of what the recording
            /// thread happens to be within.
            #[must_use]
            pub fn within(mut self, parent: $crate::Context) -> Self {
                self.scope.parent = Some(parent);
                self
            }
        }
    };
}
pub(crate) use scoped;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_dropped_out_of_order_leave_no_ghost() {
        let (a, b) = (Context { trace: 1, id: 1 }, Context { trace: 1, id: 2 });
        let outer = a.enter();
        let inner = b.enter();
        drop(outer);
        assert_eq!(Context::current(), Some(b));
        drop(inner);
        assert_eq!(Context::current(), None);
    }
}
