use std::cell::RefCell;

use tachograph_model::alert::Condition;

use super::*;

const START: i64 = 1_763_640_000_000_000_000;

/// Figures as a test has them: the mean of a series.
#[derive(Default)]
pub(crate) struct Figures(pub(crate) RefCell<BTreeMap<Series, f64>>);

impl Figures {
    pub(crate) fn set(&self, source: &str, name: &str, avg: Option<f64>) {
        let series = (source.into(), name.into());
        match avg {
            Some(avg) => self.0.borrow_mut().insert(series, avg),
            None => self.0.borrow_mut().remove(&series),
        };
    }
}

fn reading(avg: f64) -> Reading {
    Reading {
        count: 1,
        avg,
        ..Reading::default()
    }
}

impl Look for Figures {
    fn one(&self, _: Family, source: &str, name: &str, _: Stat, _: Duration) -> Option<Reading> {
        let all = self.0.borrow();
        all.get(&(source.into(), name.into())).copied().map(reading)
    }

    fn every(&self, _: Family, source: &str, _: Duration) -> Vec<(Series, Reading)> {
        let all = self.0.borrow();
        let of = all
            .iter()
            .filter(|(series, _)| source.is_empty() || *series.0 == *source);
        of.map(|(series, avg)| (series.clone(), reading(*avg)))
            .collect()
    }
}

pub(crate) fn rule(name: &str, metric: &str) -> Rule {
    let condition = Condition::parse("avg > 10").expect("a condition");
    Rule {
        cooldown_seconds: 0,
        window_seconds: 5,
        ..Rule::new(name, metric, "s", condition)
    }
}

fn api(rules: &[Rule]) -> Vec<Owned> {
    let origin = Origin::Api;
    let owned = rules.iter().cloned().map(|rule| Owned { rule, origin });
    owned.collect()
}

fn at(second: i64) -> UnixNanos {
    UnixNanos(START + second * 1_000_000_000)
}

/// What was told: rule, series, what.
fn said(told: &[Told]) -> Vec<String> {
    let told = told.iter();
    told.map(|told| {
        format!(
            "{} {} {}",
            told.rule.name,
            told.series.1,
            told.notice.name()
        )
    })
    .collect()
}

#[test]
fn a_star_has_an_alert_for_each_series_and_forgets_those_that_are_gone() {
    let figures = Figures::default();
    figures.set("s", "a", Some(11.0));
    figures.set("s", "b", Some(1.0));
    figures.set("other", "c", Some(99.0));
    let mut book = Book::default();
    book.set_rules(api(&[rule("r", "*")]));
    assert_eq!(said(&book.look(at(0), &figures).0), ["r a firing"]);
    assert_eq!(book.alerts().count(), 2);
    figures.set("s", "b", None);
    book.look(at(1), &figures);
    assert_eq!(book.alerts().count(), 1);
    // What fires is not forgotten before it is resolved.
    figures.set("s", "a", None);
    assert_eq!(book.look(at(2), &figures).0, []);
    assert_eq!(said(&book.look(at(9), &figures).0), ["r a resolved"]);
    book.look(at(10), &figures);
    assert_eq!(book.alerts().count(), 0);
}

#[test]
fn a_rule_of_an_unknown_metric_has_no_data() {
    let mut book = Book::default();
    book.set_rules(api(&[rule("r", "nothing")]));
    assert_eq!(book.look(at(0), &Figures::default()).0, []);
    let states: Vec<State> = book.alerts().map(|alert| alert.machine.state()).collect();
    assert_eq!(states, [State::NoData]);
    assert_eq!(book.totals().of(State::NoData), 1);
}

#[test]
fn what_fires_is_resolved_when_its_rule_is_deleted_turned_off_or_turned_elsewhere() {
    let mut off = rule("r", "a");
    off.enabled = false;
    for rules in [vec![], vec![off], vec![rule("r", "b")]] {
        let figures = Figures::default();
        figures.set("s", "a", Some(11.0));
        let mut book = Book::default();
        book.set_rules(api(&[rule("r", "a")]));
        assert_eq!(said(&book.look(at(0), &figures).0), ["r a firing"]);
        book.set_rules(api(&rules));
        assert_eq!(said(&book.look(at(1), &figures).0), ["r a resolved"]);
        assert_eq!(book.look(at(2), &figures).0, []);
    }
}

