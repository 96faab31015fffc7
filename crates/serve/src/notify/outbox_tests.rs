use serde_json::{Map, Value, json};
use tachograph_model::alert::{Condition, Rule};

use super::*;
use crate::notify::{Given, told};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_763_640_000 * SECOND;

fn at(second: i64) -> UnixNanos {
    UnixNanos(START + second * SECOND)
}

/// Channels of the kind terminal, each with such keys.
fn outbox(keys: &[(&str, Value)]) -> Outbox {
    let all: Map<String, Value> = keys
        .iter()
        .map(|(name, keys)| {
            let mut all = json!({"kind": "terminal"});
            for (key, value) in keys.as_object().expect("keys") {
                all[key] = value.clone();
            }
            ((*name).to_owned(), all)
        })
        .collect();
    let given = Given {
        channels: &all.into(),
        ..Given::default()
    };
    Outbox::new(&Channels::from_config(&given).expect("channels"))
}

/// One that groups nothing in time and forgives nothing.
fn one() -> Outbox {
    outbox(&[("a", json!({"group_seconds": 0}))])
}

fn rule(name: &str) -> Rule {
    let condition = Condition::parse("avg > 10").expect("a condition");
    Rule::new(name, "*", "s", condition)
}

fn told(rule: &Rule, name: &str, notice: Notice, second: i64) -> Told {
    Told {
        rule: Arc::new(rule.clone()),
        series: ("s".into(), name.into()),
        notice,
        value: Some(11.0),
        at: at(second),
        fired_at: Some(at(0)),
    }
}

fn firing(rule: &str, name: &str) -> Told {
    told(&self::rule(rule), name, Notice::Firing, 0)
}

fn resolved(rule: &str, name: &str, second: i64) -> Told {
    told(&self::rule(rule), name, Notice::Resolved, second)
}

/// What a channel is told now, `name status` each; empty: nothing.
fn due(outbox: &mut Outbox, channel: usize, second: i64) -> (Vec<String>, Option<Batch>) {
    match outbox.due(channel, at(second)) {
        Due::Wait(_) => (Vec::new(), None),
        Due::Send(batch) => {
            let alerts = batch.notification.alerts.iter();
            let said = alerts.map(|item| format!("{} {}", item.name, item.status.name()));
            (said.collect(), Some(batch))
        }
    }
}

fn done(
    outbox: &mut Outbox,
    channel: usize,
    batch: Option<Batch>,
    result: Result<(), Failure>,
    second: i64,
) -> Vec<String> {
    let batch = batch.expect("something was sent");
    let times = (at(second), at(second));
    let done = outbox.done(channel, &batch, &result, times, 0.5);
    let lost = done.lost.into_iter();
    lost.map(|lost| lost.item.name).collect()
}

