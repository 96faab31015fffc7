use serde::Serialize;

use super::Spread;

/// Sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sessions {
    /// Begun in the window.
    pub started: u64,
    /// Ended in the window.
    pub ended: u64,
    /// How long those that ended lasted, ms.
    pub duration_ms: Option<Spread>,
    /// Mean tokens in context at the start.
    pub mean_initial_tokens: Option<f64>,
    /// Mean tokens loaded in a session that ended.
    pub mean_tokens: Option<f64>,
    /// Mean agents loaded in a session that ended.
    pub mean_agents: Option<f64>,
    /// Per type, in the order first seen; events without one are `unknown`.
    pub types: Vec<SessionType>,
}

/// Sessions of one type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionType {
    /// The type.
    pub name: String,
    /// Begun in the window.
    pub started: u64,
    /// Ended in the window.
    pub ended: u64,
    /// How long those that ended lasted, ms.
    pub duration_ms: Option<Spread>,
}

impl Sessions {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.started == 0 && self.ended == 0
    }
}
