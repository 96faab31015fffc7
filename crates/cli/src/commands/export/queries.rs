//! The fifth seed's record of a query, as its `metrics.json` and `metrics.csv`
//! hold it. Text that was not kept is empty.

use serde_json::{Map, Value, json};
use tachograph_model::render::csv::guarded;
use tachograph_model::render::iso;
use tachograph_model::{Column, Event};

/// The seed's header, CRLF included.
pub const HEADER: &str = "query_id,timestamp,agent_type,query_text,response_time_ms,success,\
    error_type,error_message,entities_detected,query_complexity_score,agent_selection_time_ms,\
    query_execution_time_ms,tool_calls_count,graphql_queries_count,result_size_bytes\r\n";

/// The record as JSON, its keys in the seed's order.
pub fn json(event: &Event) -> Value {
    let extra = |key: &str| {
        event
            .extra
            .get(key)
            .and_then(|json| serde_json::from_str(json).ok())
    };
    let text = |column| event.str(column).map_or(Value::Null, Value::from);
    let count = |column| event.i64(column).map_or(Value::Null, Value::from);
    let entities = match event.get(Column::Entities) {
        Some(tachograph_model::Value::List(list)) => json!(list),
        _ => json!([]),
    };
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("query_id", text(Column::Id));
    put("timestamp", iso(event.time).into());
    put("agent_type", text(Column::Agent));
    put(
        "query_text",
        event.str(Column::Text).unwrap_or_default().into(),
    );
    put(
        "response_time_ms",
        event.f64(Column::DurationMs).map_or(Value::Null, whole),
    );
    put(
        "success",
        event.bool(Column::Success).map_or(Value::Null, Value::from),
    );
    put("error_type", text(Column::ErrorType));
    put("error_message", Value::Null);
    put("entities_detected", entities);
    put(
        "query_complexity_score",
        event.f64(Column::Value).map_or(Value::Null, Value::from),
    );
    put(
        "agent_selection_time_ms",
        extra("agent_selection_time_ms").unwrap_or(Value::Null),
    );
    put(
        "query_execution_time_ms",
        extra("query_execution_time_ms").unwrap_or(Value::Null),
    );
    put("tool_calls_count", count(Column::ToolCalls));
    put("graphql_queries_count", count(Column::GraphqlQueries));
    put("result_size_bytes", count(Column::SizeBytes));
    out.into()
}

/// The seed writes whole milliseconds.
fn whole(ms: f64) -> Value {
    if ms.fract() == 0.0 && ms.abs() < 9e15 {
        (ms as i64).into()
    } else {
        ms.into()
    }
}

/// The record as the seed's line of CSV: CRLF, `True`, a list as Python writes
/// it. Text that would start a formula gets an apostrophe.
pub fn line(event: &Event) -> String {
    let record = json(event);
    let cells: Vec<String> = record
        .as_object()
        .into_iter()
        .flat_map(Map::values)
        .map(|value| match value {
            Value::Null => String::new(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => quoted(&guarded(text)),
            other => quoted(&python_list(other)),
        })
        .collect();
    cells.join(",") + "\r\n"
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// `['payments', "it's"]`
fn python_list(value: &Value) -> String {
    let texts: Vec<String> = value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            let text = item.as_str().unwrap_or_default().replace('\\', "\\\\");
            match (text.contains('\''), text.contains('"')) {
                (true, false) => format!("\"{text}\""),
                (true, true) => format!("'{}'", text.replace('\'', "\\'")),
                _ => format!("'{text}'"),
            }
        })
        .collect();
    format!("[{}]", texts.join(", "))
}
