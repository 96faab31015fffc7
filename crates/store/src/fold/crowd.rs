//! More series than may be told apart: how many events each has is counted
//! first (a number per hash, not a cell), the most frequent stay apart, and the
//! others are summed, exactly, under [`OTHER`].
//!
//! ```text
//! fold: all apart ──too many──► census: hash → events ──► choice ──► fold: chosen apart, rest summed
//! ```
//!
//! A series gives up as little as need be: first its name, then all its texts,
//! then its type of event. So what each of three agents did stays known though
//! they call a million tools.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;
use tachograph_model::answer::OTHER;

use super::cell::SeriesKey;
use super::spec::{AGENTS_ARE_NAMES, Apart};
use crate::note::Note;

/// How much a question may hold, whatever the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Series of one type of event that are told apart, and kinds of entities; of
    /// those that give up their names, a quarter of this.
    pub series: usize,
    /// Cells, of all types together. Each takes about 1 KB.
    pub cells: usize,
}

impl Bound {
    /// What questions have: 10 000 series of each type, 200 000 cells.
    pub const QUESTION: Self = Self {
        series: 10_000,
        cells: 200_000,
    };
}

/// Series that the census holds; beyond, it forgets the rarer half. 36 bytes
/// each at most.
const HELD: usize = if cfg!(test) { 1 << 12 } else { 2 << 20 };
/// Types of events whose series are counted; those of others count together.
const FAMILIES: usize = 1_024;
/// Series without their texts that are told apart.
const BARE: usize = 1_000;
/// States that figures look at by name.
const STATES: [&str; 5] = ["abandoned", "hit", "miss", "eviction", "size_rejection"];

/// A series as it lies in a batch or in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SeriesRef<'a> {
    /// In the order of [`SeriesKey::text_columns`].
    pub(crate) texts: [Option<&'a str>; 7],
    pub(crate) flags: [Option<bool>; 2],
}

/// What a series has given up: nothing, its name, its texts, its type.
const LEVELS: usize = 4;

impl<'a> SeriesRef<'a> {
    pub(crate) fn of(key: &'a SeriesKey) -> Self {
        Self {
            texts: key.texts(),
            flags: [key.success, key.hit],
        }
    }

    pub(crate) fn event_type(&self) -> &'a str {
        self.texts[0].unwrap_or_default()
    }

    /// Leaves what is to be told apart.
    pub(crate) fn leave(&mut self, apart: Apart) {
        let [event_type, name, agent, source, r#type, status, error_type] = &mut self.texts;
        match apart {
            Apart::Everything => {}
            Apart::Named => {
                if !event_type.is_some_and(|it| AGENTS_ARE_NAMES.contains(&it)) {
                    *agent = None;
                }
            }
            Apart::Agents => {
                for text in [name, source, r#type, status, error_type] {
                    *text = None;
                }
                self.flags[1] = None;
            }
            Apart::Charts => (*agent, *r#type, *error_type) = (None, None, None),
            Apart::Kinds => {
                for text in [name, agent, source, r#type, error_type] {
                    *text = None;
                }
            }
        }
    }

    fn at_level(mut self, level: usize) -> Self {
        let given_up = match level {
            0 => 0..0,
            1 => 1..2,
            2 => 1..7,
            _ => 0..7,
        };
        for at in given_up {
            let stays = at == 5 && self.texts[at].is_some_and(|state| STATES.contains(&state));
            if self.texts[at].is_some() && !stays {
                self.texts[at] = Some(OTHER);
            }
        }
        self
    }

    fn hash(&self) -> u64 {
        let mut hasher = FixedState::default().build_hasher();
        self.texts.hash(&mut hasher);
        self.flags.hash(&mut hasher);
        hasher.finish()
    }
}

fn hash_entity(name: &str) -> u64 {
    FixedState::default().hash_one(name)
}

/// How many events each series has. Shared between threads.
#[derive(Debug, Default)]
pub(crate) struct Census(Mutex<Tally>);

#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By what a series has given up.
    levels: [HashMap<u64, Seen, FixedState>; LEVELS - 1],
    entities: HashMap<u64, u32, FixedState>,
    families: HashMap<Box<str>, u32, FixedState>,
    forgot: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    events: u32,
    family: u32,
}

impl Census {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    pub(crate) fn see(&mut self, series: &SeriesRef<'_>, events: u64) {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        let family = self.family(series.event_type());
        for (level, seen) in self.levels.iter_mut().enumerate() {
            let one = seen.entry(series.at_level(level).hash()).or_default();
            one.family = family;
            one.events = one.events.saturating_add(events);
        }
        if self.levels.iter().any(|seen| seen.len() > HELD) {
            self.forgot = true;
            self.levels.iter_mut().for_each(forget);
        }
    }

    pub(crate) fn see_entity(&mut self, name: &str, events: u64) {
        let count = self.entities.entry(hash_entity(name)).or_default();
        *count = count.saturating_add(u32::try_from(events).unwrap_or(u32::MAX));
        if self.entities.len() > HELD {
            let most = median(self.entities.values().copied());
            self.entities.retain(|_, count| *count > most);
            self.forgot = true;
        }
    }

    fn family(&mut self, event_type: &str) -> u32 {
        if let Some(family) = self.families.get(event_type) {
            return *family;
        }
        let next = self.families.len() as u32;
        let name = match self.families.len() < FAMILIES {
            true => event_type,
            false => OTHER,
        };
        *self.families.entry(name.into()).or_insert(next)
    }

