use super::Scope;
use crate::alert::Rule;
use crate::time::UnixNanos;

/// Asks what alert rules would have said of the past: each looked at every
/// second, as a server does.
///
/// It carries rules, so that it is asked of the engine itself and not by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtest {
    /// From when to when is looked; the present, if the window has no end.
    pub scope: Scope,
    /// The rules. Whether they are enabled does not matter.
    pub rules: Vec<Rule>,
}

impl Backtest {
    /// Days unless told otherwise.
    pub const DAYS: u32 = 30;

    /// When the last look is.
    pub fn until(&self) -> UnixNanos {
        self.scope.until()
    }
}

impl Scope {
    /// The window's end, or the present where that comes first.
    pub fn until(&self) -> UnixNanos {
        self.window.to.min(self.now)
    }
}
