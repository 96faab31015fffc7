//! Which record of a call counts, in every order they may come in.

use tachograph_model::{Event, UnixNanos};

use super::*;

/// `class name detail parent response`; the span's id is its number.
#[derive(Clone, Copy)]
struct Call {
    class: Class,
    span: u8,
    parent: u8,
    name: &'static str,
    detail: u8,
    response: Option<u64>,
    call: Option<u64>,
}

const fn call(class: Class, span: u8, parent: u8) -> Call {
    Call {
        class,
        span,
        parent,
        name: "x",
        detail: 2,
        response: None,
        call: None,
    }
}

fn candidate(call: Call) -> Candidate {
    let event_type = crate::normal::span::type_of(call.class);
    let mut event = Event::new(UnixNanos(0), event_type).with(Column::Name, call.name);
    if matches!(call.class, Llm | Tool) {
        event.set(Column::InputTokens, Value::I64(5));
    }
    let id = |number: u8| [0, 0, 0, 0, 0, 0, 0, number];
    Candidate {
        event,
        keys: Keys {
            class: Some(call.class),
            trace: [u8::from(call.span > 0); 16],
            span: id(call.span),
            parent: id(call.parent),
            response: call.response,
            call: call.call,
            detail: call.detail,
            body: (call.span == 0).then_some(u64::from(call.parent)),
            ..Keys::default()
        },
    }
}

/// Batches of calls → the types that are stored, in order.
fn check(batches: &[&[Call]], expected: &[&str]) {
    let mut seen = Seen::default();
    let mut stored = Vec::new();
    for batch in batches {
        let batch = batch.iter().copied().map(candidate).collect();
        let (kept, _) = seen.admit(batch, &[], 0);
        for candidate in kept {
            let event = candidate.event;
            assert_eq!(
                event.event_type == "span",
                event.get(Column::InputTokens).is_none(),
                "what does not count holds no tokens"
            );
            stored.push(event.event_type);
        }
    }
    assert_eq!(stored, expected);
}

use Class::{Agent, Llm, Structure, Tool};

#[test]
fn a_span_sent_twice_is_stored_once() {
    let one = call(Llm, 1, 0);
    check(&[&[one], &[one]], &["llm_call"]);
    check(&[&[one, one]], &["llm_call"]);
    check(&[&[one, call(Llm, 2, 0)]], &["llm_call", "llm_call"]);
    let log = call(Llm, 0, 9);
    check(
        &[&[log], &[log], &[call(Llm, 0, 8)]],
        &["llm_call", "llm_call"],
    );
}

#[test]
fn of_two_instrumentations_the_one_that_knows_more_counts() {
    let outer = Call {
        detail: 3,
        ..call(Llm, 1, 0)
    };
    let inner = call(Llm, 2, 1);
    check(&[&[inner, outer]], &["span", "llm_call"]);
    let poorer = Call { detail: 1, ..outer };
    check(&[&[inner, poorer]], &["llm_call", "span"]);
    // Across batches the first is on the disk.
    check(&[&[inner], &[outer]], &["llm_call", "span"]);
    check(&[&[outer], &[inner]], &["llm_call", "span"]);
}

#[test]
fn structure_between_them_changes_nothing_and_may_come_late() {
    let (outer, between, inner) = (call(Llm, 1, 0), call(Structure, 2, 1), call(Llm, 3, 2));
    // Structure holds no tokens of its own.
    let between = Call {
        detail: 0,
        ..between
    };
    let mut seen = Seen::default();
    for (call, expected) in [(inner, "llm_call"), (between, "span"), (outer, "span")] {
        let (kept, _) = seen.admit(vec![candidate(call)], &[], 0);
        assert_eq!(kept[0].event.event_type, expected);
    }
}

