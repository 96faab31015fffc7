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
fn json_over_several_lines_is_written_as_one_line() {
    let tags = "{\n  \"region\": \"e\\nu\",\n  \"n\": 1.10\n}";
    for key in ["tags", "theirs"] {
        let mut event = read(r#""metric","name":"m""#).expect("valid");
        event.extra.insert(key.to_owned(), tags.to_owned());
        let line = event.to_line();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let again = Event::from_line(&line[..line.len() - 1]).expect("one line");
        assert_eq!(again.str(Column::Name), Some("m"));
        let flat = tags.replace('\n', " ");
        assert!(String::from_utf8_lossy(&line).contains(&flat));
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
fn counts_below_zero_are_kept_but_not_counted() {
    let line = r#""llm_call","model":"m","input_tokens":-5,"output_tokens":7"#;
    let event = read(line).expect("valid");
    assert_eq!(event.i64(Column::InputTokens), None);
    assert_eq!(event.i64(Column::OutputTokens), Some(7));
    assert_eq!(event.extra["input_tokens"], "-5");
    round_trips(&format!("{{{TS}{line}}}"));
    let delta = read(r#""file_count_delta","source":"s","delta":-3"#).expect("valid");
    assert_eq!(delta.i64(Column::Count), Some(-3), "files may be removed");
    assert!(delta.extra.is_empty());
}

#[test]
fn one_tag_that_nobody_can_read_leaves_the_others() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    for odd in ["1e999", "-2.5E+400", &"9".repeat(400), &deep] {
        let tags = format!(r#"{{"region":"eu","n":1.5e3,"odd":{odd},"last":"a\u00e9"}}"#);
        let line = format!(r#""metric","name":"m","value":1.0,"tags":{tags}"#);
        let event = read(&line).expect("valid");
        let Some(Value::Json(kept)) = event.get(Column::Tags) else {
            panic!("{event:?}");
        };
        let kept = serde_json::Value::Object((**kept).clone());
        let expected = serde_json::json!({"region": "eu", "n": 1.5e3, "last": "aé"});
        assert_eq!(kept, expected, "{odd}");
        assert_eq!(event.extra["tags"], tags, "what was left out is said");
        round_trips(&format!("{{{TS}{line}}}"));
    }
    let long = format!(r#""metric","tags":{{"a":"{}","b":1e30}}"#, "x".repeat(500));
    assert!(read(&long).expect("valid").extra.is_empty());
}

#[test]
fn fields_out_of_their_order_find_their_columns() {
    let time = r#""timestamp":"2025-11-20T11:00:00+00:00""#;
    let kind = r#""event_type":"tool_call""#;
    let kind_escaped = r#""event_type":"tool\u005fcall""#;
    let fields = [r#""tool":"t""#, r#""duration_ms":2.5"#, r#""success":true"#];
    let ordered = Event::from_line(
        format!(
            "{{{time},{kind},{},{},{}}}",
            fields[0], fields[1], fields[2]
        )
        .as_bytes(),
    );
    let ordered = ordered.expect("valid");
    assert_eq!(ordered.f64(Column::DurationMs), Some(2.5));
    for parts in [
        [kind, time, fields[0], fields[1], fields[2]],
        [time, fields[2], fields[0], kind, fields[1]],
        [fields[0], fields[1], fields[2], kind, time],
        [time, kind_escaped, fields[1], fields[0], fields[2]],
        [fields[1], kind_escaped, time, fields[2], fields[0]],
    ] {
        let line = format!("{{ {} }}", parts.join(" , "));
        assert_eq!(
            Event::from_line(line.as_bytes()).as_ref(),
            Ok(&ordered),
            "{line}"
        );
    }
    // The last type decides, and with it what the fields are.
    let twice = format!(
        r#"{{{time},"event_type":"llm_call",{},{kind},{}}}"#,
        fields[0], fields[1]
    );
    let event = Event::from_line(twice.as_bytes()).expect("valid");
    assert_eq!(
        (event.event_type.as_str(), event.str(Column::Name)),
        ("tool_call", Some("t"))
    );
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

        /// Any object, however its members are ordered, spaced and repeated,
        /// holds what serde_json finds in it.
        #[test]
        fn any_object_is_read_as_serde_reads_it(
            members in proptest::collection::vec((key(), value()), 0..12),
            kind in prop_oneof![Just("agent_discovery"), Just("llm_call"), Just("other")],
            (time_at, type_at) in (0..12_usize, 0..12_usize),
            space in "[ \t]{0,2}",
        ) {
            let mut texts: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}{space}:{space}{value}", serde_json::json!(key)))
                .collect();
            let time = format!("\"timestamp\"{space}:\"2025-11-20T11:00:00.5Z\"");
            texts.insert(time_at.min(texts.len()), time);
            texts.insert(type_at.min(texts.len()), format!("\"event_type\":\"{kind}\""));
            let line = format!("{space}{{{}}}", texts.join(&format!("{space},{space}")));
            let mut theirs: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&line).expect("valid");
            let event = Event::from_line(line.as_bytes()).expect("valid");
            prop_assert_eq!(&event.event_type, kind);
            theirs.insert("timestamp".into(), event.time.to_string().into());
            let ours: serde_json::Map<_, _> =
                serde_json::from_slice(&event.to_line()).expect("valid");
            prop_assert_eq!(ours, theirs);
        }

        /// A decoder that has seen other lines reads each as a new one does,
        /// and what was done to one line does not touch those beside it.
        #[test]
        fn good_lines_survive_bad_ones_beside_them(
            changes in proptest::collection::vec(
                (0..16_usize, 0..400_usize, any::<u8>(), 0..4_u8), 0..12),
        ) {
            let good: Vec<&[u8]> = include_bytes!("../../tests/data/writer_bytes.jsonl")
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .collect();
            let mut lines: Vec<Vec<u8>> = good.iter().map(|line| line.to_vec()).collect();
            let mut touched = vec![false; lines.len()];
            for (line, at, byte, how) in changes {
                let number = line % lines.len();
                touched[number] = true;
                let line = &mut lines[number];
                // A line holds no newline.
                let byte = if byte == b'\n' { b' ' } else { byte };
                let at = at % line.len().max(1);
                match how {
                    0 => line.truncate(at),
                    1 => line.insert(at, byte),
                    2 if !line.is_empty() => line[at] = byte,
                    _ => line.extend_from_within(at.min(line.len())..),
                }
            }
            let mut decoder = Decoder::default();
            for (number, line) in lines.iter().enumerate() {
                let mut event = Event::default();
                let ours = decoder.decode(line, &mut event).map(|()| event);
                prop_assert_eq!(&ours, &Event::from_line(line));
                match ours {
                    Ok(event) => {
                        // What is taken can be written and is then the same.
                        let written = event.to_line();
                        let again = Event::from_line(&written[..written.len() - 1]);
                        prop_assert_eq!(again, Ok(event));
                    }
                    Err(_) => prop_assert!(touched[number]),
                }
            }
        }

        #[test]
        fn numbers_are_rounded_as_rust_rounds_them(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,26})?(e-?[0-9]{1,2})?") {
            let event = read(&format!(r#""metric","value":{text}"#)).expect("valid");
            let theirs: f64 = text.parse().expect("a number");
            let ours = event.f64(Column::Value).filter(|ours| ours.to_bits() == theirs.to_bits());
            prop_assert!(ours.is_some(), "{:?} for {} in {}", event.f64(Column::Value), theirs, text);
            let whole = read(&format!(r#""file_count_delta","delta":{text}"#)).expect("valid");
            let theirs = text.parse::<i64>().ok().filter(|_| text != "-0");
            prop_assert_eq!(whole.i64(Column::Count), theirs);
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
