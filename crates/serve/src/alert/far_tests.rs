use std::time::Instant;

use tachograph_model::alert::State;
use tachograph_model::answer::{Note, NoteKind, SeriesValue};
use tachograph_model::{Answer, AskError, Question};

use super::super::book::tests::{Figures, rule};
use super::super::book::{Book, Origin, Owned};
use super::*;

const DAY: u64 = 86_400;
const START: i64 = 1_763_640_000_000_000_000;

fn far_rule(name: &str, metric: &str, days: u64) -> Rule {
    Rule {
        window_seconds: days * DAY,
        ..rule(name, metric)
    }
}

fn shared(rules: Vec<Rule>) -> Vec<Arc<Rule>> {
    rules.into_iter().map(Arc::new).collect()
}

fn of(name: &str, value: f64) -> SeriesValue {
    SeriesValue {
        source: "s".to_owned(),
        name: name.to_owned(),
        value: Some(value),
    }
}

fn answer(rules: Vec<Vec<SeriesValue>>) -> Result<RuleValues, String> {
    Ok(RuleValues {
        rules: rules.into_iter().map(Some).collect(),
        notes: Vec::new(),
    })
}

fn unreadable() -> Result<RuleValues, String> {
    Err("no disk".to_owned())
}

fn noted(value: f64, text: &str) -> Result<RuleValues, String> {
    Ok(RuleValues {
        rules: vec![Some(vec![of("m", value)])],
        notes: vec![Note::new(NoteKind::SegmentSkipped, text)],
    })
}

/// No rule has an alert.
fn none(_rule: &str) -> Vec<Series> {
    Vec::new()
}

/// Has those asked about that are due, each of one question, and answered.
fn has(far: &Far, rules: &[Arc<Rule>], answer: Result<RuleValues, String>, now: Instant) {
    let due = far.due(rules, now);
    assert!(!due.is_empty(), "nothing is due");
    far.take(due, answer, &none, now);
}

fn book(rules: &[Rule]) -> Book {
    let owned = rules.iter().cloned().map(|rule| Owned {
        rule,
        origin: Origin::Api,
    });
    let mut book = Book::default();
    book.set_rules(owned.collect());
    book
}

/// The states after a look, of each series.
fn look(book: &mut Book, far: &Far, second: i64, near: &Figures) -> Vec<(String, State)> {
    let now = UnixNanos(START + second * 1_000_000_000);
    book.look(now, &Sight { near, far });
    let alerts = book.alerts();
    let stands = alerts.map(|alert| (alert.series.1.to_string(), alert.machine.state()));
    stands.collect()
}

#[test]
fn rules_of_days_are_judged_by_what_was_answered_and_the_others_by_live_state() {
    let rules = [
        far_rule("days", "a", 7),
        far_rule("each", "*", 7),
        rule("near", "a"),
    ];
    let (far, near) = (Far::default(), Figures::default());
    near.set("s", "a", Some(1.0));
    let mut book = book(&rules);
    let stands = |list: &[(&str, State)]| -> Vec<(String, State)> {
        let list = list.iter();
        list.map(|(name, state)| ((*name).to_owned(), *state))
            .collect()
    };
    // Nothing was answered: nothing is said of them.
    let found = look(&mut book, &far, 0, &near);
    assert_eq!(found, stands(&[("a", State::Inactive)]));
    let asked = far.due(&book.far(), Instant::now());
    assert_eq!(asked.len(), 2);
    let values = vec![vec![of("a", 11.0)], vec![of("a", 11.0), of("b", 3.0)]];
    far.take(asked, answer(values), &none, Instant::now());
    let found = look(&mut book, &far, 1, &near);
    let wanted = [
        ("a", State::Firing),
        ("a", State::Firing),
        ("b", State::Inactive),
        ("a", State::Inactive),
    ];
    assert_eq!(found, stands(&wanted));
    // The next answer has nothing of it any more.
    let later = Instant::now() + EVERY;
    let asked = far.due(&book.far(), later);
    far.take(
        asked,
        answer(vec![vec![], vec![of("b", 3.0)]]),
        &none,
        later,
    );
    let found = look(&mut book, &far, 61, &near);
    assert_eq!(found[0], ("a".to_owned(), State::NoData));
    assert_eq!(book.totals().open_without_data, 2);
}

