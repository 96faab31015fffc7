//! Figures over time: sums as the report's, stretches where they belong, and the
//! same from the log, from segments and from rollups.

use tachograph_analyze::EngineConfig;
use tachograph_model::answer::{self, About, Measure, Method, NoteKind, TimelineBucket};
use tachograph_model::question::{Baseline, Part, Report, Timeline};
use tachograph_model::{Ask, Column, Event, Scope, UnixNanos, Window};
use tachograph_store::SealOptions;

use crate::home::{TestHome, ago, at, days, now};

const DAY: i64 = 86_400;

/// Every sort, in bursts over six days, some of it of no name.
fn events() -> Vec<Event> {
    (0..9_000_i64)
        .map(|n| {
            let seconds = (n * 7919) % (6 * DAY) + 1;
            let ms = ((n * 31) % 997) as f64 / 10.0;
            let event = match n % 5 {
                0 => ago(seconds, "tool_call")
                    .with(Column::Name, ["a", "b"][n as usize / 5 % 2])
                    .with(Column::Success, n % 11 != 0),
                1 => ago(seconds, "cache").with(Column::Name, "results").with(
                    Column::Status,
                    ["hit", "miss", "eviction"][n as usize / 5 % 3],
                ),
                2 => ago(seconds, "metric")
                    .with(Column::Source, ["host", "other"][n as usize / 5 % 2])
                    .with(Column::Name, "rss")
                    .with(Column::Value, n as f64 - 4_000.0),
                3 => ago(seconds, "llm_call")
                    .with(Column::Source, "p")
                    .with(Column::Name, "m")
                    .with(Column::InputTokens, n)
                    .with(Column::OutputTokens, 7_i64)
                    .with(Column::CostUsd, 0.25),
                _ => return ago(seconds, "tool_call").with(Column::DurationMs, ms),
            };
            match n % 5 {
                2 => event,
                _ => event.with(Column::DurationMs, ms),
            }
        })
        .collect()
}

fn of(kind: &str, scope: Scope) -> Timeline {
    Timeline {
        kind: Some(kind.to_owned()),
        ..Timeline::new(scope)
    }
}

fn ask(home: &TestHome, question: Timeline) -> (answer::Timeline, About) {
    let (found, about) = question.clone().ask(&home.engine()).unwrap();
    assert!(found.buckets.len() <= question.buckets as usize);
    let step = i128::from(found.bucket_seconds) * 1_000_000_000;
    for pair in found.buckets.windows(2) {
        let apart = i128::from(pair[1].from.0) - i128::from(pair[0].from.0);
        assert_eq!(apart, step);
    }
    (found, about)
}

fn report(home: &TestHome, scope: Scope) -> answer::Report {
    let question = Report {
        scope,
        baseline: Baseline::default(),
        limits: Default::default(),
        part: Part::Whole,
    };
    question.ask(&home.engine()).unwrap().0
}

fn total<T: std::iter::Sum>(
    found: &answer::Timeline,
    figure: impl Fn(&TimelineBucket) -> Option<T>,
) -> T {
    found.buckets.iter().filter_map(figure).sum()
}