/// Has it sent, and says what.
fn sent(outbox: &mut Outbox, channel: usize, second: i64) -> Vec<String> {
    let (said, batch) = due(outbox, channel, second);
    if batch.is_some() {
        assert!(done(outbox, channel, batch, Ok(()), second).is_empty());
    }
    said
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn each_is_told_once_that_it_fires_and_once_that_it_is_over() {
    let mut outbox = one();
    outbox.take(&[firing("r", "x"), firing("r", "y")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), ["x firing", "y firing"]);
    assert_eq!(sent(&mut outbox, 0, 1), nothing());
    outbox.take(&[resolved("r", "x", 5)], at(5));
    assert_eq!(sent(&mut outbox, 0, 5), ["x resolved"]);
    assert_eq!(sent(&mut outbox, 0, 6), nothing());
    // What nobody was told of is not told to be over.
    outbox.take(&[resolved("r", "z", 7)], at(7));
    assert_eq!(sent(&mut outbox, 0, 7), nothing());
    assert_eq!(outbox.alerts.len(), 1);
}

#[test]
fn what_fires_on_is_told_again_as_a_whole() {
    let mut outbox = outbox(&[("a", json!({"group_seconds": 0, "repeat_seconds": 100}))]);
    outbox.take(&[firing("r", "x")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), ["x firing"]);
    outbox.take(&[firing("r", "y")], at(50));
    assert_eq!(sent(&mut outbox, 0, 50), ["y firing"]);
    assert_eq!(sent(&mut outbox, 0, 99), nothing());
    let Due::Wait(until) = outbox.due(0, at(99)) else {
        panic!("nothing is due");
    };
    assert_eq!(until, Some(at(100)));
    assert_eq!(sent(&mut outbox, 0, 100), ["x firing", "y firing"]);
    assert_eq!(sent(&mut outbox, 0, 151), nothing());
    // One that does not come back again and again.
    let mut never = self::outbox(&[("a", json!({"repeat_seconds": 0}))]);
    never.take(&[firing("r", "x")], at(0));
    assert_eq!(sent(&mut never, 0, 0), ["x firing"]);
    assert_eq!(sent(&mut never, 0, 1_000_000), nothing());
}

#[test]
fn alerts_of_a_group_come_together_and_not_one_by_one() {
    let mut outbox = outbox(&[("a", json!({"group_seconds": 30}))]);
    let of = |name: &str, series: &str| {
        let rule = Rule {
            group: "g".to_owned(),
            ..rule(name)
        };
        told(&rule, series, Notice::Firing, 0)
    };
    outbox.take(&[of("r", "x"), of("q", "y"), firing("p", "z")], at(0));
    let mut first = [sent(&mut outbox, 0, 0), sent(&mut outbox, 0, 0)];
    first.sort();
    assert_eq!(first, [vec!["y firing", "x firing"], vec!["z firing"]]);
    outbox.take(&[of("r", "x2")], at(10));
    outbox.take(&[of("r", "x3")], at(20));
    assert_eq!(sent(&mut outbox, 0, 29), nothing());
    assert_eq!(sent(&mut outbox, 0, 30), ["x2 firing", "x3 firing"]);
}

#[test]
fn many_are_told_in_one_and_counted() {
    let mut outbox = one();
    let many: Vec<Told> = (0..200)
        .map(|at| firing("r", &format!("{at:03}")))
        .collect();
    outbox.take(&many, at(0));
    let (said, batch) = due(&mut outbox, 0, 0);
    assert_eq!(said.len(), MOST_SHOWN);
    assert_eq!(
        batch.as_ref().map(|batch| batch.notification.more),
        Some(150)
    );
    done(&mut outbox, 0, batch, Ok(()), 0);
    assert_eq!(sent(&mut outbox, 0, 1), nothing());
}

#[test]
fn a_channel_that_fails_is_tried_again_later_and_later() {
    let mut outbox = one();
    outbox.take(&[firing("r", "x")], at(0));
    let mut second = 0;
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        let (_, batch) = due(&mut outbox, 0, second);
        assert!(done(&mut outbox, 0, batch, Err(Failure::later("down")), second).is_empty());
        let Due::Wait(until) = outbox.due(0, at(second)) else {
            panic!("it is waited for");
        };
        assert_eq!(until, Some(at(second + wait)), "after {second}");
        second += wait;
    }
    assert_eq!(outbox.facts(0).0.last_error.as_deref(), Some("down"));
    assert_eq!(sent(&mut outbox, 0, second), ["x firing"]);
    assert_eq!(outbox.facts(0).0.last_error, None);
    assert_eq!(outbox.facts(0).0.last_ok, Some(at(second)));
    assert!(backoff(3, LONGEST_WAIT, 0.0) >= Duration::from_millis(3200));
    assert!(backoff(3, LONGEST_WAIT, 1.0) <= Duration::from_millis(4800));
    assert!(backoff(u32::MAX, LONGEST_WAIT, 1.0) <= Duration::from_secs(360));
    // As its server says.
    outbox.take(&[resolved("r", "x", second)], at(second));
    let (_, batch) = due(&mut outbox, 0, second);
    let after = Failure {
        what: "busy".to_owned(),
        again: Again::After(Duration::from_secs(70)),
    };
    done(&mut outbox, 0, batch, Err(after), second);
    assert_eq!(sent(&mut outbox, 0, second + 69), nothing());
    assert_eq!(sent(&mut outbox, 0, second + 70), ["x resolved"]);
}

