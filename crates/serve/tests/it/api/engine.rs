//! Answers without an engine: small ones, wrong ones, slow ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tachograph_log::{DurableLog, Home};
use tachograph_model::answer::{
    About, Found, Note, NoteKind, Outcomes, Sql, SqlColumn, Storage, Timeline, Tool, Tools,
};
use tachograph_model::port::Limit;
use tachograph_model::{Answer, Answerer, AskError, Question, Scope, UnixNanos};
use tachograph_serve::Config;

use crate::common::Door;

/// A name that means something to HTML, terminals and spreadsheets.
pub(crate) const HOSTILE: &str = "=cmd|'<script>alert(1)</script>\u{1b}[31m";

#[derive(Default)]
pub(crate) struct Engine {
    /// How many questions were asked.
    pub(crate) asked: AtomicU64,
    /// Questions being answered now, and the most there were.
    pub(crate) now: AtomicUsize,
    pub(crate) most: AtomicUsize,
    /// How long each takes.
    pub(crate) takes: Duration,
    /// Statements at length may end.
    pub(crate) released: AtomicBool,
}

/// So long they take at most.
const PATIENCE: Duration = Duration::from_secs(60);

impl Answerer for Engine {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(self.takes);
        self.now.fetch_sub(1, Ordering::SeqCst);
        let everything = Scope::all(UnixNanos(0));
        let mut about = About::new(question.scope().unwrap_or(&everything));
        about.events = 3;
        about.note(Note::new(NoteKind::LinesSkipped, "one line holds no event"));
        if let Some(picked) = picked(question) {
            about.note(Note::new(NoteKind::LinesSkipped, picked));
        }
        let found = match question {
            Question::Tools(_) => Found::Tools(tools().into()),
            Question::Agents(_) => Found::Agents(Box::default()),
            Question::CachePerformance(_) => Found::CachePerformance(Box::default()),
            Question::Caches(_) => Found::Caches(Box::default()),
            Question::Changes(_) => Found::Changes(Box::default()),
            Question::Discovery(_) => Found::Discovery(Box::default()),
            Question::Errors(_) => {
                return Err(AskError::Read {
                    what: "reading a segment".to_owned(),
                    source: Some("the disk is on fire".into()),
                });
            }
            Question::Losses(_) => Found::Losses(Box::default()),
            Question::Metrics(_) => Found::Metrics(Box::default()),
            Question::Models(_) => Found::Models(Box::default()),
            Question::Queries(_) => Found::Queries(Box::default()),
            Question::Report(_) => Found::Report(Box::default()),
            Question::Sessions(_) => panic!("a defect"),
            Question::Sql(question) => {
                Found::Sql(sql(&question.query, question.row_limit, &self.released)?.into())
            }
            Question::Storage(_) => Found::Storage(Box::new(Storage {
                segments: 2,
                segment_events: 40,
                ..Storage::default()
            })),
            // What was asked, so that it can be seen.
            Question::Timeline(asked) => Found::Timeline(Box::new(Timeline {
                kind: asked.kind.clone(),
                name: asked.name.clone(),
                source: asked.source.clone(),
                bucket_seconds: asked.buckets.into(),
                ..Timeline::default()
            })),
            Question::SessionList(_) => Found::SessionList(Box::default()),
            Question::Trace(_) => Found::Trace(Box::default()),
            Question::TokenSavings(_) => Found::TokenSavings(Box::default()),
            Question::Trends(_) => Found::Trends(Box::default()),
            Question::Usage(_) => Found::Usage(Box::default()),
            _ => {
                return Err(AskError::Mismatch {
                    question: question.name(),
                });
            }
        };
        Ok(Answer { about, found })
    }
}

/// What was asked for by name, so that it can be seen.
fn picked(question: &Question) -> Option<String> {
    let texts = match question {
        Question::Agents(asked) => vec![&asked.name],
        Question::Caches(asked) => vec![&asked.name],
        Question::Models(asked) => vec![&asked.name, &asked.source],
        Question::SessionList(asked) => vec![&asked.agent],
        Question::Tools(asked) => vec![&asked.name],
        _ => return None,
    };
    let any = texts.iter().any(|text| text.is_some());
    any.then(|| json!(texts).to_string())
}

fn tools() -> Tools {
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        calls: Outcomes {
            succeeded: 2,
            failed: 1,
            unknown: 0,
        },
        success_ratio: Some(2.0 / 3.0),
        duration_ms: None,
        errors: Vec::new(),
        first: UnixNanos(0),
        last: UnixNanos(1_000_000_000),
    };
    Tools {
        tools: vec![tool("search"), tool(HOSTILE)],
        calls: Outcomes::default(),
        duration_ms: None,
    }
}

fn sql(query: &str, limit: usize, released: &AtomicBool) -> Result<Sql, AskError> {
    let column = |name: &str, numeric| SqlColumn {
        name: name.to_owned(),
        r#type: "Utf8".to_owned(),
        numeric,
    };
    let rows = match query {
        "select 1" => vec![vec![json!(1), json!(HOSTILE)]],
        "select many" => vec![vec![json!(1), json!("a")]; limit.min(3)],
        query if query.starts_with("select min(timestamp)") => vec![vec![
            json!("2025-11-01T00:00:00+00:00"),
            json!("2025-11-02T00:00:00+00:00"),
        ]],
        query if query.contains("event_type = 'alert'") => vec![vec![
            json!("2025-11-20T12:00:00+00:00"),
            json!("slow"),
            json!("database"),
            json!("warning"),
            json!("firing"),
            json!(120.5),
        ]],
        query if query.starts_with("drop") => {
            return Err(AskError::Forbidden {
                what: "DROP TABLE".to_owned(),
            });
        }
        "select slow" => {
            return Err(AskError::Limit {
                limit: Limit::Time,
                what: "it ran for 30 s".to_owned(),
            });
        }
        "select at length" => {
            let began = Instant::now();
            while !released.load(Ordering::SeqCst) && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
            vec![]
        }
        query => {
            return Err(AskError::Query {
                what: format!("no such thing: {query}"),
            });
        }
    };
    Ok(Sql {
        columns: vec![column("n", true), column("name", false)],
        truncated: query == "select many" && limit < 5,
        rows,
    })
}

/// A door with that engine.
pub(crate) fn door(config: Config, engine: Arc<Engine>) -> Door {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    Door::on(folder, config, Arc::new(DurableLog::new(&home)), engine)
}
