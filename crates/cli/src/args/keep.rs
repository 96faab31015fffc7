//! Commands that take events in and look after them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// `tacho record`
#[derive(Args, Debug)]
#[command(
    after_help = "A field is a flag of its own name (`--tool search`, with `-` for `_`) or \
    `--field key=value`; docs/events.md lists the kinds and their fields. Without a kind, one \
    JSON object a line is read from stdin; an object without `timestamp` gets the present.\n\n\
    Examples:\n  \
    tacho record tool_call --tool search --duration-ms 12.5 --success true\n  \
    tacho record llm_call --provider anthropic --model opus --input-tokens 900 --output-tokens 80\n  \
    tacho record cache --cache files --operation hit\n  \
    echo '{\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":3}' | tacho record"
)]
pub struct Record {
    /// Kind of event, such as tool_call; without it, JSON is read from stdin
    #[arg(value_name = "KIND")]
    pub kind: Option<String>,
    #[command(flatten)]
    pub fields: super::fields::Fields,
    /// A field by its key; may be repeated
    #[arg(long = "field", value_name = "KEY=VALUE")]
    pub field: Vec<String>,
    /// When it happened [default: now]
    #[arg(long, value_name = "RFC 3339")]
    pub timestamp: Option<String>,
    /// Also keep texts, and fields that no kind knows
    #[arg(long)]
    pub keep_text: bool,
}

/// `tacho run`
#[derive(Args, Debug)]
#[command(
    after_help = "The command's stdin, stdout, stderr and exit code are its own; only its \
    name, duration and outcome are recorded, never its arguments.\n\n\
    Examples:\n  \
    tacho run -- cargo test\n  \
    tacho run --name nightly-build -- make -j2 all"
)]
pub struct Run {
    /// Name of the tool [default: the command's file name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The command and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<OsString>,
}

/// `tacho import`
#[derive(Args, Debug)]
#[command(
    after_help = "What a file is, its content tells: an event log (events*.jsonl), a tool log \
    (metrics.jsonl), query metrics (JSON in both shapes, or CSV in both). Prompts, messages and \
    other texts are left out unless --keep-text.\n\n\
    Examples:\n  \
    tacho import ~/.mycelium/analytics/events*.jsonl\n  \
    tacho import monitoring/metrics.json monitoring/metrics.csv\n  \
    tacho import --dry-run .logs/metrics.jsonl"
)]
pub struct Import {
    /// Files to take in
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Say what would be added; add nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Also keep queries' texts and error messages
    #[arg(long)]
    pub keep_text: bool,
}

/// `tacho compact`
#[derive(Args, Debug)]
#[command(
    after_help = "Safe at any time, also while agents record: killed half-way, nothing is lost \
    and nothing doubled.\n\nExample:\n  tacho compact"
)]
pub struct Compact {}

/// `tacho doctor`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    tacho doctor                              look; exit 1 when something is wrong\n  \
    tacho doctor --repair                     mend what can be mended, set the rest aside")]
pub struct Doctor {
    /// Mend what was found
    #[arg(long)]
    pub repair: bool,
}

/// `tacho config`
#[derive(Args, Debug)]
#[command(
    after_help = "Settings come from, later over earlier: defaults, config.yaml in the home, \
    .env in the current folder, the environment, flags.\n\n\
    Examples:\n  \
    tacho config\n  \
    tacho config slow_query_ms --json"
)]
pub struct Config {
    /// Only these settings
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
}

/// `tacho demo`
#[derive(Args, Debug)]
#[command(
    after_help = "The home is ./tachograph-demo unless --home says otherwise, and is marked as \
    made up. Running it again fills it anew. A home that holds anything else is left alone.\n\n\
    On a terminal it then serves its page to this machine alone, until Ctrl-C, and opens it in \
    the browser where there is a desktop; into a pipe or a file it prints and ends. While the \
    page is served the invented team works on, unless --as-of says when it ended.\n\n\
    Examples:\n  \
    tacho demo\n  \
    tacho demo --no-serve                                      the report, and no page\n  \
    tacho demo --home /tmp/try --as-of 2025-11-20T12:00:00Z    the same events every time"
)]
pub struct Demo {
    /// Seed of the made-up events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Serve the page although stdout is no terminal
    #[arg(long, overrides_with = "no_serve")]
    pub serve: bool,
    /// Print the report and end
    #[arg(long)]
    pub no_serve: bool,
    /// Open no browser
    #[arg(long)]
    pub no_open: bool,
    /// Port of the page; 0 means any free one [default: 8090, or any free one if it is taken]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// `tacho completions`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    source <(tacho completions bash)\n  \
    tacho completions fish > ~/.config/fish/completions/tacho.fish")]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `tacho man`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    tacho man | man -l -\n  \
    tacho man --out ~/.local/share/man/man1")]
pub struct Man {
    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
