//! What can be asked over HTTP: one entry for every question of the model, and
//! for the two pages that the command line makes of a report. The routes, the
//! list at `/api/v1` and the OpenAPI document are made from this table.

use std::sync::LazyLock;

use serde_json::Value;
use tachograph_model::answer::{About, Found, MOST_ROWS, ROWS, Report};
use tachograph_model::question::asked::{
    CHANGES_DAYS, MOST_DAYS, MOST_HOURS, REPORT_DAYS, instant,
};
use tachograph_model::question::{
    Asked, AskedError, Part, Scope, SessionList, Timeline, Trace, With,
};
use tachograph_model::render::report::{self, Section, Selection};
use tachograph_model::render::{
    Style, changes, health, queries, session_list, stats, storage, timeline, trace, trends,
};
use tachograph_model::{Answer, NoteKind, Question, UnixNanos};

use super::form::{FORMS, Form};
use super::params::{Param, Params, Takes};
use super::problem::{Kind, Problem};
use crate::config::Asking;

/// One thing that can be asked.
pub struct View {
    /// Its name in the path.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// The command that prints the same, where there is one.
    pub command: Option<String>,
    /// What it takes.
    pub params: Vec<Param>,
    /// Days it is about unless told otherwise; `None`: all there are.
    pub days: Option<u32>,
    /// The forms it comes in.
    pub forms: &'static [Form],
}

/// Everything that can be asked but SQL, which takes a statement and has a
/// handler of its own.
pub static VIEWS: LazyLock<Vec<View>> = LazyLock::new(|| {
    let questions = Question::NAMES.iter().zip(Question::DOCS);
    let questions = questions
        .filter(|(name, _)| **name != "sql")
        .map(|(name, doc)| View::new(name, doc));
    questions
        .chain(PAGES.map(|(name, doc)| View::new(name, doc)))
        .collect()
});

/// What the command line makes of a report, beside the report itself.
const PAGES: [(&str, &str); 2] = [
    ("health", "Whether the targets are met."),
    ("stats", "Every figure of every section."),
];

/// When a window may lie, and how it is counted.
const COUNTED: [Param; 6] = [
    Param {
        name: "days",
        doc: "The last N days. Without a window: the question's own default.",
        takes: Takes::Whole(1, MOST_DAYS as u64),
    },
    Param {
        name: "hours",
        doc: "The last N hours; not together with `days`.",
        takes: Takes::Whole(1, MOST_HOURS as u64),
    },
    Param {
        name: "since",
        doc: "From this instant or date on, UTC unless it says otherwise; not together with \
              `days` or `hours`.",
        takes: Takes::Instant,
    },
    Param {
        name: "until",
        doc: "Before this instant or date.",
        takes: Takes::Instant,
    },
    Param {
        name: "as_of",
        doc: "Answer as of this instant instead of now.",
        takes: Takes::Instant,
    },
    Param {
        name: "exact",
        doc: "Count every event: no sketches, however many events there are.",
        takes: Takes::Flag,
    },
];

/// The form, of every question.
pub const FORMAT: Param = Param {
    name: "format",
    doc: "Form of the answer; counts before `Accept`.",
    takes: Takes::OneOf(&["json", "csv", "markdown", "text"]),
};

/// Rows, of every question that lists some.
pub const LIMIT: Param = Param {
    name: "limit",
    doc: "At most so many rows in each list, 1000 unless told otherwise: those that count most. \
          Notes say how many more there are, and so does the header \
          `Tachograph-Truncated: true`. As text all are counted.",
    takes: Takes::Whole(1, MOST_ROWS as u64),
};

const SECTION: Param = Param {
    name: "section",
    doc: "Only these sections; `all`: everything there is data for.",
    takes: Takes::SomeOf(&[
        "all",
        "discovery",
        "token_savings",
        "cache_performance",
        "trends",
        "queries",
        "tools",
        "caches",
        "models",
        "sessions",
        "agents",
        "errors",
        "usage",
        "metrics",
        "losses",
        "storage",
    ]),
};

const AGENT: Param = Param {
    name: "agent",
    doc: "Only queries answered by this type of agent (as JSON or text); `all`: every type.",
    takes: Takes::Text(256),
};

/// Which events a timeline is of.
const OF_TIMELINE: [Param; 4] = [
    Param {
        name: "kind",
        doc: "Only events of this type, such as tool_call or llm_call. Without it: all, and then \
              no means and quantiles, which say nothing over different types.",
        takes: Takes::Name(MOST_NAME),
    },
    Param {
        name: "name",
        doc: "Only events of this name: a tool, a model, a cache, a metric; `unknown`: those \
              without one.",
        takes: Takes::Name(MOST_NAME),
    },
    Param {
        name: "source",
        doc: "Only events of this source: a provider, a component; `unknown`: those without one.",
        takes: Takes::Name(MOST_NAME),
    },
    Param {
        name: "buckets",
        doc: "At most so many stretches of time, 120 unless told otherwise. Their length is one \
              that people think in, and they begin at whole multiples of it in UTC.",
        takes: Takes::Whole(1, Timeline::MOST as u64),
    },
];

