//! The attribute macros, on every shape of function, through the program's
//! recorder (one for this whole test binary, so names tell tests apart).

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use crate::lab::Lab;

/// The program's recorder and its log.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::new();
        let guard = tachograph::set_global(lab.recorder.clone()).expect("the first");
        assert!(guard.is_enabled() && tachograph::global().is_enabled());
        assert!(tachograph::set_global(lab.recorder.clone()).is_err());
        lab
    })
}

fn of(kind: &str, key: &str, name: &str) -> Vec<Value> {
    let mut events = lab().of(kind);
    events.retain(|event| event[key] == name);
    events
}

/// Success and error of each call of a tool.
fn calls(tool: &str) -> Vec<(Value, Value)> {
    of("tool_call", "tool", tool)
        .iter()
        .map(|call| (call["success"].clone(), call["error_type"].clone()))
        .collect()
}

fn ok() -> (Value, Value) {
    (json!(true), Value::Null)
}

fn failed(error: &str) -> (Value, Value) {
    (json!(false), json!(error))
}

/// Polls until it is done; nothing here waits for anything but itself.
fn block_on<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    let mut waker = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut waker) {
            return done;
        }
    }
}

/// Pending once.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

#[derive(Debug, PartialEq)]
struct TooShort;

impl From<std::num::ParseIntError> for TooShort {
    fn from(_: std::num::ParseIntError) -> Self {
        Self
    }
}

#[tachograph::tool]
fn plain_function(text: &str) -> usize {
    if text.is_empty() {
        return 0;
    }
    text.len()
}

#[tachograph::tool(name = "attr.named")]
fn fallible(mut text: String, least: usize) -> Result<usize, TooShort> {
    text.push('!');
    let number: usize = text.trim_end_matches('!').parse()?;
    if number < least {
        return Err(TooShort);
    }
    Ok(number)
}

#[tachograph::tool(name = "attr.generic")]
fn generic<'a, T, I>(items: I) -> std::io::Result<Option<&'a T>>
where
    T: Ord + 'a,
    I: IntoIterator<Item = &'a T>,
{
    Ok(items.into_iter().max())
}

#[tachograph::tool(name = "attr.impl")]
fn returns_impl(n: u32) -> impl Iterator<Item = u32> {
    (0..n).map(|n| n * 2)
}

#[tachograph::tool(name = "attr.panics")]
fn panics() {
    panic!("on purpose");
}

#[tachograph::tool(name = "attr.async")]
async fn asynchronous(text: &str) -> Result<u8, TooShort> {
    Yield::default().await;
    let number = text.parse::<u8>()?;
    Yield::default().await;
    Ok(number)
}

#[tachograph::tool(name = "attr.async_plain")]
async fn asynchronous_plain() -> u8 {
    Yield::default().await;
    7
}

struct Shelf {
    books: Vec<String>,
}

impl Shelf {
    #[tachograph::tool(name = "attr.method")]
    fn add(&mut self, title: &str) -> Result<&str, TooShort> {
        if title.is_empty() {
            return Err(TooShort);
        }
        self.books.push(title.to_owned());
        self.books.last().map(String::as_str).ok_or(TooShort)
    }

    #[tachograph::tool(name = "attr.async_method")]
    async fn count(&self) -> Result<usize, TooShort> {
        Yield::default().await;
        Ok(self.books.len())
    }
}

#[tachograph::instrument]
fn attr_outer() -> usize {
    attr_inner().unwrap_or(0)
}

#[tachograph::instrument(name = "attr_inner")]
fn attr_inner() -> Result<usize, TooShort> {
    Err(TooShort)
}

#[tachograph::instrument]
async fn attr_async_outer() -> usize {
    Yield::default().await;
    let found = attr_async_inner().await;
    Yield::default().await;
    found.unwrap_or(1)
}

#[tachograph::instrument]
async fn attr_async_inner() -> Result<usize, TooShort> {
    Yield::default().await;
    Ok(3)
}

