//! What a fold is to make.

use super::cell::Grain;
use super::crowd::{Bound, SeriesRef};

/// What cells to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldSpec {
    /// How finely to group in time.
    pub grain: Grain,
    /// Keep every duration, value and cost (8 bytes each) rather than sketch
    /// them.
    pub exact: bool,
    /// Only events of these types; `None` for all.
    pub types: Option<Vec<String>>,
    /// How much may be told apart; `None`: everything, whatever it takes.
    pub bound: Option<Bound>,
    /// What is told apart beside time.
    pub apart: Apart,
    /// Only series of these texts; `None` for all.
    pub only: Option<Only>,
}

/// What makes events different series. The less there is of it, the fewer cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Apart {
    /// Everything of a [`super::SeriesKey`].
    #[default]
    Everything,
    /// All but who did it: no agents, save those of [`AGENTS_ARE_NAMES`].
    Named,
    /// Who did it, of what type of event, and whether it succeeded.
    Agents,
    /// What charts of one name tell apart: neither agents nor types nor classes
    /// of failure.
    Charts,
    /// Types of event and how they ended, whoever and whatever it was.
    Kinds,
}

/// Types of event that are told by their agent as others are by their name.
pub const AGENTS_ARE_NAMES: [&str; 3] = ["agent_load", "agent_selection", "query"];

/// Texts that series are picked by. Of others nothing is held, so that one is
/// told apart however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Of this name.
    pub name: Option<Sought>,
    /// Of this agent.
    pub agent: Option<Sought>,
    /// Of this source.
    pub source: Option<Sought>,
    /// Events of this type count whatever their texts are.
    pub beside: Option<&'static str>,
}

/// A text that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Exactly this one.
    pub text: String,
    /// Series without any are meant, too.
    pub or_none: bool,
}

impl Sought {
    fn is(&self, held: Option<&str>) -> bool {
        let held = held.filter(|held| !held.is_empty());
        held.map_or(self.or_none, |held| held == self.text)
    }
}

impl Only {
    fn takes(&self, series: &SeriesRef<'_>) -> bool {
        let [event_type, name, agent, source, ..] = series.texts;
        let is = |sought: &Option<Sought>, held| sought.as_ref().is_none_or(|s| s.is(held));
        (self.beside.is_some() && event_type == self.beside)
            || (is(&self.name, name) && is(&self.agent, agent) && is(&self.source, source))
    }
}

impl FoldSpec {
    /// All types, sketched.
    pub fn new(grain: Grain) -> Self {
        Self {
            grain,
            exact: false,
            types: None,
            bound: None,
            apart: Apart::Everything,
            only: None,
        }
    }

    /// The same, grouped so in time.
    #[must_use]
    pub fn by(mut self, grain: Grain) -> Self {
        self.grain = grain;
        self
    }

    /// The same, with only this told apart.
    #[must_use]
    pub fn telling(mut self, apart: Apart) -> Self {
        self.apart = apart;
        self
    }

    /// The same, with no more told apart than this.
    #[must_use]
    pub fn bounded(mut self, bound: Bound) -> Self {
        self.bound = Some(bound);
        self
    }

    /// The same, exact.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// The same, of some types only.
    #[must_use]
    pub fn of_types(mut self, types: &[&str]) -> Self {
        self.types = Some(types.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// The same, of some series only.
    #[must_use]
    pub fn of_series(mut self, only: Only) -> Self {
        self.only = Some(only);
        self
    }

    /// The same, of everything.
    pub(crate) fn of_everything(&self) -> Self {
        Self {
            types: None,
            only: None,
            ..self.clone()
        }
    }

    /// The series that one counts to.
    pub(super) fn apart<'a>(&self, mut series: SeriesRef<'a>) -> SeriesRef<'a> {
        series.leave(self.apart);
        series
    }

    pub(crate) fn wants(&self, event_type: &str) -> bool {
        self.types
            .as_ref()
            .is_none_or(|types| types.iter().any(|wanted| wanted == event_type))
    }

    /// Whether series count, by their type and their texts.
    pub(super) fn takes(&self, series: &SeriesRef<'_>) -> bool {
        self.wants(series.event_type()) && self.only.as_ref().is_none_or(|only| only.takes(series))
    }
}
