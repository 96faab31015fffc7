//! Timers and closures: whatever way a call ends, it is recorded once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::{Value, json};
use tachograph::Tool;

use crate::lab::Lab;

/// Runs `work` with a tool, and returns what came of it: success and error.
fn outcome(work: impl FnOnce(&Tool)) -> Vec<(Value, Value)> {
    let lab = Lab::new();
    let tool = lab.recorder.tool("t");
    let _ = catch_unwind(AssertUnwindSafe(|| work(&tool)));
    let calls = lab.of("tool_call");
    calls
        .iter()
        .map(|call| (call["success"].clone(), call["error_type"].clone()))
        .collect()
}

fn ok() -> Vec<(Value, Value)> {
    vec![(json!(true), Value::Null)]
}

fn failed(error: &str) -> Vec<(Value, Value)> {
    vec![(json!(false), json!(error))]
}

#[test]
fn a_verdict_counts_once() {
    assert_eq!(outcome(|tool| tool.start().ok()), ok());
    assert_eq!(outcome(|tool| tool.start().fail("E")), failed("E"));
    assert_eq!(outcome(|tool| tool.start().discard()), []);
}

#[test]
fn dropping_is_success_and_panicking_is_not() {
    assert_eq!(outcome(|tool| drop(tool.start())), ok());
    assert_eq!(
        outcome(|tool| {
            let _timer = tool.start();
            panic!("on purpose");
        }),
        failed("panic")
    );
    assert_eq!(
        outcome(|tool| tool.time(|| panic!("on purpose"))),
        failed("panic")
    );
}

/// A call made by a destructor while the thread unwinds did not itself panic.
#[test]
fn a_call_within_unwinding_is_judged_by_itself() {
    struct CleansUp<'a>(&'a Tool);
    impl Drop for CleansUp<'_> {
        fn drop(&mut self) {
            drop(self.0.start());
        }
    }
    assert_eq!(
        outcome(|tool| {
            let _cleans = CleansUp(tool);
            panic!("on purpose");
        }),
        ok()
    );
}

#[test]
fn an_error_is_called_after_its_type_and_never_its_message() {
    #[derive(Debug)]
    struct SecretError(#[expect(dead_code, reason = "must not be looked at")] &'static str);
    let lab = Lab::new();
    let tool = lab.recorder.tool("t");
    let result: Result<(), _> = tool.try_time(|| Err(SecretError("password 123")));
    assert!(result.is_err());
    let call = lab.one("tool_call");
    assert_eq!(call["error_type"], "SecretError");
    assert!(!call.to_string().contains("password"));
}

#[test]
fn durations_are_measured() {
    let lab = Lab::new();
    let timer = lab.recorder.tool("t").into_timer();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        assert!(timer.elapsed() >= Duration::from_millis(20));
        timer.ok();
    });
    other.join().expect("no panic");
    let took = lab.one("tool_call")["duration_ms"]
        .as_f64()
        .expect("a number");
    assert!((20.0..5_000.0).contains(&took), "{took}");
}
