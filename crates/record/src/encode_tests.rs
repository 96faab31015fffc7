//! The fast encoder says what the model's writer says.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tachograph_model::{Event, KINDS, Value};

use super::*;

const NAMES: [&str; 5] = [
    "_other",
    "search",
    "söme \"odd\"\n",
    r#"{"a": 1,"b":[2]}"#,
    "x",
];

fn header(words: usize, kind: usize, presence: u32) -> u64 {
    words as u64 | (kind as u64) << 8 | u64::from(presence) << 32
}

fn encoder() -> (Table, Encoder) {
    let table = Table::current();
    let mut encoder = Encoder::new(&table);
    NAMES.iter().for_each(|name| encoder.add_name(name));
    (table, encoder)
}

proptest! {
    #[test]
    fn a_line_is_the_one_the_model_writes(
        kind in 0..KINDS.len(),
        presence in any::<u32>(),
        micros in -1_000_000_000_000_000_i64..4_000_000_000_000_000,
        raw in proptest::collection::vec(any::<u64>(), 32),
        shift in 0_u32..64,
    ) {
        let (table, mut encoder) = encoder();
        let mut event = Event::new(UnixNanos(micros * 1_000), KINDS[kind].name);
        let mut record = vec![0, (micros * 1_000) as u64];
        let presence = presence & (1_u64.wrapping_shl(KINDS[kind].fields.len() as u32) - 1) as u32;
        for (at, field) in KINDS[kind].fields.iter().enumerate() {
            if presence & 1 << at == 0 {
                continue;
            }
            let raw = raw[at] >> shift;
            let name = raw % 5;
            let value = match table.0[kind].slots[at].shape {
                Shape::Name => { record.push(name); Value::from(NAMES[name as usize]) }
                Shape::Hex => { record.push(raw); Value::from(format!("{raw:016x}")) }
                Shape::Whole => { record.push(raw); Value::from(raw as i64) }
                Shape::Millis => { record.push(raw); Value::from(raw as f64 / 1e6) }
                // The column is in milliseconds; the line in seconds.
                Shape::Seconds => { let whole = raw % 1_000_000 * 1_000_000_000; record.push(whole); Value::from(whole as f64 / 1e6) }
                Shape::Float => { let f = f64::from_bits(raw); let f = if f.is_finite() { f } else { 0.5 }; record.push(f.to_bits()); Value::from(f) }
                Shape::Truth => { record.push(raw & 1); Value::from(raw & 1 == 1) }
                Shape::List => { record.extend([2, 1, name]); Value::from(vec![NAMES[1].to_owned(), NAMES[name as usize].to_owned()]) }
                Shape::Json => { record.push(3); Value::Json(serde_json::from_str(NAMES[3]).unwrap()) }
            };
            event.set(field.column, value);
        }
        record[0] = header(record.len(), kind, presence);
        let mut line = Vec::new();
        prop_assert_eq!(encoder.line(&record, &mut line), Line::Whole);
        let line = String::from_utf8(line).unwrap();
        let model = String::from_utf8(event.to_line()).unwrap();
        // JSON is copied as it came, blanks and all.
        prop_assert_eq!(line.replace(NAMES[3], r#"{"a":1,"b":[2]}"#), model);
    }

    #[test]
    fn durations_are_python_s_repr_of_milliseconds(value in any::<u64>(), shift in 0_u32..64) {
        let value = value >> shift;
        let mut fast = Vec::new();
        write_scaled::<6>(value, &mut fast);
        let mut slow = Vec::new();
        write_f64(&mut slow, value as f64 / 1e6);
        prop_assert_eq!(String::from_utf8(fast), String::from_utf8(slow));
        let mut fast = Vec::new();
        write_scaled::<9>(value, &mut fast);
        let mut slow = Vec::new();
        write_f64(&mut slow, value as f64 / 1e9);
        prop_assert_eq!(String::from_utf8(fast), String::from_utf8(slow));
    }

    #[test]
    fn any_words_at_all_make_a_line_that_parses(words in proptest::collection::vec(any::<u64>(), 2..40)) {
        let (_, mut encoder) = encoder();
        let mut record = words;
        record[0] = (record[0] & !0xFF00) | (((record[0] >> 8 & 0xFF) % 20) << 8);
        let mut line = Vec::new();
        if encoder.line(&record, &mut line) != Line::None {
            prop_assert_eq!(line.last(), Some(&b'\n'));
            let parsed = serde_json::from_slice::<serde_json::Value>(&line);
            prop_assert!(parsed.is_ok(), "{}", String::from_utf8_lossy(&line));
        }
    }
}

#[test]
fn times_are_rounded_to_the_microsecond() {
    for (nanos, text) in [
        (0, "1970-01-01T00:00:00+00:00"),
        (1_499, "1970-01-01T00:00:00.000001+00:00"),
        (1_500, "1970-01-01T00:00:00.000002+00:00"),
        (999_999_500, "1970-01-01T00:00:01+00:00"),
        (-1, "1970-01-01T00:00:00+00:00"),
        (-1_000, "1969-12-31T23:59:59.999999+00:00"),
        (i64::MAX, "2262-04-11T23:47:16.854775+00:00"),
    ] {
        let mut out = Vec::new();
        Second::default().write(nanos, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text, "{nanos}");
    }
}

#[test]
fn what_is_no_object_never_breaks_a_line() {
    assert_eq!(as_object("_other"), r#"{"_other":true}"#);
    assert_eq!(as_object("{\"a\":\n1}\n"), r#"{"a": 1}"#);
    assert_eq!(as_object("[1]"), r#"{"_other":true}"#);
    assert_eq!(as_object("{\"a\":1} {"), r#"{"_other":true}"#);
}
