use super::Scope;

/// Asks for the events of one session or trace, in the order they began.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Which events.
    pub scope: Scope,
    /// Of which session, as it is stored.
    pub session: Option<String>,
    /// Of which trace, as it is stored. Without either: of the session that an
    /// event was recorded of last.
    pub trace: Option<String>,
    /// At most so many events, the first ones.
    pub limit: u32,
}

impl Trace {
    /// Events unless told otherwise.
    pub const LIMIT: u32 = 2_000;
}
