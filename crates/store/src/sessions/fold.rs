//! Taking events into their sessions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, DictionaryArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampNanosecondType};
use foldhash::fast::FixedState;
use tachograph_model::{Column, UnixNanos, Window};

use super::{By, COST_UNIT, Figures, Places, Row, Sessions, began, hash_of};
use crate::error::StoreError;
use crate::schema::{EVENT_TYPE, TIMESTAMP, schema_of};
use crate::segment::conform;

/// The columns that are read.
pub(crate) fn columns() -> [&'static str; 9] {
    let of = [
        Column::Agent,
        Column::SessionId,
        Column::Success,
        Column::DurationMs,
        Column::InputTokens,
        Column::OutputTokens,
        Column::CostUsd,
    ];
    let [agent, session, success, took, input, output, cost] = of.map(Column::name);
    [
        TIMESTAMP, EVENT_TYPE, agent, session, success, took, input, output, cost,
    ]
}

/// Makes [`Sessions`].
#[derive(Debug, Default)]
pub(crate) struct Folder {
    ids: String,
    rows: Vec<Row>,
    places: Places,
    agents: Vec<Arc<str>>,
    agent_places: HashMap<Arc<str>, u32, FixedState>,
}

impl Folder {
    /// Takes in the events of a batch that lie in the window, of those
    /// sessions that are `wanted`.
    ///
    /// # Errors
    /// When a column is of another type than it should be.
    pub(crate) fn push(
        &mut self,
        batch: &RecordBatch,
        window: Window,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), StoreError> {
        let nobody = batch
            .column_by_name(Column::SessionId.name())
            .is_none_or(|ids| ids.null_count() == ids.len());
        if nobody {
            return Ok(());
        }
        let batch = conform(batch, &schema_of(&columns()))?;
        let column = |name: &str| batch.column_by_name(name).cloned();
        // All are there, and of their types: the batch conforms.
        let (Some(times), Some(types), Some(agents), Some(ids)) = (
            column(TIMESTAMP),
            column(EVENT_TYPE),
            column(Column::Agent.name()),
            column(Column::SessionId.name()),
        ) else {
            return Ok(());
        };
        let times = times.as_primitive::<TimestampNanosecondType>();
        let types = types.as_dictionary::<Int32Type>();
        let (tools, models) = (place_of(types, "tool_call"), place_of(types, "llm_call"));
        let agents = agents.as_dictionary::<Int32Type>();
        let agent_names = agents.values().as_string::<i32>();
        let mut known: Vec<Option<u32>> = vec![None; agent_names.len()];
        let ids = ids.as_string::<i32>();
        let flags = column(Column::Success.name());
        let failed = flags.as_ref().map(|flags| flags.as_boolean());
        let whole = |of: Column| column(of.name()).filter(|a| a.null_count() < a.len());
        let (input, output) = (whole(Column::InputTokens), whole(Column::OutputTokens));
        let costs = whole(Column::CostUsd);
        let durations = whole(Column::DurationMs);
        let durations = durations.as_ref().map(|a| a.as_primitive::<Float64Type>());
        for (row, time) in times.values().iter().enumerate() {
            let id = match ids.is_valid(row) {
                true => ids.value(row),
                false => continue,
            };
            if id.is_empty() || !window.contains(UnixNanos(*time)) || !wanted(id) {
                continue;
            }
            let by = match agents.keys().is_valid(row) {
                false => By::Nobody,
                true => {
                    let key = agents.keys().value(row) as usize;
                    let agent = known[key];
                    let agent = agent.unwrap_or_else(|| self.agent(agent_names.value(key)));
                    known[key] = Some(agent);
                    By::One(agent)
                }
            };
            let kind = types.keys().value(row);
            let is_model = models.contains(&kind);
            let number = |of: &Option<Arc<dyn Array>>| {
                let of = of.as_ref().filter(|of| is_model && of.is_valid(row))?;
                Some(of.as_primitive::<Int64Type>().value(row))
            };
            let cost = costs.as_ref().filter(|c| is_model && c.is_valid(row));
            let took = durations.filter(|took| took.is_valid(row));
            let took = took.map(|took| took.value(row));
            let figures = Figures {
                by,
                began: began(UnixNanos(*time), took).0,
                first: *time,
                last: *time,
                events: 1,
                tool_calls: u64::from(tools.contains(&kind)),
                llm_calls: u64::from(is_model),
                failed: failed.map_or(0, |said| u64::from(said.is_valid(row) && !said.value(row))),
                tokens: super::both(number(&input), number(&output), i64::saturating_add),
                // As far as the type goes; what is no number is nothing.
                cost: cost.map(|costs| {
                    let cost = costs.as_primitive::<Float64Type>().value(row);
                    (cost * COST_UNIT).round() as i128
                }),
            };
            self.add(hash_of(id), id, figures)?;
        }
        Ok(())
    }

