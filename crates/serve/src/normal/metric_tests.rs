use super::*;
use crate::wire::view::Histogram;

const CUMULATIVE: Temporality = Temporality::Cumulative;

fn sum(
    temporality: Temporality,
    monotonic: bool,
    start: u64,
    time: u64,
    value: f64,
) -> Metric<'static> {
    let at = Point {
        attrs: vec![
            ("type".into(), Any::Str("input".into())),
            ("user.email".into(), Any::Str("alice@example.org".into())),
        ],
        start,
        time,
        no_value: false,
    };
    Metric {
        name: "claude_code.token.usage".into(),
        unit: "{token}".into(),
        data: Data::Sum {
            points: vec![Number { at, value }],
            temporality,
            monotonic,
        },
    }
}

fn values(totals: &mut Totals, metric: &Metric<'_>) -> Vec<f64> {
    let mut out = Vec::new();
    totals.candidates(metric, 1, &mut out);
    out.iter()
        .filter_map(|candidate| candidate.event.f64(Column::Value))
        .collect()
}

#[test]
fn totals_become_what_they_grew() {
    let mut totals = Totals::new(100);
    let mut check = |start, time, value, expected: &[f64]| {
        let metric = sum(CUMULATIVE, true, start, time, value);
        assert_eq!(
            values(&mut totals, &metric),
            expected,
            "{start} {time} {value}"
        );
    };
    check(150, 200, 5.0, &[5.0]);
    check(150, 210, 8.0, &[3.0]);
    check(150, 210, 8.0, &[]); // Sent again, as Python's does at its end.
    check(150, 205, 6.0, &[]); // Out of order.
    check(150, 220, 8.0, &[]);
    check(300, 310, 2.0, &[2.0]); // The source began anew.
    check(300, 320, 1.0, &[1.0]); // And anew without saying so.
    check(300, 330, f64::NAN, &[]);
    check(300, 340, 4.0, &[3.0]);
    // Two processes of one name, and the last of one that has ended.
    check(250, 350, 7.0, &[7.0]);
    check(300, 360, 5.0, &[1.0]);
    check(250, 370, 9.0, &[2.0]);
    check(150, 315, 9.0, &[1.0]);
}

#[test]
fn what_could_not_be_stored_counts_when_it_comes_again() {
    let mut totals = Totals::new(100);
    let at = |time, value| sum(CUMULATIVE, true, 150, time, value);
    assert_eq!(values(&mut totals, &at(200, 5.0)), [5.0]);
    let first = totals.take_marks();
    assert_eq!(values(&mut totals, &at(210, 8.0)), [3.0]);
    let second = totals.take_marks();
    totals.undo(first.clone());
    assert!(
        values(&mut totals, &at(205, 8.0)).is_empty(),
        "it has gone on"
    );
    totals.undo(second);
    assert_eq!(values(&mut totals, &at(210, 8.0)), [3.0]);
    let third = totals.take_marks();
    totals.undo(third);
    totals.undo(first);
    assert_eq!(values(&mut totals, &at(200, 5.0)), [5.0]);
}

#[test]
fn a_source_older_than_us_is_measured_from_where_it_stands() {
    let mut totals = Totals::new(100);
    assert_eq!(
        values(&mut totals, &sum(CUMULATIVE, true, 50, 200, 5.0)),
        [] as [f64; 0]
    );
    assert_eq!(
        values(&mut totals, &sum(CUMULATIVE, true, 50, 210, 9.0)),
        [4.0]
    );
    // Another of its name, that was there before us as well.
    assert_eq!(
        values(&mut totals, &sum(CUMULATIVE, true, 60, 210, 7.0)),
        [] as [f64; 0]
    );
}

#[test]
fn deltas_and_levels_stay_as_they_are() {
    let mut totals = Totals::new(100);
    for _ in 0..2 {
        let delta = sum(Temporality::Delta, true, 150, 200, 5.0);
        assert_eq!(values(&mut totals, &delta), [5.0]);
        let level = sum(CUMULATIVE, false, 150, 200, -2.0);
        assert_eq!(values(&mut totals, &level), [-2.0]);
    }
}

