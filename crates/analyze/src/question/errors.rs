//! Errors: `error` events, and every event that did not succeed.

use tachograph_model::answer::{ErrorGroup, Errors};

use super::tallies;
use super::tools::{first, last};
use crate::cells::{self, Cells, Row, UNKNOWN};

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Errors {
    let failed = || cells.all().iter().filter(|row| is_failure(row));
    let mut types = tallies(failed(), |row| Some(type_of(row)));
    types.sort_by_key(|tally| std::cmp::Reverse(tally.count));
    let mut groups: Vec<ErrorGroup> = cells::groups(failed(), |row| Some(origin(row)))
        .into_iter()
        .map(|(origin, rows)| group(origin, &rows))
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Errors {
        total: cells::count(failed()),
        types,
        groups,
    }
}

fn is_failure(row: &Row) -> bool {
    &*row.key().event_type == "error" || row.key().success == Some(false)
}

fn type_of(row: &Row) -> &str {
    row.key().error_type.as_deref().unwrap_or(UNKNOWN)
}

type Origin<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);

fn origin(row: &Row) -> Origin<'_> {
    let key = row.key();
    // A query has no name; the type of agent that answered is its origin.
    let name = if &*key.event_type == "query" {
        &key.agent
    } else {
        &key.name
    };
    (
        type_of(row),
        &key.event_type,
        name.as_deref(),
        key.source.as_deref(),
    )
}

fn group((error_type, event_type, name, source): Origin<'_>, rows: &[&Row]) -> ErrorGroup {
    ErrorGroup {
        error_type: error_type.to_owned(),
        event_type: event_type.to_owned(),
        name: name.map(str::to_owned),
        source: source.map(str::to_owned),
        count: cells::count(rows.iter().copied()),
        first: first(rows),
        last: last(rows),
    }
}