#[test]
fn plain_functions() {
    lab();
    assert_eq!((plain_function("four"), plain_function("")), (4, 0));
    assert_eq!(calls("plain_function"), [ok(), ok()]);
}

#[test]
fn results_early_returns_and_question_marks() {
    lab();
    assert_eq!(fallible("7".into(), 1), Ok(7));
    assert_eq!(fallible("0".into(), 1), Err(TooShort));
    assert_eq!(fallible("x".into(), 1), Err(TooShort));
    assert_eq!(
        calls("attr.named"),
        [ok(), failed("TooShort"), failed("TooShort")]
    );
}

#[test]
fn generics_methods_and_impl_trait() {
    lab();
    assert_eq!(generic(&[3, 9, 4]).expect("fine"), Some(&9));
    assert_eq!(generic(&["b", "a"]).expect("fine"), Some(&"b"));
    assert_eq!(calls("attr.generic"), [ok(), ok()]);
    assert_eq!(returns_impl(3).collect::<Vec<_>>(), [0, 2, 4]);
    assert_eq!(calls("attr.impl"), [ok()]);
    let mut shelf = Shelf { books: Vec::new() };
    assert_eq!(shelf.add("Emma"), Ok("Emma"));
    assert_eq!(shelf.add(""), Err(TooShort));
    assert_eq!(calls("attr.method"), [ok(), failed("TooShort")]);
    assert_eq!(block_on(shelf.count()), Ok(1));
    assert_eq!(calls("attr.async_method"), [ok()]);
}

#[test]
fn panics_are_failures() {
    lab();
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(calls("attr.panics"), [failed("panic")]);
}

#[test]
fn async_functions() {
    lab();
    assert_eq!(block_on(asynchronous("7")), Ok(7));
    assert_eq!(block_on(asynchronous("seven")), Err(TooShort));
    // Never polled: it never began.
    drop(asynchronous("8"));
    // Polled once, then dropped.
    let mut waker = Context::from_waker(Waker::noop());
    let mut begun = Box::pin(asynchronous("9"));
    assert!(begun.as_mut().poll(&mut waker).is_pending());
    drop(begun);
    assert_eq!(
        calls("attr.async"),
        [ok(), failed("TooShort"), failed("cancelled")]
    );
    assert_eq!(block_on(asynchronous_plain()), 7);
    assert_eq!(calls("attr.async_plain"), [ok()]);
}

#[test]
fn instrumented_functions_are_spans_with_parents() {
    lab();
    assert_eq!(attr_outer(), 0);
    let outer = &of("span", "name", "attr_outer")[0];
    let inner = &of("span", "name", "attr_inner")[0];
    assert_eq!(inner["parent_id"], outer["span_id"]);
    assert_eq!(
        (&inner["error_type"], &outer["success"]),
        (&json!("TooShort"), &json!(true))
    );
}

/// Two tasks that take turns on one thread: each keeps its own parents.
#[test]
fn async_spans_keep_their_parents_across_awaits() {
    lab();
    let (mut one, mut two) = (pin!(attr_async_outer()), pin!(attr_async_outer()));
    let mut waker = Context::from_waker(Waker::noop());
    let (mut first, mut second) = (None, None);
    while first.is_none() || second.is_none() {
        if first.is_none()
            && let Poll::Ready(done) = one.as_mut().poll(&mut waker)
        {
            first = Some(done);
        }
        if second.is_none()
            && let Poll::Ready(done) = two.as_mut().poll(&mut waker)
        {
            second = Some(done);
        }
        assert_eq!(tachograph::Context::current(), None, "between polls");
    }
    assert_eq!((first, second), (Some(3), Some(3)));
    let outer = of("span", "name", "attr_async_outer");
    let inner = of("span", "name", "attr_async_inner");
    assert_eq!((outer.len(), inner.len()), (2, 2));
    for span in &outer {
        let children = inner
            .iter()
            .filter(|child| child["parent_id"] == span["span_id"]);
        assert_eq!(children.count(), 1);
    }
}