#[test]
fn a_histogram_is_its_mean_and_how_many() {
    let mut totals = Totals::new(0);
    let metric = |time, count, sum| Metric {
        name: "gen_ai.client.operation.duration".into(),
        unit: "s".into(),
        data: Data::Histogram {
            points: vec![Histogram {
                at: Point {
                    time,
                    start: 1,
                    ..Point::default()
                },
                count,
                sum: Some(sum),
                ..Histogram::default()
            }],
            temporality: CUMULATIVE,
        },
    };
    let mut out = Vec::new();
    totals.candidates(&metric(10, 2, 3.0), 1, &mut out);
    totals.candidates(&metric(20, 6, 5.0), 1, &mut out);
    totals.candidates(&metric(30, 6, 5.0), 1, &mut out);
    let found: Vec<_> = out
        .iter()
        .map(|candidate| {
            let event = &candidate.event;
            (
                event.f64(Column::Value),
                event.i64(Column::Count),
                event.str(Column::Unit),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (Some(1.5), Some(2), Some("s")),
            (Some(0.5), Some(4), Some("s"))
        ]
    );
}

#[test]
fn only_kinds_of_things_are_kept() {
    let mut out = Vec::new();
    Totals::new(0).candidates(&sum(Temporality::Delta, true, 1, 2, 3.0), 1, &mut out);
    let line = String::from_utf8(out[0].event.to_line()).expect("UTF-8");
    assert!(!line.contains("alice"), "{line}");
    for kept in [
        r#""source":"claude_code""#,
        r#""name":"token.usage""#,
        r#""type":"counter""#,
        r#""unit":"token""#,
        r#""tags":{"type":"input"}"#,
    ] {
        assert!(line.contains(kept), "{kept} in {line}");
    }
    let delta = sum(Temporality::Delta, true, 1, 2, f64::INFINITY);
    assert!(values(&mut Totals::new(0), &delta).is_empty());
}

#[test]
fn names_of_models_and_tools_are_kept_whole() {
    let attrs = [
        ("gen_ai.request.model", "openai/gpt-oss-20b"),
        ("model", "/home/alice/m.gguf"),
        ("gen_ai.tool.name", "read file"),
        ("source", "/home/alice"),
    ]
    .map(|(key, text)| (key.into(), Any::Str(text.into())));
    let expected = serde_json::json!({
        "gen_ai.request.model": "openai/gpt-oss-20b",
        "model": "m.gguf",
        "gen_ai.tool.name": "read file",
    });
    assert_eq!(Json::Object(tags(&attrs.to_vec())), expected);
}

#[test]
fn series_are_bounded_and_counted() {
    let mut totals = Totals::new(0);
    let most = MAX_SERIES as u64;
    let mut grown = |series, start, time, sum| {
        let at = Point {
            start,
            time,
            ..Point::default()
        };
        let grown = totals.grown(CUMULATIVE, series, &at, (0.0, sum));
        (grown.map(|(_, sum)| sum), totals.overflow())
    };
    for series in 0..most {
        assert_eq!(grown(series, 10 + series, 10 + series, 1.0), (Some(1.0), 0));
    }
    let forgotten = most / 2 + 1;
    assert_eq!(
        grown(most, 10 + most, 10 + most, 1.0),
        (Some(1.0), forgotten)
    );
    // One that speaks again does not count whole again; one that was kept, and
    // one that begins now, count as ever.
    assert_eq!(grown(0, 10, 20 + most, 5.0).0, None);
    assert_eq!(grown(0, 10, 21 + most, 7.0).0, Some(2.0));
    assert_eq!(grown(most - 1, 9 + most, 20 + most, 5.0).0, Some(4.0));
    assert_eq!(grown(most + 1, 20 + most, 20 + most, 5.0).0, Some(5.0));
}

#[test]
fn a_histogram_of_negative_measurements_goes_on() {
    let mut totals = Totals::new(0);
    let mut grown = |time, of| {
        let at = Point {
            time,
            ..Point::default()
        };
        totals.grown(CUMULATIVE, 1, &at, of)
    };
    assert_eq!(grown(1, (2.0, -3.0)), Some((2.0, -3.0)));
    assert_eq!(grown(2, (3.0, -5.0)), Some((1.0, -2.0)));
    assert_eq!(grown(3, (1.0, -1.0)), Some((1.0, -1.0)));
}
