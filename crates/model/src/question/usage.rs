use super::Scope;

/// Asks when work happens: by UTC hour, weekday and day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Which events.
    pub scope: Scope,
}