    /// Takes in rows of others.
    ///
    /// # Errors
    /// When there are more ids than can be held.
    pub(crate) fn take(
        &mut self,
        sessions: &Sessions,
        rows: impl IntoIterator<Item = usize>,
    ) -> Result<(), StoreError> {
        let agents: Vec<u32> = sessions.agents.iter().map(|a| self.agent(a)).collect();
        for row in rows {
            let figures = sessions.figures(row);
            let by = figures.by.clone().map(|agent| agents[agent as usize]);
            self.add(sessions.hash(row), sessions.id(row), figures.told_by(by))?;
        }
        Ok(())
    }

    /// Takes in what is known of one session.
    pub(super) fn add(
        &mut self,
        hash: u64,
        id: &str,
        figures: Figures<u32>,
    ) -> Result<(), StoreError> {
        let next = self.rows.len() as u32;
        let (ids, rows) = (&self.ids, &self.rows);
        let place = self.places.of(hash, next, |place| {
            let (from, to) = rows[place as usize].id;
            ids.get(from as usize..to as usize) == Some(id)
        });
        if place < next {
            self.rows[place as usize].figures.merge(figures);
            return Ok(());
        }
        let from = self.ids.len();
        let end = u32::try_from(from + id.len()).map_err(|_| StoreError::Crowded)?;
        self.ids.push_str(id);
        self.rows.push(Row {
            hash,
            id: (from as u32, end),
            figures,
        });
        Ok(())
    }

    pub(super) fn agent(&mut self, name: &str) -> u32 {
        if let Some(place) = self.agent_places.get(name) {
            return *place;
        }
        let place = self.agents.len() as u32;
        let name: Arc<str> = Arc::from(name);
        self.agents.push(name.clone());
        self.agent_places.insert(name, place);
        place
    }

    /// Sessions taken in so far.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn finish(self) -> Sessions {
        let mut rows = self.rows;
        rows.shrink_to_fit();
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_unstable_by_key(|place| rows[*place as usize].hash);
        Sessions {
            ids: self.ids,
            rows,
            agents: self.agents,
            order,
        }
    }
}

/// The keys of a text in a dictionary, which may hold it twice.
fn place_of(dictionary: &DictionaryArray<Int32Type>, text: &str) -> Vec<i32> {
    let values = dictionary.values().as_string::<i32>();
    let found = values
        .iter()
        .zip(0..)
        .filter(|(held, _)| *held == Some(text));
    found.map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, StringArray, TimestampNanosecondArray};
    use arrow::datatypes::{Field, Schema};

    /// Times and durations of a session's events, in whatever order.
    fn folded(events: &[(i64, Option<f64>)]) -> Figures<u32> {
        let times: TimestampNanosecondArray = events.iter().map(|(at, _)| Some(*at)).collect();
        let took: Float64Array = events.iter().map(|(_, took)| *took).collect();
        let columns: [(&str, Arc<dyn Array>); 4] = [
            (TIMESTAMP, Arc::new(times.with_timezone("UTC"))),
            (
                EVENT_TYPE,
                Arc::new(StringArray::from(vec!["span"; events.len()])),
            ),
            (
                Column::SessionId.name(),
                Arc::new(StringArray::from(vec!["s"; events.len()])),
            ),
            (Column::DurationMs.name(), Arc::new(took)),
        ];
        let field = |(name, array): &(&str, Arc<dyn Array>)| {
            Field::new(*name, array.data_type().clone(), true)
        };
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        let columns = columns.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("a batch");
        let mut folder = Folder::default();
        folder
            .push(&batch, Window::ALL, |_| true)
            .expect("it conforms");
        folder.finish().figures(0).clone()
    }

    #[test]
    fn a_session_began_when_the_first_of_its_events_did() {
        const S: i64 = 1_000_000_000;
        let nothing = [None, Some(-5.0), Some(f64::NAN), Some(f64::INFINITY)];
        let odd = nothing.map(|took| (100 * S, took));
        for (events, wanted) in [
            (&odd[..], (100 * S, 100 * S, 100 * S)),
            // Recorded last, begun first.
            (
                &[
                    (10 * S, Some(1_000.0)),
                    (12 * S, Some(10_000.0)),
                    (11 * S, None),
                ],
                (2 * S, 10 * S, 12 * S),
            ),
            (
                &[(10 * S, Some(4_000.0)), (9 * S, Some(2_000.0))],
                (6 * S, 9 * S, 10 * S),
            ),
            // What is no duration is left out, and not the others beside it.
            (
                &[
                    (10 * S, Some(f64::NAN)),
                    (11 * S, Some(2_000.0)),
                    (12 * S, Some(1e13)),
                ],
                (9 * S, 10 * S, 12 * S),
            ),
            (&[(5 * S, Some(60_000.0))], (-55 * S, 5 * S, 5 * S)),
        ] {
            let found = folded(events);
            let found = (found.began, found.first, found.last);
            assert_eq!(found, wanted, "{events:?}");
        }
    }
}