/// One of what a question lists.
const ONE: Param = Param {
    name: "name",
    doc: "Only the one of exactly this name, however many there are; `unknown`: what names none.",
    takes: Takes::Name(MOST_NAME),
};

const ONE_AGENT: Param = Param {
    name: "name",
    doc: "Only the agent that is stored as exactly this, however many there are.",
    takes: Takes::Name(MOST_NAME),
};

/// And one provider's.
const PROVIDER: Param = Param {
    name: "source",
    doc: "Only models of exactly this provider; `unknown`: calls that name none.",
    takes: Takes::Name(MOST_NAME),
};

/// Sessions that are listed.
const SESSIONS: [Param; 2] = [
    Param {
        name: "limit",
        doc: "At most so many sessions, the latest: 100 unless told otherwise.",
        takes: Takes::Whole(1, MOST_ROWS as u64),
    },
    Param {
        name: "agent",
        doc: "Only sessions in which this agent did something within the window, by the hash it \
              is stored under; alone or with others.",
        takes: Takes::Name(MOST_NAME),
    },
];

/// Which session or trace.
const OF_TRACE: [Param; 3] = [
    Param {
        name: "session",
        doc: "Events of this session, by the id it is stored under. Without it and `trace`: of \
              the session that an event was recorded of last.",
        takes: Takes::Name(MOST_NAME),
    },
    Param {
        name: "trace",
        doc: "Events of this trace, by the id it is stored under.",
        takes: Takes::Name(MOST_NAME),
    },
    Param {
        name: "limit",
        doc: "At most so many events, the first: 2000 unless told otherwise.",
        takes: Takes::Whole(1, MOST_ROWS as u64),
    },
];

/// Characters of a name that is asked for. What came through a door is shorter;
/// what others write to the log need not be.
const MOST_NAME: usize = 16 << 10;

impl View {
    fn new(name: &'static str, doc: &'static str) -> Self {
        let section = Section::by_name(name);
        let command = match name {
            "report" | "health" | "stats" | "trends" | "changes" | "timeline" => {
                Some(format!("tacho {name} --json"))
            }
            "storage" => Some("tacho stats --storage --json".to_owned()),
            "session_list" | "trace" => None,
            _ => Some(format!("tacho report --section {name} --json")),
        };
        let mut params = vec![FORMAT];
        if name != "storage" {
            params.extend(COUNTED);
        }
        if !matches!(
            name,
            "storage" | "health" | "trends" | "timeline" | "session_list" | "trace"
        ) {
            params.push(LIMIT);
        }
        params.extend(match name {
            "report" => Some(SECTION),
            "stats" => Some(AGENT),
            _ => None,
        });
        match name {
            "timeline" => params.extend(OF_TIMELINE),
            "agents" => params.push(ONE_AGENT),
            "caches" | "tools" => params.push(ONE),
            "models" => params.extend([ONE, PROVIDER]),
            "session_list" => params.extend(SESSIONS),
            "trace" => params.extend(OF_TRACE),
            _ => {}
        }
        Self {
            name,
            doc,
            command,
            params,
            days: match name {
                "stats" | "trace" => None,
                "changes" => Some(CHANGES_DAYS),
                _ => Some(REPORT_DAYS),
            },
            forms: match name {
                "health" => &[Form::Json, Form::Text],
                "report" | "stats" | "changes" | "timeline" | "session_list" | "trace" => FORMS,
                _ if section.is_some() => FORMS,
                // A question that has no other form yet.
                _ => &[Form::Json],
            },
        }
    }

