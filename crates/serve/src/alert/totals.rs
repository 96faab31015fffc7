//! How many alerts stand how, and what that makes of a rule.

use serde::{Deserialize, Serialize};
use tachograph_model::alert::{Machine, State};

/// How many alerts stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    of: [u64; State::ALL.len()],
    /// Of those that nothing is known of, the ones that fired when it was.
    pub open_without_data: u64,
}

impl Totals {
    pub(super) fn add(&mut self, machine: &Machine) {
        self.of[machine.state() as usize] += 1;
        let silent = machine.is_open() && machine.state() == State::NoData;
        self.open_without_data += u64::from(silent);
    }

    /// How many are in a state.
    pub fn of(&self, state: State) -> u64 {
        self.of[state as usize]
    }

    /// How many fired and are not resolved.
    pub fn open(&self) -> u64 {
        self.of(State::Firing) + self.open_without_data
    }

    /// Takes in series that are not kept one by one.
    pub(super) fn add_quiet(&mut self, quiet: Quiet) {
        self.of[State::Inactive as usize] += quiet.well;
        self.of[State::NoData as usize] += quiet.without_data;
    }

    /// The state that matters most of those that any is in. What fired when there
    /// still was data comes before what is resolved; of others it says little that
    /// there is none while some are well.
    pub fn worst(&self) -> Option<State> {
        let any = |state: &State| match state {
            State::NoData => self.open_without_data > 0,
            state => self.of(*state) > 0,
        };
        let order = [
            State::Firing,
            State::Pending,
            State::NoData,
            State::Resolved,
            State::Inactive,
        ];
        let silent = (self.of(State::NoData) > 0).then_some(State::NoData);
        order.into_iter().find(any).or(silent)
    }
}

/// How one rule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleState {
    /// `None`: nobody has looked at any series of it.
    pub state: Option<State>,
    /// Its alerts, all of them.
    pub totals: Totals,
    /// Series of it that nobody watches.
    pub unwatched: u64,
}

/// Series of a rule of which there is nothing to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Those all is well with.
    pub well: u64,
    /// Those of which nothing is known.
    pub without_data: u64,
    /// Those that nobody watches: there are too many.
    #[serde(default)]
    pub unwatched: u64,
}
