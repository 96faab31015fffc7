//! Windows against a plain recomputation, and what comes late, odd or without a value.

use std::time::Duration;

use proptest::prelude::*;
use tachograph_model::{Column, Event};
use tachograph_serve::live::{Family, State, Stats};

use super::{HOUR, close, metric, now, reading, seconds_ago, taken, window};

/// What the values of a window are, worked out plainly.
struct Plain {
    values: Vec<f64>,
    sorted: Vec<f64>,
}

impl Plain {
    fn of(events: &[(f64, f64)], from: f64) -> Self {
        let inside = events.iter().filter(|(ago, _)| *ago <= from);
        let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        Self { values, sorted }
    }

    fn quantile(&self, fraction: f64) -> (f64, f64) {
        let position = fraction * (self.sorted.len() - 1) as f64;
        let low = self.sorted[position.floor() as usize];
        let high = self.sorted[position.ceil() as usize];
        (low, high)
    }

    fn check(&self, what: &str, found: &Stats) {
        let count = self.values.len() as f64;
        assert_eq!(found.count as f64, count, "{what}");
        let sum: f64 = self.values.iter().sum();
        let mean = sum / count;
        let squares: f64 = self.values.iter().map(|v| (v - mean).powi(2)).sum();
        close(&format!("{what} sum"), found.sum, sum, 1e-9);
        close(&format!("{what} avg"), found.avg, mean, 1e-9);
        close(
            &format!("{what} std"),
            found.std,
            (squares / count).sqrt(),
            1e-6,
        );
        assert_eq!(found.min, self.sorted[0], "{what}");
        assert_eq!(found.max, self.sorted[self.sorted.len() - 1], "{what}");
        for (fraction, value) in [(0.5, found.p50), (0.95, found.p95), (0.99, found.p99)] {
            let (low, high) = self.quantile(fraction);
            let slack = |edge: f64| found.relative_error * edge.abs() + 1e-12;
            assert!(
                value >= low - slack(low) && value <= high + slack(high),
                "{what} p{fraction}: {value} is not in {low}..{high}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Windows of a minute to an hour, whatever order events come in. It is
    /// noon, so that slots of every length lie either in a window or before it.
    #[test]
    fn windows_equal_a_plain_recomputation(
        told in prop::collection::vec(event(), 1..4000),
        order in any::<u64>(),
    ) {
        let mut arrivals: Vec<usize> = (0..told.len()).collect();
        arrivals.sort_by_key(|at| match order % 3 {
            0 => -(told[*at].0 * 1e3) as i64,
            1 => (told[*at].0 * 1e3) as i64,
            _ => (*at as i64).wrapping_mul(order as i64 | 1) % 1009,
        });
        let mut state = State::new(64);
        for at in arrivals {
            let (ago, value) = told[at];
            state.take(&metric(seconds_ago(ago), "m", value).to_line(), now());
        }
        for minutes in [1_u32, 2, 5, 15, 30, 60] {
            let from = f64::from(minutes) * 60.0;
            let plain = Plain::of(&told, from);
            let found = window(&state, "m", Duration::from_secs_f64(from));
            prop_assert_eq!(found.is_some(), !plain.values.is_empty(), "{}", minutes);
            if let Some(found) = found {
                plain.check(&format!("{minutes} min"), &found);
            }
        }
        let totals = reading(&state, "m", HOUR).expect("is there").totals;
        prop_assert_eq!(totals.values, told.len() as u64);
    }
}

/// How many seconds ago, and what value.
fn event() -> impl Strategy<Value = (f64, f64)> {
    let value = (-6.0..9.0_f64, any::<bool>());
    let value = value.prop_map(|(log, below)| 10_f64.powf(log) * if below { -1.0 } else { 1.0 });
    // As many in the last minutes as before.
    let ago = prop_oneof![0.001..200.0_f64, 0.001..3600.0_f64];
    (ago, value)
}

/// Each line, what it does to the counts of events and of unreadable lines, and
/// the windows' count of it afterwards.
#[test]
fn what_cannot_be_in_a_window_is_counted_and_spoils_nothing() {
    let far = |seconds: f64| metric(seconds_ago(seconds), "m", 7.0).to_line();
    let with = |value: &str| {
        let line = String::from_utf8(metric(now(), "m", 7.0).to_line()).unwrap();
        line.replace("7.0", value).into_bytes()
    };
    for (what, line, in_window, out_of_reach, unreadable) in [
        ("in order", far(1.0), 1, 0, 0),
        ("late", far(3599.0), 1, 0, 0),
        ("later than that", far(3800.0), 0, 1, 0),
        ("of last year", far(4e7), 0, 1, 0),
        ("ahead, as of a skewed clock", far(-3000.0), 1, 0, 0),
        ("a day ahead", far(-86_400.0), 0, 1, 0),
        ("NaN", with("NaN"), 0, 0, 0),
        ("infinite", with("1e999"), 0, 0, 0),
        ("a text for a number", with("\"7\""), 0, 0, 0),
        ("no event", b"{\"a\":1}\n".to_vec(), 0, 0, 1),
        ("no JSON", b"\xff\x00{{{\n".to_vec(), 0, 0, 1),
        ("empty lines", b"\n\n \r\n".to_vec(), 0, 0, 0),
    ] {
        let mut state = State::new(64);
        // Something newer is there already, and something good follows.
        state.take(&metric(now(), "m", 1.0).to_line(), now());
        state.take(&line, now());
        state.take(&metric(now(), "m", 2.0).to_line(), now());
        let overview = state.overview(now());
        assert_eq!(overview.out_of_reach, out_of_reach, "{what}");
        assert_eq!(overview.unreadable, unreadable, "{what}");
        let found = window(&state, "m", HOUR).expect("a window");
        assert_eq!(found.count, 2 + in_window, "{what}");
        assert_eq!(found.latest, 2.0, "{what}");
        assert!(found.sum.is_finite(), "{what}");
    }
}

#[test]
fn values_at_the_ends_of_what_a_double_holds_stay_numbers() {
    let mut events = Vec::new();
    for at in 0..3000 {
        let value = [f64::MAX, f64::MIN, 5e-324, 0.0, -1.0][at % 5];
        events.push(metric(seconds_ago(at as f64), "m", value));
    }
    let state = taken(&events);
    for length in [60, 3600] {
        let found = window(&state, "m", Duration::from_secs(length)).expect("a window");
        let figures = [
            found.sum, found.avg, found.std, found.p50, found.p95, found.p99,
        ];
        assert!(figures.iter().all(|figure| figure.is_finite()), "{found:?}");
        assert_eq!((found.min, found.max), (f64::MIN, f64::MAX));
    }
}

#[test]
fn a_mean_of_many_counts_as_many() {
    let mut state = State::new(64);
    for (value, count) in [(10.0, 3_i64), (20.0, 1), (40.0, 0)] {
        let event = metric(now(), "m", value).with(Column::Count, count);
        state.take(&event.to_line(), now());
    }
    let found = window(&state, "m", HOUR).expect("a window");
    // A count of none is taken for one: the value was measured.
    assert_eq!((found.count, found.sum), (5, 90.0));
    assert_eq!((found.min, found.max), (10.0, 40.0));
}

#[test]
fn rates_and_changes_are_per_second() {
    let events: Vec<Event> = (0..60)
        .map(|at| {
            metric(
                seconds_ago(59.0 - f64::from(at)),
                "m",
                100.0 - 2.0 * f64::from(at),
            )
        })
        .collect();
    let state = taken(&events);
    let found = window(&state, "m", Duration::from_secs(60)).expect("a window");
    assert_eq!((found.rate, found.change_per_second), (1.0, Some(-2.0)));
    let one = taken(&events[..1]);
    let found = window(&one, "m", Duration::from_secs(60)).expect("a window");
    assert_eq!(found.change_per_second, None, "one point is no change");
}

#[test]
fn what_tells_no_value_happened_all_the_same() {
    let call = |ago: f64, ms: Option<f64>, success: bool| {
        let call = Event::new(seconds_ago(ago), "tool_call")
            .with(Column::Name, "t")
            .with(Column::Success, success);
        match ms {
            Some(ms) => call.with(Column::DurationMs, ms),
            None => call,
        }
    };
    let minute = Duration::from_secs(60);
    let check = |what: &str, calls: &[Event], wanted: Option<(u64, u64, u64)>| {
        let state = taken(calls);
        let found = state.reading(Family::Tool, "", "t", minute, now());
        let found = found.expect("it was called");
        let values = found.window.map_or(0, |window| window.count);
        let happened = found.happened.map(|it| (it.count, it.failed, values));
        assert_eq!(happened, wanted, "{what}");
    };
    check("one", &[call(5.0, None, false)], Some((1, 1, 0)));
    let two = [call(5.0, None, false), call(4.0, Some(3.0), true)];
    check("one of two", &two, Some((2, 1, 1)));
    check("long ago", &[call(61.0, None, true)], None);
    let gone = [call(61.0, Some(1.0), true), call(5.0, None, true)];
    check("the value is gone", &gone, Some((1, 0, 0)));
    let many: Vec<Event> = (0..3000)
        .map(|at| {
            call(
                f64::from(at) / 60.0,
                (at % 3 == 0).then_some(1.0),
                at % 2 == 0,
            )
        })
        .collect();
    check("many", &many, Some((3000, 1500, 1000)));
    // They grow old as all do.
    let old: Vec<Event> = (0..3500)
        .map(|at| call(f64::from(at), None, true))
        .collect();
    let state = taken(&old);
    for seconds in [10_u64, 60, 300, 1800] {
        let length = Duration::from_secs(seconds);
        let found = state.reading(Family::Tool, "", "t", length, now());
        let found = found.expect("it was called").happened.expect("it was");
        let wanted = seconds as f64 + 1.0;
        assert!(
            (found.count as f64 - wanted).abs() <= 30.0,
            "{seconds}: {found:?}"
        );
    }
    // What measures nothing is no measurement, and an eviction no look-up.
    let odd = [
        Event::new(now(), "metric")
            .with(Column::Source, "agent")
            .with(Column::Name, "m"),
        Event::new(now(), "cache")
            .with(Column::Name, "c")
            .with(Column::Status, "eviction"),
    ];
    let state = taken(&odd);
    for (family, source, name) in [(Family::Metric, "agent", "m"), (Family::Cache, "", "c")] {
        let found = state.reading(family, source, name, minute, now());
        let found = found.expect("it is known");
        assert_eq!((found.happened, found.window), (None, None), "{family:?}");
    }
}
