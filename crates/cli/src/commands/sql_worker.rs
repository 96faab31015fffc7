//! `tacho sql-worker`: one query in SQL, in a process of its own, for the
//! server. What a query does inside one call of a function, or while it is
//! planned, can be limited in no other way: the process can be ended at any
//! moment, and the operating system gives it no more memory than it may have,
//! and no file to write.
//!
//! ```text
//! server: start/asker.rs ─ Order (JSON on stdin) ─► worker ─ Reply (JSON on stdout) ─► server
//! ```

use std::io::Read as _;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tachograph_analyze::{Engine, EngineConfig};
use tachograph_log::Home;
use tachograph_model::answer::{Note, NoteKind, Sql};
use tachograph_model::{Ask, AskError, Limit, question};
use tachograph_store::Store;

use crate::exit::{Exit, Result};
use crate::out;

/// What the process itself takes beside what the query may: code, stacks, what
/// reading Parquet holds.
#[cfg(unix)]
const OWN_BYTES: u64 = 512 << 20;

/// The variable that says whose home is asked about: a path need not be text, as
/// JSON must.
pub const HOME: &str = "TACHOGRAPH_HOME";

/// What is asked, and what it may take.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    pub query: String,
    pub row_limit: usize,
    pub threads: usize,
    pub time: Option<Duration>,
    pub memory_bytes: usize,
    pub result_bytes: Option<usize>,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Found {
        found: Sql,
        notes: Vec<(NoteKind, String)>,
    },
    Forbidden(String),
    Query(String),
    Read(String),
    Limit(Limit, String),
}

/// Runs the command.
///
/// # Errors
/// When it is not called as the server does.
pub fn run() -> Result<Exit> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let order: Order = serde_json::from_str(&text)?;
    bounds::set(&order)?;
    let home = std::env::var_os(HOME).context("no home is named")?;
    let store = Store::open_readonly(&Home::at(home));
    let config = EngineConfig {
        threads: order.threads,
        sql_time: order.time,
        sql_memory_bytes: order.memory_bytes,
        sql_result_bytes: order.result_bytes,
        ..EngineConfig::default()
    };
    let question = question::Sql {
        query: order.query,
        row_limit: order.row_limit,
    };
    let reply = match question.ask(&Engine::open(store, config)) {
        Ok((found, about)) => Reply::Found {
            found,
            notes: about.notes.into_iter().map(plain).collect(),
        },
        Err(error) => Reply::from(error),
    };
    out::print_data(&serde_json::to_string(&reply)?)?;
    // Threads that are not done yet end with the process.
    Ok(Exit::Ok)
}

fn plain(note: Note) -> (NoteKind, String) {
    (note.kind, note.text)
}

impl From<AskError> for Reply {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Forbidden { what } => Self::Forbidden(what),
            AskError::Query { what } => Self::Query(what),
            AskError::Limit { limit, what } => Self::Limit(limit, what),
            AskError::Read { what, .. } => Self::Read(what),
            other => Self::Read(other.to_string()),
        }
    }
}

#[cfg(unix)]
mod bounds {
    use std::io;

    use rustix::process::{Resource, Rlimit, setrlimit};

    use super::{OWN_BYTES, Order};

    /// What the operating system holds the process to.
    pub(super) fn set(order: &Order) -> io::Result<()> {
        let most = |resource, most: u64| {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            setrlimit(resource, limit).map_err(io::Error::from)
        };
        // Questions and what comes in go first; not allowed is no reason not to work.
        let _ = rustix::process::setpriority_process(None, 5);
        // Whoever asked is gone: nobody reads the answer.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        most(
            Resource::Data,
            OWN_BYTES.saturating_add(order.memory_bytes as u64),
        )?;
        most(Resource::Core, 0)?;
        // Not a byte to any file; a pipe is none.
        most(Resource::Fsize, 0)?;
        if let Some(time) = order.time {
            let seconds = (time.as_secs() + 2).saturating_mul(order.threads as u64 + 1);
            most(Resource::Cpu, seconds)?;
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod bounds {
    pub(super) fn set(_order: &super::Order) -> std::io::Result<()> {
        Ok(())
    }
}
