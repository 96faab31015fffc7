use super::{Ask, Sql};
use crate::answer;
use crate::port::{Answerer, AskError};
use crate::time::UnixNanos;

/// Asks what lies on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Storage;

impl Storage {
    /// Completes an answer that does not know the unsealed log: takes the number
    /// of its lines, and looks for the first and the latest event. Reads the
    /// whole unsealed log.
    ///
    /// # Errors
    /// As [`Answerer::answer`].
    pub fn complete(
        found: &mut answer::Storage,
        log_lines: u64,
        answerer: &dyn Answerer,
    ) -> Result<(), AskError> {
        let edges = Sql {
            query: "select min(timestamp), max(timestamp) from events".to_owned(),
            row_limit: 1,
        };
        let (edges, _) = edges.ask(answerer)?;
        let instant = |at: usize| {
            let text = edges.rows.first()?.get(at)?.as_str()?;
            UnixNanos::parse(text, true).ok()
        };
        found.log_events = Some(log_lines);
        found.earliest = instant(0).or(found.earliest);
        found.latest = instant(1).or(found.latest);
        Ok(())
    }
}