#[test]
fn a_source_left_open_means_each() {
    let figures = Figures::default();
    figures.set("one", "gpt", Some(11.0));
    figures.set("two", "gpt", Some(1.0));
    figures.set("two", "other", Some(99.0));
    let mut open = rule("r", "gpt");
    (open.source, open.family) = (String::new(), "model".to_owned());
    let mut book = Book::default();
    book.set_rules(api(&[open]));
    assert_eq!(said(&book.look(at(0), &figures).0), ["r gpt firing"]);
    assert_eq!(book.alerts().count(), 2);
}

#[test]
fn more_alerts_than_there_may_be_are_counted() {
    let figures = Figures::default();
    for at in 0..MOST_ALERTS + 7 {
        figures.set("s", &at.to_string(), Some(1.0));
    }
    let mut book = Book::default();
    book.set_rules(api(&[rule("r", "*"), rule("t", "*")]));
    let (_, changed) = book.look(at(0), &figures);
    assert_eq!(book.alerts().count(), MOST_ALERTS);
    let crowded = 7 + MOST_ALERTS + 7;
    assert_eq!((book.crowded(), changed), (crowded, true));
    let of = |name: &str| {
        let state = book.state_of(&rule(name, "*"), None);
        (state.state, state.unwatched)
    };
    assert_eq!(of("r"), (Some(State::Inactive), 7));
    // Of one that nobody watches nobody can say that it has no data.
    assert_eq!(of("t"), (None, MOST_ALERTS as u64 + 7));
    let quiet = book.quiet();
    assert_eq!((quiet["r"].well, quiet["r"].unwatched), (10_000, 7));
    assert!(!book.look(at(1), &figures).1, "nothing is new");
}

#[test]
fn what_names_one_series_is_watched_before_what_names_all() {
    let figures = Figures::default();
    for at in 0..MOST_ALERTS {
        figures.set("s", &at.to_string(), Some(1.0));
    }
    let mut book = Book::default();
    book.set_rules(api(&[rule("all", "*"), rule("one", "7")]));
    book.look(at(0), &figures);
    let unwatched = |name: &str, of: &str| book.state_of(&rule(name, of), None).unwatched;
    assert_eq!((unwatched("one", "7"), unwatched("all", "*")), (0, 1));
}

#[test]
fn the_worst_of_all_its_alerts_is_a_rules_state() {
    let figures = Figures::default();
    let mut book = Book::default();
    let all = rule("r", "*");
    book.set_rules(api(std::slice::from_ref(&all)));
    let state = |book: &Book| {
        let of = book.state_of(&all, None);
        (of.state, of.totals.open())
    };
    assert_eq!(state(&book), (None, 0), "nobody has looked");
    let mut second = 0;
    let mut check = |series: &[(&str, Option<f64>)], wanted: (Option<State>, u64)| {
        for (name, avg) in series {
            figures.set("s", name, *avg);
        }
        second += 2;
        book.look(at(second), &figures);
        book.look(at(second + 1), &figures);
        assert_eq!(state(&book), wanted, "{series:?}");
        // The same of what is kept for whoever does not watch.
        let mut left = Book::default();
        left.set_rules(api(std::slice::from_ref(&all)));
        left.resume(book.kept());
        let quiet = book.quiet().get("r").copied();
        assert_eq!(left.state_of(&all, quiet), book.state_of(&all, None));
    };
    check(&[], (Some(State::NoData), 0));
    check(&[("a", Some(1.0))], (Some(State::Inactive), 0));
    check(&[("b", Some(11.0))], (Some(State::Firing), 1));
    check(&[("b", None)], (Some(State::NoData), 1));
    check(&[("b", Some(1.0))], (Some(State::Resolved), 0));
    check(
        &[("b", Some(11.0)), ("c", Some(12.0)), ("d", Some(1.0))],
        (Some(State::Firing), 2),
    );
    check(&[("b", Some(1.0))], (Some(State::Firing), 1));
    let off = Rule {
        enabled: false,
        ..all.clone()
    };
    assert_eq!(book.state_of(&off, None), RuleState::default());
}

