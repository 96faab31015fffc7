//! Metrics that come one after the other, as a client sends them.
use tachograph_model::Column;

use super::*;
use crate::wire::protobuf::field;

/// A metric of as many points of now, a running total.
fn metric(name: &str, points: usize) -> Vec<u8> {
    let now = UnixNanos::now().0.to_le_bytes();
    let point = [
        &[0x11][..],
        &now,
        &[0x19],
        &now,
        &[0x21],
        &5_f64.to_le_bytes(),
    ]
    .concat();
    let sum = [field(1, &point).repeat(points), vec![0x10, 2, 0x18, 1]].concat();
    field(2, &[field(1, name.as_bytes()), field(7, &sum)].concat())
}

fn request(metrics: &[Vec<u8>]) -> Vec<u8> {
    field(1, &field(2, &metrics.concat()))
}

#[test]
fn records_alike_in_one_request_are_of_as_many_calls() {
    let time = UnixNanos::now().0;
    let attr =
        |key: &str, text: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{text}"}}}}"#);
    let name = attr("event.name", "gemini_cli.tool_call");
    let record = |tool: &str| {
        let tool = attr("function_name", tool);
        format!(r#"{{"timeUnixNano":"{time}","attributes":[{name},{tool}]}}"#)
    };
    let (read, grep) = (record("read"), record("grep"));
    let records = [&*read, &*grep, &*read, &*read].join(",");
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#);
    let otlp = Otlp::new(Salt::new([1; 32]));
    let mut seen = crate::normal::seen::Seen::default();
    let mut kept = || {
        let read = otlp.read(Signal::Logs, Form::Json, body.as_bytes());
        let batch = read.expect("a request").batch;
        seen.admit(batch.candidates, &batch.links, 0).0.len()
    };
    assert_eq!([kept(), kept()], [4, 0], "sent again, they are no more");
}

#[test]
fn a_request_that_fails_midway_has_counted_nothing() {
    let otlp = Otlp::new(Salt::new([1; 32]));
    let read = |body: &[u8]| otlp.read(Signal::Metrics, Form::Protobuf, body);
    let one = metric("tokens", 1);
    let cut = request(&[one.clone(), field(2, &[0x0a, 9])]);
    assert!(matches!(read(&cut), Err(Failure::Bad(_))));
    let whole = read(&request(&[one])).expect("a request");
    let values: Vec<_> = whole
        .batch
        .candidates
        .iter()
        .map(|candidate| candidate.event.f64(Column::Value))
        .collect();
    assert_eq!(values, [Some(5.0)]);
}

#[test]
fn points_that_are_no_number_are_rejected_and_named() {
    let now = UnixNanos::now().0.to_le_bytes();
    let point = |value: f64, no_value: bool| {
        let point = [&[0x19][..], &now, &[0x21], &value.to_le_bytes()].concat();
        let flags: &[u8] = if no_value { &[0x40, 1] } else { &[] };
        field(1, &[&point, flags].concat())
    };
    let points = [
        point(1.0, false),
        point(f64::NAN, false),
        point(f64::INFINITY, false),
        point(f64::NAN, true),
    ];
    let gauge = field(5, &points.concat());
    let body = request(&[field(2, &[field(1, b"g"), gauge].concat())]);
    let otlp = Otlp::new(Salt::new([1; 32]));
    let read = otlp.read(Signal::Metrics, Form::Protobuf, &body);
    let read = read.expect("a request");
    assert_eq!((read.batch.candidates.len(), read.ignored), (1, 1));
    let rejected = (read.rejected.count, &*read.rejected.message);
    assert_eq!(rejected, (2, "2: the value is no finite number"));
}

#[test]
fn a_text_in_the_place_of_a_metric_s_name_is_hashed() {
    let otlp = Otlp::new(Salt::new([1; 32]));
    for name in ["/home/SECRET/x.y", "SECRET@example.org", "token=SECRET"] {
        let read = otlp.read(
            Signal::Metrics,
            Form::Protobuf,
            &request(&[metric(name, 1)]),
        );
        let batch = read.expect("a request").batch;
        let line = batch.candidates[0].event.to_line();
        let line = String::from_utf8_lossy(&line);
        assert!(!line.contains("SECRET"), "{line}");
    }
}

#[test]
fn what_would_take_far_more_memory_than_its_bytes_is_refused() {
    let otlp = Otlp::new(Salt::new([1; 32]));
    let check = |signal, form, body: &[u8]| {
        let status = match otlp.read(signal, form, body) {
            Err(failure @ Failure::TooMany(_)) => failure.status(),
            Err(failure) => panic!("{failure}"),
            Ok(read) => panic!("{} records", read.records),
        };
        assert_eq!(status.code, Code::ResourceExhausted);
    };
    let many = MAX_EVENTS + 1;
    let gauges = |points: usize| {
        let now = UnixNanos::now().0.to_le_bytes();
        let value = 1_f64.to_le_bytes();
        let point = [&[0x19][..], &now, &[0x21], &value].concat();
        field(
            2,
            &[field(1, b"g"), field(5, &field(1, &point).repeat(points))].concat(),
        )
    };
    let metrics = Signal::Metrics;
    check(metrics, Form::Protobuf, &request(&[gauges(many)]));
    let halves = [gauges(many / 2), gauges(many / 2 + 1)];
    check(metrics, Form::Protobuf, &request(&halves));
    let json = format!(r#"{{"resourceLogs":[{}0]}}"#, "0,".repeat(1 << 21));
    check(Signal::Logs, Form::Json, json.as_bytes());
}