#[test]
fn an_agent_or_a_tool_between_them_makes_two_calls() {
    for between in [Agent, Tool] {
        let middle = Call {
            name: "other",
            ..call(between, 2, 1)
        };
        let (kept, tally) = Seen::default().admit(
            [call(Llm, 3, 2), middle, call(Llm, 1, 0)]
                .map(candidate)
                .to_vec(),
            &[],
            0,
        );
        assert_eq!(kept[0].event.event_type, "llm_call");
        assert_eq!(kept[2].event.event_type, "llm_call");
        assert_eq!(
            tally,
            Tally {
                kept: 3,
                ..Tally::default()
            }
        );
    }
}

#[test]
fn spans_that_make_no_event_stand_between_as_well() {
    let mut seen = Seen::default();
    let id = |number: u8| [0, 0, 0, 0, 0, 0, 0, number];
    let link = Link {
        trace: [1; 16],
        span: id(2),
        parent: id(1),
    };
    let (_, tally) = seen.admit(
        vec![candidate(call(Llm, 3, 2)), candidate(call(Llm, 1, 0))],
        &[link],
        0,
    );
    assert_eq!((tally.kept, tally.merged), (1, 1));
}

#[test]
fn one_response_is_one_call_for_ten_minutes() {
    let response = Some(77);
    let one = Call {
        response,
        ..call(Llm, 1, 0)
    };
    let other = Call {
        response,
        ..call(Llm, 0, 9)
    };
    check(&[&[one], &[other]], &["llm_call"]);
    let mut seen = Seen::default();
    seen.admit(vec![candidate(one)], &[], 0);
    let (kept, _) = seen.admit(vec![candidate(other)], &[], 601);
    assert_eq!(kept.len(), 1);
}

#[test]
fn a_tool_seen_from_two_sides_is_one_call() {
    let client = Call {
        name: "mcp__docs__search",
        ..call(Tool, 1, 0)
    };
    let server = Call {
        name: "search",
        ..call(Tool, 2, 1)
    };
    let other = Call {
        name: "research",
        ..call(Tool, 3, 1)
    };
    let mut seen = Seen::default();
    let types: Vec<String> = seen
        .admit([server, other, client].map(candidate).to_vec(), &[], 0)
        .0
        .into_iter()
        .map(|kept| kept.event.event_type)
        .collect();
    assert_eq!(types, ["tool_call", "tool_call", "span"]);
    let log = Call {
        call: Some(5),
        ..call(Tool, 0, 9)
    };
    let span = Call {
        call: Some(5),
        ..call(Tool, 4, 0)
    };
    let (kept, tally) = seen.admit(vec![candidate(log), candidate(span)], &[], 0);
    assert_eq!((kept.len(), tally.kept, tally.merged), (2, 1, 1));
}

#[test]
fn what_could_not_be_stored_is_taken_when_it_comes_again() {
    let mut seen = Seen::default();
    let response = Some(77);
    let batch = || {
        let one = Call {
            response,
            ..call(Llm, 1, 0)
        };
        let tool = Call {
            call: Some(5),
            ..call(Tool, 2, 0)
        };
        vec![candidate(one), candidate(tool), candidate(call(Llm, 0, 9))]
    };
    let (kept, _) = seen.admit(batch(), &[], 0);
    assert_eq!(kept.len(), 3);
    seen.forget();
    let (again, tally) = seen.admit(batch(), &[], 1);
    assert_eq!((again.len(), tally.kept), (3, 3));
    seen.settle();
    assert_eq!(seen.admit(batch(), &[], 2).1.duplicates, 3);
    seen.forget();
    assert_eq!(seen.admit(batch(), &[], 3).1.duplicates, 3, "it is stored");
}

#[test]
fn a_response_id_is_one_call_s_for_ten_minutes() {
    let mut seen = Seen::default();
    let mut type_at = |span, now| {
        let one = Call {
            response: Some(77),
            ..call(Llm, span, 0)
        };
        let (kept, _) = seen.admit(vec![candidate(one)], &[], now);
        seen.settle();
        kept[0].event.event_type.clone()
    };
    assert_eq!(type_at(1, 0), "llm_call");
    assert_eq!(type_at(2, CALL_SECONDS), "span");
    assert_eq!(type_at(3, CALL_SECONDS + 1), "llm_call");
    assert_eq!(type_at(4, 2 * CALL_SECONDS), "span");
}

