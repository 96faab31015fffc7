//! One event of the log, as live state needs it; the same memory for each.

use tachograph_model::{Cell, Column, Kind, UnixNanos, Visitor};

use super::totals::Tokens;

/// A text of the row; empty is none.
pub(super) type Text = String;

#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) event_type: Text,
    pub(super) name: Text,
    pub(super) agent: Text,
    pub(super) source: Text,
    pub(super) kind: Text,
    pub(super) status: Text,
    pub(super) error: Text,
    pub(super) unit: Text,
    pub(super) session: Text,
    pub(super) success: Option<bool>,
    pub(super) hit: Option<bool>,
    pub(super) duration_ms: Option<f64>,
    pub(super) value: Option<f64>,
    pub(super) cost_usd: Option<f64>,
    pub(super) count: Option<i64>,
    pub(super) tokens: Tokens,
}

impl Row {
    /// Whether the event tells of a failure.
    pub(super) fn failed(&self) -> bool {
        match self.success {
            Some(success) => !success,
            None => !self.error.is_empty(),
        }
    }

    /// Whether the event does not tell how it ended.
    pub(super) fn is_open(&self) -> bool {
        self.success.is_none() && self.error.is_empty()
    }

    fn text(&mut self, column: Column) -> Option<&mut Text> {
        Some(match column {
            Column::Name => &mut self.name,
            Column::Agent => &mut self.agent,
            Column::Source => &mut self.source,
            Column::Type => &mut self.kind,
            Column::Status => &mut self.status,
            Column::ErrorType => &mut self.error,
            Column::Unit => &mut self.unit,
            Column::SessionId => &mut self.session,
            _ => return None,
        })
    }

    fn whole(&mut self, column: Column, whole: i64) {
        let tokens = &mut self.tokens;
        let held = match column {
            Column::InputTokens => &mut tokens.input,
            Column::OutputTokens => &mut tokens.output,
            Column::CacheReadTokens => &mut tokens.cache_read,
            Column::CacheWriteTokens => &mut tokens.cache_write,
            Column::ReasoningTokens => &mut tokens.reasoning,
            Column::Count => {
                self.count = Some(whole);
                return;
            }
            _ => return,
        };
        *held = u64::try_from(whole).unwrap_or(0);
    }
}

impl Visitor for Row {
    fn begin(&mut self, time: UnixNanos, event_type: &str, _kind: Option<&'static Kind>) {
        self.time = time.0;
        for text in [
            &mut self.event_type,
            &mut self.name,
            &mut self.agent,
            &mut self.source,
            &mut self.kind,
            &mut self.status,
            &mut self.error,
            &mut self.unit,
            &mut self.session,
        ] {
            text.clear();
        }
        self.event_type.push_str(event_type);
        (self.success, self.hit) = (None, None);
        (self.duration_ms, self.value, self.cost_usd) = (None, None, None);
        self.count = None;
        self.tokens = Tokens::default();
    }

    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        match cell {
            Cell::Str(text) => {
                if let Some(held) = self.text(column) {
                    held.push_str(text);
                }
            }
            Cell::Bool(truth) => match column {
                Column::Success => self.success = Some(truth),
                Column::Hit => self.hit = Some(truth),
                _ => {}
            },
            Cell::F64(number) => match column {
                Column::DurationMs => self.duration_ms = Some(number),
                Column::Value => self.value = Some(number),
                Column::CostUsd => self.cost_usd = Some(number),
                _ => {}
            },
            Cell::I64(whole) => self.whole(column, whole),
            Cell::List(_) | Cell::Json(_) => {}
        }
    }

    fn extra(&mut self, _key: &str, _json: &str) {}
}
