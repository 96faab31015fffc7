//! Questions that list sessions or events one by one: what cells do not tell.
//! Asked in SQL, within the limits that SQL has.

use serde_json::Value;
use tachograph_model::answer::{
    About, Found, Note, NoteKind, OneSession, SessionList, Trace, TraceEvent,
};
use tachograph_model::{Answer, AskError, Scope, UnixNanos, Window, question};

use super::Engine;

impl Engine {
    /// The latest sessions.
    pub(super) fn session_list(&self, asked: &question::SessionList) -> Result<Answer, AskError> {
        let query = format!(
            "SELECT *, count(*) OVER () AS found FROM (SELECT session_id, \
             CASE WHEN min(agent) = max(agent) THEN min(agent) END AS agent, \
             CAST(min(timestamp) AS BIGINT) AS first, CAST(max(timestamp) AS BIGINT) AS last, \
             count(*) AS events, \
             count(*) FILTER (WHERE event_type = 'tool_call') AS tool_calls, \
             count(*) FILTER (WHERE event_type = 'llm_call') AS llm_calls, \
             count(*) FILTER (WHERE NOT success) AS failed, \
             sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) FILTER (WHERE \
             event_type = 'llm_call' AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)) \
             AS tokens, sum(cost_usd) FILTER (WHERE event_type = 'llm_call') AS cost_usd \
             FROM events WHERE session_id <> ''{} GROUP BY session_id) \
             ORDER BY last DESC, session_id LIMIT {}",
            within(asked.scope.window),
            asked.limit.max(1),
        );
        let (rows, mut about) = self.rows(query, asked.limit, &asked.scope)?;
        let mut found = SessionList::default();
        for row in &rows {
            let mut row = Row(row.iter());
            found.sessions.push(OneSession {
                session: row.text().unwrap_or_default(),
                agent: row.text(),
                first: row.time(),
                last: row.time(),
                events: row.count(),
                tool_calls: row.count(),
                llm_calls: row.count(),
                failed: row.count(),
                tokens: row.whole(),
                cost_usd: row.number(),
            });
            found.more = row.count().saturating_sub(rows.len() as u64);
        }
        about.events = found.sessions.iter().map(|one| one.events).sum();
        note_more(
            &mut about,
            "session_list",
            "sessions",
            rows.len(),
            found.more,
        );
        Ok(Answer {
            about,
            found: Found::SessionList(found.into()),
        })
    }

    /// The events of a session or trace.
    pub(super) fn trace(&self, asked: &question::Trace) -> Result<Answer, AskError> {
        let window = within(asked.scope.window);
        let is = |column: &str, id: &Option<String>| {
            let id = id.as_ref()?;
            Some(format!(" AND {column} = {}", quoted(id)))
        };
        let of = [
            is("session_id", &asked.session),
            is("trace_id", &asked.trace),
        ];
        let mut of: String = of.into_iter().flatten().collect();
        if of.is_empty() {
            of = format!(
                " AND session_id = (SELECT session_id FROM events WHERE session_id <> ''{window} \
                 ORDER BY timestamp DESC LIMIT 1)"
            );
        }
        let query = format!(
            "SELECT *, count(*) OVER () AS found FROM (SELECT \
             CAST(timestamp AS BIGINT) - CAST(CASE WHEN duration_ms BETWEEN 0 AND 1e12 THEN \
             round(duration_ms * 1e6) ELSE 0 END AS BIGINT) AS start, \
             CAST(timestamp AS BIGINT) AS at, duration_ms, event_type, name, source, \
             CASE WHEN success THEN 'ok' WHEN NOT success THEN 'failed' ELSE status END AS status, \
             error_type, id, parent_id, \
             CASE WHEN input_tokens IS NULL AND output_tokens IS NULL THEN tokens \
             ELSE coalesce(input_tokens, 0) + coalesce(output_tokens, 0) END AS tokens, cost_usd \
             FROM events WHERE true{of}{window}) \
             ORDER BY start, at DESC, event_type, name, id LIMIT {}",
            asked.limit.max(1),
        );
        let (rows, mut about) = self.rows(query, asked.limit, &asked.scope)?;
        let mut found = Trace::default();
        for row in &rows {
            let mut row = Row(row.iter());
            found.events.push(TraceEvent {
                start: row.time(),
                timestamp: row.time(),
                duration_ms: row.number(),
                event_type: row.text().unwrap_or_default(),
                name: row.text(),
                source: row.text(),
                status: row.text(),
                error_type: row.text(),
                span_id: row.text(),
                parent_id: row.text(),
                tokens: row.whole(),
                cost_usd: row.number(),
            });
            found.more = row.count().saturating_sub(rows.len() as u64);
        }
        about.events = rows.len() as u64;
        note_more(&mut about, "trace", "events", rows.len(), found.more);
        Ok(Answer {
            about,
            found: Found::Trace(found.into()),
        })
    }

    fn rows(
        &self,
        query: String,
        limit: u32,
        scope: &Scope,
    ) -> Result<(super::Rows, About), AskError> {
        let answer = self.sql(&question::Sql {
            query,
            row_limit: limit.max(1) as usize,
        })?;
        let mut about = About::new(scope);
        about.notes = answer.about.notes;
        match answer.found {
            Found::Sql(sql) => Ok((sql.rows, about)),
            _ => Err(AskError::Mismatch { question: "sql" }),
        }
    }
}

fn note_more(about: &mut About, question: &'static str, what: &str, listed: usize, more: u64) {
    if more > 0 {
        let text = format!("{listed} {what} are listed, and {more} more are not (`limit`)");
        about.note(Note::on(question, NoteKind::RowLimit, text));
    }
}

/// A window, as a further condition.
fn within(window: Window) -> String {
    let edge = |op: &str, at: UnixNanos| {
        let nanos = at.0;
        format!(" AND timestamp {op} arrow_cast({nanos}, 'Timestamp(Nanosecond, Some(\"UTC\"))')")
    };
    let mut text = String::new();
    if window.from != UnixNanos::MIN {
        text.push_str(&edge(">=", window.from));
    }
    if window.to != UnixNanos::MAX {
        text.push_str(&edge("<", window.to));
    }
    text
}

/// A text as SQL quotes it: nothing in it ends it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The values of a row, one after the other.
struct Row<'a>(std::slice::Iter<'a, Value>);

impl Row<'_> {
    fn text(&mut self) -> Option<String> {
        self.0.next()?.as_str().map(str::to_owned)
    }

    fn whole(&mut self) -> Option<i64> {
        self.0.next()?.as_i64()
    }

    fn number(&mut self) -> Option<f64> {
        self.0.next()?.as_f64()
    }

    fn count(&mut self) -> u64 {
        let count = self.whole().unwrap_or(0);
        u64::try_from(count).unwrap_or(0)
    }

    fn time(&mut self) -> UnixNanos {
        UnixNanos(self.whole().unwrap_or(0))
    }
}