    /// What is to be asked; `now` is the present.
    ///
    /// # Errors
    /// A problem when the window cannot be.
    pub fn question(
        &self,
        params: &Params,
        asking: &Asking,
        now: UnixNanos,
    ) -> Result<Question, Problem> {
        let with = With {
            scope: self.scope(params, now)?,
            baseline: (asking.baseline)(),
            limits: asking.limits,
        };
        let name = match self.name {
            "stats" if one_agent(params).is_some() => "queries",
            "health" | "stats" | "trends" => "report",
            name => name,
        };
        // Every name in the table is one of a question, or stands above.
        let mut question = Question::named(name, &with)
            .ok_or_else(|| Problem::new(Kind::Internal, format!("nothing asks for {name:?}")))?;
        let text = |name| params.text(name).map(str::to_owned);
        let number = |name, default| {
            let number = params.whole(name);
            number
                .and_then(|number| number.try_into().ok())
                .unwrap_or(default)
        };
        match &mut question {
            Question::Report(report) => {
                report.part = match self.name {
                    "health" => Part::Health,
                    "trends" => Part::Trends,
                    _ => Part::Whole,
                }
            }
            Question::Timeline(timeline) => {
                timeline.kind = text("kind");
                timeline.name = text("name");
                timeline.source = text("source");
                timeline.buckets = number("buckets", Timeline::BUCKETS);
            }
            Question::Agents(agents) => agents.name = text("name"),
            Question::Caches(caches) => caches.name = text("name"),
            Question::Models(models) => {
                models.name = text("name");
                models.source = text("source");
            }
            Question::Tools(tools) => tools.name = text("name"),
            Question::SessionList(list) => {
                list.limit = number("limit", SessionList::LIMIT);
                list.agent = text("agent");
            }
            Question::Trace(trace) => {
                trace.session = text("session");
                trace.trace = text("trace");
                trace.limit = number("limit", Trace::LIMIT);
            }
            _ => {}
        }
        Ok(question)
    }

    fn scope(&self, params: &Params, now: UnixNanos) -> Result<Scope, Problem> {
        let now = match params.text("as_of") {
            Some(text) => instant("as_of", text).map_err(|error| wrong(&error))?,
            None => now,
        };
        let number = |name| {
            params
                .whole(name)
                .and_then(|number| u32::try_from(number).ok())
        };
        let asked = Asked {
            days: number("days"),
            hours: number("hours"),
            since: params.text("since"),
            until: params.text("until"),
        };
        let mut scope = asked.scope(now, self.days).map_err(|error| wrong(&error))?;
        scope.exact = params.flag("exact");
        Ok(scope)
    }

    /// Leaves as many rows as were asked for; whether that is fewer than there
    /// are.
    pub fn limit(answer: &mut Answer, form: Form, params: &Params) -> bool {
        if form == Form::Text {
            // It says itself how many more there are.
            return false;
        }
        let rows = params
            .whole(LIMIT.name)
            .and_then(|rows| rows.try_into().ok());
        answer.limit(rows.unwrap_or(ROWS));
        let mut notes = answer.about.notes.iter();
        notes.any(|note| note.kind == NoteKind::RowLimit)
    }

    /// The answer in a form.
    ///
    /// # Errors
    /// A problem when the answer is of another question, or has no such form.
    pub fn render(
        &self,
        answer: Answer,
        form: Form,
        params: &Params,
        page: &Page,
    ) -> Result<String, Problem> {
        let Answer { about, found } = answer;
        let style = Style::PLAIN;
        match (self.name, found) {
            ("changes", Found::Changes(found)) => Ok(match form {
                Form::Csv => changes::page_csv(&found),
                Form::Markdown => changes::page_markdown(&found),
                Form::Text => changes::page(&found, &about, style),
                _ => pretty(&changes::json(&found, &about)),
            }),
            ("timeline", Found::Timeline(found)) => Ok(match form {
                Form::Csv => timeline::page_csv(&found),
                Form::Markdown => timeline::page_markdown(&found, &about),
                Form::Text => timeline::page(&found, &about, style),
                _ => pretty(&timeline::json(&found, &about)),
            }),
            ("session_list", Found::SessionList(found)) => Ok(match form {
                Form::Csv => session_list::page_csv(&found),
                Form::Markdown => session_list::page_markdown(&found, &about),
                Form::Text => session_list::page(&found, &about, style),
                _ => pretty(&session_list::json(&found, &about)),
            }),
            ("trace", Found::Trace(found)) => Ok(match form {
                Form::Csv => trace::page_csv(&found),
                Form::Markdown => trace::page_markdown(&found, &about),
                Form::Text => trace::page(&found, &about, style),
                _ => pretty(&trace::json(&found, &about)),
            }),
            ("storage", Found::Storage(found)) if form == Form::Json => {
                Ok(pretty(&storage::json(&found, page.folder)))
            }
            ("storage", Found::Storage(found)) if form == Form::Text => {
                Ok(storage::page(&found, page.folder, style))
            }
            ("stats", Found::Queries(found)) => match (form, one_agent(params)) {
                (Form::Json, Some(agent)) => Ok(pretty(&queries::one_agent_json(&found, agent))),
                (Form::Text, Some(agent)) => Ok(queries::one_agent_text(&found, agent)),
                _ => Err(Problem::parameter(
                    "format",
                    form.name(),
                    vec!["json", "text"],
                )),
            },
            ("report" | "health" | "stats" | "trends", Found::Report(found)) => {
                Ok(self.page(&found, &about, form, params, page))
            }
            (name, found) => section(name, found, &about, form),
        }
    }