#[test]
fn each_alert_is_given_up_after_its_own_time() {
    let mut outbox = outbox(&[("a", json!({"group_seconds": 0, "retry_seconds": 100}))]);
    let failed = |outbox: &mut Outbox, second: i64| {
        let (_, batch) = due(outbox, 0, second);
        done(outbox, 0, batch, Err(Failure::later("down")), second)
    };
    outbox.take(&[firing("r", "x")], at(0));
    assert_eq!(failed(&mut outbox, 0), nothing());
    outbox.take(&[firing("r", "y")], at(90));
    assert_eq!(failed(&mut outbox, 90), nothing());
    assert_eq!(failed(&mut outbox, 110), ["x"]);
    assert_eq!(failed(&mut outbox, 150), nothing());
    assert_eq!(failed(&mut outbox, 190), ["y"]);
    assert_eq!(outbox.facts(0).0.undelivered, 2);
    // That it is over may be told all the same.
    outbox.take(&[resolved("r", "x", 300)], at(300));
    assert_eq!(sent(&mut outbox, 0, 600), ["x resolved"]);
}

#[test]
fn what_will_never_do_is_given_up_at_once_and_holds_up_nothing() {
    let mut outbox = one();
    outbox.take(&[firing("r", "x")], at(0));
    let (_, batch) = due(&mut outbox, 0, 0);
    let lost = done(&mut outbox, 0, batch, Err(Failure::never("no")), 0);
    assert_eq!(lost, ["x"]);
    outbox.take(&[firing("r", "y")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), ["y firing"]);
}

#[test]
fn what_fails_again_and_again_holds_up_no_other_group() {
    let mut outbox = one();
    outbox.take(&[firing("q", "x"), firing("r", "y")], at(0));
    let (said, batch) = due(&mut outbox, 0, 0);
    assert_eq!(said, ["x firing"]);
    done(&mut outbox, 0, batch, Err(Failure::later("of x")), 0);
    assert_eq!(sent(&mut outbox, 0, 2), ["y firing"]);
    // Nor do several that fail hold up each other.
    outbox.take(&[firing("p", "w")], at(3));
    for (second, tried) in [(3, "w firing"), (10, "x firing"), (20, "w firing")] {
        let (said, batch) = due(&mut outbox, 0, second);
        assert_eq!(said, [tried]);
        done(&mut outbox, 0, batch, Err(Failure::later("no")), second);
    }
}

#[test]
fn one_that_is_down_holds_up_no_other() {
    let mut outbox = outbox(&[
        ("a", json!({"group_seconds": 0})),
        ("b", json!({"group_seconds": 0})),
    ]);
    outbox.take(&[firing("r", "x")], at(0));
    let (_, batch) = due(&mut outbox, 0, 0);
    done(&mut outbox, 0, batch, Err(Failure::later("down")), 0);
    assert_eq!(sent(&mut outbox, 1, 0), ["x firing"]);
    outbox.take(&[resolved("r", "x", 1)], at(1));
    assert_eq!(sent(&mut outbox, 1, 1), ["x resolved"]);
    // It is told what it was, once, as it stands now.
    assert_eq!(sent(&mut outbox, 0, 60), ["x resolved"]);
    assert!(outbox.alerts.is_empty());
}

#[test]
fn what_flaps_while_a_channel_is_down_is_told_once() {
    let mut outbox = one();
    outbox.take(&[firing("r", "x")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), ["x firing"]);
    outbox.take(&[resolved("r", "x", 1)], at(1));
    let (_, batch) = due(&mut outbox, 0, 1);
    done(&mut outbox, 0, batch, Err(Failure::later("down")), 1);
    for second in 2..50 {
        let mut again = firing("r", "x");
        again.fired_at = Some(at(second));
        outbox.take(&[again], at(second));
        outbox.take(&[resolved("r", "x", second)], at(second));
    }
    assert_eq!(sent(&mut outbox, 0, 60), ["x resolved"]);
    assert_eq!(sent(&mut outbox, 0, 61), nothing());
}

