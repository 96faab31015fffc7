//! The log as a sink that answers when a batch is on the disk.

use tachograph_model::{Event, Sink, SinkError, line};

use crate::append::{AppendError, Appender};
use crate::home::Home;

/// Appends each batch and waits for the disk (`fdatasync`).
#[derive(Debug)]
pub struct DurableLog {
    appender: Appender,
}

impl DurableLog {
    /// Makes a sink; touches no file until the first batch.
    pub fn new(home: &Home) -> Self {
        Self {
            appender: Appender::new(home),
        }
    }
}

impl Sink for DurableLog {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        let mut lines = Vec::with_capacity(events.len() * 256);
        for event in events {
            line::write_event(&mut lines, event);
        }
        self.appender.append(&lines).map_err(failed)?;
        self.appender.sync().map_err(failed)
    }
}

fn failed(error: AppendError) -> SinkError {
    SinkError {
        what: error.to_string(),
        source: Some(Box::new(error)),
    }
}
