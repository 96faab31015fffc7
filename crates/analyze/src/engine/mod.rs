//! The engine: where cells come from, and SQL.

mod bounded;
mod breaks;
mod config;
mod events;
mod export;
mod growth;
mod guard;
mod listing;
mod notes;
mod replay;
mod rollups;
mod rule_values;
mod scan;
mod session;
mod sql;
mod storage;
mod views;
mod watch;
mod work;

pub use config::EngineConfig;
pub use export::read_parquet;
pub use replay::Progress;
pub(crate) use replay::Taker;
pub use sql::Rows;

use tachograph_model::answer::{About, Found, Method, Note, NoteKind, Storage};
use tachograph_model::port::Sealed;
use tachograph_model::question::{Part, Usage};
use tachograph_model::{Answer, Answerer, AskError, Question, Scope, UnixNanos};
use tachograph_stats::RELATIVE_ERROR;
use tachograph_store::{Apart, FoldSpec, Grain, Only, Snapshot, Store};

use crate::cells::Cells;
use crate::question;

/// Answers questions about a home's events.
///
/// Opening costs nothing; each answer takes a snapshot of the store. DataFusion
/// starts only when events are scanned or SQL is asked: a report on an empty
/// home, or from rollups, never sees it.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Store,
    config: EngineConfig,
}

impl Engine {
    /// Opens an engine on a store. Touches nothing on disk.
    pub fn open(store: Store, config: EngineConfig) -> Self {
        Self { store, config }
    }

    /// The store it asks.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The scope of questions that have none.
    fn everything(&self) -> Scope {
        Scope::all(self.config.now.unwrap_or_else(UnixNanos::now))
    }

    fn snapshot(&self) -> Result<Snapshot, AskError> {
        self.store.snapshot().map_err(notes::read_error)
    }

    fn answer_from_cells(&self, question: &Question, scope: &Scope) -> Result<Answer, AskError> {
        let snapshot = self.snapshot()?;
        let gathered = self.gather(&snapshot, scope, &Manner::of(question))?;
        let mut about = About::new(scope);
        about.method = gathered.method;
        about.events = gathered.cells.events();
        if let Method::Sketch { .. } = gathered.method {
            let way_out = match (scope.exact, self.config.exact_most) {
                (true, Some(most)) => format!("exact ones are made of up to {most} events"),
                _ => "--exact insists on exact quantiles".to_owned(),
            };
            about.note(Note::new(
                NoteKind::SketchError,
                format!(
                    "quantiles are from sketches, within {:.1} % of the exact ones; counts, \
                     sums and means are exact ({way_out})",
                    RELATIVE_ERROR * 100.0
                ),
            ));
        }
        let mut found_notes = gathered.notes;
        found_notes.extend(notes::negative(gathered.cells.negative()));
        found_notes.extend(question::losses::note(&gathered.cells));
        let storage = match question {
            Question::Report(_) => storage::of(&self.store, &snapshot)?.0,
            _ => Storage::default(),
        };
        let mut found = question::answer(question, &gathered.cells, storage, &mut found_notes)
            .ok_or(AskError::Mismatch {
                question: question.name(),
            })?;
        if let (Question::Report(asked), Found::Report(report)) = (question, &mut found)
            && asked.part == Part::Health
            && report.usage.is_empty()
        {
            // Whether anything else was recorded: counts are exact without events.
            let all = Usage { scope: *scope }.into();
            let rough = Manner {
                exact_most: 0,
                ..Manner::of(&all)
            };
            let all = self.gather(&snapshot, scope, &rough)?;
            about.events = all.cells.events();
            report.usage = question::usage::answer(&all.cells);
        }
        for note in found_notes {
            about.note(note);
        }
        Ok(Answer { about, found })
    }