#[test]
fn news_that_comes_while_one_is_told_is_not_lost() {
    let mut outbox = one();
    outbox.take(&[firing("r", "x")], at(0));
    let (_, batch) = due(&mut outbox, 0, 0);
    outbox.take(&[resolved("r", "x", 1)], at(1));
    done(&mut outbox, 0, batch, Ok(()), 2);
    assert_eq!(sent(&mut outbox, 0, 2), ["x resolved"]);
}

#[test]
fn rules_and_severities_choose_the_channel() {
    let mut outbox = outbox(&[
        ("all", json!({})),
        ("worst", json!({"severity": "critical"})),
        ("named", json!({})),
    ]);
    let critical = Rule {
        severity: "critical".to_owned(),
        channels: vec!["worst".to_owned(), "named".to_owned()],
        ..rule("c")
    };
    let news = [told(&critical, "x", Notice::Firing, 0), firing("w", "y")];
    outbox.take(&news, at(0));
    assert_eq!(sent(&mut outbox, 0, 0), ["y firing"]);
    assert_eq!(sent(&mut outbox, 1, 0), ["x firing"]);
    let both = [sent(&mut outbox, 2, 0), sent(&mut outbox, 2, 0)];
    assert_eq!(both, [["x firing"], ["y firing"]]);
}

#[test]
fn a_silence_tells_nobody_until_it_ends() {
    let silence = |rule: &str, until: i64| Silence {
        id: String::new(),
        rule: rule.to_owned(),
        source: None,
        name: None,
        until: at(until),
        by: String::new(),
        created_at: at(0),
    };
    let mut outbox = one();
    outbox.set_silences(vec![silence("r", 100), silence("q", 100)]);
    outbox.take(&[firing("r", "x"), firing("q", "y")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), nothing());
    // What came and went meanwhile is nothing to tell.
    outbox.take(&[resolved("q", "y", 50)], at(50));
    assert_eq!(sent(&mut outbox, 0, 50), nothing());
    let Due::Wait(until) = outbox.due(0, at(99)) else {
        panic!("nobody is told");
    };
    assert_eq!(until, Some(at(100)));
    assert_eq!(sent(&mut outbox, 0, 100), ["x firing"]);
    assert_eq!(sent(&mut outbox, 0, 101), nothing());
    // It ends by the machine's clock, though that of what is due stood still.
    outbox.set_silences(vec![silence("r", 300)]);
    outbox.take(&[firing("r", "w")], at(102));
    assert_eq!(sent(&mut outbox, 0, 102), nothing());
    assert!(!outbox.end_silences(at(299)) && outbox.end_silences(at(300)));
    assert_eq!(sent(&mut outbox, 0, 103), ["w firing"]);
    outbox.take(&[resolved("r", "w", 104)], at(104));
    assert_eq!(sent(&mut outbox, 0, 104), ["w resolved"]);
    // What was told of and is over meanwhile is told when it ends.
    outbox.set_silences(vec![silence("*", 200)]);
    outbox.take(&[resolved("r", "x", 150)], at(150));
    assert_eq!(sent(&mut outbox, 0, 150), nothing());
    assert!(outbox.set_silences(Vec::new()));
    assert_eq!(sent(&mut outbox, 0, 151), ["x resolved"]);
    assert!(outbox.alerts.is_empty());
}

#[test]
fn what_came_and_went_in_silence_is_not_told_when_that_ends_at_once() {
    let silence = |until: i64| Silence {
        id: String::new(),
        rule: "r".to_owned(),
        source: None,
        name: None,
        until: at(until),
        by: String::new(),
        created_at: at(0),
    };
    let check = |end: &dyn Fn(&mut Outbox) -> bool| {
        let mut outbox = one();
        outbox.set_silences(vec![silence(100)]);
        outbox.take(&[firing("r", "x"), firing("q", "y")], at(0));
        assert_eq!(sent(&mut outbox, 0, 0), ["y firing"]);
        // No channel has looked since it is over.
        outbox.take(&[resolved("r", "x", 50), resolved("q", "y", 50)], at(50));
        assert!(end(&mut outbox));
        assert_eq!(sent(&mut outbox, 0, 50), ["y resolved"]);
        assert_eq!(sent(&mut outbox, 0, 50), nothing());
        assert!(outbox.alerts.is_empty());
    };
    check(&|outbox| outbox.set_silences(Vec::new()));
    check(&|outbox| outbox.end_silences(at(100)));
}

