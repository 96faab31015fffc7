use std::time::Instant;

use tachograph_model::alert::State;
use tachograph_model::answer::{Note, NoteKind, SeriesValue};
use tachograph_model::{Answer, Question};

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

fn answer(rules: Vec<Vec<SeriesValue>>) -> Result<RuleValues, AskError> {
    Ok(RuleValues {
        rules: rules.into_iter().map(Some).collect(),
        notes: Vec::new(),
    })
}

fn unreadable() -> Result<RuleValues, AskError> {
    Err(AskError::Read {
        what: "no disk".to_owned(),
        source: None,
    })
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
    far.take(asked, answer(values), Instant::now());
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
    far.take(asked, answer(vec![vec![], vec![of("b", 3.0)]]), later);
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
        far.take(due, answer(values), now);
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
    far.take(rules.clone(), unreadable(), at(0));
    assert_eq!(far.values(rule, at(1)), None);
    assert!(
        far.notes(at(1))[0].contains("no disk"),
        "{:?}",
        far.notes(at(1))
    );
    let noted = RuleValues {
        rules: vec![Some(vec![of("m", 1.0)])],
        notes: vec![Note::new(NoteKind::SegmentSkipped, "a torn file")],
    };
    far.take(rules.clone(), Ok(noted), at(60));
    assert_eq!(far.notes(at(61)), ["a torn file"]);
    far.take(rules.clone(), unreadable(), at(120));
    let values = far.values(rule, at(600)).expect("the last");
    assert_eq!(values[0].1, Some(1.0));
    // Nobody knows any more.
    assert_eq!(far.values(rule, at(661)).expect("empty").len(), 0);
    // Of another rule of that name nothing was said.
    assert_eq!(far.values(&far_rule("a", "m", 8), at(130)), None);
    far.known().asking = Some(at(700));
    assert!(far.notes(at(730))[0].contains("no disk"));
    assert!(far.notes(at(745))[0].contains("no answer for 45 s"));
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
            answer(
                asked
                    .rules
                    .iter()
                    .map(|rule| vec![of(&rule.metric_name, 7.0)])
                    .collect(),
            )
        }
    }
    let far = Far::default();
    let rules = shared(vec![far_rule("a", "m", 7), far_rule("b", "n", 1)]);
    assert!(far.ask(&rules, &Echo));
    assert!(far.ask(&rules, &Echo));
    assert!(!far.ask(&rules, &Echo));
    for rule in &rules {
        let values = far.values(rule, Instant::now()).expect("an answer");
        assert_eq!(
            (&*values[0].0.1, values[0].1),
            (rule.metric_name.as_str(), Some(7.0))
        );
    }
    assert_eq!(far.notes(Instant::now()), [] as [String; 0]);
}