#[test]
fn those_nobody_knows_of_are_asked_about_first_and_each_once_a_minute() {
    let far = Far::default();
    let rules = shared(vec![
        far_rule("a", "m", 7),
        far_rule("b", "m", 1),
        far_rule("c", "m", 7),
    ]);
    let now = Instant::now();
    let check = |rules: &[Arc<Rule>], seconds: u64, wanted: &[&str]| {
        let now = now + Duration::from_secs(seconds);
        let due = far.due(rules, now);
        let names: Vec<&str> = due.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, wanted, "{seconds}");
        let values = due.iter().map(|_| Vec::new()).collect();
        far.take(due, answer(values), &none, now);
    };
    check(&rules, 0, &["a", "c"]);
    check(&rules, 1, &["b"]);
    check(&rules, 2, &[]);
    check(&rules, 60, &["a", "c"]);
    // Changed, so that nothing is known of it: before what is due.
    let mut changed = rules.clone();
    changed[2] = Arc::new(far_rule("c", "other", 7));
    check(&changed, 61, &["c"]);
    check(&changed, 61, &["b"]);
    check(&changed, 61, &[]);
    // Gone, and there again.
    check(&changed[..2], 62, &[]);
    check(&changed, 63, &["c"]);
}

#[test]
fn what_cannot_be_had_is_said_and_the_last_answer_counts_for_a_while() {
    let far = Far::default();
    let rules = shared(vec![far_rule("a", "m", 7)]);
    let rule = &*rules[0];
    let now = Instant::now();
    let at = |seconds: u64| now + Duration::from_secs(seconds);
    far.take(rules.clone(), unreadable(), &none, at(0));
    assert_eq!(far.values(rule, at(1)), None);
    assert!(
        far.notes(at(1))[0].contains("no disk"),
        "{:?}",
        far.notes(at(1))
    );
    far.take(rules.clone(), noted(1.0, "a torn file"), &none, at(60));
    assert_eq!(far.notes(at(61)), ["a torn file"]);
    far.take(rules.clone(), unreadable(), &none, at(120));
    let values = far.values(rule, at(600)).expect("the last");
    assert_eq!(values.found[0].1, Some(1.0));
    // Nobody knows any more.
    assert_eq!(far.values(rule, at(661)).expect("empty").found.len(), 0);
    // Of another rule of that name nothing was said.
    assert_eq!(far.values(&far_rule("a", "m", 8), at(130)), None);
    far.known().asking = Some(at(700));
    assert!(far.notes(at(730))[0].contains("no disk"));
    assert!(far.notes(at(745))[0].contains("no answer for 45 s"));
}

#[test]
fn an_answer_that_waits_for_its_turn_counts_and_is_said_to_be_old() {
    let far = Far::default();
    let rules = shared(vec![far_rule("a", "m", 7), far_rule("b", "m", 1)]);
    let now = Instant::now();
    let at = |seconds: u64| now + Duration::from_secs(seconds);
    has(&far, &rules, noted(1.0, "torn"), at(0));
    // The other one takes long.
    has(&far, &rules, noted(2.0, "torn"), at(700));
    let known = |rule: usize, second: u64| {
        let values = far.values(&rules[rule], at(second)).expect("an answer");
        values.found.first().and_then(|(_, value)| *value)
    };
    assert_eq!((known(0, 701), known(1, 701)), (Some(1.0), Some(2.0)));
    let notes = far.notes(at(701));
    assert!(notes[0].contains("is 11 minutes old"), "{notes:?}");
    // Asked about and not answered, or nobody answers any more: nobody knows.
    has(&far, &rules, unreadable(), at(710));
    assert_eq!((known(0, 711), known(1, 711)), (None, Some(2.0)));
    assert_eq!((known(0, 1301), known(1, 1301)), (None, None));
    assert_eq!(far.notes(at(1301)).len(), 2, "{:?}", far.notes(at(1301)));
}

#[test]
fn what_is_said_of_rules_goes_with_them() {
    let far = Far::default();
    let rules = shared(vec![
        far_rule("a", "m", 7),
        far_rule("b", "m", 1),
        far_rule("c", "m", 2),
    ]);
    let now = Instant::now();
    has(&far, &rules, noted(1.0, "torn"), now);
    has(&far, &rules, noted(1.0, "mended"), now);
    has(&far, &rules, unreadable(), now);
    let check = |rules: &[Arc<Rule>], wanted: &[&str]| {
        far.due(rules, now);
        let notes = far.notes(now);
        assert_eq!(notes.len(), wanted.len(), "{notes:?}");
        for (note, wanted) in notes.iter().zip(wanted) {
            assert!(note.contains(wanted), "{notes:?}");
        }
    };
    // Of each window its own, though another was asked about last.
    check(&rules, &["no disk", "mended", "torn"]);
    check(&rules[..2], &["mended", "torn"]);
    check(&rules[..1], &["torn"]);
    check(&[], &[]);
}

#[test]
fn rules_of_many_series_come_fewer_at_once() {
    let far = Far::default();
    let check = |metric: &str, source: &str, wanted: usize| {
        let rule = |at: usize| Rule {
            source: source.to_owned(),
            ..far_rule(&at.to_string(), metric, 7)
        };
        let rules = shared((0..300).map(rule).collect());
        assert_eq!(far.due(&rules, Instant::now()).len(), wanted, "{metric}");
    };
    check("m", "s", MOST_AT_ONCE);
    check("m", "", MOST_AT_ONCE / OF_MANY);
    check("*", "s", MOST_AT_ONCE / OF_MANY);
}