#[test]
fn what_was_told_after_it_was_kept_is_not_told_again() {
    let keys = [("a", json!({"group_seconds": 0, "retry_seconds": 0}))];
    let mut before = outbox(&keys);
    before.take(&[firing("r", "x"), firing("q", "y")], at(0));
    let kept = before.kept(0);
    // One is taken, of the other it is given up; both are settled.
    let mut lines = Vec::new();
    for result in [Ok(()), Err(Failure::later("down"))] {
        let (_, batch) = due(&mut before, 0, 5);
        let batch = batch.expect("something is due");
        let done = before.done(0, &batch, &result, (at(5), at(5)), 0.5);
        lines.push(told::Line {
            number: 1,
            channel: "a".to_owned(),
            at: at(5),
            told: done.settled,
        });
    }
    let mut after = outbox(&keys);
    after.resume(kept);
    // Of channels and alerts that there are no more nothing is taken.
    lines.push(told::Line {
        channel: "gone".to_owned(),
        ..lines[0].clone()
    });
    after.resume_told(lines.clone());
    assert_eq!(sent(&mut after, 0, 10), nothing());
    after.take(&[resolved("r", "x", 20)], at(20));
    assert_eq!(sent(&mut after, 0, 20), ["x resolved"]);
    after.resume_told(lines);
}

#[test]
fn what_is_tried_on_is_not_settled_the_first_time_or_a_repeat() {
    let keys = json!({"group_seconds": 0, "repeat_seconds": 100, "retry_seconds": 1000});
    let mut outbox = outbox(&[("a", keys)]);
    outbox.take(&[firing("r", "x")], at(0));
    let mut check = |second: i64, result: Result<(), Failure>, settled: usize| {
        let (said, batch) = due(&mut outbox, 0, second);
        assert_eq!(said, ["x firing"], "{second}");
        let batch = batch.expect("something is due");
        let done = outbox.done(0, &batch, &result, (at(second), at(second)), 0.5);
        assert_eq!(done.settled.len(), settled, "{second}");
        assert_eq!(done.lost, [], "{second}");
    };
    let down = || Err(Failure::later("down"));
    check(0, down(), 0);
    check(10, Ok(()), 1);
    // It knows already how that one stands.
    check(110, down(), 0);
    check(120, down(), 0);
    check(130, Ok(()), 1);
    // A repeat that is given up waits for its time again.
    check(230, Err(Failure::never("no such mailbox")), 1);
    assert_eq!(due(&mut outbox, 0, 329).0, nothing());
}

#[test]
fn a_restart_repeats_nothing_and_forgets_nothing() {
    let keys = [
        ("a", json!({"group_seconds": 0})),
        ("b", json!({"group_seconds": 0})),
    ];
    let mut before = outbox(&keys);
    before.take(&[firing("r", "x"), firing("q", "y")], at(0));
    let (_, batch) = due(&mut before, 1, 0);
    done(&mut before, 1, batch, Err(Failure::later("down")), 0);
    while sent(&mut before, 0, 0) != nothing() {}
    before.take(&[resolved("q", "y", 1)], at(1));
    let text = serde_json::to_string(&before.kept(0)).expect("JSON");
    let kept = || serde_json::from_str::<KeptPost>(&text).expect("kept");
    let mut after = outbox(&keys);
    after.resume(kept());
    assert_eq!(serde_json::to_string(&after.kept(0)).expect("JSON"), text);
    assert_eq!(sent(&mut after, 0, 2), ["y resolved"]);
    assert_eq!(sent(&mut after, 0, 2), nothing());
    let mut both = [sent(&mut after, 1, 2), sent(&mut after, 1, 2)];
    both.sort();
    assert_eq!(both, [["x firing"], ["y resolved"]]);
    assert_eq!(after.facts(1).0.last_error, None);
    // One that is new is told of what fires, and only of that.
    let mut other = outbox(&[("c", json!({"group_seconds": 0}))]);
    other.resume(kept());
    assert_eq!(sent(&mut other, 0, 2), ["x firing"]);
    assert_eq!(sent(&mut other, 0, 2), nothing());
    // What was lost but for the log is taken as told of.
    let mut lost = outbox(&keys);
    lost.assume_told(vec![Item::of(&firing("r", "x"))], at(3));
    assert_eq!(sent(&mut lost, 0, 3), nothing());
    lost.take(&[resolved("r", "x", 4)], at(4));
    assert_eq!(sent(&mut lost, 0, 4), ["x resolved"]);
}

