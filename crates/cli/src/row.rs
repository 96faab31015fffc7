//! A row of the wide table → the event, as it came.

use serde_json::Value as Json;
use tachograph_model::answer::SqlColumn;
use tachograph_model::column::Type;
use tachograph_model::{Column, Event, Kind, UnixNanos, Value, raw};

/// Builds the line of the log that `row` is, checking what it must have.
///
/// # Errors
/// Says what is missing or wrong.
pub fn line(columns: &[SqlColumn], row: &[Json]) -> Result<Vec<u8>, String> {
    let cell = |name: &str| {
        let at = columns.iter().position(|column| column.name == name)?;
        row.get(at)?.as_str()
    };
    let time = cell("timestamp").ok_or("no timestamp")?;
    UnixNanos::parse(time, true).map_err(|error| format!("timestamp: {error}"))?;
    cell("event_type").ok_or("no event_type")?;
    if let Some(extra) = cell("extra").filter(|json| !json.is_empty()) {
        raw::members(extra).map_err(|_| "extra is not a JSON object")?;
    }
    let mut line = event(columns, row).to_line();
    line.truncate(line.trim_ascii_end().len());
    Ok(line)
}

/// Builds the event that `row` (all columns of `events`) is.
pub fn event(columns: &[SqlColumn], row: &[Json]) -> Event {
    let cell = |name: &str| {
        let at = columns.iter().position(|column| column.name == name)?;
        row.get(at)?.as_str()
    };
    let time = cell("timestamp").and_then(|text| UnixNanos::parse(text, true).ok());
    let event_type = cell("event_type").unwrap_or_default();
    let mut event = Event::new(time.unwrap_or_default(), event_type);
    let kind = Kind::by_name(event_type);
    for (column, json) in columns.iter().zip(row) {
        let Some(place) = Column::by_name(&column.name) else {
            continue;
        };
        // JSON is put back letter by letter, not read and written anew.
        if let (Type::Json, Some(text), Some(kind)) = (place.def().ty, json.as_str(), kind)
            && let Some(field) = kind.fields.iter().find(|field| field.column == place)
        {
            event.extra.insert(field.key.to_owned(), text.to_owned());
            continue;
        }
        event.set(place, value(place, json));
    }
    let extra = cell("extra").and_then(|json| raw::members(json).ok());
    event.extra.extend(extra.unwrap_or_default());
    event
}

fn value(column: Column, json: &Json) -> Option<Value> {
    match column.def().ty {
        Type::Str => json.as_str().map(Value::from),
        Type::I64 => json.as_i64().map(Value::from),
        Type::F64 => json.as_f64().map(Value::from),
        Type::Bool => json.as_bool().map(Value::from),
        Type::List => {
            let list = json.as_array()?;
            let texts = list
                .iter()
                .map(|text| text.as_str().unwrap_or_default().to_owned());
            Some(Value::List(texts.collect()))
        }
        Type::Json => match json
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
        {
            Some(Json::Object(object)) => Some(Value::from(object)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> SqlColumn {
        SqlColumn {
            name: name.into(),
            r#type: String::new(),
            numeric: false,
        }
    }

    #[test]
    fn a_row_becomes_the_line_it_came_from() {
        let columns: Vec<SqlColumn> = ["timestamp", "event_type", "name", "value", "tags", "extra"]
            .map(column)
            .into();
        let check = |row: &[Json], line: &str| {
            let event = event(&columns, row);
            assert_eq!(String::from_utf8_lossy(&event.to_line()).trim_end(), line);
        };
        let at = Json::from("2025-11-20T11:00:00+00:00");
        check(
            &[
                at.clone(),
                "metric".into(),
                "load".into(),
                1.0.into(),
                "{\"a\": 1.50}".into(),
                "{\"value\":1,\"odd\":[1e400]}".into(),
            ],
            "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"metric\",\"name\":\"load\",\"value\":1,\"tags\":{\"a\": 1.50},\"odd\":[1e400]}",
        );
        check(
            &[
                at,
                "theirs".into(),
                Json::Null,
                Json::Null,
                Json::Null,
                "{\"a\":null,\"b\":\"x\"}".into(),
            ],
            "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"theirs\",\"a\":null,\"b\":\"x\"}",
        );
        let odd = ["timestamp", "event_type", "extra"].map(column);
        let row = ["2025-11-20T11:00:00Z", "theirs", "{\"a\":1"].map(Json::from);
        assert_eq!(
            line(&odd, &row),
            Err("extra is not a JSON object".to_owned())
        );
        for empty in ["{}", "nonsense"] {
            check(
                &[
                    "2025-11-20T11:00:00+00:00".into(),
                    "theirs".into(),
                    Json::Null,
                    Json::Null,
                    Json::Null,
                    empty.into(),
                ],
                "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"theirs\"}",
            );
        }
    }
}