#[test]
fn sums_are_the_reports_however_it_is_cut() {
    let home = TestHome::of(&events());
    let edges = Scope {
        window: Window {
            from: ago(5 * DAY + 1_234, "").time,
            to: ago(DAY + 77, "").time,
        },
        ..Scope::all(now())
    };
    let check = || {
        for scope in [days(7), days(2), edges, Scope::last_hours(1, now())] {
            let report = report(&home, scope);
            for buckets in [1, 2, 7, 120, 500] {
                let cut = |kind| {
                    ask(
                        &home,
                        Timeline {
                            buckets,
                            ..of(kind, scope)
                        },
                    )
                    .0
                };
                let tools = cut("tool_call");
                assert_eq!(tools.events(), report.tools.calls.total());
                assert_eq!(tools.measure, Some(Measure::DurationMs));
                let calls = report.tools.calls;
                assert_eq!(total(&tools, |b| Some(b.failed)), calls.failed);
                assert_eq!(total(&tools, |b| Some(b.unknown)), calls.unknown);
                let sum: f64 = total(&tools, |b| b.sum);
                let whole = report.tools.duration_ms.unwrap();
                assert!((sum - whole.sum).abs() < 1e-6, "{sum} {whole:?}");
                let models = cut("llm_call");
                assert_eq!(models.events(), report.models.calls.total());
                assert_eq!(
                    total(&models, |b| b.input_tokens),
                    report.models.tokens.input
                );
                assert_eq!(
                    total(&models, |b| b.output_tokens),
                    report.models.tokens.output
                );
                // Quarters add up exactly.
                assert_eq!(
                    total::<f64>(&models, |b| b.cost_usd),
                    report.models.cost_usd.unwrap()
                );
                let caches = cut("cache");
                let cache = &report.caches.caches[0];
                assert_eq!(total(&caches, |b| b.hits), cache.hits);
                assert_eq!(total(&caches, |b| b.misses), cache.misses);
                assert!(
                    caches.events() > cache.hits + cache.misses,
                    "evictions count, too"
                );
                let all = ask(
                    &home,
                    Timeline {
                        buckets,
                        ..Timeline::new(scope)
                    },
                )
                .0;
                assert_eq!(all.events(), report.usage.events);
                assert_eq!(all.measure, None);
                assert!(
                    all.buckets
                        .iter()
                        .all(|b| b.p50.is_none() && b.sum.is_none())
                );
                assert_eq!(total(&all, |b| b.input_tokens), report.models.tokens.input);
                if buckets == 1 {
                    let one = &tools.buckets[0];
                    assert_eq!(one.from, scope.window.from);
                    assert_eq!(
                        (one.p50, one.p95, one.p99, one.mean),
                        (
                            Some(whole.p50),
                            Some(whole.p95),
                            Some(whole.p99),
                            Some(whole.mean)
                        )
                    );
                }
            }
        }
    };
    check();
    home.engine().store().seal(SealOptions::default()).unwrap();
    check();
}

#[test]
fn rollups_count_as_the_events_do_and_say_that_quantiles_are_sketched() {
    let home = TestHome::of(&events());
    home.engine().store().seal(SealOptions::default()).unwrap();
    let rollups = home.engine_with(EngineConfig {
        exact_limit: 0,
        ..EngineConfig::default()
    });
    for buckets in [1, 3, 30, 120, 500] {
        for scope in [days(7), days(2), Scope::last_hours(5, now())] {
            let question = Timeline {
                buckets,
                ..of("tool_call", scope)
            };
            let (exact, about) = question.clone().ask(&home.engine()).unwrap();
            assert_eq!(about.method, Method::Exact);
            let (sketch, about) = question.ask(&rollups).unwrap();
            assert!(matches!(about.method, Method::Sketch { .. }));
            assert_eq!(about.notes[0].kind, NoteKind::SketchError);
            assert_eq!(exact.bucket_seconds, sketch.bucket_seconds);
            for (a, b) in exact.buckets.iter().zip(&sketch.buckets) {
                assert_eq!((a.from, a.count, a.failed), (b.from, b.count, b.failed));
                assert_eq!((a.mean, a.sum), (b.mean, b.sum));
                assert_eq!(a.p95.is_some(), b.p95.is_some());
                if let (Some(a), Some(b)) = (a.p95, b.p95) {
                    assert!((a - b).abs() <= a * 0.004 + 1e-9, "{a} {b}");
                }
            }
        }
    }
}

#[test]
fn names_and_sources_choose() {
    let home = TestHome::of(&events());
    let count = |kind: &str, name: Option<&str>, source: Option<&str>| {
        let question = Timeline {
            name: name.map(str::to_owned),
            source: source.map(str::to_owned),
            ..of(kind, days(7))
        };
        ask(&home, question).0.events()
    };
    assert_eq!(count("tool_call", None, None), 3_600);
    assert_eq!(count("tool_call", Some("a"), None), 900);
    assert_eq!(count("tool_call", Some("unknown"), None), 1_800);
    assert_eq!(count("tool_call", Some("A"), None), 0);
    assert_eq!(count("metric", Some("rss"), Some("host")), 900);
    assert_eq!(
        count("metric", Some("rss"), Some("\u{202e}<script>'; --")),
        0
    );
    assert_eq!(count("no_such_kind", None, None), 0);
    let (metric, _) = ask(&home, of("metric", days(7)));
    assert_eq!(metric.measure, Some(Measure::Value));
    let sum: f64 = total(&metric, |b| b.sum);
    assert_eq!(
        sum,
        (0..1_800)
            .map(|n| f64::from(n * 5 + 2) - 4_000.0)
            .sum::<f64>()
    );
}