#[test]
fn nobody_is_told_of_what_is_not_kept_yet() {
    let mut outbox = one();
    outbox.held = true;
    outbox.take(&[firing("r", "x")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), nothing());
    outbox.held = false;
    assert_eq!(sent(&mut outbox, 0, 0), ["x firing"]);
}

#[test]
fn what_waits_is_bounded_and_the_oldest_is_given_up() {
    let mut outbox = one();
    let many = |range: std::ops::Range<usize>| -> Vec<Told> {
        let one = |second: usize| Told {
            fired_at: Some(at(second as i64)),
            ..firing("r", &format!("{second:05}"))
        };
        range.map(one).collect()
    };
    assert!(outbox.take(&many(0..MOST_WAITING), at(0)).is_empty());
    let lost = outbox.take(&many(MOST_WAITING..MOST_WAITING + 3), at(0));
    let lost: Vec<_> = lost.into_iter().map(|(_, lost)| lost.item.name).collect();
    assert_eq!(lost, ["00000", "00001", "00002"]);
    assert_eq!(outbox.facts(0), (&outbox.channels[0].facts, MOST_WAITING));
    assert_eq!(outbox.facts(0).0.undelivered, 3);
}

#[test]
fn what_is_silenced_takes_no_room_from_what_is_not() {
    let mut outbox = one();
    outbox.set_silences(vec![Silence {
        id: String::new(),
        rule: "r".to_owned(),
        source: None,
        name: None,
        until: at(1000),
        by: String::new(),
        created_at: at(0),
    }]);
    outbox.take(&[firing("q", "x")], at(0));
    let many = (0..=MOST_WAITING).map(|of| Told {
        fired_at: Some(at(1)),
        ..firing("r", &of.to_string())
    });
    let many: Vec<Told> = many.collect();
    assert_eq!(outbox.take(&many, at(1)), []);
    assert_eq!(sent(&mut outbox, 0, 2), ["x firing"]);
    // Once it ends they wait, and there are too many.
    outbox.set_silences(Vec::new());
    assert_eq!(outbox.take(&[firing("q", "y")], at(3)).len(), 2);
}

#[test]
fn an_alertmanager_is_told_all_that_fires_in_time() {
    let all = json!({"am": {"kind": "alertmanager", "url": "http://127.0.0.1:9/",
        "refresh_seconds": 60}});
    let given = Given {
        channels: &all,
        ..Given::default()
    };
    let mut outbox = Outbox::new(&Channels::from_config(&given).expect("a channel"));
    outbox.take(&[firing("r", "x"), firing("q", "y")], at(0));
    assert_eq!(sent(&mut outbox, 0, 0), ["y firing", "x firing"]);
    outbox.take(&[resolved("r", "x", 5)], at(5));
    assert_eq!(sent(&mut outbox, 0, 5), ["x resolved"]);
    assert_eq!(sent(&mut outbox, 0, 59), nothing());
    assert_eq!(sent(&mut outbox, 0, 60), ["y firing"]);
    // It would end by itself if it were not told on, and say so.
    outbox.set_silences(vec![Silence {
        id: String::new(),
        rule: "*".to_owned(),
        source: None,
        name: None,
        until: at(1000),
        by: String::new(),
        created_at: at(0),
    }]);
    outbox.take(&[firing("p", "z")], at(100));
    assert_eq!(sent(&mut outbox, 0, 120), ["y firing"]);
}
