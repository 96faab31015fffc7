//! By which values alert rules judge now, of windows of any length: as the replay
//! has them at its last look, from rollups where these tell them.

use std::collections::BTreeMap;
use std::time::Instant;

use tachograph_model::alert::{Rule, Terms};
use tachograph_model::answer::{Note, NoteKind, RuleValues, SeriesValue};
use tachograph_model::{AskError, Scope, UnixNanos, Window, describe, question};
use tachograph_store::{FoldSpec, Grain, Snapshot};

use super::replay::{self, AHEAD};
use super::{Engine, notes};
use crate::cells::Cells;
use crate::question::backtest::Replay;
use crate::question::rule_values::Series;

/// Of up to about so many events every value is looked at; what the store has
/// folded is kept, so that it is done once.
const EXACT: u64 = 100_000;

impl Engine {
    /// By which values alert rules judge now.
    ///
    /// # Errors
    /// When the events cannot be read, a rule cannot be watched, or it takes too
    /// long. Where only what is looked at value by value does, those rules have no
    /// answer and the others theirs.
    pub fn rule_values(&self, asked: &question::RuleValues) -> Result<RuleValues, AskError> {
        let deadline = Instant::now().checked_add(asked.within);
        self.rule_values_until(asked, deadline, deadline)
    }

    /// Until when cells may be asked, and until when each value may be looked at.
    pub(super) fn rule_values_until(
        &self,
        asked: &question::RuleValues,
        deadline: Option<Instant>,
        of_each: Option<Instant>,
    ) -> Result<RuleValues, AskError> {
        let terms: Vec<Terms> = asked
            .rules
            .iter()
            .map(|rule| Terms::of(rule).map_err(|error| replay::no_rule(rule, &error)))
            .collect::<Result<_, _>>()?;
        let snapshot = self.snapshot()?;
        let mut found = RuleValues {
            rules: vec![None; asked.rules.len()],
            notes: notes::of_store(snapshot.notes()),
        };
        let mut windows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, rule) in asked.rules.iter().enumerate() {
            windows.entry(rule.window_seconds).or_default().push(at);
        }
        let mut one_by_one = Vec::new();
        for (seconds, places) in windows {
            replay::in_time(deadline).map_err(replay::unread)?;
            let families = replay::families(places.iter().map(|at| &asked.rules[*at]));
            let window = window_to(asked.now, seconds);
            let cells = self.cells_of(&snapshot, window, &families, &mut found)?;
            for family in families {
                let series = Series::of(&cells, family);
                let of_family = |at: &&usize| asked.rules[**at].family == family;
                for at in places.iter().filter(of_family) {
                    match series.values(&asked.rules[*at], &terms[*at]) {
                        found_out @ Some(_) => found.rules[*at] = found_out,
                        None => one_by_one.push(*at),
                    }
                }
            }
        }
        if !one_by_one.is_empty()
            && let Err(error) = self.look_at_each(asked, &one_by_one, of_each, &mut found)
        {
            // What is known of the others stands.
            note(&mut found, vec![not_found_out(asked, &one_by_one, &error)]);
        }
        Ok(found)
    }

    fn cells_of(
        &self,
        snapshot: &Snapshot,
        window: Window,
        families: &[&'static str],
        found: &mut RuleValues,
    ) -> Result<Cells, AskError> {
        // Of the grain that questions have, too: they share what is kept.
        let mut spec = FoldSpec::new(Grain::Day).bounded(self.config.bound);
        if let Some(types) = replay::types_of(families) {
            spec = spec.of_types(&types);
        }
        if snapshot.estimated_rows(window) <= EXACT {
            spec = spec.exact();
        }
        let folded = snapshot.cells(window, &spec).map_err(notes::read_error)?;
        note(found, notes::of_store(&folded.notes));
        Ok(Cells::new(folded.cells, self.config.threads))
    }

    /// For what cells do not tell.
    fn look_at_each(
        &self,
        asked: &question::RuleValues,
        places: &[usize],
        deadline: Option<Instant>,
        found: &mut RuleValues,
    ) -> Result<(), AskError> {
        let rules: Vec<Rule> = places.iter().map(|at| asked.rules[*at].clone()).collect();
        let mut replay = Replay::new(&rules, asked.now, asked.now)
            .map_err(|(at, error)| replay::no_rule(&rules[at], &error))?;
        let reach = rules.iter().map(|rule| rule.window_seconds).max();
        let scope = Scope {
            window: Window {
                from: asked.now,
                to: UnixNanos::MAX,
            },
            ..Scope::all(asked.now)
        };
        let walk = replay::Asked {
            scope: &scope,
            reach: reach.unwrap_or(0),
            families: &replay::families(rules.iter()),
            deadline,
            held: replay::HELD,
        };
        let about = self.walk(&walk, &mut replay, &mut |_| {})?;
        note(found, about.notes);
        for (at, past) in places.iter().zip(replay.answer().rules) {
            let values = past.alerts.into_iter().map(|standing| SeriesValue {
                source: standing.source,
                name: standing.name,
                value: standing.value,
            });
            found.rules[*at] = Some(values.collect());
        }
        Ok(())
    }
}

fn not_found_out(asked: &question::RuleValues, places: &[usize], error: &AskError) -> Note {
    const NAMED: usize = 3;
    let names = places.iter().take(NAMED).map(|at| &asked.rules[*at].name);
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    let more = match places.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!("{}{more}: {}", names.join(", "), describe(error));
    Note::on("rule_values", NoteKind::Unanswered, text)
}

/// Of several windows each says the same.
fn note(found: &mut RuleValues, notes: Vec<Note>) {
    for note in notes {
        if !found.notes.contains(&note) {
            found.notes.push(note);
        }
    }
}

/// The window of so many seconds that ends now; a clock that goes ahead hides
/// nothing.
fn window_to(now: UnixNanos, seconds: u64) -> Window {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Window {
        from: UnixNanos(now.0.saturating_sub(seconds.saturating_mul(1_000_000_000))),
        to: UnixNanos(now.0.saturating_add(AHEAD)),
    }
}
