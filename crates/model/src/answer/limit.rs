//! How many rows an answer lists. What is left out is said; figures of the whole
//! (calls, tokens, failures) are of all there were.

use std::cmp::Reverse;

use super::{About, Answer, Found, Note, NoteKind, Report};
use crate::render::human::thousands;

/// Rows that each list of an answer has, unless told otherwise.
pub const ROWS: usize = 1_000;
/// Rows, whatever one is told, where the answer goes over a network.
pub const MOST_ROWS: usize = 10_000;

impl Answer {
    /// Leaves at most so many rows in each list, and notes how many were left
    /// out.
    pub fn limit(&mut self, rows: usize) {
        let mut limit = Limit {
            rows,
            about: &mut self.about,
        };
        limit.found(&mut self.found);
    }
}

impl Report {
    /// As [`Answer::limit`].
    pub fn limit(&mut self, rows: usize, about: &mut About) {
        Limit { rows, about }.report(self);
    }
}

impl super::Changes {
    /// As [`Answer::limit`].
    pub fn limit(&mut self, rows: usize, about: &mut About) {
        Limit { rows, about }.changes(self);
    }
}

struct Limit<'a> {
    rows: usize,
    about: &'a mut About,
}

impl Limit<'_> {
    fn found(&mut self, found: &mut Found) {
        match found {
            Found::Agents(found) => self.agents(found),
            Found::Caches(found) => self.caches(found),
            Found::Changes(found) => self.changes(found),
            Found::Discovery(found) => self.discovery(found),
            Found::Errors(found) => self.errors(found),
            Found::Losses(found) => self.losses(found),
            Found::Metrics(found) => self.metrics(found),
            Found::Models(found) => self.models(found),
            Found::Queries(found) => self.queries(found),
            Found::Report(found) => self.report(found),
            Found::Sessions(found) => self.sessions(found),
            Found::Tools(found) => self.tools(found),
            Found::Trends(found) => self.days("trends", &mut found.days),
            Found::Usage(found) => self.usage(found),
            // These list nothing, or have a limit of their own.
            Found::CachePerformance(_)
            | Found::SessionList(_)
            | Found::Sql(_)
            | Found::Storage(_)
            | Found::Timeline(_)
            | Found::Trace(_)
            | Found::TokenSavings(_) => {}
        }
    }

    fn report(&mut self, found: &mut Report) {
        self.discovery(&mut found.discovery);
        self.days("trends", &mut found.trends.days);
        self.queries(&mut found.queries);
        self.tools(&mut found.tools);
        self.caches(&mut found.caches);
        self.models(&mut found.models);
        self.sessions(&mut found.sessions);
        self.agents(&mut found.agents);
        self.errors(&mut found.errors);
        self.usage(&mut found.usage);
        self.metrics(&mut found.metrics);
        self.losses(&mut found.losses);
    }

    fn agents(&mut self, found: &mut super::Agents) {
        self.most("agents", "agents", &mut found.agents, |one| one.events);
    }

    fn caches(&mut self, found: &mut super::Caches) {
        self.most("caches", "caches", &mut found.caches, |one| {
            one.hits + one.misses
        });
    }

    fn changes(&mut self, found: &mut super::Changes) {
        self.most("changes", "changes", &mut found.changes, |_| 0);
    }

    fn discovery(&mut self, found: &mut super::Discovery) {
        self.most("discovery", "operations", &mut found.operations, |one| {
            one.count
        });
    }

    fn errors(&mut self, found: &mut super::Errors) {
        self.most("errors", "types", &mut found.types, |one| one.count);
        self.most("errors", "groups", &mut found.groups, |one| one.count);
    }

    fn losses(&mut self, found: &mut super::Losses) {
        self.most("losses", "losses", &mut found.losses, |one| one.count);
    }

    fn metrics(&mut self, found: &mut super::Metrics) {
        self.most("metrics", "series", &mut found.series, |one| one.points);
    }

    fn models(&mut self, found: &mut super::Models) {
        self.most("models", "models", &mut found.models, |one| {
            one.calls.total()
        });
    }

    fn queries(&mut self, found: &mut super::Queries) {
        const NAME: &str = "queries";
        self.most(NAME, "agents", &mut found.agents, |one| one.count);
        self.days(NAME, &mut found.days);
        // A list in a list: all of them together have about so many rows.
        let each = self.rows / found.days.len().max(1);
        for day in &mut found.days {
            keep(&mut day.agents, each.max(10), |one| one.count);
        }
        self.most(NAME, "errors", &mut found.errors, |one| one.count);
        self.most(NAME, "entities", &mut found.entities, |one| one.count);
        self.most(NAME, "selections", &mut found.selections, |one| one.count);
        let reasons = &mut found.selection_reasons;
        self.most(NAME, "reasons of selections", reasons, |one| one.count);
    }

    fn sessions(&mut self, found: &mut super::Sessions) {
        self.most("sessions", "types", &mut found.types, |one| one.started);
    }

    fn tools(&mut self, found: &mut super::Tools) {
        self.most("tools", "tools", &mut found.tools, |one| one.calls.total());
        let each = self.rows / found.tools.len().max(1);
        for tool in &mut found.tools {
            keep(&mut tool.errors, each.max(10), |one| one.count);
        }
    }

    fn usage(&mut self, found: &mut super::Usage) {
        self.days("usage", &mut found.days);
        self.most("usage", "types of event", &mut found.kinds, |one| one.count);
    }

    /// Leaves those that weigh most, in the order they have.
    fn most<T>(
        &mut self,
        question: &'static str,
        what: &str,
        list: &mut Vec<T>,
        weight: impl Fn(&T) -> u64,
    ) {
        let more = keep(list, self.rows, weight);
        self.note(question, what, list.len(), more);
    }

    /// Of days the last are news, and a chart wants many.
    fn days<T>(&mut self, question: &'static str, list: &mut Vec<T>) {
        let more = list.len().saturating_sub(self.rows.max(MOST_ROWS));
        list.drain(..more);
        self.note(question, "days", list.len(), more);
    }

    fn note(&mut self, question: &'static str, what: &str, listed: usize, more: usize) {
        if more == 0 {
            return;
        }
        let [listed, more] = [listed, more].map(|count| thousands(count as i128));
        self.about.note(Note::on(
            question,
            NoteKind::RowLimit,
            format!("{listed} {what} are listed, and {more} more are not (`limit`)"),
        ));
    }
}

