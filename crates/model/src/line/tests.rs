use super::{Decoder, LineError};
use crate::column::Column;
use crate::event::{Event, Value};
use crate::time::TimeError;

const TS: &str = r#""timestamp":"2025-11-20T11:00:00+00:00","event_type":"#;

fn read(rest: &str) -> Result<Event, LineError> {
    Event::from_line(format!("{{{TS}{rest}}}").as_bytes())
}

fn round_trips(line: &str) {
    let event = Event::from_line(line.as_bytes()).expect(line);
    assert_eq!(
        String::from_utf8_lossy(&event.to_line()),
        format!("{line}\n")
    );
}

#[test]
fn the_seed_s_own_lines_are_written_back_to_the_byte() {
    for line in include_str!("../../tests/data/writer_bytes.jsonl").lines() {
        round_trips(line);
    }
}

#[test]
fn odd_values_are_kept_as_they_came() {
    for rest in [
        r#""agent_discovery","operation":"search","duration_ms":12,"cache_hit":false"#,
        r#""agent_discovery","operation":null,"duration_ms":"slow","cache_hit":1,"agent_count":1.5"#,
        r#""agent_discovery","duration_ms":null"#,
        r#""agent_load","content_size_bytes":99999999999999999999"#,
        r#""session_end","session_duration_seconds":120.5"#,
        r#""query","entities_detected":["a","b"]"#,
        r#""query","entities_detected":["a",1]"#,
        r#""metric","tags":{"region":"eu"}"#,
        r#""brand_new","x":[1,{"y":null}],"z":"é\n""#,
        r#""tool_call","tool":"a","custom":true"#,
    ] {
        let line = format!("{{{TS}{rest}}}");
        round_trips(&line);
    }
}

#[test]
fn scaled_fields_keep_their_exact_value() {
    for thousandths in 0..5_000 {
        let seconds = f64::from(thousandths) / 1_000.0 + 0.1;
        let line = format!(r#"{{{TS}"session_end","session_duration_seconds":{seconds:?}}}"#);
        round_trips(&line);
        let event = Event::from_line(line.as_bytes()).expect("valid");
        let held = event.f64(Column::DurationMs).expect("is there");
        assert!((held - seconds * 1e3).abs() < 1e-6);
    }
}

#[test]
fn cells_are_typed() {
    let event = read(r#""agent_discovery","operation":"s\u00f6","duration_ms":12,"agent_count":3"#)
        .expect("valid");
    assert_eq!(event.str(Column::Name), Some("sö"));
    assert_eq!(event.f64(Column::DurationMs), Some(12.0));
    assert_eq!(event.get(Column::Count), Some(&Value::I64(3)));
}

#[test]
fn nan_and_infinity_are_no_value() {
    for bare in ["NaN", "Infinity", "-Infinity", "1e999"] {
        let event = read(&format!(r#""agent_discovery","duration_ms":{bare}"#)).expect(bare);
        assert_eq!(event.f64(Column::DurationMs), None, "{bare}");
    }
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let event = read(r#""agent_discovery","duration_ms":1.5,"duration_ms":2.5"#).expect("valid");
    assert_eq!(event.f64(Column::DurationMs), Some(2.5));
    let twice = r#"{"timestamp":"x","timestamp":"2025-11-20T11:00:00Z","event_type":"a"}"#;
    assert!(Event::from_line(twice.as_bytes()).is_ok());
}

#[test]
fn what_is_no_event_is_refused_with_the_reason() {
    let at = |at| LineError::Syntax { at };
    for (line, error) in [
        (&b"not valid json"[..], at(0)),
        (b"", at(0)),
        (b"[1]", at(0)),
        (b"{\"timestamp\":\"2025-11-20T00", at(27)),
        (b"{} x", at(3)),
        (b"{\"a\":01}", at(5)),
        (b"{\"a\":1,}", at(7)),
        (b"{\"a\":[1,}", at(9)),
        (b"{\"a\":\"\xff\"}", LineError::Encoding),
        (b"{}", LineError::NoTimestamp),
        (
            b"{\"timestamp\":null,\"event_type\":\"a\"}",
            LineError::NoTimestamp,
        ),
        (
            b"{\"timestamp\":1757495269.9,\"event_type\":\"a\"}",
            LineError::NoTimestamp,
        ),
        (
            b"{\"timestamp\":\"9999-12-31T00:00:00Z\",\"event_type\":\"a\"}",
            LineError::Timestamp(TimeError::Unrepresentable),
        ),
        (
            b"{\"timestamp\":\"2025-11-20T00:00:00Z\"}",
            LineError::NoType,
        ),
        (
            b"{\"timestamp\":\"2025-11-20T00:00:00Z\",\"event_type\":3}",
            LineError::NoType,
        ),
    ] {
        let text = String::from_utf8_lossy(line);
        assert_eq!(Event::from_line(line), Err(error), "{text}");
    }
}

#[test]
fn every_prefix_of_a_line_is_refused() {
    let line =
        br#"{"timestamp":"2025-11-20T11:00:00Z","event_type":"q","a":[{"b":"\\\""}],"c":-1.5e3}"#;
    for length in 0..line.len() {
        assert!(Event::from_line(&line[..length]).is_err(), "{length}");
    }
    assert!(Event::from_line(line).is_ok());
}

mod property {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::json;
        prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|b| json!(b)),
            any::<i64>().prop_map(|n| json!(n)),
            any::<f64>().prop_map(|n| json!(n)),
            "\\PC*".prop_map(|s| json!(s)),
            proptest::collection::vec("\\PC*", 0..3).prop_map(|v| json!(v)),
            proptest::collection::hash_map("\\PC*", any::<i32>(), 0..3).prop_map(|m| json!(m)),
        ]
    }

    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("operation".to_owned()),
            Just("duration_ms".to_owned()),
            Just("cache_hit".to_owned()),
            Just("agent_count".to_owned()),
            "\\PC{1,8}",
        ]
    }

    proptest! {
        #[test]
        fn any_object_round_trips(
            nanos in any::<i64>(),
            members in proptest::collection::hash_map(key(), value(), 0..6),
        ) {
            let mut object = serde_json::Map::new();
            let time = crate::time::UnixNanos(nanos).to_string();
            object.insert("timestamp".into(), time.into());
            object.insert("event_type".into(), "agent_discovery".into());
            object.extend(members);
            let line = serde_json::to_string(&object).expect("serializes");
            let event = Event::from_line(line.as_bytes()).expect("valid");
            prop_assert_eq!(event.time.0, nanos);
            let written = event.to_line();
            let back: serde_json::Map<_, _> = serde_json::from_slice(&written).expect("valid");
            prop_assert_eq!(back, object);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Decoder::default().decode(&bytes, &mut Event::default());
        }

        #[test]
        fn what_serde_refuses_is_refused(mut line in "[ -~]{0,4}") {
            line = format!(r#"{{{TS}"q","a":{line}}}"#);
            let ours = Event::from_line(line.as_bytes());
            let theirs = serde_json::from_str::<serde_json::Value>(&line);
            // A bare NaN is the one thing that is taken although it is not JSON.
            if theirs.is_err() && !line.contains("NaN") {
                prop_assert!(ours.is_err(), "{}", line);
            }
        }
    }
}