#[test]
fn all_rules_together_hold_about_as_many_series_as_there_may_be_alerts() {
    const SERIES: usize = 6_000;
    let far = Far::default();
    let rules = [
        far_rule("a", "*", 7),
        far_rule("b", "*", 7),
        far_rule("c", "*", 7),
        far_rule("d", "000007", 7),
    ];
    let mut book = book(&rules);
    let many = || (0..SERIES).map(|at| of(&format!("{at:06}"), 1.0)).collect();
    let found = |rules: &[Vec<SeriesValue>]| answer(rules.to_vec());
    let answers = found(&[many(), many(), many(), vec![of("000007", 11.0)]]);
    // One has an alert already, of a series that is among the last.
    let last = format!("{:06}", SERIES - 1);
    let alerts = |rule: &str| match rule {
        "c" => vec![("s".into(), last.as_str().into())],
        _ => Vec::new(),
    };
    let now = Instant::now();
    let asked = far.due(&book.far(), now);
    far.take(asked, answers, &alerts, now);
    let held = |name: &str| {
        let rule = rules.iter().find(|rule| rule.name == name).expect(name);
        far.values(rule, now).expect("an answer")
    };
    let sizes = ["a", "b", "c", "d"].map(|name| (held(name).found.len(), held(name).left_out));
    let of_b = MOST_ALERTS - SERIES;
    let wanted = [(SERIES, 0), (of_b, SERIES - of_b), (1, SERIES - 1), (1, 0)];
    assert_eq!(sizes, wanted);
    assert_eq!(*held("c").found[0].0.1, *last);
    // Each text once.
    let texts = ["a", "b"].map(|name| held(name).found[7].0.clone());
    assert!(Arc::ptr_eq(&texts[0].1, &texts[1].1) && Arc::ptr_eq(&texts[0].0, &texts[1].0));
    // Nobody watches those that are left out, and that is said.
    look(&mut book, &far, 0, &Figures::default());
    let unwatched = |name: &str| {
        let rule = rules.iter().find(|rule| rule.name == name).expect(name);
        book.state_of(rule, None).unwatched
    };
    // One more of what names all makes room for what names its own.
    let of_all = (SERIES - of_b) as u64 + 1;
    assert_eq!(["a", "b", "d"].map(unwatched), [0, of_all, 0]);
    // Asked again it holds as many.
    let later = now + EVERY;
    let asked = far.due(&book.far(), later);
    let answers = found(&[many(), many(), many(), vec![of("000007", 11.0)]]);
    far.take(asked, answers, &|rule: &str| book.series_of(rule), later);
    assert_eq!(held("b").found.len(), of_b);
}

#[test]
fn an_answerer_that_breaks_down_is_told_of_and_asked_again() {
    struct Broken;
    impl Answerer for Broken {
        fn answer(&self, question: &Question) -> Result<Answer, AskError> {
            panic!("{question:?}")
        }

        fn rule_values(&self, _: &question::RuleValues) -> Result<RuleValues, AskError> {
            panic!("as it is to")
        }
    }
    let far = Far::default();
    let rules = shared(vec![far_rule("a", "m", 7)]);
    assert!(far.ask(&rules, &Broken, &none));
    let now = Instant::now();
    let notes = far.notes(now + STALE);
    assert!(notes[0].contains(BROKE), "{notes:?}");
    assert_eq!(far.due(&rules, now + EVERY).len(), 1);
}

#[test]
fn it_asks_for_the_rules_that_are_due() {
    struct Echo;
    impl Answerer for Echo {
        fn answer(&self, question: &Question) -> Result<Answer, AskError> {
            panic!("{question:?}")
        }

        fn rule_values(&self, asked: &question::RuleValues) -> Result<RuleValues, AskError> {
            assert_eq!(asked.within, WITHIN);
            let rules = asked.rules.iter();
            let values = |rule: &Rule| Some(vec![of(&rule.metric_name, 7.0)]);
            Ok(RuleValues {
                rules: rules.map(values).collect(),
                notes: Vec::new(),
            })
        }
    }
    let far = Far::default();
    let rules = shared(vec![far_rule("a", "m", 7), far_rule("b", "n", 1)]);
    assert!(far.ask(&rules, &Echo, &none));
    assert!(far.ask(&rules, &Echo, &none));
    assert!(!far.ask(&rules, &Echo, &none));
    for rule in &rules {
        let values = far.values(rule, Instant::now()).expect("an answer");
        assert_eq!(
            (&*values.found[0].0.1, values.found[0].1),
            (rule.metric_name.as_str(), Some(7.0))
        );
    }
    assert_eq!(far.notes(Instant::now()), [] as [String; 0]);
}