#[test]
fn a_new_rule_of_one_series_takes_the_room_of_one_that_is_idle() {
    let figures = Figures::default();
    for at in 0..MOST_ALERTS {
        let value = if at % 2 == 0 { 1.0 } else { 11.0 };
        figures.set("s", &format!("m{at:05}"), Some(value));
    }
    let mut book = Book::default();
    book.set_rules(api(&[rule("all", "*")]));
    book.look(at(0), &figures);
    let open = |book: &Book| book.totals().open();
    let (fires, before) = (MOST_ALERTS as u64 / 2, book.alerts().count());
    assert_eq!(
        (before, open(&book), book.crowded()),
        (MOST_ALERTS, fires, 0)
    );
    let own = [rule("one", "m00001"), rule("two", "m00002")];
    book.set_rules(api(&[rule("all", "*"), own[0].clone(), own[1].clone()]));
    let (told, _) = book.look(at(1), &figures);
    let named: Vec<&str> = told.iter().map(|told| told.rule.name.as_str()).collect();
    assert_eq!(named, ["one"], "what fired goes on to fire");
    assert_eq!(open(&book), fires + 1);
    for (one, state) in own.iter().zip([State::Firing, State::Inactive]) {
        let of = book.state_of(one, None);
        assert_eq!((of.state, of.unwatched), (Some(state), 0), "{}", one.name);
    }
    assert_eq!((book.alerts().count(), book.crowded()), (MOST_ALERTS, 2));
    // One that finds nothing takes no place, and several series take several.
    let open_source = Rule {
        family: "model_cost".to_owned(),
        source: String::new(),
        ..rule("cost", "x")
    };
    let with = |more: &[Rule]| [&[rule("all", "*")], &own[..], more].concat();
    book.set_rules(api(&with(std::slice::from_ref(&open_source))));
    book.look(at(2), &figures);
    assert_eq!(book.look(at(3), &figures), (Vec::new(), false));
    assert_eq!((book.alerts().count(), book.crowded()), (MOST_ALERTS, 2));
    for source in ["here", "there", "elsewhere"] {
        figures.set(source, "x", Some(11.0));
    }
    let (told, _) = book.look(at(4), &figures);
    let told = told.iter().filter(|told| told.rule.name == "cost").count();
    let unwatched = book.state_of(&open_source, None).unwatched;
    assert_eq!(
        (told, unwatched, book.alerts().count()),
        (3, 0, MOST_ALERTS)
    );
    book.set_rules(api(&with(&[])));
    book.look(at(5), &figures);
    // And it stays so.
    assert_eq!(book.look(at(6), &figures), (Vec::new(), false));
}

#[test]
fn what_is_kept_comes_back_with_names_of_any_kind() {
    let figures = Figures::default();
    let hostile = "<script>\u{202e}\"\\\u{1f600}";
    figures.set("s", hostile, Some(11.0));
    let mut book = Book::default();
    book.set_rules(api(&[rule(hostile, "*")]));
    book.look(at(0), &figures);
    let text = serde_json::to_string(&book.kept()).expect("JSON");
    let mut again = Book::default();
    again.set_rules(api(&[rule(hostile, "*")]));
    again.resume(serde_json::from_str(&text).expect("what was kept"));
    assert_eq!(
        again.alerts().collect::<Vec<_>>(),
        book.alerts().collect::<Vec<_>>()
    );
    assert_eq!(again.look(at(1), &figures).0, []);
}

#[test]
fn an_event_says_all_that_the_seed_says() {
    let figures = Figures::default();
    figures.set("s", "a", Some(11.5));
    let mut book = Book::default();
    let mut labelled = rule("r", "a");
    labelled.labels.insert("team".to_owned(), "x".to_owned());
    book.set_rules(api(&[labelled]));
    let (told, _) = book.look(at(0), &figures);
    let line = told[0].event().to_line();
    let line: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
    let said = serde_json::json!({
        "timestamp": line["timestamp"], "event_type": "alert", "rule": "r", "source": "s",
        "severity": "warning", "status": "firing", "value": 11.5,
        "tags": {"metric": "a", "family": "metric", "condition": "avg > 10", "threshold": 10.0,
            "window_seconds": 5, "labels": {"team": "x"}},
    });
    assert_eq!(line, said);
}
