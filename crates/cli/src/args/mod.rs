//! The command line as it was typed. What it means is settled in
//! [`crate::context`].

pub mod agents;
pub mod alerts;
pub mod ask;
pub mod fields;
pub mod keep;
pub mod start;
pub mod top;
pub mod window;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// The flight recorder for AI agents.
#[derive(Debug, Parser)]
#[command(
    name = "tacho",
    version,
    about = "Tachograph: the flight recorder for AI agents",
    long_about = "Tachograph records what AI agents do (tool calls, model calls, cache look-ups, \
        agent loads, sessions, queries, any metric), keeps it on this machine, and answers: what is \
        slow, what fails, what does it cost, what got worse, and since when.",
    after_help = "Start here:\n  \
        tacho start                                  take in what agents send; says how to connect one\n  \
        tacho demo                                   see it all on a made-up fortnight\n  \
        tacho run -- make test                       time any command as a tool call\n  \
        tacho record tool_call --tool search --duration-ms 12.5 --success true\n  \
        tacho report                                 what happened in the last 7 days\n\n\
        Exit codes: 0 fine, 1 a finding or a failure, 2 a mistake in the command line or the settings.",
    subcommand_required = true,
    arg_required_else_help = true,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Folder that holds the recordings [default: $TACHOGRAPH_HOME, else ~/.tachograph]
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Read a foreign folder of events*.jsonl in place; nothing in it is changed
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "home")]
    pub events: Option<PathBuf>,
    /// Answer as of this instant instead of now, such as 2025-11-20T12:00:00Z
    #[arg(long, global = true, value_name = "RFC 3339")]
    pub as_of: Option<String>,
    /// Form of the output; each command takes those that make sense for it
    #[arg(long, global = true, value_name = "FORM", value_enum)]
    pub format: Option<Format>,
    /// The same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,
    /// Colors and emoji: auto means only on a terminal and without NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    pub color: Option<When>,
    /// Say nothing but errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[value(alias = "table", alias = "console")]
    Text,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated, with a header
    Csv,
    /// For a page or an issue
    #[value(alias = "md")]
    Markdown,
    /// Apache Parquet (needs --output)
    Parquet,
}

/// When to use color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also into a pipe or a file
    Always,
    /// Not at all
    Never,
}

/// What to do. Only what works is listed.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve: take in what agents send, and answer questions about it
    Start(start::Start),
    /// What is going on right now, in the terminal; works with or without a server
    Top(top::Top),
    /// What happened: latency, errors, caches, tokens, cost, trend
    Report(ask::Report),
    /// Are the targets met? A dashboard, and an exit code with --strict
    Health(ask::Health),
    /// Detailed figures of tools, models, caches, agents and queries
    Stats(ask::Stats),
    /// Day by day: what got better, what got worse
    Trends(ask::Trends),
    /// What got worse or better, how much, and since when
    Changes(ask::Changes),
    /// Figures over time: events, failures, latency, tokens, cost
    Timeline(ask::Timeline),
    /// Alert rules: which there are, what fires, what they would have said
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Ask in SQL over the tables `events` and `rollups` and a view per kind
    Sql(ask::Sql),
    /// One query for the server, in a process of its own
    #[command(hide = true)]
    SqlWorker,
    /// Write events out as JSON, JSON Lines, CSV or Parquet
    Export(ask::Export),
    /// Record one event from flags, or many from JSON on stdin
    Record(keep::Record),
    /// Run a command and record it as a tool call
    Run(keep::Run),
    /// Take in other tools' files; the same file twice adds nothing
    Import(keep::Import),
    /// Index, list, fetch and search agent definitions
    #[command(subcommand)]
    Agents(agents::Agents),
    /// Seal the log into compact Parquet segments
    Compact(keep::Compact),
    /// Check the recordings for damage, and mend it with --repair
    Doctor(keep::Doctor),
    /// Print every setting, its value, and where the value came from
    Config(keep::Config),
    /// Fill a separate home with a made-up fortnight and report on it
    Demo(keep::Demo),
    /// Print the completion script of a shell
    Completions(keep::Completions),
    /// Print the manual page, or write one per command
    Man(keep::Man),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        super::Cli::command().debug_assert();
    }
}
