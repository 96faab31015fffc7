//! How many alerts stand how, and what that makes of a rule.

use serde::{Deserialize, Serialize};
use tachograph_model::alert::{Machine, State};
use tachograph_model::render::human;

use super::book::MOST_ALERTS;

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

/// That nobody watches series of some rules, and the way out; of each rule how
/// many those are.
pub fn unwatched<'a>(rules: impl Iterator<Item = (&'a str, u64)>) -> Option<String> {
    let rules: Vec<(&str, u64)> = rules.filter(|(_, count)| *count > 0).collect();
    let (first, _) = rules.first()?;
    let all = rules.iter().map(|(_, count)| count).sum();
    let others = match rules.len() - 1 {
        0 => String::new(),
        others => format!(" and {}", human::counted(others as u64, "other", "others")),
    };
    Some(format!(
        "nobody watches {} of the rule {first:?}{others}: all rules together watch {} at most; have \
         rules name what they watch instead of `*`, or turn some off",
        human::counted(all, "series", "series"),
        human::thousands(MOST_ALERTS as i128),
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_that_nobody_watches_are_told_of_with_their_rules() {
        let check = |rules: &[(&str, u64)], said: Option<&str>| {
            let told = unwatched(rules.iter().copied());
            let told = told.as_deref().and_then(|told| told.split(": all").next());
            assert_eq!(told, said, "{rules:?}");
        };
        check(&[], None);
        check(&[("a", 0)], None);
        let one = "nobody watches 1 series of the rule \"b\"";
        check(&[("a", 0), ("b", 1)], Some(one));
        let some = "nobody watches 3,334 series of the rule \"a\" and 2 others";
        check(&[("a", 1_284), ("b", 1_025), ("c", 1_025)], Some(some));
    }
}
