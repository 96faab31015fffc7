//! Commands that answer questions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use tachograph_model::answer::ROWS;
use tachograph_model::question;

use super::Format;
use super::window::WindowArgs;

/// Which events, and how they are counted.
#[derive(Args, Debug, Default)]
pub struct Counted {
    #[command(flatten)]
    pub window: WindowArgs,
    /// Count every event: no sketches, however many events there are
    #[arg(long)]
    pub exact: bool,
}

/// How much is listed.
#[derive(Args, Debug, Default)]
pub struct Listed {
    /// At most N rows in each list of JSON, CSV or Markdown (0: all) [default: 1000]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl Listed {
    /// How many rows, in a form.
    pub fn rows(&self, form: Format) -> usize {
        match (form, self.limit) {
            // It says itself how many more there are.
            (Format::Text, _) | (_, Some(0)) => usize::MAX,
            (_, limit) => limit.unwrap_or(ROWS),
        }
    }
}

/// `tacho report`
#[derive(Args, Debug, Default)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho report                              the last 7 days\n  \
    tacho report --hours 24 --format markdown\n  \
    tacho report --since 2025-11-01 --until 2025-12-01 --json | jq .tools\n  \
    tacho report --section tools --name grep  one tool, however many there are\n  \
    tacho report --events ~/.mycelium/analytics   read another tool's log in place")]
pub struct Report {
    #[command(flatten)]
    pub counted: Counted,
    #[command(flatten)]
    pub listed: Listed,
    /// Only these sections, such as tools,models (`all`: everything there is data for)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub section: Vec<String>,
    /// Only the one of exactly this name (`unknown`: what names none); of one section: tools,
    /// caches, agents (by name or as stored, a hash) or models
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only models of this provider; with --section models
    #[arg(long, value_name = "PROVIDER")]
    pub source: Option<String>,
    /// Write to this file instead of stdout (`-`: stdout); folders above it are made
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `tacho health`
#[derive(Args, Debug, Default)]
#[command(after_help = "Forms: text (default), json.\n\n\
    Examples:\n  \
    tacho health\n  \
    tacho health --days 1 --strict            for a script: exit 1 when a target is missed\n\n\
    The targets are settings: see `tacho config`.")]
pub struct Health {
    #[command(flatten)]
    pub counted: Counted,
    /// Exit with 1 when a target is missed
    #[arg(long)]
    pub strict: bool,
}

/// `tacho stats`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho stats --hours 24\n  \
    tacho stats --agent crewai                queries that one type of agent answered\n  \
    tacho stats --storage                     what lies on disk")]
pub struct Stats {
    #[command(flatten)]
    pub counted: Counted,
    #[command(flatten)]
    pub listed: Listed,
    /// What lies on disk: files, events, size
    #[arg(long, conflicts_with_all = ["agent", "days", "hours", "since", "until"])]
    pub storage: bool,
    /// Only queries answered by this type of agent (`all`: every type)
    #[arg(long, value_name = "TYPE")]
    pub agent: Option<String>,
}

/// `tacho trends`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho trends\n  \
    tacho trends --days 30 --json")]
pub struct Trends {
    #[command(flatten)]
    pub counted: Counted,
}

/// `tacho changes`
#[derive(Args, Debug, Default)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho changes                             the last 14 days\n  \
    tacho changes --days 30 --strict          for a script: exit 1 when something got worse\n\n\
    Looks at one figure a day (median latency, failure rate, hit rate, cost) of every tool, model,\n\
    type of agent and cache. A change needs six days with five events each.")]
pub struct Changes {
    #[command(flatten)]
    pub counted: Counted,
    #[command(flatten)]
    pub listed: Listed,
    /// Exit with 1 when something got worse
    #[arg(long)]
    pub strict: bool,
}

/// `tacho timeline`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, csv, markdown.\n\n\
    Examples:\n  \
    tacho timeline                            all events of the last 7 days\n  \
    tacho timeline --kind tool_call --name grep --hours 6\n  \
    tacho timeline --kind llm_call --days 30 --buckets 30 --json\n\n\
    Rows begin at whole minutes, hours or days in UTC. Latencies are those of one kind: without\n\
    --kind there are none.")]
pub struct Timeline {
    #[command(flatten)]
    pub counted: Counted,
    /// Only events of this kind, such as tool_call, llm_call, cache, metric
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only this tool, model, cache or metric (`unknown`: those without a name)
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only this provider or component (`unknown`: those without one)
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// At most N rows (1 to 800)
    #[arg(long, value_name = "N", default_value_t = question::Timeline::BUCKETS, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(question::Timeline::MOST)))]
    pub buckets: u32,
}

/// `tacho sql`
#[derive(Args, Debug)]
#[command(after_help = "Forms: text (default), json, jsonl, csv, markdown.\n\n\
    Examples:\n  \
    tacho sql \"select event_type, count(*) from events group by 1 order by 2 desc\"\n  \
    tacho sql \"select tool, approx_percentile_cont(duration_ms, 0.95) from tool_calls group by 1\"\n  \
    tacho sql \"show tables\"\n  \
    echo \"select 1\" | tacho sql -")]
pub struct Sql {
    /// The statement; `-` reads it from stdin
    #[arg(value_name = "STATEMENT")]
    pub statement: String,
    /// Print at most N rows (0: all) [default: 1000 as text, else all]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// `tacho export`
#[derive(Args, Debug)]
#[command(
    after_help = "Forms: jsonl (default; the log's own form, lossless), json, csv, parquet.\n\n\
    Examples:\n  \
    tacho export > events.jsonl               everything\n  \
    tacho export --hours 24 --format csv --output today.csv\n  \
    tacho export --format parquet --output all.parquet"
)]
pub struct Export {
    #[command(flatten)]
    pub window: WindowArgs,
    /// Write to this file instead of stdout (`-`: stdout); parquet needs it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Only events of these kinds, such as tool_call,llm_call
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub kind: Vec<String>,
    /// What a record looks like
    #[arg(
        long,
        value_name = "SHAPE",
        value_enum,
        default_value = "events",
        conflicts_with = "kind"
    )]
    pub shape: Shape,
}

/// What an exported record looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Every event, in the log's own form
    Events,
    /// Queries in the form of the io-telco monitoring files (csv, json)
    Queries,
}