#[test]
fn an_empty_window_has_stretches_without_figures() {
    for home in [TestHome::new(), TestHome::of(&[ago(30 * DAY, "tool_call")])] {
        let (found, about) = ask(&home, of("tool_call", days(1)));
        assert!(found.is_empty());
        assert_eq!((found.bucket_seconds, found.buckets.len()), (900, 97));
        for bucket in &found.buckets {
            let expected = TimelineBucket {
                from: bucket.from,
                ..TimelineBucket::default()
            };
            assert_eq!(*bucket, expected);
        }
        assert_eq!(about.notes, []);
    }
}

#[test]
fn one_event_of_this_moment_is_in_the_last_stretch() {
    let event = ago(0, "tool_call")
        .with(Column::Name, "grep")
        .with(Column::DurationMs, 12.5)
        .with(Column::Success, false);
    let home = TestHome::of(&[event]);
    // From a second to years.
    let second = Scope {
        window: Window {
            from: UnixNanos(now().0 - 1_000_000_000),
            to: UnixNanos::MAX,
        },
        ..Scope::all(now())
    };
    for scope in [
        second,
        Scope::last_hours(1, now()),
        days(7),
        days(36_500),
        Scope::all(now()),
    ] {
        for buckets in [1, 2, 120, 500] {
            let (found, _) = ask(
                &home,
                Timeline {
                    buckets,
                    ..of("tool_call", scope)
                },
            );
            let last = found.buckets.last().unwrap();
            assert_eq!(
                (last.count, last.failed, found.events()),
                (1, 1, 1),
                "{scope:?}"
            );
            assert_eq!(
                (last.p50, last.p99, last.sum),
                (Some(12.5), Some(12.5), Some(12.5))
            );
            assert_eq!(
                (last.input_tokens, last.cost_usd, last.hits),
                (None, None, None)
            );
        }
    }
}

#[test]
fn stretches_near_now_are_finer_than_a_minute() {
    let events: Vec<Event> = (0..600).map(|n| ago(n / 2, "tool_call")).collect();
    let home = TestHome::of(&events);
    let scope = Scope {
        window: Window {
            from: at("2025-11-20T11:55:00+00:00"),
            to: at("2025-11-20T12:00:00+00:00"),
        },
        ..Scope::all(now())
    };
    let check = || {
        let (found, _) = ask(
            &home,
            Timeline {
                buckets: 300,
                ..of("tool_call", scope)
            },
        );
        assert_eq!((found.bucket_seconds, found.buckets.len()), (1, 300));
        // Two in each second, the present one left out.
        let counts: Vec<u64> = found.buckets.iter().map(|b| b.count).collect();
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|count| *count == 2), "{counts:?}");
    };
    check();
    home.engine().store().seal(SealOptions::default()).unwrap();
    check();
}

#[test]
fn events_of_the_future_are_told_and_in_no_stretch() {
    let home = TestHome::of(&[
        ago(60, "tool_call"),
        ago(-2 * DAY, "tool_call"),
        ago(-400 * DAY, "tool_call"),
    ]);
    for buckets in [1, 2, 120] {
        let (found, about) = ask(
            &home,
            Timeline {
                buckets,
                ..of("tool_call", days(1))
            },
        );
        assert_eq!((found.events(), found.later), (1, 2), "{buckets}");
        assert_eq!(report(&home, days(1)).tools.calls.total(), 3);
        assert_eq!(about.notes[0].kind, NoteKind::ValuesSkipped);
        assert!(
            about.notes[0].text.starts_with("2 of the events"),
            "{about:?}"
        );
    }
}

#[test]
fn stretches_begin_at_whole_hours_in_utc_also_where_clocks_are_changed() {
    // Europe set its clocks back in the night of 26 October 2025.
    let scope = Scope {
        window: Window {
            from: at("2025-10-25T22:30:00+00:00"),
            to: at("2025-10-26T04:30:00+00:00"),
        },
        ..Scope::all(now())
    };
    let (found, _) = ask(
        &TestHome::new(),
        Timeline {
            buckets: 7,
            ..Timeline::new(scope)
        },
    );
    assert_eq!((found.bucket_seconds, found.buckets.len()), (3_600, 7));
    assert_eq!(found.buckets[0].from, at("2025-10-25T22:00:00+00:00"));
    assert_eq!(found.buckets[6].from, at("2025-10-26T04:00:00+00:00"));
}
