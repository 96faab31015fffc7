//! Which of a file's events the home holds already, however they came there:
//! an export that is taken in where it came from adds nothing.

use std::collections::HashMap;
use std::path::Path;

use tachograph_log::Home;
use tachograph_model::{Event, UnixNanos, Window};
use tachograph_store::Store;

use super::ledger::content;
use super::read::{self, Body};
use crate::exit::Result;

/// How many events of each content there are.
pub type Present = HashMap<u64, u32>;

/// Counts the home's events in the stretch of time that the events of `path`
/// cover. Reads the file once more than it is read anyway, unless the home is
/// empty.
///
/// # Errors
/// When the home cannot be read.
pub fn present(path: &Path, home: &Home) -> Result<Present> {
    let mut found = Present::new();
    if !home.root().is_dir() {
        return Ok(found);
    }
    let snapshot = Store::open(home).snapshot()?;
    if snapshot.estimated_rows(Window::ALL) == 0 {
        return Ok(found);
    }
    let Some(window) = window(path) else {
        return Ok(found);
    };
    for event in snapshot.events(window)? {
        *found.entry(content(&event)).or_default() += 1;
    }
    Ok(found)
}

/// The stretch of time of a file's events; none where it holds none of ours.
fn window(path: &Path) -> Option<Window> {
    // What can be read only once is held against everything.
    if !path.is_file() {
        return Some(Window::ALL);
    }
    let mut edges: Option<(UnixNanos, UnixNanos)> = None;
    let read = read::records(path, &mut |record| {
        let line = match &record.body {
            Body::Line(line) => line,
            Body::Event(line) => line.as_slice(),
            Body::Object(_) | Body::Selection(_) => return Ok(()),
        };
        if let Ok(event) = Event::from_line(line) {
            let (from, to) = edges.unwrap_or((event.time, event.time));
            edges = Some((from.min(event.time), to.max(event.time)));
        }
        Ok(())
    });
    // What is wrong with the file is told when it is taken in.
    drop(read);
    let (from, to) = edges?;
    let to = to.saturating_add(std::time::Duration::from_nanos(1));
    Some(Window { from, to })
}
