//! Ranked search over agents' words.
//!
//! All distinct words (runs without white space, lower-cased) lie in one
//! buffer; behind each stands where it occurs. A term of the question is looked
//! for in the buffer as a substring (`memchr::memmem`), so that "kube" finds
//! kubernetes and ".net" finds what it should; a word without white space is in
//! a text exactly if it is in one of the text's words, so nothing that a plain
//! substring search of the texts finds is lost.
//!
//! A term's worth for an agent is the best of its places, weight of the field
//! times how well it fits (whole word, start of a word, inside), times its
//! rarity ⌊log₂(agents / agents with it)⌋ + 1. Agents with more of the terms
//! come first, then those worth more, then the index's order.

use std::collections::HashMap;

use memchr::memchr_iter;
use memchr::memmem::find_iter;

use crate::text;

/// Ends every word in the buffer; no term can hold it.
const END: u8 = 0;

/// Where a word stands in an agent, by what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Field {
    /// A keyword that only the file has, beyond the index's first fifteen.
    Body = 1,
    /// The description.
    Description = 3,
    /// A keyword of the index.
    Keyword = 4,
    /// The name.
    Name = 10,
}

/// An agent that has at least one of the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ranked {
    pub(crate) agent: usize,
    pub(crate) terms: usize,
    pub(crate) score: u32,
}

/// The words of all agents. Building is linear in their text (times a log).
#[derive(Debug, Default)]
pub(crate) struct Words {
    agents: usize,
    /// The words in order, each ended by [`END`].
    buffer: Vec<u8>,
    /// Start of each word in the buffer, and the buffer's length at the end.
    starts: Vec<usize>,
    /// Start of each word's places, and the number of places at the end.
    places_from: Vec<usize>,
    places: Vec<(u32, Field)>,
}

impl Words {
    /// From each agent's fields, in the index's order.
    pub(crate) fn new<'a, A>(agents: impl IntoIterator<Item = A>) -> Self
    where
        A: IntoIterator<Item = (Field, &'a str)>,
    {
        let mut words: HashMap<String, Vec<(u32, Field)>> = HashMap::new();
        let mut count = 0_u32;
        for agent in agents {
            for (field, value) in agent {
                let lower = value.to_lowercase();
                for word in text::words(&lower).filter(|word| !word.as_bytes().contains(&END)) {
                    match words.get_mut(word) {
                        Some(places) => note(places, count, field),
                        None => drop(words.insert(word.to_owned(), vec![(count, field)])),
                    }
                }
            }
            count += 1;
        }
        let mut words: Vec<_> = words.into_iter().collect();
        words.sort_unstable();
        let mut built = Self {
            agents: count as usize,
            ..Self::default()
        };
        for (word, places) in words {
            built.starts.push(built.buffer.len());
            built.places_from.push(built.places.len());
            built.buffer.extend_from_slice(word.as_bytes());
            built.buffer.push(END);
            built.places.extend(places);
        }
        built.starts.push(built.buffer.len());
        built.places_from.push(built.places.len());
        built
    }

    /// The agents that have a term of `query`, best first. Everything, in
    /// order, for a query without terms. Cost: one pass over the distinct
    /// words per term.
    pub(crate) fn search(&self, query: &str) -> Vec<Ranked> {
        let lower = query.to_lowercase();
        let terms = terms(&lower);
        if terms.is_empty() {
            return (0..self.agents)
                .map(|agent| Ranked {
                    agent,
                    terms: 0,
                    score: 0,
                })
                .collect();
        }
        let mut totals = vec![(0_usize, 0_u32); self.agents];
        let mut worth = vec![0_u32; self.agents];
        // Whatever holds the end mark stands in no word.
        for term in terms
            .into_iter()
            .filter(|term| !term.as_bytes().contains(&END))
        {
            worth.fill(0);
            self.weigh(term.as_bytes(), &mut worth);
            let having = worth.iter().filter(|&&worth| worth > 0).count();
            let Some(rarity) = self
                .agents
                .checked_div(having)
                .and_then(usize::checked_ilog2)
            else {
                continue;
            };
            for (total, &worth) in totals
                .iter_mut()
                .zip(&worth)
                .filter(|(_, worth)| **worth > 0)
            {
                total.0 += 1;
                total.1 += worth * (rarity + 1);
            }
        }
        let mut ranked: Vec<Ranked> = totals
            .into_iter()
            .enumerate()
            .filter(|(_, (terms, _))| *terms > 0)
            .map(|(agent, (terms, score))| Ranked {
                agent,
                terms,
                score,
            })
            .collect();
        ranked.sort_unstable_by(|a, b| {
            (b.terms, b.score)
                .cmp(&(a.terms, a.score))
                .then(a.agent.cmp(&b.agent))
        });
        ranked
    }

    /// Raises `worth[agent]` to the best fit of `term` in that agent.
    fn weigh(&self, term: &[u8], worth: &mut [u32]) {
        // One letter is in a third of all words, and there each restart of the
        // general finder counts.
        match *term {
            [letter] => self.weigh_places(1, memchr_iter(letter, &self.buffer), worth),
            _ => self.weigh_places(term.len(), find_iter(&self.buffer, term), worth),
        }
    }

    /// `found`: where a term of `len` bytes begins in the buffer, rising.
    fn weigh_places(&self, len: usize, found: impl Iterator<Item = usize>, worth: &mut [u32]) {
        let mut word = 0;
        let mut fit = 0;
        for at in found {
            if self.starts[word + 1] <= at {
                self.raise(word, fit, worth);
                fit = 0;
                while self.starts[word + 1] <= at {
                    word += 1;
                }
            }
            fit = fit.max(self.fit(at, at + len));
        }
        if fit > 0 {
            self.raise(word, fit, worth);
        }
    }

    fn raise(&self, word: usize, fit: u32, worth: &mut [u32]) {
        for &(agent, field) in &self.places[self.places_from[word]..self.places_from[word + 1]] {
            let best = &mut worth[agent as usize];
            *best = (*best).max(field as u32 * fit);
        }
    }

    /// How well `buffer[from..to]` fits the word it is in: 4 for all of it or a
    /// part between punctuation, 2 for the start of such a part, 1 otherwise.
    fn fit(&self, from: usize, to: usize) -> u32 {
        let buffer = &self.buffer;
        let starts = from == 0 || !is_part(buffer[from]) || !is_part(buffer[from - 1]);
        let ends = !is_part(buffer[to - 1]) || !is_part(buffer[to]);
        match (starts, ends) {
            (true, true) => 4,
            (true, false) => 2,
            _ => 1,
        }
    }
}

/// Adds a place; of several in one agent, the weightiest stays.
fn note(places: &mut Vec<(u32, Field)>, agent: u32, field: Field) {
    match places.last_mut() {
        Some((last, best)) if *last == agent => *best = field.max(*best),
        _ => places.push((agent, field)),
    }
}

/// The words of a question, without doubles; without function words too, unless
/// there is nothing else.
fn terms(lower: &str) -> Vec<&str> {
    let mut terms: Vec<&str> = Vec::new();
    for word in text::words(lower) {
        if !terms.contains(&word) {
            terms.push(word);
        }
    }
    if terms.iter().any(|term| !text::is_function_word(term)) {
        terms.retain(|term| !text::is_function_word(term));
    }
    terms
}

/// Letters and digits; any part of a character beyond ASCII counts as a letter.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