#[test]
fn a_ring_of_parents_ends() {
    check(
        &[&[
            call(Structure, 1, 2),
            call(Structure, 2, 1),
            call(Llm, 3, 1),
        ]],
        &["span", "span", "llm_call"],
    );
}

#[test]
fn a_span_remembers_only_so_many_tools_below_it() {
    let mut nodes = Nodes::default();
    for number in 0..1000 {
        nodes.tell_above(7, Tool, &format!("tool{number}"));
        nodes.tell_above(7, Tool, "tool0");
    }
    assert_eq!(nodes.held[&7].tools_below.len(), MAX_TOOLS_BELOW);
}

#[test]
fn memory_is_bounded() {
    let mut recent = Recent::new(3);
    for item in 0..10 {
        assert!(recent.insert(item));
    }
    assert_eq!((recent.held.len(), recent.order.len()), (3, 3));
    assert!(!recent.insert(9) && recent.insert(0));
    let mut nodes = Nodes::default();
    for number in 0..u64::try_from(MAX_NODES).expect("fits") + 10 {
        nodes.entry(number + 1);
    }
    assert_eq!(
        (nodes.held.len(), nodes.order.len()),
        (MAX_NODES, MAX_NODES)
    );
}

#[test]
fn of_a_call_that_an_earlier_process_stored_no_other_record_counts() {
    let log = |body| {
        let mut call = call(Llm, 0, body);
        call.response = Some(7);
        call
    };
    let mut seen = Seen::default();
    // The earlier process stored one record of the call, and left the other out.
    seen.stored(&candidate(log(1)).keys, "", None);
    let batch = [log(1), log(2)].map(candidate).to_vec();
    let (kept, tally) = seen.admit(batch, &[], 0);
    assert_eq!((kept.len(), tally.duplicates, tally.merged), (0, 1, 1));
    // It was refused, and is sent again.
    seen.forget();
    let batch = [log(1), log(2)].map(candidate).to_vec();
    assert_eq!(seen.admit(batch, &[], 0).0, []);
}

#[test]
fn what_does_not_say_which_agent_did_it_is_of_the_one_above() {
    let one = |class, span, parent, agent: Option<&str>| {
        let mut candidate = candidate(call(class, span, parent));
        let who = agent.unwrap_or("service");
        candidate.event.set(Column::Agent, Value::from(who));
        candidate.keys.unnamed = agent.is_none();
        candidate
    };
    let mut seen = Seen::default();
    let mut agents = |batch: Vec<Candidate>| -> Vec<String> {
        let (kept, _) = seen.admit(batch, &[], 0);
        let agent = |one: &Candidate| one.event.str(Column::Agent).map(str::to_owned);
        kept.iter().filter_map(agent).collect()
    };
    // The call ends before the run, and another's within it says so itself; whose
    // run is yet to come is not known yet.
    let batch = vec![
        one(Llm, 11, 10, None),
        one(Llm, 4, 3, None),
        one(Structure, 3, 1, None),
        one(Llm, 6, 5, None),
        one(Agent, 5, 1, Some("b")),
        one(Tool, 7, 1, Some("c")),
        one(Agent, 1, 2, Some("a")),
        one(Structure, 2, 0, None),
    ];
    let expected = ["service", "a", "a", "b", "b", "c", "a", "service"];
    assert_eq!(agents(batch), expected);
    // Two were named: which it is is not known; with one it is.
    assert_eq!(agents(vec![one(Llm, 13, 12, None)]), ["service"]);
    let elsewhere = |mut candidate: Candidate| {
        candidate.keys.instance = 1;
        candidate
    };
    assert_eq!(agents(vec![elsewhere(one(Agent, 20, 0, Some("d")))]), ["d"]);
    assert_eq!(agents(vec![elsewhere(one(Llm, 22, 21, None))]), ["d"]);
    // A root of its own is nobody's.
    assert_eq!(agents(vec![elsewhere(one(Llm, 23, 0, None))]), ["service"]);
}