    fn page(
        &self,
        found: &Report,
        about: &About,
        form: Form,
        params: &Params,
        page: &Page,
    ) -> String {
        let style = Style::PLAIN;
        match (self.name, form) {
            ("report", form) => {
                let chosen = selection(params);
                match form {
                    Form::Csv => report::csv(found, &chosen),
                    Form::Markdown => report::markdown(found, about, &chosen),
                    Form::Text => report::text(found, about, &chosen, style),
                    _ => pretty(&report::json(found, about, &chosen)),
                }
            }
            ("stats", Form::Csv) => stats::csv(found),
            ("stats", Form::Markdown) => stats::markdown(found),
            ("stats", Form::Text) => stats::text(found, about, style),
            ("stats", _) => pretty(&stats::json(found, about)),
            ("health", Form::Text) => {
                health::text(found, about, &page.asking.targets, "tacho report", style)
            }
            ("health", _) => pretty(&health::json(found, about, &page.asking.targets)),
            (_, Form::Csv) => trends::page_csv(&found.trends, &found.queries),
            (_, Form::Markdown) => trends::page_markdown(&found.trends, &found.queries),
            (_, Form::Text) => trends::page(&found.trends, &found.queries, about, style),
            _ => pretty(&trends::page_json(&found.trends, &found.queries, about)),
        }
    }
}

/// What answers are rendered with.
pub struct Page<'a> {
    /// Where the recordings lie.
    pub folder: &'a str,
    /// The settings.
    pub asking: &'a Asking,
}

/// A question that is a section of a report, or one that is none yet.
fn section(name: &str, found: Found, about: &About, form: Form) -> Result<String, Problem> {
    let kind = serde_json::to_value(&found).unwrap_or(Value::Null);
    let section = Section::by_name(name).filter(|section| kind.get(section.name()).is_some());
    let Some(section) = section else {
        if kind.get(name).is_none() {
            let detail = format!("the answer to \"{name}\" is of another kind");
            return Err(Problem::new(Kind::Internal, detail));
        }
        let mut kind = kind;
        kind["notes"] = serde_json::to_value(&about.notes).unwrap_or(Value::Null);
        return Ok(pretty(&kind));
    };
    let found = Report::of_one(found).unwrap_or_default();
    let chosen = Selection::Only(vec![section]);
    Ok(match form {
        Form::Csv => report::csv(&found, &chosen),
        Form::Markdown => report::markdown(&found, about, &chosen),
        Form::Text => report::text(&found, about, &chosen, Style::PLAIN),
        _ => pretty(&report::section_json(&found, about, section)),
    })
}

/// Whether the report's storage section needs to be completed.
pub fn wants_storage(view: &View, params: &Params) -> bool {
    let chosen = selection(params);
    match view.name {
        "health" | "storage" => true,
        "report" => matches!(chosen, Selection::Only(only) if only.contains(&Section::Storage)),
        _ => false,
    }
}

fn one_agent<'a>(params: &'a Params) -> Option<&'a str> {
    params.text("agent").filter(|agent| *agent != "all")
}

fn selection(params: &Params) -> Selection {
    let Some(names) = params.text("section") else {
        return Selection::Auto;
    };
    match names.split(',').map(Section::by_name).collect() {
        Some(sections) => Selection::Only(sections),
        // The only name that is none of a section.
        None => Selection::All,
    }
}

/// A window that cannot be, as a problem.
fn wrong(error: &AskedError) -> Problem {
    let problem = Problem::new(Kind::BadParameter, error.to_string());
    match error {
        AskedError::Instant { name, text, .. } => {
            problem.with("parameter", *name).with("value", text.clone())
        }
        AskedError::Both(one, _) => problem.with("parameter", *one),
        AskedError::Empty(_) => problem
            .with("parameter", "since")
            .with("allowed", "an instant before `until`, or before now"),
    }
}

/// As the command line prints JSON.
pub fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value);
    // A `Value` has no key that is not text, and no number that is not finite.
    text.unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_can_be_chosen() {
        let Takes::SomeOf(names) = SECTION.takes else {
            panic!("sections are some of many");
        };
        let sections: Vec<&str> = Section::ALL.iter().map(|section| section.name()).collect();
        assert_eq!(names[0], "all");
        assert_eq!(names[1..], sections);
    }

    #[test]
    fn every_question_has_a_view_and_can_be_asked() {
        let asking = Asking::default();
        for name in Question::NAMES.iter().filter(|name| **name != "sql") {
            let view = VIEWS
                .iter()
                .find(|view| view.name == *name)
                .expect("a view");
            let params = Params::default();
            let now = UnixNanos(0);
            assert!(view.question(&params, &asking, now).is_ok(), "{name}");
            assert!(view.params.contains(&FORMAT));
        }
        assert_eq!(VIEWS.len(), Question::NAMES.len() - 1 + PAGES.len());
    }
}