    /// Cells of the window: exact up to the limit, sketches beyond.
    fn gather(
        &self,
        snapshot: &Snapshot,
        scope: &Scope,
        manner: &Manner<'_>,
    ) -> Result<Gathered, AskError> {
        let window = scope.window;
        let mut notes = notes::of_store(snapshot.notes());
        let rows = snapshot.estimated_rows(window);
        let may_insist = self.config.exact_most.is_none_or(|most| rows <= most);
        let exact =
            (scope.exact && may_insist) || rows <= manner.exact_most.min(self.config.exact_limit);
        if exact {
            let scanned = scan::exact(snapshot, window, manner.spec(&self.config), &self.config)?;
            notes.extend(scanned.notes);
            return Ok(Gathered {
                cells: scanned.cells,
                method: Method::Exact,
                notes,
            });
        }
        let mut fold = |apart, grain| {
            let spec = manner.spec(&self.config).telling(apart).by(grain);
            let folded = snapshot.cells(window, &spec).map_err(notes::read_error)?;
            for note in notes::of_store(&folded.notes) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            Ok::<_, AskError>(Cells::new(folded.cells, self.config.threads))
        };
        // Rollups are read twice in no time; a log is not.
        let long_log = !snapshot.keeps() && snapshot.log_bytes() > LOG_READ_TWICE;
        let cells = match manner.also_by_agent {
            true if long_log => fold(Apart::Everything, manner.grain)?,
            true => {
                fold(manner.apart, manner.grain)?.with_agents(fold(Apart::Agents, Grain::Window)?)
            }
            false => fold(manner.apart, manner.grain)?,
        };
        Ok(Gathered {
            cells,
            method: Method::Sketch {
                relative_error: RELATIVE_ERROR,
            },
            notes,
        })
    }
}

/// How cells are made for a question.
struct Manner<'a> {
    types: Option<Vec<&'a str>>,
    /// Only series of these texts.
    only: Option<Only>,
    grain: Grain,
    /// Up to so many events exactly, if the settings allow as many.
    exact_most: u64,
    /// What is told apart, where not every event is looked at.
    apart: Apart,
    /// Then agents are asked for beside what else is.
    also_by_agent: bool,
}

/// A log of so many bytes may be read once for agents and once for the rest.
const LOG_READ_TWICE: u64 = 16 << 20;
/// A chart is asked for again and again, and its lines are no thicker than the
/// error of a sketch: from so many events on the rollups do.
const EXACT_CHART: u64 = 100_000;

impl<'a> Manner<'a> {
    fn of(question: &'a Question) -> Self {
        let exact_most = match question {
            Question::Timeline(_) => EXACT_CHART,
            _ => u64::MAX,
        };
        Self {
            types: question::types(question),
            only: question::only(question),
            grain: question::grain(question),
            exact_most,
            apart: question::apart(question),
            also_by_agent: matches!(question, Question::Report(q) if q.part == Part::Whole),
        }
    }

    fn spec(&self, config: &EngineConfig) -> FoldSpec {
        let spec = FoldSpec::new(self.grain).bounded(config.bound);
        let spec = match &self.types {
            Some(types) => spec.of_types(types),
            None => spec,
        };
        match &self.only {
            Some(only) => spec.of_series(only.clone()),
            None => spec,
        }
    }
}

struct Gathered {
    cells: Cells,
    method: Method,
    notes: Vec<Note>,
}

impl Answerer for Engine {
    fn sealed_since(
        &self,
        since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        let sealed = self.store.sealed_since(since, take);
        sealed.map_err(notes::read_error)
    }

    fn rule_values(
        &self,
        asked: &tachograph_model::question::RuleValues,
    ) -> Result<tachograph_model::answer::RuleValues, AskError> {
        Engine::rule_values(self, asked)
    }

    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        match (question, question.scope()) {
            (Question::Sql(question), _) => self.sql(question),
            (Question::SessionList(question), _) => self.session_list(question),
            (Question::Trace(question), _) => self.trace(question),
            (_, Some(scope)) => self.answer_from_cells(question, scope),
            (_, None) => {
                let snapshot = self.snapshot()?;
                let mut about = About::new(&self.everything());
                let (storage, found_notes) = storage::of(&self.store, &snapshot)?;
                for note in found_notes {
                    about.note(note);
                }
                about.events = storage.events().unwrap_or(storage.segment_events);
                Ok(Answer {
                    about,
                    found: Found::Storage(storage.into()),
                })
            }
        }
    }
}
