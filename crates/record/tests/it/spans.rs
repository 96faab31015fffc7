//! Spans: parents, within a thread and across threads.

use std::time::Duration;

use serde_json::Value;
use tachograph::Context;

use crate::lab::Lab;

#[test]
fn spans_of_a_thread_nest() {
    let lab = Lab::new();
    let plan = lab.recorder.span("plan");
    let step = lab.recorder.span("step");
    lab.recorder.tool("search").success(Duration::ZERO);
    step.fail("NotFound");
    lab.recorder.tool("fetch").success(Duration::ZERO);
    plan.ok();
    lab.recorder.tool("after").success(Duration::ZERO);

    let spans = lab.of("span");
    let (step, plan) = (&spans[0], &spans[1]);
    assert_eq!(
        (&step["name"], &plan["name"]),
        (&"step".into(), &"plan".into())
    );
    assert_eq!(step["parent_id"], plan["span_id"]);
    assert_eq!(step["trace_id"], plan["trace_id"]);
    assert_eq!(plan.get("parent_id"), None);
    assert_eq!(
        (&step["success"], &step["error_type"]),
        (&false.into(), &"NotFound".into())
    );
    assert_eq!(plan["success"], true);
    let calls = lab.of("tool_call");
    assert_eq!(calls[0]["parent_id"], step["span_id"]);
    assert_eq!(calls[0]["trace_id"], plan["trace_id"]);
    assert_eq!(calls[1]["parent_id"], plan["span_id"]);
    assert_eq!(calls[2].get("parent_id"), None);
}

#[test]
fn other_threads_name_their_parent() {
    let lab = Lab::new();
    let root = lab.recorder.span("root");
    let context = root.context();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            assert_eq!(Context::current(), None);
            let detached = lab.recorder.span_detached("detached", Some(context));
            let inside = detached.context();
            lab.recorder
                .tool("t")
                .within(inside)
                .success(Duration::ZERO);
            lab.recorder.span_within("bound", context).ok();
            drop(detached);
        });
    });
    root.ok();
    let spans = lab.of("span");
    let named = |name: &str| -> &Value {
        spans
            .iter()
            .find(|span| span["name"] == name)
            .expect("is there")
    };
    for name in ["detached", "bound"] {
        assert_eq!(named(name)["parent_id"], named("root")["span_id"]);
        assert_eq!(named(name)["trace_id"], context.trace_id());
    }
    assert_eq!(
        lab.one("tool_call")["parent_id"],
        named("detached")["span_id"]
    );
}

#[test]
fn a_panic_fails_the_span_and_leaves_the_thread_clean() {
    let lab = Lab::new();
    let result = std::panic::catch_unwind(|| {
        let _outer = lab.recorder.span("outer");
        let _inner = lab.recorder.span("inner");
        panic!("on purpose");
    });
    assert!(result.is_err());
    assert_eq!(Context::current(), None);
    for span in lab.of("span") {
        assert_eq!(span["error_type"], "panic");
    }
}

#[test]
fn a_query_is_a_place_too() {
    let lab = Lab::new();
    let query = lab.recorder.query("simple");
    {
        let _within = query.enter();
        lab.recorder.tool("search").success(Duration::ZERO);
        lab.recorder.span("step").ok();
    }
    let id = query.id();
    query.finish_ok(0);
    assert_eq!(lab.one("tool_call")["parent_id"], id);
    assert_eq!(lab.one("span")["parent_id"], id);
    assert_eq!(lab.one("span")["trace_id"], id);
}