/// Leaves the `rows` that weigh most, in the order they have; returns how many
/// are gone.
fn keep<T>(list: &mut Vec<T>, rows: usize, weight: impl Fn(&T) -> u64) -> usize {
    let more = list.len().saturating_sub(rows);
    if more == 0 {
        return 0;
    }
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by_key(|at| Reverse(weight(&list[*at])));
    let mut stays = vec![false; list.len()];
    for at in &order[..rows] {
        stays[*at] = true;
    }
    let mut stays = stays.into_iter();
    list.retain(|_| stays.next() == Some(true));
    more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Outcomes, Tool};
    use crate::question::Scope;
    use crate::time::UnixNanos;

    #[test]
    fn those_that_weigh_most_are_listed_in_their_order_and_the_others_are_counted() {
        let tool = |name: &str, succeeded| Tool {
            name: name.to_owned(),
            calls: Outcomes {
                succeeded,
                ..Outcomes::default()
            },
            success_ratio: None,
            duration_ms: None,
            errors: Vec::new(),
            first: UnixNanos(0),
            last: UnixNanos(0),
        };
        let mut report = Report::default();
        report.tools.tools = [("a", 1), ("b", 5), ("c", 2), ("d", 5), ("e", 1)]
            .map(|(name, calls)| tool(name, calls))
            .into();
        let mut about = About::new(&Scope::all(UnixNanos(0)));
        report.limit(5, &mut about);
        assert_eq!((report.tools.tools.len(), about.notes.len()), (5, 0));
        report.limit(3, &mut about);
        let names: Vec<_> = report.tools.tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["b", "c", "d"]);
        let note = &about.notes[0];
        assert_eq!(
            (note.kind, note.question),
            (NoteKind::RowLimit, Some("tools"))
        );
        assert_eq!(
            note.text,
            "3 tools are listed, and 2 more are not (`limit`)"
        );
    }
}
