//! Why something is not recorded: which variable says so.

use std::fmt;

use crate::env::Settings;

/// A variable of the environment that keeps something from being recorded.
/// Shown as a shell would set it: `TACHOGRAPH_DISABLED=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptOut {
    /// The variable's name.
    pub variable: &'static str,
    /// Its value, as it was set.
    pub value: String,
    /// What is not recorded because of it.
    pub part: OptedOut,
}

/// What a variable keeps from being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptedOut {
    /// Everything.
    Everything,
    /// Tool calls, caches and live windows.
    Tools,
    /// Queries, with their agents, tools and entities.
    Queries,
}

/// Returns the variable of the environment that turns recording off as a
/// whole, if one does: "recording is off because `TACHOGRAPH_DISABLED=1`".
///
/// [`Settings::opt_outs`] has those that turn off a part as well, and
/// [`Recorder::opt_outs`](crate::Recorder::opt_outs) those that a recorder was
/// built with. Cost: microseconds.
///
/// ```
/// if let Some(why) = tachograph::opt_out() {
///     println!("recording is off because {why}");
/// }
/// ```
pub fn opt_out() -> Option<OptOut> {
    let mut opt_outs = Settings::from_env().opt_outs.into_iter();
    opt_outs.find(|out| out.part == OptedOut::Everything)
}

impl fmt::Display for OptOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.variable, self.value)
    }
}

impl fmt::Display for OptedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everything => "everything",
            Self::Tools => "tools and caches",
            Self::Queries => "queries",
        })
    }
}
