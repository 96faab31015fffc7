//! What agents do: the times that they were used, and the tool and model calls
//! that name them, together and apart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tachograph_serve::live::{Counts, Family, Reading, Tokens, Totals};

use super::picture::{Key, Parts, Row, Source};

/// What counts as something that an agent did.
pub const FAMILIES: [Family; 3] = [Family::Agent, Family::AgentTool, Family::AgentModel];

/// Every agent that something names, in the order in which they first came.
pub fn rows(source: &dyn Source, length: Duration) -> Vec<Row> {
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut found: HashMap<Arc<str>, (Parts, Option<Reading>)> = HashMap::new();
    for family in FAMILIES.into_iter().chain([Family::AgentCost]) {
        for reading in source.readings(family, length) {
            let name = Arc::clone(&reading.name);
            let (parts, cost) = found.entry(Arc::clone(&name)).or_insert_with(|| {
                names.push(name);
                Default::default()
            });
            *held(parts, cost, family) = Some(reading);
        }
    }
    let row = |name: Arc<str>| {
        let (parts, cost) = found.remove(&name)?;
        joined(parts, cost, length)
    };
    names.into_iter().filter_map(row).collect()
}

/// One agent; `None`: nothing names it.
pub fn row(source: &dyn Source, key: &Key, length: Duration) -> Option<Row> {
    let (mut parts, mut cost) = (Parts::default(), None);
    for family in FAMILIES.into_iter().chain([Family::AgentCost]) {
        *held(&mut parts, &mut cost, family) = source.reading(family, key, length);
    }
    joined(parts, cost, length)
}

fn held<'a>(
    parts: &'a mut Parts,
    cost: &'a mut Option<Reading>,
    family: Family,
) -> &'a mut Option<Reading> {
    match family {
        Family::AgentTool => &mut parts.tools,
        Family::AgentModel => &mut parts.models,
        Family::AgentCost => cost,
        _ => &mut parts.uses,
    }
}

fn joined(parts: Parts, cost: Option<Reading>, length: Duration) -> Option<Row> {
    let all = || {
        [&parts.uses, &parts.tools, &parts.models]
            .into_iter()
            .flatten()
    };
    let first = all().next()?;
    let reading = Reading {
        family: Family::Agent,
        source: Arc::clone(&first.source),
        name: Arc::clone(&first.name),
        kind: None,
        unit: None,
        happened: all()
            .filter_map(|it| it.happened)
            .reduce(|one, more| Counts {
                count: one.count + more.count,
                failed: one.failed + more.failed,
                rate: one.rate + more.rate,
            }),
        // Of calls of different kinds no distribution says anything.
        window: None,
        heard: all().filter_map(|it| it.heard).max(),
        latest: None,
        totals: all().fold(Totals::default(), |sum, it| with(sum, &it.totals)),
        since_start: all().fold(Totals::default(), |sum, it| with(sum, &it.since_start)),
    };
    Some(Row {
        reading,
        tokens: None,
        cost: cost.and_then(|it| it.window),
        parts: Some(Box::new(parts)),
        seconds: length.as_secs_f64(),
    })
}

/// The events of both, and how they ended; what models used is of one of them.
fn with(mut sum: Totals, more: &Totals) -> Totals {
    sum.events += more.events;
    sum.failed += more.failed;
    sum.unknown += more.unknown;
    sum.values += more.values;
    for (error, count) in &more.errors {
        match sum.errors.iter_mut().find(|(held, _)| held == error) {
            Some((_, held)) => *held += count,
            None => sum.errors.push((Arc::clone(error), *count)),
        }
    }
    if more.tokens != Tokens::default() || more.priced > 0 {
        (sum.tokens, sum.cost_usd, sum.priced) = (more.tokens, more.cost_usd, more.priced);
    }
    sum
}