    /// Who stays apart: the most frequent, as many as `bound` allows.
    pub(crate) fn choose(&self, bound: Bound) -> Chosen {
        let mut chosen = Chosen::default();
        let mut names: Vec<&str> = vec![OTHER; self.families.len()];
        for (name, at) in &self.families {
            names[*at as usize] = name;
        }
        for (level, most) in [(0, bound.series), (1, bound.series / 4)] {
            let mut families: Vec<Vec<(u32, u64)>> = vec![Vec::new(); self.families.len()];
            for (hash, seen) in &self.levels[level] {
                families[seen.family as usize].push((seen.events, *hash));
            }
            for (name, mut series) in names.iter().zip(families) {
                if level == 0 && series.len() > most {
                    chosen.notes.push(Note::Crowded {
                        what: (*name).to_owned(),
                        series: series.len() as u64,
                        apart: most as u64,
                        at_least: self.forgot,
                    });
                }
                most_frequent(&mut series, most);
                chosen
                    .series
                    .extend(series.into_iter().map(|(_, hash)| hash));
            }
        }
        chosen.notes.sort_by_key(ToString::to_string);
        let bare = self.levels[2].iter();
        let mut bare: Vec<_> = bare.map(|(hash, seen)| (seen.events, *hash)).collect();
        most_frequent(&mut bare, BARE);
        chosen.series.extend(bare.into_iter().map(|(_, hash)| hash));
        let entities = self.entities.iter();
        let mut entities: Vec<_> = entities.map(|(hash, count)| (*count, *hash)).collect();
        if entities.len() > bound.series {
            chosen.notes.push(Note::Crowded {
                what: "entities".to_owned(),
                series: entities.len() as u64,
                apart: bound.series as u64,
                at_least: self.forgot,
            });
        }
        most_frequent(&mut entities, bound.series);
        chosen.entities = entities.into_iter().map(|(_, hash)| hash).collect();
        chosen
    }
}

/// Keeps the `most` most frequent; of equally frequent ones always the same.
fn most_frequent(series: &mut Vec<(u32, u64)>, most: usize) {
    if series.len() > most {
        series.sort_unstable_by(|a, b| b.cmp(a));
        series.truncate(most);
    }
}

/// Forgets the rarer half, at least.
fn forget(seen: &mut HashMap<u64, Seen, FixedState>) {
    if seen.len() > HELD / 2 {
        let most = median(seen.values().map(|seen| seen.events));
        seen.retain(|_, seen| seen.events > most);
    }
}

fn median(counts: impl Iterator<Item = u32>) -> u32 {
    let mut counts: Vec<u32> = counts.collect();
    let middle = counts.len() / 2;
    *counts.select_nth_unstable(middle).1
}

/// Which series stay apart.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    series: HashSet<u64, FixedState>,
    entities: HashSet<u64, FixedState>,
    /// How many do not.
    pub(crate) notes: Vec<Note>,
}

impl Chosen {
    /// The series under which one counts.
    pub(crate) fn place<'a>(&self, series: SeriesRef<'a>) -> SeriesRef<'a> {
        let mut levels = (0..LEVELS - 1).map(|level| series.at_level(level));
        let chosen = levels.find(|series| self.series.contains(&series.hash()));
        chosen.unwrap_or_else(|| series.at_level(LEVELS - 1))
    }

    /// The name under which an entity counts.
    pub(crate) fn entity<'a>(&self, name: &'a str) -> &'a str {
        match self.entities.contains(&hash_entity(name)) {
            true => name,
            false => OTHER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series<'a>(name: &'a str, agent: &'a str) -> SeriesRef<'a> {
        let texts = [
            Some("tool_call"),
            Some(name),
            Some(agent),
            None,
            None,
            None,
            None,
        ];
        SeriesRef {
            texts,
            flags: [Some(true), None],
        }
    }

    #[test]
    fn the_most_frequent_stay_and_the_others_give_up_as_little_as_need_be() {
        let mut tally = Tally::default();
        let names: Vec<String> = (0..100).map(|at| format!("tool {at}")).collect();
        for (at, name) in names.iter().enumerate() {
            tally.see(&series(name, ["a", "b"][at % 2]), 1 + at as u64);
        }
        let chosen = tally.choose(Bound {
            series: 20,
            cells: 1_000,
        });
        for (at, name) in names.iter().enumerate() {
            let agent = ["a", "b"][at % 2];
            let placed = chosen.place(series(name, agent));
            let expected = if at < 80 { OTHER } else { name };
            assert_eq!(placed.texts[1], Some(expected), "{at}");
            assert_eq!(placed.texts[2], Some(agent), "{at}");
        }
        let [Note::Crowded { series, apart, .. }] = &chosen.notes[..] else {
            panic!("{:?}", chosen.notes);
        };
        assert_eq!((*series, *apart), (100, 20));
    }

    #[test]
    fn the_census_is_bounded_and_remembers_the_frequent() {
        let mut tally = Tally::default();
        for at in 0..(HELD + HELD / 2) {
            tally.see(&series(&at.to_string(), &at.to_string()), 1);
            if at % 4 == 0 {
                tally.see(&series("search", "a"), 1);
            }
        }
        assert!(tally.forgot && tally.levels.iter().all(|seen| seen.len() <= HELD));
        let chosen = tally.choose(Bound::QUESTION);
        assert_eq!(chosen.place(series("search", "a")).texts[1], Some("search"));
        assert_eq!(chosen.place(series("rare", "rare")).texts[1], Some(OTHER));
    }
}
