//! Who answers for the server: the engine, and for SQL a process of its own for
//! each query ([`crate::commands::sql_worker`]), so that no statement, whatever
//! it does, takes the server's memory or outlives its time. How many run at once
//! is the desks' to say (`serve/src/api/mod.rs`).

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tachograph_analyze::{Engine, EngineConfig};
use tachograph_model::answer::{About, Found, Note, RuleValues};
use tachograph_model::port::Sealed;
use tachograph_model::{Answer, Answerer, AskError, Limit, Question, Scope, UnixNanos, question};

use crate::commands::sql_worker::{HOME, Order, Reply};

/// Defaults of the server, where the settings say nothing.
pub const TIME: Duration = Duration::from_secs(30);
pub const MEMORY_BYTES: usize = 512 << 20;
pub const RESULT_BYTES: usize = 64 << 20;

/// How much longer than the query may run its process is waited for: it ends
/// the query itself and says so, unless it cannot.
const GRACE: Duration = Duration::from_millis(500);
/// Bytes of what a worker says of its own end.
const LAST_WORDS: u64 = 64 << 10;

/// Answers questions for the server.
pub struct Asker {
    engine: Engine,
    home: PathBuf,
    config: EngineConfig,
}

impl Asker {
    pub fn new(engine: Engine, home: PathBuf, config: EngineConfig) -> Self {
        Self {
            engine,
            home,
            config,
        }
    }

    fn sql(&self, question: &question::Sql) -> Result<Answer, AskError> {
        let order = Order {
            query: question.query.clone(),
            row_limit: question.row_limit,
            threads: self.config.threads,
            time: self.config.sql_time,
            memory_bytes: self.config.sql_memory_bytes,
            result_bytes: self.config.sql_result_bytes,
        };
        match self.work(&order)? {
            Reply::Found { found, notes } => {
                let mut about = About::new(&Scope::all(UnixNanos::now()));
                for (kind, text) in notes {
                    about.note(Note::new(kind, text));
                }
                let found = Found::Sql(found.into());
                Ok(Answer { about, found })
            }
            Reply::Forbidden(what) => Err(AskError::Forbidden { what }),
            Reply::Query(what) => Err(AskError::Query { what }),
            Reply::Limit(limit, what) => Err(AskError::Limit { limit, what }),
            Reply::Read(what) => Err(AskError::Read { what, source: None }),
        }
    }

    fn work(&self, order: &Order) -> Result<Reply, AskError> {
        let mut worker = Worker(
            Command::new(ourselves())
                .arg("sql-worker")
                .env(HOME, &self.home)
                // Memory that is only set aside would count as taken: the
                // operating system holds the process to what it may have.
                .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(|error| read("starting a process for the query", error))?,
        );
        let (said, last_words) = (worker.0.stdout.take(), worker.0.stderr.take());
        if let Some(mut stdin) = worker.0.stdin.take() {
            // A worker that is gone already says why below.
            let _ = stdin.write_all(&serde_json::to_vec(order).unwrap_or_default());
        }
        let (done, answered) = channel();
        thread::spawn(move || {
            let mut text = Vec::new();
            let read = said.map_or(Ok(0), |mut said| said.read_to_end(&mut text));
            let mut words = String::new();
            if let Some(last) = last_words {
                // What it says last only explains; it need not be whole.
                let _ = last.take(LAST_WORDS).read_to_string(&mut words);
            }
            let _ = done.send((read.map(|_| text), words));
        });
        let answer = match order.time {
            Some(time) => answered.recv_timeout(time + GRACE),
            None => answered.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let (text, words) = match answer {
            Ok(answer) => answer,
            Err(_) => return Err(self.too_long()),
        };
        let text = text.map_err(|error| read("hearing the query's process", error))?;
        if let Ok(reply) = serde_json::from_slice(&text) {
            return Ok(reply);
        }
        let status = worker
            .0
            .wait()
            .map_err(|error| read("waiting for the query's process", error))?;
        Err(self.why(status, &words))
    }

    fn too_long(&self) -> AskError {
        let seconds = self.config.sql_time.unwrap_or_default().as_secs_f64();
        AskError::Limit {
            limit: Limit::Time,
            what: format!("it ran longer than the {seconds} s it may"),
        }
    }

    /// What a worker died of that did not come to say it.
    fn why(&self, status: ExitStatus, words: &str) -> AskError {
        if words.contains("memory allocation of") || words.contains("cannot allocate memory") {
            return AskError::Limit {
                limit: Limit::Memory,
                what: format!(
                    "it needs more than the {} bytes of memory it may use",
                    self.config.sql_memory_bytes
                ),
            };
        }
        if words.contains("overflowed its stack") {
            return AskError::Query {
                what: "it is nested too deeply".to_owned(),
            };
        }
        if signals::is_cpu_limit(status) {
            return self.too_long();
        }
        AskError::Query {
            what: format!("the engine broke down over it ({status})"),
        }
    }
}

impl Answerer for Asker {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        match question {
            Question::Sql(question) => self.sql(question),
            other => self.engine.answer(other),
        }
    }

    fn sealed_since(
        &self,
        since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        self.engine.sealed_since(since, take)
    }

    fn rule_values(&self, asked: &question::RuleValues) -> Result<RuleValues, AskError> {
        self.engine.rule_values(asked)
    }
}

/// A process that is ended, and taken leave of, however its query ends.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nobody to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program that runs, also when its file has been replaced since.
fn ourselves() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tacho"))
}

fn read(what: &str, error: std::io::Error) -> AskError {
    AskError::Read {
        what: what.to_owned(),
        source: Some(Box::new(error)),
    }
}

#[cfg(unix)]
mod signals {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    pub(super) fn is_cpu_limit(status: ExitStatus) -> bool {
        status.signal() == Some(signal_hook::consts::SIGXCPU)
    }
}

#[cfg(not(unix))]
mod signals {
    pub(super) fn is_cpu_limit(_: std::process::ExitStatus) -> bool {
        false
    }
}
